"""What all functions of skgenre.networks promise."""

from __future__ import annotations

import random
from functools import partial

import numpy as np
import pytest
from _estimators import small_backbone

from skgenre.networks import (
    build_cnn,
    build_crnn,
    build_image_cnn,
    build_lstm,
    build_mlp,
    build_rcnn,
    build_transfer,
)

build_small_transfer = partial(build_transfer, backbone=small_backbone, weights=None, image_size=5)

BUILDERS = [
    pytest.param(build_mlp, (8, 4), id="mlp"),
    pytest.param(build_cnn, (8, 4), id="cnn"),
    pytest.param(build_lstm, (8, 4), id="lstm"),
    pytest.param(build_crnn, (8, 4), id="crnn"),
    pytest.param(partial(build_rcnn, n_steps=1), (8, 4), id="rcnn"),
    pytest.param(build_image_cnn, (8, 4, 1), id="image_cnn"),
    pytest.param(build_small_transfer, (8, 4, 1), id="transfer"),
]
WITH_UNITS = [case for case in BUILDERS if case.id not in ("crnn", "rcnn")]


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(("build", "shape"), BUILDERS)
def test_output_is_probabilities_and_layers_have_seeds_of_their_own(build, shape):
    model = build(shape, 3, dropout=0.5, input_noise=0.1, seed=0)
    assert model.input_shape == (None, *shape)
    proba = model(np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)).numpy()
    assert proba.shape == (2, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    seeds = [
        initializer.seed
        for layer in model.layers
        for initializer in vars(layer).values()
        if getattr(initializer, "seed", None) is not None
    ]
    assert len(seeds) >= 2
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(("build", "shape"), BUILDERS)
def test_seed_decides_and_global_state_stays(build, shape):
    python_state = random.getstate()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002 - the subject of the test
    first, again, other = (build(shape, 3, input_noise=0.1, seed=s) for s in (1, 1, 2))
    assert random.getstate() == python_state
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    # Variables are weights and the states of dropout and noise.
    assert len(first.variables) > len(first.weights)
    for one, two in zip(first.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one, two)
    random_ones = [
        (one, two)
        for one, two in zip(first.variables, other.variables, strict=True)
        if "kernel" in one.path or "seed" in one.path
    ]
    assert len(random_ones) >= 3
    for one, two in random_ones:
        assert np.any(np.asarray(one) != np.asarray(two)), one.path


@pytest.mark.parametrize(("build", "shape"), BUILDERS)
def test_hyperparameters_reach_the_network(build, shape):
    assert "Dropout" not in kinds(build(shape, 3, dropout=0.0, **_without_conv_dropout(build)))
    rich = build(shape, 3, activation="elu", dropout=0.5, input_noise=0.2, l1=0.1, l2=0.2)
    noise = next(x for x in rich.layers if type(x).__name__ == "GaussianNoise")
    assert noise.stddev == 0.2
    assert 0.5 in [x.rate for x in rich.layers if type(x).__name__ == "Dropout"]
    activation = next(x for x in rich.layers if type(x).__name__ == "Activation")
    assert activation.activation.__name__ == "elu"
    penalties = [
        x.kernel_regularizer for x in rich.layers if getattr(x, "kernel_regularizer", None)
    ]
    assert float(penalties[0].l1) == pytest.approx(0.1)
    assert float(penalties[0].l2) == pytest.approx(0.2)
    slope = build(shape, 3, activation="leaky_relu", negative_slope=0.3)
    assert next(x for x in slope.layers if type(x).__name__ == "LeakyReLU").negative_slope == 0.3


def _without_conv_dropout(build):
    return {"conv_dropout": 0.0} if build is build_image_cnn else {}


@pytest.mark.parametrize(("build", "shape"), WITH_UNITS)
def test_dense_layers_and_their_dropout(build, shape):
    model = build(shape, 3, units=(5, 6, 7), dropout=(0.4, 0.0, 0.6))
    dense = [x for x in model.layers if type(x).__name__ == "Dense"]
    assert [x.units for x in dense] == [5, 6, 7, 3]
    tail = model.layers[model.layers.index(dense[0]) :]
    found = [getattr(x, "units", getattr(x, "rate", None)) for x in tail]
    assert [x for x in found if x is not None] == [5, 0.4, 6, 7, 0.6, 3]


@pytest.mark.parametrize(
    ("dropout", "message"),
    [
        ((0.4,), r"dropout=\(0.4,\) has 1 entries for the 2 layers of units=\(5, 6\)"),
        ((0.4, 1.0), r"dropout=\(0.4, 1.0\) must hold numbers from 0 up to, but not, 1"),
        ("half", "dropout='half' must hold numbers"),
    ],
)
def test_bad_dropout(dropout, message):
    with pytest.raises(ValueError, match=message):
        build_mlp((8, 4), 3, units=(5, 6), dropout=dropout)


def test_lengths_of_sequences_must_agree():
    for build, shape in ((build_cnn, (8, 4)), (build_crnn, (8, 4)), (build_image_cnn, (8, 4, 1))):
        with pytest.raises(ValueError, match=r"kernel_sizes=\(3, 3\) has 2 entries for 1 conv"):
            build(shape, 3, filters=(4,), kernel_sizes=(3, 3), pool_sizes=1)
