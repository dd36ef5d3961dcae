"""Fusion of feature sets: nearest neighbours by a weighted sum of distances."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skgenre.classifiers._target import check_target
from skgenre.utils._random import draw_seeds
from skgenre.utils._site import DocLinkMixin

Array = NDArray[Any]

# What SciPy calls them.
_METRICS: dict[str, Any] = {"euclidean": "euclidean", "manhattan": "cityblock"}
_MAX_CANDIDATES = 20_000
_BLOCK = 256  # tracks whose distances are computed together


class FusionKNeighborsClassifier(DocLinkMixin, ClassifierMixin, BaseEstimator):
    """Nearest neighbours by a weighted sum of the distances of several feature sets.

    The columns of the table belong to sets, such as rhythm, pitch and timbre. Two tracks
    are as far apart as the weighted sum of their distances in each set says; the nearest
    tracks vote on the genre.

    Parameters
    ----------
    feature_sets : None, "prefix" or list, default=None
        Which columns belong together. A list says it set by set: numbers of columns, which
        follow each other and add up to all; or for each set a slice, a list of column
        indices or names, or the prefix of its names: "rhythm" means the columns
        ``rhythm__...``, as ``FeatureUnion`` and ``ColumnTransformer`` call them. Columns in
        no set are not read. "prefix" makes a set of each prefix. None makes one set of all
        columns.
    n_neighbors : int, default=5
        Tracks that vote.
    weights : None, "search" or array-like of shape (n_sets,), default=None
        Weight of each set; only their ratios count. "search" takes those that do best in a
        cross-validation of the training tracks. None weights all sets alike.
    metric : {"euclidean", "manhattan"}, default="euclidean"
        Distance within a set.
    n_steps : int, default=5
        Fineness of the search: each weight is a multiple of ``1 / n_steps``, and all such
        weights that sum to 1 are tried.
    cv : int, cross-validation generator or None, default=None
        Folds of the search. An int makes shuffled folds stratified by genre, by group as
        well where ``fit`` is given groups; where a genre has fewer tracks, there are as
        many folds. None means 5.
    random_state : int, RandomState instance or None, default=None
        Shuffles the folds of the search.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted.
    feature_sets_ : list of ndarray
        Indices of the columns of each set.
    distance_scales_ : ndarray of shape (n_sets,)
        Mean distance of two training tracks in each set.
    weights_ : ndarray of shape (n_sets,)
        Weight of each set; they sum to 1.
    search_results_ : dict or None
        "weights" of shape (n_candidates, n_sets) and "mean_accuracy" of shape
        (n_candidates,) of the search; None where there was none.
    n_features_in_ : int
        Number of columns in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only where X was a data frame.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : The other fusion, a vote of one classifier a set.
    sklearn.neighbors.KNeighborsClassifier : Nearest neighbours in one set.

    Notes
    -----
    This is the first of two ways to fuse feature sets in [1]_, which gives neither a
    formula nor weights. The distance here is

        d(a, b) = sum over sets s of w_s * d_s(a, b) / m_s

    with ``m_s`` the mean of ``d_s`` over all pairs of training tracks, so that a set weighs
    the same in any unit and with any number of columns. (Distances over many columns differ
    less from pair to pair: at equal weights a large set of unrelated columns still says less
    than a small one.) Within a set, columns count by their unit: put a ``StandardScaler``
    before.

    The search computes all distances once; ``C(n_steps + n_sets - 1, n_sets - 1)`` candidates
    are then sums. Of equally good weights those closest to equal ones are taken.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning".

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 20)
    >>> telling = rng.normal(size=(40, 2)) + 2.0 * (y == "loud")[:, np.newaxis]
    >>> noise = 100 * rng.normal(size=(40, 8))
    >>> X = np.hstack([telling, noise])
    >>> model = FusionKNeighborsClassifier(feature_sets=[2, 8], weights="search", random_state=0)
    >>> bool(model.fit(X, y).weights_[0] > 0.5)
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "feature_sets": [None, StrOptions({"prefix"}), list, tuple],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "weights": [None, StrOptions({"search"}), "array-like"],
        "metric": [StrOptions(set(_METRICS))],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "cv": ["cv_object"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        feature_sets=None,
        n_neighbors=5,
        weights=None,
        metric="euclidean",
        n_steps=5,
        cv=None,
        random_state=None,
    ):
        self.feature_sets = feature_sets
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.metric = metric
        self.n_steps = n_steps
        self.cv = cv
        self.random_state = random_state

    # What scikit-learn's metadata routing passes on without set_fit_request.
    __metadata_request__fit = {"groups": True}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Keep the training tracks, and search the weights where that is asked for.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_columns)
            The table.
        y : array-like of shape (n_tracks,)
            Genre of each track.
        groups : array-like of shape (n_tracks,), default=None
            Group of each track, such as its artist, that the search does not divide
            between two folds.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If sets, weights and columns do not fit each other, or if there are too few
            tracks for ``n_neighbors`` or for the search.
        """
        X = validate_data(self, X, dtype=np.float64)
        y = check_target(self, X, y)
        if self.n_neighbors > len(X):
            raise ValueError(
                f"n_neighbors={self.n_neighbors} is more than the number of tracks, n_samples = "
                f"{len(X)}; lower it, or give more tracks."
            )
        self.classes_, self._codes = np.unique(y, return_inverse=True)
        self.feature_sets_ = self._columns_of_sets()
        self._X = X
        self.search_results_: dict[str, Any] | None = None
        n_sets = len(self.feature_sets_)
        if isinstance(self.weights, str):
            self._search(y, groups)
            return self
        self.distance_scales_ = np.array([self._mean_distance(s) for s in range(n_sets)])
        self.weights_ = self._given_weights(n_sets)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the shares of the neighbours' votes.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_columns)
            The table.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Rows sum to one; columns as in ``classes_``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        proba = np.empty((len(X), len(self.classes_)))
        shares = self.weights_ / self.distance_scales_
        for start in range(0, len(X), _BLOCK):
            rows = X[start : start + _BLOCK]
            distances = np.zeros((len(rows), len(self._X)))
            for s in np.flatnonzero(shares).tolist():
                distances += shares[s] * self._distances(rows, self._X, s)
            proba[start : start + _BLOCK] = self._vote(distances, self._codes)
        return proba

    def predict(self, X: Any) -> Array:
        """Return the genre that most neighbours have.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_columns)
            The table.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Genres; of two with equal votes the first in ``classes_``.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def _vote(self, distances: Array, codes: Array) -> NDArray[np.float64]:
        """Turn distances (n_rows, n_train) into shares of votes (n_rows, n_classes)."""
        n = min(int(self.n_neighbors), distances.shape[1])
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :n]
        votes = codes[nearest][:, :, np.newaxis] == np.arange(len(self.classes_))
        return votes.mean(axis=1)

    def _distances(self, A: Array, B: Array, s: int) -> NDArray[np.float64]:
        """Compute the distances in one set; unlike a matrix product, the same for any batch."""
        columns = self.feature_sets_[s]
        return cdist(A[:, columns], B[:, columns], metric=_METRICS[self.metric])

    def _mean_distance(self, s: int) -> float:
        """Return the mean distance of two training tracks in a set, or 1 if all are equal."""
        n = len(self._X)
        total = sum(
            self._distances(self._X[start : start + _BLOCK], self._X, s).sum()
            for start in range(0, n, _BLOCK)
        )
        return float(total / (n * (n - 1))) if total > 0 else 1.0

    def _given_weights(self, n_sets: int) -> NDArray[np.float64]:
        if self.weights is None:
            return np.full(n_sets, 1 / n_sets)
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (n_sets,):
            raise ValueError(
                f"weights={self.weights!r} has the shape {weights.shape}, but there are {n_sets} "
                "feature sets; give one weight for each."
            )
        if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() == 0:
            raise ValueError(
                f"weights={self.weights!r} must be finite, not negative, and not all 0."
            )
        return weights / weights.sum()

    def _search(self, y: Array, groups: Any) -> None:
        """Set the weights, of all on the grid, that do best in a cross-validation."""
        n_sets = len(self.feature_sets_)
        n_candidates = comb(self.n_steps + n_sets - 1, n_sets - 1)
        if n_candidates > _MAX_CANDIDATES:
            raise ValueError(
                f"{n_sets} feature sets and n_steps={self.n_steps} make {n_candidates} weights to "
                f"try, more than {_MAX_CANDIDATES}; lower n_steps."
            )
        distances = np.stack([self._distances(self._X, self._X, s) for s in range(n_sets)])
        n = len(self._X)
        means = distances.sum(axis=(1, 2)) / max(1, n * (n - 1))
        self.distance_scales_ = np.where(means > 0, means, 1.0)
        distances /= self.distance_scales_[:, np.newaxis, np.newaxis]
        candidates = np.array(list(_simplex(n_sets, int(self.n_steps))))
        accuracy = []
        for train, test in self._folds(y, groups):
            part = distances[:, test][:, :, train]  # (n_sets, n_test, n_train)
            fold = []
            for weights in candidates:
                votes = self._vote(np.tensordot(weights, part, axes=1), self._codes[train])
                fold.append(np.mean(votes.argmax(axis=1) == self._codes[test]))
            accuracy.append(fold)
        mean_accuracy = np.mean(accuracy, axis=0)
        uneven = np.square(candidates - 1 / n_sets).sum(axis=1)
        # Rounded, so that the order in which folds are added up decides nothing.
        best = np.lexsort((uneven.round(9), -mean_accuracy.round(9)))[0]
        self.weights_ = candidates[best]
        self.search_results_ = {"weights": candidates, "mean_accuracy": mean_accuracy}

    def _folds(self, y: Array, groups: Any) -> Any:
        cv = 5 if self.cv is None else self.cv
        if not isinstance(cv, Integral):
            return check_cv(cv, y, classifier=True).split(self._X, y, groups)
        counts = np.bincount(self._codes)
        if counts.min() < 2:
            rarest = self.classes_[counts.argmin()]
            raise ValueError(
                f'weights="search" needs two tracks of each genre or more; {rarest!r} has only '
                "one. Give weights, add tracks or leave the genre out."
            )
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        folds = kind(
            n_splits=min(int(cv), int(counts.min())),
            shuffle=True,
            random_state=draw_seeds(self.random_state, 1)[0],
        )
        return folds.split(self._X, y, groups)

    def _columns_of_sets(self) -> list[NDArray[np.intp]]:
        """Return the indices of the columns of each set."""
        n_columns = self.n_features_in_
        if self.feature_sets is None:
            return [np.arange(n_columns)]
        if isinstance(self.feature_sets, str):
            prefixes = [name.partition("__")[0] for name in self._names()]
            return [
                np.flatnonzero(np.array(prefixes) == prefix) for prefix in dict.fromkeys(prefixes)
            ]
        if not self.feature_sets:
            raise ValueError("feature_sets is empty; give one entry for each set, or None.")
        if all(isinstance(entry, Integral) for entry in self.feature_sets):
            return self._by_size([int(entry) for entry in self.feature_sets])
        return [self._one_set(entry) for entry in self.feature_sets]

    def _by_size(self, sizes: list[int]) -> list[NDArray[np.intp]]:
        if min(sizes) < 1 or sum(sizes) != self.n_features_in_:
            raise ValueError(
                f"feature_sets={self.feature_sets!r} are numbers of columns, which must be "
                f"positive and add up to all {self.n_features_in_} columns of X; they add up to "
                f"{sum(sizes)}."
            )
        return np.split(np.arange(self.n_features_in_), np.cumsum(sizes)[:-1])

    def _one_set(self, entry: Any) -> NDArray[np.intp]:
        n_columns = self.n_features_in_
        if isinstance(entry, slice):
            columns = np.arange(n_columns)[entry]
        elif isinstance(entry, str):
            starts = [name.startswith(f"{entry}__") for name in self._names()]
            columns = np.flatnonzero(starts)
        elif not isinstance(entry, (list, tuple, range, np.ndarray)):
            raise ValueError(
                f"feature_sets holds {entry!r}; a set is a slice, a list of columns or a prefix of "
                "their names. Numbers of columns stand for themselves only where all entries "
                "are numbers."
            )
        elif any(isinstance(column, str) for column in entry):
            places: dict[Any, int] = {name: i for i, name in enumerate(self._names())}
            unknown = [column for column in entry if column not in places]
            if unknown:
                raise ValueError(
                    f"feature_sets names the columns {unknown!r}, which X has not; its columns are "
                    f"{list(places)[:10]!r}{' and more' if len(places) > 10 else ''}."
                )
            columns = np.array([places[column] for column in entry], dtype=np.intp)
        else:
            columns = np.array(entry, dtype=np.intp)
            if columns.size and not (-n_columns <= columns.min() <= columns.max() < n_columns):
                raise ValueError(
                    f"feature_sets holds {entry!r}, but X has {n_columns} columns, 0 to "
                    f"{n_columns - 1}."
                )
        if columns.size == 0:
            raise ValueError(
                f"feature_sets holds {entry!r}, which is no column of the {n_columns} that X has; "
                "leave it out, or look at the names of the columns."
            )
        return columns

    def _names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            raise ValueError(
                f"feature_sets={self.feature_sets!r} goes by names of columns, but X is an array "
                'without names; let the step before set_output(transform="pandas"), or give '
                "slices, indices or numbers of columns."
            )
        return list(names)


def _simplex(n_sets: int, n_steps: int) -> Iterator[NDArray[np.float64]]:
    """Yield all weights that are multiples of ``1 / n_steps`` and sum to 1."""
    places = n_steps + n_sets - 1
    # The gaps between n_sets - 1 bars, put among n_steps stars in every way.
    for bars in combinations(range(places), n_sets - 1):
        yield (np.diff([-1, *bars, places]) - 1) / n_steps
