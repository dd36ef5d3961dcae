"""Features: from waveforms to frames of numbers, and their scaling."""

from skgenre.features._chroma import ChromaExtractor
from skgenre.features._group_kernel import GroupKernel
from skgenre.features._group_scaler import GroupScaler
from skgenre.features._groups import ClipFeatures
from skgenre.features._image import SpectrogramImage
from skgenre.features._mel import MelSpectrogramExtractor
from skgenre.features._mfcc import MFCCExtractor
from skgenre.features._pitch import PitchHistogramExtractor
from skgenre.features._rhythm import RhythmExtractor
from skgenre.features._scaler import FrameScaler
from skgenre.features._stft import STFTExtractor
from skgenre.features._summary import SummaryExtractor
from skgenre.features._whitening import ArtistWhitening

__all__ = [
    "ArtistWhitening",
    "ChromaExtractor",
    "ClipFeatures",
    "FrameScaler",
    "GroupKernel",
    "GroupScaler",
    "MFCCExtractor",
    "MelSpectrogramExtractor",
    "PitchHistogramExtractor",
    "RhythmExtractor",
    "STFTExtractor",
    "SpectrogramImage",
    "SummaryExtractor",
]
