"""The genres in the tags of audio files, by mutagen."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from skgenre.audio import file_chunks

EVIDENCE = "SKGENRE_"  # how the names of our own fields begin
_MP4_FREE = "----:com.apple.iTunes:"
_KINDS = (
    ("mutagen.mp3", "MP3"),
    ("mutagen.flac", "FLAC"),
    ("mutagen.oggvorbis", "OggVorbis"),
    ("mutagen.oggopus", "OggOpus"),
    ("mutagen.oggflac", "OggFLAC"),
    ("mutagen.oggspeex", "OggSpeex"),
    ("mutagen.mp4", "MP4"),
    ("mutagen.wave", "WAVE"),
    ("mutagen.aiff", "AIFF"),
)
_SOUND = (b"fmt ", b"data", b"COMM", b"SSND", b"id3 ", b"ID3 ")  # and the tag itself
_V1, _NO_NUMBER = 128, 255  # length of an ID3v1 tag, and its number for no genre


def import_mutagen() -> Any:
    """Import mutagen, or raise an error with the command that installs it."""
    try:
        return import_module("mutagen")
    except ImportError as error:
        raise ImportError(
            'Tags of audio files need the package mutagen: pip install "skgenre[tags]"'
        ) from error


class Tags:
    """The tags of one file.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Raises
    ------
    ImportError
        If mutagen is not installed.
    ValueError
        If it is no MP3, FLAC, Ogg, MP4, WAV or AIFF file, or mutagen cannot read its tags.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = os.fspath(path)
        mutagen = import_mutagen()
        with _as_value_errors("read"):
            kinds = [getattr(import_module(module), name) for module, name in _KINDS]
            kind = type(mutagen.File(self.path, options=kinds))
            self.format = kind.__name__
            self._is_id3 = self.format in ("MP3", "WAVE", "AIFF")
            if kind is not type(None):
                # ID3 frames are kept as they are, not translated to those of version 2.4.
                self._file = kind(self.path, **({"translate": False} if self._is_id3 else {}))
        if kind is type(None):
            raise ValueError(
                "is no MP3, FLAC, Ogg, Opus, M4A, WAV or AIFF file, the formats whose tags are "
                "written"
            )

    @property
    def _tags(self) -> Any:
        return {} if self._file.tags is None else self._file.tags

    def genres(self) -> list[str]:
        """Return the genres; numbers of ID3 are translated to names."""
        if self._is_id3:
            frames = self._file.tags.getall("TCON") if self._file.tags is not None else []
            found = [genre for frame in frames for genre in frame.genres]
            if not any(map(str.strip, found)):
                found = self._ape_genres() if self.format == "MP3" else self.info_genres()
        else:
            found = self._tags.get("\xa9gen" if self.format == "MP4" else "genre", [])
        return [str(genre) for genre in found if str(genre).strip()]

    def info_genres(self) -> list[str]:
        """Return the genre in the INFO chunk of a WAV file, which mutagen does not write."""
        if self.format != "WAVE":
            return []
        with open(self.path, "rb") as stream:
            for chunk in file_chunks(self.path):
                if chunk.name == b"LIST":
                    stream.seek(chunk.start)
                    found = re.search(rb"IGNR(....)", stream.read(chunk.length), re.DOTALL)
                    if found:
                        stream.seek(chunk.start + found.end())
                        text = stream.read(int.from_bytes(found[1], "little")).rstrip(b"\0")
                        return [text.decode("utf-8", "replace")] if text.strip() else []
        return []

    def evidence(self) -> dict[str, str]:
        """Return our own fields."""
        found: dict[str, str] = {}
        for key in self._tags.keys():  # noqa: SIM118 - Vorbis comments iterate over pairs
            name = key.rpartition(":")[2].upper()
            if name.startswith(EVIDENCE):
                value = self._tags[key]
                value = value.text[0] if self._is_id3 else value[0]
                found[name] = value.decode() if isinstance(value, bytes) else str(value)
        return found

    def others(self, evidence: Mapping[str, str]) -> list[tuple[str, str]]:
        """Describe all that is no genre and none of these fields of ours."""
        tags = self._tags
        if self.format == "MP4" or self._is_id3:
            pairs = [(key, repr(value)) for key, value in sorted(tags.items())]
        else:
            pairs = list(tags)
        found = [
            # The encoding of a text is not part of it.
            (key, re.sub(r"encoding=<[^>]*>, ", "", value))
            for key, value in pairs
            if key.upper() not in ("GENRE", "TCON", "\xa9GEN")
            and key.rpartition(":")[2].upper() not in evidence
        ]
        if self._is_id3 and self._file.tags is not None:
            found += [("unknown", frame.hex()) for frame in self._file.tags.unknown_frames]
        if self.format == "MP3":
            ape = self._ape() or {}
            found += [("ape", repr(item)) for item in ape.items() if item[0].upper() != "GENRE"]
            found.append(("ID3v1", self._id3v1()[: _V1 - 1].hex()))
        elif self._is_id3:
            with open(self.path, "rb") as stream:
                for name, start, length in file_chunks(self.path):
                    stream.seek(start)
                    if name not in _SOUND:
                        found.append((str(name), hashlib.sha256(stream.read(length)).hexdigest()))
        elif self.format == "FLAC":
            found += [
                (str(block.code), hashlib.sha256(block.write()).hexdigest())
                for block in self._file.metadata_blocks
                if block.code not in (1, 4)  # padding, tags
            ]
        return found

    def fault(self) -> str | None:
        """Return why tags cannot be written without loss; None if they can."""
        if self._is_id3 and self._file.tags is not None and self._file.tags.version[:2] == (2, 2):
            return "its tag is ID3v2.2, which cannot be written; convert it to version 2.3 or 2.4"
        if self.info_genres():
            return "its genre is in a RIFF INFO chunk, which is not written"
        return None

    def write(self, genres: Sequence[str], evidence: Mapping[str, str]) -> None:
        """Write genres, one value each, and our own fields; the version of ID3 stays."""
        with _as_value_errors("written"):
            if self._file.tags is None:
                self._file.add_tags()
            if self._is_id3:
                self._write_id3(list(genres), evidence)
                return
            if self.format == "MP4":
                self._file.tags["\xa9gen"] = list(genres)
                for name, value in evidence.items():
                    self._file.tags[_MP4_FREE + name] = value.encode()
            else:
                self._file.tags["GENRE"] = list(genres)
                for name, value in evidence.items():
                    self._file.tags[name] = value
            self._file.save(self.path)

    def _write_id3(self, genres: list[str], evidence: Mapping[str, str]) -> None:
        from mutagen.id3 import TCON, TXXX

        tags = self._file.tags
        version = 3 if tags.version[:2] == (2, 3) else 4
        # UTF-8, for which mutagen writes UTF-16 in version 2.3.
        tags.setall("TCON", [TCON(encoding=3, text=genres)])
        for name, value in evidence.items():
            tags.setall(f"TXXX:{name}", [TXXX(encoding=3, desc=name, text=[value])])
        ape = self._ape() if self.format == "MP3" else None
        v1 = self._id3v1() if self.format == "MP3" else b""
        # Without a separator, values that other fields of version 2.3 may have stay apart.
        tags.save(self.path, v2_version=version, v23_sep=None)
        if ape is not None and "Genre" in ape:
            ape["Genre"] = genres
            ape.save(self.path)  # this removes ID3v1
        if v1:
            # mutagen would rewrite all of it by the frames of ID3v2.
            numbers = {name.casefold(): number for number, name in enumerate(TCON.GENRES)}
            number = numbers.get(genres[0].casefold(), _NO_NUMBER)
            with open(self.path, "r+b") as stream:
                stream.seek(-_V1 if self._id3v1() else 0, os.SEEK_END)
                stream.write(v1[:-1] + bytes([number]))

    def _id3v1(self) -> bytes:
        with open(self.path, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _V1))
            found = stream.read(_V1)
        return found if found.startswith(b"TAG") and len(found) == _V1 else b""

    def _ape(self) -> Any:
        from mutagen.apev2 import APENoHeaderError, APEv2

        try:
            return APEv2(self.path)
        except APENoHeaderError:
            return None

    def _ape_genres(self) -> list[str]:
        ape = self._ape()
        return [] if ape is None or "Genre" not in ape else list(ape["Genre"])


@contextmanager
def _as_value_errors(what: str) -> Iterator[None]:
    """Turn what mutagen raises for damaged files, errors of many kinds, into ValueError."""
    try:
        yield
    except (ImportError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:
        cause = error.__context__
        if isinstance(cause, OSError) and cause.errno != errno.EINVAL:  # mutagen wraps these
            raise cause from error
        raise ValueError(f"its tags cannot be {what} ({type(error).__name__}: {error})") from error
