"""MusicnnExtractor, on small random networks of the same architecture."""

from __future__ import annotations

import copy
import os
import pickle
import re

import librosa
import numpy as np
import pandas as pd
import pytest
from _clips import music
from _musicnn import SIZES, SmallWeights, forward, random_tensors, write_random_weights
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skgenre import AudioLoader, ExcerptFeatures, MusicnnExtractor, PerTrack, load, save
from skgenre.base import TrackTransformer
from skgenre.utils._waveforms import Waveforms

RATE = 16000
EXTRACTOR = MusicnnExtractor(SmallWeights(), sampling_rate=RATE)
PATCH = 187 * 256  # samples


def noise(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return (np.linspace(0.1, 0.5, n_samples) * rng.normal(size=n_samples)).astype(np.float32)


def expected_columns(track):
    """Compute the columns as the documentation defines them, with librosa."""
    power = librosa.feature.melspectrogram(y=track, sr=RATE, n_fft=512, hop_length=256, n_mels=96).T
    n_patches = len(power) // 187
    log_mel = np.log10(10000 * power[: 187 * n_patches] + 1).reshape(n_patches, 187, 96)
    found = forward(random_tensors(), log_mel)
    columns = [found["mean"].mean(axis=0), found["mean"].std(axis=0)]
    columns += [found["penultimate"].mean(axis=0), found["penultimate"].std(axis=0)]
    return np.concatenate([*columns, found["max"].mean(axis=0), found["logits"].mean(axis=0)])


def test_columns_are_those_of_the_network_as_it_is_described():
    track = noise(7 * RATE)  # two patches and a rest
    found = EXTRACTOR.fit_transform(track[np.newaxis])[0]
    np.testing.assert_allclose(found, expected_columns(track), rtol=1e-4, atol=1e-5)


def test_columns_are_named_and_grouped():
    n_filters, n_units = 3 * SIZES["dense_layers"], SIZES["units"]
    names = EXTRACTOR.get_feature_names_out().tolist()
    groups, counts = np.unique(EXTRACTOR.get_feature_groups_out(), return_counts=True)
    sizes = {"mean": 2 * n_filters, "penultimate": 2 * n_units, "max": n_filters, "logits": 3}
    assert dict(zip(groups, counts, strict=True)) == {f"musicnn_{k}": v for k, v in sizes.items()}
    assert names[:2] == ["musicnn_mean__layer0_filter0_mean", "musicnn_mean__layer0_filter1_mean"]
    assert names[n_filters] == "musicnn_mean__layer0_filter0_std"
    assert names[-3:] == [f"musicnn_logits__{tag}" for tag in ("rock", "jazz", "slow")]
    assert [
        name.partition("__")[0] for name in names
    ] == EXTRACTOR.get_feature_groups_out().tolist()
    table = clone(EXTRACTOR).set_output(transform="pandas").fit_transform(noise(PATCH)[np.newaxis])
    assert isinstance(table, pd.DataFrame)
    assert table.columns.tolist() == names


@pytest.mark.parametrize("weights", ["msd", "mtt"])
def test_the_published_networks_have_1026_columns_without_their_file(weights, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", "/nowhere")
    extractor = MusicnnExtractor(weights)
    names = extractor.get_feature_names_out()
    assert len(set(names)) == 1026
    assert pd.Series(extractor.get_feature_groups_out()).value_counts(sort=False).to_dict() == {
        "musicnn_mean": 384,
        "musicnn_penultimate": 400,
        "musicnn_max": 192,
        "musicnn_logits": 50,
    }


def test_the_middle_of_a_long_track_counts():
    track = noise(9 * RATE)
    short = MusicnnExtractor(SmallWeights(), sampling_rate=RATE, duration=4.0)
    middle = track[5 * RATE // 2 : -5 * RATE // 2]
    np.testing.assert_array_equal(
        short.transform(track[np.newaxis]), EXTRACTOR.transform(middle[np.newaxis])
    )


@pytest.mark.parametrize("n_samples", [1, 100, RATE, PATCH - 257])
def test_a_track_shorter_than_a_patch_is_repeated(n_samples):
    track = noise(n_samples)
    repeated = np.tile(track, PATCH // n_samples + 1)[: PATCH - 256]
    found = EXTRACTOR.transform([track, repeated])
    np.testing.assert_array_equal(found[0], found[1])
    deviations = [name.endswith("_std") for name in EXTRACTOR.get_feature_names_out()]
    assert not found[:, deviations].any()  # of a single patch


def test_silence_and_very_loud_sound_are_finite():
    tracks = np.stack([np.zeros(PATCH), np.full(PATCH, 1e-30), 1e14 * noise(PATCH)])
    found = EXTRACTOR.transform(tracks.astype(np.float32))
    assert np.isfinite(found).all()
    assert np.ptp(found[0]) > 0


def test_waveforms_are_resampled_to_the_rate_of_the_network():
    track = music(7.0)  # at 22050 Hz
    resampled = AudioLoader(sampling_rate=RATE, duration=7.0).fit_transform([(track, 22050)])
    found = MusicnnExtractor(SmallWeights()).transform(track[np.newaxis])
    np.testing.assert_allclose(found, EXTRACTOR.transform(resampled), rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match=r"22050 Hz, but MusicnnExtractor is set to .*16000"):
        EXTRACTOR.transform(Waveforms(track[np.newaxis], 22050))


def test_an_excerpt_takes_the_patches_whose_centre_lies_in_it():
    track = noise(4 * PATCH + 500)
    # Excerpts that end a little after the second patch and begin a little before the third.
    features = ExcerptFeatures(
        EXTRACTOR, n_excerpts=2, excerpt_duration=2.2 * PATCH / RATE, include_track=False
    )
    first, second = features.transform(track[np.newaxis]).reshape(2, -1)
    outputs, centers = EXTRACTOR.patch_outputs(track)
    assert centers.tolist() == [(i + 0.5) * PATCH for i in range(4)]
    np.testing.assert_array_equal(first[-3:], outputs["logits"][:2].mean(axis=0))
    np.testing.assert_array_equal(second[-3:], outputs["logits"][2:].mean(axis=0))
    assert not np.array_equal(first, second)


def test_the_network_runs_once_for_all_excerpts(monkeypatch):
    calls = []
    run = MusicnnExtractor.patch_outputs
    monkeypatch.setattr(
        MusicnnExtractor, "patch_outputs", lambda *args: calls.append(1) or run(*args)
    )
    whole = ExcerptFeatures(EXTRACTOR, n_excerpts=3, excerpt_duration=5.0)
    found = whole.transform(noise(12 * RATE)[np.newaxis])
    assert len(calls) == 1
    np.testing.assert_array_equal(
        found[0, : found.shape[1] // 4], EXTRACTOR.transform(noise(12 * RATE)[np.newaxis])[0]
    )


def test_an_excerpt_without_a_centre_gets_patches_of_its_own():
    track = noise(4 * PATCH)
    start, stop = PATCH // 2 + 10, PATCH + 10  # between the first centre and the second
    found = EXTRACTOR.describe_excerpts(track, [(start, stop)])[0]
    np.testing.assert_array_equal(found, EXTRACTOR.transform(track[np.newaxis, start:stop])[0])


def test_the_cache_knows_weights_by_their_content(tmp_path):
    first = write_random_weights(tmp_path / "a.npz", seed=1)
    tracks = noise(2 * PATCH).reshape(2, PATCH)

    def features(path):
        extractor = MusicnnExtractor(path, sampling_rate=RATE)
        front_end = PerTrack(extractor, memory=tmp_path / "cache")
        return front_end.fit_transform(tracks), front_end.n_hits_

    before, hits = features(first)
    assert hits == 0
    again, hits = features(write_random_weights(tmp_path / "b.npz", seed=1))  # the same elsewhere
    assert hits == 2
    np.testing.assert_array_equal(again, before)
    write_random_weights(first, seed=2)
    other, hits = features(first)
    assert hits == 0
    assert not np.allclose(other, before)


def replace_unnoticed(path, seed):
    """Overwrite weights by others of the same size and modification time."""
    before = os.stat(path)
    write_random_weights(path.with_name("others.npz"), seed=seed)
    path.write_bytes(path.with_name("others.npz").read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert os.path.getsize(path) == before.st_size


def test_replaced_weights_are_noticed_by_an_extractor_that_stays(tmp_path):
    path = write_random_weights(tmp_path / "weights.npz", seed=1)
    tracks = noise(2 * PATCH).reshape(2, PATCH)
    extractor = MusicnnExtractor(path, sampling_rate=RATE)
    front_end = PerTrack(extractor, memory=tmp_path / "cache")
    before = front_end.fit_transform(tracks)
    np.testing.assert_array_equal(extractor.transform(tracks), before)
    replace_unnoticed(path, seed=2)
    expected = MusicnnExtractor(path, sampling_rate=RATE).transform(tracks)
    assert not np.allclose(expected, before)
    for found in (
        extractor.transform(tracks),
        front_end.transform(tracks),
        front_end.fit_transform(tracks),
    ):
        np.testing.assert_array_equal(found, expected)
    assert front_end.n_hits_ == 2  # stored by transform
    replace_unnoticed(path, seed=1)
    np.testing.assert_array_equal(front_end.transform(tracks), before)


def test_cached_features_of_other_weights_are_refused(tmp_path):
    path = write_random_weights(tmp_path / "weights.npz", seed=1)
    track = noise(PATCH)[np.newaxis]
    fitted = MusicnnExtractor(path, sampling_rate=RATE).fit(track)
    write_random_weights(path, seed=2)
    PerTrack(clone(fitted), memory=tmp_path / "cache").fit_transform(track)
    with pytest.raises(ValueError, match="but the model was fitted or saved with"):
        PerTrack(fitted, memory=tmp_path / "cache").transform(track)


class ReplaceWeights(TrackTransformer):
    """Passes tracks on; at the second one it puts other weights into a file."""

    def __init__(self, path):
        self.path = path

    def transform_track(self, track, name):
        if name == "track 1":
            write_random_weights(self.path, seed=2)
        return track


@pytest.mark.parametrize("method", ["transform", "fit_transform"])
def test_weights_that_are_replaced_during_a_call_end_it(tmp_path, method):
    path = write_random_weights(tmp_path / "weights.npz", seed=1)
    tracks = noise(2 * PATCH).reshape(2, PATCH)
    extractor = MusicnnExtractor(path, sampling_rate=RATE)
    front_end = PerTrack(make_pipeline(ReplaceWeights(path), extractor), memory=tmp_path / "cache")
    with pytest.raises(ValueError, match="but the model was fitted or saved with"):
        getattr(front_end, method)(tracks)
    write_random_weights(path, seed=1)
    expected = MusicnnExtractor(path, sampling_rate=RATE).transform(tracks)
    again = PerTrack(extractor, memory=tmp_path / "cache").fit_transform(tracks)
    np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("how", ["pickle", "copy", "file", "fit"])
def test_other_weights_than_those_it_was_saved_with_are_refused(tmp_path, how):
    path = write_random_weights(tmp_path / "weights.npz")
    extractor = MusicnnExtractor(path, sampling_rate=RATE)
    track = noise(PATCH)[np.newaxis]
    expected = extractor.transform(track)
    if how == "pickle":
        content = pickle.dumps(extractor)
        assert len(content) < 2000  # no weights
        restored = pickle.loads(content)
    elif how == "copy":
        restored = copy.deepcopy(extractor)
    elif how == "file":
        restored = load(save(make_pipeline(extractor).fit(track), tmp_path / "m.skgenre"))[0]
        assert os.path.getsize(tmp_path / "m.skgenre") < 20_000
    else:
        restored = extractor.fit(track)
    np.testing.assert_array_equal(restored.transform(track), expected)
    write_random_weights(path, seed=1)
    with pytest.raises(ValueError, match=r"have the SHA-256 \w{64}, but the .* saved with \w{64}"):
        restored.transform(track)
    assert not np.allclose(clone(restored).transform(track), expected)
    assert not np.allclose(restored.fit_transform(track), expected)  # fitted again


def test_missing_weights_name_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "none"))
    message = re.escape("`skgenre fetch musicnn --weights mtt` or skgenre.fetch_musicnn('mtt')")
    track = noise(100)[np.newaxis]
    for method in ("fit", "transform", "fit_transform"):
        with pytest.raises(FileNotFoundError, match=message):
            getattr(MusicnnExtractor("mtt", sampling_rate=RATE), method)(track)
    front_end = PerTrack(MusicnnExtractor("mtt", sampling_rate=RATE), memory=tmp_path / "cache")
    with pytest.raises(FileNotFoundError, match=message):
        front_end.fit_transform(track)
    with pytest.raises(FileNotFoundError, match="no weights of musicnn at no-such-file"):
        MusicnnExtractor("no-such-file").fit(track)
    assert not (tmp_path / "none").exists()


def test_a_file_of_other_weights_does_not_pass_for_the_published_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    (tmp_path / "musicnn").mkdir()
    write_random_weights(tmp_path / "musicnn" / "msd.npz")
    with pytest.raises(ValueError, match=r"holds other weights .*--weights msd` replaces it"):
        MusicnnExtractor(sampling_rate=RATE).transform(noise(100)[np.newaxis])


def damaged(tmp_path, kind):
    path = tmp_path / "weights.npz"
    if kind == "text":
        path.write_text("no weights")
    elif kind == "cut":
        write_random_weights(path)
        path.write_bytes(path.read_bytes()[:-1000])
    elif kind == "others":
        np.savez(path, a=np.zeros(3))
    elif kind == "pickle":
        np.savez(path, format=np.array([{}], dtype=object))
    else:
        write_random_weights(path)
        with np.load(path) as arrays:
            values = dict(arrays)
        if kind == "shape":
            values["dense/kernel"] = values["dense/kernel"][:-1]
        elif kind == "nan":
            values["dense/bias"][0] = np.nan
        np.savez(path, **values)
    return path


@pytest.mark.parametrize("kind", ["text", "cut", "others", "pickle", "shape", "nan"])
def test_a_damaged_file_is_refused(tmp_path, kind):
    with pytest.raises(ValueError, match="holds no weights of musicnn, or is damaged"):
        MusicnnExtractor(damaged(tmp_path, kind)).fit(np.zeros((1, 100)))
