from __future__ import annotations

import pytest

from skgenre.networks import build_mlp

SHAPE = (130, 13)  # 3 s, hop 512, 13 coefficients


def test_that_of_the_papers():
    """hu2022 (text) and jain2021: flatten, 512, 256, 128 with dropout, softmax."""
    model = build_mlp(SHAPE, 10)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Flatten", *["Dense", "LeakyReLU", "Dropout"] * 3, "Dense"]
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [512, 256, 128, 10]
    dense = (1690 + 1) * 512 + 513 * 256 + 257 * 128 + 129 * 10
    assert model.count_params() == dense


def test_that_of_the_listing():
    """hu2022, the listing: 512, 512, 64 with L2 0.001."""
    model = build_mlp(SHAPE, 10, units=(512, 512, 64), l2=0.001)
    assert model.count_params() == 1691 * 512 + 513 * 512 + 513 * 64 + 65 * 10
    first = next(layer for layer in model.layers if hasattr(layer, "units"))
    assert first.kernel_regularizer.l2 == pytest.approx(0.001)
