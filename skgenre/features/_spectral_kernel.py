"""The spectral kernel: from the samples of segments to the power of bins and mel bands.

Everything that depends on the settings alone (window, filterbank) is built once and kept.
For each block of frames one compiled pass applies the window, transforms the frames and squares
the spectrum, and another sums it to bands. Blocks are small enough to stay in the processor's
cache. A band covers few of the bins, and only those are read. SciPy transforms frames whose
length is no power of two.

Tracks run in parallel threads, and each short call to NumPy takes and releases Python's
lock. The kernel therefore makes two calls for each block, none of which holds the lock,
and does the rest for all segments of a track at once.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.features._mel_filters import mel_filters

Float = NDArray[np.float32]

# Frames that are transformed together: about a megabyte at 2048 samples a frame.
FRAMES_TOGETHER = 160
_LANES = 48  # frames that go through a compiled transform beside each other

AMIN = 1e-10  # power that stands for silence: -100 dB, as in librosa

# The parameters of every extractor that starts from frames of a spectrum.
FRAME_CONSTRAINTS: dict[str, list[Any]] = {
    "sampling_rate": [Interval(Real, 0, None, closed="neither")],
    "n_fft": [Interval(Integral, 2, None, closed="left")],
    "hop_length": [Interval(Integral, 1, None, closed="left")],
}


class Spectrum(NamedTuple):
    """Power of the frames of segments.

    Parameters
    ----------
    mel : ndarray of shape (..., n_mels, n_frames), float32
        Power in the mel bands.
    bins : ndarray of shape (..., n_bins, n_frames), float32, or None
        Power in the bins of the Fourier transform; None unless it was asked for.
    """

    mel: Float
    bins: Float | None


def count_frames(n_samples: int, n_fft: int, hop_length: int, *, center: bool) -> int:
    """Count the frames of a segment, as librosa does: an odd ``n_fft`` pads one sample less."""
    padding = 2 * (n_fft // 2) if center else 0
    return 1 + (n_samples + padding - n_fft) // hop_length


def inner_frames(n_samples: int, n_fft: int, hop_length: int) -> tuple[int, int]:
    """Return the first centred frame without padding, and the one after the last; 0, 0 if none."""
    low = -(-(n_fft // 2) // hop_length)
    high = 1 + (n_samples + n_fft // 2 - n_fft) // hop_length
    return (low, high) if low < high else (0, 0)


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
        segment = np.pad(segment, n_fft // 2)
    return np.lib.stride_tricks.sliding_window_view(segment, n_fft)[::hop_length]


def fft_window(window: str, win_length: int, n_fft: int) -> Float:
    """Return a periodic window of ``win_length`` samples in the middle of ``n_fft``."""
    taper = np.zeros(n_fft, dtype=np.float32)
    start = (n_fft - win_length) // 2
    if (
        window == "hann" and win_length > 1
    ):  # the usual one, without the time that scipy.signal takes to import
        angles = np.linspace(-np.pi, np.pi, win_length + 1)[:-1]
        taper[start : start + win_length] = 0.5 + 0.5 * np.cos(angles)
        return taper
    from scipy.signal import get_window

    taper[start : start + win_length] = get_window(window, win_length)
    return taper


def to_decibels(power: Float, top_db: float | None = None) -> Float:
    """Turn power into decibels, in place.

    Parameters
    ----------
    power : ndarray of shape (..., n_bands, n_frames) or (..., n_frames, n_bands), float32
        The power of segments; overwritten.
    top_db : float or None, default=None
        Clip at this many decibels below the maximum of each segment. None does not clip.

    Returns
    -------
    decibels : ndarray
        10 log10 of the power, at least -100: the array that was given.
    """
    np.maximum(power, np.float32(AMIN), out=power)
    np.log10(power, out=power)
    power *= np.float32(10)
    if top_db is not None:
        loudest = power.max(axis=(-2, -1), keepdims=True)
        np.maximum(power, loudest - np.float32(top_db), out=power)
    return power


class _Scratch(threading.local):
    """Working memory of one thread, kept from block to block and from track to track.

    If it were allocated for each segment, a megabyte would go back to the operating system
    each time, and fetching it again takes longer than all the computing.
    """

    def __init__(self, n_fft: int):
        self.windowed = np.empty((FRAMES_TOGETHER, n_fft), dtype=np.float32)
        # Rows start at different places of a page: the nearest cache holds few lines of one place,
        # and the passes would drive each other's out.
        self.passes = np.empty((4, n_fft // 2 * _LANES + 144), dtype=np.float32)
        self._power = np.empty((1 + n_fft // 2) * FRAMES_TOGETHER, dtype=np.float32)

    def power(self, n_bins: int, n_frames: int) -> Float:
        """Return contiguous memory for the power of a block: (n_bins, n_frames)."""
        return self._power[: n_bins * n_frames].reshape(n_bins, n_frames)


class SpectralKernel:
    """Computes the power of segments in mel bands and bins; safe to share between threads.

    The parameters are those of :class:`MelSpectrogramExtractor` and must agree with each
    other.

    Parameters
    ----------
    sampling_rate : float
        In Hz.
    n_fft, hop_length : int
        Samples in a frame, and from one frame to the next.
    n_mels : int
        Number of mel bands.
    win_length : int or None, default=None
        Samples under the window; None means ``n_fft``.
    window : str, default="hann"
        Name of a SciPy window.
    center : bool, default=True
        Whether frame t is centred at sample ``t * hop_length``.
    fmin : float, default=0.0
        Lowest frequency of the bands in Hz.
    fmax : float or None, default=None
        Highest frequency of the bands in Hz; None means half the sampling rate.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of Slaney's.
    """

    def __init__(
        self,
        *,
        sampling_rate: float,
        n_fft: int,
        hop_length: int,
        n_mels: int,
        win_length: int | None = None,
        window: str = "hann",
        center: bool = True,
        fmin: float = 0.0,
        fmax: float | None = None,
        htk: bool = False,
    ):
        self._n_fft, self._hop_length, self._n_mels = n_fft, hop_length, n_mels
        self._center = center
        self._window = fft_window(window, n_fft if win_length is None else win_length, n_fft)
        self._scratch = _Scratch(n_fft)
        filterbank = mel_filters(
            sampling_rate=sampling_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk
        )  # (n_mels, n_bins)
        is_power_of_two = n_fft & (n_fft - 1) == 0
        self._compiled = compiled_passes() if is_power_of_two else None
        if self._compiled is None:
            self._blocks = _dense_blocks(filterbank)
        else:
            self._bands = _banded(filterbank)
            half = n_fft // 2
            turns = np.arange(half) / half
            self._roots = np.exp(-2j * np.pi * turns).astype(np.complex64)
            self._twiddles = np.exp(-1j * np.pi * turns).astype(np.complex64)

    def decibels(self, segments: Float, top_db: float | None = 80.0) -> Float:
        """Compute the decibels of the mel bands of segments.

        Parameters
        ----------
        segments : ndarray of shape (..., n_samples)
            The samples.
        top_db : float or None, default=80.0
            Clip at this many decibels below the maximum of each segment. None does not clip.

        Returns
        -------
        decibels : ndarray of shape (..., n_mels, n_frames), float32
            10 log10 of the power, at least -100.
        """
        return to_decibels(self.spectrum(segments).mel, top_db)

    def spectrum(
        self,
        segments: Float,
        *,
        with_bins: bool = False,
        frames: tuple[int, int] | None = None,
    ) -> Spectrum:
        """Compute the power of segments with one Fourier transform of each frame.

        Parameters
        ----------
        segments : ndarray of shape (..., n_samples)
            The samples.
        with_bins : bool, default=False
            Whether to return the power of the bins, too.
        frames : (int, int) or None, default=None
            First frame of each segment to compute, and the one after the last; None means all.

        Returns
        -------
        spectrum : Spectrum
            Power in the mel bands, and in the bins where asked for; new arrays.
        """
        rows = np.ascontiguousarray(segments, dtype=np.float32)
        rows = rows.reshape(-1, rows.shape[-1])  # (n_segments, n_samples)
        first, last = frames or (
            0,
            count_frames(rows.shape[1], self._n_fft, self._hop_length, center=self._center),
        )
        n_frames = last - first
        n_bins = 1 + self._n_fft // 2
        mel = np.empty((len(rows), self._n_mels, n_frames), dtype=np.float32)
        bins = np.empty((len(rows), n_bins, n_frames), dtype=np.float32) if with_bins else None
        # Blocks of nearly equal size, so that no short one is left at the end.
        n_blocks = -(-n_frames // FRAMES_TOGETHER)
        size = -(-n_frames // n_blocks)
        for i, samples in enumerate(rows):
            for start in range(0, n_frames, size):
                block = slice(start, min(start + size, n_frames))
                self._transform(
                    samples,
                    slice(first + block.start, first + block.stop),
                    mel[i, :, block],
                    None if bins is None else bins[i, :, block],
                )
        shape = segments.shape[:-1]
        return Spectrum(
            mel.reshape(*shape, self._n_mels, n_frames),
            None if bins is None else bins.reshape(*shape, n_bins, n_frames),
        )

    def _transform(self, samples: Float, frames: slice, mel: Float, bins: Float | None) -> None:
        """Write the power of some frames to ``mel`` (n_mels, n) and ``bins``."""
        first = frames.start * self._hop_length - (self._n_fft // 2 if self._center else 0)
        n_frames = frames.stop - frames.start
        if self._compiled is not None:
            scratch = self._scratch
            power = scratch.power(1 + self._n_fft // 2, n_frames)
            self._compiled.frame_power(
                samples,
                first,
                self._hop_length,
                self._window,
                self._roots,
                self._twiddles,
                scratch.passes,
                power,
            )
            self._compiled.sum_bands(power, *self._bands, mel)
            if bins is not None:
                bins[:] = power
            return
        from scipy import fft

        squares = fft.rfft(self._window_frames(samples, first, n_frames), axis=1)
        squares = squares.view(np.float32)  # (n, 2 * n_bins)
        np.square(squares, out=squares)
        for bands, columns, weights in self._blocks:
            mel[bands] = weights @ squares[:, columns].T
        if bins is not None:  # real parts stand in the even columns, imaginary in the odd
            np.add(squares[:, ::2].T, squares[:, 1::2].T, out=bins)

    def _window_frames(self, samples: Float, first: int, n_frames: int) -> Float:
        """Return frames from a sample on, times the window: (n_frames, n_fft), in scratch."""
        n_fft, hop_length = self._n_fft, self._hop_length
        out = self._scratch.windowed[:n_frames]
        stop = first + (n_frames - 1) * hop_length + n_fft
        # Zeros stand for samples before the start and after the end of the segment.
        padding = (max(0, -first), max(0, stop - samples.size))
        part = np.pad(samples[max(0, first) : max(0, stop)], padding)
        windows = np.lib.stride_tricks.sliding_window_view(part, n_fft)[::hop_length]
        return np.multiply(windows, self._window, out=out)


spectral_kernel = lru_cache(maxsize=16)(SpectralKernel)  # built once for given settings


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
def compiled_passes() -> Any:
    """Return the module of compiled passes over samples, or None where numba cannot compile."""
    if not _can_compile():
        return None
    from skgenre.features import _compiled

    return _compiled


@lru_cache(maxsize=1)
def compiled_shapes() -> Any:
    """Return the module of compiled passes over frames, or None where numba cannot compile."""
    if not _can_compile():
        return None
    from skgenre.features import _compiled_shapes

    return _compiled_shapes


def _can_compile() -> bool:
    """Whether numba is there and not switched off."""
    try:
        from numba import config
    except ImportError:
        return False
    return not getattr(config, "DISABLE_JIT", False)
