from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GroupKFold, KFold
from sklearn.neighbors import KNeighborsClassifier

from skgenre import FusionKNeighborsClassifier

GENRES = np.array(["blues", "jazz", "rock"])


def table(n=60, noise_scale=50.0, seed=0):
    """Return three sets: 3 telling columns, 10 of noise in a large unit, 2 half telling."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    telling = rng.normal(size=(n, 3)) + 2.5 * codes[:, np.newaxis]
    noise = noise_scale * rng.normal(size=(n, 10))
    half = rng.normal(size=(n, 2)) + codes[:, np.newaxis]
    return np.hstack([telling, noise, half]), GENRES[codes]


SIZES = [3, 10, 2]


def named(X):
    names = [f"timbre__{i}" for i in range(3)] + [f"noise__{i}" for i in range(10)]
    return pd.DataFrame(X, columns=[*names, "rhythm__tempo", "rhythm__sum"])


def test_one_set_equals_nearest_neighbours():
    X, y = table()
    new, _ = table(seed=1)
    for metric in ("euclidean", "manhattan"):
        ours = FusionKNeighborsClassifier(n_neighbors=7, metric=metric).fit(X, y)
        theirs = KNeighborsClassifier(n_neighbors=7, metric=metric).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new))
        np.testing.assert_array_equal(ours.predict(new), theirs.predict(new))


def test_distance_is_the_weighted_sum_of_scaled_distances():
    X, y = table()
    new, _ = table(seed=1)
    weights = np.array([2.0, 1.0, 1.0])
    model = FusionKNeighborsClassifier(feature_sets=SIZES, weights=weights).fit(X, y)
    total = 0
    for w, columns in zip(weights, np.split(np.arange(15), [3, 13]), strict=True):
        within = cdist(X[:, columns], X[:, columns])
        mean = within[np.triu_indices(len(X), 1)].mean()
        total = total + w * cdist(new[:, columns], X[:, columns]) / mean
    nearest = np.argsort(total, axis=1)[:, :5]
    votes = np.array([[np.mean(y[row] == genre) for genre in GENRES] for row in nearest])
    np.testing.assert_allclose(model.predict_proba(new), votes)
    np.testing.assert_allclose(model.weights_, [0.5, 0.25, 0.25])


def test_unit_of_a_set_does_not_count():
    X, y = table()
    scaled = X * np.repeat([1.0, 1e-6, 1e3], SIZES)
    plain = FusionKNeighborsClassifier(feature_sets=SIZES).fit(X, y)
    other = FusionKNeighborsClassifier(feature_sets=SIZES).fit(scaled, y)
    np.testing.assert_allclose(plain.predict_proba(X), other.predict_proba(scaled))


def test_sets_with_weights_beat_one_set_where_noise_is_large():
    X, y = table()
    new, expected = table(n=90, seed=1)
    scores = [
        FusionKNeighborsClassifier(feature_sets=sets, weights=weights)
        .fit(X, y)
        .score(new, expected)
        for sets, weights in ((None, None), (SIZES, None), (SIZES, [1, 0, 0]))
    ]
    assert scores[0] < 0.6 < scores[1] < scores[2]


def test_search_finds_the_telling_set():
    X, y = table(n=90)
    X, sizes = np.delete(X, range(5, 13), axis=1), [3, 2, 2]
    model = FusionKNeighborsClassifier(feature_sets=sizes, weights="search", random_state=0)
    model.fit(X, y)
    assert model.weights_[0] >= 0.6
    assert model.weights_[1] <= 0.2
    results = model.search_results_
    assert results["weights"].shape == (21, 3)  # all with steps of a fifth
    np.testing.assert_allclose(results["weights"].sum(axis=1), 1)
    assert len(np.unique(results["weights"], axis=0)) == 21
    chosen = (results["weights"] == model.weights_).all(axis=1)
    assert results["mean_accuracy"][chosen] == pytest.approx(results["mean_accuracy"].max())
    again = FusionKNeighborsClassifier(feature_sets=sizes, weights="search", random_state=0)
    np.testing.assert_array_equal(again.fit(X, y).weights_, model.weights_)


def test_accuracy_of_the_search_is_that_of_cross_validation():
    X, y = table()
    search = FusionKNeighborsClassifier(
        feature_sets=SIZES, weights="search", n_steps=1, cv=KFold(4), n_neighbors=3
    ).fit(X, y)
    # With one step each candidate is one set alone, in which the scale plays no part.
    for weights, accuracy in zip(*search.search_results_.values(), strict=True):
        alone = np.repeat(weights, SIZES) > 0
        folds = [
            KNeighborsClassifier(3)
            .fit(X[train][:, alone], y[train])
            .score(X[test][:, alone], y[test])
            for train, test in KFold(4).split(X)
        ]
        assert accuracy == pytest.approx(np.mean(folds))


def test_equally_good_weights_give_the_most_even_ones():
    y = np.repeat(["calm", "loud"], 10)
    clear = np.repeat([[0.0], [9.0]], 10, axis=0) + np.arange(20)[:, np.newaxis] / 100
    X = np.hstack([clear, clear, clear])
    model = FusionKNeighborsClassifier(feature_sets=[1, 1, 1], weights="search", n_steps=3)
    np.testing.assert_allclose(model.fit(X, y).weights_, 1 / 3)


def test_groups_stay_together_in_the_search():
    """Each artist has a sound of its own, which tells nothing of the genre of other artists."""
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(20), 6)
    y = GENRES[artist % 2]
    sound = 10 * rng.normal(size=(20, 2))[artist] + 0.1 * rng.normal(size=(120, 2))
    genre = rng.normal(size=(120, 2)) + 2.0 * (artist % 2)[:, np.newaxis]
    X = np.hstack([sound, genre])
    params = {"feature_sets": [2, 2], "weights": "search", "random_state": 0}
    by_track = FusionKNeighborsClassifier(**params).fit(X, y)
    by_artist = FusionKNeighborsClassifier(**params).fit(X, y, groups=artist)
    assert by_track.weights_[0] > 0.5 > by_artist.weights_[0]
    folds = FusionKNeighborsClassifier(**params, cv=GroupKFold(5)).fit(X, y, groups=artist)
    assert folds.weights_[0] < 0.5


@pytest.mark.parametrize(
    "sets",
    [
        "prefix",
        SIZES,
        ["timbre", "noise", "rhythm"],
        [slice(0, 3), slice(3, 13), slice(13, None)],
        [[0, 1, 2], list(range(3, 13)), [-2, -1]],
        [range(3), np.arange(3, 13), ["rhythm__tempo", "rhythm__sum"]],
    ],
)
def test_sets_can_be_said_in_many_ways(sets):
    X, y = table()
    model = FusionKNeighborsClassifier(feature_sets=sets, weights=[1, 2, 3]).fit(named(X), y)
    assert [len(columns) for columns in model.feature_sets_] == SIZES
    expected = FusionKNeighborsClassifier(feature_sets=SIZES, weights=[1, 2, 3]).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(named(X)), expected.predict_proba(X))


def test_columns_in_no_set_are_not_read():
    X, y = table()
    model = FusionKNeighborsClassifier(feature_sets=[slice(0, 3)]).fit(X, y)
    alone = FusionKNeighborsClassifier().fit(X[:, :3], y)
    np.testing.assert_array_equal(model.predict_proba(X), alone.predict_proba(X[:, :3]))


def test_rare_genres_lower_the_number_of_folds():
    X, y = table(n=30)
    y[0] = y[1] = "metal"
    params = {"feature_sets": SIZES, "weights": "search", "random_state": 0}
    FusionKNeighborsClassifier(**params).fit(X, y)
    y[0] = "jazz"
    with pytest.raises(ValueError, match=r"two tracks of each genre or more; .*metal"):
        FusionKNeighborsClassifier(**params).fit(X, y)


def test_a_set_of_equal_tracks_has_no_say():
    X, y = table()
    X[:, 3:13] = 7.0
    model = FusionKNeighborsClassifier(feature_sets=SIZES).fit(X, y)
    without = FusionKNeighborsClassifier(feature_sets=[3, 2]).fit(np.delete(X, range(3, 13), 1), y)
    np.testing.assert_array_equal(
        model.predict_proba(X), without.predict_proba(np.delete(X, range(3, 13), 1))
    )
    assert model.distance_scales_[1] == 1


def test_prediction_does_not_depend_on_the_batch():
    X, y = table(n=300)
    model = FusionKNeighborsClassifier(feature_sets=SIZES).fit(X, y)
    one_by_one = np.concatenate([model.predict_proba(row[np.newaxis]) for row in X[::30]])
    np.testing.assert_array_equal(model.predict_proba(X)[::30], one_by_one)


def test_votes_beside_other_classifiers():
    X, y = table()
    vote = VotingClassifier(
        [
            ("fusion", FusionKNeighborsClassifier(feature_sets=SIZES)),
            ("knn", KNeighborsClassifier()),
        ],
        voting="soft",
    )
    assert vote.fit(X, y).score(X, y) > 0.6


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_neighbors": 61}, "n_neighbors=61 is more than the number of tracks, n_samples = 60"),
        ({"feature_sets": [3, 10]}, "add up to all 15 columns of X; they add up to 13"),
        ({"feature_sets": [15, 0]}, "must be positive"),
        ({"feature_sets": []}, "feature_sets is empty"),
        ({"feature_sets": "prefix"}, "goes by names of columns, but X is an array"),
        ({"feature_sets": ["rhythm"]}, "goes by names of columns, but X is an array"),
        ({"feature_sets": [[0], [99]]}, r"holds \[99\], but X has 15 columns, 0 to 14"),
        ({"feature_sets": [slice(20, 30)]}, "which is no column of the 15"),
        ({"feature_sets": [[0], 3]}, "holds 3; a set is a slice"),
        ({"feature_sets": SIZES, "weights": [1, 2]}, "there are 3 feature sets"),
        ({"feature_sets": SIZES, "weights": [1, -1, 1]}, "not negative, and not all 0"),
        ({"feature_sets": SIZES, "weights": [0, 0, 0]}, "not negative, and not all 0"),
        ({"feature_sets": [1] * 15, "weights": "search"}, "make 11628.* |lower n_steps"),
        ({"weights": "distance"}, "'weights' parameter"),
    ],
)
def test_bad_parameters(params, message):
    X, y = table()
    if params.get("feature_sets") == [1] * 15:
        params = {**params, "n_steps": 8}
    with pytest.raises(ValueError, match=message):
        FusionKNeighborsClassifier(**params).fit(X, y)


def test_unknown_names():
    X, y = table()
    with pytest.raises(ValueError, match=r"names the columns \['pitch'\], which X has not"):
        FusionKNeighborsClassifier(feature_sets=[["pitch", "timbre__0"]]).fit(named(X), y)
    with pytest.raises(ValueError, match="holds 'pitch', which is no column of the 15"):
        FusionKNeighborsClassifier(feature_sets=["pitch"]).fit(named(X), y)


def test_encoded_genres_change_nothing():
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(3), 10)
    X = rng.normal(size=(30, 4)) + codes[:, np.newaxis]
    model = FusionKNeighborsClassifier(feature_sets=[2, 2], weights="search", random_state=0)
    named = model.fit(X, np.array(["dub", "jazz", "rock"])[codes]).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, codes).predict_proba(X), named)
