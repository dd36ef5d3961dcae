"""Extra peak memory from WAV files to MFCCs, against the size of the result.

``python -m benchmarks.memory [--short]``

Each figure comes from a separate process, measured after imports and compilation.
"""

from __future__ import annotations

import tempfile

from benchmarks._baseline import write_wavs
from benchmarks._measure import Row, run_alone, shown_bytes
from benchmarks._peak import Task, measure


def memory(short: bool) -> list[Row]:
    n_tracks = 20 if short else 1000
    # Steps that pass on all tracks at once need 15 GB for 1000 tracks.
    n_plain = 10 if short else 200
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        paths = write_wavs(folder, 2 if short else 8)
        tasks = {
            f"PerTrack, {n_tracks} tracks, 1 thread": Task(paths, n_tracks),
            f"PerTrack, {n_tracks} tracks, 2 threads": Task(paths, n_tracks, n_jobs=2),
            f"the same steps without PerTrack, {n_plain} tracks": Task(
                paths, n_plain, per_track=False
            ),
        }
        for name, task in tasks.items():
            cost = measure(task, fresh=not short or task.n_jobs == 2)
            rows.append(
                Row(
                    f"extra peak memory, WAV to MFCC: {name}",
                    f"{shown_bytes(cost.peak)} ({shown_bytes(cost.peak - cost.result)} more)",
                    "size of the result",
                    shown_bytes(cost.result),
                    f"{cost.peak / cost.result:.2f} (lower is better)",
                    "at most 1.5 + 100 MB, aim 1.1" if task.per_track else "",
                )
            )
    return rows


if __name__ == "__main__":
    run_alone(memory, __doc__)
