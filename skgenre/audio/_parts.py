"""Parts of audio files that libsndfile reads as files of their own, and what is refused."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from io import RawIOBase
from itertools import accumulate
from typing import Any, Protocol


class AudioFileError(ValueError):
    """A file is refused. The message is a predicate: the caller puts the file's name before it."""


def damage(reason: str) -> AudioFileError:
    """Return the error for a truncated or damaged file."""
    return AudioFileError(
        f"is truncated or damaged: {reason}; copy or download it again, or leave it out."
    )


class Stream(Protocol):
    """What is used of a binary file."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...

    def read(self, n: int = -1, /) -> bytes: ...


def id3_length(head: bytes) -> int:
    """Return the length in bytes of the ID3v2 tag with this head, of ten bytes or more."""
    length = 0
    for byte in head[6:10]:  # seven bits in each byte
        length = length << 7 | byte & 0x7F
    return 10 + length + (10 if head[5] & 0x10 else 0)  # a footer


class ByteRanges(RawIOBase):
    """Ranges of a file's bytes as a binary file of their own, which soundfile can open.

    Parameters
    ----------
    stream : binary file
        The whole file, open for reading.
    ranges : sequence of (start, stop)
        The bytes that are read, inside the file.
    head : bytes, default=b""
        Bytes in front of them.
    n_zeros : int, default=0
        Zeros that follow them.
    """

    def __init__(
        self,
        stream: Stream,
        ranges: Sequence[tuple[int, int]],
        head: bytes = b"",
        n_zeros: int = 0,
    ):
        self._stream, self._ranges, self._head = stream, ranges, head
        # Where each range begins in this file, and where the last one ends.
        lengths = (stop - start for start, stop in ranges)
        self._begins = list(accumulate(lengths, initial=len(head)))
        self._size = self._begins[-1] + n_zeros
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        n_bytes = max(0, min(len(buffer), self._size - self._position))
        done = 0
        while done < n_bytes and (content := self._next(n_bytes - done)):
            buffer[done : done + len(content)] = content
            done += len(content)
            self._position += len(content)
        return done

    def _next(self, n_bytes: int) -> bytes:
        """Read up to n_bytes of one range, of the head or of the zeros."""
        index = bisect_right(self._begins, self._position) - 1
        if index < 0:
            return self._head[self._position : self._position + n_bytes]
        if index == len(self._ranges):
            return bytes(n_bytes)
        start, stop = self._ranges[index]
        start += self._position - self._begins[index]
        self._stream.seek(start)
        return self._stream.read(min(n_bytes, stop - start))


@dataclass(frozen=True)
class Part:
    """What libsndfile reads as one recording: a part of a file, or all of it.

    Parameters
    ----------
    content : ByteRanges or None, default=None
        Its bytes; None for the whole file.
    n_frames : int or None, default=None
        Its samples in each channel; None for as many as libsndfile finds.
    skip : int, default=0
        Samples before them, which an encoder or decoder has added.
    n_last : int, default=0
        Samples at its end inside which libsndfile's seeks are wrong.
    is_whole : bool, default=False
        Whether the whole file decodes to the same samples as ``content``, as far as libsndfile
        reads it. This is faster than to read the bytes through Python.
    """

    content: ByteRanges | None = None
    n_frames: int | None = None
    skip: int = 0
    n_last: int = 0
    is_whole: bool = False
