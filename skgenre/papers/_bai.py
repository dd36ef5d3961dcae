"""Bai & Wang: convolutional, recurrent convolutional and recurrent networks on STFTs."""

from __future__ import annotations

from functools import partial
from typing import Any

from skgenre.classifiers import (
    CNNGenreClassifier,
    LSTMGenreClassifier,
    RCNNGenreClassifier,
    RejectingClassifier,
    make_genre_pipeline,
)
from skgenre.features import STFTExtractor
from skgenre.papers._registry import PaperSystem, register

_PROTOCOL = "segments of all tracks divided at random"
_BATCH = 100
_N_SEGMENTS = 15 * 1000
# Iterations of table 2 -> accuracy by clip, accuracy by track, threshold of the vote.
_TABLE_2 = [
    (500, 0.3229, 0.46, 5),
    (4000, 0.4912, 0.805, 5),
    (10000, 0.6032, 0.96, 5),
    (10000, 0.6023, 0.82, 7),
]
_UNITS = "Filters, dense units and batch size are not given."


def _stft() -> STFTExtractor:
    """33 bands and 166 frames of a segment of 2 s."""
    return STFTExtractor(
        n_fft=1024, hop_length=256, center=False, bands="linear", n_bands=33, n_frames=166
    )


def _epochs(iterations: int) -> int:
    """Return the epochs in which the segments of 1000 tracks take that many steps."""
    return max(1, round(iterations * _BATCH / _N_SEGMENTS))


def _on_segments(classifier: Any) -> Any:
    return make_genre_pipeline(classifier, n_segments=15, extractor=_stft())


def _complex_cnn(epochs: int) -> CNNGenreClassifier:
    return CNNGenreClassifier(
        filters=(32, 32, 64, 64),
        kernel_sizes=5,
        pool_sizes=2,
        pool_strides=2,
        batch_norm=False,
        units=(256, 128),
        activation="relu",
        dropout=(0.4, 0.6),
        epochs=epochs,
        batch_size=_BATCH,
        random_state=0,
    )


def _build_complex_cnn() -> Any:
    return _on_segments(_complex_cnn(_epochs(10_000)))


def _build_simple_cnn() -> Any:
    # No number of iterations is given: those of the middle row of table 2.
    simple = _complex_cnn(_epochs(4000)).set_params(filters=(32, 64), units=(64,), dropout=0.0)
    return _on_segments(simple)


def _build_rcnn() -> Any:
    network = RCNNGenreClassifier(
        learning_rate=1e-4, epochs=_epochs(25000), batch_size=_BATCH, random_state=0
    )
    return _on_segments(network)


def _build_lstm() -> Any:
    # 30 segments of 20 frames, 72 values a frame.
    extractor = STFTExtractor(n_fft=2048, hop_length=1024, center=False, bands="octave")
    network = LSTMGenreClassifier(
        lstm_units=(80, 80),
        units=(40,),
        activation="relu",
        dropout=0.0,
        epochs=500,
        batch_size=_BATCH,
        random_state=0,
    )
    return make_genre_pipeline(network, n_segments=30, extractor=extractor)


def _build_half() -> Any:
    # "When half of neurons have the same label": 8 of 15.
    return _build_vote(10_000, 8)


def _build_vote(iterations: int, threshold: int) -> Any:
    return _on_segments(RejectingClassifier(_complex_cnn(_epochs(iterations)), threshold=threshold))


def _build_whole() -> Any:
    # The paper's 33 x 2500 for the whole track is 30 s at the same hop.
    whole = STFTExtractor(n_fft=1024, hop_length=256, bands="linear", n_bands=33)
    return make_genre_pipeline(_complex_cnn(60_000 * _BATCH // 1000), n_segments=1, extractor=whole)


def register_all() -> None:
    """Register the paper's systems and the rows of its table 2."""
    for name, title, where, published, choices, build in (
        (
            "simple-cnn",
            "Two convolution and two dense layers",
            "section 3.3.2",
            {},
            f"{_UNITS} The paper calls it poor, without a figure.",
            _build_simple_cnn,
        ),
        (
            "complex-cnn",
            "Four convolution layers of 5x5",
            "section 3.3.3",
            {"accuracy after 10000 iterations": 0.80},
            f"{_UNITS} Dropout is 0.4, raised to 0.6 by hand when overfitting: here 0.4, then 0.6.",
            _build_complex_cnn,
        ),
        (
            "rcnn",
            "Two convolution and three recurrent convolution layers",
            "section 3.3.4, figures 2 and 6",
            {"test accuracy after 200000 iterations": 0.8245},
            "Filters are not given. 25 000 iterations, after which the paper's accuracy is steady.",
            _build_rcnn,
        ),
        (
            "lstm",
            "LSTM 80-80 and a dense layer of 40 on STFTs of 72 values",
            "table 1, figures 3 and 5",
            {"segment accuracy": 0.55},
            "Dropout and batch size are not given: none, and 100.",
            _build_lstm,
        ),
        (
            "whole-track",
            "Complex CNN on a whole track as one input",
            "table 2, last row",
            {"track accuracy after 60000 iterations": 0.7046},
            "60 000 iterations, in batches of 100, are 6000 epochs of 1000 tracks.",
            _build_whole,
        ),
    ):
        register(PaperSystem(f"bai/{name}", title, where, _PROTOCOL, published, choices, build))
    register(
        PaperSystem(
            "bai/votes/half",
            "Vote of 15 segments, rejected below half of them, 10000 iterations",
            "section 3.5",
            _PROTOCOL,
            {"threshold": 8},
            "The text has half of the segments, table 2 has 5 and 7 of 15. The abstract's 98 % "
            "names neither.",
            _build_half,
        )
    )
    for iterations, by_clip, by_track, threshold in _TABLE_2:
        register(
            PaperSystem(
                f"bai/table2/{iterations}-{threshold}",
                f"Vote of 15 segments, rejected below {threshold}, {iterations} iterations",
                "table 2",
                _PROTOCOL,
                {"segment accuracy": by_clip, "track accuracy": by_track, "threshold": threshold},
                "The table names no network: the complex CNN. Iterations become epochs by the "
                "15 000 segments of GTZAN in batches of 100.",
                partial(_build_vote, iterations, threshold),
            )
        )
