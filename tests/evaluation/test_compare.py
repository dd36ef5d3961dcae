"""Two models on the same tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from sklearn.model_selection import LeaveOneOut, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier

from skgenre import compare, evaluate
from skgenre.evaluation import EvaluationResult, EvaluationTask, Splits, iter_folds

MUSIC = make_segments(artist_spread=0.5, genre_spread=0.6)


@pytest.fixture(scope="module")
def results():
    good, bad = (
        SegmentNeighbors(KNeighborsClassifier(15)),
        SegmentNeighbors(KNeighborsClassifier(1)),
    )
    return evaluate(good, MUSIC), evaluate(bad, MUSIC)


def _with_hits(result, hits):
    """Return a result in which given tracks are right."""
    genres = result.tracks["genre"]
    predicted = [g if hit else "none" for g, hit in zip(genres, hits, strict=True)]
    return replace(result, tracks={**result.tracks, "predicted": predicted})


def test_mcnemar_is_exact(results):
    # 10 tracks that A alone has right, 2 that B alone has: 2 * (1 + 12 + 66) / 2**12.
    hits_a, hits_b = np.ones(120, dtype=bool), np.ones(120, dtype=bool)
    hits_a[:2], hits_b[50:60] = False, False
    found = compare(_with_hits(results[0], hits_a), _with_hits(results[1], hits_b))
    assert (found.only_a, found.only_b, found.n_tracks) == (10, 2, 120)
    assert found.p_value == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert found.difference["value"] == pytest.approx(8 / 120)
    assert (found.accuracy_a, found.accuracy_b) == pytest.approx((118 / 120, 110 / 120))


def test_the_interval_is_that_of_artists(results):
    hits = np.ones(120, dtype=bool)
    hits[:8] = False  # two artists, whole
    a, b = _with_hits(results[0], np.ones(120)), _with_hits(results[1], hits)
    by_artist = compare(a, b)
    loose = [replace(r, tracks={**r.tracks, "artist": None}, unit="track") for r in (a, b)]
    by_track = compare(*loose)
    assert (by_artist.unit, by_track.unit) == ("artist", "track")
    assert by_artist.difference["low"] == 0  # all resamples without the two
    assert 0 < by_track.difference["low"] < by_track.difference["high"]
    assert by_artist.difference["high"] > by_track.difference["high"]


def test_a_better_model_is_found_and_the_same_is_not(results):
    better = compare(*results)
    assert better.difference["low"] > 0
    assert better.p_value < 0.05
    turned = compare(*results[::-1])
    assert turned.difference["value"] == -better.difference["value"]
    assert turned.p_value == better.p_value
    same = compare(results[0], results[0])
    assert same.p_value == 1
    assert same.difference == {"value": 0, "low": 0, "high": 0}


def test_the_order_of_the_tracks_is_no_matter(results):
    order = np.random.default_rng(0).permutation(120)
    tracks = {
        name: values if values is None else [values[row] for row in order]
        for name, values in results[1].tracks.items()
    }
    shuffled = compare(results[0], replace(results[1], tracks=tracks))
    straight = compare(*results)
    assert (shuffled.only_a, shuffled.only_b) == (straight.only_a, straight.only_b)
    assert shuffled.difference["value"] == straight.difference["value"]


def test_different_tracks_are_refused(results):
    part = evaluate(SegmentNeighbors(), (MUSIC.data[:100], MUSIC.target[:100], MUSIC.artists[:100]))
    with pytest.raises(ValueError, match=r"different tracks: 120 and 100.*20 and 0.*row 100"):
        compare(results[0], part)
    genres = ["odd", *results[1].tracks["genre"][1:]]
    other = replace(results[1], tracks={**results[1].tracks, "genre": genres})
    with pytest.raises(ValueError, match="1 have another genre in the other, first row 0: 'calm'"):
        compare(results[0], other)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"protocol": "track-random"}, "protocols, 'artist-grouped' and 'track-random'"),
        ({"n_folds": 4}, "different folds"),
        ({"random_state": 1}, "different folds"),
    ],
)
def test_another_protocol_and_other_folds_are_warned_of(results, change, match):
    other = evaluate(SegmentNeighbors(), MUSIC, n_bootstrap=0, **change)
    with pytest.warns(UserWarning, match=match):
        found = compare(results[0], other)
    assert match.split(",")[0] in found.differences[0]
    assert f"- {found.differences[0]}" in found.to_markdown()
    assert found.to_frame()["differences"].tolist() == found.differences


def test_other_folds_of_segments_are_warned_of():
    a, b, c = (
        evaluate(SegmentNeighbors(), MUSIC, protocol="segment-random", random_state=seed)
        for seed in (0, 0, 1)
    )
    assert compare(a, b).differences == []
    with pytest.warns(UserWarning, match="different folds"):
        compare(a, c)


def test_other_artists_are_warned_of(results):
    artists = [*results[1].tracks["artist"][4:], *["another"] * 4]
    other = replace(results[1], tracks={**results[1].tracks, "artist": artists})
    with pytest.warns(UserWarning, match="name different artists"):
        compare(results[0], other)


def test_arrays_are_paired_by_content_and_not_by_row(results):
    order = np.random.default_rng(0).permutation(120)
    position = np.argsort(order)
    task = EvaluationTask(
        SegmentNeighbors(KNeighborsClassifier(1)),
        MUSIC.data[order],
        MUSIC.target[order],
        MUSIC.artists[order],
    )
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    same = folds.split(MUSIC.data, MUSIC.target, MUSIC.artists)
    splits = Splits("artist-grouped", [(position[train], position[test]) for train, test in same])
    shuffled = EvaluationResult.from_folds(task, splits, list(iter_folds(task, splits)))
    found, straight = compare(results[0], shuffled), compare(*results)
    assert (found.only_a, found.only_b) == (straight.only_a, straight.only_b)
    assert found.difference == straight.difference
    assert found.differences == []
    others = evaluate(SegmentNeighbors(), (MUSIC.data + 1, MUSIC.target, MUSIC.artists))
    with pytest.raises(ValueError, match=r"120 and 120, of which 120 and 120 are not in the other"):
        compare(results[0], others)


def test_repeated_tracks_are_paired_by_genre():
    X = np.repeat(MUSIC.data[:60:3], 2, axis=0)  # each track comes as calm and as loud
    y = np.tile(["calm", "loud"], 20)
    order = np.arange(40).reshape(20, 2)[:, ::-1].ravel()
    a, b = (
        evaluate(SegmentNeighbors(), (X[rows], y[rows]), protocol=LeaveOneOut(), n_bootstrap=0)
        for rows in (np.arange(40), order)
    )
    assert compare(a, b).n_tracks == 40


def test_models_have_names(results, tmp_path):
    found = compare(*results)
    assert found.names == ["SegmentNeighbors A", "SegmentNeighbors B"]
    other = replace(results[1], parameters={"class": "CNNGenreClassifier"})
    assert compare(results[0], other).names == ["SegmentNeighbors", "CNNGenreClassifier"]
    named = compare(*results, names=("15", "1"))
    lines = named.to_markdown().splitlines()
    assert lines[0] == "| 120 tracks |  |"
    assert f"| right only in 15 | {found.only_a} |" in lines
    assert f"| 15 minus 1 | {found.difference['value']:+.3f} |" in lines
    frame = named.to_frame()
    assert frame.loc[0, ["model_a", "model_b"]].tolist() == ["15", "1"]
    assert frame.loc[0, "difference_low"] == found.difference["low"]
    assert frame.loc[0, "accuracy_b"] == found.accuracy_b
    with pytest.raises(ValueError, match="names has 1 entries; give one for each"):
        compare(*results, names=["SVC"])
    results[0].save(tmp_path / "result.json")
    read = EvaluationResult.read(tmp_path / "result.json")
    assert compare(read, results[1], names=("15", "1")) == named
