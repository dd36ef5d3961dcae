from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest

from skgenre import MFCCExtractor

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


def test_tone_shows_as_louder_than_silence():
    Xt = MFCCExtractor().transform(sounds())
    assert np.isfinite(Xt).all()
    assert Xt[0, 1, :, 0].mean() > Xt[0, 6, :, 0].mean() + 100
