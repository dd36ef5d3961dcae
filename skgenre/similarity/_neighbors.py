"""The tracks that sound most like each of some tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._records import import_pandas


@dataclass(frozen=True)
class Neighbors:
    """The tracks that sound most like each of some tracks, the most similar first.

    :meth:`skgenre.GenreClassifier.neighbors`, :meth:`skgenre.SimilarTracks.neighbors` and
    :func:`skgenre.similar` return one.

    Attributes
    ----------
    indices : ndarray of shape (n_tracks, k), int
        Rows of the tracks that were searched, as they were given to ``fit``. Where fewer than k
        tracks may be neighbours, -1.
    similarities : ndarray of shape (n_tracks, k)
        Similarity to each, between 0 and 1; NaN where there is no neighbour, or nothing can be
        compared because the track has no sound.
    names : ndarray of shape (n_tracks, k), str, or None
        Their paths; "" where there is no neighbour, None where no paths are known.
    genres : ndarray of shape (n_tracks, k) or None
        Their genres; None where they have none.
    """

    indices: NDArray[np.intp]
    similarities: NDArray[np.float64]
    names: NDArray[np.str_] | None = None
    genres: NDArray[Any] | None = None

    def to_frame(self) -> Any:
        """Return a row for each track and neighbour; pandas must be installed.

        Returns
        -------
        frame : pandas.DataFrame
            With the columns ``track``, the row of the track, ``rank``, from 1, ``index`` and
            ``similarity``, and ``name`` and ``genre`` where they are known.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas("The arrays of the result need no pandas.")
        tracks, ranks = np.nonzero(self.indices >= 0)
        columns: dict[str, NDArray[Any]] = {
            "track": tracks,
            "rank": ranks + 1,
            "index": self.indices[tracks, ranks],
            "similarity": self.similarities[tracks, ranks],
        }
        for name, values in (("name", self.names), ("genre", self.genres)):
            if values is not None:
                columns[name] = values[tracks, ranks]
        return pandas.DataFrame(columns)
