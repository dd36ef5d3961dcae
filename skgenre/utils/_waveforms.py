"""The array that remembers its sampling rate."""

from __future__ import annotations

import os
from numbers import Real
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

# A track has sound if the standard deviation of its samples reaches -80 dB of full scale, three
# steps of 16 bits, for at least 0.1 s, a frame of the spectrum, counted in blocks of 0.02 s.
MIN_LEVEL = 1e-4
MIN_DURATION = 0.1
_N_BLOCKS = 5
# Full scale is 1, or 32768 in copies of 16-bit samples, which decoders and mixing may exceed.
MAX_SAMPLE = 2.0**16

_ANY_SHAPE: dict[str, Any] = {
    "ensure_2d": False,
    "allow_nd": True,
    "ensure_min_samples": 0,
    "ensure_min_features": 0,
    "ensure_all_finite": False,
}


class Waveforms(np.ndarray):
    """An array of waveforms that knows the sampling rate of its last axis.

    It is an ordinary NumPy array in every other respect. Slices, copies, pickles and
    views keep the rate; functions that build new arrays (``np.stack``, ``np.asarray``)
    return plain arrays, whose rate is then unknown and taken on trust.

    The steps of skgenre hand each other such arrays, so that a step set to a different rate
    refuses the data instead of computing features whose frequencies are all wrong.

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


def with_rate(X: NDArray[Any], sampling_rate: float) -> Waveforms:
    """Label waveforms with their sampling rate."""
    return Waveforms(X, sampling_rate)


def track_paths(X: Any) -> NDArray[np.str_] | None:
    """Return the path of each track, "" for one that is no path; None if none is."""
    paths = [os.fsdecode(track) if isinstance(track, (str, os.PathLike)) else "" for track in X]
    return np.array(paths) if any(paths) else None


def track_name(track: Any, row: int) -> str:
    """Name a track in errors: by its path, or by its row where it has none."""
    if isinstance(track, (str, os.PathLike)):
        return os.fsdecode(track) or f"track {row}"
    return f"track {row}"


def check_waveform(
    track: Any, name: str, sampling_rate: float, estimator_name: str, *, max_ndim: int
) -> NDArray[np.float32]:
    """Check the waveform, or the segments, of one track.

    Parameters
    ----------
    track : array-like of shape (n_samples,) or (n_segments, n_samples)
        Floating-point samples.
    name : str
        What errors call the track.
    sampling_rate : float
        The rate that the caller is set to, in Hz.
    estimator_name : str
        The caller's name, for errors.
    max_ndim : {1, 2}
        2 allows segments.

    Returns
    -------
    samples : ndarray of the same shape, float32
        A plain array; a view of the track where its type allows.

    Raises
    ------
    ValueError
        If the track is a path or a pair, holds integers, has another rate, has no samples, has
        samples that are not finite, or has too many dimensions.
    """
    known = getattr(track, "sampling_rate", None)
    if known is not None and known != sampling_rate:
        raise ValueError(
            f"{name} has a sampling rate of {known:g} Hz, but {estimator_name} is set to "
            f"sampling_rate={sampling_rate:g}. Set both to the same rate: AudioLoader resamples, "
            "the later steps do not."
        )
    check_not_reversed(track, name)
    if is_pair(track):
        raise ValueError(
            f"{estimator_name} takes waveforms, but {name} is a pair of a waveform and its "
            "sampling rate; let AudioLoader take the pairs."
        )
    first = track.flat[0] if isinstance(track, np.ndarray) and track.size else track
    if isinstance(first, (str, bytes, os.PathLike)):
        raise ValueError(
            f"{name}: {estimator_name} takes waveforms, not paths; let AudioLoader read the files."
        )
    if isinstance(track, np.ndarray) and track.dtype.kind in "iu":
        raise ValueError(
            f"{name}: {estimator_name} takes waveforms as floating-point samples; got "
            f"{track.dtype}. AudioLoader scales integer samples by the full scale of their type."
        )
    check_not_masked(track, name)
    if isinstance(track, np.ndarray) and track.dtype == np.float32:
        samples = np.asarray(track)  # check_array is slow
    else:
        samples = _as_float32(track, name, estimator_name)
    if not 1 <= samples.ndim <= max_ndim:
        raise ValueError(
            f"{estimator_name} takes one-dimensional waveforms; {name} has the shape "
            f"{samples.shape}. AudioLoader mixes channels down to one."
            if max_ndim == 1
            else f"{estimator_name} takes a waveform of shape (n_samples,) or segments of shape "
            f"(n_segments, n_samples) for each track; {name} has the shape {samples.shape}."
        )
    if samples.size == 0:
        raise ValueError(f"{estimator_name}: {name} has no samples.")
    if samples.ndim == 2 and samples.shape[1] == 1 < samples.shape[0]:
        raise ValueError(
            f"{estimator_name}: {name} has the shape {samples.shape}, segments of one sample each. "
            "If it is a waveform, give it without the second axis: waveform[:, 0]."
        )
    check_finite(samples, name)
    return samples


class NoSamplesError(TypeError, ValueError):
    """A track is no array of numbers: a bad value, and for scikit-learn a bad type."""


def _as_float32(track: Any, name: str, estimator_name: str) -> NDArray[np.float32]:
    """Convert samples to float32; what is too large becomes infinite."""
    try:
        with np.errstate(over="ignore"):
            return check_array(track, dtype=np.float32, **_ANY_SHAPE)
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")  # the array itself may follow
        raise NoSamplesError(
            f"{name}: {estimator_name} takes waveforms of real numbers; got "
            f"{type(track).__name__} ({reason}). AudioLoader takes pairs (waveform, sampling_rate)."
        ) from error


def check_segments(
    track: Any, name: str, sampling_rate: float, estimator_name: str
) -> NDArray[np.float32]:
    """Check one track as :func:`check_waveform` does; a waveform becomes a single segment.

    Returns
    -------
    segments : ndarray of shape (n_segments, n_samples), float32
        A view of the track where its type allows.
    """
    return np.atleast_2d(check_waveform(track, name, sampling_rate, estimator_name, max_ndim=2))


def check_not_masked(track: Any, name: str) -> None:
    """Refuse a waveform with masked samples: elsewhere NumPy drops the mask without a word."""
    if np.ma.is_masked(track):
        raise ValueError(
            f"{name} has {np.ma.count_masked(track)} masked samples of {np.size(track)}; fill the "
            "gaps, such as by waveform.filled(0), or leave it out."
        )


def check_finite(track: NDArray[np.floating[Any]], name: str) -> None:
    """Refuse a waveform with NaN or infinite samples; the message names the track."""
    finite = np.isfinite(track)
    if not finite.all():
        bad = np.flatnonzero(~finite)  # counted through all axes
        raise ValueError(
            f"{name} contains NaN or infinity ({bad.size} of {track.size} samples, the first "
            f"at sample {bad[0]}); repair the recording or leave it out."
        )


def check_samples(track: NDArray[np.floating[Any]], name: str) -> None:
    """Refuse a waveform with samples that are not finite or far beyond full scale."""
    largest = max(track.max(), -track.min())  # NaN where there is one
    if largest <= MAX_SAMPLE:
        return
    check_finite(track, name)
    bad = np.flatnonzero(np.abs(track) > MAX_SAMPLE)
    raise ValueError(
        f"{name} has samples as large as {largest:g} ({bad.size} of {track.size} are beyond "
        f"{MAX_SAMPLE:g}, the first at sample {bad[0]}); full scale is 1. Divide the samples by "
        "their full scale, such as 2**23 for 24 bits, or repair the recording."
    )


def has_sound(samples: NDArray[np.float32], sampling_rate: float) -> bool:
    """Whether a waveform is long and loud enough to predict a genre from it."""
    length, n_loud = sound_blocks(sampling_rate)
    blocks = samples[: samples.size // length * length].reshape(-1, length)
    # A hundred blocks mostly suffice to see it.
    return any(
        np.count_nonzero(blocks[::step].std(axis=1) >= MIN_LEVEL) >= n_loud
        for step in (len(blocks) // 100 + 1, 1)
    )


def sound_blocks(sampling_rate: float) -> tuple[int, int]:
    """Return the samples in a block, and how many blocks must be loud in a track with sound."""
    n_samples = int(MIN_DURATION * sampling_rate)
    length = max(2, n_samples // _N_BLOCKS)
    return length, max(1, n_samples // length)


class TrackStack:
    """Collect one array for each track in one array of all tracks.

    Parameters
    ----------
    n_tracks : int
        Number of arrays that will come.
    """

    def __init__(self, n_tracks: int):
        self._n_tracks = n_tracks
        self._n_filled = 0
        self._out: NDArray[Any] | None = None
        self._rate: float | None = None

    def append(self, array: Any, name: str) -> None:
        """Copy the array of the next track to its place; its shape and rate must fit."""
        rate = getattr(array, "sampling_rate", None)
        array = np.asarray(array)
        if self._out is None:
            self._out = np.empty((self._n_tracks, *array.shape), dtype=array.dtype)
            self._rate = rate
        elif array.shape != self._out.shape[1:]:
            raise ValueError(
                f"{name} came out with the shape {array.shape}, the tracks before it with "
                f"{self._out.shape[1:]}; all need the same. Set the first step to one duration."
            )
        elif rate != self._rate:
            raise ValueError(
                f"{name} has a sampling rate of {rate} Hz, the tracks before it of {self._rate} "
                "Hz; bring all to one rate with AudioLoader."
            )
        if array.dtype != self._out.dtype:
            self._out = self._out.astype(np.result_type(self._out, array), copy=False)
        self._out[self._n_filled] = array
        self._n_filled += 1

    def array(self) -> NDArray[Any]:
        """Return all tracks; waveforms keep their rate."""
        assert self._out is not None  # an empty input was refused
        return self._out if self._rate is None else with_rate(self._out, self._rate)


def is_pair(track: Any) -> bool:
    """Whether a track is a pair of a waveform and its rate."""
    return isinstance(track, tuple) and len(track) == 2 and _is_pair(*track)


def check_not_reversed(track: Any, name: str) -> None:
    """Refuse a pair in the order of ``scipy.io.wavfile.read``."""
    is_sequence = isinstance(track, (tuple, list)) or (
        isinstance(track, np.ndarray) and track.dtype == object and track.ndim == 1
    )
    if is_sequence and len(track) == 2 and _is_pair(track[1], track[0]):
        raise ValueError(
            f"{name} is a reversed pair: (sampling_rate, waveform), as scipy.io.wavfile.read "
            "returns it. Give a list of pairs with the waveform first, and in it the channels: "
            f"[(waveform.T, {track[0]})]."
        )


def _is_pair(waveform: Any, rate: Any) -> bool:
    is_number = isinstance(rate, Real) or (isinstance(rate, np.ndarray) and rate.ndim == 0)
    return is_number and not isinstance(waveform, (str, bytes)) and np.ndim(waveform) > 0
