"""Results as plain values: JSON files that read back equal, and tables."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

from skgenre.utils._io import write_whole


class Record:
    """A dataclass of plain values that is saved as JSON and read back equal."""

    _format: ClassVar[str]
    # Fields that are dicts of other records, with their class.
    _nested: ClassVar[dict[str, type[Record]]] = {}

    def to_markdown(self) -> str:
        """Return a table in Markdown."""
        raise NotImplementedError

    def _title(self) -> str:
        return type(self).__name__

    def _table(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        return f"<{self._title()}>\n{_align(self._table())}"

    def to_dict(self) -> dict[str, Any]:
        """Return all values as plain dicts and lists.

        Returns
        -------
        values : dict
            The content of the file that ``save`` writes.
        """
        # Subclasses are dataclasses, which the type of this class does not say.
        values = {"format": self._format, **asdict(self)}  # type: ignore[call-overload]
        for field in self._nested:
            records = getattr(self, field).items()
            values[field] = {name: record.to_dict() for name, record in records}
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make a record of the values of ``to_dict``.

        Parameters
        ----------
        values : dict
            As ``to_dict`` returns it.

        Returns
        -------
        record : object
            Equal to the original.
        """
        values = dict(values)
        found = values.pop("format", None)
        if found != cls._format:
            raise ValueError(
                f"Expected a file of the format {cls._format!r}, got {found!r}: the file was "
                f"written by something else than {cls.__name__}.save, or by another version."
            )
        for field, record in cls._nested.items():
            values[field] = {k: record.from_dict(v) for k, v in values[field].items()}
        return cls(**values)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file, which gets its name only when it is complete.

        Parameters
        ----------
        path : str or PathLike
            The file; an existing one is replaced.
        """
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
        write_whole(path, text + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a JSON file that ``save`` wrote.

        Parameters
        ----------
        path : str or PathLike
            The file.

        Returns
        -------
        record : object
            Equal to the original.

        Raises
        ------
        ValueError
            If the file was not written by ``save``.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON file ({error}).") from error
        if not isinstance(values, dict):
            raise ValueError(f"{path} holds a {type(values).__name__}; expected an object.")
        return cls.from_dict(values)


class TableRecord(Record):
    """A record whose main content is one table, also for papers."""

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of the table, as text."""
        raise NotImplementedError

    def to_latex(self, *, caption: str | None = None, label: str | None = None) -> str:
        """Return the table in LaTeX, for documents that use the package booktabs.

        Parameters
        ----------
        caption : str or None, default=None
            Caption of a ``table`` environment around it, in LaTeX; None for the ``tabular`` alone.
        label : str or None, default=None
            Label of that environment; needs a caption.

        Returns
        -------
        table : str
            The numbers are those of ``to_markdown``.
        """
        return latex_table(*self._cells(), caption=caption, label=label)


_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": "$<$",
    ">": "$>$",
    "\u00b1": r"$\pm$",
    "\u2013": "--",
}
_BOLD = re.compile(r"\*\*(.+)\*\*")


def escape_latex(text: str) -> str:
    """Return plain text as LaTeX that shows it."""
    return "".join(_LATEX.get(c, c) for c in text)


def latex_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str | None = None,
    label: str | None = None,
) -> str:
    """Write the table of :func:`markdown_table` in LaTeX; a cell between "**" is bold.

    Parameters
    ----------
    head : sequence of n_columns str
        Names of the columns.
    rows : sequence of sequence of n_columns str
        The cells.
    caption, label : str or None, default=None
        Of a ``table`` environment around the ``tabular``.

    Returns
    -------
    table : str
        It needs the package booktabs.

    Raises
    ------
    ValueError
        If a label comes without a caption, to which LaTeX binds it.
    """
    if label is not None and caption is None:
        raise ValueError(f"label={label!r} needs a caption, whose number a reference shows.")

    def cell(text: str) -> str:
        bold = _BOLD.fullmatch(text)
        escaped = escape_latex(bold[1] if bold else text)
        return rf"\textbf{{{escaped}}}" if bold else escaped

    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(cell, cells)) + r" \\"

    columns = "l" + "r" * (len(head) - 1)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", line(head), r"\midrule"]
    lines += [*map(line, rows), r"\bottomrule", r"\end{tabular}"]
    if caption is not None:
        below = [rf"\caption{{{caption}}}"] + ([] if label is None else [rf"\label{{{label}}}"])
        lines = [r"\begin{table}", r"\centering", *below, *lines, r"\end{table}"]
    return "\n".join(lines)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose first column is text and whose others are numbers."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [list(head), ["---", *["---:"] * (len(head) - 1)], *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _align(text: str) -> str:
    """Pad the cells of the tables in a text to columns of one width."""
    lines = text.split("\n")
    rows = {
        i: re.split(r"(?<!\\)\|", line)[1:-1] for i, line in enumerate(lines) if line[:1] == "|"
    }
    widths: dict[int, int] = {}
    for cells in rows.values():
        for column, cell in enumerate(cells):
            widths[column] = max(widths.get(column, 0), len(cell.strip()))
    for i, cells in rows.items():
        padded = [
            cell.strip().rjust(widths[column]) if column else cell.strip().ljust(widths[column])
            for column, cell in enumerate(cells)
        ]
        lines[i] = f"| {' | '.join(padded)} |"
    return "\n".join(lines)


def import_pandas(instead: str = "to_markdown and save work without it.") -> Any:
    """Import pandas, or raise an error with the command that installs it."""
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError(
            f"to_frame needs pandas; install it with: pip install pandas. {instead}"
        ) from error
