import csv
import io
import json
import os
import pickle
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from contextlib import redirect_stdout
from multiprocessing.dummy import DummyProcess
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads

import joblib
import pytest
import soundfile
from _musicnn import TERMS, write_random_weights
from joblib import parallel_config
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import skgenre
from skgenre import (
    AudioLoader,
    CNNGenreClassifier,
    GenreClassifier,
    evaluate,
    load_genre_folder,
    make_genre_pipeline,
    make_genres,
)
from skgenre.cli import _demo, main
from skgenre.utils._parallel import stream

SMALL = ["--classifier", "mlp", "--duration", "1", "--n-segments", "2", "--epochs", "2"]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two genres of four tracks by four artists each."""
    folder = tmp_path_factory.mktemp("cli") / "music"
    make_genres(4, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)
    return folder


@pytest.fixture(scope="module")
def trained(music, tmp_path_factory):
    """A model file and the output of its training."""
    model = tmp_path_factory.mktemp("model") / "model.skgenre"
    with redirect_stdout(io.StringIO()) as out:
        assert train(music, model, "--cv", 2, "--learning-rate", 0.003) == 0
    return model, out.getvalue()


@pytest.fixture(autouse=True)
def threads():
    """Let --jobs start threads: each process would import all packages again."""
    with parallel_config("threading"):
        yield


@pytest.fixture
def files(music):
    return [str(music / "dub" / "dub.00000.wav"), str(music / "swing" / "swing.00001.wav")]


def run_process(*args):
    return subprocess.run(
        [sys.executable, "-m", "skgenre", *map(str, args)], capture_output=True, text=True
    )


def train(music, out, *options):
    return main(["train", str(music), "--out", str(out), *SMALL, *map(str, options)])


def copy_music(music, folder, *, metadata=False):
    """Hard links to the tracks, so that a test can spoil its own folder."""
    for file in music.glob("*/*.wav"):
        place = folder / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, place)
    if metadata:
        os.link(music / "tracks.csv", folder / "tracks.csv")
    return folder


def assert_one_error(captured, match):
    """One error of one line, and no traceback."""
    assert re.fullmatch(r"skgenre: error: [^\n]*\n", captured.err), captured.err
    assert re.search(match, captured.err), captured.err


# Arguments


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from skgenre.cli import main; "
        "codes = [main(args) for args in (['--help'], ['train', '--help'], ['--version'])]; "
        "heavy = {'tensorflow', 'keras', 'librosa', 'sklearn', 'numpy', 'joblib', 'soundfile'}; "
        "print(codes, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"skgenre {skgenre.__version__}\n[0, 0, 0] []\n")
    assert "demo" in done.stdout


def test_help_warns_of_pickles(capsys):
    assert main(["predict", "--help"]) == 0
    assert "a pickle: this runs the code in it" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ([], "COMMAND"),
        (["sing"], "invalid choice: 'sing'"),
        (["train"], "FOLDER"),
        (["train", "music", "--out", "m", "--classifier", "svm"], "invalid choice: 'svm'"),
        (["train", "music", "--out", "m", "--epochs", "0"], "'0' is not a whole number, 1 or more"),
        (["train", "music", "--out", "m", "--duration", "nan"], "'nan' is not a number above 0"),
        (["train", "music", "--out", "m", "--learning-rate", "-1"], "number above 0"),
        (["train", "music", "--out", "m", "--cv", "1"], "nothing to train on; 2 or more, or 0"),
        (
            ["train", "music", "--out", "m", "--jobs", "0"],
            "'0' is not a whole number, 1 or more, or -1",
        ),
        (["train", "music", "--out", "m", "--seed", "x"], "whole number, from 0 to 4294967295"),
        (["predict", "model"], "PATH"),
    ],
)
def test_wrong_arguments(args, match, capsys):
    assert main(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_error(captured, re.escape(match))


def test_debug_shows_the_traceback(tmp_path, capsys):
    args = ["predict", str(tmp_path / "no.skgenre"), "song.wav"]
    assert main(args) == 2
    assert_one_error(capsys.readouterr(), "There is no model .*no.skgenre")
    for with_debug in (["--debug", *args], [*args, "--debug"]):
        assert main(with_debug) == 2
        assert "Traceback" in capsys.readouterr().err


def test_unexpected_errors_and_interrupts(monkeypatch, tmp_path, capsys):
    def fail(path, **kwargs):
        raise error

    monkeypatch.setattr("skgenre.cli._predict.load_model", fail)
    error = TypeError("of\nours")
    assert main(["predict", "model", "song.wav"]) == 2
    expected = "skgenre: error: unexpected TypeError: of\nours (--debug shows where)\n"
    assert capsys.readouterr().err == expected
    error = KeyboardInterrupt()
    assert main(["predict", "model", "song.wav"]) == 130
    assert capsys.readouterr().err == "skgenre: interrupted\n"
    error = PermissionError(13, "Permission denied", "song")
    assert main(["predict", "model", "song.wav"]) == 2
    assert_one_error(capsys.readouterr(), "error: song: Permission denied")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_termination_removes_temporary_files(name, monkeypatch, tmp_path, capsys):
    """As docker stop, or a terminal that is closed, ends a program."""
    number = getattr(signal, name)

    def run(args):
        with tempfile.TemporaryDirectory(dir=tmp_path):
            os.kill(os.getpid(), number)
            signal.pause()

    monkeypatch.setattr("skgenre.cli._predict.run", run)
    before = signal.getsignal(number)
    assert main(["predict", "model", "file"]) == 128 + number
    assert capsys.readouterr().err == "skgenre: interrupted\n"
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(number) is before


def test_an_interrupt_waits_for_threads_that_write_temporary_files(music, tmp_path, monkeypatch):
    started = Event()
    pool = ThreadPool(1)

    def write_late(folder):
        started.set()
        time.sleep(0.1)
        os.makedirs(os.path.join(folder, "late"))

    def interrupted(task, args):
        pool.apply_async(write_late, [str(task.front[0].memory)])
        started.wait()
        pool.terminate()
        raise KeyboardInterrupt

    monkeypatch.setattr("skgenre.cli._train._without_bad_files", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert train(music, tmp_path / "model", "--cv", 0) == 130
    pool.join()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (ValueError, 2)])
def test_threads_end_before_the_command(error, code, monkeypatch):
    done = []

    def work(shared, number):
        time.sleep(0.2)
        done.append(number)

    def run(args):
        calls = ((number,) for number in range(1000))
        results = stream(joblib, work, None, calls, 2, prefer="threads")
        next(results)
        raise error

    monkeypatch.setattr("skgenre.cli._predict.run", run)
    assert main(["predict", "model", "file"]) == code
    assert not [thread for thread in enumerate_threads() if isinstance(thread, DummyProcess)]
    assert len(done) < 100


# train


def test_train_reports_and_writes_a_whole_pipeline(music, trained, files):
    model, out = trained
    for pattern in (
        r"dub +4 +4\n",
        r"total +8 +8\n",
        r"in 2 folds: no artist is in training and test",
        r"track accuracy +[01]\.\d{3} \(95 % interval [01]\.\d{3} to [01]\.\d{3}, by artist\)",
        r"balanced accuracy +[01]\.\d{3} \(.* by artist; mean recall of the genres\)",
        r"chance +0\.500 \(answering 'dub' always\)",
        r"genre +tracks +recall\n +dub +4 +[01]\.\d{3}\n",
        f"Wrote {re.escape(str(model))}",
    ):
        assert re.search(pattern, out), pattern
    assert os.listdir(model.parent) == [model.name]
    pipeline = skgenre.load(model)
    assert list(pipeline.named_steps) == ["features", "scaler", "classifier"]
    assert pipeline[-1].get_params()["epochs"] == 2
    assert pipeline[-1].get_params()["learning_rate"] == 0.003
    # The features were computed once, for evaluation and training.
    found = load_genre_folder(music)
    whole = make_genre_pipeline("mlp", duration=1.0, n_segments=2)
    whole[-1].set_params(epochs=2, learning_rate=0.003, random_state=0)
    whole.fit(found.data, found.target)
    assert_allclose(pipeline.predict_proba(files), whole.predict_proba(files), atol=1e-5)


def test_train_shows_what_evaluate_measures(music, trained):
    _, out = trained
    found = load_genre_folder(music)
    pipeline = make_genre_pipeline("mlp", duration=1.0, n_segments=2)
    pipeline[-1].set_params(epochs=2, learning_rate=0.003, random_state=0)
    result = evaluate(pipeline, found, n_folds=2)
    for metric in ("track_accuracy", "balanced_accuracy"):
        entry = result.overall[metric]
        interval = f"95 % interval {entry['low']:.3f} to {entry['high']:.3f}, by artist"
        assert re.search(rf"{metric.replace('_', ' ')} +{entry['value']:.3f} \({interval}", out), (
            metric
        )
    for genre, recall in result.recall.items():
        assert re.search(rf"{genre} +4 +{recall:.3f}\n", out), genre


def test_folds_keep_artists_together_and_say_when_they_cannot(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")

    def errors(artists, *options):
        with open(tmp_path / "artists.csv", "w", newline="") as handle:
            files = sorted(file.relative_to(folder) for file in folder.glob("*/*.wav"))
            rows = zip(map(str, files), artists, strict=True)
            csv.writer(handle).writerows([("file", "artist"), *rows])
        command = [folder, tmp_path / "m", "--metadata", tmp_path / "artists.csv", "--epochs", 1]
        code = train(*command, "--force", *options)
        captured = capsys.readouterr()
        if code == 2:
            assert_one_error(captured, "")
        return captured.err or captured.out

    found = errors("aaaabcbc")
    assert "'dub' has 1 artist only; cross-validation needs one to train on" in found
    assert "Add tracks by others, or give --cv 0" in found
    assert "2 folds instead of 5, because the genre 'swing' has 2 artists" in errors("abcdefef")
    assert "in 2 folds: no artist is in training and test" in errors("ababbaba")  # of both genres
    assert "cannot be spread over 2 folds (" in errors("aaabaaac")
    for file in sorted(folder.glob("swing/*.wav"))[1:]:
        file.unlink()
    assert train(folder, tmp_path / "m", "--metadata", "none", "--force") == 2
    assert_one_error(capsys.readouterr(), "'swing' has 1 track only; .* give --cv 0")


def test_unknown_artists_are_warned_of(music, tmp_path, capsys):
    assert train(music, tmp_path / "m", "--metadata", "none", "--epochs", 1) == 0
    out = capsys.readouterr().out
    assert "Artists are not known." in out
    assert "4 folds instead of 5, because the genre 'dub' has 4 tracks." in out
    assert "Warning: artists are not known" in out
    assert "the accuracy comes out too high" in out
    assert re.search(r"track accuracy .*, by track\)", out)


def test_files_that_cannot_be_used(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")
    (folder / "dub" / "empty.wav").write_bytes(b"")
    out = tmp_path / "model"
    assert train(folder, out) == 2
    error = capsys.readouterr().err
    assert re.search("^skgenre: error: 1 of 9 files .* cannot be used:\n- .*empty.wav", error)
    assert "give --skip-corrupt to leave them out." in error
    # A FLAC file whose damage the header does not show.
    make_genres(1, genres=["dub"], duration=1.0, path=tmp_path / "flac", file_format="flac")
    data = bytearray((tmp_path / "flac/dub/dub.00000.flac").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    (folder / "dub" / "spoilt.flac").write_bytes(data)
    (folder / "dub" / "empty.wav").rename(tmp_path / "empty.wav")
    assert train(folder, out, "--cv", 0) == 2
    assert_one_error(capsys.readouterr(), "spoilt.flac")
    (tmp_path / "empty.wav").rename(folder / "dub" / "empty.wav")
    assert train(folder, out, "--skip-corrupt", "--cv", 0, "--epochs", 1, "--jobs", 2) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert re.search("Left out: .*empty.wav", captured.out)
    assert re.search("Left out: .*spoilt.flac", captured.out)
    assert "on all 8 tracks" in captured.out
    assert "Cross-validation" not in captured.out
    out.unlink()
    for file in folder.glob("swing/*.wav"):
        file.unlink()
    (folder / "swing" / "spoilt.flac").write_bytes(data)
    assert train(folder, out, "--skip-corrupt", "--cv", 0) == 2
    assert_one_error(capsys.readouterr(), "Only tracks of 'dub' are left")
    assert not out.exists()


def test_a_table_of_artists_without_the_files(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")
    out = tmp_path / "model"
    (tmp_path / "artists.csv").write_text("file,artist\nother.wav,Another Artist\n")
    assert train(folder, out, "--metadata", tmp_path / "artists.csv") == 2
    assert_one_error(capsys.readouterr(), "give --metadata none to do without")
    assert not out.exists()


def test_genres_and_artists_of_a_table(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")
    for number, file in enumerate(sorted(folder.glob("*/*.wav"))):
        place = folder / f"album {number % 3}" / file.name
        place.parent.mkdir(exist_ok=True)
        file.rename(place)
    for genre in ("dub", "swing"):
        (folder / genre).rmdir()
    names = sorted(file.name for file in folder.glob("*/*.wav"))
    rows = [f"{name};{name.partition('.')[0]};Artist {name[-5]}" for name in names]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["sep=;", "file;genre;artist", *rows]), encoding="utf-16")
    (folder / "album 0" / "one  two.m4p").write_bytes(b"not read")
    out = tmp_path / "model"
    assert train(folder, out, "--metadata", table, "--cv", 0) == 0
    captured = capsys.readouterr()
    assert re.search(r"dub +4 +4\n", captured.out)
    assert f"Genres are from {table}.\nArtists are from {table}." in captured.out
    assert re.search(r"Left out: .*one  two\.m4p: the ending \.m4p is not read", captured.out)
    assert re.fullmatch(r"skgenre: warning: 1 audio files .*one  two\.m4p\..*\n", captured.err)
    assert list(skgenre.load(out).classes_) == ["dub", "swing"]
    assert train(folder, out, "--force", "--genres-from", "metadata") == 2
    assert_one_error(capsys.readouterr(), "--genres-from metadata needs a table")
    assert train(folder, out, "--force", "--genres-from", "tags") == 2


def test_clips_of_gtzan_need_no_table(music, tmp_path, capsys):
    folder = tmp_path / "genres"
    for genre, files in (("jazz", "dub"), ("rock", "swing")):
        (folder / genre).mkdir(parents=True)
        for number, file in enumerate(sorted((music / files).glob("*.wav"))):
            os.link(file, folder / genre / f"{genre}.{number:05d}.wav")
    assert train(folder, tmp_path / "m", "--cv", 0) == 0
    out = capsys.readouterr().out
    assert "All files are named as clips of GTZAN: artists are from the package's table" in out
    assert "Artists are not known" not in out


def test_existing_model_is_refused_without_force(music, tmp_path, capsys):
    out = tmp_path / "model"
    out.write_bytes(b"precious")
    assert train(music, out) == 2
    assert_one_error(capsys.readouterr(), "model exists; .* --force")
    assert out.read_bytes() == b"precious"
    for place, match in [  # even before the folder is read
        (tmp_path, "is a directory; give the name of a file"),
        (tmp_path / "no" / "model", "There is no folder .*no to write"),
    ]:
        assert train(tmp_path / "none", place) == 2
        assert_one_error(capsys.readouterr(), match)
    os.mkfifo(tmp_path / "pipe")  # as a device, it would become a file
    assert train(music, tmp_path / "pipe", "--force") == 2
    assert_one_error(capsys.readouterr(), "is a pipe or a device")
    link = tmp_path / "link"
    link.symlink_to(out)
    out.chmod(0o640)
    assert train(music, link, "--force", "--cv", 0, "--epochs", 1) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(out.stat().st_mode) == 0o640  # as before
    assert list(skgenre.load(out).classes_) == ["dub", "swing"]


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_model_has_the_permissions_of_any_new_file(music, tmp_path, umask):
    before = os.umask(umask)
    try:
        assert train(music, tmp_path / "model", "--cv", 0, "--epochs", 1) == 0
        (tmp_path / "plain").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_names_like_options_are_files(music, trained, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    names = [
        "-x.wav",
        "--help",
        "--json",
        "./-",
        "@x.wav",
        "-1",
        "a b.wav",
        "$(touch x).wav",
        "x;y",
    ]
    for name in names:
        shutil.copy(music / "dub" / "dub.00000.wav", name)
    shutil.copytree(music, "-music")
    for file in Path("-music/dub").iterdir():
        file.rename(file.with_name(f"-{file.name}"))
    command = ["train", "--out=-m", *SMALL, "--cv", "0", "--epochs", "1", "--metadata", "none"]
    assert main([*command, "--", "-music"]) == 0
    assert "skgenre predict ./-m FILE" in capfd.readouterr().out
    assert main(["predict", "--json", "--", "-m", *names]) == 0
    assert [result["path"] for result in json.loads(capfd.readouterr().out)] == names
    shutil.copy(trained[0], "-m")
    assert main(["predict", "./-m", "--", *names]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert [line.split("  ")[0] for line in out.splitlines()[1:]] == names
    assert sorted(os.listdir()) == sorted([*map(os.path.normpath, names), "-m", "-music"])


def test_failing_train_leaves_nothing(music, tmp_path, capsys, monkeypatch):
    out = tmp_path / "model"
    replace = Path.replace

    def fail(unfinished, target):
        if target == out:
            raise OSError(28, "No space left on device", "disk")
        return replace(unfinished, target)

    monkeypatch.setattr(Path, "replace", fail)
    assert train(music, out, "--cv", 0, "--epochs", 1) == 2
    assert_one_error(capsys.readouterr(), "disk: No space left on device")
    assert os.listdir(tmp_path) == []
    out.write_bytes(b"precious")
    assert train(music, out, "--cv", 0, "--epochs", 1, "--force") == 2
    assert os.listdir(tmp_path) == ["model"]
    assert out.read_bytes() == b"precious"


def test_missing_folder(tmp_path, capsys):
    assert train(tmp_path / "no", tmp_path / "model") == 2
    assert_one_error(capsys.readouterr(), "There is no folder .*no")


def test_progress_needs_rich(music, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert train(music, tmp_path / "m", "--progress") == 2
    assert_one_error(capsys.readouterr(), r'pip install "skgenre\[progress\]"')


def test_progress_goes_to_standard_error_and_not_into_the_model(music, tmp_path, capsys):
    assert train(music, tmp_path / "m", "--progress", "--cv", 2, "--jobs", 2) == 0
    captured = capsys.readouterr()
    assert "Features" in captured.err
    assert captured.err.count("MLPGenreClassifier - fit") == 3  # of two folds and of the model
    assert "━" not in captured.out
    assert b"ProgressBar" not in (tmp_path / "m").read_bytes()


def test_hierarchical_takes_the_training_options(music, tmp_path):
    options = ["--classifier", "hierarchical", "--duration", 1, "--n-segments", 2, "--cv", 0]
    options += ["--epochs", 1, "--learning-rate", 0.5, "--seed", 4]
    out = tmp_path / "m"
    assert main(["train", str(music), "--out", str(out), *map(str, options)]) == 0
    params = skgenre.load(out)[-1].get_params()
    assert (params["random_state"], params["estimator__epochs"]) == (4, 1)
    assert params["estimator__learning_rate"] == 0.5
    assert params["estimator__batch_size"] == 32  # the default of the LSTM


def test_recommended_trains_with_artists_and_predicts(music, files, tmp_path, capsys):
    model = tmp_path / "model"
    options = ["--duration", "1", "--cv", "0"]
    assert main(["train", str(music), "--out", str(model), *options]) == 0
    assert "Training recommended on all" in capsys.readouterr().out
    saved = skgenre.load(model)
    assert type(saved) is GenreClassifier
    assert saved.memory is None
    found = load_genre_folder(music)
    fitted = GenreClassifier(duration=1.0, random_state=0)
    fitted.fit(found.data, found.target, groups=found.artists)
    assert_allclose(saved.predict_proba(files), fitted.predict_proba(files), atol=1e-6)
    # One of the two learns from artists.
    assert list(saved.predict_member_proba(files)) == ["svc", "svc_whitened"]
    assert main(["predict", str(model), str(files[0]), "--segments", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert len(found["segments"]) == 6


def test_recommended_trains_with_embeddings(music, files, tmp_path, capsys, monkeypatch):
    weights = str(write_random_weights(tmp_path / "weights.npz"))
    command = ["train", str(music), "--out", str(tmp_path / "model"), "--duration", "1"]
    command += ["--cv", "0", "--embeddings"]
    assert main([*command, weights]) == 0
    assert skgenre.load(tmp_path / "model").embeddings == weights
    assert main(["predict", str(tmp_path / "model"), str(files[0])]) == 0
    capsys.readouterr()
    assert main(["info", str(tmp_path / "model")]) == 0
    assert TERMS["licence"] in capsys.readouterr().out
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "empty"))
    assert main([*command, "msd", "--force"]) == 2
    assert_one_error(capsys.readouterr(), "skgenre fetch musicnn --weights msd")
    assert main([*command, weights, "--force", "--classifier", "mlp"]) == 2
    assert_one_error(capsys.readouterr(), "--embeddings is an option of the recommended")


def search(model):
    return GridSearchCV(model, {"n_excerpts": [1]}, cv=2)


@pytest.mark.parametrize(
    "wrap", [clone, make_pipeline, search], ids=["alone", "pipeline", "search"]
)
def test_a_genre_classifier_saved_from_python_predicts(music, files, tmp_path, capsys, wrap):
    folder = load_genre_folder(music)
    params = {"duration": 1.0, "n_segments": 2, "segment_duration": 0.5, "random_state": 0}
    model = GenreClassifier(("svc",), **params)
    model = wrap(model).fit(folder.data, folder.target)
    skgenre.save(model, tmp_path / "model")
    assert main(["predict", str(tmp_path / "model"), files[0], "--segments", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    proba = model.predict_proba([files[0]])[0]
    assert found["genre"] == model.classes_[proba.argmax()]
    assert found["probabilities"][found["genre"]] == pytest.approx(proba.max(), abs=1e-5)
    assert len(found["segments"]) == 2


def test_memory_keeps_features_and_folds_of_the_recommended(music, tmp_path, capsys):
    memory = tmp_path / "memory"
    command = ["train", str(music), "--out", str(tmp_path / "model"), "--duration", "1"]
    command += ["--cv", "2", "--memory", str(memory), "--jobs", "2"]
    assert main(command) == 0
    out = capsys.readouterr().out
    model = GenreClassifier(duration=1.0, memory=memory, random_state=0)
    entry = evaluate(model, load_genre_folder(music), n_folds=2).overall["track_accuracy"]
    shown = f"{entry['value']:.3f} (95 % interval {entry['low']:.3f} to {entry['high']:.3f}"
    assert shown in out
    kept = {file: file.stat().st_mtime_ns for file in (memory / "trainings").iterdir()}
    assert len(kept) == 2
    # Once for each track: the features of the whole, and those of its segments.
    assert len(list(memory.rglob("*.npy"))) == 2 * 8
    assert main([*command, "--force"]) == 0
    assert capsys.readouterr().out == out
    assert {file: file.stat().st_mtime_ns for file in (memory / "trainings").iterdir()} == kept
    assert skgenre.load(tmp_path / "model").memory is None
    assert main([*command, "--force", "--memory", str(tmp_path / "model")]) == 2
    assert_one_error(capsys.readouterr(), "--memory .*model is a file; give a folder")


@pytest.mark.parametrize("option", ["--n-segments", "--epochs", "--learning-rate"])
def test_options_of_other_classifiers_are_refused_by_recommended(music, tmp_path, option, capsys):
    assert main(["train", str(music), "--out", str(tmp_path / "m"), option, "2"]) == 2
    assert f"{option} is not an option of the recommended" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


# predict


def test_predict_table(trained, files, capsys):
    model, _ = trained
    pipeline = skgenre.load(model)
    proba = pipeline.predict_proba(files)
    assert main(["predict", str(model), *files]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    header, *rows = captured.out.splitlines()
    assert header.split() == ["file", "genre", "probability"]
    for file, row, p in zip(files, rows, proba, strict=True):
        assert row.split() == [file, pipeline.classes_[p.argmax()], f"{p.max():.3f}"]
        assert len(row) == len(header)  # numbers end where their title ends


def test_predict_top_and_segments(trained, files, capsys):
    model, _ = trained
    assert main(["predict", str(model), files[0], "--top", "9", "--segments"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert re.search(r"probability +next best +segments$", header)
    assert re.search(r"(dub|swing) +[01]\.\d{3} +(dub|swing) 0\.\d{3} +(dub|swing)", row)
    assert row.index("  ", header.index("next best")) < header.index("segments")


def test_predict_json(trained, files):
    model, _ = trained
    pipeline = skgenre.load(model)
    done = run_process("predict", model, *files, "--json", "--segments")
    assert (done.returncode, done.stderr) == (0, "")  # no chatter of TensorFlow
    results = json.loads(done.stdout)
    assert [result["path"] for result in results] == files
    for result, p in zip(results, pipeline.predict_proba(files), strict=True):
        assert result["genre"] == pipeline.classes_[p.argmax()]
        assert next(iter(result["probabilities"])) == result["genre"]
        found = [result["probabilities"][name] for name in pipeline.classes_]
        assert_allclose(found, p, atol=1e-5)
        assert len(result["segments"]) == 2
        assert set(result["segments"][0]) == {"genre", "probability"}


def test_files_without_sound_have_no_genre(trained, files, tmp_path, capsys):
    model, _ = trained
    silent = tmp_path / "a  silent\n file .wav"
    soundfile.write(silent, [0.5] * 22050, 22050)
    given = [str(silent), files[0]]
    assert main(["predict", str(model), *given, "--segments"]) == 0
    captured = capsys.readouterr()
    message = f"skgenre: warning: 1 track without sound: {silent} (all samples of 1 s are 0.5). "
    assert captured.err.startswith(message)
    assert captured.err.count("warning") == 1
    in_one_line = re.escape(str(silent).replace("\n", r"\n"))
    assert re.search(rf"^{in_one_line} *no sound$", captured.out, re.MULTILINE)
    assert main(["predict", str(model), *given, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["path"], first["genre"], first["status"]) == (str(silent), None, "no sound")
    assert first["reason"] == "all samples of 1 s are 0.5"
    assert second["genre"] in ("dub", "swing")


def test_training_names_files_without_sound_once(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")
    silent = folder / "dub" / "silent.wav"
    soundfile.write(silent, [0.0] * 22050, 22050)
    options = ["--out", str(tmp_path / "model"), "--cv", "2", "--duration", "1"]
    assert main(["train", str(folder), *options]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"skgenre: warning: 1 track without sound: {silent} (all samples of 1")
    assert second.endswith("Training leaves such tracks out if all genres have others.")


@pytest.mark.parametrize("name", ["a  b\n c .wav", " tab\t", "long" * 60, "\udcff  x.wav"])
def test_names_of_files_stay_as_they_are(trained, files, name, capsys):
    model, _ = trained
    assert main(["predict", str(model), name, "--json"]) == 1
    captured = capsys.readouterr()
    (result,) = json.loads(captured.out)
    assert result["path"] == name
    assert name in result["reason"]
    shown = name.encode(errors="backslashreplace").decode()
    assert shown in captured.err
    assert main(["predict", name, files[0]]) == 2
    assert shown in capsys.readouterr().err


def test_unreadable_files_do_not_lose_the_others(trained, files, tmp_path, capsys):
    model, _ = trained
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no audio at all")
    given = [files[0], str(bad), str(tmp_path / "absent.wav"), files[1]]
    assert main(["predict", str(model), *given]) == 1
    captured = capsys.readouterr()
    assert [line.split()[0] for line in captured.out.splitlines()] == ["file", *files]
    first, second = captured.err.splitlines()
    assert re.match("skgenre: error: .*bad.wav is not an audio file", first)
    assert re.match("skgenre: error: .*absent.wav does not exist", second)
    assert main(["predict", str(model), *given, "--json"]) == 1
    results = json.loads(capsys.readouterr().out)
    assert [result["status"] for result in results] == ["ok", "error", "error", "ok"]
    assert results[1]["path"] == str(bad)
    assert "is not an audio file" in results[1]["reason"]


def test_names_that_standard_output_cannot_encode(trained, files, tmp_path, monkeypatch):
    model, _ = trained
    odd = tmp_path / "caf\u00e9.wav"
    os.link(files[0], odd)
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["predict", str(model), str(odd)]) == 0
    assert rb"caf\xe9.wav" in out.buffer.getvalue()


def test_control_characters_in_names_are_escaped(trained, files, tmp_path, capsys):
    model, _ = trained
    odd, absent = tmp_path / "two\nlines\x1b[31m.wav", tmp_path / "gone\x9b.wav"
    os.link(files[0], odd)
    assert main(["predict", str(model), str(odd), str(absent)]) == 1
    captured = capsys.readouterr()
    header, row = captured.out.splitlines()
    assert rf"{tmp_path}/two\nlines\x1b[31m.wav  " in row
    assert header.index("genre") == re.search("dub|swing", row).start()
    assert r"gone\x9b.wav does not exist" in captured.err


def test_standard_streams_may_be_closed(music, tmp_path, monkeypatch):
    """As cron, services and programs without a console leave them."""
    names = ("stdin", "stdout", "stderr")
    for name in names:
        monkeypatch.setattr(sys, name, None)
    code = train(music, tmp_path / "model", "--cv", 2)
    opened = [getattr(sys, name) for name in names]
    monkeypatch.undo()
    assert code == 0
    for opened_stream in opened:
        opened_stream.close()
    assert skgenre.load(tmp_path / "model").classes_.tolist() == ["dub", "swing"]


def fitted(*steps):
    pipeline = make_pipeline(*steps)
    pipeline[-1].fit([[0], [1]], ["a", "b"])
    return pipeline


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "cannot be loaded as a pickle .EOFError"),
        (b"RIFF, not a pickle\n" * 9, "cannot be loaded as a pickle"),
        (pickle.dumps({"a": 1}), "holds an object of type dict"),
        (pickle.dumps(CNNGenreClassifier()), "with CNNGenreClassifier, which does not read files"),
        (pickle.dumps(GenreClassifier()), "holds a GenreClassifier that is not fitted"),
        (pickle.dumps(make_genre_pipeline()), "holds a Pipeline that is not fitted"),
        (pickle.dumps(make_genre_pipeline()[:-1]), "holds an object of type Pipeline"),
        (pickle.dumps(fitted(AudioLoader(), LinearSVC())), "without genre probabilities"),
        (pickle.dumps(fitted(DummyClassifier())), "begins with DummyClassifier, which does not"),
    ],
)
def test_files_that_are_no_models(content, match, tmp_path, capsys):
    path = tmp_path / "model"
    path.write_bytes(content)
    assert main(["predict", str(path), "song.wav", "--trust-pickle"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_error(captured, match)
    assert main(["predict", str(path), "song.wav"]) == 2
    assert_one_error(capsys.readouterr(), "is not a model file .* give --trust-pickle")


def test_pickles_run_only_with_trust(music, files, tmp_path, capsys):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "attack").write_bytes(pickle.dumps(Attack()))
    assert main(["predict", str(tmp_path / "attack"), files[0]]) == 2
    assert not (tmp_path / "ran").exists()
    folder = load_genre_folder(music)
    model = GenreClassifier(("svc",), duration=1.0, random_state=0).fit(folder.data, folder.target)
    joblib.dump(model, tmp_path / "old")
    assert main(["predict", str(tmp_path / "old"), files[0], "--trust-pickle"]) == 0
    assert str(model.predict(files[:1])[0]) in capsys.readouterr().out


def test_info_shows_where_a_model_comes_from(trained, music, capsys):
    assert main(["info", str(trained[0])]) == 0
    out = capsys.readouterr().out
    assert "- genres: dub (4 tracks), swing (4 tracks)" in out
    assert main(["info", str(trained[0]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["environment"]["skgenre"] == skgenre.__version__
    assert str(music) not in json.dumps(found)
    assert main(["info", str(trained[0]), "--card"]) == 0
    assert "# Model description" in capsys.readouterr().out
    assert main(["info", str(music / "none")]) == 2
    assert_one_error(capsys.readouterr(), "none: No such file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_model(tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for command in (["info", str(pipe)], ["predict", str(pipe), "a.wav"]):
        assert main(command) == 2
        assert_one_error(capsys.readouterr(), "pipe is a pipe or a device; give a regular model")
    for read in (skgenre.load, skgenre.read_model_info):
        with pytest.raises(ValueError, match="pipe is a pipe or a device"):
            read(pipe)


def test_a_damaged_model_never_predicts(trained, files, tmp_path, capsys):
    model, _ = trained
    good = model.read_bytes()
    places = [0, 3, *range(10, len(good), len(good) // 20), len(good) - 8, len(good) - 1]
    flipped = [good[:i] + bytes([good[i] ^ 1 << i % 8]) + good[i + 1 :] for i in places]
    path = tmp_path / "model"
    for content in (*flipped, good[:-1], good[: len(good) // 2], good + b"junk", b"junk" + good):
        path.write_bytes(content)
        assert main(["predict", str(path), str(files[0])]) == 2
        assert_one_error(capsys.readouterr(), f"{path} is (damaged, or )?not a model file")


def test_segments_need_a_classifier_that_predicts_them(tmp_path, capsys):
    path = tmp_path / "model"
    skgenre.save(fitted(AudioLoader(), DummyClassifier()), path)
    assert main(["predict", str(path), "song.wav", "--segments"]) == 2
    assert_one_error(capsys.readouterr(), "DummyClassifier of .* does not predict segments")
    assert main(["predict", str(tmp_path), "song.wav"]) == 2
    assert_one_error(capsys.readouterr(), "is a directory, not a model")


# demo

TINY = _demo.Settings(
    genres=("dub", "swing"),
    n_tracks_per_genre=4,
    n_artists=4,
    duration=1.0,
    n_folds=2,
)


def test_demo_keeps_music_and_model(tmp_path, capsys):
    keep = tmp_path / "kept"
    assert _demo.run(Namespace(seed=3, keep=str(keep)), TINY) == 0
    out = capsys.readouterr().out
    for pattern in (
        r"Made 8 tracks of 1 s by 8 artists",
        r"classifier +track accuracy +balanced accuracy\n",
        r"GenreClassifier +[01]\.\d{3} +[01]\.\d{3}\n",
        r"logistic regression +[01]\.\d{3} +[01]\.\d{3}\n",
        r"chance +0\.500 +0\.500\n",
        r"file +predicted +dub +swing\n",
        r"dub\.00000\.wav +(dub|swing) +0\.\d{3} +0\.\d{3}\n",
        r"[0-2] of 2 are right",
        "No artist is in training and in test",
        "it is no benchmark",
    ):
        assert re.search(pattern, out), pattern
    assert sorted(os.listdir(keep)) == ["model.skgenre", "music", "new"]
    assert os.listdir(tmp_path) == ["kept"]
    new = load_genre_folder(keep / "new")
    kept = skgenre.load(keep / "model.skgenre").predict_proba(new.data)
    assert re.search(rf"dub\.00000\.wav .* {kept[0, 0]:.3f} +{kept[0, 1]:.3f}\n", out)
    music_bytes = {path.read_bytes() for path in keep.glob("music/*/*.wav")}
    assert not music_bytes & {path.read_bytes() for path in keep.glob("new/*/*.wav")}


def test_demo_leaves_nothing_without_keep(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []

    def look(folder, seed, settings):
        seen.append((folder.parent, folder.is_dir(), seed, settings))

    monkeypatch.setattr(_demo, "_demonstrate", look)
    assert main(["demo", "--seed", "5"]) == 0
    assert seen == [(tmp_path, True, 5, _demo.Settings())]
    assert "skgenre train FOLDER --out MODEL" in capsys.readouterr().out
    assert os.listdir(tmp_path) == []


def test_demo_that_fails_keeps_nothing(tmp_path, capsys, monkeypatch):
    def fail(folder, seed, settings):
        (folder / "half").write_bytes(b"")
        raise ValueError("no luck")

    monkeypatch.setattr(_demo, "_demonstrate", fail)
    assert main(["demo", "--keep", str(tmp_path / "kept")]) == 2
    assert_one_error(capsys.readouterr(), "no luck")
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").write_bytes(b"")
    for place, match in [
        (tmp_path, "is not empty"),
        (tmp_path / "file", "is a file; --keep takes"),
        (tmp_path / "no" / "kept", "There is no folder"),
    ]:
        assert main(["demo", "--keep", str(place)]) == 2
        assert_one_error(capsys.readouterr(), match)


@pytest.mark.slow
def test_demo_is_above_chance_and_not_perfect():
    done = run_process("demo")
    assert (done.returncode, done.stderr) == (0, "")
    found = re.findall(r"(?:GenreClassifier|regression) +([01]\.\d{3})", done.stdout)
    assert len(found) == 2
    assert all(0.4 < float(accuracy) < 1 for accuracy in found)
