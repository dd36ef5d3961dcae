"""Which experiments there are: the cells of each, and how the paper divided its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from skgenre.papers._registry import PAPERS, get_system


@dataclass(frozen=True)
class Division:
    """How a paper divided its data, in numbers.

    Attributes
    ----------
    unit : {"segment", "track"}
        What is drawn at random, by genre.
    train, judged : float or None
        Shares to learn from and to judge; None stands for the folds of a
        cross-validation, in which everything is judged once.
    n_trainings : int
        How often the shares are drawn; does not matter for folds.
    judges_training : bool
        Whether what was learnt is judged too.
    why : str
        What the paper leaves open, for the notes.
    """

    unit: str
    train: float | None = None
    judged: float | None = None
    n_trainings: int = 1
    judges_training: bool = False
    why: str = ""

    def describe(self, n_folds: int, n_trainings: int) -> str:
        """Put it into words."""
        if self.train is None or self.judged is None:
            return f"{n_folds} folds of {self.unit}s at random, each judged once"
        times = "once" if n_trainings == 1 else f"{n_trainings} times"
        return (
            f"{times} {self.train:.0%} of the {self.unit}s at random to learn from and "
            f"{self.judged:.0%} to judge"
        ).replace("%", " %")


@dataclass(frozen=True)
class Cell:
    """One system of an experiment.

    Attributes
    ----------
    name : str
        Such as "mlp-10".
    system : str
        Its name in :mod:`skgenre.papers`.
    division : Division
        How the paper divided its data.
    figures : {"table1", "validation", "test", "nodes", "votes", "whole", "report"}
        Which figures are made of its predictions.
    quick : bool
        Whether it is one of the cells of a quick run.
    """

    name: str
    system: str
    division: Division
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
        What it compares, in a line.
    cells : tuple of Cell
        Its systems.
    notes : tuple of str
        What to know when comparing its figures.

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
        """How the paper says that it measured."""
        return "; ".join(dict.fromkeys(get_system(cell.system).protocol for cell in self.cells))

    def __repr__(self) -> str:
        n_cells = len(self.cells)
        return f"<Experiment {self.name}: {self.title}, {n_cells} cell{'s' * (n_cells > 1)}>"

    def choose(self, only: Any, *, quick: bool) -> list[Cell]:
        """Return the cells that are asked for, in the order of the paper.

        Parameters
        ----------
        only : str, sequence of str or None
            Names, or patterns such as "mlp-*".
        quick : bool
            Whether None means a few cells.

        Returns
        -------
        cells : list of Cell
            At least one.

        Raises
        ------
        ValueError
            If a name fits no cell.
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


_HU = Division("segment", 0.60, 0.15, 3)
_HU_TABLE_1 = Division("segment", 0.60, 0.15, 3, judges_training=True)
_JAIN = Division("segment", 0.30, 0.70)
_KUMAR = Division("track", 0.60, 0.40)
_BAI = Division("segment", why="The paper does not say which share of the pieces it tested on.")
_BAI_WHOLE = Division("track", why="The paper does not say which share of the tracks it tested on.")
_ZHANG = Division("track", why="The paper does not say which tracks figure 12 was measured on.")

_NETWORKS = ("mlp", "cnn", "lstm")
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")
_QUARTER = (
    "A quarter of the segments is set aside as in the paper, and is neither learnt nor judged: the "
    "figures are of the validation part."
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
            "Accuracy and error are of the segments that were learnt, as the paper's text has it; "
            "here without dropout, after the last epoch.",
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
            "The accuracy of an LSTM is of the tracks whose genre lies below it, by its own "
            "decision on them; the track accuracy is of all seven together.",
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
            "Where epochs are given, all cells train equally long, whatever their iterations.",
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
    """Return an experiment by its name; an error lists all."""
    for experiment in _EXPERIMENTS:
        if experiment.name == name:
            return experiment
    known: Sequence[str] = [experiment.name for experiment in _EXPERIMENTS]
    raise ValueError(f"{name!r} is no experiment; choose from {', '.join(known)}.")
