"""Waveforms: load them, cut them into segments, augment them."""

from skgenre.audio._augmenter import Augmenter
from skgenre.audio._decode import AUDIO_EXTENSIONS, AudioInfo, probe_audio
from skgenre.audio._essence import audio_digest, file_chunks
from skgenre.audio._loader import AudioLoader
from skgenre.audio._segmenter import Segmenter
from skgenre.utils._warnings import NoSoundWarning

__all__ = [
    "AUDIO_EXTENSIONS",
    "AudioInfo",
    "AudioLoader",
    "Augmenter",
    "NoSoundWarning",
    "Segmenter",
    "audio_digest",
    "file_chunks",
    "probe_audio",
]
