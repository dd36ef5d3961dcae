from __future__ import annotations

import pickle

import numpy as np
import pytest

from skgenre import Segmenter
from skgenre.utils._waveforms import Waveforms

RATE = 100


def ramps(n_tracks=2, seconds=10):
    """Return tracks whose samples count up, so that every cut shows where it was made."""
    n = int(seconds * RATE)
    return np.arange(n_tracks * n, dtype=np.float32).reshape(n_tracks, n)


def segmenter(**params):
    return Segmenter(**{"sampling_rate": RATE, "track_duration": 10.0, **params})


@pytest.mark.parametrize("n_segments", [1, 3, 10, 30])
def test_consecutive_segments_are_the_track_in_order(n_segments):
    X = ramps()
    Xt = segmenter(n_segments=n_segments).fit_transform(X)
    length = 1000 // n_segments
    assert Xt.shape == (2, n_segments, length)
    assert Xt.dtype == np.float32
    np.testing.assert_array_equal(Xt.reshape(2, -1), X[:, : n_segments * length])


def test_paper_lengths():
    """hu2022: 10, 20 and 30 segments of 30 s are 3, 1.5 and 1 s."""
    X = np.zeros((1, 661500), dtype=np.float32)
    lengths = [Segmenter(n_segments=n).transform(X).shape[2] for n in (10, 20, 30)]
    assert lengths == [66150, 33075, 22050]


def test_own_segment_duration():
    Xt = segmenter(n_segments=3, segment_duration=0.5).transform(ramps())
    assert Xt.shape == (2, 3, 50)
    np.testing.assert_array_equal(Xt[0, 1], np.arange(50, 100))


def test_spread_reaches_both_ends_of_a_long_track():
    Xt = segmenter(n_segments=3, segment_duration=1.0, placement="spread").transform(ramps())
    np.testing.assert_array_equal(Xt[0, :, 0], [0, 450, 900])
    np.testing.assert_array_equal(Xt[0, :, -1], [99, 549, 999])


def test_spread_overlaps_in_a_short_track():
    X = ramps(seconds=2)
    Xt = segmenter(n_segments=3, segment_duration=1.0, placement="spread").transform(X)
    np.testing.assert_array_equal(Xt[0, :, 0], [0, 50, 100])


def test_short_error_names_the_track_and_the_remedy():
    tracks = [np.ones(1000), np.ones(120)]
    with pytest.raises(
        ValueError,
        match=r"track 1 lasts 1\.20 s, shorter than the 10\.00 s of 10 segments of 1\.00 s; lower",
    ):
        segmenter().transform(tracks)


@pytest.mark.parametrize(
    ("short", "tail"), [("zeros", np.zeros(50)), ("repeat", np.arange(50, 100) % 50)]
)
def test_short_is_filled(short, tail):
    X = np.arange(50, dtype=np.float32)[np.newaxis]
    Xt = segmenter(n_segments=2, segment_duration=0.5, short=short).transform(X)
    np.testing.assert_array_equal(Xt[0].reshape(-1)[:50], X[0])
    np.testing.assert_array_equal(Xt[0].reshape(-1)[50:], tail)


def test_more_repetition_than_sound_is_warned_of():
    cut = segmenter(n_segments=2, segment_duration=0.5, short="repeat")
    with pytest.warns(UserWarning, match=r"1 track repeated to 1 s by .*: track 1 \(0\.49 s\)"):
        cut.transform([np.arange(50.0), np.arange(49.0)])


def test_unequal_lengths_become_dense():
    tracks = [np.ones(1000), np.ones(1700), np.ones(1013)]
    assert segmenter().transform(tracks).shape == (3, 10, 100)
    ragged = np.empty(3, dtype=object)
    ragged[:] = tracks
    assert segmenter().transform(ragged).shape == (3, 10, 100)


def test_batch_equals_one_by_one():
    X = np.random.default_rng(0).normal(size=(4, 1100))
    step = segmenter(n_segments=7, placement="spread")
    one_by_one = np.concatenate([step.transform(X[[i]]) for i in range(4)])
    np.testing.assert_array_equal(step.transform(X), one_by_one)


def test_rate_is_kept_and_checked():
    X = Waveforms(ramps(), RATE)
    out = segmenter().fit_transform(X)
    assert out.sampling_rate == RATE
    with pytest.raises(ValueError, match=r"rate of 100 Hz, but Segmenter is set to .*=50"):
        segmenter(sampling_rate=50).transform(X)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_names_the_track(bad):
    X = ramps()
    X[1, 5] = bad
    with pytest.raises(ValueError, match=r"track 1 contains NaN or infinity \(1 of 1000"):
        segmenter().transform(X)


def test_empty_track_in_a_list():
    with pytest.raises(ValueError, match="track 1 has no samples"):
        segmenter().transform([np.ones(1000), np.ones(0)])


def test_channels_are_refused():
    with pytest.raises(ValueError, match="AudioLoader mixes channels down"):
        segmenter().transform([np.ones((2, 1000)), np.ones(1000)])


def test_segment_without_samples():
    with pytest.raises(ValueError, match="has no sample at sampling_rate=100"):
        segmenter(segment_duration=0.001).transform(ramps())


def test_input_is_not_changed_and_output_is_independent():
    X = ramps()
    before = X.copy()
    Xt = segmenter().transform(X)
    Xt += 1
    np.testing.assert_array_equal(X, before)


def test_waveforms_keep_their_rate():
    X = Waveforms(ramps(), RATE)
    assert X[0].sampling_rate == X.copy().sampling_rate == RATE
    assert pickle.loads(pickle.dumps(X)).sampling_rate == RATE
    assert not hasattr(np.asarray(X), "sampling_rate")


def test_rates_of_single_rows_are_checked():
    rows = [Waveforms(np.ones(1000), RATE), Waveforms(np.ones(1000), 50)]
    with pytest.raises(ValueError, match="track 1 has a sampling rate of 50 Hz"):
        segmenter().transform(rows)


def test_integer_samples_are_refused():
    with pytest.raises(ValueError, match=r"floating-point samples; got int16. AudioLoader scales"):
        segmenter().transform(np.ones((2, 1000), dtype=np.int16))


def test_numbers_from_waveforms_are_plain():
    X = Waveforms(ramps(), RATE)
    assert type(X.max()) is np.float32
    assert type(bool((X > 0).any())) is bool
    assert not isinstance(X.mean(), Waveforms)


def test_masked_samples_are_refused_by_name():
    X = np.ma.array(ramps())
    X[1, 20:30] = np.ma.masked
    with pytest.raises(ValueError, match=r"track 1 has 10 masked samples of 1000; fill the gaps"):
        segmenter().transform(X)
