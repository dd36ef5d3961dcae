from __future__ import annotations

import numpy as np
import pytest

from skgenre.networks import build_image_cnn


def test_that_of_kumar2021():
    """Its figure 10: every layer, every shape, every count."""
    model = build_image_cnn((256, 256, 3), 10)
    layers = [layer for layer in model.layers if type(layer).__name__ != "Activation"]
    assert [(type(x).__name__, x.output.shape[1:], x.count_params()) for x in layers] == [
        ("Conv2D", (256, 256, 32), 896),
        ("MaxPooling2D", (128, 128, 32), 0),
        ("Conv2D", (128, 128, 32), 9248),
        ("MaxPooling2D", (64, 64, 32), 0),
        ("Conv2D", (64, 64, 64), 18496),
        ("MaxPooling2D", (32, 32, 64), 0),
        ("Dropout", (32, 32, 64), 0),
        ("Flatten", (65536,), 0),
        ("Dense", (128,), 8388736),
        ("Dense", (10,), 1290),
    ]
    assert model.count_params() == 8_418_666
    assert all(variable.trainable for variable in model.weights)


def test_hyperparameters():
    model = build_image_cnn(
        (9, 7, 2),
        3,
        filters=(4, 5),
        kernel_sizes=((3, 1), 2),
        pool_sizes=(1, (2, 4)),
        conv_dropout=0.25,
        units=(),
    )
    convolutions = [x for x in model.layers if type(x).__name__ == "Conv2D"]
    assert [(x.filters, x.kernel_size) for x in convolutions] == [(4, (3, 1)), (5, (2, 2))]
    (pool,) = [x for x in model.layers if type(x).__name__ == "MaxPooling2D"]
    assert pool.output.shape[1:3] == (5, 2)  # odd rests are padded
    assert next(x for x in model.layers if type(x).__name__ == "Dropout").rate == 0.25


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 1), (7, 40, 3)])
def test_any_shape(shape):
    model = build_image_cnn(shape, 3)
    assert model(np.zeros((2, *shape), dtype=np.float32)).shape == (2, 3)
