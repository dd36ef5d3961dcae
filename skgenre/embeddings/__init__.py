"""Features that pretrained networks compute, and where their weights come from."""

from skgenre.embeddings._fetch_musicnn import fetch_musicnn
from skgenre.embeddings._musicnn_extractor import MusicnnExtractor
from skgenre.embeddings._musicnn_weights import (
    KNOWN,
    Weights,
    digest,
    layer_shapes,
    load_weights,
    write_weights,
)

__all__ = [
    "KNOWN",
    "MusicnnExtractor",
    "Weights",
    "digest",
    "fetch_musicnn",
    "layer_shapes",
    "load_weights",
    "write_weights",
]
