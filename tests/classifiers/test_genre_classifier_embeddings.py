"""The recommended model with the features of a pretrained network."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from _musicnn import write_random_weights

import skgenre
from skgenre import GenreClassifier, MusicnnExtractor, make_genres

DURATION = 2.0
GROUPS = ["musicnn_mean", "musicnn_penultimate", "musicnn_max", "musicnn_logits"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(write_random_weights(tmp_path_factory.mktemp("weights") / "small.npz"))


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    return make_genres(
        4, genres=["dub", "swing"], n_artists=2, duration=DURATION, path=folder, random_state=0
    )


def model_with(weights, **params):
    return GenreClassifier(embeddings=weights, duration=DURATION, random_state=0, **params)


@pytest.fixture(scope="module")
def fitted(music, weights):
    return model_with(weights).fit(music.data, music.target, groups=music.artists)


def made_table(weights, n_tracks, seed=0):
    """Return a table of random features, as the front end would make it, and its genres."""
    front_end, model = model_with(weights, n_excerpts=0).split_front_end()
    rng = np.random.default_rng(seed)
    y = np.arange(n_tracks) % 2
    X = rng.normal(size=(n_tracks, len(front_end.get_feature_names_out()))) + 0.3 * y[:, None]
    X[:, -1] = 1  # has sound
    return model, X, y


def kernel_of(model, member="svc"):
    return model.members_[member].estimator_["kernel"]


def test_embeddings_are_further_groups_of_both_machines(fitted, music, weights):
    for member in ("svc", "svc_whitened"):
        assert kernel_of(fitted, member).feature_groups_[-4:] == GROUPS
    plain = model_with(None).fit(music.data, music.target, groups=music.artists)
    names = kernel_of(plain).feature_groups_
    assert kernel_of(fitted).feature_groups_ == [*names, *GROUPS]
    assert plain.embeddings_sha256_ is None
    assert fitted.embeddings_sha256_ == MusicnnExtractor(weights).fit([[0.0]]).weights_sha256_
    proba = fitted.predict_proba(music.data)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (fitted.predict(music.data) == music.target).mean() > 0.8


def test_the_embeddings_are_those_of_the_extractor(music, weights):
    front_end, _ = model_with(weights, n_excerpts=1).split_front_end()
    names = front_end.get_feature_names_out()
    table = front_end.fit_transform(music.data[:1])
    whole = [name.startswith("embeddings__track__") for name in names]
    waveform = skgenre.AudioLoader(duration=DURATION).fit_transform(music.data[:1])
    expected = MusicnnExtractor(weights).fit_transform(waveform)
    np.testing.assert_allclose(table[:, whole], expected, rtol=1e-5, atol=1e-6)


def test_both_halves_predict_as_the_whole(fitted, music, weights):
    front_end, half = model_with(weights).split_front_end()
    table = front_end.fit_transform(music.data)
    half.fit(table, music.target, groups=music.artists)
    np.testing.assert_allclose(
        half.predict_proba(table), fitted.predict_proba(music.data), rtol=1e-6
    )


def test_segments_are_predicted(fitted, music):
    changed = pickle.loads(pickle.dumps(fitted)).set_params(n_segments=3, segment_duration=1.0)
    proba = changed.predict_segment_proba(music.data[:2])
    assert proba.shape == (2, 3, 2)
    np.testing.assert_allclose(proba.sum(axis=2), 1, rtol=1e-6)


@pytest.mark.parametrize(("n_tracks", "weight"), [(18, 3.0), (20, 2.0)])
def test_the_weight_depends_on_the_tracks_of_a_genre(weights, n_tracks, weight):
    model, X, y = made_table(weights, n_tracks)
    kernel = kernel_of(model.set_params(members=("svc",)).fit(X, y))
    found = dict(zip(kernel.feature_groups_, kernel.group_weights_, strict=True))
    assert {found.pop(group) for group in GROUPS} == {weight}
    assert set(found.values()) == {1.0}


@pytest.mark.parametrize(("n_artists", "apart"), [(10, True), (9, False)])
def test_calibration_keeps_artists_apart_where_there_are_many(weights, n_artists, apart):
    model, X, y = made_table(weights, 60)
    artists = y * 100 + np.arange(60) // 2 % n_artists
    model.set_params(members=("svc",)).fit(X, y, groups=artists)
    shared = [
        len(np.intersect1d(artists[train], artists[test]))
        for train, test in model.members_["svc"].cv
    ]
    assert (max(shared) == 0) == apart


def test_calibration_without_embeddings_stays_as_it_was(music):
    plain = model_with(None).fit(music.data, music.target, groups=music.artists)
    for member in plain.members_.values():
        assert not member.balance
        np.testing.assert_array_equal(member.offsets_, 0)


def test_a_saved_model_predicts_the_same(fitted, music, weights, tmp_path):
    skgenre.save(fitted, tmp_path / "model.skgenre")
    loaded = skgenre.load(tmp_path / "model.skgenre")
    np.testing.assert_array_equal(
        loaded.predict_proba(music.data), fitted.predict_proba(music.data)
    )


def test_other_weights_than_those_of_fit_are_refused(music, tmp_path):
    path = write_random_weights(tmp_path / "own.npz")
    model = model_with(path, members=("svc",), n_excerpts=0).fit(music.data, music.target)
    model = pickle.loads(pickle.dumps(model))
    write_random_weights(path, seed=1)
    with pytest.raises(ValueError, match=r"GenreClassifier was fitted with [0-9a-f]{64}"):
        model.predict(music.data[:1])


def test_missing_weights_name_the_command(music, tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="skgenre fetch musicnn --weights msd"):
        model_with("msd").fit(music.data, music.target, groups=music.artists)


def test_the_network_alone_takes_no_embeddings(music, weights):
    with pytest.raises(ValueError, match="serve all members but 'cnn'"):
        model_with(weights, members=("cnn",)).fit(music.data, music.target)
