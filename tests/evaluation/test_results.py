"""A result as a table, as text, and as JSON."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from _segment_music import SegmentNeighbors, make_segments

from skgenre import compare, evaluate, leakage_audit
from skgenre.evaluation import AuditResult, Comparison, EvaluationResult

MUSIC = make_segments(artist_spread=1.0)


@pytest.fixture(scope="module")
def result():
    return evaluate(SegmentNeighbors(), MUSIC, n_folds=3)


@pytest.fixture(scope="module")
def audit():
    return leakage_audit(SegmentNeighbors(), MUSIC, n_folds=2)


def test_json_holds_results_exactly(result, audit, tmp_path):
    for record in (result, audit, compare(result, result)):
        file = tmp_path / "record.json"
        record.save(file)
        assert type(record).read(file) == record
        json.loads(file.read_text(), parse_constant=pytest.fail)  # no NaN


def test_integers_as_genres_come_back_as_integers(tmp_path):
    codes = np.unique(MUSIC.target, return_inverse=True)[1]
    found = evaluate(SegmentNeighbors(), (MUSIC.data, codes, MUSIC.artists), n_folds=2)
    found.save(tmp_path / "result.json")
    assert EvaluationResult.read(tmp_path / "result.json").classes == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON file"),
        ("[]", "holds a list; expected an object"),
        ('{"a": 1}', "Expected a file of the format 'skgenre-evaluation-1', got None"),
        ('{"format": "skgenre-audit-1"}', "got 'skgenre-audit-1'"),
    ],
)
def test_other_files_are_refused(text, message, tmp_path):
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        EvaluationResult.read(file)


def test_each_kind_of_file_is_read_by_its_own_class(result, tmp_path):
    result.save(tmp_path / "result.json")
    for kind in (AuditResult, Comparison):
        with pytest.raises(ValueError, match=f"something else than {kind.__name__}.save"):
            kind.read(tmp_path / "result.json")


def test_the_frame_has_the_folds_and_all_tracks(result):
    frame = result.to_frame()
    assert frame.index.tolist() == [0, 1, 2, "overall"]
    assert frame.loc["overall", "track_accuracy"] == result.overall["track_accuracy"]["value"]
    assert frame.loc[1, "log_loss"] == result.folds[1]["log_loss"]
    assert np.isnan(frame.loc["overall", "fit_time"])
    tracks = result.to_frame("tracks")
    assert len(tracks) == 120
    assert tracks["predicted"].tolist() == result.tracks["predicted"]
    proba = tracks[["proba_calm", "proba_loud", "proba_odd"]].to_numpy()
    np.testing.assert_array_equal(proba, result.tracks["proba"])
    with pytest.raises(ValueError, match=r"of='genres' is unknown; choose 'folds' or 'tracks'"):
        result.to_frame("genres")


def test_without_pandas_the_error_says_how_to_install_it(result, audit, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for record in (result, audit):
        with pytest.raises(ImportError, match="pip install pandas"):
            record.to_frame()


def test_the_text_has_each_metric_its_interval_and_the_folds(result):
    lines = result.to_markdown().splitlines()
    assert lines[0] == "artist-grouped: 120 tracks, 3 folds"
    assert lines[2] == "| metric | value | 95 % interval, by artist | folds |"
    entry = result.overall["macro_f1"]
    folds = [fold["macro_f1"] for fold in result.folds]
    assert (
        f"| macro F1 | {entry['value']:.3f} | {entry['low']:.3f} to {entry['high']:.3f} "
        f"| {np.mean(folds):.3f} ± {np.std(folds):.3f} |"
    ) in lines


def test_the_environment_names_what_computed(result):
    import sklearn

    assert result.environment["scikit-learn"] == sklearn.__version__
    assert result.environment["date"].endswith("+00:00")
    assert result.settings == {"n_folds": 3, "n_bootstrap": 1000, "random_state": "0"}


def test_records_print_as_short_tables(result, audit):
    lines = repr(result).splitlines()
    assert lines[:2] == [
        "<EvaluationResult: SegmentNeighbors>",
        "artist-grouped: 120 tracks, 3 folds",
    ]
    value = result.overall["log_loss"]["value"]
    assert any(line.startswith(f"| log loss          | {value:.3f} | ") for line in lines)
    assert len({len(line) for line in lines[3:]}) == 1  # the columns are aligned
    for record in (result, audit, compare(result, result)):
        assert str(record) == repr(record)
        assert len(repr(record)) < 2000


def test_recall_is_the_share_of_each_genre(result):
    genres, predicted = (np.array(result.tracks[name]) for name in ("genre", "predicted"))
    assert result.recall == pytest.approx(
        {genre: (predicted[genres == genre] == genre).mean() for genre in result.classes}
    )
