"""Playlists of the tracks of each genre."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from skgenre.catalogue._predict_files import FilePrediction
from skgenre.utils._io import make_folders, shorten
from skgenre.utils._warnings import warn_caller

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')


def write_playlists(
    predictions: Iterable[FilePrediction], folder: str | os.PathLike[str]
) -> list[Path]:
    """Write a playlist for each genre: the files with this genre among their ``genres``.

    The playlists are M3U8 files, which are text in UTF-8, with paths relative to ``folder``. They
    get their names when all are complete, and replace those of an earlier run. A path with a line
    end cannot be in a playlist; a warning names it.

    Parameters
    ----------
    predictions : iterable of FilePrediction
        Such as :func:`read_records` yields.
    folder : str or PathLike
        The folder, which is made if there is none.

    Returns
    -------
    paths : list of Path
        The playlists, sorted.

    Examples
    --------
    >>> import tempfile
    >>> from skgenre.catalogue import FilePrediction, write_playlists
    >>> song = FilePrediction(
    ...     path="a.mp3", status="ok", genre="jazz", genres=["jazz"], probabilities={"jazz": 0.9},
    ...     reason=None, duration=3.0, seconds=0.1, key=None, model=None, min_confidence=0.0,
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_playlists([song], folder)]
    ['jazz.m3u8']
    """
    folder = Path(folder)
    make_folders(folder)
    start = os.path.realpath(folder)
    streams: dict[str, TextIO] = {}
    targets: dict[str, Path] = {}
    odd = []
    try:
        for found in predictions:
            if "\n" in found.path or "\r" in found.path:
                odd.append(found.path)
                continue
            for genre in found.genres:
                if genre not in streams:
                    targets[genre] = folder / f"{_file_name(genre, targets)}.m3u8"
                    unfinished = targets[genre].with_suffix(".m3u8.part")
                    streams[genre] = open(  # noqa: SIM115 - closed below, with all others
                        unfinished, "w", encoding="utf-8", errors="surrogateescape", newline="\n"
                    )
                    streams[genre].write("#EXTM3U\n")
                length = -1 if found.duration is None else round(found.duration)
                place = os.path.relpath(os.path.realpath(found.path), start)
                streams[genre].write(f"#EXTINF:{length},{Path(found.path).stem}\n{place}\n")
    except BaseException:
        for genre, stream in streams.items():
            stream.close()
            targets[genre].with_suffix(".m3u8.part").unlink()
        raise
    for genre, stream in streams.items():
        stream.close()
        targets[genre].with_suffix(".m3u8.part").replace(targets[genre])
    if odd:
        warn_caller(
            f"{len(odd)} files are in no playlist, which cannot hold a path with a line end: "
            f"{shorten([repr(path) for path in odd])}. Rename them."
        )
    return sorted(targets.values())


def _file_name(genre: str, taken: dict[str, Path]) -> str:
    """Return a file name for a genre, unlike those of the others on any file system."""
    name = _NOT_IN_NAMES.sub("_", genre).strip(" .") or "_"
    others = {path.stem.casefold() for path in taken.values()}
    number, unique = 1, name
    while unique.casefold() in others:
        number += 1
        unique = f"{name} {number}"
    return unique
