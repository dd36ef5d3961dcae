"""One training after the other, under the paper's protocol and under the honest one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from skgenre.evaluation import EvaluationResult
from skgenre.evaluation._evaluate import run
from skgenre.evaluation._folds import run_folds
from skgenre.evaluation._material import Material
from skgenre.evaluation._protocols import Plan, plan
from skgenre.papers._experiments import Division

Array = NDArray[Any]
# Told of each training: its number, of how many, the seconds, and whether it was kept from before.
Report = Callable[[int, int, float, bool], None]


def run_division(
    material: Material,
    division: Division,
    *,
    n_folds: int,
    n_trainings: int,
    random_state: int,
    checkpoint: Path,
    report: Report,
) -> list[dict[str, Any]]:
    """Train as the paper divided its data.

    Parameters
    ----------
    material : Material
        The tracks and the model.
    division : Division
        How the paper divided its data.
    n_folds : int
        Folds, where the division has folds.
    n_trainings : int
        How often its shares are drawn, where it has shares.
    random_state : int
        Decides what is drawn.
    checkpoint : Path
        Folder of the trainings that are done.
    report : callable
        Told of each training.

    Returns
    -------
    outcomes : list of dict
        As of ``run_folds``, with ``genre``, the true genre of each row judged, and
        ``n_learnt``: so many of the rows, the first, were learnt.
    """
    by_segment = division.unit == "segment"
    genres = material.y
    if by_segment:
        reason = material.without_segments()
        if reason is not None:
            raise ValueError(f"The paper divided segments, which is not possible here: {reason}.")
        genres = np.repeat(genres, np.shape(material.features)[1])  # (n_tracks * n_segments,)
    outcomes = []
    splits = list(_draw(division, genres, n_folds, n_trainings, random_state))
    for number, (train, test) in enumerate(splits):
        learnt = train if division.judges_training else train[:0]
        judged = np.concatenate([learnt, test])
        single = Plan("paper", by_segment, [(train, judged)])
        (outcome,) = _timed(material, single, checkpoint, number, len(splits), report)
        found = {"genre": genres[judged].tolist(), "n_learnt": len(learnt)}
        outcomes.append({**outcome, "fold": number, **found})
    return outcomes


def _draw(
    division: Division, genres: Array, n_folds: int, n_trainings: int, random_state: int
) -> Iterator[tuple[Array, Array]]:
    splitter: Any
    if division.train is None:
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    else:
        splitter = StratifiedShuffleSplit(
            n_trainings,
            train_size=division.train,
            test_size=division.judged,
            random_state=random_state,
        )
    try:
        yield from splitter.split(genres, genres)
    except ValueError as error:
        raise ValueError(
            f"{len(genres)} {division.unit}s of {len(np.unique(genres))} genres cannot be divided "
            f"as the paper did: {str(error).rstrip('.')}. Give more tracks of each genre."
        ) from error


def run_protocol(
    material: Material,
    protocol: str,
    *,
    n_folds: int,
    random_state: int,
    checkpoint: Path,
    report: Report,
) -> EvaluationResult:
    """Evaluate under a named protocol, as ``evaluate`` does, with a report of each fold."""
    divided = plan(material, protocol, n_folds, random_state)
    for number, split in enumerate(divided.splits):
        single = Plan(divided.name, divided.by_segment, [split])
        _timed(material, single, checkpoint, number, len(divided.splits), report)
    return run(material, protocol, n_folds, 1000, random_state, checkpoint)


def _timed(
    material: Material, single: Plan, checkpoint: Path, number: int, total: int, report: Report
) -> list[dict[str, Any]]:
    start = time.perf_counter()
    outcomes = run_folds(material, single, checkpoint)
    seconds = time.perf_counter() - start
    trained = outcomes[0]["fit_time"]
    report(number + 1, total, max(seconds, trained), seconds < trained)
    return outcomes
