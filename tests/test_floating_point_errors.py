"""Nothing raises under ``np.errstate(all="raise")``: what is too small to be a number is 0."""

from __future__ import annotations

import numpy as np
import pytest
from _estimators import small_table_classifiers, small_transformers
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from skgenre import (
    GenreClassifier,
    HierarchicalGenreClassifier,
    MLPGenreClassifier,
    compare,
    evaluate,
    make_genres,
)

# Inaudible sounds are part of the test.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skgenre.NoSoundWarning", "ignore:.*repetition:UserWarning"
)
N = 22050
# Sounds that fade below the smallest numbers, that are there from the start, or constant.
FADE = np.sin(0.1 * np.arange(N)) * 10.0 ** np.linspace(0, -45, N)
SOUNDS = np.stack([FADE, 1e-30 * FADE, np.zeros(N), np.ones(N)]).astype(np.float32)
GENRES = np.repeat(["a", "b", "c"], 20)


def table(scale=1.0):
    X = np.random.default_rng(0).normal(size=(60, 6))
    X[:, 0] += np.repeat([0, 50, 100], 20)
    return X * [scale, 1e-30, 1e3, 1, 1, 0]


@pytest.mark.parametrize("transformer", small_transformers(), ids=str)
def test_transformers_raise_no_floating_point_error(transformer):
    learns = hasattr(transformer, "fit") and transformer.__sklearn_tags__().requires_fit
    X = table() if learns else SOUNDS[:, : 200 if "sampling_rate=8" in repr(transformer) else N]
    with np.errstate(all="raise"):
        fitted = clone(transformer).fit(X)
        fitted.transform(X)
        if learns:
            fitted.transform(table(1e6))


@pytest.mark.parametrize(
    "classifier",
    [
        *small_table_classifiers(),
        HierarchicalGenreClassifier(KNeighborsClassifier(weights="distance")),
        *(
            MLPGenreClassifier(units=(4,), epochs=1, learning_rate=1.0, voting=voting)
            for voting in ("soft", "hard", "product")
        ),
    ],
    ids=str,
)
def test_classifiers_raise_no_floating_point_error(classifier):
    with np.errstate(all="raise"):
        fitted = clone(classifier).fit(table(), GENRES)
        for scale in (1e-30, 1.0, 1e4):
            assert np.isfinite(fitted.predict_proba(table(scale))).all()


def test_the_recommended_model_raises_no_floating_point_error():
    music = make_genres(4, genres=2, duration=1.0, random_state=0)
    with np.errstate(all="raise"):
        model = GenreClassifier(duration=1.0, random_state=0)
        model.fit(music.data, music.target, groups=music.artists)
        model.predict_proba([*music.data[:1], *SOUNDS[[0, 3]]])


def test_metrics_raise_no_floating_point_error():
    class Certain(DummyClassifier):
        def predict_proba(self, X):
            return np.tile([1.0, 0.0, 1e-320], (len(X), 1))

    with np.errstate(all="raise"):
        run = {"protocol": "track-random", "n_folds": 2}
        certain, prior = (
            evaluate(model, (table(), GENRES), **run) for model in (Certain(), DummyClassifier())
        )
        compare(certain, prior, n_bootstrap=10)
