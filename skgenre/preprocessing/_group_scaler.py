"""Scaling of columns in groups."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skgenre.preprocessing._feature_groups import group_labels
from skgenre.utils._rows import parts_of_rows
from skgenre.utils._site import DocLinkMixin

# Columns whose deviations are computed together in float64, to limit the memory.
_COLUMNS_TOGETHER = 256


class GroupScaler(DocLinkMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns, clip them, and give each group of columns the same weight.

    Each column is scaled to mean 0 and standard deviation 1, clipped at ``clip`` standard
    deviations, and divided by the square root of the number of columns of its group. In
    squared distances between tracks a group of 600 columns then counts as much as one of 20,
    and one odd recording cannot dominate. An SVM with an RBF kernel and nearest neighbours
    need that.

    Parameters
    ----------
    feature_groups : "auto" or array-like of shape (n_features,), default="auto"
        The group of each column, as labels. "auto" reads them from the column names of a data
        frame: the part before the last ``__``, such as "mfcc" for ``mfcc__3_mean``. All columns
        without ``__`` form one group. An array has no names, and "auto" takes its columns as
        one group; :meth:`ClipFeatures.get_feature_groups_out` returns the labels for it.
    clip : float or None, default=3.0
        Standardised values are clipped to the range from ``-clip`` to ``clip``. None does not
        clip.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each column.
    scale_ : ndarray of shape (n_features,)
        Standard deviation of each column, or 1 where it is constant.
    weights_ : ndarray of shape (n_features,)
        Weight of each column: 1 divided by the square root of the size of its group, or 0
        where the column is constant.
    n_features_in_ : int
        Number of columns of X in ``fit``.

    See Also
    --------
    ClipFeatures : Features in groups.
    GroupKernel : Compares tracks group by group.
    FrameScaler : For features of more than two dimensions, without groups.

    Notes
    -----
    A column that is constant in ``fit`` becomes 0, even if it varies in other tracks, because
    its scale is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import GroupScaler
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> scaler = GroupScaler(feature_groups=["tempo", "mfcc", "mfcc", "mfcc", "mfcc"])
    >>> scaler.fit_transform(X).std(axis=0).round(1).tolist()
    [1.0, 0.5, 0.5, 0.5, 0.5]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "feature_groups": [StrOptions({"auto"}), "array-like"],
        "clip": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, *, feature_groups="auto", clip=3.0):
        self.feature_groups = feature_groups
        self.clip = clip

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the mean and the standard deviation of each column.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table.
        y : Ignored
            Present by convention.

        Returns
        -------
        self : object
            The fitted scaler.

        Raises
        ------
        ValueError
            If ``feature_groups`` has not one label for each column.
        """
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        labels = group_labels(self, self.feature_groups)
        self.mean_, deviation = np.empty(X.shape[1]), np.empty(X.shape[1])
        for start in range(0, X.shape[1], _COLUMNS_TOGETHER):
            columns = slice(start, start + _COLUMNS_TOGETHER)
            values = X[:, columns].astype(np.float64)
            self.mean_[columns], deviation[columns] = values.mean(axis=0), values.std(axis=0)
        # A constant column minus its mean leaves rounding errors.
        constant = deviation <= 10 * np.finfo(X.dtype).eps * np.abs(self.mean_)
        self.scale_ = np.where(constant, 1.0, deviation)
        _, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        self.weights_ = np.where(constant, 0.0, 1 / np.sqrt(sizes[group]))
        return self

    def transform(self, X: Any) -> NDArray[np.floating[Any]]:
        """Scale a table with the statistics of ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_features)
            The scaled table, float32 where X is; a data frame where ``set_output`` asks for
            one.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        out = np.empty_like(X)
        for rows in parts_of_rows(len(X)):
            Xt = (X[rows] - self.mean_) / self.scale_
            if self.clip is not None:
                np.clip(Xt, -self.clip, self.clip, out=Xt)
            out[rows] = Xt * self.weights_
        return out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
