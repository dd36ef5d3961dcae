"""The curve of a rejecting classifier is what coverage_accuracy measures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre import (
    CoverageAccuracyDisplay,
    FusionKNeighborsClassifier,
    MLPGenreClassifier,
    RejectingClassifier,
    evaluate,
)


def test_a_pipeline_is_measured():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4, 4, 3)), np.repeat(["calm", "loud"], 15)
    mlp = MLPGenreClassifier(units=(4,), epochs=1, random_state=0)
    pipeline = make_pipeline(FunctionTransformer(np.negative), RejectingClassifier(mlp)).fit(X, y)
    display = CoverageAccuracyDisplay.from_estimator(pipeline, X, y, name="MLP")
    thresholds, coverage, accuracy = pipeline[-1].coverage_accuracy(-X, y)
    assert display.thresholds.tolist() == thresholds.tolist()
    decided = ~np.isnan(accuracy)
    assert display.line_.get_xdata().tolist() == coverage[decided].tolist()
    assert display.line_.get_ydata().tolist() == accuracy[decided].tolist()
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["MLP"]


def test_points_are_labelled_together_and_thresholds_that_decide_nothing_have_none():
    display = CoverageAccuracyDisplay([1, 2, 3, 4], [1, 1, 0.5, 0], [0.6, 0.6, 0.9, np.nan]).plot()
    assert [label.get_text() for label in display.labels_] == ["1\u20132 votes", "3"]
    assert display.line_.get_xdata().tolist() == [1, 1, 0.5]
    assert display.ax_.get_legend() is None


def test_two_curves_differ_not_by_colour_alone():
    first = CoverageAccuracyDisplay([1, 2], [1, 0.5], [0.5, 0.9], name="a").plot()
    second = CoverageAccuracyDisplay([1, 2], [1, 0.6], [0.4, 0.8], name="b").plot(first.ax_)
    assert first.line_.get_color() != second.line_.get_color()
    assert first.line_.get_marker() != second.line_.get_marker()
    assert first.line_.get_linestyle() != second.line_.get_linestyle()
    assert first.ax_.get_ylim()[0] < 0.4


def test_thirty_thresholds_do_not_crowd():
    coverage = 1 - (np.arange(30) / 30) ** 3
    display = CoverageAccuracyDisplay(np.arange(1, 31), coverage, np.linspace(0.5, 0.9, 30)).plot()
    places = sorted(label.xy[0] for label in display.labels_)
    assert len(places) > 5
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.labels_]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_axes_end_where_the_curves_end():
    first = CoverageAccuracyDisplay([1, 2], [1, 0.8], [0.5, 0.6]).plot()
    assert first.ax_.get_xlim() == pytest.approx((0.78, 1.02))
    assert first.ax_.get_ylim() == pytest.approx((0.49, 0.61))
    second = CoverageAccuracyDisplay([1, 2], [1, 0.6], [0.4, 0.9]).plot(first.ax_)
    assert second.ax_.get_xlim() == pytest.approx((0.56, 1.04))
    assert second.ax_.get_ylim() == pytest.approx((0.35, 0.95))
    alone = CoverageAccuracyDisplay([1], [0.5], [0.5]).plot()
    assert alone.ax_.get_xlim() == pytest.approx((0.49, 0.51))


def test_an_evaluation_is_drawn_over_confidence():
    rng = np.random.default_rng(0)
    y = np.repeat(["calm", "loud"], 60)
    X = rng.normal(size=(120, 3)) + (y == "loud")[:, np.newaxis]
    result = evaluate(FusionKNeighborsClassifier(), (X, y), protocol="track-random", n_folds=2)
    display = CoverageAccuracyDisplay.from_result(result, name="neighbours")
    thresholds, coverage, accuracy = result.coverage_accuracy()
    assert display.line_.get_xydata().tolist() == np.column_stack([coverage, accuracy]).tolist()
    texts = [label.get_text() for label in display.labels_]
    assert texts[0] == f"confidence {thresholds[0]:.2f}"
    assert not any("vote" in text for text in texts)
    with pytest.raises(TypeError, match=r"Expected an EvaluationResult, .* got ndarray"):
        CoverageAccuracyDisplay.from_result(thresholds)


def test_of_many_points_only_the_labelled_ones_have_markers():
    t = np.linspace(0.3, 1, 100)
    display = CoverageAccuracyDisplay(t, 1.3 - t, np.linspace(0.5, 1, 100)).plot()
    marked = display.line_.get_xydata()[display.line_.get_markevery()]
    assert marked.tolist() == [list(label.xy) for label in display.labels_]


def test_a_classifier_that_rejects_nothing_is_refused():
    with pytest.raises(TypeError, match=r"MLPGenreClassifier rejects no tracks. Give a fitted"):
        CoverageAccuracyDisplay.from_estimator(MLPGenreClassifier(), [[0]], ["calm"])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([1, 2], [1.0], [0.5]), r"lists of one length; got the shapes \(2,\), \(1,\), \(1,\)"),
        (([], [], []), "lists of one length"),
        (([1], [100.0], [0.5]), "coverage should be shares between 0 and 1; got 100 to 100"),
        (([1], [1.0], [-0.5]), "accuracy should be shares"),
    ],
)
def test_bad_input_is_named_and_makes_no_figure(arguments, match, plt):
    with pytest.raises(ValueError, match=match):
        CoverageAccuracyDisplay(*arguments).plot()
    assert plt.get_fignums() == []
