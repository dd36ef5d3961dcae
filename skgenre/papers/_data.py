"""The music of a reproduction: which folder it is, and a few tracks of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skgenre.datasets import load_genre_folder, load_gtzan
from skgenre.datasets._folder import _endings, _walk
from skgenre.datasets._load_gtzan import _EXTENSIONS
from skgenre.datasets.gtzan import GENRES, clip_name
from skgenre.evaluation._material import _unpack
from skgenre.utils._random import draw_seeds


def load_music(path: str | os.PathLike[str]) -> Bunch:
    """List the music of a folder: GTZAN by its own list of artists, else by genre.

    Parameters
    ----------
    path : str or PathLike
        The folder.

    Returns
    -------
    dataset : Bunch
        Of :func:`load_gtzan` where all audio files have names of clips of GTZAN and no
        ``tracks.csv`` in the folder names their artists; else of :func:`load_genre_folder`.
    """
    folder = Path(path)
    if folder.is_dir() and not (folder / "tracks.csv").exists():
        files = list(_walk(folder, _endings(_EXTENSIONS), ()))
        if files and all(clip_name(file) is not None for file in files):
            return load_gtzan(folder, on_missing="ignore")
    return load_genre_folder(folder)


def as_tracks(dataset: Any) -> Bunch:
    """Check a data set, and bring it into one form: data, target, and artists or None."""
    data, target, artists = _unpack(dataset)
    return Bunch(data=data, target=target, artists=artists)


def thin(tracks: Bunch, n_per_genre: int, random_state: int) -> Bunch:
    """Keep a few tracks of each genre, by as many artists as may be.

    Parameters
    ----------
    tracks : Bunch
        Of :func:`as_tracks`.
    n_per_genre : int
        Tracks to keep of each genre, or all where there are fewer.
    random_state : int
        Decides which.

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
    rows = np.sort(kept)
    data = tracks.data
    return Bunch(
        data=data[rows] if isinstance(data, np.ndarray) else [data[row] for row in rows],
        target=tracks.target[rows],
        artists=None if tracks.artists is None else tracks.artists[rows],
    )


def plain(label: Any) -> str:
    """Spell a genre as GTZAN does: "Hip-Hop" is "hiphop"."""
    return "".join(ch for ch in str(label).casefold() if ch.isalnum())


def compare_genres(target: Any) -> tuple[list[str], list[str]]:
    """List the genres of the papers that the data lack, and those that only the data have."""
    found = {plain(label): str(label) for label in np.unique(target).tolist()}
    lacking = [genre for genre in GENRES if genre not in found]
    return lacking, sorted(name for key, name in found.items() if key not in GENRES)
