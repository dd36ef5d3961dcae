"""The audit finds a leak that is there, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier

from skgenre import leakage_audit

MODEL = SegmentNeighbors()
TABLES = KNeighborsClassifier(3)


@pytest.mark.parametrize("seed", range(3))
def test_recognisable_artists_leak(seed):
    music = make_segments(artist_spread=2.0, genre_spread=0.2, seed=seed)
    audit = leakage_audit(MODEL, music)
    assert list(audit.results) == ["segment-random", "track-random", "artist-grouped"]
    assert audit.strictest == "artist-grouped"
    assert audit.leaking == ["segment-random", "track-random"]
    assert audit.inflation["track-random"]["track_accuracy"]["value"] > 0.2
    assert audit.inflation["track-random"]["segment_accuracy"]["low"] > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_recognisable_tracks_leak_if_segments_are_divided(seed):
    music = make_segments(artist_spread=0.0, track_spread=3.0, genre_spread=0.2, seed=seed)
    audit = leakage_audit(MODEL, music)
    assert audit.leaking == ["segment-random"]
    assert audit.inflation["segment-random"]["segment_accuracy"]["value"] > 0.3


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("genre_spread", [0.0, 0.7], ids=["noise", "genres"])
def test_nothing_leaks_if_segments_share_only_the_genre(seed, genre_spread):
    music = make_segments(artist_spread=0.0, genre_spread=genre_spread, seed=seed)
    audit = leakage_audit(MODEL, music)
    assert audit.leaking == []
    for found in audit.inflation.values():
        assert abs(found["segment_accuracy"]["value"]) < 0.05


@pytest.fixture(scope="module")
def audit():
    return leakage_audit(MODEL, make_segments(artist_spread=1.0), n_folds=2)


def test_the_inflation_is_the_difference_of_the_accuracies(audit):
    for name, found in audit.inflation.items():
        for metric, entry in found.items():
            own, strict = (audit.results[p].overall[metric] for p in (name, audit.strictest))
            assert entry["value"] == pytest.approx(own["value"] - strict["value"])
            assert entry["low"] < entry["value"] < entry["high"]


def test_the_interval_is_that_of_artists():
    audit = leakage_audit(MODEL, make_segments(artist_spread=3.0, genre_spread=0.5))
    shares = [
        np.array(audit.results[protocol].tracks["segment_accuracy"])
        for protocol in ("track-random", audit.strictest)
    ]
    gap = shares[0] - shares[1]
    by_track = np.random.default_rng(0).choice(gap, size=(1000, len(gap))).mean(axis=1).std()
    entry = audit.inflation["track-random"]["segment_accuracy"]
    assert entry["high"] - entry["low"] > 1.2 * 2 * 1.96 * by_track


def test_the_last_protocol_given_is_the_strictest_and_common_tracks_count():
    music = make_segments(artist_spread=1.0)

    class Part:
        """Score the first half of the tracks."""

        def split(self, X, y, groups):
            yield np.arange(60, 120), np.arange(60)

        def __repr__(self):
            return "Part()"

    folds = KFold(3, shuffle=True, random_state=0)
    with pytest.warns(UserWarning, match="has no training track of 'calm'"):
        audit = leakage_audit(MODEL, music, protocols=[folds, Part()], n_bootstrap=0)
    assert audit.strictest == "Part()"
    hits = [
        np.array(r.tracks["genre"]) == np.array(r.tracks["predicted"])
        for r in audit.results.values()
    ]
    entry = audit.inflation[repr(folds)]["track_accuracy"]
    assert entry["value"] == pytest.approx(hits[0][:60].mean() - hits[1].mean())
    assert entry["low"] is None
    assert audit.leaking == []


def test_impossible_protocols_are_skipped_with_the_reason():
    music = make_segments(artist_spread=1.0)
    audit = leakage_audit(MODEL, (music.data, music.target))
    assert audit.strictest == "track-random"
    assert audit.skipped["artist-grouped"] == "the data set has no artists. Give them"
    X = music.data.mean(axis=(1, 2))
    tables = leakage_audit(TABLES, (X, music.target, music.artists))
    assert list(tables.results) == ["track-random", "artist-grouped"]
    assert "KNeighborsClassifier has no predict_segment_proba" in tables.skipped["segment-random"]
    assert set(tables.inflation["track-random"]) == {"track_accuracy"}
    assert "- segment-random: left out, KNeighborsClassifier" in tables.to_markdown()
    with pytest.raises(ValueError, match=r"two different protocols or more.*is track-random\."):
        leakage_audit(TABLES, (X, music.target))
    with pytest.raises(ValueError, match="'by-album' is no protocol; choose from 'segment-random'"):
        leakage_audit(TABLES, (X, music.target), protocols=["by-album", "track-random"])


def test_clips_of_gtzan_are_audited_with_the_published_partition_too():
    names = [f"{genre}.{i:05d}" for genre in ("blues", "rock") for i in range(100)]
    genres = [name.partition(".")[0] for name in names]
    noise = dict(zip(names, np.random.default_rng(0).normal(size=(200, 4)), strict=True))

    class Named(KNeighborsClassifier):
        def fit(self, X, y):
            return super().fit([noise[name] for name in X], y)

        def predict_proba(self, X):
            return super().predict_proba([noise[name] for name in X])

        def predict(self, X):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]

    with pytest.warns(UserWarning, match="Part of the clips"):
        audit = leakage_audit(Named(), (names, genres))
    assert list(audit.results) == ["track-random", "fault-filtered"]
    assert audit.strictest == "fault-filtered"
    assert 0 < audit.results["fault-filtered"].n_tracks < 100


def test_tables_have_a_row_for_each_protocol(audit):
    frame = audit.to_frame()
    assert frame.index.tolist() == list(audit.results)
    row = frame.loc["track-random"]
    assert row["track_accuracy"] == audit.results["track-random"].overall["track_accuracy"]["value"]
    entry = audit.inflation["track-random"]["segment_accuracy"]
    assert row["segment_accuracy_inflation"] == entry["value"]
    assert row["segment_accuracy_inflation_low"] == entry["low"]
    assert np.isnan(frame.loc["artist-grouped", "track_accuracy_inflation"])
    lines = audit.to_markdown().splitlines()
    assert lines[0].startswith("| protocol | tracks | segment accuracy | track accuracy |")
    points = (
        f"{100 * entry['value']:+.1f} ({100 * entry['low']:+.1f} to {100 * entry['high']:+.1f})"
    )
    assert f"| {points} |" in lines[3]
    assert lines[4].endswith("|  |  |")
