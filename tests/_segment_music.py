"""Segments with artists, and a classifier of segments that fits in a millisecond."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted


class SegmentNeighbors(ClassifierMixin, BaseEstimator):
    """Judge segments by their nearest neighbours; segments vote."""

    def __init__(self, estimator=None, voting="soft"):
        self.estimator = estimator
        self.voting = voting

    def fit(self, X, y):
        X = np.asarray(X)
        estimator = self.estimator or KNeighborsClassifier(5, weights="distance")
        rows = X.reshape(X.shape[0] * X.shape[1], -1)
        self.estimator_ = clone(estimator).fit(rows, np.repeat(y, X.shape[1]))
        self.classes_ = self.estimator_.classes_
        return self

    def predict_segment_proba(self, X):
        check_is_fitted(self)
        X = np.asarray(X)
        proba = self.estimator_.predict_proba(X.reshape(X.shape[0] * X.shape[1], -1))
        return proba.reshape(*X.shape[:2], -1)

    def predict_proba(self, X):
        return self.predict_segment_proba(X).mean(axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def make_segments(*, artist_spread, track_spread=0.0, genre_spread=1.0, seed=0):
    """Draw 3 genres of 10 artists with 4 tracks of 4 segments; spreads set what is shared."""
    # Five folds by artist hold the genres evenly: else the folds alone would make a difference.
    rng = np.random.default_rng(seed)
    n_genres, n_artists, n_tracks, n_segments = 3, 10, 4, 4
    genre = np.repeat(np.arange(n_genres), n_artists * n_tracks)
    artist = np.repeat(np.arange(n_genres * n_artists), n_tracks)
    shape = (len(genre), n_segments, 2, 3)
    X = rng.normal(size=shape)
    X += genre_spread * rng.normal(size=(n_genres, 1, 2, 3))[genre]
    X += artist_spread * rng.normal(size=(n_genres * n_artists, 1, 2, 3))[artist]
    X += track_spread * rng.normal(size=(len(genre), 1, 2, 3))
    return Bunch(
        data=X,
        target=np.array(["calm", "loud", "odd"])[genre],
        artists=np.array([f"artist {a}" for a in artist]),
    )
