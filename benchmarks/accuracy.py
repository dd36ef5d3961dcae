"""Measure the accuracy of a network on a folder of music, in folds by artist.

``python -m benchmarks.accuracy FOLDER cnn`` prints the track and segment accuracy of five
folds that keep artists apart. Set parameters by arguments such as
``epochs=30 learning_rate=0.001``. docs/results.md quotes these figures.
"""

from __future__ import annotations

import argparse
import ast
import warnings
from typing import Any

from skgenre import LSTMGenreClassifier, load_genre_folder, make_genre_pipeline
from skgenre.evaluation import EvaluationResult, EvaluationTask, iter_folds, make_splits


def make_pipeline(name: str, settings: dict[str, Any], n_segments: int) -> Any:
    pipeline = make_genre_pipeline(name, n_segments=n_segments, n_jobs=-1)
    classifier = pipeline["classifier"].set_params(random_state=0)
    if name == "hierarchical":
        classifier.set_params(estimator=LSTMGenreClassifier(**settings))
    else:
        classifier.set_params(**settings)
    return pipeline


def print_nodes(task: EvaluationTask, splits: Any) -> None:
    """Print the accuracy of each node of a hierarchy, fold by fold."""
    from sklearn.base import clone

    X, y, _ = task.rows()
    for number, (train, test) in enumerate(splits):
        model = clone(task.model).fit(X[train], y[train])
        scores = model[-1].node_scores(model[:-1].transform(X[test]), y[test])["nodes"]
        print(f"fold {number}, nodes: {scores}", flush=True)


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
    music = load_genre_folder(args.folder)
    pipeline = make_pipeline(args.classifier, settings, args.n_segments)
    task = EvaluationTask.from_dataset(pipeline, music)
    with warnings.catch_warnings():
        # A genre with fewer artists than folds is missing from some test folds.
        warnings.simplefilter("ignore", UserWarning)
        splits = make_splits(task, "artist-grouped")
    folds = []
    for fold in iter_folds(task, splits):
        folds.append(fold)
        print(f"{fold}, {fold.fit_time:.1f} s", flush=True)
    result = EvaluationResult.from_folds(task, splits, folds)
    print(
        f"{len(music.target_names)} genres, {len(set(music.artists))} artists; {args.classifier} "
        f"{settings or '(defaults)'}, {args.n_segments} segments; features in "
        f"{result.feature_time:.0f} s\n{result}"
    )
    if args.classifier == "hierarchical":
        print_nodes(task, splits)


if __name__ == "__main__":
    main()
