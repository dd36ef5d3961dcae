"""Time and extra peak memory of a front end, measured in a separate process.

``measure`` runs this module as a subprocess. The peak is that of the whole process as the
operating system reports it, because NumPy, soxr and compiled code allocate memory outside
Python's control.
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Task:
    """The work of the process.

    Parameters
    ----------
    paths : list of str
        Audio files, repeated until there are ``n_tracks``.
    n_tracks : int
        Rows of the result.
    duration : float
        Seconds of each track.
    n_segments : int
        Segments of each track.
    per_track : bool
        Whether to use PerTrack, or its steps as an ordinary pipeline.
    n_jobs : int
        Threads of PerTrack.
    memory : str or None
        Cache folder of PerTrack.
    n_hits : int
        Number of tracks that must come from the cache.
    """

    paths: list[str]
    n_tracks: int
    duration: float = 30.0
    n_segments: int = 10
    per_track: bool = True
    n_jobs: int = 1
    memory: str | None = None
    n_hits: int = 0


@dataclass(frozen=True)
class Cost:
    """Seconds, and bytes of extra peak memory and of the result."""

    seconds: float
    peak: float
    result: float


def measure(task: Task, *, fresh: bool = True) -> Cost:
    """Run a task in a new process, or in this one with ``fresh=False``, which is quicker."""
    if not fresh:
        return run(task)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._peak"],
        input=json.dumps(asdict(task)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"benchmarks._peak failed on {task.n_tracks} tracks; see above")
    return Cost(**json.loads(done.stdout))


def extra_peak(*, trim: bool = True) -> Callable[[], float]:
    """Return a function that returns how far peak memory has risen since, in bytes."""
    if trim:
        gc.collect()
    try:
        # Return memory that the warm-up freed to the system: reusing it would not raise the peak.
        if trim:
            ctypes.CDLL(None).malloc_trim(0)
        # Reset the peak that Linux records.
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
    except (OSError, AttributeError):  # no glibc, or no Linux
        highest = _max_rss()
        return lambda: _max_rss() - highest
    return lambda: _status("VmHWM") - before


def _status(name: str) -> float:
    """Read a memory size of this process from Linux, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith(name))


def _max_rss() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _front_end(task: Task) -> Any:
    from skgenre import make_genre_pipeline

    features = make_genre_pipeline(
        duration=task.duration,
        n_segments=task.n_segments,
        n_jobs=task.n_jobs,
        memory=task.memory,
    )["features"]
    return features if task.per_track else features.transformer


def run(task: Task) -> Cost:
    """Run a task in this process, and exit if its result is wrong."""
    front_end = _front_end(task)
    n_files = min(len(task.paths), 8)
    # This finishes all imports and compilation, and gives the expected features: the other
    # paths are links to these files.
    known = _front_end(replace(task, memory=None, n_jobs=1)).transform(task.paths[:n_files])
    tracks = [task.paths[i % len(task.paths)] for i in range(task.n_tracks)]
    peak = extra_peak()
    start = time.perf_counter()
    Xt = front_end.fit_transform(tracks)
    seconds, extra = time.perf_counter() - start, peak()
    expected = (known[i % len(task.paths) % n_files] for i in range(task.n_tracks))
    if len(Xt) != task.n_tracks or not all(map(np.array_equal, Xt, expected)):
        raise SystemExit("the features differ from those of a few tracks by themselves")
    if task.per_track and front_end.n_hits_ != task.n_hits:
        raise SystemExit(f"{front_end.n_hits_} tracks came out of the cache, not {task.n_hits}")
    return Cost(seconds, extra, Xt.nbytes)


if __name__ == "__main__":
    print(json.dumps(asdict(run(Task(**json.load(sys.stdin))))))
