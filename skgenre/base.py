"""Base classes for transformers of tracks, to build your own extractor on.

:class:`TrackTransformer` turns one track into one array, :class:`TrackTableTransformer` one
waveform into one row of a table with named columns. ``docs/extending.md`` shows both.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._set_output import ADAPTERS_MANAGER, _get_output_config

from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import as_rows
from skgenre.utils._warnings import gather_track_warnings, warn_of_tracks
from skgenre.utils._waveforms import TrackStack, check_waveform, track_name


class TrackTransformer(DocLinkMixin, CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Base of transformers that treat each track by itself and learn nothing.

    A subclass writes :meth:`transform_track`. ``fit``, ``transform`` and ``fit_transform`` call
    it for each track, so that a batch equals its tracks one by one, and
    :class:`skgenre.PerTrack` runs the transformer without further declarations.
    ``fit_transform`` reports each track to scikit-learn's callbacks.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.base import TrackTransformer
    >>> class Loudness(TrackTransformer):
    ...     def transform_track(self, track, name):
    ...         return np.sqrt(np.mean(np.square(track), axis=-1, keepdims=True))
    >>> Loudness().fit_transform(np.ones((3, 100), dtype=np.float32)).shape
    (3, 1)
    """

    _parameter_constraints: dict[str, Any] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Outputs of three and more dimensions never become data frames; scikit-learn would
        # switch the wrapping on again for each subclass.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    @abstractmethod
    def transform_track(self, track: Any, name: str) -> NDArray[Any]:
        """Turn one track into one array, without validating the parameters.

        The track must stay as it is; the result may be a view of it.

        Parameters
        ----------
        track : str, PathLike or ndarray
            One row of the input of ``transform``.
        name : str
            What errors call the track: its path, or for example "track 3".

        Returns
        -------
        out : ndarray
            One row of the output of ``transform``.
        """

    def _check_track(self, track: Any, name: str) -> Any:
        """Check one track without transforming it, and return it as needed; for ``fit``."""
        return track

    def _as_rows(self, X: Any) -> Sequence[Any] | NDArray[Any]:
        """Return the input as a sequence of tracks; the tracks themselves are not checked."""
        return as_rows(X)

    def _check_each(self, X: Any) -> list[Any]:
        """Check each track of the input."""
        rows = self._as_rows(X)
        return [self._check_track(row, track_name(row, i)) for i, row in enumerate(rows)]

    def _fit_transform_track(self, track: Any, name: str) -> NDArray[Any]:
        """Turn one track into one array in ``fit_transform``; an Augmenter adds copies here."""
        return self.transform_track(track, name)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the tracks; there is nothing to learn.

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
        self._check_each(X)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Transform each track.

        Parameters
        ----------
        X : array-like
            The tracks; each class documents the shapes it takes.

        Returns
        -------
        Xt : ndarray
            One row for each track; each class documents its shape.
        """
        self._validate_params()
        return self._each(self.transform_track, self._as_rows(X))

    @with_callbacks
    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any]:
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
        rows = self._as_rows(X)
        context = self._init_callback_context(max_subtasks=len(rows))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        Xt = self._each(self._fit_transform_track, rows, context)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return Xt

    @np.errstate(under="ignore")  # what is too small to be a number is 0
    def _each(
        self,
        function: Callable[[Any, str], NDArray[Any]],
        rows: Sequence[Any] | NDArray[Any],
        context: Any = None,
    ) -> NDArray[Any]:
        """Fill one output array track by track."""
        out = TrackStack(len(rows))
        with gather_track_warnings() as found:
            for i, row in enumerate(rows):
                task = None if context is None else context.subcontext(task_name="track")
                if task is not None:
                    task.call_on_fit_task_begin(estimator=self)
                name = track_name(row, i)
                out.append(function(row, name), name)
                if task is not None:
                    task.call_on_fit_task_end(estimator=self)
        warn_of_tracks(found)
        return out.array()

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
_MAX_SAMPLE = 1e15


class TrackTableTransformer(TrackTransformer):
    """Base of transformers from waveforms to a table with named columns.

    A subclass has a parameter ``sampling_rate`` and writes :meth:`describe`, which turns one
    waveform into one row, and :meth:`get_feature_names_out`. Each segment gives one row, as
    features of a single frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.base import TrackTableTransformer
    >>> class Peak(TrackTableTransformer):
    ...     def __init__(self, *, sampling_rate=22050):
    ...         self.sampling_rate = sampling_rate
    ...     def describe(self, samples):
    ...         return [np.abs(samples).max()]
    ...     def get_feature_names_out(self, input_features=None):
    ...         return np.array(["peak"], dtype=object)
    >>> Peak().fit_transform(np.ones((3, 100))).shape
    (3, 1)
    >>> Peak().fit_transform(np.ones((3, 2, 50))).shape  # two segments a track
    (3, 2, 1, 1)
    """

    sampling_rate: float

    @abstractmethod
    def describe(self, samples: NDArray[np.float32]) -> Any:
        """Turn one waveform into one row.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The waveform, checked: finite, and of this transformer's rate.

        Returns
        -------
        row : array-like of shape (n_columns,)
            The values of the columns.
        """

    def describe_excerpts(
        self, samples: NDArray[np.float32], excerpts: Sequence[tuple[int, int]]
    ) -> list[NDArray[np.float32]]:
        """Turn excerpts of one waveform into one row each.

        A subclass replaces this where excerpts that overlap can share work.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The waveform, checked.
        excerpts : sequence of (int, int)
            First sample of each excerpt, and the one after its last.

        Returns
        -------
        rows : list of ndarray of shape (n_columns,)
            The row of each excerpt.
        """
        return [self.transform_track(samples[a:b], "an excerpt") for a, b in excerpts]

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (n_columns,), str objects
            The names.
        """

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

    def _validate_params(self) -> None:
        super()._validate_params()
        self._check_settings()

    def _check_settings(self) -> None:
        """Check parameters that could contradict each other; the base has none."""

    def _check_track(self, track: Any, name: str) -> NDArray[np.float32]:
        return check_waveform(track, name, self.sampling_rate, type(self).__name__, max_ndim=2)

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        """Turn one waveform into one row, or each of its segments into a row of one frame.

        Parameters
        ----------
        track : ndarray of shape (n_samples,) or (n_segments, n_samples)
            A waveform, or its segments.
        name : str
            What errors call the track.

        Returns
        -------
        out : ndarray of shape (n_columns,) or (n_segments, 1, n_columns), float32
            One row, or features of one frame a segment.
        """
        track = self._check_track(track, name)
        loudest = np.abs(track).max()
        if loudest > _MAX_SAMPLE:
            raise ValueError(
                f"{name} has samples as large as {loudest:g}, whose power exceeds what float32 can "
                "hold; scale the waveform to lie between -1 and 1."
            )
        if track.ndim == 1:
            return np.asarray(self.describe(track), dtype=np.float32)  # (n_columns,)
        rows = np.array([self.describe(samples) for samples in track], dtype=np.float32)
        return rows[:, np.newaxis]  # (n_segments, 1 frame, n_columns)


def as_table(
    transformer: Any, Xt: NDArray[Any], X: Any, columns: Callable[[], Any] | None = None
) -> Any:
    """Put a table into the container that ``set_output`` asks for.

    scikit-learn's own wrapping is off in all transformers of tracks, because it would fail on
    features of more than two dimensions.

    Parameters
    ----------
    transformer : transformer
        Names the columns.
    Xt : ndarray
        Its output; unless it has two dimensions it stays an array.
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
