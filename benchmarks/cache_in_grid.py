"""A grid search from WAV files, with and without the cache of PerTrack.

``python -m benchmarks.cache_in_grid [--short]``

Both sides have the same steps, and their scores must be equal. With the cache, each file must
be decoded exactly once for all folds, candidates and scorings.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks._baseline import FORMATS, named, write_wavs
from benchmarks._measure import Row, interleaved, run_alone

ACTIVATIONS = ("relu", "elu", "tanh")
CALLED = "skgenre.audio._loader.read_audio"  # its calls are counted


def cache_in_grid(short: bool) -> list[Row]:
    if short:
        return [_grid((22050, 1), n_tracks=6, n_folds=2, n_cells=2, epochs=1, rounds=1)]
    small, large = {"n_tracks": 60, "rounds": 3}, {"n_tracks": 1000, "rounds": 1}
    mono, stereo = FORMATS
    return [_grid(mono, **small), _grid(stereo, **small), _grid(mono, **large)]


def _grid(
    form: tuple[int, int],
    *,
    n_tracks: int,
    rounds: int,
    n_folds: int = 3,
    n_cells: int = 3,
    epochs: int = 5,
) -> Row:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline

    from skgenre import MLPGenreClassifier, make_genre_pipeline
    from skgenre.audio._decode import read_audio

    classifier = MLPGenreClassifier(epochs=epochs, random_state=0)
    decoded: Counter[str] = Counter()
    scores: dict[str, Any] = {}

    def counting_read(path: Any, **settings: Any) -> np.ndarray:
        decoded[str(path)] += 1
        return read_audio(path, **settings)

    def search(pipeline: Pipeline, side: str) -> None:
        cells = {"classifier__activation": ACTIVATIONS[:n_cells]}
        results = GridSearchCV(pipeline, cells, cv=n_folds).fit(paths, genres).cv_results_
        names = [f"split{i}_test_score" for i in range(n_folds)]
        scores[side] = np.array([results[name] for name in names])

    def cached() -> None:
        decoded.clear()
        with tempfile.TemporaryDirectory() as memory, patch(CALLED, counting_read):
            search(make_genre_pipeline(classifier, memory=memory, n_jobs=2), "cached")
        if decoded != Counter(paths):
            raise SystemExit(f"{n_tracks} tracks; how often each was decoded: {decoded}")

    def plain() -> None:
        features, *rest = make_genre_pipeline(classifier).steps
        search(Pipeline([*features[1].transformer.steps, *rest]), "plain")

    with tempfile.TemporaryDirectory() as folder:
        paths = named(write_wavs(folder, min(20, n_tracks), *form), n_tracks)
        genres = np.arange(n_tracks) % min(10, n_tracks // 2)
        search(make_genre_pipeline(classifier), "warm")  # warms up TensorFlow
        times = interleaved(cached, plain, rounds)
    if not np.array_equal(scores["cached"], scores["plain"]):
        raise SystemExit(f"scores with and without the cache differ: {scores}")
    return times.row(
        f"grid of {n_cells} activations x {n_folds} folds, MLP, {epochs} epochs, "
        f"{n_tracks} WAV {FORMATS[form]}",
        "the same steps without PerTrack",
        "at least 3, aim 5",
    )


if __name__ == "__main__":
    run_alone(cache_in_grid, __doc__)
