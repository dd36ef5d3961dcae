"""PerTrack: the same numbers in little memory, in parallel; and what it refuses."""

from __future__ import annotations

import pickle
import tracemalloc
import warnings

import joblib
import numpy as np
import pytest
import soundfile
from _backends import CUSTOM_BACKENDS
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils.validation import check_is_fitted

from skgenre import (
    AudioLoader,
    Augmenter,
    ChromaExtractor,
    FrameScaler,
    MFCCExtractor,
    PerTrack,
    RhythmExtractor,
    Segmenter,
    make_genres,
)

DURATION = 2.0
RATE = 8000


def front_end(**changes):
    steps = {
        "loader": AudioLoader(duration=DURATION),
        "segmenter": Segmenter(n_segments=2, track_duration=DURATION),
        "extractor": MFCCExtractor(),
    }
    return Pipeline(list({**steps, **changes}.items()))


def augmented(**params):
    augmenter = Augmenter(**{"semitones": None, "stretch_rates": None, "random_state": 3, **params})
    steps = front_end().steps
    return Pipeline([*steps[:2], ("augmenter", augmenter), steps[2]])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    return make_genres(4, genres=2, duration=DURATION, path=folder, random_state=0).data


@pytest.fixture(scope="module")
def plain(files):
    return front_end().fit_transform(files)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_equals_the_pipeline_by_itself(files, plain, n_jobs, batch_size):
    per_track = PerTrack(front_end(), n_jobs=n_jobs, batch_size=batch_size)
    np.testing.assert_array_equal(per_track.fit_transform(files), plain)
    np.testing.assert_array_equal(per_track.transform(files), plain)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "sequential", *CUSTOM_BACKENDS])
def test_any_backend(files, plain, backend):
    with joblib.parallel_config(backend=backend):
        np.testing.assert_array_equal(PerTrack(front_end(), n_jobs=2).transform(files), plain)


def test_dask(files, plain):
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    with (
        warnings.catch_warnings(action="ignore"),  # of servers that are being closed
        distributed.Client(processes=False, dashboard_address=None),
        joblib.parallel_config("dask"),
    ):
        np.testing.assert_array_equal(PerTrack(front_end(), n_jobs=2).transform(files), plain)


def test_augments_in_training_only(files, plain):
    by_itself = augmented()
    expected = by_itself.fit_transform(files)
    per_track = PerTrack(augmented(), n_jobs=2, batch_size=3)
    np.testing.assert_array_equal(per_track.fit_transform(files), expected)
    effects = per_track.transformer_["augmenter"].effects_
    assert effects.tobytes() == by_itself["augmenter"].effects_.tobytes()  # NaN is not NaN
    np.testing.assert_array_equal(per_track.transform(files), plain)


@pytest.mark.parametrize(
    "make_input",
    [
        lambda x: list(x),
        lambda x: np.array(x, dtype=object),
        lambda x: [(track, 22050) for track in x],
        lambda x: [track[:-i] for i, track in enumerate(x, start=1)],  # unequal lengths
        lambda x: x.astype(np.float64),
    ],
    ids=["list", "objects", "pairs", "unequal", "float64"],
)
def test_kinds_of_input(make_input):
    X = make_input(make_genres(2, genres=2, duration=DURATION, random_state=0).data)
    np.testing.assert_array_equal(
        PerTrack(front_end()).fit_transform(X), front_end().fit_transform(X)
    )


def test_series_of_paths(files, plain):
    pandas = pytest.importorskip("pandas")
    np.testing.assert_array_equal(PerTrack(front_end()).transform(pandas.Series(files)), plain)


def test_raw_segments_are_not_held(files):
    """The result is small; the raw sound of all tracks is not."""
    many = list(files) * 12
    per_track = PerTrack(front_end())
    per_track.transform(many[:2])
    tracemalloc.start()
    out = per_track.transform(many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    raw = len(many) * DURATION * 22050 * 4
    assert peak < out.nbytes + raw / 4


def test_progress_by_track(files):
    class Record:
        max_propagation_depth = None

        def __init__(self):
            self.tracks = []

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            if context.task_name == "track":
                self.tracks.append((context.task_id, context.max_subtasks))

    record = Record()
    per_track = PerTrack(front_end(), n_jobs=2).set_callbacks(record)
    per_track.fit_transform(files)
    assert [task for task, _ in record.tracks] == list(range(8))


@pytest.mark.parametrize(
    "learner",
    [
        FrameScaler(),
        PCA(),
        type("Scaler", (StandardScaler,), {})(),
        make_pipeline(Normalizer(), FrameScaler()),
        FeatureUnion([("a", Normalizer()), ("b", PCA())]),
    ],
)
def test_refuses_what_learns_across_tracks(learner):
    kind = next(k for k in ("PCA", "FrameScaler", "Scaler") if k in repr(learner))
    message = f"{kind} learns from all training tracks together .* Put {kind} after PerTrack"
    for method in ("fit", "fit_transform", "transform"):
        with pytest.raises(ValueError, match=message):
            getattr(PerTrack(learner), method)(np.ones((2, 3)))


class Plain:
    """A user's transformer that knows nothing of scikit-learn, and says nothing."""

    def transform(self, X):
        return np.asarray(X)[:, :2] * 2


class Untagged(TransformerMixin, BaseEstimator):
    """A user's transformer with a fit that learns nothing from the tracks, and says nothing."""

    def __init__(self, n=2):
        self.n = n

    def fit(self, X, y=None):
        self.weights_ = np.full(self.n, 2)
        return self

    def transform(self, X):
        check_is_fitted(self)
        return np.asarray(X)[:, : self.n] * self.weights_


class DeclaredPlain(Plain):
    stateless = True


class Declared(Untagged):
    stateless = True


class Mixed(TransformerMixin, Plain):
    """Has scikit-learn's mixin without its base, and so a method for tags that fails."""


class DeclaredMixed(Mixed):
    stateless = True


class Tagged(Plain, BaseEstimator):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


@pytest.mark.parametrize(
    "unknown",
    [
        Plain(),
        Untagged(),
        Mixed(),
        make_pipeline(Normalizer(), Untagged()),
        FeatureUnion([("a", Normalizer()), ("b", Untagged())]),
        PerTrack(Plain()),
    ],
)
def test_a_transformer_that_says_nothing_is_refused_with_what_is_missing(unknown):
    with pytest.raises(ValueError, match="requires_fit is not False") as caught:
        PerTrack(unknown).fit_transform(np.ones((2, 3)))
    message = str(caught.value)
    assert "it is no FunctionTransformer" in message
    assert "add the line `stateless = True`" in message
    assert "learns from all" not in message


def doubled_start(X):
    return X[:, :2] * 2


@pytest.mark.parametrize(
    "step",
    [
        DeclaredPlain(),
        DeclaredMixed(),
        Declared(),
        Tagged(),
        FunctionTransformer(doubled_start),
        FunctionTransformer(doubled_start, validate=True, inverse_func=np.abs, check_inverse=False),
        make_pipeline(FunctionTransformer(), DeclaredPlain()),
        FeatureUnion([("a", Declared()), ("b", "drop")]),
    ],
    ids=lambda step: type(step).__name__,
)
def test_transformers_of_the_user_run_in_threads_processes_pickles_and_from_the_cache(
    step, tmp_path
):
    X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    for n_jobs in (1, 2):
        per_track = clone(PerTrack(step, n_jobs=n_jobs, memory=tmp_path))
        np.testing.assert_array_equal(per_track.fit_transform(X), 2 * X[:, :2])
    assert per_track.n_hits_ == 4
    again = pickle.loads(pickle.dumps(per_track))
    np.testing.assert_array_equal(again.transform(X), 2 * X[:, :2])
    with joblib.parallel_config(backend="loky"):
        np.testing.assert_array_equal(PerTrack(step, n_jobs=2).transform(X), 2 * X[:, :2])


def test_a_transform_that_a_subclass_replaces_counts():
    class Louder(Segmenter):
        def transform(self, X):
            return 2 * super().transform(X)

    X = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    louder = Louder(n_segments=2, track_duration=20, sampling_rate=1)
    np.testing.assert_array_equal(PerTrack(louder).fit_transform(X), louder.transform(X))


def test_unions_join_and_weigh_their_members():
    X = np.random.default_rng(0).normal(size=(3, 4))
    members = [("a", Normalizer()), ("b", "passthrough"), ("c", FunctionTransformer(np.abs))]
    union = FeatureUnion(members, transformer_weights={"a": 3.0})
    np.testing.assert_array_equal(PerTrack(union).fit_transform(X), union.fit_transform(X))


def test_refuses_what_is_no_transformer():
    with pytest.raises(TypeError, match=r"LogisticRegression\(\) has no transform"):
        PerTrack(make_pipeline(Normalizer(), LogisticRegression())).fit([[1.0]])
    with pytest.raises(TypeError, match=r"Normalizer has no transform\. Give an instance"):
        PerTrack(Normalizer).fit([[1.0]])
    with pytest.raises(ValueError, match="Augmenter inside a FeatureUnion"):
        PerTrack(FeatureUnion([("a", Augmenter())])).fit(np.ones((1, 9), np.float32))


def test_stateless_transformers_of_scikit_learn():
    X = np.random.default_rng(0).normal(size=(5, 4))
    union = FeatureUnion([("a", Normalizer()), ("b", FunctionTransformer(np.abs))])
    np.testing.assert_array_equal(
        PerTrack(union, batch_size=2).fit_transform(X), union.fit_transform(X)
    )


def test_errors_name_the_track_in_the_whole_input(files, tmp_path):
    X = np.random.default_rng(0).normal(size=(4, int(DURATION * 22050))).astype(np.float32)
    X[3, 7] = np.nan
    with pytest.raises(ValueError, match="track 3 contains NaN"):
        PerTrack(Segmenter(n_segments=2, track_duration=DURATION)).fit_transform(X)
    with pytest.raises(FileNotFoundError, match=r"lost\.wav does not exist"):
        PerTrack(front_end(), n_jobs=2).fit_transform([*files, tmp_path / "lost.wav"])
    with pytest.raises(ValueError, match=r"single path, 'a\.wav'; give a list"):
        PerTrack(front_end()).fit("a.wav")
    with pytest.raises(ValueError, match="0 tracks"):
        PerTrack(front_end()).fit([])


class Fussy(TransformerMixin, BaseEstimator):
    """A transformer from elsewhere, which counts the rows that it sees."""

    stateless = True

    def transform(self, X):
        if (np.asarray(X) < 0).any():
            raise ValueError("row 0 is negative")
        return np.asarray(X)[:, :, np.newaxis] if len(X[0]) > 1 else np.repeat(X, 2, axis=0)


def test_errors_from_elsewhere_carry_a_note():
    with pytest.raises(ValueError, match="row 0 is negative") as caught:
        PerTrack(Fussy()).fit_transform([[1.0, 1.0], [1.0, -1.0]])
    assert caught.value.__notes__ == ["PerTrack was at track 1."]


def test_rows_must_remain_rows():
    with pytest.raises(ValueError, match="1 track went into Fussy, 2 rows came out"):
        PerTrack(Fussy()).transform(np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"track 1 came out with the shape \(3, 1\)"):
        PerTrack(Fussy()).transform([[1.0, 2.0], [1.0, 2.0, 3.0]])


def test_parameters_of_inner_steps_by_short_names(files):
    per_track = PerTrack(front_end())
    assert per_track.get_params()["segmenter__n_segments"] == 2
    per_track.set_params(segmenter__n_segments=4, transformer__extractor__n_mfcc=5)
    assert per_track.transform(files[:1]).shape[1::2] == (4, 5)
    per_track.set_params(extractor=MFCCExtractor(n_mfcc=7), n_jobs=2)
    assert per_track.transformer["extractor"].n_mfcc == 7
    assert not hasattr(per_track, "extractor")
    with pytest.raises(ValueError, match="Invalid parameter 'segments'"):
        per_track.set_params(segmenter__segments=1)
    with pytest.raises(ValueError, match="Invalid parameter 'cutter'"):
        per_track.set_params(cutter__n_segments=1)
    assert set(per_track.get_params(deep=False)) == {
        "transformer",
        "n_jobs",
        "memory",
        "batch_size",
        "file_identity",
        "bytes_limit",
    }
    assert clone(per_track).get_params()["extractor__n_mfcc"] == 7


def test_fit_leaves_its_parameters_alone(files):
    transformer = augmented()
    before = repr(transformer.get_params())
    per_track = PerTrack(transformer).fit(files)
    assert per_track.transformer is transformer
    assert repr(transformer.get_params()) == before
    assert not hasattr(transformer["augmenter"], "seed_")


def test_parameters_count_without_a_new_fit(files):
    per_track = PerTrack(front_end()).fit(files)
    per_track.set_params(segmenter__n_segments=4)
    assert per_track.transform(files[:1]).shape[1] == 4


def test_names_and_tables(files):
    per_track = PerTrack(front_end())
    assert per_track.get_feature_names_out()[1] == "mfcc1"
    with pytest.raises(AttributeError):
        PerTrack(Segmenter()).get_feature_names_out()
    assert type(per_track.set_output(transform="pandas").transform(files[:1])) is np.ndarray
    union = FeatureUnion([("rhythm", RhythmExtractor()), ("chroma", ChromaExtractor())])
    table = PerTrack(make_pipeline(AudioLoader(duration=DURATION), union), n_jobs=2)
    assert type(table.transform(files)) is np.ndarray
    pandas = pytest.importorskip("pandas")
    frame = table.set_output(transform="pandas").fit_transform(
        pandas.Series(files, index=[*"abcdefgh"])
    )
    assert frame.columns[0].startswith("rhythm__")
    assert frame.index.tolist() == [*"abcdefgh"]
    assert frame.shape == (8, 16 + 360)


def test_pickles_and_nests(files, plain):
    again = pickle.loads(pickle.dumps(PerTrack(PerTrack(front_end())).fit(files)))
    np.testing.assert_array_equal(again.transform(files), plain)


def test_bad_parameters(files):
    for params, message in [
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"file_identity": "name"}, "'file_identity' parameter"),
        ({"memory": 3}, "'memory' parameter"),
        ({"n_jobs": "all"}, "'n_jobs' parameter"),
    ]:
        with pytest.raises(ValueError, match=message):
            PerTrack(front_end(), **params).fit(files)
    with pytest.raises(ValueError, match="'n_mfcc' parameter of MFCCExtractor"):
        PerTrack(front_end(extractor=MFCCExtractor(n_mfcc=0))).fit(files)


def test_the_sampling_rate_travels_on(files, tmp_path):
    loader = AudioLoader(sampling_rate=16000, duration=DURATION)
    for per_track in (PerTrack(loader), PerTrack(PerTrack(loader), memory=tmp_path)):
        for _ in range(2):  # computed, then found
            Xt = per_track.fit_transform(files)
            assert Xt.sampling_rate == 16000
            with pytest.raises(ValueError, match="16000 Hz, but MFCCExtractor is set to"):
                MFCCExtractor().fit_transform(Xt)


def test_augments_inside_a_nested_one(files):
    steps = augmented().steps
    nested = make_pipeline(PerTrack(Pipeline(steps[:3])), steps[3][1])
    np.testing.assert_array_equal(
        PerTrack(nested).fit_transform(files), augmented().fit_transform(files)
    )


def test_types_are_promoted():
    Xt = PerTrack(FunctionTransformer()).fit_transform([np.array([1, 2]), np.array([0.5, 0.7])])
    assert Xt.tolist() == [[1.0, 2.0], [0.5, 0.7]]


def test_tables_without_names(files):
    pytest.importorskip("pandas")
    loader = AudioLoader(duration=DURATION)
    scaled = PerTrack(make_pipeline(loader, RhythmExtractor(), Normalizer()))
    frame = scaled.set_output(transform="pandas").transform(files)
    assert frame.columns[0] == RhythmExtractor().get_feature_names_out()[0]
    nameless = PerTrack(make_pipeline(loader, RhythmExtractor(), FunctionTransformer(np.abs)))
    assert nameless.set_output(transform="pandas").transform(files).shape == (8, 16)


def test_limits_are_checked_before_the_work(files):
    for limit in ("abc", "2g", "100", "1GB", "0G", "-1G", ""):
        with pytest.raises(ValueError, match=r"bytes_limit=.* is no size; give bytes as an int"):
            PerTrack(front_end(), bytes_limit=limit).transform(files)


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_no_transformer(nothing):
    with pytest.raises(TypeError, match="PerTrack takes a transformer or a Pipeline of them"):
        PerTrack(nothing).fit([[1.0]])


def test_steps_that_write_to_their_input_leave_the_tracks_of_the_user_alone():
    def doubled(X):
        X *= 2
        return X

    waveforms = np.random.default_rng(0).normal(size=(2, 20)).astype(np.float32)
    before = waveforms.copy()
    for first in (
        Segmenter(n_segments=2, segment_duration=1, sampling_rate=10),
        AudioLoader(sampling_rate=10, duration=2.0),
    ):
        steps = PerTrack(make_pipeline(first, FunctionTransformer(doubled)))
        handed_on = PerTrack(
            make_pipeline(FunctionTransformer(), first, FunctionTransformer(doubled))
        )
        np.testing.assert_array_equal(handed_on.transform(waveforms).reshape(2, 20), 2 * before)
        for tracks in (waveforms, list(waveforms)):
            out = steps.transform(tracks)
            np.testing.assert_array_equal(waveforms, before)
            np.testing.assert_array_equal(out.reshape(2, 20), 2 * before)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_do_not_change_when_more_is_computed(n_jobs):
    steps = PerTrack(Segmenter(n_segments=2, segment_duration=1, sampling_rate=10), n_jobs=n_jobs)
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=(5, 20)).astype(np.float32) for _ in range(2))
    out = steps.transform(first)
    kept = out.copy()
    assert not np.may_share_memory(out, first)
    steps.transform(second)
    np.testing.assert_array_equal(out, kept)


def test_wrong_parameters_are_refused_before_the_first_track_and_inside_others():
    with pytest.raises(ValueError, match="'n_segments' parameter of Segmenter"):
        PerTrack(Segmenter(n_segments=0)).transform(["no-such-file.wav"])
    union = FeatureUnion([("a", MFCCExtractor(n_mfcc=-1))])
    with pytest.raises(ValueError, match="'n_mfcc' parameter of MFCCExtractor"):
        PerTrack(union).transform(np.zeros((1, 22050), np.float32))


def test_nested_errors_name_the_track_in_the_whole_input():
    waveforms = np.zeros((5, 2205), np.float32)
    waveforms[3, 7] = np.nan
    inner = FeatureUnion([("a", PerTrack(RhythmExtractor()))])
    with pytest.raises(ValueError, match="track 3 contains NaN"):
        PerTrack(inner).transform(waveforms)


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("cached", [False, True])
def test_warnings_about_tracks_reach_the_caller(tmp_path, backend, cached):
    loader = AudioLoader(sampling_rate=RATE, duration=1.0)
    memory = tmp_path / "cache" if cached else None
    front_end = PerTrack(loader, n_jobs=2, memory=memory, file_identity="content")
    for name in ("first.wav", "second.wav"):  # the same content: the second is from the cache
        soundfile.write(tmp_path / name, np.zeros(RATE), RATE)
        tracks = [tmp_path / name, np.arange(0.3 * RATE)]
        for transform in (front_end.transform, front_end.fit_transform):
            with joblib.parallel_config(backend), pytest.warns() as caught:
                transform(tracks)
            texts = sorted(str(warning.message) for warning in caught)
            assert len(texts) == 2
            assert texts[0].startswith("1 track repeated to 1 s by short='repeat', so that")
            assert texts[1].startswith(f"1 track without sound: {tmp_path / name} (all samples of")
            assert {warning.filename for warning in caught} == {__file__}
