"""Predict many files in processes that share one loaded model.

``python workers.py model.skgenre song.mp3 ...``. The model is loaded once. Where processes are
forked, the children share its memory; where they are spawned, each gets a copy. Nothing is
predicted before the fork: BLAS, OpenMP and TensorFlow start threads when they first compute, and a
fork copies no threads.
"""

import sys
from collections.abc import Sequence
from multiprocessing import get_context

import skgenre

_model = None


def _start(model: object) -> None:
    global _model
    _model = model


def _predict(path: str) -> dict[str, float]:
    proba = _model.predict_proba([path])[0]
    return dict(zip(map(str, _model.classes_), proba.tolist(), strict=True))


def predict_files(
    model: object, paths: Sequence[str], *, n_processes: int = 2, start_method: str = "fork"
) -> list[dict[str, float]]:
    """Return the probabilities of the genres of each file."""
    context = get_context(start_method)
    with context.Pool(n_processes, initializer=_start, initargs=(model,)) as pool:
        return pool.map(_predict, paths, chunksize=1)


if __name__ == "__main__":
    loaded = skgenre.load(sys.argv[1])
    for path, genres in zip(sys.argv[2:], predict_files(loaded, sys.argv[2:]), strict=True):
        print(path, max(genres, key=genres.__getitem__))
