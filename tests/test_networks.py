from __future__ import annotations

import random

import numpy as np
import pytest

from skgenre.networks import build_cnn, build_lstm, build_mlp

SHAPE = (130, 13)  # 3 s, hop 512, 13 coefficients


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_mlp_is_that_of_the_papers():
    """hu2022 (text) and jain2021: flatten, 512, 256, 128 with dropout, softmax."""
    model = build_mlp(SHAPE, 10)
    assert kinds(model) == ["Flatten", *["Dense", "LeakyReLU", "Dropout"] * 3, "Dense"]
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [512, 256, 128, 10]
    dense = (1690 + 1) * 512 + 513 * 256 + 257 * 128 + 129 * 10
    assert model.count_params() == dense


def test_mlp_of_the_listing():
    """hu2022, the listing: 512, 512, 64 with L2 0.001."""
    model = build_mlp(SHAPE, 10, units=(512, 512, 64), l2=0.001)
    assert model.count_params() == 1691 * 512 + 513 * 512 + 513 * 64 + 65 * 10
    first = next(layer for layer in model.layers if hasattr(layer, "units"))
    assert first.kernel_regularizer.l2 == pytest.approx(0.001)


def test_cnn_is_that_of_hu2022():
    """The listing has no padding in convolutions and "same" padding with strides 2 in pools."""
    model = build_cnn(SHAPE, 10)
    block = ["Conv2D", "LeakyReLU", "MaxPooling2D", "BatchNormalization"]
    assert kinds(model) == [
        "Reshape",
        *block * 3,
        "Flatten",
        "Dense",
        "LeakyReLU",
        "Dropout",
        "Dense",
    ]
    shapes = [layer.output.shape[1:] for layer in model.layers if "Pool" in type(layer).__name__]
    assert shapes == [(64, 6, 32), (31, 2, 32), (15, 1, 32)]
    convolutions = 9 * 32 + 32 + 9 * 32 * 32 + 32 + 4 * 32 * 32 + 32
    assert model.count_params() == convolutions + 3 * 128 + 481 * 64 + 65 * 10


def test_cnn_of_jain2021():
    model = build_cnn(SHAPE, 10, pool_sizes=3, pool_strides=3, activation="relu")
    pools = [layer for layer in model.layers if "Pool" in type(layer).__name__]
    assert [pool.strides for pool in pools] == [(3, 3)] * 3
    assert [pool.pool_size for pool in pools] == [(3, 3)] * 3
    assert [pool.output.shape[1:3] for pool in pools] == [(43, 4), (14, 1), (5, 1)]


def test_lstm_is_that_of_the_papers():
    model = build_lstm(SHAPE, 10)
    assert kinds(model) == ["LSTM", "LSTM", "Dense", "LeakyReLU", "Dropout", "Dense"]
    assert model.layers[0].output.shape == (None, 130, 64)
    lstm = 4 * 64 * (13 + 64 + 1) + 4 * 64 * (64 + 64 + 1)
    assert model.count_params() == lstm + 65 * 64 + 65 * 10


def test_lstm_of_zhang():
    model = build_lstm(SHAPE, 10, lstm_units=(128, 32), units=())
    assert kinds(model) == ["LSTM", "LSTM", "Dense"]


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (5, 2), (7, 40)])
def test_cnn_takes_any_shape(shape):
    model = build_cnn(shape, 3)
    assert model(np.zeros((2, *shape), dtype=np.float32)).shape == (2, 3)


@pytest.mark.parametrize("build", [build_mlp, build_cnn, build_lstm])
def test_seed_decides_and_global_state_stays(build):
    python_state = random.getstate()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002 - the subject of the test
    first, again, other = (build((8, 4), 3, input_noise=0.1, seed=s) for s in (1, 1, 2))
    assert random.getstate() == python_state
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    differ = [np.any(one != two) for one, two in zip(first.weights, other.weights, strict=True)]
    assert any(differ)


@pytest.mark.parametrize("build", [build_mlp, build_cnn, build_lstm])
def test_every_hyperparameter_reaches_the_network(build):
    plain = build((8, 4), 3, dropout=0.0)
    assert "Dropout" not in kinds(plain)
    rich = build(
        (8, 4), 3, activation="elu", dropout=0.5, input_noise=0.2, l1=0.1, l2=0.2, units=(5, 6)
    )
    assert kinds(rich)[0] == "GaussianNoise"
    assert rich.layers[0].stddev == 0.2
    assert next(x for x in rich.layers if type(x).__name__ == "Dropout").rate == 0.5
    activation = next(x for x in rich.layers if type(x).__name__ == "Activation")
    assert activation.activation.__name__ == "elu"
    dense = [x for x in rich.layers if type(x).__name__ == "Dense"]
    assert [x.units for x in dense] == [5, 6, 3]
    assert float(dense[0].kernel_regularizer.l1) == pytest.approx(0.1)
    slope = build((8, 4), 3, negative_slope=0.3)
    assert next(x for x in slope.layers if type(x).__name__ == "LeakyReLU").negative_slope == 0.3


def test_layers_draw_from_seeds_of_their_own():
    model = build_mlp((8, 4), 3, units=(4, 4), seed=0)
    seeds = [x.kernel_initializer.seed for x in model.layers if type(x).__name__ == "Dense"]
    assert len(set(seeds)) == 3


def test_lengths_of_sequences_must_agree():
    with pytest.raises(ValueError, match=r"kernel_sizes=\(3, 3\) has 2 entries for 3 conv"):
        build_cnn((8, 4), 3, kernel_sizes=(3, 3))
