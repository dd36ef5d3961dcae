"""The tree of genres of FMA."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from skgenre.datasets._published import find_columns, read_rows

_TOP = "0"  # the parent of a top genre
_COLUMNS = {"number": "genre_id", "parent": "parent", "title": "title"}


@dataclass(frozen=True)
class GenreTree:
    """Genres by number.

    Parameters
    ----------
    titles : dict of str to str
        The title of each genre.
    parents : dict of str to str
        The number of the genre above it; "0" for top genres.
    """

    titles: dict[str, str]
    parents: dict[str, str]

    @cached_property
    def _repeated(self) -> set[str]:
        return {title for title, count in Counter(self.titles.values()).items() if count > 1}

    def label(self, number: str) -> str:
        """Return the title of a genre, with its number if another genre has the same title."""
        if number not in self.titles:
            raise ValueError(
                f"genres.csv has no genre {number}, which tracks.csv names; take both files from "
                "the same release."
            )
        title = self.titles[number]
        return f"{title} ({number})" if title in self._repeated else title

    def above(self, number: str) -> Iterator[str]:
        """Yield the genres above one, nearest first."""
        while self.parents.get(number, _TOP) != _TOP:
            number = self.parents[number]
            yield number

    def most_specific(self, numbers: Sequence[str]) -> list[str]:
        """Return the genres that lie above none of the others."""
        general = {above for number in numbers for above in self.above(number)}
        return [number for number in numbers if number not in general]

    def as_mapping(self, number: str = _TOP) -> dict[str, Any]:
        """Return the genres below one as nested mappings, in the order of the file."""
        found: dict[str, Any] = {}
        for child in [child for child, parent in self.parents.items() if parent == number]:
            label, below = self.label(child), self.as_mapping(child)
            # "/" divides the names of a path in HierarchicalGenreClassifier.
            found[label.replace("/", "|") if below else label] = (
                {label: label, **below} if below else label
            )
        return found


def read_genres(path: Path) -> GenreTree:
    """Read genres.csv.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tree : GenreTree
        The genres.

    Raises
    ------
    ValueError
        If a column is missing, or a genre hangs below no top genre.
    """
    rows = read_rows(path)
    columns = find_columns(path, next(rows, (0, [""]))[1], _COLUMNS)
    titles, parents = {}, {}
    for line, row in rows:
        if len(row) <= max(columns.values()):
            raise ValueError(f"{path}, line {line}: {len(row)} values are too few.")
        number = row[columns["number"]]
        titles[number], parents[number] = row[columns["title"]], row[columns["parent"]]
    for number in titles:
        seen, genre = {number}, number
        while (genre := parents[genre]) != _TOP:
            if genre in seen or genre not in parents:
                raise ValueError(
                    f"{path}: the genre {number} ({titles[number]}) hangs below no top genre, but "
                    f"below {genre}; give the file as it was published."
                )
            seen.add(genre)
    return GenreTree(titles, parents)
