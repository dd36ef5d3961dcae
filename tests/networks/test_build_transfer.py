from __future__ import annotations

import random
import re

import numpy as np
import pytest
from _estimators import save_weights, small_backbone

from skgenre.networks import build_transfer


def build(**params):
    settings = {"backbone": small_backbone, "weights": None, "image_size": 6}
    return build_transfer((8, 8, 3), 3, **{**settings, **params})


def body_of(model):
    return next(layer for layer in model.layers if hasattr(layer, "layers"))


def test_vgg16_sees_images_as_it_expects_them():
    """Resized, of 0 to 255, and with the colours in the order and about the means of ImageNet."""
    import keras

    model = build_transfer((20, 10, 1), 10, weights=None, image_size=(32, 40), seed=0)
    assert body_of(model).name == "vgg16"
    assert body_of(model).input_shape == (None, 32, 40, 3)
    X = np.random.default_rng(0).uniform(size=(2, 20, 10, 1)).astype(np.float32)
    images = keras.ops.image.resize(np.repeat(X, 3, axis=-1) * 255, (32, 40))
    expected = body_of(model)(keras.applications.vgg16.preprocess_input(images))
    pool = next(x for x in model.layers if type(x).__name__ == "GlobalAveragePooling2D")
    found = keras.Model(model.input, pool.input)(X)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert np.abs(expected).max() > 0.1


def test_preprocessing_is_that_of_the_backbone():
    """MobileNet was trained on values from -1 to 1."""
    import keras

    model = build_transfer(
        (32, 32, 3),
        2,
        backbone="MobileNet",
        backbone_params={"alpha": 0.25},
        weights=None,
        image_size=32,
        pixel_max=255,
    )
    assert body_of(model).name.startswith("mobilenet_0.25")
    X = np.full((1, 32, 32, 3), 255, dtype=np.float32)
    X[:, :, :, 1] = 0
    pool = next(x for x in model.layers if type(x).__name__ == "GlobalAveragePooling2D")
    found = keras.Model(model.input, pool.input)(X)
    X = X / 127.5 - 1
    np.testing.assert_allclose(found, body_of(model)(X), rtol=1e-3, atol=1e-4)


def test_weights_file(tmp_path):
    file = tmp_path / "body.weights.h5"
    body = body_of(build(seed=1))
    save_weights(body, file)
    loaded, other = build(weights=file, seed=2), build(seed=2)
    for one, two, three in zip(
        body.get_weights(), body_of(loaded).get_weights(), body_of(other).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, two)
        assert one.ndim == 1 or np.abs(two - three).max() > 0.01
    assert not body_of(loaded).trainable_weights
    # The same model is built without the file, for weights that come from elsewhere.
    file.unlink()
    empty = build(weights=file, load_weights=False, seed=2)
    assert [w.shape for w in empty.weights] == [w.shape for w in loaded.weights]
    assert not body_of(empty).trainable_weights


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_saved_model_as_weights(tmp_path):
    """A ``.keras`` file of the backbone, with a top or without one."""
    import keras

    body = body_of(build(seed=1))
    top = keras.layers.Dense(7)(keras.layers.Flatten()(body.outputs[0]))
    for name, model in (("bare", body), ("topped", keras.Model(body.inputs, top))):
        file = tmp_path / f"{name}.keras"
        model.save(file)
        for one, two in zip(
            body.get_weights(), body_of(build(weights=file, seed=2)).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, two)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("ending", ["weights.h5", "keras", "txt"])
def test_weights_file_of_something_else(tmp_path, ending):
    import keras

    file = tmp_path / f"other.{ending}"
    match = (
        rf"other.{ending}' cannot be loaded into small_backbone without its top: [^\0]*Expected a "
        r"file of Keras \(\.weights\.h5, \.h5 or \.keras\) with the 2 weights of this network, of "
        r"shapes \(2, 2, 3, 4\) to \(4,\)"
    )
    convolutions = [keras.layers.Conv2D(4, size) for size in (3, 2)]
    other = keras.Sequential([keras.Input((6, 6, 3)), *convolutions])
    if ending != "txt":
        (other.save if ending == "keras" else other.save_weights)(file)
        with pytest.raises(ValueError, match=match):
            build(weights=str(file))
    file.write_text("no weights")
    with pytest.raises(ValueError, match=match):
        build(weights=file)


def test_missing_weights_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.weights.h5': there is no such file"):
        build(weights=tmp_path / "none.weights.h5")


def test_failed_download_says_what_to_do(monkeypatch):
    """Keras raises a plain Exception; the test needs no network to see it."""
    from keras.src.utils import file_utils

    def get_file(*args, **kwargs):
        raise Exception("URL fetch failure on https://...: None -- Name does not resolve")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    advice = r"(?s)VGG16 are not in Keras' cache.*does not resolve.*give its path as weights"
    with pytest.raises(OSError, match=advice):
        build_transfer((8, 8, 3), 3, image_size=32)


def test_frozen_and_trained_layers():
    def trained(model):
        return [layer.name for layer in body_of(model).layers if layer.trainable_weights]

    vgg = {"backbone": "VGG16", "image_size": 32}
    assert len(trained(build(**vgg))) == 13
    loaded = {"weights": "vgg.weights.h5", "load_weights": False, **vgg}
    assert trained(build(**loaded)) == []
    tuned = build(trainable_from="block5_conv2", **loaded)
    assert trained(tuned) == ["block5_conv2", "block5_conv3"]
    with pytest.raises(ValueError, match=r"'block6' is no layer of vgg16; .* block5_conv3"):
        build(trainable_from="block6", **vgg)


def test_frozen_layers_predict_as_they_are(tmp_path):
    """Neither dropout nor the statistics of a batch reach a frozen backbone in training."""

    def noisy_backbone(include_top, weights, input_shape):
        import keras

        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Conv2D(4, 2),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.5, seed=1),
            ]
        )

    file = tmp_path / "noisy.weights.h5"
    noisy = {"backbone": noisy_backbone, "dropout": 0.0}
    scratch = build(**noisy)
    save_weights(body_of(scratch), file)
    X = np.random.default_rng(0).uniform(size=(4, 8, 8, 3)).astype(np.float32)
    frozen = build(weights=file, **noisy)
    np.testing.assert_allclose(frozen(X, training=True), frozen(X, training=False), rtol=1e-5)
    assert np.abs(scratch(X, training=True) - scratch(X, training=False)).max() > 1e-3


def test_random_backbones_come_from_the_seed():
    """Separable and depthwise convolutions too, and Python's global state stays."""
    state = random.getstate()

    def separable(include_top, weights, input_shape):
        import keras

        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.SeparableConv2D(4, 2),
                keras.layers.DepthwiseConv2D(2),
                keras.layers.Dropout(0.5),
            ]
        )

    first, again, other = (body_of(build(backbone=separable, seed=s)) for s in (1, 1, 2))
    assert random.getstate() == state
    for one, two, three in zip(first.variables, again.variables, other.variables, strict=True):
        np.testing.assert_array_equal(one, two)
        if "kernel" in one.path or "seed" in one.path:
            assert np.any(np.asarray(one) != np.asarray(three)), one.path


@pytest.mark.parametrize(("pooling", "size"), [("avg", 4), ("max", 4), ("flatten", 5 * 5 * 4)])
def test_pooling(pooling, size):
    model = build(pooling=pooling, units=(7,))
    assert next(x for x in model.layers if hasattr(x, "units")).kernel.shape == (size, 7)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backbone": "VGG17"}, "backbone='VGG17' is not a network of keras.applications, .*VGG16"),
        ({"pooling": "mean"}, "pooling='mean' is none of 'avg', 'max' and 'flatten'"),
        ({"backbone": "VGG16", "image_size": 8}, "must be at least 32x32"),
        ({"image_size": (6, 0)}, "image_size=.*must hold whole numbers"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        build(**params)


def test_channels():
    with pytest.raises(ValueError, match=re.escape("Images of 2 channels came")):
        build_transfer((8, 8, 2), 3, backbone=small_backbone, weights=None)
