"""Timbre: the levels of mel bands and the MFCCs, and how they change within moments."""

from __future__ import annotations

import numpy as np

from skgenre.features._spectral_kernel import Float
from skgenre.features.groups._clip import COARSE, N_MFCC, Array, Clip, quantile, std
from skgenre.features.groups._group import columns, feature_group

_QUANTILES = (10, 50, 90)  # per cent
_FINE = 64  # bands of block_levels
_BLOCK = 10  # frames that are sorted together
_RANKS = (1, 5, 8)  # of the sorted frames of a block, counted from 0, the lowest
_DELAY = 3  # frames over which a rise is taken
_CORRELATED = 16  # bands whose correlation is taken
_PAIRS = np.triu_indices(_CORRELATED, k=1)
_MIN_VARIANCE = 0.01  # squared decibels, added to the variance of each step
_ENTRIES = np.triu_indices(N_MFCC)


@feature_group("mfcc", names=columns(("mean", "std", "step"), N_MFCC))
def mfcc(clip: Clip) -> list[Array]:
    """Mean and deviation of the MFCCs, and the size of their steps from frame to frame."""
    steps = np.diff(clip.mfcc, axis=1)
    return [clip.mfcc.mean(axis=1), clip.mfcc.std(axis=1), std(steps)]


@feature_group("delta_covariance", names=(f"{i}_with_{j}" for i, j in zip(*_ENTRIES, strict=True)))
def delta_covariance(clip: Clip) -> list[Array]:
    """Logarithm of the covariance matrix of the steps of the MFCCs.

    Entries off the diagonal are multiplied by the root of two, since each stands for two of
    the matrix: Euclidean distances of the columns are log-Euclidean distances of the
    covariances.
    """
    steps = np.diff(clip.mfcc, axis=1).astype(np.float64)
    covariance = _MIN_VARIANCE * np.eye(N_MFCC)
    if steps.shape[1] > 1:
        covariance += np.cov(steps)
    variances, directions = np.linalg.eigh(covariance)
    logarithm = (directions * np.log(variances)) @ directions.T
    row, column = _ENTRIES
    return [logarithm[_ENTRIES] * np.where(row == column, 1, np.sqrt(2))]


@feature_group(
    "melstat", names=columns(("mean", "std", *(f"q{q}" for q in _QUANTILES)), COARSE, "band")
)
def melstat(clip: Clip) -> list[Array]:
    """Distribution of the level of each band."""
    bands = clip.coarse
    ordered = np.sort(bands, axis=1)
    quantiles = [quantile(ordered, q / 100) for q in _QUANTILES]
    return [bands.mean(axis=1), bands.std(axis=1), *quantiles]


@feature_group(
    "block_levels",
    names=[
        *columns((f"rank{rank}_median" for rank in _RANKS), _FINE, "band"),
        *columns((f"rank{rank}_std" for rank in _RANKS), _FINE, "band"),
        *columns(("rise_mean", "rise_q90"), _FINE, "band"),
        *(f"band{i}_with_band{j}" for i, j in zip(*_PAIRS, strict=True)),
    ],
)
def block_levels(clip: Clip) -> list[Array]:
    """Sorted levels of each band in blocks of frames, its rises, and the bands it moves with."""
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
    # The decibels are float32: a smaller deviation is rounding.
    moves = length > 1e-5 * np.sqrt(bands.shape[1])
    centred = np.where(moves, centred / np.where(moves, length, 1.0), 0.0)
    return (centred @ centred.T)[_PAIRS]
