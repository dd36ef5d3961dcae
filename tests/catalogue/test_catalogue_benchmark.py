"""The short form of benchmarks.catalogue, which exits with an error if records differ."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the benchmark uses it")
def test_killed_runs_over_a_tree_in_eight_formats_resume_to_the_same_records():
    pytest.importorskip("av")
    command = [sys.executable, "-m", "benchmarks.catalogue", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "records equal, none twice" in done.stdout
    assert "| 200 files, no features, resumed |" in done.stdout
