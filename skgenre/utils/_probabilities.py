"""What the combination of probabilities depends on, wherever it is computed."""

from __future__ import annotations

# No pair of classes is more certain than by this, and as much is added to probabilities before
# their geometric mean, so that none alone excludes a class.
MIN_PROBABILITY = 1e-4
# The whole track weighs twice as much as the mean of its excerpts.
TRACK_AND_EXCERPTS = (2.0, 1.0)
_POWER_WITH_EMBEDDINGS = 1.1
_MANY_TRACKS = 25  # a genre, on average


def power_of_members(n_tracks: int, n_genres: int, *, has_embeddings: bool) -> float:
    """Return the power of the members' mean; above 1 it is surer of itself.

    Members that are calibrated each by itself are right more often together, and too cautious.
    With few tracks they are too sure, which makes up for it.

    Parameters
    ----------
    n_tracks : int
        Tracks that the members learnt from.
    n_genres : int
        Their genres.
    has_embeddings : bool
        Whether they take the features of a pretrained network; without, the power is 1.

    Returns
    -------
    power : float
        The power.
    """
    has_many = n_tracks >= _MANY_TRACKS * n_genres
    return _POWER_WITH_EMBEDDINGS if has_embeddings and has_many else 1.0
