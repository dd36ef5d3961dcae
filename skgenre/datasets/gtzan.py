"""Published facts about the 1000 clips of GTZAN: artists, titles, faults and partitions.

The facts come from ``data/gtzan.csv``, whose header names its sources. The music itself is not
part of the package: :func:`~skgenre.load_gtzan` reads it from a folder.
"""

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
TABLE = files("skgenre.datasets").joinpath("data", "gtzan.csv")
# GENRE.NNNNN in the releases; some copies replace or omit the dot.
_NAME = re.compile(rf"({'|'.join(GENRES)})[._-]?([0-9]{{5}})", re.IGNORECASE)


@dataclass(frozen=True)
class Clip:
    """The published facts about one clip: a row of ``data/gtzan.csv``.

    Parameters
    ----------
    name : str
        Such as "jazz.00054".
    artist, title : str
        Empty where not known; several artists are separated by semicolons.
    fault_filtered, stratified : str
        Part of the clip in the two published partitions: "train", "valid" or "test"; empty
        for clips that are in none.
    fault : str
        Why the fault-filtered partition leaves the clip out: "replica", "repetition",
        "distorted" or "other"; empty for the clips that it keeps.
    repeats : str
        Names of the clips of the same artist and title, separated by blanks.
    """

    name: str
    artist: str
    title: str
    fault_filtered: str
    stratified: str
    fault: str
    repeats: str

    @property
    def genre(self) -> str:
        """The genre, the first part of the name."""
        return self.name.partition(".")[0]

    @property
    def artist_name(self) -> str:
        """The artist; clips of unknown artists share one name for each genre."""
        return self.artist or f"unknown {self.genre} artist"


@cache
def read_facts() -> dict[str, Clip]:
    """Read the facts about all clips.

    Returns
    -------
    clips : dict of str to Clip
        All 1000 clips by name, such as "jazz.00054", sorted by name.
    """
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = csv.reader(line for line in lines if not line.startswith("#"))
    next(rows)  # the names of the columns
    return {row[0]: Clip(*row) for row in rows}


@cache
def read_parts(partition: str) -> dict[str, frozenset[str]]:
    """Read which clips belong to which part of a published partition.

    Parameters
    ----------
    partition : {"fault_filtered", "stratified"}
        Name of the partition.

    Returns
    -------
    parts : dict of str to frozenset of str
        Names of the clips in "train", "valid" and "test".
    """
    return {
        part: frozenset(
            name for name, clip in read_facts().items() if getattr(clip, partition) == part
        )
        for part in ("train", "valid", "test")
    }


def clip_name(path: str | os.PathLike[str]) -> str | None:
    """Return the name of the clip in a file, from the name of the file.

    Parameters
    ----------
    path : str or PathLike
        A path, the name of a file, or the name of a clip. Case is ignored, and the dot in the
        name of the clip may be replaced by ``_`` or ``-`` or missing.

    Returns
    -------
    name : str or None
        Such as "jazz.00054"; None if the file is not named as a clip.
    """
    # Accept Windows' separators on all systems: lists of paths move between machines.
    file = PurePath(os.fspath(path).replace("\\", "/")).name
    found = _NAME.match(file)
    if found is None or file[found.end() : found.end() + 1] not in ("", "."):
        return None
    name = f"{found[1].lower()}.{found[2]}"
    return name if name in read_facts() else None


@cache
def read_groups() -> dict[str, str]:
    """Read the groups of the clips for a split by artist.

    Returns
    -------
    groups : dict of str to str
        The group of each clip, by its name. Artists with a clip in common form one group; so do
        the clips of each genre whose artist is not known.
    """
    clips = read_facts().values()
    groups = _join([clip.artist for clip in clips if clip.artist])
    return {clip.name: groups[clip.artist] if clip.artist else clip.artist_name for clip in clips}


def _join(artists: Sequence[str]) -> dict[str, str]:
    """Map artists, where several are separated by semicolons, to the name of their group."""
    groups: dict[str, set[str]] = {}
    for artist in artists:
        members = {member.strip() for member in artist.split(";")}
        joined = members.union(*(groups[member] for member in members if member in groups))
        groups.update(dict.fromkeys(joined, joined))
    return {
        artist: "; ".join(sorted(groups[artist.split(";")[0].strip()])) for artist in set(artists)
    }
