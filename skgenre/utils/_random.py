"""Random seeds that leave global state alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def draw_seeds(random_state: Any, n: int) -> list[int]:
    """Draw integer seeds from what scikit-learn calls a random state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        An instance moves on. None draws from the system, where scikit-learn's own
        estimators draw from NumPy's global generator and so change it.
    n : int
        Number of seeds.

    Returns
    -------
    seeds : list of int
        Each in [1, 2**31 - 1), which every generator used here takes.
    """
    if random_state is None:
        return np.random.default_rng().integers(1, 2**31 - 1, size=n).tolist()
    return check_random_state(random_state).randint(1, 2**31 - 1, size=n).tolist()
