"""The tasks of PerTrack: a few tracks through the front end, or out of the cache."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, effective_n_jobs
from numpy.typing import NDArray

from skgenre.pipeline._cache import DamagedEntryError, TrackCache
from skgenre.utils._cache_key import track_key
from skgenre.utils._pipeline import is_repeatable, run

# Without return_as="generator", joblib hands out results in rounds of so many tasks a job.
_TASKS_PER_ROUND = 16


@dataclass
class Done:
    """What a task gives back."""

    arrays: list[NDArray[Any]]
    effects: list[list[NDArray[np.void]]]
    sampling_rate: float | None = None
    n_hits: int = 0
    n_bytes_stored: int = 0
    damaged: list[str] = field(default_factory=list)


@dataclass
class Job:
    """What all tasks have in common. Travels to worker processes."""

    steps: list[Any]
    training: bool
    cache: TrackCache | None
    front_end: str | None
    files: str

    def __post_init__(self) -> None:
        self.keeps = is_repeatable(self.steps, training=self.training)

    def __call__(self, tracks: Any, first_row: int) -> Done:
        """Transform a few tracks, or find them in the cache."""
        found: dict[int, Any] = {}
        damaged = []
        keys = {i: key for i, track in enumerate(tracks) if (key := self._key(track))}
        for i, key in keys.items():
            assert self.cache is not None
            try:
                entry = self.cache.load(key)
            except DamagedEntryError as error:
                damaged.append(self._damage(first_row + i, tracks[i], error))
                continue
            if entry is not None:
                found[i] = entry
        done = Done([], [], n_hits=len(found), damaged=damaged)
        for i, (array, effects, rate) in self._computed(tracks, first_row, found):
            done.arrays.append(array)
            done.sampling_rate = rate
            tables = [table.copy() for table in effects]
            for table in tables:
                table["track"] = first_row + i
            done.effects.append(tables)
            if i in keys and i not in found and self.keeps:
                assert self.cache is not None
                self.cache.save(keys[i], (array, effects, rate))
                done.n_bytes_stored += array.nbytes
        return done

    def finds_all(self, tracks: Any) -> bool:
        """Tell whether the cache has all tracks, where that can be seen without reading them."""
        if self.cache is None or self.files != "stat":
            return False
        for track in tracks:
            key = self._key(track) if isinstance(track, (str, os.PathLike)) else None
            if key is None or not self.cache.has(key):
                return False
        return True

    def _key(self, track: Any) -> tuple[Any, ...] | None:
        """Return what the cache knows a track by; None where it is not kept."""
        key = None if self.cache is None else track_key(track, self.files)
        return None if key is None else (self.front_end, *key)

    def _computed(
        self, tracks: Any, first_row: int, found: dict[int, Any]
    ) -> Iterator[tuple[int, Any]]:
        """Go through all tracks in order; neighbours that are missing run together."""
        i = 0
        while i < len(tracks):
            if i in found:
                yield i, found[i]
                i += 1
                continue
            stop = i + 1
            while stop < len(tracks) and stop not in found:
                stop += 1
            arrays, tables, rate = run(
                self.steps, tracks[i:stop], first_row + i, training=self.training
            )
            for k, array in enumerate(arrays):
                rows = [table[table["track"] == first_row + i + k] for table in tables]
                yield i + k, (array, rows, rate)
            i = stop

    def _damage(self, row: int, track: Any, error: Exception) -> str:
        assert self.cache is not None
        name = os.fspath(track) if isinstance(track, (str, os.PathLike)) else f"track {row}"
        return (
            f"The cached result of {name} in {self.cache.memory.location} is damaged ({error}); "
            "it is computed anew."
        )


def stream(tasks: Iterable[Any], n_jobs: int | None) -> Iterator[Done]:
    """Run tasks and hand out their results in order, without holding all of them."""
    try:
        parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    except ValueError:  # a backend that cannot
        parallel = None
    if parallel is not None:
        yield from parallel(tasks)
        return
    tasks = iter(tasks)
    with Parallel(n_jobs=n_jobs, prefer="threads") as rounds:
        size = _TASKS_PER_ROUND * effective_n_jobs(-1 if n_jobs is None else n_jobs)
        while some := [task for _, task in zip(range(size), tasks, strict=False)]:
            yield from rounds(some)
