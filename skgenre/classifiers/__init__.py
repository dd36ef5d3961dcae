"""Classifiers of tracks: a network judges each segment, the segments of a track vote."""

from skgenre.classifiers._cnn import CNNGenreClassifier
from skgenre.classifiers._crnn import CRNNGenreClassifier
from skgenre.classifiers._fusion import FusionKNeighborsClassifier
from skgenre.classifiers._hierarchical import HierarchicalGenreClassifier
from skgenre.classifiers._image_cnn import ImageCNNGenreClassifier
from skgenre.classifiers._log_mel_cnn import LogMelCNNGenreClassifier
from skgenre.classifiers._lstm import LSTMGenreClassifier
from skgenre.classifiers._mlp import MLPGenreClassifier
from skgenre.classifiers._rcnn import RCNNGenreClassifier
from skgenre.classifiers._rejecting import RejectingClassifier
from skgenre.classifiers._transfer import TransferGenreClassifier

__all__ = [
    "CNNGenreClassifier",
    "CRNNGenreClassifier",
    "FusionKNeighborsClassifier",
    "HierarchicalGenreClassifier",
    "ImageCNNGenreClassifier",
    "LSTMGenreClassifier",
    "LogMelCNNGenreClassifier",
    "MLPGenreClassifier",
    "RCNNGenreClassifier",
    "RejectingClassifier",
    "TransferGenreClassifier",
]
