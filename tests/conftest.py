"""Fixtures for all tests."""

import os
import re
from pathlib import Path

import pytest

# The processes of pytest-xdist share the cores: the threads of BLAS would mostly wait for each
# other. Set before NumPy is imported; test_blas.py sets its own number.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from skgenre.utils._extras import MissingExtraError, is_installed

# In the light install, tests that compare with these packages are left out, and tests that need
# networks are skipped where skgenre says what to install.
_MISSING = [name for name in ("tensorflow", "keras", "librosa", "numba") if not is_installed(name)]


def pytest_ignore_collect(collection_path):
    """Leave out the modules that import a missing package at the top."""
    if not _MISSING or collection_path.suffix != ".py":
        return None
    text = Path(collection_path).read_text(encoding="utf-8")
    return bool(re.search(rf"^(?:import|from) (?:{'|'.join(_MISSING)})\b", text, re.M)) or None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Skip a test whose fixture needs a missing package."""
    try:
        return (yield)
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test that needs a missing package."""
    try:
        return (yield)
    except MissingExtraError as error:
        pytest.skip(str(error))
