"""Decode with libsndfile: WAV, FLAC, OGG, MP3, AU, AIFF and the like."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.audio._parts import AudioFileError, Part

# Samples to decode before those that are needed. An MPEG frame may use bytes of many frames before
# it, more than libmpg123 goes back; what Opus predicts at low bit rates settles within a second.
_LEADS = {f"MPEG_LAYER_{layer}": 32 * 1152 for layer in ("I", "II", "III")} | {"OPUS": 48000}
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
    name : str or bytes
        The file.
    parts : sequence of Part, default=()
        Its parts to read and join; none for the whole file.

    Raises
    ------
    DecodingError
        If libsndfile cannot open it.
    AudioFileError
        If its parts differ in their rate or number of channels.
    """

    n_least = 0  # how many samples a file of unknown length has at least

    def __init__(self, name: str | bytes, parts: Sequence[Part] = ()):
        import soundfile

        self._error = soundfile.LibsndfileError
        self._parts = parts or [Part()]
        try:
            self._files = [_open(part, name) for part in self._parts]
        except self._error as error:
            # mpg123's failures have code 7, whose text speaks of a missing file.
            raise DecodingError(
                "no MPEG frames found" if error.code == 7 else error.error_string.strip(". ")
            ) from error
        first = self._files[0]
        self.rate: int = first.samplerate
        self.channels: int = first.channels
        self.format: str = first.format
        self.subtype: str = first.subtype
        for file in self._files:
            if (file.samplerate, file.channels) != (self.rate, self.channels):
                raise AudioFileError(
                    f"joins recordings of different formats: {first.samplerate} Hz with "
                    f"{first.channels} channels and {file.samplerate} Hz with {file.channels} "
                    "channels; split it, or convert it to one rate and number of channels."
                )
        lengths = (
            file.frames if part.n_frames is None else part.n_frames
            for file, part in zip(self._files, self._parts, strict=True)
        )
        self._begins = [0, *accumulate(lengths)]  # in samples
        self._position = 0
        self._places = [0] * len(self._parts)  # where each file stands
        frames = self._begins[-1]
        # For MP3 inside WAV, libsndfile's length is too large.
        is_unknown = frames >= _UNKNOWN_FRAMES or (self.format != "MP3" and "MPEG" in self.subtype)
        self.n_frames: int | None = None if is_unknown else frames
        # 16-bit samples are read as they are: libsndfile takes much longer to scale them.
        # Those of the sample dump standard, SDS, have more than 16 bits.
        is_int16 = self.subtype == "PCM_16" and self.format != "SDS"
        self.dtype = "int16" if is_int16 else "float32"

    def read(self, n_frames: int) -> NDArray[Any]:
        """Decode the next (n_frames, n_channels), int16 or float32; fewer at the end."""
        blocks = [np.empty((0, self.channels), self.dtype)]
        stop = min(self._position + n_frames, self._begins[-1])
        try:
            while self._position < stop:
                index = bisect_right(self._begins, self._position) - 1
                self._go_to(index, self._position - self._begins[index] + self._parts[index].skip)
                wanted = min(stop, self._begins[index + 1]) - self._position
                blocks.append(self._decode(index, wanted))
                self._position += len(blocks[-1])
                if len(blocks[-1]) < wanted:
                    break
        except self._error as error:
            raise DecodingError(error.error_string.strip(". ")) from error
        return blocks[1] if len(blocks) == 2 else np.concatenate(blocks)

    def seek(self, start: int) -> bool:
        """Let the next read begin at a sample; if that fails, open the file anew."""
        self._position = start
        return True

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _decode(self, index: int, n_frames: int) -> NDArray[Any]:
        x = self._files[index].read(n_frames, dtype=self.dtype, always_2d=True)
        self._places[index] += len(x)
        return x

    def _go_to(self, index: int, start: int) -> None:
        """Seek to where that is exact, and decode from there to a sample of a part."""
        file = self._files[index]
        lead = _LEADS.get(self.subtype, 0)
        target = max(0, min(start - lead, file.frames - self._parts[index].n_last))
        if not target <= self._places[index] <= start:
            self._places[index] = file.seek(target)
        self._decode(index, start - self._places[index])
        if self._places[index] != start:
            raise DecodingError(f"sample {start} was not found")


def _open(part: Part, name: str | bytes) -> Any:
    open_file = _forward_only()
    if part.content is not None:
        if part.is_whole and part.n_frames is not None:
            file = open_file(name)
            if file.frames >= part.skip + part.n_frames:
                return file
            file.close()
        part.content.seek(0)
    file = open_file(name if part.content is None else part.content)
    if file.subtype == "OPUS":
        # Without it, libsndfile does not skip the delay of the encoder in streams that begin late.
        file.seek(0)
    return file


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
