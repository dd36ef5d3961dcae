"""Decode audio files to mono float32 samples, and read their headers."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from skgenre.audio._headers import closed_wav, read_promise
from skgenre.utils._waveforms import check_finite

# Larger than any real length: libsndfile's sign that the header omits the length.
_UNKNOWN_FRAMES = 2**62
_BLOCK = 2**16
_MP3_FRAME = 1152  # samples


@dataclass(frozen=True)
class AudioInfo:
    """The contents of the header of an audio file.

    Parameters
    ----------
    frames : int
        Samples in each channel. An estimate for an MP3 file without a Xing or Info header,
        which does not store its length.
    sampling_rate : int
        Rate in Hz.
    channels : int
        Number of channels.
    format : str
        libsndfile's name of the container, such as "WAV", "OGG" or "MP3".
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

    The samples are not decoded, so damage between the header and the end can go unnoticed.

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
    ValueError
        If the file is empty, truncated, without samples, or not audio.
    """
    with _opened(path) as audio:
        n_frames = audio.n_frames
        if n_frames is None:
            n_frames = sum(len(block) for block in audio.blocks())
        return AudioInfo(n_frames, audio.rate, audio.file.channels, audio.file.format)


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
        samples that are not finite.
    """
    n_samples = round(duration * sampling_rate)
    with _opened(path) as audio:
        rate = audio.rate
        n_needed = n_before_resampling(n_samples, rate, sampling_rate)
        if position == "start":
            x = mix_down(audio.read(0, n_needed))
        elif audio.n_frames is not None:
            x = mix_down(audio.read(center_start(audio.n_frames, n_needed), n_needed))
        else:
            x = np.concatenate([mix_down(block) for block in audio.blocks()])
            x = x[center_start(x.size, n_needed) :][:n_needed]
    if x.size == 0:
        raise _no_samples(_label(path))
    if audio.dtype != "int16":
        check_finite(x, _label(path))
    return resample(x, rate, sampling_rate, resampling)[:n_samples]


def n_before_resampling(n_samples: int, rate: float, new_rate: float) -> int:
    """Return how many samples at ``rate`` make ``n_samples`` at ``new_rate``."""
    # The epsilon keeps 661500 * 44100 / 22050 from being rounded up to one more.
    return ceil(n_samples * rate / new_rate - 1e-6)


def center_start(n_frames: int, n_needed: int) -> int:
    """Return where the middle ``n_needed`` of ``n_frames`` begin."""
    return max(0, (n_frames - n_needed) // 2)


def mix_down(x: NDArray[Any]) -> NDArray[np.float32]:
    """Average (n_samples, n_channels) of float32 or int16, which is divided by its full scale.

    Channel by channel: NumPy is slow along the short axis, and a matrix product would start
    BLAS threads, which compete with the threads of the tracks.
    """
    n_channels = x.shape[1]
    if n_channels == 1 and x.dtype == np.float32:
        return x[:, 0]
    mean = x[:, 0].astype(np.float32)
    # No warnings for NaN and infinity: the caller checks the result for them.
    with np.errstate(invalid="ignore", over="ignore"):
        for channel in range(1, n_channels):
            mean += x[:, channel]
        full_scale = 2**15 if x.dtype == np.int16 else 1
        mean *= np.float32(1 / (n_channels * full_scale))
    return mean


def resample(
    x: NDArray[np.float32], rate: float, new_rate: float, quality: str
) -> NDArray[np.float32]:
    """Resample (n_samples,) with soxr; samples that already have the rate are returned as is."""
    if rate == new_rate:
        return x
    import soxr

    return soxr.resample(x, rate, new_rate, quality=quality)


def _label(path: str | os.PathLike[str]) -> str:
    return os.fsdecode(path) or "'' (an empty path)"


class _AudioFile:
    """An open file that raises an error on reading fewer samples than its header promises.

    Parameters
    ----------
    file : soundfile.SoundFile
        The file.
    label : str
        Its name in errors.
    slack : float
        How many samples may be missing at its end.
    """

    def __init__(self, file: Any, label: str, slack: float):
        self.file, self.label, self.slack = file, label, slack
        self.rate = file.samplerate
        self.n_frames: int | None = file.frames if file.frames < _UNKNOWN_FRAMES else None
        # 16-bit samples are read as they are: libsndfile takes much longer to scale them.
        self.dtype = "int16" if file.subtype == "PCM_16" else "float32"

    def read(self, start: int, n_frames: int) -> NDArray[Any]:
        """Decode (n_frames, n_channels), int16 or float32; fewer only where the file ends."""
        if self.n_frames is not None:
            n_frames = min(n_frames, self.n_frames - start)
        x = self._decode(n_frames, start)
        if self.n_frames is not None and len(x) < n_frames - self.slack:
            raise _truncated(
                self.label,
                f"its header promises {self.n_frames} samples, {start + len(x)} are there",
            )
        return x

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Decode from the current position to the end, block by block."""
        while len(block := self._decode(_BLOCK)):
            yield block

    def _decode(self, n_frames: int, start: int | None = None) -> NDArray[Any]:
        import soundfile

        try:
            if start is not None and self.n_frames is not None and start != self.file.tell():
                self.file.seek(start)
            return self.file.read(n_frames, dtype=self.dtype, always_2d=True)
        except soundfile.LibsndfileError as error:
            reason = f"decoding stopped ({error.error_string.strip('. ')})"
            raise _truncated(self.label, reason) from error


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[_AudioFile]:
    """Open an audio file and check everything that needs no decoding."""
    import soundfile

    label = _label(path)
    with _open_bytes(path, label) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size == 0:
            raise ValueError(
                f"{label} is an empty file (0 bytes); copy or download it again, or leave it out."
            )
        promise = read_promise(stream, size)
        if promise.end > size:
            raise _truncated(
                label, f"its header promises at least {promise.end} bytes, {size} are there"
            )
        # soundfile encodes str names strictly; bytes reach every file that exists.
        name = os.fsdecode(path) if os.name == "nt" else os.fsencode(path)
        source: str | bytes | BinaryIO = closed_wav(stream) or name
    if label.lower().endswith(".raw"):
        raise _not_audio(label, "a .raw file has no header")
    with ExitStack() as stack:
        if promise.is_mpeg:
            stack.enter_context(_quiet_stderr())
        try:
            file = stack.enter_context(soundfile.SoundFile(source))
            if file.frames >= _UNKNOWN_FRAMES:
                file = stack.enter_context(_forward_only(source))
        except soundfile.LibsndfileError as error:
            # mpg123's failures have code 7, whose text speaks of a missing file.
            reason = "no MPEG frames found" if error.code == 7 else error.error_string
            raise _not_audio(label, reason) from error
        if file.format == "RAW":  # libsndfile reads any bytes named .au or .gsm as samples
            raise _not_audio(label, "no header found")
        if file.frames == 0:
            raise _no_samples(label)
        slack = 0.0
        if file.format == "MP3":
            slack = 2 * _MP3_FRAME if promise.stores_length else np.inf
        audio = _AudioFile(file, label, slack)
        if file.format == "FLAC" and audio.n_frames is not None:
            # The only format whose header gives the length in samples but not in bytes: read
            # the last sample. Seeking to it decodes nothing else.
            audio.read(audio.n_frames - 1, 1)
        yield audio


def _forward_only(source: str | bytes | BinaryIO) -> Any:
    """Open a file whose header omits the length, for reading from start to end.

    soundfile seeks to the end of each read. libsndfile cannot seek in such a file, so seeking
    is switched off.
    """
    import soundfile

    class ForwardOnly(soundfile.SoundFile):
        def seekable(self) -> bool:
            return False

    return ForwardOnly(source)


def _open_bytes(path: str | os.PathLike[str], label: str) -> BinaryIO:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
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
    return ValueError(
        f"{label} is truncated or damaged: {reason}; copy or download it again, or leave it out."
    )


def _not_audio(label: str, reason: str) -> ValueError:
    return ValueError(
        f"{label} is not an audio file that libsndfile can read ({reason.strip('. ')}); convert "
        "it to WAV, FLAC, OGG or MP3."
    )


def _no_samples(label: str) -> ValueError:
    return ValueError(f"{label} has no samples: its audio is 0 s long; leave it out.")


_stderr_lock = threading.Lock()
_stderr_users = 0
_stderr_saved: int | None = None


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep libmpg123's notes on damaged files off the terminal.

    C code writes them to the file descriptor, past Python's ``sys.stderr``, and soundfile
    cannot switch them off. Threads share the descriptor, so the first to enter redirects it
    and the last to leave restores it.
    """
    global _stderr_users, _stderr_saved
    with _stderr_lock:
        if _stderr_users == 0:
            _stderr_saved = _divert_stderr()
        _stderr_users += 1
    try:
        yield
    finally:
        with _stderr_lock:
            _stderr_users -= 1
            if _stderr_users == 0 and _stderr_saved is not None:
                os.dup2(_stderr_saved, 2)
                os.close(_stderr_saved)
                _stderr_saved = None


def _divert_stderr() -> int | None:
    try:
        saved = os.dup(2)
    except OSError:  # a program without a terminal may have closed it
        return None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return saved
