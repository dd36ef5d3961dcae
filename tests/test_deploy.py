"""The Dockerfile: its steps in a virtual environment, and the image where Docker runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skgenre import GenreClassifier, make_genres, save

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "examples" / "deploy" / "Dockerfile"


def instructions():
    """Return the instructions of the Dockerfile, as pairs of a keyword and its arguments."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


@pytest.fixture
def inputs(tmp_path):
    """A model, and a file to predict."""
    music = make_genres(3, genres=["dub", "swing"], duration=1.0, path=tmp_path, random_state=0)
    model = GenreClassifier(("svc",), duration=1.0, random_state=0).fit(music.data, music.target)
    return str(save(model, tmp_path / "model.skgenre")), str(music.data[0])


def test_image_is_pinned_and_runs_without_rights():
    steps = instructions()
    keywords = [keyword for keyword, _ in steps]
    assert ("USER", "listener") in steps
    assert keywords.index("USER") > max(i for i, word in enumerate(keywords) if word == "RUN")
    assert any(word == "ARG" and value.startswith("SKGENRE=") for word, value in steps)
    assert re.fullmatch(r"python:3\.\d+-slim", dict(steps)["FROM"])


@pytest.mark.slow
def test_steps_install_and_predict_in_a_new_environment(inputs, tmp_path):
    steps = instructions()
    installs = [value for word, value in steps if word == "RUN" and value.startswith("pip ")]
    assert len(installs) == 1
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    install = installs[0].partition("&&")[0].replace("${SKGENRE}", ".")
    subprocess.run(f"{environment}/bin/{install}", shell=True, cwd=ROOT, check=True)
    program, *arguments = json.loads(dict(steps)["ENTRYPOINT"])
    done = subprocess.run(
        [environment / "bin" / program, *arguments, *inputs, "--json"],
        cwd=tmp_path,
        env={"HOME": "/dev/null", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["genre"] == "dub"
    assert not list(environment.glob("lib/python*/site-packages/tensorflow"))


@pytest.mark.slow
def test_image_builds_and_predicts(inputs):
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True).returncode:
        pytest.skip("there is no Docker here")
    build = [docker, "build", "-q", "-f", DOCKERFILE, "--build-arg", "SKGENRE=.", ROOT]
    image = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
    mounts = [part for path in inputs for part in ("-v", f"{path}:/data/{Path(path).name}:ro")]
    names = [f"/data/{Path(path).name}" for path in inputs]
    command = [docker, "run", "--rm", "--network", "none", *mounts, image, *names, "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)[0]["genre"] == "dub"
