"""Check limits of confidence and sets of genres on artists that did not choose them.

``python -m benchmarks.confidence_limit FOLDER --memory CACHE`` predicts each track by
GenreClassifier in folds by artist, for several draws of the folds. Then, many times, half of the
artists choose the limit for a wished accuracy by ``ModelInfo.min_confidence``, and the other half
shows which accuracy it reaches there, and for how many tracks. The second table shows how often
the genres that ``predict_files(max_genres=...)`` lists contain the right one.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from typing import Any

import numpy as np

from skgenre import GenreClassifier, evaluate, load_genre_folder
from skgenre.classifiers import genre_record
from skgenre.evaluation import EvaluationResult
from skgenre.persistence import ModelInfo

_WISHED = (0.8, 0.9, 0.95)
_MAX_GENRES = (1, 3, 10)


def part(result: EvaluationResult, rows: Any) -> EvaluationResult:
    """Return the result for some of its tracks."""
    kept = {k: [v[i] for i in rows] for k, v in result.tracks.items() if v is not None}
    return dataclasses.replace(result, tracks={**result.tracks, **kept})


def limit(result: EvaluationResult, accuracy: float) -> float | None:
    """Return the limit that a model file with this result gives; None if there is none."""
    names = ("thresholds", "coverage", "accuracy")
    curve = {k: a.tolist() for k, a in zip(names, result.coverage_accuracy(), strict=True)}
    info = ModelInfo("", {}, [], {}, None, None, None, None, [], {})
    measured = {"n_tracks": result.n_tracks, "coverage_accuracy": curve}
    try:
        return dataclasses.replace(info, evaluation=measured).min_confidence(accuracy)
    except ValueError:
        return None


def check_limits(results: list[EvaluationResult], n_halves: int) -> None:
    """Print a row for each wished accuracy."""
    rng = np.random.default_rng(0)
    found: dict[float, list[tuple[float, float, float]]] = {wished: [] for wished in _WISHED}
    for draw in range(n_halves):
        result = results[draw % len(results)]
        artists = np.array(result.tracks["artist"])
        names = np.unique(artists)
        chooses = np.isin(artists, rng.permutation(names)[: len(names) // 2])
        half = part(result, np.flatnonzero(chooses))
        proba = np.array(result.tracks["proba"])[~chooses]
        genres = np.array(result.tracks["genre"])[~chooses]
        right = np.array(result.classes)[proba.argmax(axis=1)] == genres
        for wished in _WISHED:
            threshold = limit(half, wished)
            if threshold is not None:
                decided = proba.max(axis=1) >= threshold
                accuracy = right[decided].mean() if decided.any() else np.nan
                found[wished].append((accuracy, decided.mean(), right[decided].sum()))
    print(
        f"Without a limit {np.mean([r.overall['track_accuracy']['value'] for r in results]):.3f} "
        f"are right. {n_halves} random halves of the artists:\n\n"
        "| wished | halves with a limit | accuracy, mean of halves | over all tracks | halves that "
        "reach it | tracks with a genre |\n|---|---|---|---|---|---|"
    )
    for wished, rows in found.items():
        if not rows:
            print(f"| {wished:g} | 0 % |  |  |  |  |")
            continue
        accuracy, coverage, n_right = np.array(rows).T
        known = ~np.isnan(accuracy)
        n_decided = n_right[known] / np.maximum(accuracy[known], 1e-9)
        print(
            f"| {wished:g} | {len(rows) / n_halves:.0%} | {accuracy[known].mean():.3f} | "
            f"{n_right[known].sum() / n_decided.sum():.3f} | "
            f"{np.mean(accuracy[known] >= wished):.0%} | {coverage.mean():.0%} |"
        )


def check_sets(results: list[EvaluationResult], set_probability: float) -> None:
    """Print how often the listed genres contain the right one."""
    print("\n| max_genres | tracks whose genre is listed | genres listed, mean |\n|---|---|---|")
    for max_genres in _MAX_GENRES:
        hits, sizes = [], []
        for result in results:
            for proba, genre in zip(result.tracks["proba"], result.tracks["genre"], strict=True):
                record = genre_record(
                    proba, result.classes, max_genres=max_genres, set_probability=set_probability
                )
                hits.append(str(genre) in record["genres"])
                sizes.append(len(record["genres"]))
        print(f"| {max_genres} | {np.mean(hits):.3f} | {np.mean(sizes):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--metadata", default="auto", help="table with the artists")
    parser.add_argument("--splits", type=int, default=3, help="number of fold seeds")
    parser.add_argument("--halves", type=int, default=300)
    parser.add_argument("--set-probability", type=float, default=0.9)
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    args = parser.parse_args()
    music = load_genre_folder(args.folder, metadata=args.metadata)
    model = GenreClassifier(memory=args.memory, n_jobs=-1, random_state=0)
    results = [
        evaluate(model, music, random_state=seed, n_bootstrap=0) for seed in range(args.splits)
    ]
    print(f"{len(music.data)} tracks, {len(set(music.artists))} artists, {args.splits} draws.")
    check_limits(results, args.halves)
    check_sets(results, args.set_probability)


if __name__ == "__main__":
    main()
