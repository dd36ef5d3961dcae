"""The tasks of PerTrack: a few tracks through the steps, or out of the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.pipeline._cache import CacheEntryError, Entry, TrackCache
from skgenre.pipeline._steps import is_repeatable, pass_track
from skgenre.utils._cache_key import track_key
from skgenre.utils._warnings import TrackWarning, gather_track_warnings
from skgenre.utils._waveforms import track_name, with_rate


@dataclass
class TaskResult:
    """The results of the tracks of one task."""

    arrays: list[NDArray[Any]] = field(default_factory=list)
    effects: list[list[NDArray[np.void]]] = field(default_factory=list)
    n_hits: int = 0
    n_bytes_stored: int = 0
    problems: list[str] = field(default_factory=list)  # of the cache
    warnings: list[TrackWarning] = field(default_factory=list)


def transform_tracks(task: TrackTask, tracks: Any, first_row: int) -> TaskResult:
    """Run a task on a few tracks; ``task.transform_tracks`` under a name that travels alone."""
    return task.transform_tracks(tracks, first_row)


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
                with gather_track_warnings() as found:
                    array, effects = pass_track(self.steps, track, name, training=self.training)
                if key is not None and self.stores:
                    self._save(key, array, effects, found, result)
            else:
                plain, effects, rate, found = entry
                array = plain if rate is None else with_rate(plain, rate)
                result.n_hits += 1
            # An entry may have been stored under another name of the track.
            result.warnings += [w._replace(name=name) for w in dict.fromkeys(found)]
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
        except CacheEntryError as error:
            result.problems.append(
                f"The cached result of {name} in {self.cache.location} is damaged ({error}); it is "
                "computed again."
            )
            return None

    def _save(
        self,
        key: tuple[Any, ...],
        array: NDArray[Any],
        effects: list[NDArray[np.void]],
        found: list[TrackWarning],
        result: TaskResult,
    ) -> None:
        assert self.cache is not None
        rate = getattr(array, "sampling_rate", None)
        try:
            self.cache.save(key, (np.asarray(array), effects, rate, found))
            result.n_bytes_stored += array.nbytes
        except CacheEntryError as error:
            last = type(self.steps[-1]).__name__ if self.steps else "no step"
            result.problems.append(
                f"PerTrack keeps no results of {last} in {self.cache.location}: {error}."
            )
