"""The figures of a cell: those of the paper beside those of the measured predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.classifiers import GTZAN_HIERARCHY, vote
from skgenre.datasets.gtzan import GENRES
from skgenre.evaluation import EvaluationResult, FoldResult
from skgenre.papers._registry import PaperSystem

Array = NDArray[Any]
Row = dict[str, Any]

# kumar2021, the F1 of each genre in the reports of figures 13 and A, in GTZAN's order.
_F1 = {
    "kumar2021/image-cnn": (0.50, 0.89, 0.42, 0.42, 0.49, 0.53, 0.76, 0.61, 0.37, 0.26),
    "kumar2021/transfer": (0.49, 0.89, 0.37, 0.46, 0.54, 0.72, 0.63, 0.73, 0.34, 0.24),
}
_SMALLEST = float(np.finfo(np.float32).eps)  # as in the log loss of an evaluation


def plain_name(label: Any) -> str:
    """Spell a genre as GTZAN does: "Hip-Hop" is "hiphop"."""
    return "".join(ch for ch in str(label).casefold() if ch.isalnum())


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
    """Make a row; several trainings become their mean and standard deviation."""
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


def _select(folds: Sequence[FoldResult], *, trained: bool) -> list[FoldResult]:
    """Return the training rows of folds that score these too, or the others."""
    selected = []
    for fold in folds:
        rows = slice(0, fold.n_train) if trained else slice(fold.n_train, None)
        assert fold.proba is not None
        assert fold.segment_accuracy is not None
        selected.append(
            replace(
                fold,
                test=fold.test[rows],
                genre=fold.genre[rows],
                predicted=fold.predicted[rows],
                proba=fold.proba[rows],
                segment_accuracy=fold.segment_accuracy[rows],
            )
        )
    return selected


def _shares(folds: Sequence[FoldResult]) -> list[float]:
    """Return the accuracy by segment of each training."""
    return [float(np.mean(fold.segment_accuracy)) for fold in folds]  # type: ignore[arg-type]


def _errors(folds: Sequence[FoldResult]) -> list[float]:
    """Return the cross-entropy by segment of each training."""
    errors = []
    for fold in folds:
        assert fold.proba is not None
        columns = [fold.classes.index(genre) for genre in fold.genre]
        likelihood = np.maximum(fold.proba[np.arange(len(columns)), columns], _SMALLEST)
        errors.append(float(np.mean(-np.log(likelihood))))
    return errors


def _hit_share(folds: Sequence[FoldResult]) -> float:
    """Return the accuracy by track, over all trainings."""
    pairs = [pair for f in folds for pair in zip(f.genre, f.predicted, strict=True)]
    return float(np.mean([genre == label for genre, label in pairs]))


def _table1(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall = system.published, honest.overall
    trained, tested = _select(folds, trained=True), _select(folds, trained=False)
    name = "validation accuracy"
    return [
        _row("accuracy", said["accuracy"], _shares(trained)),
        _row(name, said[name], _shares(tested), overall["segment_accuracy"]),
        _row("error", said["error"], _errors(trained)),
        _row("validation error", said["validation error"], _errors(tested)),
        _row("track accuracy", None, None, overall["track_accuracy"]),
    ]


def _validation(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    name, overall = "validation accuracy", honest.overall
    return [
        _row(name, system.published.get(name), _shares(folds), overall["segment_accuracy"]),
        _row("track accuracy", None, None, overall["track_accuracy"]),
    ]


def _segment_figure(system: PaperSystem) -> float | None:
    """Return the published accuracy of segments, however the paper calls it."""
    names = ("segment accuracy", "test accuracy", "accuracy after")
    found = [value for key, value in system.published.items() if key.startswith(names)]
    return found[0] if found else None


def _tracks(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    overall, rows = honest.overall, []
    if all(fold.segment_accuracy is not None for fold in folds):
        said, found = _segment_figure(system), overall["segment_accuracy"]
        rows.append(_row("segment accuracy", said, _shares(folds), found))
    hits = [_hit_share([fold]) for fold in folds]
    return [*rows, _row("track accuracy", None, hits, overall["track_accuracy"])]


def _scopes(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall, rows = system.published.get("track accuracy"), honest.overall, []
    for scope, trained in (("test", False), ("training", True)):
        voted = _select(folds, trained=trained)
        predicted = [label for fold in voted for label in fold.predicted]
        rejected = np.mean([label not in honest.classes for label in predicted])
        fair = None if trained else overall["track_accuracy"]
        rows += [
            _row(f"track accuracy, {scope} tracks", said, _hit_share(voted), fair),
            _row(f"{scope} tracks rejected", None, float(rejected)),
        ]
    return rows


def _test(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall = system.published, honest.overall
    name = "segment accuracy"
    return [
        _row(name, _segment_figure(system), _shares(folds), overall["segment_accuracy"]),
        _row("error", said.get("error"), _errors(folds)),
        _row("track accuracy", None, None, overall["track_accuracy"]),
    ]


def _votes(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    said, overall = system.published, honest.overall
    threshold = model.threshold
    right, decided = count_votes(folds, honest.n_segments or 1, threshold)
    rejected = np.array([label not in honest.classes for label in honest.tracks["predicted"]])
    name = "segment accuracy"
    shares = np.concatenate([fold.segment_accuracy for fold in folds])
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
    folds: Sequence[FoldResult], n_segments: int, threshold: int
) -> tuple[Array, Array]:
    """Let the segments of each track vote, each predicted by a model that did not see it.

    Parameters
    ----------
    folds : sequence of FoldResult
        Folds of segments, in which each is scored once.
    n_segments : int
        Segments of a track, which follow one another.
    threshold : int
        Votes that a genre needs.

    Returns
    -------
    right, decided : ndarray of shape (n_tracks,) of bool
        Whether the true genre won, and whether any did.
    """
    classes = sorted({label for fold in folds for label in fold.classes})
    order = np.argsort(np.concatenate([fold.test for fold in folds]))
    truth = np.array([classes.index(label) for fold in folds for label in fold.genre])
    proba = np.concatenate([fold.proba_of(classes) for fold in folds])[order]
    proba = proba.reshape(-1, n_segments, len(classes))  # (n_tracks, n_segments, n_classes)
    winners = vote(proba, "hard").argmax(axis=1)
    n_votes = (proba.argmax(axis=2) == winners[:, np.newaxis]).sum(axis=1)
    decided = n_votes >= threshold
    return decided & (winners == truth[order][::n_segments]), decided


def _whole(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    (said,) = system.published.values()
    return [_row("track accuracy", said, _hit_share(folds), honest.overall["track_accuracy"])]


def _nodes(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    truth = [genre for fold in folds for genre in fold.genre]
    proba = np.concatenate([fold.proba_of(honest.classes) for fold in folds])
    measured = node_accuracies(truth, proba, honest.classes)
    fair = node_accuracies(honest.tracks["genre"], np.array(honest.tracks["proba"]), honest.classes)
    rows = [_row(name, system.published[name], measured[name], fair[name]) for name in _NODES]
    name = "track accuracy"
    overall = honest.overall["track_accuracy"]
    return [*rows, _row(name, system.published[name], _hit_share(folds), overall)]


def node_accuracies(truth: list[Any], proba: Array, classes: list[Any]) -> dict[str, float | None]:
    """Measure each node of the hierarchy on the tracks whose genre lies below it.

    Parameters
    ----------
    truth : list
        True genre of each track.
    proba : ndarray of shape (n_tracks, n_classes)
        Probabilities of the whole hierarchy, with soft routing. Those below a node, divided
        by their sum, are those of the node: its decision is the child with the largest sum.
    classes : list
        The genres, the columns of ``proba``.

    Returns
    -------
    accuracies : dict of str to float or None
        By the published name of each node; None if it has nothing to decide.
    """
    spelled = [plain_name(label) for label in classes]
    true = np.array([plain_name(label) for label in truth])
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
            # If all sums are 0 the node was never reached: no decision is not a right one.
            right = (sums.argmax(axis=1) == wanted) & (sums.max(axis=1) > 0)
            accuracies[name] = float(right.mean())
    return accuracies


def _report(system: PaperSystem, folds: Any, honest: EvaluationResult, model: Any) -> list[Row]:
    name = "track accuracy"
    published = system.published.get(name)
    rows = [_row(name, published, _hit_share(folds), honest.overall["track_accuracy"])]
    said = dict(zip(GENRES, _F1.get(system.name, [None] * len(GENRES)), strict=True))
    found = make_reports(folds, honest)
    labels = {plain_name(label): str(label) for label in honest.classes}
    for genre in [*GENRES, *(key for key in labels if key not in GENRES)]:
        label = labels.get(genre, genre)
        values = [found[side].get(label, {}).get("f1") for side in ("measured", "honest")]
        rows.append(_row(f"F1 of {label}", said.get(genre), *values))
    return rows


def make_reports(
    folds: Sequence[FoldResult], honest: EvaluationResult
) -> dict[str, dict[str, dict[str, float]]]:
    """Report precision, recall, F1 and support of each genre, by track.

    Parameters
    ----------
    folds : sequence of FoldResult
        Under the paper's protocol; several trainings count together.
    honest : EvaluationResult
        Under the honest protocol.

    Returns
    -------
    reports : dict of str to dict
        "measured" and "honest": for each genre the four numbers.
    """
    truth = [genre for fold in folds for genre in fold.genre]
    predicted = [label for fold in folds for label in fold.predicted]
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
    "tracks": _tracks,
    "scopes": _scopes,
    "votes": _votes,
    "whole": _whole,
    "nodes": _nodes,
    "report": _report,
}
