"""Measure the systems of the papers on a folder of music, in folds by artist.

``python -m benchmarks.systems FOLDER [--epochs 30] [--folds 5] [NAME ...]`` prints a table row
for each system: track accuracy and balanced accuracy, pooled over folds that keep artists
apart, and the time of a fit. ``--epochs`` limits the papers' epochs, and
``--set classifier__learning_rate=0.001`` sets a parameter. ``--memory`` caches features. Each
fold is reported on standard error as soon as it is complete.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from ast import literal_eval

import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import load_genre_folder
from skgenre.papers import list_systems, load_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--epochs", type=int, help="upper limit of the epochs")
    parser.add_argument("--folds", type=int, default=5, help="number of the five folds to run")
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    parser.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE")
    args = parser.parse_args()
    changes = {key: literal_eval(value) for key, value in (s.split("=", 1) for s in args.set)}
    names = args.names or [s.name for s in list_systems() if "table" not in s.name]
    music = load_genre_folder(args.folder)
    y, artists = music.target, music.artists
    paths = np.array(music.data, dtype=object)
    print(f"{len(y)} tracks, {len(music.target_names)} genres, {len(set(artists))} artists")
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        # A genre with fewer artists than folds is missing from some test folds.
        warnings.simplefilter("ignore", UserWarning)
        splits = list(folds.split(paths, y, artists))[: args.folds]
    print(
        "| system | epochs | track accuracy | balanced | fit, s |\n|---|---|---|---|---|",
        flush=True,
    )
    for name in names:
        pipeline = load_system(name, memory=args.memory, n_jobs=-1).set_params(**changes)
        pipeline["features"].transform(paths)
        params = pipeline.get_params()
        keys = [
            key for key in ("classifier__epochs", "classifier__estimator__epochs") if key in params
        ]
        epochs = "-"
        for key in keys:
            epochs = min(params[key], args.epochs or params[key])
            pipeline.set_params(**{key: epochs})
        predicted, tested, seconds = [], [], []
        for train, test in splits:
            start = time.perf_counter()
            model = clone(pipeline).fit(paths[train], y[train])
            seconds.append(time.perf_counter() - start)
            predicted.append(np.asarray(model.predict(paths[test]), dtype=object))
            tested.append(test)
            accuracy = accuracy_score(y[test].astype(object), predicted[-1])
            print(
                f"{name}: fold {len(tested)} of {len(splits)}, {accuracy:.3f} of {len(test)} "
                f"tracks, {seconds[-1]:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        truth, answer = y[np.concatenate(tested)].astype(object), np.concatenate(predicted)
        with warnings.catch_warnings():
            # The label of rejected tracks is not a genre.
            warnings.simplefilter("ignore", UserWarning)
            balanced = balanced_accuracy_score(truth, answer)
        label = " ".join([name, *args.set])
        print(
            f"| {label} | {epochs} | {accuracy_score(truth, answer):.3f} | {balanced:.3f} "
            f"| {np.mean(seconds):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
