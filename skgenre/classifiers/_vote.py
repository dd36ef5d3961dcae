"""The vote of a track's segments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


@np.errstate(under="ignore")  # what is too small to be a number is 0
def vote(segment_proba: NDArray[np.floating], voting: str = "soft") -> NDArray[np.float32]:
    """Turn the segments' probabilities into the track's.

    Parameters
    ----------
    segment_proba : ndarray of shape (n_tracks, n_segments, n_classes)
        Class probabilities of each segment.
    voting : {"soft", "hard", "product"}, default="soft"
        "soft" averages the probabilities, "product" their logarithms. "hard" gives each
        segment one vote for its most probable class and returns the shares of the votes,
        with a thousandth of the soft vote mixed in, so that of two classes with equal votes
        the one with the higher mean probability wins.

    Returns
    -------
    proba : ndarray of shape (n_tracks, n_classes), float32
        Rows sum to one.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.classifiers._vote import vote
    >>> segments = np.array([[[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]])
    >>> vote(segments, "soft").round(2)
    array([[0.57, 0.43]], dtype=float32)
    >>> vote(segments, "hard").round(2)
    array([[0.33, 0.67]], dtype=float32)
    >>> vote(segments, "product").round(2)
    array([[0.61, 0.39]], dtype=float32)
    """
    proba = segment_proba.mean(axis=1, dtype=np.float64)  # (n_tracks, n_classes)
    if voting == "product":
        smallest = np.finfo(np.float32).tiny
        logs = np.log(np.maximum(segment_proba, smallest, dtype=np.float64)).mean(axis=1)
        proba = np.exp(logs - logs.max(axis=1, keepdims=True))
    elif voting == "hard":
        n_classes = segment_proba.shape[2]
        ballots = segment_proba.argmax(axis=2)[..., np.newaxis] == np.arange(n_classes)
        proba = 0.999 * ballots.mean(axis=1) + 0.001 * proba
    return (proba / proba.sum(axis=1, keepdims=True)).astype(np.float32)
