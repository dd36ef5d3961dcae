"""The published weights of musicnn, compared with the authors' own graph in TensorFlow.

These run where the environment variable SKGENRE_MUSICNN names the wheel of musicnn 0.1.0, as
`.ci/run` gets it. SKGENRE_MUSIC may name a folder of recorded music to compare on, beside what is
made here.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skgenre import AudioLoader, MusicnnExtractor, MusicnnTagger, fetch_musicnn, make_genres

WHEEL = os.environ.get("SKGENRE_MUSICNN")
pytestmark = pytest.mark.skipif(
    WHEEL is None, reason="SKGENRE_MUSICNN does not name the wheel of musicnn 0.1.0"
)
# Outputs of the extractor, and the nodes of the graph that compute them.
NODES = {
    "mean": "model/moments/Squeeze",
    "max": "model/Max",
    "penultimate": "model/batch_normalization_10/batchnorm/add_1",
    "logits": "model/dense_1/BiasAdd",
}
N_FRONT = 2 * 204 + 3 * 51  # channels of the front end, which come first


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Where the converted weights are, and the unpacked wheel."""
    folder = tmp_path_factory.mktemp("published")
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(folder)
    return fetch_musicnn(source=WHEEL, data_home=folder), folder / "musicnn"


@pytest.fixture(scope="module")
def tracks():
    music = make_genres(1, duration=10.0, random_state=0)
    loaded = list(AudioLoader(sampling_rate=16000, duration=10.0).fit_transform(music.data))
    if folder := os.environ.get("SKGENRE_MUSIC"):
        files = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".ogg", ".wav"))
        loader = AudioLoader(sampling_rate=16000, duration=30.0, short="keep", position="center")
        loaded += [loader.fit_transform([path])[0] for path in files[:: len(files) // 8 + 1]]
    return [np.asarray(track) for track in loaded]


def log_mel_patches(track):
    """Compute patches of shape (n_patches, 187, 96) as the authors' documentation says."""
    import librosa

    power = librosa.feature.melspectrogram(y=track, sr=16000, n_fft=512, hop_length=256, n_mels=96)
    log_mel = np.log10(10000 * power.T + 1).astype(np.float32)
    return log_mel[: len(log_mel) // 187 * 187].reshape(-1, 187, 96)


def run_graph(checkpoint, patches):
    """Run the graph of a checkpoint, without the part that trains it, on log-mel patches."""
    import tensorflow as tf

    v1 = tf.compat.v1
    meta = v1.MetaGraphDef()
    meta.ParseFromString(Path(f"{checkpoint}.meta").read_bytes())
    for node in meta.graph_def.node:
        node.attr.pop("_output_shapes", None)  # TensorFlow 2 finds some of them inconsistent
    reader = v1.train.NewCheckpointReader(str(checkpoint))
    needed = v1.graph_util.extract_sub_graph(meta.graph_def, list(NODES.values()))
    with tf.Graph().as_default() as graph, v1.Session() as session:
        tf.import_graph_def(needed, name="")
        values = {
            node.name: reader.get_tensor(node.name.removesuffix("/read"))
            for node in needed.node
            if node.name.endswith("/read")
        }
        feed = {f"{name}:0": value for name, value in values.items()}
        for operation in graph.get_operations():
            if operation.type == "Placeholder":
                is_training = operation.outputs[0].dtype == tf.bool
                feed[operation.outputs[0]] = False if is_training else patches
        found = session.run({name: f"{node}:0" for name, node in NODES.items()}, feed)
    outputs = {name: values.reshape(len(patches), -1) for name, values in found.items()}
    return outputs | {name: outputs[name][:, N_FRONT:] for name in ("mean", "max")}


@pytest.mark.parametrize("name", ["msd", "mtt"])
def test_the_extractor_equals_the_graph_of_the_authors(published, tracks, name):
    paths, folder = published
    extractor = MusicnnExtractor(paths[name], sampling_rate=16000)
    patches = [log_mel_patches(track) for track in tracks]
    expected = run_graph(f"{folder / name.upper()}_musicnn/", np.concatenate(patches))
    start = 0
    for track, own in zip(tracks, patches, strict=True):
        graph = {output: values[start : start + len(own)] for output, values in expected.items()}
        start += len(own)
        columns = [
            *(graph["mean"].mean(axis=0), graph["mean"].std(axis=0)),
            *(graph["penultimate"].mean(axis=0), graph["penultimate"].std(axis=0)),
            *(graph["max"].mean(axis=0), graph["logits"].mean(axis=0)),
        ]
        row = extractor.transform(track[np.newaxis])[0]
        np.testing.assert_allclose(row, np.concatenate(columns), rtol=1e-4, atol=1e-4)
        outputs, _ = extractor.patch_outputs(track)
        for output in ("penultimate", "logits"):
            np.testing.assert_allclose(outputs[output], graph[output], rtol=1e-4, atol=1e-4)


def test_the_tagger_answers_at_once(published, monkeypatch):
    paths, _ = published
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(paths["msd"].parents[1]))
    music = make_genres(1, duration=4.0, random_state=0)
    for name, known in (("msd", "Hip-Hop"), ("mtt", "techno")):
        tagger = MusicnnTagger(name)
        proba = tagger.predict_proba(music.data)
        assert known in tagger.classes_
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        assert tagger.predict_tag_proba(music.data).shape == (len(music.data), 50)
