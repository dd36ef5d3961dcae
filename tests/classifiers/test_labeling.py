"""Labels that a model chooses teach it more than random ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import ClipFeatures, GenreClassifier, NoSoundWarning, rank_for_labeling

LABELS = ClipFeatures().get_feature_groups_out()


def catalogue(n, seed):
    """Return a table of music, two thirds of which is of a genre that is easily told.

    The other two genres have styles, whose tracks sound alike in the group "mfcc"; which style
    belongs to which genre is known only by its labels.
    """
    rng = np.random.default_rng(seed)
    centres = 1.5 * np.random.default_rng(99).normal(size=(5, LABELS.size)) * (LABELS == "mfcc")
    style = np.where(rng.random(n) < 2 / 3, 4, rng.integers(0, 4, size=n))
    X = 0.7 * rng.normal(size=(n, LABELS.size)) + centres[style]
    y = np.where(style == 4, "jazz", np.where(style % 2, "dub", "ska"))
    return np.column_stack([X, np.ones(n)]).astype(np.float32), y


def fit(X, y):
    model = GenreClassifier(n_excerpts=0, precomputed=True, random_state=0)
    return model.fit(X, y, groups=np.arange(len(y)))


def first_labels(y):
    """Return two tracks of each genre."""
    return np.concatenate([np.flatnonzero(y == genre)[:2] for genre in np.unique(y)])


@pytest.fixture(scope="module")
def music():
    return catalogue(150, seed=0)


@pytest.fixture(scope="module")
def model(music):
    X, y = music
    rows = first_labels(y)
    return fit(X[rows], y[rows])


def accuracy(music, seed, choice):
    """Return the balanced accuracy after two batches of labels; at random without a choice."""
    X, y = music
    X_test, y_test = catalogue(150, seed=1)
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(len(y))
    labelled = mixed[first_labels(y[mixed])]
    for _ in range(2):
        rest = np.setdiff1d(np.arange(len(y)), labelled)
        order = rng.permutation(len(rest))
        if choice is not None:
            order = rank_for_labeling(fit(X[labelled], y[labelled]), X[rest], **choice)
        labelled = np.append(labelled, rest[order[:12]])
    right = fit(X[labelled], y[labelled]).predict(X_test) == y_test
    return np.mean([right[y_test == genre].mean() for genre in np.unique(y_test)])


@pytest.fixture(scope="module")
def at_random(music):
    return np.mean([accuracy(music, seed, None) for seed in range(3)])


@pytest.mark.parametrize(
    "choice",
    [
        {"strategy": "margin"},
        {"strategy": "disagreement"},
        {"strategy": "margin", "batch_size": 12},
    ],
    ids=str,
)
def test_chosen_labels_beat_random_ones(music, at_random, choice):
    assert np.mean([accuracy(music, seed, choice) for seed in range(3)]) > at_random + 0.03


def test_the_order_is_that_of_the_margin_or_the_divergence(music, model):
    X, _ = music
    proba = np.sort(model.predict_proba(X), axis=1)
    order = rank_for_labeling(model, X)
    assert sorted(order) == list(range(150))
    assert (np.diff((proba[:, -1] - proba[:, -2])[order]) >= 0).all()
    one, other = model.predict_member_proba(X).values()
    mean = (one + other) / 2
    divergence = [
        (p * np.log(p / m) + q * np.log(q / m)).sum()
        for p, q, m in zip(one, other, mean, strict=True)
    ]
    order = rank_for_labeling(model, X, strategy="disagreement")
    assert (np.diff(np.array(divergence)[order]) <= 1e-12).all()


def test_a_batch_does_not_hold_the_same_track_twice(music, model):
    X, _ = music
    twice = np.repeat(X, 2, axis=0)
    alone = rank_for_labeling(model, twice)
    assert len(set(alone[:10] // 2)) == 5  # a track and its copy follow each other
    batch = rank_for_labeling(model, twice, batch_size=10)
    assert sorted(batch) == list(range(300))
    assert batch[0] == alone[0]
    assert len(set(batch[:10] // 2)) == 10
    assert set(batch[:10]) <= set(alone[:30])
    np.testing.assert_array_equal(batch[10:], alone[~np.isin(alone, batch[:10])])
    assert sorted(rank_for_labeling(model, X[:4], batch_size=10)) == [0, 1, 2, 3]


@pytest.mark.parametrize("batch_size", [None, 3])
def test_tracks_without_sound_come_last(music, model, batch_size):
    X = music[0][:6].copy()
    X[[1, 4], -1] = 0
    with pytest.warns(NoSoundWarning, match="2 tracks without sound: row 1, row 4") as found:
        order = rank_for_labeling(model, X, batch_size=batch_size)
    assert len(found) == 1
    assert sorted(order[-2:]) == [1, 4]


def test_tracks_of_which_none_has_sound_keep_their_order(music, model):
    X = music[0][:3].copy()
    X[:, -1] = 0
    with pytest.warns(NoSoundWarning, match="3 tracks without sound"):
        assert rank_for_labeling(model, X, batch_size=2).tolist() == [0, 1, 2]


def test_any_classifier_with_probabilities_has_margins():
    X = pd.DataFrame({"level": [0.0, 5.5, 8.0, 10.0]})
    pipeline = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(
        X.iloc[[0, 3, 0, 3]], ["calm", "loud"] * 2
    )
    assert rank_for_labeling(pipeline, X).tolist()[0] == 1
    search = GridSearchCV(pipeline, {"logisticregression__C": [1.0]}, cv=2)
    search.fit(X.iloc[[0, 3, 0, 3]], ["calm", "loud"] * 2)
    assert rank_for_labeling(search, X).tolist()[0] == 1
    # Two equal probabilities are no sign of silence here.
    tied = LogisticRegression().fit([[-1.0], [1.0]], ["calm", "loud"])
    assert rank_for_labeling(tied, [[2.0], [0.0]]).tolist() == [1, 0]
    with pytest.raises(TypeError, match="LogisticRegression has no members that could disagree"):
        rank_for_labeling(pipeline, X, strategy="disagreement")
    with pytest.raises(TypeError, match="batch_size needs a GenreClassifier"):
        rank_for_labeling(pipeline, X, batch_size=2)
    with pytest.raises(TypeError, match="SVC has no predict_proba"):
        rank_for_labeling(SVC().fit(X, [0, 0, 1, 1]), X)


def test_a_pipeline_of_both_halves_ranks_as_the_classifier(music, model):
    X, _ = music
    pipeline = make_pipeline(FunctionTransformer(), model)
    for choice in ({"strategy": "disagreement"}, {"batch_size": 5}):
        np.testing.assert_array_equal(
            rank_for_labeling(pipeline, X, **choice), rank_for_labeling(model, X, **choice)
        )


def test_invalid_choices_are_refused(music, model):
    X, y = music
    with pytest.raises(ValueError, match="strategy='entropy' must be one of 'margin', 'disagree"):
        rank_for_labeling(model, X, strategy="entropy")
    with pytest.raises(ValueError, match="batch_size=0 must be an int of 1 or more"):
        rank_for_labeling(model, X, batch_size=0)
    alone = GenreClassifier(("svc",), n_excerpts=0, precomputed=True).fit(X[:30], y[:30])
    with pytest.raises(ValueError, match="only the member 'svc', which cannot disagree"):
        rank_for_labeling(alone, X, strategy="disagreement")
