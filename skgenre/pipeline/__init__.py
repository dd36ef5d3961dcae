"""The steps from file to features, track by track: in parallel, and cached."""

from skgenre.pipeline._per_track import PerTrack

__all__ = ["PerTrack"]
