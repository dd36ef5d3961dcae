"""Classifiers of tracks: a network judges each segment, the segments of a track vote."""

from skgenre.classifiers._cnn import CNNGenreClassifier
from skgenre.classifiers._hierarchical import HierarchicalGenreClassifier
from skgenre.classifiers._lstm import LSTMGenreClassifier
from skgenre.classifiers._mlp import MLPGenreClassifier

__all__ = [
    "CNNGenreClassifier",
    "HierarchicalGenreClassifier",
    "LSTMGenreClassifier",
    "MLPGenreClassifier",
]
