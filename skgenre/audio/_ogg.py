"""Find the audio streams of an Ogg file by its pages.

libsndfile reads the first stream alone: it leaves out the others of a chain, and refuses a file
that begins with a stream of video or of metadata.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from skgenre.audio._parts import AudioFileError, ByteRanges, Part, damage

_FIRST_PAGE, _LAST_PAGE = 2, 4  # flags in a page's header
# Recordings of a web radio look like this too, and are whole.
_OPEN_END = (
    "with a stream without a page that is marked as its last",
    "It was recorded from a broadcast, or is truncated; what is there is used.",
)
# The checksum of a page is that of zlib with the bits of each byte in the other order.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


@dataclass
class _Stream:
    """A logical stream: the bytes of its pages."""

    is_audio: bool
    ranges: list[tuple[int, int]] = field(default_factory=list)
    is_complete: bool = False
    position: int = 0  # in samples, after the last page
    n_last: int = 0  # samples in the last page

    def add(self, start: int, stop: int, flags: int, position: int) -> None:
        if position >= 0:  # else no packet ends in the page
            self.n_last, self.position = position - self.position, position
        if self.ranges and self.ranges[-1][1] == start:
            start = self.ranges.pop()[0]
        self.ranges.append((start, stop))
        self.is_complete = bool(flags & _LAST_PAGE)


def read_ogg(stream: BinaryIO) -> tuple[list[Part], tuple[str, str] | None]:
    """Find the audio streams of an open Ogg file.

    Parameters
    ----------
    stream : binary file
        The file, open for reading.

    Returns
    -------
    parts : list of Part
        The links of a chain.
    remark : tuple of (str, str) or None
        Problem and advice, for a warning about the file.

    Raises
    ------
    AudioFileError
        If a stream ends inside a page, or if audio streams lie side by side.
    """
    data = mmap(stream.fileno(), 0, access=ACCESS_READ)
    groups = _read_groups(data)
    for streams in groups:
        n_audio = sum(stream.is_audio for stream in streams)
        if n_audio > 1:
            raise AudioFileError(
                f"holds {n_audio} audio streams side by side; extract one of them, for example "
                "by 'ffmpeg -i FILE -map 0:a:0 -c copy OUTPUT'."
            )
    audio = [stream for streams in groups for stream in streams if stream.is_audio]
    remark = None if all(stream.is_complete for stream in audio) else _OPEN_END
    # One stream without anything around it is read by the file's name, which is faster.
    is_whole = [[(0, len(data))]] == [link.ranges for streams in groups for link in streams]
    return [
        Part(None if is_whole else ByteRanges(stream, link.ranges), n_last=max(0, link.n_last))
        for link in audio
    ], remark


def _read_groups(data: mmap) -> list[list[_Stream]]:
    """Read the headers of all pages: groups of streams that lie side by side."""
    groups: list[list[_Stream]] = []
    active: dict[bytes, _Stream] = {}  # by serial number
    was_first_page = False
    position = data.find(b"OggS")
    while position >= 0:
        head = data[position : position + 27]
        table = data[position + 27 : position + 27 + head[-1]] if len(head) == 27 else b""
        stop = position + 27 + len(table) + sum(table)
        if len(head) < 27 or len(table) < head[26] or stop > len(data):
            raise damage("it ends inside a page")
        if data[stop : stop + 4] != b"OggS" and data.find(b"OggS", position + 4, stop) >= 0:
            raise damage(f"the page at byte {position} is cut short")
        flags, serial = head[5], head[14:18]
        if flags & _FIRST_PAGE:
            if not was_first_page:
                groups.append([])
            active[serial] = _Stream(data[stop - sum(table) : stop].startswith(_AUDIO))
            groups[-1].append(active[serial])
        was_first_page = bool(flags & _FIRST_PAGE)
        if serial in active:
            end = int.from_bytes(head[6:14], "little", signed=True)
            active[serial].add(position, stop, flags, end)
        if data[stop : stop + 4] in (b"O", b"Og", b"Ogg"):
            raise damage("it ends inside a page")
        position = data.find(b"OggS", stop)
    return groups


def has_all_pages(stream: BinaryIO) -> bool:
    """Whether no page of an open Ogg file is damaged or missing, by checksums and numbers.

    Parameters
    ----------
    stream : binary file
        The file, open for reading.

    Returns
    -------
    is_whole : bool
        False if there is anything else than pages that follow each other.
    """
    data = mmap(stream.fileno(), 0, access=ACCESS_READ)
    numbers: dict[bytes, int] = {}
    position = 0
    while position < len(data):
        if len(data) - position < 27:
            return False
        table = data[position + 27 : position + 27 + data[position + 26]]
        page = data[position : position + 27 + len(table) + sum(table)]
        serial, number = page[14:18], int.from_bytes(page[18:22], "little")
        if page[5] & _FIRST_PAGE:
            numbers[serial] = number
        mirrored = (page[:22] + bytes(4) + page[26:]).translate(_MIRRORED)
        checksum = f"{zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF:032b}"[::-1]
        if (
            page[:4] != b"OggS"
            or numbers.get(serial) != number
            or int(checksum, 2) != int.from_bytes(page[22:26], "little")
        ):
            return False
        numbers[serial] = number + 1
        position += len(page)
    return True
