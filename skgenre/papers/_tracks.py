"""The tracks that an experiment runs on, and remarks on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skgenre.datasets.gtzan import GENRES
from skgenre.papers._experiments import Experiment
from skgenre.papers._figures import plain_name
from skgenre.utils._io import shorten
from skgenre.utils._random import draw_seeds


def keep_genres(tracks: Bunch, plan: Experiment, genres: Any) -> tuple[Bunch, list[str]]:
    """Keep the tracks of some genres; say in a note which."""
    wanted = [plain_name(genre) for genre in (plan.genres if genres is None else genres)]
    if not wanted and genres is None:
        return tracks, []
    found = [plain_name(label) for label in tracks.target]
    rows = np.flatnonzero(np.isin(found, wanted))
    names = sorted({str(label) for label in tracks.target[rows]})
    lacking = sorted(set(wanted) - set(found))
    if len(names) < 2 or (lacking and genres is not None):
        raise ValueError(
            f"The data have no tracks of {', '.join(lacking) or 'two genres'}; they have "
            f"{', '.join(sorted(map(str, set(tracks.target.tolist()))))}. Give two or more of "
            "these as genres."
        )
    return _take(tracks, rows), [f"Kept are the tracks of {', '.join(names)}."]


def _take(tracks: Bunch, rows: Any) -> Bunch:
    data = tracks.data
    return Bunch(
        data=data[rows] if isinstance(data, np.ndarray) else [data[row] for row in rows],
        target=tracks.target[rows],
        artists=None if tracks.artists is None else tracks.artists[rows],
    )


def subsample(tracks: Bunch, n_per_genre: int, random_state: int) -> Bunch:
    """Keep a few tracks of each genre, by as many artists as possible.

    Parameters
    ----------
    tracks : Bunch
        With ``data``, ``target`` and ``artists``, which may be None.
    n_per_genre : int
        Tracks to keep of each genre, or all if there are fewer.
    random_state : int
        Seed of the choice.

    Returns
    -------
    fewer : Bunch
        In the same order.
    """
    (seed,) = draw_seeds(random_state, 1)
    order = np.random.default_rng(seed).permutation(len(tracks.target))
    artists = np.arange(len(order)) if tracks.artists is None else tracks.artists
    seen: dict[Any, int] = {}
    turn = np.zeros(len(order), dtype=int)
    for row in order:  # the first track of each artist comes before the second of any
        turn[row] = seen.get(artists[row], 0)
        seen[artists[row]] = turn[row] + 1
    order = order[np.argsort(turn[order], kind="stable")]
    kept: list[int] = []
    for genre in np.unique(tracks.target):
        kept += [row for row in order if tracks.target[row] == genre][:n_per_genre]
    return _take(tracks, np.sort(kept))


def data_notes(dataset: Any) -> list[str]:
    """Return a note on the files that were left out."""
    skipped = [str(path) for path, _ in getattr(dataset, "skipped", None) or []]
    if not skipped:
        return []
    return [f"{len(skipped)} files were left out: {shorten(skipped)}."]


def genre_notes(plan: Experiment, target: Any, genres: Any) -> list[str]:
    """Return notes on genres that differ from the papers'; refuse those outside the tree."""
    found = {plain_name(label): str(label) for label in np.unique(target).tolist()}
    chosen = plan.genres if genres is None else [plain_name(genre) for genre in genres]
    lacking = [genre for genre in GENRES if genre not in found and genre in (chosen or GENRES)]
    others = sorted(name for key, name in found.items() if key not in GENRES)
    if others and any(cell.figures == "nodes" for cell in plan.cells):
        raise ValueError(
            f"{plan.name} has a place for the ten genres of GTZAN only, but the data have "
            f"{', '.join(others)}; leave their tracks out, or cross-validate "
            "HierarchicalGenreClassifier, which grows a tree of its own."
        )
    if others and not set(found) & set(GENRES):
        return [
            f"The data have none of the paper's genres: it ran on {', '.join(others)}. The figures "
            "are of another task than the paper's."
        ]
    notes = []
    if lacking:
        notes.append(f"The data lack these genres of the paper: {', '.join(lacking)}.")
    if others:
        notes.append(f"The data have genres that the paper has not: {', '.join(others)}.")
    return notes
