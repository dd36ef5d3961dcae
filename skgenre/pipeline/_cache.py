"""Results of single tracks on disk: arrays and nothing else, so that reading one runs no code.

An entry is a file of arrays in the ``.npy`` format, one after the other: the result, its
sampling rate (empty for none), the warnings of the track as JSON, and the tables of effects. A
CRC-32 of the name and the arrays ends it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import warnings
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format as npy
from joblib import Memory
from numpy.typing import NDArray

from skgenre.utils._io import open_whole
from skgenre.utils._warnings import NoSoundWarning, TrackWarning

# The array, the tables of effects, the sampling rate of waveforms, and the warnings of the track.
Entry = tuple[NDArray[Any], list[NDArray[np.void]], float | None, list[TrackWarning]]

_FOLDER = "skgenre-tracks-1"  # a format that differs gets another number
_VERSION = (1, 0)  # of the .npy format: the header has 64 KiB at most
_CHECKSUM_BYTES = 4
_CATEGORIES = {category.__name__: category for category in (UserWarning, NoSoundWarning)}


class CacheEntryError(Exception):
    """An entry cannot be used, or cannot be stored."""


class TrackCache:
    """Keeps the results of single tracks.

    Each entry is a file of its own that appears when it is complete, so that a killed process
    leaves no partial entry and two processes can share a folder.

    Parameters
    ----------
    location : str
        The folder that the user named, for messages.
    folder : str
        The folder in which entries are kept, in a folder of their own.
    """

    def __init__(self, location: str, folder: str):
        self.location = location
        self._folder = os.path.join(folder, _FOLDER)

    def has(self, key: Sequence[Any]) -> bool:
        """Whether there is an entry, which may be damaged."""
        return os.path.isfile(self._path(key))

    def load(self, key: Sequence[Any]) -> Entry | None:
        """Return an entry, or None where there is none.

        Parameters
        ----------
        key : sequence
            The key of the steps and of the track.

        Raises
        ------
        CacheEntryError
            If the entry cannot be read, or is not what was stored.
        """
        path = self._path(key)
        if not os.path.isfile(path):  # opening a pipe would wait for ever
            return None
        try:
            with open(path, "rb") as stream:
                data = stream.read()
            array, rate, notes, *effects = _decode(data, os.path.basename(path))
            found = [_read_warning(*fields) for fields in json.loads(str(notes))]
        except FileNotFoundError:  # another process has pruned it since
            return None
        except Exception as error:  # a header of arbitrary bytes leads to errors of any kind
            raise CacheEntryError(f"{type(error).__name__}: {error}") from error
        tables = [table.copy() for table in effects]
        return array, tables, rate.item() if rate.size else None, found

    def save(self, key: Sequence[Any], entry: Entry) -> None:
        """Store an entry; one of the same key is replaced.

        Raises
        ------
        CacheEntryError
            If the entry holds Python objects, or the file cannot be written.
        """
        array, effects, rate, found = entry
        path = Path(self._path(key))
        rate_array = np.array([] if rate is None else [rate])
        notes = np.array(json.dumps([(*warning[:-1], warning[-1].__name__) for warning in found]))
        data = _encode([array, rate_array, notes, *effects], path.name)
        try:
            unfinished = path.parent / "unfinished"  # apart, for it is listed for each entry
            unfinished.mkdir(parents=True, exist_ok=True)
            with open_whole(path, unfinished) as stream:
                stream.write(data)
        except FileNotFoundError:  # another process has pruned or deleted the folder since
            pass
        except OSError as error:
            raise CacheEntryError(error.strerror or str(error)) from error

    def prune(self, limit: int) -> None:
        """Remove the files that were read longest ago, until the others fit into the limit.

        Parameters
        ----------
        limit : int
            Size of all files, in bytes.
        """
        files = []
        with suppress(FileNotFoundError), os.scandir(self._folder) as found:
            for file in filter(os.DirEntry.is_file, found):
                with suppress(FileNotFoundError):
                    status = file.stat(follow_symlinks=False)
                    files.append((status.st_atime_ns, status.st_size, file.path))
        excess = sum(size for _, size, _ in files) - limit
        for _, size, path in sorted(files):
            if excess <= 0:
                break
            with suppress(OSError):
                os.unlink(path)
            excess -= size

    def _path(self, key: Sequence[Any]) -> str:
        digest = hashlib.blake2b(repr(key).encode(), digest_size=16)
        return os.path.join(self._folder, f"{digest.hexdigest()}.npy")


def _read_warning(name: str, detail: str, problem: str, advice: str, kind: str) -> TrackWarning:
    return TrackWarning(name, detail, problem, advice, _CATEGORIES[kind])


def _encode(arrays: Sequence[NDArray[Any]], name: str) -> bytes:
    stream = io.BytesIO()
    for array in arrays:
        if array.dtype.hasobject:
            raise CacheEntryError(f"an array of Python objects ({array.dtype!r}) is not plain data")
        try:
            npy.write_array_header_1_0(stream, npy.header_data_from_array_1_0(array))
        except ValueError as error:
            raise CacheEntryError(
                f"an array of {array.dtype} cannot be stored ({error})"
            ) from error
        stream.write(array.tobytes("A"))
    data = stream.getvalue()
    return data + _checksum(data, name)


def _decode(data: bytes, name: str) -> list[NDArray[Any]]:
    """Return views of the arrays in an entry; they take no more memory than the entry."""
    end = len(data) - _CHECKSUM_BYTES
    if _checksum(memoryview(data)[: max(0, end)], name) != data[-_CHECKSUM_BYTES:]:
        raise ValueError("its checksum differs")
    arrays = []
    stream = io.BytesIO(data)
    while stream.tell() != end:
        if npy.read_magic(stream) != _VERSION:
            raise ValueError("its format is unknown")
        shape, is_fortran, dtype = npy.read_array_header_1_0(stream, max_header_size=2**16)
        if dtype.hasobject or min(shape, default=0) < 0:
            raise ValueError(f"its header promises an array of {dtype} and of shape {shape}")
        order: Any = "F" if is_fortran else "C"
        arrays.append(np.ndarray(shape, dtype, data, stream.tell(), order=order))
        stream.seek(arrays[-1].nbytes, io.SEEK_CUR)
    return arrays


def _checksum(data: bytes | memoryview, name: str) -> bytes:
    """Return the checksum of an entry; with the name, one that was renamed is found out."""
    return zlib.crc32(data, zlib.crc32(name.encode())).to_bytes(_CHECKSUM_BYTES, "little")


def open_cache(memory: Any) -> TrackCache | None:
    """Open the cache that the parameter ``memory`` names.

    Parameters
    ----------
    memory : None, str, PathLike or joblib.Memory
        A folder, or an object that knows one.

    Returns
    -------
    cache : TrackCache or None
        None where nothing is to be kept, and, after a warning, where the folder cannot be
        written: a model that moved to another machine still predicts.
    """
    if memory is None:
        return None
    if isinstance(memory, (str, os.PathLike)):
        try:
            memory = Memory(os.fspath(memory), verbose=0)
        except OSError as error:
            warnings.warn(
                f"The cache folder memory={os.fspath(memory)!r} cannot be used ({error}); "
                "features are computed without it.",
                UserWarning,
                stacklevel=2,
            )
            return None
    if memory.location is None:
        return None
    return TrackCache(os.fspath(memory.location), memory.store_backend.location)


def n_bytes(limit: int | str | None) -> int:
    """Return a limit in bytes; 0 means none."""
    if not isinstance(limit, str):
        return limit or 0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG])", limit)
    size = int(float(found[1]) * 1024 ** " KMG".index(found[2])) if found else 0
    if not size:
        raise ValueError(
            f"bytes_limit={limit!r} is no size; give bytes as an int, or a number above 0 with K, "
            'M or G, such as "500M".'
        )
    return size
