"""Features: from waveforms to frames of numbers, and their scaling."""

from skgenre.features._mel import MelSpectrogramExtractor
from skgenre.features._mfcc import MFCCExtractor
from skgenre.features._scaler import FrameScaler

__all__ = ["FrameScaler", "MFCCExtractor", "MelSpectrogramExtractor"]
