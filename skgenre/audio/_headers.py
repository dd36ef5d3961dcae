"""Compare the length that an audio file's header promises with the file.

libsndfile silently shortens a truncated WAV, AIFF, AU or OGG file, and reads the first part of an
OGG or MP3 file that has several. The checks here read the few bytes that show it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from skgenre.audio._mpeg import read_mpeg
from skgenre.audio._ogg import read_ogg
from skgenre.audio._parts import Part

# Writers that cannot seek back to fill in the size leave 0, all ones, or (SoX) a number
# near the maximum of a signed integer.
_OPEN_SIZE = 0x7FFFF000
_ALL_ONES = b"\xff\xff\xff\xff"


@dataclass(frozen=True)
class Promise:
    """The length that a header promises.

    Parameters
    ----------
    end : int
        Least number of bytes that the file must have; 0 where the header does not say.
    is_mpeg : bool
        Whether libsndfile decodes the file as MPEG.
    parts : sequence of Part
        The parts to read and join; none where libsndfile reads the whole file.
    remark : str
        A warning about the file; empty if there is none.
    """

    end: int = 0
    is_mpeg: bool = False
    parts: Sequence[Part] = ()
    remark: str = ""


def read_promise(stream: BinaryIO) -> Promise:
    """Read the length that the header of an open file promises.

    Parameters
    ----------
    stream : binary file
        The file, open for reading; not empty.

    Returns
    -------
    promise : Promise
        Unknown formats promise nothing.

    Raises
    ------
    AudioFileError
        If an OGG or MP3 file is truncated or damaged, or holds several audio streams at once.
    """
    stream.seek(0)
    magic = stream.read(4)
    if magic in (b"RIFF", b"RIFX", b"RF64"):
        return Promise(_end_of_chunk(stream, b"data", ">" if magic == b"RIFX" else "<"))
    if magic == b"FORM":
        return Promise(_end_of_chunk(stream, b"SSND", ">"))
    if magic in (b".snd", b"dns."):
        offset, length = struct.unpack("<2I" if magic == b"dns." else ">2I", _exactly(stream, 8))
        return Promise(0 if length >= _OPEN_SIZE else offset + length)
    if magic == b"OggS":
        parts, remark = read_ogg(stream)
        return Promise(parts=parts, remark=remark)
    if magic in (b"fLaC", b"caff", b"riff"):
        return Promise()
    return Promise(is_mpeg=True, parts=read_mpeg(stream))


def closed_wav(stream: BinaryIO) -> BytesIO | None:
    """Replace sizes of 0 in a WAV stream by ones that libsndfile understands.

    Parameters
    ----------
    stream : binary file
        The file, open for reading.

    Returns
    -------
    copy : BytesIO or None
        A copy with the sizes set to "unknown", or None where none is 0.
    """
    stream.seek(0)
    if stream.read(4) != b"RIFF":
        return None
    found = _find_chunk(stream, b"data", "<")
    if found is None or found[1] != 0:
        return None
    start = found[0]
    # Other chunks or nothing follow a data chunk that really is empty.
    stream.seek(start)
    if stream.read(4) in (b"", b"LIST", b"id3 ", b"bext", b"fact", b"cue ", b"PEAK"):
        return None
    stream.seek(0)
    content = stream.read()
    head = content[:4] + _ALL_ONES + content[8 : start - 4] + _ALL_ONES
    return BytesIO(head + content[start:])


def _exactly(stream: BinaryIO, n: int) -> bytes:
    """Read n bytes, padded with zeros where the file ends."""
    return stream.read(n).ljust(n, b"\0")


def _find_chunk(stream: BinaryIO, name: bytes, order: str) -> tuple[int, int] | None:
    """Find the start of a chunk's contents, and the length in its header."""
    position, size_64 = 12, None
    while True:
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return None
        found, length = head[:4], struct.unpack(order + "I", head[4:])[0]
        if found == name:
            return position + 8, length if size_64 is None else size_64
        if found == b"ds64":  # RF64: sizes of 64 bits, that of the file and that of the data
            size_64 = struct.unpack("<8xQ", _exactly(stream, 16))[0]
        position += 8 + length + length % 2


def _end_of_chunk(stream: BinaryIO, name: bytes, order: str) -> int:
    found = _find_chunk(stream, name, order)
    if found is None:
        return 0
    start, length = found
    return 0 if length == 0 or _OPEN_SIZE <= length < 2**32 else start + length
