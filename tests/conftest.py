"""Fixtures for all tests."""

import os

# The processes of pytest-xdist share the cores: the threads of BLAS would mostly wait for each
# other. Set before NumPy is imported; test_blas.py sets its own number.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
