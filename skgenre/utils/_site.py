"""The address of the documentation, and the links to it from estimators in notebooks."""

from __future__ import annotations

SITE = "https://skgenre.readthedocs.io/en/stable/"


class DocLinkMixin:
    """Let the HTML representation of an estimator link to its page in skgenre's documentation."""

    _doc_link_module = "skgenre"
    _doc_link_template = SITE + "generated/skgenre.{estimator_name}.html"
