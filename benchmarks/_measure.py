"""What the benchmarks have in common: interleaved timing, the header and the table."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, fields
from datetime import date
from importlib import import_module
from importlib.metadata import version
from multiprocessing import get_context

import numpy as np

PACKAGES = ("numpy", "scipy", "librosa", "numba", "scikit-learn", "joblib", "keras", "tensorflow")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    work : str
        What skgenre did.
    ours : str
        What it took.
    against : str
        The baseline.
    theirs : str
        What that took.
    ratio : str
        Ours against theirs; where not said otherwise, how many times faster.
    goal : str
        What the ratio should be; "" where there is no goal.
    """

    work: str
    ours: str
    against: str
    theirs: str
    ratio: str
    goal: str = ""


@dataclass(frozen=True)
class Comparison:
    """Times of both sides in seconds, one entry a round."""

    ours: list[float]
    theirs: list[float]

    def row(self, work: str, against: str, goal: str = "") -> Row:
        """Make a line of the medians; the ratio is the median of those of the rounds."""
        ratios = np.divide(self.theirs, self.ours)
        ratio = f"{np.median(ratios):.2f}"
        if len(ratios) > 1:
            ratio += f" ({ratios.min():.2f} to {ratios.max():.2f})"
        ours, theirs = (shown_time(float(np.median(side))) for side in (self.ours, self.theirs))
        return Row(work, ours, against, theirs, ratio, goal)


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> Comparison:
    """Time both sides in turn, so that a busy machine slows them alike.

    Every other round begins with the other side. Nothing is warmed up here: the check for
    equal results comes first in each benchmark and does that.
    """
    comparison = Comparison([], [])
    for i in range(rounds):
        sides = [(ours, comparison.ours), (theirs, comparison.theirs)]
        for function, times in sides if i % 2 == 0 else sides[::-1]:
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return comparison


def check_close(ours: np.ndarray, theirs: np.ndarray, tolerance: float, what: str) -> None:
    """End the run if two arrays differ by more than a share of the largest value."""
    if ours.shape != theirs.shape:
        raise SystemExit(f"{what}: the shapes {ours.shape} and {theirs.shape} differ")
    difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
    if not difference <= tolerance:
        raise SystemExit(f"{what}: differs by {difference:.1e} of the largest value")


def shown_time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def shown_bytes(n_bytes: float) -> str:
    return f"{n_bytes / 1e6:.0f} MB"


def environment() -> str:
    """Describe what the figures depend on, beside the code."""
    from threadpoolctl import threadpool_info

    blas = {(p["internal_api"], p["num_threads"]) for p in threadpool_info()}
    threads = ", ".join(f"{name} {n} threads" for name, n in sorted(blas))
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return "\n".join(
        [
            f"{date.today()}; Python {platform.python_version()}, {platform.system()} "
            f"{platform.machine()}, {os.cpu_count()} cores{load}",
            ", ".join(f"{name} {version(name)}" for name in PACKAGES),
            threads or "no pools of threads found",
        ]
    )


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out in columns, as Markdown."""
    cells = [[field.name for field in fields(Row)], *(list(astuple(row)) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(f"{cell:{w}}" for cell, w in zip(line, widths, strict=True)) + " |"
        for line in cells
    )


def run(name: str, short: bool) -> list[Row]:
    """Run a benchmark: the function of the module that has its name."""
    return getattr(import_module(f"benchmarks.{name}"), name)(short)


def run_in_fresh_process(name: str, short: bool) -> list[Row]:
    """Run a benchmark where nothing ran before, as if its rows were asked for alone.

    What ran before matters: by it, glibc decides what to keep of memory that was freed.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(run, name, short).result()


def parse_short(description: str | None) -> bool:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="small sizes, as in CI")
    return parser.parse_args().short


def run_alone(benchmark: Callable[[bool], list[Row]], description: str | None) -> None:
    """Run one benchmark as a program."""
    short = parse_short(description)
    print(environment(), flush=True)
    print("\n" + table(benchmark(short)))
