"""The recommended model, from files or waveforms to genres."""

import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre import (
    AudioLoader,
    ClipFeatures,
    GenreClassifier,
    LogMelCNNGenreClassifier,
    MelSpectrogramExtractor,
    NoSoundWarning,
    RejectingClassifier,
    evaluate,
    load,
    make_genres,
    save,
)

DURATION = 2.0
RATE = 22050
DEFAULT = ("svc", "svc_whitened")
FEW_MEMBERS = ("svc", "lda", "cnn")
MEMBERS = (*DEFAULT, "cnn")  # a fit of "lda" takes five seconds for each fold


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return make_genres(
        6,
        genres=["dub", "swing", "thrash"],
        n_artists=3,
        duration=DURATION,
        overlap=0.0,
        path=tmp_path_factory.mktemp("music"),
        random_state=0,
    )


@pytest.fixture(scope="module")
def waveforms(music):
    return AudioLoader(duration=DURATION).fit_transform(music.data)


def small(members=MEMBERS, **params):
    return GenreClassifier(
        members, **{"duration": DURATION, "epochs": 1, "random_state": 0, **params}
    )


@pytest.fixture(scope="module")
def fitted(music):
    """All members but "lda", with artists. Not to be changed."""
    return small().fit(music.data, music.target, groups=music.artists)


@pytest.fixture(scope="module")
def fitted_few(music):
    """One track of dub and two of swing, too few for a fold of calibration."""
    return small(FEW_MEMBERS).fit(music.data[[0, 6, 7]], music.target[[0, 6, 7]])


@pytest.fixture(scope="module")
def fitted_svc(music):
    """The member "svc" alone, without excerpts. Set its parameters on a copy."""
    return small(("svc",), n_excerpts=0).fit(music.data, music.target)


@pytest.fixture(scope="module")
def table(music):
    """The features of all tracks, without excerpts."""
    return small(DEFAULT, n_excerpts=0).split_front_end()[0].fit_transform(music.data)


def of_features(members, **params):
    """A classifier of ``table``."""
    return small(members, n_excerpts=0, precomputed=True, **params)


def changed(model, **params):
    """A fitted copy of a model with other parameters, as one that was loaded from a file."""
    return pickle.loads(pickle.dumps(model)).set_params(**params)


# Files and genres


def test_genres_of_files_are_predicted(music, fitted):
    proba = fitted.predict_proba(music.data)
    assert proba.shape == (18, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba > 0).all()
    assert (fitted.predict(music.data) == music.target).mean() > 0.9
    np.testing.assert_array_equal(fitted.predict(music.data), fitted.classes_[proba.argmax(axis=1)])


def test_genres_of_unheard_tracks_are_predicted(music, table):
    train = np.arange(len(music.target)) % 3 > 0
    model = of_features(("svc",)).fit(table[train], music.target[train])
    assert (model.predict(table[~train]) == music.target[~train]).mean() > 0.6


def test_a_missing_file_is_named(fitted):
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        fitted.predict(["gone.wav"])


def test_an_empty_track_is_refused_by_name(fitted_svc):
    tracks = [np.zeros(RATE, np.float32), np.zeros(0, np.float32)]
    with pytest.raises(ValueError, match="track 1 has no samples"):
        fitted_svc.predict(tracks)


def test_a_single_path_is_not_a_list_of_letters():
    with pytest.raises(ValueError, match="X is a single path"):
        small(("svc",)).fit("song.wav", ["dub"] * 8)


@pytest.mark.slow
def test_pickles_predict_equally_in_another_process(music, fitted, fitted_few, tmp_path):
    models = fitted, fitted_few
    joblib.dump((models, music.data), tmp_path / "models")
    code = (
        "import sys, joblib, numpy as np; models, paths = joblib.load(sys.argv[1]); "
        "np.save(sys.argv[2], np.hstack([model.predict_proba(paths) for model in models]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "models", tmp_path / "proba.npy"], check=True
    )
    expected = np.hstack([model.predict_proba(music.data) for model in models])
    np.testing.assert_allclose(np.load(tmp_path / "proba.npy"), expected, atol=1e-5)
    assert all(len(pickle.dumps(model)) < 3_000_000 for model in models)


def test_the_default_members_import_no_tensorflow(music, tmp_path):
    joblib.dump(music, tmp_path / "music")
    code = (
        "import sys, joblib; from skgenre import GenreClassifier; "
        "music = joblib.load(sys.argv[1]); "
        "model = GenreClassifier().fit(music.data, music.target, groups=music.artists); "
        "model.predict(music.data); print(list(model.members_)); "
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "music"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["['svc', 'svc_whitened']", "[]"]


# Members


@pytest.mark.parametrize(("model", "names"), [("fitted", MEMBERS), ("fitted_few", FEW_MEMBERS)])
def test_probabilities_are_the_geometric_mean_of_the_members(music, request, model, names):
    model = request.getfixturevalue(model)
    answers = model.predict_member_proba(music.data)
    assert list(answers) == list(names)
    mean = np.exp(np.mean([np.log(p + 1e-4) for p in answers.values()], axis=0))
    expected = mean / mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(music.data), expected, atol=1e-6)


def test_members_are_pipelines_of_the_public_parts(music, waveforms, table, fitted, fitted_few):
    """What a user would build by hand predicts the same, from the same columns."""
    clips = ClipFeatures().fit_transform(waveforms)
    np.testing.assert_allclose(table[:, :-1], clips, rtol=1e-5, atol=1e-5)
    for model, names in ((fitted, DEFAULT), (fitted_few, ("svc", "lda"))):
        answers = changed(model, n_excerpts=0).predict_member_proba(waveforms)
        for name in names:
            member = model.members_[name]
            assert isinstance(member.estimator_, Pipeline)
            np.testing.assert_allclose(answers[name], member.predict_proba(clips), rtol=1e-5)
    # The network is the same beside other members, and takes no excerpts.
    mel = MelSpectrogramExtractor(n_mels=64, hop_length=1024, top_db=None)
    spectrograms = mel.fit_transform(waveforms)[:, 0]
    network = LogMelCNNGenreClassifier(**fitted.members_["cnn"]["network"].get_params())
    network.fit(spectrograms, music.target)
    tracks = [(track, RATE) for track in waveforms[:3]]
    np.testing.assert_allclose(
        network.predict_proba(spectrograms[:3]),
        fitted.predict_member_proba(tracks)["cnn"],
        atol=1e-3,
    )
    names = small(("cnn",)).split_front_end()[0].get_feature_names_out()
    assert all(name.startswith("spectrogram__track__") for name in names[:-4])


def test_artists_matter_to_one_member_only(music, table):
    train = np.arange(len(table)) % 3 > 0  # tracks of training are too certain to differ
    y, artists = music.target[train], music.artists[train]
    with_artists = of_features(DEFAULT).fit(table[train], y, groups=artists)
    with pytest.warns(UserWarning, match="fit got none.*'svc_whitened' is left out") as found:
        without = of_features(DEFAULT).fit(table[train], y)
    assert [warning.filename for warning in found] == [__file__]
    assert list(without.members_) == ["svc"]
    answers = with_artists.predict_member_proba(table[~train])
    np.testing.assert_allclose(
        answers["svc"], without.predict_member_proba(table[~train])["svc"], rtol=1e-6
    )
    assert not np.allclose(answers["svc_whitened"], answers["svc"], atol=1e-3)


def test_cross_validation_without_routing_says_so_at_the_line_of_the_caller(music, table):
    groups = {"groups": music.artists, "cv": StratifiedGroupKFold(2)}
    with pytest.warns(UserWarning, match="another model than with artists") as found:
        cross_val_score(make_pipeline(of_features(DEFAULT)), table, music.target, **groups)
    assert {warning.filename for warning in found} == {__file__}


def test_one_artist_a_genre_leaves_the_member_out_with_one_warning(music, table):
    with pytest.warns(
        UserWarning, match="only one artist for each genre.* it is left out"
    ) as found:
        model = of_features(DEFAULT).fit(table, music.target, groups=music.target)
    assert len(found) == 1
    assert list(model.members_) == ["svc"]
    with pytest.raises(ValueError, match="Choose 'svc', or give tracks of more artists"):
        small(("svc_whitened",)).fit(
            ["no-such-file.wav"] * 3, ["a", "a", "b"], groups=["a", "a", "b"]
        )


def test_folds_without_two_artists_of_a_genre_do_not_calibrate(table):
    target = np.repeat(["dub", "swing"], 6)
    artists = np.array(["a"] * 5 + ["b"] + ["c"] * 6)  # b has one track, alone in some fold
    model = of_features(DEFAULT).fit(table[:12], target, groups=artists)
    assert len(model.members_["svc"].cv) == 5
    folds = model.members_["svc_whitened"].cv
    assert len(folds) == 4
    assert all(5 in train for train, _ in folds)


@pytest.mark.slow
def test_a_discriminant_of_few_tracks_is_not_sure_of_random_labels(music, table):
    labels = np.random.default_rng(0).permutation(music.target)
    model = of_features(("lda",)).fit(table[::2], labels[::2])
    assert model.predict_proba(table[1::2]).max(axis=1).mean() < 0.6


@pytest.mark.parametrize("max_exact", [10, 16])  # 16: more than a fold has, fewer than all
def test_many_tracks_take_the_approximate_kernel(music, table, monkeypatch, max_exact, tmp_path):
    from skgenre.classifiers import _members

    monkeypatch.setattr(_members, "MAX_EXACT", max_exact)
    monkeypatch.setattr(_members, "N_LANDMARKS", 8)
    model = of_features(("svc",)).fit(table, music.target)
    assert type(model.members_["svc"].estimator_["svc"]).__name__ == "LeastSquaresClassifier"
    assert (model.predict(table) == music.target).mean() > 0.8
    again = load(save(model, tmp_path / "model.skgenre"))
    np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))


def test_few_tracks_and_two_genres(music, fitted_few):
    proba = fitted_few.predict_proba(music.data)
    assert proba.shape == (18, 2)
    assert np.isfinite(proba).all()


def test_fits_with_a_seed_are_equal(music, table):
    one, two = (of_features(("svc",)).fit(table, music.target) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(table), two.predict_proba(table))


# Excerpts and segments


def test_the_whole_track_weighs_twice_as_much_as_its_excerpts(music):
    model = small(("svc",), duration=16.0).fit(music.data, music.target)
    loaded = AudioLoader(duration=DURATION).fit_transform(music.data[[0, 7, 14]])
    waveforms = np.tile(loaded, 8)
    waveforms[1, -8 * RATE :] = waveforms[2, : 8 * RATE]  # swing, then thrash
    found = model.predict_proba(waveforms)
    whole = model.set_params(n_excerpts=0).predict_proba(waveforms)
    starts = [s * RATE // 512 * 512 for s in (0, 3, 6)]  # at a frame of the track
    excerpts = [model.predict_proba(waveforms[:, s : s + 10 * RATE]) for s in starts]
    logs = (2 * np.log(whole + 1e-4) + np.log(np.mean(excerpts, axis=0) + 1e-4)) / 3
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - whole).max() > 0.01


def test_excerpts_add_nothing_to_a_track_no_longer_than_one(music, fitted_svc):
    with_excerpts = changed(fitted_svc, n_excerpts=3).predict_proba(music.data[:3])
    np.testing.assert_allclose(with_excerpts, fitted_svc.predict_proba(music.data[:3]), atol=1e-3)


def test_excerpts_are_computed_in_fit_only_where_they_are_kept(music, table, tmp_path):
    def n_views(model):
        names = model.fit(music.data[4:8], music.target[4:8]).front_end_.get_feature_names_out()
        return len(names) / table.shape[1]

    model = small(("svc",))
    assert n_views(model) == 1
    assert n_views(model.set_params(memory=tmp_path)) == 4
    assert model.front_end_.n_hits_ == 0
    assert n_views(model) == 4
    assert model.front_end_.n_hits_ == 4


def test_segments_are_predicted_as_tracks_of_that_length(waveforms, fitted_svc):
    model = changed(fitted_svc, n_segments=2, segment_duration=DURATION / 2)
    proba = model.predict_segment_proba(waveforms[:3])
    assert proba.shape == (3, 2, 3)
    assert proba.dtype == np.float32
    halves = waveforms[:3].reshape(6, -1)
    np.testing.assert_allclose(proba.reshape(6, 3), model.predict_proba(halves), atol=1e-6)
    # Segments have no excerpts of their own.
    model.set_params(n_excerpts=3)
    np.testing.assert_array_equal(model.predict_segment_proba(waveforms[:3]), proba)


def test_segments_overlap_in_short_tracks_and_are_all_of_a_shorter_one(waveforms, fitted_svc):
    model = changed(fitted_svc, n_segments=3, segment_duration=1.5)
    n = 3 * RATE // 2
    middle = waveforms[0][(waveforms[0].size - n) // 2 :][:n]
    found = model.predict_segment_proba(waveforms[:1])
    np.testing.assert_allclose(found[0, 1], model.predict_proba([middle])[0], atol=1e-5)
    short = model.predict_segment_proba([waveforms[0][:n]])
    np.testing.assert_allclose(short[0], np.repeat(short[0, :1], 3, axis=0), atol=1e-6)
    one = model.set_params(n_segments=1).predict_segment_proba(waveforms[:1])
    np.testing.assert_allclose(one[0, 0], found[0, 1], atol=1e-6)


def test_changes_within_a_track_show_in_its_segments(waveforms, fitted):
    model = changed(fitted, n_segments=2, segment_duration=DURATION / 2)
    half = waveforms.shape[1] // 2
    mixed = np.concatenate([waveforms[0, :half], waveforms[12, half:]])
    (proba,) = model.predict_segment_proba([mixed])
    assert model.classes_[proba.argmax(axis=1)].tolist() == ["dub", "thrash"]


# Parameters after fit


def test_parameters_of_prediction_are_read_when_they_are_used(fitted_svc, waveforms):
    model = changed(fitted_svc)
    with pytest.raises(ValueError, match="'n_segments' parameter of GenreClassifier"):
        model.set_params(n_segments=None).predict_segment_proba(waveforms[:1])
    with pytest.raises(ValueError, match="'n_excerpts' parameter of GenreClassifier"):
        model.set_params(n_segments=6, n_excerpts=-1).predict(waveforms[:1])


@pytest.mark.parametrize(
    "params", [{"sampling_rate": 44100}, {"duration": 1.0}, {"members": ("cnn",)}], ids=repr
)
def test_parameters_of_fit_change_predictions_only_in_the_next_fit(music, fitted_svc, params):
    expected = fitted_svc.predict_proba(music.data[:2])
    model = changed(fitted_svc, **params)
    np.testing.assert_array_equal(model.predict_proba(music.data[:2]), expected)
    model.predict_segment_proba(music.data[:1])


def count_files(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


@pytest.mark.parametrize("saved", ["pickled", "cloned", "pipeline", "search"])
def test_memory_and_n_jobs_are_read_at_prediction(music, tmp_path, saved):
    first, second = tmp_path / "first", tmp_path / "second"
    rows = [0, 1, 2, 6, 7, 8]
    model = small(("svc",), n_excerpts=0, memory=first)
    if saved == "search":
        model = GridSearchCV(model, {"n_excerpts": [0]}, cv=2)
    elif saved == "pipeline":
        model = make_pipeline(model)
    model.fit(music.data[rows], music.target[rows])
    if saved == "cloned":
        model = clone(model).fit(music.data[rows], music.target[rows])
    model = pickle.loads(pickle.dumps(model))
    model = getattr(model, "best_estimator_", model)
    inner = model[-1] if saved == "pipeline" else model
    prefix = "genreclassifier__" if saved == "pipeline" else ""
    n_files = count_files(first)
    assert n_files
    expected = inner.set_params(memory=None).predict_proba(music.data[10:12])
    inner.predict_segment_proba(music.data[10:11])
    assert count_files(first) == n_files
    model.set_params(**{f"{prefix}memory": str(second), f"{prefix}n_jobs": 2})
    np.testing.assert_array_equal(model.predict_proba(music.data[10:12]), expected)
    assert count_files(first) == n_files
    assert count_files(second)


def test_features_are_kept_for_later_fits_and_predictions(tmp_path):
    music = make_genres(
        4, genres=["dub", "swing"], duration=1.0, path=tmp_path / "music", random_state=0
    )
    memory = tmp_path / "memory"
    small(("svc",), memory=memory).fit(music.data, music.target)
    for path in music.data:  # a file is known by its size and time of change
        stat = os.stat(path)
        with open(path, "r+b") as stream:
            stream.write(bytes(stat.st_size))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    model = small(("svc",), memory=memory).fit(music.data[:6], music.target[:6])
    model.predict(music.data)
    with pytest.raises(ValueError, match="audio"):
        model.set_params(memory=None).predict(music.data)


def test_a_fit_that_fails_leaves_the_last_one(music, waveforms, fitted_svc):
    model = changed(fitted_svc, duration=1.0)
    with pytest.raises(ValueError, match="class"):
        model.fit(music.data, ["dub"] * len(music.data))
    np.testing.assert_array_equal(
        model.predict_proba(waveforms[:2]), fitted_svc.predict_proba(waveforms[:2])
    )


# The two halves


def test_a_pipeline_of_both_halves_predicts_equally(music, fitted):
    pipeline = make_pipeline(*small().split_front_end())
    pipeline.fit(music.data, music.target, genreclassifier__groups=music.artists)
    expected = fitted.predict_proba(music.data)
    np.testing.assert_allclose(pipeline.predict_proba(music.data), expected, atol=1e-6)
    segments = pipeline[-1].predict_segment_proba(pipeline[:-1].transform(music.data))
    assert segments.shape == (18, 1, 3)
    np.testing.assert_allclose(segments[:, 0], expected, atol=1e-6)
    # With precomputed=False, the second half is a classifier of tracks.
    whole = pipeline[-1].set_params(precomputed=False)
    np.testing.assert_allclose(whole.predict_proba(music.data), expected, atol=1e-6)


def test_evaluate_takes_both_halves_as_a_pipeline(music):
    pipeline = make_pipeline(*small(DEFAULT).split_front_end())
    result = evaluate(pipeline, music, n_folds=3, n_bootstrap=10)
    assert result.overall["track_accuracy"]["value"] > 0.5


def test_tables_that_the_front_end_does_not_make_are_refused(music, table):
    model = of_features(("svc",)).fit(table, music.target)
    with pytest.raises(ValueError, match="0 sample"):
        model.predict(table[:0])
    with pytest.raises(ValueError, match=f"X has 5 columns.* {table.shape[1]} with n_excerpts=0"):
        model.predict(table[:, :5])
    with pytest.raises(ValueError, match="n_excerpts=3; set both to the same n_excerpts"):
        model.set_params(n_excerpts=3).predict(table)


# Configuration of scikit-learn


def test_data_frames_asked_for_at_large_change_nothing(music, fitted):
    pytest.importorskip("pandas")
    expected = fitted.predict_proba(music.data)
    rows = [0, 1, 2, 3, 6, 7, 8, 9]
    given = {"X": music.data[rows], "y": music.target[rows], "groups": music.artists[rows]}
    default = small(DEFAULT).fit(**given).predict_proba(music.data)
    with config_context(transform_output="pandas"):
        np.testing.assert_allclose(fitted.predict_proba(music.data), expected, atol=1e-6)
        np.testing.assert_array_equal(
            small(DEFAULT).fit(**given).predict_proba(music.data), default
        )


WRAPPED = {
    "alone": (lambda m: m, lambda m: m),
    "pipeline": (lambda m: make_pipeline(FunctionTransformer(), m), lambda m: m[-1]),
    "search": (lambda m: GridSearchCV(m, {"n_excerpts": [0]}, cv=2), lambda m: m.best_estimator_),
    "vote": (lambda m: VotingClassifier([("m", m)]), lambda m: m.estimators_[0]),
    "rejecting": (RejectingClassifier, lambda m: m.estimator_),
    "calibration": (
        lambda m: CalibratedClassifierCV(m, cv=2),
        lambda m: m.calibrated_classifiers_[0].estimator,
    ),
}


@pytest.mark.parametrize(("wrap", "unwrap"), WRAPPED.values(), ids=WRAPPED)
def test_artists_come_by_metadata_routing_without_a_request(music, table, wrap, unwrap):
    model = wrap(of_features(("svc_whitened",)))
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            model,
            table,
            music.target,
            cv=GroupKFold(3),
            params={"groups": music.artists},
            return_estimator=True,
            error_score="raise",
        )
    for estimator in found["estimator"]:
        assert list(unwrap(estimator).members_) == ["svc_whitened"]


def test_scikit_learn_without_metadata_routing_warns_of_artists_that_do_not_arrive(music, table):
    with pytest.warns(UserWarning, match=r"enable_metadata_routing=True.*params=\{'groups'"):
        cross_val_score(
            of_features(DEFAULT), table, music.target, cv=GroupKFold(2), groups=music.artists
        )


def test_names_and_order_of_the_genres_change_nothing(music, table):
    names, codes = np.unique(music.target, return_inverse=True)
    mixed = np.array([2, 0, 1])
    model = of_features(DEFAULT)
    expected = model.fit(table, names[codes], groups=music.artists).predict_proba(table)
    encoded = model.fit(table, codes, groups=music.artists).predict_proba(table)
    np.testing.assert_array_equal(encoded, expected)
    reordered = model.fit(table, mixed[codes], groups=music.artists).predict_proba(table)
    np.testing.assert_allclose(reordered[:, mixed], expected, atol=1e-4)


# Errors before the long work


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (("svc", "forest"), "'forest' is none of them"),
        ((), "must be one or more of 'svc', 'lda', 'cnn', 'svc_whitened'"),
        (("svc_whitened",), "needs groups"),
    ],
)
def test_wrong_members_are_refused_before_any_file_is_read(members, message):
    with pytest.raises(ValueError, match=message):
        small(members).fit(["no-such-file.wav", "nor-this.wav"], ["dub", "swing"])


def test_a_rate_too_low_for_the_features_is_refused_before_any_file_is_read():
    with pytest.raises(ValueError, match="Set sampling_rate to 20480 or more"):
        small(("svc",), sampling_rate=16000).fit(["no-such-file.wav"] * 3, ["a", "a", "b"])


def test_wrong_artists_are_refused_before_any_file_is_read():
    files, target = ["no-such-file.wav"] * 4, ["a", "a", "b", "b"]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small(("svc",)).fit(files, target, groups=["x"])
    with pytest.raises(ValueError, match="no artist for 1 of 4 tracks"):
        small(("svc",)).fit(files, target, groups=["x", None, "y", "z"])


@pytest.mark.parametrize("gap", [None, float("nan"), ""])
def test_gaps_among_artists_are_no_artist(gap):
    from skgenre.utils._validation import check_artists

    with pytest.raises(ValueError, match="no artist for 2 of 4 tracks, first for track 1"):
        check_artists(["a", gap, "b", gap])
    np.testing.assert_array_equal(check_artists([3, 1]), [3, 1])


def test_gaps_of_pandas_are_no_artist():
    pd = pytest.importorskip("pandas")
    from skgenre.utils._validation import check_artists

    with pytest.raises(ValueError, match="no artist for 1 of 2 tracks"):
        check_artists(pd.Series(["a", pd.NA], dtype="string"))


def test_genres_without_anything_in_common_are_refused():
    with pytest.raises(ValueError, match="class"):
        small(("svc",)).fit(["no-such-file.wav"] * 3, ["dub"] * 3)
    with pytest.raises(ValueError, match="Each of the 2 genres has 1 track only"):
        small(("svc",)).fit(["no-such-file.wav"] * 2, ["dub", "swing"])


# Tracks without sound


SILENT = [np.zeros(RATE), np.full(RATE, 0.3), np.full(RATE, 0.3)[:50]]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_tracks_without_sound_get_equal_probabilities(music, fitted_svc, tmp_path, n_jobs):
    model = changed(fitted_svc, n_excerpts=1, memory=tmp_path, n_jobs=n_jobs)
    tracks = [music.data[0], *SILENT]
    for _ in range(2):  # the second time from the cache
        with pytest.warns(NoSoundWarning, match="3 tracks without sound: track 1 .*, track 2 "):
            proba = model.predict_proba(tracks)
        np.testing.assert_allclose(proba[1:], 1 / 3)
        assert proba[0, 0] > 0.5
    with pytest.warns(NoSoundWarning):
        assert model.predict(SILENT).tolist() == ["dub"] * 3
    with pytest.warns(NoSoundWarning):
        np.testing.assert_allclose(model.predict_segment_proba(SILENT), 1 / 3)


def test_rows_without_sound_get_equal_probabilities(music, table):
    model = of_features(("svc",)).fit(table, music.target)
    silent = table[:2].copy()
    silent[1, -1] = 0  # the column of SoundDetector
    with pytest.warns(NoSoundWarning, match="1 track without sound: row 1"):
        np.testing.assert_allclose(model.predict_proba(silent)[1], 1 / 3)


def test_fit_leaves_tracks_without_sound_out(music, table):
    y, artists = music.target, music.artists
    expected = of_features(DEFAULT).fit(table, y, groups=artists)
    silent = small(DEFAULT, n_excerpts=0).split_front_end()[0]
    with pytest.warns(NoSoundWarning, match="1 track without sound: track 0"):
        row = silent.fit_transform([np.zeros(RATE)])
    with pytest.warns(NoSoundWarning, match="row 18. Training leaves such tracks out"):
        model = of_features(DEFAULT).fit(
            np.concatenate([table, row]), [*y, "dub"], groups=[*artists, "someone else"]
        )
    np.testing.assert_array_equal(model.predict_proba(table), expected.predict_proba(table))


def test_a_genre_without_sound_is_kept_and_warned_of(music, table):
    table = table[:12].copy()
    table[6:, -1] = 0
    with pytest.warns(NoSoundWarning, match="6 tracks without sound: row 6"):
        model = of_features(("svc",)).fit(table, music.target[:12])
    assert model.classes_.tolist() == ["dub", "swing"]


def test_silent_parts_of_a_track_say_nothing(waveforms, fitted_svc):
    model = changed(fitted_svc, n_segments=4, segment_duration=0.5)
    track = np.append(np.zeros(RATE // 2), waveforms[0, : 3 * RATE // 2])
    proba = model.predict_segment_proba([track])[0]
    np.testing.assert_allclose(proba[0], 1 / 3)
    assert (proba[1:].max(axis=1) > 0.4).all()
