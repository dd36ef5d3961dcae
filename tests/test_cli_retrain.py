"""``skgenre train --add``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from joblib import parallel_config

from skgenre import GenreClassifier, load, make_genres, predict_files, read_model_info, save
from skgenre.cli import main

OPTIONS = ["--cv", "2"]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two genres, six tracks each by six artists."""
    folder = tmp_path_factory.mktemp("old") / "music"
    make_genres(6, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)
    return folder


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """Four tracks of a genre of before and of a new one, by other artists."""
    made = tmp_path_factory.mktemp("made")
    make_genres(4, genres=["dub", "waltz"], duration=1.0, path=made, random_state=1)
    folder = tmp_path_factory.mktemp("more")
    for file in made.glob("*/*.wav"):
        place = folder / file.parent.name / f"new {file.name}"
        place.parent.mkdir(exist_ok=True)
        file.rename(place)
    table = (made / "tracks.csv").read_text()
    table = re.sub(r"(?m)^(dub|waltz)/", r"\1/new ", table)
    (folder / "tracks.csv").write_text(
        re.sub("artist", "other artist", table).replace("other artist", "artist", 1)
    )
    return folder


@pytest.fixture(scope="module")
def old(music, tmp_path_factory):
    """A model that keeps only the hash of its tracks, and the folder of its features."""
    folder = tmp_path_factory.mktemp("model")
    args = ["train", music, "--out", folder / "old.skgenre", *OPTIONS, "--duration", "1"]
    assert run(*args, "--memory", folder / "memory") == 0
    return folder / "old.skgenre"


@pytest.fixture(autouse=True)
def threads():
    with parallel_config("threading"):
        yield


def run(*args):
    return main(list(map(str, args)))


def error(capsys, *args):
    assert run("train", *args) == 2
    return capsys.readouterr().err


def test_the_new_model_knows_old_and_new_tracks(music, more, old, tmp_path, capsys):
    before = old.read_bytes()
    out = tmp_path / "new.skgenre"
    memory = old.parent / "memory"
    args = [music, "--add", more, "--model", old, "--out", out, "--memory", memory, *OPTIONS]
    assert run("train", *args) == 0
    shown = capsys.readouterr().out
    assert old.read_bytes() == before
    info = read_model_info(out)
    assert info.classes == {"dub": 10, "swing": 6, "waltz": 4}
    assert info.n_artists == read_model_info(old).n_artists + 8
    assert load(out).get_params()["duration"] == 1
    parts = re.split(r"\n  (old|added) tracks +tracks +old recall +new recall\n", shown)
    assert parts[1::2] == ["old", "added"]
    rows = [re.findall(r"(?m)^  (\w+) +(\d+) +([\d.]+) +([\d.]+)$", part) for part in parts[2::2]]
    assert [[(name, n) for name, n, *_ in part] for part in rows] == [
        [("dub", "6"), ("swing", "6"), ("all", "12")],
        [("dub", "4"), ("waltz", "4"), ("all", "8")],
    ]
    # The old model does not know the new genre; the new one was not asked in vain.
    waltz = rows[1][1]
    assert float(waltz[2]) == 0 < float(waltz[3])
    assert len(re.findall(r"of (?:12|8) answers flip: \d+ become right", shown)) == 2


@pytest.mark.parametrize("folder", ["music", "music/../music", "link"])
def test_the_old_folder_may_be_given_in_another_way(
    music, old, tmp_path, folder, monkeypatch, capsys
):
    monkeypatch.chdir(music.parent)
    if folder == "link":
        folder = tmp_path / "link"
        folder.symlink_to(music)
    # The folder is accepted, so that only the added one is to blame.
    args = [folder, "--add", music, "--model", old, "--out", tmp_path / "new.skgenre"]
    assert "has no track that" in error(capsys, *args)


def test_the_old_model_is_measured_without_the_added_tracks(music, more, old, tmp_path, capsys):
    """What the report says is what evaluation of both in the same folds says."""
    import numpy as np

    from skgenre import load_genre_folder
    from skgenre.evaluation import EvaluationTask, Splits, iter_folds, make_splits

    memory = old.parent / "memory"
    args = [music, "--add", more, "--model", old, "--out", tmp_path / "new.skgenre"]
    assert run("train", *args, "--memory", memory, *OPTIONS) == 0
    shown = capsys.readouterr().out
    a, b = load_genre_folder(music), load_genre_folder(more)
    model = GenreClassifier(duration=1, random_state=0, memory=str(memory))
    task = EvaluationTask(
        model, [*a.data, *b.data], np.append(a.target, b.target), np.append(a.artists, b.artists)
    )
    right = {}
    splits = make_splits(task, "artist-grouped", n_folds=2, random_state=0)
    without = Splits(splits.protocol, [(train[train < 12], test) for train, test in splits])
    for name, folds in (("new", splits), ("old", without)):
        predicted = np.empty(20, dtype=object)
        for fold in iter_folds(task, folds):
            predicted[fold.test] = fold.predicted
        right[name] = (predicted == task.y)[:12].mean()
    assert re.search(rf"  all +12 +{right['old']:.3f} +{right['new']:.3f}\n", shown)


def test_a_model_that_names_its_tracks_needs_no_first_folder(
    music, more, tmp_path, capsys, monkeypatch
):
    kept, new, third = (tmp_path / f"{name}.skgenre" for name in ("kept", "new", "third"))
    monkeypatch.chdir(music.parent)
    args = ["--duration", "1", "--metadata", "none", "--keep-paths"]
    assert run("train", "music", "--out", kept, "--cv", "0", *args) == 0
    info = read_model_info(kept)
    files = sorted(map(str, music.glob("*/*.wav")))
    assert info.tracks == files
    assert info.track_genres == [Path(file).parent.name for file in files]
    assert info.track_artists is None
    monkeypatch.chdir(tmp_path)  # the paths do not depend on the folder of then
    args = ["--cv", "0", "--metadata", "none"]
    assert run("train", "--add", more, "--model", kept, "--out", new, *args) == 0
    info = read_model_info(new)
    assert info.tracks == sorted([*files, *map(str, more.glob("*/*.wav"))])
    assert info.classes == {"dub": 10, "swing": 6, "waltz": 4}
    assert [r.genre for r in predict_files(new, [next(more.glob("waltz/*.wav"))])] == ["waltz"]
    # A folder that has grown is added as it is.
    grown = shutil.copytree(more, tmp_path / "grown")
    shutil.copy(music / "dub" / "dub.00000.wav", grown / "dub" / "copy.wav")
    (grown / "tracks.csv").unlink()
    capsys.readouterr()
    assert "has no track that" in error(
        capsys, "--add", more, "--model", new, "--out", third, *args
    )
    assert run("train", "--add", grown, "--model", new, "--out", third, *args) == 0


def test_a_new_genre_alone_may_be_added(music, more, old, tmp_path):
    waltz = tmp_path / "waltz only"
    shutil.copytree(more / "waltz", waltz / "waltz")
    shutil.copy(more / "tracks.csv", waltz)
    out = tmp_path / "new.skgenre"
    args = [music, "--add", waltz, "--model", old, "--out", out, "--cv", "0"]
    assert run("train", *args) == 0
    assert read_model_info(out).classes == {"dub": 6, "swing": 6, "waltz": 4}


def test_known_tracks_are_counted_and_not_added_twice(music, more, old, tmp_path, capsys):
    both = shutil.copytree(music, tmp_path / "both")
    kept, new = tmp_path / "kept.skgenre", tmp_path / "new.skgenre"
    args = ["--cv", "0", "--metadata", "none"]
    assert run("train", both, "--out", kept, "--duration", "1", "--keep-paths", *args) == 0
    shutil.copytree(more / "waltz", both / "waltz")
    capsys.readouterr()
    assert run("train", "--add", both, "--model", kept, "--out", new, *args) == 0
    assert "12 of these tracks are among those of" in capsys.readouterr().out
    assert read_model_info(new).classes == {"dub": 6, "swing": 6, "waltz": 4}
    (both / "swing" / "swing.00000.wav").rename(both / "lost.wav")
    text = error(capsys, "--add", more, "--model", kept, "--out", new, "--force", *args)
    assert "1 of the 12 tracks" in text
    assert "swing.00000.wav" in text


def test_another_folder_than_the_old_one_is_refused_with_what_differs(
    music, more, old, tmp_path, capsys
):
    other = shutil.copytree(music, tmp_path / "music")
    args = ["--add", more, "--model", old, "--out", tmp_path / "new.skgenre", *OPTIONS]
    assert "paths differ; files were renamed or moved" in error(capsys, other, *args)
    (other / "swing" / "swing.00000.wav").unlink()
    assert "swing had 6 tracks and has 5" in error(capsys, other, *args)
    unknown = save(load(old), tmp_path / "unknown.skgenre")
    args[3] = unknown
    assert "does not say which tracks" in error(capsys, music, *args)
    assert not (tmp_path / "new.skgenre").exists()


def test_the_folder_may_be_written_in_another_way(music, more, old, tmp_path, monkeypatch):
    monkeypatch.chdir(music.parent)
    out = tmp_path / "new.skgenre"
    assert run("train", "music", "--add", more, "--model", old, "--out", out, "--cv", "0") == 0


def test_the_old_file_is_replaced_only_by_name_and_force(music, more, old, tmp_path, capsys):
    model = Path(shutil.copy(old, tmp_path / "model.skgenre"))
    before = model.read_bytes()
    args = [music, "--add", more, "--model", model, "--cv", "0"]
    assert "exists; give another name, or --force" in error(capsys, *args, "--out", model)
    assert "--force with --add needs --out" in error(capsys, *args, "--force")
    assert model.read_bytes() == before
    assert run("train", *args, "--out", model, "--force") == 0
    assert "waltz" in read_model_info(model).classes


def test_artists_are_needed_if_the_old_model_had_them(music, more, old, tmp_path, capsys):
    bare = shutil.copytree(more, tmp_path / "bare")
    (bare / "tracks.csv").unlink()
    args = [music, "--add", bare, "--model", old, "--out", tmp_path / "new.skgenre", *OPTIONS]
    assert re.search(
        "trained with artists, but those of .*bare are not known", error(capsys, *args)
    )


def test_a_track_with_another_genre_is_refused(music, old, tmp_path, capsys):
    moved = tmp_path / "moved"
    (moved / "waltz").mkdir(parents=True)
    for name in ("dub.00000.wav", "dub.00001.wav"):
        (moved / "waltz" / name).symlink_to(music / "dub" / name)
    kept = tmp_path / "kept.skgenre"
    args = ["--cv", "0", "--metadata", "none", "--duration", "1", "--keep-paths"]
    assert run("train", music, "--out", kept, *args) == 0
    args = ["--add", moved, "--model", kept, "--out", tmp_path / "n", "--metadata", "none"]
    assert re.search("is 'waltz' in .*, but 'dub' among", error(capsys, *args))


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (["music", "--model", "old.skgenre"], "--model is the model that --add FOLDER"),
        (["music", "--add", "more"], "--add needs --model OLD"),
        (["--add", "more", "--model", "m", "--duration", "3"], "--duration describes a new model"),
        (["--add", "more", "--model", "m", "--classifier", "cnn"], "--classifier describes"),
        (["--add", "more", "--model", "none.skgenre"], "There is no model none.skgenre"),
    ],
)
def test_wrong_arguments(args, match, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert match in error(capsys, *args)
