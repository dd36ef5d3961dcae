"""The recommended model with the features of a pretrained network."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import soundfile
from _musicnn import (
    SIZES,
    TAGS,
    TERMS,
    publish_random_weights,
    random_tensors,
    write_random_weights,
)
from _tagged_files import write_file
from sklearn.pipeline import make_pipeline

import skgenre
from skgenre import ClipFeatures, GenreClassifier, MusicnnExtractor, make_genres
from skgenre.cli import main
from skgenre.embeddings import KNOWN, load_weights, write_weights
from skgenre.tags import Tags

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


@pytest.mark.parametrize(("n_artists", "apart"), [(5, True), (4, False)])
def test_calibration_keeps_artists_apart_where_there_are_many(weights, n_artists, apart):
    model, X, y = made_table(weights, 60)
    artists = y * 100 + np.arange(60) // 2 % n_artists
    model.set_params(members=("svc",)).fit(X, y, groups=artists)
    shared = [
        len(np.intersect1d(artists[train], artists[test]))
        for train, test in model.members_["svc"].cv
    ]
    assert (max(shared) == 0) == apart


@pytest.mark.parametrize(("n_tracks", "power"), [(48, 1.0), (50, 1.1)])
def test_the_mean_of_the_members_is_sharpened_where_there_are_many_tracks(weights, n_tracks, power):
    model, X, y = made_table(weights, n_tracks)
    model.fit(X, y, groups=np.arange(n_tracks) // 4)
    found = np.log([proba + 1e-4 for proba in model.predict_member_proba(X).values()])
    expected = np.exp(power * found.mean(axis=0))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)


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


@pytest.mark.parametrize("precomputed", [False, True])
@pytest.mark.parametrize("kind", ["msd", "path"])
def test_a_model_is_kept_without_the_weights_but_predicts_only_with_them(
    music, tmp_path, monkeypatch, kind, precomputed
):
    if kind == "msd":
        path = publish_random_weights(monkeypatch, tmp_path)
        model = model_with("msd", members=("svc",), n_excerpts=0)
        terms = KNOWN["msd"].terms
    else:
        path = write_random_weights(tmp_path / "own.npz")
        model = model_with(str(path), members=("svc",), n_excerpts=0)
        terms = load_weights(path).terms
    if precomputed:
        model = make_pipeline(*model.split_front_end())
    model.fit(music.data, music.target)
    expected = model.predict_proba(music.data)
    away = path.rename(tmp_path / "away.npz")
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    files = [skgenre.save(model, tmp_path / "model.skgenre")]
    copies.append(skgenre.load(files[0]))
    files.append(skgenre.save(copies[-1], tmp_path / "again.skgenre"))
    copies.append(skgenre.load(files[1]))
    for file in files:
        assert skgenre.read_model_info(file).licences == [terms]
        assert terms in skgenre.model_card(file)
        assert main(["info", str(file)]) == 0
    for copied in copies:
        assert repr(copied) == repr(model)
        with pytest.raises(FileNotFoundError, match="`skgenre fetch musicnn"):
            copied.predict(music.data)
    away.rename(path)
    for copied in copies:
        np.testing.assert_array_equal(copied.predict_proba(music.data), expected)


def test_weights_of_another_size_are_no_trap_for_a_new_fit(music, tmp_path):
    path = write_random_weights(tmp_path / "own.npz")
    model = model_with(path, members=("svc",), n_excerpts=0)
    model.fit(music.data, music.target)
    tensors = random_tensors(**{**SIZES, "units": 9})
    write_weights(path, tensors, name="larger", tags=TAGS, **TERMS)
    model.fit(music.data, music.target)
    n_columns = model.members_["svc"].estimator_["scaler"].n_features_in_
    assert n_columns == len(ClipFeatures().get_feature_names_out()) + len(
        MusicnnExtractor(path).get_feature_names_out()
    )


def test_explanations_name_the_groups_of_files_too(fitted, music):
    found = fitted.explain(music.data)
    assert found.feature_groups[-4:] == GROUPS
    assert (found.classes[found.scores.argmax(axis=1)] == music.target).mean() > 0.8
    near = fitted.neighbors(music.data, k=2)
    np.testing.assert_array_equal(near.indices[:, 0], range(len(music.data)))
    order = skgenre.rank_for_labeling(fitted, music.data, batch_size=2)
    assert sorted(order) == list(range(len(music.data)))


def test_records_of_tracks_and_of_files_agree(fitted, music, tmp_path):
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(22050), 22050)
    files = [*music.data[:3], str(silent)]
    records = fitted.predict_records(files, max_genres=2)
    assert [record["status"] for record in records] == ["ok", "ok", "ok", "no sound"]
    proba = fitted.predict_proba(music.data[:3])
    for record, row in zip(records, proba, strict=False):
        expected = dict(zip(fitted.classes_, row, strict=True))
        assert record["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert record["genre"] == max(expected, key=expected.get)
    path = skgenre.save(fitted, tmp_path / "model.skgenre")
    for model in (fitted, path):
        found = list(skgenre.predict_files(model, files, max_genres=2, segments=True))
        for record, file in zip(records, found, strict=True):
            assert {name: getattr(file, name) for name in record} | {"reason": None} == (
                record | {"reason": None}
            )
        assert len(found[0].segments) == fitted.n_segments


def test_genres_are_written_into_tags(fitted, tmp_path):
    files = [str(write_file(tmp_path / f"{name}.flac", 2.0)) for name in ("one", "two")]
    expected = fitted.predict(files)
    model, plan = str(tmp_path / "model.skgenre"), str(tmp_path / "plan")
    skgenre.save(fitted, model)
    assert main(["tag", "plan", model, *files, "--output", plan, "--min-confidence", "0"]) == 0
    assert main(["tag", "apply", plan]) == 0
    assert [Tags(file).genres() for file in files] == [[genre] for genre in expected]


def test_files_without_the_weights_end_the_prediction(music, tmp_path):
    path = write_random_weights(tmp_path / "own.npz")
    model = model_with(path, members=("svc",), n_excerpts=0).fit(music.data, music.target)
    write_random_weights(path, seed=1)
    with pytest.raises(ValueError, match="GenreClassifier was fitted with"):
        list(skgenre.predict_files(model, music.data))
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match="damaged"):
        list(skgenre.predict_files(model, music.data))
    path.unlink()
    with pytest.raises(FileNotFoundError, match="`skgenre fetch musicnn`"):
        list(skgenre.predict_files(model, music.data))


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
