"""Measure GenreClassifier and its members, or its feature groups, in folds by artist.

``python -m benchmarks.own_model FOLDER --ensemble`` prints the accuracy of each member and of the
ensemble, with 95 % intervals by bootstrap over artists, the calibration error and the confusions
of the genres. ``--members`` selects the members; ``--excerpts 0`` predicts from whole tracks only.
``--splits 5`` repeats this for the fold seeds 0 to 4, and adds rows of means over the seeds.
``--embeddings mtt`` adds the features of a pretrained network; ``--per-genre 5`` fits on five
tracks of each genre, drawn from the training tracks of each fold.

``python -m benchmarks.own_model FOLDER --time`` prints the time of a fit from all files, in two
threads and without a cache, and the time of a prediction for one file.

``python -m benchmarks.own_model FOLDER [--splits 1] [--memory FOLDER]`` prints the accuracy and the
balanced accuracy of "svc" (a kernel for each feature group) and "svc_whitened" (the same, whitened
by artist) in five folds that keep artists apart: the means over folds, and pooled over all tracks.
With several splits, a last row has the means over their seeds. ``--without GROUP`` leaves out a
feature group; ``--one-kernel`` uses one kernel for all columns. ``--memory`` caches features.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import recall_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from skgenre import (
    ArtistWhitening,
    ClipFeatures,
    GenreClassifier,
    GroupKernel,
    GroupScaler,
    load_genre_folder,
)
from skgenre.evaluation._compare import paired_difference
from skgenre.evaluation._metrics import bootstrap_weights, interval, weighted_metrics


def make_member(name: str, labels: Any, *, one_kernel: bool) -> Any:
    """Return one support vector machine as in GenreClassifier, without calibration."""
    steps: list[Any] = [("scaler", GroupScaler(feature_groups=labels))]
    if name == "svc_whitened":
        groups = None if one_kernel else labels
        steps.append(("whitening", ArtistWhitening(feature_groups=groups, keep_columns=True)))
    if one_kernel:
        return Pipeline([*steps, ("svc", SVC(C=10))])
    kernel = GroupKernel(feature_groups=labels)
    return Pipeline([*steps, ("kernel", kernel), ("svc", SVC(C=10, kernel="precomputed"))])


def scores(y: Any, predicted: Any) -> tuple[float, float]:
    """Return the accuracy, and the balanced accuracy over the genres in ``y``."""
    recalls = recall_score(y, predicted, labels=np.unique(y), average=None)
    return float(np.mean(y == predicted)), float(np.mean(recalls))


def cross_validate(
    name: str, X: Any, y: Any, artists: Any, labels: Any, seed: int, *, one_kernel: bool
) -> list[float]:
    """Return accuracy and balanced accuracy, mean and pooled, and the time of a fit."""
    splits = split_by_artist(X, y, artists, seed)
    predicted = np.empty_like(y)
    rows, seconds = [], []
    for train, test in splits:
        model = make_member(name, labels, one_kernel=one_kernel)
        given = {"whitening__groups": artists[train]} if name == "svc_whitened" else {}
        start = time.perf_counter()
        model.fit(X[train], y[train], **given)
        seconds.append(time.perf_counter() - start)
        predicted[test] = model.predict(X[test])
        rows.append(scores(y[test], predicted[test]))
    return [*np.mean(rows, axis=0), *scores(y, predicted), float(np.mean(seconds))]


def measure_ensemble(music: Any, args: argparse.Namespace) -> None:
    """Print a row for each member and one for the ensemble; means if there are several splits."""
    every = [measure_split(music, args, seed) for seed in range(args.splits)]
    if len(every) > 1:
        print(f"Means over {len(every)} draws of the folds:")
        print("| member | accuracy | balanced | calibration error |\n|---|---|---|---|")
        for name in every[0]:
            means = np.mean([found[name] for found in every], axis=0)
            print(f"| {name} |" + "".join(f" {mean:.3f} |" for mean in means))


def measure_split(music: Any, args: argparse.Namespace, seed: int) -> dict[str, list[float]]:
    """Measure one split; return accuracy, balanced accuracy and calibration error."""
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    paths = np.array(music.data, dtype=object)
    answers: dict[str, Any] = {}
    seconds = []
    for train, test in split_by_artist(paths, y, artists, seed):
        model = GenreClassifier(
            args.members,
            n_excerpts=args.excerpts,
            embeddings=args.embeddings,
            memory=args.memory,
            n_jobs=-1,
            random_state=0,
        )
        if args.per_genre:
            train = draw_per_genre(train, y, args.per_genre, seed)
        start = time.perf_counter()
        model.fit(paths[train], y[train], groups=artists[train])
        seconds.append(time.perf_counter() - start)
        found = {**model.predict_member_proba(paths[test]), "all": model.predict_proba(paths[test])}
        for name, proba in found.items():
            whole = answers.setdefault(name, np.zeros((len(y), proba.shape[1])))
            whole[test] = proba
    codes = np.searchsorted(np.unique(y), y)
    weights = bootstrap_weights(artists, 2000, seed=0)
    hits = {name: proba.argmax(axis=1) == codes for name, proba in answers.items()}
    print(f"Folds drawn with the seed {seed}:")
    print(
        "| member | accuracy | balanced | calibration error | all less it |\n|---|---|---|---|---|"
    )
    found = {}
    for name, proba in answers.items():
        metrics = weighted_metrics(
            codes, proba.argmax(axis=1), proba, None, np.vstack([np.ones(len(y)), weights])
        )
        low, high = interval(metrics["track_accuracy"][1:])
        difference = paired_difference(hits["all"].astype(float), hits[name], weights)
        measures = ("track_accuracy", "balanced_accuracy", "calibration_error")
        found[name] = [float(metrics[measure][0]) for measure in measures]
        accuracy, balanced, error = found[name]
        cells = [
            f"{accuracy:.3f} ({low:.3f} to {high:.3f})",
            f"{balanced:.3f}",
            f"{error:.3f}",
            "{value:+.3f} ({low:+.3f} to {high:+.3f})".format(**difference),
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"A fit took {np.mean(seconds):.1f} s, with the features that earlier folds cached.")
    print_mistakes(np.unique(y), codes, answers["all"], paths)
    return found


def measure_time(music: Any, args: argparse.Namespace) -> None:
    """Print the times of a fit from files, and of predicting one file."""
    model = GenreClassifier(
        args.members,
        n_excerpts=args.excerpts,
        embeddings=args.embeddings,
        n_jobs=2,
        random_state=0,
    )
    model.fit(music.data[::20], music.target[::20], groups=music.artists[::20])  # warm-up
    start = time.perf_counter()
    model.fit(music.data, music.target, groups=music.artists)
    print(f"A fit from {len(music.data)} files took {time.perf_counter() - start:.1f} s.")
    seconds = []
    for path in music.data[:: max(1, len(music.data) // 40)]:
        start = time.perf_counter()
        model.predict_proba([path])
        seconds.append(time.perf_counter() - start)
    low, middle, high = np.percentile(seconds, [0, 50, 100])
    print(f"One file took {middle:.3f} s ({low:.3f} to {high:.3f}, {len(seconds)} files).")


def print_mistakes(genres: Any, codes: Any, proba: Any, paths: Any) -> None:
    """Print the confusions of each genre, and the most confident mistakes."""
    answer = proba.argmax(axis=1)
    for code, genre in enumerate(genres):
        others = np.bincount(answer[codes == code], minlength=len(genres))
        right, others[code] = others[code], 0
        order = [i for i in (-others).argsort(kind="stable") if others[i]]
        taken = ", ".join(f"{genres[i]} {others[i]}" for i in order)
        print(f"{genre}: {right} of {np.sum(codes == code)} right; {taken or 'none'} wrong")
    wrong = np.flatnonzero(answer != codes)
    for row in wrong[(-proba[wrong].max(axis=1)).argsort()][:8]:
        name = Path(paths[row]).name
        print(f"{name} of {genres[codes[row]]}: {genres[answer[row]]} {proba[row].max():.2f}")


def split_by_artist(X: Any, y: Any, artists: Any, seed: int) -> list[Any]:
    """Return five folds that keep artists apart."""
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A genre with fewer artists than folds is missing from some test folds.
        warnings.simplefilter("ignore", UserWarning)
        return list(folds.split(X, y, artists))


def draw_per_genre(train: Any, y: Any, n_tracks: int, seed: int) -> Any:
    """Draw some of the training tracks of each genre; all of a genre that has fewer."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(train)
    drawn = [shuffled[y[shuffled] == genre][:n_tracks] for genre in np.unique(y[train])]
    return np.sort(np.concatenate(drawn))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--splits", type=int, default=1, help="number of fold seeds")
    parser.add_argument(
        "--members", nargs="+", default=["svc", "svc_whitened"], help="with --ensemble"
    )
    parser.add_argument("--excerpts", type=int, default=3, help="per track, with --ensemble")
    parser.add_argument("--embeddings", metavar="WEIGHTS", help="msd or mtt, with --ensemble")
    parser.add_argument("--per-genre", type=int, metavar="N", help="tracks, with --ensemble")
    parser.add_argument("--one-kernel", action="store_true", help="for all feature groups")
    parser.add_argument("--without", action="append", default=[], metavar="GROUP")
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    parser.add_argument("--time", action="store_true", help="measure times")
    parser.add_argument("--ensemble", action="store_true", help="measure the ensemble")
    args = parser.parse_args()
    music = load_genre_folder(args.folder)
    if args.time:
        measure_time(music, args)
        return
    if args.ensemble:
        measure_ensemble(music, args)
        return
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    features = ClipFeatures()
    front_end, _ = GenreClassifier(n_excerpts=0, memory=args.memory, n_jobs=-1).split_front_end()
    start = time.perf_counter()
    X = front_end.fit_transform(music.data)
    print(
        f"{len(y)} tracks, {len(music.target_names)} genres, {len(set(artists))} artists; features "
        f"in {time.perf_counter() - start:.0f} s, {front_end.n_hits_} of them from the cache"
    )
    labels = features.get_feature_groups_out()
    X = X[:, : len(labels)]  # the column after them says whether there is sound
    kept = ~np.isin(labels, args.without)
    print(
        "| member | split | accuracy | balanced | pooled accuracy | pooled balanced | fit, s |\n"
        "|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in ("svc", "svc_whitened"):
        rows = []
        for seed in range(args.splits):
            found = cross_validate(
                name, X[:, kept], y, artists, labels[kept], seed, one_kernel=args.one_kernel
            )
            rows.append(found)
            print(f"| {name} | {seed} |" + "".join(f" {v:.3f} |" for v in rows[-1]), flush=True)
        if len(rows) > 1:
            means = np.mean(rows, axis=0)
            print(f"| {name} | mean |" + "".join(f" {v:.3f} |" for v in means), flush=True)


if __name__ == "__main__":
    main()
