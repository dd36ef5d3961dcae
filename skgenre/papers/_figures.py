"""The figures of a cell: what the paper says, and what the predictions amount to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.classifiers import GTZAN_HIERARCHY, vote
from skgenre.datasets.gtzan import GENRES
from skgenre.evaluation import EvaluationResult
from skgenre.papers._data import plain
from skgenre.papers._registry import PaperSystem

Array = NDArray[Any]
Row = dict[str, Any]

# kumar2021, the F1 of each genre in the reports of figures 13 and A, in GTZAN's order.
_F1 = {
    "kumar2021/image-cnn": (0.50, 0.89, 0.42, 0.42, 0.49, 0.53, 0.76, 0.61, 0.37, 0.26),
    "kumar2021/transfer": (0.49, 0.89, 0.37, 0.46, 0.54, 0.72, 0.63, 0.73, 0.34, 0.24),
}
_SMALLEST = float(np.finfo(np.float32).eps)  # as the log loss of an evaluation has it


def _leaves(part: Any) -> tuple[str, ...]:
    return tuple(part) if isinstance(part, tuple) else tuple(g for p in part.values() for g in p)


# The published name of each node -> the genres below each of its children.
_NODES: dict[str, list[tuple[str, ...]]] = {
    "accuracy of LSTM1 (root)": [_leaves(part) for part in GTZAN_HIERARCHY.values()],
    "accuracy of LSTM2a (strong)": list(GTZAN_HIERARCHY["strong"].values()),
    "accuracy of LSTM2b (mild)": list(GTZAN_HIERARCHY["mild"].values()),
    **{
        f"accuracy of LSTM3{letter} ({', '.join(genres)})": [(genre,) for genre in genres]
        for letter, genres in zip(
            "abcd",
            (g for groups in GTZAN_HIERARCHY.values() for g in groups.values()),
            strict=True,
        )
    },
}


def _row(
    figure: str,
    paper: float | None,
    measured: list[float] | float | None,
    honest: Any = None,
) -> Row:
    """Put the three beside each other; several trainings become mean and deviation."""
    values = [measured] if isinstance(measured, float) else measured or []
    if not isinstance(honest, dict):
        honest = {"value": honest, "low": None, "high": None}
    return {
        "figure": figure,
        "paper": paper,
        "measured": float(np.mean(values)) if values else None,
        "measured_std": float(np.std(values)) if len(values) > 1 else None,
        "honest": honest["value"],
        "honest_low": honest["low"],
        "honest_high": honest["high"],
    }


def _shares(outcomes: list[dict[str, Any]], *, learnt: bool = False) -> list[float]:
    """Accuracy by segment of each training."""
    parts = [_part(outcome, learnt) for outcome in outcomes]
    return [
        float(np.mean(outcome["segment_share"][part]))
        for outcome, part in zip(outcomes, parts, strict=True)
    ]


def _part(outcome: dict[str, Any], learnt: bool) -> slice:
    return slice(0, outcome["n_learnt"]) if learnt else slice(outcome["n_learnt"], None)


def _errors(outcomes: list[dict[str, Any]], *, learnt: bool = False) -> list[float]:
    """Cross-entropy by segment of each training."""
    errors = []
    for outcome in outcomes:
        part = _part(outcome, learnt)
        columns = [outcome["classes"].index(genre) for genre in outcome["genre"][part]]
        proba = np.array(outcome["proba"][part])
        likelihood = np.maximum(proba[np.arange(len(columns)), columns], _SMALLEST)
        errors.append(float(np.mean(-np.log(likelihood))))
    return errors


def _hit_share(outcomes: list[dict[str, Any]]) -> float:
    """Accuracy by track, over all trainings."""
    hits = [
        label == genre
        for outcome in outcomes
        for label, genre in zip(outcome["predicted"], outcome["genre"], strict=True)
    ]
    return float(np.mean(hits))


def _widen(outcome: dict[str, Any], classes: list[Any]) -> Array:
    """Give probabilities a column for each genre, also for those that a training never saw."""
    proba = np.zeros((len(outcome["proba"]), len(classes)))
    proba[:, [classes.index(label) for label in outcome["classes"]]] = outcome["proba"]
    return proba


def _table1(system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall = system.published, honest.overall
    return [
        _row("accuracy", said["accuracy"], _shares(outcomes, learnt=True)),
        _row(
            "validation accuracy",
            said["validation accuracy"],
            _shares(outcomes),
            overall["segment_accuracy"],
        ),
        _row("error", said["error"], _errors(outcomes, learnt=True)),
        _row("validation error", said["validation error"], _errors(outcomes)),
        _row("track accuracy", None, None, overall["track_accuracy"]),
    ]


def _validation(
    system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any
) -> list[Row]:
    name, overall = "validation accuracy", honest.overall
    return [
        _row(name, system.published[name], _shares(outcomes), overall["segment_accuracy"]),
        _row("track accuracy", None, None, overall["track_accuracy"]),
    ]


def _test(system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall = system.published, honest.overall
    name = "segment accuracy"
    return [
        _row(name, said[name], _shares(outcomes), overall["segment_accuracy"]),
        _row("error", said["error"], _errors(outcomes)),
        _row("track accuracy", None, None, overall["track_accuracy"]),
    ]


def _votes(system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall = system.published, honest.overall
    threshold = model.threshold
    right, decided = count_votes(outcomes, honest.n_segments or 1, threshold)
    rejected = np.array([label not in honest.classes for label in honest.tracks["predicted"]])
    name = "piece accuracy"
    shares = np.concatenate([outcome["segment_share"] for outcome in outcomes])
    return [
        _row(name, said[name], float(shares.mean()), overall["segment_accuracy"]),
        _row(
            "track accuracy",
            said["track accuracy"],
            float(right.mean()),
            overall["track_accuracy"],
        ),
        _row("tracks rejected", None, float(1 - decided.mean()), float(rejected.mean())),
    ]


def count_votes(
    outcomes: list[dict[str, Any]], n_segments: int, threshold: int
) -> tuple[Array, Array]:
    """Let the segments of each track vote, each judged by the model that did not learn it.

    Parameters
    ----------
    outcomes : list of dict
        Folds of segments, in which each is judged once.
    n_segments : int
        Segments a track, which follow one another.
    threshold : int
        Votes that a genre needs.

    Returns
    -------
    right, decided : ndarray of shape (n_tracks,) of bool
        Whether the true genre won, and whether any did.
    """
    classes = sorted({label for outcome in outcomes for label in outcome["classes"]})
    order = np.argsort(np.concatenate([outcome["test"] for outcome in outcomes]))
    truth = [classes.index(label) for outcome in outcomes for label in outcome["genre"]]
    proba = np.concatenate([_widen(outcome, classes) for outcome in outcomes])[order]
    proba = proba.reshape(-1, n_segments, len(classes))  # (n_tracks, n_segments, n_classes)
    winners = vote(proba, "hard").argmax(axis=1)
    n_votes = (proba.argmax(axis=2) == winners[:, np.newaxis]).sum(axis=1)
    decided = n_votes >= threshold
    return decided & (winners == np.array(truth)[order][::n_segments]), decided


def _whole(system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    (said,) = system.published.values()
    return [_row("track accuracy", said, _hit_share(outcomes), honest.overall["track_accuracy"])]


def _nodes(system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    truth = [genre for outcome in outcomes for genre in outcome["genre"]]
    proba = np.concatenate([_widen(outcome, honest.classes) for outcome in outcomes])
    measured = node_accuracies(truth, proba, honest.classes)
    fair = node_accuracies(honest.tracks["genre"], np.array(honest.tracks["proba"]), honest.classes)
    rows = [_row(name, system.published[name], measured[name], fair[name]) for name in _NODES]
    name = "track accuracy"
    overall = honest.overall["track_accuracy"]
    return [*rows, _row(name, system.published[name], _hit_share(outcomes), overall)]


def node_accuracies(truth: list[Any], proba: Array, classes: list[Any]) -> dict[str, float | None]:
    """Measure each node of the hierarchy on the tracks whose genre lies below it.

    Parameters
    ----------
    truth : list
        True genre of each track.
    proba : ndarray of shape (n_tracks, n_classes)
        Probabilities of the whole hierarchy, with soft routing. Those below a node, divided
        by their sum, are the node's own: the largest sum below a child is its decision.
    classes : list
        The genres, the columns of ``proba``.

    Returns
    -------
    accuracies : dict of str to float or None
        By the published name of each node; None where it has nothing to decide.
    """
    spelled = [plain(label) for label in classes]
    true = np.array([plain(label) for label in truth])
    accuracies: dict[str, float | None] = {}
    for name, children in _NODES.items():
        present = [[spelled.index(g) for g in child if g in spelled] for child in children]
        present = [columns for columns in present if columns]
        below = np.isin(true, [spelled[c] for columns in present for c in columns])
        accuracies[name] = None
        if len(present) > 1 and below.any():
            sums = np.stack([proba[below][:, c].sum(axis=1) for c in present], axis=1)
            position = {spelled[c]: k for k, columns in enumerate(present) for c in columns}
            wanted = np.array([position[genre] for genre in true[below]])
            # Where the sum is 0 the node was never asked: no decision is no right one.
            right = (sums.argmax(axis=1) == wanted) & (sums.max(axis=1) > 0)
            accuracies[name] = float(right.mean())
    return accuracies


def _report(system: PaperSystem, outcomes: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    name = "track accuracy"
    rows = [
        _row(name, system.published[name], _hit_share(outcomes), honest.overall["track_accuracy"])
    ]
    said = dict(zip(GENRES, _F1[system.name], strict=True))
    found = make_reports(outcomes, honest)
    labels = {plain(label): str(label) for label in honest.classes}
    for genre in [*GENRES, *(key for key in labels if key not in GENRES)]:
        label = labels.get(genre, genre)
        values = [found[side].get(label, {}).get("f1") for side in ("measured", "honest")]
        rows.append(_row(f"F1 of {label}", said.get(genre), *values))
    return rows


def make_reports(
    outcomes: list[dict[str, Any]], honest: EvaluationResult
) -> dict[str, dict[str, dict[str, float]]]:
    """Report precision, recall, F1 and support of each genre, by track.

    Parameters
    ----------
    outcomes : list of dict
        Under the paper's protocol; several trainings count together.
    honest : EvaluationResult
        Under the honest protocol.

    Returns
    -------
    reports : dict of str to dict
        "measured" and "honest": for each genre the four numbers.
    """
    truth = [genre for outcome in outcomes for genre in outcome["genre"]]
    predicted = [label for outcome in outcomes for label in outcome["predicted"]]
    tracks = honest.tracks
    return {
        "measured": _report_of(truth, predicted, honest.classes),
        "honest": _report_of(tracks["genre"], tracks["predicted"], honest.classes),
    }


def _report_of(
    truth: list[Any], predicted: list[Any], classes: list[Any]
) -> dict[str, dict[str, float]]:
    from sklearn.metrics import precision_recall_fscore_support

    scores = precision_recall_fscore_support(truth, predicted, labels=classes, zero_division=0.0)
    names = ("precision", "recall", "f1", "support")
    return {
        str(label): {name: float(score[k]) for name, score in zip(names, scores, strict=True)}
        for k, label in enumerate(classes)
    }


def blank_rows(system: PaperSystem) -> list[Row]:
    """Return the published figures alone, for a cell that did not run."""
    return [
        _row(name, value, None) for name, value in system.published.items() if name != "threshold"
    ]


FIGURES: dict[str, Callable[[PaperSystem, Any, EvaluationResult, Any], list[Row]]] = {
    "table1": _table1,
    "validation": _validation,
    "test": _test,
    "votes": _votes,
    "whole": _whole,
    "nodes": _nodes,
    "report": _report,
}
