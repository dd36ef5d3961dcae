"""scikit-learn's own checks, on every estimator that takes 2-D input."""

from __future__ import annotations

from _estimators import (
    expected_failed_checks,
    small_classifiers,
    small_table_classifiers,
    small_track_classifiers,
    small_transformers,
)
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks(
    [
        *small_transformers(),
        *small_table_classifiers(),
        *small_track_classifiers(),
        *small_classifiers(),
    ],
    expected_failed_checks=expected_failed_checks,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
