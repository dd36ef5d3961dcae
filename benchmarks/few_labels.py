"""Measure learning curves of few labels, without and with the features of a pretrained network.

``python -m benchmarks.few_labels FOLDER --embeddings mtt [--splits 5] [--memory FOLDER]`` prints
the accuracy with 5, 10 and 20 labelled tracks of each genre, in folds by artist: of the default
model, of the network's features alone in one support vector machine, and of both, with 95 %
intervals by bootstrap over artists, and what both gain over the default. The labelled tracks are
those of ``python -m benchmarks.own_model FOLDER --ensemble --per-genre N --splits 5``, which
predicts from excerpts too; here models predict from whole tracks.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from benchmarks.own_model import draw_per_genre, split_by_artist
from skgenre import (
    GenreClassifier,
    GroupKernel,
    GroupScaler,
    MusicnnExtractor,
    load_genre_folder,
)
from skgenre.evaluation._compare import paired_difference
from skgenre.evaluation._metrics import bootstrap_weights, interval

LABELS = (5, 10, 20)


def make_models(model: Any, X: Any, learnt: Any, groups: Any) -> dict[str, tuple[Any, Any]]:
    """Return each model with the columns that it takes."""
    alone = make_pipeline(
        GroupScaler(feature_groups=groups),
        GroupKernel(feature_groups=groups),
        SVC(C=10, kernel="precomputed"),
    )
    return {
        "default": (clone(model).set_params(embeddings=None), X[:, ~learnt]),
        "embeddings alone": (alone, X[:, learnt]),
        "both": (model, X),
    }


def share_right(model: Any, X: Any, y: Any, artists: Any, n_labels: int, n_splits: int) -> Any:
    """Return for each track the share of the draws in which it is predicted correctly."""
    right = np.zeros(len(y))
    for seed in range(n_splits):
        for train, test in split_by_artist(X, y, artists, seed):
            rows = draw_per_genre(train, y, n_labels, seed)
            given = {"groups": artists[rows]} if isinstance(model, GenreClassifier) else {}
            with warnings.catch_warnings():
                # Few tracks can be too few artists for the second machine.
                warnings.simplefilter("ignore", UserWarning)
                predicted = clone(model).fit(X[rows], y[rows], **given).predict(X[test])
            right[test] += (predicted == y[test]) / n_splits
    return right


def measure(models: Any, y: Any, artists: Any, n_splits: int) -> None:
    """Print a row for each number of labels."""
    weights = bootstrap_weights(artists, 2000, seed=0)
    head = ["labels a genre", *models, "both less default, points"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for n_labels in LABELS:
        right = {
            name: share_right(model, columns, y, artists, n_labels, n_splits)
            for name, (model, columns) in models.items()
        }
        cells = [str(n_labels)]
        for hits in right.values():
            low, high = interval(weights @ hits / weights.sum(axis=1))
            cells.append(f"{hits.mean():.3f} ({low:.3f} to {high:.3f})")
        gain = paired_difference(right["both"], right["default"], weights)
        cells.append(
            f"{100 * gain['value']:+.1f} ({100 * gain['low']:+.1f} to {100 * gain['high']:+.1f})"
        )
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--embeddings", metavar="WEIGHTS", default="mtt", help="msd or mtt")
    parser.add_argument("--splits", type=int, default=5, help="number of draws")
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    args = parser.parse_args()
    music = load_genre_folder(args.folder)
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    front_end, model = GenreClassifier(
        n_excerpts=0, embeddings=args.embeddings, memory=args.memory, n_jobs=-1, random_state=0
    ).split_front_end()
    X = front_end.fit_transform(music.data)
    names = front_end.get_feature_names_out()
    learnt = np.array([name.startswith("embeddings__") for name in names])
    groups = MusicnnExtractor(args.embeddings).get_feature_groups_out()
    measure(make_models(model, X, learnt, groups), y, artists, args.splits)


if __name__ == "__main__":
    main()
