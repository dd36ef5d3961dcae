"""The journal of what was done to which file, true at any moment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from skgenre.utils._json_lines import from_line, to_line

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # absent on Windows

_SCHEMA, _VERSION = "skgenre tag journal", 1
_EVENTS = ("begin", "done", "undone")


class JournalError(OSError):
    """The journal cannot be written, so that no file may be changed."""


class Journal:
    """An open journal.

    Before a file is replaced, the journal says what it becomes and how to go back ("begin");
    afterwards, that it was ("done"). Each line is on the disk before the work goes on.

    Parameters
    ----------
    stream : binary file
        The file, open for appending.
    states : dict of str to dict
        The last "begin" of each path without its patch, and the last event of the path.
    """

    def __init__(self, stream: BinaryIO, states: dict[str, dict[str, Any]]):
        self._stream, self.states = stream, states

    def write(self, event: str, path: str, **values: Any) -> None:
        """Add a line, and wait until it is on the disk."""
        line = {"event": event, "path": path, **values}
        _take(self.states, line, self._stream.seek(0, os.SEEK_END))
        _write(self._stream, to_line(line))

    def patch(self, path: str) -> list[list[Any]]:
        """Read how to go back from the last change of a path."""
        self._stream.seek(self.states[path]["offset"])
        return from_line(self._stream.readline(), "A line of the journal")["patch"]


@contextmanager
def open_journal(path: str | os.PathLike[str], plan: str | None = None) -> Iterator[Journal]:
    """Open a journal, or start one; a line that a killed process left unfinished is removed.

    Parameters
    ----------
    path : str or PathLike
        The journal.
    plan : str or None, default=None
        The digest of the plan that it belongs to; None for any, of a journal that exists.

    Yields
    ------
    journal : Journal
        The journal, which no other process can open at the same time.

    Raises
    ------
    FileNotFoundError
        If there is none, and no plan for a new one.
    ValueError
        If it is no journal or belongs to another plan.
    BlockingIOError
        If another process has it open.
    """
    if plan is None and not Path(path).is_file():
        raise FileNotFoundError(f"There is no journal {path}; skgenre tag apply writes one.")
    with open(path, "a+b") as stream:
        if fcntl is not None:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BlockingIOError(
                    f"{path} is in use: another process applies or undoes this plan."
                ) from error
        states, end = _read(stream, os.fspath(path), plan)
        stream.truncate(end)
        if end == 0:
            _write(stream, _header(plan))
            sync_folder(Path(path).resolve().parent)
        yield Journal(stream, states)


def _header(plan: str | None) -> bytes:
    return to_line({"schema": _SCHEMA, "version": _VERSION, "plan": plan})


def _read(stream: BinaryIO, path: str, plan: str | None) -> tuple[dict[str, Any], int]:
    """Return the states of the paths, and where the last complete line ends."""
    states: dict[str, dict[str, Any]] = {}
    stream.seek(0)
    end = 0
    for number, text in enumerate(stream, 1):
        if not text.endswith(b"\n"):
            if number == 1 and not _header(plan).startswith(text):
                raise ValueError(f"{path} is no journal of skgenre tag apply; give another name.")
            break
        line = from_line(text, f"{path}, line {number}")
        if number == 1:
            _check_header(line, path, plan)
        elif line.get("event") in _EVENTS and isinstance(line.get("path"), str):
            _take(states, line, end)
        else:
            raise ValueError(f"{path}, line {number} is no line of a journal.")
        end += len(text)
    return states, end


def _check_header(header: Mapping[str, Any], path: str, plan: str | None) -> None:
    if (header.get("schema"), header.get("version")) != (_SCHEMA, _VERSION):
        raise ValueError(
            f"{path} is no journal of version {_VERSION} that skgenre tag apply wrote; give "
            "another name."
        )
    if plan is not None and header.get("plan") != plan:
        raise ValueError(
            f"{path} is the journal of another plan. Keep it, to undo that plan, and give another "
            "name for the journal of this one."
        )


def _take(states: dict[str, Any], line: Mapping[str, Any], offset: int) -> None:
    """Take the event of a line into account."""
    known = states.get(line["path"], {})
    if line["event"] == "begin":
        known = {name: value for name, value in line.items() if name != "patch"}
        known["offset"] = offset
    states[line["path"]] = {**known, "event": line["event"]}


def _write(stream: BinaryIO, line: bytes) -> None:
    try:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    except OSError as error:
        raise JournalError(error.errno, f"the journal cannot be written: {error.strerror}") from (
            error
        )


def sync_folder(folder: Path) -> None:
    """Wait until the names of a folder are on the disk."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
