"""Features that pretrained networks compute, and where their weights come from."""

from skgenre.embeddings._fetch_musicnn import fetch_musicnn
from skgenre.embeddings._musicnn_extractor import MusicnnExtractor

__all__ = ["MusicnnExtractor", "fetch_musicnn"]
