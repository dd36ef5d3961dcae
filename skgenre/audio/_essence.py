"""A digest of what is heard of an audio file, whatever its tags say."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from skgenre.audio._headers import after_id3

_BLOCK = 2**20
# Metadata blocks of FLAC that are no tags: description, application, seek table, cue sheet.
_FLAC_BLOCKS = (0, 2, 3, 5)
# The first bytes of an Ogg stream whose second packet holds the tags.
_OGG_HEADS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_CHUNKS = (b"fmt ", b"data", b"fact", b"COMM", b"SSND", b"FVER")  # of the sound, not tags
_MP4_FOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")
_MP4_TAGS = (b"udta", b"meta", b"free", b"skip")
_OFFSETS = {b"stco": "I", b"co64": "Q"}


class Chunk(NamedTuple):
    """A chunk of a WAV or AIFF file.

    Parameters
    ----------
    name : bytes
        Its four characters.
    start : int
        Where its contents begin.
    length : int
        Bytes of its contents that are in the file.
    """

    name: bytes
    start: int
    length: int


def audio_digest(path: str | os.PathLike[str]) -> str:
    """Compute a digest of the encoded sound of a file; its tags do not count.

    Equal digests mean equal sound, as the same decoder reads it: equal frames of an MP3 or FLAC
    file, packets of an Ogg stream, samples of a WAV or AIFF file, and samples of an MP4 file at
    the places that its tables say.

    Parameters
    ----------
    path : str or PathLike
        The file: MP3, FLAC, Ogg, WAV, AIFF or MP4. Anything else counts as MP3: all between the
        tags at its start and at its end.

    Returns
    -------
    digest : str
        SHA-256, in hexadecimal digits.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the file ends in the middle of its headers.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        start = after_id3(stream)
        stream.seek(start)
        head = stream.read(12)
        try:
            if head.startswith(b"fLaC"):
                _hash_flac(stream, start + 4, size, digest)
            elif head.startswith(b"OggS"):
                _hash_ogg(stream, start, size, digest)
            elif head[:4] in (b"RIFF", b"FORM"):
                for chunk in _chunks_of(stream, size):
                    if chunk.name in _CHUNKS:
                        digest.update(chunk.name)
                        _hash_range(stream, chunk.start, chunk.start + chunk.length, digest)
            elif head[4:8] == b"ftyp":
                _hash_mp4(stream, size, digest)
            else:
                _hash_range(stream, start, _before_tags(stream, start, size), digest)
        except (struct.error, IndexError) as error:
            raise ValueError(f"{os.fspath(path)} is truncated or damaged ({error}).") from error
    return digest.hexdigest()


def file_chunks(path: str | os.PathLike[str]) -> list[Chunk]:
    """List the chunks of a WAV or AIFF file.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    chunks : list of Chunk
        In their order.
    """
    with open(path, "rb") as stream:
        return list(_chunks_of(stream, os.fstat(stream.fileno()).st_size))


def _chunks_of(stream: BinaryIO, size: int) -> Iterator[Chunk]:
    stream.seek(0)
    form = "<4sI" if stream.read(4) == b"RIFF" else ">4sI"
    position = 12
    while position + 8 <= size:
        stream.seek(position)
        name, length = struct.unpack(form, stream.read(8))
        yield Chunk(name, position + 8, min(length, size - position - 8))
        position += 8 + length + length % 2


def _hash_range(stream: BinaryIO, start: int, stop: int, digest: Any) -> None:
    stream.seek(start)
    while start < stop and (block := stream.read(min(_BLOCK, stop - start))):
        digest.update(block)
        start += len(block)


def _hash_flac(stream: BinaryIO, position: int, size: int, digest: Any) -> None:
    is_last = False
    while not is_last:
        stream.seek(position)
        head = stream.read(4)
        is_last, kind = head[0] >= 128, head[0] & 127
        stop = position + 4 + int.from_bytes(head[1:], "big")
        if kind in _FLAC_BLOCKS:
            digest.update(bytes([kind]))
            _hash_range(stream, position + 4, stop, digest)
        position = stop
    _hash_range(stream, position, size, digest)


def _hash_ogg(stream: BinaryIO, position: int, size: int, digest: Any) -> None:
    """Hash the packets but the tags, and the times of the pages that have one."""
    tagged = None  # the serial number of the first stream with tags
    packets: dict[bytes, int] = {}  # how many packets of each stream have ended
    while position + 27 <= size:
        stream.seek(position)
        head = stream.read(27)
        if not head.startswith(b"OggS"):
            _hash_range(stream, position, size, digest)  # such as ID3v1
            return
        lengths = stream.read(head[26])
        body = stream.read(sum(lengths))
        serial, time = head[14:18], int.from_bytes(head[6:14], "little", signed=True)
        if tagged is None and body.startswith(_OGG_HEADS):
            tagged = serial
        number, start = packets.get(serial, 0), 0
        for length in lengths:
            if serial != tagged or number != 1:
                digest.update(serial + body[start : start + length])
            start += length
            if length < 255:
                number += 1
        packets[serial] = number
        if time > 0:
            digest.update(head[5:18])
        position += 27 + len(lengths) + len(body)


def _hash_mp4(stream: BinaryIO, size: int, digest: Any) -> None:
    """Hash the samples, and the tables that find them, with offsets from the first sample."""
    boxes = list(_boxes(stream, 0, size))
    media = [(start, stop) for name, start, stop in boxes if name == b"mdat"]

    def place(offset: int) -> int:
        before = 0
        for start, stop in media:
            if start <= offset <= stop:
                return before + offset - start
            before += stop - start
        return -1 - offset

    def hash_boxes(boxes: list[tuple[bytes, int, int]]) -> None:
        for name, start, stop in boxes:
            if name in _MP4_TAGS or name == b"mdat":
                continue
            digest.update(name)
            if name in _MP4_FOLDERS:
                hash_boxes(list(_boxes(stream, start, stop)))
                continue
            stream.seek(start)
            body = stream.read(stop - start)
            if name in _OFFSETS:
                code = _OFFSETS[name]
                count = struct.unpack_from(">4xI", body)[0]
                offsets = struct.unpack_from(f">{count}{code}", body, 8)
                body = b"".join(struct.pack(">q", place(offset)) for offset in offsets)
            elif name == b"tfhd" and body[3] & 1:  # where the samples of a fragment begin
                offset = struct.unpack_from(">Q", body, 8)[0]
                body = body[:8] + struct.pack(">q", place(offset)) + body[16:]
            digest.update(body)

    hash_boxes([box for box in boxes if box[0] in (b"moov", b"moof")])
    for start, stop in media:
        _hash_range(stream, start, stop, digest)


def _boxes(stream: BinaryIO, position: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box of an MP4 file, and where its contents begin and end."""
    while position + 8 <= stop:
        stream.seek(position)
        length, name = struct.unpack(">I4s", stream.read(8))
        start = position + 8
        if length == 1:
            length, start = struct.unpack(">Q", stream.read(8))[0], position + 16
        end = position + length if length else stop
        if not start <= end <= stop:
            raise IndexError(f"the box {name!r} ends outside of the file")
        yield name, start, end
        position = end


def _before_tags(stream: BinaryIO, start: int, stop: int) -> int:
    """Find the end of the frames of an MP3 file: ID3v1 and APEv2 tags may follow."""
    stream.seek(max(start, stop - 128))
    if stream.read(3) == b"TAG":
        stop = max(start, stop - 128)
    stream.seek(max(start, stop - 32))
    foot = stream.read(32)
    if foot.startswith(b"APETAGEX") and len(foot) == 32:
        length, _, flags = struct.unpack_from("<3I", foot, 12)
        stop = max(start, stop - length - (32 if flags >> 31 else 0))
    return stop
