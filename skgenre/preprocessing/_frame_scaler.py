"""Scaling of features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skgenre.utils._rows import parts_of_rows
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import check_features

# Values whose mean and deviation are computed together.
_VALUES_TOGETHER = 2**20


class FrameScaler(
    DocLinkMixin, CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Standardise each feature over tracks, segments and frames.

    For each entry of the last axis, such as each MFCC, it removes the mean and divides by the
    standard deviation over all other axes. The first MFCC is about a hundred times as large
    as the last ones: without scaling, networks learn slowly or not at all.

    In a pipeline it is fitted on the training tracks only.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to remove the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each feature.
    scale_ : ndarray of shape (n_features,)
        Divisor of each feature: its standard deviation, or 1 where it is constant.
    n_features_in_ : int
        Size of the last axis of X in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only where X was a data frame.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The same for tables; this class uses it.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FrameScaler
    >>> X = np.random.default_rng(0).normal(5.0, 2.0, size=(8, 10, 130, 13))
    >>> Xt = FrameScaler().fit_transform(X)
    >>> bool(abs(Xt.mean()) < 1e-5), round(float(Xt.std()), 4)
    (True, 1.0)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
    }

    def __init__(self, *, with_mean=True, with_std=True):
        self.with_mean = with_mean
        self.with_std = with_std

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the mean and the standard deviation of each feature.

        Parameters
        ----------
        X : array-like of shape (n_tracks, ..., n_features)
            Features of 2 to 5 dimensions.
        y : Ignored
            Present by convention.
        sample_weight : array-like of shape (n_tracks,), default=None
            Weight of each track.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        X = check_features(self, X, reset=True, max_ndim=5)
        context = self._init_callback_context()
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        rows = X.reshape(-1, X.shape[-1])  # (n_tracks * ..., n_features)
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X)
            sample_weight = np.repeat(weights, len(rows) // len(X))
        scaler = StandardScaler(with_mean=self.with_mean, with_std=self.with_std)
        # This class wraps its output in a data frame itself; the inner scaler must not.
        scaler.set_output(transform="default")
        # A part of the tracks at a time: scikit-learn makes float64 copies of what it gets.
        n_features = X.shape[-1]
        for part in parts_of_rows(len(rows), max(1, _VALUES_TOGETHER // n_features)):
            weights = None if sample_weight is None else sample_weight[part]
            scaler.partial_fit(rows[part], sample_weight=weights)
        self._scaler = scaler
        self.mean_ = scaler.mean_ if self.with_mean else np.zeros(n_features)
        self.scale_ = scaler.scale_ if self.with_std else np.ones(n_features)
        # A data frame has two dimensions: let scikit-learn wrap tables only.
        self._sklearn_auto_wrap_output_keys = {"transform"} if X.ndim == 2 else set()
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=dict)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Standardise features with the statistics of ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_tracks, ..., n_features)
            Features; only the last axis needs to be as in ``fit``.

        Returns
        -------
        Xt : ndarray, float32
            Array of the shape of X. A table is a data frame where ``set_output`` asks for one.
        """
        check_is_fitted(self)
        return self._by_rows(self._scaler.transform, X)

    def inverse_transform(self, X: Any) -> NDArray[np.float32]:
        """Undo :meth:`transform`.

        Parameters
        ----------
        X : array-like of shape (n_tracks, ..., n_features)
            Scaled features.

        Returns
        -------
        X_original : ndarray, float32
            Array of the shape of X.
        """
        check_is_fitted(self)
        return self._by_rows(self._scaler.inverse_transform, X)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose the container of tables; arrays of more dimensions stay arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            Container of the output where X has two dimensions; None changes nothing.

        Returns
        -------
        self : object
            The scaler itself.
        """
        # scikit-learn hides its own method while wrapping is off, as after a fit on an array of
        # three or more dimensions, but Pipeline.set_output needs the method.
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _by_rows(self, function: Any, X: Any) -> NDArray[np.float32]:
        X = check_features(self, X, reset=False, max_ndim=5)
        return function(X.reshape(-1, X.shape[-1])).reshape(X.shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
