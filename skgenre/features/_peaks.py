"""Local maxima of curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def refine(values: NDArray[np.floating[Any]], peak: int) -> float:
    """Interpolate a local maximum: return how far beside it the curve has its top.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        The curve.
    peak : int
        Index of the local maximum, not at either end.

    Returns
    -------
    shift : float
        From -0.5 to 0.5: the top of the parabola through the maximum and its neighbours.
    """
    before, at, after = (float(value) for value in values[peak - 1 : peak + 2])
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (before - after) / bend))


def two_peaks(values: NDArray[np.floating[Any]], first: int = 1) -> tuple[int | None, int | None]:
    """Find the two largest local maxima above 0.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        The curve; its ends do not count as maxima.
    first : int, default=1
        Index to start from, at least 1.

    Returns
    -------
    largest, second : int or None
        Their indices; None for one that does not exist.
    """
    inner = values[first:-1]
    peaks = (inner > values[first - 1 : -2]) & (inner >= values[first + 1 :]) & (inner > 0)
    places = first + np.flatnonzero(peaks)
    ordered = places[np.argsort(-values[places], kind="stable")].tolist()
    return (*ordered[:2], None, None)[:2]
