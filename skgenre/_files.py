"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a file under its name only when it is complete.

    Parameters
    ----------
    path : str or PathLike
        The file; one that is there is replaced.
    text : str
        What it is to hold.
    """
    target = Path(path)
    handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=".skgenre-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(unfinished, 0o666 & ~umask)  # mkstemp lets nobody else read
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise
