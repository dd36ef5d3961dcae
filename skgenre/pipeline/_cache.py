"""Results of single tracks on disk, by joblib's Memory."""

from __future__ import annotations

import os
import re
import warnings
import zlib
from collections.abc import Sequence
from typing import Any

import joblib
import numpy as np
from joblib import Memory
from numpy.typing import NDArray

from skgenre.utils._warnings import TrackWarning

# The array, the tables of effects, the sampling rate of waveforms, and the warnings of the track.
Entry = tuple[NDArray[Any], list[NDArray[np.void]], float | None, list[TrackWarning]]


class DamagedEntryError(Exception):
    """An entry is there, and cannot be used."""


class TrackCache:
    """Keeps the results of single tracks.

    joblib writes each entry to a file of its own and renames it into place, so that a
    killed process leaves no partial entry and two processes can share a folder.

    Parameters
    ----------
    memory : joblib.Memory
        Where entries are kept.
    """

    def __init__(self, memory: Memory):
        self.memory = memory
        # The store itself, not a memorised function, which would tie entries to the source
        # of the function and look it up again in each process.
        self._store: Any = memory.store_backend

    def has(self, key: Sequence[Any]) -> bool:
        """Whether there is an entry, which may be damaged."""
        return self._store.contains_item(_place(key))

    def load(self, key: Sequence[Any]) -> Entry | None:
        """Return an entry, or None where there is none.

        Parameters
        ----------
        key : sequence
            The key of the steps and of the track.

        Raises
        ------
        DamagedEntryError
            If the entry cannot be read, or is not what was stored.
        """
        place = _place(key)
        if not self._store.contains_item(place):
            return None
        try:
            *entry, checksum = self._store.load_item(place, verbose=0)
            if checksum != _checksum(entry[0]):
                raise ValueError("its checksum differs")
        except Exception as error:
            # Another process may have pruned the entry since.
            if self._store.contains_item(place):
                raise DamagedEntryError(f"{type(error).__name__}: {error}") from error
            return None
        return tuple(entry)

    def save(self, key: Sequence[Any], entry: Entry) -> None:
        """Store an entry; one of the same key is replaced."""
        self._store.dump_item(_place(key), (*entry, _checksum(entry[0])), verbose=0)


def _place(key: Sequence[Any]) -> tuple[str, str]:
    """Return folder and name of an entry."""
    return "skgenre", joblib.hash(key)


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
    return TrackCache(memory)


def _checksum(array: NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)


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
