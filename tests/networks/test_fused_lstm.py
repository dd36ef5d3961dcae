"""The quick LSTM layer against Keras' own loop over the frames."""

from __future__ import annotations

import numpy as np
import pytest

from skgenre.networks import build_lstm
from skgenre.networks._fused_lstm import fused_lstm

SHAPE = (8, 5)


def make_segments(n=24):
    X = np.random.default_rng(0).normal(size=(n, *SHAPE)).astype(np.float32)
    return X, np.arange(n) % 3


def both(**settings):
    """Return the network and the same with Keras' loop."""
    quick, plain = (build_lstm(SHAPE, 3, lstm_units=(8, 4), seed=1, **settings) for _ in range(2))
    for layer in plain.layers[:2]:
        vars(layer).pop("inner_loop", None)  # the method of Keras' class shows again
    return quick, plain


def gradients(model, X, y, *, training=False):
    import keras
    import tensorflow as tf

    with tf.GradientTape() as tape:
        batch = tf.constant(X)
        tape.watch(batch)
        proba = model(batch, training=training)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, proba))
    return tape.gradient(loss, [batch, *(v.value for v in model.trainable_variables)])


@pytest.mark.parametrize("settings", [{}, {"lstm_dropout": 0.4, "dropout": 0.0}])
def test_probabilities_and_gradients_are_those_of_the_loop(settings):
    X, y = make_segments()
    quick, plain = both(**settings)
    assert "inner_loop" in vars(quick.layers[0])
    assert "inner_loop" not in vars(plain.layers[0])
    np.testing.assert_allclose(quick(X).numpy(), plain(X).numpy(), rtol=1e-5)
    for ours, theirs in zip(
        gradients(quick, X, y, training=True), gradients(plain, X, y, training=True), strict=True
    ):
        scale = np.abs(theirs).max()
        assert scale > 0
        np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-5)


def test_a_training_goes_as_with_the_loop():
    import keras

    X, y = make_segments()
    losses = []
    for model in both(lstm_dropout=0.3):
        model.compile(
            keras.optimizers.SGD(0.3), "sparse_categorical_crossentropy", jit_compile=False
        )
        history = model.fit(X, y, epochs=4, batch_size=8, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert losses[0][-1] < losses[0][0]


def test_other_activations_go_through_the_loop():
    X, _ = make_segments()
    quick, plain = both(lstm_activation="sigmoid")
    assert "inner_loop" not in vars(quick.layers[0])
    np.testing.assert_array_equal(quick(X).numpy(), plain(X).numpy())


@pytest.mark.parametrize(
    "settings",
    [{"recurrent_activation": "tanh"}, {"go_backwards": True}, {"use_bias": False},
     {"recurrent_dropout": 0.5}, {"dtype": "float64"}],
)  # fmt: skip
def test_what_the_operation_cannot_do_goes_through_the_loop(settings):
    assert "inner_loop" not in vars(fused_lstm(4, **settings))


def test_masked_frames_go_through_the_loop():
    import keras

    X, _ = make_segments()
    X[:, 5:] = 0
    for model in both():
        masked = keras.Sequential([keras.Input(SHAPE), keras.layers.Masking(), *model.layers])
        cut = keras.Sequential([keras.Input((5, 5)), *model.layers])
        np.testing.assert_allclose(masked(X).numpy(), cut(X[:, :5]).numpy(), rtol=1e-5)


# Keras' own way to write weights is not yet NumPy 2's.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_what_is_saved_is_plain_keras(tmp_path):
    import keras

    X, _ = make_segments()
    model = build_lstm(SHAPE, 3, seed=1)
    model.save(tmp_path / "network.keras")
    assert type(model.layers[0]) is keras.layers.LSTM
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert "inner_loop" not in vars(loaded.layers[0])
    np.testing.assert_allclose(loaded(X).numpy(), model(X).numpy(), rtol=1e-5)
