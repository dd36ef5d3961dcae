"""Random seeds that leave global state alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state


def draw_seeds(random_state: Any, n: int) -> list[int]:
    """Draw integer seeds from a scikit-learn random state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An instance advances. None draws from the system; scikit-learn's own estimators draw
        from NumPy's global generator there, and so change it.
    n : int
        Number of seeds.

    Returns
    -------
    seeds : list of int
        Each in [1, 2**31 - 1), a range that every generator used here accepts.
    """
    if random_state is None:
        return np.random.default_rng().integers(1, 2**31 - 1, size=n).tolist()
    return check_random_state(random_state).randint(1, 2**31 - 1, size=n).tolist()


def draw_rows(n_rows: int, n: int, random: np.random.RandomState) -> NDArray[np.intp]:
    """Draw n of some rows without replacement, rising; return all if there are no more."""
    if n_rows <= n:
        return np.arange(n_rows)
    return np.sort(random.choice(n_rows, n, replace=False))
