"""Rhythm: how fast the bands swing, when onsets return, and how percussive the sound is."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skgenre.features._medians import median_along_columns
from skgenre.features.groups._clip import COARSE, N_MELS, Array, Clip
from skgenre.features.groups._group import columns, feature_group

_WINDOW = 256  # frames under the window of a modulation spectrum
_RATES = np.geomspace(0.5, 20.0, 12)  # Hz: edges of the ranges of modulation rates
_MIN_SWING = 0.1  # decibels; a modulation far below it counts as none
_LAGS = np.geomspace(0.2, 3.0, 49)  # seconds: edges of the ranges of lags


def _centers(edges: Array) -> Array:
    return np.sqrt(edges[:-1] * edges[1:])


@feature_group(
    "modulation",
    names=(f"band{i}_{rate:.2f}hz" for i in range(COARSE) for rate in _centers(_RATES)),
    min_frame_rate=float(2 * _RATES[-1]),
)
def modulation(clip: Clip) -> list[Array]:
    """How much the level of each band swings, by the rate of the swing."""
    from scipy import fft

    bands = clip.coarse
    size = min(_WINDOW, bands.shape[1])
    starts = range(0, bands.shape[1] - size + 1, _WINDOW // 2)
    windows = np.stack([bands[:, start : start + size] for start in starts], axis=1)
    windows = windows - windows.mean(axis=2, keepdims=True)
    taper = np.hanning(size + 2)[1:-1]
    # Scaled so that a swing of one decibel gives 1, however long the window is.
    windows *= (2 / taper.sum() * taper).astype(np.float32)
    swings = np.abs(fft.rfft(windows, _WINDOW, axis=2))  # (COARSE, n_windows, n_bins)
    edges = _rate_edges(clip.settings.frame_rate)
    rates = np.stack([swings[:, :, a:b].mean(axis=2) for a, b in edges], axis=-1)
    return [np.median(np.log10(rates + np.float32(_MIN_SWING)), axis=1)]


@lru_cache(maxsize=16)
def _rate_edges(frame_rate: float) -> list[tuple[int, int]]:
    """Return for each range of modulation rates the first bin, and the one after its last."""
    return _between(_RATES * _WINDOW / frame_rate, 1 + _WINDOW // 2)


def _between(edges: Array, stop: int) -> list[tuple[int, int]]:
    """Return which integers lie between edges, the nearest where there is none."""
    found = []
    for low, high in zip(np.ceil(edges[:-1]).astype(int), np.ceil(edges[1:]), strict=True):
        first = min(int(low), stop - 1)
        found.append((first, max(first + 1, min(int(high), stop))))
    return found


@feature_group("tempo", names=(f"lag_{lag:.2f}s" for lag in _centers(_LAGS)))
def tempo(clip: Clip) -> list[Array]:
    """How much the onsets resemble themselves after each range of lags."""
    from scipy import fft

    edges = _lag_edges(clip.settings.frame_rate)
    likeness = np.zeros(edges[-1][1])
    rises = np.maximum(np.diff(clip.decibels, axis=1), 0).mean(axis=0, dtype=np.float64)
    power = rises @ rises
    if power > 0:
        # The mean is not removed: the height of all values then tells sparse onsets from dense
        # ones, and the noise of single lags is small beside it, noise that ArtistWhitening
        # would enlarge.
        n = fft.next_fast_len(2 * rises.size, real=True)
        spectrum = fft.rfft(rises, n)
        found = fft.irfft(spectrum.real**2 + spectrum.imag**2, n)[: min(rises.size, likeness.size)]
        likeness[: found.size] = found / power
    return [np.array([likeness[a:b].max() for a, b in edges])]


@lru_cache(maxsize=16)
def _lag_edges(frame_rate: float) -> list[tuple[int, int]]:
    """Return for each range of lags the first frame, and the one after its last."""
    edges = _LAGS * frame_rate
    return _between(edges, 1 + int(np.ceil(edges[-1])))


@feature_group("harmonic_percussive", names=columns(("mean", "std"), COARSE, "band"))
def harmonic_percussive(clip: Clip) -> list[Array]:
    """How far strokes stand out over sustained notes, in each band.

    The median over neighbouring bands keeps strokes, the median over neighbouring frames
    keeps notes. A median of decibels is the decibels of the median power.
    """
    sustained = median_along_columns(clip.decibels.T).T
    short = median_along_columns(clip.decibels)
    short = (short - sustained).reshape(COARSE, N_MELS // COARSE, -1).mean(axis=1)
    return [short.mean(axis=1), short.std(axis=1)]
