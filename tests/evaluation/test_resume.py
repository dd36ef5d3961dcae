"""A run that was killed goes on where it was, and only with its own folds."""

from __future__ import annotations

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skgenre import FrameScaler, evaluate, leakage_audit
from skgenre.evaluation import EvaluationTask
from skgenre.utils._waveforms import Waveforms

MUSIC = make_segments(artist_spread=1.0)


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


@pytest.fixture(autouse=True)
def start():
    Counting.fits, Counting.kill_at = 0, None


def _found(result):
    """Return what must not depend on when it was computed."""
    values = result.to_dict()
    times = ("fit_time", "predict_time")
    folds = [{k: v for k, v in fold.items() if k not in times} for fold in values["folds"]]
    return {**values, "folds": folds, "environment": None, "feature_time": None}


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
def test_folds_of_another_run_are_not_taken(change, tmp_path):
    arguments = {
        "pipeline": make_pipeline(FrameScaler(), Counting()),
        "dataset": MUSIC,
        "checkpoint": tmp_path,
    }
    evaluate(**arguments)
    Counting.fits = 0
    found = evaluate(**(arguments | change))
    assert Counting.fits == len(found.folds)


def test_waveforms_at_another_rate_are_other_data():
    sounds = np.random.default_rng(0).normal(size=(4, 20)).astype(np.float32)
    one, same, other = (
        prepare(SegmentNeighbors(), (Waveforms(sounds, rate), [0, 1] * 2)).identity
        for rate in (8000, 8000, 16000)
    )
    assert one == same != other


def test_files_are_known_by_their_time_of_change(tmp_path):
    paths = []
    for row in range(8):
        paths.append(tmp_path / f"{row}.txt")
        paths[-1].write_text(str(row % 2))

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


def test_a_damaged_fold_is_computed_anew(tmp_path):
    first = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    for file in tmp_path.iterdir():
        file.write_text(file.read_text()[:50])
    Counting.fits = 0
    with pytest.warns(UserWarning, match="is damaged; the fold is computed anew"):
        again = evaluate(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert Counting.fits == 2
    assert _found(again) == _found(first)


def test_an_audit_resumes_too(tmp_path):
    Counting.kill_at = 4
    with pytest.raises(Killed):
        leakage_audit(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    Counting.fits, Counting.kill_at = 0, None
    resumed = leakage_audit(Counting(), MUSIC, n_folds=2, checkpoint=tmp_path)
    assert Counting.fits == 3  # of six
    assert resumed.inflation == leakage_audit(Counting(), MUSIC, n_folds=2).inflation
