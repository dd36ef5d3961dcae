"""Time and memory from WAV files of 3 s to MFCCs as the number of tracks grows.

``python -m benchmarks.scaling [--short]``

Each figure comes from a separate process: without a cache, filling one, and reading from it.
The tracks are many names of a few files; the cache treats each name as a separate track.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks._baseline import named, write_wavs
from benchmarks._measure import Row, run_alone, shown_bytes, shown_time
from benchmarks._peak import Task, measure


def scaling(short: bool) -> list[Row]:
    rows = []
    first: dict[str, float] = {}
    for n_tracks in (10, 20) if short else (100, 1000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            paths = named(write_wavs(folder, 8, duration=3.0), n_tracks)
            cache = str(Path(folder) / "cache")
            modes = {
                "no cache": (None, 0),
                "filling the cache": (cache, 0),
                "from the cache": (cache, n_tracks),
            }
            for mode, (memory, n_hits) in modes.items():
                task = Task(paths, n_tracks, 3.0, 2, n_jobs=2, memory=memory, n_hits=n_hits)
                cost = measure(task, fresh=not short)
                by_track = cost.seconds / n_tracks
                ratio = by_track / first.setdefault(mode, by_track)
                rows.append(
                    Row(
                        f"WAV of 3 s to MFCC, 2 threads, {n_tracks} tracks, {mode}",
                        f"{shown_time(by_track)} a track, peak +{shown_bytes(cost.peak)}",
                        "the fewest tracks; size of the result",
                        f"{shown_time(first[mode])} a track, {shown_bytes(cost.result)}",
                        f"{ratio:.2f} of the time a track",
                        "does not grow",
                    )
                )
    return rows


if __name__ == "__main__":
    run_alone(scaling, __doc__)
