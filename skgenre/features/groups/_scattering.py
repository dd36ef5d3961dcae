"""Second-order scattering: how the amplitude of the bands swings, by wavelets."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skgenre.features._spectral_kernel import Float
from skgenre.features.groups._clip import N_MELS, Array, Clip
from skgenre.features.groups._group import feature_group

_BANDS = 16
_RATES = 0.5 * 2.0 ** (np.arange(11) / 2)  # Hz: two an octave, up to 16
_WIDTH = 0.25  # standard deviation of a wavelet's frequencies, as a share of its rate
_REACH = 3 / (2 * np.pi * _WIDTH * _RATES[0])  # seconds on each side that the slowest one covers
_MIN_SWING = 1e-4  # of a band's mean; swings far below it count as none


@feature_group(
    "scatter",
    names=(
        f"band{band}_{rate:.2f}hz_{statistic}"
        for statistic in ("mean", "std")
        for band in range(_BANDS)
        for rate in _RATES
    ),
    # Room for most of the frequencies of the fastest wavelet.
    min_frame_rate=float(2 * (1 + _WIDTH) * _RATES[-1]),
)
def scatter(clip: Clip) -> list[Array]:
    """How strongly the amplitude of each band swings at each rate, and how steadily.

    The amplitude passes a wavelet for each rate. The mean of the envelope, relative to the
    mean of the band, is the scattering coefficient of the second order; its standard deviation
    says how steady the swing is.
    """
    from scipy import fft

    # Results are relative to the mean of the band, so the powers may be scaled to at most 1.
    power = np.power(np.float32(10), (clip.decibels - clip.decibels.max()) / np.float32(10))
    amplitude = np.sqrt(power.reshape(_BANDS, N_MELS // _BANDS, -1).mean(axis=1))
    mean = amplitude.mean(axis=1, keepdims=True)  # (n_bands, 1)
    n_frames = amplitude.shape[1]
    # Padded, so that the end of the track does not wrap around into its beginning.
    size = fft.next_fast_len(n_frames + int(_REACH * clip.settings.frame_rate))
    wavelets = _wavelets(size, clip.settings.frame_rate)[:, np.newaxis]  # (n_rates, 1, n_bins)
    # Without negative frequencies the modulus of the signal is its envelope.
    spectrum = np.zeros((len(_RATES), _BANDS, size), dtype=np.complex64)
    spectrum[:, :, : wavelets.shape[2]] = wavelets * fft.rfft(amplitude - mean, size)
    swings = fft.ifft(spectrum, overwrite_x=True)[:, :, :n_frames]
    squares = np.square(swings.real) + np.square(swings.imag)
    height = np.sqrt(squares).mean(axis=2)  # (n_rates, n_bands)
    deviation = np.sqrt(np.maximum(squares.mean(axis=2) - np.square(height), 0))
    return [
        np.log10((values / mean.T + np.float32(_MIN_SWING)).T) for values in (height, deviation)
    ]


@lru_cache(maxsize=16)
def _wavelets(size: int, frame_rate: float) -> Float:
    """Return the wavelets in the frequency domain, 2 at their rate: (n_rates, n_bins)."""
    frequencies = np.fft.rfftfreq(size, 1 / frame_rate)
    rates = _RATES[:, np.newaxis]
    wavelets = 2 * np.exp(-np.square((frequencies - rates) / (_WIDTH * rates)) / 2)
    return wavelets.astype(np.float32)
