"""The command ``skgenre predict``."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby
from typing import Any

from skgenre.cli._model import load_model, split_fitted
from skgenre.cli._report import Share, aligned, echo, printable

_PROBABILITY = "probability"


def run(args: argparse.Namespace) -> int:
    """Predict each file; a file that cannot be read is reported, and the others are predicted."""
    from skgenre.utils._pipeline import final_classifier

    model = load_model(args.model)
    if args.segments and not hasattr(final_classifier(model), "predict_segment_proba"):
        raise ValueError(
            f"--segments: the {type(final_classifier(model)).__name__} of {args.model} does not "
            "predict segments."
        )
    table = None if args.json else _Table(model, args)
    results = []
    failed = False
    for file in args.files:
        try:
            result = _predict(model, file, segments=args.segments)
        except (ValueError, OSError) as error:
            failed = True
            reason = " ".join(str(error).split())
            result = {"file": file, "error": reason}
            named = reason if file in reason else f"{file}: {reason}"
            print(f"skgenre: error: {printable(named)}", file=sys.stderr)
        else:
            if table is not None:
                table.echo_row(result)
        results.append(result)
    if args.json:
        echo(json.dumps(results, indent=2, allow_nan=False))
    return int(failed)


def _predict(model: Any, file: str, *, segments: bool) -> dict[str, Any]:
    """Describe one file: its genre and all probabilities, the most probable first."""
    names = [str(name) for name in model.classes_]
    classifier, features = split_fitted(model, [file])
    proba = classifier.predict_proba(features)[0]  # (n_classes,)
    order = (-proba).argsort(kind="stable")
    result: dict[str, Any] = {
        "file": file,
        "genre": names[order[0]],
        "probabilities": {names[i]: round(float(proba[i]), 6) for i in order},
    }
    if segments:
        by_segment = classifier.predict_segment_proba(features)[0]  # (n_segments, n_classes)
        result["segments"] = [
            {"genre": names[row.argmax()], _PROBABILITY: round(float(row.max()), 6)}
            for row in by_segment
        ]
    return result


class _Table:
    """A table that prints each row as soon as it is known."""

    def __init__(self, model: Any, args: argparse.Namespace):
        genre_width = max(len("genre"), *(len(str(name)) for name in model.classes_))
        self.n_more = min(args.top, len(model.classes_)) - 1
        header = ["file", "genre", _PROBABILITY]
        file_width = max(len("file"), *(len(_in_one_line(file)) for file in args.files))
        self.widths = [file_width, genre_width, len(_PROBABILITY)]
        if self.n_more:
            header.append("next best")
            # Each of the others as "genre 0.123", joined by ", ".
            self.widths.append(max(len("next best"), self.n_more * (genre_width + 8) - 2))
        if args.segments:
            header.append("segments")
            self.widths.append(len("segments"))
        self.header: list[str] | None = header

    def echo_row(self, result: dict[str, Any]) -> None:
        if self.header is not None:  # not before there is anything to show
            echo(aligned(self.header, self.widths))
            self.header = None
        (genre, first), *others = result["probabilities"].items()
        row: list[object] = [_in_one_line(result["file"]), genre, Share(first)]
        if self.n_more:
            row.append(", ".join(f"{name} {p:.3f}" for name, p in others[: self.n_more]))
        if "segments" in result:
            row.append(_runs([segment["genre"] for segment in result["segments"]]))
        echo(aligned(row, self.widths))


def _in_one_line(file: str) -> str:
    return printable(file).replace("\n", r"\n")


def _runs(genres: list[str]) -> str:
    """Shorten equal neighbours: "dub x3, swing, dub x2"."""
    runs = [(genre, len(list(group))) for genre, group in groupby(genres)]
    return ", ".join(genre if n == 1 else f"{genre} x{n}" for genre, n in runs)
