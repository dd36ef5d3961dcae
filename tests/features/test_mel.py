from __future__ import annotations

import librosa
import numpy as np
import pytest

from skgenre import MelSpectrogramExtractor
from skgenre.utils._waveforms import Waveforms

RATE = 22050


def segments(n_tracks=2):
    rng = np.random.default_rng(0)
    loudness = np.array([1.0, 1e-4, 0.1])[:, np.newaxis]
    return (rng.normal(scale=0.3, size=(n_tracks, 3, 6000)) * loudness).astype(np.float32)


@pytest.mark.parametrize(
    "params",
    [{}, {"n_mels": 40, "n_fft": 512, "hop_length": 200, "htk": True}, {"center": False}],
)
def test_equals_librosa_on_each_segment(params):
    X = segments()
    Xt = MelSpectrogramExtractor(**params).transform(X)
    called = {"n_mels": 96, **params}
    expected = [
        [
            librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=RATE, **called)).T
            for x in track
        ]
        for track in X
    ]
    assert Xt.dtype == np.float32
    np.testing.assert_allclose(Xt, expected, rtol=0, atol=1e-3)


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


def test_paper_shape():
    """kumar2021: 96 bands at hop 512."""
    X = np.random.default_rng(0).normal(size=(1, 1, 66150))
    assert MelSpectrogramExtractor().fit_transform(X).shape == (1, 1, 130, 96)


def test_names():
    names = MelSpectrogramExtractor(n_mels=3).get_feature_names_out()
    assert names.tolist() == ["mel0", "mel1", "mel2"]


def test_batch_equals_one_by_one():
    X = segments(3)
    one_by_one = [MelSpectrogramExtractor().transform(X[[i]])[0] for i in range(3)]
    np.testing.assert_array_equal(MelSpectrogramExtractor().transform(X), one_by_one)


def test_a_tone_lands_in_its_band():
    t = np.arange(22050) / RATE
    Xt = MelSpectrogramExtractor().transform(
        np.sin(2 * np.pi * np.array([[200.0], [4000.0]]) * t).astype(np.float32)
    )
    centres = librosa.mel_frequencies(98, fmin=0, fmax=RATE / 2)[1:-1]
    for row, frequency in enumerate([200.0, 4000.0]):
        loudest = centres[Xt[row, 0].mean(axis=0).argmax()]
        assert abs(loudest - frequency) < 0.06 * frequency


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"win_length": 4096}, "win_length=4096 is longer than n_fft=2048"),
        ({"fmax": 12000.0}, "at or below half the sampling rate, 11025"),
        ({"center": False, "n_fft": 8192}, "shorter than one frame of n_fft=8192"),
        ({"scale": "mel"}, "'scale' parameter"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        MelSpectrogramExtractor(**params).fit(segments())


def test_rate_is_checked():
    with pytest.raises(ValueError, match="44100 Hz, but MelSpectrogramExtractor is set to"):
        MelSpectrogramExtractor().fit_transform(Waveforms(segments(), 44100))
