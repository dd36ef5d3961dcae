"""Jain et al. (2021): MLP, CNN and LSTM on 13 MFCC."""

from __future__ import annotations

from functools import partial
from typing import Any

from skgenre.classifiers import (
    CNNGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
    make_genre_pipeline,
)
from skgenre.papers._registry import PaperSystem, register

_PROTOCOL = "30 % of the segments for training and 70 % for testing, at random"
_TRAINING = {
    "activation": "relu",
    "dropout": 0.3,
    "epochs": 100,
    "learning_rate": 1e-4,
    "random_state": 0,
}


def _build(kind: Any, **params: Any) -> Any:
    return make_genre_pipeline(kind(**{**_TRAINING, **params}), n_segments=10)


def register_all() -> None:
    """Register the paper's systems, the rows of its table 2."""
    rate = "The learning rate 1e-4 is given for the LSTM and taken for all."
    for name, title, figures, choices, build in (
        (
            "mlp",
            "MLP on MFCC",
            (0.6024, 3.31),
            rate,
            partial(_build, MLPGenreClassifier, units=(512, 256, 128)),
        ),
        (
            "cnn",
            "CNN on MFCC",
            (0.7443, 0.88),
            f"Pooling 3x3 with strides 3. {rate}",
            partial(_build, CNNGenreClassifier, pool_sizes=3, pool_strides=3),
        ),
        ("lstm", "LSTM on MFCC", (0.6795, 1.12), "", partial(_build, LSTMGenreClassifier)),
    ):
        published = {"segment accuracy": figures[0], "error": figures[1]}
        register(
            PaperSystem(f"jain2021/{name}", title, "table 2", _PROTOCOL, published, choices, build)
        )
