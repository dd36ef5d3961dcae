from __future__ import annotations

import numpy as np
import pytest
from _checks import make_tracks
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skgenre import HierarchicalGenreClassifier, LSTMGenreClassifier, MLPGenreClassifier

GTZAN = [
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
]
MILD = ["jazz", "disco", "country", "classical", "blues"]


def tables(labels, n=6, seed=0):
    """Return a separable table with ``n`` rows a label: (X, y)."""
    rng = np.random.default_rng(seed)
    y = np.repeat(labels, n)
    X = rng.normal(scale=0.1, size=(len(y), 4)) + np.eye(len(labels), 4).repeat(n, axis=0)
    X[:, 0] += np.repeat(np.arange(len(labels)), n)
    return X, y


def hierarchy(**params):
    return HierarchicalGenreClassifier(LogisticRegression(C=100), **params)


def zhang(**params):
    return hierarchy(hierarchy="gtzan", **params)


def small_mlp():
    return MLPGenreClassifier(units=(16,), epochs=15, learning_rate=0.02)


def test_gtzan_gives_the_seven_classifiers_of_zhang():
    X, y = tables(GTZAN)
    model = zhang().fit(X, y)
    assert list(model.nodes_) == [
        "root",
        "strong",
        "strong/hiphop-metal-rock",
        "strong/pop-reggae",
        "mild",
        "mild/disco-country",
        "mild/jazz-classical-blues",
    ]
    assert model.hierarchy_ == {
        "strong": {
            "hiphop-metal-rock": ["hiphop", "metal", "rock"],
            "pop-reggae": ["pop", "reggae"],
        },
        "mild": {
            "disco-country": ["disco", "country"],
            "jazz-classical-blues": ["jazz", "classical", "blues"],
        },
    }
    assert model.nodes_["root"].classes_.tolist() == [0, 1]
    assert model.nodes_["strong/hiphop-metal-rock"].classes_.tolist() == [0, 1, 2]


def test_default_estimator_is_the_lstm():
    X, y = make_tracks(labels=("jazz", "rock"))
    model = HierarchicalGenreClassifier(
        node_params={"root": {"epochs": 1, "lstm_units": (4,), "units": ()}}
    ).fit(X, y)
    assert isinstance(model.nodes_["root"], LSTMGenreClassifier)
    assert model.estimator is None


class Recorder(LogisticRegression):
    """Keeps the rows it was trained on."""

    def fit(self, X, y, sample_weight=None):
        self.rows_, self.target_, self.weight_ = X[:, -1], y, sample_weight
        return super().fit(X, y, sample_weight)


def test_each_node_is_trained_on_the_tracks_of_its_own_genres():
    X, y = tables(GTZAN)
    X = np.column_stack([X, np.arange(len(y))])
    weight = np.linspace(1, 2, len(y))
    model = HierarchicalGenreClassifier(Recorder(), hierarchy="gtzan").fit(
        X, y, sample_weight=weight
    )
    rock = model.nodes_["strong/hiphop-metal-rock"]
    rows = np.flatnonzero(np.isin(y, ["hiphop", "metal", "rock"]))
    np.testing.assert_allclose(rock.rows_, rows)
    genres = np.array(["hiphop", "metal", "rock"])
    assert genres[rock.target_].tolist() == y[rows].tolist()
    np.testing.assert_allclose(rock.weight_, weight[rows])
    np.testing.assert_array_equal(model.nodes_["root"].target_ == 1, np.isin(y, MILD))


def test_soft_routing_multiplies_along_the_path():
    X, y = tables(GTZAN)
    model = zhang().fit(X, y)
    proba = dict(zip(model.classes_, model.predict_proba(X).T, strict=True))

    def share(node, child):
        return model.nodes_[node].predict_proba(X.astype(np.float32))[:, child]

    expected = share("root", 0) * share("strong", 1) * share("strong/pop-reggae", 1)
    np.testing.assert_allclose(proba["reggae"], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_hard_routing_follows_the_argmax():
    X, y = tables(GTZAN)
    X += np.random.default_rng(1).normal(scale=2, size=X.shape)  # errors at the root
    model = zhang(routing="hard").fit(X, y)
    proba = model.predict_proba(X)
    assert (proba.max(axis=1) == 1).all()
    family = model.nodes_["root"].predict(X.astype(np.float32))
    np.testing.assert_array_equal(np.isin(model.predict(X), MILD), family == 1)
    soft = zhang().fit(X, y).predict(X)
    assert (soft != model.predict(X)).any()


def test_node_scores():
    X, y = tables(GTZAN, n=20)
    X += np.random.default_rng(1).normal(scale=1.0, size=X.shape)
    model = zhang(routing="hard").fit(X, y)
    scores = model.node_scores(X, y)
    assert list(scores["nodes"]) == list(model.nodes_)
    rows = np.isin(y, ["pop", "reggae"])
    predicted = model.nodes_["strong/pop-reggae"].predict(X[rows].astype("f"))
    by_hand = (predicted == (y[rows] == "reggae")).mean()
    assert scores["nodes"]["strong/pop-reggae"] == pytest.approx(by_hand)
    path = ["root", "strong", "strong/pop-reggae"]
    product = np.prod([scores["nodes"][node] for node in path])
    assert scores["genres"]["pop"] == pytest.approx(product)
    assert scores["expected"] == pytest.approx(np.mean(list(scores["genres"].values())))
    assert abs(scores["expected"] - model.score(X, y)) < 0.15


def test_node_scores_of_some_genres_only():
    X, y = tables(GTZAN)
    model = zhang().fit(X, y)
    rows = np.isin(y, ["jazz", "blues"])
    scores = model.node_scores(X[rows], y[rows])
    assert np.isnan(scores["nodes"]["strong"])
    assert 0 < scores["expected"] <= 1
    with pytest.raises(ValueError, match=r"fit did not see: \['polka'\]"):
        model.node_scores(X[:1], ["polka"])


def test_restricted_to_the_genres_at_hand():
    X, y = tables(["metal", "rock", "jazz"])
    model = zhang().fit(X, y)
    assert model.hierarchy_ == {"strong": ["metal", "rock"], "mild": "jazz"}
    assert list(model.nodes_) == ["root", "strong"]
    X, y = tables(["metal", "rock"])
    assert list(zhang().fit(X, y).nodes_) == ["root"]


def test_one_child_nodes_collapse():
    X, y = tables(["a", "b", "c"])
    model = hierarchy(hierarchy={"only": {"again": {"left": ["a"], "right": ["b", "c"]}}})
    model.fit(X, y)
    assert model.hierarchy_ == {"left": "a", "right": ["b", "c"]}
    assert list(model.nodes_) == ["root", "right"]
    assert model.score(X, y) > 0.9


def test_spelling_of_gtzan_genres():
    X, y = tables(["Hip-Hop", "Metal", "Jazz", "Blues"])
    model = zhang().fit(X, y)
    assert model.hierarchy_ == {"strong": ["Hip-Hop", "Metal"], "mild": ["Jazz", "Blues"]}


def test_other_labels_get_a_tree_of_the_most_similar():
    rng = np.random.default_rng(0)
    y = np.repeat([10, 20, 30, 40], 6)
    X = rng.normal(scale=0.1, size=(24, 3)) + np.repeat([0.0, 9.0, 1.0, 8.0], 6)[:, None]
    model = hierarchy().fit(X, y)
    groups = {frozenset(group) for group in model.hierarchy_.values()}
    assert groups == {frozenset({10, 30}), frozenset({20, 40})}
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match=r"knows the ten genres of GTZAN only; y holds \[10, 20"):
        hierarchy(hierarchy="gtzan").fit(X, y)


@pytest.mark.parametrize("n_genres", [3, 10, 12])  # 12: as text, "10" is before "2"
def test_grown_tree_does_not_depend_on_the_names_of_the_genres(n_genres):
    """Harnesses of scikit-learn encode the genres; names also decide no tie and no seed."""
    names = np.array([*GTZAN, "pop rock", "zouk"][:n_genres])
    X, y = tables(names)
    X[:, 0] = np.round(X[:, 0])  # genres at equal distances
    codes = np.searchsorted(np.sort(names), y)
    mixed = np.random.default_rng(0).permutation(n_genres)
    # A forest depends on its seed and on the order of its classes.
    model = HierarchicalGenreClassifier(RandomForestClassifier(5), random_state=0)
    expected = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, codes).predict_proba(X), expected)
    by_code = model.fit(X, mixed[codes]).predict_proba(X)
    np.testing.assert_array_equal(by_code[:, mixed], expected)


@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_cross_val_predict_answers_as_the_folds_do(method):
    X, y = tables(GTZAN)
    X += np.random.default_rng(1).normal(scale=0.8, size=X.shape)
    model = HierarchicalGenreClassifier(RandomForestClassifier(5), random_state=0)
    folds = list(StratifiedKFold(2).split(X, y))
    out = cross_val_predict(model, X, y, cv=folds, method=method)
    for train, test in folds:
        expected = getattr(clone(model).fit(X[train], y[train]), method)(X[test])
        np.testing.assert_array_equal(out[test], expected)


@pytest.mark.parametrize("tree", ["gtzan", {"loud": ["metal", "rock"], "calm": ["jazz"]}])
def test_tree_of_names_refuses_encoded_genres_and_says_what_to_do(tree):
    X, y = tables(["metal", "rock", "jazz"])
    model = hierarchy(hierarchy=tree)
    with pytest.raises(ValueError, match=r"'predict_proba'.*encode.*give a mapping of these"):
        cross_val_predict(model, X, y, cv=2, method="predict_proba")
    by_position = model.set_params(hierarchy={"loud": [1, 2], "calm": [0]})
    assert cross_val_predict(by_position, X, y, cv=2, method="predict_proba").shape == (18, 3)


def test_grown_tree_of_nd_features():
    X, y = make_tracks(labels=("ambient", "drone", "noise"))
    X[y == "drone"] = X[y == "ambient"] + 0.01
    X[y == "noise"] += 5
    model = HierarchicalGenreClassifier(small_mlp(), random_state=0).fit(X, y)
    assert model.hierarchy_["ambient-drone"] == ["ambient", "drone"]


def test_hierarchy_that_was_used_can_be_given_again():
    X, y = tables(GTZAN)
    first = zhang().fit(X, y)
    again = hierarchy(hierarchy=first.hierarchy_).fit(X, y)
    assert again.hierarchy_ == first.hierarchy_
    np.testing.assert_allclose(again.predict_proba(X), first.predict_proba(X))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"x": ["a"], "y": ["b"]}, "no place for 'c'"),
        ({"x": ["a", "b"], "y": ["b", "c"]}, "holds b more than once"),
    ],
)
def test_bad_hierarchies(tree, message):
    X, y = tables(["a", "b", "c"])
    with pytest.raises(ValueError, match=message):
        hierarchy(hierarchy=tree).fit(X, y)


def test_node_params():
    X, y = make_tracks(labels=("metal", "rock", "jazz"))
    model = HierarchicalGenreClassifier(
        small_mlp(), hierarchy="gtzan", node_params={"root": {"epochs": 2}, "strong": {"epochs": 3}}
    ).fit(X, y)
    assert {path: node.n_iter_ for path, node in model.nodes_.items()} == {"root": 2, "strong": 3}
    # A group of the tree without genres in y is known; one of another tree is not.
    model.set_params(node_params={"mild/disco-country": {"epochs": 9}}).fit(X, y)
    with pytest.raises(ValueError, match="names 'loud', but the nodes are 'root', 'strong'"):
        model.set_params(node_params={"loud": {}}).fit(X, y)
    model.set_params(hierarchy={"a": ["metal", "rock"], "b": {"c": ["jazz", "dub"]}})
    model.set_params(node_params={"b/c": {}}).fit(X, y)
    with pytest.raises(ValueError, match="names 'b/dub', but"):
        model.set_params(node_params={"b/dub": {}}).fit(X, y)


def test_seeds_of_nodes_do_not_depend_on_other_nodes():
    X, y = make_tracks(labels=("metal", "rock", "jazz"))
    first = HierarchicalGenreClassifier(small_mlp(), hierarchy="gtzan", random_state=0).fit(X, y)
    second = HierarchicalGenreClassifier(
        small_mlp(), hierarchy="gtzan", random_state=0, node_params={"root": {"epochs": 1}}
    ).fit(X, y)
    strong = [m.nodes_["strong"].predict_proba(X) for m in (first, second)]
    np.testing.assert_allclose(*strong, rtol=1e-5)
    assert first.nodes_["root"].random_state != first.nodes_["strong"].random_state


def test_segments_only_where_the_estimator_judges_them():
    X, y = tables(["a", "b", "c"])
    assert not hasattr(hierarchy().fit(X, y), "predict_segment_proba")
    assert hasattr(HierarchicalGenreClassifier(small_mlp()), "predict_segment_proba")
    assert hasattr(HierarchicalGenreClassifier(), "predict_segment_proba")


def test_weights_that_nobody_takes_are_refused():
    from sklearn.neighbors import KNeighborsClassifier

    X, y = tables(["a", "b", "c"])
    with pytest.raises(ValueError, match="KNeighborsClassifier takes none"):
        HierarchicalGenreClassifier(KNeighborsClassifier()).fit(X, y, np.ones(len(y)))


def test_names_of_grown_groups_make_way_for_genres():
    rng = np.random.default_rng(0)
    labels = ["folk", "rock", "folk-rock", "-", "a/b"]
    y = np.repeat(np.array(labels), 6)
    means = np.repeat([0.0, 0.5, 9.0, 20.0, 20.5], 6)
    X = rng.normal(scale=0.05, size=(30, 3)) + means[:, None]
    model = hierarchy().fit(X, y)
    assert model.score(X, y) > 0.9
    assert "(folk-rock)" in str(model.hierarchy_)


@pytest.mark.parametrize(
    "tree",
    [
        {"a/b": ["p", "q"], "a": {"b": ["r", "s"], "c": ["t"]}},
        {"root": ["p", "q"], "x": ["r", "s", "t"]},
        {1: ["p", "q"], "1": ["r", "s", "t"]},
    ],
)
def test_names_of_groups_that_collide(tree):
    X, y = tables(["p", "q", "r", "s", "t"])
    with pytest.raises(ValueError, match=r"has a group called '.*'.*give it another name"):
        hierarchy(hierarchy=tree).fit(X, y)


def test_genre_without_weight_takes_no_part():
    X, y = tables(["metal", "rock", "jazz"])
    model = zhang().fit(X, y, sample_weight=(y != "metal").astype(float))
    assert model.classes_.tolist() == ["jazz", "metal", "rock"]
    assert model.hierarchy_ == ["rock", "jazz"]
    assert (model.predict_proba(X)[:, 1] == 0).all()


def test_errors_name_the_node():
    X, y = tables(["metal", "rock", "jazz"])
    with pytest.raises(ValueError, match=r"At node 'strong': .*C.* parameter"):
        zhang(node_params={"strong": {"C": -1}}).fit(X, y)
