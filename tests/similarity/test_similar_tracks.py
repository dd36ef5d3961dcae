"""Nearest tracks over a catalogue: equal to the formula, in blocks, by other artists."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone

from skgenre import (
    GroupKernel,
    GroupScaler,
    PerTrack,
    RhythmExtractor,
    SimilarTracks,
    load,
    make_genres,
    save,
    similar,
)
from skgenre.similarity import _similar_tracks

NAMES = ["mfcc__0", "mfcc__1", "tempo__lag", "chroma__C", "chroma__D"]
LABELS = [name.partition("__")[0] for name in NAMES]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 5)) * [1, 10, 3, 0.1, 0.1]
NEW = RNG.normal(size=(7, 5)) * [1, 10, 3, 0.1, 0.1]
ARTISTS = np.array([f"artist {i % 8}" for i in range(50)])


def fit(X=X, labels=LABELS, groups=None, **params):
    model = SimilarTracks(front_end="passthrough", feature_groups=labels, **params)
    return model.fit(X, groups=groups)


def by_formula(new, X=X):
    scaler = GroupScaler(feature_groups=LABELS).fit(X)
    kernel = GroupKernel(feature_groups=LABELS).fit(scaler.transform(X))
    return kernel.transform(scaler.transform(new))


def test_new_tracks_find_the_nearest_of_the_catalogue():
    similarities = by_formula(NEW)
    distances, indices = fit().kneighbors(NEW, n_neighbors=4)
    np.testing.assert_array_equal(indices, np.argsort(-similarities, axis=1)[:, :4])
    np.testing.assert_allclose(1 - distances, -np.sort(-similarities, axis=1)[:, :4], rtol=1e-9)
    np.testing.assert_array_equal(fit().kneighbors(NEW, 4, return_distance=False), indices)


def test_tracks_of_the_catalogue_are_not_their_own_neighbours():
    similarities = by_formula(X)
    np.fill_diagonal(similarities, -1)
    found = fit(n_neighbors=3).neighbors()
    np.testing.assert_array_equal(found.indices, np.argsort(-similarities, axis=1)[:, :3])
    assert found.names is None
    copies = np.repeat(X[:10], 2, axis=0)  # of which each is the nearest of the other
    distances, indices = fit(copies).kneighbors(n_neighbors=1)
    assert indices[:, 0].tolist() == [i + 1 - 2 * (i % 2) for i in range(20)]
    np.testing.assert_allclose(distances, 0, atol=1e-9)


@pytest.mark.parametrize("together", [1, 3, 20, 50])
def test_blocks_change_nothing(monkeypatch, together):
    expected = fit(other_artists=True, groups=ARTISTS).kneighbors()
    monkeypatch.setattr(_similar_tracks, "_CATALOGUE_TOGETHER", together)
    monkeypatch.setattr(_similar_tracks, "_QUERIES_TOGETHER", 7)
    distances, indices = fit(other_artists=True, groups=ARTISTS).kneighbors()
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_allclose(distances, expected[0], atol=1e-12)


def test_a_sample_sets_the_scales_of_a_large_catalogue(monkeypatch):
    monkeypatch.setattr(_similar_tracks, "_N_SCALED", 40)
    monkeypatch.setattr(_similar_tracks, "_N_COMPARED", 30)
    large = np.random.default_rng(1).normal(size=(300, 5))
    model = fit(large, random_state=0)
    assert model.kernel_.X_fit_.shape == (30, 5)
    assert model.X_fit_.shape == (300, 5)
    assert model.kneighbors(large, 1)[1][:, 0].tolist() == list(range(300))
    again = fit(large, random_state=0)
    np.testing.assert_array_equal(again.kernel_.scales_, model.kernel_.scales_)


def test_neighbours_are_by_other_artists_where_asked_for():
    model = fit(other_artists=True, groups=ARTISTS)
    similarities = by_formula(X)
    similarities[ARTISTS[:, np.newaxis] == ARTISTS] = -1
    indices = model.kneighbors(return_distance=False)
    np.testing.assert_array_equal(indices, np.argsort(-similarities, axis=1)[:, :5])
    of_new = np.array(["artist 0"] * 6 + ["someone else"])
    found = model.kneighbors(NEW, return_distance=False, groups=of_new)
    assert (ARTISTS[found[:6]] != "artist 0").all()
    np.testing.assert_array_equal(found[6], fit().kneighbors(NEW, return_distance=False)[6])
    with pytest.raises(ValueError, match="needs groups, the artist of each track of X"):
        model.kneighbors(NEW)
    with pytest.raises(ValueError, match="other_artists=True needs groups"):
        fit(other_artists=True)
    with pytest.raises(ValueError, match="fit again"):
        fit().set_params(other_artists=True).kneighbors()
    with pytest.raises(ValueError, match="no artist for 1 of 50 tracks"):
        fit(other_artists=True, groups=[None, *ARTISTS[1:]])


def test_missing_neighbours_are_marked():
    artists = np.repeat(["most", "few"], [48, 2])
    found = fit(other_artists=True, groups=artists).neighbors()
    assert (found.indices[:48, 2:] == -1).all()
    assert np.isnan(found.similarities[:48, 2:]).all()
    assert sorted(found.indices[0, :2]) == [48, 49]
    assert (found.indices[48:] >= 0).all()
    assert len(found.to_frame()) == 48 * 2 + 2 * 5


def test_auto_reads_the_feature_groups_from_names():
    named = pd.DataFrame(X, columns=NAMES)
    model = fit(named, labels="auto")
    assert model.kernel_.feature_groups_ == ["mfcc", "tempo", "chroma"]
    np.testing.assert_array_equal(model.kneighbors()[1], fit().kneighbors()[1])
    assert fit(labels="auto").kernel_.feature_groups_ == [""]
    with pytest.raises(ValueError, match=r"feature_groups has the shape \(3,\)"):
        fit(labels=["a", "b", "c"])


@pytest.mark.parametrize("k", [0, 50, 2.5])
def test_a_wrong_number_of_neighbours_is_refused(k):
    with pytest.raises(ValueError, match=f"n_neighbors={k} must be an int from 1 to 49"):
        fit().kneighbors(n_neighbors=k)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return make_genres(
        4,
        genres=["dub", "swing"],
        duration=1.0,
        overlap=0.0,
        path=tmp_path_factory.mktemp("music"),
        random_state=0,
    )


def test_files_are_compared_and_named(music, tmp_path):
    found = similar(music.data, k=2, memory=tmp_path / "memory")
    assert (music.target[found.indices] == music.target[:, np.newaxis]).mean() > 0.8
    np.testing.assert_array_equal(found.names, np.array(music.data, dtype=str)[found.indices])
    assert found.to_frame().columns.tolist() == ["track", "rank", "index", "similarity", "name"]
    others = similar(music.data, k=2, artists=music.artists, memory=tmp_path / "memory")
    assert (music.artists[others.indices] != music.artists[:, np.newaxis]).all()
    with pytest.raises(ValueError, match="X is a single path"):
        similar(str(music.data[0]))


def test_a_front_end_of_your_own_is_used(music):
    waveforms = make_genres(3, genres=["dub", "swing"], duration=2.0, random_state=0).data
    rhythm = RhythmExtractor()
    model = SimilarTracks(2, front_end=PerTrack(rhythm)).fit(waveforms)
    names = rhythm.get_feature_names_out()
    assert model.X_fit_.shape == (6, len(names))
    expected = fit(rhythm.fit_transform(waveforms), [n.rpartition("__")[0] for n in names])
    np.testing.assert_array_equal(model.kneighbors()[1], expected.kneighbors(n_neighbors=2)[1])
    np.testing.assert_array_equal(model.kneighbors(waveforms, 1)[1][:, 0], np.arange(6))


def test_copies_search_equally_and_model_files_keep_paths_only_if_asked(music, tmp_path):
    model = SimilarTracks(3).fit(music.data)
    expected = model.neighbors(music.data[:3])
    assert expected.names[:, 0].tolist() == [str(path) for path in music.data[:3]]
    for keep in (False, True):
        loaded = load(save(model, tmp_path / "model.skgenre", keep_paths=keep))
        found = loaded.neighbors(music.data[:3])
        np.testing.assert_array_equal(found.indices, expected.indices)
        assert (found.names is not None) == keep
    pickled = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(pickled.neighbors(music.data[:3]).names, expected.names)
    assert not hasattr(clone(model), "X_fit_")
    loaded.set_params(memory=tmp_path / "memory").neighbors(music.data[:3])
    assert any((tmp_path / "memory").iterdir())  # read when it is used


def test_tables_of_pandas_in_the_configuration_change_nothing():
    with config_context(transform_output="pandas"):  # a warning would be an error here
        model = fit()
        found = model.neighbors(n_neighbors=3), model.neighbors(NEW, 3)
    for some, expected in zip(
        found, (fit().neighbors(n_neighbors=3), fit().neighbors(NEW, 3)), strict=True
    ):
        np.testing.assert_array_equal(some.indices, expected.indices)
        np.testing.assert_array_equal(some.similarities, expected.similarities)
