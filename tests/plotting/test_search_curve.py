"""The curves of a search are the scores of its folds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import CNNGenreClassifier, LSTMGenreClassifier, SearchCurveDisplay

SEGMENTS, ACTIVATION = "features__segmenter__n_segments", "classifier__activation"
GRID = {SEGMENTS: [30, 10, 20], ACTIVATION: ["tanh", "relu"]}


def _results(grid, metrics=("score",), n_folds=3):
    params = list(ParameterGrid(grid))
    rng = np.random.default_rng(0)
    folds = {
        f"split{k}_test_{metric}": rng.random(len(params))
        for k in range(n_folds)
        for metric in metrics
    }
    return {"params": params, **folds}


def _means(results, activation):
    """Return the mean scores of an activation, by rising number of segments."""
    means = np.mean([results[f"split{k}_test_score"] for k in range(3)], axis=0)
    cells = {tuple(p.values()): m for p, m in zip(results["params"], means, strict=True)}
    return pytest.approx([cells[activation, n] for n in (10, 20, 30)])


def test_mean_and_deviation_of_a_real_search():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.repeat(["calm", "loud"], 20)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scoring = {"track": "accuracy", "balanced": "balanced_accuracy"}
    grid = {"logisticregression__C": [1.0, 0.001, 0.1]}
    search = GridSearchCV(model, grid, scoring=scoring, refit=False, cv=4).fit(X, y)
    display = SearchCurveDisplay.from_estimator(search, "C", spread="band")
    order = [1, 2, 0]  # rising
    assert list(display.lines_) == [("track", None), ("balanced", None)]
    bands = display.ax_.collections
    for (metric, _), line, band in zip(display.lines_, display.lines_.values(), bands, strict=True):
        mean, deviation = (search.cv_results_[f"{k}_test_{metric}"][order] for k in ("mean", "std"))
        assert line.get_xdata().tolist() == [0.001, 0.1, 1.0]
        assert line.get_ydata() == pytest.approx(mean)
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.max() == pytest.approx((mean + deviation).max())
        assert heights.min() == pytest.approx((mean - deviation).min())
    assert display.ax_.get_xscale() == "log"
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["0.001", "0.1", "1"]
    assert [t.get_text() for t in display.ax_.get_legend().get_texts()] == ["track", "balanced"]


def test_hue_has_a_curve_for_each_value():
    results = _results(GRID)
    display = SearchCurveDisplay.from_cv_results(results, "n_segments", hue="activation")
    assert list(display.lines_) == [("score", "tanh"), ("score", "relu")]
    for (_, activation), line in display.lines_.items():
        assert line.get_ydata() == _means(results, activation)
    first, second = display.lines_.values()
    assert first.get_marker() != second.get_marker()
    assert display.ax_.get_legend().get_title().get_text() == "activation"
    assert display.ax_.get_xlabel() == "n segments"


def test_words_are_categories_in_the_order_of_the_search():
    names = ["sigmoid", "tanh", "relu"]
    results = _results({ACTIVATION: names}, metrics=("track", "segment"))
    display = SearchCurveDisplay.from_cv_results(results, ACTIVATION)
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == names
    track, segment = display.lines_.values()
    assert track.get_linestyle() == "None"
    assert (np.abs(track.get_xdata() - [0, 1, 2]) < 0.2).all()
    assert (track.get_xdata() < segment.get_xdata()).all()  # bars do not hide each other
    assert len(display.ax_.collections) == 2
    one = SearchCurveDisplay.from_cv_results(results, ACTIVATION, metrics="segment")
    assert list(one.lines_) == [("segment", None)]
    assert one.ax_.get_ylabel() == "segment"


CLASSIFIERS = [
    CNNGenreClassifier(activation="relu", epochs=5),
    CNNGenreClassifier(activation="tanh", epochs=5),
    LSTMGenreClassifier(),
    make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
    make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=0.1)),
    make_pipeline(LogisticRegression(C=0.1)),
]


def test_whole_classifiers_have_short_names_that_differ():
    results = _results({"classifier": CLASSIFIERS}, metrics=("track", "segment"))
    display = SearchCurveDisplay.from_cv_results(results, "classifier")
    labels = [t.get_text().replace("\n", " ") for t in display.ax_.get_xticklabels()]
    assert labels == [
        "CNN, activation=relu",
        "CNN, activation=tanh",
        "LSTM",
        "LogisticRegression, after StandardScaler, with_mean=True",
        "LogisticRegression, after StandardScaler, with_mean=False",
        "LogisticRegression",
    ]
    lines = [line for t in display.ax_.get_xticklabels() for line in t.get_text().split("\n")]
    assert max(map(len, lines)) < 20
    hue = SearchCurveDisplay.from_cv_results(
        _results({"classifier": CLASSIFIERS[:3], SEGMENTS: [10, 20]}), SEGMENTS, hue="classifier"
    )
    entries = [t.get_text() for t in hue.ax_.get_legend().get_texts()]
    assert entries == labels[:3]
    assert len({line.get_color() for line in hue.lines_.values()}) == 3


def test_classifiers_whose_printed_forms_are_cut_are_kept_apart():
    many = ["a word"] * 40  # repr leaves out the middle of long lists
    models = [LSTMGenreClassifier(units=[*many, n, *many]) for n in (1, 2)]
    assert repr(models[0]) == repr(models[1])
    display = SearchCurveDisplay.from_cv_results(_results({"classifier": models}), "classifier")
    assert len(display.lines_["score", None].get_ydata()) == 2


@pytest.mark.parametrize("n_values", [2, 6])
def test_no_label_is_cut_and_the_legend_is_beside_the_plot(n_values):
    grid = {"classifier": CLASSIFIERS, SEGMENTS: list(range(n_values))}
    display = SearchCurveDisplay.from_cv_results(_results(grid), "classifier", hue=SEGMENTS)
    display.figure_.canvas.draw()
    inside = display.figure_.bbox.get_points()
    for label in display.ax_.get_xticklabels():
        box = label.get_window_extent().get_points()
        assert (box[0] >= inside[0]).all()
        assert (box[1] <= inside[1]).all()
    legend = display.ax_.get_legend().get_window_extent()
    assert not legend.overlaps(display.ax_.get_window_extent())


def test_fixed_chooses_candidates():
    results = _results(GRID)
    display = SearchCurveDisplay.from_cv_results(
        results, "n_segments", fixed={"activation": "relu"}, spread=None
    )
    assert display.lines_["score", None].get_ydata() == _means(results, "relu")
    assert len(display.ax_.collections) == 0


def test_a_failed_fit_is_told_and_leaves_a_gap():
    results = _results({SEGMENTS: [10, 20, 30]})
    results["split1_test_score"][1] = np.nan
    with pytest.warns(UserWarning, match="1 of 3 candidates have folds without a score"):
        display = SearchCurveDisplay.from_cv_results(results, "n_segments")
    assert np.isnan(display.lines_["score", None].get_ydata()).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("parameter", "options", "match"),
    [
        ("epochs", {}, "The search has no parameter 'epochs'; choose from"),
        ("n_segments", {}, f"they differ in {ACTIVATION}. Choose by fixed=.*, or give it as hue"),
        ("n_segments", {"hue": SEGMENTS}, "hue is the parameter on the horizontal axis"),
        ("n_segments", {"hue": "activation", "metrics": ["f1"]}, "no metric 'f1'; choose from"),
        ("n_segments", {"fixed": {"activation": "elu"}}, "No candidate has .*activation='elu'"),
        ("n_segments", {"hue": "activation", "spread": "box"}, "spread='box' is unknown"),
    ],
)
def test_bad_input_is_named_and_makes_no_figure(parameter, options, match, plt):
    with pytest.raises(ValueError, match=match):
        SearchCurveDisplay.from_cv_results(_results(GRID), parameter, **options)
    assert plt.get_fignums() == []


def test_candidates_without_the_parameter_and_names_that_fit_twice_are_refused():
    results = _results([{SEGMENTS: [10]}, {ACTIVATION: ["relu"]}])
    with pytest.raises(ValueError, match=r"1 of 2 candidates, such as .* set not all of"):
        SearchCurveDisplay.from_cv_results(results, SEGMENTS)
    with pytest.raises(ValueError, match="more than one parameter 'rate'"):
        SearchCurveDisplay.from_cv_results(_results({"a__rate": [1], "b__rate": [2]}), "rate")


def test_an_unfitted_search_is_refused():
    with pytest.raises(AttributeError, match="GridSearchCV has no cv_results_; give a fitted"):
        SearchCurveDisplay.from_estimator(GridSearchCV(LogisticRegression(), {}), "C")


def test_scores_have_to_go_with_the_values():
    with pytest.raises(ValueError, match=r"shape \(1, 2\); expected \(2, n_folds\)"):
        SearchCurveDisplay([1, 2], {("score", None): [[0.1, 0.2]]}, parameter="n").plot()
