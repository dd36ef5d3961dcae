"""The metrics are scikit-learn's, by fold and overall, with intervals by artist."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from _segment_music import SegmentNeighbors, make_segments
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skgenre import FrameScaler, segment_accuracy_scorer
from skgenre.evaluation import EvaluationResult, EvaluationTask, FoldResult, Splits

MUSIC = make_segments(artist_spread=0.5)
X, Y = MUSIC.data, MUSIC.target


def measure(y, predicted, proba=None, shares=None, *, artists=None, folds=None, **settings):
    """Return the result of an evaluation with these predictions."""
    y, predicted = np.asarray(y), np.asarray(predicted)
    task = EvaluationTask(DummyClassifier(), np.arange(len(y))[:, np.newaxis], y, artists)
    everything = np.arange(len(y))
    folds = [everything] if folds is None else folds
    splits = Splits("given", [(np.setdiff1d(everything, test), test) for test in folds])
    found = [
        FoldResult(
            fold=number,
            n_train=len(train),
            test=test,
            genre=y[test].tolist(),
            predicted=predicted[test].tolist(),
            classes=np.unique(y).tolist(),
            proba=None if proba is None else proba[test],
            segment_accuracy=None if shares is None else shares[test],
            n_segments=None,
            fit_time=1.0,
            predict_time=1.0,
            from_checkpoint=False,
        )
        for number, (train, test) in enumerate(splits)
    ]
    return EvaluationResult.from_folds(task, splits, found, **settings)


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=60)
    proba = rng.dirichlet([1, 1, 1], size=60)
    proba[np.arange(60), y] += 0.3
    proba /= proba.sum(axis=1, keepdims=True)
    return y, proba.argmax(axis=1), proba, rng.uniform(size=60)


def test_metrics_equal_those_of_scikit_learn_by_fold_and_overall(predictions):
    y, predicted, proba, shares = predictions
    folds = [np.arange(20), np.arange(20, 35), np.arange(35, 60)]
    result = measure(*predictions, folds=folds, n_bootstrap=0)
    overall = {name: entry["value"] for name, entry in result.overall.items()}
    for rows, found in zip([np.arange(60), *folds], [overall, *result.folds], strict=True):
        expected = {
            "segment_accuracy": shares[rows].mean(),
            "track_accuracy": accuracy_score(y[rows], predicted[rows]),
            "balanced_accuracy": balanced_accuracy_score(y[rows], predicted[rows]),
            "macro_f1": f1_score(y[rows], predicted[rows], average="macro"),
            "log_loss": log_loss(y[rows], proba[rows], labels=[0, 1, 2]),
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_calibration_error_is_the_mean_gap_of_the_bins(predictions):
    y, predicted, proba, _ = predictions
    result = measure(*predictions, n_bootstrap=0)
    confidence, right = proba.max(axis=1), y == predicted
    total = 0.0
    for low in np.arange(10) / 10:
        inside = (confidence >= low) & (confidence < low + 0.1)
        if inside.any():
            total += abs(right[inside].mean() - confidence[inside].mean()) * inside.sum()
    assert result.overall["calibration_error"]["value"] == pytest.approx(total / 60)


def test_a_certain_model_is_calibrated_if_it_is_right_and_has_a_finite_loss_if_it_is_wrong():
    proba = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 4)
    predicted, y = np.repeat([0, 1], 4), np.repeat([0, 1], 4)
    right, wrong = measure(y, predicted, proba), measure(1 - y, predicted, proba)
    for metric in ("calibration_error", "log_loss"):
        assert right.overall[metric]["value"] == 0
    assert wrong.overall["calibration_error"]["value"] == 1
    assert np.isfinite(wrong.overall["log_loss"]["value"])
    assert "segment_accuracy" not in right.overall


def test_genres_without_a_track_in_a_fold_are_left_out_of_its_means():
    result = measure([0, 0, 1, 2], [0, 1, 1, 2], folds=[np.arange(2), np.arange(2, 4)])
    assert result.folds[0]["balanced_accuracy"] == 0.5
    assert result.folds[0]["macro_f1"] == pytest.approx(2 / 3)
    assert "log_loss" not in result.overall


def test_the_tracks_of_an_artist_are_drawn_together():
    y, predicted = np.repeat([0, 1], 10), np.repeat([0, 1], 10)
    predicted[:2] = 1
    artists = np.where(np.arange(20) < 2, "always wrong", "always right")
    by_artist = measure(y, predicted, artists=artists).overall["track_accuracy"]
    by_track = measure(y, predicted).overall["track_accuracy"]
    assert (by_artist["low"], by_artist["high"]) == (0, 1)  # only one of the two is drawn
    assert 0.6 < by_track["low"] < 0.9 < by_track["high"]


def test_the_interval_holds_95_per_cent_of_the_resamples():
    y = np.tile([0, 1], 1000)
    found = measure(y, np.zeros(2000, dtype=int)).overall["track_accuracy"]
    deviation = np.sqrt(0.25 / 2000)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * deviation, rel=0.1)
    without = measure(y, np.zeros(2000, dtype=int), n_bootstrap=0).overall["track_accuracy"]
    assert without == {"value": 0.5, "low": None, "high": None}


@pytest.mark.parametrize("seed", range(20))
def test_each_estimate_lies_in_its_interval(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    y = np.arange(n) % 3
    proba = rng.dirichlet([rng.choice([0.1, 1, 10])] * 3, size=n)
    artists = rng.integers(n, size=n) if seed % 2 else None
    n_bootstrap = [1, 3, 200][seed % 3]
    found = measure(
        y,
        proba.argmax(axis=1),
        proba,
        rng.uniform(size=n),
        artists=artists,
        n_bootstrap=n_bootstrap,
    )
    assert len(found.overall) == 6
    for name, entry in found.overall.items():
        assert 0 <= entry["low"] <= entry["value"] <= entry["high"], name
        assert entry["high"] <= 1 or name == "log_loss"


@pytest.mark.parametrize(("sharpening", "true_error"), [(1.0, 0.0), (2.0, 0.0966)])
def test_calibration_interval_covers_the_true_error(sharpening, true_error):
    """The percentile interval never covers the error 0 of a calibrated model."""
    n_covered, values = 0, []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        probability = rng.uniform(0.5, 1, size=200)  # of the class that is predicted
        y = (rng.uniform(size=200) > probability).astype(int)
        odds = (probability / (1 - probability)) ** sharpening
        proba = np.stack([odds, np.ones(200)], axis=1) / (1 + odds)[:, np.newaxis]
        predicted = np.zeros(200, dtype=int)
        y[:2] = [0, 1]
        entry = measure(y, predicted, proba, n_bootstrap=200).overall["calibration_error"]
        n_covered += entry["low"] <= true_error <= entry["high"]
        values.append(entry["high"] - entry["low"])
    assert n_covered >= 36
    assert np.mean(values) < 0.15


# segment_accuracy_scorer


def test_the_scorer_is_the_share_of_segments_before_the_vote():
    scaler = FrameScaler().fit(X)
    model = SegmentNeighbors().fit(scaler.transform(X[::2]), Y[::2])
    best = model.classes_[model.predict_segment_proba(scaler.transform(X)).argmax(axis=2)]
    expected = np.mean(best == Y[:, np.newaxis])
    assert segment_accuracy_scorer(model, scaler.transform(X), Y) == expected
    assert expected < model.score(scaler.transform(X), Y)
    fitted = make_pipeline(scaler, model)
    assert segment_accuracy_scorer(fitted, X, Y.tolist()) == expected
    assert segment_accuracy_scorer(make_pipeline(model), scaler.transform(X), Y) == expected


@pytest.mark.parametrize("routing", [False, True])
def test_the_scorer_stands_beside_track_accuracy_in_a_search(routing):
    model = make_pipeline(FrameScaler(), SegmentNeighbors(KNeighborsClassifier()))
    scoring = {"track": "accuracy", "segment": segment_accuracy_scorer}
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            model,
            {"segmentneighbors__estimator__n_neighbors": [1, 15]},
            scoring=scoring,
            refit="segment",
            cv=3,
        ).fit(X, Y)
        plain = cross_validate(model, X, Y, scoring=scoring, cv=3)
    assert search.best_params_ == {"segmentneighbors__estimator__n_neighbors": 15}
    assert (plain["test_segment"] < plain["test_track"]).all()
    assert segment_accuracy_scorer(search, X, Y) == segment_accuracy_scorer(
        search.best_estimator_, X, Y
    )


def test_the_scorer_refuses_a_classifier_without_segments():
    model = make_pipeline(KNeighborsClassifier()).fit(X.mean(axis=(1, 2)), Y)
    with pytest.raises(TypeError, match="KNeighborsClassifier has no predict_segment_proba"):
        segment_accuracy_scorer(model, X.mean(axis=(1, 2)), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        segment_accuracy_scorer(SegmentNeighbors().fit(X, Y), X, Y[:3])
