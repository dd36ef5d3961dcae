"""The measures behind the groups of clip features, all from one spectrum of a clip.

Each group is a function of a :class:`Clip` and a list of names. What several groups start
from, such as the decibels of the mel bands, is an attribute of the clip that is computed
when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from skgenre.features._spectral import Float
from skgenre.features._summary_measures import median_along_rows
from skgenre.features.groups import _harmony as harmony
from skgenre.features.groups import _scattering as scatter
from skgenre.features.groups import _spectral_shape as shape
from skgenre.features.groups._clip import (
    COARSE,
    N_MELS,
    N_MFCC,
    Array,
    Clip,
    ClipSettings,
    Group,
    columns,
    quantile,
    std,
)

_QUANTILES = (10, 50, 90)  # per cent
_FINE = 64  # bands of spat
_BLOCK = 10  # frames that are sorted together
_RANKS = (1, 5, 8)  # of the sorted frames of a block, counted from 0, the lowest
_DELAY = 3  # frames over which a rise is taken
_CORRELATED = 16  # bands whose correlation is taken
_PAIRS = np.triu_indices(_CORRELATED, k=1)
_WINDOW = 256  # frames under the window of a modulation spectrum
_RATES = (0.5, 20.0)  # Hz: modulations that are looked at
MIN_FRAME_RATE = 2 * _RATES[1]  # frames a second that these need
_N_RATES = 11
_MIN_SWING = 0.1  # decibels; a modulation far below it counts as none
_LAGS = (0.2, 3.0)  # seconds: lags at which onsets are compared with themselves
_N_LAGS = 48
_MIN_VARIANCE = 0.01  # squared decibels, added to the variance of each step
_ENTRIES = np.triu_indices(N_MFCC)


def _mfcc(clip: Clip) -> list[Array]:
    """Coefficients of the cosine transform over bands, and how they change."""
    steps = np.diff(clip.mfcc, axis=1)
    return [clip.mfcc.mean(axis=1), clip.mfcc.std(axis=1), std(steps)]


def _delta_covariance(clip: Clip) -> list[Array]:
    """Logarithm of the covariance matrix of how the coefficients change.

    Between such logarithms, with the entries off the diagonal times the root of two, the
    distance is the log-Euclidean one of the covariances.
    """
    steps = np.diff(clip.mfcc, axis=1).astype(np.float64)
    covariance = _MIN_VARIANCE * np.eye(N_MFCC)
    if steps.shape[1] > 1:
        covariance += np.cov(steps)
    variances, directions = np.linalg.eigh(covariance)
    logarithm = (directions * np.log(variances)) @ directions.T
    row, column = _ENTRIES
    return [logarithm[_ENTRIES] * np.where(row == column, 1, np.sqrt(2))]


def _melstat(clip: Clip) -> list[Array]:
    """Distribution of the level of each band."""
    bands = clip.coarse
    ordered = np.sort(bands, axis=1)
    quantiles = [quantile(ordered, q / 100) for q in _QUANTILES]
    return [bands.mean(axis=1), bands.std(axis=1), *quantiles]


def _block_levels(clip: Clip) -> list[Array]:
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
        quantile(np.sort(rises, axis=1), 0.9),
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


def _modulation(clip: Clip) -> list[Array]:
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
    return [np.median(np.log10(rates + np.float32(_MIN_SWING)), axis=1)]


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


def _harmonic_percussive(clip: Clip) -> list[Array]:
    """How far what is short stands out over what is sustained, in each band.

    Between the medians of decibels lies the same as between those of the power.
    """
    sustained = median_along_rows(clip.decibels)
    short = median_along_rows(np.ascontiguousarray(clip.decibels.T)).T
    short = (short - sustained).reshape(COARSE, N_MELS // COARSE, -1).mean(axis=1)
    return [short.mean(axis=1), short.std(axis=1)]


def _groups() -> dict[str, Group]:
    rates = np.geomspace(*_RATES, _N_RATES + 1)
    centres = np.sqrt(rates[:-1] * rates[1:])
    lags = np.geomspace(*_LAGS, _N_LAGS + 1)
    quantiles = [f"q{q}" for q in _QUANTILES]
    ranks = [f"rank{rank}" for rank in _RANKS]
    spat = [
        *columns((f"{rank}_median" for rank in ranks), _FINE, "band"),
        *columns((f"{rank}_std" for rank in ranks), _FINE, "band"),
        *columns(("rise_mean", "rise_q90"), _FINE, "band"),
        *(f"band{i}_with_band{j}" for i, j in zip(*_PAIRS, strict=True)),
    ]
    mod = [f"band{i}_{rate:.2f}hz" for i in range(COARSE) for rate in centres]
    tempo = [f"lag_{lag:.2f}s" for lag in np.sqrt(lags[:-1] * lags[1:])]
    cov = [f"{i}_with_{j}" for i, j in zip(*_ENTRIES, strict=True)]
    melstat = columns(("mean", "std", *quantiles), COARSE, "band")
    return {
        "mfcc": Group(tuple(columns(("mean", "std", "step"), N_MFCC)), _mfcc),
        "melstat": Group(tuple(melstat), _melstat),
        "block_levels": Group(tuple(spat), _block_levels),
        "modulation": Group(tuple(mod), _modulation, least_frame_rate=MIN_FRAME_RATE),
        "tempo": Group(tuple(tempo), _tempo),
        "harmonic_percussive": Group(
            tuple(columns(("mean", "std"), COARSE, "band")), _harmonic_percussive
        ),
        "delta_covariance": Group(tuple(cov), _delta_covariance),
    }


GROUPS = {**_groups(), **scatter.GROUPS, **harmony.GROUPS, **shape.GROUPS}


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
