"""Metrics of predictions, for all resamples of the tracks at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skgenre.utils._pipeline import segment_outputs
from skgenre.utils._validation import check_genres

Array = NDArray[Any]

# In the order of the tables.
METRICS = (
    "segment_accuracy",
    "track_accuracy",
    "balanced_accuracy",
    "macro_f1",
    "log_loss",
    "calibration_error",
)
CONFIDENCE = 0.95
_N_BINS = 10
# A probability of zero for the true genre would make the log loss infinite.
_SMALLEST = float(np.finfo(np.float32).eps)


def weighted_metrics(
    codes: Array,
    predicted: Array,
    proba: Array | None,
    segment_share: Array | None,
    weights: Array,
) -> dict[str, Array]:
    """Measure predictions under several weightings of the tracks.

    Parameters
    ----------
    codes : ndarray of shape (n_tracks,) of int
        True genre, as an index of the classes.
    predicted : ndarray of shape (n_tracks,) of int
        Predicted genre; an index beyond the classes is wrong for each track.
    proba : ndarray of shape (n_tracks, n_classes) or None
        Probabilities; without them there is no log loss and no calibration error.
    segment_share : ndarray of shape (n_tracks,) or None
        Share of each track's segments that were right.
    weights : ndarray of shape (n_weightings, n_tracks)
        How often each track counts: ones, a fold's members, or a bootstrap's draws.

    Returns
    -------
    metrics : dict of str to ndarray of shape (n_weightings,)
        Those of ``METRICS`` that can be measured, by name.
    """
    total = weights.sum(axis=1)
    right = (codes == predicted).astype(float)
    metrics = {"track_accuracy": weights @ right / total}
    if segment_share is not None:
        metrics["segment_accuracy"] = weights @ segment_share / total

    classes = np.arange(codes.max() + 1)
    is_true = (codes[:, np.newaxis] == classes).astype(float)  # (n_tracks, n_classes)
    is_predicted = (predicted[:, np.newaxis] == classes).astype(float)
    n_true = weights @ is_true  # (n_weightings, n_classes)
    n_found = weights @ (is_true * is_predicted)
    # Genres without a track in a resample are left out of its means.
    occurs = n_true > 0
    recall = np.divide(n_found, n_true, out=np.zeros_like(n_true), where=occurs)
    f1 = 2 * n_found / np.where(occurs, n_true + weights @ is_predicted, 1)
    metrics["balanced_accuracy"] = recall.sum(axis=1) / occurs.sum(axis=1)
    metrics["macro_f1"] = np.where(occurs, f1, 0).sum(axis=1) / occurs.sum(axis=1)
    if proba is not None:
        likelihood = np.maximum(proba[np.arange(len(codes)), codes], _SMALLEST)
        metrics["log_loss"] = weights @ -np.log(likelihood) / total
        gaps = _calibration_gaps(codes, proba, weights)
        metrics["calibration_error"] = np.abs(gaps).sum(axis=1)
    return metrics


def _calibration_gaps(codes: Array, proba: Array, weights: Array) -> Array:
    """Return by how much the right tracks of each bin differ from its confidence.

    Shape (n_weightings, n_bins); in shares of all tracks, negative where too confident.
    """
    confidence = proba.max(axis=1)
    gap = (proba.argmax(axis=1) == codes) - confidence
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    in_bin = bins[:, np.newaxis] == np.arange(_N_BINS)  # (n_tracks, n_bins)
    return weights @ (in_bin * gap[:, np.newaxis]) / weights.sum(axis=1, keepdims=True)


def calibration_estimate(codes: Array, proba: Array, weights: Array) -> dict[str, float | None]:
    """Return the calibration error and its interval.

    The error is a sum of absolute gaps, to which the noise of each bin adds even if a model is
    calibrated. Each resample adds noise again, so that a percentile interval lies too high.
    The interval here bootstraps the gaps themselves, with their signs: noise adds to the error
    at most the sum of its absolute values, and takes from it what has the sign of a gap against it.

    Parameters
    ----------
    codes : ndarray of shape (n_tracks,) of int
        True genre, as an index of the classes.
    proba : ndarray of shape (n_tracks, n_classes)
        Probabilities.
    weights : ndarray of shape (n_bootstrap, n_tracks)
        The draws of the bootstrap.

    Returns
    -------
    estimate : dict of str to float
        As :func:`estimate` returns it.
    """
    (gaps,) = _calibration_gaps(codes, proba, np.ones((1, len(codes))))
    noise = _calibration_gaps(codes, proba, weights) - gaps  # (n_bootstrap, n_bins)
    value = np.abs(gaps).sum()
    _, added = interval(np.abs(noise).sum(axis=1))
    _, taken = interval(-noise @ np.sign(gaps))
    return estimate(value, (max(0.0, value - added), min(1.0, value + taken)))


def bootstrap_weights(units: Array, n_bootstrap: int, seed: int) -> Array:
    """Draw resamples of units; the tracks of a unit are drawn together.

    Parameters
    ----------
    units : ndarray of shape (n_tracks,)
        The unit of each track: its artist, or itself.
    n_bootstrap : int
        Number of resamples.
    seed : int
        Seed of the draws.

    Returns
    -------
    weights : ndarray of shape (n_bootstrap, n_tracks)
        How often each track was drawn.
    """
    names, members = np.unique(units, return_inverse=True)
    n_units = len(names)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_bootstrap)
    return drawn[:, members].astype(float)


def interval(values: Array) -> tuple[float, float]:
    """Return the percentile interval of bootstrapped values."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def estimate(value: float, ends: tuple[float, float] | None) -> dict[str, float | None]:
    """Return a value and the ends of its interval, widened to hold it; None without an interval."""
    value = float(value)
    if ends is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": min(ends[0], value), "high": max(ends[1], value)}


def segment_accuracy_scorer(estimator: Any, X: Any, y: Any) -> float:
    """Score single segments: the share of them whose most probable genre is right.

    Give it to scikit-learn as a scorer, beside the accuracy of tracks:
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
        If the classifier does not predict segments.

    See Also
    --------
    evaluate : Measures both accuracies under a protocol.

    Notes
    -----
    All segments of a track are on one side of a split of tracks: this is not the leaking
    accuracy by segment of many papers, which :func:`leakage_audit` shows.

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
    check_genres(y, X)
    y = column_or_1d(y)
    proba, classes = segment_outputs(estimator, X)
    check_consistent_length(proba, y)
    return float(np.mean(segment_shares(proba, classes, y)))


def segment_shares(proba: Array, classes: Array, y: Array) -> Array:
    """Return the share of each track's segments that are right."""
    best = classes[proba.argmax(axis=2)]  # (n_tracks, n_segments)
    return (best == y[:, np.newaxis]).mean(axis=1)


def precision_at_k(
    indices: Any, y: Any, *, y_catalogue: Any = None, average: str | None = "tracks"
) -> Any:
    """Measure how many of the nearest tracks have the same genre.

    Parameters
    ----------
    indices : array-like of shape (n_tracks, k) of int
        Rows of the nearest tracks, as :meth:`SimilarTracks.kneighbors` returns them; -1 where
        there is none.
    y : array-like of shape (n_tracks,)
        Genre of each track.
    y_catalogue : array-like of shape (n_catalogue,), default=None
        Genre of each track of the catalogue that was searched; None means ``y``.
    average : {"tracks", "genres"} or None, default="tracks"
        Mean over tracks, mean over genres of their means, or the mean of each genre.

    Returns
    -------
    precision : float or ndarray of shape (n_genres,)
        Share of the neighbours that have the genre of their track; one for each genre, in sorted
        order, where ``average`` is None. A neighbour that is missing counts as one of another
        genre.

    Raises
    ------
    ValueError
        If the lengths differ, a genre is missing, or an index is not in the catalogue.

    See Also
    --------
    SimilarTracks : Finds the nearest tracks, of other artists if asked for.

    Notes
    -----
    Tracks of one artist or album sound alike: measure with neighbours by other artists only.

    Examples
    --------
    >>> from skgenre import precision_at_k
    >>> precision_at_k([[1, 2], [0, 2], [0, 1]], ["calm", "calm", "loud"])
    0.3333333333333333
    """
    if average not in ("tracks", "genres", None):
        raise ValueError(f"average={average!r} must be 'tracks', 'genres' or None.")
    indices = check_array(indices, dtype=np.intp, input_name="indices")
    check_genres(y, indices)
    y = column_or_1d(y)
    check_consistent_length(indices, y)
    catalogue = y
    if y_catalogue is not None:
        check_genres(y_catalogue, y_catalogue)
        catalogue = column_or_1d(y_catalogue)
    if indices.min() < -1 or indices.max() >= len(catalogue):
        raise ValueError(
            f"indices run from {indices.min()} to {indices.max()}, but the catalogue has "
            f"{len(catalogue)} tracks; give their genres as y_catalogue."
        )
    hits = (catalogue[indices] == y[:, np.newaxis]) & (indices >= 0)
    of_track = hits.mean(axis=1)
    if average == "tracks":
        return float(of_track.mean())
    of_genre = np.array([of_track[y == genre].mean() for genre in np.unique(y)])
    return float(of_genre.mean()) if average == "genres" else of_genre
