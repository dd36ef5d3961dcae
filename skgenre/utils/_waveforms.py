"""The array that remembers its sampling rate."""

from __future__ import annotations

import os
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from skgenre.utils._rows import row_name

_ANY_1D: dict[str, Any] = {
    "ensure_2d": False,
    "allow_nd": True,
    "ensure_min_samples": 0,
    "ensure_all_finite": False,
}


class Waveforms(np.ndarray):
    """An array of waveforms that knows the sampling rate of its last axis.

    It is an ordinary NumPy array in every other respect. Slices, copies, pickles and
    views keep the rate; functions that build new arrays (``np.stack``, ``np.asarray``)
    return plain arrays, whose rate is then unknown and taken on trust.

    The steps of skgenre hand each other such arrays, so that a step that is set to
    another rate than the data has can refuse it, instead of computing features whose
    frequencies are all wrong.

    Parameters
    ----------
    array : array-like
        The samples, time last.
    sampling_rate : float
        Samples a second.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.utils._waveforms import Waveforms
    >>> x = Waveforms(np.zeros((2, 22050), dtype=np.float32), sampling_rate=22050)
    >>> x[:1].sampling_rate
    22050
    """

    sampling_rate: float | None

    def __new__(cls, array: Any, sampling_rate: float | None) -> Waveforms:
        """View ``array`` as waveforms of one rate; nothing is copied."""
        view = np.asarray(array).view(cls)
        view.sampling_rate = sampling_rate
        return view

    def __array_finalize__(self, obj: Any) -> None:
        self.sampling_rate = getattr(obj, "sampling_rate", None)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        if return_scalar or array.ndim == 0:  # a maximum is a number, and has no rate
            return np.asarray(array)[()]
        return super().__array_wrap__(array, context, return_scalar)

    def __reduce__(self) -> tuple[Any, ...]:
        # ndarray pickles its buffer only: the rate travels beside ndarray's own state.
        rebuild, args, state = cast("tuple[Any, ...]", super().__reduce__())
        return rebuild, args, (state, self.sampling_rate)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        array_state, self.sampling_rate = state
        super().__setstate__(array_state)


def check_sampling_rate(X: Any, sampling_rate: float, estimator_name: str) -> None:
    """Refuse waveforms that are known to have another rate than a step is set to.

    Parameters
    ----------
    X : array-like
        Waveforms; only a :class:`Waveforms` array has a known rate.
    sampling_rate : float
        The rate that the step is set to, in Hz.
    estimator_name : str
        Name of the step, for the message.

    Raises
    ------
    ValueError
        If the rates differ; the message names both.
    """
    found = [("The waveforms have", getattr(X, "sampling_rate", None))]
    if isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype == object):
        # Each row of such a batch may know a rate of its own.
        found += [
            (f"{row_name(i)} has", getattr(x, "sampling_rate", None)) for i, x in enumerate(X)
        ]
    for subject, known in found:
        if known is not None and known != sampling_rate:
            raise ValueError(
                f"{subject} a sampling rate of {known:g} Hz, but {estimator_name} is set to "
                f"sampling_rate={sampling_rate:g}. Set both to the same rate: AudioLoader "
                "resamples, the later steps do not."
            )


def check_samples(X: Any, estimator_name: str) -> None:
    """Refuse what only AudioLoader can read: paths, and integers of unknown scale.

    Parameters
    ----------
    X : array-like
        What should be waveforms as floating-point numbers.
    estimator_name : str
        The caller's name, for messages.

    Raises
    ------
    ValueError
        If X holds paths or integer samples.
    """
    rows = X if isinstance(X, (list, tuple)) else [X]
    for row in rows:
        is_text = isinstance(row, (str, os.PathLike)) or (
            isinstance(row, np.ndarray) and row.size and isinstance(row.flat[0], (str, os.PathLike))
        )
        if is_text:
            raise ValueError(
                f"{estimator_name} takes waveforms, not paths; let AudioLoader read the files."
            )
        if isinstance(row, np.ndarray) and row.dtype.kind in "iu":
            raise ValueError(
                f"{estimator_name} takes waveforms as floating-point samples; got {row.dtype}. "
                "AudioLoader scales integer samples by the full scale of their type."
            )


def check_mono_tracks(
    X: Any, estimator_name: str
) -> NDArray[np.float32] | list[NDArray[np.float32]]:
    """Check a batch of mono waveforms, of one length or of several.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_samples), or list of 1-D arrays
        The waveforms.
    estimator_name : str
        The caller's name, for messages.

    Returns
    -------
    tracks : ndarray of shape (n_tracks, n_samples), or list of 1-D arrays
        The waveforms as float32; a list where their lengths differ.

    Raises
    ------
    ValueError
        If a track is empty, holds NaN or infinity, or is not one-dimensional.
    """
    check_samples(X, estimator_name)
    ragged = isinstance(X, (list, tuple)) and len({np.size(track) for track in X}) > 1
    if ragged or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1 and len(X)):
        tracks = [check_array(x, dtype=np.float32, **_ANY_1D) for x in X]
        for row, track in enumerate(tracks):
            if track.ndim != 1:
                raise ValueError(
                    f"{estimator_name} takes one-dimensional waveforms; {row_name(row)} has the "
                    f"shape {track.shape}. AudioLoader mixes channels down to one."
                )
    elif is_float32(X, ndim=2):
        tracks = X
    else:
        tracks = check_array(X, dtype=np.float32, ensure_all_finite=False, input_name="X")
    for row, track in enumerate(tracks):
        if track.size == 0:
            raise ValueError(f"{estimator_name}: {row_name(row)} has no samples.")
        check_finite(track, row_name(row))
    return tracks


def is_float32(X: Any, ndim: int) -> bool:
    """Tell whether X is what check_array would return, without its slow look at X."""
    return isinstance(X, np.ndarray) and X.dtype == np.float32 and X.ndim == ndim and len(X) > 0


def check_finite(track: NDArray[np.floating[Any]], name: str) -> None:
    """Refuse a waveform with NaN or infinite samples; the message names the track."""
    finite = np.isfinite(track)
    if not finite.all():
        bad = np.flatnonzero(~finite)  # counted through all axes
        raise ValueError(
            f"{name} contains NaN or infinity ({bad.size} of {track.size} samples, the first "
            f"at sample {bad[0]}); repair the recording or leave it out."
        )
