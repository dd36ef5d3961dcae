"""What is published of the clips of GTZAN."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath

GENRES = (
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
)  # fmt: skip
# GENRE.NNNNN of the releases, and what copies make of the dot.
_NAME = re.compile(rf"({'|'.join(GENRES)})[._-]?([0-9]{{5}})", re.IGNORECASE)


@dataclass(frozen=True)
class Clip:
    """A row of ``data/gtzan.csv``; its header says what the columns are and whence."""

    name: str
    artist: str
    title: str
    fault_filtered: str
    stratified: str
    fault: str
    repeats: str

    @property
    def genre(self) -> str:
        """The genre, which is the beginning of the name."""
        return self.name.partition(".")[0]

    @property
    def artist_name(self) -> str:
        """The artist; for clips whose artist is not known one name for each genre."""
        return self.artist or f"unknown {self.genre} artist"


@cache
def read_facts() -> dict[str, Clip]:
    """Read what is known of the 1000 clips.

    Returns
    -------
    clips : dict of str to Clip
        By name, such as "jazz.00054", in the order of the names.
    """
    table = files("skgenre.datasets").joinpath("data", "gtzan.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = csv.reader(line for line in lines if not line.startswith("#"))
    next(rows)  # the names of the columns
    return {row[0]: Clip(*row) for row in rows}


@cache
def read_parts(partition: str) -> dict[str, frozenset[str]]:
    """Read the parts of a published partition.

    Parameters
    ----------
    partition : {"fault_filtered", "stratified"}
        Which one.

    Returns
    -------
    parts : dict of str to frozenset of str
        The names of the clips of "train", "valid" and "test".
    """
    return {
        part: frozenset(
            name for name, clip in read_facts().items() if getattr(clip, partition) == part
        )
        for part in ("train", "valid", "test")
    }


def clip_name(path: str | os.PathLike[str]) -> str | None:
    """Tell which clip a file is, by its name.

    Parameters
    ----------
    path : str or PathLike
        A path, a file's name or the clip's own name.

    Returns
    -------
    name : str or None
        Such as "jazz.00054"; None if it is the name of no clip.
    """
    # Windows' separators too: lists of paths travel between machines.
    file = PurePath(os.fspath(path).replace("\\", "/")).name
    found = _NAME.match(file)
    if found is None or file[found.end() : found.end() + 1] not in ("", "."):
        return None
    name = f"{found[1].lower()}.{found[2]}"
    return name if name in read_facts() else None


@cache
def read_groups() -> dict[str, str]:
    """Name the group of each clip for a split by artist.

    Returns
    -------
    groups : dict of str to str
        By the clip's name. Artists who made a clip together are one group; so are the clips
        of a genre whose artist is not known.
    """
    clips = read_facts().values()
    groups = _join([clip.artist for clip in clips if clip.artist])
    return {clip.name: groups[clip.artist] if clip.artist else clip.artist_name for clip in clips}


def _join(artists: Sequence[str]) -> dict[str, str]:
    """Give artists, several of them divided by semicolons, the name of their group."""
    groups: dict[str, set[str]] = {}
    for artist in artists:
        members = {member.strip() for member in artist.split(";")}
        joined = members.union(*(groups[member] for member in members if member in groups))
        groups.update(dict.fromkeys(joined, joined))
    return {
        artist: "; ".join(sorted(groups[artist.split(";")[0].strip()])) for artist in set(artists)
    }
