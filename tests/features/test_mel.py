from __future__ import annotations

import librosa
import numpy as np

from skgenre import MelSpectrogramExtractor

RATE = 22050


def segments(n_tracks=2):
    rng = np.random.default_rng(0)
    loudness = np.array([1.0, 1e-4, 0.1])[:, np.newaxis]
    return (rng.normal(scale=0.3, size=(n_tracks, 3, 6000)) * loudness).astype(np.float32)


def test_power_and_top():
    X = segments()
    power = MelSpectrogramExtractor(scale="power").transform(X)
    expected = librosa.feature.melspectrogram(y=X[1, 2], sr=RATE, n_mels=96).T
    np.testing.assert_allclose(power[1, 2], expected, rtol=1e-4)
    decibels = MelSpectrogramExtractor(top_db=None).transform(X)
    np.testing.assert_allclose(decibels, 10 * np.log10(np.maximum(power, 1e-10)), atol=1e-3)
    cut = MelSpectrogramExtractor(top_db=3.0).transform(X)
    assert np.ptp(cut[0, 0]) <= 3.001
    assert np.ptp(decibels[0, 0]) > 10


def test_a_tone_lands_in_its_band():
    t = np.arange(22050) / RATE
    Xt = MelSpectrogramExtractor().transform(
        np.sin(2 * np.pi * np.array([[200.0], [4000.0]]) * t).astype(np.float32)
    )
    centres = librosa.mel_frequencies(98, fmin=0, fmax=RATE / 2)[1:-1]
    for row, frequency in enumerate([200.0, 4000.0]):
        loudest = centres[Xt[row, 0].mean(axis=0).argmax()]
        assert abs(loudest - frequency) < 0.06 * frequency
