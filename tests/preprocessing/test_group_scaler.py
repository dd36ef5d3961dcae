from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skgenre import GroupScaler

GROUPS = ["tempo", "mfcc", "mfcc", "mfcc", "mfcc"]
NAMES = ["tempo__lag", "mfcc__0_mean", "mfcc__1_mean", "mfcc__0_std", "mfcc__1_std"]


def table(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal([0, 50, -600, 1, 2], [1, 5, 100, 0.01, 1], size=(n, 5))


def test_standardised_and_divided_by_the_root_of_the_width():
    X = table()
    Xt = GroupScaler(feature_groups=GROUPS, clip=None).fit_transform(X)
    np.testing.assert_allclose(Xt, StandardScaler().fit_transform(X) / [1, 2, 2, 2, 2])


def test_each_group_has_the_same_share_of_distances():
    Xt = GroupScaler(feature_groups=GROUPS, clip=None).fit_transform(table())
    squares = np.square(Xt[:, np.newaxis] - Xt).sum(axis=(0, 1))
    assert squares[0] == pytest.approx(squares[1:].sum())


def test_clipping_comes_before_the_weight():
    X = table()
    X[0] = [100, 1e6, -1e6, 1.0, 2.0]
    for clip in (3.0, 1.5):
        scaler = GroupScaler(feature_groups=GROUPS, clip=clip).fit(X)
        assert np.abs(scaler.transform(X)).max(axis=0) == pytest.approx(
            [clip, clip / 2, clip / 2, clip / 2, clip / 2], rel=0.5
        )
        row = scaler.transform(X)[0]
        np.testing.assert_allclose(row[:3], [clip, clip / 2, -clip / 2])
        # What lies within is not touched.
        expected = (X - X.mean(axis=0)) / X.std(axis=0)
        inside = np.abs(expected) <= clip
        np.testing.assert_allclose(
            scaler.transform(X)[inside], (expected / [1, 2, 2, 2, 2])[inside], atol=1e-12
        )


def test_learns_from_the_training_tracks_only():
    train, test = table(), table(seed=1) * 1.1
    scaler = GroupScaler(feature_groups=GROUPS, clip=None).fit(train)
    expected = (test - train.mean(axis=0)) / train.std(axis=0) / [1, 2, 2, 2, 2]
    np.testing.assert_allclose(scaler.transform(test), expected)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_columns_become_zero(constant, dtype):
    X = table().astype(dtype)
    X[:, 2] = constant
    scaler = GroupScaler(feature_groups=GROUPS).fit(X)
    np.testing.assert_array_equal(scaler.transform(table(seed=1))[:, 2], 0)
    assert scaler.scale_[2] == 1
    # The others keep their weight.
    np.testing.assert_allclose(scaler.weights_, [1, 0.5, 0, 0.5, 0.5])


def test_a_column_that_hardly_moves_is_no_constant():
    X = table()
    X[:, 2] = 1000 + 1e-6 * np.arange(200)
    assert GroupScaler(feature_groups=GROUPS).fit_transform(X)[:, 2].std() == pytest.approx(0.5)


def test_float32_stays():
    X = table().astype(np.float32)
    Xt = GroupScaler(feature_groups=GROUPS).fit_transform(X)
    assert Xt.dtype == np.float32
    np.testing.assert_allclose(
        Xt, GroupScaler(feature_groups=GROUPS).fit_transform(X.astype(float)), atol=1e-5
    )


def test_many_tracks_and_columns_are_scaled_as_those_alone():
    X = np.random.default_rng(0).normal(2.0, 3.0, size=(4500, 300)).astype(np.float32)
    scaler = GroupScaler(feature_groups=["mfcc"] * 300, clip=2.0).fit(X)
    np.testing.assert_array_equal(scaler.mean_, X.astype(np.float64).mean(axis=0))
    expected = np.clip((X - scaler.mean_) / X.astype(np.float64).std(axis=0), -2, 2) / np.sqrt(300)
    np.testing.assert_array_equal(scaler.transform(X), expected.astype(np.float32))
