"""The linear classifier that GenreClassifier takes for many tracks."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgenre.classifiers._least_squares import LeastSquaresClassifier


@parametrize_with_checks([LeastSquaresClassifier()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_scores_are_those_of_ridge_regression(n_classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9000, 12)) + 3  # more tracks than are summed together
    y = np.array(list("abcde"))[rng.integers(n_classes, size=9000) * (X[:, 0] > 3)]
    ours = LeastSquaresClassifier(C=4.0).fit(X, y)
    theirs = RidgeClassifier(alpha=1 / 8).fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-9)
    np.testing.assert_allclose(ours.coef_, np.atleast_2d(theirs.coef_), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
