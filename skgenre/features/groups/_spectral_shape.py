"""Spectral shape: the outline of the spectrum, its peaks and its noise."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skgenre.features._spectral_kernel import AMIN, Float
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
    n_frames = clip.bins.shape[1]
    # In blocks, because each measure makes a few copies of its input.
    starts = range(0, n_frames, _FRAMES_TOGETHER)
    blocks = [clip.bins[:, start : start + _FRAMES_TOGETHER] for start in starts]
    shapes = [_shape(block, clip.settings) for block in blocks]
    crossings = _zero_crossings(clip.samples, n_frames, clip.settings)
    measures = np.concatenate([np.concatenate(shapes, axis=1), crossings[np.newaxis]])
    return [np.stack([measures.mean(axis=1), measures.std(axis=1)], axis=1)]


def _shape(power: Float, settings: ClipSettings) -> Array:
    """Return contrast, centroid, bandwidth, roll-off and flatness: (n_measures, n_frames)."""
    magnitude = np.sqrt(power)
    frequencies = np.fft.rfftfreq(settings.n_fft, 1 / settings.sampling_rate).astype(np.float32)
    total = magnitude.sum(axis=0)
    weighted = np.stack([frequencies, np.square(frequencies)]) @ magnitude
    centroid, square = weighted / np.where(total < _TINY, np.float32(1), total)
    bandwidth = np.sqrt(np.maximum(square - np.square(centroid), 0))
    rolloff = frequencies[_rolloff_bins(magnitude)]
    audible = np.maximum(power, np.float32(AMIN))
    flatness = np.log10(audible).mean(axis=0) - np.log10(audible.mean(axis=0))
    octaves = _contrast(magnitude, settings)
    return np.concatenate([octaves, np.stack([centroid, bandwidth, rolloff, flatness])])


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


def _contrast(magnitude: Float, settings: ClipSettings) -> Float:
    """Return by how many decibels the peaks of each octave exceed its valleys."""
    out = np.zeros((_N_OCTAVES, magnitude.shape[1]), dtype=np.float32)
    for row, (first, stop) in zip(out, _octaves(settings), strict=True):
        n = max(1, round(_SHARE * (stop - first)))
        if stop - first < 2:
            continue
        ordered = np.sort(np.ascontiguousarray(magnitude[first:stop].T), axis=1)
        ends = np.stack([ordered[:, -n:].mean(axis=1), ordered[:, :n].mean(axis=1)])
        peaks, valleys = 20 * np.log10(np.maximum(ends, np.float32(AMIN**0.5)))
        row[:] = peaks - valleys
    return out


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
    changes = np.zeros(
        samples.size + 1, dtype=np.int32
    )  # running count; floats take ten times as long
    np.cumsum(negative[1:] != negative[:-1], out=changes[1:-1])
    changes[-1] = changes[-2]
    centres = np.arange(n_frames) * settings.hop_length
    low = np.maximum(centres - settings.n_fft // 2, 0)
    high = np.minimum(centres + settings.n_fft // 2, samples.size)
    return (changes[high] - changes[low]) / np.maximum(high - low, 1)


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
    n_frames = clip.bins.shape[1]
    peaks = np.zeros((len(_BANDS), n_frames), dtype=np.float32)
    valleys, flatness = np.zeros_like(peaks), np.zeros_like(peaks)
    for band, (first, stop) in enumerate(_bands(clip.settings)):
        if stop - first < 2:
            continue
        power = np.maximum(clip.bins[first:stop], np.float32(AMIN))  # (n, n_frames)
        levels = 10 * np.log10(power)
        flatness[band] = levels.mean(axis=0) - 10 * np.log10(power.mean(axis=0))
        levels = np.sort(np.ascontiguousarray(levels.T), axis=1)
        n = stop - first
        middle = levels[:, n // 2]
        peaks[band] = levels[:, -max(1, int(_PEAKS * n)) :].mean(axis=1) - middle
        valleys[band] = middle - levels[:, : max(1, int(_VALLEYS * n))].mean(axis=1)
    parts = []
    for measure in (peaks, valleys):
        ordered = np.sort(measure, axis=1)
        parts += [measure.mean(axis=1), measure.std(axis=1), std(np.diff(measure, axis=1))]
        parts += [quantile(ordered, 0.1), quantile(ordered, 0.9)]
    return [*parts, flatness.mean(axis=1)]


@lru_cache(maxsize=16)
def _bands(settings: ClipSettings) -> list[tuple[int, int]]:
    """Return the first bin of each band of the finer contrast, and the one after its last."""
    frequencies = np.fft.rfftfreq(settings.n_fft, 1 / settings.sampling_rate)
    return list(pairwise([*np.searchsorted(frequencies, _BANDS).tolist(), len(frequencies)]))
