"""Text and tables on standard output, and text on standard error."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from typing import TextIO


def echo(text: str = "", stream: TextIO | None = None, end: str = "\n") -> None:
    """Write printable text at once, to standard output by default."""
    stream = stream or sys.stdout
    print(printable(text, stream), file=stream, end=end, flush=True)


def printable(text: str, stream: TextIO | None = None) -> str:
    """Escape what a stream cannot encode, and control characters other than tabs and line ends.

    A file name may contain bytes that are no text, and sequences that command the terminal.
    """
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], text)


def as_argument(path: str) -> str:
    """Write a path as a shell takes it, and so that no command takes it for an option."""
    return shlex.quote(os.path.join(os.curdir, path) if path.startswith("-") else path)


def aligned(cells: Sequence[object], widths: Sequence[int]) -> str:
    """Join cells: text is aligned to the left of its column, numbers to the right."""
    padded = [
        str(cell).ljust(width) if isinstance(cell, str) else str(cell).rjust(width)
        for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


def echo_table(header: Sequence[str], rows: Sequence[Sequence[object]], indent: str = "  ") -> None:
    """Write a table; the header of a column of numbers is aligned to the right too."""
    widths = [max(len(str(row[i])) for row in (header, *rows)) for i in range(len(header))]
    numeric = [not any(isinstance(row[i], str) for row in rows) for i in range(len(header))]
    titles = [
        title.rjust(width) if right else title
        for title, width, right in zip(header, widths, numeric, strict=True)
    ]
    for row in (titles, *rows):
        echo(indent + aligned(row, widths))


class Share:
    """A share from 0 to 1 that prints with three digits."""

    def __init__(self, value: float):
        self.value = value

    def __str__(self) -> str:
        return f"{self.value:.3f}"
