"""Files of records that grow by one record a file, and go on after a kill."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from skgenre.catalogue._find import real_path
from skgenre.catalogue._parquet import ROWS, as_text, import_pyarrow, write_parquet
from skgenre.catalogue._predict_files import FilePrediction

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # absent on Windows

_PROBABILITY = "probability "

# The key of the last record of each file, by its real path, and whether it is an error.
_Recorded = dict[str, tuple[str | None, bool]]


class JSONLines:
    """Records as JSON, one a line."""

    def __init__(self, classes: Sequence[str] = ()):
        self.head = b""
        self.start = f'{{"schema": "{FilePrediction.SCHEMA}"'.encode()

    def encode(self, found: FilePrediction) -> bytes:
        """Return one record with its line end."""
        return json.dumps(found.to_dict(), allow_nan=False).encode() + b"\n"

    def decode(self, record: bytes) -> FilePrediction:
        """Return the record of a line."""
        return FilePrediction.from_dict(json.loads(record))

    @staticmethod
    def split(stream: BinaryIO) -> Iterator[bytes]:
        """Yield the complete records of a file."""
        for line in stream:
            if line.endswith(b"\n"):
                yield line


class CSV:
    """Records as rows of a table, with a column for the probability of each genre."""

    _COLUMNS = (
        "path", "status", "genre", "genres", "reason", "duration", "seconds", "key", "model",
        "min_confidence", "top", "max_genres", "set_probability", "segments", "tags", "schema",
    )  # fmt: skip

    def __init__(self, classes: Sequence[str] = ()):
        self.columns = [*self._COLUMNS, *(f"{_PROBABILITY}{name}" for name in classes)]
        self.head = self.start = self._row(self.columns)

    @staticmethod
    def _row(cells: Sequence[Any]) -> bytes:
        text = io.StringIO()
        # With a line end of "\n" alone, Python does not quote "\r".
        csv.writer(text, lineterminator="\r\n").writerow(cells)
        return text.getvalue().encode("utf-8", "surrogateescape")

    def encode(self, found: FilePrediction) -> bytes:
        """Return one row; lists are JSON."""
        values = found.to_dict()
        for name, p in values.pop("probabilities").items():
            values[f"{_PROBABILITY}{name}"] = p
        for name in ("genres", "segments", "tags"):
            if name in values:
                values[name] = json.dumps(values[name])
        return self._row([values.get(name) for name in self.columns])

    def decode(self, record: bytes) -> FilePrediction:
        """Return the record of a row."""
        text = record.decode("utf-8", "surrogateescape")
        (cells,) = csv.reader(io.StringIO(text, newline=""))
        given: dict[str, Any] = dict(zip(self.columns, cells, strict=True))
        values: dict[str, Any] = {name: given[name] or None for name in self._COLUMNS}
        for name in ("duration", "seconds", "min_confidence", "set_probability"):
            values[name] = None if not given[name] else float(given[name])
        for name in ("top", "max_genres"):
            values[name] = None if not given[name] else int(given[name])
        for name in ("genres", "segments", "tags"):
            values[name] = None if not given[name] else json.loads(given[name])
        pairs = [
            (name.removeprefix(_PROBABILITY), float(cell))
            for name, cell in given.items()
            if name.startswith(_PROBABILITY) and cell
        ]
        values["probabilities"] = dict(sorted(pairs, key=lambda pair: -pair[1]))
        return FilePrediction.from_dict(values)

    def split(self, stream: BinaryIO) -> Iterator[bytes]:
        """Yield the complete rows of a file, the head too; a quoted cell may hold line ends."""
        row = b""
        for line in stream:
            row += line
            if row.count(b'"') % 2 == 0 and row.endswith(b"\n"):
                yield row
                row = b""


class RecordWriter:
    """Writes records to a file, each at once.

    Attributes
    ----------
    n_recorded : int
        Files with a record before.
    n_errors : int
        Files that could not be read by their last record, of then or since.
    """

    def __init__(self, stream: BinaryIO, form: Any, recorded: _Recorded, path: Path):
        self._stream, self._form, self._recorded, self._path = stream, form, recorded, path
        self.n_recorded = len(recorded)
        self._failed = {path for path, (_, failed) in recorded.items() if failed}

    @property
    def is_recorded(self) -> Callable[[str, str | None], bool]:
        """Return a function of path and digest: whether the last record before is of these bytes.

        It travels to other processes, unlike the writer.
        """
        return partial(_is_recorded, self._recorded)

    def write(self, found: FilePrediction) -> None:
        """Write a record, whole, before anything else happens."""
        try:
            self._stream.write(self._form.encode(found))
            self._stream.flush()
        except OSError as error:  # such as a full disk
            with suppress(OSError):  # it would try to write again
                self._stream.close()
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        change = self._failed.add if found.status == "error" else self._failed.discard
        change(_place(found.path))

    @property
    def n_errors(self) -> int:
        """Return the number of files that could not be read."""
        return len(self._failed)


def _is_recorded(recorded: _Recorded, path: str, key: str | None) -> bool:
    return recorded.get(_place(path), ("", False))[0] == key


@contextmanager
def open_records(
    path: str | os.PathLike[str],
    classes: Sequence[Any],
    *,
    model_id: str | None = None,
    min_confidence: float = 0.0,
    top: int | None = None,
    max_genres: int = 1,
    set_probability: float = 0.9,
    segments: bool = False,
    resume: bool = False,
    force: bool = False,
) -> Iterator[RecordWriter]:
    """Open a file for records: JSON Lines, CSV or Parquet by its ending.

    A Parquet file cannot grow. Its records are kept beside it, in a file with the further ending
    ``.jsonl``, until all are there.

    Parameters
    ----------
    path : str or PathLike
        The file, with the ending ``.jsonl``, ``.csv`` or ``.parquet``.
    classes : sequence of labels
        The genres of the model, which are columns of a CSV file.
    model_id : str or None, default=None
        The model of the records to come.
    min_confidence, top, max_genres, set_probability, segments : optional
        Their settings, those of :func:`skgenre.predict_files`.
    resume : bool, default=False
        Whether to go on with the records that are there. A record that was cut off is removed.
    force : bool, default=False
        Whether to replace a file that exists.

    Yields
    ------
    writer : RecordWriter
        Takes the records.

    Raises
    ------
    FileExistsError
        If the file exists, without ``resume`` or ``force``.
    ValueError
        If the ending is another one, the file holds something else or records of another model
        or with other settings, or another process writes it.
    ImportError
        If Parquet is wanted and pyarrow is not installed.
    """
    target = Path(path)
    form = _form_of(target)(classes=[str(label) for label in classes])
    is_parquet = target.suffix.lower() == ".parquet"
    growing = target.with_name(f"{target.name}.jsonl") if is_parquet else target
    if is_parquet:
        import_pyarrow()
    if not (resume or force):
        for file in {target, growing}:
            if os.path.lexists(file):
                raise FileExistsError(
                    f"{file} exists; go on with it by resume=True (--resume), replace it by "
                    "force=True (--force), or give another name."
                )
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to write {path} into.")
    if growing.exists() and not growing.is_file():
        raise ValueError(f"{growing} is no regular file; give another name for the records.")
    with open(growing, "a+b") as stream:
        _lock(stream, growing)
        if not resume:
            stream.truncate(0)
        elif is_parquet and target.exists() and not growing.stat().st_size:
            for found in read_records(target):
                stream.write(form.encode(found))
        settings = {
            "model": model_id,
            "min_confidence": min_confidence,
            "top": top,
            "max_genres": max_genres,
            "set_probability": set_probability,
            "segments": segments,
        }
        recorded = _recorded(stream, growing, form, settings)
        if stream.tell() == 0:
            stream.write(form.head)
        yield RecordWriter(stream, form, recorded, growing)
        stream.flush()
        if is_parquet:
            write_parquet(read_records(growing), target)
            growing.unlink()


def read_records(path: str | os.PathLike[str], *, latest: bool = False) -> Iterator[FilePrediction]:
    """Yield the records of a file that ``skgenre predict --output`` wrote.

    Parameters
    ----------
    path : str or PathLike
        The file; its ending tells the format.
    latest : bool, default=False
        Whether only the last record of each path is wanted: that of a file which changed, or
        could not be read, before it was predicted again.

    Yields
    ------
    prediction : FilePrediction
        One after the other.

    Raises
    ------
    ValueError
        If the file is of another kind.
    """
    if latest:
        last = {found.path: number for number, found in enumerate(read_records(path))}
        for number, found in enumerate(read_records(path)):
            if last[found.path] == number:
                yield found
        return
    path = Path(path)
    form = _form_of(path)
    if path.suffix.lower() == ".parquet":
        parquet = import_pyarrow().ParquetFile(path)
        for batch in parquet.iter_batches(ROWS):
            for row in batch.to_pylist():
                row["probabilities"] = dict(row["probabilities"] or ())
                row["tags"] = None if row["tags"] is None else dict(row["tags"])
                yield FilePrediction.from_dict(row)
        return
    with open(path, "rb") as stream:
        for _, found in _complete(stream, path, form()):
            yield found


def _form_of(path: Path) -> Any:
    forms = {".jsonl": JSONLines, ".csv": CSV, ".parquet": JSONLines}
    try:
        return forms[path.suffix.lower()]
    except KeyError:
        raise ValueError(
            f"{path} has no ending of a format; expected .jsonl, .csv or .parquet."
        ) from None


def _complete(stream: BinaryIO, path: Path, form: Any) -> Iterator[tuple[int, FilePrediction]]:
    """Yield the complete records of a file, each with the position of its end."""
    end = 0
    records = form.split(stream)
    if isinstance(form, CSV) and (head := next(records, None)):
        (form.columns,) = csv.reader(io.StringIO(head.decode("utf-8", "surrogateescape")))
        end += len(head)
    for number, record in enumerate(records, start=1):
        end += len(record)
        try:
            yield end, form.decode(record)
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{path}: record {number} is damaged or of another kind: {error}"
            ) from error


def _recorded(stream: BinaryIO, path: Path, form: Any, settings: Mapping[str, Any]) -> _Recorded:
    """List the files that are recorded, and whether they are errors; cut an incomplete record."""
    stream.seek(0)
    columns, end = getattr(form, "columns", None), 0
    recorded = {}
    for record_end, found in _complete(stream, path, form):
        end = record_end
        _check_settings(path, found, settings)
        recorded[_place(found.path)] = found.key, found.status == "error"
    if columns is not None and form.columns != columns:
        if stream.seek(0, os.SEEK_END) and recorded:
            raise ValueError(f"{path} has columns of other genres; give another file.")
        form.columns = columns
    if not recorded:
        end = 0
        stream.seek(0)
        beginning = stream.read(len(form.start))
        if not form.start.startswith(beginning):
            raise ValueError(f"{path} holds something else than records; give another file.")
    stream.truncate(end)
    stream.seek(0, os.SEEK_END)
    return recorded


def _check_settings(path: Path, found: FilePrediction, settings: Mapping[str, Any]) -> None:
    """Raise an error for a record that was made by another model or with other settings."""
    for name, now in settings.items():
        then = getattr(found, name)
        if name == "segments":
            # A file that cannot be read has none in any case.
            then = now if found.status == "error" else then is not None
        if now != then:
            advice = f"Leave {name} out" if then is None else f"Set {name} to {then}"
            raise ValueError(
                f"{path} has records with {name} {then}, but now it is {now}: they do not go "
                f"together. {advice} to go on, or give another file for the output."
            )


def _lock(stream: BinaryIO, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(path) from None
    except OSError:  # a file system without locks
        return
    if not os.fstat(stream.fileno()).st_nlink:  # the other process came to its end just now
        raise _busy(path)


def _busy(path: Path) -> ValueError:
    return ValueError(f"Another process writes {path}; wait for it, or give another name.")


def _place(path: str) -> str:
    """Return what all spellings of a path have in common."""
    return as_text(real_path(path))
