"""Read what an audio file's header says about its length, and compare it with the file.

libsndfile silently shortens a truncated WAV, AIFF, AU or OGG file, and reads the first part of an
OGG or MP3 file that has several. The checks here read the few bytes that show it. Where a header
omits the length, or libsndfile would not find the samples, it is given another header.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, BinaryIO, NamedTuple

from skgenre.audio._mpeg import read_mpeg
from skgenre.audio._ogg import read_ogg
from skgenre.audio._parts import ByteRanges, Part, Stream, damage, id3_length

# Writers that cannot seek back to fill in the size leave 0, or a number near the maximum of
# a signed or unsigned integer (SoX: 0x7FFFF000, and 0x7F000000 in AIFF).
_OPEN_SIZES = (0x7F000000, 2**31, 2**32, 2**63, 2**64)
_OPEN_MARGIN = 2**16
_MAX_MISSING = 64  # bytes; fewer than 2 ms in any usual format
_ALL_ONES = 2**32 - 1
_MAX_HEADER = 2**16
MAX_SIZE = 2**40  # larger than any file; systems refuse to seek much further
# Bytes of a sample, where the header of an AU file or of a compressed AIFF file omits it.
_AU_BYTES = {2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8}
_AIFC_BYTES = {b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1, b"GSM ": 33, b"ima4": 34}


@dataclass(frozen=True)
class Promise:
    """The length that a header promises.

    Parameters
    ----------
    end : int
        Least number of bytes that the file must have; 0 where the header does not say.
    is_mpeg : bool
        Whether libsndfile may decode the file as MPEG.
    parts : sequence of Part
        The parts to read and join; none where libsndfile reads the whole file.
    remark : tuple of (str, str) or None
        Problem and advice, for a warning about the file.
    """

    end: int = 0
    is_mpeg: bool = False
    parts: Sequence[Part] = ()
    remark: tuple[str, str] | None = None


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

    Raises
    ------
    AudioFileError
        If an OGG or MP3 file is truncated or damaged, or holds several audio streams at once.
    """
    tags = after_id3(stream)
    stream.seek(tags)
    head = stream.read(12)
    magic, kind = head[:4], head[8:]
    if magic == b"OggS":
        parts, remark = read_ogg(stream)
        return Promise(parts=parts, remark=remark)
    if magic.startswith(_SDS):
        return _promise_of_sds(stream)
    if magic not in _READERS:
        return Promise(is_mpeg=True, parts=read_mpeg(stream))
    if not tags:
        promise = _READERS[magic](stream, size)
    else:
        # libsndfile does not find its way in most formats that have ID3 tags in front.
        content = ByteRanges(stream, [(tags, size)])
        promise = _READERS[magic](content, size - tags)
        end = promise.end and promise.end + tags
        promise = replace(promise, end=end, parts=promise.parts or [Part(content)])
    # Of a kind that it does not know, libsndfile goes by the ending of the name, such as .mp3.
    return promise if kind in _KINDS.get(magic, [kind]) else replace(promise, is_mpeg=True)


def _with_header(stream: Stream, head: bytes, start: int, stop: int) -> list[Part]:
    """Put another header in front of a stretch of a file."""
    return [Part(ByteRanges(stream, [(start, stop)], head))]


def _exactly(stream: Stream, n: int) -> bytes:
    """Read n bytes, padded with zeros where the file ends."""
    return stream.read(n).ljust(n, b"\0")


class _Chunk(NamedTuple):
    name: bytes
    start: int  # of its contents
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


def _chunks(
    stream: Stream, position: int, form: str = "<4sI", align: int = 2, counted: int = 0
) -> Iterator[_Chunk]:
    """Yield the chunks from a position on, until one has no name of ASCII characters.

    Parameters
    ----------
    stream : binary file
        The file.
    position : int
        Where the first chunk begins.
    form : str
        Name and length in the header of a chunk, in the notation of :mod:`struct`.
    align : int
        A chunk begins at a multiple of this, but some writers omit the bytes between.
    counted : int
        How many bytes of the header its length includes.
    """
    header = struct.Struct(form)

    def is_chunk(position: int) -> bool:
        stream.seek(position)
        name = stream.read(header.size)[:4]
        return len(name) == 4 and all(32 <= byte < 127 for byte in name)

    while is_chunk(position):
        stream.seek(position)
        name, length = header.unpack(_exactly(stream, header.size))
        chunk = _Chunk(name[:4], position + header.size, length - counted)
        yield chunk
        if not 0 <= chunk.length < MAX_SIZE:
            return
        position = chunk.end if is_chunk(chunk.end) else chunk.end + -chunk.end % align


def _is_open(length: int) -> bool:
    """Whether a length was left open by a writer that did not know it."""
    return length < 0 or any(abs(length - size) <= _OPEN_MARGIN for size in _OPEN_SIZES)


def _is_closed(data: _Chunk, size: int) -> bool:
    """Whether the length of the samples was filled in."""
    if data.length in (0, _ALL_ONES):
        return False
    return data.end <= size or not _is_open(data.length)


def _open_data(stream: Stream, data: _Chunk, size: int, form: tuple[Any, ...]) -> _Chunk:
    """Find the end of samples whose length is open: the end of the file.

    A length of 0 may be true. Then other chunks follow, one after the other to the end.
    """
    if data.length == 0 or (data.name == b"SSND" and data.length == 8):
        end = data.end
        for chunk in _chunks(stream, data.end, *form):
            end = chunk.end
        stream.seek(max(0, size - 128))
        if stream.read(3) == b"TAG":  # ID3v1
            size -= 128
        if end > data.end and 0 <= size - end < 8:
            return data
    return data._replace(length=size - data.start)


def _promise_of_data(data: _Chunk, size: int, block: int) -> Promise:
    """Compare the length of the samples with the size of the file.

    A few bytes may be missing, as some writers round sizes up or count their header, and so may
    part of a block, the samples of one moment.
    """
    allowed = max(block - 1, _MAX_MISSING)
    return Promise(0 if data.end <= size + allowed else data.end - allowed)


def _promise_of_wav(stream: Stream, size: int) -> Promise:
    """RIFF, RIFX, RF64, BW64 and W64 files."""
    stream.seek(0)
    magic = stream.read(4)
    order = ">" if magic == b"RIFX" else "<"
    form: tuple[Any, ...] = (order + "4sI",)
    if magic == b"riff":
        form = ("<16sQ", 8, 24)
    fmt, size_64, is_usual = b"", 0, magic != b"BW64"  # whether libsndfile finds the samples
    for chunk in _chunks(stream, 40 if magic == b"riff" else 12, *form):
        is_usual = is_usual and chunk.start % 2 == 0
        stream.seek(chunk.start)
        if chunk.name == b"fmt ":
            fmt = stream.read(max(0, min(chunk.length, _MAX_HEADER)))
        elif chunk.name == b"ds64":  # sizes of 64 bits, that of the file and that of the data
            size_64 = struct.unpack("<8xQ", _exactly(stream, 16))[0]
        elif chunk.name == b"data":
            break
    else:
        return Promise()
    if len(fmt) < 16:
        return Promise()
    if magic in (b"RF64", b"BW64"):
        if chunk.length == _ALL_ONES:
            chunk = chunk._replace(length=size_64)
        is_usual = is_usual and chunk.length == size_64
    elif magic == b"riff":  # of these it reads all bytes to the end of the file as samples
        is_usual = is_usual and chunk.end >= size
    is_mpeg = struct.unpack_from(order + "H", fmt)[0] in (0x50, 0x55)
    block = max(1, struct.unpack_from(order + "H", fmt, 12)[0])
    if _is_closed(chunk, size):
        promise = replace(_promise_of_data(chunk, size, block), is_mpeg=is_mpeg)
        if is_usual:
            return promise
        data = chunk
    else:
        promise, data = Promise(is_mpeg=is_mpeg), _open_data(stream, chunk, size, form)
    stop = min(data.end, size)
    n_bytes = max(0, stop - data.start)
    # libsndfile reads no sizes of more than 32 bits but those of RF64.
    is_long = magic in (b"RF64", b"BW64") or n_bytes >= _ALL_ONES - _MAX_HEADER
    ds64 = struct.pack("<4sI3QI", b"ds64", 28, n_bytes, n_bytes, n_bytes // block, 0)
    body = b"WAVE" + (ds64 if is_long else b"") + struct.pack(order + "4sI", b"fmt ", len(fmt))
    body += fmt + bytes(len(fmt) % 2) + b"data"
    body += struct.pack(order + "I", _ALL_ONES if is_long else n_bytes)
    name = b"RF64" if is_long else b"RIFX" if magic == b"RIFX" else b"RIFF"
    whole = _ALL_ONES if is_long else len(body) + n_bytes
    head = name + struct.pack(order + "I", whole) + body
    return replace(promise, parts=_with_header(stream, head, data.start, stop))


def _promise_of_aiff(stream: Stream, size: int) -> Promise:
    """AIFF and AIFF-C files."""
    common, is_aligned = b"", True
    for chunk in _chunks(stream, 12, ">4sI"):
        is_aligned = is_aligned and chunk.start % 2 == 0
        stream.seek(chunk.start)
        if chunk.name == b"COMM":
            common = stream.read(min(chunk.length, _MAX_HEADER))
        elif chunk.name == b"SSND":
            break
    else:
        return Promise()
    if len(common) < 18:
        return Promise()
    n_channels, _, bits = struct.unpack_from(">HIH", common)
    block = max(1, n_channels * _AIFC_BYTES.get(common[18:22], (bits + 7) // 8))
    if _is_closed(chunk, size) and chunk.length > 8:
        promise = _promise_of_data(chunk, size, block)
        if is_aligned:
            return promise
    else:
        promise, chunk = Promise(), _open_data(stream, chunk, size, (">4sI",))
    stream.seek(chunk.start)  # an offset and a block size, then the samples
    start = min(chunk.start + 8 + struct.unpack(">I", _exactly(stream, 4))[0], size)
    n_bytes = max(0, min(chunk.end, size) - start)
    stream.seek(8)
    body = stream.read(4) + struct.pack(">4sI", b"COMM", len(common))
    body += common[:2] + struct.pack(">I", n_bytes // block) + common[6:] + bytes(len(common) % 2)
    body += struct.pack(">4s3I", b"SSND", min(n_bytes + 8, _ALL_ONES), 0, 0)
    head = b"FORM" + struct.pack(">I", min(len(body) + n_bytes, _ALL_ONES)) + body
    return replace(promise, parts=_with_header(stream, head, start, start + n_bytes))


def _promise_of_au(stream: Stream, size: int) -> Promise:
    stream.seek(0)
    magic = stream.read(4)
    order = "<" if magic == b"dns." else ">"
    start, length, encoding, _, n_channels = struct.unpack(order + "5I", _exactly(stream, 20))
    data = _Chunk(magic, start, length)
    if _is_closed(data, size):
        return _promise_of_data(data, size, max(1, n_channels * _AU_BYTES.get(encoding, 1)))
    if not 24 <= start <= min(size, _MAX_HEADER):
        return Promise()
    stream.seek(12)
    n_bytes = struct.pack(order + "I", min(size - start, _ALL_ONES))
    head = magic + struct.pack(order + "I", start) + n_bytes + stream.read(start - 12)
    return Promise(parts=_with_header(stream, head, start, size))


def _promise_of_caf(stream: Stream, size: int) -> Promise:
    description = b""
    for chunk in _chunks(stream, 8, ">4sq", 1):
        if chunk.name == b"desc":
            stream.seek(chunk.start)
            description = _exactly(stream, 32)
        elif chunk.name == b"data":
            break
    else:
        return Promise()
    if len(description) < 32:
        return Promise()
    block = max(1, struct.unpack_from(">I", description, 16)[0])
    if _is_closed(chunk, size):
        return _promise_of_data(chunk, size, block)
    data = _open_data(stream, chunk, size, (">4sq", 1))
    head = b"caff" + struct.pack(">2H4sq", 1, 0, b"desc", 32) + description
    head += struct.pack(">4sq", b"data", data.length)
    return Promise(parts=_with_header(stream, head, data.start, data.end))


def _promise_of_sds(stream: Stream) -> Promise:
    """Read a MIDI sample dump; libsndfile prints its faults on standard output."""
    stream.seek(0)
    head = _exactly(stream, 21)
    n_frames = head[10] | head[11] << 7 | head[12] << 14
    per_block = 60 if head[6] < 14 else 40 if head[6] < 21 else 30
    n_blocks = ceil(n_frames / per_block)
    for number in range(1, n_blocks + 1):
        block = stream.read(_SDS_BLOCK)
        if not (block.startswith(_SDS) and block.endswith(b"\xf7")):
            raise damage(f"packet {number} of {n_blocks} is no part of a sample dump")
    return Promise()


def after_id3(stream: Stream) -> int:
    """Find the end of the ID3 tags at the start of a file."""
    start = 0
    while True:
        stream.seek(start)
        head = _exactly(stream, 10)
        if not head.startswith(b"ID3"):
            return start
        start += id3_length(head)


_SDS, _SDS_BLOCK = b"\xf0\x7e", 127  # bytes
# Bytes 8 to 11, by which libsndfile recognises the files that begin in the same way.
_KINDS: dict[bytes, Sequence[bytes]] = {
    **dict.fromkeys((b"RIFF", b"RIFX", b"RF64", b"BW64"), (b"WAVE",)),
    b"FORM": (b"AIFF", b"AIFC"),
    b"caff": (b"desc",),
}
_READERS = {
    **dict.fromkeys((b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff"), _promise_of_wav),
    **dict.fromkeys((b".snd", b"dns."), _promise_of_au),
    b"FORM": _promise_of_aiff,
    b"caff": _promise_of_caf,
    b"fLaC": lambda stream, size: Promise(),  # it stores its length in samples
}
