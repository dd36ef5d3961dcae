"""What the extractors of tables have in common: one row of named columns a track."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._set_output import ADAPTERS_MANAGER, _get_output_config

from skgenre._base import TrackTransformer
from skgenre._shapes import check_waveforms
from skgenre._waveforms import check_mono_tracks, check_sampling_rate

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
        who = type(self).__name__
        tracks: Any
        if _n_dimensions(X) > 2:
            tracks = check_waveforms(X, self.sampling_rate, who)
        else:
            check_sampling_rate(X, self.sampling_rate, who)
            tracks = check_mono_tracks(X, who)
        self._check_settings()
        return tracks

    def _check_settings(self) -> None:
        """Check what no single parameter can tell; the base has nothing to check."""

    def _transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
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
