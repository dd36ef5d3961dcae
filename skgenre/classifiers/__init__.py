"""Classifiers of tracks: a network predicts each segment, the segments of a track vote."""

from skgenre.classifiers._calibration import PairwiseCalibratedClassifier
from skgenre.classifiers._cnn import CNNGenreClassifier
from skgenre.classifiers._crnn import CRNNGenreClassifier
from skgenre.classifiers._explanation import Explanation
from skgenre.classifiers._fusion import FusionKNeighborsClassifier
from skgenre.classifiers._genre_classifier import GenreClassifier
from skgenre.classifiers._genre_record import genre_record
from skgenre.classifiers._hierarchical import HierarchicalGenreClassifier
from skgenre.classifiers._image_cnn import ImageCNNGenreClassifier
from skgenre.classifiers._keras_genre_classifier import KerasGenreClassifier
from skgenre.classifiers._labeling import rank_for_labeling
from skgenre.classifiers._log_mel_cnn import LogMelCNNGenreClassifier
from skgenre.classifiers._lstm import LSTMGenreClassifier
from skgenre.classifiers._make_genre_pipeline import make_genre_pipeline
from skgenre.classifiers._mlp import MLPGenreClassifier
from skgenre.classifiers._musicnn_tagger import MusicnnTagger
from skgenre.classifiers._node_report import NodeReport
from skgenre.classifiers._rcnn import RCNNGenreClassifier
from skgenre.classifiers._rejecting import RejectingClassifier
from skgenre.classifiers._transfer import TransferGenreClassifier
from skgenre.classifiers._tree import GTZAN_HIERARCHY
from skgenre.classifiers._vote import vote

__all__ = [
    "GTZAN_HIERARCHY",
    "CNNGenreClassifier",
    "CRNNGenreClassifier",
    "Explanation",
    "FusionKNeighborsClassifier",
    "GenreClassifier",
    "HierarchicalGenreClassifier",
    "ImageCNNGenreClassifier",
    "KerasGenreClassifier",
    "LSTMGenreClassifier",
    "LogMelCNNGenreClassifier",
    "MLPGenreClassifier",
    "MusicnnTagger",
    "NodeReport",
    "PairwiseCalibratedClassifier",
    "RCNNGenreClassifier",
    "RejectingClassifier",
    "TransferGenreClassifier",
    "genre_record",
    "make_genre_pipeline",
    "rank_for_labeling",
    "vote",
]
