"""The command ``skgenre tag``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from skgenre.cli._model import check_destination, identify_model, load_model
from skgenre.cli._predict import audio_paths, echo_left_out
from skgenre.cli._progress import Progress
from skgenre.cli._report import as_argument, echo
from skgenre.utils._io import check_regular_file
from skgenre.utils._json_lines import read_lines


def run(args: argparse.Namespace) -> int:
    """Plan, preview, apply or undo."""
    return {"plan": _plan, "preview": _preview, "apply": _apply, "undo": _undo}[args.action](args)


def _plan(args: argparse.Namespace) -> int:
    from skgenre.catalogue import DistinctPaths, predict_files
    from skgenre.tags import import_mutagen, plan_tags

    import_mutagen()  # before the long work
    paths: Iterable[str] = ()
    check_destination(args.output, force=args.force, what="plan")
    if args.predictions is not None and args.model is None:
        records: Iterable[dict[str, Any]] = _read_predictions(args.predictions)
        model = None
    elif args.predictions is None and args.paths:
        fitted = load_model(args.model, trust_pickle=args.trust_pickle)
        model = identify_model(args.model)
        paths, _ = audio_paths(args.paths)
        found = predict_files(fitted, paths, model_id=model)
        records = (prediction.to_dict() for prediction in found)
    else:
        raise ValueError("Give MODEL and PATH, or --predictions FILE alone.")
    failed: list[str] = []
    counts = plan_tags(
        _with_errors(records, failed),
        args.output,
        mode=args.mode or "fill",
        vocabulary=args.vocabulary,
        exclude=args.exclude,
        min_confidence=args.min_confidence,
        evidence=args.evidence,
        model=model,
    )
    if isinstance(paths, DistinctPaths):
        echo_left_out(paths.left_out)
    echo(
        f"Wrote {args.output}: {counts['write']} files to be tagged, {counts['keep']} kept as they "
        f"are, {counts['skip']} skipped. To see it: "
        f"skgenre tag preview {as_argument(args.output)}"
    )
    return int(bool(failed or counts["skip"]))


def _preview(args: argparse.Namespace) -> int:
    from skgenre.tags import preview_lines

    for line in preview_lines(args.plan, everything=args.all):
        echo(line)
    return 0


def _apply(args: argparse.Namespace) -> int:
    from skgenre.tags import apply_tags

    journal = args.journal or f"{args.plan}.journal"
    with _progress() as report:
        results = apply_tags(args.plan, journal=journal, keep_mtime=args.keep_mtime, report=report)
    counts = Counter(result["status"] for result in results)
    echo(
        f"{counts['written']} files tagged, {counts['already']} before, {counts['refused']} "
        f"refused. To undo it: skgenre tag undo {as_argument(journal)}"
    )
    return int(counts["refused"] > 0)


def _undo(args: argparse.Namespace) -> int:
    from skgenre.tags import undo_tags

    with _progress() as report:
        results = undo_tags(args.journal, report=report)
    counts = Counter(result["status"] for result in results)
    echo(
        f"{counts['restored']} files restored, {counts['already']} as they were, "
        f"{counts['refused']} refused."
    )
    return int(counts["refused"] > 0)


@contextmanager
def _progress() -> Iterator[Callable[[dict[str, str], int], None]]:
    """Yield what reports each file: progress, and why a file is refused."""
    progress = Progress(None)

    def report(result: dict[str, str], n_files: int) -> None:
        progress.n_files = n_files
        if result["status"] == "refused":
            progress.clear()
            echo(f"skgenre: refused: {_one_line(result['path'])}: {result['reason']}", sys.stderr)
        progress.advance()

    try:
        yield report
    except KeyboardInterrupt:
        progress.clear()
        echo("To go on, give the same command again.", sys.stderr)
        raise
    finally:
        progress.clear()


def _one_line(path: str) -> str:
    return path.replace("\n", r"\n")


def _with_errors(records: Iterable[dict[str, Any]], failed: list[str]) -> Iterator[dict[str, Any]]:
    """Report the files that could not be predicted on the way."""
    for record in records:
        if record.get("status") == "error":
            failed.append(record["path"])
            reason = str(record.get("reason", ""))
            path = _one_line(str(record["path"]))
            echo(f"skgenre: error: {reason if path in reason else f'{path}: {reason}'}", sys.stderr)
        yield record


def _read_predictions(path: str) -> Iterator[dict[str, Any]]:
    """Yield the last record of each path in a file; a line without a path is a header."""
    check_regular_file(path, "file")  # because it is read twice
    last = {str(record.get("path")): number for number, record in read_lines(path)}
    for number, record in read_lines(path):
        if "path" in record and last[str(record["path"])] == number:
            yield record
