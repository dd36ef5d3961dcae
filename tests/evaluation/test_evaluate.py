"""Evaluation under a protocol, its metrics, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skgenre import (
    Augmenter,
    FrameScaler,
    FusionKNeighborsClassifier,
    GenreClassifier,
    MLPGenreClassifier,
    PerTrack,
    RejectingClassifier,
    Segmenter,
    evaluate,
    make_genres,
)
from skgenre.datasets.gtzan import read_parts
from skgenre.utils._waveforms import Waveforms

MUSIC = make_segments(artist_spread=1.0)
MODEL = make_pipeline(FrameScaler(), SegmentNeighbors())


def _value(result, metric):
    return result.overall[metric]["value"]


@pytest.mark.parametrize(
    ("protocol", "splitter"),
    [("track-random", StratifiedKFold), ("artist-grouped", StratifiedGroupKFold)],
)
def test_named_folds_are_those_of_scikit_learn(protocol, splitter):
    folds = splitter(4, shuffle=True, random_state=3)
    artists = MUSIC.artists if splitter is StratifiedGroupKFold else None
    splits = list(folds.split(MUSIC.data, MUSIC.target, artists))
    by_hand = cross_val_predict(MODEL, MUSIC.data, MUSIC.target, cv=splits)
    result = evaluate(MODEL, MUSIC, protocol=protocol, n_folds=4, random_state=3)
    assert result.protocol == protocol
    assert result.tracks["predicted"] == by_hand.tolist()
    assert _value(result, "track_accuracy") == accuracy_score(MUSIC.target, by_hand)
    assert result.confusion == confusion_matrix(MUSIC.target, by_hand).tolist()
    assert [fold["n_test"] for fold in result.folds] == [len(test) for _, test in splits]
    for number, (train, test) in enumerate(splits):
        fold = result.folds[number]
        assert np.flatnonzero(np.array(result.tracks["fold"]) == number).tolist() == test.tolist()
        assert fold["n_train"] == len(train)
        assert fold["track_accuracy"] == pytest.approx((by_hand == MUSIC.target)[test].mean())
        assert np.sum(fold["confusion"]) == len(test)
        assert fold["fit_time"] > 0
        assert fold["predict_time"] > 0


def test_segments_are_counted_before_the_vote():
    result = evaluate(MODEL, MUSIC, protocol=KFold(2, shuffle=True, random_state=0))
    shares = []
    for train, test in KFold(2, shuffle=True, random_state=0).split(MUSIC.data):
        fitted = clone(MODEL).fit(MUSIC.data[train], MUSIC.target[train])
        proba = fitted[-1].predict_segment_proba(fitted[0].transform(MUSIC.data[test]))
        best = fitted.classes_[proba.argmax(axis=2)]
        shares.append((best == MUSIC.target[test][:, np.newaxis]).mean(axis=1))
    assert _value(result, "segment_accuracy") == pytest.approx(np.concatenate(shares).mean())
    assert [f["segment_accuracy"] for f in result.folds] == pytest.approx(
        [share.mean() for share in shares]
    )
    assert result.n_segments == 4


def test_segment_random_predicts_segments_by_models_that_were_not_trained_on_them():
    result = evaluate(MODEL, MUSIC, protocol="segment-random", n_folds=3, random_state=1)
    X = MUSIC.data.reshape(-1, 1, 2, 3)
    y = np.repeat(MUSIC.target, 4)
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    proba = cross_val_predict(MODEL, X, y, cv=folds, method="predict_proba")
    classes = np.unique(y)
    by_segment = classes[proba.argmax(axis=1)]
    by_track = classes[proba.reshape(-1, 4, 3).mean(axis=1).argmax(axis=1)]
    assert _value(result, "segment_accuracy") == pytest.approx(accuracy_score(y, by_segment))
    assert result.tracks["predicted"] == by_track.tolist()
    assert _value(result, "track_accuracy") == accuracy_score(MUSIC.target, by_track)
    assert sum(fold["n_test"] for fold in result.folds) == len(y)
    assert [fold["track_accuracy"] for fold in result.folds] == [None] * 3
    assert result.tracks["fold"] is None


def test_the_scaler_learns_from_training_segments_only():
    seen = []

    class Spy(FrameScaler):
        def fit(self, X, y=None):
            seen.append(np.asarray(X))
            return super().fit(X, y)

    evaluate(make_pipeline(Spy(), SegmentNeighbors()), MUSIC, protocol="segment-random", n_folds=5)
    assert [X.shape for X in seen] == [(384, 1, 2, 3)] * 5  # of 480 segments


def test_segment_random_keeps_hard_votes_hard():
    model = SegmentNeighbors(voting="hard")
    result = evaluate(model, MUSIC, protocol="segment-random")
    # A thousandth of the soft vote is mixed into the shares of four votes.
    near = np.abs(np.array(result.tracks["proba"]) * 4 - np.arange(5)[:, None, None]).min(axis=0)
    assert near.max() < 0.01


def test_steps_that_learn_nothing_run_once():
    calls = []

    class Counting(Segmenter):
        def transform(self, X):
            calls.append(len(X))
            return super().transform(X).reshape(len(X), 2, 5, 2)

    sounds = np.random.default_rng(0).normal(size=(12, 20)).astype(np.float32)
    front = PerTrack(Counting(n_segments=2, track_duration=20, sampling_rate=1))
    pipeline = make_pipeline(front, FrameScaler(), SegmentNeighbors())
    result = evaluate(pipeline, (sounds, [0, 1] * 6), protocol="track-random", n_folds=3)
    assert calls == [1] * 12
    assert result.feature_time > 0
    assert result.unit == "track"
    assert result.tracks["artist"] is None


@pytest.mark.parametrize("wrap", [False, True], ids=["steps", "PerTrack"])
def test_an_augmenter_changes_the_training_tracks_of_each_fold(wrap):
    shapes = []

    class Spy(SegmentNeighbors):
        def fit(self, X, y):
            shapes.append(X.shape)
            return super().fit(X, y)

    sounds = np.random.default_rng(0).normal(size=(12, 20)).astype(np.float32)
    cut = Segmenter(n_segments=2, track_duration=20, sampling_rate=1)
    augment = Augmenter(semitones=None, stretch_rates=None, sampling_rate=1, random_state=0)
    front = [PerTrack(make_pipeline(cut, augment))] if wrap else [cut, augment]
    pipeline = make_pipeline(*front, Spy())
    evaluate(pipeline, (sounds, [0, 1] * 6), protocol="track-random", n_folds=3)
    assert shapes == [(8, 4, 10)] * 3
    with pytest.raises(ValueError, match=r"not possible here: the pipeline augments.*Take the"):
        evaluate(pipeline, (sounds, [0, 1] * 6), protocol="segment-random", n_folds=3)


def test_intervals_by_artist_are_wider_than_by_track():
    music = make_segments(artist_spread=3.0, genre_spread=0.5)
    by_artist = evaluate(MODEL, music).overall["track_accuracy"]
    plan = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    splits = list(plan.split(music.data, music.target, music.artists))

    class Same:
        def split(self, X, y, groups):
            return iter(splits)

    by_track = evaluate(MODEL, (music.data, music.target), protocol=Same())
    by_track = by_track.overall["track_accuracy"]
    assert by_artist["value"] == by_track["value"]
    assert by_artist["low"] < by_artist["value"] < by_artist["high"]
    assert by_artist["high"] - by_artist["low"] > 1.5 * (by_track["high"] - by_track["low"])


def test_groups_of_a_data_set_precede_its_artists():
    groups = np.array([artist.replace("artist 1", "artist 0") for artist in MUSIC.artists])
    both = Bunch(**MUSIC, groups=groups)
    assert evaluate(MODEL, both, n_folds=2).tracks["artist"] == groups.tolist()


def test_waveforms_keep_their_rate_in_each_fold():
    sounds = Waveforms(np.random.default_rng(0).normal(size=(12, 20)).astype(np.float32), 2)
    pipeline = make_pipeline(
        Segmenter(n_segments=2, track_duration=20, sampling_rate=1), SegmentNeighbors()
    )
    with pytest.raises(ValueError, match="sampling"):
        evaluate(pipeline, (sounds, [0, 1] * 6), protocol="track-random", n_folds=3)
    augment = Augmenter(semitones=None, stretch_rates=None, sampling_rate=1)
    with pytest.raises(ValueError, match="sampling"):
        evaluate(
            make_pipeline(augment, *[step for _, step in pipeline.steps]),
            (sounds, [0, 1] * 6),
            protocol="track-random",
            n_folds=3,
        )


def test_without_resamples_there_are_no_intervals():
    result = evaluate(MODEL, MUSIC, n_bootstrap=0)
    assert result.overall["macro_f1"]["low"] is None
    assert 0 < result.overall["macro_f1"]["value"] < 1


def test_a_splitter_may_score_some_of_the_tracks():
    result = evaluate(MODEL, MUSIC, protocol=ShuffleSplit(1, test_size=30, random_state=0))
    assert result.n_tracks == 30
    assert len(result.tracks["proba"]) == len(result.tracks["artist"]) == 30
    assert result.protocol.startswith("ShuffleSplit(")
    rows = [int(name.removeprefix("row ")) for name in result.tracks["track"]]
    assert result.tracks["genre"] == MUSIC.target[rows].tolist()


def test_the_published_partition_takes_the_clips_of_gtzan():
    parts = read_parts("fault_filtered")
    genres = ("blues", "rock")
    chosen = {
        part: [name for genre in genres for name in sorted(parts[part]) if name.startswith(genre)]
        for part in ("train", "test")
    }
    names = [*chosen["test"], *chosen["train"]]
    targets = [name.partition(".")[0] for name in names]

    class ByName(DummyClassifier):
        def predict(self, X):
            return np.array([name.partition(".")[0] for name in X])

    with pytest.warns(UserWarning, match="Part of the clips of FaultFilteredSplit is missing"):
        result = evaluate(ByName(), (names, targets), protocol="fault-filtered")
    assert result.tracks["track"] == chosen["test"]
    assert len(result.folds) == 1
    assert result.folds[0]["n_train"] == len(chosen["train"])
    assert _value(result, "track_accuracy") == 1


def test_rejected_tracks_are_wrong_and_have_a_column_of_their_own():
    model = RejectingClassifier(SegmentNeighbors(), threshold=4)
    result = evaluate(model, MUSIC)
    assert result.classes == ["calm", "loud", "odd"]
    assert result.labels == ["calm", "loud", "odd", "rejected"]
    n_rejected = result.tracks["predicted"].count("rejected")
    assert np.sum(result.confusion, axis=0)[3] == n_rejected > 0
    hits = np.trace(np.array(result.confusion))
    assert _value(result, "track_accuracy") == pytest.approx(hits / 120)


def test_a_classifier_of_tables_has_no_segments_and_perhaps_no_probabilities():
    X = MUSIC.data.mean(axis=(1, 2))
    result = evaluate(RidgeClassifier(), (X, MUSIC.target, MUSIC.artists))
    assert set(result.overall) == {"track_accuracy", "balanced_accuracy", "macro_f1"}
    assert result.tracks["proba"] is result.tracks["segment_accuracy"] is result.n_segments is None
    assert result.folds[0]["log_loss"] is None
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_segment_proba"):
        evaluate(RidgeClassifier(), (X, MUSIC.target), protocol="segment-random")


def test_a_genre_without_training_tracks_warns_and_has_probability_zero():
    X, y = MUSIC.data[:50], MUSIC.target[:50]
    artists = MUSIC.artists[:50].copy()
    artists[y == "loud"] = "the only one"
    with (
        pytest.warns(UserWarning, match=r"fewer artists than the 2 folds.*loud \(1\)"),
        pytest.warns(UserWarning, match="has no training track of 'loud'"),
    ):
        result = evaluate(MODEL, (X, y, artists), n_folds=2)
    proba = np.array(result.tracks["proba"])
    assert (proba[y == "loud", 1] == 0).all()
    assert np.isfinite(_value(result, "log_loss"))


def test_a_network_is_evaluated_as_any_classifier():
    mlp = MLPGenreClassifier(units=(8,), epochs=2, optimizer="sgd", random_state=0)
    pipeline = make_pipeline(FrameScaler(), mlp)
    result = evaluate(pipeline, MUSIC, n_folds=2, protocol="segment-random")
    assert result.parameters["mlpgenreclassifier__epochs"] == "2"
    assert result.parameters["class"] == "MLPGenreClassifier"
    np.testing.assert_allclose(np.sum(result.tracks["proba"], axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        (MUSIC.data, TypeError, r"dataset is what load_genre_folder returns.*got ndarray"),
        ((MUSIC.data, ["calm"] * 120), ValueError, "has 1 genre; a classifier needs"),
        ((MUSIC.data, MUSIC.target[:7]), ValueError, "inconsistent numbers of samples"),
        (
            (MUSIC.data, MUSIC.target, [None, *MUSIC.artists[1:]]),
            ValueError,
            "1 of 120 tracks have no artist, first track 0; leave them out",
        ),
        (
            (MUSIC.data, MUSIC.target),
            ValueError,
            "'artist-grouped' needs the artist of each track.*'track-random'",
        ),
    ],
)
def test_data_that_cannot_be_used_are_refused(dataset, error, message):
    with pytest.raises(error, match=message):
        evaluate(MODEL, dataset)


def test_segments_that_are_not_there_cannot_be_divided():
    with pytest.raises(ValueError, match=r"shape \(120, 1, 2, 3\), one segment a track"):
        evaluate(MODEL, (MUSIC.data[:, :1], MUSIC.target), protocol="segment-random")


class _Leaking:
    def split(self, X, y, groups):
        yield np.arange(60), np.arange(59, 120)


class _Empty:
    def split(self, X, y, groups):
        yield np.arange(60), np.arange(0)


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ("by-album", "'by-album' is no protocol; choose from 'segment-random'"),
        (5, "5 is no protocol.*or give a splitter"),
        (RepeatedKFold(n_splits=2, n_repeats=2), "scores some rows more than once"),
        (_Leaking(), "Fold 0 of .* scores rows that it trains on"),
        (_Empty(), "Fold 0 of .* has 60 rows to train on and 0 to score"),
    ],
)
def test_invalid_protocols_are_refused(protocol, message):
    with pytest.raises(ValueError, match=message):
        evaluate(MODEL, MUSIC, protocol=protocol)


def test_more_folds_than_tracks_of_any_genre_are_refused():
    X, y = np.random.default_rng(0).normal(size=(8, 3)), np.repeat(["a", "b"], 4)
    with pytest.raises(ValueError, match="n_folds=5 is more than the 4 tracks"):
        evaluate(FusionKNeighborsClassifier(), (X, y), protocol="track-random")


def test_segments_may_fill_more_folds_than_there_are_tracks():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 3, 4, 2)), np.repeat(["a", "b"], 4)  # 12 segments a genre
    model = MLPGenreClassifier(units=(4,), epochs=1, random_state=0)
    result = evaluate(model, (X, y), protocol="segment-random", n_folds=5, n_bootstrap=0)
    assert result.n_tracks == 8


class _NeedsArtists(SegmentNeighbors):
    """Refuses to learn without the artists of the very tracks that it learns from."""

    def fit(self, X, y, groups=None):
        assert groups is not None
        assert [artist.split(" artist ")[0] for artist in groups] == [str(genre) for genre in y]
        return super().fit(X, y)


def _music_by_artist():
    X, y = MUSIC.data, MUSIC.target
    return X, y, np.array([f"{genre} artist {row % 7}" for row, genre in enumerate(y)])


@pytest.mark.parametrize("protocol", ["artist-grouped", "track-random", "segment-random"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda m: m,
        lambda m: make_pipeline(FrameScaler(), m),
        lambda m: make_pipeline(FrameScaler(), make_pipeline("passthrough", m)),
        lambda m: RejectingClassifier(m, threshold=1),
    ],
)
def test_a_model_that_learns_from_artists_gets_those_of_the_training_tracks(protocol, wrap):
    result = evaluate(
        wrap(_NeedsArtists()), _music_by_artist(), protocol=protocol, n_folds=3, n_bootstrap=0
    )
    assert result.n_tracks == len(_music_by_artist()[1])


def test_with_metadata_routing_steps_get_artists_on_request():
    dataset = _music_by_artist()
    with config_context(enable_metadata_routing=True):
        asking = _NeedsArtists().set_fit_request(groups=True)
        evaluate(make_pipeline(FrameScaler(), asking), dataset, n_folds=3, n_bootstrap=0)
        with pytest.raises(AssertionError):
            evaluate(
                make_pipeline(FrameScaler(), _NeedsArtists().set_fit_request(groups=False)),
                dataset,
                n_folds=3,
                n_bootstrap=0,
            )


def test_a_search_within_the_folds_keeps_artists_together():
    X, y, artists = _music_by_artist()
    search = GridSearchCV(SegmentNeighbors(), {}, cv=StratifiedGroupKFold(2))
    result = evaluate(search, (X, y, artists), n_folds=3, n_bootstrap=0)
    assert result.n_tracks == len(y)


def test_steps_without_fitted_attributes_work():
    class Halved(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return np.asarray(X) / 2

    plain = evaluate(SegmentNeighbors(), MUSIC, n_folds=3, n_bootstrap=0)
    halved = evaluate(make_pipeline(Halved(), SegmentNeighbors()), MUSIC, n_folds=3, n_bootstrap=0)
    assert halved.overall == plain.overall


def test_the_features_of_a_genre_classifier_are_computed_once(tmp_path):
    music = make_genres(3, genres=["dub", "swing"], duration=1.0, random_state=0)
    model = GenreClassifier(n_excerpts=0, memory=tmp_path, random_state=0)
    result = evaluate(model, music, n_folds=3, n_bootstrap=0)
    # Of each track those of the whole, and in its test fold those of its segments.
    assert len(list(tmp_path.rglob("*.npy"))) == 2 * 6
    assert result.parameters["class"] == "GenreClassifier"
    assert result.parameters["n_excerpts"] == "0"
    assert result.n_segments == model.n_segments
    by_hand, shares = [], []
    for fold in range(3):
        test = np.array(result.tracks["fold"]) == fold
        model.fit(music.data[~test], music.target[~test], groups=music.artists[~test])
        by_hand.append(model.predict_proba(music.data[test]))
        segments = model.predict_segment_proba(music.data[test]).argmax(axis=2)
        shares += (model.classes_[segments] == music.target[test, np.newaxis]).mean(axis=1).tolist()
    assert result.overall["segment_accuracy"]["value"] == pytest.approx(np.mean(shares))
    order = np.argsort(result.tracks["fold"], kind="stable")
    np.testing.assert_allclose(np.array(result.tracks["proba"])[order], np.concatenate(by_hand))


def test_invalid_parameters_of_the_pipeline_are_refused():
    with pytest.raises(ValueError, match="'C' parameter of LogisticRegression"):
        evaluate(LogisticRegression(C=-1), (MUSIC.data[:, 0, 0], MUSIC.target, MUSIC.artists))
