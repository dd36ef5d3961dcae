"""Exported files predict what their models predict, or are not written."""

from __future__ import annotations

import sys
import warnings

import _estimators
import numpy as np
import onnx
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import skgenre
from skgenre import OnnxGenreModel, export_onnx

RNG = np.random.default_rng(0)
GENRES = np.repeat(["jazz", "rock", "ska"], 4)
FRAMES = (
    RNG.normal(size=(12, 3, 10, 4)).astype(np.float32) + 2 * (GENRES == "ska")[:, None, None, None]
)
IMAGES = RNG.uniform(size=(12, 2, 8, 8, 1)).astype(np.float32)
MLP = skgenre.MLPGenreClassifier(units=(8,), epochs=1, random_state=0)


def small(model):
    model = clone(model)
    return model.set_params(epochs=1) if "epochs" in model.get_params() else model


def check(model, X, path, **params):
    """Export, and compare the file with the model on X."""
    found = OnnxGenreModel(export_onnx(model, path, **params))
    np.testing.assert_allclose(found.predict_proba(X), model.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(found.predict(X), model.predict(X))
    np.testing.assert_array_equal(found.classes_, model.classes_)
    assert found.classes_.dtype == model.classes_.dtype
    assert found.largest_difference_ < 1e-5
    return found


@pytest.mark.parametrize("model", _estimators.small_classifiers(), ids=lambda m: type(m).__name__)
def test_every_network_predicts_the_same(model, tmp_path):
    X = IMAGES if type(model).__name__[:5] in ("Image", "Trans") else FRAMES
    model = small(model).fit(X, GENRES)
    found = check(model, X, tmp_path / "m.onnx", sample=X)
    segments = model.predict_segment_proba(X)
    np.testing.assert_allclose(found.predict_segment_proba(X), segments, atol=1e-5)


@pytest.mark.parametrize("voting", ["hard", "product"])
def test_other_votes_and_classes_that_are_numbers(voting, tmp_path):
    y = np.repeat([7, 3, -1], 4).astype(np.int32)
    check(clone(MLP).set_params(voting=voting).fit(FRAMES, y), FRAMES, tmp_path / "m.onnx")


@pytest.mark.parametrize("routing", ["hard", "soft"])
def test_hierarchies_of_several_levels(routing, tmp_path):
    tree = {"loud": {"rock": "rock", "ska": "ska"}, "jazz": "jazz"}
    model = skgenre.HierarchicalGenreClassifier(MLP, hierarchy=tree, routing=routing)
    found = check(model.fit(FRAMES, GENRES), FRAMES, tmp_path / "m.onnx")
    segments = model.predict_segment_proba(FRAMES)
    np.testing.assert_allclose(found.predict_segment_proba(FRAMES), segments, atol=1e-5)


def test_crops_of_tracks_shorter_and_longer_than_a_crop(tmp_path):
    X = RNG.normal(-40, 15, size=(12, 1, 40, 6))
    model = skgenre.LogMelCNNGenreClassifier(crop_frames=16, epochs=1, steps_per_epoch=1)
    found = check(model.fit(X, GENRES), X, tmp_path / "m.onnx")
    for n_frames in (1, 7, 16, 17, 39):
        tracks = X[:, :, :n_frames]
        np.testing.assert_allclose(
            found.predict_proba(tracks), model.predict_proba(tracks), atol=1e-5
        )


def test_features_of_fewer_dimensions(tmp_path):
    sequences, frames = FRAMES[:, 0, :, 0], FRAMES[:, 0]
    model = clone(MLP).fit(sequences, GENRES)
    check(model, sequences, tmp_path / "m.onnx", sample=sequences)
    check(clone(MLP).fit(frames, GENRES), frames, tmp_path / "m.onnx")


@pytest.mark.parametrize("scaler", [skgenre.FrameScaler(), StandardScaler(with_mean=False)])
def test_scalers_are_part_of_the_graph(scaler, tmp_path):
    table = 100 + 20 * FRAMES[:, 0, :, 0]
    model = make_pipeline(scaler, clone(MLP)).fit(table, GENRES)
    check(model, table, tmp_path / "m.onnx", sample=table)


def two_branches(meta, rate=0.1):
    """Build a network with layers that none of ours has."""
    import keras  # after skgenre, which silences TensorFlow

    layers = keras.layers
    inputs = keras.Input(meta["segment_shape_"])
    left = layers.Bidirectional(layers.GRU(3))(inputs)
    right = layers.GlobalAveragePooling1D()(layers.SeparableConv1D(4, 3, activation="gelu")(inputs))
    both = layers.LayerNormalization()(layers.Concatenate()([left, layers.Dropout(rate)(right)]))
    return keras.Model(inputs, layers.Dense(meta["n_classes_"], activation="softmax")(both))


@pytest.mark.slow
def test_networks_of_the_user(tmp_path):
    model = skgenre.KerasGenreClassifier(two_branches, model__rate=0.2, epochs=1, random_state=0)
    check(model.fit(FRAMES, GENRES), FRAMES, tmp_path / "m.onnx")


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return skgenre.make_genres(
        3,
        genres=["dub", "house", "swing"],
        duration=3.0,
        path=tmp_path_factory.mktemp("music"),
        random_state=0,
    )


SHORT = {"epochs": 1, "random_state": 0}
SOUND = {"duration": 2.0, "n_segments": 2}
PIPELINES = {
    "mlp": {"classifier": "mlp"},
    "cnn": {"classifier": "cnn"},
    "lstm": {"classifier": "lstm"},
    "augmented": {"classifier": MLP, "augmenter": skgenre.Augmenter(random_state=0)},
    "hierarchical": {"classifier": skgenre.HierarchicalGenreClassifier(MLP, random_state=0)},
    "table": {"classifier": MLP, "extractor": skgenre.SummaryExtractor(), "n_segments": None},
    "image": {
        "classifier": skgenre.ImageCNNGenreClassifier(**SHORT),
        "extractor": skgenre.SpectrogramImage(height=16, width=16),
        "scaler": None,
    },
    "crnn": {
        "classifier": skgenre.CRNNGenreClassifier(
            filters=(8,), pool_sizes=(2,), gru_units=(4,), **SHORT
        ),
        "extractor": skgenre.MelSpectrogramExtractor(n_mels=16),
    },
    "rcnn": {
        "classifier": skgenre.RCNNGenreClassifier(
            filters=(4,), recurrent_filters=(4,), norm="local_response", **SHORT
        ),
        "extractor": skgenre.STFTExtractor(n_bands=16),
    },
}


_IN_EACH_RUN = ("cnn", "table")  # the others take a second or two each


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind in _IN_EACH_RUN else pytest.param(kind, marks=pytest.mark.slow)
        for kind in PIPELINES
    ],
)
def test_pipelines_predict_the_same_from_files(kind, music, tmp_path):
    pipeline = skgenre.make_genre_pipeline(**{**SOUND, **PIPELINES[kind]})
    pipeline.set_params(**{
        f"classifier__{key}": value
        for key, value in SHORT.items()
        if f"classifier__{key}" in pipeline.get_params()
    }).fit(music.data, music.target)  # fmt: skip
    found = check(pipeline, music.data, tmp_path / "m.onnx", sample=music.data[:1])
    features = pipeline[:-1].transform(music.data)
    np.testing.assert_allclose(
        found.predict_segment_proba(music.data),
        pipeline[-1].predict_segment_proba(features),
        atol=1e-5,
    )


@pytest.fixture(scope="module")
def pipeline(music):
    return skgenre.make_genre_pipeline(MLP, **SOUND).fit(music.data, music.target)


def test_searches_are_exported_by_their_best_model(music, tmp_path):
    pipeline = skgenre.make_genre_pipeline(MLP, **SOUND)
    search = GridSearchCV(pipeline, {"classifier__activation": ["elu"]}, cv=2)
    check(search.fit(music.data, music.target), music.data, tmp_path / "m.onnx")


@pytest.mark.slow
def test_genre_classifier_from_tracks_of_any_length(music, tmp_path):
    tracks = [*music.data, (np.zeros(22050, np.float32), 22050)]
    tracks[0] = (RNG.normal(size=30000).astype(np.float32), 22050)
    model = skgenre.GenreClassifier(random_state=0)
    model.fit(music.data, music.target, groups=music.artists).set_params(n_excerpts=2)
    with pytest.warns(skgenre.NoSoundWarning):
        found = check(model, tracks, tmp_path / "m.onnx")
    assert not hasattr(found, "predict_segment_proba")
    features = OnnxGenreModel(export_onnx(model, tmp_path / "f.onnx", front_end=False))
    front_end, _ = model.split_front_end()
    table = front_end.fit_transform(music.data)
    expected = model.predict_proba(music.data)
    np.testing.assert_allclose(features.predict_proba(table), expected, atol=1e-5)
    half = clone(model).set_params(precomputed=True).fit(table, music.target, groups=music.artists)
    check(half, table, tmp_path / "f.onnx")
    check(make_pipeline(front_end, half), music.data, tmp_path / "f.onnx")


@pytest.mark.parametrize("threshold", [0.7, 2])
def test_rejection_comes_along(threshold, tmp_path):
    model = skgenre.RejectingClassifier(MLP, threshold=threshold).fit(FRAMES, GENRES)
    mixed = np.concatenate(
        [FRAMES, RNG.permutation(FRAMES.reshape(-1, 10, 4)).reshape(FRAMES.shape)]
    )
    found = check(model, mixed, tmp_path / "m.onnx")
    assert "rejected" in found.predict(mixed)
    if threshold == 2:
        with pytest.raises(ValueError, match="2 votes, but X has tracks of 1 segments"):
            found.predict(mixed[:, :1])


def test_the_file_says_what_it_is(pipeline, music, tmp_path):
    path = export_onnx(pipeline, tmp_path / "m.onnx", y=music.target, artists=music.artists)
    info = OnnxGenreModel(path).info_
    assert info.classes == {"dub": 3, "house": 3, "swing": 3}
    assert info.n_artists == len(set(music.artists))
    assert info.model == "MLPGenreClassifier"
    assert "Limits" in skgenre.model_card(info)
    again = export_onnx(pipeline, tmp_path / "again.onnx", info=info)
    assert OnnxGenreModel(again).info_ == info
    with pytest.raises(TypeError, match=r"\['y'\] are in info already"):
        export_onnx(pipeline, path, info=info, y=music.target)
    props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert props["skgenre.format"] == '"skgenre-onnx-1"'
    onnx.checker.check_model(onnx.load(path), full_check=True)


def test_a_graph_that_differs_is_not_written(tmp_path, monkeypatch):
    model = clone(MLP).fit(FRAMES, GENRES)
    path = export_onnx(model, tmp_path / "m.onnx")
    before = path.read_bytes()

    import keras

    export = keras.Model.export

    def export_wrongly(self, filepath, **params):
        export(self, filepath, **params)
        graph = onnx.load(filepath)
        for tensor in graph.graph.initializer:
            values = onnx.numpy_helper.to_array(tensor)
            if values.dtype == np.float32 and values.ndim == 2:
                tensor.CopyFrom(onnx.numpy_helper.from_array(1.5 * values, tensor.name))
                break
        onnx.save(graph, filepath)

    monkeypatch.setattr(keras.Model, "export", export_wrongly)
    with pytest.raises(ValueError, match=r"differ from those of MLPGenreClassifier by up to 0\.\d"):
        export_onnx(model, path, sample=FRAMES)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.onnx"]


def test_a_graph_that_is_not_a_number_is_not_written(tmp_path, monkeypatch):
    predict_proba = OnnxGenreModel.predict_proba

    def predict_wrongly(self, X):
        return predict_proba(self, X) + (np.nan if X is FRAMES else 0)

    monkeypatch.setattr(OnnxGenreModel, "predict_proba", predict_wrongly)
    with pytest.raises(ValueError, match="by up to nan"):
        export_onnx(clone(MLP).fit(FRAMES, GENRES), tmp_path / "m.onnx", sample=FRAMES)
    assert not list(tmp_path.iterdir())


def test_samples_of_the_user_are_compared(pipeline, music, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.wav"):
        export_onnx(pipeline, tmp_path / "m.onnx", sample=[str(tmp_path / "none.wav")])
    assert not list(tmp_path.iterdir())


class Halver(BaseEstimator):
    """A transformer of the user's."""

    stateless = True

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X / 2


def test_front_ends_of_the_user_are_refused_or_left_out(music, tmp_path):
    front_end = [skgenre.AudioLoader(duration=2.0), skgenre.MFCCExtractor(), Halver()]
    model = make_pipeline(*front_end, skgenre.FrameScaler(), clone(MLP))
    model.fit(music.data, music.target)
    with pytest.raises(
        ValueError, match=r"Halver, which an ONNX file cannot hold.*front_end=False"
    ):
        export_onnx(model, tmp_path / "m.onnx")
    path = export_onnx(model, tmp_path / "m.onnx", front_end=False, sample=music.data[:1])
    found = OnnxGenreModel(path)
    assert found.front_end_ is None
    features = model[:-2].transform(music.data)
    np.testing.assert_allclose(
        found.predict_proba(features), model.predict_proba(music.data), atol=1e-5
    )


def test_what_cannot_be_exported_is_refused_by_name(tmp_path):
    table = FRAMES[:, 0, :, 0]
    path = tmp_path / "m.onnx"
    with pytest.raises(NotFittedError):
        export_onnx(clone(MLP), path)
    for model in (SVC(), skgenre.FusionKNeighborsClassifier()):
        with pytest.raises(ValueError, match=f"{type(model).__name__} cannot be exported to ONNX"):
            export_onnx(make_pipeline(StandardScaler(), model).fit(table, GENRES), path)
    assert not path.exists()


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(package, tmp_path, monkeypatch):
    model = clone(MLP).fit(FRAMES, GENRES)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'needs {package}; .*pip install "skgenre\[onnx\]"'):
        export_onnx(model, tmp_path / "m.onnx")


def test_the_export_is_silent_and_changes_nothing(pipeline, music, tmp_path, capfd):
    before = pipeline.predict_proba(music.data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_onnx(pipeline, tmp_path / "m.onnx")
    np.testing.assert_array_equal(pipeline.predict_proba(music.data), before)
    assert capfd.readouterr() == ("", "")
