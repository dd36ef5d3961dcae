"""What a report of a reproduction says, before it is Markdown, HTML or LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from skgenre.papers._references import make_bibtex
from skgenre.papers._report_figures import draw_confusion, draw_histories, file_name, plan_figures

if TYPE_CHECKING:
    from skgenre.papers._report import ReproductionResult

# Parameters that change no figure, and hold paths of the machine.
_NOT_SHOWN = ("memory", "n_jobs", "verbose")


@dataclass(frozen=True)
class Table:
    """A table: the name of its file, its caption, its head and its rows.

    One that is too long for a page has no file in LaTeX.
    """

    name: str
    caption: str
    head: list[str]
    rows: list[list[str]]
    is_long: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure: the name of its file, its caption, and a function that draws it."""

    name: str
    caption: str
    draw: Callable[[], Any]


@dataclass(frozen=True)
class Code:
    """Text that is shown as it stands."""

    text: str


Block = str | list[str] | Table | Figure | Code


@dataclass(frozen=True)
class Section:
    """A heading and what follows it: paragraphs, lists, tables, figures and code."""

    title: str
    blocks: list[Block]


def make_sections(result: ReproductionResult) -> list[Section]:
    """Put together all that a report says.

    Parameters
    ----------
    result : ReproductionResult
        The result.

    Returns
    -------
    sections : list of Section
        Figures are not drawn yet.
    """
    head, rows = result.table()
    comparison = Table("comparison", f"{result.experiment}: {result.title}", head, rows)
    # Among the remarks too, but a reader of figures may not come to those.
    warning = ["A quick run, to try it out: its figures mean nothing."]
    warning = warning if result.settings["quick"] else []
    sections = [
        Section("Result", [*warning, comparison, result.remarks()]),
        Section("Figures", [Figure(*figure) for figure in plan_figures(result.title, result.rows)]),
        Section("Accuracy and error by epoch", _histories(result)),
        Section("Honest protocol, all metrics", _metrics(result)),
        Section("Precision, recall and F1", [_genres(*of) for of in _reports(result)]),
        Section("Confusion matrices under the honest protocol", _confusions(result)),
        Section("Settings and seeds", _settings(result)),
        Section("Times", _times(result)),
        Section("Versions", [_pairs("versions", "Versions", result.environment)]),
        Section("References", [Code(make_bibtex(paper_key(result), result.environment))]),
    ]
    return [section for section in sections if section.blocks]


def paper_key(result: ReproductionResult) -> str:
    """Return the key of the paper, such as "hu2022"."""
    return result.experiment.partition("/")[0]


def _pairs(name: str, caption: str, values: dict[str, Any]) -> Table:
    rows = [[key, _text(value)] for key, value in values.items()]
    return Table(name, caption, ["name", "value"], rows)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def _histories(result: ReproductionResult) -> list[Block]:
    by_cell: dict[str, list[dict[str, list[float]]]] = {}
    for training in result.trainings:
        # Files of earlier versions have no histories.
        if training["protocol"] == "paper" and training.get("history"):
            by_cell.setdefault(training["cell"], []).append(training["history"])
    return [
        Figure(
            f"epochs-{file_name(cell)}",
            f"{cell}: the trainings under the paper's protocol, on the segments trained on"
            f"{' and on a validation part' if 'val_loss' in histories[0] else ''}.",
            partial(draw_histories, histories),
        )
        for cell, histories in by_cell.items()
    ]


def _metrics(result: ReproductionResult) -> list[Block]:
    evaluations = result.evaluations
    names = list(dict.fromkeys(name for e in evaluations.values() for name in e.overall))
    rows = []
    for cell, evaluation in evaluations.items():
        found = []
        for name in names:
            entry = evaluation.overall.get(name, {"value": None, "low": None})
            text = "-" if entry["value"] is None else f"{entry['value']:.3f}"
            if entry["low"] is not None:
                text += f" ({entry['low']:.3f} to {entry['high']:.3f})"
            found.append(text)
        rows.append([cell, *found])
    if not rows:
        return []
    head = ["cell", *(name.replace("_", " ").replace("f1", "F1") for name in names)]
    caption = f"All metrics under the honest protocol ({result.honest_protocol})"
    return [Table("metrics", caption, head, rows)]


def _reports(result: ReproductionResult) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (cell, side, genres)
        for cell, report in result.reports.items()
        for side, genres in report.items()
    ]


def _genres(cell: str, side: str, genres: dict[str, dict[str, float]]) -> Table:
    names = ("precision", "recall", "f1")
    rows = [
        [genre, *(f"{values[name]:.3f}" for name in names), f"{values['support']:.0f}"]
        for genre, values in genres.items()
    ]
    how = "honestly" if side == "honest" else "under the paper's protocol"
    head = ["genre", "precision", "recall", "F1", "support"]
    return Table(f"genres-{file_name(cell)}-{side}", f"{cell}, measured {how}", head, rows)


def _confusions(result: ReproductionResult) -> list[Block]:
    return [
        Figure(
            f"confusion-{file_name(cell)}",
            f"{cell}: share of the tracks of each true genre, and numbers of tracks.",
            partial(draw_confusion, evaluation),
        )
        for cell, evaluation in result.evaluations.items()
    ]


def _settings(result: ReproductionResult) -> list[Block]:
    shown = {
        **result.settings,
        "n_tracks": result.n_tracks,
        "n_artists": result.n_artists,
        "genres": result.genres,
    }
    values: dict[tuple[str, str], list[str]] = {}
    for cell, evaluation in result.evaluations.items():
        for name, value in evaluation.parameters.items():
            # PerTrack shows the parameters of its steps under two names.
            is_twice = name.replace("transformer__", "", 1) in evaluation.parameters.keys() - {name}
            if name.rpartition("__")[2] not in _NOT_SHOWN and not is_twice:
                values.setdefault((name, value), []).append(cell)
    n_cells = len(result.evaluations)
    rows = [
        [name, value, "all" if len(cells) == n_cells else ", ".join(cells)]
        for (name, value), cells in sorted(values.items(), key=lambda item: item[0][0])
    ]
    parameters = Table(
        "parameters",
        "Parameters of the pipelines, with the seeds of the networks",
        ["parameter", "value", "cells"],
        rows,
        is_long=True,
    )
    settings: list[Block] = [_pairs("settings", "Arguments of the run, and the data", shown)]
    return [*settings, parameters] if rows else settings


def _times(result: ReproductionResult) -> list[Block]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for training in result.trainings:
        groups.setdefault((training["cell"], training["protocol"]), []).append(training)
    rows = []
    for (cell, protocol), found in groups.items():
        seconds = [training["fit_time"] for training in found]
        sizes = [training["n_train"] for training in found]
        row = [cell, protocol, str(len(found)), f"{np.mean(sizes):.0f}"]
        rows.append([*row, f"{np.mean(seconds):.1f}", f"{sum(seconds):.1f}"])
    if not rows:
        return []
    head = ["cell", "protocol", "trainings", "rows to train on", "mean (s)", "all (s)"]
    return [
        Table("times", "Seconds of training, of the clock", head, rows),
        "Features are not in these times. A training found in a checkpoint has the time that it "
        "took when it was computed.",
    ]
