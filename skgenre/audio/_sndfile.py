"""Decode with libsndfile: WAV, FLAC, OGG, MP3, AU, AIFF and the like."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from skgenre.audio._headers import Stream
from skgenre.audio._parts import JoinedFile, Part

# Larger than any real length: libsndfile's sign that the header omits the length.
_UNKNOWN_FRAMES = 2**62


class DecodingError(Exception):
    """A decoder could not open a file, or stopped inside it; the message is the reason."""


@lru_cache(maxsize=1)
def _forward_only() -> Any:
    import soundfile

    class ForwardOnly(soundfile.SoundFile):
        # After each read soundfile seeks to where it is already, which not all codecs can.
        def seekable(self) -> bool:
            return False

    return ForwardOnly


class SndfileDecoder:
    """Samples of an open file, from its start onward.

    Parameters
    ----------
    source : str, bytes or binary file
        The file.
    parts : sequence of Part, default=()
        Its parts to read and join; none for the whole file.

    Raises
    ------
    DecodingError
        If libsndfile cannot open it.
    AudioFileError
        If its parts do not go together.
    """

    n_least = 0  # how many samples a file of unknown length has at least

    def __init__(self, source: str | bytes | Stream, parts: Sequence[Part] = ()):
        import soundfile

        self._error = soundfile.LibsndfileError
        try:
            self._file = JoinedFile(parts, source) if parts else _forward_only()(source)
        except self._error as error:
            # mpg123's failures have code 7, whose text speaks of a missing file.
            raise DecodingError(
                "no MPEG frames found" if error.code == 7 else error.error_string.strip(". ")
            ) from error
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.format: str = self._file.format
        self.subtype: str = self._file.subtype
        frames = self._file.frames
        # For MP3 inside WAV, libsndfile's length is too large.
        is_unknown = frames >= _UNKNOWN_FRAMES or (self.format != "MP3" and "MPEG" in self.subtype)
        self.n_frames: int | None = None if is_unknown else frames
        # 16-bit samples are read as they are: libsndfile takes much longer to scale them.
        # Those of the sample dump standard, SDS, have more than 16 bits.
        is_int16 = self.subtype == "PCM_16" and self.format != "SDS"
        self.dtype = "int16" if is_int16 else "float32"

    def read(self, n_frames: int) -> NDArray[Any]:
        """Decode the next (n_frames, n_channels), int16 or float32; fewer at the end."""
        try:
            return self._file.read(n_frames, dtype=self.dtype, always_2d=True)
        except self._error as error:
            raise DecodingError(error.error_string.strip(". ")) from error

    def seek(self, start: int) -> bool:
        """Go to a sample, and return whether that was possible; if not, open the file anew."""
        try:
            return self._file.seek(start) == start
        except self._error:
            return False

    def close(self) -> None:
        self._file.close()


_stderr_lock = threading.Lock()
_stderr_users = 0
_stderr_saved: int | None = None


@contextmanager
def quiet_stderr() -> Iterator[None]:
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
