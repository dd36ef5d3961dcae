"""Reading a table of files, artists and genres, in any usual encoding and form."""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from skgenre.utils._io import shorten
from skgenre.utils._names import name_key

# The names of a column in the table, without spaces and punctuation. The last ones are those of
# FMA's tracks.csv, with its three rows of headers in one.
_COLUMNS = {
    "file": ("file", "filename", "path", "filepath", "trackid"),
    "artist": ("artist", "artistname"),
    "title": ("title", "tracktitle"),
    "genre": ("genre", "genretop", "trackgenretop"),
}
_NEEDED = "it needs 'file' (or 'filename', 'path') and 'artist' or 'genre'"
_SPREADSHEET_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATORS = ",;\t|"
_MAX_ROWS_ABOVE = 10
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins as UTF-16 does, which must come after it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE = 2**16  # characters
_CONTROL = re.compile("[\\0-\\x08]")  # not in text
MISSING = {"", "na", "nan", "nil", "none", "null", "undefined", "unknown", "unbekannt", "inconnu"}


@dataclass(frozen=True)
class Entry:
    """One row of the table; empty strings stand for missing values."""

    line: int
    file: str
    artist: str = ""
    title: str = ""
    genre: str = ""


@dataclass
class Table:
    """The cells of a table that was opened, and which column is which."""

    path: Path
    separator: str
    columns: dict[str, int]
    header: list[str]
    rows: list[tuple[int, list[str]]]

    def entries(self) -> Iterator[Entry]:
        """Yield the rows; raise an error for one that has too many values or an open quote."""
        for line, row in self.rows:
            n_values = len(row)
            while n_values > len(self.header) and not row[n_values - 1].strip():
                n_values -= 1
            if n_values > len(self.header):
                raise ValueError(
                    f"{self.path}, line {line}: {n_values} values for {len(self.header)} columns; "
                    f"a value with {self.separator!r} in it needs double quotes around it."
                )
            cells = {
                name: row[column].strip() if column < len(row) else ""
                for name, column in self.columns.items()
            }
            if any(len(cells.get(name, "").splitlines()) > 1 for name in ("file", "artist")):
                raise ValueError(
                    f"{self.path}: a value that ends in line {line} goes over several lines; close "
                    "its double quotes."
                )
            if self.header[self.columns["file"]] == "trackid":
                number = re.fullmatch(r"([0-9]+)(\.0*)?", cells["file"])  # 2.0 if pandas wrote it
                if number:
                    cells["file"] = f"{int(number[1]):06d}"  # FMA: 2 is 000/000002.mp3
            # Repeated blanks count in the name of a file, but not elsewhere.
            texts = {name: composed(" ".join(cell.split())) for name, cell in cells.items()}
            if is_missing(texts.get("genre", "")):
                texts["genre"] = ""
            yield Entry(line, **{**texts, "file": cells["file"]})


def open_table(path: Path) -> Table | str:
    """Open a table by the separator that shows its columns; return why if there is none.

    Lines above the header, such as Excel's ``sep=;``, are passed over.
    """
    text = _decode(path.read_bytes())
    if text is None:
        return "is not text in UTF-8, UTF-16 or Windows-1252; save it as CSV in UTF-8"
    declared = re.match(r'\s*"?sep=(.)', text, re.IGNORECASE)
    first: list[str] = []
    for separator in dict.fromkeys((declared[1] if declared else "") + _SEPARATORS):
        stream = StringIO(text, newline="")
        reader = csv.reader(stream, delimiter=separator, skipinitialspace=True)
        rows = ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
        above: list[list[str]] = []
        try:
            for _, row in islice(rows, _MAX_ROWS_ABOVE):
                above.append(row)
                header = _header(above)
                columns = _find_columns(header)
                if "file" in columns and columns.keys() & {"artist", "genre"}:
                    twice = [row[i] for i in columns.values() if header.count(header[i]) > 1]
                    if twice:
                        return f"has more than one column {twice[0]!r}"
                    return Table(path, separator, columns, header, list(rows))
        except csv.Error as error:
            return f"is not a CSV file: {error}"
        first = first or next(iter(above), [])
    names = shorten([repr(name) for name in first])
    return f"has the columns [{names}]; {_NEEDED}, separated by commas, semicolons, tabs or |"


def _decode(data: bytes) -> str | None:
    """Decode a text in UTF-8, UTF-16 or Windows-1252; None for other bytes.

    UTF-8 with a few damaged bytes would pass for Windows-1252, with two letters for each accent.
    """
    if data.startswith(_SPREADSHEET_STARTS):
        return None
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), None)
    if encoding is None and b"\0" in data:  # characters of two bytes, of which one is mostly 0
        encoding = "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        # In Windows-1252, letters that are not ASCII hardly ever make characters of UTF-8.
        replaced = data.decode("utf-8", "replace")
        n_letters = sum(ch > "\x7f" for ch in replaced) - replaced.count("\ufffd")
        if encoding or n_letters >= replaced.count("\ufffd"):
            return None
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            return None
    return None if _CONTROL.search(text, 0, _SAMPLE) else text


def _header(above: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the columns by the last of these rows."""
    header = [name_key(cell) for cell in above[-1]]
    if len(above) > 2 and header[0] == "trackid" and not any(header[1:]):  # FMA: three rows
        header = [name_key("".join(cells)) for cells in zip(*above[-3:], strict=False)]
    return header


def _find_columns(header: Sequence[str]) -> dict[str, int]:
    found = {}
    for column, names in _COLUMNS.items():
        name = next((name for name in names if name in header), None)
        if name is not None:
            found[column] = header.index(name)
    return found


def find_similar(names: Iterable[str]) -> list[str]:
    """List the names of which several may be one, in the form "'Hip-Hop' and 'hip hop'"."""
    spellings: dict[str, set[str]] = {}
    for name in names:
        spellings.setdefault(name_key(name), set()).add(name)
    return [" and ".join(map(repr, sorted(some))) for some in spellings.values() if len(some) > 1]


def is_missing(text: str) -> bool:
    """Whether a cell stands for a value that is not known."""
    is_mark = [ch in "?._/\\" or unicodedata.category(ch) in ("Pd", "Zs") for ch in text]
    return all(is_mark) or name_key(text) in MISSING


def composed(text: str) -> str:
    """Return the composed form of a name: some systems store accents as separate characters."""
    return unicodedata.normalize("NFC", text)
