"""All pictures are drawn without a screen, and closed after each test."""

from __future__ import annotations

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def plt():
    """Return pyplot on the Agg backend."""
    mpl.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")
