"""Decode with PyAV, which brings FFmpeg, what libsndfile does not read, such as M4A and WMA."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgenre.audio._headers import MAX_SIZE, after_id3
from skgenre.audio._parts import AudioFileError, Part, Stream
from skgenre.audio._sndfile import DecodingError, SndfileDecoder

_MP4_BOXES = b"ftyp moov mdat moof free skip wide uuid meta sidx styp mfra udta pnot pdin".split()
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
# FFmpeg's names of containers that libsndfile reads too, but not with every codec.
_SHARED = {
    b"RIFF": "wav",
    b"RIFX": "wav",
    b"RF64": "wav",
    b"BW64": "wav",
    b"riff": "w64",
    b"FORM": "aiff",
    b"caff": "caf",
    b"OggS": "ogg",
    b"fLaC": "flac",
    b".snd": "au",
}


class MissingPyAVError(ImportError, ValueError):
    """A file cannot be read because PyAV is not installed."""


class Container(NamedTuple):
    """A container that FFmpeg reads.

    Parameters
    ----------
    format : str
        Our name of it.
    demuxer : str
        FFmpeg's name of it.
    end : int
        Least number of bytes that the file must have; 0 where the header does not say.
    """

    format: str
    demuxer: str
    end: int = 0


def find_container(stream: Stream) -> Container | None:
    """Recognize a file that only FFmpeg reads by its first bytes."""
    stream.seek(0)
    head = stream.read(16)
    if head[4:8] in _MP4_BOXES:
        return Container("MP4", "mov", _end_of_mp4(stream))
    if head == _ASF:
        return Container("ASF", "asf", _end_of_asf(stream))
    if head.startswith(_EBML):
        return Container("MATROSKA", "matroska", _end_of_matroska(stream))
    stream.seek(after_id3(stream))
    head = stream.read(2)
    # The sync word of AAC; in MP3 the last two of these bits are not zero.
    if len(head) == 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Container("AAC", "aac")
    return None


def shared_container(stream: Stream) -> Container | None:
    """Recognize a file that libsndfile reads too if it knows the codec."""
    stream.seek(0)
    demuxer = _SHARED.get(stream.read(4))
    return None if demuxer is None else Container(demuxer.upper(), demuxer)


class PyAVDecoder:
    """Samples of an open file, from its start onward.

    Parameters
    ----------
    path : str, bytes or PathLike
        The file.
    container : Container
        What it is.

    Raises
    ------
    MissingPyAVError
        If PyAV is not installed.
    DecodingError
        If FFmpeg cannot read the file.
    """

    subtype = ""  # only libsndfile's names are used
    n_frames = None  # The length in the header is rounded, or before encoder padding is trimmed.

    def __init__(self, path: str | bytes | os.PathLike[str], container: Container):
        try:
            import av
        except ImportError as error:
            raise MissingPyAVError(
                f"{container.format} files need PyAV; install it with: "
                'pip install "skgenre[formats]"'
            ) from error
        self._error = av.FFmpegError
        self.format = container.format
        try:
            # With "file:", names with a colon are not taken for addresses.
            opened: Any = av.open("file:" + os.fsdecode(path), format=container.demuxer)
            self._container, self._stream = opened, opened.streams.best("audio")
            if self._stream is None:
                raise DecodingError("it has no audio stream")
            codec: Any = self._stream.codec_context
            if codec is None:
                raise DecodingError("FFmpeg does not know its codec")
            self.rate: int = codec.sample_rate
            self.channels: int = codec.channels
        except self._error as error:
            raise DecodingError(error.strerror) from error
        # The length in the header, which is that of the longest stream or a guess from the bit
        # rate where the stream has none of its own, and precise in neither case.
        seconds = (self._stream.duration or 0) * self._stream.time_base
        if not seconds and len(self._container.streams) == 1:
            seconds = Fraction(self._container.duration or 0, 10**6)
        self._n_promised = 0 if self.format == "AAC" else round(seconds * self.rate)
        slack = self.rate // (8 if self.format == "OGG" else 2)
        self.n_least = 0 if self.format == "ASF" else self._n_promised - slack
        self._blocks = self._decode()
        self._rest: NDArray[Any] = np.empty((0, self.channels), np.float32)

    def read(self, n_frames: int) -> NDArray[Any]:
        """Decode the next (n_frames, n_channels), float32; fewer at the end."""
        blocks = [self._rest]
        n_missing = n_frames - len(self._rest)
        while n_missing > 0 and (block := next(self._blocks, None)) is not None:
            blocks.append(block)
            n_missing -= len(block)
        x = np.concatenate([block for block in blocks if len(block)] or blocks)
        self._rest = x[n_frames:]
        return x[:n_frames]

    def seek(self, start: int) -> bool:
        """Do not seek: what codecs with memory decode after a jump differs."""
        return False

    def estimate_frames(self) -> int:
        """Return the length of the header or of the packets; afterwards, open the file anew."""
        if self._n_promised:
            return self._n_promised
        packets = self._container.demux(self._stream)
        length = sum(packet.duration or 0 for packet in packets)
        return round(length * self._stream.time_base * self.rate)

    def close(self) -> None:
        self._container.close()

    def _decode(self) -> Iterator[NDArray[Any]]:
        from av import AudioResampler

        # Interleaved: PyAV crashes on frames with an array for each of 8 channels or more.
        convert = AudioResampler("flt").resample
        try:
            for frame in self._container.decode(self._stream):
                found = frame.layout.nb_channels, frame.sample_rate
                if found != (self.channels, self.rate):
                    raise DecodingError(
                        f"{found} channels and Hz follow {(self.channels, self.rate)}"
                    )
                for piece in convert(frame):
                    yield piece.to_ndarray().reshape(-1, self.channels)
        except self._error as error:
            raise DecodingError(error.strerror) from error
        except ValueError as error:  # the converter wants frames of one format
            raise DecodingError(str(error)) from error


Decoder = SndfileDecoder | PyAVDecoder


def open_decoder(
    path: str | bytes | os.PathLike[str],
    stream: Stream,
    container: Container | None,
    parts: Sequence[Part],
) -> Decoder:
    """Open an audio file with the library that decodes it.

    Parameters
    ----------
    path : str, bytes or PathLike
        The file.
    stream : binary file
        The same file, open for reading.
    container : Container or None
        What it is for FFmpeg; None for libsndfile, or FFmpeg where that does not know the codec.
    parts : sequence of Part
        What libsndfile reads of it.

    Returns
    -------
    decoder : SndfileDecoder or PyAVDecoder
        At the start of the file.

    Raises
    ------
    AudioFileError, DecodingError, MissingPyAVError
        If it cannot be decoded.
    """
    if container is not None:
        return PyAVDecoder(path, container)
    try:
        # soundfile encodes str names strictly; bytes reach every file that exists.
        return SndfileDecoder(os.fsdecode(path) if os.name == "nt" else os.fsencode(path), parts)
    except DecodingError as error:
        if len(parts) > 1:
            raise AudioFileError(
                f"joins {len(parts)} recordings, of which one cannot be read ({error}); split it, "
                "or convert it to WAV, FLAC, OGG or MP3."
            ) from error
        shared = shared_container(stream)
        if shared is None:
            raise
        try:
            return PyAVDecoder(path, shared)
        except DecodingError:
            raise error from None
        except MissingPyAVError:
            raise DecodingError(
                f'{error}; PyAV reads more codecs: pip install "skgenre[formats]"'
            ) from error


def _end_of_mp4(stream: Stream) -> int:
    """Find the end of the last box that holds samples or their table."""
    end = position = 0
    while True:
        stream.seek(position)
        head = stream.read(16).ljust(16, b"\0")
        length, name, long = struct.unpack(">I4sQ", head)
        length = long if length == 1 else length
        if name not in _MP4_BOXES or not 8 <= length < MAX_SIZE:  # 0: to the end of the file
            return end
        position += length
        if name in (b"moov", b"mdat", b"moof"):
            end = position


def _end_of_asf(stream: Stream) -> int:
    """Find the end of the data object, which follows the header."""
    stream.seek(16)
    end_of_header, n_objects = struct.unpack("<QI", stream.read(12).ljust(12, b"\0"))
    position = 30
    for _ in range(min(n_objects, 100)):
        stream.seek(position)
        guid, length = struct.unpack("<16sQ", stream.read(24).ljust(24, b"\0"))
        if guid == _ASF_FILE:
            stream.seek(position + 88)
            if stream.read(1)[:1] in (b"\1", b"\3"):  # a broadcast, whose length is not known
                return 0
        position += min(max(24, length), MAX_SIZE // 100)
    if end_of_header > MAX_SIZE:
        return end_of_header
    stream.seek(end_of_header + 16)
    return end_of_header + struct.unpack("<Q", stream.read(8).ljust(8, b"\0"))[0]


def _end_of_matroska(stream: Stream) -> int:
    """Find the end of the segment, which follows the EBML header."""
    stream.seek(4)
    length = _read_length(stream)
    stream.seek(min(length or 0, MAX_SIZE), 1)
    if stream.read(4) != _SEGMENT:
        return 0
    length = _read_length(stream)
    return 0 if length is None else stream.tell() + length


def _read_length(stream: Stream) -> int | None:
    """Read a length of EBML; None where it is left open."""
    first = stream.read(1).ljust(1, b"\0")[0]
    n_more = 8 - first.bit_length()  # as many zeros lead
    if n_more == 8:
        return None
    rest = stream.read(n_more)
    length = int.from_bytes(bytes([first & (2 ** (7 - n_more) - 1)]) + rest, "big")
    return None if length == 2 ** (7 * (n_more + 1)) - 1 else length
