"""The accuracy of single segments, before any vote."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skgenre.utils._pipeline import segment_outputs


def segment_accuracy_scorer(estimator: Any, X: Any, y: Any) -> float:
    """Score single segments: the share of them whose most probable genre is right.

    It goes where scikit-learn takes a scorer, beside the accuracy of tracks:
    ``scoring={"track": "accuracy", "segment": segment_accuracy_scorer}``.

    Parameters
    ----------
    estimator : classifier, Pipeline or search
        Fitted; a classifier with ``predict_segment_proba``, a pipeline that ends in one,
        or a search over such.
    X : array-like of n_tracks
        Tracks, as the estimator takes them.
    y : array-like of shape (n_tracks,)
        Genre of each track.

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If the classifier does not judge segments.

    See Also
    --------
    evaluate : Measures both accuracies under a protocol.

    Notes
    -----
    Where X has one track on one side of a split only, so have its segments: this is not
    the leaking accuracy by segment of many papers, which :func:`leakage_audit` shows.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MLPGenreClassifier, segment_accuracy_scorer
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = np.random.default_rng(0).normal(size=(16, 2, 10, 3))
    >>> X[y == "loud"] += 2
    >>> mlp = MLPGenreClassifier(units=(8,), epochs=5, learning_rate=0.05, random_state=0)
    >>> segment_accuracy_scorer(mlp.fit(X, y), X, y) > 0.9
    True
    """
    y = column_or_1d(y)
    proba, classes = segment_outputs(estimator, X)
    check_consistent_length(proba, y)
    return float(np.mean(segment_shares(proba, classes, y)))


def segment_shares(
    proba: NDArray[Any], classes: NDArray[Any], y: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the share of each track's segments that are right."""
    best = classes[proba.argmax(axis=2)]  # (n_tracks, n_segments)
    return (best == y[:, np.newaxis]).mean(axis=1)
