"""Precision at k: the share of the nearest tracks of the same genre."""

from __future__ import annotations

import numpy as np
import pytest

from skgenre import precision_at_k

Y = np.array(["jazz", "jazz", "jazz", "rock"])
INDICES = [[1, 3], [0, 2], [3, 3], [0, -1]]  # 1, 2 and 0 of 2 right, and none of rock


def test_precision_is_averaged_over_tracks_or_genres():
    assert precision_at_k(INDICES, Y) == pytest.approx(3 / 8)
    assert precision_at_k(INDICES, Y, average="genres") == pytest.approx((0.5 + 0) / 2)
    np.testing.assert_allclose(precision_at_k(INDICES, Y, average=None), [0.5, 0])


def test_a_missing_neighbour_counts_as_one_of_another_genre():
    # Row -1 would be the last track, which is rock too.
    assert precision_at_k([[-1, -1]], ["rock"], y_catalogue=Y) == 0
    assert precision_at_k([[3, -1]], ["rock"], y_catalogue=Y) == 0.5


def test_genres_of_another_catalogue_are_looked_up():
    assert precision_at_k([[3], [0]], ["rock", "rock"], y_catalogue=Y) == 0.5
    with pytest.raises(ValueError, match="indices run from 0 to 3, but the catalogue has 2 tracks"):
        precision_at_k([[3], [0]], ["rock", "rock"])
    with pytest.raises(ValueError, match="indices run from -2 to 0"):
        precision_at_k([[-2], [0]], ["rock", "rock"])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="average='micro' must be 'tracks', 'genres' or None"):
        precision_at_k(INDICES, Y, average="micro")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        precision_at_k(INDICES, Y[:3])
    with pytest.raises(ValueError, match="y has no genre for 1 of 4 tracks"):
        precision_at_k(INDICES, ["jazz", None, "jazz", "rock"])
