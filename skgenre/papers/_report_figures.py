"""The figures of a report, drawn from the rows of a result."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from skgenre.evaluation import EvaluationResult
from skgenre.plotting import TrainingHistoryDisplay

Row = dict[str, Any]

# Okabe and Ito's palette, safe for red-green colour blindness, and a marker of each.
_SERIES = (
    ("paper", "the paper", "#7F7F7F", "D"),
    ("measured", "measured, paper's protocol", "#D55E00", "o"),
    ("honest", "measured honestly", "#0072B2", "s"),
)
_NUMBERED = re.compile(r"(.+)-(\d+)")
_BY_NUMBER = "Numbers of "  # how the title of an experiment over a number begins
_MAX_COLUMNS = 2


def plan_figures(title: str, rows: Sequence[Row]) -> list[tuple[str, str, Callable[[], Any]]]:
    """Choose the figures that compare the rows of a result.

    Parameters
    ----------
    title : str
        ``title`` of a result.
    rows : sequence of dict
        ``rows`` of a result.

    Returns
    -------
    figures : list of tuple
        For each the name of its file, its caption, and a function that draws it.
    """
    rows = [row for row in rows if any(row[name] is not None for name, *_ in _SERIES)]
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    numbered = {cell: _NUMBERED.fullmatch(cell) for cell in cells}
    if title.startswith(_BY_NUMBER) and all(numbered.values()):
        unit = title.removeprefix(_BY_NUMBER)
        series = list(dict.fromkeys(found[1] for found in numbered.values() if found))
        return [
            (
                f"comparison-{file_name(name)}",
                f"{name.upper()} by number of {unit}.",
                partial(draw_by_number, _of_series(rows, name), unit),
            )
            for name in series
        ]
    has_genres = any(row["figure"].startswith("F1 of") for row in rows)
    if len(cells) > 1 and not has_genres:
        caption = f"{title}: all cells."
        return [("comparison", caption, partial(draw_by_name, rows, "figure", "cell"))]
    return [
        (
            f"comparison-{file_name(cell)}",
            f"All figures of {cell}.",
            partial(draw_by_name, [row for row in rows if row["cell"] == cell], "unit", "figure"),
        )
        for cell in cells
    ]


def _of_series(rows: Sequence[Row], name: str) -> list[Row]:
    """Return the rows of cells such as "mlp-10" for "mlp"."""
    return [row for row in rows if row["cell"].rpartition("-")[0] == name]


def file_name(text: str) -> str:
    """Return a name of a file, without characters that a file system may refuse."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


def _unit(row: Row) -> str:
    return "cross-entropy" if row["figure"].endswith("error") else "share"


def draw_by_number(rows: Sequence[Row], unit: str) -> Any:
    """Draw the rows of cells such as "mlp-10" and "mlp-20" as lines, axes for each figure."""
    panels = _group(rows, "figure")
    figure, axes = _axes(len(panels), (3.8, 2.9))
    for ax, (title, of) in zip(axes, panels.items(), strict=True):
        of = sorted(of, key=lambda row: int(row["cell"].rpartition("-")[2]))
        numbers = [int(row["cell"].rpartition("-")[2]) for row in of]
        for name, label, color, marker in _SERIES:
            shown = [(x, row) for x, row in zip(numbers, of, strict=True) if row[name] is not None]
            ax.errorbar(
                [x for x, _ in shown],
                [row[name] for _, row in shown],
                yerr=_spread(name, [row for _, row in shown]),
                label=label,
                color=color,
                marker=marker,
                linestyle="--" if name == "paper" else "-",
                capsize=3,
            )
        ax.set(title=title, xlabel=unit, ylabel=_unit(of[0]), xticks=numbers)
    _legend(figure, axes[0])
    return figure


def draw_by_name(rows: Sequence[Row], panels: str, labels: str) -> Any:
    """Draw rows as points beside their names.

    Parameters
    ----------
    rows : sequence of dict
        ``rows`` of a result.
    panels : {"figure", "unit"}
        What has axes of its own.
    labels : {"cell", "figure"}
        What names a point.
    """
    groups = _group(rows, panels)
    n_names = max(map(len, groups.values()))
    longest = max(len(row[labels]) for row in rows)
    figure, axes = _axes(len(groups), (3.6 + 0.08 * longest, 1.1 + 0.42 * n_names))
    for ax, (title, of) in zip(axes, groups.items(), strict=True):
        for shift, (name, label, color, marker) in zip((-0.2, 0.0, 0.2), _SERIES, strict=True):
            shown = [(i + shift, row) for i, row in enumerate(of) if row[name] is not None]
            ax.errorbar(
                [row[name] for _, row in shown],
                [y for y, _ in shown],
                xerr=_spread(name, [row for _, row in shown]),
                label=label,
                color=color,
                marker=marker,
                linestyle="none",
                capsize=3,
            )
        ax.set_yticks(range(len(of)), [row[labels] for row in of])
        ax.set_ylim(len(of) - 0.5, -0.5)
        ax.grid(axis="x", alpha=0.3)
        ax.set(title=title if panels == "figure" else "", xlabel=_unit(of[0]))
    _legend(figure, axes[0])
    return figure


def draw_confusion(evaluation: EvaluationResult) -> Any:
    """Draw the confusion matrix of a cell."""
    side = 2.8 + 0.52 * len(evaluation.labels)
    figure = _new_figure((side + 0.6, side))
    evaluation.plot(figure.add_subplot())
    return figure


def draw_histories(histories: Sequence[dict[str, list[float]]]) -> Any:
    """Draw accuracy and loss of the trainings of a cell by epoch."""
    figure = _new_figure((8.8, 3.6))
    TrainingHistoryDisplay.from_history(histories, ax=figure.subplots(1, 2))
    return figure


def _group(rows: Sequence[Row], of: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_unit(row) if of == "unit" else row[of], []).append(row)
    return groups


def _new_figure(size: tuple[float, float]) -> Any:
    """Make a figure that pyplot does not know, so that no window opens and none stays open."""
    return import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")


def _axes(n: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """Make a figure with axes of some size in inches, in columns."""
    n_columns = min(n, _MAX_COLUMNS)
    n_rows = -(-n // n_columns)
    figure = _new_figure((size[0] * n_columns + 0.4, size[1] * n_rows + 0.5))
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
    for ax in axes[n:]:
        ax.remove()
    return figure, axes[:n]


def _spread(name: str, rows: Sequence[Row]) -> Any:
    """Return the lengths of error bars, below and above; None for none."""
    if name == "measured" and any(row["measured_std"] is not None for row in rows):
        spread = [row["measured_std"] or 0.0 for row in rows]
        return [spread, spread]
    if name == "honest" and any(row["honest_low"] is not None for row in rows):
        # The point is not a resample and may lie a little outside of its interval.
        intervals = [row for row in rows if row["honest_low"] is not None]
        below = {id(row): max(0.0, row["honest"] - row["honest_low"]) for row in intervals}
        above = {id(row): max(0.0, row["honest_high"] - row["honest"]) for row in intervals}
        return [[ends.get(id(row), 0.0) for row in rows] for ends in (below, above)]
    return None


def _legend(figure: Any, ax: Any) -> None:
    entries = ax.get_legend_handles_labels()
    figure.legend(*entries, loc="outside upper center", ncols=3, frameon=False)
