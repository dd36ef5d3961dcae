"""Our own checks of n-D input, on every classifier."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from _checks import fitted, nd_checks, predict_in_another_process, tracks_for
from _estimators import small_classifiers


@pytest.mark.parametrize("check", nd_checks())
@pytest.mark.parametrize("classifier", small_classifiers(), ids=lambda c: type(c).__name__)
def test_nd_check(classifier, check, request):
    fixtures = [name for name in inspect.signature(check).parameters if name != "classifier"]
    check(classifier, **{name: request.getfixturevalue(name) for name in fixtures})


@pytest.mark.slow
def test_pickles_predict_equally_in_another_process(tmp_path):
    classifiers = small_classifiers()
    results = predict_in_another_process(classifiers, tmp_path)
    for classifier, proba in zip(classifiers, results, strict=True):
        expected = fitted(classifier).predict_proba(tracks_for(classifier)[0])
        np.testing.assert_allclose(
            proba, expected, rtol=1e-5, atol=1e-6, err_msg=type(classifier).__name__
        )
