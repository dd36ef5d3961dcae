from __future__ import annotations

import numpy as np
import pytest
from _clips import FRAME, RATE, clicks, describe, mel_decibels, music, noise

RATES = 0.5 * 2 ** (np.arange(11) / 2)


def table(samples, statistic):
    """Return the columns of a statistic: (n_bands, n_rates)."""
    row = describe(samples, "scatter")
    names = [[f"band{band}_{rate:.2f}hz_{statistic}" for rate in RATES] for band in range(16)]
    return np.array([row[of_band].to_numpy() for of_band in names])


def test_scattering_by_hand():
    samples = music(4.0)
    power = 10 ** (mel_decibels(samples) / 10)
    power = np.maximum(power, power.max() / 1e8)
    means, deviations = table(samples, "mean"), table(samples, "std")
    for band in (0, 7, 15):
        amplitude = np.sqrt(power[8 * band : 8 * band + 8].mean(axis=0))
        n = len(amplitude)
        for k in (2, 5, 9):
            # A Gaussian in frequency is one in time, around a swing of that rate.
            spread = 1 / (2 * np.pi * RATES[k] / 4)  # seconds
            t = np.arange(-n, n + 1) * FRAME
            wavelet = np.exp(-np.square(t / spread) / 2 + 2j * np.pi * RATES[k] * t)
            wavelet *= 2 * FRAME / (spread * np.sqrt(2 * np.pi))
            swings = np.abs(np.convolve(amplitude - amplitude.mean(), wavelet)[n : 2 * n])
            swings /= amplitude.mean()
            assert 10 ** means[band, k] == pytest.approx(swings.mean(), rel=0.01, abs=2e-3)
            assert 10 ** deviations[band, k] == pytest.approx(swings.std(), rel=0.01, abs=2e-3)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_scattering_peaks_at_the_rate_of_the_swing(k):
    t = np.arange(RATE * 12) / RATE
    swing = 1 + 0.5 * np.sin(2 * np.pi * RATES[k] * t)
    samples = (0.05 * swing * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    loud = mel_decibels(samples).reshape(16, 8, -1).max(axis=1).mean(axis=1).argmax()
    swings = 10 ** table(samples, "mean")[loud]
    assert swings.argmax() == k
    assert swings[k] == pytest.approx(0.5, rel=0.15)  # of the mean
    np.testing.assert_allclose(10 ** table(samples / 8, "mean")[loud], swings, atol=0.002)


def test_what_swings_now_and_then_deviates_more_than_what_swings_all_the_time():
    steady = clicks(0.5, seconds=16.0)
    now_and_then = steady * (np.arange(steady.size) % (8 * RATE) < 4 * RATE)
    at_two = np.argmin(np.abs(RATES - 2))

    def unsteadiness(samples):
        samples = samples + noise(16.0, level=1e-3)
        return (table(samples, "std") - table(samples, "mean"))[:, at_two].mean()

    assert unsteadiness(now_and_then) > unsteadiness(steady) + 0.3


def test_the_end_does_not_swing_on_into_the_beginning():
    """A step of level at the end of a track is one there, and not one at its beginning too."""
    quiet, loud = noise(9.0, level=0.01), noise(0.5, level=0.2, seed=1)
    at_the_end = table(np.concatenate([quiet, loud]), "mean")
    at_the_beginning = table(np.concatenate([loud, quiet]), "mean")
    np.testing.assert_allclose(at_the_end, at_the_beginning, atol=0.15)
