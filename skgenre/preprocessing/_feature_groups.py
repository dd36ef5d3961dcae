"""The feature group of each column of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def group_labels(estimator: Any, feature_groups: Any) -> NDArray[np.str_]:
    """Return the group of each column that an estimator saw in ``fit``.

    Parameters
    ----------
    estimator : estimator
        Has ``n_features_in_``, and ``feature_names_in_`` where the columns have names.
    feature_groups : "auto" or array-like of shape (n_features,)
        Labels, or "auto": the part of each column's name before the last ``__``. Columns
        without ``__`` form one group; without names all columns do.

    Returns
    -------
    labels : ndarray of shape (n_features,), str
        A label for each column.

    Raises
    ------
    ValueError
        If there is not one label for each column.
    """
    n_features = estimator.n_features_in_
    if isinstance(feature_groups, str):
        names = getattr(estimator, "feature_names_in_", np.full(n_features, ""))
        return np.array([str(name).rpartition("__")[0] for name in names])
    labels = np.asarray(feature_groups)
    if labels.shape != (n_features,):
        raise ValueError(
            f"feature_groups has the shape {labels.shape}, but X has {n_features} features; give "
            "one label for each column, such as ClipFeatures().get_feature_groups_out(), or "
            'feature_groups="auto".'
        )
    return np.array([str(label) for label in labels])


def columns_by_group(labels: NDArray[np.str_]) -> dict[str, NDArray[np.intp]]:
    """Return the columns of each group; groups in the order of their first columns."""
    names = list(dict.fromkeys(labels.tolist()))
    return {name: np.flatnonzero(labels == name) for name in names}
