from __future__ import annotations

import numpy as np
import pytest

from skgenre import ImageCNNGenreClassifier
from skgenre.classifiers._images import as_images


def small(**params):
    defaults = {"filters": (4,), "units": (8,), "epochs": 12, "learning_rate": 0.02}
    return ImageCNNGenreClassifier(**{**defaults, "random_state": 0, **params})


def make_images(shape):
    """Return class-sorted images: light ones and dark ones."""
    rng = np.random.default_rng(0)
    y = np.repeat(["dark", "light"], 8)
    X = rng.uniform(0, 0.5, size=(16, *shape))
    X[8:] += 0.5
    return X, y


def test_defaults_are_the_papers():
    model = ImageCNNGenreClassifier()
    assert model.filters == (32, 32, 64)
    assert model.units == (128,)
    assert model.activation == "relu"
    assert model.learning_rate == 1e-4
    assert model.dropout == 0.0  # the one dropout stands before the dense layers
    assert model.conv_dropout > 0


def test_images_of_two_segments():
    X, y = make_images((2, 6, 5, 3))
    model = small().fit(X, y)
    assert model.segment_shape_ == (6, 5, 3)
    assert model.n_features_in_ == 3
    assert model.network_.model.input_shape == (None, 6, 5, 3)
    assert model.predict_segment_proba(X).shape == (16, 2, 2)
    assert model.score(X, y) == 1.0
    one = model.predict_proba(X[:, 0])  # 4-D: one image a track
    np.testing.assert_allclose(one, model.predict_proba(X[:, :1]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((4, 9), (4, 1, 9, 1, 1)),
        ((4, 6, 5), (4, 1, 6, 5, 1)),
        ((4, 6, 5, 3), (4, 1, 6, 5, 3)),
        ((4, 2, 6, 5, 3), (4, 2, 6, 5, 3)),
    ],
)
def test_shapes(shape, expected):
    X = np.arange(np.prod(shape)).reshape(shape)
    images = as_images(X)
    assert images.shape == expected
    np.testing.assert_array_equal(images.ravel(), X.ravel())


def test_features_are_not_taken_for_images():
    """(n_tracks, n_segments, n_frames, n_features) would be images of 96 channels."""
    X, y = make_images((2, 6, 96))
    with pytest.raises(ValueError, match=r"96 channels.*add the axis of channels: X\[..., np.new"):
        small().fit(X, y)
    small(epochs=1).fit(X[..., np.newaxis], y)


def test_wrong_size_names_both():
    X, y = make_images((2, 6, 5, 3))
    model = small(epochs=1).fit(X, y)
    both = r"6 x 4 pixels with 3 channels, but .* on images of 6 x 5 pixels with 3 channels"
    with pytest.raises(ValueError, match=both):
        model.predict(X[:, :, :, :4])


def test_hyperparameters_reach_the_network():
    X, y = make_images((1, 8, 8, 1))
    model = small(
        filters=(3, 5),
        kernel_sizes=(2, 3),
        pool_sizes=(4, 1),
        conv_dropout=0.1,
        units=(7, 6),
        dropout=(0.2, 0.4),
        epochs=1,
    ).fit(X, y)
    layers = model.network_.model.layers
    convolutions = [x for x in layers if type(x).__name__ == "Conv2D"]
    assert [(x.filters, x.kernel_size) for x in convolutions] == [(3, (2, 2)), (5, (3, 3))]
    assert [x.rate for x in layers if type(x).__name__ == "Dropout"] == [0.1, 0.2, 0.4]
    assert [x.units for x in layers if hasattr(x, "units")] == [7, 6, 2]


def test_training_is_that_of_the_base():
    X, y = make_images((2, 6, 5, 3))
    model = small(
        early_stopping=True,
        n_iter_no_change=2,
        validation_fraction=0.25,
        class_weight="balanced",
        epochs=60,
        learning_rate=(0.05, 0.0),
    ).fit(X, y, sample_weight=np.linspace(1, 2, 16))
    assert model.n_iter_ < 60
    assert set(model.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
