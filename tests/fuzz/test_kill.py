"""A few kills of benchmarks.kill, which does a hundred."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, 30])
def test_killed_evaluations_resume_to_the_same_result(kills):
    command = [sys.executable, "-m", "benchmarks.kill", "--kills", str(kills)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{kills} kills" in done.stdout
