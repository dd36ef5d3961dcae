"""The CSV table that names the artists of the tracks of a folder."""

from __future__ import annotations

import csv
import unicodedata
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from os.path import abspath
from pathlib import Path

from skgenre.utils._io import shorten

_FILE_COLUMNS = ("file", "filename", "path")
_USUAL_NAMES = ("tracks.csv", "metadata.csv")
# Values that tables hold for an unknown artist. Taken as a name, such a value would join many
# artists into one, and a split by artist would keep unrelated tracks together.
_UNKNOWN = {"", "-", "?", "n/a", "na", "nan", "none", "null", "unknown", "unknown artist"} | {
    "various",
    "various artists",
}


@dataclass(frozen=True)
class Entry:
    """One row of the table; empty strings stand for missing values."""

    line: int
    file: str
    artist: str
    title: str = ""
    genre: str = ""


@dataclass
class Metadata:
    """A table, and the row of each track."""

    path: Path
    has_titles: bool
    entries: dict[Path, Entry] = field(default_factory=dict)
    n_absent: int = 0


def find_table(folder: Path) -> Path | None:
    """Find the table of a folder: in the folder, or beside it with the folder's name.

    Parameters
    ----------
    folder : Path
        The folder of the data set.

    Returns
    -------
    path : Path or None
        The table; None if there is none with the required columns.

    Raises
    ------
    ValueError
        If there are several tables, none of them with one of the usual names.
    """
    within = sorted(path for path in folder.glob("*") if _is_csv(path))
    beside = Path(abspath(folder)).with_name(Path(abspath(folder)).name + ".csv")
    usual = [folder / name for name in _USUAL_NAMES if (folder / name).is_file()]
    for path in [*usual, *([beside] if beside.is_file() else [])]:
        if _has_columns(path):
            return path
        warnings.warn(
            f"{path} is not used: it needs the columns 'file' (or 'filename', 'path') and "
            "'artist'. Set metadata=None to use no table.",
            stacklevel=5,
        )
    tables = [path for path in within if path not in usual and _has_columns(path)]
    if len(tables) > 1:
        raise ValueError(
            f"{folder} holds {len(tables)} tables of files and artists: "
            f"{shorten([path.name for path in tables])}. Name one by metadata=PATH."
        )
    return tables[0] if tables else None


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv" and not path.name.startswith(".") and path.is_file()


def _has_columns(path: Path) -> bool:
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            names = _clean_header(next(csv.reader(handle), []))
    except (UnicodeDecodeError, csv.Error):
        return False
    return "artist" in names and any(name in names for name in _FILE_COLUMNS)


def _clean_header(names: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in names]


def read_table(path: Path, folder: Path, tracks: Sequence[Path]) -> Metadata:
    """Read a table, and find the track of each row.

    Parameters
    ----------
    path : Path
        The CSV file.
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
        If the table cannot be read, a row is ambiguous, or rows contradict each other.
    """
    rows, has_titles = _read_rows(path)
    metadata = Metadata(path, has_titles)
    places = {_normal(abspath(track)): track for track in tracks}
    names = Counter(_normal(track.name) for track in tracks)
    by_name = {_normal(track.name): track for track in tracks}
    bases = [folder, Path(abspath(folder)).parent, path.parent]
    for row in rows:
        given = row.file.replace("\\", "/")
        candidates = [_normal(abspath(base / given)) for base in bases]
        track = next((places[place] for place in candidates if place in places), None)
        if track is None and "/" not in given and names[_normal(given)]:
            if names[_normal(given)] > 1:
                raise ValueError(
                    f"{path}, line {row.line}: {row.file!r} is the name of "
                    f"{names[_normal(given)]} files of {folder}; write GENRE/{row.file}."
                )
            track = by_name[_normal(given)]
        if track is None:
            metadata.n_absent += 1
            continue
        known = metadata.entries.setdefault(track, row)
        if (known.artist, known.genre) != (row.artist, row.genre):
            raise ValueError(
                f"{path}: lines {known.line} and {row.line} contradict each other about {track}; "
                "remove one."
            )
    return metadata


def _normal(text: str) -> str:
    """Return the composed form of a name: some systems store accents as separate characters."""
    return unicodedata.normalize("NFC", text)


def _read_rows(path: Path) -> tuple[list[Entry], bool]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            header = _clean_header(next(reader, []))
            rows = [(reader.line_num, row) for row in reader if any(row)]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8 ({error}); save it as UTF-8.") from error
    except csv.Error as error:
        raise ValueError(f"{path} is not a CSV file: {error}.") from error
    file_column = next((name for name in _FILE_COLUMNS if name in header), None)
    if file_column is None or "artist" not in header:
        raise ValueError(
            f"{path} has the columns {header}; it needs 'file' (or 'filename', 'path') and "
            "'artist', separated by commas."
        )
    entries = []
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: {len(row)} values for {len(header)} columns; a value "
                "with a comma needs double quotes around it."
            )
        cells = dict(zip(header, (_normal(" ".join(cell.split())) for cell in row), strict=True))
        # Repeated blanks count in the name of a file, but not in that of an artist.
        file = row[header.index(file_column)].strip()
        artist = cells["artist"]
        if artist.lower() in _UNKNOWN:
            artist = ""
        entries.append(Entry(line, file, artist, cells.get("title", ""), cells.get("genre", "")))
    return entries, "title" in header
