"""Sets that are joined where they share a member, and artists who share a recording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._validation import check_artists

if TYPE_CHECKING:
    from skgenre.duplicates._find import Duplicates


def joined(n: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each of ``n`` members the lowest one that links lead to, directly or not."""
    parent = list(range(n))

    def root(member: int) -> int:
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    for one, other in links:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return [root(member) for member in range(n)]


def merge_artists(artists: Any, duplicates: Duplicates) -> NDArray[Any]:
    """Give artists who share a recording one name, so that folds by artist keep it on one side.

    Parameters
    ----------
    artists : array-like of shape (n_tracks,)
        Artist of each track.
    duplicates : Duplicates
        What :func:`find_duplicates` found in the same tracks.

    Returns
    -------
    groups : ndarray of shape (n_tracks,)
        The artists; those who share a recording, directly or through others, have the name of
        the one who comes first in ``artists``.

    Raises
    ------
    ValueError
        If the numbers of tracks differ, or a track has no artist.

    See Also
    --------
    leakage_audit : Takes the duplicates themselves.

    Examples
    --------
    >>> from skgenre.duplicates import DuplicateGroup, Duplicates, merge_artists
    >>> group = DuplicateGroup([1, 3], ["b.wav", "d.mp3"], "same recording", 0.9)
    >>> merge_artists(["Ann", "Bob", "Cid", "Dee", "Dee"], Duplicates(5, [group])).tolist()
    ['Ann', 'Bob', 'Cid', 'Bob', 'Bob']
    """
    labels = check_artists(artists)
    if len(labels) != duplicates.n_tracks:
        raise ValueError(
            f"There are {len(labels)} artists, but the duplicates were found among "
            f"{duplicates.n_tracks} tracks; give both for the same tracks."
        )
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    by_row = first[codes]  # for each track the first row of its artist
    links = [
        (int(by_row[group.rows[0]]), int(by_row[row]))
        for group in duplicates
        for row in group.rows[1:]
    ]
    roots = np.array(joined(len(labels), links))
    return labels[roots[by_row]]
