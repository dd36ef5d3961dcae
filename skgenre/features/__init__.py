"""Features: from waveforms to frames of numbers, images, and tables."""

from skgenre.features._chroma import ChromaExtractor
from skgenre.features._clip_features import ClipFeatures
from skgenre.features._excerpt_features import ExcerptFeatures
from skgenre.features._flat_features import FlatFeatures
from skgenre.features._image import SpectrogramImage
from skgenre.features._mel import MelSpectrogramExtractor
from skgenre.features._mfcc import MFCCExtractor
from skgenre.features._pitch import PitchHistogramExtractor
from skgenre.features._rhythm import RhythmExtractor
from skgenre.features._sound import SoundDetector
from skgenre.features._stft import STFTExtractor
from skgenre.features._summary import SummaryExtractor

__all__ = [
    "ChromaExtractor",
    "ClipFeatures",
    "ExcerptFeatures",
    "FlatFeatures",
    "MFCCExtractor",
    "MelSpectrogramExtractor",
    "PitchHistogramExtractor",
    "RhythmExtractor",
    "STFTExtractor",
    "SoundDetector",
    "SpectrogramImage",
    "SummaryExtractor",
]
