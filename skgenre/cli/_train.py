"""The command ``skgenre train``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from skgenre.cli._cluster import check_shared, dask_cluster
from skgenre.cli._model import check_destination
from skgenre.cli._music import echo_left_out, load_music
from skgenre.cli._report import Share, as_argument, echo, echo_table
from skgenre.cli._retrain import read_old_model
from skgenre.utils._blas import one_blas_thread
from skgenre.utils._parallel import wait_for_threads
from skgenre.utils._tf import check_networks_installed

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult, EvaluationTask, Splits

_OUT, _CLASSIFIER = "model.skgenre", "recommended"
_SIDES = {
    "track-random": ", split by track.",
    "artist-grouped": ": no artist is in training and test.",
    "segment-random": ", split by segment: segments of a track are in training and test.",
}


def run(args: argparse.Namespace) -> int:
    """Load a folder, evaluate, fit on all tracks, save the model."""
    from skgenre.persistence import save

    check_progress(args)
    old = read_old_model(args)
    if old is None and (args.classifier or _CLASSIFIER) != "recommended":
        check_networks_installed()
    target = check_destination(args.out or _OUT, force=args.force)
    if old is None:
        if args.embeddings is not None:
            _check_weights(args.embeddings)
        music = load_music(args, args.folder)
        model = model_for(music, args)
    else:
        music, model = old.add_music(args), old.unfitted()
    show_progress(model, args)
    with feature_folder(args.memory) as folder:
        # Evaluation and training find the features in this folder.
        set_front_end(model, memory=folder, n_jobs=args.jobs)
        with dask_cluster(args.dask) as client:
            check_shared(client, folder)
            task, result = measure(model, music, args)
            if old is not None:
                old.check_tracks(task)
            if result is not None:
                echo_result(result)
                if old is not None:
                    old.echo_changes(task, _make_splits(task, args)[0], result, **_engine(args))
        what = args.classifier or (_CLASSIFIER if old is None else f"anew, as in {args.model},")
        echo(f"\nTraining {what} on all {len(task.y)} tracks.")
        _fit(task, model)
    if args.progress and hasattr(model, "set_callbacks"):
        model.set_callbacks()  # none: the bars are no part of the model
    set_front_end(model, memory=None, n_jobs=None)
    keep_paths = args.keep_paths or (old is not None and old.info.tracks is not None)
    save(
        model,
        target,
        # Where they are kept, they are found from any folder.
        tracks=list(map(os.path.abspath, task.data)) if keep_paths else task.data,
        y=task.y,
        artists=task.artists,
        evaluation=result,
        keep_paths=keep_paths,
    )
    out = args.out or _OUT
    echo(f"Wrote {out}. To use it: skgenre predict {as_argument(out)} FILE...")
    return 0


def model_for(music: Any, args: argparse.Namespace) -> Any:
    """Make the model that the arguments describe, as far as the music allows."""
    classifier = args.classifier or _CLASSIFIER
    model = make_model(
        classifier,
        n_segments=args.n_segments,
        duration=args.duration,
        epochs=args.epochs,
        learning_rate=args.learning_rate,
        embeddings=args.embeddings,
        seed=args.seed,
    )
    if music.artists is None and classifier == "recommended":
        model.set_params(members=("svc",))  # the other member needs artists
    return model


def show_progress(model: Any, args: argparse.Namespace) -> None:
    """Let a model show progress bars, where they are asked for and it can."""
    if args.progress and hasattr(model, "set_callbacks"):
        from sklearn.callback import ProgressBar

        model.set_callbacks(ProgressBar(max_propagation_depth=None))


def measure(
    model: Any, music: Any, args: argparse.Namespace
) -> tuple[EvaluationTask, EvaluationResult | None]:
    """Extract the features of all tracks, and cross-validate the model unless --cv is 0.

    The task has the tracks that can be read.
    """
    task = _task(model, music)
    if args.cv and args.protocol != "segment-random":  # which needs the features
        _make_splits(task, args)  # impossible folds are found before the long work
    echo(f"\nExtracting features of {len(music.data)} tracks.")
    task = _without_bad_files(task, args)
    return task, _evaluate(task, args) if args.cv else None


def make_model(
    classifier: str,
    *,
    n_segments: int | None,
    duration: float | None,
    epochs: int | None,
    learning_rate: float | None,
    seed: int,
    embeddings: str | None = None,
) -> Any:
    """Make the model that the options describe; None keeps the default of the classifier."""
    from skgenre import GenreClassifier, LSTMGenreClassifier, make_genre_pipeline

    if classifier == "recommended":
        given = {
            "--n-segments": n_segments,
            "--epochs": epochs,
            "--learning-rate": learning_rate,
        }
        wrong = [option for option, value in given.items() if value is not None]
        if wrong:
            raise ValueError(
                f"{wrong[0]} is not an option of the recommended classifier; leave it out, or "
                "choose another by --classifier."
            )
        model = GenreClassifier(embeddings=embeddings, random_state=seed)
        return model if duration is None else model.set_params(duration=duration)
    if embeddings is not None:
        raise ValueError(
            "--embeddings is an option of the recommended classifier only; leave out --embeddings "
            f"or --classifier {classifier}."
        )
    sound: dict[str, Any] = {"n_segments": n_segments, "duration": duration}
    pipeline = make_genre_pipeline(
        classifier, **{name: value for name, value in sound.items() if value is not None}
    )
    trained = pipeline[-1].set_params(random_state=seed)
    if classifier == "hierarchical":  # the training options are those of its nodes
        trained = LSTMGenreClassifier()
        pipeline[-1].set_params(estimator=trained)
    training = {"epochs": epochs, "learning_rate": learning_rate}
    trained.set_params(**{name: value for name, value in training.items() if value is not None})
    return pipeline


def set_front_end(model: Any, **params: Any) -> None:
    """Set parameters of the steps that compute features."""
    if hasattr(model, "named_steps"):
        model = model.named_steps["features"]
    for part in (model, getattr(model, "front_end_", None)):
        if part is not None:
            part.set_params(**params)


@contextmanager
def feature_folder(memory: str | None) -> Iterator[str]:
    """Yield the folder of the features, a temporary one by default."""
    if memory is not None:
        if os.path.isfile(memory):
            raise NotADirectoryError(f"--memory {memory} is a file; give a folder, new or not.")
        yield memory
        return
    with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
        try:
            yield folder
        finally:
            wait_for_threads()  # which write to the folder


def _check_weights(embeddings: str) -> None:
    """Raise an error that says how to get the weights if they are not there."""
    from skgenre import MusicnnExtractor

    MusicnnExtractor(embeddings).fit([[0.0]])


def check_progress(args: argparse.Namespace) -> None:
    """Raise an error for progress bars that cannot be shown."""
    if not args.progress:
        return
    try:
        import rich  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ImportError(
            '--progress needs the package rich: pip install "skgenre[progress]"'
        ) from error


def _task(model: Any, music: Any, rows: Any = slice(None)) -> EvaluationTask:
    import numpy as np

    from skgenre.evaluation import EvaluationTask

    artists = None if music.artists is None else music.artists[rows]
    paths = np.array(music.data, dtype=object)[rows].tolist()
    return EvaluationTask(model, paths, music.target[rows], artists)


def _without_bad_files(task: EvaluationTask, args: argparse.Namespace) -> EvaluationTask:
    """Compute the features of each file, and leave out those that cannot be read.

    The header of a file does not show all damage. The features stay in the cache.
    """
    from sklearn.utils import Bunch, parallel

    from skgenre.utils._parallel import stream

    bad: list[str] = []
    rows: list[int] = []
    with one_blas_thread():
        files = ((path,) for path in task.data)
        errors: Iterable[Exception | None] = stream(
            parallel, _transform_file, task.front, files, args.jobs, prefer="threads"
        )
        if args.progress:
            errors = _tracked(errors, len(task.data))
        for row, error in enumerate(errors):
            if error is None:
                rows.append(row)
            elif args.skip_corrupt and _is_unreadable(task.front, task.data[row]):
                bad.append(str(error))
            else:
                raise error
    echo_left_out(bad)
    if not bad:
        return task
    if not rows:
        raise ValueError(f"None of the files can be read; the first: {bad[0]}")
    genres = set(task.y[rows].tolist())
    lost = sorted(set(task.y.tolist()) - genres)
    if lost:
        echo(f"No track is left of {', '.join(lost)}.")
    if len(genres) < 2:
        raise ValueError(
            f"Only tracks of {genres.pop()!r} are left; a classifier needs two genres or more."
        )
    return _task(task.pipeline, Bunch(data=task.data, target=task.y, artists=task.artists), rows)


def _transform_file(front: list[Any], path: str) -> Exception | None:
    """Compute the features of a file into the cache; return the error of a file without any."""
    from skgenre.utils._warnings import gather_track_warnings

    X: Any = [path]
    try:
        with gather_track_warnings():  # they come again, together, when the cache is read
            for step in front:
                X = step.transform(X)
    except (ValueError, OSError) as error:
        return error
    return None


def _is_unreadable(front: list[Any], path: str) -> bool:
    """Whether the loader alone refuses a file, so that the features are not to blame."""
    from skgenre.utils._pipeline import leaf_steps

    return _transform_file(leaf_steps(front[0])[:1], path) is not None


def _tracked(errors: Iterable[Any], n_files: int) -> Iterable[Any]:
    from rich.console import Console
    from rich.progress import track

    return track(errors, description="Features", total=n_files, console=Console(stderr=True))


def _make_splits(task: EvaluationTask, args: argparse.Namespace) -> tuple[Splits, str]:
    """Make the folds, by artist if artists are known; return a remark if they are fewer."""
    from skgenre.evaluation import make_splits

    protocol = args.protocol or ("track-random" if task.artists is None else "artist-grouped")
    if protocol == "artist-grouped" and task.artists is None:
        raise ValueError(
            "--protocol artist-grouped needs artists: name them in a table (--metadata CSV)."
        )
    if protocol not in ("track-random", "artist-grouped"):
        return make_splits(task, protocol, n_folds=args.cv, random_state=args.seed), ""
    by_artist = protocol == "artist-grouped"
    what = "artist" if by_artist else "track"
    units = range(len(task.y)) if task.artists is None or not by_artist else task.artists.tolist()
    pairs = set(zip(task.y.tolist(), units, strict=True))
    (scarcest, n_scarcest) = min(Counter(genre for genre, _ in sorted(pairs)).items(), key=_second)
    remedy = "give --cv 0 to train without cross-validation."
    if args.command == "evaluate":
        remedy = "leave the genre out."
    if args.labels == "tags" and by_artist:
        remedy = f"leave such genres out by --min-artists 2, or {remedy}"
    if n_scarcest < 2:
        raise ValueError(
            f"The genre {scarcest!r} has 1 {what} only; cross-validation needs one to train on "
            f"and another to test on. Add tracks{' by others' * (what == 'artist')}, or {remedy}"
        )
    n_folds = min(args.cv, n_scarcest)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            splits = make_splits(task, protocol, n_folds=n_folds, random_state=args.seed)
    except (ValueError, UserWarning) as error:
        reason = str(error).removesuffix(".")
        raise ValueError(
            f"The {what}s cannot be spread over {n_folds} folds ({reason}); lower --cv, or {remedy}"
        ) from error
    if n_folds == args.cv:
        return splits, ""
    return splits, (
        f"{n_folds} folds instead of {args.cv}, because the genre {scarcest!r} has {n_scarcest} "
        f"{what}s."
    )


def _second(pair: tuple[Any, int]) -> int:
    return pair[1]


def _evaluate(task: EvaluationTask, args: argparse.Namespace) -> EvaluationResult:
    from skgenre.evaluation import EvaluationResult, iter_folds

    splits, remark = _make_splits(task, args)  # of the files that are left
    sides = _SIDES.get(splits.protocol, f", {splits.protocol}.")
    echo(f"\nCross-validation in {len(splits)} fold{'s' * (len(splits) > 1)}{sides}")
    if remark:
        echo(remark)
    if task.artists is None:
        echo(
            "Warning: artists are not known. If tracks of one artist are in training and in test,\n"
            "the accuracy comes out too high. Name the artists in a table (--metadata CSV)."
        )
    elif splits.protocol in ("track-random", "segment-random"):
        echo("Warning: tracks of one artist are in training and in test.")
    with redirect_stdout(sys.stderr):  # for progress bars
        folds = list(iter_folds(task, splits, **_engine(args)))
    return EvaluationResult.from_folds(task, splits, folds, random_state=args.seed)


def _engine(args: argparse.Namespace) -> dict[str, Any]:
    """Return how folds run, for ``iter_folds``."""
    return {
        "checkpoint": None if args.memory is None else os.path.join(args.memory, "trainings"),
        "n_jobs": 1 if args.progress else args.jobs,  # one bar after the other
    }


def echo_result(result: EvaluationResult) -> None:
    for metric, remark in (
        ("track_accuracy", ""),
        ("balanced_accuracy", "; mean recall of the genres"),
    ):
        entry = result.overall[metric]
        echo(
            f"  {metric.replace('_', ' '):17}  {entry['value']:.3f} (95 % interval "
            f"{entry['low']:.3f} to {entry['high']:.3f}, by {result.unit}{remark})"
        )
    counts = Counter(result.tracks["genre"])
    genre, count = counts.most_common(1)[0]
    echo(f"  chance             {count / result.n_tracks:.3f} (answering {genre!r} always)\n")
    echo_table(
        ["genre", "tracks", "recall"],
        [[name, counts[name], Share(recall)] for name, recall in result.recall.items()],
    )


def _fit(task: EvaluationTask, model: Any) -> None:
    """Fit the model itself, with artists if it learns from them."""
    from sklearn.utils.validation import has_fit_parameter

    learns = task.artists is not None and has_fit_parameter(model, "groups")
    with redirect_stdout(sys.stderr):
        model.fit(task.data, task.y, **({"groups": task.artists} if learns else {}))
