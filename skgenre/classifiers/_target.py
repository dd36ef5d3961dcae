"""Checks of the genres that a classifier is to learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length

from skgenre.utils._validation import check_genres


def check_target(estimator: Any, X: NDArray[Any], y: Any) -> NDArray[Any]:
    """Check the genres of the tracks: one known label each, at least two different ones."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the "
            "target y is None: give the genre of each track."
        )
    check_genres(y, X)
    # Not validate_data(estimator, "no_validation", y): it deletes feature_names_in_.
    y = _check_y(_as_objects(y), estimator=estimator)
    check_consistent_length(X, y)
    try:
        np.unique(y)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y})
        mixed = len(kinds) > 1
        raise ValueError(
            f"y {'mixes' if mixed else 'has'} labels of the type{'s' * mixed} {', '.join(kinds)}, "
            "which cannot be sorted; give strings, or integers."
        ) from error
    check_classification_targets(y)
    return y


def _as_objects(y: Any) -> Any:
    """Return texts of NumPy's StringDType as objects: scikit-learn does not know this type."""
    return y.astype(object) if getattr(getattr(y, "dtype", None), "kind", None) == "T" else y


def check_two_classes(estimator: Any, classes: NDArray[Any]) -> None:
    """Refuse targets of a single class."""
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs tracks of at least 2 classes; got 1 class: "
            f"{classes.tolist()[0]!r}."
        )
