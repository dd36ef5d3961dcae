"""What an experiment of a paper is: its cells, and how the paper divided its data."""

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
        which everything is scored once. Where the share to score has fewer rows than there are
        genres, one of each genre is scored and the others are for training.
    n_trainings : int
        How often the shares are drawn; not used for folds.
    scores_training : bool
        Whether the training rows are scored too, before the others.
    note : str
        What the paper leaves open.
    n_folds : int or None
        Folds of the paper, if it says so.
    """

    unit: str
    train: float | None = None
    test: float | None = None
    n_trainings: int = 1
    scores_training: bool = False
    note: str = ""
    n_folds: int | None = None

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
        if self.train is not None and self.test is not None:
            # A tenth of few tracks has no place for each genre.
            n_rows, n_genres = len(genres), len(np.unique(genres))
            is_small = self.test * n_rows < n_genres
            splitter = StratifiedShuffleSplit(
                n_trainings,
                train_size=n_rows - n_genres if is_small else self.train,
                test_size=n_genres if is_small else self.test,
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
    figures : str
        The kind of figures in the paper: "table1", "validation", "test", "tracks", "nodes",
        "votes", "scopes", "whole" or "report".
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
        Such as "hu2022/table1".
    title : str
        Its comparison, in a line.
    cells : tuple of Cell
        Its systems.
    notes : tuple of str
        Remarks on comparing its figures.
    genres : tuple of str
        The genres that it keeps of the data, spelled as GTZAN does; all if empty.

    Examples
    --------
    >>> from skgenre import list_experiments
    >>> experiment = list_experiments()[0]
    >>> experiment
    <Experiment hu2022/table1: Numbers of segments, 9 cells>
    >>> experiment.cells[0].name
    'mlp-10'
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()

    @property
    def paper(self) -> str:
        """The citation."""
        return PAPERS[self.name.partition("/")[0]]

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
        given = [only] if isinstance(only, str) else [str(name) for name in only]
        wanted = [name.removeprefix(f"{self.name}/") for name in given]
        known = [cell.name for cell in self.cells]
        unknown = [n for n in wanted if not any(fnmatchcase(name, n) for name in known)]
        if unknown or not wanted:
            listed = ", ".join(map(repr, unknown)) or "of no name"
            raise ValueError(
                f"{self.name} has no cell {listed}; choose from {', '.join(known)}, or give a "
                f"pattern such as '{known[0][:3]}*'."
            )
        return [c for c in self.cells if any(fnmatchcase(c.name, name) for name in wanted)]
