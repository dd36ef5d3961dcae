"""A few inputs of benchmarks.fuzz, which runs many more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_hostile_inputs_give_finite_results_or_named_errors():
    # A busy machine is not a hang: the limit is far above that of the full run.
    options = ["--inputs", "200", "--timeout", "60"]
    command = [sys.executable, "-m", "benchmarks.fuzz", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
