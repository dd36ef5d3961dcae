"""The command ``skgenre reproduce``."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from skgenre.cli._report import echo, echo_table


def run(args: argparse.Namespace) -> int:
    """Run an experiment, print the table, write it."""
    from skgenre import reproduce
    from skgenre.papers import check_report_folder, get_experiment

    # Errors come before the long work.
    get_experiment(args.experiment).choose(args.only, quick=args.quick)
    target = None if args.output is None else _check_output(args.output)
    if args.report is not None:
        check_report_folder(args.report)
    checkpoint = args.checkpoint
    if checkpoint is None and args.memory is not None:
        checkpoint = os.path.join(args.memory, "trainings")
    if checkpoint is None:
        print(
            "skgenre: nothing is kept, so that a stopped run starts from the beginning; give "
            "--memory",
            file=sys.stderr,
        )
    with redirect_stdout(sys.stderr):  # libraries print, such as bars of downloads
        result = reproduce(
            args.experiment,
            args.data,
            quick=args.quick,
            epochs=args.epochs,
            n_folds=args.folds,
            only=args.only,
            genres=args.genres,
            weights=args.weights,
            memory=args.memory,
            checkpoint=checkpoint,
            n_jobs=args.jobs,
            random_state=args.seed,
            verbose=1,
        )
    if target is not None:
        _write(result, target)
    _echo_result(result)
    if target is not None:
        echo(f"\nWrote {args.output}.")
    if args.report is not None:
        result.save_report(args.report)
        echo(f"\nWrote the report {args.report}: report.html, report.md, tables, figures.")
    return 1 if result.failed else 0


def _check_output(name: str) -> Path:
    """Refuse a file that cannot be written, before the run."""
    target = Path(os.path.abspath(name))
    if target.suffix.lower() not in (".md", ".json"):
        raise ValueError(f"--output {name} ends in neither .md (Markdown) nor .json.")
    if target.is_dir():
        raise IsADirectoryError(f"{name} is a folder; --output takes a file.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to write {name} in.")
    return target


def _write(result: Any, target: Path) -> None:
    from skgenre.utils._io import write_whole

    if target.suffix.lower() == ".json":
        result.save(target)
    else:
        write_whole(target, result.to_markdown())


def _echo_result(result: Any) -> None:
    echo(f"{result.experiment}: {result.title}\n{result.paper}.\n")
    head, rows = result.table()
    echo_table(head, rows, indent="")
    echo()
    for line in result.remarks():
        echo(f"- {line}")
