"""Compare the length that an audio file's header promises with the file.

libsndfile silently shortens a truncated WAV, AIFF, AU or OGG file, and reads an MP3 file as
far as it goes. The checks here read the few bytes that show it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

# Writers that cannot seek back to fill in the size leave 0, all ones, or (SoX) a number
# near the maximum of a signed integer.
_OPEN_SIZE = 0x7FFFF000
_ALL_ONES = b"\xff\xff\xff\xff"
_MAX_OGG_PAGE = 27 + 255 + 255 * 255
_MAX_MP3_FRAME = 1441


@dataclass(frozen=True)
class Promise:
    """The length that a header promises.

    Parameters
    ----------
    end : int
        Least number of bytes that the file must have; 0 where the header does not say.
    is_mpeg : bool
        Whether libsndfile decodes the file as MPEG.
    stores_length : bool
        Whether the number of samples is stored. False for MP3 without a Xing header.
    """

    end: int = 0
    is_mpeg: bool = False
    stores_length: bool = True


def read_promise(stream: BinaryIO, size: int) -> Promise:
    """Read the length that the header of an open file of ``size`` bytes promises.

    Parameters
    ----------
    stream : binary file
        The file, open for reading.
    size : int
        Its length in bytes.

    Returns
    -------
    promise : Promise
        Unknown formats promise nothing.
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
        return Promise(_end_of_ogg(stream, size))
    if magic in (b"fLaC", b"caff", b"riff"):
        return Promise()
    return _promise_of_mpeg(stream, size)


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


def _end_of_ogg(stream: BinaryIO, size: int) -> int:
    """Find the end of the last page from the table of lengths in its head."""
    tail_start = max(0, size - _MAX_OGG_PAGE)
    stream.seek(tail_start)
    tail = stream.read()
    page = tail.rfind(b"OggS")
    if page < 0:
        return 0
    head = tail[page : page + 27]
    table = tail[page + 27 : page + 27 + head[-1]]
    if len(head) < 27 or len(table) < head[26]:
        return size + 1
    end = page + 27 + len(table) + sum(table)
    if tail[end:] in (b"O", b"Og", b"Ogg"):  # truncated inside the next page's mark
        return size + 1
    return tail_start + end


def _promise_of_mpeg(stream: BinaryIO, size: int) -> Promise:
    """Look for the Xing or Info header, which stores the length of an MP3 file."""
    start = _after_id3(stream)
    stream.seek(start)
    head = _exactly(stream, _MAX_MP3_FRAME)
    if head.startswith(b"fLaC"):
        return Promise()
    version, mono = head[1] >> 3 & 3, head[3] >> 6 == 3
    # The header follows the side information of the first frame, whose length depends on the
    # version of MPEG (3 means MPEG 1) and the number of channels.
    tag = 4 + ((17 if mono else 32) if version == 3 else (9 if mono else 17))
    if head[0] != 0xFF or head[tag : tag + 4] not in (b"Xing", b"Info"):
        return Promise(is_mpeg=True, stores_length=False)
    flags, _, n_bytes = struct.unpack(">3I", head[tag + 4 : tag + 16])
    if flags & 3 != 3:  # the number of frames and that of bytes are both optional
        return Promise(is_mpeg=True, stores_length=bool(flags & 1))
    # Encoders differ by about one frame in their counts; a single frame is inaudible.
    return Promise(max(0, start + n_bytes - _MAX_MP3_FRAME), is_mpeg=True)


def _after_id3(stream: BinaryIO) -> int:
    """Find the end of the ID3 tags at the start of a file."""
    start = 0
    while True:
        stream.seek(start)
        head = _exactly(stream, 10)
        if not head.startswith(b"ID3"):
            return start
        length = 0
        for byte in head[6:]:  # seven bits in each byte
            length = length << 7 | byte & 0x7F
        start += 10 + length + (10 if head[5] & 0x10 else 0)
