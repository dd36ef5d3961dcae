"""The result of an evaluation, as plain values that a JSON file holds exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skgenre.classifiers import vote
from skgenre.evaluation._folds import FoldResult
from skgenre.evaluation._metrics import (
    CONFIDENCE,
    METRICS,
    bootstrap_weights,
    calibration_estimate,
    estimate,
    interval,
    weighted_metrics,
)
from skgenre.evaluation._protocols import Splits
from skgenre.evaluation._task import EvaluationTask
from skgenre.utils._environment import environment
from skgenre.utils._pipeline import final_classifier
from skgenre.utils._random import draw_seeds
from skgenre.utils._records import TableRecord, import_pandas, markdown_table

Array = NDArray[Any]

_N_THRESHOLDS = 200


@dataclass(frozen=True, repr=False)
class EvaluationResult(TableRecord):
    """The result of :func:`skgenre.evaluate`.

    Attributes
    ----------
    protocol : str
        Name of the protocol.
    classes : list
        The genres, sorted: the columns of probabilities.
    labels : list
        The rows and columns of confusion matrices: the genres, then other predictions, such
        as the label of rejected tracks.
    tracks : dict of str to list
        For each track that was scored: ``track``, its path or row; ``content``, a digest of
        a track that is an array; ``genre``, ``artist``, ``fold``, ``predicted``, ``proba``
        and ``segment_accuracy``. ``content`` is None if all tracks are files, ``artist`` if
        artists are not known, ``fold`` if the folds divide segments, and the last two if the
        model gives none.
    folds : list of dict
        For each fold its sizes, metrics, ``confusion`` matrix, ``fit_time`` and
        ``predict_time`` in seconds. None means not measured.
    overall : dict of str to dict
        For each metric its ``value`` over all tracks and the ends of its interval, ``low``
        and ``high``.
    confusion : list of list of int
        True genres by row, predicted ones by column, over all tracks.
    unit : {"artist", "track"}
        What the bootstrap resamples.
    n_segments : int or None
        Segments of a track; None if the model predicts none.
    feature_time : float
        Seconds of the steps that learn nothing, once for all folds; 0 if all folds were
        found in the checkpoint folder.
    settings : dict
        ``n_folds``, ``n_bootstrap`` and ``random_state``.
    parameters : dict of str to str
        The ``class`` of the classifier, and the parameters of the pipeline as they print.
    environment : dict of str to str
        Date and versions.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, evaluate
    >>> y = np.repeat(["calm", "loud"], 20)
    >>> X = np.random.default_rng(0).normal(size=(40, 3)) + 2 * (y == "loud")[:, np.newaxis]
    >>> evaluate(FusionKNeighborsClassifier(), (X, y), protocol="track-random", n_folds=2)
    <EvaluationResult: FusionKNeighborsClassifier>
    track-random: 40 tracks, 2 folds
    <BLANKLINE>
    | metric            | value | 95 % interval, by track |         folds |
    | ---               |  ---: |                    ---: |          ---: |
    | track accuracy    | 0.950 |          0.875 to 1.000 | 0.950 ± 0.050 |
    | balanced accuracy | 0.950 |          0.873 to 1.000 | 0.950 ± 0.050 |
    | macro F1          | 0.950 |          0.873 to 1.000 | 0.950 ± 0.050 |
    | log loss          | 0.117 |          0.039 to 0.215 | 0.117 ± 0.046 |
    | calibration error | 0.010 |          0.000 to 0.075 | 0.050 ± 0.010 |
    """

    _format: ClassVar[str] = "skgenre-evaluation-1"

    protocol: str
    classes: list[Any]
    labels: list[Any]
    tracks: dict[str, Any]
    folds: list[dict[str, Any]]
    overall: dict[str, dict[str, float | None]]
    confusion: list[list[int]]
    unit: str
    n_segments: int | None
    feature_time: float
    settings: dict[str, Any]
    parameters: dict[str, str]
    environment: dict[str, str]

    @classmethod
    def from_folds(
        cls,
        task: EvaluationTask,
        splits: Splits,
        folds: Sequence[FoldResult],
        *,
        n_bootstrap: int = 1000,
        random_state: Any = 0,
    ) -> Self:
        """Measure what the models of all folds predict.

        Parameters
        ----------
        task : EvaluationTask
            The tracks and the pipeline.
        splits : Splits
            The folds.
        folds : sequence of FoldResult
            All of them, as :func:`skgenre.evaluation.iter_folds` yields them.
        n_bootstrap : int, default=1000
            Resamples for the intervals; 0 for no intervals.
        random_state : int, RandomState instance or None, default=0
            Seed of the resamples.

        Returns
        -------
        result : EvaluationResult
            The metrics.
        """
        merge = _merge_segments if splits.by_segment else _merge_tracks
        rows, tracks = merge(task, folds)
        known = _classes(task, folds)
        codes = np.searchsorted(known, task.y[rows])
        labels = known + sorted({label for label in tracks["predicted"] if label not in known})
        predicted = np.array([labels.index(label) for label in tracks["predicted"]])
        proba, shares = tracks["proba"], tracks["segment_accuracy"]

        def measure(weights: Array) -> dict[str, Array]:
            return weighted_metrics(codes, predicted, proba, shares, weights)

        point = measure(np.ones((1, len(rows))))
        (seed,) = draw_seeds(random_state, 1)
        units = np.arange(len(rows)) if task.artists is None else task.artists[rows]
        overall = {name: estimate(point[name][0], None) for name in METRICS if name in point}
        if n_bootstrap:
            draws = bootstrap_weights(units, n_bootstrap, seed)
            spread = measure(draws)
            overall = {name: estimate(point[name][0], interval(spread[name])) for name in overall}
            if proba is not None:
                overall["calibration_error"] = calibration_estimate(codes, proba, draws)
        of_folds = []
        for fold in folds:
            entry: dict[str, Any] = {"fold": fold.fold, "n_train": fold.n_train}
            entry |= {"n_test": len(fold.test), **dict.fromkeys(METRICS), "confusion": None}
            if splits.by_segment:
                assert fold.segment_accuracy is not None
                entry["segment_accuracy"] = float(np.mean(fold.segment_accuracy))
            else:
                member = np.array(tracks["fold"]) == fold.fold
                found = measure(member[np.newaxis].astype(float))
                entry |= {name: float(value[0]) for name, value in found.items()}
                entry["confusion"] = _confusion(codes[member], predicted[member], len(labels))
            of_folds.append({**entry, "fit_time": fold.fit_time, "predict_time": fold.predict_time})
        contents = [task.contents[row] for row in rows]
        return cls(
            protocol=splits.protocol,
            classes=known,
            labels=labels,
            tracks={
                "track": [task.names[row] for row in rows],
                "content": contents if any(contents) else None,
                "genre": task.y[rows].tolist(),
                "artist": None if task.artists is None else task.artists[rows].tolist(),
                "fold": tracks["fold"],
                "predicted": tracks["predicted"],
                "proba": None if proba is None else proba.tolist(),
                "segment_accuracy": None if shares is None else shares.tolist(),
            },
            folds=of_folds,
            overall=overall,
            confusion=_confusion(codes, predicted, len(labels)),
            unit=task.unit,
            n_segments=tracks["n_segments"],
            feature_time=task.feature_time,
            settings={
                "n_folds": len(splits),
                "n_bootstrap": int(n_bootstrap),
                "random_state": repr(random_state),
            },
            parameters=_parameters(task.pipeline),
            environment=environment(),
        )

    @property
    def n_tracks(self) -> int:
        """Number of tracks that were scored."""
        return len(self.tracks["track"])

    @property
    def recall(self) -> dict[Any, float]:
        """For each genre that was scored, the share of its tracks that are right."""
        rows = {genre: self.confusion[i] for i, genre in enumerate(self.classes)}
        return {genre: row[i] / sum(row) for i, (genre, row) in enumerate(rows.items()) if sum(row)}

    def coverage_accuracy(self) -> tuple[Array, Array, Array]:
        """Measure how many tracks have a genre, and how many rightly, by limit of confidence.

        A track has a genre if its most probable one is as probable as the limit. As each track
        was predicted by a model that did not see it, nor its artist where the folds are by
        artist, this shows what limits do for tracks to come. Ready for
        ``CoverageAccuracyDisplay(*result.coverage_accuracy())``.

        Returns
        -------
        thresholds : ndarray of shape (n_thresholds,)
            At most 200 limits, increasing.
        coverage : ndarray of shape (n_thresholds,)
            Share of the tracks that have a genre.
        accuracy : ndarray of shape (n_thresholds,)
            Share of these that are right.

        Raises
        ------
        ValueError
            If the model gave no probabilities.
        """
        if self.tracks["proba"] is None:
            raise ValueError("The model gave no probabilities, and so no confidence.")
        proba = np.array(self.tracks["proba"])  # (n_tracks, n_classes)
        confidence = np.sort(proba.max(axis=1))
        order = np.argsort(proba.max(axis=1), kind="stable")
        predicted = np.array(self.classes, dtype=object)[proba.argmax(axis=1)]
        right = (predicted == np.array(self.tracks["genre"], dtype=object))[order]
        first = np.unique(np.linspace(0, len(right) - 1, _N_THRESHOLDS).round().astype(int))
        first = np.unique(np.searchsorted(confidence, confidence[first]))  # of equal ones
        n_decided = len(right) - first
        n_right = np.cumsum(right[::-1])[::-1][first]
        return confidence[first], n_decided / len(right), n_right / n_decided

    def to_frame(self, of: str = "folds") -> Any:
        """Return a table.

        Parameters
        ----------
        of : {"folds", "tracks"}, default="folds"
            A row for each fold and one for all tracks, "overall"; or a row for each track,
            with a column for the probability of each genre.

        Returns
        -------
        table : pandas.DataFrame
            The table.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas()
        if of == "folds":
            columns = ["n_train", "n_test", *METRICS, "fit_time", "predict_time"]
            rows = [{name: fold[name] for name in columns} for fold in self.folds]
            total: dict[str, Any] = {name: self._value(name) for name in METRICS}
            total["n_test"] = self.n_tracks
            names = [fold["fold"] for fold in self.folds]
            table = pandas.DataFrame(
                [*rows, total],
                index=pandas.Index([*names, "overall"], name="fold", dtype=object),
                columns=columns,
            )
            return table.astype(dict.fromkeys([*METRICS, "fit_time", "predict_time"], float))
        if of != "tracks":
            raise ValueError(f"of={of!r} is unknown; choose 'folds' or 'tracks'.")
        given = {k: v for k, v in self.tracks.items() if k != "proba" and v is not None}
        table = pandas.DataFrame(given)
        if self.tracks["proba"] is not None:
            proba = np.array(self.tracks["proba"])
            for column, genre in enumerate(self.classes):
                table[f"proba_{genre}"] = proba[:, column]
        return table

    def to_markdown(self) -> str:
        """Return the metrics over all tracks as a table in Markdown.

        Returns
        -------
        table : str
            One row a metric: the value, its interval, and the mean and standard deviation
            of the folds.
        """
        title = f"{self.protocol}: {self.n_tracks} tracks, {len(self.folds)} folds"
        return f"{title}\n\n{markdown_table(*self._cells())}"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        rows = []
        for name in METRICS:
            if name in self.overall:
                entry = self.overall[name]
                folds = [fold[name] for fold in self.folds if fold[name] is not None]
                spread = f"{np.mean(folds):.3f} ± {np.std(folds):.3f}" if folds else ""
                rows.append([title(name), f"{entry['value']:.3f}", _ends(entry), spread])
        return ["metric", "value", interval_title(self.unit), "folds"], rows

    def plot(self, ax: Any = None, *, normalize: bool = True) -> Any:
        """Draw the confusion matrix over all tracks.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw into. None makes a figure.
        normalize : bool, default=True
            Whether to show shares of the tracks of each genre instead of numbers of tracks.

        Returns
        -------
        display : sklearn.metrics.ConfusionMatrixDisplay
            With the axes in ``ax_`` and the figure in ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from skgenre.plotting import plot_confusion

        return plot_confusion(
            self.confusion, self.labels, ax=ax, normalize=normalize, title=self.protocol
        )

    def _title(self) -> str:
        return f"{super()._title()}: {self.parameters['class']}"

    def _value(self, metric: str) -> float | None:
        return self.overall[metric]["value"] if metric in self.overall else None


def title(metric: str) -> str:
    """Return a metric's name for tables."""
    return metric.replace("_", " ").replace("f1", "F1")


def interval_title(unit: str) -> str:
    """Return the heading of a column of intervals."""
    return f"{CONFIDENCE:.0%} interval, by {unit}".replace("%", " %")


def _ends(entry: dict[str, float | None]) -> str:
    return "" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"


def _classes(task: EvaluationTask, folds: Sequence[FoldResult]) -> list[Any]:
    """Return the genres of the tracks and of the models, sorted."""
    return sorted({*task.y.tolist(), *(genre for fold in folds for genre in fold.classes)})


def _merge_tracks(
    task: EvaluationTask, folds: Sequence[FoldResult]
) -> tuple[Array, dict[str, Any]]:
    """Put the folds' tracks into the order of the data set."""
    test = np.concatenate([fold.test for fold in folds])
    order = np.argsort(test)
    classes = _classes(task, folds)

    def in_order(values: list[Any]) -> list[Any]:
        return [values[i] for i in order]

    def stacked(arrays: list[Any]) -> Array | None:
        return None if any(a is None for a in arrays) else np.concatenate(arrays)[order]

    return test[order], {
        "fold": in_order([fold.fold for fold in folds for _ in fold.test]),
        "predicted": in_order([label for fold in folds for label in fold.predicted]),
        "proba": stacked([fold.proba_of(classes) for fold in folds]),
        "segment_accuracy": stacked([fold.segment_accuracy for fold in folds]),
        "n_segments": folds[0].n_segments,
    }


def _merge_segments(
    task: EvaluationTask, folds: Sequence[FoldResult]
) -> tuple[Array, dict[str, Any]]:
    """Let the segments of each track vote, each predicted by a model that did not see it."""
    _, merged = _merge_tracks(task, folds)
    n_tracks = len(task.y)
    proba = merged["proba"].reshape(n_tracks, -1, merged["proba"].shape[1])  # a row a segment
    voting = getattr(final_classifier(task.model), "voting", "soft")
    voted = vote(proba, "hard" if voting == "hard" else "soft").astype(float)
    return np.arange(n_tracks), {
        "fold": None,
        "predicted": [_classes(task, folds)[column] for column in voted.argmax(axis=1)],
        "proba": voted,
        "segment_accuracy": merged["segment_accuracy"].reshape(n_tracks, -1).mean(axis=1),
        "n_segments": proba.shape[1],
    }


def _confusion(codes: Array, predicted: Array, n_labels: int) -> list[list[int]]:
    matrix = np.zeros((n_labels, n_labels), dtype=int)
    np.add.at(matrix, (codes, predicted), 1)
    return matrix.tolist()


def _parameters(pipeline: Any) -> dict[str, str]:
    """Return the class of the classifier and the parameters that are no estimators, as text."""

    def is_step(value: Any) -> bool:
        if isinstance(value, (list, tuple)):
            return any(is_step(item) for item in value)
        return isinstance(value, BaseEstimator)

    params = sorted(pipeline.get_params(deep=True).items())
    shown = {name: repr(value) for name, value in params if not is_step(value)}
    return {"class": type(final_classifier(pipeline)).__name__, **shown}
