"""The recommended model, from files or waveforms to genres."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skgenre import (
    AudioLoader,
    GenreClassifier,
    MelSpectrogramExtractor,
    evaluate,
    make_genres,
)
from skgenre.classifiers._members import TableMember, calibration_folds
from skgenre.classifiers._views import N_MELS, TrackViews, Views, split_views
from skgenre.features import ClipFeatures

DURATION = 4.0


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
def fitted(music):
    return small().fit(music.data, music.target, groups=music.artists)


ALL = ("svc", "svc_whitened", "lda", "cnn")


def small(members=ALL, **params):
    return GenreClassifier(members, duration=DURATION, epochs=2, random_state=0, **params)


def test_tells_genres_of_files(music, fitted):
    proba = fitted.predict_proba(music.data)
    assert proba.shape == (18, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba > 0).all()
    assert (fitted.predict(music.data) == music.target).mean() > 0.9
    np.testing.assert_array_equal(fitted.predict(music.data), fitted.classes_[proba.argmax(axis=1)])


def test_tells_genres_of_unheard_tracks(music):
    train = np.arange(len(music.target)) % 3 > 0
    model = small(("svc", "lda")).fit(music.data[train], music.target[train])
    assert (model.predict(music.data[~train]) == music.target[~train]).mean() > 0.6


def test_probabilities_are_the_geometric_mean_of_the_members(music, fitted):
    answers = fitted.predict_member_proba(music.data)
    assert list(answers) == ["svc", "svc_whitened", "lda", "cnn"]
    mean = np.exp(np.mean([np.log(p + 1e-4) for p in answers.values()], axis=0))
    expected = mean / mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(music.data), expected, atol=1e-6)


def test_a_member_is_the_same_whoever_else_takes_part(music, fitted):
    alone = small(("cnn",)).fit(music.data, music.target)
    np.testing.assert_allclose(
        alone.predict_proba(music.data),
        fitted.predict_member_proba(music.data)["cnn"],
        atol=1e-3,
    )


def test_the_default_is_two_machines_that_take_no_network(music, tmp_path):
    joblib.dump(music, tmp_path / "music")
    code = (
        "import sys, joblib; from skgenre import GenreClassifier; "
        "music = joblib.load(sys.argv[1]); "
        "model = GenreClassifier().fit(music.data, music.target, groups=music.artists); "
        "model.predict(music.data); print(list(model.ensemble_.members_)); "
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "music"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["['svc', 'svc_whitened']", "[]"]


def test_parts_of_a_track_are_judged_as_tracks_of_that_length(music):
    halves = small(("svc",), n_excerpts=0, n_segments=2, segment_duration=DURATION / 2)
    halves.fit(music.data, music.target)
    loader = AudioLoader(duration=DURATION)
    waveforms = loader.fit_transform(music.data[:3])
    both = waveforms.reshape(6, -1)
    proba = halves.predict_segment_proba(music.data[:3])
    assert proba.shape == (3, 2, 3)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.reshape(6, 3), halves.predict_proba(both), atol=1e-6)


def test_parts_overlap_in_short_tracks_and_are_all_of_a_shorter_one(music):
    model = small(("svc",), n_excerpts=0, n_segments=3, segment_duration=3.0)
    model.fit(music.data, music.target)
    waveform = AudioLoader(duration=DURATION).fit_transform(music.data[:1])[0]
    n = 3 * 22050
    middle = waveform[(waveform.size - n) // 2 :][:n]
    judged = model.predict_segment_proba(music.data[:1])
    np.testing.assert_allclose(judged[0, 1], model.predict_proba([middle])[0], atol=1e-5)
    short = model.predict_segment_proba([waveform[:n]])
    np.testing.assert_allclose(short[0], np.repeat(short[0, :1], 3, axis=0), atol=1e-6)


def test_a_track_is_judged_as_a_whole_and_by_three_parts(music):
    model = small(("svc",)).set_params(duration=16.0).fit(music.data, music.target)
    waveforms = AudioLoader(duration=16.0).fit_transform(music.data[[0, 7, 14]])
    waveforms[1, -8 * 22050 :] = waveforms[2, : 8 * 22050]  # swing, then thrash
    judged = model.predict_proba(waveforms)
    model.set_params(n_excerpts=0)
    whole = model.predict_proba(waveforms)
    parts = [model.predict_proba(waveforms[:, s * 22050 : (s + 10) * 22050]) for s in (0, 3, 6)]
    logs = (2 * np.log(whole + 1e-4) + np.log(np.mean(parts, axis=0) + 1e-4)) / 3
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(judged, expected, atol=1e-4)
    assert np.abs(judged - whole).max() > 0.01


def test_parts_add_nothing_to_a_track_no_longer_than_one(music, monkeypatch):
    model = small(("svc", "lda")).fit(music.data, music.target)
    computed = count_tables(monkeypatch)
    by_parts = model.predict_proba(music.data[:3])
    assert len(computed) == 3
    whole = model.set_params(n_excerpts=0).predict_proba(music.data[:3])
    np.testing.assert_allclose(by_parts, whole, atol=1e-3)


def count_tables(monkeypatch):
    """Note each computation of clip features from now on."""
    computed = []
    original = ClipFeatures.transform_track

    def noted(self, track, name):
        computed.append(name)
        return original(self, track, name)

    monkeypatch.setattr(ClipFeatures, "transform_track", noted)
    return computed


def test_parts_are_computed_in_fit_only_where_they_are_kept(music, tmp_path, monkeypatch):
    waveforms = AudioLoader(duration=11.0).fit_transform(music.data)
    computed = count_tables(monkeypatch)
    model = small(("svc",)).set_params(duration=11.0).fit(waveforms, music.target)
    assert len(computed) == 18
    model.predict(waveforms[:2])
    assert len(computed) == 18 + 2 * 4
    model.set_params(memory=tmp_path).fit(waveforms, music.target)
    assert len(computed) == 26 + 18 * 4
    model.predict(waveforms)
    assert len(computed) == 26 + 18 * 4


def test_the_network_has_its_crops_and_no_parts(music, tmp_path, monkeypatch):
    computed = count_tables(monkeypatch)
    model = small(("cnn",), memory=tmp_path).set_params(duration=11.0)
    model.fit(music.data, music.target)
    assert len(computed) == 18
    waveforms = AudioLoader(duration=11.0).fit_transform(music.data[:2])
    by_parts = model.predict_proba(waveforms)
    assert len(computed) == 18 + 2
    np.testing.assert_array_equal(by_parts, model.set_params(n_excerpts=0).predict_proba(waveforms))


def test_one_part_is_the_middle(music):
    model = small(("svc",), n_excerpts=0, n_segments=1, segment_duration=2.0)
    model.fit(music.data, music.target)
    waveform = AudioLoader(duration=DURATION).fit_transform(music.data[:1])[0]
    middle = waveform[22050 : 3 * 22050]
    np.testing.assert_allclose(
        model.predict_segment_proba(music.data[:1])[0], model.predict_proba([middle]), atol=1e-6
    )


def test_long_segments_have_no_parts_of_their_own(music, monkeypatch):
    model = small(("svc",), n_segments=2, segment_duration=12.0).set_params(duration=14.0)
    model.fit(music.data, music.target)
    waveforms = AudioLoader(duration=14.0).fit_transform(music.data[:1])
    computed = count_tables(monkeypatch)
    model.predict_segment_proba(waveforms)
    assert len(computed) == 2


def test_no_rows_are_refused_by_the_parts_too(music):
    front_end, ensemble = small(("svc",)).parts()
    rows = front_end.fit_transform(music.data)
    with pytest.raises(ValueError, match="0 sample"):
        ensemble.fit(rows, music.target).predict(rows[:0])


def test_data_frames_asked_for_at_large_change_nothing(music):
    pytest.importorskip("pandas")
    model = small(("svc", "svc_whitened")).fit(music.data, music.target, groups=music.artists)
    expected = model.predict_proba(music.data)
    with config_context(transform_output="pandas"):
        np.testing.assert_array_equal(model.predict_proba(music.data), expected)
        model.fit(music.data, music.target, groups=music.artists)
        np.testing.assert_array_equal(model.predict_proba(music.data), expected)


def test_rows_of_whole_tracks_are_judged_as_one_part(music):
    front_end, ensemble = small(("svc",), n_excerpts=0).parts()
    rows = front_end.fit_transform(music.data)
    assert split_views(rows).excerpts.shape[1] == 0
    by_part = ensemble.fit(rows, music.target).predict_segment_proba(rows)
    np.testing.assert_allclose(by_part[:, 0], ensemble.predict_proba(rows), atol=1e-6)


def test_evaluate_takes_the_parts_as_a_pipeline(music):
    pipeline = make_pipeline(*small().set_params(members=("svc", "svc_whitened")).parts())
    result = evaluate(pipeline, music, n_folds=3, n_bootstrap=10)
    assert result.overall["track_accuracy"]["value"] > 0.5


def test_parts_know_the_segments(music):
    _, ensemble = small(("svc",), n_segments=3, segment_duration=1.5).parts()
    assert (ensemble.n_segments, ensemble.segment_duration) == (3, 1.5)


def test_settings_of_segments_are_checked_when_they_are_used(music):
    model = small(("svc",)).fit(music.data, music.target)
    with pytest.raises(ValueError, match="'n_segments' parameter of GenreClassifier"):
        model.set_params(n_segments=None).predict_segment_proba(music.data[:1])
    with pytest.raises(ValueError, match="'n_excerpts' parameter of GenreClassifier"):
        model.set_params(n_segments=6, n_excerpts=-1).predict(music.data[:1])


def test_one_artist_a_genre_leaves_the_member_out_with_one_warning(music):
    with pytest.warns(
        UserWarning, match="only one artist for each genre.* it is left out"
    ) as found:
        model = small(("svc", "svc_whitened")).fit(music.data, music.target, groups=music.target)
    assert len(found) == 1
    assert list(model.ensemble_.members_) == ["svc"]
    with pytest.raises(ValueError, match="Choose 'svc', or give tracks of more artists"):
        small(("svc_whitened",)).fit(
            ["no-such-file.wav"] * 3, ["a", "a", "b"], groups=["a", "a", "b"]
        )


def test_folds_without_two_artists_of_a_genre_do_not_calibrate():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 6)
    rows = (
        rng.normal(size=(12, len(ClipFeatures().get_feature_groups_out()))) + codes[:, np.newaxis]
    )
    artists = np.array(["a"] * 5 + ["b"] + ["c"] * 6)  # b has one track, alone in some fold
    rows = rows.astype(np.float32)
    views = Views(rows, np.empty((12, 0, rows.shape[1])), np.empty((12, 0, N_MELS)))
    folds = calibration_folds(codes, seed=0)
    with_two = [fold for fold in folds if 5 in fold[0]]
    assert len(with_two) < len(folds)
    labels = ClipFeatures().get_feature_groups_out()
    every = TableMember(labels, "svc_whitened").fit(views, codes, artists, folds, 0)
    some = TableMember(labels, "svc_whitened").fit(views, codes, artists, with_two, 0)
    np.testing.assert_allclose(every.calibration_.slope_, some.calibration_.slope_)


def test_a_discriminant_of_few_tracks_is_not_sure_of_labels_that_mean_nothing(music):
    labels = np.random.default_rng(0).permutation(music.target)
    model = small(("lda",)).fit(music.data[::2], labels[::2])
    assert model.predict_proba(music.data[1::2]).max(axis=1).mean() < 0.6


def test_what_changes_within_a_track_shows_in_its_parts(music):
    model = small(("svc",), n_segments=2, segment_duration=DURATION / 2)
    model.fit(music.data, music.target)
    dub, thrash = AudioLoader(duration=DURATION).fit_transform(music.data[[0, 12]])
    half = dub.size // 2
    judged = model.predict_segment_proba([np.concatenate([dub[:half], thrash[half:]])])[0]
    assert model.classes_[judged.argmax(axis=1)].tolist() == ["dub", "thrash"]


def test_artists_matter_to_one_member_only(music):
    with_artists = small(("svc", "svc_whitened")).fit(
        music.data, music.target, groups=music.artists
    )
    without = small(("svc", "svc_whitened")).fit(music.data, music.target)
    assert list(without.ensemble_.members_) == ["svc"]
    answers = with_artists.predict_member_proba(music.data)
    np.testing.assert_allclose(
        answers["svc"], without.predict_member_proba(music.data)["svc"], rtol=1e-6
    )
    assert not np.allclose(answers["svc_whitened"], answers["svc"], atol=1e-3)


def test_fits_with_a_seed_are_equal(music):
    one, two = (small(("svc", "lda")).fit(music.data, music.target) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(music.data), two.predict_proba(music.data))


def test_pickle_predicts_equally_in_another_process(music, fitted, tmp_path):
    joblib.dump((fitted, music.data), tmp_path / "model")
    code = (
        "import sys, joblib, numpy as np; model, paths = joblib.load(sys.argv[1]); "
        "np.save(sys.argv[2], model.predict_proba(paths))"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model", tmp_path / "proba.npy"], check=True
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "proba.npy"), fitted.predict_proba(music.data), atol=1e-5
    )
    assert len(pickle.dumps(fitted)) < 3_000_000


def test_artists_come_by_metadata_routing(music):
    with config_context(enable_metadata_routing=True):
        model = small(("svc_whitened",)).set_fit_request(groups=True)
        scores = cross_val_score(
            model,
            music.data,
            music.target,
            cv=GroupKFold(3),
            params={"groups": music.artists},
        )
    assert len(scores) == 3
    assert np.isfinite(scores).all()


def test_features_are_kept_for_later_fits(music, tmp_path, monkeypatch):
    from skgenre.audio import _loader

    small(("svc",), memory=tmp_path).fit(music.data, music.target)

    def refused(*args, **kwargs):
        raise AssertionError("a file was decoded again")

    monkeypatch.setattr(_loader, "read_audio", refused)
    model = clone(small(("lda",), memory=tmp_path)).fit(music.data[:12], music.target[:12])
    model.predict(music.data)


def test_few_tracks_and_two_genres(music):
    rows = [0, 6, 7]  # one track of dub, two of swing
    model = small(("svc", "lda", "cnn")).fit(music.data[rows], music.target[rows])
    proba = model.predict_proba(music.data)
    assert proba.shape == (18, 2)
    assert np.isfinite(proba).all()


@pytest.mark.parametrize("most_exact", [10, 16])  # 16: more than a fold has, fewer than all
def test_many_tracks_take_the_approximate_kernel(music, monkeypatch, most_exact):
    from skgenre.classifiers import _members

    monkeypatch.setattr(_members, "_MAX_EXACT", most_exact)
    monkeypatch.setattr(_members, "_LANDMARKS", 8)
    model = small(("svc",)).fit(music.data, music.target)
    assert type(model.ensemble_.members_["svc"].machine_).__name__ == "LinearSVC"
    assert (model.predict(music.data) == music.target).mean() > 0.8


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (("svc", "forest"), "'forest' is none of them"),
        ((), "must be one or more of 'svc', 'lda', 'cnn', 'svc_whitened'"),
        (("svc_whitened",), "needs groups"),
    ],
)
def test_wrong_members_are_told_before_any_file_is_read(music, members, message):
    with pytest.raises(ValueError, match=message):
        small(members).fit(["no-such-file.wav", "nor-this.wav"], ["dub", "swing"])


def test_wrong_artists_are_refused(music):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small(("svc",)).fit(music.data, music.target, groups=music.artists[:5])
    artists = music.artists.astype(object)
    artists[3] = None
    with pytest.raises(ValueError, match="no artist for 1 of 18 tracks"):
        small(("svc",)).fit(music.data, music.target, groups=artists)


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


def test_a_rate_without_rhythm_is_refused_before_any_file_is_read(music):
    with pytest.raises(ValueError, match=r"needs 40. Set sampling_rate to 20480 or more"):
        small(("svc",), sampling_rate=16000).fit(["no-such-file.wav"] * 3, ["a", "a", "b"])


def test_a_fit_that_fails_leaves_the_last_one(music):
    model = small(("svc",)).fit(music.data, music.target)
    before = model.predict_proba(music.data)
    model.set_params(duration=1.0)
    with pytest.raises(ValueError, match="class"):
        model.fit(music.data, ["dub"] * len(music.data))
    np.testing.assert_array_equal(model.predict_proba(music.data), before)


def test_one_path_is_no_list_of_letters(music):
    with pytest.raises(ValueError, match="X is a single path"):
        small(("svc",)).fit("song.wav", ["dub"] * 8)


def test_one_genre_is_refused(music):
    with pytest.raises(ValueError, match="class"):
        small(("svc",)).fit(music.data[:3], ["dub"] * 3)
    with pytest.raises(ValueError, match="Each of the 2 genres has 1 track only"):
        small(("svc",)).fit(music.data[[0, 6]], music.target[[0, 6]])


def test_a_file_that_is_missing_is_named(music, fitted):
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        fitted.predict(["gone.wav"])


def test_views_are_those_of_the_public_transformers():
    rng = np.random.default_rng(0)
    waveforms = rng.normal(size=(2, 22050)).astype(np.float32)
    views = split_views(TrackViews(duration=1.0, with_spectrogram=True).fit_transform(waveforms))
    np.testing.assert_array_equal(views.table, ClipFeatures().fit_transform(waveforms))
    assert views.spectrogram.shape == (2, 1 + 22050 // 1024, N_MELS)
    mel = MelSpectrogramExtractor(n_mels=N_MELS, hop_length=1024, top_db=None)
    np.testing.assert_allclose(
        views.spectrogram, mel.fit_transform(waveforms[:, np.newaxis])[:, 0], atol=1e-4
    )
    assert views.excerpts.shape == (2, 0, views.table.shape[1])
    table = split_views(TrackViews(duration=1.0).fit_transform(waveforms))
    np.testing.assert_array_equal(table.table, views.table)
    assert table.spectrogram.shape == (2, 0, N_MELS)


def test_views_of_parts_stand_beside_those_of_the_whole():
    waveforms = np.random.default_rng(0).normal(size=(2, 14 * 22050)).astype(np.float32)
    views = TrackViews(duration=14.0, with_spectrogram=True, n_excerpts=3)
    rows = views.fit_transform(waveforms)
    without = split_views(views.set_params(n_excerpts=0).fit_transform(waveforms))
    with_excerpts = split_views(rows)
    np.testing.assert_array_equal(with_excerpts.table, without.table)
    np.testing.assert_array_equal(with_excerpts.spectrogram, without.spectrogram)
    for i, start in enumerate((0, 2 * 22050, 4 * 22050)):
        part = np.ascontiguousarray(waveforms[:, start : start + 10 * 22050])
        np.testing.assert_array_equal(with_excerpts.parts[:, i], ClipFeatures().fit_transform(part))


def test_short_tracks_are_described_as_they_are_and_only_the_spectrogram_starts_again():
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=n).astype(np.float32) for n in (22050, 3 * 22050, 9 * 22050)]
    rows = TrackViews(duration=3.0, with_spectrogram=True).fit_transform(waveforms)
    views = split_views(rows)
    for i in (0, 1):
        expected = ClipFeatures().fit_transform(waveforms[i][np.newaxis])[0]
        np.testing.assert_array_equal(views.table[i], expected)
    middle = waveforms[2][3 * 22050 : 6 * 22050]
    np.testing.assert_array_equal(
        views.table[2], ClipFeatures().fit_transform(middle[np.newaxis])[0]
    )
    n = 1 + 22050 // 1024  # frames of the first track
    np.testing.assert_array_equal(views.spectrogram[0, n : 2 * n], views.spectrogram[0, :n])
    assert views.spectrogram.shape[1] == 1 + 3 * 22050 // 1024


def test_an_empty_track_is_refused_by_name():
    with pytest.raises(ValueError, match="track 1 has no samples"):
        TrackViews().fit_transform([np.zeros(22050, np.float32), np.zeros(0, np.float32)])


def test_calibration_folds_judge_each_track_of_a_genre_that_can_be_left_out():
    codes = np.repeat([0, 1, 2], [10, 5, 1])
    folds = calibration_folds(codes, seed=0)
    assert len(folds) == 5
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(16))
    assert calibration_folds(np.array([0, 1, 2]), seed=0) == []
