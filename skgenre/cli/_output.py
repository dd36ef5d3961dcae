"""A result in a file, beside what is printed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from skgenre.cli._model import check_destination
from skgenre.utils._io import write_whole


def check_output(args: argparse.Namespace) -> Path | None:
    """Check --output before any computing; None without it."""
    if args.output is None:
        return None
    if not args.output.lower().endswith((".json", ".md")):
        raise ValueError(f"--output {args.output} should end in .json or .md.")
    return check_destination(args.output, force=args.force, what="result")


def write_output(output: Path | None, result: Any, *more: str) -> None:
    """Write a record as JSON, or its table in Markdown with some more text."""
    if output is None:
        return
    if output.suffix.lower() == ".json":
        result.save(output)
    else:
        write_whole(output, "\n\n".join([result.to_markdown(), *more]) + "\n")
