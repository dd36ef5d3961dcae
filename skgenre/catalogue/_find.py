"""From the arguments of a command to the audio files that they mean."""

from __future__ import annotations

import codecs
import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets import find_audio

_ENDINGS = tuple(f".{extension}" for extension in AUDIO_EXTENSIONS)
_CHUNK = 2**16  # bytes


@dataclass
class FoundPaths:
    """The files that some arguments mean, and what is left out of folders.

    Attributes
    ----------
    paths : list of str
        The files, each once by the first path that leads to it, in the order of the arguments;
        those of a folder are sorted.
    left_out : list of (str, str)
        Path and reason of each audio file or folder that is not among them. What is hidden or
        is no audio file by its name is not listed.
    """

    paths: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def find_paths(
    arguments: Iterable[str | os.PathLike[str]], *, exclude: Sequence[str] = ()
) -> FoundPaths:
    """Find the audio files that files, folders and glob patterns name.

    A folder is searched with its sub-folders. An argument with ``*``, ``?`` or ``[`` that is
    not the name of a file is a pattern, in which ``**`` stands for any number of folders. Files
    that are named one by one are taken whatever their names.

    Parameters
    ----------
    arguments : iterable of str or PathLike
        Files, folders and patterns.
    exclude : sequence of str, default=()
        Patterns of paths that are left out of folders and patterns, such as ``"*/Podcasts/*"``;
        ``*`` matches ``/`` too.

    Returns
    -------
    found : FoundPaths
        The files, and what is left out.

    Raises
    ------
    FileNotFoundError
        If nothing matches a pattern.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.catalogue import find_paths
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.mp3", "a.wav", "cover.jpg", ".hidden.wav"):
    ...         (Path(folder) / name).touch()
    ...     [Path(path).name for path in find_paths([folder]).paths]
    ['a.wav', 'b.mp3']
    """
    found = FoundPaths()
    for argument in [os.fspath(argument) for argument in arguments]:
        if os.path.isdir(argument):
            _add_folder(found, argument, exclude)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            _add_pattern(found, argument, exclude)
        else:
            found.paths.append(argument)
    found.left_out = list(dict.fromkeys(found.left_out))
    distinct = DistinctPaths(found.paths)
    found.paths = list(distinct)
    found.left_out += distinct.left_out
    return found


class DistinctPaths:
    """Iterate over paths, each file once: by the first path that leads to it.

    Two paths lead to one file if they differ in spelling, such as ``a.mp3`` and ``./a.mp3``, or
    by symbolic links. Hard links are files of their own.

    Parameters
    ----------
    paths : iterable of str
        The paths, which may be a generator.

    Attributes
    ----------
    left_out : list of (str, str)
        Path and reason of each path so far that leads to a file again.
    """

    def __init__(self, paths: Iterable[str]):
        self._paths = paths
        self.left_out: list[tuple[str, str]] = []

    def __iter__(self) -> Iterator[str]:
        seen = set()
        for path in self._paths:
            place = real_path(path)
            if place in seen:
                self.left_out.append((path, "the same file again"))
            else:
                seen.add(place)
                yield path


def real_path(path: str) -> str:
    """Return the absolute path of a file without symbolic links."""
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL, which no path has
        return path


def _add_folder(found: FoundPaths, folder: str, exclude: Sequence[str]) -> None:
    files = find_audio(Path(folder), AUDIO_EXTENSIONS)
    found.left_out += [(str(path), reason) for path, reason in files.unread()]
    found.left_out += files.faults
    for path in map(str, files.tracks):
        _add(found, path, exclude)


def _add_pattern(found: FoundPaths, pattern: str, exclude: Sequence[str]) -> None:
    matches = sorted(glob.glob(pattern, recursive=True))
    if not matches:
        raise FileNotFoundError(f"No file matches the pattern {pattern}.")
    for match in matches:
        if os.path.isdir(match):
            # With ** the pattern itself goes through the folders.
            if "**" not in pattern:
                _add_folder(found, match, exclude)
        elif match.lower().endswith(_ENDINGS):
            _add(found, match, exclude)


def _add(found: FoundPaths, path: str, exclude: Sequence[str]) -> None:
    pattern = next((pattern for pattern in exclude if fnmatch(path, pattern)), None)
    if pattern is None:
        found.paths.append(path)
    else:
        found.left_out.append((path, f"excluded by {pattern}"))


def count_left_out(left_out: Iterable[tuple[str, str]]) -> str:
    """Summarise what is left out: the number of paths for each reason."""
    counts = Counter(reason for _, reason in left_out)
    return "; ".join(f"{reason}: {count}" for reason, count in counts.most_common())


def read_list(stream: BinaryIO) -> Iterator[str]:
    """Yield the paths that a stream lists, one a line, or each ended by a NUL as ``find -print0``.

    Empty lines are left out.
    """
    first = stream.readline().removeprefix(codecs.BOM_UTF8)
    if b"\0" not in first:
        lines = (line.rstrip(b"\r\n") for line in chain([first], stream))
        yield from (os.fsdecode(line) for line in lines if line)
        return
    rest = first
    while more := stream.read(_CHUNK):
        *whole, rest = (rest + more).split(b"\0")
        yield from (os.fsdecode(path) for path in whole if path)
    yield from (os.fsdecode(path) for path in rest.split(b"\0") if path)
