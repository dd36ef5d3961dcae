"""BLAS libraries while tracks are computed and GenreClassifier is fitted, and afterwards."""

import threading

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from threadpoolctl import threadpool_info, threadpool_limits

from skgenre import GenreClassifier, GroupKernel, PerTrack, make_genres
from skgenre.utils import _blas
from skgenre.utils._blas import one_blas_thread


def blas_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def three_threads():
    with threadpool_limits(3, user_api="blas"):
        if blas_threads() != {3}:
            # Apple's Accelerate has no such setting: there is nothing to keep or to give back.
            pytest.skip("the BLAS of this NumPy cannot be told how many threads to take")
        yield


class SeenThreads(TransformerMixin, BaseEstimator):
    """Return how many threads BLAS has while it runs."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        if any(np.max(track) > 1 for track in X):
            raise ValueError("too loud")
        return np.full((len(X), 1), max(blas_threads()))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def test_tracks_are_computed_with_one_thread_and_the_others_come_back():
    seen = PerTrack(SeenThreads(), n_jobs=2).fit_transform(np.zeros((4, 10)))
    np.testing.assert_array_equal(seen, 1)
    assert blas_threads() == {3}


def test_threads_come_back_after_an_error():
    with pytest.raises(ValueError, match="too loud"):
        PerTrack(SeenThreads()).fit_transform(np.full((4, 10), 2.0))
    assert blas_threads() == {3}


def test_genre_classifier_fits_and_predicts_with_one_thread(monkeypatch):
    seen = []

    def noted(self, X):
        seen.append(max(blas_threads()))
        return transform(self, X)

    transform = GroupKernel.transform
    monkeypatch.setattr(GroupKernel, "transform", noted)
    music = make_genres(3, genres=["dub", "swing"], duration=2.0, random_state=0)
    model = GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
    n_in_fit = len(seen)
    model.predict(music.data[:1])
    assert len(seen) > n_in_fit > 0
    assert set(seen) == {1}
    assert blas_threads() == {3}


def test_threads_that_compute_meanwhile_change_nothing():
    entered, may_leave = threading.Event(), threading.Event()

    def meanwhile():
        with one_blas_thread():
            entered.set()
            may_leave.wait(10)

    thread = threading.Thread(target=meanwhile)
    with one_blas_thread():
        thread.start()
        assert entered.wait(10)
        assert blas_threads() == {1}
    assert blas_threads() == {3}
    may_leave.set()
    thread.join()
    assert blas_threads() == {3}


def test_one_thread_that_another_set_stays_its_own():
    """Whoever set it first may end first, and must not find its one thread given back later."""
    with threadpool_limits(1, user_api="blas"), one_blas_thread():
        assert not _blas._HELD.locked()
        assert blas_threads() == {1}
    assert blas_threads() == {3}


def test_other_pools_keep_their_threads():
    def others():
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] != "blas"]

    with threadpool_limits(2, user_api="openmp"):
        if 2 not in others():
            # A scikit-learn built without OpenMP has no pool that could be changed by mistake.
            pytest.skip("no OpenMP here")
        with one_blas_thread():
            assert 2 in others()


def test_one_within_another_leaves_the_setting_to_it():
    with one_blas_thread():
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {3}
