"""Import time in a new process, against scikit-learn's.

``python -m benchmarks.import_time [--short]``
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks._measure import Row, interleaved, run_alone

# The first loads only names, the second everything that a pipeline consists of.
STATEMENTS = ("import skgenre", "from skgenre import make_genre_pipeline")


def import_time(short: bool) -> list[Row]:
    def timed(statement: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", statement], check=True)

    rows = []
    for statement in STATEMENTS[: 1 if short else None]:
        if not short:
            timed(statement)()  # read the files from disk once
        times = interleaved(timed(statement), timed("import sklearn"), 1 if short else 15)
        row = times.row(f"{statement}, a fresh process", "import sklearn", "at most 0.3 s more")
        more = float(np.median(np.subtract(times.ours, times.theirs)))
        rows.append(replace(row, ours=f"{row.ours} ({more:+.2f} s)"))
    return rows


if __name__ == "__main__":
    run_alone(import_time, __doc__)
