from __future__ import annotations

import numpy as np
import pytest

from skgenre.networks import build_cnn

SHAPE = (130, 13)  # 3 s, hop 512, 13 coefficients
BAI = (166, 33)  # 2 s, hop 256, 33 bands


def pools(model):
    return [layer for layer in model.layers if "Pool" in type(layer).__name__]


def test_that_of_hu2022():
    """The listing has no padding in convolutions and "same" padding with strides 2 in pools."""
    model = build_cnn(SHAPE, 10)
    block = ["Conv2D", "LeakyReLU", "MaxPooling2D", "BatchNormalization"]
    assert [type(layer).__name__ for layer in model.layers] == [
        "Reshape",
        *block * 3,
        "Flatten",
        "Dense",
        "LeakyReLU",
        "Dropout",
        "Dense",
    ]
    shapes = [layer.output.shape[1:] for layer in pools(model)]
    assert shapes == [(64, 6, 32), (31, 2, 32), (15, 1, 32)]
    convolutions = 9 * 32 + 32 + 9 * 32 * 32 + 32 + 4 * 32 * 32 + 32
    assert model.count_params() == convolutions + 3 * 128 + 481 * 64 + 65 * 10


def test_that_of_jain2021():
    model = build_cnn(SHAPE, 10, pool_sizes=3, pool_strides=3, activation="relu")
    assert [pool.strides for pool in pools(model)] == [(3, 3)] * 3
    assert [pool.pool_size for pool in pools(model)] == [(3, 3)] * 3
    assert [pool.output.shape[1:3] for pool in pools(model)] == [(43, 4), (14, 1), (5, 1)]


def test_those_of_bai():
    """A simple one of 2 convolutions, and a complex one of 4 with dropout in its dense part."""
    simple = build_cnn(
        BAI, 10, filters=(32, 64), kernel_sizes=5, pool_sizes=2, batch_norm=False, units=(64,)
    )
    assert [pool.output.shape[1:] for pool in pools(simple)] == [(81, 15, 32), (39, 6, 64)]
    dense = (39 * 6 * 64 + 1) * 64 + 65 * 10
    assert simple.count_params() == 26 * 32 + (25 * 32 + 1) * 64 + dense

    complex_one = build_cnn(
        BAI,
        10,
        filters=(32, 32, 64, 64),
        kernel_sizes=5,
        pool_sizes=2,
        batch_norm=False,
        units=(256, 128),
        dropout=(0.4, 0.6),
    )
    convolutions = [x for x in complex_one.layers if type(x).__name__ == "Conv2D"]
    assert [x.kernel_size for x in convolutions] == [(5, 5)] * 4
    rates = [x.rate for x in complex_one.layers if type(x).__name__ == "Dropout"]
    assert rates == [0.4, 0.6]


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (5, 2), (7, 40)])
def test_any_shape(shape):
    model = build_cnn(shape, 3)
    assert model(np.zeros((2, *shape), dtype=np.float32)).shape == (2, 3)
