"""The spectral kernel: from the samples of segments to the decibels of their mel bands.

Everything that depends on the settings alone (window, filterbank) is built once and kept.
Per block of frames it takes a windowed copy, one batch of Fourier transforms, and one pass
over the spectrum that squares it and sums it to bands; blocks are small enough to stay in
the processor's cache. A band covers few of the bins, and only those are read.

Tracks run in threads beside each other, and each small call to NumPy passes Python's lock
to and fro. So there are three calls a block, none of which holds it, and the rest is done
for all segments of a track at once.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

# Frames that are transformed together: about a megabyte at 2048 samples a frame.
FRAMES_TOGETHER = 160

AMIN = 1e-10  # power that stands for silence: -100 dB, as in librosa


@dataclass(frozen=True)
class MelSettings:
    """What a mel spectrogram depends on, beside the sound.

    Parameters
    ----------
    sampling_rate : float
        In Hz.
    n_fft, hop_length, win_length : int
        Samples in a frame, from one frame to the next, and under the window.
    window : str
        Name of a SciPy window.
    center : bool
        Whether frame t is centred at sample ``t * hop_length``.
    n_mels : int
        Number of bands.
    fmin, fmax : float
        Range of the bands in Hz.
    htk : bool
        Whether to use the mel scale of HTK instead of Slaney's.
    """

    sampling_rate: float
    n_fft: int
    hop_length: int
    win_length: int
    window: str
    center: bool
    n_mels: int
    fmin: float
    fmax: float
    htk: bool


def frame(segment: Float, n_fft: int, hop_length: int, *, center: bool) -> Float:
    """Cut a segment into overlapping frames.

    Parameters
    ----------
    segment : ndarray of shape (n_samples,)
        With ``center=False`` at least ``n_fft`` samples.
    n_fft, hop_length : int
        Samples in a frame, and from one frame to the next.
    center : bool
        Whether to put ``n_fft // 2`` zeros on both sides first.

    Returns
    -------
    frames : ndarray of shape (n_frames, n_fft)
        A view.
    """
    if center:
        padded = np.zeros(segment.size + 2 * (n_fft // 2), dtype=segment.dtype)
        padded[n_fft // 2 : n_fft // 2 + segment.size] = segment
        segment = padded
    return np.lib.stride_tricks.sliding_window_view(segment, n_fft)[::hop_length]


def fft_window(window: str, win_length: int, n_fft: int) -> Float:
    """Return a periodic window of ``win_length`` samples in the middle of ``n_fft``."""
    from scipy.signal import get_window

    taper = np.zeros(n_fft, dtype=np.float32)
    start = (n_fft - win_length) // 2
    taper[start : start + win_length] = get_window(window, win_length)
    return taper


def to_decibels(power: Float) -> Float:
    """Turn power into decibels in its own memory: 10 log10 of it, at least -100."""
    np.maximum(power, np.float32(AMIN), out=power)
    np.log10(power, out=power)
    power *= np.float32(10)
    return power


@lru_cache(maxsize=16)
def mel_kernel(settings: MelSettings) -> MelKernel:
    """Return the kernel for some settings, built once."""
    return MelKernel(settings)


class MelKernel:
    """Computes mel spectrograms of segments; safe to share between threads.

    Parameters
    ----------
    settings : MelSettings
        The parameters, in agreement with each other.
    """

    def __init__(self, settings: MelSettings):
        import librosa

        self.settings = settings
        self._scratch = threading.local()
        self._window = fft_window(settings.window, settings.win_length, settings.n_fft)
        filterbank = librosa.filters.mel(
            sr=settings.sampling_rate,
            n_fft=settings.n_fft,
            n_mels=settings.n_mels,
            fmin=settings.fmin,
            fmax=settings.fmax,
            htk=settings.htk,
        )  # (n_mels, n_bins)
        self._stage = compiled_stage() if settings.n_fft % 2 == 0 else None
        if self._stage is None:
            self._blocks = _dense_blocks(filterbank)
        else:
            self._bands = _banded(filterbank)
            half = settings.n_fft // 2
            self._twiddles = np.exp(-1j * np.pi * np.arange(half) / half).astype(np.complex64)

    def decibels(self, segments: Float, top_db: float | None = 80.0) -> Float:
        """Compute the decibels of the mel bands of segments.

        Parameters
        ----------
        segments : ndarray of shape (..., n_samples)
            The samples.
        top_db : float or None, default=80.0
            What lies further below the loudest value of its segment is raised to that
            level. None keeps it.

        Returns
        -------
        decibels : ndarray of shape (..., n_mels, n_frames), float32
            10 log10 of the power, at least -100.
        """
        decibels = to_decibels(self.power(segments))
        if top_db is not None:
            loudest = decibels.max(axis=(-2, -1), keepdims=True)
            np.maximum(decibels, loudest - np.float32(top_db), out=decibels)
        return decibels

    def power(self, segments: Float) -> Float:
        """Compute the power in the mel bands: (..., n_mels, n_frames), float32."""
        settings = self.settings
        rows = np.ascontiguousarray(segments, dtype=np.float32)
        rows = rows.reshape(-1, rows.shape[-1])  # (n_segments, n_samples)
        margin = settings.n_fft // 2 if settings.center else 0
        n_frames = 1 + (rows.shape[1] + 2 * margin - settings.n_fft) // settings.hop_length
        out = np.empty((len(rows), settings.n_mels, n_frames), dtype=np.float32)
        n_blocks = -(-n_frames // FRAMES_TOGETHER)
        size = -(-n_frames // n_blocks)
        buffer = self._buffer("windowed", size, settings.n_fft)
        for samples, bands in zip(rows, out, strict=True):
            for start in range(0, n_frames, size):
                windowed = buffer[: min(size, n_frames - start)]
                self._window_frames(samples, start * settings.hop_length - margin, windowed)
                self._sum(windowed, bands[:, start : start + size])
        return out.reshape(*segments.shape[:-1], *out.shape[1:])

    def _window_frames(self, samples: Float, first: int, out: Float) -> None:
        """Fill ``out`` with windowed frames, the first of which starts at sample ``first``."""
        hop_length, n_fft = self.settings.hop_length, self.settings.n_fft
        if self._stage is not None:
            self._stage.window_frames(samples, first, hop_length, self._window, out)
            return
        stop = first + (len(out) - 1) * hop_length + n_fft
        padding = (max(0, -first), max(0, stop - samples.size))
        part = np.pad(samples[max(0, first) : max(0, stop)], padding)
        frames = np.lib.stride_tricks.sliding_window_view(part, n_fft)[::hop_length]
        np.multiply(frames, self._window, out=out)

    def _buffer(self, name: str, *shape: int) -> Float:
        """Return memory of this thread to write to.

        Taken anew for each segment, a megabyte goes back to the system each time, and
        fetching it again takes longer than all the computing.
        """
        buffer = getattr(self._scratch, name, None)
        if buffer is None or buffer.size < math.prod(shape):
            buffer = np.empty(math.prod(shape), dtype=np.float32)
            setattr(self._scratch, name, buffer)
        return buffer[: math.prod(shape)].reshape(shape)

    def _sum(self, windowed: Float, out: Float) -> None:
        """Turn windowed frames (n, n_fft) into the power of bands (n_mels, n)."""
        from scipy import fft

        if self._stage is None:
            spectrum = fft.rfft(windowed, axis=1).view(np.float32)  # (n, 2 * n_bins)
            np.square(spectrum, out=spectrum)
            for bands, columns, weights in self._blocks:
                out[bands] = weights @ spectrum[:, columns].T
            return
        # Even samples as real parts, odd ones as imaginary parts: one complex transform of
        # half the length, which the stage takes apart. Handing SciPy the transposed view
        # makes it write frame beside frame, so that all frames of a bin lie together.
        folded = fft.fft(windowed.view(np.complex64).T, axis=0)  # (n_fft / 2, n)
        power = self._buffer("power", folded.shape[0] + 1, folded.shape[1])
        self._stage.power_in_bands(folded, self._twiddles, *self._bands, power, out)


def _banded(filterbank: Float) -> tuple[NDArray[np.intp], NDArray[np.intp], Float]:
    """Return the first bin of each band, where its weights start, and all weights in a row."""
    used = [np.flatnonzero(band) for band in filterbank]
    first = np.array([bins[0] if bins.size else 0 for bins in used], dtype=np.intp)
    stop = np.array([bins[-1] + 1 if bins.size else 0 for bins in used], dtype=np.intp)
    offsets = np.concatenate([[0], np.cumsum(stop - first)]).astype(np.intp)
    weights = [band[a:b] for band, a, b in zip(filterbank, first, stop, strict=True)]
    return first, offsets, np.concatenate(weights).astype(np.float32)


def _dense_blocks(filterbank: Float, width: int = 8) -> list[tuple[slice, slice, Float]]:
    """Cut a filterbank into blocks of neighbouring bands with the columns that they cover.

    The columns belong to a spectrum whose real and imaginary parts alternate.
    """
    blocks = []
    for start in range(0, len(filterbank), width):
        rows = filterbank[start : start + width]
        used = np.flatnonzero(rows.any(axis=0))
        low, high = (used[0], used[-1] + 1) if used.size else (0, 1)
        weights = np.repeat(rows[:, low:high], 2, axis=1).astype(np.float32)
        blocks.append((slice(start, start + width), slice(2 * low, 2 * high), weights))
    return blocks


@lru_cache(maxsize=1)
def compiled_stage() -> Any:
    """Return the module of compiled passes, or None where numba cannot compile."""
    try:
        from numba import config
    except ImportError:
        return None
    if getattr(config, "DISABLE_JIT", False):
        return None
    from skgenre.features import _spectral_stage

    return _spectral_stage
