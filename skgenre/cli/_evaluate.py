"""The command ``skgenre evaluate``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

from skgenre.cli._cluster import check_shared, dask_cluster
from skgenre.cli._model import load_model
from skgenre.cli._music import echo_left_out, is_trained_on, load_music
from skgenre.cli._output import check_output, write_output
from skgenre.cli._progress import Progress
from skgenre.cli._report import Share, echo, echo_table
from skgenre.cli._train import (
    check_progress,
    echo_result,
    feature_folder,
    measure,
    model_for,
    set_front_end,
    show_progress,
)
from skgenre.utils._records import markdown_table
from skgenre.utils._warnings import warn_caller

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult

_Table = tuple[str, list[str], list[list[object]]]  # title, head and rows
_NO_SOUND = "no sound"
_LIMITS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# The options that are of no use for a fitted model.
_OF_CLASSIFIER = (
    "cv",
    "protocol",
    "embeddings",
    "n_segments",
    "duration",
    "epochs",
    "learning_rate",
    "memory",
)


def run(args: argparse.Namespace) -> int:
    """Measure a model or a classifier, and show the result."""
    model_file = _take_paths(args)
    check_progress(args)
    output = check_output(args)
    with redirect_stdout(sys.stderr) if args.json else nullcontext():
        result = _cross_validate(args) if model_file is None else _score(model_file, args)
        echo_result(result)
        tables = [_confusion_table(result), _coverage_table(result)]
        for title, head, rows in filter(None, tables):
            echo(f"\n{title}")
            echo_table(head, rows)
    if args.json:
        echo(json.dumps(result.to_dict() | _coverage(result), indent=1, allow_nan=False))
    write_output(output, result, *(_markdown(*table) for table in tables if table))
    return 0


def _take_paths(args: argparse.Namespace) -> str | None:
    """Set the folder, and return the model file; None for a cross-validation."""
    if args.classifier is None and len(args.paths) == 2:
        given = [name for name in _OF_CLASSIFIER if getattr(args, name) is not None]
        if given:
            option = "--" + given[0].replace("_", "-")
            raise ValueError(f"{option} is an option of --classifier; a MODEL is scored as it is.")
        model_file, args.folder = args.paths
        return str(model_file)
    if args.classifier is None or len(args.paths) != 1:
        raise ValueError(
            f"Expected MODEL and FOLDER, or --classifier NAME and FOLDER; got {len(args.paths)} "
            f"path{'s' * (len(args.paths) > 1)} and {'a' if args.classifier else 'no'} classifier."
        )
    (args.folder,) = args.paths
    args.cv = 5 if args.cv is None else args.cv
    if args.cv < 2:
        raise ValueError("--cv 0 leaves nothing to measure; give 2 folds or more.")
    return None


def _cross_validate(args: argparse.Namespace) -> EvaluationResult:
    music = load_music(args, args.folder)
    model = model_for(music, args)
    show_progress(model, args)
    with feature_folder(args.memory) as folder:
        set_front_end(model, memory=folder, n_jobs=args.jobs)
        with dask_cluster(args.dask) as client:
            check_shared(client, folder)
            _, result = measure(model, music, args)
    assert result is not None
    return result


def _score(model_file: str, args: argparse.Namespace) -> EvaluationResult:
    """Score the tracks of a folder by a fitted model."""
    import numpy as np

    from skgenre.catalogue import predict_files
    from skgenre.evaluation import EvaluationResult, EvaluationTask, FoldResult, Splits

    model = load_model(model_file, trust_pickle=args.trust_pickle)
    music = load_music(args, args.folder)
    _warn_of_known_tracks(model_file, model, args.folder, music)
    classes = [str(label) for label in model.classes_]
    _warn_of_other_genres(classes, args.folder, music)
    progress = Progress(len(music.data))
    start = time.perf_counter()
    found = []
    on_error = "record" if args.skip_corrupt else "raise"
    with dask_cluster(args.dask):
        for prediction in predict_files(model, music.data, on_error=on_error, n_jobs=args.jobs):
            found.append(prediction)
            progress.advance()
    progress.clear()
    echo_left_out(str(record.reason) for record in found if record.status == "error")
    rows = np.array([i for i, record in enumerate(found) if record.status != "error"], dtype=int)
    if not len(rows):
        raise ValueError(f"None of the files can be read; the first: {found[0].reason}")
    artists = None if music.artists is None else music.artists[rows]
    task = EvaluationTask(model, [music.data[row] for row in rows], music.target[rows], artists)
    same = 1 / len(classes)  # for tracks without sound
    fold = FoldResult(
        fold=0,
        n_train=0,
        test=np.arange(len(rows)),
        genre=task.y.tolist(),
        predicted=[found[row].genre or _NO_SOUND for row in rows],
        classes=classes,
        proba=np.array(
            [[found[row].probabilities.get(name, same) for name in classes] for row in rows]
        ),
        segment_accuracy=None,
        n_segments=None,
        fit_time=0.0,
        predict_time=time.perf_counter() - start,
        from_checkpoint=False,
    )
    splits = Splits("fitted-model", [(np.arange(0), fold.test)])
    echo(f"\n{model_file}, scored on {len(rows)} tracks")
    return EvaluationResult.from_folds(task, splits, [fold], random_state=args.seed)


def _warn_of_known_tracks(model_file: str, model: Any, folder: str, music: Any) -> None:
    """Warn of tracks that the model was trained on, as far as its file tells."""
    info = _info(model_file, model)
    n = len(music.data)
    if info is None or info.tracks_sha256 is None:
        echo(
            f"\nWarning: {model_file} does not say which tracks the model was trained on. If some "
            "of these\nare among them, the accuracy comes out too high."
        )
        return
    if info.tracks is not None:
        n_known = _n_known(info.tracks, music.data)
    else:
        n_known = n if is_trained_on(info, music.data) else 0
    if n_known:
        warn_caller(
            f"{n_known} of the {n} tracks of {folder} are among the training tracks of "
            f"{model_file}: the model knows them, and the accuracy comes out far too high. Give a "
            "folder of other tracks, by other artists, or cross-validate: skgenre evaluate "
            "--classifier NAME FOLDER."
        )
    elif info.tracks is not None:
        echo("\nNo track has the name of a training track. The artists may still be the same.")
    else:
        same = dict(Counter(map(str, music.target.tolist()))) == info.classes
        echo(
            f"\nWarning: {model_file} has one digest of the paths of all training tracks. It is "
            "not that of these\ntracks, but single tracks and artists cannot be compared. If some "
            "were in training, the accuracy\ncomes out too high."
        )
        if same:
            warn_caller(
                f"{folder} has as many tracks of each genre as {model_file} was trained on: "
                "it may be the same music under another path."
            )


def _info(model_file: str, model: Any) -> Any:
    """Return what the file says of the model; None for a pickle."""
    from skgenre.persistence import read_model_info

    if hasattr(model, "info_"):
        return model.info_
    try:
        return read_model_info(model_file)
    except ValueError:
        return None


def _n_known(known: list[str], paths: list[str]) -> int:
    """Count the tracks with the place of a training track, or its names of folder and file."""
    places = {os.path.realpath(path) for path in known}
    names = {_name(path) for path in known}
    return sum(os.path.realpath(path) in places or _name(path) in names for path in paths)


def _name(path: str) -> tuple[str, ...]:
    return tuple(os.path.normpath(path).split(os.sep)[-2:])


def _warn_of_other_genres(classes: list[str], folder: str, music: Any) -> None:
    counts = Counter(map(str, music.target.tolist()))
    unknown = {genre: count for genre, count in counts.items() if genre not in classes}
    if len(unknown) == len(counts):
        raise ValueError(
            f"The model knows none of the genres of {folder} ({', '.join(counts)}); its "
            f"genres are {', '.join(classes)}."
        )
    if unknown:
        listed = ", ".join(f"{genre} ({count} tracks)" for genre, count in unknown.items())
        warn_caller(f"The model does not know these genres, whose tracks are all wrong: {listed}.")


def _confusion_table(result: EvaluationResult) -> _Table:
    rows: list[list[object]] = [
        [str(genre), *row]
        for genre, row in zip(result.labels, result.confusion, strict=True)
        if sum(row)
    ]
    return "Genres by row, predictions by column", ["genre", *map(str, result.labels)], rows


def _coverage_table(result: EvaluationResult) -> _Table | None:
    """Return how many tracks have an answer, and how many rightly, by limit of confidence."""
    if result.tracks["proba"] is None:
        return None
    thresholds, coverage, accuracy = result.coverage_accuracy()
    rows: list[list[object]] = []
    for limit in _LIMITS:
        place = thresholds.searchsorted(limit)
        if place < len(thresholds):
            rows.append([limit, Share(coverage[place]), Share(accuracy[place])])
    title = "Tracks that have a genre with --min-confidence P, and the share of these that is right"
    return title, ["P", "tracks", "accuracy"], rows


def _markdown(title: str, head: list[str], rows: list[list[object]]) -> str:
    table = markdown_table(head, [[str(cell) for cell in row] for row in rows])
    return f"{title}\n\n{table}"


def _coverage(result: EvaluationResult) -> dict[str, Any]:
    if result.tracks["proba"] is None:
        return {"coverage_accuracy": None}
    names = ("thresholds", "coverage", "accuracy")
    found = [values.tolist() for values in result.coverage_accuracy()]
    return {"coverage_accuracy": dict(zip(names, found, strict=True))}
