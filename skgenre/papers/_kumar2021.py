"""Kumar (2021): networks on images of mel spectrograms, and on MFCC."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline

from skgenre.classifiers import (
    ImageCNNGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
    TransferGenreClassifier,
    make_genre_pipeline,
)
from skgenre.features import MelSpectrogramExtractor, SpectrogramImage
from skgenre.papers._registry import PaperSystem, register

_BY_TRACK = "60 % of the tracks for training and 40 % for testing, at random"


def _on_images(classifier: Any) -> Any:
    image = Pipeline([("mel", MelSpectrogramExtractor(n_mels=96)), ("image", SpectrogramImage())])
    return make_genre_pipeline(classifier, n_segments=1, extractor=image, scaler=None)


def _image_cnn() -> Any:
    return _on_images(ImageCNNGenreClassifier(epochs=500, learning_rate=1e-4, random_state=0))


def _transfer(weights: str | None = "imagenet") -> Any:
    return _on_images(
        TransferGenreClassifier(
            backbone="VGG16", weights=weights, image_size=256, learning_rate=1e-4, random_state=0
        )
    )


def _ann() -> Any:
    network = MLPGenreClassifier(
        units=(512, 256, 64), activation="relu", dropout=0.3, l2=0.001, random_state=0
    )
    return make_genre_pipeline(network, n_segments=10)


def _lstm() -> Any:
    return make_genre_pipeline(LSTMGenreClassifier(epochs=30, random_state=0), n_segments=10)


def register_all() -> None:
    """Register the paper's four systems, and one for comparison."""
    register(
        PaperSystem(
            "kumar2021/image-cnn",
            "CNN on images of mel spectrograms, 8 418 666 parameters",
            "figure 10 and the first report",
            _BY_TRACK,
            {"track accuracy": 0.52},
            "One image of 256 x 256 a track. The dropout rate and the batch size are not given: "
            "0.3 and 32.",
            _image_cnn,
        )
    )
    register(
        PaperSystem(
            "kumar2021/transfer",
            "VGG16 of ImageNet on images of mel spectrograms",
            "figures A and B, the second report",
            _BY_TRACK,
            {"track accuracy": 0.54},
            "The backbone is named in the survey only. Needs ImageNet's weights: an internet "
            "connection, or a file, as `skgenre reproduce --weights FILE` or classifier__weights. "
            "Not measured: no such file was at hand.",
            _transfer,
        )
    )
    register(
        PaperSystem(
            "kumar2021/transfer-random",
            "VGG16 with random weights on images of mel spectrograms",
            "for comparison with the second report",
            _BY_TRACK,
            {},
            "Not in the paper: what the network does without ImageNet. All its layers are trained.",
            partial(_transfer, None),
        )
    )
    register(
        PaperSystem(
            "kumar2021/ann",
            "Three dense layers on MFCC",
            "sections on the sequence model, dropout and batching",
            "not given",
            {},
            "Sizes, rates and epochs are not given: 512, 256 and 64 units, dropout 0.3, L2 0.001, "
            "mini-batches of 32 from the paper's 16 to 128.",
            _ann,
        )
    )
    register(
        PaperSystem(
            "kumar2021/lstm",
            "LSTM on MFCC",
            "figure 19",
            "not given; 30 epochs",
            {"training accuracy": 0.683, "test accuracy": 0.5907},
            "Sizes are not given: two layers of 64.",
            _lstm,
        )
    )
