"""Tracks without a genre are refused by name, wherever genres come in; tables of one column."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from _checks import tracks_for
from _estimators import small_classifiers, small_table_classifiers
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skgenre import (
    ArtistWhitening,
    AudioLoader,
    GenreClassifier,
    PerTrack,
    SummaryExtractor,
    evaluate,
    leakage_audit,
    make_genres,
    segment_accuracy_scorer,
)

GENRES = ["calm", "loud"] * 12
MESSAGE = r"y has no genre for 1 of 24 tracks, first for track 5, where it is"


def with_gap(gap):
    return [gap if row == 5 else genre for row, genre in enumerate(GENRES)]


def containers():
    """Return functions that build y, each in another container with its own kind of gap."""

    def pandas(dtype=None, gap=None):
        return pytest.importorskip("pandas").Series(with_gap(gap), dtype=dtype)

    def pandas_na():
        return pandas(object, pytest.importorskip("pandas").NA)

    def integers():
        pd = pytest.importorskip("pandas")
        return pd.Series([row % 2 if row != 5 else pd.NA for row in range(24)], dtype="Int64")

    def polars(dtype="String"):
        pl = pytest.importorskip("polars")
        return pl.Series(with_gap(None), dtype=getattr(pl, dtype))

    nan = float("nan")
    return {
        "None": lambda: with_gap(None),
        "NaN": lambda: with_gap(nan),
        "blank": lambda: with_gap(" "),
        "text of NaN": lambda: np.array(with_gap(nan)),
        "objects": lambda: np.array(with_gap(None), dtype=object),
        "NaT": lambda: np.array(with_gap(np.datetime64("NaT")), dtype=object),
        "numbers": lambda: np.where(np.arange(24) == 5, nan, np.arange(24) % 2),
        "masked": lambda: np.ma.array(GENRES, mask=np.arange(24) == 5),
        "masked numbers": lambda: np.ma.array(np.arange(24) % 2, mask=np.arange(24) == 5),
        "column": lambda: np.array(with_gap(None), dtype=object)[:, np.newaxis],
        "pandas": pandas,
        "pandas string": lambda: pandas("string"),
        "pandas category": lambda: pandas("category"),
        "pandas.NA": pandas_na,
        "pandas integers": integers,
        "polars": polars,
        "polars category": lambda: polars("Categorical"),
    }


@pytest.mark.parametrize("kind", containers())
def test_any_container_with_a_gap_is_refused(kind):
    X = np.random.default_rng(0).normal(size=(24, 2))
    y = containers()[kind]()
    for classifier in small_table_classifiers():
        with pytest.raises(ValueError, match=MESSAGE):
            classifier.fit(X, y)
    with pytest.raises(ValueError, match=MESSAGE):
        evaluate(LogisticRegression(), (X, y), protocol="track-random")


@pytest.mark.parametrize("classifier", small_classifiers(), ids=lambda c: type(c).__name__)
def test_each_classifier_refuses_missing_genres(classifier):
    X, _ = tracks_for(classifier)
    with pytest.raises(ValueError, match=MESSAGE):
        clone(classifier).fit(X, with_gap(None))


def test_whatever_takes_genres_refuses_missing_ones():
    X = np.random.default_rng(0).normal(size=(24, 2))
    y = with_gap(None)
    for call in (
        lambda: leakage_audit(LogisticRegression(), (X, y)),
        lambda: segment_accuracy_scorer(None, X, y),
        lambda: ArtistWhitening().fit(X, y, groups=np.arange(24)),
        lambda: PerTrack(SummaryExtractor()).fit_transform(X, y),
        lambda: PerTrack(SummaryExtractor()).fit(X, y),
    ):
        with pytest.raises(ValueError, match=MESSAGE):
            call()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    return make_genres(4, genres=2, duration=1.0, path=folder, random_state=0)


def test_the_track_is_named_by_its_path(files):
    y = files.target.astype(object)
    y[3] = None
    front_end = PerTrack(make_pipeline(AudioLoader(duration=1.0), SummaryExtractor()))
    table = pytest.importorskip("pandas").DataFrame({"path": files.data})
    for model in (GenreClassifier(("svc",)), make_pipeline(front_end, LogisticRegression())):
        for X in (list(files.data), files.data, table):
            with pytest.raises(ValueError, match=f"first for {files.data[3]}, where it is None"):
                model.fit(X, y)


def tables_of_one_column(paths):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    return {
        "array": paths[:, np.newaxis],
        "objects": np.array(paths, dtype=object)[:, np.newaxis],
        "pandas": pd.DataFrame({"path": paths}),
        "pandas string": pd.DataFrame({"path": paths}, dtype="string"),
        "polars": pl.DataFrame({"path": paths.tolist()}),
    }


def test_a_table_of_one_column_of_paths_is_taken_as_paths(files):
    paths, y = np.array(files.data), files.target
    loader = AudioLoader(duration=1.0)
    summary = make_pipeline(loader, SummaryExtractor())
    model = GenreClassifier(("svc",), duration=1.0, random_state=0)
    expected = loader.transform(paths), summary.transform(paths), model.fit(paths, y).predict(paths)
    for table in tables_of_one_column(paths).values():
        np.testing.assert_array_equal(loader.fit_transform(table), expected[0])
        np.testing.assert_array_equal(PerTrack(summary).fit_transform(table), expected[1])
        np.testing.assert_array_equal(model.fit(table, y).predict(table), expected[2])


def test_a_table_of_one_column_of_waveforms_is_taken_as_waveforms(files):
    loader = AudioLoader(duration=1.0)
    waveforms = list(loader.transform(files.data))
    column = np.empty((len(waveforms), 1), dtype=object)
    column[:, 0] = waveforms
    np.testing.assert_array_equal(loader.transform(column), np.stack(waveforms))
    with pytest.warns(UserWarning, match="3 tracks (without sound|repeated)"):
        assert loader.transform(np.ones((3, 1), dtype=object)).shape == (
            3,
            22050,
        )  # one sample each


def test_a_table_of_paths_in_scikit_learn_and_evaluate(files):
    table = pytest.importorskip("pandas").DataFrame({"path": files.data, "year": 1999})
    front_end = PerTrack(make_pipeline(AudioLoader(duration=1.0), SummaryExtractor()))
    columns = make_column_transformer((front_end, ["path"]))
    expected = front_end.transform(files.data)
    np.testing.assert_array_equal(columns.fit_transform(table), expected)
    model = make_pipeline(front_end, LogisticRegression())
    with warnings.catch_warnings(action="ignore"):  # few steps of a classifier on raw columns
        bagging = BaggingClassifier(model, 2, random_state=0)
        bagging.fit(table[["path"]].to_numpy(), files.target)
        assert bagging.predict(table[["path"]].to_numpy()).shape == files.target.shape
        run = {"protocol": "track-random", "n_folds": 2, "n_bootstrap": 0}
        found = evaluate(model, (table[["path"]], files.target), **run)
        assert found.tracks == evaluate(model, (files.data, files.target), **run).tracks
