"""Similar tracks in one call."""

from __future__ import annotations

import os
from typing import Any

from joblib import Memory

from skgenre.similarity._neighbors import Neighbors
from skgenre.similarity._similar_tracks import SimilarTracks


def similar(
    tracks: Any,
    k: int = 5,
    *,
    artists: Any = None,
    front_end: Any = None,
    n_jobs: int | None = None,
    memory: str | os.PathLike[str] | Memory | None = None,
) -> Neighbors:
    """Find the tracks of a catalogue that sound most like each of its tracks.

    Parameters
    ----------
    tracks : sequence of n_tracks tracks
        The catalogue, without labels: paths or waveforms; with ``front_end="passthrough"`` a
        table.
    k : int, default=5
        Number of neighbours of each track.
    artists : array-like of shape (n_tracks,), default=None
        Artist of each track. Where they are given, only tracks by other artists are neighbours.
    front_end : transformer, "passthrough" or None, default=None
        Makes a table of the tracks, as for :class:`SimilarTracks`.
    n_jobs : int or None, default=None
        Tracks whose features are computed at the same time.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder in which the features of each track are kept.

    Returns
    -------
    found : skgenre.similarity.Neighbors
        ``indices`` of the neighbours among the tracks, ``similarities``, and ``names`` where the
        tracks are paths.

    Raises
    ------
    ValueError
        If k is not between 1 and the number of other tracks, an artist is missing, or the lengths
        differ.

    See Also
    --------
    SimilarTracks : Keeps the catalogue, to search it for other tracks.

    Examples
    --------
    >>> from skgenre import make_genres, similar
    >>> music = make_genres(4, genres=["dub", "swing"], duration=2.0, random_state=0)
    >>> music.target[similar(music.data, k=1).indices[:, 0]].tolist()
    ['dub', 'dub', 'dub', 'dub', 'swing', 'swing', 'swing', 'swing']
    """
    model = SimilarTracks(
        front_end=front_end,
        other_artists=artists is not None,
        n_jobs=n_jobs,
        memory=memory,
        random_state=0,
    )
    return model.fit(tracks, groups=artists).neighbors(n_neighbors=k)
