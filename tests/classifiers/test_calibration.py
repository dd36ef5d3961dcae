"""From scores to probabilities."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.svm import SVC

from skgenre.classifiers._calibration import Pairs, Temperature, _coupled


def test_temperature_finds_the_one_that_made_the_labels():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 3)) * 6
    proba = softmax(scores / 2.5, axis=1)
    codes = (proba.cumsum(axis=1) > rng.random((len(proba), 1))).argmax(axis=1)
    model = Temperature(3).fit(scores, codes)
    assert model.temperature_ == pytest.approx(2.5, rel=0.05)
    np.testing.assert_allclose(model.predict_proba(scores), proba, atol=0.02)


def test_temperature_leaves_out_tracks_without_scores():
    rng = np.random.default_rng(0)
    scores, codes = rng.normal(size=(200, 3)), rng.integers(3, size=200)
    expected = Temperature(3).fit(scores, codes).temperature_
    rows = np.vstack([scores, np.full((5, 3), np.nan)])
    more = Temperature(3).fit(rows, np.append(codes, [0] * 5))
    assert more.temperature_ == pytest.approx(expected)
    assert Temperature(3).fit(np.full((4, 3), np.nan), np.array([0, 1, 2, 0])).temperature_ == 1


def test_temperature_of_scores_of_any_size():
    rng = np.random.default_rng(0)
    scores, codes = rng.normal(size=(300, 4)), rng.integers(4, size=300)
    small = Temperature(4).fit(scores, codes).predict_proba(scores)
    large = Temperature(4).fit(1e6 * scores, codes).predict_proba(1e6 * scores)
    np.testing.assert_allclose(large, small, atol=1e-4)
    assert Temperature(4).fit(np.zeros((5, 4)), np.arange(5) % 4).temperature_ > 0


def test_many_rows_are_coupled_as_one_by_one():
    r = np.random.default_rng(0).uniform(0.1, 0.9, size=(600, 5, 5))
    one_by_one = [_coupled(row[np.newaxis])[0] for row in r[::50]]
    np.testing.assert_allclose(_coupled(r)[::50], one_by_one)


def test_a_class_that_the_machine_does_not_know_has_no_chance():
    model = Temperature(3)
    scores = model.spread(np.array([1.0, -2.0]), np.array([0, 2]))  # two classes, one score
    np.testing.assert_array_equal(scores[0], [-1, np.nan, 1])
    proba = model.fit(scores, np.array([2, 0])).predict_proba(scores)
    np.testing.assert_array_equal(proba[:, 1], 0)
    np.testing.assert_array_equal(proba.argmax(axis=1), [2, 0])


@pytest.mark.parametrize("k", [2, 3, 7])
def test_coupling_returns_the_probabilities_behind_consistent_pairs(k):
    p = np.random.default_rng(k).dirichlet(np.ones(k), size=50)
    r = p[:, :, None] / (p[:, :, None] + p[:, None, :])
    np.testing.assert_allclose(_coupled(r), p, atol=1e-9)


def test_coupling_weighs_pairs_that_disagree_as_libsvm_does():
    """By hand: the minimum of the sum of (r_ji p_i - r_ij p_j)^2 over the simplex."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(1)
    r = np.full((4, 4), 0.5)
    upper = np.triu_indices(4, 1)
    r[upper] = rng.uniform(0.1, 0.9, size=6)
    r[upper[::-1]] = 1 - r[upper]

    def loss(p):
        return sum((r[j, i] * p[i] - r[i, j] * p[j]) ** 2 for i, j in zip(*upper, strict=True))

    best = minimize(
        loss, np.full(4, 0.25), constraints={"type": "eq", "fun": lambda p: p.sum() - 1}
    )
    np.testing.assert_allclose(_coupled(r[None])[0], best.x, atol=1e-4)


def test_pairs_speak_for_their_first_class_whatever_classes_a_machine_knows():
    X = np.array([[0.0], [0.2], [5.0], [5.2], [10.0], [10.2]])
    codes = np.array([0, 0, 1, 1, 2, 2])
    pairs = Pairs(3)  # 0 or 1, 0 or 2, 1 or 2
    machine = SVC(decision_function_shape="ovo").fit(X, codes)
    scores = pairs.spread(machine.decision_function(X), machine.classes_)
    assert (scores[:2, :2] > 0).all()
    assert (scores[4:, 1:] < 0).all()
    two = SVC(decision_function_shape="ovo").fit(X[2:], codes[2:])
    scores = pairs.spread(two.decision_function(X), two.classes_)
    assert np.isnan(scores[:, :2]).all()
    assert (scores[2:4, 2] > 0).all()
    assert (scores[4:, 2] < 0).all()


def test_probabilities_of_pairs_are_frequencies():
    rng = np.random.default_rng(3)
    codes = rng.integers(2, size=4000)
    scores = (rng.normal(size=4000) + 1 - 2 * codes)[:, None]
    model = Pairs(2).fit(scores, codes)
    proba = model.predict_proba(scores)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    for low, high in [(0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1)]:
        rows = (proba[:, 0] >= low) & (proba[:, 0] < high)
        assert (codes[rows] == 0).mean() == pytest.approx(proba[rows, 0].mean(), abs=0.04)


def test_scores_against_the_machine_are_not_believed():
    codes = np.repeat([0, 1], 10)
    wrong = np.where(codes == 0, -1.0, 1.0)[:, None]
    model = Pairs(2).fit(wrong, codes)
    assert 0.5 < model.predict_proba(np.array([[3.0]]))[0, 0] < 0.6


def test_the_genre_with_more_tracks_has_no_advantage():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [300, 20])
    scores = (rng.normal(size=320) + 1 - 2 * codes)[:, None]
    model = Pairs(2).fit(scores, codes)
    np.testing.assert_allclose(model.predict_proba(np.array([[0.0]])), 0.5)


def test_slopes_of_few_tracks_lean_on_those_of_the_others():
    """By hand: the most probable logarithm of each slope, found on a grid."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [200, 200, 1])
    pairs = Pairs(3)  # 0 or 1, 0 or 2, 1 or 2
    scores = rng.normal(size=(401, 3))
    scores[:, 0] += 2 * np.where(codes == 0, 1, -1)
    scores[[0, 250], [1, 2]] = np.nan
    slopes = pairs.fit(scores, codes).slope_
    grid = np.linspace(-4, 6, 20001)

    def best(margins, expected):
        loss = [np.logaddexp(0, -margins * np.exp(a)).sum() + (a - expected) ** 2 / 2 for a in grid]
        return grid[np.argmin(loss)]

    margins = []
    for pair, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)]):
        of_pair = np.concatenate([scores[codes == i, pair], -scores[codes == j, pair]])
        margins.append(of_pair[~np.isnan(of_pair)])
    common = best(np.concatenate(margins), np.log(2))
    expected = [best(margin, common) for margin in margins]
    np.testing.assert_allclose(np.log(slopes), expected, atol=2e-3)


def test_without_any_score_the_usual_slope_is_left():
    model = Pairs(3).fit(np.full((4, 3), np.nan), np.array([0, 1, 2, 0]))
    np.testing.assert_allclose(model.slope_, 2, rtol=1e-3)
