"""The bases of transformers: what all extractors of tables share, and subclasses of the user."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import FeatureUnion, make_pipeline

from skgenre import AudioLoader, PerTrack, PitchHistogramExtractor, RhythmExtractor, Segmenter
from skgenre.base import TrackTableTransformer, TrackTransformer
from skgenre.utils._waveforms import Waveforms

RATE = 22050


def waveforms(n_tracks=2, n_samples=6000):
    return np.random.default_rng(0).normal(size=(n_tracks, n_samples)).astype(np.float32)


def test_tables_come_in_the_container_asked_for():
    X = waveforms()
    plain = RhythmExtractor().fit_transform(X)
    assert type(plain) is np.ndarray
    assert plain.dtype == np.float32
    names = RhythmExtractor().get_feature_names_out().tolist()
    for transform, kind in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        extractor = RhythmExtractor().set_output(transform=transform)
        for table in (extractor.fit_transform(X), extractor.transform(X)):
            assert isinstance(table, kind)
            assert list(table.columns) == names
            np.testing.assert_array_equal(table.to_numpy(), plain)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(RhythmExtractor().transform(X), pd.DataFrame)
        default = RhythmExtractor().set_output(transform="default")
        assert type(default.transform(X)) is np.ndarray
        assert default.set_output(transform=None) is default


def test_rows_keep_the_index_of_a_data_frame():
    X = pd.DataFrame(waveforms(), index=["a.wav", "b.wav"])
    table = RhythmExtractor().set_output(transform="pandas").fit_transform(X)
    assert table.index.tolist() == ["a.wav", "b.wav"]


def test_a_union_joins_tables_and_names():
    union = FeatureUnion([("rhythm", RhythmExtractor()), ("pitch", PitchHistogramExtractor())])
    table = union.set_output(transform="pandas").fit_transform(waveforms())
    assert table.shape == (2, 27)
    assert table.columns[[0, 16]].tolist() == ["rhythm__tempo", "pitch__unfolded_peak1"]


def test_segments_give_features_of_one_frame():
    X = waveforms()
    segments = X.reshape(2, 3, 2000)
    Xt = RhythmExtractor().set_output(transform="pandas").fit_transform(segments)
    assert type(Xt) is np.ndarray
    assert Xt.shape == (2, 3, 1, 16)
    alone = RhythmExtractor().transform(segments[:, 1])
    np.testing.assert_array_equal(Xt[:, 1, 0], alone)


def test_lengths_may_differ():
    tracks = [waveforms()[0], waveforms()[1, :2500]]
    Xt = RhythmExtractor().transform(tracks)
    np.testing.assert_array_equal(Xt[1:], RhythmExtractor().transform([tracks[1]]))


def test_bad_input():
    with pytest.raises(ValueError, match=r"44100 Hz, but RhythmExtractor is set to .*22050"):
        RhythmExtractor().fit(Waveforms(waveforms(), 44100))
    with pytest.raises(ValueError, match=r"segments of .* track 0 has the shape \(2, 3, 4\)"):
        RhythmExtractor().fit(np.zeros((1, 2, 3, 4)))
    with pytest.raises(ValueError, match="track 1 contains NaN or infinity"):
        RhythmExtractor().fit([waveforms()[0], np.array([0.0, np.nan])])
    loud = waveforms()
    loud[1] *= 1e18
    with pytest.raises(ValueError, match=r"track 1 has samples as large as .*between -1 and 1"):
        RhythmExtractor().transform(loud)


class Level(TrackTransformer):
    """A user's extractor with nothing but the primitive."""

    def transform_track(self, track, name):
        if np.max(np.abs(track)) == 0:
            raise ValueError(f"{name} is silent")
        return np.sqrt(np.mean(np.square(track), axis=-1, keepdims=True))


class Peak(TrackTableTransformer):
    """A user's table of one column."""

    def __init__(self, *, sampling_rate=22050):
        self.sampling_rate = sampling_rate

    def describe(self, samples):
        return [np.abs(samples).max()]

    def get_feature_names_out(self, input_features=None):
        return np.array(["peak"], dtype=object)


@pytest.mark.parametrize("extractor", [Level(), Peak()])
def test_a_subclass_of_the_user_works_alone_and_inside_per_track(extractor, tmp_path):
    X = waveforms(n_tracks=3)
    Xt = extractor.fit(X).transform(X)
    assert Xt.shape == (3, 1)
    np.testing.assert_array_equal(extractor.fit_transform(list(X)), Xt)
    steps = make_pipeline(AudioLoader(duration=6000 / RATE), extractor)
    for n_hits in (0, 3):
        per_track = clone(PerTrack(steps, n_jobs=2, memory=tmp_path))
        np.testing.assert_array_equal(per_track.fit_transform(X), Xt)
        assert per_track.n_hits_ == n_hits
    segments = make_pipeline(Segmenter(n_segments=2, track_duration=0.2), extractor)
    assert PerTrack(segments).transform(X).shape[:2] == (3, 2)
    with pytest.raises(ValueError, match="single waveform of 6000 numbers"):
        extractor.fit(X[0])


def test_errors_of_a_subclass_name_the_track():
    X = waveforms(n_tracks=3)
    X[2] = 0
    for transformer in (Level(), PerTrack(Level())):
        with pytest.raises(ValueError, match="track 2 is silent"):
            transformer.transform(X)


def test_a_table_of_the_user_has_names_and_a_rate():
    frame = Peak().set_output(transform="pandas").fit_transform(waveforms())
    assert frame.columns.tolist() == ["peak"]
    with pytest.raises(ValueError, match="track 0 has a sampling rate of 16000 Hz, but Peak is"):
        Peak().transform(Waveforms(waveforms(), 16000))
    with pytest.raises(ValueError, match="Peak takes waveforms, not paths"):
        PerTrack(Peak()).transform(["a.wav"])


def test_rates_never_mix():
    tracks = [Waveforms(x, rate) for x, rate in zip(waveforms(), (16000, 22050), strict=True)]
    for transformer in (Level(), PerTrack(Level())):
        with pytest.raises(ValueError, match="track 1 has a sampling rate of 22050 Hz, the tracks"):
            transformer.transform(tracks)
