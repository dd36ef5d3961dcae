"""Files that are complete or absent, and texts about them."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

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
    data = content.encode() if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # such as /dev/stdout
        target.write_bytes(data)
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}.")
    handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=".skgenre-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(unfinished, _mode(target))  # mkstemp allows only the owner to read
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise


def _mode(target: Path) -> int:
    """Return the permissions of an existing file, or those of a new one."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def shorten(names: Sequence[str]) -> str:
    """List names for a message, at most ten of them."""
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the new ones, innermost first."""
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new
