"""The command ``skgenre predict``."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import groupby
from typing import TYPE_CHECKING, Any

from skgenre.cli._cluster import dask_cluster
from skgenre.cli._model import identify_model, load_model
from skgenre.cli._progress import Progress
from skgenre.cli._report import Share, aligned, echo, printable

if TYPE_CHECKING:
    from skgenre.catalogue import FilePrediction

_PROBABILITY = "probability"
_MAX_FILE_WIDTH = 60
_N_TAGS = 5  # in the table


def run(args: argparse.Namespace) -> int:
    """Predict each file; a file that cannot be read is reported, and the others are predicted."""
    if args.output is None:
        for option in ("resume", "force", "playlists"):
            if getattr(args, option):
                raise ValueError(f"--{option} needs --output FILE.")
    if args.playlists and os.path.lexists(args.playlists) and not os.path.isdir(args.playlists):
        raise ValueError(f"--playlists: {args.playlists} is a file; give a folder.")
    with _no_garbage_collection():
        from skgenre.catalogue import DistinctPaths, predict_files
        from skgenre.utils._pipeline import final_classifier

        model = load_model(args.model, trust_pickle=args.trust_pickle)
    model_id = identify_model(args.model)
    if args.segments and not hasattr(final_classifier(model), "predict_segment_proba"):
        raise ValueError(
            f"--segments: the {type(final_classifier(model)).__name__} of {args.model} does not "
            "predict segments."
        )
    settings = {
        "model_id": model_id,
        "min_confidence": _min_confidence(args),
        "top": args.top if args.output else None,
        "max_genres": args.max_genres,
        "segments": args.segments,
    }
    paths, n_files = audio_paths(args.files, exclude=args.exclude)
    try:
        with dask_cluster(args.dask), _records(args, model, settings) as records:
            found = predict_files(
                model,
                paths,
                n_jobs=args.jobs,
                skip=None if records is None else records.is_recorded,
                **settings,
            )
            if records is not None:
                _write(records, found, Progress(n_files))
                failed = records.n_errors > 0
            elif args.json:
                failed = _echo_json(found)
            else:
                failed = _echo_table(found, model, args, paths if n_files is not None else ())
    except KeyboardInterrupt:
        if args.output:
            echo("To go on, give the same command with --resume.", sys.stderr)
        raise
    if isinstance(paths, DistinctPaths):
        echo_left_out(paths.left_out)
    if args.playlists:
        from skgenre.catalogue import read_records, write_playlists

        playlists = write_playlists(read_records(args.output, latest=True), args.playlists)
        echo(f"Wrote {len(playlists)} playlists into {args.playlists}.", sys.stderr)
    return int(failed)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Spare the searches for garbage while modules are imported, which make none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _min_confidence(args: argparse.Namespace) -> float:
    """Return the limit for "unknown": as given, or the one for the wished accuracy."""
    if args.min_accuracy is None:
        return args.min_confidence
    from skgenre.catalogue import read_info

    return read_info(args.model).min_confidence(args.min_accuracy)


def audio_paths(
    arguments: Sequence[str], *, exclude: Sequence[str] = ()
) -> tuple[Iterable[str], int | None]:
    """Return the files that arguments mean, each once; warn of what is left out.

    Parameters
    ----------
    arguments : sequence of str
        Files, folders and patterns, or "-" alone for a list on standard input.
    exclude : sequence of str, default=()
        Patterns of paths to leave out.

    Returns
    -------
    paths : iterable of str
        The files; of a list on standard input DistinctPaths, which know at the end what is listed
        again.
    n_files : int or None
        How many they are; None where standard input lists them.
    """
    from skgenre.catalogue import DistinctPaths, find_paths, read_list

    if list(arguments) == ["-"]:
        return DistinctPaths(read_list(sys.stdin.buffer)), None
    if "-" in arguments:
        raise ValueError(
            "- stands for the list on standard input and goes alone; a file of this name is ./-"
        )
    found = find_paths(arguments, exclude=exclude)
    echo_left_out(found.left_out)
    if not found.paths:
        raise ValueError(f"There are no audio files in {', '.join(arguments)}.")
    return found.paths, len(found.paths)


def echo_left_out(left_out: Sequence[tuple[str, str]]) -> None:
    """Warn of the paths that are left out, with the number for each reason."""
    from skgenre.catalogue import count_left_out

    if left_out:
        names = printable(", ".join(path for path, _ in left_out[:3]), sys.stderr)
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        echo(
            f"skgenre: warning: {len(left_out)} paths are left out "
            f"({count_left_out(left_out)}): {names}{more}",
            sys.stderr,
        )


def _records(
    args: argparse.Namespace, model: Any, settings: dict[str, Any]
) -> AbstractContextManager[Any]:
    if args.output is None:
        return nullcontext()
    from skgenre.catalogue import open_records

    return open_records(
        args.output,
        model.classes_,
        resume=args.resume,
        force=args.force,
        **settings,
    )


def _write(records: Any, found: Iterator[FilePrediction], progress: Progress) -> None:
    """Write each record, and a summary at the end."""
    counts: Counter[str] = Counter()
    try:
        for prediction in found:
            records.write(prediction)
            counts[prediction.status] += 1
            progress.advance()
    finally:
        progress.clear()
    if records.n_recorded:
        echo(f"{records.n_recorded} files were recorded before.", sys.stderr)
    described = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    echo(f"{counts.total()} files predicted{f': {described}' if counts else ''}.", sys.stderr)


def _echo_json(found: Iterator[FilePrediction]) -> bool:
    """Write a JSON list of the records, each as it is done; return whether one is an error."""
    failed = False
    separator = "["
    for prediction in found:
        failed |= _report(prediction)
        echo(f"{separator}\n {json.dumps(prediction.to_dict(), allow_nan=False)}", end="")
        separator = ","
    echo("[]" if separator == "[" else "\n]")
    return failed


def _echo_table(
    found: Iterator[FilePrediction], model: Any, args: argparse.Namespace, files: Iterable[str]
) -> bool:
    """Write a table, each row as it is done; return whether a file could not be read."""
    table = _Table(model, args, files)
    failed = False
    for prediction in found:
        failed |= _report(prediction)
        if prediction.status != "error":
            table.echo_row(prediction)
    return failed


def _report(prediction: FilePrediction) -> bool:
    """Write on standard error why a file has no genre; return whether it could not be read."""
    from skgenre.utils._warnings import NO_SOUND, TrackWarning, warn_of_tracks

    file, reason = prediction.path, prediction.reason or ""
    if prediction.status == "no sound":
        warn_of_tracks([TrackWarning(file, reason, *NO_SOUND)])
    if prediction.status == "error":
        named = reason if file in reason else f"{file}: {reason}"
        echo(f"skgenre: error: {named}", sys.stderr)
    return prediction.status == "error"


class _Table:
    """A table that prints each row as soon as it is known."""

    def __init__(self, model: Any, args: argparse.Namespace, files: Iterable[str]):
        names = [str(name) for name in model.classes_]
        genre_width = max(len("no sound"), *map(len, names))
        self.n_more = min(args.top or 1, len(names)) - 1
        header = ["file", "genre", _PROBABILITY]
        longest = max((len(_in_one_line(file)) for file in files), default=_MAX_FILE_WIDTH)
        self.widths = [
            max(len("file"), longest),
            args.max_genres * (genre_width + 2) - 2,
            len(_PROBABILITY),
        ]
        if self.n_more:
            header.append("next best")
            # Each of the others as "genre 0.123", joined by ", ".
            self.widths.append(max(len("next best"), self.n_more * (genre_width + 8) - 2))
        if hasattr(model, "predict_tag_proba"):
            header.append("tags")
            self.widths.append(len("tags"))
        if args.segments:
            header.append("segments")
            self.widths.append(len("segments"))
        self.header: list[str] | None = header

    def echo_row(self, found: FilePrediction) -> None:
        if self.header is not None:  # not before there is anything to show
            echo(aligned(self.header, self.widths))
            self.header = None
        file = _in_one_line(found.path)
        if found.status == "no sound":
            echo(aligned([file, found.status], self.widths[:2]))
            return
        genres = ", ".join(found.genres) or found.status
        (_, first), *others = found.probabilities.items()
        row: list[object] = [file, genres, Share(first)]
        if self.n_more:
            row.append(", ".join(f"{name} {p:.3f}" for name, p in others[: self.n_more]))
        if found.tags is not None:
            best = list(found.tags.items())[:_N_TAGS]
            row.append(", ".join(f"{tag} {p:.2f}" for tag, p in best))
        if found.segments is not None:
            row.append(_runs([segment["genre"] or "no sound" for segment in found.segments]))
        echo(aligned(row, self.widths))


def _in_one_line(file: str) -> str:
    return printable(file).replace("\n", r"\n")


def _runs(genres: list[str]) -> str:
    """Shorten equal neighbours: "dub x3, swing, dub x2"."""
    runs = [(genre, len(list(group))) for genre, group in groupby(genres)]
    return ", ".join(genre if n == 1 else f"{genre} x{n}" for genre, n in runs)
