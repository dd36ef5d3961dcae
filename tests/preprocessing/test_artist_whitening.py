from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.linalg import sqrtm
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgenre import ArtistWhitening, GroupKernel, GroupScaler

# Groups of columns that do not stand together.
COLUMN_GROUPS = ["mfcc", "tempo", "mfcc", "chroma", "tempo"]
NAMES = ["mfcc__0", "tempo__lag", "mfcc__1_std", "chroma__C", "tempo__beat"]
WHITENED = ["mfcc__artistwhitening0", "mfcc__artistwhitening1", "tempo__artistwhitening2"]
WHITENED += ["tempo__artistwhitening3", "chroma__artistwhitening4"]


def tracks(n_artists=30, n_columns=5, seed=0):
    """Return features, genres and artists; artists differ more than genres.

    Artists have 2 to 9 tracks, so that tracks and artists count differently.
    """
    rng = np.random.default_rng(seed)
    artist = np.repeat(np.arange(n_artists), rng.integers(2, 10, size=n_artists))
    genre = np.array(["blues", "jazz", "rock"])[artist % 3]
    mixing = rng.normal(size=(n_columns, n_columns))
    X = rng.normal(size=(len(artist), n_columns))
    X += (4 * rng.normal(size=(n_artists, n_columns)) @ mixing)[artist]
    X += 3 * (artist % 3)[:, np.newaxis]
    return X, genre, artist


def between_artists(X, y, groups):
    """Return the covariance of artists' means around their genre's mean, by hand."""
    total, free = 0, 0
    for genre in np.unique(y):
        artists = np.unique(groups[y == genre])
        means = [X[(y == genre) & (groups == artist)].mean(axis=0) for artist in artists]
        apart = np.array(means) - np.mean(means, axis=0)
        total = total + sum(np.outer(row, row) for row in apart)
        free += len(artists) - 1
    return total / free


class Whitened(ArtistWhitening):
    """ArtistWhitening with artists of its own, for checks that give none."""

    def fit(self, X, y=None, groups=None):
        n = X.shape[0] if hasattr(X, "shape") else len(np.asarray(X))
        return super().fit(X, np.zeros(n), np.arange(n) // 2)


@parametrize_with_checks([Whitened(n_components=3)])
def test_scikit_learn_check_while_it_whitens(estimator, check):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ArtistWhitening.fit found no genre")
        check(estimator)


def test_artists_have_the_identity_as_covariance():
    X, y, groups = tracks()
    Xt = ArtistWhitening(shrinkage=0).fit_transform(X, y, groups=groups)
    np.testing.assert_allclose(between_artists(Xt, y, groups), np.eye(5), atol=1e-8)
    assert not np.allclose(between_artists(X, y, groups), np.eye(5), atol=0.5)


@pytest.mark.parametrize("n_components", [3, 5])
@pytest.mark.parametrize("shrinkage", [0.0, 0.5, 0.9])
def test_equals_the_formula(shrinkage, n_components):
    X, y, groups = tracks()
    new = tracks(seed=1)[0]
    model = ArtistWhitening(shrinkage=shrinkage, n_components=n_components)
    Xt = model.fit(X, y, groups=groups).transform(new)
    pca = PCA(n_components).fit(X)
    W = between_artists(pca.transform(X), y, groups)
    S = (1 - shrinkage) * W + shrinkage * np.trace(W) / n_components * np.eye(n_components)
    expected = pca.transform(new) @ np.linalg.inv(sqrtm(S))
    # Each may turn a component to its opposite, which the distances do not show.
    np.testing.assert_allclose(Xt @ Xt.T, expected @ expected.T, rtol=1e-6, atol=1e-6)


def test_full_shrinkage_only_turns_and_scales():
    X, y, groups = tracks()
    Xt = ArtistWhitening(shrinkage=1).fit_transform(X, y, groups=groups)
    before = np.linalg.norm(X[:, np.newaxis] - X, axis=2)
    after = np.linalg.norm(Xt[:, np.newaxis] - Xt, axis=2)
    off = ~np.eye(len(X), dtype=bool)
    ratios = after[off] / before[off]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)


def test_an_artist_counts_once_however_many_tracks():
    X, y, groups = tracks()
    again = np.concatenate([np.arange(len(X)), np.repeat(np.flatnonzero(groups == 4), 20)])
    both = np.concatenate([X, X[again]])  # the same means, many more tracks of one artist
    double = [np.concatenate([a, a[again]]) for a in (y, groups)]
    assert between_artists(both, *double) == pytest.approx(between_artists(X, y, groups))
    mean = X.mean(axis=0)
    one, other = (
        model.transform(X) - model.transform(mean[np.newaxis])
        for model in (
            ArtistWhitening().fit(X, y, groups=groups),
            ArtistWhitening().fit(both, double[0], groups=double[1]),
        )
    )
    np.testing.assert_allclose(one @ one.T, other @ other.T, rtol=1e-8, atol=1e-8)


def test_order_of_tracks_and_kind_of_labels_do_not_matter():
    X, y, groups = tracks()
    expected = ArtistWhitening().fit(X, y, groups=groups).transform(X)
    turn = np.random.default_rng(1).permutation(len(X))
    names = np.array([f"artist {i}" for i in groups], dtype=object)
    for labels in (names, pd.Series(names, index=turn), names.tolist()):
        same = ArtistWhitening().fit(X, y, groups=labels).transform(X)
        np.testing.assert_allclose(same, expected)
    turned = ArtistWhitening().fit(X[turn], y[turn], groups=groups[turn]).transform(X)
    np.testing.assert_allclose(turned, expected, rtol=1e-6, atol=1e-8)


def test_an_artist_in_two_genres_counts_as_two():
    X, y, groups = tracks()
    shared = np.where(groups == 1, 0, groups)  # 0 plays blues, 1 plays jazz
    Xt = ArtistWhitening().fit_transform(X, y, groups=shared)
    np.testing.assert_allclose(Xt, ArtistWhitening().fit_transform(X, y, groups=groups))


def test_helps_where_artists_differ_more_than_genres():
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(60), 5)
    genre = artist % 2
    X = rng.normal(size=(300, 4))
    X[:, 0] += 20 * rng.normal(size=60)[artist]
    X[:, 1] += 3 * genre
    folds = StratifiedGroupKFold(5)
    model = make_pipeline(ArtistWhitening(shrinkage=0.01), KNeighborsClassifier())
    plain = cross_val_score(model[-1], X, genre, groups=artist, cv=folds).mean()
    with sklearn.config_context(enable_metadata_routing=True):
        model[0].set_fit_request(groups=True)
        given = cross_val_score(model, X, genre, params={"groups": artist}, cv=folds).mean()
    assert plain < 0.75
    assert given > 0.85


def test_groups_reach_it_through_a_pipeline():
    X, y, groups = tracks()
    model = make_pipeline(GroupScaler(), ArtistWhitening(), KNeighborsClassifier())
    by_name = clone(model).fit(X, y, artistwhitening__groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        model[1].set_fit_request(groups=True)
        routed = clone(model).fit(X, y, groups=groups)
    (projection,) = by_name[1].projections_
    assert projection.shape == (5, 5)
    np.testing.assert_array_equal(routed[1].projections_[0], projection)


def test_without_artists_features_pass_through_with_one_warning():
    X, y, _ = tracks()
    with pytest.warns(
        UserWarning, match=r"got no groups\. Give .*artistwhitening__groups.*pass through"
    ) as caught:
        Xt = ArtistWhitening().fit(X, y).transform(X)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(Xt, X)
    np.testing.assert_array_equal(ArtistWhitening(without_groups="pass").fit_transform(X, y), X)
    with pytest.raises(ValueError, match="got no groups"):
        ArtistWhitening(without_groups="raise").fit(X, y)


def test_features_pass_through_with_one_artist_a_genre():
    X, y, _ = tracks()
    with pytest.warns(UserWarning, match="found no genre with two artists"):
        Xt = ArtistWhitening().fit(X, y, groups=y).transform(X)
    np.testing.assert_array_equal(Xt, X)


def test_a_genre_of_one_artist_adds_nothing():
    X, y, groups = tracks()
    alone = np.concatenate([X, X[:3] + 1])
    genres = np.concatenate([y, ["reggae"] * 3])
    artists = np.concatenate([groups, [99] * 3])
    Xt = ArtistWhitening(shrinkage=0).fit(alone, genres, groups=artists).transform(X)
    np.testing.assert_allclose(between_artists(Xt, y, groups), np.eye(5), atol=1e-8)


def test_more_columns_than_tracks():
    X, y, groups = tracks(n_artists=12, n_columns=150)
    model = ArtistWhitening().fit(X, y, groups=groups)
    Xt = model.transform(X)
    assert Xt.shape == (len(X), min(len(X) - 1, 150))
    assert np.isfinite(Xt).all()
    with pytest.raises(ValueError, match=r"shrinkage=0 .*9 artists.*components.*lower n_comp"):
        ArtistWhitening(shrinkage=0).fit(X, y, groups=groups)
    assert ArtistWhitening(n_components=7).fit_transform(X, y, groups=groups).shape[1] == 7


def test_artists_that_do_not_differ_leave_the_shape_as_it_is():
    X, y, groups = np.tile([[1.0, 0], [-1, 0], [0, 2], [0, -2]], (4, 1)), ["a"] * 16, [0, 1]
    Xt = ArtistWhitening().fit_transform(X, y, groups=np.repeat(groups, 8))
    np.testing.assert_allclose(np.abs(Xt), np.abs(X[:, ::-1]), atol=1e-12)


def test_constant_table():
    Xt = ArtistWhitening().fit_transform(np.ones((6, 3)), ["a"] * 6, groups=[0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(Xt, np.zeros((6, 1)))


def test_float32_stays():
    X, y, groups = tracks()
    model = ArtistWhitening().fit(X.astype(np.float32), y, groups=groups)
    Xt = model.transform(X.astype(np.float32))
    assert Xt.dtype == np.float32
    expected = ArtistWhitening().fit(X, y, groups=groups).transform(X)
    np.testing.assert_allclose(Xt, expected, atol=1e-3)


def test_names():
    X, y, groups = tracks()
    table = pd.DataFrame(X, columns=list("abcde"))
    model = ArtistWhitening(n_components=2).set_output(transform="pandas")
    Xt = model.fit(table, y, groups=groups).transform(table)
    assert Xt.columns.tolist() == ["artistwhitening0", "artistwhitening1"]
    model.set_params(without_groups="pass")
    assert model.fit(table, y).transform(table).columns.tolist() == list("abcde")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": None}, "got groups but no y"),
        ({"groups": np.arange(5)}, "inconsistent numbers of samples"),
        ({"groups": np.full(175, np.nan)}, "no artist for 175 of 175 tracks, first for track 0"),
        (
            {"groups": [*"ab" * 87, None]},
            r"no artist for 1 of 175 tracks, first for track 174.*give",
        ),
    ],
)
def test_bad_input(change, message):
    X, y, groups = tracks()
    given = {"y": y, "groups": groups, **change}
    with pytest.raises(ValueError, match=message):
        ArtistWhitening().fit(X, **given)


@pytest.mark.parametrize("params", [{}, {"shrinkage": 0.1}, {"n_components": 1}])
def test_a_column_group_is_whitened_as_if_alone(params):
    X, y, groups = tracks()
    new = tracks(seed=1)[0]
    model = ArtistWhitening(feature_groups=COLUMN_GROUPS, **params).fit(X, y, groups=groups)
    alone = [
        ArtistWhitening(**params).fit(X[:, columns], y, groups=groups).transform(new[:, columns])
        for columns in ([0, 2], [1, 4], [3])
    ]
    np.testing.assert_allclose(model.transform(new), np.concatenate(alone, axis=1), rtol=1e-10)
    widths = [part.shape[1] for part in alone]
    assert [projection.shape[1] for projection in model.projections_] == widths
    assert model.feature_groups_.tolist() == [
        group
        for group, width in zip(("mfcc", "tempo", "chroma"), widths, strict=True)
        for _ in range(width)
    ]
    names = model.get_feature_names_out().tolist()
    if not params:
        assert names == WHITENED
    assert names[0] == "mfcc__artistwhitening0"
    assert len(names) == sum(widths)


def test_column_groups_make_a_difference_and_one_group_makes_none():
    X, y, groups = tracks()
    plain = ArtistWhitening().fit(X, y, groups=groups)
    assert plain.feature_groups_.tolist() == [""] * 5
    expected = plain.transform(X)
    one = ArtistWhitening(feature_groups=["all"] * 5).fit(X, y, groups=groups)
    np.testing.assert_array_equal(one.transform(X), expected)
    assert one.get_feature_names_out()[4] == "all__artistwhitening4"
    several = ArtistWhitening(feature_groups=COLUMN_GROUPS).fit(X, y, groups=groups).transform(X)
    assert not np.allclose(several @ several.T, expected @ expected.T, rtol=0.1)
    # Columns without a prefix, or without names, are one group, which needs no name.
    auto = ArtistWhitening(feature_groups="auto").fit(X, y, groups=groups)
    np.testing.assert_array_equal(auto.transform(X), expected)
    assert auto.get_feature_names_out()[0] == "artistwhitening0"


def test_column_groups_from_the_names_of_a_data_frame():
    X, y, groups = tracks()
    table = pd.DataFrame(X, columns=NAMES)
    model = ArtistWhitening(feature_groups="auto").set_output(transform="pandas")
    Xt = model.fit(table, y, groups=groups).transform(table)
    assert Xt.columns.tolist() == WHITENED
    assert model.feature_groups_.tolist() == ["mfcc", "mfcc", "tempo", "tempo", "chroma"]
    labelled = ArtistWhitening(feature_groups=COLUMN_GROUPS).fit(X, y, groups=groups)
    np.testing.assert_allclose(Xt, labelled.transform(X), rtol=1e-8, atol=1e-12)
    # Labels win over names, and None does not look at them.
    model.set_params(feature_groups=list("aaabb")).fit(table, y, groups=groups)
    assert model.feature_groups_.tolist() == list("aaabb")
    model.set_params(feature_groups=None).fit(table, y, groups=groups)
    assert model.feature_groups_.tolist() == [""] * 5


def test_column_groups_of_tables_that_pass_through():
    X, y, _ = tracks()
    model = ArtistWhitening(feature_groups=COLUMN_GROUPS, without_groups="pass").fit(X, y)
    np.testing.assert_array_equal(model.transform(X), X)
    assert model.projections_ is None
    assert model.feature_groups_.tolist() == COLUMN_GROUPS
    table = pd.DataFrame(X, columns=NAMES)
    model.set_params(feature_groups="auto").fit(table, y)
    assert model.feature_groups_.tolist() == COLUMN_GROUPS
    assert model.get_feature_names_out().tolist() == NAMES


def test_a_constant_column_group_becomes_zero_and_leaves_the_others_alone():
    X, y, groups = tracks()
    expected = ArtistWhitening(feature_groups=COLUMN_GROUPS).fit_transform(X, y, groups=groups)
    X[:, 3] = 0.1
    Xt = ArtistWhitening(feature_groups=COLUMN_GROUPS).fit_transform(X, y, groups=groups)
    np.testing.assert_allclose(Xt[:, :4], expected[:, :4])
    np.testing.assert_allclose(Xt[:, 4], 0, atol=1e-12)


def test_group_kernel_finds_the_column_groups():
    X, y, groups = tracks()
    table = pd.DataFrame(X, columns=NAMES)
    whitening = ArtistWhitening(feature_groups="auto").set_output(transform="pandas")
    model = make_pipeline(whitening, GroupKernel(), SVC(kernel="precomputed"))
    model.fit(table, y, artistwhitening__groups=groups)
    kernel = model[1]
    assert kernel.feature_groups_ == ["mfcc", "tempo", "chroma"]
    labelled = ArtistWhitening(feature_groups=COLUMN_GROUPS).fit(X, y, groups=groups)
    whitened = labelled.transform(X)
    by_labels = GroupKernel(feature_groups=labelled.feature_groups_).fit_transform(whitened)
    np.testing.assert_allclose(model[:2].transform(table), by_labels)
    assert not np.allclose(by_labels, GroupKernel().fit_transform(whitened), atol=0.1)
    assert (model.predict(table) == y).mean() > 0.5
    # Where tables pass through, it finds the groups in the names of the data frame.
    model[0].set_params(without_groups="pass")
    assert model.fit(table, y)[1].feature_groups_ == ["mfcc", "tempo", "chroma"]


def test_names_that_hold_two_underlines_keep_their_group():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(6, 2)), columns=["a__b__c", "d"])
    model = ArtistWhitening(feature_groups=["mfcc", "modulation"], without_groups="pass").fit(X)
    names = [name.rpartition("__")[0] for name in model.get_feature_names_out()]
    assert names == ["mfcc", "modulation"]


@pytest.mark.parametrize("groups", [None, list("abababab")])
def test_kept_columns_have_the_distances_of_the_components(groups):
    rng = np.random.default_rng(0)
    X, y, artists = rng.normal(size=(60, 8)), np.repeat(["a", "b"], 30), np.arange(60) // 5
    whitening = ArtistWhitening(feature_groups=groups, n_components=3)
    components = whitening.fit(X, y, groups=artists).transform(X)
    kept = ArtistWhitening(feature_groups=groups, n_components=3, keep_columns=True)
    columns = kept.fit(X, y, groups=artists).transform(X)
    assert columns.shape == X.shape
    np.testing.assert_allclose(
        euclidean_distances(columns), euclidean_distances(components), atol=1e-6
    )
    assert kept.get_feature_names_out(list("pqrstuvw")).tolist() == list("pqrstuvw")
    assert kept.feature_groups_.tolist() == (groups or [""] * 8)


@pytest.mark.parametrize("keep_columns", [False, True])
def test_many_tracks_give_the_components_of_few(monkeypatch, keep_columns):
    from skgenre.preprocessing import _artist_whitening

    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 6)) @ rng.normal(size=(6, 8))  # two directions have no variance
    y, artists = np.arange(5000) % 3, np.arange(5000) // 5
    model = ArtistWhitening(n_components=5, keep_columns=keep_columns)
    exact = model.fit(X, y, groups=artists).transform(X)  # in more than one part
    rows = np.concatenate(
        [model.transform(X[start : start + 1000]) for start in range(0, 5000, 1000)]
    )
    np.testing.assert_allclose(exact, rows, atol=1e-10)
    monkeypatch.setattr(_artist_whitening, "_MAX_DECOMPOSED", 4999)
    many = clone(model).fit(X, y, groups=artists)
    assert [part.shape[1] for part in many.components_] == [5]
    np.testing.assert_allclose(many.transform(X), exact, atol=1e-8)
