"""The commands of the page on catalogues work, in order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skgenre.catalogue import read_records

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"


@pytest.mark.slow
def test_the_commands_of_the_page_lead_to_records_and_playlists(tmp_path):
    commands = "".join(re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    assert commands.count("skgenre ") >= 5
    programs = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list(read_records(tmp_path / "listed.jsonl"))) == 7
    found = list(read_records(tmp_path / "genres.jsonl"))
    assert [prediction.status for prediction in found].count("ok") == 6
    assert [prediction.status for prediction in found].count("error") == 1
    assert sorted(path.name for path in (tmp_path / "playlists").iterdir()) == [
        "dub.m3u8",
        "swing.m3u8",
    ]
