"""From audio files to genres: the front end by track, and ready pipelines."""

from skgenre.pipeline._make import make_genre_pipeline
from skgenre.pipeline._per_track import PerTrack

__all__ = ["PerTrack", "make_genre_pipeline"]
