"""Fixtures for all tests."""

import os
import re
from pathlib import Path

import pytest

# The processes of pytest-xdist share the cores: the threads of BLAS would mostly wait for each
# other. Set before NumPy is imported; test_blas.py sets its own number.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from skgenre.utils import _extras

# In the light install, tests that compare with these packages are left out, and tests that need
# networks are skipped where skgenre says what to install.
_MISSING = [
    name for name in ("tensorflow", "keras", "librosa", "numba") if not _extras.is_installed(name)
]


@pytest.hookimpl(tryfirst=True)  # before pytest-mpl reads its option
def pytest_configure(config):
    """Compare pictures with their baselines wherever pytest-mpl is installed."""
    if hasattr(config.option, "mpl"):
        config.option.mpl = True


def pytest_ignore_collect(collection_path):
    """Leave out the modules that import a missing package at the top."""
    if not _MISSING or collection_path.suffix != ".py":
        return None
    text = Path(collection_path).read_text(encoding="utf-8")
    return bool(re.search(rf"^(?:import|from) (?:{'|'.join(_MISSING)})\b", text, re.M)) or None


class _Counted(_extras.MissingExtraError):
    """Counts how often skgenre says that a package is missing, whatever comes of it."""

    raised = 0

    def __init__(self, *args, **kwargs):
        _Counted.raised += 1
        super().__init__(*args, **kwargs)


if _MISSING:
    _extras.MissingExtraError = _Counted


def _skip_if_missing():
    """Skip a test that fails after skgenre has said that a package is missing."""
    before = _Counted.raised
    try:
        return (yield)
    except Exception as error:
        # A fixture that failed before raises the same error again.
        if _Counted.raised > before or isinstance(error, _Counted):
            pytest.skip("needs a package that is not installed here")
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from _skip_if_missing())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from _skip_if_missing())
