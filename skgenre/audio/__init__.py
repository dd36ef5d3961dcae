"""Waveforms: load them, cut them into segments, augment them."""

from skgenre.audio._augmenter import Augmenter
from skgenre.audio._decode import AUDIO_EXTENSIONS, AudioInfo, probe_audio
from skgenre.audio._loader import AudioLoader
from skgenre.audio._segmenter import Segmenter

__all__ = ["AUDIO_EXTENSIONS", "AudioInfo", "AudioLoader", "Augmenter", "Segmenter", "probe_audio"]
