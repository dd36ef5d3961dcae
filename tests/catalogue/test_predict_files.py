"""Records of the answers for files, by Python and by the command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin

from skgenre import GenreClassifier, evaluate, make_genres, predict_files, read_model_info, save
from skgenre.catalogue import FilePrediction, file_id, read_records
from skgenre.classifiers import genre_record
from skgenre.cli import main


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue") / "music"
    return make_genres(4, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)


@pytest.fixture(scope="module")
def model(music):
    return GenreClassifier(members=["svc"], n_excerpts=0, random_state=0).fit(
        music.data, music.target
    )


@pytest.fixture(scope="module")
def saved(music, model, tmp_path_factory):
    """The model in a file, with out-of-fold answers of which some are wrong."""
    path = tmp_path_factory.mktemp("model") / "model.skgenre"
    wrong = np.where(np.arange(8) % 4 == 0, music.target[::-1], music.target)
    result = evaluate(model, (music.data, wrong), protocol="track-random", n_folds=2)
    return save(model, path, y=wrong, evaluation=result)


@pytest.fixture
def odd_files(music, tmp_path):
    """A good, a silent, a damaged and an absent file."""
    silent, damaged = tmp_path / "silent.wav", tmp_path / "damaged.wav"
    soundfile.write(silent, np.zeros(22050), 22050)
    damaged.write_bytes(b"RIFF")
    return [music.data[0], str(silent), str(damaged), str(tmp_path / "absent.wav")]


def test_records_tell_what_is_known_of_each_file(model, odd_files):
    good, silent, damaged, absent = predict_files(model, odd_files, model_id="m1")
    proba = model.predict_proba(odd_files[:1])[0]
    assert (good.status, good.genre, good.genres) == ("ok", "dub", ["dub"])
    assert list(good.probabilities) == ["dub", "swing"]
    assert_allclose(list(good.probabilities.values()), proba, atol=1e-6)
    assert (good.path, good.duration, good.model, good.reason) == (odd_files[0], 1.0, "m1", None)
    assert good.seconds > 0
    assert (silent.status, silent.genre, silent.genres) == ("no sound", None, [])
    assert silent.reason == "all samples of 1 s are 0"
    assert (damaged.status, damaged.genre, damaged.probabilities) == ("error", None, {})
    assert "damaged.wav" in damaged.reason
    assert damaged.key is not None
    assert (absent.status, absent.key, absent.duration) == ("error", None, None)
    assert len({good.key, silent.key, damaged.key, absent.key}) == 4


def test_errors_are_raised_where_asked_for(model, odd_files):
    found = predict_files(model, odd_files, on_error="raise")
    assert [next(found).status, next(found).status] == ["ok", "no sound"]
    with pytest.raises(ValueError, match=r"damaged\.wav"):
        next(found)


def test_parallel_records_are_equal_and_in_order(model, music):
    one = [prediction.to_dict() for prediction in predict_files(model, music.data)]
    two = [prediction.to_dict() for prediction in predict_files(model, music.data, n_jobs=2)]
    for record in (*one, *two):
        del record["seconds"]
    assert one == two
    assert [record["path"] for record in one] == list(music.data)


class CountingClassifier(ClassifierMixin, BaseEstimator):
    """Predicts at once and counts the calls."""

    classes_ = np.array([1, 2])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        self.n_calls = getattr(self, "n_calls", 0) + 1
        return np.array([[0.75, 0.25]])


def test_paths_are_taken_as_they_are_needed(music):
    taken = []

    def endless():
        while True:
            taken.append(music.data[0])
            yield music.data[0]

    found = predict_files(CountingClassifier(), endless())
    assert [next(found).genre for _ in range(3)] == ["1", "1", "1"]
    assert len(taken) < 50
    found.close()


def test_a_model_file_is_loaded_and_named_in_the_records(saved, music):
    (found,) = predict_files(saved, music.data[:1])
    assert found.model == file_id(saved)
    assert re.fullmatch("[0-9a-f]{16}", found.model)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"on_error": "ignore"}, "on_error='ignore' is unknown; choose 'record' or 'raise'"),
        ({"min_confidence": 2}, "min_confidence=2 is no probability"),
        ({"set_probability": 0}, "set_probability=0 is no probability above 0"),
        ({"top": 0}, "top=0 should be 1 or more"),
        ({"max_genres": 0}, "max_genres=0 should be 1 or more"),
        ({"segments": True}, "CountingClassifier predicts no segments"),
        ({"paths": "song.wav"}, "is one path; give a list"),
    ],
)
def test_wrong_arguments_are_named_at_once(params, message):
    with pytest.raises(ValueError, match=message):
        predict_files(CountingClassifier(), **{"paths": ["song.wav"], **params})


def test_an_answer_has_one_genre_several_or_none():
    classes, proba = ["a", "b", "c"], [0.3, 0.6, 0.1]
    record = genre_record(proba, classes)
    assert (record["genre"], record["genres"]) == ("b", ["b"])
    assert list(record["probabilities"].items()) == [("b", 0.6), ("a", 0.3), ("c", 0.1)]
    assert genre_record(proba, classes, top=1)["probabilities"] == {"b": 0.6}
    assert genre_record(proba, classes, max_genres=3)["genres"] == ["b", "a"]
    assert genre_record(proba, classes, max_genres=3, set_probability=1)["genres"] == list("bac")
    assert genre_record(proba, classes, max_genres=3, set_probability=0.5)["genres"] == ["b"]
    assert genre_record(proba, classes, min_confidence=0.6)["status"] == "ok"
    unknown = genre_record(proba, classes, min_confidence=0.61, max_genres=3)
    assert (unknown["status"], unknown["genre"], unknown["genres"]) == ("unknown", None, [])
    assert unknown["reason"] == "b has 0.600, less than min_confidence=0.61"


def test_predict_records_answers_for_tracks_of_any_kind(model, music):
    waveform = soundfile.read(music.data[5], dtype="float32")[0]
    silent = np.zeros(22050, dtype=np.float32)
    found, none = model.predict_records([waveform, silent], top=1)
    assert (found["status"], found["genre"], list(found["probabilities"])) == (
        "ok",
        "swing",
        ["swing"],
    )
    assert (none["status"], none["genre"]) == ("no sound", None)
    (unknown,) = model.predict_records([waveform], min_confidence=1.0)
    assert unknown["status"] == "unknown"


def test_the_limit_for_an_accuracy_is_the_lowest_that_clearly_reached_it(saved):
    info = read_model_info(saved)
    curve = info.evaluation["coverage_accuracy"]
    assert curve["coverage"][0] == 1
    assert curve["accuracy"][0] == pytest.approx(
        info.evaluation["overall"]["track_accuracy"]["value"]
    )
    assert np.all(np.diff(curve["thresholds"]) > 0)
    with pytest.raises(ValueError, match=r"No limit of confidence reached an accuracy of 1\b"):
        info.min_confidence(1)  # fewer than ten tracks
    info.evaluation["n_tracks"] = 1000
    info.evaluation["coverage_accuracy"] = {
        "thresholds": [0.2, 0.5, 0.7, 0.9, 0.99],
        "coverage": [1.0, 0.8, 0.5, 0.1, 0.001],
        "accuracy": [0.6, 0.7, 0.9, 0.85, 1.0],
    }
    assert info.min_confidence(0.58) == 0.2
    assert info.min_confidence(0.6) == 0.5  # 0.6 itself was reached without a margin
    assert info.min_confidence(0.75) == 0.7
    with pytest.raises(ValueError, match=r"of 0\.95, .* the best was 0\.886, for 50% of the trac"):
        info.min_confidence(0.95)


def test_limits_hold_for_tracks_that_did_not_choose_them(saved):
    info = read_model_info(saved)
    rng = np.random.default_rng(0)
    reached, decided = [], []
    for _ in range(100):
        # Calibrated answers: one of confidence p is right with the probability p.
        confidence = np.sort(rng.uniform(0.4, 1, size=1000))
        right = rng.random(1000) < confidence
        info.evaluation["n_tracks"] = 500
        ours, others = slice(0, None, 2), slice(1, None, 2)
        n_left = np.arange(500, 0, -1)
        info.evaluation["coverage_accuracy"] = {
            "thresholds": confidence[ours].tolist(),
            "coverage": (n_left / 500).tolist(),
            "accuracy": (right[ours][::-1].cumsum()[::-1] / n_left).tolist(),
        }
        chosen = confidence[others] >= info.min_confidence(0.85)
        reached.append(right[others][chosen].mean())
        decided.append(chosen.mean())
    assert 0.86 < np.mean(reached) < 0.9
    assert np.mean(decided) > 0.3


# The command line


def test_records_grow_in_a_file_and_go_on_after_it_was_cut(
    saved, music, odd_files, tmp_path, capsys
):
    output = tmp_path / "out.jsonl"
    given = [str(saved), *music.data, *odd_files[1:]]
    assert main(["predict", *given, "--output", str(output)]) == 1
    assert "11 files predicted: 2 error, 1 no sound, 8 ok." in capsys.readouterr().err
    whole = output.read_bytes()
    records = [json.loads(line) for line in whole.splitlines()]
    assert [record["path"] for record in records] == given[1:]
    assert {record["schema"] for record in records} == {"skgenre-prediction-1"}
    assert main(["predict", *given, "--output", str(output)]) == 2
    assert "exists" in capsys.readouterr().err
    for cut in (0, 5, len(whole) // 2, len(whole) - 1):
        output.write_bytes(whole[:cut])
        assert main(["predict", *given, "--output", str(output), "--resume"]) == 1
        again = [json.loads(line) for line in output.read_bytes().splitlines()]
        for record in (*again, *records):
            record.pop("seconds", None)
        assert again == records
    before = output.read_bytes()
    assert main(["predict", *given, "--output", str(output), "--resume"]) == 1
    assert output.read_bytes() == before
    assert "11 files were recorded before" in capsys.readouterr().err


def test_a_file_whose_content_changed_is_predicted_again(saved, music, tmp_path):
    output, song = tmp_path / "out.csv", tmp_path / "song.wav"
    command = ["predict", str(saved), str(song), "--output", str(output), "--resume"]
    for source in (music.data[0], music.data[7], music.data[7]):
        song.write_bytes(Path(source).read_bytes())
        assert main(command) == 0
    assert [found.genre for found in read_records(output)] == ["dub", "swing"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_formats_hold_the_same_records(saved, odd_files, tmp_path, ending):
    given = [str(saved), *odd_files, "--segments", "--max-genres", "2"]
    for name in ("jsonl", ending):
        assert main(["predict", *given, "--output", str(tmp_path / f"out.{name}")]) == 1
    expected = [found.to_dict() for found in read_records(tmp_path / "out.jsonl")]
    found = [found.to_dict() for found in read_records(tmp_path / f"out.{ending}")]
    for record in (*found, *expected):
        del record["seconds"]
    assert found == expected
    assert sorted(path.name for path in tmp_path.glob("out.*")) == sorted(
        [f"out.{ending}", "out.jsonl"]
    )
    more = [*given, "--output", str(tmp_path / f"out.{ending}"), "--resume"]
    assert main(["predict", *more]) == 1
    assert len(list(read_records(tmp_path / f"out.{ending}"))) == 4


def test_other_models_limits_and_files_are_refused(saved, music, model, tmp_path, capsys):
    output = tmp_path / "out.jsonl"
    command = ["predict", str(saved), music.data[0], "--output", str(output), "--resume"]
    assert main(command) == 0
    other = str(save(model, tmp_path / "other.skgenre"))
    assert main(["predict", other, *command[2:]]) == 2
    assert "has records with model" in capsys.readouterr().err
    assert main([*command, "--min-confidence", "0.5"]) == 2
    assert "has records with min_confidence 0.0, but now it is 0.5" in capsys.readouterr().err
    for name, content in (
        ("notes.jsonl", "one line"),
        ("notes.csv", "a,b\n1,2\n"),
        ("notes2.csv", "a,b\n"),
        ("odd.jsonl", '{"a": 1}\n'),
    ):
        foreign = tmp_path / name
        foreign.write_text(content)
        assert main([*command[:4], str(foreign), "--resume"]) == 2
        assert re.search("something else|of another kind", capsys.readouterr().err)
        assert foreign.read_text() == content
    assert main(["predict", str(saved), music.data[0], "--output", str(tmp_path / "a.txt")]) == 2
    assert "expected .jsonl, .csv or .parquet" in capsys.readouterr().err
    assert main(["predict", str(saved), music.data[0], "--resume"]) == 2
    assert "--resume needs --output" in capsys.readouterr().err


def test_folders_patterns_and_lists_name_files(saved, music, tmp_path, capsys, monkeypatch):
    folder = Path(music.data[0]).parents[1]
    output = str(tmp_path / "out.jsonl")
    write = ["--output", output, "--force"]

    def names(*arguments):
        assert main(["predict", str(saved), *arguments, *write]) == 0
        return [Path(found.path).name for found in read_records(output)]

    everything = [Path(path).name for path in music.data]
    assert names(str(folder)) == everything
    assert names(str(folder), music.data[0], str(folder / "dub")) == everything
    assert names(str(folder / "**" / "*.0000[01].wav")) == [everything[i] for i in (0, 1, 4, 5)]
    assert names(str(folder), "--exclude", "*/dub/*") == everything[4:]
    assert "4 paths are left out (excluded by */dub/*: 4)" in capsys.readouterr().err
    for end in ("\n", "\0"):
        listed = end.join(music.data[:2]).encode() + end.encode()
        read, write_end = os.pipe()
        os.write(write_end, listed)
        os.close(write_end)
        with os.fdopen(read) as stream:
            monkeypatch.setattr("sys.stdin", stream)
            assert names("-") == everything[:2]
    assert main(["predict", str(saved), str(tmp_path), *write]) == 2
    assert "There are no audio files in" in capsys.readouterr().err
    assert main(["predict", str(saved), str(tmp_path / "*.wav"), *write]) == 2
    assert "No file matches the pattern" in capsys.readouterr().err


def test_min_accuracy_takes_the_limit_from_the_model_file(music, model, tmp_path, capsys):
    path = tmp_path / "model.skgenre"
    more = make_genres(
        5, genres=["dub", "swing"], duration=1.0, path=tmp_path / "more", random_state=1
    )
    data, target = [*music.data, *more.data], [*music.target, *more.target]
    save(
        model, path, evaluation=evaluate(model, (data, target), protocol="track-random", n_folds=2)
    )
    assert main(["predict", str(path), music.data[0], "--min-accuracy", "0.9", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["min_confidence"] == read_model_info(path).min_confidence(0.9) > 0.5
    assert main(["predict", str(path), music.data[0], "--min-confidence", "1"]) == 0
    assert re.search(r"\.wav +unknown +0\.\d+", capsys.readouterr().out)
    save(model, path)
    assert main(["predict", str(path), music.data[0], "--min-accuracy", "0.9"]) == 2
    assert "does not say how the accuracy depends" in capsys.readouterr().err


def test_playlists_list_the_files_of_each_genre(saved, music, tmp_path):
    lists = tmp_path / "lists"
    write = ["--output", str(tmp_path / "out.jsonl"), "--playlists", str(lists)]
    assert main(["predict", str(saved), *music.data, *write]) == 0
    assert sorted(path.name for path in lists.iterdir()) == ["dub.m3u8", "swing.m3u8"]
    head, *lines = (lists / "swing.m3u8").read_text().splitlines()
    assert head == "#EXTM3U"
    assert lines[0].startswith("#EXTINF:1,swing")
    assert [os.path.realpath(lists / line) for line in lines[1::2]] == [
        os.path.realpath(path) for path in music.data[4:]
    ]


def test_two_processes_do_not_write_one_file(saved, music, tmp_path, capsys):
    fcntl = pytest.importorskip("fcntl", reason="there are no such locks on Windows")
    output = tmp_path / "out.jsonl"
    with open(output, "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert (
            main(["predict", str(saved), music.data[0], "--output", str(output), "--resume"]) == 2
        )
    assert "Another process writes" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_runs_resume_to_the_records_of_an_undisturbed_one(saved, music, tmp_path):
    files = []
    for number in range(24):
        files.append(tmp_path / f"{number:02}.wav")
        files[-1].write_bytes(Path(music.data[number % 8]).read_bytes())
    output = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "skgenre", "predict", str(saved), str(tmp_path), "--resume"]
    command += ["--output", str(output)]
    for n_records in (1, 9):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if output.exists() and output.read_bytes().count(b"\n") >= n_records:
                    process.send_signal(signal.SIGKILL)
                    break
                time.sleep(0.001)
    assert output.read_bytes().count(b"\n") < 24
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    paths = [found.path for found in read_records(output)]
    assert paths == [str(file) for file in files]


def test_progress_shows_rate_and_time_left(capsys):
    from skgenre.cli._progress import Progress

    class Terminal:
        written = ""

        def isatty(self):
            return True

        def write(self, text):
            self.written += text

        def flush(self):
            pass

    stream = Terminal()
    progress = Progress(4, stream, clock=iter([0.0, 0.1, 10.0]).__next__)
    progress.advance()
    assert stream.written == ""  # a line each 0.2 s at most
    progress.advance()
    line = f"[{'#' * 10}{'.' * 10}] 2 of 4 files, 0.2 a second, 0:10 left"
    assert stream.written == f"\r\x1b[K{line}"
    progress.clear()
    assert stream.written.endswith("\r\x1b[K")
    # On standard error, which is no terminal here, a line each 30 s at most.
    progress = Progress(None, clock=iter([0.0, 29.0, 40.0]).__next__)
    progress.advance()
    assert capsys.readouterr().err == ""
    progress.advance()
    assert capsys.readouterr().err == "2 files, 0.1 a second\n"
    progress = Progress(20000, clock=iter([0.0, 40.0]).__next__)
    progress.advance()
    assert capsys.readouterr().err == "1 of 20000 files, 0.0 a second, 222:12:40 left\n"


def test_records_read_back_equal(saved, music):
    (found,) = predict_files(saved, music.data[:1], segments=True)
    assert len(found.segments) == 6
    assert FilePrediction.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    with pytest.raises(ValueError, match="expected a record with the schema"):
        FilePrediction.from_dict({"path": "a"})
