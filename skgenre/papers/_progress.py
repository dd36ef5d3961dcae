"""What surrounds a run: folders, warnings, reports of progress."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skgenre.evaluation import FoldResult, Splits


@contextmanager
def folders(memory: Any, checkpoint: Any) -> Iterator[tuple[Any, Path]]:
    """Yield the folders of the features and of the trainings, temporary ones for None."""
    for name, place in (("memory", memory), ("checkpoint", checkpoint)):
        if isinstance(place, (str, os.PathLike)) and os.path.isfile(place):
            raise NotADirectoryError(
                f"{name}={os.fspath(place)!r} is a file; give a folder, new or not."
            )
    with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
        features = Path(folder) / "features" if memory is None else memory
        yield features, Path(folder) / "trainings" if checkpoint is None else Path(checkpoint)


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Show a warning only once: all cells have the same folds and warn of the same."""
    seen: set[str] = set()
    show = warnings.showwarning

    def show_new(message: Any, *args: Any, **kwargs: Any) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            show(message, *args, **kwargs)

    with warnings.catch_warnings():
        warnings.showwarning = show_new
        yield


class ProgressReporter:
    """Report each training on standard error, a line each, if verbose.

    Parameters
    ----------
    n_cells : int
        Cells of the run.
    verbose : int
        0 for silence.
    """

    def __init__(self, n_cells: int, verbose: int):
        self.n_cells, self.verbose = n_cells, verbose
        self.n_started = 0
        self.head = ""

    def start(self, cell: str) -> None:
        """Begin a cell."""
        self.n_started += 1
        self.head = f"[{self.n_started}/{self.n_cells}] {cell}"
        self._print("features")

    def report(
        self, protocol: str, splits: Splits, folds: Iterable[FoldResult]
    ) -> list[FoldResult]:
        """Collect the folds of a protocol, and report each when it is done."""
        done = []
        for fold in folds:
            done.append(fold)
            seconds = f"{fold.fit_time + fold.predict_time:.1f} s"
            how = "from the checkpoint" if fold.from_checkpoint else seconds
            self._print(f"{protocol}, training {len(done)} of {len(splits)}: {how}")
        return done

    def _print(self, text: str) -> None:
        if self.verbose:
            print(f"{self.head}: {text}", file=sys.stderr, flush=True)
