"""Bringing files and waveforms to one rate, one channel and one length."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.audio._decode import (
    center_start,
    n_before_resampling,
    read_audio,
)
from skgenre.audio._mono import resample, to_mono
from skgenre.base import TrackTransformer
from skgenre.utils._validation import as_rows
from skgenre.utils._warnings import warn_of_repetition
from skgenre.utils._waveforms import (
    check_not_masked,
    check_not_reversed,
    check_samples,
    is_pair,
    with_rate,
)

# Integer type -> (the value of silence, the value of full scale above it).
_FULL_SCALE = {
    np.dtype(np.uint8): (128, 2**7),
    np.dtype(np.int8): (0, 2**7),
    np.dtype(np.int16): (0, 2**15),
    np.dtype(np.int32): (0, 2**31),
}

_MAX_RATE = 1e9  # Hz


class AudioLoader(TrackTransformer):
    """Bring audio files and waveforms to one rate, one channel and one length.

    Reads WAV, FLAC, OGG, Opus, MP3, AU, AIFF, CAF and W64 files, with PyAV also M4A, AAC, WMA,
    WebM and Matroska, and takes waveforms that are in memory already. Channels are averaged to
    one, the requested length is cut out of a longer track, the samples are resampled, and a short
    track is repeated or padded.

    Parameters
    ----------
    sampling_rate : float, default=22050
        Rate of the output in Hz.
    duration : float, default=30.0
        Length of the output in seconds: ``round(duration * sampling_rate)`` samples.
    position : {"start", "center"}, default="start"
        Where in a longer track the audio is taken from.
    short : {"repeat", "zeros", "error", "keep"}, default="repeat"
        What to do with a shorter track: repeat it from its start, append silence, raise an error
        that names it, or keep its length. Tracks of different lengths do not fit into one array:
        use "keep" inside :class:`PerTrack`, where one track passes at a time.
    waveform_sampling_rate : float or None, default=None
        Rate in Hz of waveforms given as plain arrays. None means that they already have
        ``sampling_rate``. Files, pairs of ``(waveform, sampling_rate)`` and the output of other
        steps of this package state their own rate.
    resampling : {"QQ", "LQ", "MQ", "HQ", "VHQ"}, default="HQ"
        Quality of the resampling in soxr's terms, from quick to very high. "HQ" is also
        librosa's default.

    See Also
    --------
    Segmenter : Cuts the loaded tracks into segments.

    Notes
    -----
    A waveform is an array of shape (n_samples,), or (n_channels, n_samples) with the
    channels first, as librosa has it. Floating-point samples are taken as they are;
    integers are divided by the full scale of their type: int8 by 128, int16 by 32768, int32
    by 2 :sup:`31`; uint8 lies around 128, as in WAV files.

    A truncated file is refused: a WAV, AIFF, AU, CAF, W64, MP3, MP4, WMA or Matroska file shorter
    than its header says (up to 64 bytes may be missing, as some writers round up or count their
    header), an OGG file that ends inside a page, or with fewer samples than it says and a page
    that is damaged or missing, a FLAC file without its last sample. The header of a stream may
    omit the length, which is then that of the file. So may an MP3 file: where it has no Xing or
    Info header, or one that does not fit the file, its frames are counted. Truncation of an MP3
    file without such a header, of raw AAC and of live WebM cannot be detected. A last MPEG frame
    that is cut short is left out, as are tags and junk around the audio; more than 1441 bytes of
    junk in the middle of an MP3 file are damage.

    Recordings that lie in one file one after the other (MP3 files that were joined, a chained
    OGG file) are read as one track if their rates and numbers of channels are equal, and refused
    otherwise. Beside the audio, an OGG file may hold video or metadata, but not a second stream
    of audio.

    What PyAV reads has the samples of FFmpeg, without the padding that the encoder states. It is
    decoded from the start for ``position="center"`` too, once to count the samples and once to
    the middle.

    References
    ----------
    .. [1] E. de Castro Lopo, "libsndfile", https://libsndfile.github.io/libsndfile/
    .. [2] R. Sykes, "The SoX Resampler library", https://sourceforge.net/projects/soxr/

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import AudioLoader
    >>> time = np.arange(44100) / 44100
    >>> tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    >>> loader = AudioLoader(sampling_rate=22050, duration=2.0)
    >>> loader.fit_transform([(tone, 44100), (np.stack([tone, tone]), 44100)]).shape
    (2, 44100)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "position": [StrOptions({"start", "center"})],
        "short": [StrOptions({"repeat", "zeros", "error", "keep"})],
        "waveform_sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
        "resampling": [StrOptions({"QQ", "LQ", "MQ", "HQ", "VHQ"})],
    }

    def __init__(
        self,
        *,
        sampling_rate=22050,
        duration=30.0,
        position="start",
        short="repeat",
        waveform_sampling_rate=None,
        resampling="HQ",
    ):
        self.sampling_rate = sampling_rate
        self.duration = duration
        self.position = position
        self.short = short
        self.waveform_sampling_rate = waveform_sampling_rate
        self.resampling = resampling

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Load each track.

        Parameters
        ----------
        X : sequence of n_tracks tracks, or array of shape (n_tracks, n_samples)
            A list, tuple, one-dimensional array or Series, or a table of one column. Each
            track is a path (str or PathLike), a waveform, or a pair ``(waveform,
            sampling_rate)``; they may be mixed. Or an array of waveforms of one length, of shape
            (n_tracks, n_samples) or (n_tracks, n_channels, n_samples).

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_samples), float32
            The waveforms; the array knows its ``sampling_rate``.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such file; the message names it.
        ImportError
            If a file needs PyAV, which is not installed; the message names the file. It is a
            ValueError too.
        ValueError
            If a file is empty, cut off, damaged or no audio; if a track has no samples, has
            samples that are not finite, or is too short where ``short="error"``; if tracks
            differ in length where ``short="keep"``; if a waveform has a type without a full
            scale or two rates. The message names the track by its path or its row.
        """
        return super().transform(X)

    def _validate_params(self) -> None:
        super()._validate_params()
        if self._n_samples() < 1:
            raise ValueError(
                f"duration={self.duration} s has no sample at sampling_rate={self.sampling_rate}; "
                "give a longer duration."
            )

    def _as_rows(self, X: Any) -> Sequence[Any] | NDArray[Any]:
        tracks = as_rows(X)
        if isinstance(tracks, np.ndarray):
            self._check_array(tracks)
        return tracks

    def _check_array(self, X: NDArray[Any]) -> None:
        if X.ndim > 1 and X.size and isinstance(X.flat[0], (str, os.PathLike)):
            raise ValueError(
                f"X is a table of paths of shape {X.shape}; give one column: X[:, 0] of an array, "
                'X["path"] of a data frame.'
            )
        if X.ndim > 3:
            raise ValueError(
                "X must be of shape (n_tracks, n_samples) or (n_tracks, n_channels, n_samples); "
                f"got an array of shape {X.shape}."
            )
        if X.ndim > 1:
            _check_type(X.dtype, "X")
        self._rate_of(X, None, "X")

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        if isinstance(track, (str, os.PathLike)):
            if not os.fspath(track):
                raise FileNotFoundError(f"{name} is '' (an empty path), which does not exist.")
            x = read_audio(
                track,
                sampling_rate=self.sampling_rate,
                duration=self.duration,
                position=self.position,
                resampling=self.resampling,
            )
        else:
            x = self._read_waveform(track, name)
        return with_rate(self._fix_length(x, name), self.sampling_rate)

    def _read_waveform(self, track: Any, name: str) -> NDArray[np.float32]:
        """Cut, mix down and resample a waveform."""
        own_rate = None
        check_not_reversed(track, name)
        if is_pair(track):
            track, own_rate = track
        rate = self._rate_of(track, own_rate, name)
        if not 1 <= rate <= _MAX_RATE:
            raise ValueError(
                f"{name} has a sampling rate of {rate!s:.20} Hz; it must be from 1 Hz to 1 GHz."
            )
        rate = float(rate)  # the integers of NumPy overflow
        x = _as_channels(track, name)  # (n_channels, n_samples), a plain array
        n_needed = n_before_resampling(self._n_samples(), rate, self.sampling_rate)
        start = center_start(x.shape[1], n_needed) if self.position == "center" else 0
        x = to_mono(_as_float(x[:, start : start + n_needed], name).T, rate, name)
        return resample(x, rate, self.sampling_rate, self.resampling)[: self._n_samples()]

    def _rate_of(self, waveform: Any, own_rate: float | None, name: str) -> float:
        """Find the rate of a waveform; all sources that state it must agree."""
        known = getattr(waveform, "sampling_rate", None)
        given = self.waveform_sampling_rate if own_rate is None else own_rate
        if known is not None and given is not None and known != given:
            source = "waveform_sampling_rate=" if own_rate is None else "the rate beside it is "
            raise ValueError(
                f"{name} has a sampling rate of {known:g} Hz, but {source}{given:g}; leave out the "
                "one that is wrong."
            )
        if known is not None:
            return known
        return self.sampling_rate if given is None else given

    def _fix_length(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        n_samples = self._n_samples()
        if x.size == n_samples:
            return x
        if x.size == 0:
            raise ValueError(
                f"{name} has no samples at sampling_rate={self.sampling_rate:g}; leave it out."
            )
        if self.short == "keep":
            return x
        if self.short == "error":
            raise ValueError(
                f"{name} lasts {x.size / self.sampling_rate:.2f} s, shorter than "
                f"duration={self.duration:g} s; lower duration, or set short='zeros' or "
                "short='repeat'."
            )
        if self.short == "zeros":
            return np.pad(x, (0, n_samples - x.size))
        warn_of_repetition(name, x.size / self.sampling_rate, self.duration)
        return np.resize(x, n_samples)  # NumPy's resize repeats from the start

    def _n_samples(self) -> int:
        return round(float(self.duration) * float(self.sampling_rate))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags


def _as_channels(track: Any, name: str) -> NDArray[Any]:
    """Check a waveform's shape and bring it to (n_channels, n_samples)."""
    check_not_masked(track, name)
    try:
        x = np.asarray(track)
    except ValueError as error:
        raise ValueError(
            f"{name} is no waveform: its rows differ in length. Give one array of shape "
            "(n_samples,) or (n_channels, n_samples) for each track."
        ) from error
    if x.ndim == 0 and isinstance(track, bytes):
        raise ValueError(f"{name} is of type bytes; give its path as text: os.fsdecode(path).")
    if x.ndim == 0:
        raise ValueError(
            f"{name} is of type {type(track).__name__}; a track is a path, a waveform or a pair "
            "(waveform, sampling_rate)."
        )
    if x.dtype.kind in "UST":
        raise ValueError(
            f"{name} is a sequence of {len(x)} texts; a track is one path. Give the paths as a "
            "flat list."
        )
    if x.ndim > 2:
        raise ValueError(
            f"{name} has the shape {x.shape}; a waveform has the shape (n_samples,) or "
            "(n_channels, n_samples)."
        )
    if x.size == 0:
        raise ValueError(f"{name} has no samples: a waveform of shape {x.shape}; leave it out.")
    if x.ndim == 1:
        return x[np.newaxis]  # (1, n_samples)
    if x.shape[0] > x.shape[1]:
        raise ValueError(
            f"{name} has the shape {x.shape}: more channels than samples. Channels come first; "
            "transpose it by waveform.T."
        )
    return x


def _check_type(dtype: np.dtype[Any], name: str) -> None:
    """Refuse samples of a type without a full scale."""
    if dtype.kind == "c":
        raise ValueError(
            f"{name} is of type {dtype}. Complex data not supported: samples are real numbers."
        )
    if dtype.newbyteorder("=") not in _FULL_SCALE and dtype.kind not in "fO":
        raise ValueError(
            f"{name} is of type {dtype}, which has no full scale; convert it to float32 with "
            "samples between -1 and 1, or to int16."
        )


def _as_float(x: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Convert samples to float32; integers are scaled by the full scale of their type."""
    dtype = x.dtype.newbyteorder("=")
    _check_type(dtype, name)
    if dtype in _FULL_SCALE:
        silence, full_scale = _FULL_SCALE[dtype]
        return (x.astype(np.float32) - np.float32(silence)) / np.float32(full_scale)
    try:
        with np.errstate(over="raise"):
            return x.astype(np.float32, copy=False)
    except FloatingPointError:
        check_samples(x.astype(np.longdouble), name)
        raise
    except (TypeError, ValueError, OverflowError) as error:  # objects
        raise ValueError(f"{name} is no waveform of real numbers: {error}.") from error
