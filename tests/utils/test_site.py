"""Estimators link to their page of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _estimators import small_transformers
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr

import skgenre
from skgenre import GenreClassifier, Segmenter

ESTIMATORS = [
    thing
    for thing in (getattr(skgenre, name) for name in skgenre.__all__)
    if isinstance(thing, type) and issubclass(thing, BaseEstimator)
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda c: c.__name__)
def test_every_estimator_links_to_its_own_page(estimator):
    link = estimator.__new__(estimator)._get_doc_link()
    assert link.endswith(f"/generated/skgenre.{estimator.__name__}.html")


def test_html_representation_has_the_link():
    assert GenreClassifier()._get_doc_link() in estimator_html_repr(GenreClassifier())


def test_a_class_of_the_user_has_no_page():
    class MySegmenter(Segmenter):
        pass

    assert MySegmenter()._get_doc_link() == ""
    assert small_transformers()[1]._get_doc_link() != ""


def test_pages_of_the_reference_have_the_names_in_the_links():
    page = (Path(skgenre.__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    assert ":toctree: generated" in page
    listed = set(re.findall(r"^   (\w+)$", page, flags=re.MULTILINE))
    assert {estimator.__name__ for estimator in ESTIMATORS} <= listed
