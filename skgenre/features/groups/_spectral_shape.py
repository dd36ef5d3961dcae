"""Spectral shape: the outline of the spectrum, its peaks and its noise."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skgenre.features._spectral_kernel import AMIN, Float, compiled_shapes
from skgenre.features.groups._clip import Array, Clip, ClipSettings, quantile, std
from skgenre.features.groups._group import columns, feature_group

# Smaller blocks would fit the caches better, but their many short calls wait for Python's lock
# where tracks run in parallel.
_FRAMES_TOGETHER = 512
_TINY = float(np.finfo(np.float32).tiny)

_LOWEST_OCTAVE = 200.0  # Hz: start of the second band of the contrast in octaves
_N_OCTAVES = 7
_SHARE = 0.02  # share of the bins of an octave that are its peaks, and its valleys
_ROLLOFF = 0.85  # share of the magnitude below the roll-off frequency
_RUN = 32  # bins that are summed together to find it
# Hz: starts of the bands of the finer contrast; the last reaches the highest frequency.
_BANDS = (0, 200, 400, 600, 800, 1100, 1500, 2000, 2700, 3600, 4800, 6400, 8500)
_PEAKS, _VALLEYS = 0.1, 0.2  # shares of the bins of such a band
_SHAPES = (
    *(f"contrast{i}" for i in range(_N_OCTAVES)),
    *("centroid", "bandwidth", "rolloff", "flatness", "zero_crossings"),
)
_STATISTICS = ("mean", "std", "step", "q10", "q90")


@feature_group(
    "spec",
    names=(f"{shape}_{statistic}" for shape in _SHAPES for statistic in ("mean", "std")),
    with_bins=True,
)
def spec(clip: Clip) -> list[Array]:
    """Shape of the spectrum of each frame."""
    crossings = _zero_crossings(clip.samples, clip.n_frames, clip.settings)
    measures = np.concatenate([clip.by_frame(_shapes), crossings[np.newaxis]])
    return [np.stack([measures.mean(axis=1), measures.std(axis=1)], axis=1)]


def _shapes(bins: Float, settings: ClipSettings) -> Array:
    """Return contrast, centroid, bandwidth, roll-off and flatness: (n_measures, n_frames)."""
    frequencies = np.fft.rfftfreq(settings.n_fft, 1 / settings.sampling_rate).astype(np.float32)
    if compiled_shapes() is None:
        blocks = [_magnitudes(block, frequencies, settings) for block in _blocks(bins)]
        sums, rolloff_bins, ends = (
            np.concatenate(parts, axis=-1) for parts in zip(*blocks, strict=True)
        )
    else:
        sums, rolloff_bins, ends = _compiled_magnitudes(bins, frequencies, settings)
    centroid, square = sums[1:] / np.where(sums[0] < _TINY, np.float32(1), sums[0])
    bandwidth = np.sqrt(np.maximum(square - np.square(centroid), 0))
    rolloff = frequencies[rolloff_bins]
    flatness = np.concatenate([_flatness(block) for block in _blocks(bins)])
    peaks, valleys = 20 * np.log10(np.maximum(ends, np.float32(AMIN**0.5)))
    return np.concatenate([peaks - valleys, np.stack([centroid, bandwidth, rolloff, flatness])])


def _blocks(bins: Float) -> list[Float]:
    """Return blocks of frames, because measures make copies of their input; at least one."""
    starts = range(0, max(1, bins.shape[1]), _FRAMES_TOGETHER)
    return [bins[:, start : start + _FRAMES_TOGETHER] for start in starts]


def _flatness(power: Float) -> Array:
    """Return the logarithm of the geometric mean of each frame over its arithmetic mean."""
    audible = np.maximum(power, np.float32(AMIN))
    mean = np.log10(audible.mean(axis=0))
    return np.log10(audible, out=audible).mean(axis=0) - mean


def _magnitudes(
    power: Float, frequencies: Float, settings: ClipSettings
) -> tuple[Float, NDArray[np.intp], Float]:
    """Return sums of the magnitudes of each frame, roll-off bins, and peaks and valleys.

    Parameters
    ----------
    power : ndarray of shape (n_bins, n_frames), float32
        The power of the bins.
    frequencies : ndarray of shape (n_bins,), float32
        Of the bins.
    settings : ClipSettings
        The settings.

    Returns
    -------
    sums : ndarray of shape (3, n_frames)
        Of the magnitudes, and of the magnitudes times the frequency and its square.
    rolloff_bins : ndarray of shape (n_frames,)
        First bin up to which most of the magnitude lies.
    ends : ndarray of shape (2, n_octaves, n_frames)
        Mean magnitude of the peaks and of the valleys of each octave.
    """
    magnitude = np.sqrt(power)
    sums = np.stack([np.ones_like(frequencies), frequencies, np.square(frequencies)]) @ magnitude
    return sums, _rolloff_bins(magnitude), _octave_ends(magnitude, settings)


def _compiled_magnitudes(
    power: Float, frequencies: Float, settings: ClipSettings
) -> tuple[Float, NDArray[np.intp], Float]:
    """Return the same in one pass."""
    n_frames = power.shape[1]
    octaves = np.array(_octaves(settings))
    sums = np.empty((3, n_frames), dtype=np.float32)
    rolloff_bins = np.empty(n_frames, dtype=np.intp)
    ends = np.empty((2, _N_OCTAVES, n_frames), dtype=np.float32)
    n_ends = np.array([_n_ends(*octave) for octave in octaves.tolist()])
    compiled_shapes().spectral_shape(
        power, frequencies, octaves, n_ends, np.float32(_ROLLOFF), sums, rolloff_bins, ends
    )
    return sums, rolloff_bins, ends


def _rolloff_bins(magnitude: Float) -> NDArray[np.intp]:
    """Return the first bin of each frame up to which most of its magnitude lies.

    First the run of bins that holds it is found, then the bin in the run: a cumulative sum of
    all bins takes five times as long.
    """
    n_bins = len(magnitude)
    starts = np.arange(0, n_bins, _RUN)
    up_to = np.cumsum(np.add.reduceat(magnitude, starts, axis=0), axis=0)  # (n_runs, n_frames)
    limit = np.float32(_ROLLOFF) * up_to[-1]
    run = (up_to < limit).sum(axis=0)
    before = np.where(run > 0, np.take_along_axis(up_to, np.maximum(run - 1, 0)[None], axis=0), 0)
    rows = _RUN * run + np.arange(_RUN)[:, np.newaxis]  # (bins of the run, n_frames)
    inside = np.take_along_axis(magnitude, np.minimum(rows, n_bins - 1), axis=0)
    within = (before + np.cumsum(inside, axis=0) < limit).sum(axis=0)
    return np.minimum(_RUN * run + within, n_bins - 1)


def _octave_ends(magnitude: Float, settings: ClipSettings) -> Float:
    """Return the mean magnitude of the peaks and of the valleys: (2, n_octaves, n_frames)."""
    ends = np.zeros((2, _N_OCTAVES, magnitude.shape[1]), dtype=np.float32)
    for octave, (first, stop) in enumerate(_octaves(settings)):
        n = _n_ends(first, stop)
        if n:
            ordered = np.sort(np.ascontiguousarray(magnitude[first:stop].T), axis=1)
            ends[:, octave] = ordered[:, -n:].mean(axis=1), ordered[:, :n].mean(axis=1)
    return ends


def _n_ends(first: int, stop: int) -> int:
    """Return how many bins of an octave are its peaks; 0 if it has fewer than two bins."""
    return max(1, round(_SHARE * (stop - first))) if stop - first > 1 else 0


@lru_cache(maxsize=16)
def _octaves(settings: ClipSettings) -> list[tuple[int, int]]:
    """Return the first bin of each octave, and the one after its last."""
    width = settings.sampling_rate / settings.n_fft
    edges = [0.0, *(_LOWEST_OCTAVE * 2**i for i in range(_N_OCTAVES - 1)), np.inf]
    n_bins = 1 + settings.n_fft // 2
    starts = [min(n_bins, int(np.ceil(min(edge / width, n_bins)))) for edge in edges]
    return list(pairwise(starts))


def _zero_crossings(samples: Float, n_frames: int, settings: ClipSettings) -> Array:
    """Return the share of samples whose sign differs from the one before, by frame."""
    negative = samples < 0
    changes = np.flatnonzero(negative[1:] != negative[:-1])
    centres = np.arange(n_frames) * settings.hop_length
    low = np.maximum(centres - settings.n_fft // 2, 0)
    high = np.minimum(centres + settings.n_fft // 2, samples.size)
    counts = np.searchsorted(changes, high) - np.searchsorted(changes, low)
    return counts / np.maximum(high - low, 1)


@feature_group(
    "contrast",
    names=columns(
        [*(f"{m}_{s}" for m in ("peaks", "valleys") for s in _STATISTICS), "flatness"],
        len(_BANDS),
        "band",
    ),
    with_bins=True,
)
def contrast(clip: Clip) -> list[Array]:
    """How far the peaks of a band rise over its median, and the median over its valleys."""
    peaks, valleys, flatness = clip.by_frame(_contrasts).reshape(3, len(_BANDS), -1)
    parts = []
    for measure in (peaks, valleys):
        ordered = np.sort(measure, axis=1)
        parts += [measure.mean(axis=1), measure.std(axis=1), std(np.diff(measure, axis=1))]
        parts += [quantile(ordered, 0.1), quantile(ordered, 0.9)]
    return [*parts, flatness.mean(axis=1)]


def _contrasts(bins: Float, settings: ClipSettings) -> Float:
    """Return the peaks, the valleys and the flatness of each band: (3 * n_bands, n_frames)."""
    bands = _bands(settings)
    sizes = [stop - first for first, stop in bands]
    n_ends = [(max(1, int(_PEAKS * n)), max(1, int(_VALLEYS * n))) for n in sizes]
    parts = []
    for block in _blocks(bins):
        power = np.maximum(block, np.float32(AMIN))  # (n_bins, n)
        levels = np.log10(power)
        levels *= np.float32(10)
        part = np.zeros((3, len(bands), block.shape[1]), dtype=np.float32)
        if compiled_shapes() is None:
            _peaks_and_valleys(levels, bands, n_ends, part[:2])
        else:
            compiled_shapes().band_contrast(
                levels, np.array(bands), np.array(n_ends), *_sorting_networks(settings), part[:2]
            )
        for (first, stop), flatness in zip(bands, part[2], strict=True):
            if stop - first > 1:
                mean = power[first:stop].mean(axis=0)
                flatness[:] = levels[first:stop].mean(axis=0) - 10 * np.log10(mean)
        parts.append(part)
    return np.concatenate(parts, axis=2).reshape(3 * len(bands), -1)


def _peaks_and_valleys(
    levels: Float, bands: list[tuple[int, int]], n_ends: list[tuple[int, int]], out: Float
) -> None:
    """Write the peaks and the valleys of each band to ``out``: (2, n_bands, n_frames)."""
    for band, ((first, stop), (n_peaks, n_valleys)) in enumerate(zip(bands, n_ends, strict=True)):
        if stop - first > 1:
            ordered = np.sort(np.ascontiguousarray(levels[first:stop].T), axis=1)
            middle = ordered[:, (stop - first) // 2]
            out[0, band] = ordered[:, -n_peaks:].mean(axis=1) - middle
            out[1, band] = middle - ordered[:, :n_valleys].mean(axis=1)


@lru_cache(maxsize=16)
def _sorting_networks(settings: ClipSettings) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs of places that Batcher's merge sort compares, and where each band starts.

    The comparisons do not depend on the values, so many frames are sorted at once.
    """
    pairs: list[tuple[int, int]] = []
    offsets = [0]
    for first, stop in _bands(settings):
        n = stop - first
        width = 1  # of the runs that are merged
        while width < n:
            step = width
            while step:
                for start in range(step % width, n - step, 2 * step):
                    pairs += [
                        (low, low + step)
                        for low in range(start, min(start + step, n - step))
                        if low // (2 * width) == (low + step) // (2 * width)
                    ]
                step //= 2
            width *= 2
        offsets.append(len(pairs))
    return np.array(pairs, dtype=np.intp).reshape(-1, 2), np.array(offsets, dtype=np.intp)


@lru_cache(maxsize=16)
def _bands(settings: ClipSettings) -> list[tuple[int, int]]:
    """Return the first bin of each band of the finer contrast, and the one after its last."""
    frequencies = np.fft.rfftfreq(settings.n_fft, 1 / settings.sampling_rate)
    return list(pairwise([*np.searchsorted(frequencies, _BANDS).tolist(), len(frequencies)]))
