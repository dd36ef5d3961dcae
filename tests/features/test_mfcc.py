from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest

from skgenre import MelSpectrogramExtractor, MFCCExtractor
from skgenre.utils._waveforms import Waveforms

RATE = 22050


def sounds():
    """Return segments of many kinds: (1 track, n_segments, n_samples)."""
    rng = np.random.default_rng(0)
    n = 12000
    t = np.arange(n) / RATE
    noise = rng.normal(scale=0.3, size=n)
    beside = np.where(t < t[n // 2], 1e-4, 1.0) * noise
    clicks = np.zeros(n)
    clicks[::3000] = 1
    kinds = [
        noise,
        np.sin(2 * np.pi * 440 * t),
        beside,
        1e-5 * noise,
        np.clip(5 * noise, -1, 1),
        clicks,
        np.zeros(n),
    ]
    return np.array(kinds, dtype=np.float32)[np.newaxis]


def by_librosa(X, **params):
    """Call librosa on each segment by itself."""
    return np.array(
        [[librosa.feature.mfcc(y=s, sr=RATE, **params).T for s in track] for track in X]
    )


@pytest.mark.parametrize(
    "params",
    [
        {"n_mfcc": 13},
        {"n_mfcc": 20, "n_fft": 512, "hop_length": 160, "n_mels": 40},
        {"n_mfcc": 13, "n_fft": 4096, "hop_length": 1000, "center": False},
        {"n_mfcc": 13, "fmin": 50.0, "fmax": 8000.0, "htk": True, "lifter": 22},
        {"n_mfcc": 13, "n_fft": 1024, "win_length": 800, "window": "hamming"},
    ],
)
# librosa warns of mel bands without a bin where a filterbank is narrow.
def test_equals_librosa_on_each_segment(params):
    X = sounds()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours, theirs = MFCCExtractor(**params).transform(X), by_librosa(X, **params)
    assert ours.shape == theirs.shape
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 * np.abs(theirs).max())


def test_a_loud_neighbour_changes_nothing():
    """librosa on the stack clips at 80 dB below the loudest of all segments."""
    X = sounds()
    quiet = MFCCExtractor().transform(X[:, 3:4])
    beside_loud = MFCCExtractor().transform(X)[:, 3:4]
    np.testing.assert_allclose(quiet, beside_loud, rtol=0, atol=1e-3)
    stacked = librosa.feature.mfcc(y=X[0], sr=RATE, n_mfcc=13).transpose(0, 2, 1)
    assert np.abs(stacked[3] - quiet[0, 0]).max() > 10  # the trap is real


@pytest.mark.parametrize("deltas", [1, 2])
def test_deltas_are_appended(deltas):
    X = sounds()[:, :2]
    Xt = MFCCExtractor(deltas=deltas, delta_width=5).transform(X)
    assert Xt.shape[-1] == 13 * (1 + deltas)
    static = librosa.feature.mfcc(y=X[0, 0], sr=RATE, n_mfcc=13)
    for order in range(deltas + 1):
        part = Xt[0, 0, :, 13 * order : 13 * (order + 1)].T
        expected = librosa.feature.delta(static, width=5, order=order) if order else static
        np.testing.assert_allclose(part, expected, atol=1e-3)


def test_feature_names():
    names = MFCCExtractor(n_mfcc=2, deltas=2).get_feature_names_out()
    expected = ["mfcc0", "mfcc1", "mfcc0_delta", "mfcc1_delta", "mfcc0_delta2", "mfcc1_delta2"]
    assert names.tolist() == expected
    X = sounds()
    assert MFCCExtractor(deltas=1).transform(X).shape[-1] == len(
        MFCCExtractor(deltas=1).get_feature_names_out()
    )


def test_paper_shape():
    """jain2021: 13 coefficients of segments of 3 s, hop 512: 130 frames."""
    X = np.random.default_rng(0).normal(size=(1, 2, 66150))
    assert MFCCExtractor().transform(X).shape == (1, 2, 130, 13)


def test_two_dimensions_are_one_segment_a_track():
    X = sounds()[0]
    np.testing.assert_array_equal(
        MFCCExtractor().transform(X), MFCCExtractor().transform(X[:, np.newaxis])
    )


def test_batch_equals_one_by_one():
    X = sounds().transpose(1, 0, 2)
    one_by_one = np.concatenate([MFCCExtractor().transform(X[[i]]) for i in range(len(X))])
    np.testing.assert_array_equal(MFCCExtractor().transform(X), one_by_one)


def test_tone_shows_as_louder_than_silence():
    Xt = MFCCExtractor().transform(sounds())
    assert np.isfinite(Xt).all()
    assert Xt[0, 1, :, 0].mean() > Xt[0, 6, :, 0].mean() + 100


def test_rate_is_checked():
    with pytest.raises(ValueError, match=r"44100 Hz, but MFCCExtractor is set to .*22050"):
        MFCCExtractor().fit_transform(Waveforms(sounds(), 44100))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_mfcc": 50, "n_mels": 40}, "n_mfcc=50 is more than n_mels=40"),
        ({"win_length": 4096}, "win_length=4096 is longer than n_fft=2048"),
        ({"fmax": 12000.0}, "at or below half the sampling rate, 11025"),
        ({"fmin": 500.0, "fmax": 400.0}, "they must rise"),
        ({"center": False, "n_fft": 16384}, "shorter than one frame of n_fft=16384"),
        ({"deltas": 1, "delta_width": 8}, "must be odd"),
        ({"deltas": 1, "delta_width": 99}, "at most the number of frames, here 24"),
        ({"deltas": 3}, "'deltas' parameter"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        MFCCExtractor(**params).fit(sounds())


def test_set_output_leaves_arrays():
    import sklearn

    X = sounds()
    extractor = MFCCExtractor().set_output(transform="pandas")
    assert type(extractor.fit_transform(X)) is np.ndarray
    with sklearn.config_context(transform_output="pandas"):
        assert type(MFCCExtractor().transform(X)) is np.ndarray


@pytest.mark.parametrize("extractor", [MFCCExtractor(), MelSpectrogramExtractor()])
def test_too_loud_for_float32(extractor):
    X = sounds()
    X[0, 2] *= 1e20
    with pytest.raises(ValueError, match=r"track 0 has samples as large as .* scale the waveform"):
        extractor.transform(X)


def test_frames_of_an_odd_transform():
    X = sounds()[:, :1, :11600]
    extractor = MFCCExtractor(n_fft=1001, hop_length=1450)
    assert extractor.transform(X).shape[2] == 8  # as librosa: an odd frame pads one sample less
    with pytest.raises(ValueError, match="at most the number of frames, here 8"):
        extractor.set_params(deltas=1, delta_width=9).transform(X)
