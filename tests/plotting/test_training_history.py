"""The curves of a training are the values of its history."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from skgenre import (
    FrameScaler,
    HierarchicalGenreClassifier,
    MLPGenreClassifier,
    RejectingClassifier,
    TrainingHistoryDisplay,
)

HISTORY = {
    "accuracy": [0.2, 0.5, 0.7],
    "loss": [2.0, 1.0, 0.5],
    "val_accuracy": [0.2, 0.4, 0.5],
    "val_loss": [2.1, 1.2, 1.1],
}


def test_accuracy_and_loss_over_epochs():
    display = TrainingHistoryDisplay.from_history(HISTORY, name="a network")
    assert [ax.get_ylabel() for ax in display.ax_] == ["accuracy of segments", "loss"]
    drawn = [line.get_ydata().tolist() for line in display.lines_]
    assert drawn == [HISTORY[k] for k in ("accuracy", "val_accuracy", "loss", "val_loss")]
    assert all(line.get_xdata().tolist() == [1, 2, 3] for line in display.lines_)
    assert display.figure_.get_suptitle() == "a network"
    for ax in display.ax_:
        assert ax.get_xlabel() == "epoch"
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["training", "validation"]


def test_training_and_validation_differ_not_by_colour_alone():
    training, validation = TrainingHistoryDisplay.from_history(HISTORY).lines_[:2]
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() != validation.get_marker()


def test_error_is_one_less_the_accuracy():
    display = TrainingHistoryDisplay.from_history(HISTORY, metrics="error")
    assert display.lines_[0].get_ydata() == pytest.approx([0.8, 0.5, 0.3])
    assert display.ax_.get_ylabel() == "error of segments"


def test_one_given_ax_shows_accuracy_and_several_all(plt):
    _, axes = plt.subplots(1, 2)
    assert len(TrainingHistoryDisplay.from_history(HISTORY, ax=axes[0]).lines_) == 2
    both = TrainingHistoryDisplay.from_history(HISTORY, metrics=["error", "loss"], ax=axes)
    assert list(both.ax_) == list(axes)
    with pytest.raises(ValueError, match=r"2 metrics \(accuracy, loss\) need as many axes, got 1"):
        TrainingHistoryDisplay(HISTORY).plot(axes[0], metrics=["accuracy", "loss"])


def test_a_fitted_classifier_and_what_ends_in_one():
    X = np.random.default_rng(0).normal(size=(8, 2, 4, 3))
    y = np.repeat(["calm", "loud"], 4)
    mlp = MLPGenreClassifier(units=(4,), epochs=2, validation_fraction=0.25, random_state=0)
    plain = make_pipeline(FrameScaler(), mlp).fit(X, y)
    for model in (plain, make_pipeline(FrameScaler(), RejectingClassifier(mlp)).fit(X, y)):
        display = TrainingHistoryDisplay.from_estimator(model)
        assert display.lines_[3].get_ydata().tolist() == plain[-1].history_["val_loss"]
        assert display.figure_.get_suptitle() == "MLPGenreClassifier"


def test_several_trainings_have_a_mean_a_band_and_a_line_each():
    short = {key: [v / 2 for v in values[:2]] for key, values in HISTORY.items()}  # stopped early
    display = TrainingHistoryDisplay.from_history([HISTORY, short], metrics="loss")
    training, validation = display.lines_
    assert training.get_xdata().tolist() == [1, 2]  # the epochs of both
    assert training.get_ydata() == pytest.approx([1.5, 0.75])
    assert validation.get_ydata() == pytest.approx([1.575, 0.9])
    band = display.ax_.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(2.0)  # 1.5 and a deviation of 0.5
    assert band[:, 1].min() == pytest.approx(0.5)
    others = [line for line in display.ax_.lines if line not in display.lines_]
    assert [line.get_ydata().tolist() for line in others[:2]] == [HISTORY["loss"], short["loss"]]
    assert [t.get_text() for t in display.ax_.get_legend().get_texts()] == [
        "training",
        "validation",
    ]


def test_the_classifiers_of_folds_are_drawn_together():
    X = np.random.default_rng(0).normal(size=(12, 2, 4, 3))
    y = np.tile(["calm", "loud"], 6)
    mlp = MLPGenreClassifier(units=(4,), epochs=2, random_state=0)
    done = cross_validate(make_pipeline(FrameScaler(), mlp), X, y, cv=2, return_estimator=True)
    display = TrainingHistoryDisplay.from_estimators(done["estimator"])
    histories = [pipeline[-1].history_ for pipeline in done["estimator"]]
    assert display.lines_[1].get_ydata() == pytest.approx(
        np.mean([history["loss"] for history in histories], axis=0)
    )
    assert display.figure_.get_suptitle() == "MLPGenreClassifier, 2 trainings"


def test_trainings_that_cannot_be_drawn_together_are_refused(plt):
    without = {key: HISTORY[key] for key in ("accuracy", "loss")}
    with pytest.raises(ValueError, match="Only some of the 2 trainings have a validation part"):
        TrainingHistoryDisplay([HISTORY, without]).plot()
    with pytest.raises(ValueError, match="estimators is empty"):
        TrainingHistoryDisplay.from_estimators([])
    with pytest.raises(AttributeError, match="has no history_"):
        TrainingHistoryDisplay.from_estimators([MLPGenreClassifier()])
    single = make_pipeline(MLPGenreClassifier())
    for wrong in (single, single[-1], {"one": single}):
        with pytest.raises(TypeError, match=r"expected a list of .* from_estimator draws a single"):
            TrainingHistoryDisplay.from_estimators(wrong)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("model", [MLPGenreClassifier(), HierarchicalGenreClassifier()])
def test_a_model_without_history_is_refused(model):
    with pytest.raises(AttributeError, match=f"{type(model).__name__} has no history_. Give a fit"):
        TrainingHistoryDisplay.from_estimator(model)


@pytest.mark.parametrize(
    ("history", "metrics", "error", "match"),
    [
        (5, None, TypeError, "history is a int; expected a dict"),
        ({"loss": [1.0]}, None, ValueError, "The history has no 'accuracy', but 'loss'"),
        (HISTORY, ["auc"], ValueError, "metric 'auc' is unknown; choose 'accuracy'"),
        (HISTORY, [], ValueError, "metrics is empty"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, "loss", ValueError, r"shapes \(2,\), \(1,\)"),
        ({"loss": []}, "loss", ValueError, "one number for each epoch"),
    ],
)
def test_bad_input_is_named_and_makes_no_figure(history, metrics, error, match, plt):
    with pytest.raises(error, match=match):
        TrainingHistoryDisplay.from_history(history, metrics=metrics)
    assert plt.get_fignums() == []
