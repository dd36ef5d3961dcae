from __future__ import annotations

import numpy as np
import pytest

from skgenre.classifiers._vote import vote


def test_soft_is_the_mean():
    segments = np.array([[[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    np.testing.assert_allclose(vote(segments), [[0.4, 0.2, 0.4], [0.5, 0.5, 0.0]], rtol=1e-6)


def test_soft_and_hard_can_disagree():
    segments = np.array([[[0.45, 0.55], [0.45, 0.55], [0.95, 0.05]]])
    assert vote(segments, "soft").argmax() == 0
    assert vote(segments, "hard").argmax() == 1


def test_hard_is_the_share_of_votes():
    segments = np.array([[[0.6, 0.4]] * 3 + [[0.1, 0.9]]])
    np.testing.assert_allclose(vote(segments, "hard"), [[0.75, 0.25]], atol=1e-3)


@pytest.mark.parametrize("winner", [0, 1])
def test_hard_tie_goes_to_the_higher_mean(winner):
    segments = np.array([[[0.9, 0.1], [0.4, 0.6]]])
    if winner == 1:
        segments = segments[..., ::-1]
    assert vote(segments, "hard").argmax() == winner


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_rows_sum_to_one_and_order_does_not_matter(voting):
    segments = np.random.default_rng(0).dirichlet(np.ones(5), size=(20, 30)).astype(np.float32)
    proba = vote(segments, voting)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(vote(segments[:, ::-1], voting), proba, rtol=1e-5)
