"""Hu & Mogos (2022): MLP, CNN and LSTM on MFCC, by segments and by activations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from skgenre.audio import Augmenter
from skgenre.classifiers import (
    CNNGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
    make_genre_pipeline,
)
from skgenre.features import MFCCExtractor
from skgenre.papers._registry import PaperSystem, register

_PROTOCOL = "random quarter of the segments as test, a fifth of the rest as validation, 3 trainings"
_NETWORKS: dict[str, Callable[..., Any]] = {
    "mlp": MLPGenreClassifier,
    "cnn": CNNGenreClassifier,
    "lstm": LSTMGenreClassifier,
}
_CHOICES = {
    "mlp": (
        "The text has layers of 512, 256 and 128; the listing named CNN, figure 12, shows an MLP "
        "of 512, 512 and 64 with L2 0.001, which is hu2022/mlp-listing."
    ),
    "cnn": "The listings of figures 10 and 12 are swapped: 10 shows the CNN.",
    "lstm": "The text says one LSTM layer of 64; the figures and jain2021 have two.",
}
_ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu", "elu"]

# Table 1 after 100 epochs: segments -> accuracy, validation accuracy, error, validation error.
_TABLE_1 = {
    "mlp": {
        10: (0.6964, 0.5745, 1.1177, 1.8091),
        20: (0.8231, 0.6762, 0.7547, 1.3065),
        30: (0.8328, 0.7116, 0.7185, 1.1494),
    },
    "cnn": {
        10: (0.9187, 0.7533, 0.2494, 0.8416),
        20: (0.8351, 0.7727, 0.4702, 0.7022),
        30: (0.8043, 0.7602, 0.5641, 0.7003),
    },
    "lstm": {
        10: (0.8622, 0.6707, 0.4375, 1.2585),
        20: (0.8952, 0.7050, 0.3289, 1.1319),
        30: (0.8983, 0.7282, 0.3149, 1.0527),
    },
}
# Tables 2 to 4 after 50 epochs of 10 segments: validation accuracy by activation.
_TABLES_2_TO_4 = {
    "mlp": (2, (0.5172, 0.5042, 0.2688, 0.5672, 0.5512)),
    "cnn": (3, (0.6647, 0.6120, 0.7207, 0.7427, 0.7167)),
    "lstm": (4, (0.6053, 0.6427, 0.6353, 0.6680, 0.6567)),
}
# The text names these dimensions too, without values or figures; the middle one is the usual.
_MLP_UNITS = (512, 256, 128)
_DIMENSIONS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "layers": {
        "mlp": {str(n): {"units": _MLP_UNITS[:n]} for n in (1, 2, 3)},
        "cnn": {
            str(n): {
                "filters": (32,) * n,
                "kernel_sizes": (3, 3, 2)[:n],
                "pool_sizes": (3, 3, 2)[:n],
            }
            for n in (1, 2, 3)
        },
        "lstm": {str(n): {"lstm_units": (64,) * n} for n in (1, 2, 3)},
    },
    "neurons": {
        "mlp": {str(n): {"units": (n, n // 2, n // 4)} for n in (256, 512, 1024)},
        "cnn": {str(n): {"filters": (n,) * 3, "units": (2 * n,)} for n in (16, 32, 64)},
        "lstm": {str(n): {"lstm_units": (n, n), "units": (n,)} for n in (32, 64, 128)},
    },
    "epochs": {
        network: {str(n): {"epochs": n} for n in (25, 50, 100)}
        for network in ("mlp", "cnn", "lstm")
    },
}
DIMENSIONS = {
    name: [f"{network}-{value}" for network, values in networks.items() for value in values]
    for name, networks in _DIMENSIONS.items()
}
_COLUMNS = ("accuracy", "validation accuracy", "error", "validation error")


def _build(network: str, n_segments: int = 10, **params: Any) -> Any:
    settings = {"epochs": 100, "learning_rate": 1e-4, "dropout": 0.3, "random_state": 0}
    classifier = _NETWORKS[network](**{**settings, **params})
    return make_genre_pipeline(classifier, n_segments=n_segments)


def _build_augmented() -> Any:
    network = CNNGenreClassifier(epochs=100, learning_rate=1e-4, random_state=0)
    augmenter = Augmenter(n_copies=1, noise_level=None, random_state=0)
    pipeline = make_genre_pipeline(network, augmenter=augmenter)
    # The noise is a layer of the network, on scaled features.
    return pipeline.set_params(classifier__input_noise=0.1)


def _build_deltas() -> Any:
    network = CNNGenreClassifier(epochs=100, learning_rate=1e-4, random_state=0)
    return make_genre_pipeline(network, extractor=MFCCExtractor(deltas=1))


def register_all() -> None:
    """Register the paper's systems and the rows of its tables."""
    for network in _NETWORKS:
        register(
            PaperSystem(
                f"hu2022/{network}",
                f"{network.upper()} on MFCC",
                "table 1, 10 segments",
                _PROTOCOL,
                dict(zip(_COLUMNS, _TABLE_1[network][10], strict=True)),
                _CHOICES[network],
                partial(_build, network),
                {
                    "features__segmenter__n_segments": [10, 20, 30],
                    "classifier__activation": _ACTIVATIONS,
                },
            )
        )
    register(
        PaperSystem(
            "hu2022/mlp-listing",
            "MLP of the listing",
            "figure 12",
            _PROTOCOL,
            {},
            "512, 512 and 64 units with L2 0.001; the paper gives no figure for it alone.",
            partial(_build, "mlp", units=(512, 512, 64), l2=0.001),
        )
    )
    register(
        PaperSystem(
            "hu2022/cnn-augmented",
            "CNN trained on pitch-shifted and time-stretched copies too",
            "section 2, data augmentation",
            _PROTOCOL,
            {},
            "The paper gives no ranges: those of Augmenter. Its Gaussian noise layer is "
            "input_noise, 0.1 of a standardised feature.",
            _build_augmented,
        )
    )
    register(
        PaperSystem(
            "hu2022/cnn-deltas",
            "CNN on MFCC and their first differences",
            "section 2, MFCC",
            _PROTOCOL,
            {},
            "The paper describes the differential coefficients and gives no figure.",
            _build_deltas,
        )
    )
    for network, rows in _TABLE_1.items():
        for n_segments, figures in rows.items():
            register(
                PaperSystem(
                    f"hu2022/table1/{network}-{n_segments}",
                    f"{network.upper()} on {n_segments} segments, 100 epochs",
                    "table 1",
                    _PROTOCOL,
                    dict(zip(_COLUMNS, figures, strict=True)),
                    _CHOICES[network],
                    partial(_build, network, n_segments),
                )
            )
    for network, (table, accuracies) in _TABLES_2_TO_4.items():
        for activation, accuracy in zip(_ACTIVATIONS, accuracies, strict=True):
            register(
                PaperSystem(
                    f"hu2022/table{table}/{network}-{activation}",
                    f"{network.upper()} with {activation}, 50 epochs, 10 segments",
                    f"table {table}",
                    _PROTOCOL,
                    {"validation accuracy": accuracy},
                    _CHOICES[network],
                    partial(_build, network, epochs=50, activation=activation),
                )
            )

    for dimension, networks in _DIMENSIONS.items():
        for network, values in networks.items():
            for value, params in values.items():
                register(
                    PaperSystem(
                        f"hu2022/{dimension}/{network}-{value}",
                        f"{network.upper()}, {dimension}: {value}",
                        "section 3, the five dimensions",
                        _PROTOCOL,
                        {},
                        "The text names the dimension, without values and figures: those around "
                        "the usual ones, which are those of tables 2 to 4.",
                        partial(_build, network, **{"epochs": 50, **params}),
                    )
                )


def grids() -> dict[str, tuple[str, dict[str, list[Any]], dict[str, Any]]]:
    """Return experiment -> (system, parameter grid, fixed parameters)."""
    tables: dict[str, tuple[str, dict[str, list[Any]], dict[str, Any]]] = {}
    for network in _NETWORKS:
        tables[f"hu2022/table1/{network}"] = (
            f"hu2022/{network}",
            {"features__segmenter__n_segments": [10, 20, 30]},
            {"classifier__epochs": 100},
        )
    for network, (table, _) in _TABLES_2_TO_4.items():
        tables[f"hu2022/table{table}"] = (
            f"hu2022/{network}",
            {"classifier__activation": _ACTIVATIONS},
            {"classifier__epochs": 50},
        )
    for network in _NETWORKS:
        tables[f"hu2022/epochs/{network}"] = (
            f"hu2022/{network}",
            {"classifier__epochs": [25, 50, 100]},
            {},
        )
    return tables
