"""Similarity of tracks by groups of columns."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skgenre.preprocessing._feature_groups import columns_by_group, group_labels
from skgenre.utils._random import draw_rows
from skgenre.utils._rows import parts_of_rows
from skgenre.utils._site import DocLinkMixin

Double = NDArray[np.float64]

# Maximum number of tracks from which the typical distance of two tracks is estimated.
_MAX_COMPARED = 1000
# Tracks whose similarities are computed together, to limit the memory.
_TRACKS_TOGETHER = 1000


class GroupKernel(DocLinkMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Compare tracks group by group, and average the similarities.

    With one kernel over all columns, two tracks are similar only if nothing differs much. Here
    each group of columns has its own kernel and scale, and the similarity of two tracks is the
    mean over the groups: tracks that share harmony and rhythm stay similar if their timbre
    differs. ::

        model = make_pipeline(GroupScaler(), GroupKernel(), SVC(C=10, kernel="precomputed"))
        model.fit(table, genres)

    Parameters
    ----------
    feature_groups : "auto" or array-like of shape (n_features,), default="auto"
        The group of each column, as for :class:`GroupScaler`.
    gamma : float, default=1.0
        How fast similarity falls with the distance, in units of the typical distance.
    group_weights : dict of str to float or None, default=None
        Weight of some groups in the mean, by their names; all others weigh 1. A group of weight 0
        does not count. None gives all groups the same weight.
    n_landmarks : int or None, default=None
        None compares with every track of ``fit``, for ``SVC(kernel="precomputed")``. An int
        draws that number of tracks of ``fit`` (all if there are fewer) and gives features
        whose products approximate the similarities [2]_, for linear classifiers of many
        tracks.
    random_state : int, RandomState instance or None, default=None
        Draws the landmarks, and with more than 1000 tracks those from which the typical
        distance is estimated.

    Attributes
    ----------
    X_fit_ : ndarray of shape (n_fit, n_features)
        The tracks to compare with: those of ``fit``, or the landmarks.
    feature_groups_ : list of str
        The groups, in the order of their first columns.
    columns_ : dict of str to ndarray
        Positions of the columns of each group.
    scales_ : ndarray of shape (n_groups,)
        The typical squared distance in each group; NaN where all tracks are equal, and the
        group is left out.
    group_weights_ : ndarray of shape (n_groups,)
        The weight of each group; 0 where it is left out because all tracks are equal.
    landmarks_ : ndarray of shape (n_landmarks,) or None
        The rows of ``fit`` that are the landmarks, rising; None without landmarks.
    normalization_ : ndarray of shape (n_landmarks, n_landmarks) or None
        The matrix that turns similarities to the landmarks into features; None without
        landmarks.
    n_features_in_ : int
        Number of columns of X in ``fit``.

    See Also
    --------
    GroupScaler : Scales columns; use it before.
    ArtistWhitening : Shrinks the differences between artists, in each group separately.

    Notes
    -----
    With :math:`x^{(g)}` the columns of group g, :math:`w_g` its weight, and :math:`m_g` the median
    of the squared distances between the tracks of ``fit``, the similarity is

    .. math:: k(x, z) = \frac{1}{\sum_g w_g} \sum_g w_g
              \exp(-\gamma \lVert x^{(g)} - z^{(g)} \rVert^2 / m_g).

    A sum of kernels is a kernel; equal weights are hard to beat by learnt ones [1]_. Where
    the median is 0, the mean is used.

    References
    ----------
    .. [1] M. Gonen and E. Alpaydin, "Multiple kernel learning algorithms", Journal of Machine
       Learning Research, 2011.
    .. [2] C. Williams and M. Seeger, "Using the Nystroem method to speed up kernel machines",
       NIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import GroupKernel
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> GroupKernel(feature_groups=["rhythm", "harmony"]).fit_transform(X).round(2)
    array([[1.  , 0.68, 0.37],
           [0.68, 1.  , 0.68],
           [0.37, 0.68, 1.  ]])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "feature_groups": [StrOptions({"auto"}), "array-like"],
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "group_weights": [dict, None],
        "n_landmarks": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        feature_groups="auto",
        gamma=1.0,
        group_weights=None,
        n_landmarks=None,
        random_state=None,
    ):
        self.feature_groups = feature_groups
        self.gamma = gamma
        self.group_weights = group_weights
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Keep the tracks, and learn their typical distance in each group.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table.
        y : Ignored
            Present by convention.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If ``feature_groups`` has not one label for each column, or ``group_weights`` names a
            group that is not there, has a weight that is not a finite number of 0 or more, or
            leaves out all groups.
        """
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        self.columns_ = columns_by_group(group_labels(self, self.feature_groups))
        self.feature_groups_ = list(self.columns_)
        weights = self._checked_weights()
        random = check_random_state(self.random_state)
        # Distances do not depend on the origin, and lose the fewest digits around the mean.
        self._origin = X.mean(axis=0, dtype=np.float64)
        compared = X[draw_rows(len(X), _MAX_COMPARED, random)] - self._origin
        self.scales_ = np.array([_typical_distance(compared[:, c]) for c in self.columns_.values()])
        self.group_weights_ = np.where(np.isnan(self.scales_), 0.0, weights)
        self.landmarks_ = self.normalization_ = None
        if self.n_landmarks is None:
            self.X_fit_ = X.copy()  # the caller may change X later
            return self
        self.landmarks_ = draw_rows(len(X), int(self.n_landmarks), random)
        self.X_fit_ = X[self.landmarks_]
        values, vectors = np.linalg.eigh(self._compare(self.X_fit_, self.X_fit_))
        values = np.maximum(values, 1e-12)
        self.normalization_ = (vectors / np.sqrt(values)) @ vectors.T
        return self

    def transform(self, X: Any) -> Double:
        """Return the similarity of each track to those of ``fit``, or features.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_fit) or (n_tracks, n_landmarks)
            Similarities between 0 and 1, float64, or features of the type of X. A data frame
            where ``set_output`` asks for one.
        """
        X = self._checked(X)
        # In float64, the features of many tracks would take the most memory of all.
        dtype = np.float64 if self.normalization_ is None else X.dtype
        out = np.empty((len(X), len(self.X_fit_)), dtype=dtype)
        for part in parts_of_rows(len(X), _TRACKS_TOGETHER):
            similarities = self._compare(X[part], self.X_fit_)
            if self.normalization_ is not None:
                similarities = similarities @ self.normalization_.T
            out[part] = similarities
        return out

    def similarities(self, X: Any, Z: Any = None) -> Double:
        """Return the similarity of each track to each of some others.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.
        Z : array-like of shape (n_others, n_features), default=None
            The other tracks, which need not be those of ``fit``. None compares with ``X_fit_``.

        Returns
        -------
        similarities : ndarray of shape (n_tracks, n_others), float64
            Between 0 and 1, by the distances that are typical for the tracks of ``fit``; always an
            array.
        """
        X = self._checked(X)
        Z = self.X_fit_ if Z is None else self._checked(Z)
        return np.concatenate(
            [self._compare(X[part], Z) for part in parts_of_rows(len(X), _TRACKS_TOGETHER)]
        )

    @np.errstate(under="ignore")
    def contributions(self, X: Any, coef: Any) -> Double:
        """Split a linear function of what ``transform`` returns into a sum over feature groups.

        The similarity of two tracks is a mean over the groups, so that each group has an exact
        part in whatever is linear in similarities, such as the score of a support vector machine.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.
        coef : array-like of shape (n_outputs, n_fit) or (n_outputs, n_landmarks)
            The function: ``transform(X) @ coef.T`` has a column for each output.

        Returns
        -------
        parts : ndarray of shape (n_tracks, n_outputs, n_groups), float64
            The part of each group, in the order of ``feature_groups_``; the sum over groups is
            ``transform(X) @ coef.T``. The part of a group in which all tracks of ``fit`` are
            equal is 0. If they are equal in all groups, all parts are the same.

        Raises
        ------
        ValueError
            If ``coef`` does not have one column for each column of ``transform``.

        Examples
        --------
        >>> import numpy as np
        >>> from skgenre import GroupKernel
        >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> kernel = GroupKernel(feature_groups=["rhythm", "harmony"]).fit(X)
        >>> kernel.contributions(X[:1], [[0, 1, 0]]).round(2)  # similarity to the second track
        array([[[0.5 , 0.18]]])
        """
        X = self._checked(X)
        coef = np.asarray(coef, dtype=np.float64)
        if coef.ndim != 2 or coef.shape[1] != len(self.X_fit_):
            raise ValueError(
                f"coef has the shape {coef.shape}; expected (n_outputs, {len(self.X_fit_)}), a "
                "weight for each column of transform."
            )
        if self.normalization_ is not None:
            coef = coef @ self.normalization_
        weights = self._weights()
        parts = np.zeros((len(X), len(coef), len(weights)))
        for part in parts_of_rows(len(X), _TRACKS_TOGETHER):
            for group, similarities in self._by_group(X[part], self.X_fit_):
                parts[part, :, group] = weights[group] * (similarities @ coef.T) / weights.sum()
        return parts

    def _checked(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=(np.float64, np.float32))

    def _weights(self) -> Double:
        """Return the weights of the groups; all the same where all tracks of ``fit`` are."""
        weights = self.group_weights_
        return weights if weights.any() else np.ones(len(weights))

    @np.errstate(under="ignore")
    def _compare(self, X: NDArray[Any], Z: NDArray[Any]) -> Double:
        """Return the mean similarity over groups: (len(X), len(Z))."""
        weights = self._weights()
        total = np.zeros((len(X), len(Z)))
        for group, similarities in self._by_group(X, Z):
            total += weights[group] * similarities
        return total / weights.sum()

    def _by_group(self, X: NDArray[Any], Z: NDArray[Any]) -> Iterator[tuple[int, Double]]:
        """Yield the number of each group that counts, and the similarities in it."""
        A, B = X - self._origin, Z - self._origin
        columns = list(self.columns_.values())
        for group in np.flatnonzero(self._weights()):
            if np.isnan(self.scales_[group]):
                yield int(group), np.ones((len(A), len(B)))
                continue
            squares = _squares(A[:, columns[group]], B[:, columns[group]])
            yield int(group), _decay(-self.gamma / self.scales_[group] * squares)

    def _checked_weights(self) -> Double:
        """Return the weight of each group."""
        given = self.group_weights or {}
        unknown = [name for name in given if name not in self.feature_groups_]
        if unknown:
            raise ValueError(
                f"group_weights of GroupKernel names the group {unknown[0]!r}, but the groups are "
                f"{', '.join(map(repr, self.feature_groups_))}."
            )
        weights = np.ones(len(self.feature_groups_))
        for place, name in enumerate(self.feature_groups_):
            weight = given.get(name, 1.0)
            if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
                raise ValueError(
                    f"group_weights of GroupKernel gives the group {name!r} the weight "
                    f"{weight!r}; it must be a finite number, 0 or more."
                )
            weights[place] = float(weight)
        if not weights.any():
            raise ValueError(
                "group_weights of GroupKernel gives all groups the weight 0; at least one must "
                "be above 0."
            )
        return weights

    @property
    def _n_features_out(self) -> int:
        return len(self.X_fit_)


@np.errstate(under="ignore")  # what is too small to be a number is 0
def _decay(exponents: Double) -> Double:
    return np.exp(exponents)


def _squares(A: NDArray[Any], B: NDArray[Any]) -> Double:
    """Return squared distances of rows, in float64: float32 would round small ones to noise.

    scikit-learn's function checks its input at each call, which takes longer than the product
    where a few tracks are compared group by group.
    """
    A, B = A.astype(np.float64, copy=False), B.astype(np.float64, copy=False)
    squares = A @ B.T
    squares *= -2
    squares += np.einsum("ij,ij->i", A, A)[:, np.newaxis]
    squares += np.einsum("ij,ij->i", B, B)
    return np.maximum(squares, 0, out=squares)


def _typical_distance(X: NDArray[Any]) -> float:
    """Return the median of the squared distances between rows, NaN where all are equal."""
    squares = _squares(X, X)[np.triu_indices(len(X), k=1)]
    rounding = 1e-12 * np.square(X).sum(axis=1).max()
    if not squares.size or squares.max() <= rounding:
        return np.nan
    median = np.median(squares)
    return float(median if median > rounding else squares.mean())
