"""The commands ``skgenre evaluate`` and ``skgenre duplicates``."""

import io
import json
import shutil
from contextlib import redirect_stdout

import numpy as np
import pytest
import soundfile
from joblib import parallel_config

from skgenre import GenreClassifier, find_duplicates, load, make_genres, save
from skgenre.cli import main
from skgenre.duplicates import Duplicates
from skgenre.evaluation import EvaluationResult

SMALL = ["--classifier", "mlp", "--duration", "1", "--n-segments", "2", "--epochs", "2"]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate") / "music"
    make_genres(4, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)
    return folder


@pytest.fixture(scope="module")
def unheard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unheard") / "music"
    make_genres(3, genres=["dub", "swing", "waltz"], duration=1.0, path=folder, random_state=1)
    return folder


@pytest.fixture(scope="module")
def model(music, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "model.skgenre"
    with redirect_stdout(io.StringIO()), parallel_config("threading"):
        assert main(["train", str(music), "--out", str(file), "--cv", "0"]) == 0
    return file


def run(*args):
    with parallel_config("threading"):
        return main([str(arg) for arg in args])


def test_a_model_is_scored_as_it_is(model, unheard, tmp_path, capsys):
    assert run("evaluate", model, unheard, "--output", tmp_path / "result.json") == 0
    out, err = capsys.readouterr()
    result = EvaluationResult.read(tmp_path / "result.json")
    paths = sorted(unheard.glob("*/*.wav"))
    assert result.tracks["track"] == [str(path) for path in paths]
    predicted = load(model).predict([str(path) for path in paths]).tolist()
    assert result.tracks["predicted"] == predicted
    assert result.classes == ["dub", "swing", "waltz"]
    assert result.unit == "artist"
    truth = [path.parent.name for path in paths]
    share = np.mean([a == b for a, b in zip(predicted, truth, strict=True)])
    assert f"track accuracy     {share:.3f} (95 % interval" in out
    assert "by artist" in out
    assert "Genres by row, predictions by column" in out
    assert "accuracy" in out.split("--min-confidence P")[1]
    assert "does not know these genres, whose tracks are all wrong: waltz (3 tracks)" in err
    assert "single tracks and artists cannot be compared" in out
    assert "are among the training tracks" not in err


@pytest.mark.parametrize("folder", [None, "music", "music/../music", "link"])
def test_training_tracks_are_warned_of(model, music, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(music.parent)
    if folder == "link":
        folder = tmp_path / "link"
        folder.symlink_to(music)
    folder = folder or music
    assert run("evaluate", model, folder) == 0
    assert f"8 of the 8 tracks of {folder} are among the training" in capsys.readouterr().err


def test_single_training_tracks_are_found_where_the_file_names_them(music, tmp_path, capsys):
    tracks = sorted(music.glob("*/*.wav"))
    y = [path.parent.name for path in tracks]
    known = [0, 1, 4, 5]
    model = GenreClassifier(members=["svc"], random_state=0)
    model.fit([tracks[row] for row in known], [y[row] for row in known])
    file = tmp_path / "model.skgenre"
    save(
        model,
        file,
        tracks=[tracks[row] for row in known],
        y=[y[row] for row in known],
        keep_paths=True,
    )
    moved = shutil.copytree(music, tmp_path / "elsewhere")
    for folder in (music, moved):
        assert run("evaluate", file, folder) == 0
        assert "4 of the 8 tracks" in capsys.readouterr().err


def test_a_classifier_is_cross_validated_as_train_does(music, tmp_path, capsys):
    assert run("train", music, "--out", tmp_path / "m.skgenre", *SMALL, "--cv", 2) == 0
    trained = capsys.readouterr().out
    assert run("evaluate", *SMALL, "--cv", 2, music) == 0
    out = capsys.readouterr().out
    line = next(line for line in trained.splitlines() if "track accuracy" in line)
    assert line in out
    assert "no artist is in training and test" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.skgenre"]


def test_json_is_alone_on_standard_output(music, capsys):
    protocol = ["--protocol", "segment-random", "--cv", "2"]
    assert run("evaluate", *SMALL, *protocol, "--json", music) == 0
    out, err = capsys.readouterr()
    values = json.loads(out)
    assert values["protocol"] == "segment-random"
    assert set(values.pop("coverage_accuracy")) == {"thresholds", "coverage", "accuracy"}
    assert EvaluationResult.from_dict(values).n_tracks == 8
    assert "segments of a track are in training and test" in err


def test_files_that_cannot_be_read(model, unheard, tmp_path, capsys):
    folder = shutil.copytree(unheard, tmp_path / "music")
    broken = folder / "dub" / "dub.00001.wav"
    broken.write_bytes(broken.read_bytes()[:-9000])
    assert run("evaluate", model, folder) == 2
    assert "dub.00001.wav" in capsys.readouterr().err
    assert run("evaluate", model, folder, "--skip-corrupt") == 0
    out = capsys.readouterr().out
    assert "Left out" in out
    assert "scored on 8 tracks" in out


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (["MUSIC"], "Expected MODEL and FOLDER"),
        (["--classifier", "mlp", "MODEL", "MUSIC"], "Expected MODEL and FOLDER"),
        (["--cv", "3", "MODEL", "MUSIC"], "--cv is an option of --classifier"),
        (["--protocol", "track-random", "MODEL", "MUSIC"], "--protocol is an option"),
        (["--classifier", "mlp", "--cv", "0", "MUSIC"], "2 folds or more"),
        (["MODEL", "MUSIC", "--output", "result.txt"], "should end in .json or .md"),
        (
            [*SMALL, "--metadata", "none", "--protocol", "artist-grouped", "MUSIC"],
            "needs artists",
        ),
    ],
)
def test_arguments_that_do_not_fit(args, match, model, music, capsys):
    places = {"MODEL": model, "MUSIC": music}
    assert run("evaluate", *(places.get(arg, arg) for arg in args)) == 2
    assert match in capsys.readouterr().err


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Two genres of three tracks of 5 s, and a copy of one encoded under another name."""
    folder = tmp_path_factory.mktemp("collection") / "music"
    make_genres(3, genres=["dub", "swing"], duration=5.0, path=folder, random_state=2)
    x, rate = soundfile.read(folder / "dub" / "dub.00000.wav")
    soundfile.write(folder / "swing" / "again.mp3", x[rate // 2 :], rate)
    return folder


def test_duplicates_are_listed(collection, tmp_path, capsys):
    assert run("duplicates", collection, "--output", tmp_path / "found.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("same recording, similarity 0.")
    assert lines[1:3] == [
        f"  {collection / 'dub' / 'dub.00000.wav'}",
        f"  {collection / 'swing' / 'again.mp3'}",
    ]
    assert lines[3].startswith("7 tracks: 1 recordings")
    found = Duplicates.read(tmp_path / "found.json")
    assert found == find_duplicates(sorted(map(str, collection.glob("*/*.[wm][ap][v3]"))))
    assert run("duplicates", collection, "--json") == 0
    assert json.loads(capsys.readouterr().out) == found.to_dict()


def test_duplicates_go_on_after_a_bad_file(collection, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    song = collection / "dub" / "dub.00000.wav"
    assert run("duplicates", bad, song, collection) == 1
    out, err = capsys.readouterr()
    assert "again.mp3" in out
    assert "1 track could not be read" in err


def test_duplicates_are_joined_or_left_out_before_measuring(collection, tmp_path, capsys):
    table = "file,artist\n" + "".join(
        f"{path.relative_to(collection)},artist {row}\n"
        for row, path in enumerate(sorted(collection.glob("*/*.[wm][ap][v3]")))
    )
    (tmp_path / "artists.csv").write_text(table)
    options = [*SMALL, "--cv", "2", "--find-duplicates", collection]
    assert run("evaluate", "--metadata", tmp_path / "artists.csv", *options) == 0
    assert "share a recording count as one: 1 fewer" in capsys.readouterr().out
    assert run("evaluate", "--metadata", "none", "--json", *options) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)["tracks"]["track"]) == 6
    assert "Left out: 1 tracks" in err
