"""The machines of GenreClassifier as a graph: the probabilities are those of the model."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from _musicnn import SmallWeights
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from skgenre import (
    ArtistWhitening,
    AudioLoader,
    ClipFeatures,
    GenreClassifier,
    GroupKernel,
    GroupScaler,
    NoSoundWarning,
    PairwiseCalibratedClassifier,
    load,
    make_genres,
    save,
)
from skgenre.onnx._machines import genre_classifier_graph

BOTH = ("svc", "svc_whitened")
GROUPS = ClipFeatures().get_feature_groups_out()


def names_of(model):
    """The columns of the table that a model takes, in order."""
    return model.split_front_end()[0].get_feature_names_out()


def make_table(model, y, seed=0):
    """Features of tracks that all have sound, somewhat alike where tracks have the same genre."""
    names, rng = names_of(model), np.random.default_rng(seed)
    _, codes = np.unique(y, return_inverse=True)
    centers = np.random.default_rng(99).normal(size=(codes.max() + 1, len(names)))
    X = rng.normal(size=(len(y), len(names))) + 0.15 * centers[codes]
    X = 3 * X + np.linspace(-50, 50, len(names))  # columns differ in their mean
    X[:, np.char.startswith(names.astype(str), "sound__")] = 1
    return X.astype(np.float32)


def fit(members=BOTH, n_classes=3, n_tracks=6, n_excerpts=1, labels=np.array, seed=0):
    """A model fitted on a table, and tracks that it has not seen."""
    model = GenreClassifier(members, precomputed=True, n_excerpts=n_excerpts, random_state=seed)
    y = labels(np.repeat(np.arange(n_classes), n_tracks))
    artists = np.arange(len(y)) // 2
    model.fit(make_table(model, y, seed), y, groups=artists)
    return model, make_table(model, np.resize(y, 40), seed + 1)


def run(model, X):
    """The probabilities of the graph."""
    content = genre_classifier_graph(model).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (proba,) = session.run(["probabilities"], {"features": X})
    return proba


def assert_equal_probabilities(model, X, proba=None, atol=1e-10):
    expected = model.predict_proba(X) if proba is None else proba
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(run(model, X), expected, rtol=0, atol=atol)


@pytest.fixture(scope="module")
def fitted():
    """Both members, three genres, one excerpt. Not to be changed."""
    return fit()


@pytest.mark.parametrize("members", [("svc",), ("svc_whitened",), BOTH], ids="+".join)
@pytest.mark.parametrize(
    ("n_classes", "n_tracks", "n_excerpts", "labels"),
    [
        (2, 8, 0, np.array),
        (2, 4, 2, lambda y: np.array(["jazz", "rock"])[y]),
        (3, 5, 3, lambda y: 10 * y - 7),
        (10, 4, 1, lambda y: np.array([f"genre {i}" for i in range(10)], dtype=object)[y]),
    ],
    ids=["2 genres", "2 names", "3 numbers", "10 genres"],
)
def test_probabilities_are_those_of_the_model(members, n_classes, n_tracks, n_excerpts, labels):
    model, X = fit(members, n_classes, n_tracks, n_excerpts, labels)
    assert run(model, X).shape == (len(X), n_classes)
    assert_equal_probabilities(model, X)


@pytest.mark.parametrize("seed", range(10))
def test_probabilities_of_random_models(seed):
    rng = np.random.default_rng(seed)
    members = [("svc",), ("svc_whitened",), BOTH][rng.integers(3)]
    model = GenreClassifier(
        members, precomputed=True, n_excerpts=int(rng.integers(3)), random_state=seed
    )
    y = np.concatenate([[0, 0, 1], rng.integers(rng.integers(2, 7), size=rng.integers(3, 30))])
    X = make_table(model, y, seed)
    X *= rng.choice([1e-3, 1.0, 1e3], size=X.shape[1]).astype(np.float32)
    X[:, rng.random(X.shape[1]) < 0.1] = 1
    sound = np.char.startswith(names_of(model).astype(str), "sound__")
    X[:, sound] = 1
    model.fit(X, y, groups=[0, 1, *rng.integers(5, size=len(y) - 2)])
    others = make_table(model, np.resize(y, 30), seed + 100)
    others[:, sound] = rng.random((30, sound.sum())) < 0.7
    with pytest.warns(NoSoundWarning):
        expected = model.predict_proba(others)
    assert_equal_probabilities(model, others, expected)


@pytest.mark.parametrize("members", [("svc",), BOTH], ids="+".join)
@pytest.mark.parametrize(
    ("n_tracks", "n_excerpts", "weight"),
    [((12, 5, 4), 2, 3), ((52, 15, 9), 0, 2), ((3, 30), 1, 2), ((2, 3, 1), 1, 3)],
    ids=["few", "many", "two genres", "one track"],
)
def test_embeddings_and_balanced_genres(members, n_tracks, n_excerpts, weight):
    model = GenreClassifier(
        members, embeddings=SmallWeights(), precomputed=True, n_excerpts=n_excerpts, random_state=0
    )
    y = np.repeat(np.arange(len(n_tracks)), n_tracks)
    model.fit(make_table(model, y), y, groups=np.arange(len(y)) // 2)
    member = model.members_["svc"]
    assert set(member.estimator_["kernel"].group_weights_) == {1.0, weight}
    assert len(y) < 10 or np.abs(member.offsets_).max() > 0.05
    X = make_table(model, np.resize(y, 20), seed=1)
    sound = np.char.startswith(names_of(model).astype(str), "sound__")
    X[:2, sound] = 0
    X[2:5, np.flatnonzero(sound)[1:]] = 0
    with pytest.warns(NoSoundWarning):
        expected = model.predict_proba(X)
    assert_equal_probabilities(model, X, expected)


def test_discriminant_analysis_of_embeddings():
    model = GenreClassifier(
        ("svc",), embeddings=SmallWeights(), precomputed=True, n_excerpts=1, random_state=0
    )
    y = np.repeat([0, 1, 2], 8)
    X = make_table(model, y)
    model.fit(X, y)
    labels = model.members_["svc"].estimator_["scaler"].feature_groups
    member = make_pipeline(GroupScaler(feature_groups=labels), LinearDiscriminantAnalysis())
    columns = [name.split("__")[:2] for name in names_of(model)]
    whole = [kind in ("clip", "embeddings") and view == "track" for kind, view in columns]
    calibrated = PairwiseCalibratedClassifier(member, cv=3, balance=True, random_state=0)
    model.members_["lda"] = calibrated.fit(X[:, whole], y)
    new = make_table(model, y, seed=1)
    np.testing.assert_allclose(run(model, new), model.predict_proba(new), rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_landmarks", [None, 10])
@pytest.mark.parametrize("constant", [False, True])
def test_weights_of_groups_of_the_user(n_landmarks, constant):
    model, X = fit(("svc",), 3, n_tracks=8)
    weights = {"tempo": 0, "mfcc": 0.25, "chroma": 7.5}
    if constant:  # no group that counts varies: all of them count
        weights = dict.fromkeys(set(GROUPS) - {"mfcc"}, 0)
    kernel = GroupKernel(
        feature_groups=GROUPS, group_weights=weights, n_landmarks=n_landmarks, random_state=0
    )
    svc = SVC(C=10, kernel="precomputed", decision_function_shape="ovo")
    classifier = svc if n_landmarks is None else LinearSVC(C=10.0, dual=False)
    member = make_pipeline(GroupScaler(feature_groups=GROUPS), kernel, classifier)
    replace_member(model, member, constant="mfcc" if constant else None, balance=True)
    # The features of landmarks are float32 in the model, and float64 in the graph.
    assert_equal_probabilities(model, X, atol=1e-10 if n_landmarks is None else 1e-6)


def test_genre_with_one_track():
    model = GenreClassifier(BOTH, precomputed=True, n_excerpts=0, random_state=0)
    y = np.array(["dub"] * 5 + ["swing"] * 5 + ["thrash"])
    model.fit(make_table(model, y), y, groups=np.arange(11))
    assert_equal_probabilities(model, make_table(model, y, seed=1))


def test_genres_of_one_and_two_tracks_without_folds_of_calibration():
    model = GenreClassifier(("svc",), precomputed=True, n_excerpts=0, random_state=0)
    y = np.array([0, 1, 1])
    model.fit(make_table(model, y), y)
    assert_equal_probabilities(model, make_table(model, np.resize(y, 9), seed=1))


def test_constant_columns_and_groups_are_left_out():
    model = GenreClassifier(BOTH, precomputed=True, n_excerpts=0, random_state=0)
    y = np.repeat([0, 1, 2], 5)
    X, names = make_table(model, y), names_of(model).astype(str)
    constant = np.char.startswith(names, "clip__track__tempo") | (np.arange(len(names)) % 7 == 0)
    X[:, constant] = 1
    model.fit(X, y, groups=np.arange(15))
    svc = model.members_["svc"].estimator_
    assert np.isnan(svc["kernel"].scales_).sum() == 1
    assert_equal_probabilities(model, make_table(model, y, seed=1))


def test_model_of_equal_tracks_knows_nothing():
    model = GenreClassifier(("svc",), precomputed=True, n_excerpts=0, random_state=0)
    y = np.repeat([0, 1], 4)
    model.fit(np.ones((8, len(names_of(model)))), y)
    X = make_table(model, y)
    np.testing.assert_allclose(run(model, X), model.predict_proba(X), rtol=0, atol=1e-10)


def test_tracks_and_excerpts_without_sound():
    model, X = fit(n_excerpts=2)
    X = X[:4]
    sound = np.char.startswith(names_of(model).astype(str), "sound__")
    assert sound.sum() == 3
    X[:, sound] = [[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0]]
    with pytest.warns(NoSoundWarning):
        expected = model.predict_proba(X)
    assert_equal_probabilities(model, X, expected)
    np.testing.assert_array_equal(run(model, X)[2:], np.full((2, 3), 1 / 3))


def test_graph_takes_the_excerpts_that_the_model_is_set_to():
    model, _ = fit(n_excerpts=0)
    model.set_params(n_excerpts=2)
    X = make_table(model, np.repeat([0, 1, 2], 4), seed=1)
    assert_equal_probabilities(model, X)


def test_parameters_of_fit_that_are_changed_afterwards_have_no_effect():
    model, X = fit(n_excerpts=0)
    model.set_params(members=("cnn",), sampling_rate=44100.0, duration=5.0)
    assert_equal_probabilities(model, X)


def test_one_track_and_a_thousand(fitted):
    model, X = fitted
    many = make_table(model, np.arange(1000) % 3, seed=5)
    many[7] = X[0]
    assert_equal_probabilities(model, many)
    assert_equal_probabilities(model, X[:1])
    np.testing.assert_allclose(run(model, X[:1])[0], run(model, many)[7], rtol=0, atol=1e-12)


def test_tracks_far_from_all_others_and_equal_to_one_of_them(fitted):
    model, X = fitted
    names = names_of(model).astype(str)
    kernel = model.members_["svc"].estimator_["kernel"]
    scaler = model.members_["svc"].estimator_["scaler"]
    known = kernel.X_fit_ / np.where(scaler.weights_ == 0, 1, scaler.weights_)
    known = known * scaler.scale_ + scaler.mean_
    X = X[: len(known)].copy()
    X[:, np.char.startswith(names, "clip__track__")] = known
    X[0, ~np.char.startswith(names, "sound__")] = 1e30
    assert_equal_probabilities(model, X)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("whitened", [False, True])
def test_landmarks_in_place_of_all_tracks(n_classes, whitened):
    # GenreClassifier takes this member above 5000 tracks.
    model, X = fit(("svc",), n_classes, n_tracks=8)
    labels = np.random.default_rng(0).permutation(GROUPS)  # groups in any order
    steps = [GroupScaler(feature_groups=labels)]
    if whitened:
        steps.append(ArtistWhitening(feature_groups=labels, keep_columns=True))
    steps.append(GroupKernel(feature_groups=labels, n_landmarks=10, random_state=0))
    member = make_pipeline(*steps, LinearSVC(C=10.0, dual=False))
    replace_member(model, member, whitened)
    assert_equal_probabilities(model, X, atol=1e-6)


@pytest.mark.slow
def test_fit_of_more_than_5000_tracks():
    y = np.resize(["dub", "swing", "thrash"], 5001)
    model = GenreClassifier(BOTH, precomputed=True, n_excerpts=0, random_state=0)
    model.fit(make_table(model, y), y, groups=np.arange(len(y)) // 3)
    for member in model.members_.values():
        assert len(member.estimator_["kernel"].landmarks_) == 2000
    assert_equal_probabilities(model, make_table(model, y[:50], seed=1), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_discriminant_analysis(n_classes, dtype):
    # The solver of the member "lda" takes minutes.
    model, X = fit(("svc",), n_classes, n_tracks=8)
    member = make_pipeline(GroupScaler(feature_groups=GROUPS), LinearDiscriminantAnalysis())
    replace_member(model, member, dtype=dtype)
    np.testing.assert_allclose(run(model, X), model.predict_proba(X), rtol=0, atol=1e-6)


def replace_member(
    model, pipeline, whitened=False, dtype=np.float32, *, constant=None, balance=False
):
    """Fit another classifier in place of the member "svc"."""
    n_tracks = len(model.members_["svc"].estimator_["kernel"].X_fit_)
    y = np.repeat(model.classes_, n_tracks // len(model.classes_))
    X = make_table(model.set_params(n_excerpts=0), y)[:, :-1].astype(dtype)
    X[:, constant == GROUPS] = 1
    given = {"artistwhitening__groups": np.arange(n_tracks) // 2} if whitened else {}
    calibrated = PairwiseCalibratedClassifier(pipeline, cv=3, balance=balance, random_state=0)
    model.members_["svc"] = calibrated.fit(X, y, **given)
    model.set_params(n_excerpts=1)


def test_only_tracks_that_support_a_pair_are_kept():
    model = GenreClassifier(("svc",), precomputed=True, n_excerpts=0, random_state=0)
    y = np.repeat([0, 1], 30)
    X = make_table(model, y)
    X[:, :-1] += 100 * y[:, np.newaxis]  # most tracks are beyond the margin
    model.fit(X, y)
    pipeline = model.members_["svc"].estimator_
    used = pipeline["svc"].n_support_.sum()
    assert used < 30
    row = pipeline["kernel"].X_fit_[0].nbytes
    assert used * row < genre_classifier_graph(model).ByteSize() < (used + 15) * row
    assert_equal_probabilities(model, X)


def test_model_of_tracks_and_its_front_end(tmp_path):
    music = make_genres(2, genres=["dub", "swing"], duration=1.5, random_state=0)
    tracks = AudioLoader(duration=1.5, short="keep").fit_transform(music.data)
    model = GenreClassifier(duration=1.5, n_excerpts=1, random_state=0)
    model.fit(tracks, music.target, groups=music.artists)
    save(model, tmp_path / "model.skgenre")
    for found in (model, load(tmp_path / "model.skgenre")):
        table = found.split_front_end()[0].fit_transform(tracks)
        assert_equal_probabilities(found, table, model.predict_proba(tracks))


@pytest.mark.slow
@pytest.mark.parametrize("members", [("cnn",), ("svc", "cnn")], ids="+".join)
def test_network_among_the_members(members):
    music = make_genres(2, genres=["dub", "swing"], duration=6.5, random_state=0)
    model = GenreClassifier(members, duration=6.5, epochs=1, n_excerpts=2, random_state=0)
    model.fit(music.data, music.target)
    tracks = [*music.data, np.zeros(22050, np.float32)]
    with pytest.warns(NoSoundWarning):
        table = model.split_front_end()[0].fit_transform(tracks)
    with pytest.warns(NoSoundWarning):
        expected = model.predict_proba(tracks)
    np.testing.assert_allclose(run(model, table), expected, rtol=0, atol=1e-6)


def test_model_must_be_fitted():
    with pytest.raises(NotFittedError):
        genre_classifier_graph(GenreClassifier())
