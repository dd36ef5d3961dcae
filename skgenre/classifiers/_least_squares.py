"""A linear classifier of many tracks, fitted in one pass."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.utils._rows import parts_of_rows


class LeastSquaresClassifier(ClassifierMixin, BaseEstimator):
    """Linear scores of each class against all others, by regularised least squares.

    The solution needs only sums of products of the columns, which are taken in one pass over the
    tracks. Beside X itself, memory does not depend on the number of tracks.

    Parameters
    ----------
    C : float, default=1.0
        Weight of the squared errors, as for ``LinearSVC``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features), float64
        Weights of the score in favour of the second of two classes, or of each class.
    intercept_ : ndarray of shape (1,) or (n_classes,), float64
        What is added to them.
    n_features_in_ : int
        Number of columns of X in ``fit``.

    See Also
    --------
    sklearn.linear_model.RidgeClassifier : The same scores; in float32 it loses the digits that a
        kernel of landmarks needs, and in float64 it copies X.

    Notes
    -----
    The weights w and the intercept b of a class minimise
    ``w @ w / 2 + C * sum((t - X @ w - b)**2)``, where t is 1 for the tracks of the class, and -1
    for all others.

    Examples
    --------
    >>> from skgenre.classifiers._least_squares import LeastSquaresClassifier
    >>> model = LeastSquaresClassifier().fit([[0.0], [1.0], [4.0], [5.0]], ["a", "a", "b", "b"])
    >>> model.decision_function([[1.0], [4.0]]).round(2)
    array([-0.69,  0.69])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, C=1.0):
        self.C = C

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit the scores.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table.
        y : array-like of shape (n_tracks,)
            Class of each track.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        y = check_target(self, X, y)
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        check_two_classes(self, self.classes_)
        n_tracks, n_features = X.shape
        mean = X.mean(axis=0, dtype=np.float64)
        products = np.zeros((n_features, n_features))
        sums = np.zeros((len(self.classes_), n_features))
        for rows in parts_of_rows(n_tracks):
            centred = X[rows] - mean  # float64
            products += centred.T @ centred
            members = codes[rows] == np.arange(len(self.classes_))[:, np.newaxis]
            sums += members.astype(np.float64) @ centred
        products[np.diag_indices(n_features)] += 1 / (2 * self.C)
        # The targets less their means; the sum of the centred tracks is 0.
        self.coef_ = np.linalg.solve(products, 2 * sums.T).T
        self.intercept_ = 2 * counts / n_tracks - 1 - self.coef_ @ mean
        if len(self.classes_) == 2:
            self.coef_, self.intercept_ = self.coef_[1:], self.intercept_[1:]
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the score of each class, or in favour of the second of two.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_tracks,) or (n_tracks, n_classes), float64
            Higher scores are in favour of the class.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        parts = [X[rows].astype(np.float64) @ self.coef_.T for rows in parts_of_rows(len(X))]
        scores = np.concatenate(parts) + self.intercept_
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the highest score.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to ``fit``.
        """
        scores = self.decision_function(X)
        codes = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[codes]
