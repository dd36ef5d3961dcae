"""The bars of an audit are its accuracies, and the confusion matrix is that of the result."""

from __future__ import annotations

import re

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from matplotlib.colors import to_rgb
from sklearn.metrics import ConfusionMatrixDisplay

from skgenre import AuditDisplay, leakage_audit
from skgenre.plotting import plot_confusion

METRICS = ["segment_accuracy", "track_accuracy"]


@pytest.fixture(scope="module")
def audit():
    return leakage_audit(SegmentNeighbors(), make_segments(artist_spread=2.0), n_folds=3)


def test_bars_and_intervals_are_those_of_the_audit(audit):
    display = audit.plot()
    assert isinstance(display, AuditDisplay)
    for metric in METRICS:
        found = [result.overall[metric] for result in audit.results.values()]
        assert [bar.get_width() for bar in display.bars_[metric]] == [e["value"] for e in found]
        strict = audit.results[audit.strictest].overall[metric]["value"]
        assert list(display.lines_[metric].get_xdata()) == [strict, strict]
    intervals = [
        segment[:, 0].tolist()
        for lines in display.ax_.collections
        for segment in lines.get_segments()
    ]
    expected = [
        [result.overall[metric][end] for end in ("low", "high")]
        for metric in METRICS
        for result in audit.results.values()
    ]
    assert np.allclose(intervals, expected)


def test_protocols_are_named_from_lenient_to_strict(audit):
    ax = AuditDisplay.from_result(audit, chance=0.5).ax_
    labels = [tick.get_text().split("\n") for tick in ax.get_yticklabels()]
    assert [lines[0] for lines in labels] == list(audit.results)
    assert labels[0][1:] == ["segments of a track on both sides", "120 tracks"]
    bottom, top = ax.get_ylim()
    assert bottom > top  # the strictest stands at the bottom
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0] == "of segments"
    assert legend[-1] == "guessing"


def test_numbers_are_those_of_the_table(audit):
    texts = [text.get_text() for text in audit.plot().ax_.texts]
    table = audit.to_markdown()
    assert len(texts) == 6
    assert all(re.search(rf"\b{re.escape(text)}\b", table) for text in texts)


def test_everything_can_be_read_on_a_dark_background(plt):
    rows = {"track_accuracy": [[0.8, 0.7, 0.9], [0.5, 0.4, 0.6]]}
    with plt.style.context("dark_background"):
        display = AuditDisplay(["a", "b"], rows).plot()
        interval = display.ax_.collections[0].get_color()[0]
        line = to_rgb(display.lines_["track_accuracy"].get_color())
    assert tuple(interval[:3]) == (1, 1, 1)
    assert min(line) > 0.4


def test_what_was_not_measured_has_no_interval_and_no_number():
    rows = [[0.8, np.nan, np.nan], [np.nan] * 3]
    display = AuditDisplay(["a", "b"], {"track_accuracy": rows}).plot()
    assert [text.get_text() for text in display.ax_.texts] == ["0.800"]
    assert display.lines_ == {}


def test_a_long_name_is_broken():
    name = "StratifiedGroupKFold(n_splits=5, random_state=0, shuffle=True)"
    display = AuditDisplay([name], {"track_accuracy": [[0.5, 0.4, 0.6]]}).plot()
    lines = display.ax_.get_yticklabels()[0].get_text().split("\n")
    assert " ".join(lines) == name
    assert max(map(len, lines)) <= 34


@pytest.mark.parametrize(
    ("protocols", "accuracies", "match"),
    [
        (["a"], {}, "Nothing to draw"),
        (["a"], {"macro_f1": [[0.1, 0, 1]]}, "'macro_f1' is unknown; choose from"),
        (["a", "b"], {"track_accuracy": [[0.1, 0, 1]]}, r"shape \(1, 3\); expected \(2, 3\)"),
        (["a"], {"track_accuracy": [[80, 70, 90]]}, "between 0 and 1; got 70 to 90"),
    ],
)
def test_bad_input_is_named(protocols, accuracies, match):
    with pytest.raises(ValueError, match=match):
        AuditDisplay(protocols, accuracies).plot()


def test_something_else_than_an_audit_is_refused(audit):
    with pytest.raises(TypeError, match=r"Expected an AuditResult.*got EvaluationResult"):
        AuditDisplay.from_result(audit.results[audit.strictest])


def test_confusion_matrix_of_a_result(audit, plt):
    result = audit.results[audit.strictest]
    display = result.plot(normalize=False)
    assert isinstance(display, ConfusionMatrixDisplay)
    assert display.confusion_matrix.tolist() == result.confusion
    assert display.display_labels == [str(label) for label in result.labels]
    _, ax = plt.subplots()
    shares = result.plot(ax)
    assert shares.ax_ is ax
    assert shares.confusion_matrix.sum(axis=1) == pytest.approx(1)
    assert ax.get_ylabel() == "true genre"
    assert ax.get_title() == "artist-grouped"


def test_counts_stand_below_shares_where_there_is_room(plt):
    counts = np.full((9, 9), 1)
    counts[0, 1] = 0
    labels = [f"genre {i}" for i in range(9)]
    own = plot_confusion(counts, labels)
    assert own.text_[0, 0].get_text() == "0.125\n1"
    assert own.text_[0, 1].get_text() == "0"
    assert own.text_[1, 0].get_text() == "0.111\n1"
    _, ax = plt.subplots(figsize=(3.5, 3))
    assert plot_confusion(counts, labels, ax=ax).text_[1, 0].get_text() == ".11"
    assert plot_confusion(counts, labels, normalize=False).text_[1, 0].get_text() == "1"
    own.figure_.canvas.draw()
    for text in own.text_.ravel():  # nothing reaches into the next cell
        box = text.get_window_extent().transformed(own.ax_.transData.inverted())
        assert abs(box.width) < 1
        assert abs(box.height) < 1
