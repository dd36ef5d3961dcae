"""Networks learn from a file that is mapped into memory, a few batches at a time."""

import tracemalloc

import numpy as np
import pytest

from skgenre import (
    CNNGenreClassifier,
    FrameScaler,
    LogMelCNNGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
)

MB = 1e6


def mapped(path, X):
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=X.shape)
    file[:] = X
    file.flush()
    return np.load(path, mmap_mode="r")


@pytest.fixture(scope="module")
def music():
    rng = np.random.default_rng(0)
    y = np.resize(["calm", "loud", "odd"], 30)
    X = rng.normal(size=(30, 2, 24, 13)).astype(np.float32)
    return X + (y == "loud")[:, np.newaxis, np.newaxis, np.newaxis], y


def peak(function):
    """Return the most memory that NumPy and Python held meanwhile; TensorFlow's is not in it."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "classifier",
    [
        MLPGenreClassifier(epochs=2, random_state=0),
        MLPGenreClassifier(epochs=2, random_state=0, early_stopping=True),
        MLPGenreClassifier(epochs=2, random_state=0, validation_fraction=0.3),
        pytest.param(CNNGenreClassifier(epochs=1, random_state=0), marks=pytest.mark.slow),
        pytest.param(LSTMGenreClassifier(epochs=1, random_state=0), marks=pytest.mark.slow),
        pytest.param(
            LogMelCNNGenreClassifier(
                epochs=1, crop_frames=16, steps_per_epoch=2, validation_fraction=0.3, random_state=0
            ),
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_from_a_file_equals_fit_from_memory(music, tmp_path, classifier, weighted):
    X, y = music
    weight = np.resize([1.0, 2.0, 0.5, 1.0, 0.0], len(y)) if weighted else None
    one = classifier.fit(X, y, sample_weight=weight)
    expected, weights, history = one.predict_proba(X), one.network_.get_weights(), one.history_
    file = mapped(tmp_path / "features.npy", X)
    other = classifier.fit(file, y, sample_weight=weight)
    np.testing.assert_array_equal(other.predict_proba(file), expected)
    assert other.history_ == history
    for ours, theirs in zip(other.network_.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_tracks_without_weight_are_as_if_they_were_not_there(music):
    X, y = music
    weight = np.resize([1.0, 2.0, 0.5, 1.0, 0.0], len(y))
    model = MLPGenreClassifier(epochs=2, validation_fraction=0.3, random_state=0)
    expected = model.fit(X[weight > 0], y[weight > 0], weight[weight > 0]).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, y, weight).predict_proba(X), expected)


def test_memory_is_that_of_batches(tmp_path):
    rng = np.random.default_rng(0)
    n_tracks, shape = 1000, (4, 100, 50)
    path = tmp_path / "features.npy"
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_tracks, *shape))
    for start in range(0, n_tracks, 100):
        file[start : start + 100] = rng.normal(size=(100, *shape))
    file.flush()
    X, y = np.load(path, mmap_mode="r"), np.resize(["calm", "loud"], n_tracks)
    weight = np.resize([1.0, 1.0, 1.0, 1.0, 0.0], n_tracks)
    model = MLPGenreClassifier(units=(4,), epochs=1, validation_fraction=0.1, random_state=0)
    assert X.nbytes == 80 * MB
    model.fit(X[:20], y[:20], sample_weight=weight[:20]).predict(X[:20])  # traces the network
    # Batches of 16 MB, and as much again while they are selected.
    assert peak(lambda: model.fit(X, y, sample_weight=weight)) < 40 * MB
    assert peak(lambda: model.predict_proba(X)) < 40 * MB
    assert peak(lambda: FrameScaler().fit(X)) < 40 * MB


def test_scaler_of_many_values_is_that_of_all_at_once(monkeypatch, music):
    from skgenre.preprocessing import _frame_scaler

    X, _ = music
    weight = np.linspace(0.5, 2, len(X))
    expected = [FrameScaler().fit(X), FrameScaler().fit(X, sample_weight=weight)]
    monkeypatch.setattr(_frame_scaler, "_VALUES_TOGETHER", 100)
    found = [FrameScaler().fit(X), FrameScaler().fit(X, sample_weight=weight)]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.mean_, theirs.mean_, rtol=1e-6)
        np.testing.assert_allclose(ours.scale_, theirs.scale_, rtol=1e-6)
