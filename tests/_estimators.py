"""Small versions of the estimators, for the common checks."""

from __future__ import annotations

from skgenre import (
    AudioLoader,
    Augmenter,
    CNNGenreClassifier,
    FrameScaler,
    HierarchicalGenreClassifier,
    LSTMGenreClassifier,
    MelSpectrogramExtractor,
    MFCCExtractor,
    MLPGenreClassifier,
    PerTrack,
    Segmenter,
)

TRAINING = {"learning_rate": 0.02, "batch_size": 16, "dropout": 0.0}


def small_classifiers():
    """Return the four classifiers, small enough to fit in a second."""
    return [
        MLPGenreClassifier(units=(16,), epochs=25, **TRAINING),
        CNNGenreClassifier(
            filters=(8,), kernel_sizes=3, pool_sizes=1, units=(16,), epochs=25, **TRAINING
        ),
        LSTMGenreClassifier(lstm_units=(12,), units=(), epochs=30, **TRAINING),
        HierarchicalGenreClassifier(
            MLPGenreClassifier(units=(16,), epochs=25, **TRAINING), random_state=0
        ),
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
        FrameScaler(),
    ]


_SAMPLES = "samples are no columns: the length of a track may differ between fit and transform"
_INTEGERS = "integer samples have no scale here; AudioLoader scales them"
_AUGMENTS = "only fit_transform augments, as TargetEncoder's two methods differ; documented"
_MINIBATCH = "a repeated track takes part in other mini-batches than a weighted one"

_NO_SCALE = "int64 has no full scale as PCM; refused on purpose"
_DECODES_LATE = "fit looks at the container only; tracks are read, and refused, in transform"

_EXPECTED = {
    "AudioLoader": {
        "check_n_features_in_after_fitting": _SAMPLES,
        "check_n_features_in": _SAMPLES,
        "check_estimators_dtypes": _NO_SCALE,
        "check_estimators_nan_inf": _DECODES_LATE,
    },
    "Segmenter": {
        "check_n_features_in_after_fitting": _SAMPLES,
        "check_n_features_in": _SAMPLES,
        "check_estimators_dtypes": _INTEGERS,
    },
    "Augmenter": {
        "check_n_features_in_after_fitting": _SAMPLES,
        "check_n_features_in": _SAMPLES,
        "check_estimators_dtypes": _INTEGERS,
        "check_transformer_data_not_an_array": _AUGMENTS,
        "check_transformer_general": _AUGMENTS,
    },
    "MFCCExtractor": {
        "check_n_features_in_after_fitting": _SAMPLES,
        "check_n_features_in": _SAMPLES,
        "check_estimators_dtypes": _INTEGERS,
    },
    "MelSpectrogramExtractor": {
        "check_n_features_in_after_fitting": _SAMPLES,
        "check_n_features_in": _SAMPLES,
        "check_estimators_dtypes": _INTEGERS,
    },
    "PerTrack": {
        "check_n_features_in_after_fitting": _SAMPLES,
        "check_n_features_in": _SAMPLES,
        "check_estimators_dtypes": _INTEGERS,
    },
    "MLPGenreClassifier": {"check_sample_weight_equivalence_on_dense_data": _MINIBATCH},
    "CNNGenreClassifier": {"check_sample_weight_equivalence_on_dense_data": _MINIBATCH},
    "LSTMGenreClassifier": {"check_sample_weight_equivalence_on_dense_data": _MINIBATCH},
    "HierarchicalGenreClassifier": {"check_sample_weight_equivalence_on_dense_data": _MINIBATCH},
}


def expected_failed_checks(estimator):
    """Return the checks that an estimator fails by design, with the reason."""
    return _EXPECTED.get(type(estimator).__name__, {})
