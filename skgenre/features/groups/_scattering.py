"""A group of features that sees how the amplitude of bands swings: second-order scattering."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skgenre.features._spectral import Float
from skgenre.features.groups._clip import N_MELS, Array, Clip, Group

_BANDS = 16
_RATES = 0.5 * 2.0 ** (np.arange(11) / 2)  # Hz: two an octave, up to 16
_WIDTH = 0.25  # standard deviation of a wavelet's frequencies, in parts of its rate
_REACH = 3 / (2 * np.pi * _WIDTH * _RATES[0])  # seconds that the slowest one sees to each side
_LEAST = 1e-4  # of a band's mean; swings far below it count as none


def _scatter(clip: Clip) -> list[Array]:
    """How strongly the amplitude of each band swings at some rates, and how steadily.

    A wavelet for each rate follows the swings; their envelope, relative to the mean of the
    band, gives the scattering coefficients of the second order, and their deviations.
    """
    from scipy import fft

    # All is relative to the mean of a band: below the loudest the powers cannot grow too large.
    power = np.power(np.float32(10), (clip.decibels - clip.decibels.max()) / np.float32(10))
    amplitude = np.sqrt(power.reshape(_BANDS, N_MELS // _BANDS, -1).mean(axis=1))
    mean = amplitude.mean(axis=1, keepdims=True)  # (n_bands, 1)
    n_frames = amplitude.shape[1]
    # Room enough that the end of the track does not swing on into its beginning.
    size = fft.next_fast_len(n_frames + int(_REACH * clip.settings.frame_rate))
    wavelets = _wavelets(size, clip.settings.frame_rate)[:, np.newaxis]  # (n_rates, 1, n_bins)
    # Without the frequencies below 0 the modulus is the envelope.
    spectrum = np.zeros((len(_RATES), _BANDS, size), dtype=np.complex64)
    spectrum[:, :, : wavelets.shape[2]] = wavelets * fft.rfft(amplitude - mean, size)
    swings = fft.ifft(spectrum, overwrite_x=True)[:, :, :n_frames]
    squares = np.square(swings.real) + np.square(swings.imag)
    height = np.sqrt(squares).mean(axis=2)  # (n_rates, n_bands)
    deviation = np.sqrt(np.maximum(squares.mean(axis=2) - np.square(height), 0))
    return [np.log10((values / mean.T + np.float32(_LEAST)).T) for values in (height, deviation)]


@lru_cache(maxsize=16)
def _wavelets(size: int, frame_rate: float) -> Float:
    """Return the wavelets by frequency from 0 on: (n_rates, n_bins); 2 at their rate."""
    frequencies = np.fft.rfftfreq(size, 1 / frame_rate)
    rates = _RATES[:, np.newaxis]
    wavelets = 2 * np.exp(-np.square((frequencies - rates) / (_WIDTH * rates)) / 2)
    return wavelets.astype(np.float32)


_NAMES = [
    f"band{band}_{rate:.2f}hz_{statistic}"
    for statistic in ("mean", "std")
    for band in range(_BANDS)
    for rate in _RATES
]
# Room for most of the frequencies of the fastest wavelet.
_MIN_FRAME_RATE = float(2 * (1 + _WIDTH) * _RATES[-1])
GROUPS = {"scatter": Group(tuple(_NAMES), _scatter, least_frame_rate=_MIN_FRAME_RATE)}
