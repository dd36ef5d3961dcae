from __future__ import annotations

import librosa
import numpy as np
import pytest

from skgenre import STFTExtractor

RATE = 22050


def segments(n_samples=6000, n_segments=3):
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.3, size=(2, n_segments, n_samples)).astype(np.float32)
    noise[:, 0] *= 1e-3
    return noise


def by_librosa(X, **params):
    """Return the magnitude, by librosa, of each segment by itself: frames first."""
    return np.array([[np.abs(librosa.stft(s, **params)).T for s in track] for track in X])


@pytest.mark.parametrize(
    "params",
    [
        {"n_fft": 1024, "hop_length": 256},
        {"n_fft": 512, "hop_length": 200, "win_length": 400, "window": "hamming"},
        {"n_fft": 2048, "hop_length": 1000, "center": False},
    ],
)
def test_all_bins_equal_librosa(params):
    X = segments()
    expected = by_librosa(X, **params)
    ours = STFTExtractor(bands=None, scale="magnitude", **params).transform(X)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5 * expected.max())
    power = STFTExtractor(bands=None, scale="power", **params).transform(X)
    np.testing.assert_allclose(power, expected**2, rtol=0, atol=1e-5 * expected.max() ** 2)


def test_decibels_are_cut_below_the_loudest_of_each_segment():
    X = segments()
    magnitude = by_librosa(X, n_fft=1024, hop_length=256)
    expected = 20 * np.log10(np.maximum(magnitude, 1e-5))
    kept = STFTExtractor(bands=None, top_db=None).transform(X)
    np.testing.assert_allclose(kept, expected, atol=0.05)
    cut = STFTExtractor(bands=None, top_db=20.0).transform(X)
    loudest = kept.max(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(cut, np.maximum(kept, loudest - 20), atol=1e-4)


def test_silence_is_a_hundred_decibels_down():
    np.testing.assert_allclose(STFTExtractor().transform(np.zeros((1, 4000))), -100.0)


def test_paper_shape_of_the_lstm():
    """bai: 2048 points, 72 values; 30 pieces of 20 x 72, 600 frames a track."""
    X = np.random.default_rng(0).normal(size=(1, 30, RATE)).astype(np.float32)
    stft = STFTExtractor(n_fft=2048, hop_length=1024, center=False, bands="octave")
    assert stft.transform(X).shape == (1, 30, 20, 72)
    whole = STFTExtractor(n_fft=2048, hop_length=1024, bands=None, n_frames=600)
    assert whole.transform(X.reshape(1, -1)).shape == (1, 1, 600, 1025)
    with pytest.raises(ValueError, match="have 646 frames, fewer than n_frames=700"):
        whole.set_params(n_frames=700).transform(X.reshape(1, -1))


def test_octave_bands_by_the_words_of_the_paper():
    X = segments()
    params = {"n_fft": 2048, "hop_length": 1024, "scale": "magnitude"}
    bins = STFTExtractor(bands=None, **params).transform(X)
    numbered = {number: bins[..., number - 1] for number in range(1, 1026)}  # from 1, as there
    expected = [numbered[number] for number in range(1, 17)]
    for i in range(3, 10):
        octave = np.arange(2**i + 1, 2 ** (i + 1) + 1)
        groups = [[numbered[number] for number in group] for group in np.split(octave, 8)]
        expected += [np.mean(group, axis=0) for group in groups]
    octaves = STFTExtractor(bands="octave", **params).transform(X)
    np.testing.assert_allclose(octaves, np.stack(expected, axis=-1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(octaves[..., 16:24], octaves[..., 8:16], rtol=1e-6)  # twice


def test_linear_bands_average_around_equally_spaced_centres():
    t = np.arange(8000) / RATE
    params = {"n_fft": 1024, "n_bands": 33, "scale": "magnitude"}
    for band in (4, 20):
        frequency = band * RATE / 2 / 32
        X = np.sin(2 * np.pi * frequency * t)[np.newaxis]
        spectrum = STFTExtractor(**params).transform(X)[0, 0, 10]
        assert spectrum.argmax() == band
    # A band of the average of ones is one: the weights of each sum to 1.
    impulse = np.zeros((1, 1024))
    impulse[0, 512] = 1.0
    flat = STFTExtractor(center=False, **params).transform(impulse)
    np.testing.assert_allclose(flat, flat[..., :1].repeat(33, axis=-1), rtol=1e-4)


def test_decibels_are_taken_of_averaged_power():
    X = segments()
    power = STFTExtractor(scale="power").transform(X)
    decibels = STFTExtractor(top_db=None).transform(X)
    np.testing.assert_allclose(decibels, 10 * np.log10(np.maximum(power, 1e-10)), atol=1e-3)
