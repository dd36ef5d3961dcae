"""The examples run, show one figure each, and print what their text claims."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import matplotlib as mpl
import pytest
from _musicnn import TERMS, random_tensors

from skgenre.embeddings import KNOWN, load_weights, write_weights

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run_example(monkeypatch, tmp_path, capsys):
    """Return a function that runs an example in an empty folder and gives its output."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    # Agg warns that it cannot show figures; the figures stay open to be looked at.
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.chdir(tmp_path)

    def run(name):
        runpy.run_path(str(EXAMPLES / name))
        assert len(plt.get_fignums()) == 1
        plt.gcf().canvas.draw()
        assert list(tmp_path.iterdir()) == [], "an example leaves no files behind"
        return capsys.readouterr().out

    yield run
    plt.close("all")


def test_every_example_is_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    names = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert names
    assert [name for name in names if f'run_example("{name}")' not in text] == []


@pytest.mark.slow
def test_settings_differ_less_than_folds(run_example):
    out = run_example("plot_01_compare_segments_and_activations.py")
    between_settings, between_folds = map(float, re.findall(r"between \w+ ([.\d]+)", out))
    assert between_settings < between_folds


@pytest.mark.slow
def test_each_stricter_split_gives_a_lower_accuracy(run_example):
    out = run_example("plot_02_which_accuracy.py")
    segments = [float(share) for share in re.findall(r"([.\d]+) of the segments", out)]
    tracks = [float(share) for share in re.findall(r"([.\d]+) of the tracks", out)]
    assert segments == sorted(segments, reverse=True)
    assert segments[0] - segments[-1] > 0.2  # at random by segment, less by artist
    assert len(segments) == len(tracks) == 3
    assert tracks[1] - tracks[2] > 0.15  # both by whole tracks, the second by artist


def curves_of(out):
    """Return the accuracies and intervals that the example of few labels prints, by model."""
    rows = re.findall(r"(.+), +\d+ labels .*: ([.\d]+) \(([.\d]+) to ([.\d]+)\)", out)
    curves = {}
    for name, *numbers in rows:
        curves.setdefault(name, []).append([float(number) for number in numbers])
    return curves


@pytest.mark.slow
def test_labels_help_and_intervals_by_artist_are_wide(run_example, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", "without weights")
    out = run_example("plot_03_few_labels.py")
    assert "skgenre fetch musicnn" in out
    curves = curves_of(out)
    assert list(curves) == ["default"]
    (first, _, _), (second, low, high), (last, _, _) = curves["default"]
    assert 0.25 < first < last
    assert last - second < second - first
    assert high - low > 0.1


@pytest.mark.slow
def test_few_labels_with_weights_has_three_curves(run_example, monkeypatch, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "musicnn").mkdir()
    path, known = str(home / "musicnn" / "mtt.npz"), KNOWN["mtt"]
    write_weights(path, random_tensors(tags=50), name="mtt", tags=known.tags, **TERMS)
    monkeypatch.setitem(KNOWN, "mtt", known._replace(sha256=load_weights(path).sha256))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
    curves = curves_of(run_example("plot_03_few_labels.py"))
    assert list(curves) == ["default", "embeddings alone", "default and embeddings"]
    assert [len(curve) for curve in curves.values()] == [3, 3, 3]
    assert all(curve[-1][0] > 0.25 for curve in curves.values())
