"""Segment accuracy as a scorer."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from _segment_music import SegmentNeighbors, make_segments
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skgenre import FrameScaler, segment_accuracy_scorer

MUSIC = make_segments(artist_spread=0.5)
X, Y = MUSIC.data, MUSIC.target


def test_it_is_the_share_of_segments_before_the_vote():
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
def test_it_stands_beside_track_accuracy_in_a_search(routing):
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


def test_a_classifier_without_segments_is_refused():
    model = make_pipeline(KNeighborsClassifier()).fit(X.mean(axis=(1, 2)), Y)
    with pytest.raises(TypeError, match="KNeighborsClassifier has no predict_segment_proba"):
        segment_accuracy_scorer(model, X.mean(axis=(1, 2)), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        segment_accuracy_scorer(SegmentNeighbors().fit(X, Y), X, Y[:3])
