"""scikit-learn's own checks, on every estimator that takes 2-D input."""

from __future__ import annotations

import pytest
from _estimators import (
    expected_failed_checks,
    small_classifiers,
    small_searches,
    small_table_classifiers,
    small_track_classifiers,
    small_transformers,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

# The fit and the vote of these are those of the MLP, CNN and LSTM: their own parts are tested in
# tests/classifiers, and on input of more than two dimensions in test_nd_checks.py.
_LIKE_OTHERS = ("ImageCNN", "Transfer", "CRNN", "RCNN", "LogMelCNN", "Keras")


def _is_like_others(classifier):
    return type(classifier).__name__.removesuffix("GenreClassifier") in _LIKE_OTHERS


# The tables of the checks are waveforms of a few samples, or constant.
@pytest.mark.filterwarnings("ignore::skgenre.NoSoundWarning", "ignore:.*repetition:UserWarning")
@parametrize_with_checks(
    [
        *small_transformers(),
        *small_table_classifiers(),
        *small_track_classifiers(),
        *small_searches(),
        *(classifier for classifier in small_classifiers() if not _is_like_others(classifier)),
    ],
    expected_failed_checks=expected_failed_checks,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [classifier for classifier in small_classifiers() if _is_like_others(classifier)],
    expected_failed_checks=expected_failed_checks,
)
def test_scikit_learn_check_of_further_networks(estimator, check):
    check(estimator)
