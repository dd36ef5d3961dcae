"""Unpacking an archive that may be damaged, or made to do harm."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path, PureWindowsPath

# What an archive and its content may have: three times the bytes of GTZAN, twenty times its files.
MAX_BYTES = 4 * 2**30
MAX_MEMBERS = 20_000
_EXPECTED = f"expected at most {MAX_BYTES / 2**30:g} GiB in all"
_READ = 2**16  # bytes; tarfile copies files in smaller pieces

# The errors that a damaged archive leads to, besides ValueError.
DAMAGED = (
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RecursionError,  # a header of a header of a header
    FileExistsError,  # a file and a folder of one name
    NotADirectoryError,
    IsADirectoryError,
)


def extract(archive: Path, folder: Path) -> None:
    """Extract the plain files and folders of a tar.gz archive; anything else is an error.

    Parameters
    ----------
    archive : Path
        The archive.
    folder : Path
        An empty folder. After an error, some of the files may be in it.

    Raises
    ------
    ValueError, or one of ``DAMAGED``
        If the archive is damaged, has more than ``MAX_BYTES`` or ``MAX_MEMBERS``, or has links,
        devices or paths that are not plainly inside of the folder.
    """
    n_members = 0

    def check(member: tarfile.TarInfo, place: str) -> tarfile.TarInfo:
        nonlocal n_members
        n_members += 1
        name = member.name
        safe = tarfile.data_filter(member, place)
        path = PureWindowsPath(name)  # it knows the paths of other systems too
        if path.anchor or ".." in path.parts or "\\" in name:
            raise ValueError(f"the path {name!r} in it is absolute, or has .. or \\")
        # Some versions of tarfile can be led out of the folder through links in it.
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise ValueError(f"{name!r} in it is no plain file or folder")
        if not 0 <= member.size <= MAX_BYTES - stream.tell():
            raise ValueError(f"{name!r} in it has {member.size} bytes; {_EXPECTED}")
        if n_members > MAX_MEMBERS:
            raise ValueError(f"it has more than {MAX_MEMBERS} members")
        # None: the permissions of any new file.
        return safe.replace(mode=None, deep=False)  # type: ignore[arg-type]  # None: as it was

    with _GzipFile(archive) as stream:
        with tarfile.open(fileobj=stream, mode="r:", errorlevel=1) as tar:
            tar.extractall(folder, filter=check)
        while stream.read(_READ):  # gzip's checksum is at the end
            pass


class _GzipFile(gzip.GzipFile):
    """An archive that refuses large reads: tarfile reads a header of any size at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _READ:
            raise ValueError(f"it has a header of {size} bytes")
        if self.tell() > MAX_BYTES:
            raise ValueError(f"it has more bytes; {_EXPECTED}")
        return super().read(size)
