"""Files that are complete or absent, and texts about them."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_SHOWN = 10


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a file under its name only when it is complete.

    Parameters
    ----------
    path : str or PathLike
        The file; an existing one is replaced and keeps its permissions. A link stays a link,
        and anything but a regular file, such as a pipe, is written to directly.
    text : str
        Its new content.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # such as /dev/stdout
        target.write_text(text, encoding="utf-8")
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}.")
    with open_whole(target) as stream:
        stream.write(text.encode("utf-8"))


@contextmanager
def open_whole(target: Path) -> Iterator[BinaryIO]:
    """Open a file for bytes that gets its name when it is complete.

    Parameters
    ----------
    target : Path
        The file, in a folder that exists. A new one gets the permissions that the process
        gives to any new file; an existing one is replaced and keeps its permissions. A link of
        this name is replaced, and what it leads to stays.

    Yields
    ------
    stream : file object
        Where to write the content.
    """
    unfinished = target.with_name(f".skgenre-{secrets.token_hex(8)}.part")
    try:
        with open(unfinished, "xb") as stream:
            yield stream
        with suppress(FileNotFoundError):
            mode = target.lstat().st_mode
            if stat.S_ISREG(mode):
                unfinished.chmod(mode & 0o777)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def shorten(names: Sequence[str]) -> str:
    """List names for a message, at most ten of them."""
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the new ones, innermost first."""
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new
