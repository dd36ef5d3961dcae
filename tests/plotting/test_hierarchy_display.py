"""The picture of a hierarchy has the accuracy and the tracks of each node in its place."""

from __future__ import annotations

import numpy as np
import pytest
from _displays import NODES
from matplotlib.colors import to_rgb
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import HierarchicalGenreClassifier, HierarchyDisplay
from skgenre.classifiers import NodeReport

TREE = {"strong": {"heavy": ["metal", "rock"], "other": ["pop"]}, "mild": ["jazz", "blues"]}


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    y = np.repeat(["metal", "rock", "pop", "jazz", "blues"], 40)
    X = rng.normal(size=(200, 3)) + np.repeat([0, 1, 3, 6, 7.5], 40)[:, np.newaxis]
    model = HierarchicalGenreClassifier(LogisticRegression(), hierarchy=TREE)
    return make_pipeline(StandardScaler(), model).fit(X[::2], y[::2]), X[1::2], y[1::2]


def test_a_report_in_latex_has_both_tables_and_one_caption(fitted):
    pipeline, X, y = fitted
    report = pipeline[-1].node_report(pipeline[:-1].transform(X), y)
    plain = report.to_latex()
    assert plain.count(r"\begin{tabular}") == plain.count(r"\end{tabular}") == 2
    assert "strong/heavy & " in plain
    assert f"all & {len(y)} & {report.accuracy:.3f} & " in plain
    framed = report.to_latex(caption="A tree.", label="tab:tree")
    beginning, _, rest = framed.partition(r"\label{tab:tree}" + "\n")
    assert beginning.count(r"\begin{table}") == 1
    assert rest == plain + "\n\\end{table}"
    with pytest.raises(ValueError, match="needs a caption"):
        report.to_latex(label="tab:tree")


def test_the_report_is_of_nodes_and_genres(fitted):
    pipeline, X, y = fitted
    model, X = pipeline[-1], pipeline[:-1].transform(X)
    report = model.node_report(X[5:], y[5:])
    assert [(n["path"], n["n_tracks"]) for n in report.nodes] == [
        ("root", 95),
        ("strong", 55),
        ("strong/heavy", 35),
        ("mild", 40),
    ]
    heavy = np.isin(y[5:], ["metal", "rock"])
    found = model.nodes_["strong/heavy"].predict(X[5:][heavy])
    right = accuracy_score(y[5:][heavy] == "rock", found)
    assert report.nodes[2]["accuracy"] == right
    predicted = model.predict(X[5:])
    assert report.accuracy == accuracy_score(y[5:], predicted) < 1
    recalls = {row["genre"]: row["recall"] for row in report.genres}
    assert list(recalls) == ["metal", "rock", "pop", "jazz", "blues"]
    labels = list(recalls)
    expected = recall_score(y[5:], predicted, labels=labels, average=None)
    assert list(recalls.values()) == pytest.approx(expected)
    assert report.genres[0]["expected"] == pytest.approx(
        np.prod([n["accuracy"] for n in report.nodes[:3]])
    )
    assert f"| strong/heavy | metal, rock | 35 | {right:.3f} |" in report.to_markdown()
    assert f"| all | 95 | {report.accuracy:.3f} |" in report.to_markdown()


def test_a_report_is_saved_also_where_nodes_have_no_tracks(fitted, tmp_path):
    pipeline, X, y = fitted
    only = np.isin(y, ["metal", "pop"])
    report = pipeline[-1].node_report(pipeline[:-1].transform(X[only]), y[only])
    assert report.nodes[-1]["accuracy"] is None
    assert report.genres[-1] == {"genre": "blues", "n_tracks": 0, "recall": None, "expected": None}
    report.save(tmp_path / "nodes.json")
    assert NodeReport.read(tmp_path / "nodes.json") == report


def test_each_box_has_its_share_its_tracks_and_the_colour_of_the_share():
    display = HierarchyDisplay.from_report(NODES)
    texts = {path: text.get_text() for path, text in display.node_texts_.items()}
    assert texts == {"root": "root\n0.900 of 40", "strong": "strong\n0.200 of 30"}
    texts = {genre: text.get_text() for genre, text in display.genre_texts_.items()}
    assert texts["jazz"] == "jazz\n0.950 of 10"
    assert texts["rock"] == "rock\nno tracks"
    assert display.ax_.get_title() == "0.425 of 40 tracks right"
    boxes = [*display.node_texts_.values(), *display.genre_texts_.values()]
    for text in boxes:
        face = to_rgb(text.get_bbox_patch().get_facecolor())
        light = np.dot(face, [0.299, 0.587, 0.114])
        assert text.get_color() == ("white" if light < 0.5 else "black")
    faces = {to_rgb(text.get_bbox_patch().get_facecolor()) for text in boxes}
    assert len(faces) == 5


def test_a_pipeline_is_drawn_and_nothing_overlaps(fitted):
    display = HierarchyDisplay.from_estimator(*fitted, name="a tree")
    assert display.ax_.get_title() == "a tree"
    display.figure_.canvas.draw()
    boxes = [*display.node_texts_.values(), *display.genre_texts_.values()]
    frames = [box.get_bbox_patch().get_window_extent() for box in boxes]
    assert not any(a.overlaps(b) for i, a in enumerate(frames) for b in frames[:i])
    # Children stand to the right of their node, which stands between them.
    nodes, genres = display.node_texts_, display.genre_texts_
    x, y = nodes["strong/heavy"].get_position()
    assert nodes["strong"].get_position()[0] < x < genres["metal"].get_position()[0]
    assert genres["metal"].get_position()[1] < y < genres["rock"].get_position()[1]


def test_a_long_name_is_cut():
    node = {**NODES.nodes[1], "path": "-".join(["punk"] * 30)}
    root = {**NODES.nodes[0]}
    root["children"] = [{**root["children"][0], "node": node["path"]}, root["children"][1]]
    report = NodeReport([root, node], NODES.genres, 40, 0.4, 0.3)
    text = HierarchyDisplay(report).plot().node_texts_[node["path"]].get_text()
    assert text.count("\n") == 2
    assert "\u2026" in text


def test_a_model_without_nodes_is_refused(plt):
    with pytest.raises(TypeError, match=r"LogisticRegression has no nodes. Give a fitted Hier"):
        HierarchyDisplay.from_estimator(LogisticRegression(), [[0]], ["calm"])
    with pytest.raises(TypeError, match="report is a dict; expected a NodeReport"):
        HierarchyDisplay({}).plot()
    assert plt.get_fignums() == []
