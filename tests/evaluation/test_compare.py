"""Two models on the same tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments
from sklearn.neighbors import KNeighborsClassifier

from skgenre import compare, evaluate

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


def test_another_protocol_is_warned_of(results):
    lenient = evaluate(SegmentNeighbors(), MUSIC, protocol="track-random")
    with pytest.warns(
        UserWarning, match="different protocols, 'artist-grouped' and 'track-random'"
    ):
        compare(results[0], lenient)


def test_the_text_says_who_is_better(results):
    found = compare(*results)
    lines = found.to_markdown().splitlines()
    assert lines[0] == "| 120 tracks |  |"
    assert f"| right in A alone | {found.only_a} |" in lines
    assert f"| A less B | {found.difference['value']:+.3f} |" in lines
