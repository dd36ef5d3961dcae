"""Audio files that libsndfile reads only in part: byte ranges, read as files and joined."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAD = 32 * 1152  # samples


class AudioFileError(ValueError):
    """A file is refused. The message is a predicate: the caller puts the file's name before it."""


def damage(reason: str) -> AudioFileError:
    """Return the error for a truncated or damaged file."""
    return AudioFileError(
        f"is truncated or damaged: {reason}; copy or download it again, or leave it out."
    )


class ByteRanges:
    """Ranges of a file's bytes as a binary file of their own, which soundfile can open.

    Parameters
    ----------
    data : mmap
        The whole file.
    ranges : sequence of (start, stop)
        The bytes that are read.
    n_zeros : int, default=0
        Zeros that follow them.
    """

    def __init__(self, data: mmap, ranges: Sequence[tuple[int, int]], n_zeros: int = 0):
        self._data, self._ranges = data, ranges
        # Where each range begins in this file, and where the last one ends.
        self._begins = [0, *accumulate(stop - start for start, stop in ranges)]
        self._size = self._begins[-1] + n_zeros
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        n_bytes = max(0, min(len(buffer), self._size - self._position))
        done = 0
        while done < n_bytes:
            index = bisect_right(self._begins, self._position) - 1
            if index == len(self._ranges):
                content = bytes(n_bytes - done)
            else:
                start, stop = self._ranges[index]
                start += self._position - self._begins[index]
                content = self._data[start : min(stop, start + n_bytes - done)]
            buffer[done : done + len(content)] = content
            done += len(content)
            self._position += len(content)
        return n_bytes


@dataclass(frozen=True)
class Part:
    """A part of a file that is a whole audio file for libsndfile.

    Parameters
    ----------
    content : ByteRanges
        Its bytes.
    n_frames : int or None, default=None
        Its samples in each channel; None for as many as libsndfile finds.
    skip : int, default=0
        Samples before them, which an encoder or decoder has added.
    is_whole : bool, default=False
        Whether the whole file decodes to the same samples, as far as libsndfile reads it. This is
        faster than to read the bytes through Python.
    """

    content: ByteRanges
    n_frames: int | None = None
    skip: int = 0
    is_whole: bool = False


class JoinedFile:
    """Parts of a file, one after the other, with those members of SoundFile that are used here.

    Parameters
    ----------
    parts : sequence of Part
        At least one.
    name : str, bytes or binary file
        The file that they are parts of.

    Raises
    ------
    soundfile.LibsndfileError
        If libsndfile cannot read a part.
    AudioFileError
        If parts differ in their rate or number of channels.
    """

    def __init__(self, parts: Sequence[Part], name: Any):
        self._parts = parts
        self._files = [_open(part, name) for part in parts]
        lengths = [
            file.frames if part.n_frames is None else part.n_frames
            for file, part in zip(self._files, parts, strict=True)
        ]
        self._begins = [0, *accumulate(lengths)]  # in samples
        self._position = 0
        first = self._files[0]
        self.samplerate, self.channels = first.samplerate, first.channels
        self.format, self.subtype = first.format, first.subtype
        self.frames = self._begins[-1]
        for file in self._files:
            if (file.samplerate, file.channels) != (self.samplerate, self.channels):
                raise AudioFileError(
                    f"joins recordings of different formats: {first.samplerate} Hz with "
                    f"{first.channels} channels and {file.samplerate} Hz with {file.channels} "
                    "channels; split it, or convert it to one rate and number of channels."
                )

    def close(self) -> None:
        for file in self._files:
            file.close()

    def seek(self, position: int) -> int:
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def read(self, n_frames: int, dtype: str, always_2d: bool = True) -> NDArray[Any]:
        """Decode (n_frames, n_channels), fewer where the file or a part of it ends early."""
        blocks = [np.empty((0, self.channels), dtype)]
        stop = min(self._position + n_frames, self.frames)
        while self._position < stop:
            index = bisect_right(self._begins, self._position) - 1
            file = self._files[index]
            start = self._position - self._begins[index] + self._parts[index].skip
            wanted = min(stop, self._begins[index + 1]) - self._position
            # An MPEG frame may use bytes of many frames before it, more than libmpg123 goes back.
            # In one read with the rest: soundfile seeks after each.
            lead = min(start, _LEAD) if self.format == "MP3" else 0
            file.seek(start - lead)
            blocks.append(file.read(lead + wanted, dtype=dtype, always_2d=True)[lead:])
            self._position += len(blocks[-1])
            if len(blocks[-1]) < wanted:
                break
        return blocks[1] if len(blocks) == 2 else np.concatenate(blocks)


def _open(part: Part, name: Any) -> Any:
    import soundfile

    if part.is_whole and part.n_frames is not None:
        file = soundfile.SoundFile(name)
        if file.frames >= part.skip + part.n_frames:
            return file
        file.close()
    return soundfile.SoundFile(part.content)
