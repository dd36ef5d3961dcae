"""Small versions of the estimators, for the common checks."""

from __future__ import annotations

import warnings

from _musicnn import SmallWeights
from sklearn.svm import SVC

from skgenre import (
    ArtistWhitening,
    AudioLoader,
    Augmenter,
    ChromaExtractor,
    ClipFeatures,
    CNNGenreClassifier,
    CRNNGenreClassifier,
    ExcerptFeatures,
    FlatFeatures,
    FrameScaler,
    FusionKNeighborsClassifier,
    GenreClassifier,
    GroupKernel,
    GroupScaler,
    HierarchicalGenreClassifier,
    ImageCNNGenreClassifier,
    KerasGenreClassifier,
    LogMelCNNGenreClassifier,
    LSTMGenreClassifier,
    MelSpectrogramExtractor,
    MFCCExtractor,
    MLPGenreClassifier,
    MusicnnExtractor,
    MusicnnTagger,
    PairwiseCalibratedClassifier,
    PerTrack,
    PitchHistogramExtractor,
    RCNNGenreClassifier,
    RejectingClassifier,
    RhythmExtractor,
    Segmenter,
    SimilarTracks,
    SoundDetector,
    SpectrogramImage,
    STFTExtractor,
    SummaryExtractor,
    TransferGenreClassifier,
)

# A fit spends most of its time on tracing the step of training: plain gradient descent is
# traced in half the time of Adam, which tests/classifiers covers.
TRAINING = {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 16, "dropout": 0.0}


def small_backbone(include_top, weights, input_shape):
    """Stand in for a network of keras.applications, whose fit takes ten seconds and more."""
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 2, activation="relu", name="conv"),
        ]
    )


class WithoutAddress:
    """A callable with a name without an address, which the ids of tests can contain."""

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return 0

    def __repr__(self):
        return f"{type(self).__name__}()"


class SmallBackbone(WithoutAddress):
    """The same as an object."""

    def __call__(self, **kwargs):
        return small_backbone(**kwargs)


class SmallNetwork(WithoutAddress):
    """A builder of the user's, with layers without seeds."""

    def __call__(self, meta, units=16):
        import keras

        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input(meta["segment_shape_"]),
                layers.Flatten(),
                layers.Dense(units, activation="relu"),
                layers.Dense(meta["n_classes_"], activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
        return model


def save_weights(model, file):
    """Write a weights file; Keras' writer has not yet followed NumPy 2 (Keras 3.15)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        model.save_weights(file)


def small_classifiers():
    """Return the classifiers, small enough to fit in a second."""
    mlp = MLPGenreClassifier(units=(16,), epochs=15, **TRAINING)
    return [
        mlp,
        CNNGenreClassifier(
            filters=(8,), kernel_sizes=3, pool_sizes=1, units=(16,), epochs=10, **TRAINING
        ),
        LSTMGenreClassifier(
            lstm_units=(12,), units=(), epochs=20, **{**TRAINING, "learning_rate": 0.3}
        ),
        ImageCNNGenreClassifier(
            filters=(8,), pool_sizes=1, conv_dropout=0.0, units=(), epochs=15, **TRAINING
        ),
        TransferGenreClassifier(
            backbone=SmallBackbone(),
            weights=None,
            image_size=4,
            pooling="flatten",
            units=(),
            epochs=20,
            **TRAINING,
        ),
        CRNNGenreClassifier(
            filters=(6,),
            pool_sizes=2,
            gru_units=(8,),
            epochs=20,
            **{**TRAINING, "learning_rate": 0.3},
        ),
        RCNNGenreClassifier(
            filters=(), recurrent_filters=(8,), n_steps=1, norm=None, epochs=15, **TRAINING
        ),
        # A band's mean is all that is known of tables of one value a feature.
        LogMelCNNGenreClassifier(
            crop_frames=2,
            n_crops=1,
            floor=None,
            center_bands=False,
            freq_mask_param=0,
            time_mask_param=0,
            filters=(8,),
            kernel_sizes=2,
            strides=1,
            pool_sizes=1,
            epochs=6,
            warmup_steps=0,
            **TRAINING,
        ),
        KerasGenreClassifier(SmallNetwork(), epochs=15, batch_size=16),
        HierarchicalGenreClassifier(mlp, random_state=0),
        RejectingClassifier(MLPGenreClassifier(units=(16,), epochs=15, random_state=0, **TRAINING)),
    ]


def small_transformers():
    """Return the transformers that take 2-D input, set to very short waveforms."""
    return [
        AudioLoader(sampling_rate=10, duration=1.0),
        Segmenter(n_segments=2, segment_duration=1, sampling_rate=1, short="repeat"),
        Augmenter(semitones=None, stretch_rates=None, random_state=0),
        MFCCExtractor(n_mfcc=2, n_mels=2, n_fft=4, hop_length=1, sampling_rate=8),
        MelSpectrogramExtractor(n_mels=2, n_fft=4, hop_length=1, sampling_rate=8),
        PerTrack(MelSpectrogramExtractor(n_mels=2, n_fft=4, hop_length=1, sampling_rate=8)),
        STFTExtractor(n_fft=4, hop_length=1, n_bands=2, sampling_rate=8),
        SpectrogramImage(height=2, width=3),
        ChromaExtractor(n_vectors=2),
        RhythmExtractor(),
        PitchHistogramExtractor(fmin=500.0, n_fft=128),
        SummaryExtractor(sampling_rate=8, n_fft=4, hop_length=2),
        ClipFeatures(),
        ExcerptFeatures(ClipFeatures(feature_groups=("tempo",)), excerpt_duration=0.0001),
        FlatFeatures(
            MelSpectrogramExtractor(n_mels=2, n_fft=4, hop_length=1, sampling_rate=8), n_frames=3
        ),
        SoundDetector(sampling_rate=8),
        MusicnnExtractor(SmallWeights()),
        FrameScaler(),
        GroupScaler(),
        GroupKernel(),
        GroupKernel(n_landmarks=5, random_state=0),
        ArtistWhitening(without_groups="pass"),
        ArtistWhitening(without_groups="pass", keep_columns=True),
    ]


def small_table_classifiers():
    """Return the classifiers of tables, which take 2-D input only."""
    return [
        FusionKNeighborsClassifier(),
        PairwiseCalibratedClassifier(SVC(decision_function_shape="ovo"), random_state=0),
    ]


def small_track_classifiers():
    """Return the classifiers of whole tracks, which take 2-D input as waveforms."""
    return [GenreClassifier(("svc",), duration=0.5, random_state=0)]


def small_pretrained_classifiers():
    """Return the classifiers that learn nothing: no check that fits them to labels applies."""
    return [MusicnnTagger(SmallWeights(), genres={"calm": "slow", "loud": ["rock", "jazz"]})]


def small_searches():
    """Return the estimators that only search, for tables."""
    return [SimilarTracks(2, front_end="passthrough", random_state=0)]


# Each kind of expected failure once: its reason, the checks, and the estimators.
_TAKE_WAVEFORMS = (
    "Segmenter",
    "Augmenter",
    "MFCCExtractor",
    "MelSpectrogramExtractor",
    "STFTExtractor",
    "ChromaExtractor",
    "RhythmExtractor",
    "PitchHistogramExtractor",
    "SummaryExtractor",
    "ClipFeatures",
    "ExcerptFeatures",
    "FlatFeatures",
    "SoundDetector",
    "MusicnnExtractor",
    "PerTrack",
)
_TRAIN_A_NETWORK = (
    "RejectingClassifier",
    "HierarchicalGenreClassifier",
    *(f"{kind}GenreClassifier" for kind in ("MLP", "CNN", "LSTM", "ImageCNN", "Transfer")),
    *(f"{kind}GenreClassifier" for kind in ("CRNN", "RCNN", "LogMelCNN", "Keras")),
)
_N_FEATURES = ("check_n_features_in", "check_n_features_in_after_fitting")
_EXPECTED = [
    (
        "samples are no columns: the length of a track may differ between fit and transform",
        _N_FEATURES,
        ("AudioLoader", "GenreClassifier", *_TAKE_WAVEFORMS),
    ),
    (
        "the tables of check_classifiers_train are waveforms of different lengths here",
        ("check_classifiers_train",),
        ("GenreClassifier",),
    ),
    (
        "any number of bands becomes an image of the same size",
        _N_FEATURES,
        ("SpectrogramImage",),
    ),
    (
        "integer samples have no scale here; AudioLoader scales them",
        ("check_estimators_dtypes",),
        _TAKE_WAVEFORMS,
    ),
    (
        "int64 has no full scale as PCM; refused on purpose",
        ("check_estimators_dtypes",),
        ("AudioLoader", "GenreClassifier"),
    ),
    (
        "int64 has no full scale as PCM; refused on purpose",
        ("check_classifier_data_not_an_array",),
        ("GenreClassifier",),
    ),
    (
        "fit looks at the container only; tracks are read, and refused, in transform",
        ("check_estimators_nan_inf",),
        ("AudioLoader",),
    ),
    (
        "only fit_transform augments, as TargetEncoder's two methods differ; documented",
        ("check_transformer_data_not_an_array", "check_transformer_general"),
        ("Augmenter",),
    ),
    (
        "fit takes any parameter of its classifier, which has its own message",
        ("check_classifiers_one_label_sample_weights",),
        ("PairwiseCalibratedClassifier",),
    ),
    (
        "an unknown keyword argument is a TypeError, as it is without **routed",
        ("check_do_not_raise_errors_in_init_or_set_params",),
        ("KerasGenreClassifier",),
    ),
    (
        "a repeated track takes part in other mini-batches than a weighted one",
        ("check_sample_weight_equivalence_on_dense_data",),
        _TRAIN_A_NETWORK,
    ),
]


def expected_failed_checks(estimator):
    """Return the checks that an estimator fails by design, with the reason."""
    name = type(estimator).__name__
    return {
        check: reason for reason, checks, names in _EXPECTED if name in names for check in checks
    }
