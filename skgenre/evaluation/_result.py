"""What an evaluation found, as plain values that a JSON file holds exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skgenre.evaluation._metrics import CONFIDENCE, METRICS
from skgenre.utils._records import Record, import_pandas, markdown_table

Array = NDArray[Any]


@dataclass(frozen=True)
class EvaluationResult(Record):
    """What :func:`skgenre.evaluate` found.

    Attributes
    ----------
    protocol : str
        Name of the protocol.
    classes : list
        The genres, sorted: the columns of probabilities.
    labels : list
        The rows and columns of confusion matrices: the genres, then what else was
        predicted, such as the label of rejected tracks.
    tracks : dict of str to list
        For each track that was judged: ``track``, ``genre``, ``artist``, ``fold``,
        ``predicted``, ``proba`` and ``segment_accuracy``. ``artist`` is None where artists
        are not known, ``fold`` where segments were divided, the last two where the model
        gives none.
    folds : list of dict
        For each fold its sizes, metrics, ``confusion`` matrix, ``fit_time`` and
        ``predict_time`` in seconds. None is what was not measured.
    overall : dict of str to dict
        For each metric its ``value`` over all tracks and the ends of its interval, ``low``
        and ``high``.
    confusion : list of list of int
        True genres by row, predicted ones by column, over all tracks.
    unit : {"artist", "track"}
        What the bootstrap draws.
    n_segments : int or None
        Segments a track; None where the model judges none.
    feature_time : float
        Seconds of the steps that learn nothing, once for all folds; 0 where each fold was
        found in the checkpoint folder.
    settings : dict
        The arguments of the evaluation.
    parameters : dict of str to str
        The parameters of the pipeline, as they print.
    environment : dict of str to str
        Date and versions.
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

    @property
    def n_tracks(self) -> int:
        """Tracks that were judged."""
        return len(self.tracks["track"])

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
        per_cent = f"{CONFIDENCE:.0%}".replace("%", " %")
        rows = []
        for name in METRICS:
            if name in self.overall:
                entry = self.overall[name]
                folds = [fold[name] for fold in self.folds if fold[name] is not None]
                spread = f"{np.mean(folds):.3f} ± {np.std(folds):.3f}" if folds else ""
                rows.append([title(name), f"{entry['value']:.3f}", _ends(entry), spread])
        head = ["metric", "value", f"{per_cent} interval, by {self.unit}", "folds"]
        return (
            f"{self.protocol}: {self.n_tracks} tracks, {len(self.folds)} folds\n\n"
            + markdown_table(head, rows)
        )

    def plot(self, ax: Any = None, *, normalize: bool = True) -> Any:
        """Draw the confusion matrix over all tracks.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw into. None makes a figure.
        normalize : bool, default=True
            Whether to show shares of the tracks of each genre; else numbers of tracks.

        Returns
        -------
        display : sklearn.metrics.ConfusionMatrixDisplay
            Drawn; its ``ax_`` and ``figure_`` are where.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from skgenre.plotting._confusion import plot_confusion

        return plot_confusion(self, ax, normalize=normalize)

    def _value(self, metric: str) -> float | None:
        return self.overall[metric]["value"] if metric in self.overall else None


def title(metric: str) -> str:
    """Return a metric's name as it stands in tables."""
    return metric.replace("_", " ").replace("f1", "F1")


def _ends(entry: dict[str, float | None]) -> str:
    return "" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"
