"""The measures behind the groups of clip features, all from one spectrum of a clip.

Each group is a function of a :class:`Clip` and a list of names. What several groups start
from, such as the decibels of the mel bands, is an attribute of the clip that is computed
when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgenre.features._group_clip import (
    COARSE,
    FRAMES_TOGETHER,
    N_MELS,
    Clip,
    ClipSettings,
)
from skgenre.features._spectral import QUIETEST
from skgenre.features._summary_measures import (
    SummarySettings,
    _chroma_filterbank,
    _median_along_rows,
    _tuning,
)

Array = NDArray[Any]
Float = NDArray[np.float32]

_TINY = float(np.finfo(np.float32).tiny)

_N_MFCC = 20
_QUANTILES = (10, 50, 90)  # per cent
_FINE = 64  # bands of spat
_BLOCK = 10  # frames that are sorted together
_RANKS = (1, 5, 8)  # of the sorted frames of a block, counted from 0, the lowest
_DELAY = 3  # frames over which a rise is taken
_CORRELATED = 16  # bands whose correlation is taken
_PAIRS = np.triu_indices(_CORRELATED, k=1)
_WINDOW = 256  # frames under the window of a modulation spectrum
_RATES = (0.5, 20.0)  # Hz: modulations that are looked at
LEAST_FRAME_RATE = 2 * _RATES[1]  # frames a second that these need
_N_RATES = 11
_LEAST_SWING = 0.1  # decibels; a modulation far below it counts as none
_LAGS = (0.2, 3.0)  # seconds: lags at which onsets are compared with themselves
_N_LAGS = 48
_LOWEST_OCTAVE = 200.0  # Hz: where the second band of the contrast begins
_N_OCTAVES = 7
_SHARE = 0.02  # of the bins of an octave that are its peaks, and its valleys
_ROLLOFF = 0.85  # share of the magnitude below the roll-off frequency


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
    """

    names: tuple[str, ...]
    measure: Callable[[Clip], Iterable[Array]]
    with_bins: bool = False


def _mfcc(clip: Clip) -> list[Array]:
    """Coefficients of the cosine transform over bands, and how they change."""
    from scipy import fft

    coefficients = fft.dct(clip.decibels, axis=0, type=2, norm="ortho")[:_N_MFCC]
    steps = np.diff(coefficients, axis=1)
    return [coefficients.mean(axis=1), coefficients.std(axis=1), _std(steps)]


def _melstat(clip: Clip) -> list[Array]:
    """Distribution of the level of each band."""
    bands = clip.coarse
    ordered = np.sort(bands, axis=1)
    quantiles = [_quantile(ordered, q / 100) for q in _QUANTILES]
    return [bands.mean(axis=1), bands.std(axis=1), *quantiles]


def _spat(clip: Clip) -> list[Array]:
    """Level of each band within blocks of frames, how it rises, and with which others."""
    bands = clip.bands(_FINE)
    bands -= bands.mean(axis=1, keepdims=True)
    n_frames = bands.shape[1]
    size = min(_BLOCK, n_frames)
    n_blocks = n_frames // size
    blocks = bands[:, : n_blocks * size].reshape(_FINE, n_blocks, size)
    ordered = np.sort(blocks, axis=2)
    ranks = [rank * size // _BLOCK for rank in _RANKS]
    chosen = np.ascontiguousarray(ordered[:, :, ranks].transpose(2, 0, 1))  # (3, _FINE, n_blocks)
    rises = np.maximum(bands[:, _DELAY:] - bands[:, :-_DELAY], 0)
    if not rises.size:
        rises = np.zeros((_FINE, 1), dtype=np.float32)
    return [
        np.median(chosen, axis=2),
        chosen.std(axis=2),
        rises.mean(axis=1),
        _quantile(np.sort(rises, axis=1), 0.9),
        _correlation(clip.bands(_CORRELATED)),
    ]


def _correlation(bands: Float) -> Array:
    """Return the correlation of each pair of bands; 0 with a band that does not move."""
    centred = bands.astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    moves = length > 1e-5 * np.sqrt(bands.shape[1])
    centred = np.where(moves, centred / np.where(moves, length, 1.0), 0.0)
    return (centred @ centred.T)[_PAIRS]


def _mod(clip: Clip) -> list[Array]:
    """How much the level of each band swings, by the rate of the swing."""
    from scipy import fft

    bands = clip.coarse
    size = min(_WINDOW, bands.shape[1])
    starts = range(0, bands.shape[1] - size + 1, _WINDOW // 2)
    windows = np.stack([bands[:, start : start + size] for start in starts], axis=1)
    windows = windows - windows.mean(axis=2, keepdims=True)
    taper = np.hanning(size + 2)[1:-1]
    windows *= (2 / taper.sum() * taper).astype(np.float32)
    # A swing of one decibel comes out as 1, however long the window is.
    swings = np.abs(fft.rfft(windows, _WINDOW, axis=2))  # (COARSE, n_windows, n_bins)
    edges = _rate_edges(clip.settings.frame_rate)
    rates = np.stack([swings[:, :, a:b].mean(axis=2) for a, b in edges], axis=-1)
    return [np.median(np.log10(rates + np.float32(_LEAST_SWING)), axis=1)]


@lru_cache(maxsize=16)
def _rate_edges(frame_rate: float) -> list[tuple[int, int]]:
    """Return for each modulation rate the first bin, and the one after its last."""
    edges = np.geomspace(*_RATES, _N_RATES + 1) * _WINDOW / frame_rate
    return _between(edges, 1 + _WINDOW // 2)


def _between(edges: Array, stop: int) -> list[tuple[int, int]]:
    """Return which integers lie between edges, the nearest where there is none."""
    found = []
    for low, high in zip(np.ceil(edges[:-1]).astype(int), np.ceil(edges[1:]), strict=True):
        first = min(int(low), stop - 1)
        found.append((first, max(first + 1, min(int(high), stop))))
    return found


def _tempo(clip: Clip) -> list[Array]:
    """How much the onsets resemble themselves after a while."""
    from scipy import fft

    edges = _lag_edges(clip.settings.frame_rate)
    likeness = np.zeros(edges[-1][1])
    rises = np.maximum(np.diff(clip.decibels, axis=1), 0).mean(axis=0, dtype=np.float64)
    power = rises @ rises
    if power > 0:
        # The mean is left in: the height of all values then tells sparse onsets from dense ones,
        # and the noise of single lags is small beside it. Whitening by artist enlarges noise.
        n = fft.next_fast_len(2 * rises.size, real=True)
        spectrum = fft.rfft(rises, n)
        found = fft.irfft(spectrum.real**2 + spectrum.imag**2, n)[: min(rises.size, likeness.size)]
        likeness[: found.size] = found / power
    return [np.array([likeness[a:b].max() for a, b in edges])]


@lru_cache(maxsize=16)
def _lag_edges(frame_rate: float) -> list[tuple[int, int]]:
    edges = np.geomspace(*_LAGS, _N_LAGS + 1) * frame_rate
    return _between(edges, 1 + int(np.ceil(edges[-1])))


def _chroma(clip: Clip) -> list[Array]:
    """Pitch classes without regard to which they are: sorted, and the size of their steps."""
    settings = SummarySettings(
        clip.settings.sampling_rate, clip.settings.n_fft, clip.settings.hop_length, "constant"
    )
    tuning = _tuning(np.ascontiguousarray(clip.bins[:, ::4].T), settings)
    filterbank = _chroma_filterbank(settings.sampling_rate, settings.n_fft, tuning)
    chroma = filterbank @ clip.bins  # (12, n_frames)
    strongest = chroma.max(axis=0)
    chroma /= np.where(strongest < _TINY, np.float32(1), strongest)
    ordered, circle = np.sort(chroma, axis=0), _circle(chroma)
    mean = chroma.mean(axis=1)
    return [
        np.sort(mean),
        np.sort(chroma.std(axis=1)),
        ordered.mean(axis=1),
        ordered.std(axis=1),
        _circle(mean),
        circle.mean(axis=1),
        circle.std(axis=1),
    ]


def _circle(chroma: Array) -> Array:
    """Return the magnitudes of the transform around the circle of pitch classes.

    To transpose turns the circle, which changes phases only.
    """
    return np.abs(np.fft.rfft(chroma, axis=0))[1:]


def _hp(clip: Clip) -> list[Array]:
    """How far what is short stands out over what is sustained, in each band.

    Between the medians of decibels lies the same as between those of the power.
    """
    sustained = _median_along_rows(clip.decibels)
    short = _median_along_rows(np.ascontiguousarray(clip.decibels.T)).T
    short = (short - sustained).reshape(COARSE, N_MELS // COARSE, -1).mean(axis=1)
    return [short.mean(axis=1), short.std(axis=1)]


def _spec(clip: Clip) -> list[Array]:
    """Shape of the spectrum of each frame."""
    n_frames = clip.bins.shape[1]
    # In blocks, because each measure makes a few copies of what it looks at.
    starts = range(0, n_frames, FRAMES_TOGETHER)
    blocks = [clip.bins[:, start : start + FRAMES_TOGETHER] for start in starts]
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
    below = np.cumsum(magnitude, axis=0)
    rolloff = frequencies[(below < np.float32(_ROLLOFF) * below[-1]).sum(axis=0)]
    audible = np.maximum(power, np.float32(QUIETEST))
    flatness = np.log10(audible).mean(axis=0) - np.log10(audible.mean(axis=0))
    contrast = _contrast(magnitude, settings)
    return np.concatenate([contrast, np.stack([centroid, bandwidth, rolloff, flatness])])


def _contrast(magnitude: Float, settings: ClipSettings) -> Float:
    """Return by how many decibels the peaks of each octave exceed its valleys."""
    out = np.zeros((_N_OCTAVES, magnitude.shape[1]), dtype=np.float32)
    for row, (first, stop) in zip(out, _octaves(settings), strict=True):
        n = max(1, round(_SHARE * (stop - first)))
        if stop - first < 2:
            continue
        ordered = np.sort(np.ascontiguousarray(magnitude[first:stop].T), axis=1)
        ends = np.stack([ordered[:, -n:].mean(axis=1), ordered[:, :n].mean(axis=1)])
        peaks, valleys = 20 * np.log10(np.maximum(ends, np.float32(QUIETEST**0.5)))
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
    changes = np.zeros(samples.size + 1)
    np.cumsum(negative[1:] != negative[:-1], out=changes[1:-1])
    changes[-1] = changes[-2]
    centres = np.arange(n_frames) * settings.hop_length
    low = np.maximum(centres - settings.n_fft // 2, 0)
    high = np.minimum(centres + settings.n_fft // 2, samples.size)
    return (changes[high] - changes[low]) / np.maximum(high - low, 1)


def _std(values: Array) -> Array:
    """Return the standard deviation of each row, 0 for an empty one."""
    return values.std(axis=1) if values.shape[1] else np.zeros(len(values))


def _quantile(ordered: Array, q: float) -> Array:
    """Return a quantile of each sorted row, between two values as they lie."""
    place = q * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + np.float32(place - low) * (ordered[:, high] - ordered[:, low])


def _names() -> dict[str, list[str]]:
    """Return the names of the columns of each group, in the order of its arrays."""

    def by(statistics: Iterable[str], n: int, kind: str = "") -> list[str]:
        return [f"{kind}{i}_{statistic}" for statistic in statistics for i in range(n)]

    rates = np.geomspace(*_RATES, _N_RATES + 1)
    centres = np.sqrt(rates[:-1] * rates[1:])
    lags = np.geomspace(*_LAGS, _N_LAGS + 1)
    quantiles = [f"q{q}" for q in _QUANTILES]
    ranks = [f"rank{rank}" for rank in _RANKS]
    shapes = [f"contrast{i}" for i in range(_N_OCTAVES)]
    shapes += ["centroid", "bandwidth", "rolloff", "flatness", "zero_crossings"]
    return {
        "mfcc": by(("mean", "std", "step"), _N_MFCC),
        "melstat": by(("mean", "std", *quantiles), COARSE, "band"),
        "spat": [
            *by((f"{rank}_median" for rank in ranks), _FINE, "band"),
            *by((f"{rank}_std" for rank in ranks), _FINE, "band"),
            *by(("rise_mean", "rise_q90"), _FINE, "band"),
            *(f"band{i}_with_band{j}" for i, j in zip(*_PAIRS, strict=True)),
        ],
        "mod": [f"band{i}_{rate:.2f}hz" for i in range(COARSE) for rate in centres],
        "tempo": [f"lag_{lag:.2f}s" for lag in np.sqrt(lags[:-1] * lags[1:])],
        "chroma": [
            *by(("of_mean", "of_std", "mean", "std"), 12, "rank"),
            *by(("of_mean", "mean", "std"), 6, "circle"),
        ],
        "hp": by(("mean", "std"), COARSE, "band"),
        "spec": [f"{shape}_{statistic}" for shape in shapes for statistic in ("mean", "std")],
    }


_NAMES = {group: tuple(names) for group, names in _names().items()}

GROUPS = {
    "mfcc": Group(_NAMES["mfcc"], _mfcc),
    "melstat": Group(_NAMES["melstat"], _melstat),
    "spat": Group(_NAMES["spat"], _spat),
    "mod": Group(_NAMES["mod"], _mod),
    "tempo": Group(_NAMES["tempo"], _tempo),
    "chroma": Group(_NAMES["chroma"], _chroma, with_bins=True),
    "hp": Group(_NAMES["hp"], _hp),
    "spec": Group(_NAMES["spec"], _spec, with_bins=True),
}


def describe_clip(samples: Float, groups: Iterable[str], settings: ClipSettings) -> Array:
    """Describe one waveform by some groups of features.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        The waveform.
    groups : sequence of str
        Names of groups.
    settings : ClipSettings
        The settings.

    Returns
    -------
    row : ndarray of shape (n_columns,)
        The groups one after the other.
    """
    chosen = [GROUPS[name] for name in groups]
    clip = Clip(samples, settings, with_bins=any(group.with_bins for group in chosen))
    parts = [np.ravel(part) for group in chosen for part in group.measure(clip)]
    return np.concatenate(parts)
