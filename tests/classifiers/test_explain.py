"""Scores of the recommended model as exact sums over feature groups, and its nearest tracks."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from _musicnn import SmallWeights

from skgenre import ClipFeatures, GenreClassifier, NoSoundWarning, load, make_genres, save

LABELS = ClipFeatures().get_feature_groups_out()
GROUPS = list(dict.fromkeys(LABELS))
GENRES = ["dub", "jazz", "rock"]


def tracks(n=60, genres=GENRES, seed=0):
    """Return a table like that of the front end, and genres; each genre is heard in its group."""
    rng = np.random.default_rng(seed)
    y = np.array(genres)[np.arange(n) % len(genres)]
    X = rng.normal(size=(n, len(LABELS) + 1)).astype(np.float32)
    for genre, group in zip(genres, ("tempo", "chroma", "mfcc", "spec"), strict=False):
        X[np.ix_(y == genre, np.flatnonzero(group == LABELS))] += 1
    X[:, -1] = 1  # has sound
    return X, y


X, Y = tracks()
NEW, NEW_Y = tracks(12, seed=1)
ARTISTS = np.arange(60) // 2


def fit(members=("svc", "svc_whitened"), X=X, y=Y, artists=ARTISTS, **params):
    model = GenreClassifier(members, n_excerpts=0, precomputed=True, random_state=0, **params)
    return model.fit(X, y, groups=artists)


@pytest.fixture(scope="module")
def model():
    return fit()


def decisions(model, member, X):
    """Return the machine's own score of each pair, positive for the first genre."""
    found = model.members_[member].estimator_.decision_function(X[:, :-1])
    n_classes = len(model.classes_)
    if found.ndim == 1:
        return -found[:, np.newaxis]
    if found.shape[1] == n_classes != n_classes * (n_classes - 1) // 2:
        first, second = np.triu_indices(n_classes, 1)
        return found[:, first] - found[:, second]
    return found


def test_an_explanation_prints_on_one_line(model):
    shown = repr(model.explain(NEW))
    assert "\n" not in shown
    assert "n_tracks=12, n_classes=3, n_groups=13" in shown


@pytest.mark.parametrize("genres", [["dub", "jazz"], GENRES, [*GENRES, "soul"]], ids=len)
@pytest.mark.parametrize("max_exact", [5000, 10], ids=["exact", "landmarks"])
def test_scores_are_exact_sums_over_feature_groups(genres, max_exact, monkeypatch):
    from skgenre.classifiers import _members

    monkeypatch.setattr(_members, "MAX_EXACT", max_exact)
    monkeypatch.setattr(_members, "N_LANDMARKS", 25)
    X, y = tracks(48, genres)
    model = fit(X=X, y=y, artists=np.arange(48) // 2)
    new, _ = tracks(7, genres, seed=1)
    each = []
    atol = 1e-10 if max_exact > len(X) else 1e-5  # features of landmarks are float32
    for member in model.members_:
        found = model.explain(new, member=member)
        assert found.members == (member,)
        assert found.feature_groups == GROUPS
        score = decisions(model, member, new)
        if max_exact == 10 and len(genres) == 3:  # as many pairs as genres
            of_genre = model.members_[member].estimator_.decision_function(new[:, :-1])
            score = of_genre[:, [0, 0, 1]] - of_genre[:, [1, 2, 2]]
        np.testing.assert_allclose(
            found.pair_contributions.sum(axis=2) + found.pair_intercept, score, atol=atol
        )
        each.append(score)
    both = model.explain(new)
    np.testing.assert_allclose(both.pair_scores, np.mean(each, axis=0), atol=atol)


MUSICNN = ["musicnn_mean", "musicnn_penultimate", "musicnn_max", "musicnn_logits"]


@pytest.mark.parametrize("n_excerpts", [0, 2])
@pytest.mark.parametrize(("n_tracks", "weight"), [(18, 3), (48, 2)])
@pytest.mark.parametrize("max_exact", [5000, 10], ids=["exact", "landmarks"])
def test_embeddings_have_exact_parts_too(n_excerpts, n_tracks, weight, max_exact, monkeypatch):
    from skgenre.classifiers import _members

    monkeypatch.setattr(_members, "MAX_EXACT", max_exact)
    monkeypatch.setattr(_members, "N_LANDMARKS", 20)
    model = GenreClassifier(
        embeddings=SmallWeights(), precomputed=True, n_excerpts=n_excerpts, random_state=0
    )
    columns = model.split_front_end()[0].get_feature_names_out().astype(str)
    rng = np.random.default_rng(0)
    y = np.resize(["dub", "jazz"], n_tracks)
    table = rng.normal(size=(n_tracks, len(columns)))
    heard = np.char.startswith(columns, "embeddings__track__musicnn_max__")
    table[np.ix_(y == "jazz", heard)] += 2
    table[:, np.char.startswith(columns, "sound__")] = 1
    model.fit(table, y, groups=np.arange(n_tracks) // 2)
    whole = np.char.startswith(columns, "clip__track__") | np.char.startswith(
        columns, "embeddings__track__"
    )
    X = table[:, whole].astype(np.float32)
    found = model.explain(table)
    assert found.feature_groups == [*GROUPS, *MUSICNN]
    expected = -np.mean(
        [member.estimator_.decision_function(X) for member in model.members_.values()], axis=0
    )
    np.testing.assert_allclose(found.pair_scores[:, 0], expected, atol=1e-10)
    for member in model.members_.values():
        assert (member.estimator_["kernel"].group_weights_[-4:] == weight).all()
    # Where a genre is heard in a group, that group speaks for it.
    parts = found.contributions[y == "jazz", 1]
    assert parts.mean(axis=0).argmax() == found.feature_groups.index("musicnn_max")
    kernels = [
        member.estimator_["kernel"].similarities(member.estimator_[:-2].transform(X))
        for member in model.members_.values()
    ]
    similarity = np.mean(kernels, axis=0)
    near = model.neighbors(table, k=3)
    np.testing.assert_allclose(near.similarities, -np.sort(-similarity, axis=1)[:, :3])


def test_the_score_of_a_genre_is_the_mean_of_its_pairs(model):
    found = model.explain(NEW)
    dub_jazz, dub_rock, jazz_rock = found.pair_scores.T
    expected = np.stack([dub_jazz + dub_rock, jazz_rock - dub_jazz, -dub_rock - jazz_rock], axis=1)
    np.testing.assert_allclose(found.scores, expected / 2, atol=1e-12)
    np.testing.assert_allclose(
        found.contributions.sum(axis=2) + found.intercept, found.scores, atol=1e-12
    )
    assert found.contributions.shape == (12, 3, 13)
    against, rest = found.between("jazz", "dub")
    np.testing.assert_allclose(against.sum(axis=1) + rest, -dub_jazz, atol=1e-12)
    with pytest.raises(ValueError, match="Unknown genre 'polka'; the model knows"):
        found.between("jazz", "polka")
    with pytest.raises(ValueError, match="Both genres are 'jazz'"):
        found.between("jazz", "jazz")


def test_the_group_in_which_a_genre_is_heard_speaks_for_it(model):
    found = model.explain(NEW)
    assert (found.classes[found.scores.argmax(axis=1)] == NEW_Y).all()
    for genre, group in zip(GENRES, ("tempo", "chroma", "mfcc"), strict=True):
        parts = found.contributions[genre == NEW_Y, found.index(genre)]
        assert {found.feature_groups[i] for i in parts.argmax(axis=1)} == {group}


def test_the_intercept_is_the_score_of_an_average_training_track(model):
    found = model.explain(X)
    mean = np.mean([found.contributions[genre == Y].mean(axis=0) for genre in GENRES], axis=0)
    np.testing.assert_allclose(mean, 0, atol=1e-10)


def test_contributions_make_a_table(model):
    found = model.explain(NEW[:2])
    frame = found.to_frame()
    assert frame.columns.tolist() == [*GROUPS, "intercept", "score"]
    assert frame.index.tolist() == [(track, genre) for track in (0, 1) for genre in GENRES]
    np.testing.assert_allclose(frame.iloc[:, :-1].sum(axis=1), frame["score"], atol=1e-12)
    assert frame.loc[(1, "jazz"), "tempo"] == found.contributions[1, 1, GROUPS.index("tempo")]
    assert isinstance(frame, pd.DataFrame)


def test_groups_without_variation_contribute_nothing():
    constant = X.copy()
    constant[:, :-1][:, LABELS == "tonal"] = 3
    model = fit(X=constant)
    new = NEW.copy()
    new[:, :-1][:, LABELS == "tonal"] = 3
    found = model.explain(new)
    assert (found.contributions[:, :, GROUPS.index("tonal")] == 0).all()
    expected = np.mean([decisions(model, name, new) for name in model.members_], axis=0)
    np.testing.assert_allclose(found.pair_scores, expected, atol=1e-10)


def test_tracks_without_sound_are_not_explained_and_have_no_similarities(model):
    silent = NEW[:3].copy()
    silent[1, -1] = 0
    with pytest.warns(NoSoundWarning, match="row 1. Their contributions are NaN"):
        found = model.explain(silent)
    assert np.isnan(found.scores).all(axis=1).tolist() == [False, True, False]
    with pytest.warns(NoSoundWarning, match="row 1. Their similarities are NaN"):
        near = model.neighbors(silent)
    assert np.isnan(near.similarities).all(axis=1).tolist() == [False, True, False]


@pytest.mark.slow
def test_only_machines_are_explained():
    model = fit(("svc", "lda"), X=X[:12], y=Y[:12], artists=None)
    assert model.explain(NEW).members == ("svc",)
    with pytest.raises(ValueError, match="member='lda' cannot be explained; choose from 'svc'"):
        model.explain(NEW, member="lda")
    del model.members_["svc"]
    with pytest.raises(ValueError, match=r"Only the members 'svc' .* this model has 'lda'"):
        model.explain(NEW)
    with pytest.raises(ValueError, match="can compare tracks by feature groups"):
        model.neighbors(NEW)


def test_neighbors_are_nearest_by_the_mean_of_the_machines_kernels(model):
    kernels = [
        member.estimator_["kernel"].transform(member.estimator_[:-2].transform(NEW[:, :-1]))
        for member in model.members_.values()
    ]
    expected = np.mean(kernels, axis=0)
    found = model.neighbors(NEW, k=4)
    np.testing.assert_array_equal(found.indices, np.argsort(-expected, axis=1)[:, :4])
    np.testing.assert_allclose(found.similarities, -np.sort(-expected, axis=1)[:, :4])
    np.testing.assert_array_equal(found.genres, Y[found.indices])
    assert found.names is None
    own = model.neighbors(X, k=1)
    assert own.indices[:, 0].tolist() == list(range(60))
    np.testing.assert_allclose(own.similarities, 1, atol=1e-6)
    frame = found.to_frame()
    assert frame.columns.tolist() == ["track", "rank", "index", "similarity", "genre"]
    assert frame["index"].tolist() == found.indices.ravel().tolist()


@pytest.mark.parametrize("k", [0, 61, 1.5])
def test_a_wrong_number_of_neighbors_is_refused(model, k):
    with pytest.raises(ValueError, match=f"k={k} must be an int from 1 to 60"):
        model.neighbors(NEW, k)


def test_neighbors_of_many_tracks_are_among_the_landmarks(monkeypatch):
    from skgenre.classifiers import _members

    monkeypatch.setattr(_members, "MAX_EXACT", 10)
    monkeypatch.setattr(_members, "N_LANDMARKS", 25)
    model = fit()
    landmarks = model.members_["svc"].estimator_["kernel"].landmarks_
    own = model.neighbors(X[landmarks], k=1)
    np.testing.assert_array_equal(own.indices[:, 0], landmarks)
    np.testing.assert_array_equal(own.genres[:, 0], Y[landmarks])
    with pytest.raises(ValueError, match="k=26 must be an int from 1 to 25"):
        model.neighbors(NEW, 26)


def test_rows_of_neighbors_are_those_of_fit_where_silent_tracks_were_left_out():
    silent = X.copy()
    silent[[0, 3], -1] = 0
    with pytest.warns(NoSoundWarning, match="Training leaves such tracks out"):
        model = fit(X=silent)
    found = model.neighbors(X[[5, 30]], k=1)
    assert found.indices[:, 0].tolist() == [5, 30]
    assert found.genres[:, 0].tolist() == Y[[5, 30]].tolist()


def test_files_have_names_which_model_files_keep_only_if_asked(tmp_path):
    music = make_genres(
        3, genres=["dub", "swing"], duration=1.0, path=tmp_path / "music", random_state=0
    )
    model = GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
    found = model.neighbors(music.data[:2], k=2)
    assert found.names[:, 0].tolist() == [str(path) for path in music.data[:2]]
    assert "name" in found.to_frame()
    explained = model.explain(music.data[:2]).scores
    for keep in (False, True):
        path = save(model, tmp_path / "model.skgenre", keep_paths=keep)
        loaded = load(path)
        again = loaded.neighbors(music.data[:2], k=2)
        np.testing.assert_array_equal(again.indices, found.indices)
        np.testing.assert_array_equal(again.genres, found.genres)
        assert (again.names is None) == (not keep)
        np.testing.assert_array_equal(loaded.explain(music.data[:2]).scores, explained)
    np.testing.assert_array_equal(again.names, found.names)
    assert model.track_names_ is not None  # that of the model itself is still there
    # Where features with excerpts are kept for predictions, explanations use them too.
    kept = pickle.loads(pickle.dumps(model)).set_params(memory=tmp_path / "memory")
    kept.predict(music.data[:2])
    files = sorted((tmp_path / "memory").rglob("*"))
    np.testing.assert_allclose(kept.explain(music.data[:2]).scores, explained, atol=1e-6)
    assert sorted((tmp_path / "memory").rglob("*")) == files
