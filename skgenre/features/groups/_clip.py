"""One clip as the groups of features see it: its spectrum, computed once for all of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.features._pitch_classes import chroma_filterbank, estimate_tuning
from skgenre.features._spectral_kernel import Float, SpectralKernel, to_decibels

Array = NDArray[Any]

N_MELS = 128
COARSE = 32  # bands of the groups that need no fine resolution
N_MFCC = 20
_TOP_DB = 80.0


@dataclass(frozen=True)
class ClipSettings:
    """What the groups depend on besides the sound.

    Parameters
    ----------
    sampling_rate : float
        In Hz.
    n_fft, hop_length : int
        Samples in a frame, and from one frame to the next.
    """

    sampling_rate: float
    n_fft: int
    hop_length: int

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sampling_rate / self.hop_length


@lru_cache(maxsize=16)
def _kernel(settings: ClipSettings) -> SpectralKernel:
    """Return the kernel for some settings, built once."""
    with warnings.catch_warnings():
        # In short frames some bands have no bin; they stay at the lowest level.
        warnings.filterwarnings("ignore", "Empty filters", UserWarning)
        return SpectralKernel(
            sampling_rate=settings.sampling_rate,
            n_fft=settings.n_fft,
            hop_length=settings.hop_length,
            n_mels=N_MELS,
        )


class Clip:
    """One waveform, with what several groups share; computed when first asked for.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        The waveform.
    settings : ClipSettings
        The settings.
    with_bins : bool
        Whether a group needs the bins of the spectrum, not only the mel bands.
    """

    def __init__(self, samples: Float, settings: ClipSettings, *, with_bins: bool):
        self.samples = samples
        self.settings = settings
        power, self._bins = _kernel(settings).spectrum(samples, with_bins=with_bins)
        # Clip at 80 dB below the maximum; anything quieter is inaudible.
        self.decibels = to_decibels(power, _TOP_DB)  # (n_mels, n_frames)

    @property
    def bins(self) -> Float:
        """Power in the bins of the Fourier transform: (n_bins, n_frames)."""
        assert self._bins is not None, "the group is declared without with_bins=True"
        return self._bins

    def bands(self, n_bands: int) -> Float:
        """Return the mean decibels of neighbouring mel bands: (n_bands, n_frames)."""
        return self.decibels.reshape(n_bands, N_MELS // n_bands, -1).mean(axis=1)

    @cached_property
    def coarse(self) -> Float:
        """Decibels in few bands: (COARSE, n_frames)."""
        return self.bands(COARSE)

    @cached_property
    def mfcc(self) -> Float:
        """Mel-frequency cepstral coefficients: (N_MFCC, n_frames)."""
        from scipy import fft

        return fft.dct(self.decibels, axis=0, type=2, norm="ortho")[:N_MFCC]

    @cached_property
    def chroma(self) -> Float:
        """Power of the twelve pitch classes, after the tuning of the clip: (12, n_frames)."""
        rate, n_fft = self.settings.sampling_rate, self.settings.n_fft
        # Every fourth frame is enough to estimate the tuning.
        tuning = estimate_tuning(np.ascontiguousarray(self.bins[:, ::4].T), rate, n_fft)
        return chroma_filterbank(rate, n_fft, tuning) @ self.bins


def quantile(ordered: Array, q: float) -> Array:
    """Return a quantile of each sorted row, interpolated linearly."""
    place = q * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + np.float32(place - low) * (ordered[:, high] - ordered[:, low])


def std(values: Array) -> Array:
    """Return the standard deviation of each row, 0 for an empty one."""
    return values.std(axis=1) if values.shape[1] else np.zeros(len(values))
