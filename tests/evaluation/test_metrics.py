"""The metrics are scikit-learn's, for many weightings at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from skgenre.evaluation._metrics import bootstrap_weights, estimate, weighted_metrics


@pytest.fixture
def judged():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=50)
    proba = rng.dirichlet([1, 1, 1], size=50)
    proba[np.arange(50), codes] += 0.3
    proba /= proba.sum(axis=1, keepdims=True)
    return codes, proba.argmax(axis=1), proba, rng.uniform(size=50)


def test_metrics_equal_those_of_scikit_learn_on_each_resample(judged):
    codes, predicted, proba, shares = judged
    weights = np.random.default_rng(1).integers(3, size=(4, 50)).astype(float)
    found = weighted_metrics(codes, predicted, proba, shares, weights)
    for i, w in enumerate(weights):
        at = np.repeat(np.arange(50), w.astype(int))
        expected = {
            "segment_accuracy": shares[at].mean(),
            "track_accuracy": accuracy_score(codes[at], predicted[at]),
            "balanced_accuracy": balanced_accuracy_score(codes[at], predicted[at]),
            "macro_f1": f1_score(codes[at], predicted[at], average="macro"),
            "log_loss": log_loss(codes[at], proba[at], labels=[0, 1, 2]),
        }
        for name, value in expected.items():
            assert found[name][i] == pytest.approx(value), name


def test_calibration_error_is_the_mean_gap_of_the_bins(judged):
    codes, predicted, proba, shares = judged
    found = weighted_metrics(codes, predicted, proba, shares, np.ones((1, 50)))
    confidence, right = proba.max(axis=1), codes == predicted
    total = 0.0
    for low in np.arange(10) / 10:
        inside = (confidence >= low) & (confidence < low + 0.1)
        if inside.any():
            total += abs(right[inside].mean() - confidence[inside].mean()) * inside.sum()
    assert found["calibration_error"][0] == pytest.approx(total / 50)


def test_a_certain_model_that_is_right_is_calibrated_and_one_that_is_wrong_is_not():
    proba, ones = np.array([[1.0, 0.0]] * 4), np.ones((1, 4))
    predicted = np.zeros(4, dtype=int)
    right = weighted_metrics(np.array([0, 0, 0, 0]), predicted, proba, None, ones)
    wrong = weighted_metrics(np.array([1, 1, 1, 1]), predicted, proba, None, ones)
    assert right["calibration_error"][0] == right["log_loss"][0] == 0
    assert wrong["calibration_error"][0] == 1
    assert np.isfinite(wrong["log_loss"][0])
    assert "segment_accuracy" not in right


def test_genres_that_do_not_occur_take_no_part_in_the_means():
    codes, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    found = weighted_metrics(codes, predicted, None, None, np.array([[1.0, 1.0, 0.0, 0.0]]))
    assert found["balanced_accuracy"][0] == 0.5
    assert found["macro_f1"][0] == pytest.approx(2 / 3)
    assert "log_loss" not in found


def test_the_tracks_of_an_artist_are_drawn_together():
    weights = bootstrap_weights(np.array(["a", "b", "a", "c"]), 200, 0)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)
    assert weights[:, 0].std() > 0
    np.testing.assert_array_equal(weights, bootstrap_weights(np.array([1, 2, 1, 3]), 200, 0))


def test_intervals_leave_out_two_and_a_half_per_cent_at_each_end():
    assert estimate(0.5, np.arange(1001) / 1000) == pytest.approx(
        {"value": 0.5, "low": 0.025, "high": 0.975}
    )
    assert estimate(0.5, None) == {"value": 0.5, "low": None, "high": None}
