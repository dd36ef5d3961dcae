"""Find the length of an MPEG audio file (MP3) by the headers of its frames.

Each frame begins with a header of four bytes, from which its length follows. libsndfile takes
the number of frames from a Xing or Info header, which stands in the first of them. Where that is
missing or wrong, it estimates the number, and reads no further.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cache
from mmap import ACCESS_READ, mmap
from typing import BinaryIO, NamedTuple

from skgenre.audio._parts import ByteRanges, Part, damage, id3_length

_MAX_FREE = 3456  # bytes in a frame of free format, as in libmpg123
_MAX_JUNK = 1441  # bytes: the longest of the other frames, which may have been cut short
_SLACK = 2  # Frames by which encoders may be wrong in their counts.
_ENOUGH = 3  # Frames in a row that are no accident.
_DECODER_DELAY = 529  # samples
_HEADERS = (b"Xing", b"Info", b"VBRI")
_RATES = (44100, 48000, 32000)
# (whether MPEG 1, layer) -> kbit/s
_BIT_RATES = {
    (True, 1): tuple(range(32, 449, 32)),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SECOND_BYTES = bytes(b for b in range(0xE0, 0x100) if b >> 3 & 3 != 1 and b >> 1 & 3 != 0)
_THIRD_BYTES = bytes(b for b in range(0xF0) if b >> 2 & 3 != 3)
_FRAME_OR_TAG = re.compile(
    b"\xff(?=[" + re.escape(_SECOND_BYTES) + b"][" + re.escape(_THIRD_BYTES) + b"])"
    b"|ID3[\x02-\x04]|TAG|APETAGEX|LYRICSBEGIN"
)


class _Kind(NamedTuple):
    """What all frames of a recording have in common."""

    second_byte: int  # of the header, without the bit for a checksum
    rate_index: int
    is_mono: bool

    @property
    def version(self) -> int:
        """3 for MPEG 1, 2 for MPEG 2, 0 for MPEG 2.5."""
        return self.second_byte >> 3 & 3

    @property
    def layer(self) -> int:
        return 4 - (self.second_byte >> 1 & 3)

    @property
    def n_samples(self) -> int:
        """Samples in a frame."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version != 3 else 1152

    @property
    def xing_offset(self) -> int:
        """Where in a frame a Xing header lies: after the side information."""
        if self.version == 3:
            return 21 if self.is_mono else 36
        return 13 if self.is_mono else 21


class _Frames(NamedTuple):
    """The frames at some position: their kind, and header's first bytes -> length in bytes."""

    kind: _Kind
    lengths: dict[bytes, int]


class _Mark(NamedTuple):
    """The start of a tag or of frames, and the end of the tag."""

    start: int
    stop: int
    frames: _Frames | None


class _Xing(NamedTuple):
    """The contents of a Xing, Info or VBRI header; counts are 0 where they are missing."""

    n_frames: int
    n_bytes: int
    skip: int  # samples that were added at the start
    padding: int  # and at the end


@dataclass
class _Recording:
    """What an encoder has written in one go."""

    kind: _Kind
    xing: _Xing | None
    longest: int  # bytes that a frame can have
    capacity: int = 0  # frames after which another recording begins; 0 for any number
    ranges: list[tuple[int, int]] = field(default_factory=list)
    n_frames: int = 0

    @property
    def is_full(self) -> bool:
        return 0 < self.n_frames == self.capacity

    @property
    def n_bytes(self) -> int:
        return sum(stop - start for start, stop in self.ranges)

    def check(self) -> None:
        """Raise an error if the header promises more than there is, in bytes and in frames.

        If one of these numbers is there, the other is wrong, and the file is whole.
        """
        if self.xing is None:
            return
        counts = (
            (self.xing.n_bytes, self.n_bytes, "bytes", 2 * _MAX_JUNK),
            (self.xing.n_frames, self.n_frames, "frames", _SLACK),
        )
        known = [count for count in counts if count[0]]
        if known and all(promised > there + slack for promised, there, _, slack in known):
            promised, there, unit, _ = known[-1]
            raise damage(f"its header promises {promised} {unit} of MPEG audio, {there} are there")

    def as_part(self, stream: BinaryIO, is_whole: bool) -> Part:
        """Describe the samples, without those that encoder and decoder have added."""
        n_samples, skip = self.n_frames * self.kind.n_samples, 0
        if self.xing:
            skip = min(n_samples, self.xing.skip)
            n_samples = max(0, n_samples - skip - self.xing.padding)
        # libsndfile reads as far as it expects from the size of the file and the length of the
        # first frame. The zeros, which it never reaches, move that beyond the true end.
        content = ByteRanges(stream, self.ranges, n_zeros=(self.n_frames + 1) * self.longest)
        return Part(content, n_samples, skip, is_whole=is_whole)


def read_mpeg(stream: BinaryIO) -> list[Part]:
    """Find the recordings in an open MPEG audio file.

    Parameters
    ----------
    stream : binary file
        The file, open for reading.

    Returns
    -------
    parts : list of Part
        The recordings, one after the other. Empty where libsndfile knows the length of the
        only one, or where the file begins neither with frames nor with tags.

    Raises
    ------
    AudioFileError
        If frames are missing at the end or in the middle.
    """
    data = mmap(stream.fileno(), 0, access=ACCESS_READ)
    start, is_plain = _skip_id3(data)
    frames = _frames_at(data, start)
    # libsndfile takes every file of this name for MPEG audio, whatever it begins with.
    is_mpeg = start > 0 or os.fsdecode(stream.name).lower().endswith(".mp3")
    if data[start : start + 4] == b"fLaC" or (frames is None and not is_mpeg):
        return []
    if frames is not None and is_plain and _has_right_header(data, start, frames):
        return []
    recordings = _walk(data, start)
    for recording in recordings:
        recording.check()
    recordings = [recording for recording in recordings if recording.n_frames]
    # The only recording, without a header, in one range from where libsndfile begins to read.
    is_whole = is_plain and [(None, start)] == [
        (recording.xing, begin) for recording in recordings for begin, _ in recording.ranges
    ]
    return [recording.as_part(stream, is_whole) for recording in recordings]


def _skip_id3(data: mmap) -> tuple[int, bool]:
    """Find the end of the ID3 tags at the start, and whether libsndfile can skip them."""
    start, is_plain = 0, True
    while data[start : start + 3] == b"ID3":
        is_plain = is_plain and data[start + 5 : start + 6] < b"\x10"  # no footer
        start = _end_of_tag(data, start)
    return start, is_plain


def _has_right_header(data: mmap, start: int, frames: _Frames) -> bool:
    """Whether the Xing header at ``start`` agrees with the size and with a sample of frames."""
    kind, lengths = frames
    xing = _read_xing(data, start, kind)
    first_length = lengths[data[start : start + 3]]
    if xing is None or not xing.n_frames or not xing.n_bytes:
        return False
    end = start + xing.n_bytes
    if abs(len(data) - end) > _MAX_JUNK:
        return False
    mark = _next_mark(data, end)
    while mark is not None:
        if mark.frames is not None:  # a short file was joined
            return False
        mark = _next_mark(data, mark.stop)
    # libmpg123 ignores a header in a shorter frame, and knows no VBRI.
    if first_length < kind.xing_offset + 120 or data[start + 36 : start + 40] == b"VBRI":
        return False
    found = []
    for position in range(start + first_length, len(data), len(data) // 16 + 1):
        mark = _next_mark(data, position)
        position = mark.start if mark else len(data)
        for _ in range(_ENOUGH):
            if (length := _length_at(data, position, frames)) is not None:
                found.append(length)
                position += length
    return bool(found) and 2 / 3 < xing.n_frames * sum(found) / len(found) / xing.n_bytes < 3 / 2


def _walk(data: mmap, position: int) -> list[_Recording]:
    """Go from frame to frame, past tags and junk."""
    recordings: list[_Recording] = []
    n_junk = 0
    while (mark := _next_mark(data, position)) is not None:
        n_junk += len(data[position : mark.start].strip(b"\0"))
        position = mark.stop
        if mark.frames is None:
            continue
        if recordings and n_junk > _MAX_JUNK:
            raise damage(f"{n_junk} bytes before byte {position} are not MPEG audio")
        n_junk = 0
        position = _follow(data, position, mark.frames, recordings)
    return [
        recording
        for before, recording in zip([None, *recordings], recordings, strict=False)
        # A frame or two that the header before them has not counted are no recording.
        if recording.xing or recording.n_frames > _SLACK or not (before and before.is_full)
    ]


def _follow(data: mmap, position: int, frames: _Frames, recordings: list[_Recording]) -> int:
    """Add the frames at ``position`` to the last recording or to a new one; return their end."""
    kind, lengths = frames
    xing = _read_xing(data, position, kind)
    current = recordings[-1] if recordings else None
    if current is None or xing or current.kind != kind or current.is_full:
        current = _Recording(kind, xing, max(lengths.values()))
        recordings.append(current)
        if xing:
            if position + xing.n_bytes + _MAX_JUNK < len(data):
                current.capacity = xing.n_frames
            position += lengths[data[position : position + 3]]  # this frame holds no audio
    start = last = position
    n_frames, offset = 0, kind.xing_offset
    n_expected = current.capacity - current.n_frames
    while (length := _length_at(data, position, frames)) is not None:
        name = data[position + offset : position + offset + 4]
        if n_frames and (n_frames == n_expected or name in _HEADERS):
            break
        last = position
        position += length
        n_frames += 1
    stop = position
    if n_frames and _frames_at(data, position) is None:
        mark = _next_mark(data, last + 1)
        if mark is not None and mark.start < position:  # the last frame is cut short
            stop, position = last, mark.start
            n_frames -= 1
    if n_frames:
        current.n_frames += n_frames
        current.ranges.append((start, stop))
    return position


def _next_mark(data: mmap, position: int) -> _Mark | None:
    """Find the next tag or the next frames."""
    for match in _FRAME_OR_TAG.finditer(data, position):
        start = match.start()
        if data[start] != 0xFF:
            return _Mark(start, _end_of_tag(data, start), None)
        if (frames := _frames_at(data, start)) is not None:
            return _Mark(start, start, frames)
    return None


def _end_of_tag(data: mmap, start: int) -> int:
    head = data[start : start + 32].ljust(32, b"\0")
    if head.startswith(b"ID3"):
        return start + id3_length(head)
    if head.startswith(b"TAG"):  # ID3 version 1, and an extension of it
        return start + (227 if head.startswith(b"TAG+") else 128)
    if head.startswith(b"APETAGEX"):
        length = int.from_bytes(head[12:16], "little")
        return start + 32 + (length if head[23] & 0x20 else 0)  # at the start, or at the end
    ends = (data.find(b"LYRICS200", start), data.find(b"LYRICSEND", start))
    return min((end + 9 for end in ends if end >= 0), default=start + 11)


def _frames_at(data: mmap, position: int) -> _Frames | None:
    """Describe the frames at ``position``, if several lie there or the last one."""
    head = data[position : position + 4]
    if len(head) < 4 or not _FRAME_OR_TAG.match(head) or head[0] != 0xFF:
        return None
    kind = _Kind(head[1] & 0xFE, head[2] >> 2 & 3, head[3] >= 0xC0)
    free = _find_free_length(data, position, kind) if head[2] < 0x10 else 0
    frames = _Frames(kind, _lengths(kind, free))
    for _ in range(_ENOUGH):
        length = _length_at(data, position, frames)
        if length is None:
            return None
        position += length
        if position == len(data):
            break
    return frames


def _length_at(data: mmap, position: int, frames: _Frames) -> int | None:
    """Return the length of the frame at ``position``; None without a whole frame of the kind."""
    length = frames.lengths.get(data[position : position + 3])
    if length is None or position + length > len(data):
        return None
    return length if (data[position + 3] >= 0xC0) == frames.kind.is_mono else None


@cache
def _lengths(kind: _Kind, free: int) -> dict[bytes, int]:
    """Return the lengths in bytes of all frames of a kind, by the first three bytes.

    ``free`` is the length in free format, which the header does not give; 0 for none.
    """
    rate = _RATES[kind.rate_index] >> {3: 0, 2: 1, 0: 2}[kind.version]
    slot = 4 if kind.layer == 1 else 1
    bit_rates = _BIT_RATES[kind.version == 3, kind.layer]
    sizes = [kind.n_samples // 8 // slot * 1000 * bit_rate // rate * slot for bit_rate in bit_rates]
    return {
        bytes([0xFF, second, index << 4 | kind.rate_index << 2 | padding << 1 | private]): (
            size + padding * slot
        )
        for index, size in enumerate([free, *sizes])
        for padding in (0, 1)
        for private in (0, 1)
        for second in (kind.second_byte, kind.second_byte | 1)
        if size
    }


def _find_free_length(data: mmap, position: int, kind: _Kind) -> int:
    """Find the length of frames of free format, without padding, by their next headers."""
    slot = 4 if kind.layer == 1 else 1
    headers = [key for key in _lengths(kind, _MAX_FREE) if key[2] < 0x10]
    header = re.compile(b"|".join(map(re.escape, headers)))
    for match in header.finditer(data, position + 1, position + _MAX_FREE + slot):
        length = match.start() - position - slot * (data[position + 2] >> 1 & 1)
        after = match.start() + length + slot * (match[0][2] >> 1 & 1)
        if after == len(data) or header.match(data, after):
            return length
    return 0


def _read_xing(data: mmap, position: int, kind: _Kind) -> _Xing | None:
    """Read the header that counts frames, if the frame at ``position`` holds one."""
    if kind.layer != 3:
        return None
    if data[position + 36 : position + 40] == b"VBRI":
        n_bytes, n_frames = (_number(data, position + offset) for offset in (46, 50))
        return _Xing(n_frames, n_bytes, 0, 0)
    at = position + kind.xing_offset
    if data[at : at + 4] not in _HEADERS:
        return None
    flags = _number(data, at + 4)
    at += 8
    found = []
    for flag, length in ((1, 4), (2, 4), (4, 100), (8, 4)):  # each field is optional
        found.append(_number(data, at) if flags & flag else 0)
        at += length if flags & flag else 0
    skip = padding = 0
    if data[at : at + 1] > b"\0":  # the encoder's name, which begins LAME's extension
        samples = _number(data, at + 20)
        skip, padding = samples >> 12 & 0xFFF, samples & 0xFFF
    return _Xing(found[0], found[1], skip + _DECODER_DELAY, max(0, padding - _DECODER_DELAY))


def _number(data: mmap, position: int) -> int:
    return int.from_bytes(data[position : position + 4], "big")
