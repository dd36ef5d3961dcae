"""A recording under two artists' names stays on one side of folds by artist."""

import numpy as np
import pytest

from skgenre import FusionKNeighborsClassifier, evaluate, leakage_audit
from skgenre.duplicates import DuplicateGroup, Duplicates
from skgenre.evaluation import EvaluationTask, make_splits

Y = np.repeat(["calm", "loud"], 20)
ARTISTS = np.array([f"artist {row // 2:02}" for row in range(40)])
X = np.random.default_rng(0).normal(size=(40, 3)) + 2 * (Y == "loud")[:, np.newaxis]
# A recording by artists 00 and 01, another by 01 and 05.
FOUND = Duplicates(
    40,
    [
        DuplicateGroup([0, 2], ["row 0", "row 2"], "same recording", 0.9),
        DuplicateGroup([3, 10], ["row 3", "row 10"], "same sound", 1.0),
    ],
)
CONNECTED = {0, 1, 2, 3, 10, 11}


def test_artists_who_share_a_recording_share_a_fold():
    model = FusionKNeighborsClassifier()
    for seed in range(5):
        task = EvaluationTask(model, X, Y, ARTISTS, FOUND)
        for _, test in make_splits(task, "artist-grouped", random_state=seed):
            assert CONNECTED & set(test.tolist()) in (set(), CONNECTED)
    task = EvaluationTask(model, X, Y, ARTISTS)
    sides = [CONNECTED & set(test.tolist()) for _, test in make_splits(task, "artist-grouped")]
    assert CONNECTED not in sides  # without it they are divided


def test_results_count_joined_artists_as_one():
    result = evaluate(FusionKNeighborsClassifier(), (X, Y, ARTISTS), duplicates=FOUND)
    assert len(set(result.tracks["artist"])) == 18
    assert {result.tracks["artist"][row] for row in CONNECTED} == {"artist 00"}


def test_an_audit_warns_of_recordings_on_both_sides_of_lenient_protocols():
    with pytest.warns(UserWarning, match="track-random scores have a copy in training") as caught:
        audit = leakage_audit(FusionKNeighborsClassifier(), (X, Y, ARTISTS), duplicates=FOUND)
    assert len(caught) == 1  # none for the folds by artist
    assert set(audit.results["artist-grouped"].tracks["artist"]) == set(ARTISTS) - {
        "artist 01",
        "artist 05",
    }


def test_without_artists_copies_are_warned_of():
    with pytest.warns(UserWarning, match="have a copy in training"):
        evaluate(FusionKNeighborsClassifier(), (X, Y), protocol="track-random", duplicates=FOUND)


@pytest.mark.parametrize("artists", [(), (ARTISTS,)])
def test_duplicates_of_other_tracks_are_refused(artists):
    with pytest.raises(ValueError, match="for the same tracks"):
        evaluate(FusionKNeighborsClassifier(), (X, Y, *artists), duplicates=Duplicates(7, []))
