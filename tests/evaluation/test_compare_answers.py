"""Answers of a model and of its successor."""

import numpy as np
import pytest

from skgenre import FusionKNeighborsClassifier, evaluate
from skgenre.evaluation import AnswerChanges, compare_answers


@pytest.fixture(scope="module")
def results():
    """Of the first 40 tracks, and of all 60, among them a new genre."""
    y = np.repeat(["calm", "loud", "odd"], 20)
    X = np.random.default_rng(0).normal(size=(60, 6)) + np.repeat(np.eye(3, 6), 20, axis=0)
    return [
        evaluate(FusionKNeighborsClassifier(), (X[:n], y[:n]), protocol="track-random", n_folds=4)
        for n in (40, 60)
    ]


def answers(result):
    return dict(zip(result.tracks["content"], result.tracks["predicted"], strict=True))


def test_changes_count_the_tracks_of_both(results):
    old, new = results
    changes = compare_answers(old, new)
    before, after = answers(old), answers(new)
    genre = dict(zip(old.tracks["content"], old.tracks["genre"], strict=True))
    pairs = [(before[key], after[key], genre[key]) for key in before]
    assert changes.n_tracks == 40
    assert changes.n_flipped == sum(a != b for a, b, _ in pairs) > 0
    assert changes.corrected == sum(a != b == g for a, b, g in pairs)
    assert changes.broken == sum(b != a == g for a, b, g in pairs)
    assert sum(flip["n_tracks"] for flip in changes.flips) == changes.n_flipped
    assert {row["genre"]: row["old"] for row in changes.genres} == old.recall
    of_calm = [b == g for _, b, g in pairs if g == "calm"]
    assert changes.genres[0] == {
        "genre": "calm",
        "n_tracks": 20,
        "old": old.recall["calm"],
        "new": np.mean(of_calm),
    }
    difference = changes.difference
    assert difference["value"] == pytest.approx((changes.corrected - changes.broken) / 40)
    assert difference["low"] <= difference["value"] <= difference["high"]


def test_changes_can_be_restricted_to_some_tracks(results):
    old, new = results
    changes = compare_answers(old, new, ["row 0", "row 3", "row 25"])
    assert [(row["genre"], row["n_tracks"]) for row in changes.genres] == [("calm", 2), ("loud", 1)]
    with pytest.raises(ValueError, match="none of the tracks in common"):
        compare_answers(old, new, ["row 59"])


def test_changes_are_saved_and_printed(results, tmp_path):
    changes = compare_answers(*results)
    changes.save(tmp_path / "changes.json")
    assert AnswerChanges.read(tmp_path / "changes.json") == changes
    text = changes.to_markdown()
    assert f"{changes.n_flipped} of 40 answers flip: {changes.corrected} become right" in text
    assert "| calm  |" in repr(changes)
