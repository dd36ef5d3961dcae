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
import warnings
from ast import literal_eval

import numpy as np

from skgenre import load_genre_folder
from skgenre.evaluation import EvaluationResult, EvaluationTask, Splits, iter_folds, make_splits
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
    print(
        f"{len(music.data)} tracks, {len(music.target_names)} genres, {len(set(music.artists))} "
        "artists"
    )
    print(
        "| system | epochs | track accuracy | balanced | fit, s |\n|---|---|---|---|---|",
        flush=True,
    )
    for name in names:
        pipeline = load_system(name, memory=args.memory, n_jobs=-1).set_params(**changes)
        params = pipeline.get_params()
        keys = [
            key for key in ("classifier__epochs", "classifier__estimator__epochs") if key in params
        ]
        epochs = "-"
        for key in keys:
            epochs = min(params[key], args.epochs or params[key])
            pipeline.set_params(**{key: epochs})
        task = EvaluationTask.from_dataset(pipeline, music)
        with warnings.catch_warnings():
            # A genre with fewer artists than folds is missing from some test folds.
            warnings.simplefilter("ignore", UserWarning)
            splits = make_splits(task, "artist-grouped")
        splits = Splits(splits.protocol, splits.folds[: args.folds])
        folds = []
        for fold in iter_folds(task, splits):
            folds.append(fold)
            print(f"{name}: {fold}, {fold.fit_time:.0f} s", file=sys.stderr, flush=True)
        overall = EvaluationResult.from_folds(task, splits, folds).overall
        label = " ".join([name, *args.set])
        print(
            f"| {label} | {epochs} | {overall['track_accuracy']['value']:.3f} "
            f"| {overall['balanced_accuracy']['value']:.3f} "
            f"| {np.mean([fold.fit_time for fold in folds]):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
