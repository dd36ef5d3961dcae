"""The command ``skgenre predict``."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from skgenre.cli._model import load_model, split_fitted
from skgenre.cli._report import Share, aligned, echo, printable

_PROBABILITY = "probability"
_NO_SOUND = "no sound"


def run(args: argparse.Namespace) -> int:
    """Predict each file; a file that cannot be read is reported, and the others are predicted."""
    with _no_garbage_collection():
        from skgenre.utils._pipeline import final_classifier

        model = load_model(args.model, trust_pickle=args.trust_pickle)
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
            reason = str(error)
            result = {"file": file, "error": reason}
            named = reason if file in reason else f"{file}: {reason}"
            echo(f"skgenre: error: {named}", sys.stderr)
        else:
            if table is not None:
                table.echo_row(result)
        results.append(result)
    if args.json:
        echo(json.dumps(results, indent=2, allow_nan=False))
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


def _predict(model: Any, file: str, *, segments: bool) -> dict[str, Any]:
    """Describe one file: its genre and all probabilities, the most probable first."""
    from skgenre.utils._warnings import (
        NO_SOUND,
        TrackWarning,
        gather_track_warnings,
        warn_of_tracks,
    )

    names = [str(name) for name in model.classes_]
    with gather_track_warnings() as found:
        classifier, features = split_fitted(model, [file])
        proba = classifier.predict_proba(features)[0]  # (n_classes,)
        by_segment = classifier.predict_segment_proba(features)[0] if segments else []
    silent = [warning.detail for warning in found if warning.problem == NO_SOUND[0]]
    if silent:
        reason = silent[0]
        warn_of_tracks([TrackWarning(file, reason, *NO_SOUND)])
        return {"file": file, "genre": None, "status": _NO_SOUND, "reason": reason}
    warn_of_tracks([*dict.fromkeys(found)])
    order = (-proba).argsort(kind="stable")
    result: dict[str, Any] = {
        "file": file,
        "genre": names[order[0]],
        "probabilities": {names[i]: round(float(proba[i]), 6) for i in order},
    }
    if segments:
        result["segments"] = [
            {
                # All genres have the same probability where there is no sound.
                "genre": names[row.argmax()] if row.max() > row.min() else None,
                _PROBABILITY: round(float(row.max()), 6),
            }
            for row in by_segment  # (n_classes,)
        ]
    return result


class _Table:
    """A table that prints each row as soon as it is known."""

    def __init__(self, model: Any, args: argparse.Namespace):
        genre_width = max(len(_NO_SOUND), *(len(str(name)) for name in model.classes_))
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
        if result["genre"] is None:
            echo(aligned([_in_one_line(result["file"]), _NO_SOUND], self.widths[:2]))
            return
        (genre, first), *others = result["probabilities"].items()
        row: list[object] = [_in_one_line(result["file"]), genre, Share(first)]
        if self.n_more:
            row.append(", ".join(f"{name} {p:.3f}" for name, p in others[: self.n_more]))
        if "segments" in result:
            row.append(_runs([segment["genre"] or _NO_SOUND for segment in result["segments"]]))
        echo(aligned(row, self.widths))


def _in_one_line(file: str) -> str:
    return printable(file).replace("\n", r"\n")


def _runs(genres: list[str]) -> str:
    """Shorten equal neighbours: "dub x3, swing, dub x2"."""
    runs = [(genre, len(list(group))) for genre, group in groupby(genres)]
    return ", ".join(genre if n == 1 else f"{genre} x{n}" for genre, n in runs)
