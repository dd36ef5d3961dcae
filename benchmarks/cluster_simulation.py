"""Cost of a track by stage, what a Dask cluster takes for a catalogue, and a simulation of it.

``python -m benchmarks.cluster_simulation [FOLDER] [--short]``

Measured on the tracks of FOLDER, or else on synthetic ones of 30 s: bytes, processor time of each
stage, and the sizes of what is kept. Then tasks that sleep for the measured time of a feature
extraction run through PerTrack on 10 and 100 simulated cores: threads in worker processes on this
machine. Client and scheduler share a process there, as in a LocalCluster; their processor time a
task is the limit of a single cluster. A plan for larger catalogues follows from both.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import joblib
import numpy as np
from distributed import Client, LocalCluster
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from benchmarks._measure import environment
from skgenre import (
    AudioLoader,
    GenreClassifier,
    MFCCExtractor,
    PerTrack,
    Segmenter,
    load_genre_folder,
    make_genres,
    predict_files,
)

_PROCESSES = 5  # of the simulated workers
_TRACKS, _CORES = (1_000_000, 100_000_000), (10, 100)  # of the plan
_DAY, _GB = 86_400, 1e9


class SleepingStep(TransformerMixin, BaseEstimator):
    """Sleeps instead of extracting features, and returns as many numbers."""

    stateless = True

    def __init__(self, seconds, n_columns):
        self.seconds, self.n_columns = seconds, n_columns

    def transform(self, X):
        """Sleep once for the track in X."""
        time.sleep(self.seconds)
        return np.zeros((1, self.n_columns), dtype=np.float32)


@dataclass(frozen=True)
class Costs:
    """What a track costs: seconds of a processor, and bytes."""

    n_bytes: float
    seconds: dict[str, float]
    kept: dict[str, float]
    n_columns: int

    @property
    def prediction(self) -> float:
        """Seconds of a processor from the file to its record."""
        return self.seconds["predict_files, all of it"]


def _of_each(function: Callable[[Any], Any], tracks: Sequence[Any]) -> float:
    """Return the median processor time of a call."""
    function(tracks[0])  # tables and plans are made once
    times = []
    for track in tracks:
        start = time.process_time()
        function(track)
        times.append(time.process_time() - start)
    return float(np.median(times))


def _kept(make: Callable[[str], Any], tracks: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as memory:
        make(memory).transform(tracks)
        sizes = [file.stat().st_size for file in Path(memory).rglob("*.npy")]
        return sum(sizes) / len(tracks)


def measure_costs(music: Any, n_tracks: int, duration: float) -> Costs:
    """Measure each stage on some tracks of every genre."""
    rows = np.linspace(0, len(music.data) - 1, n_tracks).astype(int)
    tracks = [music.data[row] for row in rows]
    model = GenreClassifier(members=("svc",), random_state=0)
    model.fit(tracks, music.target[rows])
    front_end, classifier = model.split_front_end()
    features = front_end.transform(tracks)
    classifier.fit(features, music.target[rows])

    def mfcc(memory: str | None = None) -> PerTrack:
        steps = (
            AudioLoader(duration=duration),
            Segmenter(n_segments=10, track_duration=duration),
            MFCCExtractor(),
        )
        return PerTrack(make_pipeline(*steps), memory=memory)

    loader = AudioLoader()
    seconds = {
        "read and digest the file": _of_each(_digest, tracks),
        "decode (AudioLoader)": _of_each(lambda track: loader.transform([track]), tracks),
        "decode, and MFCC of 10 segments": _of_each(lambda t: mfcc().transform([t]), tracks),
        "decode, and features of GenreClassifier": _of_each(
            lambda track: front_end.transform([track]), tracks
        ),
        "predict from features": _of_each(
            lambda row: classifier.predict_proba(features[row : row + 1]), range(len(tracks))
        ),
        "predict_files, all of it": _of_each(lambda t: list(predict_files(model, [t])), tracks),
    }
    kept = {
        "cached MFCC": _kept(mfcc, tracks),
        "cached features of GenreClassifier": _kept(
            lambda memory: front_end.set_params(memory=memory), tracks
        ),
        "record (JSON)": float(
            np.mean([len(str(found.to_dict())) for found in predict_files(model, tracks)])
        ),
    }
    n_bytes = float(np.mean([os.path.getsize(track) for track in tracks]))
    return Costs(n_bytes, seconds, kept, features.shape[1])


def _digest(track: str) -> None:
    import hashlib

    with open(track, "rb") as stream:
        hashlib.file_digest(stream, "blake2b")


@contextmanager
def _cluster(n_cores: int) -> Any:
    with (
        # No queue in the workers, as the scheduler has one.
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        LocalCluster(
            n_workers=min(_PROCESSES, n_cores),
            threads_per_worker=n_cores // min(_PROCESSES, n_cores),
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
        joblib.parallel_config("dask", client=client),
    ):
        # Workers import what the tasks need.
        PerTrack(SleepingStep(0.01, 1)).transform(["warm"] * 4 * n_cores)
        yield sum(client.ncores().values())


@dataclass(frozen=True)
class Simulated:
    """A run of sleeping tasks."""

    n_cores: int
    batch_size: int
    n_tracks: int
    wall: float
    ideal: float
    overhead: float  # seconds of a processor a task, of client and scheduler


def simulate(costs: Costs, n_cores: int, batch_size: int, seconds: float) -> Simulated:
    """Run sleeping tasks for about so many seconds."""
    task_time = costs.seconds["decode, and features of GenreClassifier"]
    with _cluster(n_cores) as n_real:
        n_tracks = max(4 * n_real * batch_size, int(n_real * seconds / task_time))
        n_tracks -= n_tracks % batch_size
        step = PerTrack(SleepingStep(task_time, costs.n_columns), batch_size=batch_size)
        start, used = time.perf_counter(), time.process_time()
        out = step.transform([f"/music/{i:09}.mp3" for i in range(n_tracks)])
        wall, used = time.perf_counter() - start, time.process_time() - used
    assert out.shape == (n_tracks, costs.n_columns)
    n_tasks = n_tracks / batch_size
    return Simulated(
        n_real, batch_size, n_tracks, wall, n_tracks * task_time / n_real, used / n_tasks
    )


def plan(costs: Costs, overhead: float) -> list[list[str]]:
    """Return the table for large catalogues."""
    rows = []
    for n_tracks in _TRACKS:
        for n_cores in _CORES:
            work = n_tracks * costs.prediction
            scheduling = n_tracks * overhead
            rows.append(
                [
                    f"{n_tracks:,}".replace(",", " "),
                    str(n_cores),
                    f"{n_tracks * costs.n_bytes / _GB:,.0f} GB".replace(",", " "),
                    f"{work / _DAY:.1f} days",
                    f"{work / n_cores / _DAY:.2f} days",
                    f"{scheduling / _DAY:.2f} days",
                    f"{n_cores * costs.n_bytes / costs.prediction / 1e6:.1f} MB/s",
                    f"{n_tracks * costs.kept['cached features of GenreClassifier'] / _GB:.1f} GB",
                    f"{n_tracks * costs.kept['record (JSON)'] / _GB:.1f} GB",
                ]
            )
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print()
    for row in [head, ["---"] * len(head), *rows]:
        print(f"| {' | '.join(row)} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="music with a sub-folder for each genre")
    parser.add_argument("--short", action="store_true", help="few tracks and tasks, as in CI")
    args = parser.parse_args()
    print(environment())
    duration = 3.0 if args.short else 30.0
    with tempfile.TemporaryDirectory() as folder:
        if args.folder is None:
            n_each = 2 if args.short else 10
            music = make_genres(
                n_each, genres=["dub", "swing"], duration=duration, path=folder, random_state=0
            )
        else:
            music = load_genre_folder(args.folder, metadata=None)
        costs = measure_costs(music, 4 if args.short else 20, duration)
    print(f"\nA track has {costs.n_bytes / 1e6:.3f} MB.")
    stages = [[name, f"{1000 * value:.1f} ms"] for name, value in costs.seconds.items()]
    kept = [[name, f"{value / 1000:.2f} kB"] for name, value in costs.kept.items()]
    _table(["a track", "processor time, or size"], [*stages, *kept])
    sizes = [(5, 1)] if args.short else [(10, 1), (100, 1), (100, 10)]
    runs = [simulate(costs, *size, seconds=1.0 if args.short else 15.0) for size in sizes]
    _table(
        ["cores", "tracks a task", "tracks", "wall", "without overhead", "client and scheduler"],
        [
            [
                str(run.n_cores),
                str(run.batch_size),
                str(run.n_tracks),
                f"{run.wall:.1f} s",
                f"{run.ideal:.1f} s",
                f"{1000 * run.overhead:.2f} ms of a processor a task",
            ]
            for run in runs
        ],
    )
    overhead = min(run.overhead for run in runs if run.batch_size == 1)
    print(
        f"\nA single client and scheduler start at most {1 / overhead:.0f} tasks a second; with "
        f"{1000 * costs.prediction:.0f} ms a task they keep {costs.prediction / overhead:.0f} "
        "cores busy."
    )
    _table(
        [
            "tracks",
            "cores",
            "read",
            "work",
            "at best",
            "client and scheduler",
            "reading at once",
            "cache",
            "records",
        ],
        plan(costs, overhead),
    )


if __name__ == "__main__":
    main()
