"""Shared by the benchmarks: interleaved timing, the header and the table."""

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
        The work that was measured.
    ours : str
        Time or memory of skgenre.
    against : str
        The baseline.
    theirs : str
        Time or memory of the baseline.
    ratio : str
        How many times faster skgenre is, unless it says otherwise.
    goal : str
        Target of the ratio; "" if there is none.
    """

    work: str
    ours: str
    against: str
    theirs: str
    ratio: str
    goal: str = ""


@dataclass(frozen=True)
class Comparison:
    """Times of both sides in seconds, one entry per round."""

    ours: list[float]
    theirs: list[float]

    def row(self, work: str, against: str, goal: str = "") -> Row:
        """Return a row with the median times and the median ratio of the rounds."""
        ratios = np.divide(self.theirs, self.ours)
        ratio = f"{np.median(ratios):.2f}"
        if len(ratios) > 1:
            ratio += f" ({ratios.min():.2f} to {ratios.max():.2f})"
        ours, theirs = (shown_time(float(np.median(side))) for side in (self.ours, self.theirs))
        return Row(work, ours, against, theirs, ratio, goal)


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> Comparison:
    """Time both sides in turn, so that a busy machine slows them equally.

    The sides take turns in starting a round. There is no warm-up: the check for equal results,
    which each benchmark runs first, serves as one.
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
    """Exit if two arrays differ by more than a fraction of the largest value."""
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
    """Describe the date, machine and versions that the figures depend on."""
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
    """Format the rows as a Markdown table."""
    cells = [[field.name for field in fields(Row)], *(list(astuple(row)) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(f"{cell:{w}}" for cell, w in zip(line, widths, strict=True)) + " |"
        for line in cells
    )


def run(name: str, short: bool) -> list[Row]:
    """Run a benchmark: the function that has the name of its module."""
    return getattr(import_module(f"benchmarks.{name}"), name)(short)


def run_in_fresh_process(name: str, short: bool) -> list[Row]:
    """Run a benchmark in a new process, so that the other benchmarks cannot affect it.

    They would: how much freed memory glibc keeps depends on earlier allocations.
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
    """Run one benchmark as a script."""
    short = parse_short(description)
    print(environment(), flush=True)
    print("\n" + table(benchmark(short)))
