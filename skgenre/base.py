"""Base classes of the transformers: one track in, one array or one row of a table out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._set_output import ADAPTERS_MANAGER, _get_output_config

from skgenre.utils._rows import hands_on, parameters_checked, row_name
from skgenre.utils._validation import as_rows, check_waveforms
from skgenre.utils._waveforms import check_mono_tracks, check_sampling_rate


class TrackTransformer(CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Base of the transformers that treat each track by itself and learn nothing.

    A subclass says how to check the whole input (``_check_tracks``) and how to turn one
    track into one array (``transform_track``). Because a batch is always computed track
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
    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        """Turn one track into one array, without checking the parameters.

        Parameters
        ----------
        track : str, PathLike or ndarray
            One row of the input of ``transform``.
        name : str
            What errors call the track, such as its path or "track 3".

        Returns
        -------
        out : ndarray
            One row of the output of ``transform``.
        """

    def _fit_transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        """Turn one track into one array in ``fit_transform``; the base makes no difference."""
        return self.transform_track(track, name)

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
        return self._each(self.transform_track, self._check_tracks(X))

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
                elif result.shape != out.shape[1:]:
                    raise ValueError(
                        f"{self._track_name(track, row)} came out with the shape {result.shape}, "
                        f"the tracks before it with {out.shape[1:]}; all need the same, except "
                        "inside PerTrack up to the last step."
                    )
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


# A frame of 2048 such samples still has a spectrum whose power is finite in float32.
_LOUDEST = 1e15


class TrackColumns(TrackTransformer):
    """Base of the transformers from waveforms to a table with named columns.

    A subclass has a parameter ``sampling_rate`` and says how to turn one waveform into one
    row (``_describe``) and how the columns are called (``get_feature_names_out``). Segments
    give one row each, as features of a single frame.
    """

    sampling_rate: float

    @abstractmethod
    def _describe(self, samples: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """Turn one waveform into one row: (n_columns,)."""

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns."""

    def transform(self, X: Any) -> Any:
        """Turn each track, or each of its segments, into one row.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_samples) or (n_tracks, n_segments, n_samples)
            Waveforms or segments. A list of waveforms may hold several lengths.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_columns) or (n_tracks, n_segments, 1, n_columns)
            A table (float32) for waveforms; a data frame where ``set_output`` asks for it.
            Segments give features of one frame each, which ``FrameScaler`` and the
            classifiers take.

        Raises
        ------
        ValueError
            If a waveform is empty, not finite, of another rate or too loud for float32, or
            if parameters contradict each other.
        """
        return as_table(self, super().transform(X), X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Do what ``fit`` and ``transform`` do, and report each track to the callbacks.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_samples) or (n_tracks, n_segments, n_samples)
            The tracks, as for ``transform``.
        y : Ignored
            Present by convention.

        Returns
        -------
        Xt : ndarray or data frame
            As for ``transform``.
        """
        return as_table(self, super().fit_transform(X, y), X)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose the container of tables; features of segments stay arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            Container of the output where X has two dimensions; None changes nothing.

        Returns
        -------
        self : object
            The transformer itself.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _check_tracks(self, X: Any) -> Any:
        estimator_name = type(self).__name__
        tracks: Any
        if _n_dimensions(X) > 2:
            tracks = check_waveforms(X, self.sampling_rate, estimator_name)
        else:
            check_sampling_rate(X, self.sampling_rate, estimator_name)
            tracks = check_mono_tracks(X, estimator_name)
        self._check_settings()
        return tracks

    def _check_settings(self) -> None:
        """Check what no single parameter can tell; the base has nothing to check."""

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        """Describe one waveform by one row, or each of its segments by a row of one frame."""
        segments = np.atleast_2d(np.asarray(track))  # (n_segments, n_samples)
        loudest = np.abs(segments).max()
        if loudest > _LOUDEST:
            raise ValueError(
                f"{name} has samples as large as {loudest:g}, whose power exceeds what float32 can "
                "hold; scale the waveform to lie between -1 and 1."
            )
        rows = np.array([self._describe(samples) for samples in segments], dtype=np.float32)
        # (n_columns,) for a waveform, (n_segments, 1 frame, n_columns) for segments
        return rows[0] if np.ndim(track) == 1 else rows[:, np.newaxis]


def as_table(
    transformer: Any, Xt: NDArray[Any], X: Any, columns: Callable[[], Any] | None = None
) -> Any:
    """Put a table into the container that ``set_output`` asks for.

    scikit-learn's own wrapping is off for all that works by track, because it would fail on
    features of more than two dimensions.

    Parameters
    ----------
    transformer : transformer
        Names the columns.
    Xt : ndarray
        Its output; with other than two dimensions it stays an array.
    X : array-like
        Its input, whose row labels a data frame keeps.
    columns : callable or None, default=None
        Gives the names of the columns, or None; None asks the transformer.

    Returns
    -------
    Xt : ndarray or data frame
        The table.
    """
    container = _get_output_config("transform", transformer)["dense"]
    if Xt.ndim != 2 or container == "default":
        return Xt
    adapter = ADAPTERS_MANAGER.adapters[container]
    return adapter.create_container(Xt, X, columns=columns or transformer.get_feature_names_out)


def _n_dimensions(X: Any) -> int:
    """Return the dimensions of an array-like, without converting all of a list."""
    if isinstance(X, (list, tuple)):
        return 1 + np.ndim(X[0]) if len(X) else 1
    return np.ndim(X) if hasattr(X, "ndim") else np.asarray(X).ndim
