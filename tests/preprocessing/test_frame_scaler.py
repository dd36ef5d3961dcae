from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.preprocessing import StandardScaler

from skgenre import FrameScaler


def frames(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal([0, 50, -600], [1, 5, 100], size=(6, 4, 20, 3)).astype(np.float32)


def test_standardises_the_last_axis_over_all_others():
    Xt = FrameScaler().fit_transform(frames())
    assert Xt.shape == (6, 4, 20, 3)
    assert Xt.dtype == np.float32
    np.testing.assert_allclose(Xt.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(Xt.std(axis=(0, 1, 2)), 1, rtol=1e-3)


def test_learns_from_the_training_tracks_only():
    train, test = frames(), frames(1) * 3
    scaler = FrameScaler().fit(train)
    expected = (test - train.mean(axis=(0, 1, 2))) / train.std(axis=(0, 1, 2))
    np.testing.assert_allclose(scaler.transform(test), expected, rtol=1e-3, atol=1e-3)


def test_table_equals_standard_scaler():
    X = frames()[:, 0, 0].astype(np.float64)
    np.testing.assert_allclose(
        FrameScaler().fit_transform(X), StandardScaler().fit_transform(X), rtol=1e-4, atol=1e-5
    )


def test_switches():
    X = frames()
    np.testing.assert_array_equal(FrameScaler(with_mean=False, with_std=False).fit_transform(X), X)
    centred = FrameScaler(with_std=False).fit_transform(X)
    np.testing.assert_allclose(centred, X - X.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-2)


def test_constant_feature_becomes_zero():
    X = frames()
    X[..., 1] = 7
    np.testing.assert_array_equal(FrameScaler().fit_transform(X)[..., 1], 0)


def test_inverse_transform():
    X = frames()
    scaler = FrameScaler().fit(X)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(X)), X, atol=1e-2)


def test_sample_weight_is_by_track():
    X = frames()
    weighted = FrameScaler().fit(X, sample_weight=[1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(weighted.mean_, FrameScaler().fit(X[:3]).mean_, rtol=1e-5)


def test_wrong_number_of_features_names_both():
    with pytest.raises(ValueError, match="X has 2 features, but FrameScaler is expecting 3"):
        FrameScaler().fit(frames()).transform(frames()[..., :2])


def test_other_numbers_of_segments_and_frames_pass():
    scaler = FrameScaler().fit(frames())
    assert scaler.transform(frames()[:2, :3, :7]).shape == (2, 3, 7, 3)


def test_set_output():
    table = pd.DataFrame({"tempo": [90.0, 120.0, 140.0], "energy": [0.1, 0.5, 0.4]})
    out = FrameScaler().set_output(transform="pandas").fit_transform(table)
    assert list(out.columns) == ["tempo", "energy"]
    scaler = FrameScaler().set_output(transform="pandas")
    assert type(scaler.fit_transform(frames())) is np.ndarray
    assert isinstance(scaler.set_output(transform="default"), FrameScaler)
    with sklearn.config_context(transform_output="pandas"):
        assert type(FrameScaler().fit_transform(frames())) is np.ndarray
        assert isinstance(FrameScaler().fit_transform(table), pd.DataFrame)


def test_set_output_none_keeps_what_was_set():
    scaler = FrameScaler().set_output(transform="pandas").set_output(transform=None)
    table = pd.DataFrame({"a": [1.0, 2.0]})
    assert isinstance(scaler.fit_transform(table), pd.DataFrame)
