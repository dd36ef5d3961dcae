from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC, LinearSVC

from skgenre import GroupKernel, GroupScaler

# Groups of one, two and three columns that do not stand together, on scales of their own.
GROUPS = ["mfcc", "tempo", "chroma", "mfcc", "chroma", "mfcc"]
NAMES = ["mfcc__0", "tempo__lag", "chroma__C", "mfcc__1_std", "chroma__D", "mfcc__2"]
COLUMNS = {"mfcc": [0, 3, 5], "tempo": [1], "chroma": [2, 4]}


def table(n=40, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 6)) * [100, 5, 0.1, 30, 0.2, 10]


def genres(n=60, seed=0):
    """Return tracks of three genres, sorted by genre, each heard in one group only."""
    y = np.repeat(["dub", "jazz", "rock"], n // 3)
    X = np.random.default_rng(seed).normal(size=(n, 6))
    for genre, columns in zip(("dub", "jazz", "rock"), COLUMNS.values(), strict=True):
        X[np.ix_(y == genre, columns)] += 4
    return X * [100, 5, 0.1, 30, 0.2, 10], y


def squares(A, B):
    return np.square(A[:, np.newaxis].astype(float) - B).sum(axis=2)


def pairs(X):
    """Return the squared distance of each two tracks, once."""
    return squares(X, X)[np.triu_indices(len(X), k=1)]


def by_hand(new, X, gamma=1.0, columns=COLUMNS, scales=None):
    """Return the similarity as the docstring of GroupKernel has it."""
    groups = list(columns.values())
    if scales is None:
        scales = [np.median(pairs(X[:, group])) for group in groups]
    parts = [
        np.exp(-gamma * squares(new[:, group], X[:, group]) / scale)
        for group, scale in zip(groups, scales, strict=True)
    ]
    return np.mean(parts, axis=0)


@pytest.mark.parametrize("gamma", [0.3, 1, 5.0])
def test_equals_the_formula(gamma):
    X, new = table(), table(n=7, seed=1)
    kernel = GroupKernel(feature_groups=GROUPS, gamma=gamma).fit(X)
    np.testing.assert_allclose(kernel.transform(new), by_hand(new, X, gamma), rtol=1e-9)
    np.testing.assert_allclose(kernel.fit_transform(X), by_hand(X, X, gamma), rtol=1e-9)
    np.testing.assert_allclose(
        kernel.scales_, [np.median(pairs(X[:, group])) for group in COLUMNS.values()]
    )
    assert kernel.feature_groups_ == ["mfcc", "tempo", "chroma"]
    assert kernel.normalization_ is None
    np.testing.assert_array_equal(kernel.X_fit_, X)


def test_groups_count_by_their_weights():
    X, new = table(), table(n=7, seed=1)
    alone = {name: by_hand(new, X, columns={name: c}, scales=None) for name, c in COLUMNS.items()}
    kernel = GroupKernel(feature_groups=GROUPS, group_weights={"tempo": 3, "chroma": 0.5}).fit(X)
    expected = (alone["mfcc"] + 3 * alone["tempo"] + 0.5 * alone["chroma"]) / 4.5
    np.testing.assert_allclose(kernel.transform(new), expected, rtol=1e-9)
    np.testing.assert_array_equal(kernel.group_weights_, [1, 3, 0.5])
    for landmarks in (None, 40):
        without = GroupKernel(
            feature_groups=GROUPS, group_weights={"mfcc": 0, "chroma": 0}, n_landmarks=landmarks
        ).fit(X)
        Xt = without.transform(X) @ (without.transform(X).T if landmarks else np.eye(40))
        np.testing.assert_allclose(Xt, by_hand(X, X, columns={"tempo": [1]}), atol=1e-6)


def test_equal_weights_are_no_weights():
    X, new = table(), table(n=7, seed=1)
    plain = GroupKernel(feature_groups=GROUPS).fit(X)
    same = GroupKernel(feature_groups=GROUPS, group_weights=dict.fromkeys(COLUMNS, 1.0)).fit(X)
    np.testing.assert_array_equal(plain.transform(new), same.transform(new))
    np.testing.assert_array_equal(plain.group_weights_, [1, 1, 1])


def test_a_constant_group_has_no_weight():
    X = table()
    X[:, 1] = 7.0
    kernel = GroupKernel(feature_groups=GROUPS, group_weights={"tempo": 5.0}).fit(X)
    np.testing.assert_array_equal(kernel.group_weights_, [1, 0, 1])
    others = {name: COLUMNS[name] for name in ("mfcc", "chroma")}
    np.testing.assert_allclose(kernel.transform(X), by_hand(X, X, columns=others), rtol=1e-9)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"drums": 1.0}, "names the group 'drums', but the groups are 'mfcc', 'tempo', 'chroma'"),
        ({"tempo": -1}, "gives the group 'tempo' the weight -1; it must be a finite number"),
        ({"tempo": np.nan}, "gives the group 'tempo' the weight nan"),
        ({"tempo": "much"}, "gives the group 'tempo' the weight 'much'"),
        (dict.fromkeys(COLUMNS, 0), "gives all groups the weight 0"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        GroupKernel(feature_groups=GROUPS, group_weights=weights).fit(table())


def test_numbers_by_hand():
    # Squared distances 1, 4 and 9, whose median is 4; and 100, 100 and 0: 100.
    X = np.array([[0.0, 0], [1, 10], [3, 10]])
    Xt = GroupKernel(feature_groups=["a", "b"]).fit_transform(X)
    near, far = (np.exp(-1 / 4) + np.exp(-1)) / 2, (np.exp(-9 / 4) + np.exp(-1)) / 2
    between = (np.exp(-1) + 1) / 2
    np.testing.assert_allclose(Xt, [[1, near, far], [near, 1, between], [far, between, 1]])


def test_the_mean_takes_the_place_of_a_median_of_zero():
    X = table(n=10)
    X[2:, 1] = 7.0  # 28 of 45 pairs
    scales = [np.median(pairs(X[:, group])) for group in COLUMNS.values()]
    assert scales[1] == 0
    scales[1] = pairs(X[:, [1]]).mean()
    kernel = GroupKernel(feature_groups=GROUPS)
    Xt = kernel.fit_transform(X)
    np.testing.assert_allclose(kernel.scales_, scales)
    np.testing.assert_allclose(Xt, by_hand(X, X, scales=scales), rtol=1e-9)


def test_a_median_of_zero_is_found_among_many_columns():
    # Distances of equal tracks by products of matrices may come out as 1e-12.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n, n_columns = rng.integers(20, 200), rng.integers(2, 60)
        X = np.tile(50 * rng.normal(size=n_columns), (n, 1))
        X[: n // 6] += rng.normal(size=(n // 6, n_columns))
        assert np.median(pairs(X)) == 0
        kernel = GroupKernel().fit(X)
        np.testing.assert_allclose(kernel.scales_, pairs(X).mean(), rtol=1e-6, err_msg=f"{seed}")


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
def test_a_group_in_which_all_tracks_are_equal_is_left_out(constant):
    X, new = table(), table(n=5, seed=1)
    X[:, COLUMNS["mfcc"]] = [constant, constant, 1.0]
    kernel = GroupKernel(feature_groups=GROUPS).fit(X)
    np.testing.assert_array_equal(np.isnan(kernel.scales_), [True, False, False])
    others = {"tempo": [1], "chroma": [2, 4]}
    # New tracks may differ in it, but its scale is unknown.
    np.testing.assert_allclose(kernel.transform(new), by_hand(new, X, columns=others), rtol=1e-9)
    assert kernel.feature_groups_ == ["mfcc", "tempo", "chroma"]


@pytest.mark.parametrize("n", [1, 30])
def test_where_all_tracks_are_equal_everything_is_similar(n):
    X = np.tile(table(n=1), (n, 1))
    kernel = GroupKernel(feature_groups=GROUPS).fit(X)
    assert np.isnan(kernel.scales_).all()
    np.testing.assert_array_equal(kernel.transform(table(n=4)), np.ones((4, n)))
    features = GroupKernel(feature_groups=GROUPS, n_landmarks=3).fit_transform(X)
    np.testing.assert_allclose(features @ features.T, 1)


def test_group_that_varies_little_around_a_large_value_counts():
    X = table()
    X[:, 1] = 1000 + 0.1 * np.arange(40)
    kernel = GroupKernel(feature_groups=GROUPS).fit(X)
    np.testing.assert_allclose(kernel.transform(X), by_hand(X, X), rtol=1e-6)


@pytest.mark.parametrize("n_landmarks", [40, 41, 1000])
def test_with_all_tracks_as_landmarks_products_are_the_similarities(n_landmarks):
    X, new = table(), table(n=9, seed=1)
    kernel = GroupKernel(feature_groups=GROUPS, n_landmarks=n_landmarks, random_state=0).fit(X)
    Xt = kernel.transform(X)
    assert Xt.shape == (40, 40)
    assert kernel.normalization_.shape == (40, 40)
    np.testing.assert_array_equal(kernel.X_fit_, X)
    np.testing.assert_allclose(Xt @ Xt.T, by_hand(X, X), atol=1e-8)
    np.testing.assert_allclose(kernel.transform(new) @ Xt.T, by_hand(new, X), atol=1e-8)


def test_more_landmarks_come_nearer_to_the_similarities():
    X = table(n=200)
    exact = by_hand(X, X)
    errors = []
    for n in (10, 50, 150):
        kernel = GroupKernel(feature_groups=GROUPS, n_landmarks=n, random_state=0).fit(X)
        Xt = kernel.transform(X)
        assert Xt.shape == (200, n)
        errors.append(np.abs(Xt @ Xt.T - exact).mean())
        # Exact between landmarks, which are tracks in their order.
        rows = [np.flatnonzero((one == X).all(axis=1)).item() for one in kernel.X_fit_]
        assert rows == sorted(set(rows))
        np.testing.assert_allclose((Xt @ Xt.T)[np.ix_(rows, rows)], exact[np.ix_(rows, rows)])
        # The typical distance is that of all tracks.
        np.testing.assert_allclose(
            kernel.scales_, GroupKernel(feature_groups=GROUPS).fit(X).scales_
        )
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
    assert errors[2] < 0.005


def test_landmarks_that_are_equal_do_no_harm():
    X = np.repeat(table(n=15), 2, axis=0)
    Xt = GroupKernel(feature_groups=GROUPS, n_landmarks=30).fit_transform(X)
    np.testing.assert_allclose(
        Xt @ Xt.T, GroupKernel(feature_groups=GROUPS).fit_transform(X), atol=1e-6
    )


def test_random_state_draws_the_landmarks():
    X = table()
    one, same, other = (
        GroupKernel(feature_groups=GROUPS, n_landmarks=10, random_state=seed).fit(X)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.transform(X), same.transform(X))
    assert not np.array_equal(one.X_fit_, other.X_fit_)


def test_later_changes_of_the_table_change_nothing():
    for n_landmarks in (None, 10, 100):
        for order in ("C", "F"):
            X = np.array(table(), order=order)
            kernel = GroupKernel(
                feature_groups=GROUPS, n_landmarks=n_landmarks, random_state=0
            ).fit(X)
            expected = kernel.transform(table())
            X[:] = 0
            np.testing.assert_array_equal(kernel.transform(table()), expected)


@pytest.mark.parametrize(("offset", "rtol"), [(0, 1e-9), (1000, 1e-6)])
def test_float32_is_compared_in_float64(offset, rtol):
    X = (table() + offset).astype(np.float32)
    Xt = GroupKernel(feature_groups=GROUPS).fit_transform(X)
    assert Xt.dtype == np.float64
    np.testing.assert_allclose(Xt, by_hand(X, X), rtol=rtol)


@pytest.mark.parametrize("n_landmarks", [None, 4])
def test_names(n_landmarks):
    X = pd.DataFrame(table(), columns=NAMES, index=np.arange(40) + 7)
    kernel = GroupKernel(n_landmarks=n_landmarks, random_state=0).set_output(transform="pandas")
    Xt = kernel.fit(X).transform(X[:5])
    names = [f"groupkernel{i}" for i in range(n_landmarks or 40)]
    assert kernel.get_feature_names_out().tolist() == names
    assert Xt.columns.tolist() == names
    assert Xt.index.tolist() == [7, 8, 9, 10, 11]
    with pytest.raises(ValueError, match="feature names should match"):
        kernel.transform(X[NAMES[::-1]])


def test_cross_validation_of_a_plain_pipeline():
    X, y = genres()
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    model = make_pipeline(
        GroupScaler(feature_groups=GROUPS),
        GroupKernel(feature_groups=GROUPS),
        SVC(C=10, kernel="precomputed"),
    )
    expected = []
    for train, test in folds.split(X, y):
        scaler = GroupScaler(feature_groups=GROUPS).fit(X[train])
        seen, new = scaler.transform(X[train]), scaler.transform(X[test])
        machine = SVC(C=10, kernel="precomputed").fit(by_hand(seen, seen), y[train])
        expected.append(accuracy_score(y[test], machine.predict(by_hand(new, seen))))
    scores = cross_val_score(model, X, y, cv=folds)
    np.testing.assert_allclose(scores, expected)
    assert scores.mean() > 0.9


def test_grid_search_over_gamma():
    X, y = genres()
    data = pd.DataFrame(X, columns=NAMES)
    steps = [("scaler", GroupScaler()), ("kernel", GroupKernel()), ("svc", SVC(C=10))]
    model = Pipeline(steps).set_params(svc__kernel="precomputed").set_output(transform="pandas")
    search = GridSearchCV(model, {"kernel__gamma": [1e-6, 1.0, 1e6]}, cv=3).fit(data, y)
    scores = search.cv_results_["mean_test_score"]
    assert search.best_params_ == {"kernel__gamma": 1.0}
    assert scores[1] > 0.9
    assert scores[2] < 0.5  # with which each track is similar to itself only
    assert search.best_estimator_["kernel"].feature_groups_ == ["mfcc", "tempo", "chroma"]


def test_landmarks_serve_a_linear_machine():
    X, y = genres(n=120)
    kernel = GroupKernel(feature_groups=GROUPS, n_landmarks=60, random_state=0)
    assert cross_val_score(make_pipeline(kernel, LinearSVC()), X, y).mean() > 0.9


def test_above_a_thousand_tracks_the_typical_distance_is_estimated():
    X = table(n=1300)
    one, same, other = (
        GroupKernel(feature_groups=GROUPS, random_state=seed).fit(X).scales_ for seed in (3, 3, 4)
    )
    exact = [np.median(pairs(X[:, group])) for group in COLUMNS.values()]
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other, rtol=1e-9)
    np.testing.assert_allclose(one, exact, rtol=0.1)
    assert not np.allclose(one, exact, rtol=1e-9)
    # With a thousand nothing is drawn.
    every = {
        tuple(GroupKernel(feature_groups=GROUPS, random_state=s).fit(X[:1000]).scales_)
        for s in (1, 2)
    }
    assert len(every) == 1
    exact = [np.median(pairs(X[:1000, group])) for group in COLUMNS.values()]
    np.testing.assert_allclose(every.pop(), exact)


@pytest.mark.parametrize("n_landmarks", [None, 20])
def test_many_tracks_equal_the_formula(n_landmarks):
    X, many = table(n=100), table(n=2100, seed=1)
    kernel = GroupKernel(feature_groups=GROUPS, n_landmarks=n_landmarks, random_state=0).fit(X)
    Xt = kernel.transform(many)
    expected = by_hand(many, kernel.X_fit_, scales=kernel.scales_)
    if n_landmarks:
        expected = expected @ kernel.normalization_.T
    np.testing.assert_allclose(Xt, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_landmarks", [None, 15])
@pytest.mark.parametrize("n", [7, 1203])  # more than are compared together
def test_contributions_of_groups_add_up_to_a_linear_function(n_landmarks, n):
    X, new = table(), table(n=n, seed=1)
    kernel = GroupKernel(feature_groups=GROUPS, n_landmarks=n_landmarks, random_state=0).fit(X)
    coef = np.random.default_rng(2).normal(size=(4, len(kernel.X_fit_)))
    parts = kernel.contributions(new, coef)
    assert parts.shape == (n, 4, 3)
    np.testing.assert_allclose(parts.sum(axis=2), kernel.transform(new) @ coef.T, atol=1e-10)
    if n_landmarks is None:
        alone = GroupKernel(feature_groups=["chroma"] * 2).fit(X[:, COLUMNS["chroma"]])
        of_chroma = alone.transform(new[:, COLUMNS["chroma"]]) @ coef.T / 3
        np.testing.assert_allclose(
            parts[:, :, kernel.feature_groups_.index("chroma")], of_chroma, atol=1e-9
        )
    with pytest.raises(ValueError, match=r"coef has the shape \(4, 3\); expected \(n_outputs, "):
        kernel.contributions(new, coef[:, :3])


def test_constant_groups_contribute_nothing_unless_all_are():
    X = table()
    X[:, COLUMNS["chroma"]] = 1.0
    kernel = GroupKernel(feature_groups=GROUPS).fit(X)
    parts = kernel.contributions(X, np.ones((1, 40)))
    assert (parts[:, 0, kernel.feature_groups_.index("chroma")] == 0).all()
    np.testing.assert_allclose(parts.sum(axis=2)[:, 0], kernel.transform(X).sum(axis=1))
    kernel = GroupKernel(feature_groups=GROUPS).fit(np.ones((5, 6)))
    np.testing.assert_allclose(kernel.contributions(np.ones((2, 6)), np.ones((1, 5))), 5 / 3)


@pytest.mark.parametrize("n_landmarks", [None, 15])
def test_similarities_of_any_tracks_are_those_of_the_formula(n_landmarks):
    X, new, others = table(), table(n=1203, seed=1), table(n=9, seed=2)
    kernel = GroupKernel(feature_groups=GROUPS, n_landmarks=n_landmarks, random_state=0).fit(X)
    expected = by_hand(new, others, scales=kernel.scales_)
    np.testing.assert_allclose(kernel.similarities(new, others), expected, rtol=1e-8)
    landmarks = X if n_landmarks is None else X[kernel.landmarks_]
    np.testing.assert_array_equal(kernel.X_fit_, landmarks)
    expected = by_hand(new, landmarks, scales=kernel.scales_)
    np.testing.assert_allclose(kernel.similarities(new), expected, rtol=1e-8)
