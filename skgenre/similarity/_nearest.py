"""The largest similarities of each row, block by block."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Double = NDArray[np.float64]


def nearest(
    blocks: Iterable[tuple[int, Double]], n_tracks: int, k: int
) -> tuple[NDArray[np.intp], Double]:
    """Keep the k largest similarities of each track from blocks of columns.

    Parameters
    ----------
    blocks : iterable of (start, similarities)
        Number of the first column of a block, and the block, of shape (n_tracks, n_columns);
        minus infinity in place of what is no candidate.
    n_tracks : int
        Number of tracks.
    k : int
        How many to keep.

    Returns
    -------
    indices : ndarray of shape (n_tracks, k)
        Columns, the most similar first; -1 where there are fewer than k candidates.
    similarities : ndarray of shape (n_tracks, k)
        Their similarities, NaN where there is no candidate.
    """
    best = np.full((n_tracks, k), -np.inf)
    indices = np.full((n_tracks, k), -1)
    for start, block in blocks:
        found = np.argpartition(-block, min(k, block.shape[1]) - 1, axis=1)[:, :k]
        values = np.hstack([best, np.take_along_axis(block, found, axis=1)])
        columns = np.hstack([indices, start + found])
        # Of equal similarities the lower row comes first: -1 before what is excluded.
        order = np.lexsort((columns, -values), axis=1)[:, :k]
        best = np.take_along_axis(values, order, axis=1)
        indices = np.take_along_axis(columns, order, axis=1)
    return indices, np.where(np.isneginf(best), np.nan, best)
