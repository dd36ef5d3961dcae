from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from _estimators import save_weights, small_backbone

from skgenre import HierarchicalGenreClassifier, TransferGenreClassifier


def small(**params):
    defaults = {"backbone": small_backbone, "weights": None, "image_size": 6, "units": (8,)}
    training = {"epochs": 12, "learning_rate": 0.02, "random_state": 0}
    return TransferGenreClassifier(**{**defaults, **training, **params})


def make_images(channels=3):
    rng = np.random.default_rng(0)
    y = np.repeat(["dark", "light"], 8)
    X = rng.uniform(0, 0.5, size=(16, 2, 8, 8, channels))
    X[8:] += 0.5
    return X, y


def body_of(model):
    return next(layer for layer in model.network_.model.layers if hasattr(layer, "layers"))


@pytest.fixture
def weights_file(tmp_path):
    body = small_backbone(include_top=False, weights=None, input_shape=(6, 6, 3))
    rng = np.random.default_rng(0)  # frozen, some random weights let nothing through
    body.set_weights([0.3 * np.abs(rng.normal(size=w.shape)) for w in body.get_weights()])
    file = tmp_path / "body.weights.h5"
    save_weights(body, file)
    return file, body.get_weights()


def test_defaults_are_the_papers():
    model = TransferGenreClassifier()
    assert (model.backbone, model.weights, model.trainable_from) == ("VGG16", "imagenet", None)
    assert model.image_size == 224
    assert model.learning_rate == 1e-4


def test_pretrained_weights_stay_where_they_are_not_trained(weights_file):
    """They are loaded once, however often the network is built, and travel in the pickle."""
    file, weights = weights_file
    X, y = make_images()
    model = small(weights=file, batch_size=4).fit(X, y)
    for before, after in zip(weights, body_of(model).get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert model.score(X, y) == 1.0
    file.unlink()
    expected = model.predict_proba(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_allclose(twin.predict_proba(X), expected, rtol=1e-5, atol=1e-6)
        assert not body_of(twin).trainable_weights
    np.testing.assert_allclose(
        model.network_.snapshot().predict_proba(X[:, 0].astype(np.float32)),
        model.predict_segment_proba(X)[:, 0],
        rtol=1e-5,
        atol=1e-6,
    )


def test_fine_tuning_starts_from_the_weights(weights_file):
    file, weights = weights_file
    X, y = make_images()
    tuned = small(weights=str(file), trainable_from="conv", epochs=1).fit(X, y)
    moved = np.abs(body_of(tuned).get_weights()[0] - weights[0]).max()
    assert 0 < moved < 0.2  # a few steps away from where it started


def test_failed_download_is_an_error_of_fit(monkeypatch):
    from keras.src.utils import file_utils

    def get_file(*args, **kwargs):
        raise Exception("URL fetch failure on https://...: None -- Name does not resolve")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    X, y = make_images()
    with pytest.raises(OSError, match="ImageNet weights of VGG16 are not in Keras' cache"):
        TransferGenreClassifier(image_size=32, epochs=1).fit(X, y)


def test_values_above_full_brightness_are_refused():
    X, y = make_images()
    with pytest.raises(ValueError, match=r"values up to 255, but pixel_max=1 .*Set pixel_max=255"):
        small().fit(X * 255, y)
    one = small(epochs=2).fit(X, y).predict_proba(X)
    same = small(epochs=2, pixel_max=255).fit(X * 255, y).predict_proba(X * 255)
    np.testing.assert_allclose(one, same, rtol=1e-3, atol=1e-4)


def test_one_channel_and_two():
    X, y = make_images(channels=1)
    model = small().fit(X, y)
    assert model.segment_shape_ == (8, 8, 1)
    assert model.score(X, y) == 1.0
    X, y = make_images(channels=2)
    with pytest.raises(ValueError, match="Images of 2 channels came"):
        small().fit(X, y)


def test_unknown_backbone_is_named_before_training():
    X, y = make_images()
    with pytest.raises(ValueError, match=r"backbone='VGG17' is not a network of keras\.app"):
        small(backbone="VGG17").fit(X, y)


@pytest.mark.slow
def test_a_network_of_keras_learns():
    """The real thing once, from random weights that follow our seed."""
    X, y = make_images()
    model = small(backbone="VGG16", image_size=32, epochs=3, learning_rate=1e-4).fit(X, y)
    assert model.history_["loss"][-1] < model.history_["loss"][0]
    assert model.score(X, y) > 0.8


def test_images_in_a_hierarchy():
    X, _ = make_images()
    y = np.repeat(["metal", "rock", "jazz", "blues"], 4)
    model = HierarchicalGenreClassifier(small(epochs=1), random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (16, 4)
