"""Tracks that sound alike: a search over a catalogue without labels."""

from skgenre.similarity._neighbors import Neighbors
from skgenre.similarity._nearest import nearest
from skgenre.similarity._similar_tracks import SimilarTracks, similar

__all__ = ["Neighbors", "SimilarTracks", "nearest", "similar"]
