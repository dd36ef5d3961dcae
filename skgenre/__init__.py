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
    "SummaryExtractor": "skgenre.features",
    "STFTExtractor": "skgenre.features",
    "SpectrogramImage": "skgenre.features",
    "ChromaExtractor": "skgenre.features",
    "RhythmExtractor": "skgenre.features",
    "PitchHistogramExtractor": "skgenre.features",
    "ClipFeatures": "skgenre.features",
    "FrameScaler": "skgenre.features",
    "GroupScaler": "skgenre.features",
    "GroupKernel": "skgenre.features",
    "ArtistWhitening": "skgenre.features",
    "MLPGenreClassifier": "skgenre.classifiers",
    "CNNGenreClassifier": "skgenre.classifiers",
    "LSTMGenreClassifier": "skgenre.classifiers",
    "ImageCNNGenreClassifier": "skgenre.classifiers",
    "LogMelCNNGenreClassifier": "skgenre.classifiers",
    "TransferGenreClassifier": "skgenre.classifiers",
    "CRNNGenreClassifier": "skgenre.classifiers",
    "RCNNGenreClassifier": "skgenre.classifiers",
    "HierarchicalGenreClassifier": "skgenre.classifiers",
    "FusionKNeighborsClassifier": "skgenre.classifiers",
    "RejectingClassifier": "skgenre.classifiers",
    "GenreClassifier": "skgenre.recommended",
    "PerTrack": "skgenre.pipeline",
    "make_genre_pipeline": "skgenre.pipeline",
    "fetch_gtzan": "skgenre.datasets",
    "load_genre_folder": "skgenre.datasets",
    "load_gtzan": "skgenre.datasets",
    "make_genres": "skgenre.datasets",
    "evaluate": "skgenre.evaluation",
    "leakage_audit": "skgenre.evaluation",
    "compare": "skgenre.evaluation",
    "segment_accuracy_scorer": "skgenre.evaluation",
    "reproduce": "skgenre.reproduction",
    "list_experiments": "skgenre.reproduction",
    "AuditDisplay": "skgenre.plotting",
    "CoverageAccuracyDisplay": "skgenre.plotting",
    "SearchCurveDisplay": "skgenre.plotting",
    "SegmentTimelineDisplay": "skgenre.plotting",
    "TrainingHistoryDisplay": "skgenre.plotting",
}

if TYPE_CHECKING:
    from skgenre.audio import AudioLoader, Augmenter, Segmenter
    from skgenre.classifiers import (
        CNNGenreClassifier,
        CRNNGenreClassifier,
        FusionKNeighborsClassifier,
        HierarchicalGenreClassifier,
        ImageCNNGenreClassifier,
        LogMelCNNGenreClassifier,
        LSTMGenreClassifier,
        MLPGenreClassifier,
        RCNNGenreClassifier,
        RejectingClassifier,
        TransferGenreClassifier,
    )
    from skgenre.datasets import fetch_gtzan, load_genre_folder, load_gtzan, make_genres
    from skgenre.evaluation import (
        compare,
        evaluate,
        leakage_audit,
        segment_accuracy_scorer,
    )
    from skgenre.features import (
        ArtistWhitening,
        ChromaExtractor,
        ClipFeatures,
        FrameScaler,
        GroupKernel,
        GroupScaler,
        MelSpectrogramExtractor,
        MFCCExtractor,
        PitchHistogramExtractor,
        RhythmExtractor,
        SpectrogramImage,
        STFTExtractor,
        SummaryExtractor,
    )
    from skgenre.pipeline import PerTrack, make_genre_pipeline
    from skgenre.plotting import (
        AuditDisplay,
        CoverageAccuracyDisplay,
        SearchCurveDisplay,
        SegmentTimelineDisplay,
        TrainingHistoryDisplay,
    )
    from skgenre.recommended import GenreClassifier
    from skgenre.reproduction import list_experiments, reproduce

__all__ = [
    "ArtistWhitening",
    "AudioLoader",
    "AuditDisplay",
    "Augmenter",
    "CNNGenreClassifier",
    "CRNNGenreClassifier",
    "ChromaExtractor",
    "ClipFeatures",
    "CoverageAccuracyDisplay",
    "FrameScaler",
    "FusionKNeighborsClassifier",
    "GenreClassifier",
    "GroupKernel",
    "GroupScaler",
    "HierarchicalGenreClassifier",
    "ImageCNNGenreClassifier",
    "LSTMGenreClassifier",
    "LogMelCNNGenreClassifier",
    "MFCCExtractor",
    "MLPGenreClassifier",
    "MelSpectrogramExtractor",
    "PerTrack",
    "PitchHistogramExtractor",
    "RCNNGenreClassifier",
    "RejectingClassifier",
    "RhythmExtractor",
    "STFTExtractor",
    "SearchCurveDisplay",
    "SegmentTimelineDisplay",
    "Segmenter",
    "SpectrogramImage",
    "SummaryExtractor",
    "TrainingHistoryDisplay",
    "TransferGenreClassifier",
    "__version__",
    "compare",
    "evaluate",
    "fetch_gtzan",
    "leakage_audit",
    "list_experiments",
    "load_genre_folder",
    "load_gtzan",
    "make_genre_pipeline",
    "make_genres",
    "reproduce",
    "segment_accuracy_scorer",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'skgenre' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(__all__) | {n for n in globals() if n.startswith("__")})
