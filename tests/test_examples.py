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


@pytest.mark.slow
def test_a_folder_leads_to_an_estimate_and_to_genres_of_new_files(run_example):
    out = run_example("plot_04_your_own_folder.py")
    assert "protocol: artist-grouped" in out
    accuracy, low, high = map(float, re.search(r"(\d\.\d+) \((.+) to (.+)\)", out).groups())
    assert 0.4 < accuracy <= 1
    assert low < accuracy < high
    answers = re.findall(r"^(\w+)\.00000\.wav: (\w+)$", out, re.MULTILINE)
    assert len(answers) == 4
    assert sum(truth == answer for truth, answer in answers) >= 3


@pytest.mark.slow
def test_fewer_answers_are_right_more_often(run_example):
    out = run_example("plot_05_reject_and_coverage.py")
    rows = re.findall(r"([\d.]+) of the tracks answered, from ([\d.]+): ([\d.]+) of", out)
    coverage, threshold, accuracy = zip(*(map(float, row) for row in rows), strict=True)
    assert coverage == tuple(sorted(coverage, reverse=True))
    assert threshold == tuple(sorted(threshold))
    assert accuracy[-1] > accuracy[0] + 0.05


@pytest.mark.slow
def test_the_timeline_finds_both_halves_of_the_medley(run_example):
    out = run_example("plot_06_timeline.py")
    segments = re.search(r"segments: (.+)", out).group(1).split(", ")
    assert segments[:4].count("waltz") >= 3
    assert segments[4:].count("house") >= 3


@pytest.mark.slow
def test_noise_with_equal_bands_has_players(run_example):
    pytest.importorskip("IPython")
    out = run_example("plot_07_what_a_feature_sounds_like.py")
    assert float(re.search(r"log bands: ([\d.]+)", out).group(1)) > 0.8


@pytest.mark.slow
def test_tracks_of_an_artist_are_nearer_than_those_of_the_genre(run_example):
    out = run_example("plot_08_map_of_a_catalogue.py")
    of_all, of_others, of_artist = map(float, re.findall(r": +([\d.]+)$", out, re.MULTILINE))
    assert of_others > 2 * 0.25  # of four genres
    assert of_all > of_others + 0.1
    assert of_artist > 0.5  # a twelfth by chance


@pytest.mark.slow
def test_the_parts_of_a_mistake_add_up(run_example):
    out = run_example("plot_09_explain_a_mistake.py")
    parts, intercept, total = map(float, re.search(r"(\S+) \+ (\S+) = (\S+)", out).groups())
    assert parts + intercept == pytest.approx(total, abs=2e-3)
    assert total > 0  # the score of the wrong genre against the right one


@pytest.mark.slow
def test_the_nodes_of_a_hierarchy_are_reported(run_example):
    out = run_example("plot_10_hierarchy.py")
    rows = dict(re.findall(r"^\| ([\w ]+?) +\|.*\| +([\d.]+) \|$", out, re.MULTILINE))
    assert {"root", "with drums", "without drums"} <= set(rows)
    whole = float(re.search(r"accuracy of the whole: ([\d.]+)", out).group(1))
    assert 0.25 < whole <= 1


@pytest.mark.slow
def test_protocols_differ_more_than_activations(run_example):
    out = run_example("plot_11_reproduce_a_table.py")
    assert "| mlp-leaky_relu | validation accuracy |" in out
    activations = float(re.search(r"activations differ by at most +([\d.]+)", out).group(1))
    protocols = float(re.search(r"protocols differ by at least +([\d.]+)", out).group(1))
    assert protocols > activations
