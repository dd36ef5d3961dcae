"""One clip as the groups of features see it: its spectrum, computed once for all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgenre.features._spectral import (
    FRAMES_TOGETHER,
    Float,
    MelKernel,
    MelSettings,
    to_decibels,
)
from skgenre.features._summary_measures import SummarySettings, _chroma_filterbank, _tuning

Array = NDArray[Any]

N_MELS = 128
COARSE = 32  # bands that several groups look at
N_MFCC = 20
_RANGE = 80.0  # decibels below the loudest band and frame


@dataclass(frozen=True)
class ClipSettings:
    """What the groups depend on, beside the sound.

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


class SpectrumKernel(MelKernel):
    """The kernel of mel spectrograms, which here also hands out the power of the bins."""

    def power_and_bins(self, samples: Float) -> tuple[Float, Float]:
        """Compute both from one Fourier transform.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,)
            The samples.

        Returns
        -------
        power : ndarray of shape (n_mels, n_frames)
            Power in the mel bands, as the method ``power`` gives it.
        bins : ndarray of shape (n_bins, n_frames)
            Power in the bins of the transform.
        """
        n_fft, hop_length = self.settings.n_fft, self.settings.hop_length
        n_frames = 1 + (samples.size + 2 * (n_fft // 2) - n_fft) // hop_length
        power = np.empty((self.settings.n_mels, n_frames), dtype=np.float32)
        bins = np.empty((1 + n_fft // 2, n_frames), dtype=np.float32)
        for start in range(0, n_frames, FRAMES_TOGETHER):
            part = slice(start, min(start + FRAMES_TOGETHER, n_frames))
            windowed = self._buffer("windowed", part.stop - start, n_fft)
            self._window_frames(samples, start * hop_length - n_fft // 2, windowed)
            self._sum(windowed, power[:, part])
            bins[:, part] = self._power_of_bins(windowed)
        return power, bins

    def _power_of_bins(self, windowed: Float) -> Float:
        """Return the power of the frames that were summed last: (n_bins, n)."""
        from scipy import fft

        if self._stage is not None:  # left behind by the compiled stage
            return self._buffer("power", 1 + windowed.shape[1] // 2, len(windowed))
        spectrum = fft.rfft(windowed, axis=1)
        return (np.square(spectrum.real) + np.square(spectrum.imag)).T


@lru_cache(maxsize=16)
def _kernel(settings: ClipSettings) -> SpectrumKernel:
    """Return the kernel for some settings, built once."""
    with warnings.catch_warnings():
        # Where frames are short, bands may have no bin; they stay at the lowest level.
        warnings.filterwarnings("ignore", "Empty filters", UserWarning)
        return SpectrumKernel(
            MelSettings(
                sampling_rate=settings.sampling_rate,
                n_fft=settings.n_fft,
                hop_length=settings.hop_length,
                win_length=settings.n_fft,
                window="hann",
                center=True,
                n_mels=N_MELS,
                fmin=0.0,
                fmax=settings.sampling_rate / 2,
                htk=False,
            )
        )


class Clip:
    """One waveform, with what several groups share.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        The waveform.
    settings : ClipSettings
        The settings.
    with_bins : bool
        Whether a group asks for the bins of the spectrum, and not for mel bands alone.
    """

    def __init__(self, samples: Float, settings: ClipSettings, *, with_bins: bool):
        self.samples = samples
        self.settings = settings
        kernel = _kernel(settings)
        if with_bins:
            power, self.bins = kernel.power_and_bins(samples)  # (n_bins, n_frames)
        else:
            power = kernel.power(samples)
        decibels = to_decibels(power)  # (n_mels, n_frames)
        # What lies so far below the loudest nobody hears: the noise of a tape, or none.
        self.decibels = np.maximum(decibels, decibels.max() - np.float32(_RANGE))

    def bands(self, n_bands: int) -> Float:
        """Return the mean decibels of neighbouring mel bands: (n_bands, n_frames)."""
        return self.decibels.reshape(n_bands, N_MELS // n_bands, -1).mean(axis=1)

    @cached_property
    def coarse(self) -> Float:
        """Decibels in few bands: (COARSE, n_frames)."""
        return self.bands(COARSE)

    @cached_property
    def mfcc(self) -> Float:
        """Coefficients of the cosine transform over the bands: (N_MFCC, n_frames)."""
        from scipy import fft

        return fft.dct(self.decibels, axis=0, type=2, norm="ortho")[:N_MFCC]

    @cached_property
    def chroma(self) -> Float:
        """Power of the twelve pitch classes, after the tuning of the clip: (12, n_frames)."""
        settings = SummarySettings(
            self.settings.sampling_rate, self.settings.n_fft, self.settings.hop_length, "constant"
        )
        tuning = _tuning(np.ascontiguousarray(self.bins[:, ::4].T), settings)
        return _chroma_filterbank(settings.sampling_rate, settings.n_fft, tuning) @ self.bins


class Group(NamedTuple):
    """One group of features.

    Parameters
    ----------
    names : tuple of str
        What its columns are called within the group.
    measure : callable
        Turns a clip into arrays whose values, one after the other, are the columns.
    with_bins : bool
        Whether it needs the bins of the spectrum.
    least_frame_rate : float
        Frames a second that it needs.
    """

    names: tuple[str, ...]
    measure: Callable[[Clip], Iterable[Array]]
    with_bins: bool = False
    least_frame_rate: float = 0.0


def columns(statistics: Iterable[str], n: int, kind: str = "") -> list[str]:
    """Name the columns of statistics, each of which has n values."""
    return [f"{kind}{i}_{statistic}" for statistic in statistics for i in range(n)]


def quantile(ordered: Array, q: float) -> Array:
    """Return a quantile of each sorted row, between two values as they lie."""
    place = q * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + np.float32(place - low) * (ordered[:, high] - ordered[:, low])


def std(values: Array) -> Array:
    """Return the standard deviation of each row, 0 for an empty one."""
    return values.std(axis=1) if values.shape[1] else np.zeros(len(values))
