"""Protocols: the folds in which tracks are trained on and scored."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from skgenre.datasets.gtzan import clip_name
from skgenre.evaluation._published_splits import FaultFilteredSplit
from skgenre.evaluation._task import EvaluationTask
from skgenre.utils._warnings import warn_caller

Array = NDArray[Any]

# From the most lenient to the strictest: the published partition of GTZAN shares a few artists.
PROTOCOLS = ("segment-random", "track-random", "fault-filtered", "artist-grouped")

# An audit leaves out a protocol that scores fewer tracks: they would say nothing about a model.
_MIN_SCORED = 10


@dataclass(frozen=True, eq=False)
class Splits:
    """The folds of a protocol.

    Parameters
    ----------
    protocol : str
        Its name.
    folds : list of (train, test)
        Arrays of rows: of tracks, or of segments, of which those of a track follow each other.
    by_segment : bool, default=False
        Whether rows are segments.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.evaluation import Splits
    >>> len(Splits("halves", [(np.arange(5), np.arange(5, 10))]))
    1
    """

    protocol: str
    folds: list[tuple[Array, Array]]
    by_segment: bool = False

    def __len__(self) -> int:
        return len(self.folds)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return iter(self.folds)


def make_splits(
    task: EvaluationTask, protocol: Any, *, n_folds: int = 5, random_state: Any = 0
) -> Splits:
    """Make the folds of a protocol.

    Parameters
    ----------
    task : EvaluationTask
        The tracks.
    protocol : str or splitter
        As for :func:`evaluate`.
    n_folds : int, default=5
        Folds of the named protocols.
    random_state : int, RandomState instance or None, default=0
        Seed of the shuffling of the named protocols.

    Returns
    -------
    splits : Splits
        The checked folds: each track is scored once or never, by a model that was not trained
        on it.

    Raises
    ------
    ValueError
        If the data do not allow the protocol.

    Warns
    -----
    UserWarning
        If a genre has fewer artists than there are folds, or a fold has no training track
        of a genre.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier
    >>> from skgenre.evaluation import EvaluationTask, make_splits
    >>> X, y, artists = np.eye(8), ["calm", "loud"] * 4, list("abababcd")
    >>> task = EvaluationTask(FusionKNeighborsClassifier(), X, y, artists)
    >>> for train, test in make_splits(task, "artist-grouped", n_folds=2):
    ...     print(test)
    [1 3 5 6]
    [0 2 4 7]
    """
    check_protocol(protocol)
    y, artists = task.y, task.artists
    by_segment = isinstance(protocol, str) and protocol == "segment-random"
    if not isinstance(protocol, str):
        splitter = protocol
    elif protocol == "artist-grouped":
        if artists is None:
            raise ValueError(
                "The protocol 'artist-grouped' needs the artist of each track, but the data set "
                "has none. Give them, as (X, y, artists) or by a CSV file beside the folder, or "
                "choose protocol='track-random', in which artists are on both sides."
            )
        _warn_of_few_artists(y, artists, n_folds)
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
    elif protocol == "fault-filtered":
        splitter = FaultFilteredSplit()
    else:
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    rows, genres, groups = task.data, y, artists
    if by_segment:
        reason = task.why_no_segments()
        if reason is not None:
            raise ValueError(f"The protocol 'segment-random' is not possible here: {reason}.")
        genres = np.repeat(y, task.n_segments)  # (n_tracks * n_segments,)
        rows, groups = genres, None
    if by_segment or protocol == "track-random":
        _check_n_folds(genres, n_folds, "segments" if by_segment else "tracks")
    with warnings.catch_warnings():
        # Splitters that do not use artists warn about them.
        warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
        if isinstance(protocol, str) and protocol == "artist-grouped":
            # The warning above is about artists, this one about tracks.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        folds = [
            (np.asarray(train), np.asarray(test))
            for train, test in splitter.split(rows, genres, groups)
        ]
    name = protocol if isinstance(protocol, str) else repr(protocol)
    _check_folds(name, folds, genres)
    return Splits(name, folds, by_segment)


def check_protocol(protocol: Any) -> None:
    """Refuse anything but the name of a protocol or a splitter."""
    # A string has a method split too.
    if protocol in PROTOCOLS if isinstance(protocol, str) else hasattr(protocol, "split"):
        return
    raise ValueError(
        f"{protocol!r} is no protocol; choose from {', '.join(map(repr, PROTOCOLS))}, or give a "
        "splitter, an object with split(X, y, groups)."
    )


def why_not_possible(task: EvaluationTask, protocol: str) -> str | None:
    """Return the reason why the data do not allow a named protocol; None if they do."""
    if protocol == "artist-grouped" and task.artists is None:
        return "the data set has no artists. Give them"
    if protocol == "segment-random":
        return task.why_no_segments()
    if protocol == "fault-filtered":
        names = [clip_name(name) or "" for name in task.names]
        if "" in names:
            return "not all tracks are clips of GTZAN. Load them by load_gtzan"
        try:
            ((_, scored),) = FaultFilteredSplit(on_missing="ignore").split(names)
        except ValueError as error:
            return str(error).rstrip(".")
        if len(scored) < _MIN_SCORED:
            return f"only {len(scored)} of the tracks that it scores are here"
    return None


def _check_n_folds(genres: Array, n_folds: int, what: str) -> None:
    """Refuse more folds than the largest genre has rows."""
    most = int(np.unique(genres, return_counts=True)[1].max())
    if most < n_folds:
        raise ValueError(
            f"n_folds={n_folds} is more than the {most} {what} of the largest genre; lower it, or "
            "add tracks."
        )


def _warn_of_few_artists(y: Array, artists: Array, n_folds: int) -> None:
    few = {str(genre): len(set(artists[y == genre].tolist())) for genre in np.unique(y)}
    few = {genre: n for genre, n in few.items() if n < n_folds}
    if few:
        listed = ", ".join(f"{genre} ({n})" for genre, n in few.items())
        warn_caller(
            f"These genres have fewer artists than the {n_folds} folds, so that some folds score "
            f"none of their tracks: {listed}."
        )


def _check_folds(name: str, folds: list[tuple[Array, Array]], genres: Array) -> None:
    """Refuse folds without rows, and rows that are scored twice or by a model that knows them."""
    n_scored = np.zeros(len(genres), dtype=int)
    for fold, (train, test) in enumerate(folds):
        if not len(train) or not len(test):
            raise ValueError(
                f"Fold {fold} of {name} has {len(train)} rows to train on and {len(test)} to "
                "score; lower n_folds."
            )
        if len(np.intersect1d(train, test)):
            raise ValueError(
                f"Fold {fold} of {name} scores rows that it trains on; correct the splitter."
            )
        n_scored[test] += 1
        unknown = sorted(set(genres[test].tolist()) - set(genres[train].tolist()))
        if unknown:
            warn_caller(
                f"Fold {fold} of {name} has no training track of "
                f"{', '.join(map(repr, unknown))}, so that all their tracks will be wrong. Use "
                "fewer folds, or add artists."
            )
    if not folds or n_scored.max() > 1:
        raise ValueError(
            f"{name} scores {'some rows more than once' if folds else 'nothing'}; give a splitter "
            "that scores each track once or never."
        )
