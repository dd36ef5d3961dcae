"""The main job: from audio files to genres with plain scikit-learn."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import estimator_html_repr

from skgenre import (
    AudioLoader,
    Augmenter,
    CNNGenreClassifier,
    FrameScaler,
    FusionKNeighborsClassifier,
    GenreClassifier,
    LSTMGenreClassifier,
    MFCCExtractor,
    MLPGenreClassifier,
    PitchHistogramExtractor,
    RejectingClassifier,
    RhythmExtractor,
    Segmenter,
    STFTExtractor,
    SummaryExtractor,
    load_genre_folder,
    make_genre_pipeline,
    make_genres,
)

GENRES = ["ambient", "house", "waltz"]
DURATION = 2.0


def small_mlp(**params):
    defaults = {"units": (32,), "epochs": 15, "learning_rate": 0.003, "random_state": 0}
    return MLPGenreClassifier(**{**defaults, **params})


def small_pipeline(classifier=None, **params):
    classifier = small_mlp() if classifier is None else classifier
    return make_genre_pipeline(classifier, duration=DURATION, **{"n_segments": 2, **params})


@pytest.fixture(scope="module")
def music():
    """Waveforms of three synthetic genres, class-sorted, with artists."""
    return make_genres(10, genres=GENRES, duration=DURATION, n_artists=5, random_state=0)


@pytest.fixture(scope="module")
def features(music):
    """Scaled features of the music, for what needs no audio."""
    return small_pipeline()[:-1].fit_transform(music.data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("music")
    make_genres(6, genres=GENRES, duration=DURATION, path=path, random_state=0)
    return load_genre_folder(path)


def test_folder_to_pickle_to_genre_of_a_new_file(folder, tmp_path):
    pipeline = small_pipeline().fit(folder.data, folder.target)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(pipeline))
    new = make_genres(
        1, genres=GENRES, duration=DURATION, path=tmp_path / "new", random_state=9
    ).data
    script = (
        "import pickle, sys; model = pickle.load(open('model.pickle', 'rb'));"
        "print(*model.predict(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, new)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == pipeline.predict(new).tolist()


def test_pipeline_by_hand_is_the_same(music):
    by_hand = Pipeline(
        [
            ("loader", AudioLoader(duration=DURATION)),
            ("segmenter", Segmenter(n_segments=2, track_duration=DURATION)),
            ("extractor", MFCCExtractor()),
            ("scaler", FrameScaler()),
            ("classifier", small_mlp()),
        ]
    )
    made = small_pipeline()
    assert repr(by_hand[:3]) == repr(made["features"].transformer)
    assert repr(by_hand[3:].steps) == repr(made[1:].steps)
    np.testing.assert_array_equal(
        by_hand.fit(music.data, music.target).predict_proba(music.data),
        made.fit(music.data, music.target).predict_proba(music.data),
    )


def test_names_of_classifiers():
    for name in ("mlp", "cnn", "lstm", "hierarchical"):
        kind = type(make_genre_pipeline(name)[-1]).__name__.lower()
        assert kind.startswith(name)
    with pytest.raises(ValueError, match="classifier='svm' is unknown; choose from 'mlp', 'cnn'"):
        make_genre_pipeline("svm")


def test_one_rate_for_all_steps():
    pipeline = make_genre_pipeline(
        sampling_rate=16000, augmenter=Augmenter(), extractor=MFCCExtractor(n_mfcc=20)
    )
    assert list(pipeline.named_steps) == ["features", "scaler", "classifier"]
    front_end = pipeline["features"].transformer
    assert list(front_end.named_steps) == ["loader", "segmenter", "augmenter", "extractor"]
    assert {step.sampling_rate for step in front_end} == {16000}
    assert front_end["extractor"].n_mfcc == 20
    assert "scaler" not in make_genre_pipeline(scaler=None).named_steps


def test_estimators_that_are_given_stay_as_they_are():
    extractor, scaler, classifier = MFCCExtractor(), FrameScaler(), small_mlp()
    pipeline = make_genre_pipeline(
        classifier, sampling_rate=8000, extractor=extractor, scaler=scaler
    )
    assert extractor.sampling_rate == 22050
    assert pipeline["classifier"] is not classifier
    assert pipeline["scaler"] is not scaler


def test_steps_given_as_text():
    pipeline = make_genre_pipeline("mlp", scaler="passthrough", augmenter="passthrough")
    assert pipeline["features"].transformer.named_steps["augmenter"] == "passthrough"
    assert pipeline.named_steps["scaler"] == "passthrough"
    with pytest.raises(ValueError, match="scaler='standard' is no step"):
        make_genre_pipeline("mlp", scaler="standard")


def small_forest():
    return RandomForestClassifier(n_estimators=10, random_state=0)


@pytest.mark.parametrize(
    "classifier",
    [
        small_forest(),
        SVC(),
        HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2),
        KNeighborsClassifier(3),
        make_pipeline(StandardScaler(), SVC()),
        VotingClassifier([("a", small_forest()), ("b", SVC())]),
        CalibratedClassifierCV(SVC(), cv=2),
        GridSearchCV(SVC(), {"C": [1, 2]}, cv=2),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_a_table_of_tracks_reaches_any_classifier(classifier, music):
    pipeline = small_pipeline(classifier, n_segments="auto", extractor=RhythmExtractor())
    assert list(pipeline["features"].transformer.named_steps) == ["loader", "extractor"]
    pipeline.fit(music.data, music.target)
    assert pipeline[:-1].transform(music.data).shape == (30, 16)
    assert pipeline[:-1].get_feature_names_out()[0] == "tempo"
    assert pipeline.score(music.data, music.target) > 0.5
    for frames in ({}, {"extractor": MFCCExtractor()}, {"extractor": STFTExtractor()}):
        with pytest.raises(ValueError, match=r"takes a table of one row .* gives frames") as caught:
            make_genre_pipeline(classifier, **frames)
        assert "SummaryExtractor()" in str(caught.value)
    with pytest.raises(ValueError, match="n_segments=3 makes 3 rows of each"):
        make_genre_pipeline(classifier, extractor=RhythmExtractor(), n_segments=3)
    with pytest.raises(ValueError, match="copies of Augmenter are further rows"):
        make_genre_pipeline(classifier, extractor=RhythmExtractor(), augmenter=Augmenter())


def test_what_is_no_classifier_of_features_is_refused():
    with pytest.raises(ValueError, match="GenreClassifier computes its own features"):
        make_genre_pipeline(GenreClassifier())
    with pytest.raises(TypeError, match="classifier=None is no classifier; give an instance"):
        make_genre_pipeline(None)


def test_a_forest_of_summaries_on_files_in_folds_and_in_a_search(folder, tmp_path):
    pipeline = make_genre_pipeline(
        small_forest(), duration=DURATION, extractor=SummaryExtractor(), memory=tmp_path
    )
    assert cross_val_score(pipeline, folder.data, folder.target, cv=3).mean() > 0.6
    search = GridSearchCV(pipeline, {"classifier__max_depth": [1, 3]}, cv=2)
    assert search.fit(folder.data, folder.target).predict(folder.data[:2]).shape == (2,)
    named = search.best_estimator_.set_output(transform="pandas")
    named.fit(folder.data, folder.target)
    assert (
        named[-1].feature_names_in_.tolist() == SummaryExtractor().get_feature_names_out().tolist()
    )


def test_feature_sets_reach_nearest_neighbours(music):
    pipeline = make_genre_pipeline(
        FusionKNeighborsClassifier(n_neighbors=3),
        duration=DURATION,
        extractor=make_union(RhythmExtractor(), PitchHistogramExtractor()),
        sampling_rate=16000,
    )
    union = pipeline["features"].transformer["extractor"]
    assert {member.sampling_rate for _, member in union.transformer_list} == {16000}
    assert pipeline.fit(music.data, music.target).score(music.data, music.target) > 0.5


def test_tables_and_our_classifiers(music):
    def shape(**params):
        pipeline = make_genre_pipeline(
            small_mlp(epochs=1), duration=DURATION, extractor=RhythmExtractor(), **params
        )
        pipeline.fit(music.data, music.target).predict(music.data[:1])
        return pipeline[:-1].fit_transform(music.data).shape

    assert shape() == (30, 16)
    assert shape(n_segments=2) == (30, 2, 1, 16)
    noise = Augmenter(semitones=None, stretch_rates=None, random_state=0)
    assert shape(augmenter=noise) == (30, 2, 1, 16)  # a copy is another segment


def test_whole_tracks_on_request():
    pipeline = make_genre_pipeline("mlp", n_segments=None)
    assert "segmenter" not in pipeline["features"].transformer.named_steps
    with pytest.raises(ValueError, match=r'n_segments=.many. is unknown; give a number, "auto"'):
        make_genre_pipeline("mlp", n_segments="many")


def flatten(X):
    return X.reshape(len(X), -1)


class Flatten(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return flatten(X)


@pytest.mark.parametrize("flat", [FunctionTransformer(flatten), Flatten()])
def test_frames_are_flattened_for_a_classifier_of_tables(flat, music):
    pipeline = small_pipeline(make_pipeline(FrameScaler(), flat, SVC()))
    assert pipeline.fit(music.data, music.target).predict(music.data[:2]).shape == (2,)


@pytest.mark.parametrize(
    "classifier",
    [
        VotingClassifier([("a", small_mlp()), ("b", SVC())]),
        make_pipeline(FrameScaler(), SVC()),
        RejectingClassifier(SVC(probability=False)),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_frames_are_refused_where_a_member_takes_only_tables(classifier):
    with pytest.raises(ValueError, match="takes a table of one row"):
        make_genre_pipeline(classifier)


class Percentiles:
    """An extractor that knows nothing of scikit-learn."""

    stateless = True

    def transform(self, X):
        return np.percentile(X, (5, 50, 95), axis=-1).T


@pytest.mark.parametrize(
    "extractor",
    [Percentiles(), FunctionTransformer(lambda X: X[:, :500].reshape(-1, 5, 100).std(2))],
)
def test_an_extractor_of_the_user_feeds_a_forest(extractor, music):
    pipeline = make_genre_pipeline(small_forest(), duration=DURATION, extractor=extractor)
    pipeline.fit(music.data, music.target)
    assert pipeline.predict(music.data).shape == (30,)


class NearestMean(ClassifierMixin, BaseEstimator):
    """A classifier of the user's that takes frames, and says so by scikit-learn's tag."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        frames = X.mean(axis=(1, 2))
        self.means_ = np.stack([frames[y == name].mean(axis=0) for name in self.classes_])
        return self

    def predict(self, X):
        distances = np.linalg.norm(X.mean(axis=(1, 2))[:, None] - self.means_, axis=-1)
        return self.classes_[distances.argmin(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def test_a_classifier_of_the_user_takes_frames_by_its_tag(music):
    pipeline = make_genre_pipeline(NearestMean(), duration=DURATION)
    assert pipeline.get_params()["features__segmenter__n_segments"] == 10
    assert pipeline.fit(music.data, music.target).score(music.data, music.target) > 0.5


def test_a_rate_of_its_own_is_refused():
    with pytest.raises(ValueError, match="extractor is set to sampling_rate=16000, but the pipe"):
        make_genre_pipeline("mlp", extractor=MFCCExtractor(sampling_rate=16000))


def test_paths_without_a_loader():
    with pytest.raises(ValueError, match="Segmenter takes waveforms, not paths; let AudioLoader"):
        small_pipeline().set_params(features__loader="passthrough").fit(["a.wav"], ["x"])


def test_mixed_rates_are_an_error_that_names_both(music):
    pipeline = small_pipeline().set_params(features__loader__sampling_rate=16000)
    with pytest.raises(ValueError, match=r"rate of 16000 Hz, but Segmenter is set to .*22050"):
        pipeline.fit(music.data, music.target)
    pipeline.set_params(features__segmenter__sampling_rate=16000)
    with pytest.raises(ValueError, match=r"rate of 16000 Hz, but MFCCExtractor is set to .*22050"):
        pipeline.fit(music.data, music.target)


@pytest.mark.slow
def test_ten_folds_of_class_sorted_tracks_in_two_processes(features, music):
    scores = cross_val_score(small_mlp(), features, music.target, cv=10, n_jobs=2)
    assert scores.shape == (10,)
    assert scores.mean() > 0.6  # unstratified folds of sorted classes give 0


def test_folds_by_artist(features, music):
    folds = StratifiedGroupKFold(5)
    scores = cross_val_score(small_mlp(), features, music.target, groups=music.artists, cv=folds)
    for train, test in folds.split(features, music.target, music.artists):
        assert not set(music.artists[train]) & set(music.artists[test])
    assert len(scores) == 5
    assert scores.mean() > 0.4


def test_cross_val_predict_aligns_with_the_tracks(music):
    proba = cross_val_predict(
        small_pipeline(), music.data, music.target, cv=3, method="predict_proba"
    )
    assert proba.shape == (30, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert roc_auc_score(music.target, proba, multi_class="ovr") > 0.75


def test_grid_search_over_segments_and_activations(music):
    """The search of hu2022's tables 1 to 4, small."""
    grid = {
        "features__segmenter__n_segments": [1, 2],
        "classifier__activation": ["sigmoid", "leaky_relu", "elu"],
    }
    search = GridSearchCV(small_pipeline(small_mlp(epochs=4)), grid, cv=2, error_score="raise")
    search.fit(music.data, music.target)
    assert len(search.cv_results_["params"]) == 6
    assert set(search.best_params_) == set(grid)
    scores = search.cv_results_["mean_test_score"]
    assert np.unique(scores).size > 1
    assert search.best_score_ > 0.5
    assert search.predict(music.data[:2]).shape == (2,)


def test_augmenter_changes_training_only(music):
    augmented = small_pipeline(augmenter=Augmenter(n_copies=1, semitones=None, random_state=0))
    augmented.fit(music.data, music.target)
    assert augmented["features"].transformer_["augmenter"].effects_.shape == (30,)
    assert augmented[:-1].transform(music.data).shape[1] == 2  # no copies in prediction
    assert augmented.score(music.data, music.target) > 0.6


def test_calibration(features, music):
    model = CalibratedClassifierCV(small_mlp(), cv=3).fit(features, music.target)
    proba = model.predict_proba(features)
    assert proba.shape == (30, 3)
    assert model.score(features, music.target) > 0.6


def test_voting_of_classifiers(features, music):
    members = [("a", small_mlp()), ("b", CNNGenreClassifier(epochs=3, random_state=0))]
    model = VotingClassifier(members, voting="soft").fit(features, music.target)
    by_hand = np.mean([m.predict_proba(features) for m in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(features), by_hand, rtol=1e-4, atol=1e-6)
    assert set(model.predict(features)) <= set(GENRES)


def test_set_output_and_html(music):
    pipeline = small_pipeline().set_output(transform="pandas")
    assert pipeline.fit(music.data, music.target).score(music.data, music.target) > 0.6
    page = estimator_html_repr(pipeline)
    for name in ("PerTrack", "AudioLoader", "MFCCExtractor", "FrameScaler", "MLPGenre"):
        assert name in page
    assert "Not fitted" not in page


def test_sample_weight_passes_through_the_pipeline(music):
    weight = np.where(music.target == "waltz", 0.0, 1.0)
    pipeline = small_pipeline(small_mlp(epochs=3))
    pipeline.fit(music.data, music.target, classifier__sample_weight=weight)
    assert not (pipeline.predict(music.data) == "waltz").any()


def test_memory_serves_folds_scoring_and_prediction(music, tmp_path):
    pipeline = small_pipeline(memory=tmp_path)
    plain = cross_val_score(small_pipeline(), music.data, music.target, cv=3)
    np.testing.assert_array_equal(cross_val_score(pipeline, music.data, music.target, cv=3), plain)
    pipeline.fit(music.data, music.target)
    assert pipeline["features"].n_hits_ == 30


class Record:
    """A callback that notes the end of each task."""

    max_propagation_depth = None

    def __init__(self):
        self.tasks = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.tasks.append((type(estimator).__name__, context.task_name, context.task_id))


def test_progress_bar_shows_epochs_and_tracks_inside_a_grid_search(music, capsys):
    from sklearn.callback import ProgressBar

    grid = {"classifier__activation": ["relu", "tanh"]}
    search = GridSearchCV(small_pipeline(small_mlp(epochs=3)), grid, cv=2, refit=False)
    record = Record()
    search.set_callbacks(ProgressBar(max_propagation_depth=None), record)
    search.fit(music.data, music.target)
    epochs = [task[2] for task in record.tasks if task[:2] == ("MLPGenreClassifier", "epoch")]
    assert epochs == [0, 1, 2] * 4  # two cells in two folds
    shown = capsys.readouterr().out
    for name in ("GridSearchCV", "MLPGenreClassifier", "PerTrack"):
        assert name in shown


def test_progress_by_epoch_and_track(music):
    """Each epoch and each track is one task, numbered, below its estimator."""
    record = Record()
    pipeline = small_pipeline(small_mlp(epochs=4)).set_callbacks(record)
    pipeline.fit(music.data[::3], music.target[::3])
    epochs = [task[2] for task in record.tasks if task[:2] == ("MLPGenreClassifier", "epoch")]
    tracks = [task[2] for task in record.tasks if task[:2] == ("PerTrack", "track")]
    assert epochs == [0, 1, 2, 3]
    assert tracks == list(range(10))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn", "lstm", "hierarchical"])
def test_defaults_learn_synthetic_music(name, music):
    """The papers' defaults, from waveforms, on random folds."""
    pipeline = make_genre_pipeline(name, duration=DURATION, n_segments=4)
    assert cross_val_score(pipeline, music.data, music.target, cv=3).mean() > 0.6


def test_lstm_in_a_pipeline(music):
    lstm = LSTMGenreClassifier(lstm_units=(16,), epochs=10, learning_rate=0.01, random_state=0)
    pipeline = small_pipeline(lstm).fit(music.data, music.target)
    assert pipeline.score(music.data, music.target) > 0.6
