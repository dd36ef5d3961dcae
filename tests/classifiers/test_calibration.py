"""From scores to probabilities, pair by pair of classes."""

import copy

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from skgenre import ArtistWhitening, PairwiseCalibratedClassifier


class GivenScores(ClassifierMixin, BaseEstimator):
    """Scores are the columns of X: one for each pair of all classes, or one for each class."""

    def __init__(self, n_classes, decision_function_shape="ovo"):
        self.n_classes = n_classes
        self.decision_function_shape = decision_function_shape

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        if self.decision_function_shape == "ovr":
            return X[:, self.classes_]
        if len(self.classes_) == 2:  # scikit-learn's sign: the second class is the positive one
            return -X[:, self._columns()[0]]
        return X[:, self._columns()]

    def _columns(self):
        pairs = np.stack(np.triu_indices(self.n_classes, 1), axis=1)
        return np.flatnonzero(np.isin(pairs, self.classes_).all(axis=1))


def calibrated(scores, codes, shape="ovo", cv=5, **params):
    scorer = GivenScores(codes.max() + 1, shape)
    model = PairwiseCalibratedClassifier(scorer, cv=cv, random_state=0, **params)
    return model.fit(scores, codes)


def two_classes(n, shift=1.0, seed=3):
    rng = np.random.default_rng(seed)
    codes = rng.integers(2, size=n)
    return (rng.normal(size=n) + shift * (1 - 2 * codes))[:, None], codes


def test_probabilities_are_frequencies():
    scores, codes = two_classes(4000)
    proba = calibrated(scores, codes).predict_proba(scores)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    for low, high in [(0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1)]:
        rows = (proba[:, 0] >= low) & (proba[:, 0] < high)
        assert (codes[rows] == 0).mean() == pytest.approx(proba[rows, 0].mean(), abs=0.04)


def test_scores_of_any_size_give_the_same_probabilities():
    scores, codes = two_classes(300)
    small, large = (
        calibrated(size * scores, codes).predict_proba(size * scores) for size in (1, 1e6)
    )
    np.testing.assert_allclose(large, small, atol=1e-6)
    assert (calibrated(0 * scores, codes).predict_proba(scores) > 0).all()


def test_scores_of_classes_give_the_slope_that_made_the_labels():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 3)) * 6
    proba = np.exp(scores / 2.5)
    proba /= proba.sum(axis=1, keepdims=True)
    codes = (proba.cumsum(axis=1) > rng.random((len(proba), 1))).argmax(axis=1)
    model = calibrated(scores, codes, "ovr", cv=2)
    np.testing.assert_allclose(model.slopes_, 1 / 2.5, rtol=0.05)
    np.testing.assert_allclose(model.predict_proba(scores), proba, atol=0.02)


def test_scores_against_the_labels_are_not_believed():
    codes = np.repeat([0, 1], 10)
    model = calibrated(np.where(codes == 0, -1.0, 1.0)[:, None], codes)
    assert 0.5 < model.predict_proba(np.array([[3.0]]))[0, 0] < 0.6


def test_the_class_with_more_tracks_has_no_advantage():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [300, 20])
    scores = (rng.normal(size=320) + 1 - 2 * codes)[:, None]
    model = calibrated(scores, codes)
    np.testing.assert_allclose(model.predict_proba(np.array([[0.0]])), 0.5)


def unequal_classes(shift=1.0):
    """Return scores that favour the first class of 300 tracks against the second of 30."""
    codes = np.repeat([0, 1], [300, 30])
    scores = np.random.default_rng(0).normal(size=330) + 1 - 2 * codes + shift
    return scores[:, None], codes


def test_balance_finds_more_tracks_of_the_small_class():
    scores, codes = unequal_classes()
    plain, balanced = (calibrated(scores, codes, balance=balance) for balance in (False, True))
    np.testing.assert_array_equal(plain.offsets_, [0, 0])
    assert balanced.offsets_[1] > 0.2
    recalls = [(model.predict(scores)[codes == 1] == 1).mean() for model in (plain, balanced)]
    assert recalls[1] > recalls[0] + 0.1


def test_offsets_by_hand():
    """The offsets of all classes counting the same, less those of all tracks, on a grid."""
    scores, codes = unequal_classes()
    plain, balanced = (calibrated(scores, codes, balance=balance) for balance in (False, True))
    margins = scores[:, 0] * plain.slopes_[0] * np.where(codes == 0, 1, -1)
    grid = np.linspace(-1, 1, 4001)[:, None]  # of the first class; that of the second is opposite

    def best(weights):
        shifted = margins + np.where(codes == 0, 2, -2) * grid
        losses = np.logaddexp(0, -shifted) @ weights + 5 * grid[:, 0] ** 2
        return grid[losses.argmin(), 0]

    balancing = np.where(codes == 0, 330 / 600, 330 / 60)
    expected = best(balancing) - best(np.ones(330))
    temperature = balanced.slopes_[0] / plain.slopes_[0]
    np.testing.assert_allclose(balanced.offsets_ / temperature, [expected, -expected], atol=2e-3)


@pytest.mark.parametrize("k", [2, 4])
def test_classes_of_equal_size_have_no_offsets(k):
    codes = np.repeat(np.arange(k), 40)
    scores = np.random.default_rng(0).normal(size=(40 * k, k * (k - 1) // 2)) + 0.7
    offsets = calibrated(scores, codes, balance=True).offsets_
    np.testing.assert_allclose(offsets, 0, atol=1e-4)


def test_the_temperature_makes_the_classes_most_likely():
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(4), [50, 40, 30, 20])
    known = rng.normal(size=(140, 4)) + 1.5 * (codes[:, None] == np.arange(4))
    first, second = np.triu_indices(4, 1)
    scores = known[:, first] - known[:, second]
    model = calibrated(scores, codes, balance=True)

    def loss(factor):
        changed = copy.deepcopy(model)
        changed.slopes_, changed.offsets_ = model.slopes_ * factor, model.offsets_ * factor
        return -np.log(changed.predict_proba(scores)[np.arange(140), codes]).mean()

    assert loss(1.0) < loss(0.85)
    assert loss(1.0) < loss(1.15)


def test_balance_needs_no_left_out_tracks():
    rows = np.random.default_rng(0).normal(size=(3, 3))
    model = calibrated(rows, np.arange(3), balance=True)
    np.testing.assert_allclose(model.slopes_, 2, rtol=1e-3)
    np.testing.assert_array_equal(model.offsets_, 0)


def test_slopes_of_few_tracks_borrow_from_the_others():
    """By hand: the most probable logarithm of each slope, found on a grid."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [200, 200, 2])
    scores = rng.normal(size=(402, 3))  # of the pairs 0 or 1, 0 or 2, 1 or 2
    scores[:, 0] += 2 * np.where(codes == 0, 1, -1)
    # All tracks but one in each fold's training: no class is ever missing.
    slopes = calibrated(scores, codes, cv=LeaveOneOut()).slopes_
    margins = [
        np.concatenate([scores[codes == i, pair], -scores[codes == j, pair]])
        for pair, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)])
    ]
    size = np.sqrt(np.mean(np.concatenate(margins) ** 2))
    grid = np.linspace(-4, 6, 20001)

    def best(margins, expected):
        loss = sum(np.logaddexp(0, -m * np.exp(grid)) for m in margins / size)
        return grid[np.argmin(loss + (grid - expected) ** 2 / 2)]

    common = best(np.concatenate(margins), np.log(2))
    expected = [best(margin, common) for margin in margins]
    np.testing.assert_allclose(np.log(slopes * size), expected, atol=2e-3)


def test_without_folds_the_usual_slope_is_left():
    scores, codes = two_classes(20)
    np.testing.assert_allclose(calibrated(scores, codes, cv=[]).slopes_, 2, rtol=1e-3)
    rows = np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_allclose(calibrated(rows, np.arange(3)).slopes_, 2, rtol=1e-3)


def test_folds_without_a_class_calibrate_the_other_pairs():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [30, 30, 1])
    for shape in ("ovo", "ovr"):
        scores = rng.normal(size=(61, 3))
        proba = calibrated(scores, codes, shape).predict_proba(scores)
        assert proba.shape == (61, 3)
        assert np.isfinite(proba).all()


@pytest.mark.parametrize("k", [2, 3, 7])
def test_coupling_returns_the_probabilities_behind_consistent_pairs(k):
    p = np.random.default_rng(k).dirichlet(np.full(k, 5.0), size=600)
    model = calibrated(np.log(p), np.arange(600) % k, "ovr", cv=[])
    # Without folds the slope is 2: scores that are half the logarithms are those of p itself.
    found = model.predict_proba(np.log(p) / model.slopes_[0])
    np.testing.assert_allclose(found, p, atol=2e-3)
    one_by_one = [model.predict_proba(np.log(row)[None])[0] for row in p[::50]]
    np.testing.assert_allclose(model.predict_proba(np.log(p))[::50], one_by_one)


def test_coupling_weighs_pairs_that_disagree_as_libsvm_does():
    """By hand: the minimum of the sum of (r_ji p_i - r_ij p_j)^2 over the simplex."""
    rng = np.random.default_rng(1)
    upper = np.triu_indices(4, 1)
    r = np.full((4, 4), 0.5)
    r[upper] = rng.uniform(0.1, 0.9, size=6)
    r[upper[::-1]] = 1 - r[upper]
    model = calibrated(rng.normal(size=(8, 6)), np.arange(8) % 4, cv=[])
    (found,) = model.predict_proba(np.log(r[upper] / (1 - r[upper]))[None] / model.slopes_)

    def loss(p):
        return sum((r[j, i] * p[i] - r[i, j] * p[j]) ** 2 for i, j in zip(*upper, strict=True))

    best = minimize(
        loss, np.full(4, 0.25), constraints={"type": "eq", "fun": lambda p: p.sum() - 1}
    )
    np.testing.assert_allclose(found, best.x, atol=1e-4)


@pytest.mark.parametrize(
    "classifier", [SVC(decision_function_shape="ovo"), SVC(), LinearSVC()], ids=repr
)
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_predictions_are_mostly_those_of_the_classifier(classifier, n_classes):
    X, y = make_classification(
        300, n_informative=6, n_classes=n_classes, class_sep=2.0, random_state=0
    )
    model = PairwiseCalibratedClassifier(classifier, random_state=0).fit(X, y)
    assert (model.predict(X) == model.estimator_.predict(X)).mean() > 0.97


def test_precomputed_kernels_are_divided_by_rows_and_columns():
    X, y = make_classification(60, class_sep=2.0, random_state=0)
    model = PairwiseCalibratedClassifier(SVC(kernel="precomputed"), random_state=0).fit(X @ X.T, y)
    direct = PairwiseCalibratedClassifier(SVC(kernel="linear"), random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X @ X.T), direct.predict_proba(X), atol=1e-3)


def test_artists_reach_the_classifier_in_all_folds():
    X, y = make_classification(60, random_state=0)
    artists = np.arange(60) // 3
    whitening = ArtistWhitening(without_groups="raise")
    model = PairwiseCalibratedClassifier(make_pipeline(whitening, SVC()), random_state=0)
    expected = model.fit(X, y, artistwhitening__groups=artists).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        whitening.set_fit_request(groups=True)
        routed = model.fit(X, y, groups=artists).predict_proba(X)
    np.testing.assert_allclose(routed, expected)


def test_names_and_order_of_the_classes_change_nothing():
    X, y = load_iris(return_X_y=True)
    mixed = np.array([2, 0, 1])
    model = PairwiseCalibratedClassifier(SVC(decision_function_shape="ovo"), random_state=0)
    expected = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, np.array(list("abc"))[y]).predict_proba(X), expected)
    reordered = model.fit(X, mixed[y]).predict_proba(X)[:, mixed]
    np.testing.assert_allclose(reordered, expected, atol=1e-3)


class CountingScaler(StandardScaler):
    """Counts the tracks of its fits."""

    fits: list = []

    def fit(self, X, y=None, sample_weight=None):
        self.fits.append(len(X))
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("refit", [True, False])
def test_transformers_are_fitted_once_where_they_are_not_refitted(refit):
    X, y = load_iris(return_X_y=True)
    CountingScaler.fits.clear()
    pipeline = make_pipeline(CountingScaler(), LinearSVC())
    model = PairwiseCalibratedClassifier(
        pipeline, refit_transformers=refit, cv=3, random_state=0
    ).fit(X, y)
    assert CountingScaler.fits == ([150, 100, 100, 100] if refit else [150])
    np.testing.assert_allclose(model.estimator_[0].mean_, X.mean(axis=0))
    assert (model.predict(X) == y).mean() > 0.9


def test_slopes_do_not_depend_on_refitting_transformers_that_learn_nothing(tmp_path):
    X, y = load_iris(return_X_y=True)
    weight = np.linspace(1, 2, len(y))
    found = []
    for refit in (True, False):
        pipeline = make_pipeline(FunctionTransformer(np.sqrt), LinearSVC(), memory=str(tmp_path))
        model = PairwiseCalibratedClassifier(pipeline, refit_transformers=refit, random_state=0)
        found.append(model.fit(X, y, linearsvc__sample_weight=weight))
    one, other = found
    np.testing.assert_allclose(other.slopes_, one.slopes_)
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X))
