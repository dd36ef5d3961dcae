"""The tasks of PerTrack: a few tracks through the steps, or out of the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.pipeline._cache import DamagedEntryError, Entry, TrackCache
from skgenre.pipeline._steps import is_repeatable, pass_track
from skgenre.utils._cache_key import track_key
from skgenre.utils._waveforms import track_name, with_rate


@dataclass
class TaskResult:
    """The results of the tracks of one task."""

    arrays: list[NDArray[Any]] = field(default_factory=list)
    effects: list[list[NDArray[np.void]]] = field(default_factory=list)
    n_hits: int = 0
    n_bytes_stored: int = 0
    damaged: list[str] = field(default_factory=list)


@dataclass(eq=False)  # hashed by identity: a backend may keep what it sends in a dictionary
class TrackTask:
    """Takes tracks through the steps; all tasks of a call share one. Travels to workers."""

    steps: list[Any]
    training: bool
    cache: TrackCache | None
    front_end: str | None
    file_identity: str

    def __post_init__(self) -> None:
        self.stores = is_repeatable(self.steps, training=self.training)

    def transform_tracks(self, tracks: Any, first_row: int) -> TaskResult:
        """Transform a few tracks, or find them in the cache.

        Parameters
        ----------
        tracks : sequence or ndarray
            Some rows of the input.
        first_row : int
            Row of the first of them in the whole input.

        Returns
        -------
        result : TaskResult
            Waveforms among the arrays keep their rate.
        """
        result = TaskResult()
        for row, track in enumerate(tracks, start=first_row):
            key = self._key(track)
            name = track_name(track, row)
            entry = self._load(key, name, result)
            if entry is None:
                array, effects = pass_track(self.steps, track, name, training=self.training)
                if key is not None and self.stores:
                    assert self.cache is not None
                    rate = getattr(array, "sampling_rate", None)
                    self.cache.save(key, (np.asarray(array), effects, rate))
                    result.n_bytes_stored += array.nbytes
            else:
                plain, effects, rate = entry
                array = plain if rate is None else with_rate(plain, rate)
                result.n_hits += 1
            for table in effects:
                table["track"] = row
            result.arrays.append(array)
            result.effects.append(effects)
        return result

    def finds_all(self, tracks: Any) -> bool:
        """Whether the cache has all tracks, where that can be seen without reading them."""
        if self.cache is None or self.file_identity != "stat":
            return False
        for track in tracks:
            key = self._key(track) if isinstance(track, (str, os.PathLike)) else None
            if key is None or not self.cache.has(key):
                return False
        return True

    def _key(self, track: Any) -> tuple[Any, ...] | None:
        """Return the key of a track in the cache; None where it is not kept."""
        key = None if self.cache is None else track_key(track, self.file_identity)
        return None if key is None else (self.front_end, *key)

    def _load(self, key: tuple[Any, ...] | None, name: str, result: TaskResult) -> Entry | None:
        if key is None or self.cache is None:
            return None
        try:
            return self.cache.load(key)
        except DamagedEntryError as error:
            result.damaged.append(
                f"The cached result of {name} in {self.cache.memory.location} is damaged "
                f"({error}); it is computed again."
            )
            return None
