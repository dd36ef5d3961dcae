"""Tracks that sound alike: a search over a catalogue without labels."""

from skgenre.similarity._nearest import nearest
from skgenre.similarity._neighbors import Neighbors
from skgenre.similarity._similar import similar
from skgenre.similarity._similar_tracks import SimilarTracks

__all__ = ["Neighbors", "SimilarTracks", "nearest", "similar"]
