"""Kill evaluations with a cache and a checkpoint at random moments, and start them again.

Two processes evaluate the same model in the same folders. Each result that is reached must equal
that of a run without folders, bit by bit. Features and folds that were once in the folders
must stay there, and unfinished files must not add up.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skgenre import GenreClassifier, evaluate, load_genre_folder, make_genres

N_PROCESSES, N_THREADS = 2, 2
# Each process, killed or not, leaves at most one for each of its threads.
_MOST_UNFINISHED = 2 * N_PROCESSES * N_THREADS
_LONGEST = 120.0  # seconds that a run may take on a busy machine


def run(music: Path, folders: Path | None, connection: Any) -> None:
    """Evaluate a model, and send what it predicts."""
    warnings.simplefilter("error")  # such as a damaged entry
    model = GenreClassifier(
        duration=1.0, n_jobs=N_THREADS, memory=folders and folders / "memory", random_state=0
    )
    result = evaluate(
        model,
        load_genre_folder(music),
        n_folds=4,
        n_bootstrap=0,
        checkpoint=folders and folders / "checkpoint",
    )
    connection.send({name: np.asarray(column).tolist() for name, column in result.tracks.items()})


@dataclass
class Tally:
    """What was done and found."""

    kills: int = 0
    results: int = 0
    rounds: int = 0
    most_unfinished: int = 0
    failures: list[str] = field(default_factory=list)


class Round:
    """Processes that share new folders, until each has reached the result."""

    def __init__(self, music: Path, folders: Path, expected: Any, tally: Tally):
        self._music, self._folders, self._expected, self._tally = music, folders, expected, tally
        self._kept: set[Path] = set()
        self._running = [self._start() for _ in range(N_PROCESSES)]

    def play(self, rng: np.random.Generator, kills: int, longest: float) -> None:
        """Kill one process after another, until the round is over."""
        while self._running:
            if self._tally.kills < kills:
                time.sleep(rng.uniform(0, longest))
                process, connection = self._running.pop(rng.integers(len(self._running)))
                if connection.poll() or not process.is_alive():
                    self._finish(process, connection)
                else:
                    process.kill()
                    process.join()
                    self._tally.kills += 1
                    self._running.append(self._start())
            else:
                self._finish(*self._running.pop())
            self._look()

    def _start(self) -> tuple[Any, Any]:
        ours, theirs = multiprocessing.get_context("forkserver").Pipe()
        process = multiprocessing.get_context("forkserver").Process(
            target=run, args=(self._music, self._folders, theirs)
        )
        process.start()
        theirs.close()
        return process, ours

    def _finish(self, process: Any, connection: Any) -> None:
        try:
            found = connection.recv() if connection.poll(_LONGEST) else "no result"
        except EOFError:
            found = "no result"
        if found != self._expected:
            what = found if found == "no result" else "another result"
            self._tally.failures.append(f"round {self._tally.rounds}: {what}")
        self._tally.results += 1
        process.kill()
        process.join()

    def _look(self) -> None:
        files = {path for path in self._folders.rglob("*") if path.is_file()}
        unfinished = {path for path in files if path.name.startswith(".")}
        lost = {path for path in self._kept if not path.exists()}
        self._kept |= files - unfinished
        self._tally.most_unfinished = max(self._tally.most_unfinished, len(unfinished))
        if lost:
            self._tally.failures.append(f"round {self._tally.rounds}: lost {sorted(lost)}")
        if len(unfinished) > _MOST_UNFINISHED:
            self._tally.failures.append(f"round {self._tally.rounds}: {sorted(unfinished)}")


def kill(kills: int, seed: int) -> Tally:
    """Run rounds until there were that many kills."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["skgenre.classifiers._genre_classifier", "skgenre.evaluation._evaluate"]
    )
    tally, rng = Tally(), np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        music = Path(name) / "music"
        make_genres(6, genres=2, duration=1.0, path=music, random_state=0)
        for _ in range(2):  # the second time shows how long a run takes
            start = time.perf_counter()
            ours, theirs = context.Pipe()
            process = context.Process(target=run, args=(music, None, theirs))
            process.start()
            theirs.close()
            expected = ours.recv()
            process.join()
        longest = time.perf_counter() - start
        while tally.kills < kills and not tally.failures:
            folders = Path(name) / str(tally.rounds)
            Round(music, folders, expected, tally).play(rng, kills, longest)
            tally.rounds += 1
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    # Processes that are killed leave semaphores, which Python removes with a warning.
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker"
    start = time.perf_counter()
    tally = kill(args.kills, args.seed)
    print(
        f"{tally.kills} kills in {tally.rounds} rounds: {tally.results} results were reached, all "
        f"compared; at most {tally.most_unfinished} unfinished files at a time; "
        f"{len(tally.failures)} failures ({time.perf_counter() - start:.0f} s)"
    )
    print("\n".join(tally.failures))
    return int(bool(tally.failures))


if __name__ == "__main__":
    raise SystemExit(main())
