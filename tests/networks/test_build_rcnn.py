from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from skgenre.networks import build_rcnn


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize("norm", ["batch", "local_response", None])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_layers_and_count_of_parameters(norm, n_steps):
    """bai's 2 convolution and 3 recurrent layers: weights are shared by the rounds."""
    model = build_rcnn((30, 12), 10, norm=norm, n_steps=n_steps)
    assert kinds(model).count("Conv2D") == 2 + 3 * 2
    assert kinds(model).count("MaxPooling2D") == 4
    assert kinds(model).count("Dropout") == 2
    plain = (25 * 1 + 1) * 32 + (25 * 32 + 1) * 32
    recurrent = (9 * 32 + 1) * 32 + 9 * 32 * 32
    n_norms = 2 + 3 * (n_steps + 1) if norm == "batch" else 0
    assert model.count_params() == plain + 3 * recurrent + n_norms * 4 * 32 + 33 * 10


def test_rounds_follow_the_formula():
    """x(t) = f(W * u + R * x(t - 1) + b), computed by SciPy."""
    shape, n_filters = (5, 4), 3
    model = build_rcnn(
        shape, 2, filters=(), recurrent_filters=(n_filters,), n_steps=2, norm=None, seed=1
    )
    rng = np.random.default_rng(0)
    u = rng.normal(size=shape)
    first, recur = (x for x in model.layers if type(x).__name__ == "Conv2D")
    first.bias.assign(rng.normal(size=n_filters))
    W, b, R = (np.asarray(value) for value in (first.kernel, first.bias, recur.kernel))

    def convolve(maps, kernel):
        return np.stack(
            [
                sum(
                    correlate(maps[..., i], kernel[..., i, k], mode="same")
                    for i in range(maps.shape[-1])
                )
                for k in range(kernel.shape[-1])
            ],
            axis=-1,
        )

    forward = convolve(u[..., np.newaxis], W) + b
    x = np.maximum(forward, 0)
    for _ in range(2):
        x = np.maximum(forward + convolve(x, R), 0)
    scores = x.max(axis=(0, 1)) @ np.asarray(model.layers[-1].kernel)
    expected = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(
        model(u[np.newaxis].astype(np.float32))[0], expected, rtol=1e-4, atol=1e-6
    )


def test_local_response_is_that_of_tensorflow():
    import tensorflow as tf

    from skgenre.networks._rcnn import _normalise_locally

    x = np.random.default_rng(0).normal(size=(2, 3, 4, 32), scale=30).astype(np.float32)
    n_neighbours = 32 // 8 + 1
    expected = tf.nn.local_response_normalization(
        x, depth_radius=n_neighbours // 2, bias=1.0, alpha=0.001 / n_neighbours, beta=0.75
    )
    assert np.abs(expected - x).max() > 1  # it does something
    np.testing.assert_allclose(_normalise_locally(tf.constant(x)), expected, rtol=1e-4)


def test_each_round_has_batch_statistics_of_its_own():
    model = build_rcnn((12, 8), 3, filters=(), recurrent_filters=(4,), n_steps=3)
    norms = [x for x in model.layers if type(x).__name__ == "BatchNormalization"]
    assert len(norms) == len(set(map(id, norms))) == 4
    assert [x.momentum for x in norms] == [0.9] * 4


def test_hyperparameters():
    model = build_rcnn(
        (20, 16),
        3,
        filters=(4,),
        kernel_size=7,
        recurrent_filters=(5, 6),
        recurrent_kernel_size=2,
        pool_size=3,
        dropout=0.2,
    )
    convolutions = [x for x in model.layers if type(x).__name__ == "Conv2D"]
    assert [(x.filters, x.kernel_size) for x in convolutions] == [
        (4, (7, 7)),
        *[(5, (2, 2))] * 2,
        *[(6, (2, 2))] * 2,
    ]
    pools = [x.output.shape[1:3] for x in model.layers if type(x).__name__ == "MaxPooling2D"]
    assert pools == [(7, 6), (3, 2)]
    assert "MaxPooling2D" not in kinds(build_rcnn((20, 16), 3, pool_size=1))


@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (3, 40)])
def test_any_shape(shape):
    model = build_rcnn(shape, 3)
    assert model(np.zeros((2, *shape), dtype=np.float32)).shape == (2, 3)


def test_bad_parameters():
    with pytest.raises(ValueError, match="recurrent_filters is empty"):
        build_rcnn((5, 4), 3, recurrent_filters=())
    with pytest.raises(ValueError, match="norm='layer' is none of"):
        build_rcnn((5, 4), 3, norm="layer")
