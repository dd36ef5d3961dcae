"""Music genre recognition as scikit-learn estimators.

Every public name is imported from here and loaded when it is first used, so that
``import skgenre`` stays fast and pulls in neither TensorFlow, Keras nor librosa.

Examples
--------
>>> import skgenre
>>> skgenre.Segmenter(n_segments=20)
Segmenter(n_segments=20)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

# Public name -> module that defines it.
_PUBLIC = {
    "AudioLoader": "skgenre.audio",
    "Segmenter": "skgenre.audio",
    "Augmenter": "skgenre.audio",
    "MFCCExtractor": "skgenre.features",
    "MelSpectrogramExtractor": "skgenre.features",
    "FrameScaler": "skgenre.features",
    "MLPGenreClassifier": "skgenre.classifiers",
    "CNNGenreClassifier": "skgenre.classifiers",
    "LSTMGenreClassifier": "skgenre.classifiers",
    "HierarchicalGenreClassifier": "skgenre.classifiers",
    "PerTrack": "skgenre.pipeline",
    "make_genre_pipeline": "skgenre.pipeline",
    "load_genre_folder": "skgenre.datasets",
    "make_genres": "skgenre.datasets",
}

if TYPE_CHECKING:
    from skgenre.audio import AudioLoader, Augmenter, Segmenter
    from skgenre.classifiers import (
        CNNGenreClassifier,
        HierarchicalGenreClassifier,
        LSTMGenreClassifier,
        MLPGenreClassifier,
    )
    from skgenre.datasets import load_genre_folder, make_genres
    from skgenre.features import FrameScaler, MelSpectrogramExtractor, MFCCExtractor
    from skgenre.pipeline import PerTrack, make_genre_pipeline

__all__ = [
    "AudioLoader",
    "Augmenter",
    "CNNGenreClassifier",
    "FrameScaler",
    "HierarchicalGenreClassifier",
    "LSTMGenreClassifier",
    "MFCCExtractor",
    "MLPGenreClassifier",
    "MelSpectrogramExtractor",
    "PerTrack",
    "Segmenter",
    "__version__",
    "load_genre_folder",
    "make_genre_pipeline",
    "make_genres",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'skgenre' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(__all__) | {n for n in globals() if n.startswith("__")})
