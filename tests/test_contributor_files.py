"""The files for those who join agree with the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

import skgenre

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What runs with the package. The others are tools, whose age does not matter to users.
EXTRAS = ["networks", "plot", "progress", "onnx", "formats", "tags", "beets"]


def oldest_allowed():
    """Return name -> version of the lower bounds in pyproject.toml."""
    extras = PROJECT["optional-dependencies"]
    requirements = [*PROJECT["dependencies"], *(r for name in EXTRAS for r in extras[name])]
    bounds = [re.match(r"([\w-]+)>=([\d.]+)", requirement).groups() for requirement in requirements]
    assert len(bounds) == len(requirements)
    return dict(bounds)


def test_the_oldest_versions_are_the_lower_bounds():
    text = (ROOT / ".github" / "oldest.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+?)(?:\.0)*$", text, flags=re.MULTILINE))
    bounds = {name: re.sub(r"(\.0)+$", "", version) for name, version in oldest_allowed().items()}
    assert bounds.items() <= pinned.items()


def test_the_workflow_runs_what_contributors_run():
    text = (ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert {"run": ".ci/run"} in jobs["everything"]["steps"]
    oldest = min(jobs["tests"]["strategy"]["matrix"]["python"], key=lambda v: int(v.split(".")[1]))
    assert PROJECT["requires-python"] == f">={oldest}"


def test_yaml_of_forms_and_citation_can_be_read():
    files = [
        *ROOT.glob(".github/**/*.yml"),
        ROOT / "CITATION.cff",
        ROOT / ".pre-commit-config.yaml",
    ]
    assert len(files) >= 5
    for file in files:
        assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict), file


def test_the_citation_has_the_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["license"] == PROJECT["license"]
    assert citation["title"].split(":")[0] == skgenre.__name__
