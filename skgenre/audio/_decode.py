"""Decode audio files to mono float32 samples, and read their headers."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from skgenre.audio._headers import Promise, read_promise
from skgenre.audio._mono import resample, to_mono
from skgenre.audio._ogg import has_all_pages
from skgenre.audio._parts import AudioFileError, ByteRanges, Part, damage
from skgenre.audio._pyav import (
    Decoder,
    MissingPyAVError,
    PyAVDecoder,
    find_container,
    open_decoder,
    shared_container,
)
from skgenre.audio._sndfile import DecodingError, quiet_stderr
from skgenre.utils._parallel import dask_worker
from skgenre.utils._warnings import TrackWarning, warn_of_tracks

# The usual endings of the files that are read; those from "m4a" on need PyAV.
_USUAL = "wav flac ogg oga opus mp3 au aiff aif aifc caf w64 m4a mp4 aac wma webm mka"
AUDIO_EXTENSIONS = tuple(_USUAL.split())
_BLOCK = 2**16
_MP3_FRAME = 1152  # samples


@dataclass(frozen=True)
class AudioInfo:
    """The contents of the header of an audio file.

    Parameters
    ----------
    frames : int
        Samples in each channel. Those of an MP3 file that does not store its length, or a
        wrong one, are counted. An estimate for formats that PyAV reads.
    sampling_rate : int
        Rate in Hz.
    channels : int
        Number of channels.
    format : str
        libsndfile's name of the container, such as "WAV", "OGG" or "MP3"; of those that PyAV
        reads "MP4", "ASF", "MATROSKA" or "AAC".
    """

    frames: int
    sampling_rate: int
    channels: int
    format: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sampling_rate


def probe_audio(path: str | os.PathLike[str]) -> AudioInfo:
    """Check an audio file by its header, and return what the header says.

    The samples are not decoded, so damage between the header and the end can go unnoticed. Only
    FLAC streams and MP3 inside WAV, whose headers omit the length, are decoded to count it.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    info : AudioInfo
        Its length, rate, channels and format.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ImportError
        If the file needs PyAV, which is not installed; it is a ValueError too.
    ValueError
        If the file is empty, truncated, without samples, or not audio.
    """
    with _opened(path) as audio:
        decoder = audio.decoder
        if isinstance(decoder, PyAVDecoder):
            n_frames = decoder.estimate_frames()
        else:
            n_frames = audio.count() if audio.n_frames is None else audio.n_frames
        if n_frames == 0:
            raise _no_samples(_label(path))
        return AudioInfo(n_frames, decoder.rate, decoder.channels, decoder.format)


def read_audio(
    path: str | os.PathLike[str],
    *,
    sampling_rate: float,
    duration: float,
    position: str = "start",
    resampling: str = "HQ",
) -> NDArray[np.float32]:
    """Read a stretch of an audio file as mono samples of one rate.

    Only the samples that are needed are decoded. They are cut first and then resampled.

    Parameters
    ----------
    path : str or PathLike
        The file.
    sampling_rate : float
        Rate of the result in Hz.
    duration : float
        Length of the stretch in seconds.
    position : {"start", "center"}, default="start"
        Where the stretch lies in a longer file.
    resampling : {"QQ", "LQ", "MQ", "HQ", "VHQ"}, default="HQ"
        Quality of the resampling in soxr's terms.

    Returns
    -------
    x : ndarray of shape (n_samples,), float32
        ``round(duration * sampling_rate)`` samples, or fewer where the file is shorter.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the file is empty, truncated, damaged, without samples, or not audio, or has
        samples that are not finite or far beyond full scale.
    """
    n_samples = round(duration * sampling_rate)
    try:
        samples, rate = _read_stretch(path, n_samples, sampling_rate, position)
    except _OpusError as error:
        try:
            samples, rate = _read_stretch(path, n_samples, sampling_rate, position, by_pyav=True)
        except MissingPyAVError:
            raise ValueError(
                f"libsndfile cannot decode {_label(path)}: it is damaged, or its Opus packets are "
                'timed irregularly; PyAV reads the latter: pip install "skgenre[formats]".'
            ) from error
        except ValueError:
            raise error from None
    if not len(samples):
        raise _no_samples(_label(path))
    x = to_mono(samples, rate, _label(path))
    del samples  # its memory is used again while resampling
    return resample(x, rate, sampling_rate, resampling)[:n_samples]


def _read_stretch(
    path: str | os.PathLike[str],
    n_samples: int,
    sampling_rate: float,
    position: str,
    by_pyav: bool = False,
) -> tuple[NDArray[Any], int]:
    """Read what is needed for n_samples, and return the rate of the file beside it."""
    with _opened(path, by_pyav) as audio:
        rate = audio.decoder.rate
        n_needed = n_before_resampling(n_samples, rate, sampling_rate)
        start = 0
        if position == "center":
            n_frames = audio.count() if audio.n_frames is None else audio.n_frames
            start = center_start(n_frames, n_needed)
        return audio.read(start, n_needed), rate


def n_before_resampling(n_samples: int, rate: float, new_rate: float) -> int:
    """Return how many samples at ``rate`` make ``n_samples`` at ``new_rate``."""
    # The epsilon keeps 661500 * 44100 / 22050 from being rounded up to one more.
    return ceil(n_samples * rate / new_rate - 1e-6)


def center_start(n_frames: int, n_needed: int) -> int:
    """Return where the middle ``n_needed`` of ``n_frames`` begin."""
    return max(0, (n_frames - n_needed) // 2)


def _label(path: str | os.PathLike[str]) -> str:
    return os.fsdecode(path) or "'' (an empty path)"


class _OpusError(ValueError):
    """libsndfile stopped inside an Opus file: damage, or positions of which it is too strict."""


class _AudioFile:
    """An open file that raises an error on reading fewer samples than its header promises.

    Parameters
    ----------
    open_decoder : callable
        Opens the file from its start.
    label : str
        Its name in errors.
    """

    def __init__(self, open_decoder: Callable[[], Decoder], label: str):
        self._open_decoder, self.label = open_decoder, label
        self.decoder = open_decoder()
        self.position = 0
        self.n_frames = self.decoder.n_frames
        self.slack = 0  # how many samples may be missing at the end
        self.is_whole: Callable[[], bool] | None = None  # whether what is missing never was there

    def read(self, start: int, n_frames: int) -> NDArray[Any]:
        """Decode (n_frames, n_channels), int16 or float32; fewer only where the file ends."""
        if self.n_frames is not None:
            n_frames = min(n_frames, self.n_frames - start)
        if start != self.position:
            if self.decoder.seek(start):
                self.position = start
                # Some codecs fail after a seek although the file is intact.
                with suppress(ValueError):
                    x = self._next(n_frames)
                    if len(x) == n_frames:
                        return x
            self._skip_to(start)
        x = self._next(n_frames)
        if len(x) < n_frames - self.slack:
            self._check_end()
        return x

    def count(self) -> int:
        """Decode the file to its end to find how many samples it has."""
        self._skip_to(sys.maxsize)
        self._check_end()
        return self.position

    def close(self) -> None:
        self.decoder.close()

    def _next(self, n_frames: int) -> NDArray[Any]:
        try:
            x = self.decoder.read(n_frames)
        except DecodingError as error:
            stopped = _truncated(self.label, f"decoding stopped ({error})")
            if self.decoder.subtype == "OPUS":
                stopped = _OpusError(str(stopped))
            raise stopped from error
        self.position += len(x)
        return x

    def _check_end(self) -> None:
        """Raise an error if the file has ended before the end that its header promises."""
        n_least = self.decoder.n_least if self.n_frames is None else self.n_frames
        if self.position < n_least and not (self.is_whole and self.is_whole()):
            raise _truncated(
                self.label,
                f"its header promises at least {n_least} samples, {self.position} are there",
            )

    def _skip_to(self, start: int) -> None:
        """Decode from the start of the file to a sample or the end, whichever comes first."""
        self.decoder.close()
        self.decoder = self._open_decoder()
        self.position = 0
        while self.position < start and len(self._next(min(_BLOCK, start - self.position))):
            pass


@contextmanager
def _opened(path: str | os.PathLike[str], by_pyav: bool = False) -> Iterator[_AudioFile]:
    """Open an audio file and check everything that needs no decoding."""
    label = _label(path)
    with ExitStack() as stack:
        stream = stack.enter_context(_open_bytes(path, label))
        size = os.fstat(stream.fileno()).st_size
        if size == 0:
            raise ValueError(
                f"{label} is an empty file (0 bytes); copy or download it again, or leave it out."
            )
        container = shared_container(stream) if by_pyav else find_container(stream)
        try:
            promise = Promise(container.end) if container else read_promise(stream, size)
        except AudioFileError as error:
            raise ValueError(f"{label} {error}") from None
        if promise.remark is not None:
            warn_of_tracks([TrackWarning(label, "", *promise.remark)])
        if promise.end > size:
            raise _truncated(
                label, f"its header promises at least {promise.end} bytes, {size} are there"
            )
        if label == "-":  # for libsndfile, standard input
            path = os.path.join(os.curdir, "-")
        parts = promise.parts
        if label.lower().endswith(".raw"):  # by this name, libsndfile takes any bytes for samples
            parts = parts or [Part(ByteRanges(stream, [(0, size)]))]
        if promise.is_mpeg:
            stack.enter_context(quiet_stderr())
        try:
            audio = _AudioFile(lambda: open_decoder(path, stream, container, parts), label)
        except AudioFileError as error:
            raise ValueError(f"{label} {error}") from None
        except DecodingError as error:
            raise _not_audio(label, str(error)) from error
        except MissingPyAVError as error:
            raise MissingPyAVError(f"{label}: {error}") from error
        stack.callback(audio.close)
        if audio.decoder.format == "RAW":  # libsndfile reads any bytes named .au or .gsm
            raise _not_audio(label, "no header found")
        if audio.n_frames == 0:
            raise _no_samples(label)
        if audio.decoder.format == "MP3" and not promise.parts:
            # Encoders differ by about one frame in their counts; a single frame is inaudible.
            audio.slack = 2 * _MP3_FRAME
        if audio.decoder.format == "OGG" and len(parts) == 1:
            # FFmpeg counts more samples than it encodes where the times of its input have gaps.
            audio.is_whole = lambda: has_all_pages(stream)
        if audio.decoder.format == "FLAC" and audio.n_frames is not None:
            # The only format whose header gives the length in samples but not in bytes: read
            # the last sample. Seeking to it decodes nothing else.
            audio.read(audio.n_frames - 1, 1)
        yield audio


def _open_bytes(path: str | os.PathLike[str], label: str) -> BinaryIO:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        worker = dask_worker()
        if worker is not None:
            raise FileNotFoundError(
                f"{label} does not exist on the Dask worker {worker}. Workers read files "
                "themselves: mount the folder under the same path on each. A relative path starts "
                f"at the working directory of the worker, {os.getcwd()}."
            ) from None
        raise FileNotFoundError(
            f"{label} does not exist; check its spelling. A relative path starts at the "
            f"working directory, {os.getcwd()}."
        ) from None
    except ValueError as error:
        raise ValueError(f"{label!r} is no path: {error}.") from None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(
            f"{label} is a directory, not an audio file; give the files in it one by one."
        )
    if not stat.S_ISREG(mode):
        raise ValueError(f"{label} is a pipe or a device; give a regular audio file.")
    return open(path, "rb")


def _truncated(label: str, reason: str) -> ValueError:
    return ValueError(f"{label} {damage(reason)}")


def _not_audio(label: str, reason: str) -> ValueError:
    return ValueError(
        f"{label} is not an audio file that can be read ({reason.strip('. ')}); convert it to "
        "WAV, FLAC, OGG or MP3."
    )


def _no_samples(label: str) -> ValueError:
    return ValueError(f"{label} has no samples: its audio is 0 s long; leave it out.")
