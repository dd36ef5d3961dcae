"""Files that are complete or absent, and texts about them."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # absent on Windows

_PREFIX, _SUFFIX = ".skgenre-", ".part"  # of files that are not complete yet
_SHOWN = 10


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file under its name only when it is complete.

    Parameters
    ----------
    path : str or PathLike
        The file; an existing one is replaced and keeps its permissions. A link stays a link,
        and anything but a regular file, such as a pipe, is written to directly.
    content : str or bytes
        Its new content; a str is encoded as UTF-8.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # such as /dev/stdout
        target.write_bytes(data)
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}.")
    with open_whole(target) as stream:
        stream.write(data)


@contextmanager
def open_whole(target: Path, folder: Path | None = None) -> Iterator[BinaryIO]:
    """Open a file for bytes that gets its name when it is complete.

    Files that a killed process left unfinished are removed on the way.

    Parameters
    ----------
    target : Path
        The file, in a folder that exists. A new one gets the permissions that the process
        gives to any new file; an existing one is replaced and keeps its permissions. A link of
        this name is replaced, and what it leads to stays.
    folder : Path or None, default=None
        Where the file is until it is complete, a folder that exists and that is quick to list;
        None means beside ``target``.

    Yields
    ------
    stream : file object
        Where to write the content.
    """
    folder = folder or target.parent
    _remove_unfinished(folder)
    unfinished = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        with _lock_of(unfinished):
            with open(unfinished, "wb") as stream:
                yield stream
            with suppress(FileNotFoundError):
                mode = target.lstat().st_mode
                if stat.S_ISREG(mode):
                    unfinished.chmod(mode & 0o777)
            unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _lock_of(unfinished: Path) -> Iterator[None]:
    """Create a file and hold a lock on it, which ends with the process at the latest."""
    if fcntl is None:
        yield
        return
    while True:
        with open(unfinished, "xb") as held:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(held, fcntl.LOCK_EX)
            if os.fstat(held.fileno()).st_nlink:  # not removed before it was locked
                yield
                return


def _remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files on which no process holds a lock."""
    if fcntl is None:
        return
    for name in os.listdir(folder):
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
            with suppress(OSError), open(folder / name, "rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(folder / name)


def check_regular_file(path: str | os.PathLike[str], kind: str) -> None:
    """Raise an error for a pipe or a device, on which a reader could wait forever.

    Parameters
    ----------
    path : str or PathLike
        The file. One that does not exist passes: opening it raises the error.
    kind : str
        What is expected, for the error, such as "model file".

    Raises
    ------
    ValueError
        If it is neither a regular file nor a folder.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise ValueError(f"{os.fsdecode(path)} is a pipe or a device; give a regular {kind}.")


def shorten(names: Sequence[str]) -> str:
    """List names for a message, at most ten of them."""
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the new ones, innermost first."""
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new
