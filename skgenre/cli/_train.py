"""The command ``skgenre train``."""

from __future__ import annotations

import argparse
import shlex
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stdout
from typing import Any

from skgenre.cli._model import check_destination, save_model
from skgenre.cli._report import Share, echo, echo_table
from skgenre.cli._validation import (
    Array,
    Folds,
    Validation,
    artists_for,
    cross_validate,
    divide,
    extract,
)

_SHOWN = 3


def run(args: argparse.Namespace) -> int:
    """Read a folder, cross-validate, fit on all tracks, write the model."""
    if args.progress:
        _check_rich()
    target = check_destination(args.out, force=args.force)
    music = _read_folder(args)
    _say_music(args.folder, music)
    if args.cv:  # a division that is impossible is found before the long work
        divide(music.target, music.artists, args.cv, args.seed)

    model = make_pipeline(
        args.classifier,
        n_segments=args.n_segments,
        duration=args.duration,
        epochs=args.epochs,
        learning_rate=args.learning_rate,
        seed=args.seed,
    )
    front, learner = _halves(model)
    echo(f"\nExtracting features of {len(music.data)} tracks.")
    features, y, artists = _extract(front, music, args)
    if args.progress and args.classifier != "recommended":
        from sklearn.callback import ProgressBar

        learner.set_callbacks(ProgressBar(max_propagation_depth=None))
    if args.cv:
        # Made anew, for files may have been left out since.
        folds = divide(y, artists, args.cv, args.seed)
        _say_folds(folds, args.cv, artists)
        with redirect_stdout(sys.stderr):  # where progress bars belong
            validation = cross_validate(learner, features, y, folds, artists)
        _say_validation(validation)
    echo(f"\nTraining {args.classifier} on all {len(y)} tracks.")
    with redirect_stdout(sys.stderr):
        learner.fit(features, y, **artists_for(learner, artists))
    save_model(_joined(model, learner), target)
    echo(f"Wrote {args.out}. To use it: skgenre predict {shlex.quote(args.out)} FILE...")
    return 0


def make_pipeline(
    classifier: str,
    *,
    n_segments: int | None,
    duration: float | None,
    epochs: int | None,
    learning_rate: float | None,
    seed: int,
    batch_size: int | None = None,
) -> Any:
    """Make the model that the options describe; None leaves the classifier's default."""
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
        model = GenreClassifier(random_state=seed)
        return model if duration is None else model.set_params(duration=duration)
    sound: dict[str, Any] = {"n_segments": n_segments, "duration": duration}
    pipeline = make_genre_pipeline(
        classifier, **{name: value for name, value in sound.items() if value is not None}
    )
    pipeline[-1].set_params(random_state=seed)
    trained = pipeline[-1]
    if classifier == "hierarchical":  # its nodes' classifiers are what is trained
        trained = LSTMGenreClassifier()
        pipeline[-1].set_params(estimator=trained)
    training = {"epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size}
    trained.set_params(**{name: value for name, value in training.items() if value is not None})
    return pipeline


def _halves(model: Any) -> tuple[Any, Any]:
    """Return the front end of a model, and a pipeline of what learns from its output."""
    from sklearn.pipeline import Pipeline

    if isinstance(model, Pipeline):
        return model["features"], model[-2:]
    front, classifier = model.split_front_end()
    return front, Pipeline([("classifier", classifier)])


def _joined(model: Any, learner: Any) -> Any:
    """Return the whole model once its second half is fitted."""
    from sklearn.pipeline import Pipeline

    if isinstance(model, Pipeline):
        return model  # whose own steps are those of the second half
    return learner[-1].set_params(precomputed=False)


def _check_rich() -> None:
    try:
        import rich  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ImportError(
            '--progress needs the package rich: pip install "skgenre[progress]"'
        ) from error


def _read_folder(args: argparse.Namespace) -> Any:
    """List the music; files that cannot be used are an error without --skip-corrupt."""
    from skgenre import load_genre_folder

    metadata = None if args.metadata.lower() == "none" else args.metadata
    with warnings.catch_warnings():
        # They are told here, in the terms of the command line.
        warnings.filterwarnings("ignore", r"\d+ of \d+ files of .* were left out", UserWarning)
        music = load_genre_folder(args.folder, metadata=metadata, on_error="skip")
    if music.skipped and not args.skip_corrupt:
        reasons = "; ".join(reason.rstrip(".") for _, reason in music.skipped[:_SHOWN])
        if len(music.skipped) > _SHOWN:
            reasons += f"; and {len(music.skipped) - _SHOWN} more"
        without_artists = (
            "" if metadata is None else ", or train without artists by --metadata none"
        )
        raise ValueError(
            f"{len(music.skipped)} of {len(music.skipped) + len(music.data)} files of "
            f"{args.folder} cannot be used: {reasons}. Repair them, or leave them out by "
            f"--skip-corrupt{without_artists}."
        )
    return music


def _say_music(folder: str, music: Any) -> None:
    echo(f"Music in {folder}")
    header = ["genre", "tracks"]
    tracks = Counter(music.target.tolist())
    rows: list[list[object]] = [[genre, tracks[genre]] for genre in music.target_names]
    rows.append(["total", len(music.data)])
    if music.artists is not None:
        header.append("artists")
        for row in rows[:-1]:
            row.append(len(set(music.artists[music.target == row[0]])))
        rows[-1].append(len(set(music.artists)))
    echo_table(header, rows)
    if music.artists is None:
        echo("Artists are not known.")
    else:
        echo(f"Artists are from {music.metadata}.")
    _say_left_out(reason for _, reason in music.skipped)


def _say_left_out(reasons: Iterable[str]) -> None:
    for reason in reasons:
        echo(f"Left out: {reason}")


def _extract(front: Any, music: Any, args: argparse.Namespace) -> tuple[Array, Array, Array | None]:
    """Compute the features; damage that a header did not show is found here."""
    bad: list[str] = []
    features, rows = extract(
        front,
        _tracked(music.data.tolist()) if args.progress else music.data.tolist(),
        (lambda path, error: bad.append(str(error))) if args.skip_corrupt else None,
    )
    _say_left_out(bad)
    y = music.target[rows]
    lost = sorted(set(music.target_names) - set(y.tolist()))
    if lost:
        echo(f"No track is left of {', '.join(lost)}.")
    if len(set(y.tolist())) < 2:
        raise ValueError(
            f"Only tracks of {str(y[0])!r} are left; to tell genres takes two or more."
        )
    return features, y, None if music.artists is None else music.artists[rows]


def _tracked(paths: list[str]) -> Iterable[str]:
    from rich.console import Console
    from rich.progress import track

    return track(paths, description="Features", console=Console(stderr=True))


def _say_folds(folds: Folds, wanted: int, artists: Array | None) -> None:
    n_folds = len(folds.splits)
    what = "track" if artists is None else "artist"
    echo(
        f"\nCross-validation in {n_folds} folds"
        + (", split by track." if artists is None else ": no artist is in training and test.")
    )
    if n_folds < wanted:
        echo(
            f"{n_folds} folds instead of {wanted}, for the genre {folds.scarcest!r} has "
            f"{folds.n_scarcest} {what}s."
        )
    if artists is None:
        echo(
            "Warning: artists are not known. Where tracks of one artist are in training and in "
            "test,\nthe accuracy comes out too high. Name the artists in a table (--metadata CSV)."
        )


def _say_validation(validation: Validation) -> None:
    echo(
        f"  track accuracy     {validation.accuracy:.3f} +/- {validation.deviation:.3f} "
        "(mean and standard deviation of the folds)"
    )
    echo(f"  balanced accuracy  {validation.balanced_accuracy:.3f} (mean recall of the genres)")
    counts = Counter(validation.y.tolist())
    genre, count = counts.most_common(1)[0]
    echo(f"  chance             {count / len(validation.y):.3f} (answering {genre!r} always)\n")
    echo_table(
        ["genre", "tracks", "recall"],
        [[name, counts[name], Share(validation.recall(name))] for name in sorted(counts)],
    )
