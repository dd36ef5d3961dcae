"""Zhang: LSTMs, a hierarchy of them, a CRNN, and fused feature sets."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre.audio import AudioLoader
from skgenre.classifiers import (
    CRNNGenreClassifier,
    FusionKNeighborsClassifier,
    HierarchicalGenreClassifier,
    LSTMGenreClassifier,
    make_genre_pipeline,
)
from skgenre.features import (
    ChromaExtractor,
    MelSpectrogramExtractor,
    PitchHistogramExtractor,
    RhythmExtractor,
    SummaryExtractor,
)
from skgenre.papers._registry import PaperSystem, register
from skgenre.pipeline import PerTrack

_SETS = ("amplitude", "rhythm", "pitch", "chroma")
# Figure 12: LSTM1, 2a, 2b, 3a, 3b, 3c and 3d.
_TREE_EPOCHS = {
    "root": 35,
    "strong": 20,
    "mild": 35,
    "strong/hiphop-metal-rock": 40,
    "strong/pop-reggae": 20,
    "mild/disco-country": 20,
    "mild/jazz-classical-blues": 40,
}
_TREE_FIGURES = {
    "accuracy of LSTM1 (root)": 0.80,
    "accuracy of LSTM2a (strong)": 0.816,
    "accuracy of LSTM2b (mild)": 0.816,
    "accuracy of LSTM3a (hiphop, metal, rock)": 0.746,
    "accuracy of LSTM3b (pop, reggae)": 0.88,
    "accuracy of LSTM3c (disco, country)": 0.78,
    "accuracy of LSTM3d (jazz, classical, blues)": 0.84,
    "track accuracy": 0.50,
}


def _lstm(activation: str = "tanh") -> Any:
    network = LSTMGenreClassifier(
        lstm_units=(128, 32),
        lstm_activation=activation,
        units=(),
        dropout=0.0,
        batch_size=35,
        epochs=20,
        learning_rate=1e-3,
        random_state=0,
    )
    return make_genre_pipeline(network, n_segments=10)


def _three_lstms(learning_rate: Any = (0.002, 0.0), sampling_rate: float = 22050) -> Any:
    network = LSTMGenreClassifier(
        lstm_units=(32, 32, 32),
        units=(),
        lstm_dropout=(0.0, 0.5, 0.5),
        learning_rate=learning_rate,
        batch_size=64,
        early_stopping=True,
        monitor="val_accuracy",
        validation_fraction=1 / 9,
        random_state=0,
    )
    return make_genre_pipeline(network, n_segments=30, sampling_rate=sampling_rate)


def _hierarchy() -> Any:
    network = LSTMGenreClassifier(
        lstm_units=(128, 32), units=(), batch_size=35, epochs=35, learning_rate=1e-3
    )
    tree = HierarchicalGenreClassifier(
        network,
        hierarchy="gtzan",
        node_params={path: {"epochs": epochs} for path, epochs in _TREE_EPOCHS.items()},
        random_state=0,
    )
    return make_genre_pipeline(tree, n_segments=10)


def _crnn() -> Any:
    # 96 bands and 1400 frames: 30.02 s at a hop of 473 samples.
    mel = MelSpectrogramExtractor(n_mels=96, hop_length=473)
    network = CRNNGenreClassifier(random_state=0)
    return make_genre_pipeline(network, duration=30.02, n_segments=1, extractor=mel)


def _feature_sets() -> Any:
    union = FeatureUnion(
        [
            ("amplitude", SummaryExtractor()),
            ("rhythm", RhythmExtractor()),
            ("pitch", PitchHistogramExtractor()),
            ("chroma", ChromaExtractor()),
        ]
    )
    front_end = Pipeline([("loader", AudioLoader()), ("sets", union)])
    return PerTrack(front_end).set_output(transform="pandas")


def _fused_distances() -> Any:
    scaler = StandardScaler().set_output(transform="pandas")
    network = FusionKNeighborsClassifier(feature_sets="prefix", weights="search", random_state=0)
    return Pipeline([("features", _feature_sets()), ("scaler", scaler), ("classifier", network)])


def _fused_votes() -> Any:
    members = []
    for name in _SETS:
        columns = make_column_selector(f"^{name}__")
        select = make_column_transformer((StandardScaler(), columns))
        members.append((name, make_pipeline(select, KNeighborsClassifier())))
    return Pipeline([("features", _feature_sets()), ("classifier", VotingClassifier(members))])


def register_all() -> None:
    """Register the paper's systems."""
    tracks = "420 tracks for training, 120 for validation, 60 for testing"
    register(
        PaperSystem(
            "zhang/lstm",
            "LSTM 13-128-32 on MFCC",
            "section IV",
            tracks,
            {"accuracy, from": 0.5, "accuracy, to": 0.6},
            "Length of a sequence and learning rate are not given: 10 segments, 0.001.",
            _lstm,
        )
    )
    register(
        PaperSystem(
            "zhang/lstm-sigmoid",
            "LSTM 13-128-32 with sigmoid units, for six similar genres",
            "table 5-1",
            tracks,
            {},
            "As zhang/lstm. The paper does not name the six genres: those of the data, of which "
            "`reproduce` takes blues, country, disco, jazz, reggae and rock unless `genres` names "
            "others.",
            partial(_lstm, "sigmoid"),
        )
    )
    register(
        PaperSystem(
            "zhang/three-lstms",
            "Three LSTMs of 32 on segments of 1 s",
            "figure 10",
            "8:1:1, and 10-fold cross-validation by track",
            {},
            "Two passages contradict each other: the learning rate falls from 0.002 to 0, taken "
            "here, or is 1e-5; files have 22 050 Hz, taken here, or 16 kHz. Where the dropout of "
            "0.5 lies is not given: after the first two LSTMs.",
            _three_lstms,
        )
    )
    for name, title, build in (
        ("rate-1e-5", "learning rate 1e-5", partial(_three_lstms, learning_rate=1e-5)),
        ("16khz", "files of 16 kHz", partial(_three_lstms, sampling_rate=16000)),
    ):
        register(
            PaperSystem(
                f"zhang/figure10/{name}",
                f"Three LSTMs of 32, {title}",
                "section V",
                "10-fold cross-validation by track",
                {},
                "As zhang/three-lstms, but for what the other passage says.",
                build,
            )
        )
    register(
        PaperSystem(
            "zhang/hierarchy",
            "Seven LSTMs down a tree of genres",
            "figure 12",
            "each LSTM on the tracks of its own genres",
            _TREE_FIGURES,
            "Each is the LSTM 13-128-32, with the epochs of the figure. The tree has the genres of "
            "GTZAN; for others set classifier__hierarchy='auto' and classifier__node_params=None.",
            _hierarchy,
        )
    )
    register(
        PaperSystem(
            "zhang/crnn",
            "Four convolution blocks and recurrent layers on a spectrogram of 96 bands",
            "section II, CRNN",
            "not given",
            {},
            "1400 frames: a hop of 473 samples over 30.02 s.",
            _crnn,
        )
    )
    register(
        PaperSystem(
            "zhang/fusion-distances",
            "Nearest neighbours by a weighted sum of the distances of four feature sets",
            "section III, fusion, first way",
            "not given",
            {},
            "The weights are searched on the training tracks; amplitude statistics are those of "
            "SummaryExtractor.",
            _fused_distances,
        )
    )
    register(
        PaperSystem(
            "zhang/fusion-votes",
            "Majority vote of one classifier for each of four feature sets",
            "section III, fusion, second way",
            "not given",
            {},
            "The classifier is not named: nearest neighbours, as in the first way.",
            _fused_votes,
        )
    )
