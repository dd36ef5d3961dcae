"""Measure what choosing the tracks to label gains over labelling at random.

``python -m benchmarks.labeling FOLDER [--draws 10] [--memory FOLDER]`` begins with five labelled
tracks of each genre, and adds labels in three batches up to 20 times the number of genres, as
``rank_for_labeling`` orders the rest. The artists of one fold of five are kept apart as test
tracks. It prints the accuracy after each batch, as a mean over draws of the folds and of the first
labels, and the gain over random choice: the mean over all batches, with its 95 % interval over the
draws. ``--rows`` prints each draw. Models predict from whole tracks.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import GenreClassifier, load_genre_folder, rank_for_labeling

N_FIRST, N_LAST, N_BATCHES = 5, 20, 3  # labels of each genre, at first and in the end
CHOICES: dict[str, dict[str, Any] | None] = {
    "random": None,
    "margin": {"strategy": "margin"},
    "margin, apart": {"strategy": "margin", "apart": True},
    "disagreement": {"strategy": "disagreement"},
}


def choose(model: Any, X: Any, n: int, choice: Any, rng: np.random.Generator) -> Any:
    """Return the n rows to label next."""
    if choice is None:
        return rng.permutation(len(X))[:n]
    strategy = choice["strategy"] if len(model.members_) > 1 else "margin"
    batch_size = n if choice.get("apart") else None
    return rank_for_labeling(model, X, strategy=strategy, batch_size=batch_size)[:n]


def learning_curve(music: dict[str, Any], seed: int, choice: Any) -> list[list[float]]:
    """Return accuracy and balanced accuracy after each batch, for one draw."""
    X, y, artists = music["X"], music["y"], music["artists"]
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    pool, test = next(iter(folds.split(X, y, artists)))
    rng = np.random.default_rng(seed)
    genres = np.unique(y)
    labelled = np.concatenate([rng.permutation(pool[y[pool] == g])[:N_FIRST] for g in genres])
    sizes = np.linspace(N_FIRST, N_LAST, N_BATCHES + 1) * len(genres)
    curve = []
    model: Any = None
    for size in sizes.round().astype(int):
        rest = np.setdiff1d(pool, labelled)
        if n := min(size - len(labelled), len(rest)):
            labelled = np.append(labelled, rest[choose(model, X[rest], n, choice, rng)])
        model = GenreClassifier(n_excerpts=0, precomputed=True, random_state=0)
        model.fit(X[labelled], y[labelled], groups=artists[labelled])
        right = model.predict(X[test]) == y[test]
        recalls = [right[y[test] == genre].mean() for genre in np.unique(y[test])]
        curve.append([float(right.mean()), float(np.mean(recalls))])
    return curve


def gain(curves: Any, baseline: Any, measure: int) -> str:
    """Return the mean gain over all batches, with its interval over the draws."""
    gains = (curves - baseline)[:, 1:, measure].mean(axis=1)
    half = student.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return f"{gains.mean():+.3f} ({gains.mean() - half:+.3f} to {gains.mean() + half:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    parser.add_argument("--rows", action="store_true", help="print each draw")
    args = parser.parse_args()
    music = load_genre_folder(args.folder)
    front_end, _ = GenreClassifier(n_excerpts=0, memory=args.memory, n_jobs=-1).split_front_end()
    X = front_end.fit_transform(music.data)
    tracks = {"X": X, "y": np.asarray(music.target), "artists": np.asarray(music.artists)}
    found: dict[str, list[Any]] = {name: [] for name in CHOICES}
    with warnings.catch_warnings():
        # Few tracks: genres missing from folds, and too few artists for the second machine.
        warnings.simplefilter("ignore", UserWarning)
        for seed in range(args.draws):
            for name, choice in CHOICES.items():
                found[name].append(learning_curve(tracks, seed, choice))
                if args.rows:
                    print(seed, name, [round(a, 3) for a, _ in found[name][-1]], flush=True)
    curves = {name: np.array(some) for name, some in found.items()}
    n_genres = len(music.target_names)
    sizes = (np.linspace(N_FIRST, N_LAST, N_BATCHES + 1) * n_genres).round().astype(int)
    print(f"{len(X)} tracks, {n_genres} genres, {args.draws} draws; accuracy by number of labels:")
    head = ["choice", *map(str, sizes), "gain in accuracy", "gain in balanced accuracy"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, some in curves.items():
        cells = [f"{a:.3f}" for a in some[:, :, 0].mean(axis=0)]
        gains = [gain(some, curves["random"], measure) for measure in (0, 1)]
        print(f"| {name} | {' | '.join(cells)} | {' | '.join(gains)} |")


if __name__ == "__main__":
    main()
