"""Memory of a network's fit and prediction, from a file mapped into memory and from memory.

``python -m benchmarks.training_from_file [--short]``

Each side runs in a process of its own. Counted is the memory that the process itself holds, without
pages of the mapped file, which the system may drop at any time. Both sides must give the same
probabilities to the last bit.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from benchmarks._measure import Row, run_alone, shown_bytes
from benchmarks._peak import _status

SHAPE = (10, 130, 13)  # 30 s of MFCCs
N_TRACKS = (2000, 8000)


def training_from_file(short: bool) -> list[Row]:
    rows = []
    for n_tracks in (200,) if short else N_TRACKS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "features.npy"
            _write(path, n_tracks)
            mapped, in_memory = (_measure(path, mode) for mode in ("r", "memory"))
            size = shown_bytes(path.stat().st_size)
        if mapped["digest"] != in_memory["digest"]:
            raise SystemExit(f"the probabilities of {n_tracks} tracks differ")
        ours, theirs = mapped["peak"], in_memory["peak"]
        rows.append(
            Row(
                f"fit and prediction of MLP, {n_tracks} tracks, {size}",
                f"{shown_bytes(ours)} more",
                "features in memory",
                f"{shown_bytes(theirs)} more",
                f"{theirs / ours:.1f}",
            )
        )
    return rows


def _write(path: Path, n_tracks: int) -> None:
    rng = np.random.default_rng(0)
    shape = (n_tracks, *SHAPE)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for start in range(0, n_tracks, 100):
        X[start : start + 100] = rng.standard_normal(X[start : start + 100].shape)
    X.flush()


def _measure(path: Path, mode: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_from_file", str(path), mode],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the fit on {path} failed; see above")
    return json.loads(done.stdout)


class _Peak:
    """Watches the memory of this process that is no page of a file."""

    def __enter__(self) -> _Peak:
        self.before = self.highest = _status("RssAnon")
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while not self.done.wait(0.01):
            self.highest = max(self.highest, _status("RssAnon"))

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        self.extra = self.highest - self.before


def run(path: str, mode: str) -> dict:
    """Fit and predict in this process; return extra bytes, and a digest of the probabilities."""
    from skgenre import MLPGenreClassifier

    classifier = MLPGenreClassifier(
        units=(32,), epochs=1, batch_size=256, validation_fraction=0.1, random_state=0
    )
    small = np.random.default_rng(1).normal(size=(40, *SHAPE)).astype(np.float32)
    classifier.fit(small, np.arange(40) % 2).predict_proba(small)  # all is imported and compiled
    with _Peak() as peak:
        X = np.load(path, mmap_mode="r" if mode == "r" else None)
        weight = np.resize([1.0, 1.0, 1.0, 0.0], len(X))
        classifier.fit(X, np.arange(len(X)) % 10, sample_weight=weight)
        proba = classifier.predict_proba(X)
    return {"peak": peak.extra, "digest": hashlib.sha256(proba.tobytes()).hexdigest()}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(run(*sys.argv[1:])))
    else:
        run_alone(training_from_file, __doc__)
