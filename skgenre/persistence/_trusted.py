"""The types that a model file may name, beside the estimators and arrays that skops trusts.

The trees of scikit-learn are not among them: their compiled code follows the indices of a file
without checking them.
"""

from __future__ import annotations

# Parts of fitted searches, votes, calibrated classifiers and column transformers.
_SCIKIT_LEARN = {
    "calibration": "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
    "compose._column_transformer": "make_column_selector",
    "metrics._classification": (
        "accuracy_score balanced_accuracy_score cohen_kappa_score f1_score jaccard_score log_loss "
        "matthews_corrcoef precision_score recall_score"
    ),
    "metrics._ranking": "average_precision_score roc_auc_score top_k_accuracy_score",
    "metrics._scorer": "_MultimetricScorer _PassthroughScorer _Scorer",
    "model_selection._split": (
        "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut "
        "PredefinedSplit RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold "
        "StratifiedKFold StratifiedShuffleSplit _CVIterableWrapper"
    ),
    "utils._bunch": "Bunch",
    "utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
}

_SKGENRE = {
    "audio": {"_augmenter": "Augmenter", "_loader": "AudioLoader", "_segmenter": "Segmenter"},
    "features": {
        "_chroma": "ChromaExtractor",
        "_clip_features": "ClipFeatures",
        "_excerpt_features": "ExcerptFeatures",
        "_flat_features": "FlatFeatures",
        "_image": "SpectrogramImage",
        "_mel": "MelSpectrogramExtractor",
        "_mfcc": "MFCCExtractor",
        "_pitch": "PitchHistogramExtractor",
        "_rhythm": "RhythmExtractor",
        "_sound": "SoundDetector",
        "_stft": "STFTExtractor",
        "_summary": "SummaryExtractor",
    },
    "embeddings": {"_musicnn_extractor": "MusicnnExtractor"},
    "preprocessing": {
        "_artist_whitening": "ArtistWhitening",
        "_frame_scaler": "FrameScaler",
        "_group_kernel": "GroupKernel",
        "_group_scaler": "GroupScaler",
    },
    "networks": {
        "_cnn": "build_cnn",
        "_crnn": "build_crnn",
        "_image_cnn": "build_image_cnn",
        "_log_mel_cnn": "build_log_mel_cnn",
        "_lstm": "build_lstm",
        "_mlp": "build_mlp",
        "_rcnn": "build_rcnn",
        "_transfer": "build_transfer",
    },
    "pipeline": {"_per_track": "PerTrack"},
    "similarity": {"_similar_tracks": "SimilarTracks"},
    "classifiers": {
        "_calibration": "PairwiseCalibratedClassifier",
        "_cnn": "CNNGenreClassifier",
        "_crnn": "CRNNGenreClassifier",
        "_fitted_network": "Network NetworkRecipe",
        "_fusion": "FusionKNeighborsClassifier",
        "_genre_classifier": "GenreClassifier",
        "_hierarchical": "HierarchicalGenreClassifier",
        "_image_cnn": "ImageCNNGenreClassifier",
        "_keras_genre_classifier": "KerasGenreClassifier _build_model",
        "_least_squares": "LeastSquaresClassifier",
        "_log_mel_cnn": "LogMelCNNGenreClassifier",
        "_lstm": "LSTMGenreClassifier",
        "_members": "as_frames",
        "_mlp": "MLPGenreClassifier",
        "_musicnn_tagger": "MusicnnTagger",
        "_rcnn": "RCNNGenreClassifier",
        "_rejecting": "RejectingClassifier",
        "_transfer": "TransferGenreClassifier _LoadsOnce",
        "_tree": "Node",
    },
    "onnx": {"_model": "OnnxGenreModel"},
    "evaluation": {
        "_metrics": "segment_accuracy_scorer",
        "_published_splits": "FaultFilteredSplit StratifiedSplit",
    },
}

TRUSTED = (
    *(f"numpy.{kind}" for kind in ("floating", "integer", "number", "object_")),  # of columns
    *(
        f"skgenre.{package}.{module}.{name}"
        for package, modules in _SKGENRE.items()
        for module, names in modules.items()
        for name in names.split()
    ),
    *(
        f"sklearn.{module}.{name}"
        for module, names in _SCIKIT_LEARN.items()
        for name in names.split()
    ),
)


def trusted_types() -> list[str]:
    """Return the types that a model file may name, beside those that skops trusts.

    :func:`load` trusts them already. Other tools that store models in the format of skops, such as
    MLflow, have to be given them.

    Returns
    -------
    names : list of str
        Full names, such as "skgenre.audio._loader.AudioLoader".

    See Also
    --------
    load : Loads a model file.

    Examples
    --------
    >>> from skgenre import trusted_types
    >>> "skgenre.audio._loader.AudioLoader" in trusted_types()
    True
    """
    return list(TRUSTED)
