"""Measure the accuracy of a network on a folder of music, in folds by artist.

``python -m benchmarks.accuracy FOLDER cnn`` prints the track and segment accuracy of five
folds that keep artists apart. Set parameters by arguments such as
``epochs=30 learning_rate=0.001``. docs/results.md quotes these figures.
"""

from __future__ import annotations

import argparse
import ast
import time
import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import LSTMGenreClassifier, load_genre_folder, make_genre_pipeline


def make_pipeline(name: str, settings: dict[str, Any], n_segments: int) -> Any:
    pipeline = make_genre_pipeline(name, n_segments=n_segments)
    classifier = pipeline["classifier"].set_params(random_state=0)
    if name == "hierarchical":
        classifier.set_params(estimator=LSTMGenreClassifier(**settings))
    else:
        classifier.set_params(**settings)
    return pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("classifier", choices=("mlp", "cnn", "lstm", "hierarchical"))
    parser.add_argument("settings", nargs="*", metavar="name=value")
    parser.add_argument("--n-segments", type=int, default=10)
    args = parser.parse_args()
    settings = {
        name: ast.literal_eval(value) for name, value in (s.split("=", 1) for s in args.settings)
    }
    start = time.perf_counter()
    music = load_genre_folder(args.folder)
    pipeline = make_pipeline(args.classifier, settings, args.n_segments)
    # The steps before the scaler learn nothing, so they run once for all folds.
    X = pipeline["features"].set_params(n_jobs=-1).transform(music.data)
    y, artists = music.target, music.artists
    print(
        f"{len(y)} tracks, {len(music.target_names)} genres, {len(set(artists))} artists; "
        f"{args.classifier} {settings or '(defaults)'}, {args.n_segments} segments; features "
        f"in {time.perf_counter() - start:.0f} s",
        flush=True,
    )
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        # A genre with fewer artists than folds is missing from some test folds.
        warnings.simplefilter("ignore", UserWarning)
        splits = list(folds.split(X, y, artists))
    predicted = np.empty_like(y)
    rows = []
    for train, test in splits:
        start = time.perf_counter()
        model = clone(pipeline[-2:]).fit(X[train], y[train])
        seconds = time.perf_counter() - start
        predicted[test] = model.predict(X[test])
        row = {
            "track": accuracy_score(y[test], predicted[test]),
            "balanced": np.mean(
                [np.mean(predicted[test][y[test] == g] == g) for g in np.unique(y[test])]
            ),
        }
        scaled, classifier = model[0].transform(X[test]), model[1]
        best = classifier.predict_segment_proba(scaled).argmax(axis=2)
        row["segment"] = np.mean(classifier.classes_[best] == y[test][:, np.newaxis])
        row["fit s"] = seconds
        rows.append(row)
        print("  ".join(f"{name} {value:.3f}" for name, value in row.items()), flush=True)
        if args.classifier == "hierarchical":
            print("  nodes:", classifier.node_scores(scaled, y[test])["nodes"], flush=True)
    for name in rows[0]:
        values = [row[name] for row in rows]
        print(f"{name}: mean {np.mean(values):.3f}, deviation {np.std(values):.3f}")
    print(
        f"pooled: track {accuracy_score(y, predicted):.3f}, "
        f"balanced {balanced_accuracy_score(y, predicted):.3f}"
    )


if __name__ == "__main__":
    main()
