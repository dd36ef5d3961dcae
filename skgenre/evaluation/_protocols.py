"""Protocols: how tracks are divided into those to learn from and those to judge."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from skgenre.datasets.gtzan import clip_name
from skgenre.evaluation._material import Material
from skgenre.evaluation._splits import FaultFilteredSplit

Array = NDArray[Any]

# From the most lenient to the strictest: the published partition of GTZAN shares a few artists.
PROTOCOLS = ("segment-random", "track-random", "fault-filtered", "artist-grouped")

# Fewer tracks than these say nothing about a model; an audit does not show them.
_MIN_SCORED = 10


@dataclass(frozen=True)
class Plan:
    """The folds of a protocol: rows of tracks, or rows of segments with tracks in order."""

    name: str
    by_segment: bool
    splits: list[tuple[Array, Array]]


def plan(material: Material, protocol: Any, n_folds: int, random_state: Any) -> Plan:
    """Divide a data set.

    Parameters
    ----------
    material : Material
        The tracks.
    protocol : str or splitter
        One of ``PROTOCOLS``, or an object with ``split``.
    n_folds : int
        Folds of the named protocols.
    random_state : int, RandomState instance or None
        Decides the shuffling of the named protocols.

    Returns
    -------
    plan : Plan
        The folds, checked.

    Raises
    ------
    ValueError
        If the data do not allow the protocol.
    """
    check_protocol(protocol)
    y, artists = material.y, material.artists
    by_segment = isinstance(protocol, str) and protocol == "segment-random"
    if not isinstance(protocol, str):
        splitter = protocol
    elif protocol == "artist-grouped":
        if artists is None:
            raise ValueError(
                "The protocol 'artist-grouped' needs the artist of each track, but the data set "
                "has none. Give them, as (X, y, artists) or by a CSV file beside the folder, or "
                "choose protocol='track-random', which lets artists stand on both sides."
            )
        _warn_of_few(y, artists, n_folds)
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
    elif protocol == "fault-filtered":
        splitter = FaultFilteredSplit()
    else:
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    rows, genres, groups = material.data, y, artists
    if by_segment:
        reason = material.without_segments()
        if reason is not None:
            raise ValueError(f"The protocol 'segment-random' is not possible here: {reason}.")
        n_segments = np.shape(material.features)[1]
        genres = np.repeat(y, n_segments)  # (n_tracks * n_segments,)
        rows, groups = genres, None
    if by_segment or protocol == "track-random":
        _check_number(genres, n_folds, "segments" if by_segment else "tracks")
    with warnings.catch_warnings():
        # A splitter that has no use for artists says so.
        warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
        if isinstance(protocol, str) and protocol == "artist-grouped":
            # Said above, of artists rather than of tracks.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = [
            (np.asarray(train), np.asarray(test))
            for train, test in splitter.split(rows, genres, groups)
        ]
    name = protocol if isinstance(protocol, str) else repr(protocol)
    _check(name, splits, genres)
    return Plan(name, by_segment, splits)


def check_protocol(protocol: Any) -> None:
    """Refuse what is neither the name of a protocol nor a splitter."""
    # Text has a split of its own.
    if protocol in PROTOCOLS if isinstance(protocol, str) else hasattr(protocol, "split"):
        return
    raise ValueError(
        f"{protocol!r} is no protocol; choose from {', '.join(map(repr, PROTOCOLS))}, or give a "
        "splitter, an object with split(X, y, groups)."
    )


def not_possible(material: Material, protocol: str) -> str | None:
    """Say why the data do not allow a named protocol; None if they do."""
    if protocol == "artist-grouped" and material.artists is None:
        return "the data set has no artists. Give them"
    if protocol == "segment-random":
        return material.without_segments()
    if protocol == "fault-filtered":
        names = [clip_name(name) or "" for name in material.ids]
        if "" in names:
            return "not all tracks are clips of GTZAN. Load them by load_gtzan"
        try:
            ((_, judged),) = FaultFilteredSplit(on_missing="ignore").split(names)
        except ValueError as error:
            return str(error).rstrip(".")
        if len(judged) < _MIN_SCORED:
            return f"only {len(judged)} of the tracks that it judges are here"
    return None


def _check_number(genres: Array, n_folds: int, what: str) -> None:
    """Refuse more folds than the largest genre has rows."""
    most = int(np.unique(genres, return_counts=True)[1].max())
    if most < n_folds:
        raise ValueError(
            f"n_folds={n_folds} is more than the {most} {what} of the largest genre; lower it, or "
            "add tracks."
        )


def _warn_of_few(y: Array, artists: Array, n_folds: int) -> None:
    few = {str(genre): len(set(artists[y == genre].tolist())) for genre in np.unique(y)}
    few = {genre: n for genre, n in few.items() if n < n_folds}
    if few:
        listed = ", ".join(f"{genre} ({n})" for genre, n in few.items())
        warnings.warn(
            f"Of these genres there are fewer artists than the {n_folds} folds, so that some folds "
            f"judge none of their tracks: {listed}.",
            UserWarning,
            stacklevel=6,
        )


def _check(name: str, splits: list[tuple[Array, Array]], genres: Array) -> None:
    """Refuse folds that judge nothing, and rows that are judged twice or were learnt."""
    seen = np.zeros(len(genres), dtype=int)
    for fold, (train, test) in enumerate(splits):
        if not len(train) or not len(test):
            raise ValueError(
                f"Fold {fold} of {name} has {len(train)} rows to learn from and {len(test)} to "
                "judge; lower n_folds."
            )
        if len(np.intersect1d(train, test)):
            raise ValueError(
                f"Fold {fold} of {name} judges rows that it learns from; correct the splitter."
            )
        seen[test] += 1
        unknown = sorted(set(genres[test].tolist()) - set(genres[train].tolist()))
        if unknown:
            warnings.warn(
                f"Fold {fold} of {name} learns from no track of {', '.join(map(repr, unknown))}, "
                "whose tracks it will judge wrongly. Fewer folds, or more artists, would help.",
                UserWarning,
                stacklevel=6,
            )
    if not splits or seen.max() > 1:
        raise ValueError(
            f"{name} judges {'some rows more than once' if splits else 'nothing'}; give a splitter "
            "that judges each track once or never."
        )
