"""What the transformers of this package have in common."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks

from skgenre._rows import hands_on, parameters_checked, row_name


class TrackTransformer(CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Base of the transformers that treat each track by itself and learn nothing.

    A subclass says how to check the whole input (``_check_tracks``) and how to turn one
    track into one array (``_transform_track``). Because a batch is always computed track
    by track, it equals the tracks computed one by one; ``fit_transform`` reports its
    progress by track to scikit-learn's callbacks.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Outputs of three and more dimensions never become data frames; scikit-learn would
        # switch the wrapping on again for each subclass.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def _as_rows(self, X: Any) -> Sequence[Any] | NDArray[Any]:
        """Return the input as something to slice by track, and check no track itself."""
        return as_rows(X)

    @abstractmethod
    def _check_tracks(self, X: Any) -> Sequence[Any] | NDArray[Any]:
        """Check the input as a whole and return it as a sequence of tracks."""

    @abstractmethod
    def _transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        """Turn one track into one array; ``name`` is what errors call the track."""

    def _fit_transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        """Turn one track into one array in ``fit_transform``; the base makes no difference."""
        return self._transform_track(track, name)

    def _validate_params(self) -> None:
        if not parameters_checked(self):  # which takes longer than to cut a track into segments
            super()._validate_params()

    def _is_repeatable(self) -> bool:
        """Tell whether a track gives the same another time; not where draws are anew."""
        return True

    def _track_name(self, track: Any, row: int) -> str:
        return row_name(row)

    def _finish(self, out: NDArray[np.float32]) -> NDArray[np.float32]:
        """Dress the output of all tracks; the base leaves it as it is."""
        return out

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the kind of input; there is nothing to learn.

        Parameters
        ----------
        X : array-like
            The tracks, as for ``transform``.
        y : Ignored
            Present by convention.

        Returns
        -------
        self : object
            The transformer itself.
        """
        context = self._init_callback_context()
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self._check_tracks(X)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Transform each track.

        Parameters
        ----------
        X : array-like
            The tracks; the class says which shapes it takes.

        Returns
        -------
        Xt : ndarray
            One row for each track; the class says of which shape.
        """
        self._validate_params()
        return self._each(self._transform_track, self._check_tracks(X))

    @with_callbacks
    def fit_transform(self, X: Any, y: Any = None) -> NDArray[np.float32]:
        """Do what ``fit`` and ``transform`` do, and report each track to the callbacks.

        Parameters
        ----------
        X : array-like
            The tracks, as for ``transform``.
        y : Ignored
            Present by convention.

        Returns
        -------
        Xt : ndarray
            As for ``transform``.
        """
        self._validate_params()
        tracks = self._check_tracks(X)
        context = self._init_callback_context(max_subtasks=len(tracks))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        Xt = self._each(self._fit_transform_track, tracks, context)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return Xt

    def _each(
        self,
        function: Callable[[Any, str], NDArray[np.float32]],
        tracks: Sequence[Any] | NDArray[Any],
        context: Any = None,
    ) -> NDArray[np.float32]:
        """Fill one output array track by track."""
        out: NDArray[np.float32] | None = None
        for row, track in enumerate(tracks):
            task = None if context is None else context.subcontext(task_name="track")
            if task is not None:
                task.call_on_fit_task_begin(estimator=self)
            result = function(track, self._track_name(track, row))
            if len(tracks) == 1 and self._needs_no_copy(result):
                out = result[np.newaxis]
            else:
                if out is None:
                    out = np.empty((len(tracks), *result.shape), dtype=np.float32)
                out[row] = result
            if task is not None:
                task.call_on_fit_task_end(estimator=self)
        assert out is not None  # an empty input was refused by _check_tracks
        return self._finish(out)

    def _needs_no_copy(self, result: NDArray[Any]) -> bool:
        """Tell whether the next step may have a result as it is.

        So it is inside PerTrack where tracks come from files: nothing there is the user's, and
        what comes out at the end is copied to its place.
        """
        return result.dtype == np.float32 and hands_on() and parameters_checked(self)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Accept the call, so that ``Pipeline.set_output`` reaches the steps with tables.

        The output of this step has three or more dimensions, which no data frame can
        hold: it stays a NumPy array whatever is asked for.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            The container asked for.

        Returns
        -------
        self : object
            The transformer itself.
        """
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def as_rows(X: Any) -> Sequence[Any] | NDArray[Any]:
    """Return a list, tuple or array whose first axis is tracks.

    Parameters
    ----------
    X : array-like
        The input of a transformer; its tracks are not looked at.

    Returns
    -------
    rows : list, tuple or ndarray
        The same, with at least one row.

    Raises
    ------
    ValueError
        If the input is a single path, sparse, no sequence, or empty.
    """
    if isinstance(X, (str, bytes, os.PathLike)):
        raise ValueError(f"X is a single path, {X!r}; give a list of tracks: [{X!r}].")
    if not isinstance(X, (list, tuple)):
        if hasattr(X, "toarray"):
            raise ValueError(f"X is a sparse {type(X).__name__}; give dense waveforms.")
        if not hasattr(X, "__array__"):
            raise ValueError(
                f"X must be a list, array or Series of paths or waveforms; got {type(X).__name__}."
            )
        X = np.asanyarray(X)
        if X.ndim == 0:
            raise ValueError(f"X is a single value of type {X.dtype}; give a list of tracks.")
    if len(X) == 0:
        raise ValueError("X has 0 tracks (0 sample(s)); a minimum of 1 is required.")
    return X
