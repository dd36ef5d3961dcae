"""The shape contract: one row is one track, from the first step to the last.

==========================  =====================================================
after                       shape
==========================  =====================================================
``AudioLoader``             (n_tracks, n_samples)
``Segmenter``               (n_tracks, n_segments, n_samples)
a feature extractor         (n_tracks, n_segments, n_frames, n_features)
a classifier's vote         (n_tracks, n_classes)
==========================  =====================================================

All checks of shapes, and the folding of tracks to segments and back, live here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d, validate_data

from skgenre.utils._waveforms import check_not_reversed, is_pair, track_name

Array = NDArray[Any]


@np.errstate(under="ignore", over="ignore")  # of float32: what overflows is refused as infinite
def check_features(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    max_ndim: int = 4,
    name: str | None = None,
) -> Array:
    """Check an array whose last axis is features, and record or compare their number.

    ``validate_data(allow_nd=True)`` would take the second axis, the segments, for the
    features. Here all leading axes are folded into rows first, so that scikit-learn sees
    a table of frames and its own messages and attributes come out right.

    Parameters
    ----------
    estimator : estimator
        Receives ``n_features_in_`` (and ``feature_names_in_``) when ``reset``.
    X : array-like of shape (n_tracks, ..., n_features)
        From 2-D up to ``max_ndim`` dimensions.
    reset : bool
        True in ``fit``.
    max_ndim : int, default=4
        The highest number of dimensions allowed.
    name : str or None, default=None
        What errors call the track, where X is a single one.

    Returns
    -------
    X : ndarray
        The checked array, in the shape that came.

    Raises
    ------
    ValueError
        If a shape, a type or a value is wrong, or the number of features differs from
        that seen in ``fit``.
    """
    ndim = getattr(X, "ndim", None)
    if ndim is None and not hasattr(X, "__array__"):
        X = np.asarray(X) if _is_deep(X) else X
        ndim = getattr(X, "ndim", None)
    if ndim is None or ndim <= 2:
        return _finite(
            validate_data(estimator, X, reset=reset, dtype=np.float32, ensure_all_finite=False),
            name,
        )
    X = np.asarray(X)
    if ndim > max_ndim:
        raise ValueError(
            f"{type(estimator).__name__} takes arrays of 2 to {max_ndim} dimensions "
            "(n_tracks, ..., n_features); got an array of shape "
            f"{X.shape}."
        )
    if 0 in X.shape:
        raise ValueError(
            f"{type(estimator).__name__} got an empty array of shape {X.shape}: every axis "
            "of (n_tracks, ..., n_features) needs at least one entry."
        )
    shape = X.shape
    rows = X.reshape(-1, shape[-1])  # (n_tracks * ... , n_features)
    rows = validate_data(estimator, rows, reset=reset, dtype=np.float32, ensure_all_finite=False)
    return _finite(rows.reshape(shape), name)


def _finite(X: Array, name: str | None) -> Array:
    """Refuse features that are not finite, and name the first such track."""
    if not np.isfinite(X.sum(dtype=np.float64)):
        bad = [row for row, track in enumerate(X) if not np.isfinite(track).all()]
        if bad:
            raise ValueError(
                f"X contains NaN or infinity in {len(bad)} of {len(X)} tracks, first in "
                f"{name or f'track {bad[0]}'}; look at that recording, or leave it out."
            )
    return X


def _is_deep(X: Any) -> bool:
    """Whether nested lists go deeper than a table."""
    depth = 0
    while isinstance(X, (list, tuple)) and len(X):
        X, depth = X[0], depth + 1
    return depth + getattr(X, "ndim", 0) > 2


def as_segments(X: Array) -> Array:
    """Bring features of 2 to 4 dimensions to (n_tracks, n_segments, n_frames, n_features).

    A 2-D row is a univariate sequence: its values become frames of one feature. A 3-D row
    is one segment.

    Parameters
    ----------
    X : ndarray of 2, 3 or 4 dimensions
        Features, checked before.

    Returns
    -------
    X : ndarray of shape (n_tracks, n_segments, n_frames, n_features)
        A view.
    """
    if X.ndim == 2:
        return X[:, np.newaxis, :, np.newaxis]  # (n_tracks, 1, n_values, 1)
    if X.ndim == 3:
        return X[:, np.newaxis]  # (n_tracks, 1, n_frames, n_features)
    return X


def fold_segments(X: Array) -> Array:
    """Fold (n_tracks, n_segments, ...) to (n_tracks * n_segments, ...), tracks in order."""
    return X.reshape(-1, *X.shape[2:])


def unfold_segments(values: Array, n_tracks: int) -> Array:
    """Undo :func:`fold_segments`: (n_tracks * n_segments, ...) to (n_tracks, n_segments, ...)."""
    return values.reshape(n_tracks, -1, *values.shape[1:])


def as_rows(X: Any) -> Sequence[Any] | NDArray[Any]:
    """Return a list, tuple or array whose first axis is tracks.

    Parameters
    ----------
    X : array-like
        The input of a transformer; the tracks themselves are not checked.

    Returns
    -------
    rows : list, tuple or ndarray
        The same, with at least one row.

    Raises
    ------
    ValueError
        If the input is a single path, waveform or pair, sparse, no sequence, or empty.
    """
    check_not_reversed(X, "X")
    if is_pair(X):
        raise ValueError(
            "X is a single pair of a waveform and its sampling rate; give a list of tracks: "
            "[(waveform, sampling_rate)]."
        )
    if isinstance(X, (str, bytes, os.PathLike)):
        raise ValueError(f"X is a single path, {X!r}; give a list of tracks: [{X!r}].")
    if not isinstance(X, (list, tuple)):
        if hasattr(X, "toarray"):
            raise ValueError(f"X is a sparse {type(X).__name__}; give dense waveforms.")
        if not hasattr(X, "__array__"):
            raise ValueError(
                f"X must be a list, array or Series of paths or waveforms; got {type(X).__name__}."
            )
        X = first_column(np.asanyarray(X))
        if X.ndim == 0:
            raise ValueError(f"X is a single value of type {X.dtype}; give a list of tracks.")
    if len(X) == 0:
        raise ValueError("X has 0 tracks (0 sample(s)); a minimum of 1 is required.")
    if isinstance(X, np.ndarray):
        is_waveform = X.ndim == 1 and X.dtype.kind in "biufc"
    else:
        is_waveform = all(isinstance(track, Real) for track in X)
    if is_waveform:
        raise ValueError(
            f"X is a single waveform of {len(X)} numbers; give a list of tracks: [waveform]. "
            "Reshape your data by waveform.reshape(1, -1) for the same."
        )
    if isinstance(X, np.ndarray) and X.ndim > 1 and X.shape[-1] == 0:
        raise ValueError(
            f"X has tracks without samples: 0 feature(s) (shape={X.shape}) while a minimum of 1 "
            "is required."
        )
    return X


def is_path(track: Any) -> bool:
    """Whether a track is the path of a file."""
    return isinstance(track, (str, os.PathLike))


def row_list(data: Any) -> Any:
    """Return the rows of a data set as something to iterate over."""
    return data if isinstance(data, (list, tuple)) else first_column(np.asanyarray(data))


def first_column(X: Array) -> Array:
    """Return the only column of a table of paths or tracks; other arrays as they are."""
    if X.ndim != 2 or X.shape[1] != 1 or X.dtype.kind not in "OUT" or not len(X):
        return X
    return X if isinstance(X[0, 0], Real) else X[:, 0]  # a number is a sample


def missing_labels(labels: Any, texts: Sequence[str] = ()) -> dict[int, Any]:
    """Find the tracks without a label.

    Parameters
    ----------
    labels : array-like of shape (n_tracks,)
        Genres or artists; of other shapes, none is missing.
    texts : sequence of str, default=()
        Texts that stand for a missing label.

    Returns
    -------
    missing : dict of int to object
        By row, what is there for a label: None, NaN, NaT, pandas' NA, a blank, or one of
        ``texts``; None where it is masked.
    """
    # As objects, for NumPy would make the text "nan" of a gap among names.
    values = np.array(labels, dtype=object)
    if np.ma.isMaskedArray(labels):
        values[np.ma.getmaskarray(labels)] = None
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    rows = enumerate(values.tolist() if values.ndim == 1 else ())
    return {row: value for row, value in rows if _is_missing(value, texts)}


def _is_missing(label: Any, texts: Sequence[str]) -> bool:
    if isinstance(label, str):
        return not label.strip() or label in texts
    if label is None or np.ndim(label):
        return label is None
    try:
        return bool(label != label)  # NaN and NaT differ from themselves
    except TypeError:  # pandas' NA, for which the answer is NA
        return True


def check_genres(y: Any, X: Any) -> None:
    """Refuse tracks without a genre; the message names the first by its path or row."""
    # The texts are what NumPy and pandas make of gaps among names.
    missing = missing_labels(y, texts=("nan", "NaN", "NaT", "<NA>"))
    if missing:
        row, label = next(iter(missing.items()))
        try:
            name = track_name(as_rows(X)[row], row)
        except (ValueError, IndexError):  # X is refused later
            name = f"track {row}"
        raise ValueError(
            f"y has no genre for {len(missing)} of {len(y)} tracks, first for {name}, where it is "
            f"{label!r}. Give the genre of each track, or leave the track out."
        )


def check_artists(groups: Any) -> NDArray[Any]:
    """Return the artist of each track; refuse tracks without one."""
    missing = missing_labels(groups)
    artists = column_or_1d(np.array(groups, dtype=object)).tolist()
    if missing:
        raise ValueError(
            f"groups has no artist for {len(missing)} of {len(artists)} tracks, first for "
            f"track {min(missing)}; give each track of an unknown artist a name of its own, or "
            "leave it out."
        )
    return np.asarray(artists)
