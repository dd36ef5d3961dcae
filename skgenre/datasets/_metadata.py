"""The table that names the artists and genres of the tracks of a folder."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from os.path import abspath
from pathlib import Path

from skgenre.datasets._files import KNOWN_EXTENSIONS, is_ignored, top_folder
from skgenre.datasets._table import (
    MISSING,
    Entry,
    Table,
    composed,
    is_missing,
    open_table,
)
from skgenre.datasets.gtzan import TABLE, clip_name, read_facts, read_groups
from skgenre.utils._io import shorten
from skgenre.utils._names import name_key

_ENDINGS = (".csv", ".tsv", ".xlsx", ".xls", ".ods")  # spreadsheets are refused by name
_USUAL_NAMES = ("tracks.csv", "metadata.csv", "tracks.tsv", "metadata.tsv")
# Values that stand for an unknown artist, as name_key spells them. Taken as a name, such a value
# would join many artists into one, and a split by artist would keep unrelated tracks together.
_NO_ARTIST = MISSING | {
    "va", "vvaa", "aavv", "various", "variousartist", "variousartists", "variousartistsva",
    "variousperformers", "multipleartists", "severalartists", "diverse", "verschiedene", "varios",
    "verschiedeneinterpreten", "artistesdivers", "artistesvariés", "artistivari",
    "variosartistas", "compilation", "originalsoundtrack", "originalcast", "miscellaneous",
    "noartist", "unknownartist", "unknownartists", "artistunknown", "unbekannterinterpret",
    "unbekannterkünstler", "artisteinconnu", "artistasconosciuto", "artistadesconocido",
    "notavailable", "notapplicable", "notknown", "unspecified", "unidentified",
    "anon", "anonymous", "trad", "traditional",
}  # fmt: skip
# MusicBrainz has these too; without brackets they may be names.
_BRACKETED = {
    "[data]", "[dialogue]", "[soundtrack]", "[theatre]", "[nature sounds]", "[disney]",
    "[christmas music]", "[church chimes]", "[language instruction]",
}  # fmt: skip


@dataclass
class Metadata:
    """A table, and the row of each track.

    Parameters
    ----------
    path : Path
        The table.
    columns : set of str
        Those of "file", "artist", "title" and "genre" that it has.
    entries : dict of Path to Entry
        The row of each track that has one.
    n_absent : int
        The number of rows whose file is not in the folder.
    is_gtzan : bool
        Whether it is the table of GTZAN that the package contains.
    """

    path: Path
    columns: set[str]
    entries: dict[Path, Entry] = field(default_factory=dict)
    n_absent: int = 0
    is_gtzan: bool = False

    @property
    def name(self) -> str:
        """Its path, or "gtzan"."""
        return "gtzan" if self.is_gtzan else str(self.path)


def artist_key(artist: str) -> str:
    """Return what the spellings of an artist have in common, with or without "The"."""
    return name_key(re.sub(r"^the\s+|\s*,\s*the$", "", artist.strip(), flags=re.IGNORECASE))


def is_artist(text: str) -> bool:
    """Whether a cell names an artist, rather than standing for an unknown one."""
    return not (
        is_missing(text) or name_key(text.strip("<>")) in _NO_ARTIST or text.lower() in _BRACKETED
    )


def find_table(folder: Path, tracks: Sequence[Path]) -> tuple[Metadata | None, str]:
    """Find and read the table of a folder: in the folder, or beside it with the folder's name.

    Parameters
    ----------
    folder : Path
        The folder of the data set.
    tracks : sequence of Path
        The audio files of the folder, each beginning with ``folder``.

    Returns
    -------
    metadata : Metadata or None
    XX if there is none that names files of the folder.
    unused : str
        A message that names the tables that are not used, and why; empty if there are none.

    Raises
    ------
    ValueError
        If there are several tables, none of them with one of the usual names; otherwise as
        :func:`read_table`.
    """
    place = Path(abspath(folder))
    within = [path for path in folder.iterdir() if path.is_file() and not is_ignored(path.name)]
    others = sorted(path for path in within if path.suffix.lower() in _ENDINGS)
    usual = [path for name in _USUAL_NAMES for path in others if path.name.lower() == name]
    beside = [place.parent / (place.name + ending) for ending in _ENDINGS]
    usual += [path for path in beside if path.is_file()]
    found: list[Metadata] = []
    unused: list[str] = []
    foreign: list[str] = []  # named only if no table is found
    for path in [*usual, *(path for path in others if path not in usual)]:
        table = open_table(path)
        if isinstance(table, str):
            (unused if path in usual else foreign).append(f"{path} is not used: it {table}")
            continue
        if found and found[0].path in usual and "artist" in found[0].columns:
            found.append(Metadata(path, set()))
            continue
        metadata = _match(table, folder, tracks)
        if metadata.entries:
            found.append(metadata)
        else:
            n_rows = metadata.n_absent
            unused.append(f"{path} is not used: none of its {n_rows} rows names a file here")
    candidates = [metadata for metadata in found if "artist" in metadata.columns] or found
    if len(candidates) > 1 and candidates[0].path not in usual:
        raise ValueError(
            f"{folder} holds {len(candidates)} tables of files and artists: "
            f"{shorten([metadata.path.name for metadata in candidates])}. Name one by "
            "metadata=PATH."
        )
    chosen = candidates[0] if candidates else None
    gtzan = _read_gtzan(tracks)
    if gtzan is not None and (chosen is None or _repeats_genres(chosen, gtzan)):
        chosen = gtzan
    source = "GTZAN's own table" if chosen is gtzan else str(chosen.path) if chosen else ""
    unused += [
        f"{other.path} is not used, because {source} is" for other in found if other is not chosen
    ]
    if not found:
        unused += foreign
        if chosen is None:
            places = {place.parent, *(track.parent for track in tracks)} - {folder}
            paths = (path / name for path in sorted(places) for name in _USUAL_NAMES)
            unused += [
                f"{path} is not used: a table in another folder must be given as metadata=PATH"
                for path in paths
                if path.is_file() and _names_any(path, folder, tracks)
            ]
    return chosen, f"{'. '.join(unused)}. Set metadata=None to use no table." if unused else ""


def read_table(path: Path, folder: Path, tracks: Sequence[Path]) -> Metadata:
    """Read a table, and find the track of each row.

    Parameters
    ----------
    path : Path
        The file.
    folder : Path
        The folder of the data set.
    tracks : sequence of Path
        The audio files of the folder, each beginning with ``folder``.

    Returns
    -------
    metadata : Metadata
        The row of each track, and the number of rows whose file is not in the folder.

    Raises
    ------
    ValueError
        If the table cannot be read, a row is ambiguous, rows contradict each other, or no row
        names a track.
    """
    table = open_table(path)
    if isinstance(table, str):
        raise ValueError(f"{path} {table}.")
    metadata = _match(table, folder, tracks)
    if not metadata.entries:
        raise ValueError(
            f"None of the {metadata.n_absent} rows of {path} names a file of {folder}. Give paths "
            "relative to that folder, such as rock/song.wav, to its parent, or to the table; or "
            "set metadata=None to do without artists."
        )
    return metadata


def _names_any(path: Path, folder: Path, tracks: Sequence[Path]) -> bool:
    try:
        return bool(read_table(path, folder, tracks).entries)
    except ValueError:  # some other table
        return False


def takes_genres(
    folder: Path,
    tracks: Sequence[Path],
    table: Metadata | None,
    genres_from: str,
    *,
    is_found: bool,
    stacklevel: int,
) -> bool:
    """Decide whether the genres are from the table.

    Parameters
    ----------
    folder : Path
        The folder of the data set.
    tracks : sequence of Path
        The audio files of the folder, each beginning with ``folder``.
    table : Metadata or None
        The table, if there is one.
    genres_from : {"auto", "folders", "metadata"}
        What was asked for.
    is_found : bool
        Whether the table was found, so that it is said where it overrules the folders.
    stacklevel : int
        Of this warning.

    Returns
    -------
    by_table : bool
        Whether the genres are from the table rather than from the folders.

    Raises
    ------
    ValueError
        If the table contradicts the folders, or has no genres but is asked for.
    """
    entries = {} if table is None else table.entries
    rows = {track: entry for track, entry in entries.items() if entry.genre}
    if genres_from == "metadata" and not rows:
        raise ValueError(
            "genres_from='metadata' needs a table with the columns 'file' and 'genre'; "
            + ("there is none." if table is None else f"{table.name} names no genre of a file.")
        )
    if genres_from != "auto" or not rows or table is None:
        return genres_from == "metadata"
    folders = {name_key(top_folder(folder, track)) for track in tracks}
    is_apart = folders.isdisjoint(name_key(entry.genre) for entry in rows.values())
    if table.is_gtzan:  # its genres are used where the folders do not say any
        are_inside = all(track.parent.name.lower() == rows[track].genre for track in tracks)
        return is_apart and (len(folders) == 1 or are_inside)
    if folders == {""}:  # all files lie in the folder itself
        return True
    if is_apart:
        if is_found:
            warnings.warn(
                f"No sub-folder of {folder} is named as a genre of {table.path}, so that the "
                "genres are those of the table; set genres_from='folders' for the names of the "
                "folders.",
                stacklevel=stacklevel + 1,
            )
        return True
    for track, entry in rows.items():
        genre = top_folder(folder, track)
        if genre and name_key(genre) != name_key(entry.genre):
            raise ValueError(
                f"{table.path}, line {entry.line} says that {track} is {entry.genre!r}, but it "
                f"lies in the folder {genre!r}; correct the line, move the file, or set "
                "genres_from='metadata' for the genres of the table or genres_from='folders' for "
                "those of the folders."
            )
    return False


def _read_gtzan(tracks: Sequence[Path]) -> Metadata | None:
    """Read the package's table if all tracks are named as clips of GTZAN."""
    entries = {}
    for track in tracks:
        name = clip_name(track)
        if name is None:
            return None
        clip = read_facts()[name]
        entries[track] = Entry(0, name, read_groups()[name], clip.title, clip.genre)
    columns = {"file", "artist", "title", "genre"}
    return Metadata(Path(str(TABLE)), columns, entries, is_gtzan=True) if entries else None


def _repeats_genres(table: Metadata, gtzan: Metadata) -> bool:
    """Whether a table names no artists, and no genres but those of GTZAN."""
    return "artist" not in table.columns and all(
        name_key(entry.genre) in ("", gtzan.entries[track].genre)
        for track, entry in table.entries.items()
    )


def _match(table: Table, folder: Path, tracks: Sequence[Path]) -> Metadata:
    """Find the track of each row of a table.

    The path of a row leads to the track from the folder, its parent, or the table; or it is the
    end of the path of a single track, in this case or another, with this ending or another. If
    no row has such a path, the folders that all of them begin with are ignored.
    """
    metadata = Metadata(table.path, set(table.columns))
    bases = [folder, Path(abspath(folder)).parent, table.path.parent]
    places = {composed(abspath(track)): track for track in tracks}
    waiting = []
    for row in table.entries():
        given = row.file.replace("\\", "/")
        candidates = (composed(abspath(base / given)) for base in bases)
        track = next((places[place] for place in candidates if place in places), None)
        if track is None:
            waiting.append(row)
        else:
            _add(metadata, track, row)
    files = {row: file for row in waiting if (file := _plain(row.file))}
    n_empty = len(waiting) - len(files)
    waiting = _match_ends(metadata, files, folder, tracks, whole=False)
    if not metadata.entries:
        folders = [file.split("/")[:-1] for file in files.values()]
        for n_folders in range(1, min(map(len, folders), default=0) + 1):
            if len({folder[n_folders - 1] for folder in folders}) > 1:
                break
            files = {row: file.split("/", 1)[1] for row, file in files.items()}
            waiting = _match_ends(metadata, files, folder, tracks, whole=True)
            if metadata.entries:
                break
    metadata.n_absent = len(waiting) + n_empty
    return metadata


def _match_ends(
    metadata: Metadata,
    files: dict[Entry, str],
    folder: Path,
    tracks: Sequence[Path],
    *,
    whole: bool,
) -> list[Entry]:
    """Find the track whose path in the folder ends as that of a row; return the other rows.

    With ``whole``, it must be the whole path.
    """
    name = Path(abspath(folder)).name
    waiting = list(files)
    for form in (composed, _folded, _without_ending):
        ends: dict[str, list[Path]] = {}
        for track in tracks if waiting else ():
            if form is _without_ending and track in metadata.entries:
                continue  # the row is about a file of this name and another ending
            parts = form(track.relative_to(folder).as_posix()).split("/")
            parts = parts if whole else [form(name), *parts]
            for start in range(1 if whole else len(parts)):
                ends.setdefault("/".join(parts[start:]), []).append(track)
        missed = []
        for row in waiting:
            found = ends.get(form(files[row]), [])
            if len(found) > 1:
                raise ValueError(
                    f"{metadata.path}, line {row.line}: {row.file!r} is the name of {len(found)} "
                    f"files of {folder}; write GENRE/{row.file}."
                )
            if found:
                _add(metadata, found[0], row)
            else:
                missed.append(row)
        waiting = missed
    return waiting


def _add(metadata: Metadata, track: Path, row: Entry) -> None:
    known = metadata.entries.setdefault(track, row)
    if (artist_key(known.artist), name_key(known.genre)) != (
        artist_key(row.artist),
        name_key(row.genre),
    ):
        raise ValueError(
            f"{metadata.path}: lines {known.line} and {row.line} contradict each other about "
            f"{track}; remove one."
        )


def _folded(text: str) -> str:
    return composed(composed(text).casefold())


def _without_ending(text: str) -> str:
    stem, dot, ending = _folded(text).rpartition(".")
    return stem if dot and ending in KNOWN_EXTENSIONS else _folded(text)


def _plain(file: str) -> str:
    """Return a path with forward slashes, and without ``.`` and ``..``."""
    parts = file.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))
