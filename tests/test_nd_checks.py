"""Our own checks of n-D input, on every classifier."""

from __future__ import annotations

import inspect

import pytest
from _checks import nd_checks
from _estimators import small_classifiers


@pytest.mark.parametrize("check", nd_checks())
@pytest.mark.parametrize("classifier", small_classifiers(), ids=lambda c: type(c).__name__)
def test_nd_check(classifier, check, request):
    fixtures = [name for name in inspect.signature(check).parameters if name != "classifier"]
    check(classifier, **{name: request.getfixturevalue(name) for name in fixtures})
