"""The experiments of the papers: the cells of each, and how the paper divided its data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from skgenre.evaluation import EvaluationTask, Splits
from skgenre.papers._registry import PAPERS, get_system

Array = NDArray[Any]


@dataclass(frozen=True)
class PaperSplit:
    """How a paper divided its data, in numbers.

    Attributes
    ----------
    unit : {"segment", "track"}
        What is drawn at random, by genre.
    train, test : float or None
        Shares to train on and to score; None stands for the folds of a cross-validation, in
        which everything is scored once.
    n_trainings : int
        How often the shares are drawn; not used for folds.
    scores_training : bool
        Whether the training rows are scored too, before the others.
    note : str
        What the paper leaves open.
    """

    unit: str
    train: float | None = None
    test: float | None = None
    n_trainings: int = 1
    scores_training: bool = False
    note: str = ""

    def describe(self, n_folds: int, n_trainings: int) -> str:
        """Put it into words."""
        if self.train is None or self.test is None:
            return f"{n_folds} folds of {self.unit}s at random, each scored once"
        times = "once" if n_trainings == 1 else f"{n_trainings} times"
        return (
            f"{times} {self.train:.0%} of the {self.unit}s at random for training and "
            f"{self.test:.0%} for testing"
        ).replace("%", " %")

    def make_splits(
        self, task: EvaluationTask, *, n_folds: int, n_trainings: int, random_state: int
    ) -> Splits:
        """Divide the tracks of a task, or their segments, as the paper did.

        Parameters
        ----------
        task : EvaluationTask
            The tracks.
        n_folds : int
            Folds, if the paper has folds.
        n_trainings : int
            How often the shares are drawn, if it has shares.
        random_state : int
            Seed of the draws.

        Returns
        -------
        splits : Splits
            The folds.

        Raises
        ------
        ValueError
            If the pipeline has no segments to divide, or there are too few tracks.
        """
        by_segment = self.unit == "segment"
        genres = task.y
        if by_segment:
            reason = task.why_no_segments()
            if reason is not None:
                raise ValueError(
                    f"The paper divided segments, which is not possible here: {reason}."
                )
            genres = np.repeat(genres, task.n_segments)  # (n_tracks * n_segments,)
        folds = [
            (train, np.concatenate([train, test]) if self.scores_training else test)
            for train, test in self._draw(genres, n_folds, n_trainings, random_state)
        ]
        return Splits("paper", folds, by_segment)

    def _draw(
        self, genres: Array, n_folds: int, n_trainings: int, random_state: int
    ) -> Iterator[tuple[Array, Array]]:
        splitter: Any = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
        if self.train is not None:
            splitter = StratifiedShuffleSplit(
                n_trainings,
                train_size=self.train,
                test_size=self.test,
                random_state=random_state,
            )
        try:
            yield from splitter.split(genres, genres)
        except ValueError as error:
            raise ValueError(
                f"{len(genres)} {self.unit}s of {len(np.unique(genres))} genres cannot be divided "
                f"as the paper did: {str(error).rstrip('.')}. Give more tracks of each genre."
            ) from error


@dataclass(frozen=True)
class Cell:
    """One system of an experiment.

    Attributes
    ----------
    name : str
        Such as "mlp-10".
    system : str
        Its name in :mod:`skgenre.papers`.
    split : PaperSplit
        How the paper divided its data.
    figures : {"table1", "validation", "test", "nodes", "votes", "whole", "report"}
        The kind of figures in the paper.
    quick : bool
        Whether a quick run includes it.
    """

    name: str
    system: str
    split: PaperSplit
    figures: str
    quick: bool = True


@dataclass(frozen=True, repr=False)
class Experiment:
    """An experiment of a paper.

    Attributes
    ----------
    name : str
        Such as "hu2022-table1".
    title : str
        Its comparison, in a line.
    cells : tuple of Cell
        Its systems.
    notes : tuple of str
        Remarks on comparing its figures.

    Examples
    --------
    >>> from skgenre import list_experiments
    >>> experiment = list_experiments()[0]
    >>> experiment
    <Experiment hu2022-table1: Numbers of segments, 9 cells>
    >>> experiment.cells[0].name
    'mlp-10'
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def paper(self) -> str:
        """The citation."""
        return PAPERS[self.name.partition("-")[0]]

    @property
    def protocol(self) -> str:
        """How the paper measured, by its own account."""
        return "; ".join(dict.fromkeys(get_system(cell.system).protocol for cell in self.cells))

    def __repr__(self) -> str:
        n_cells = len(self.cells)
        return f"<Experiment {self.name}: {self.title}, {n_cells} cell{'s' * (n_cells > 1)}>"

    def choose(self, only: Any, *, quick: bool) -> list[Cell]:
        """Return the selected cells, in the order of the paper.

        Parameters
        ----------
        only : str, sequence of str or None
            Names, or patterns such as "mlp-*".
        quick : bool
            Whether None means a few cells instead of all.

        Returns
        -------
        cells : list of Cell
            At least one.

        Raises
        ------
        ValueError
            If a name matches no cell.
        """
        if only is None:
            return [cell for cell in self.cells if cell.quick or not quick]
        wanted = [only] if isinstance(only, str) else [str(name) for name in only]
        known = [cell.name for cell in self.cells]
        unknown = [n for n in wanted if not any(fnmatchcase(name, n) for name in known)]
        if unknown or not wanted:
            listed = ", ".join(map(repr, unknown)) or "of no name"
            raise ValueError(
                f"{self.name} has no cell {listed}; choose from {', '.join(known)}, or give a "
                f"pattern such as '{known[0][:3]}*'."
            )
        return [c for c in self.cells if any(fnmatchcase(c.name, name) for name in wanted)]


_HU = PaperSplit("segment", 0.60, 0.15, 3)
_HU_TABLE_1 = PaperSplit("segment", 0.60, 0.15, 3, scores_training=True)
_JAIN = PaperSplit("segment", 0.30, 0.70)
_KUMAR = PaperSplit("track", 0.60, 0.40)
_BAI = PaperSplit(
    "segment", note="The paper does not say which share of the segments it tested on."
)
_BAI_WHOLE = PaperSplit(
    "track", note="The paper does not say which share of the tracks it tested on."
)
_ZHANG = PaperSplit("track", note="The paper does not name the test tracks of figure 12.")

_NETWORKS = ("mlp", "cnn", "lstm")
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")
_QUARTER = (
    "A quarter of the segments is set aside as in the paper, for neither training nor scoring: "
    "the figures are of the validation part."
)
_ERROR = "Error is the cross-entropy of segments; under the honest protocol it is not measured."


def _activations(table: int, network: str) -> Experiment:
    cells = [
        Cell(f"{network}-{name}", f"hu2022/table{table}/{network}-{name}", _HU, "validation", quick)
        for name, quick in zip(_ACTIVATIONS, (True, False, True, False, False), strict=True)
    ]
    title = f"Activations of the {network.upper()}"
    return Experiment(f"hu2022-table{table}", title, tuple(cells), (_QUARTER,))


_EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "hu2022-table1",
        "Numbers of segments",
        tuple(
            Cell(f"{network}-{n}", f"hu2022/table1/{network}-{n}", _HU_TABLE_1, "table1", n == 10)
            for network in _NETWORKS
            for n in (10, 20, 30)
        ),
        (
            _QUARTER,
            "Accuracy and error are of the training segments, as in the paper's text; here without "
            "dropout, after the last epoch.",
            _ERROR,
        ),
    ),
    _activations(2, "mlp"),
    _activations(3, "cnn"),
    _activations(4, "lstm"),
    Experiment(
        "jain2021-table2",
        "MLP, LSTM and CNN",
        tuple(Cell(name, f"jain2021/{name}", _JAIN, "test") for name in ("mlp", "lstm", "cnn")),
        (
            "The paper calls its error a root mean square, which cannot be 3.31 of probabilities: "
            "here it is the cross-entropy of segments. Under the honest protocol it is not "
            "measured.",
        ),
    ),
    Experiment(
        "zhang-figure12",
        "The hierarchy of seven LSTMs",
        (Cell("hierarchy", "zhang/hierarchy", _ZHANG, "nodes"),),
        (
            "The accuracy of an LSTM is that of its own decisions on the tracks whose genre lies "
            "below it; the track accuracy is that of all seven together.",
        ),
    ),
    Experiment(
        "bai-table2",
        "Votes with a threshold",
        (
            *(
                Cell(row, f"bai/table2/{row}", _BAI, "votes", row == "500-5")
                for row in ("500-5", "4000-5", "10000-5", "10000-7")
            ),
            Cell("whole-track", "bai/whole-track", _BAI_WHOLE, "whole", quick=False),
        ),
        (
            "A cell is named by iterations and threshold. A track counts as right if its genre "
            "wins with at least that many votes; a rejected one is wrong.",
            "If epochs are given, all cells train equally long, whatever their iterations.",
        ),
    ),
    Experiment(
        "kumar2021",
        "The two reports: a CNN on images, and transfer learning",
        (
            Cell("image-cnn", "kumar2021/image-cnn", _KUMAR, "report"),
            Cell("transfer", "kumar2021/transfer", _KUMAR, "report", quick=False),
        ),
        ("Precision, recall, F1 and support of each genre are in `reports` of the JSON file.",),
    ),
)


def list_experiments() -> list[Experiment]:
    """List the experiments that :func:`reproduce` runs.

    Returns
    -------
    experiments : list of skgenre.papers.Experiment
        Each with its ``name``, ``title``, ``paper``, ``protocol``, ``cells`` and ``notes``.

    Examples
    --------
    >>> from skgenre import list_experiments
    >>> [experiment.name for experiment in list_experiments()][-2:]
    ['bai-table2', 'kumar2021']
    """
    return list(_EXPERIMENTS)


def get_experiment(name: str) -> Experiment:
    """Return an experiment by its name.

    Parameters
    ----------
    name : str
        Such as "hu2022-table1".

    Returns
    -------
    experiment : Experiment
        The experiment.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists all.

    Examples
    --------
    >>> from skgenre.papers import get_experiment
    >>> get_experiment("kumar2021")
    <Experiment kumar2021: The two reports: a CNN on images, and transfer learning, 2 cells>
    """
    for experiment in _EXPERIMENTS:
        if experiment.name == name:
            return experiment
    known = ", ".join(experiment.name for experiment in _EXPERIMENTS)
    raise ValueError(f"{name!r} is no experiment; choose from {known}.")
