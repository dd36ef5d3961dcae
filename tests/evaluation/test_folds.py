"""Folds one by one, in parallel, and from the checkpoint of a killed run."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import warnings
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from _backends import CUSTOM_BACKENDS
from _segment_music import SegmentNeighbors, make_segments
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre import (
    AudioLoader,
    FrameScaler,
    MLPGenreClassifier,
    PerTrack,
    evaluate,
    leakage_audit,
    make_genres,
)
from skgenre.evaluation import EvaluationTask, Splits, iter_folds, make_splits
from skgenre.utils._waveforms import Waveforms

MUSIC = make_segments(artist_spread=1.0)
PIPELINE = make_pipeline(FrameScaler(), SegmentNeighbors())


class Killed(BaseException):
    """Stands for the interrupt from the keyboard."""


class Counting(SegmentNeighbors):
    """Count fits; the one of number ``kill_at`` is killed."""

    fits = 0
    kill_at = None

    def fit(self, X, y):
        type(self).fits += 1
        if type(self).fits == type(self).kill_at:
            raise Killed
        return super().fit(X, y)


class InProcess(SegmentNeighbors):
    """Give the process of the fit away, by a genre that is its number."""

    def fit(self, X, y):
        self.pid_ = os.getpid()
        return super().fit(X, y)

    def predict(self, X):
        return np.full(len(X), str(self.pid_))


class Failing(SegmentNeighbors):
    """Cannot be trained on the first track, and fails once another fold is in a folder."""

    def __init__(self, folder=None):
        super().__init__()
        self.folder = folder

    def fit(self, X, y):
        if np.isin(MUSIC.data[0], X).all():
            for _ in range(600):  # tenths of a second; the other thread may start late
                if list(self.folder.glob("fold-*.json")):
                    break
                time.sleep(0.1)
            raise OSError("no first track")
        return super().fit(X, y)


@pytest.fixture(autouse=True)
def start():
    Counting.fits, Counting.kill_at = 0, None


def _found(result):
    """Return the values of a result without times."""
    values = result.to_dict()
    times = ("fit_time", "predict_time")
    folds = [{k: v for k, v in fold.items() if k not in times} for fold in values["folds"]]
    return {**values, "folds": folds, "environment": None, "feature_time": None}


def test_a_fold_holds_the_predictions_for_its_rows():
    task = EvaluationTask(PIPELINE, MUSIC.data, MUSIC.target, MUSIC.artists)
    splits = make_splits(task, "artist-grouped", n_folds=3, random_state=1)
    for number, fold in enumerate(iter_folds(task, splits)):
        train, test = splits.folds[number]
        fitted = PIPELINE.fit(MUSIC.data[train], MUSIC.target[train])
        assert (fold.fold, fold.n_train, fold.n_segments) == (number, len(train), 4)
        assert fold.test.tolist() == test.tolist()
        assert fold.genre == MUSIC.target[test].tolist()
        assert fold.predicted == fitted.predict(MUSIC.data[test]).tolist()
        np.testing.assert_allclose(fold.proba, fitted.predict_proba(MUSIC.data[test]))
        with_another = fold.proba_of(["calm", "dull", "loud", "odd"])
        assert (with_another[:, 1] == 0).all()
        np.testing.assert_array_equal(with_another[:, [0, 2, 3]], fold.proba)
        n_right = np.sum(np.array(fold.predicted) == fold.genre)
        assert repr(fold) == f"<FoldResult {number}: {n_right} of {len(test)} right>"


def test_a_fold_says_whether_it_is_from_the_checkpoint(tmp_path):
    task = EvaluationTask(PIPELINE, MUSIC.data, MUSIC.target)
    splits = make_splits(task, "track-random", n_folds=3)
    (first,) = iter_folds(task, Splits("first", splits.folds[:1]), tmp_path)
    assert not first.from_checkpoint
    folds = list(iter_folds(task, splits, tmp_path))
    assert [fold.from_checkpoint for fold in folds] == [True, False, False]
    assert repr(folds[0]).endswith(" right, from the checkpoint>")
    assert folds[0].fit_time == first.fit_time
    np.testing.assert_array_equal(folds[0].proba, first.proba)
    assert all(fold.from_checkpoint for fold in iter_folds(task, splits, tmp_path))


# Folds in parallel


@pytest.mark.parametrize("protocol", ["artist-grouped", "segment-random"])
def test_parallel_folds_equal_those_one_by_one(protocol, tmp_path):
    run = {"protocol": protocol, "n_folds": 3}
    whole = _found(evaluate(PIPELINE, MUSIC, **run))
    assert _found(evaluate(PIPELINE, MUSIC, **run, n_jobs=2, checkpoint=tmp_path)) == whole
    next(tmp_path.iterdir()).unlink()
    assert _found(evaluate(PIPELINE, MUSIC, **run, n_jobs=2, checkpoint=tmp_path)) == whole
    with parallel_config("threading", n_jobs=2):
        assert _found(evaluate(PIPELINE, MUSIC, **run)) == whole


@pytest.mark.parametrize("backend", ["multiprocessing", *CUSTOM_BACKENDS])
def test_folds_on_any_backend(backend):
    task = EvaluationTask(PIPELINE, MUSIC.data, MUSIC.target)
    splits = make_splits(task, "track-random", n_folds=2)
    with parallel_config(backend):
        folds = list(iter_folds(task, splits, n_jobs=2))
    expected = [fold.predicted for fold in iter_folds(task, splits)]
    assert [fold.predicted for fold in folds] == expected


@pytest.mark.slow
def test_networks_are_trained_in_processes_and_equal_those_one_by_one():
    mlp = MLPGenreClassifier(units=(8,), epochs=2, random_state=0)
    run = {"n_folds": 2, "n_bootstrap": 0}
    found = evaluate(mlp, MUSIC, **run, n_jobs=2).tracks["proba"]
    np.testing.assert_allclose(found, evaluate(mlp, MUSIC, **run).tracks["proba"], atol=1e-6)


def test_parallel_folds_run_in_other_processes_unless_told_otherwise():
    def processes():
        return set(evaluate(InProcess(), MUSIC, n_folds=2, n_jobs=2, n_bootstrap=0).labels[3:])

    assert str(os.getpid()) not in processes()
    with parallel_config("threading"):
        assert processes() == {str(os.getpid())}


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_warnings_and_errors_of_the_model_reach_the_caller(n_jobs):
    dataset = (MUSIC.data.reshape(120, -1), MUSIC.target, MUSIC.artists)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        evaluate(LogisticRegression(max_iter=1), dataset, n_folds=3, n_jobs=n_jobs)
    assert [warning.category.__name__ for warning in caught] == ["ConvergenceWarning"] * 3
    with pytest.raises(ValueError, match="'C' parameter of LogisticRegression"):
        evaluate(LogisticRegression(C=-1), dataset, n_folds=3, n_jobs=n_jobs)


def test_a_fold_that_is_done_is_kept_when_another_fails(tmp_path):
    with parallel_config("threading"), pytest.raises(OSError, match="no first track"):
        evaluate(Failing(tmp_path), MUSIC, n_folds=2, checkpoint=tmp_path, n_jobs=2)
    task = EvaluationTask(Failing(tmp_path), MUSIC.data, MUSIC.target, MUSIC.artists)
    splits = make_splits(task, "artist-grouped", n_folds=2)
    (good,) = [fold for fold in splits.folds if 0 not in fold[0]]
    (kept,) = iter_folds(task, Splits("good", [good]), tmp_path)
    assert kept.from_checkpoint


# Checkpoints


@pytest.mark.parametrize("protocol", ["segment-random", "track-random", "artist-grouped"])
def test_a_killed_run_resumes_to_the_same_result(protocol, tmp_path):
    pipeline = make_pipeline(FrameScaler(), Counting())
    whole = evaluate(pipeline, MUSIC, protocol=protocol)
    Counting.fits, Counting.kill_at = 0, 3
    with pytest.raises(Killed):
        evaluate(pipeline, MUSIC, protocol=protocol, checkpoint=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    Counting.fits, Counting.kill_at = 0, None
    resumed = evaluate(pipeline, MUSIC, protocol=protocol, checkpoint=tmp_path)
    assert Counting.fits == 3
    assert _found(resumed) == _found(whole)
    again = evaluate(pipeline, MUSIC, protocol=protocol, checkpoint=tmp_path)
    assert Counting.fits == 3
    assert again.folds == resumed.folds  # with the times of the fits


@pytest.mark.parametrize(
    "change",
    [
        {"pipeline": make_pipeline(FrameScaler(), Counting(voting="hard"))},
        {"pipeline": make_pipeline(FrameScaler(with_mean=False), Counting())},
        {"dataset": (MUSIC.data + 1, MUSIC.target, MUSIC.artists)},
        {"random_state": 1},
        {"n_folds": 4},
        {"protocol": "track-random"},
    ],
    ids=["classifier", "scaler", "data", "random_state", "n_folds", "protocol"],
)
def test_folds_of_another_run_are_not_used(change, tmp_path):
    arguments = {
        "pipeline": make_pipeline(FrameScaler(), Counting()),
        "dataset": MUSIC,
        "checkpoint": tmp_path,
    }
    evaluate(**arguments)
    Counting.fits = 0
    found = evaluate(**(arguments | change))
    assert Counting.fits == len(found.folds)


def test_waveforms_at_another_rate_are_other_data(tmp_path):
    sounds = np.random.default_rng(0).normal(size=(8, 2, 5, 2)).astype(np.float32)
    run = {"protocol": "track-random", "n_folds": 2, "n_bootstrap": 0, "checkpoint": tmp_path}
    for rate, n_files in ((8000, 2), (8000, 2), (16000, 4)):
        evaluate(SegmentNeighbors(), (Waveforms(sounds, rate), [0, 1] * 4), **run)
        assert len(list(tmp_path.iterdir())) == n_files


def test_folds_trained_with_other_artists_are_other_folds(tmp_path):
    class WithArtists(SegmentNeighbors):
        def fit(self, X, y, groups=None):
            return super().fit(X, y)

    run = {"protocol": "track-random", "n_folds": 2, "n_bootstrap": 0, "checkpoint": tmp_path}
    for artists, n_files in ((MUSIC.artists, 2), (MUSIC.artists, 2), (MUSIC.artists[::-1], 4)):
        evaluate(WithArtists(), (MUSIC.data, MUSIC.target, artists), **run)
        assert len(list(tmp_path.iterdir())) == n_files


def test_changed_files_are_other_data(tmp_path):
    paths = []
    for row in range(8):
        paths.append(tmp_path / f"{row}.txt")
        paths[-1].write_text(f"{row % 2}.{row}")

    class Reading(Counting):
        def _read(self, X):
            return np.array([float(path.read_text()) for path in X]).reshape(-1, 1, 1, 1)

        def fit(self, X, y):
            return super().fit(self._read(X), y)

        def predict_segment_proba(self, X):
            X = X if hasattr(X, "ndim") and X.ndim == 4 else self._read(X)
            return super().predict_segment_proba(X)

    model = Reading(KNeighborsClassifier(1))
    run = {"protocol": "track-random", "n_folds": 2, "checkpoint": tmp_path / "folds"}
    first = evaluate(model, (paths, [0, 1] * 4), **run)
    assert first.tracks["track"][0] == str(paths[0])
    Reading.fits = 0
    evaluate(model, (paths, [0, 1] * 4), **run)
    assert Reading.fits == 0
    paths[0].write_text("10")
    evaluate(model, (paths, [0, 1] * 4), **run)
    assert Reading.fits == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "short", "list", "digit", "other", "deep"])
def test_a_damaged_fold_is_computed_again(tmp_path, damage):
    first = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    files = list(tmp_path.iterdir())
    for file, other in zip(files, [file.read_text() for file in files[::-1]], strict=True):
        kept = json.loads(file.read_text())
        outcome = kept["outcome"]
        text = {
            "cut": file.read_text()[:50],
            "empty": json.dumps(kept | {"outcome": {}}),
            "short": json.dumps(kept | {"outcome": outcome | {"predicted": []}}),
            "list": "[]",
            "digit": json.dumps(kept | {"outcome": outcome | {"fit_time": 1.5}}),
            "other": other,
            "deep": "[" * 100_000,
        }[damage]
        file.write_text(text)
    Counting.fits = 0
    with pytest.warns(UserWarning, match="is damaged; the fold is computed again"):
        again = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert Counting.fits == 2
    assert _found(again) == _found(first)


def test_a_fold_kept_without_a_history_is_used(tmp_path):
    """Files of earlier versions have none."""
    first = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    for file in tmp_path.iterdir():
        kept = json.loads(file.read_text())
        assert kept["outcome"].pop("history") is None
        checksum = zlib.crc32(json.dumps([file.name, kept["outcome"]]).encode())
        file.write_text(json.dumps(kept | {"checksum": checksum}))
    Counting.fits = 0
    again = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert Counting.fits == 0
    assert _found(again) == _found(first)


def test_folds_of_an_unidentified_model_are_not_kept(tmp_path):
    lock = threading.Lock()
    step = FunctionTransformer(lambda X: X if lock else None)
    with pytest.warns(UserWarning, match=r"No fold is kept in .* cannot be identified"):
        result = evaluate(make_pipeline(step, Counting()), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert len(result.folds) == 2
    assert not list(tmp_path.iterdir())


@contextmanager
def full_disk(folder):
    """Let no file of this process grow: the kernel refuses, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def file_in_its_place(folder):
    folder.rmdir()
    folder.touch()
    yield


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(full_disk, "File too large"), (file_in_its_place, "File exists|Not a directory")],
)
def test_folds_that_cannot_be_written_are_told_and_count(trouble, reason, tmp_path):
    folder = tmp_path / "folds"
    folder.mkdir()
    told = rf"The fold is not kept in {folder}: .*({reason})"
    with trouble(folder), pytest.warns(UserWarning, match=told) as caught:
        result = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=folder)
    assert len(caught) == 1
    assert _found(result) == _found(evaluate(Counting(), MUSIC, n_folds=2))
    assert folder.is_file() or not list(folder.iterdir())


def test_a_fold_that_cannot_be_read_is_told_and_computed(tmp_path):
    first = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
        file.mkdir()
    with (
        pytest.warns(UserWarning, match=f"{tmp_path}/.*json cannot be read .not a regular"),
        pytest.warns(UserWarning, match=f"The fold is not kept in {tmp_path}: Is a directory"),
    ):
        again = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert _found(again) == _found(first)


def test_a_fold_whose_place_a_pipe_has_is_computed(tmp_path):
    evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
        os.mkfifo(file)
    with pytest.warns(UserWarning, match=r"json cannot be read \(not a regular file\)"):
        evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert all(file.is_file() for file in tmp_path.iterdir())


def test_a_checkpoint_folder_that_is_deleted_meanwhile(tmp_path):
    class Deleting(SegmentNeighbors):
        def fit(self, X, y):
            shutil.rmtree(tmp_path / "folds", ignore_errors=True)
            return super().fit(X, y)

    result = evaluate(Deleting(), MUSIC, n_folds=3, checkpoint=tmp_path / "folds")
    assert len(list((tmp_path / "folds").iterdir())) == 1
    assert _found(result)["folds"] == _found(evaluate(Deleting(), MUSIC, n_folds=3))["folds"]


def test_an_audit_resumes_too(tmp_path):
    Counting.kill_at = 4
    with pytest.raises(Killed):
        leakage_audit(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    Counting.fits, Counting.kill_at = 0, None
    resumed = leakage_audit(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert Counting.fits == 3  # of six
    assert resumed.inflation == leakage_audit(Counting(), MUSIC, n_folds=2).inflation


@pytest.mark.parametrize("kind", ["listed twice", "copied"])
def test_copies_in_training_and_test_are_reported(kind, tmp_path):
    """As in GTZAN, FMA and MTG-Jamendo, which have exact duplicates."""
    music = make_genres(3, genres=2, duration=1.0, path=tmp_path / "music", random_state=0)
    copy = str(music.data[0])
    if kind == "copied":
        copy = shutil.copy(copy, tmp_path / "another name.wav")
    data, y = [*music.data, copy], np.array([*music.target, music.target[0]])
    model = make_pipeline(
        PerTrack(AudioLoader(duration=1.0)), FunctionTransformer(), KNeighborsClassifier(1)
    )
    task = EvaluationTask(model, data, y)
    apart = Splits("apart", [(np.arange(6), np.array([6])), (np.arange(1, 7), np.array([0]))])
    with pytest.warns(UserWarning, match="2 of the files that apart scores have a copy") as caught:
        list(iter_folds(task, apart))
    (warning,) = caught
    assert str(warning.message).count(os.path.basename(copy))
    together = Splits("together", [(np.arange(1, 6), np.array([0, 6]))])
    list(iter_folds(task, together))
