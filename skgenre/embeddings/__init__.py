"""Features that pretrained networks compute, and where their weights come from."""

from skgenre.embeddings._fetch_musicnn import fetch_musicnn
from skgenre.embeddings._musicnn_extractor import MusicnnExtractor
from skgenre.embeddings._musicnn_weights import (
    KNOWN,
    Weights,
    WeightsError,
    WrongWeightsError,
    digest,
    layer_shapes,
)
from skgenre.embeddings._weights_files import load_weights, write_weights
from skgenre.embeddings._weights_holder import WeightsHolder

__all__ = [
    "KNOWN",
    "MusicnnExtractor",
    "Weights",
    "WeightsError",
    "WeightsHolder",
    "WrongWeightsError",
    "digest",
    "fetch_musicnn",
    "layer_shapes",
    "load_weights",
    "write_weights",
]
