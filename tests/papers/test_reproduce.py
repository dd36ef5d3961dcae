"""Experiments run again, on features of segments and on made music."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from _estimators import save_weights, small_backbone
from _segment_music import SegmentNeighbors, make_segments
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from skgenre import (
    FrameScaler,
    HierarchicalGenreClassifier,
    RejectingClassifier,
    evaluate,
    make_genres,
    reproduce,
)
from skgenre.evaluation import EvaluationResult, FoldResult
from skgenre.papers import ReproductionResult, get_system
from skgenre.papers._figures import count_votes, node_accuracies

MUSIC = make_segments(artist_spread=2.0, genre_spread=0.5)
TREE = ("blues", "jazz", "metal", "pop", "reggae", "rock")


class Killed(BaseException):
    """Stands for the interrupt from the keyboard."""


class Counting(SegmentNeighbors):
    """Has epochs; counts fits, of which the one of number ``kill_at`` is killed."""

    fits = 0
    kill_at = None

    def __init__(self, estimator=None, voting="soft", epochs=7, name=None):
        super().__init__(estimator, voting)
        self.epochs = epochs
        self.name = name

    def fit(self, X, y):
        Counting.fits += 1
        if Counting.fits == Counting.kill_at:
            raise Killed
        return super().fit(X, y)


class WithoutWeights(Counting):
    """Cannot be fitted because a file is missing."""

    def fit(self, X, y):
        raise OSError("no weights of VGG16")


@pytest.fixture
def small(monkeypatch):
    """Replace the network of each system by nearest neighbours on given features."""
    Counting.fits, Counting.kill_at = 0, None

    def small_system(name):
        system = get_system(name)

        def load(memory=None, n_jobs=None):
            kind = WithoutWeights if name == "kumar2021/transfer" else Counting
            model = kind(name=name)
            if "threshold" in system.published:
                model = RejectingClassifier(model, threshold=3)
            if system.name == "zhang/hierarchy":
                model = HierarchicalGenreClassifier(model, hierarchy="gtzan")
            pipeline = make_pipeline(FrameScaler(), model)
            pipeline.steps[-1] = ("classifier", model)
            return pipeline

        return SimpleNamespace(
            name=name, published=system.published, choices=system.choices, load=load
        )

    monkeypatch.setattr("skgenre.papers._reproduce.get_system", small_system)


def _figure(result, figure, cell=None):
    (row,) = [row for row in result.rows if row["figure"] == figure and cell in (None, row["cell"])]
    return row


def _with_genres(genres, n_tracks=8, seed=0):
    """Segments of genres of these names, four artists each."""
    rng = np.random.default_rng(seed)
    y = np.repeat(genres, n_tracks)
    X = rng.normal(size=(len(y), 4, 2, 3)) + 2 * rng.normal(size=(len(genres), 1, 2, 3)).repeat(
        n_tracks, axis=0
    )
    return X, y, [f"{genre} {i % 4}" for i, genre in enumerate(y)]


def test_hu2022_divides_segments_into_60_15_and_25_per_cent(small):
    result = reproduce("hu2022/table1", MUSIC, only="cnn-20")
    n_segments = 120 * 4
    paper = [entry for entry in result.trainings if entry["protocol"] == "paper"]
    sizes = [(entry["n_train"], entry["n_scored"]) for entry in paper]
    assert sizes == [(0.60 * n_segments, 0.15 * n_segments)] * 3
    honest = [entry for entry in result.trainings if entry["protocol"] == "artist-grouped"]
    assert sum(entry["n_scored"] for entry in honest) == 120
    assert result.measured_protocols == {
        "cnn-20": "3 times 60 % of the segments at random for training and 15 % for testing"
    }
    assert reproduce("hu2022/table1", MUSIC, only="cnn-20", n_folds=2).trainings[2]["n_scored"] > 50


def test_figures_of_training_and_of_validation_segments_differ(small):
    result = reproduce("hu2022/table1", MUSIC, only="mlp-10")
    # Nearest neighbours are always right about their training segments.
    trained, scored = _figure(result, "accuracy"), _figure(result, "validation accuracy")
    assert (trained["measured"], trained["measured_std"], trained["honest"]) == (1.0, 0.0, None)
    assert trained["paper"] == 0.6964
    assert scored["honest"] < scored["measured"] < 1
    assert scored["measured_std"] > 0
    assert _figure(result, "error")["measured"] == pytest.approx(0, abs=1e-6)
    assert _figure(result, "validation error")["measured"] > 0.1
    track = _figure(result, "track accuracy")
    assert track["paper"] is track["measured"] is None


def test_the_honest_column_is_what_evaluate_measures(small):
    result = reproduce("jain2021/table2", MUSIC, only="mlp", n_folds=3, random_state=4)
    pipeline = make_pipeline(FrameScaler(), Counting())
    found = evaluate(pipeline, MUSIC, n_folds=3, random_state=4)
    assert result.honest_protocol == "artist-grouped"
    for figure, name in (
        ("segment accuracy", "segment_accuracy"),
        ("track accuracy", "track_accuracy"),
    ):
        row, entry = _figure(result, figure), found.overall[name]
        assert (row["honest"], row["honest_low"], row["honest_high"]) == tuple(entry.values())
    assert result.evaluations["mlp"].confusion == found.confusion
    assert result.n_artists == 30


def test_without_artists_it_says_that_tracks_are_divided(small):
    result = reproduce("jain2021/table2", (MUSIC.data, MUSIC.target), only="mlp")
    assert result.honest_protocol == "track-random"
    assert result.n_artists is None
    assert "measured honestly (track-random)" in result.to_markdown()
    assert "artists are not known and may be on both sides" in result.to_markdown()


def test_a_killed_run_resumes_to_the_same_rows_without_training_anew(small, tmp_path):
    arguments = {"only": ["mlp", "cnn"], "n_folds": 3}
    whole = reproduce("jain2021/table2", MUSIC, **arguments)
    assert Counting.fits == 2 * (1 + 3)
    Counting.fits, Counting.kill_at = 0, 3
    with pytest.raises(Killed):
        reproduce("jain2021/table2", MUSIC, checkpoint=tmp_path, **arguments)
    Counting.fits, Counting.kill_at = 0, None
    resumed = reproduce("jain2021/table2", MUSIC, checkpoint=tmp_path, **arguments)
    assert Counting.fits == 8 - 2
    assert resumed.rows == whole.rows
    again = reproduce("jain2021/table2", MUSIC, checkpoint=tmp_path, **arguments)
    assert Counting.fits == 6
    assert again.trainings == resumed.trainings  # with the times of the fits


def test_reports_say_which_trainings_are_from_the_checkpoint(small, tmp_path, capsys):
    arguments = {"experiment": "jain2021/table2", "dataset": MUSIC, "only": "mlp", "n_folds": 3}
    reproduce(**arguments)
    assert capsys.readouterr().err == ""
    Counting.fits, Counting.kill_at = 0, 3
    with pytest.raises(Killed):
        reproduce(**arguments, checkpoint=tmp_path, verbose=1)
    Counting.fits, Counting.kill_at = 0, None
    capsys.readouterr()
    reproduce(**arguments, checkpoint=tmp_path, verbose=1)
    lines = [re.sub(r"[0-9.]+ s$", "seconds", line) for line in capsys.readouterr().err.split("\n")]
    assert lines == [
        "[1/1] mlp: features",
        "[1/1] mlp: the paper's protocol, training 1 of 1: from the checkpoint",
        "[1/1] mlp: artist-grouped, training 1 of 3: from the checkpoint",
        "[1/1] mlp: artist-grouped, training 2 of 3: seconds",
        "[1/1] mlp: artist-grouped, training 3 of 3: seconds",
        "",
    ]


def test_votes_below_the_threshold_are_rejected():
    def fold(test, votes, genres):
        return FoldResult(
            fold=0,
            n_train=6,
            test=np.array(test),
            genre=genres,
            predicted=genres,
            classes=["calm", "loud"],
            proba=np.eye(2)[votes] * 0.8 + 0.1,
            segment_accuracy=None,
            n_segments=1,
            fit_time=0.0,
            predict_time=0.0,
            from_checkpoint=False,
        )

    # Track 0 is calm by 3 of 4, track 1 loud by 2 of 4 only, track 2 wrongly calm by 4.
    folds = [
        fold([1, 4, 0, 8, 9, 7], [0, 1, 0, 0, 0, 0], ["calm", "loud", "calm"] + ["loud"] * 3),
        fold([2, 3, 5, 6, 10, 11], [0, 1, 1, 0, 0, 0], ["calm", "calm"] + ["loud"] * 4),
    ]
    right, decided = count_votes(folds, 4, 3)
    assert decided.tolist() == [True, False, True]
    assert right.tolist() == [True, False, False]
    assert count_votes(folds, 4, 4)[1].tolist() == [False, False, True]


def test_bai_counts_votes_and_rejected_tracks(small):
    result = reproduce("bai/table2", MUSIC, only="10000-7")
    rejected = [label == "rejected" for label in result.evaluations["10000-7"].tracks["predicted"]]
    row = _figure(result, "tracks rejected")
    assert row["honest"] == pytest.approx(np.mean(rejected))
    assert row["honest"] > 0
    assert _figure(result, "track accuracy")["measured"] <= 1 - row["measured"]
    assert _figure(result, "segment accuracy")["paper"] == 0.6023


def test_bai_counts_the_votes_of_test_tracks_and_of_training_tracks(small):
    result = reproduce("bai/votes", MUSIC, only="500-5", n_folds=3)
    paper = [entry for entry in result.trainings if entry["protocol"] == "paper"]
    assert [(entry["n_train"], entry["n_scored"]) for entry in paper] == [(80, 40)] * 3
    tested = _figure(result, "track accuracy, test tracks")
    trained = _figure(result, "track accuracy, training tracks")
    # Nearest neighbours are always right about the segments that they know.
    assert trained["measured"] == 1 > tested["measured"] > tested["honest"]
    assert _figure(result, "training tracks rejected")["measured"] == 0
    assert 0 < _figure(result, "test tracks rejected")["measured"] <= 1 - tested["measured"]
    assert (trained["paper"], trained["honest"]) == (0.46, None)


def test_the_folds_of_a_paper_unless_others_are_given(small):
    def sizes(**options):
        result = reproduce("zhang/figure10", MUSIC, only="ten-fold", **options)
        protocols = [entry["protocol"] for entry in result.trainings]
        return protocols.count("paper"), protocols.count("artist-grouped")

    assert sizes() == (10, 5)
    assert sizes(n_folds=3) == (3, 3)
    assert sizes(quick=True) == (2, 2)


def test_a_tenth_of_few_tracks_has_each_genre(small):
    result = reproduce("zhang/figure10", MUSIC, only="split-811", quick=True)
    assert result.trainings[0]["n_scored"] == 3
    whole = reproduce("zhang/figure10", MUSIC, only="split-811")
    assert whole.trainings[0]["n_scored"] == 12


def test_genres_are_kept_by_name(small):
    X, y, artists = _with_genres(["pop", "Hip-Hop", "jazz", "rock"])
    result = reproduce(
        "jain2021/table2", (X, y, artists), only="mlp", n_folds=2, genres=["hip hop", "POP"]
    )
    assert result.genres == ["Hip-Hop", "pop"]
    assert "Kept are the tracks of Hip-Hop, pop." in result.notes
    assert not any("lack these genres" in note for note in result.notes)
    six = reproduce("zhang/table5-1", (X, y, artists), n_folds=2)
    assert six.genres == ["jazz", "rock"]
    assert any(note.endswith("of the paper: blues, country, disco, reggae.") for note in six.notes)
    with pytest.raises(ValueError, match="no tracks of polka; they have Hip-Hop, jazz, pop, rock"):
        reproduce("jain2021/table2", (X, y, artists), genres=["pop", "jazz", "polka"])
    with pytest.raises(ValueError, match="no tracks of two genres"):
        reproduce("jain2021/table2", (X, y, artists), genres=["pop"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*more than half is repetition:UserWarning")
def test_transfer_learning_from_a_weights_file(tmp_path, monkeypatch):
    """A small backbone stands in for VGG16; its weights are random."""

    def small_system(name):
        system = get_system(name)

        def load(**options):
            pipeline = system.load(**options)
            if name.startswith("kumar2021/transfer"):
                pipeline.set_params(classifier__backbone=small_backbone, classifier__image_size=6)
            return pipeline

        return SimpleNamespace(
            name=name, published=system.published, choices=system.choices, load=load
        )

    monkeypatch.setattr("skgenre.papers._reproduce.get_system", small_system)
    music = make_genres(4, genres=["dub", "swing"], duration=1.0, random_state=0)
    body = small_backbone(include_top=False, weights=None, input_shape=(6, 6, 3))
    file = tmp_path / "body.weights.h5"
    save_weights(body, file)
    options = {"dataset": music, "epochs": 1, "n_folds": 2}
    result = reproduce(
        "kumar2021/reports", **options, only=["transfer", "transfer-random"], weights=file
    )
    assert result.failed == {}
    assert result.settings["weights"] == str(file)
    for cell, paper in (("transfer", 0.54), ("transfer-random", None)):
        row = _figure(result, "track accuracy", cell)
        assert row["paper"] == paper
        assert 0 <= row["honest"] <= 1
    file.write_text("no weights")
    with pytest.raises(ValueError, match=r"Expected a file of Keras \(.weights.h5, .h5 or .keras"):
        reproduce("kumar2021/reports", **options, only="transfer", weights=file)
    with pytest.raises(FileNotFoundError, match="give a weights file of VGG16 without its top"):
        reproduce("kumar2021/reports", **options, weights=tmp_path / "none.h5")
    with pytest.raises(ValueError, match="no cell to run starts from weights"):
        reproduce("kumar2021/reports", **options, only="image-cnn", weights=file)


def test_node_accuracies_equal_those_of_the_hierarchy():
    X, y, _ = _with_genres(TREE)
    X = X.reshape(len(X), -1)[:, :4]
    tree = HierarchicalGenreClassifier(LogisticRegression(), hierarchy="gtzan")
    model = tree.fit(X[::2], y[::2])
    proba = model.predict_proba(X[1::2])
    found = node_accuracies(y[1::2].tolist(), proba, model.classes_.tolist())
    wanted = model.node_scores(X[1::2], y[1::2])["nodes"]
    assert found["accuracy of LSTM1 (root)"] == pytest.approx(wanted["root"])
    assert found["accuracy of LSTM2a (strong)"] == pytest.approx(wanted["strong"])
    # Of the mild genres only one group is left: its node stands in the place of the parent's.
    assert found["accuracy of LSTM2b (mild)"] is None
    assert found["accuracy of LSTM3c (disco, country)"] is None
    assert found["accuracy of LSTM3d (jazz, classical, blues)"] == pytest.approx(wanted["mild"])
    pair = found["accuracy of LSTM3b (pop, reggae)"]
    assert pair == pytest.approx(wanted["strong/pop-reggae"])
    assert 0 < wanted["root"] < 1, "a perfect node would not tell these apart"


def test_a_node_that_was_never_reached_is_not_right():
    found = node_accuracies(["pop", "jazz"], np.array([[0.0, 1.0], [0.0, 1.0]]), ["pop", "jazz"])
    assert found["accuracy of LSTM1 (root)"] == 0.5
    found = node_accuracies(["pop"], np.array([[1.0, 0.0, 0.0]]), ["jazz", "pop", "reggae"])
    assert found["accuracy of LSTM3b (pop, reggae)"] == 0


def test_zhang_measures_each_node_under_both_protocols(small):
    result = reproduce("zhang/figure12", _with_genres(TREE), n_folds=2)
    figures = [row["figure"] for row in result.rows]
    assert figures == list(get_system("zhang/hierarchy").published)
    root = _figure(result, "accuracy of LSTM1 (root)")
    assert root["paper"] == 0.80
    assert 0 < root["measured"] <= 1
    tracks = result.evaluations["hierarchy"].tracks
    strong = {"metal", "pop", "reggae", "rock"}
    sides = [
        (truth in strong) == (predicted in strong)
        for truth, predicted in zip(tracks["genre"], tracks["predicted"], strict=True)
    ]
    assert root["honest"] == pytest.approx(np.mean(sides), abs=0.1)
    assert any(
        "lack these genres of the paper: classical, country, disco" in n for n in result.notes
    )


def test_zhang_refuses_genres_that_have_no_place(small):
    with pytest.raises(ValueError, match="but the data have polka; leave their tracks out"):
        reproduce("zhang/figure12", _with_genres(["pop", "Jazz", "polka"]))
    assert Counting.fits == 0


def test_kumar_reports_each_genre(small):
    music = _with_genres(["pop", "jazz", "polka"])
    result = reproduce("kumar2021/reports", music, only="image-cnn", n_folds=2)
    tracks = result.evaluations["image-cnn"].tracks
    wanted = f1_score(tracks["genre"], tracks["predicted"], average=None)
    found = [_figure(result, f"F1 of {genre}")["honest"] for genre in ("jazz", "polka", "pop")]
    assert found == pytest.approx(wanted.tolist())
    assert _figure(result, "F1 of jazz")["paper"] == 0.53
    assert _figure(result, "F1 of polka")["paper"] is None
    assert _figure(result, "F1 of rock")["measured"] is None
    report = result.reports["image-cnn"]["measured"]
    assert sum(entry["support"] for entry in report.values()) == round(0.4 * 24)
    assert any(note.endswith("genres that the paper has not: polka.") for note in result.notes)


def test_notes_name_epochs_genres_and_cells(small):
    result = reproduce("hu2022/table3", MUSIC, quick=True, epochs=3)
    assert result.n_tracks == 24
    text = result.to_markdown()
    for part in (
        "none of the paper's genres: it ran on calm, loud, odd",
        "Epochs: 3 instead of 7 (cnn-sigmoid, cnn-relu)",
        "Not run: cnn-tanh, cnn-leaky_relu, cnn-elu",
        "Its figures mean nothing",
    ):
        assert part in text
    whole = reproduce("hu2022/table3", MUSIC, only="cnn-elu", n_folds=2)
    assert not any("Epochs" in note for note in whole.notes)


def test_a_quick_run_takes_tracks_of_many_artists(small):
    result = reproduce("jain2021/table2", MUSIC, quick=True, only="mlp")
    tracks = result.evaluations["mlp"].tracks
    assert [tracks["genre"].count(genre) for genre in ("calm", "loud", "odd")] == [8, 8, 8]
    assert len(set(tracks["artist"])) == result.n_artists == 24


def test_a_cell_that_lacks_a_file_does_not_stop_the_others(small):
    music = _with_genres(["pop", "jazz"])
    with pytest.warns(UserWarning, match="transfer did not run: no weights of VGG16"):
        result = reproduce("kumar2021/reports", music, n_folds=2)
    assert list(result.failed) == ["transfer"]
    assert _figure(result, "track accuracy", "transfer")["paper"] == 0.54
    assert "transfer did not run: no weights" in result.to_markdown()
    with pytest.raises(OSError, match="no weights"):
        reproduce("kumar2021/reports", music, n_folds=2, only="transfer")


def test_the_same_warning_comes_once(small):
    X, y, artists = _with_genres(["pop", "jazz"])
    artists = [artist.replace("3", "2") for artist in artists]
    with pytest.warns(UserWarning, match="fewer artists than the 4 folds") as caught:
        reproduce("jain2021/table2", (X, y, artists), n_folds=4)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == len(set(messages))


def test_parallel_trainings_give_the_same_rows(small):
    run = {"only": "mlp", "n_folds": 2}
    with parallel_config("threading"):  # the replaced networks are in this process only
        parallel = reproduce("jain2021/table2", MUSIC, **run, n_jobs=2)
    assert parallel.rows == reproduce("jain2021/table2", MUSIC, **run).rows


def test_results_are_written_and_read_whole(small, tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    result = reproduce("hu2022/table1", MUSIC, only=["mlp-10", "cnn-10"], n_folds=2)
    file = tmp_path / "result.json"
    result.save(file)
    assert ReproductionResult.read(file) == result
    assert isinstance(ReproductionResult.read(file).evaluations["mlp-10"], EvaluationResult)
    frame = result.to_frame()
    assert frame.loc[("cnn-10", "accuracy"), "paper"] == 0.9187
    assert pandas.isna(frame.loc[("cnn-10", "accuracy"), "honest"])
    page = result.to_markdown()
    assert page.startswith("# hu2022/table1: Numbers of segments\n\nY. Hu and G. Mogos")
    assert "| cnn-10 | validation accuracy | 0.7533 | 0." in page
    assert page.count("\n| ") == 2 + len(result.rows)
    shown = repr(result).splitlines()
    assert shown[0] == "<ReproductionResult: hu2022/table1, Numbers of segments>"
    assert len(shown) == 3 + len(result.rows)
    with pytest.raises(ValueError, match="format 'skgenre-reproduction-1', got None"):
        ReproductionResult.from_dict({})

    def broken(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        result.save(file)
    assert [child.name for child in tmp_path.iterdir()] == ["result.json"]
    assert ReproductionResult.read(file) == result


def test_too_few_tracks_to_divide_as_the_paper_did(small):
    X, y, _ = _with_genres(["pop", "jazz"], n_tracks=1)
    with pytest.raises(ValueError, match="2 tracks of 2 genres cannot be divided as the paper did"):
        reproduce("kumar2021/reports", (X, y), only="image-cnn")


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'table1' is no experiment"):
        reproduce("table1", MUSIC)
    with pytest.raises(ValueError, match="'n_folds' parameter of reproduce"):
        reproduce("hu2022/table1", MUSIC, n_folds=1)
    with pytest.raises(TypeError, match="got ndarray"):
        reproduce("hu2022/table1", MUSIC.data)


# With the networks of the papers


@pytest.mark.filterwarnings("ignore:.*more than half is repetition:UserWarning")
@pytest.mark.parametrize(
    "experiment",
    [
        "bai/table2",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "hu2022/table1",
                "hu2022/table2",  # the command's test is quicker
                "hu2022/table3",
                "hu2022/table4",
                "jain2021/table2",
                "zhang/figure12",
                "kumar2021/reports",
                "hu2022/layers",
                "hu2022/neurons",
                "hu2022/epochs",
                "hu2022/variants",
                "zhang/section4",
                "zhang/table5-1",
                "zhang/figure10",
                "zhang/crnn",
                "zhang/fusion",
                "bai/votes",
                "bai/networks",
                "kumar2021/mfcc",
            )
        ),
    ],
)
def test_each_experiment_runs_quickly_on_sound(experiment):
    # Nearest neighbours need five tracks to train on.
    music = make_genres(6, genres=["dub", "swing"], duration=2.0, random_state=0)
    music.target = np.where(music.target == "dub", "reggae", "jazz")
    result = reproduce(experiment, music, quick=True, epochs=1)
    assert {row["cell"] for row in result.rows} == set(result.settings["only"])
    values = [row[side] for row in result.rows for side in ("measured", "honest") if row[side]]
    assert np.isfinite(values).all()
    for entry in result.evaluations.values():
        assert entry.n_tracks == 12
