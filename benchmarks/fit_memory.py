"""Memory growth of a process over many small fits, one process per kind of network.

``python -m benchmarks.fit_memory [--short]``
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks._measure import Row, run_alone, shown_bytes
from benchmarks._peak import _status

KINDS = ("MLP", "CNN", "LSTM")
# Numbers of further fits after which the growth is measured.
FITS = (15, 40)


def fit_memory(short: bool) -> list[Row]:
    kinds, fits = (KINDS[:1], (1, 2)) if short else (KINDS, FITS)
    rows = []
    for kind in kinds:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fit_memory", kind, *map(str, fits)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"fits of {kind} failed; see above")
        first, *growth = json.loads(done.stdout)
        rows += [
            Row(
                f"{n_fits} fits of {kind}, 20 tracks x 10 segments x 2 epochs",
                f"{shown_bytes(more)} more",
                "the process after its first fit",
                shown_bytes(first),
                f"{more / n_fits / 1e6:.1f} MB a fit (lower is better)",
            )
            for n_fits, more in zip(fits, growth, strict=True)
        ]
    return rows


def sizes(kind: str, fits: list[int]) -> list[float]:
    """Return the memory in bytes after the first fit, and its growth after later fits."""
    import skgenre

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 10, 130, 13)).astype(np.float32), np.arange(20) % 5
    classifier = getattr(skgenre, f"{kind}GenreClassifier")(epochs=2, random_state=0)
    first, growth = 0.0, []
    for n_fits in range(fits[-1] + 1):
        classifier.fit(X, y).predict(X)
        now = _status("VmRSS")
        if n_fits == 0:
            first = now
        elif n_fits in fits:
            growth.append(now - first)
    return [first, *growth]


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in KINDS:
        print(json.dumps(sizes(sys.argv[1], [int(n) for n in sys.argv[2:]])))
    else:
        run_alone(fit_memory, __doc__)
