"""Measure how explanations agree with predictions, and how exact they are.

``python -m benchmarks.explaining FOLDER [--memory FOLDER]`` fits GenreClassifier in five folds by
artist. It prints the share of test tracks whose genre of the highest score is the predicted one,
the accuracies of both and of the contributions without the intercept, the intercept of each genre,
and the largest difference between a machine's scores and the sums of its contributions.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import GenreClassifier, load_genre_folder


def largest_error(model: Any, X: Any) -> float:
    """Return the largest difference between scores and sums, for more than two genres."""
    n_columns = next(iter(model.members_.values())).n_features_in_
    return max(
        np.abs(
            model.explain(X, member=name).pair_scores
            - member.estimator_.decision_function(X[:, :n_columns])
        ).max()
        for name, member in model.members_.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    args = parser.parse_args()
    music = load_genre_folder(args.folder)
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    front_end, classifier = GenreClassifier(
        memory=args.memory, n_jobs=-1, random_state=0
    ).split_front_end()
    X = front_end.fit_transform(music.data)
    found: dict[str, list[Any]] = {"predicted": [], "by score": [], "without intercept": []}
    order, intercepts, errors = [], [], []
    with warnings.catch_warnings():
        # A genre with fewer artists than folds is missing from some test folds.
        warnings.simplefilter("ignore", UserWarning)
        folds = list(StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, artists))
    for train, test in folds:
        model = classifier.fit(X[train], y[train], groups=artists[train])
        explanation = model.explain(X[test])
        found["predicted"] += model.predict(X[test]).tolist()
        for name, scores in (
            ("by score", explanation.scores),
            ("without intercept", explanation.contributions.sum(axis=2)),
        ):
            found[name] += explanation.classes[scores.argmax(axis=1)].tolist()
        order.append(test)
        intercepts.append(explanation.intercept)
        errors.append(largest_error(model, X[test]))
    genres = {name: np.array(some) for name, some in found.items()}
    same = np.mean(genres["by score"] == genres["predicted"])
    print(f"{len(y)} tracks; the genre of the highest score is the predicted one for {same:.3f}")
    for name, some in genres.items():
        print(f"accuracy, {name}: {np.mean(some == y[np.concatenate(order)]):.3f}")
    mean = np.mean(intercepts, axis=0)
    print(
        "intercepts:", ", ".join(f"{g} {v:+.2f}" for g, v in zip(model.classes_, mean, strict=True))
    )
    print(f"largest difference between a score and its sum: {max(errors):.1e}")


if __name__ == "__main__":
    main()
