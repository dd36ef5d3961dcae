"""Measure GenreClassifier and its members by artist, or its feature groups by themselves.

``python -m benchmarks.own_model FOLDER --ensemble`` prints the accuracy of each member and of all
together, with 95 % intervals by bootstrap over artists, and the calibration error.

``python -m benchmarks.own_model FOLDER [--splits 1] [--memory FOLDER]`` prints for "svc" (grouped
features, scaled by group) and "asvc" (the same, whitened by artist) the accuracy and the balanced
accuracy of five folds with no artist on two sides: the mean over folds, and of all tracks
together. With several splits, which differ in their seed, a last row has the means over them.
``--without GROUP`` leaves a group of features out. Features are kept in ``--memory``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from typing import Any

import numpy as np
from sklearn.metrics import recall_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import (
    ArtistWhitening,
    AudioLoader,
    ClipFeatures,
    GenreClassifier,
    GroupScaler,
    PerTrack,
    load_genre_folder,
)
from skgenre.evaluation._compare import paired_difference
from skgenre.evaluation._metrics import bootstrap_weights, interval, weighted_metrics


def make_member(name: str, labels: Any) -> Any:
    steps = [GroupScaler(groups=labels), SVC(C=10)]
    if name == "asvc":
        steps.insert(1, ArtistWhitening())
    return make_pipeline(*steps)


def scores(y: Any, predicted: Any) -> tuple[float, float]:
    """Return the accuracy and the balanced accuracy, over the genres that are there."""
    recalls = recall_score(y, predicted, labels=np.unique(y), average=None)
    return float(np.mean(y == predicted)), float(np.mean(recalls))


def cross_validate(name: str, X: Any, y: Any, artists: Any, labels: Any, seed: int) -> list[float]:
    """Return mean accuracy and balanced accuracy of folds, both pooled, and a fit's time."""
    splits = split_by_artist(X, y, artists, seed)
    predicted = np.empty_like(y)
    rows, seconds = [], []
    for train, test in splits:
        model = make_member(name, labels)
        given = {"artistwhitening__groups": artists[train]} if name == "asvc" else {}
        start = time.perf_counter()
        model.fit(X[train], y[train], **given)
        seconds.append(time.perf_counter() - start)
        predicted[test] = model.predict(X[test])
        rows.append(scores(y[test], predicted[test]))
    return [*np.mean(rows, axis=0), *scores(y, predicted), float(np.mean(seconds))]


def measure_ensemble(music: Any, memory: str) -> None:
    """Print a row for each member, and one for all of them."""
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    paths = np.array(music.data, dtype=object)
    answers: dict[str, Any] = {}
    seconds = []
    for train, test in split_by_artist(paths, y, artists, seed=0):
        model = GenreClassifier(memory=memory, n_jobs=-1, random_state=0)
        start = time.perf_counter()
        model.fit(paths[train], y[train], groups=artists[train])
        seconds.append(time.perf_counter() - start)
        found = {**model.predict_member_proba(paths[test]), "all": model.predict_proba(paths[test])}
        for name, proba in found.items():
            whole = answers.setdefault(name, np.zeros((len(y), proba.shape[1])))
            whole[test] = proba
    genres = np.unique(y)
    print(
        "| member | accuracy | balanced | calibration error | all less it |\n|---|---|---|---|---|"
    )
    codes = np.searchsorted(genres, y)
    weights = bootstrap_weights(artists, 2000, seed=0)
    hits = {name: proba.argmax(axis=1) == codes for name, proba in answers.items()}
    for name, proba in answers.items():
        metrics = weighted_metrics(
            codes, proba.argmax(axis=1), proba, None, np.vstack([np.ones(len(y)), weights])
        )
        accuracy = metrics["track_accuracy"]
        low, high = interval(accuracy[1:])
        difference = paired_difference(hits["all"].astype(float), hits[name], weights)
        cells = [
            f"{accuracy[0]:.3f} ({low:.3f} to {high:.3f})",
            f"{metrics['balanced_accuracy'][0]:.3f}",
            f"{metrics['calibration_error'][0]:.3f}",
            "{value:+.3f} ({low:+.3f} to {high:+.3f})".format(**difference),
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"A fit took {np.mean(seconds):.0f} s, with features kept where a fold had them.")


def split_by_artist(X: Any, y: Any, artists: Any, seed: int) -> list[Any]:
    """Return five folds with no artist on two sides."""
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A genre with fewer artists than folds is missing from some test folds.
        warnings.simplefilter("ignore", UserWarning)
        return list(folds.split(X, y, artists))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--duration", type=float, default=30.0, help="seconds of each track")
    parser.add_argument("--splits", type=int, default=1, help="how many seeds of the folds")
    parser.add_argument("--without", action="append", default=[], metavar="GROUP")
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="a folder for features")
    parser.add_argument("--ensemble", action="store_true", help="measure the whole model")
    args = parser.parse_args()
    music = load_genre_folder(args.folder)
    if args.ensemble:
        measure_ensemble(music, args.memory)
        return
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    features = ClipFeatures()
    loader = AudioLoader(duration=args.duration)
    front_end = PerTrack(make_pipeline(loader, features), memory=args.memory, n_jobs=-1)
    start = time.perf_counter()
    X = front_end.fit_transform(music.data)
    print(
        f"{len(y)} tracks, {len(music.target_names)} genres, {len(set(artists))} artists; features "
        f"in {time.perf_counter() - start:.0f} s, {front_end.n_hits_} of them kept before"
    )
    labels = features.column_groups()
    kept = ~np.isin(labels, args.without)
    print(
        "| member | split | accuracy | balanced | pooled accuracy | pooled balanced | fit, s |\n"
        "|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in ("svc", "asvc"):
        rows = []
        for seed in range(args.splits):
            rows.append(cross_validate(name, X[:, kept], y, artists, labels[kept], seed))
            print(f"| {name} | {seed} |" + "".join(f" {v:.3f} |" for v in rows[-1]), flush=True)
        if len(rows) > 1:
            means = np.mean(rows, axis=0)
            print(f"| {name} | mean |" + "".join(f" {v:.3f} |" for v in means), flush=True)


if __name__ == "__main__":
    main()
