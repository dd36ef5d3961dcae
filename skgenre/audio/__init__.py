"""Waveforms: load them, cut them into segments, augment them."""

from skgenre.audio._augmenter import Augmenter
from skgenre.audio._loader import AudioLoader
from skgenre.audio._segmenter import Segmenter

__all__ = ["AudioLoader", "Augmenter", "Segmenter"]
