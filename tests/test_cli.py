import csv
import io
import json
import os
import pickle
import re
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stdout

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_predict
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

import skgenre
from skgenre import (
    AudioLoader,
    CNNGenreClassifier,
    GenreClassifier,
    load_genre_folder,
    make_genre_pipeline,
    make_genres,
)
from skgenre.cli import _demo, _train, _validation, main

SMALL = ["--classifier", "mlp", "--duration", "1", "--n-segments", "2", "--epochs", "2"]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two genres of four tracks by four artists each."""
    folder = tmp_path_factory.mktemp("cli") / "music"
    make_genres(4, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)
    return folder


@pytest.fixture(scope="module")
def trained(music, tmp_path_factory):
    """A model file and what training it printed."""
    model = tmp_path_factory.mktemp("model") / "model.joblib"
    with redirect_stdout(io.StringIO()) as out:
        assert train(music, model, "--cv", 2, "--learning-rate", 0.003) == 0
    return model, out.getvalue()


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
    """One line on standard error, and no traceback."""
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
    assert "only models\nthat you trust" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ([], "COMMAND"),
        (["sing"], "invalid choice: 'sing'"),
        (["train", "music"], "--out"),
        (["train", "music", "--out", "m", "--classifier", "svm"], "invalid choice: 'svm'"),
        (["train", "music", "--out", "m", "--epochs", "0"], "'0' is not a whole number, 1 or more"),
        (["train", "music", "--out", "m", "--duration", "nan"], "'nan' is not a number above 0"),
        (["train", "music", "--out", "m", "--learning-rate", "-1"], "number above 0"),
        (["train", "music", "--out", "m", "--cv", "1"], "nothing to train on; 2 or more, or 0"),
        (["train", "music", "--out", "m", "--seed", "x"], "whole number, from 0 to 4294967295"),
        (["predict", "model"], "FILE"),
    ],
)
def test_wrong_arguments(args, match, capsys):
    assert main(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_error(captured, re.escape(match))


def test_debug_shows_the_traceback(tmp_path, capsys):
    args = ["predict", str(tmp_path / "no.joblib"), "song.wav"]
    assert main(args) == 2
    assert_one_error(capsys.readouterr(), "There is no model .*no.joblib")
    for with_debug in (["--debug", *args], [*args, "--debug"]):
        assert main(with_debug) == 2
        assert "Traceback" in capsys.readouterr().err


def test_unexpected_errors_and_interrupts(monkeypatch, tmp_path, capsys):
    def fail(path):
        raise error

    monkeypatch.setattr("skgenre.cli._predict.load_model", fail)
    error = TypeError("of\nours")
    assert main(["predict", "model", "song.wav"]) == 2
    assert_one_error(capsys.readouterr(), "unexpected TypeError: of ours .--debug shows where")
    error = KeyboardInterrupt()
    assert main(["predict", "model", "song.wav"]) == 130
    assert capsys.readouterr().err == "skgenre: interrupted\n"
    error = PermissionError(13, "Permission denied", "song")
    assert main(["predict", "model", "song.wav"]) == 2
    assert_one_error(capsys.readouterr(), "error: song: Permission denied")


# train


def test_train_reports_and_writes_a_whole_pipeline(music, trained, files):
    model, out = trained
    for pattern in (
        r"dub +4 +4\n",
        r"total +8 +8\n",
        r"in 2 folds: no artist is in training and test",
        r"track accuracy +[01]\.\d{3} \+/- 0\.\d{3}",
        r"chance +0\.500",
        r"genre +tracks +recall\n +dub +4 +[01]\.\d{3}\n",
        f"Wrote {re.escape(str(model))}",
    ):
        assert re.search(pattern, out), pattern
    assert os.listdir(model.parent) == [model.name]
    pipeline = joblib.load(model)
    assert list(pipeline.named_steps) == ["features", "scaler", "classifier"]
    assert pipeline[-1].get_params()["epochs"] == 2
    assert pipeline[-1].get_params()["learning_rate"] == 0.003
    # What was fitted on features computed once is what fitting the whole gives.
    found = load_genre_folder(music)
    whole = make_genre_pipeline("mlp", duration=1.0, n_segments=2)
    whole[-1].set_params(epochs=2, learning_rate=0.003, random_state=0)
    whole.fit(found.data, found.target)
    assert_allclose(pipeline.predict_proba(files), whole.predict_proba(files), atol=1e-5)


def flatten(X):
    return X.reshape(len(X), -1)


def test_cross_validation_equals_scikit_learn_s_on_paths(music):
    found = load_genre_folder(music)
    centroid = make_pipeline(FunctionTransformer(flatten), NearestCentroid())
    pipeline = make_genre_pipeline(centroid, n_segments=2, duration=1.0)
    features, rows = _validation.extract(pipeline["features"], found.data)
    assert rows == list(range(8))
    folds = _validation.divide(found.target, found.artists, 2, 7)
    validation = _validation.cross_validate(pipeline[-2:], features, found.target, folds)
    splitter = StratifiedGroupKFold(2, shuffle=True, random_state=7)
    expected = cross_val_predict(
        pipeline, found.data, found.target, groups=found.artists, cv=splitter
    )
    assert_array_equal(validation.predicted, expected)
    assert validation.accuracy == pytest.approx((expected == found.target).mean())


def test_validation_figures():
    y = np.array(["a", "a", "a", "b"])
    predicted = np.array(["a", "a", "b", "a"])
    validation = _validation.Validation(y, predicted, np.array([1.0, 0.0]))
    assert validation.accuracy == 0.5
    assert validation.deviation == 0.5
    assert validation.recall("a") == pytest.approx(2 / 3)
    assert validation.balanced_accuracy == pytest.approx(1 / 3)


def test_folds_keep_artists_together_and_say_when_they_cannot():
    y = np.repeat(["a", "b"], 6)
    artists = np.array(list("pqrpqr") + list("stustu"))
    folds = _validation.divide(y, artists, 5, 0)
    assert (len(folds.splits), folds.scarcest, folds.n_scarcest) == (3, "a", 3)
    for train_rows, test_rows in folds.splits:
        assert not set(artists[train_rows]) & set(artists[test_rows])
    without = _validation.divide(y, None, 5, 0)
    assert len(without.splits) == 5
    assert all(set(y[test_rows]) == {"a", "b"} for _, test_rows in without.splits)
    with pytest.raises(ValueError, match=r"'a' has 1 artist only; .* Add tracks by others, or"):
        _validation.divide(y, np.array(list("pppppp") + list("stustu")), 2, 0)
    with pytest.raises(ValueError, match="'b' has 1 track only"):
        _validation.divide(y[:7], None, 2, 0)
    shared = np.array(list("pq") * 6)  # artists of both genres
    assert len(_validation.divide(y, shared, 5, 0).splits) == 2


def test_unknown_artists_are_warned_of(music, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_train, "cross_validate", fake_cross_validate)
    assert train(music, tmp_path / "m", "--metadata", "none", "--epochs", "1") == 0
    out = capsys.readouterr().out
    assert "Artists are not known." in out
    assert "4 folds instead of 5, for the genre 'dub' has 4 tracks." in out
    assert "Warning: artists are not known" in out
    assert "the accuracy comes out too high" in out


def fake_cross_validate(model, features, y, folds, artists):
    return _validation.Validation(y, y, np.ones(len(folds.splits)))


def test_files_that_cannot_be_used(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")
    (folder / "dub" / "empty.wav").write_bytes(b"")
    out = tmp_path / "model"
    assert train(folder, out) == 2
    assert_one_error(
        capsys.readouterr(), "1 of 9 files .* cannot be used: .*empty.wav.* --skip-corrupt"
    )
    # A FLAC file whose damage the header does not show.
    make_genres(1, genres=["dub"], duration=1.0, path=tmp_path / "flac", file_format="flac")
    data = bytearray((tmp_path / "flac/dub/dub.00000.flac").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    (folder / "dub" / "spoilt.flac").write_bytes(data)
    assert train(folder, out, "--skip-corrupt", "--cv", 0, "--epochs", 1) == 0
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


def test_a_table_of_artists(music, tmp_path, capsys):
    folder = copy_music(music, tmp_path / "music")
    with open(tmp_path / "who.csv", "w", newline="") as handle:
        rows = [(f"{f.parent.name}/{f.name}", f.parent.name) for f in folder.glob("*/*.wav")]
        csv.writer(handle).writerows([("file", "artist"), *rows])
    out = tmp_path / "model"
    assert train(folder, out, "--metadata", tmp_path / "who.csv") == 2
    assert_one_error(capsys.readouterr(), "'dub' has 1 artist only; .* give --cv 0")
    (tmp_path / "who.csv").write_text("file,artist\nother.wav,Nobody Else\n")
    assert train(folder, out, "--metadata", tmp_path / "who.csv") == 2
    assert_one_error(capsys.readouterr(), "give --metadata none to do without")
    assert not out.exists()


def test_existing_model_is_refused_without_force(music, tmp_path, capsys, monkeypatch):
    out = tmp_path / "model"
    out.write_bytes(b"precious")
    assert train(music, out) == 2
    assert_one_error(capsys.readouterr(), "model exists; .* --force")
    assert out.read_bytes() == b"precious"
    monkeypatch.setattr(_train, "_read_folder", unreached)
    for place, match in [
        (tmp_path, "is a directory; give the name of a file"),
        (tmp_path / "no" / "model", "There is no folder .*no to write"),
    ]:
        assert train(music, place) == 2
        assert_one_error(capsys.readouterr(), match)
    monkeypatch.undo()
    link = tmp_path / "link"
    link.symlink_to(out)
    assert train(music, link, "--force", "--cv", 0, "--epochs", 1) == 0
    assert link.is_symlink()
    assert list(joblib.load(out).classes_) == ["dub", "swing"]


def unreached(*args):
    raise RuntimeError("not refused in time")


def test_failing_train_leaves_nothing(music, tmp_path, capsys, monkeypatch):
    def fail(model, stream):
        stream.write(b"half a model")
        raise OSError(28, "No space left on device", "disk")

    monkeypatch.setattr(joblib, "dump", fail)
    out = tmp_path / "model"
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
    assert train(music, tmp_path / "m", "--progress", "--cv", 0) == 0
    captured = capsys.readouterr()
    assert "Features" in captured.err
    assert "epoch" in captured.err.lower() or "MLPGenreClassifier" in captured.err
    assert "━" not in captured.out
    assert b"ProgressBar" not in (tmp_path / "m").read_bytes()


def test_hierarchical_takes_the_training_options():
    pipeline = _train.make_pipeline(
        "hierarchical", n_segments=2, duration=1.0, epochs=3, learning_rate=0.5, seed=4
    )
    params = pipeline[-1].get_params()
    assert (params["random_state"], params["estimator__epochs"]) == (4, 3)
    assert params["estimator__learning_rate"] == 0.5
    assert params["estimator__batch_size"] == 32
    lstm = _train.make_pipeline(
        "lstm", n_segments=2, duration=1.0, epochs=None, learning_rate=None, seed=4
    )
    assert lstm[-1].get_params()["epochs"] == 50


def test_recommended_trains_with_artists_and_predicts(music, files, tmp_path, capsys):
    model = tmp_path / "model"
    options = ["--duration", "1", "--cv", "0"]
    assert main(["train", str(music), "--out", str(model), *options]) == 0
    assert "Training recommended on all" in capsys.readouterr().out
    saved = joblib.load(model)
    assert type(saved) is GenreClassifier
    assert "svc_whitened" in saved.members_  # which learns from artists
    found = load_genre_folder(music)
    whole = GenreClassifier(duration=1.0, random_state=0)
    whole.fit(found.data, found.target, groups=found.artists)
    assert saved.get_params() == whole.get_params()
    assert_allclose(saved.predict_proba(files), whole.predict_proba(files), atol=1e-6)
    assert main(["predict", str(model), str(files[0]), "--segments", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert len(found["segments"]) == 6


def search(model):
    return GridSearchCV(model, {"n_excerpts": [1]}, cv=2)


@pytest.mark.parametrize(
    "wrap", [clone, make_pipeline, search], ids=["alone", "pipeline", "search"]
)
def test_a_genre_classifier_saved_from_python_predicts(music, files, tmp_path, capsys, wrap):
    folder = load_genre_folder(music)
    model = GenreClassifier(duration=1.0, n_segments=2, segment_duration=0.5, random_state=0)
    model = wrap(model).fit(folder.data, folder.target)
    joblib.dump(model, tmp_path / "model")
    assert main(["predict", str(tmp_path / "model"), files[0], "--segments", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    proba = model.predict_proba([files[0]])[0]
    assert found["genre"] == model.classes_[proba.argmax()]
    assert found["probabilities"][found["genre"]] == pytest.approx(proba.max(), abs=1e-5)
    assert len(found["segments"]) == 2


@pytest.mark.parametrize("option", ["--n-segments", "--epochs", "--learning-rate"])
def test_options_of_other_classifiers_are_refused_by_recommended(music, tmp_path, option, capsys):
    assert main(["train", str(music), "--out", str(tmp_path / "m"), option, "2"]) == 2
    assert f"{option} is not an option of the recommended" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


# predict


def test_predict_table(trained, files, capsys):
    model, _ = trained
    pipeline = joblib.load(model)
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
    pipeline = joblib.load(model)
    done = run_process("predict", model, *files, "--json", "--segments")
    assert (done.returncode, done.stderr) == (0, "")  # no chatter of TensorFlow
    results = json.loads(done.stdout)
    assert [result["file"] for result in results] == files
    for result, p in zip(results, pipeline.predict_proba(files), strict=True):
        assert result["genre"] == pipeline.classes_[p.argmax()]
        assert next(iter(result["probabilities"])) == result["genre"]
        found = [result["probabilities"][name] for name in pipeline.classes_]
        assert_allclose(found, p, atol=1e-5)
        assert len(result["segments"]) == 2
        assert set(result["segments"][0]) == {"genre", "probability"}


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
    assert [("genre" in result, "error" in result) for result in results] == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
    ]
    assert results[1] == {"file": str(bad), "error": results[1]["error"]}


def test_names_that_standard_output_cannot_encode(trained, files, tmp_path, monkeypatch):
    model, _ = trained
    odd = tmp_path / "caf\u00e9.wav"
    os.link(files[0], odd)
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["predict", str(model), str(odd)]) == 0
    assert rb"caf\xe9.wav" in out.buffer.getvalue()


def fitted(*steps):
    pipeline = make_pipeline(*steps)
    pipeline[-1].fit([[0], [1]], ["a", "b"])
    return pipeline


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "cannot be loaded as a model .EOFError"),
        (b"RIFF, not a pickle\n" * 9, "cannot be loaded as a model"),
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
    assert main(["predict", str(path), "song.wav"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_error(captured, match)


def test_segments_need_a_classifier_that_predicts_them(tmp_path, capsys):
    path = tmp_path / "model"
    joblib.dump(fitted(AudioLoader(), DummyClassifier()), path)
    assert main(["predict", str(path), "song.wav", "--segments"]) == 2
    assert_one_error(capsys.readouterr(), "DummyClassifier of .* does not predict segments")
    assert main(["predict", str(tmp_path), "song.wav"]) == 2
    assert_one_error(capsys.readouterr(), "is a directory, not a model")


# demo

TINY = _demo.Settings(
    genres=("dub", "swing"),
    n_tracks_per_genre=2,
    n_artists=2,
    duration=1.0,
    n_segments=2,
    n_folds=2,
    epochs=1,
)


def test_demo_keeps_music_and_model(tmp_path, capsys):
    keep = tmp_path / "kept"
    assert _demo.run(Namespace(seed=3, keep=str(keep)), TINY) == 0
    out = capsys.readouterr().out
    for pattern in (
        r"Made 4 tracks of 1 s by 4 artists",
        r"classifier +track accuracy +balanced accuracy\n",
        r"convolutional network +[01]\.\d{3} +[01]\.\d{3}\n",
        r"multilayer perceptron +[01]\.\d{3} +[01]\.\d{3}\n",
        r"chance +0\.500 +0\.500\n",
        r"file +predicted +dub +swing\n",
        r"dub\.00000\.wav +(dub|swing) +0\.\d{3} +0\.\d{3}\n",
        r"[0-2] of 2 are right",
        "No artist is in training and in test",
        "it is no benchmark",
    ):
        assert re.search(pattern, out), pattern
    assert sorted(os.listdir(keep)) == ["model.joblib", "music", "new"]
    assert os.listdir(tmp_path) == ["kept"]
    new = load_genre_folder(keep / "new")
    kept = joblib.load(keep / "model.joblib").predict_proba(new.data)
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
    found = re.findall(r"(?:network|perceptron) +([01]\.\d{3})", done.stdout)
    assert len(found) == 2
    assert all(0.4 < float(accuracy) < 1 for accuracy in found)
