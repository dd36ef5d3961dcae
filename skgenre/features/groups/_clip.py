"""One clip as the groups of features see it: its spectrum, computed once for all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.features._pitch_classes import chroma_filterbank, estimate_tuning
from skgenre.features._spectral_kernel import (
    Float,
    SpectralKernel,
    count_frames,
    inner_frames,
    to_decibels,
)

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


Measure = Callable[[Float, ClipSettings], Array]  # of bins: (n_measures, n_frames)


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
        self._with_bins = with_bins
        self._measures: dict[Measure, Array] = {}
        self._levels, self._pieces = self._spectrum()

    def _spectrum(self) -> tuple[Float, list[Float]]:
        """Return the decibels of mel bands, and the bins of stretches of frames."""
        power, bins = _kernel(self.settings).spectrum(self.samples, with_bins=self._with_bins)
        return to_decibels(power), [] if bins is None else [bins]

    def excerpt(self, start: int, stop: int) -> Clip:
        """Return an excerpt, which shares the spectrum if its frames are those of this clip.

        Parameters
        ----------
        start, stop : int
            First sample, and the one after the last.

        Returns
        -------
        excerpt : Clip
            Its measures equal those of a clip of the same samples, but for rounding.
        """
        n_fft, hop_length = self.settings.n_fft, self.settings.hop_length
        inside = inner_frames(stop - start, n_fft, hop_length)
        if start % hop_length or inside == (0, 0):
            return Clip(self.samples[start:stop], self.settings, with_bins=self._with_bins)
        return _Excerpt(self, start, stop, inside)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self._levels.shape[1]

    def by_frame(self, measure: Measure) -> Array:
        """Return what a function measures of each frame alone; measured once.

        Parameters
        ----------
        measure : callable
            Turns the power of bins (n_bins, n) and the settings into measures (n_measures, n).

        Returns
        -------
        measures : ndarray of shape (n_measures, n_frames)
            The measures.
        """
        assert self._pieces, "the group is declared without with_bins=True"
        if measure not in self._measures:
            self._measures[measure] = measure(self._pieces[0], self.settings)
        return self._measures[measure]

    @cached_property
    def decibels(self) -> Float:
        """Decibels of the mel bands: (N_MELS, n_frames)."""
        # Clip at 80 dB below the maximum; anything quieter is inaudible.
        return np.maximum(self._levels, self._levels.max() - np.float32(_TOP_DB))

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
        assert self._pieces, "the group is declared without with_bins=True"
        rate, n_fft = self.settings.sampling_rate, self.settings.n_fft
        # Every fourth frame is enough to estimate the tuning.
        some, position = [], 0
        for bins in self._pieces:
            some.append(bins[:, -position % 4 :: 4].T)
            position += bins.shape[1]
        filterbank = chroma_filterbank(
            rate, n_fft, estimate_tuning(np.concatenate(some), rate, n_fft)
        )
        return np.concatenate([filterbank @ bins for bins in self._pieces], axis=1)


class _Excerpt(Clip):
    """An excerpt that starts with a frame of a clip: only the frames at its ends are its own.

    These reach beyond the excerpt, where it is silent and the clip is not.

    Parameters
    ----------
    clip : Clip
        What it is an excerpt of.
    start, stop : int
        First sample, a multiple of the hop length, and the one after the last.
    inside : (int, int)
        First frame that lies within the excerpt, and the one after the last.
    """

    def __init__(self, clip: Clip, start: int, stop: int, inside: tuple[int, int]):
        self._clip = clip
        self._inside = inside
        first = start // clip.settings.hop_length
        self._shared = slice(first + inside[0], first + inside[1])
        super().__init__(clip.samples[start:stop], clip.settings, with_bins=clip._with_bins)

    def _spectrum(self) -> tuple[Float, list[Float]]:
        settings, (low, high) = self.settings, self._inside
        n_frames = count_frames(self.samples.size, settings.n_fft, settings.hop_length, center=True)
        ends = [
            _kernel(settings).spectrum(self.samples, with_bins=self._with_bins, frames=frames)
            for frames in ((0, low), (high, n_frames))
        ]
        (left, left_bins), (right, right_bins) = ends
        shared = self._clip._levels[:, self._shared]
        levels = np.concatenate([to_decibels(left), shared, to_decibels(right)], axis=1)
        if left_bins is None or right_bins is None:
            return levels, []
        return levels, [left_bins, self._clip._pieces[0][:, self._shared], right_bins]

    def by_frame(self, measure: Measure) -> Array:
        if measure not in self._measures:
            left, _, right = self._pieces
            shared = self._clip.by_frame(measure)[:, self._shared]
            ends = [measure(bins, self.settings) for bins in (left, right)]
            self._measures[measure] = np.concatenate([ends[0], shared, ends[1]], axis=1)
        return self._measures[measure]


def quantile(ordered: Array, q: float) -> Array:
    """Return a quantile of each sorted row, interpolated linearly."""
    place = q * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + np.float32(place - low) * (ordered[:, high] - ordered[:, low])


def std(values: Array) -> Array:
    """Return the standard deviation of each row, 0 for an empty one."""
    return values.std(axis=1) if values.shape[1] else np.zeros(len(values))
