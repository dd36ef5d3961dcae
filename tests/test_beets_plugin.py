"""The plugin of beets in real libraries."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from _tagged_files import tag

from skgenre import GenreClassifier, evaluate, make_genres, save

pytest.importorskip("beets", reason='the plugin of beets needs pip install "skgenre[beets]"')

import beets
from beets import plugins, ui
from mediafile import MediaFile

FORMAT = "$title|$genres"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model file, in whose cross-validation a third of the answers are wrong."""
    folder = tmp_path_factory.mktemp("training")
    music = make_genres(6, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)
    classifier = GenreClassifier(members=["svc"], n_excerpts=0, random_state=0)
    wrong = np.where(np.arange(12) % 3 == 0, music.target[::-1], music.target)
    result = evaluate(classifier, (music.data, wrong), protocol="track-random", n_folds=2)
    classifier.fit(music.data, music.target)
    return save(classifier, folder / "model.skgenre", evaluation=result)


@pytest.fixture
def music(tmp_path):
    """An album of two tracks of dub and one of swing, which has a genre already, and silence."""
    made = make_genres(2, genres=["dub", "swing"], duration=1.0, path=tmp_path, random_state=1)
    folder = tmp_path / "album"
    folder.mkdir()
    for name, path in zip(("d0", "d1", "s0"), made.data, strict=False):
        tag(Path(path).rename(folder / f"{name}.wav"), title=name, artist="A")
    tag(folder / "s0.wav", genre=["Jazz", "Big Band"])
    soundfile.write(folder / "silent.wav", np.zeros(22050), 22050)
    tag(folder / "silent.wav", title="silent", artist="A")
    return folder


@pytest.fixture
def beet(tmp_path, monkeypatch, capsys, model):
    """A function that runs a command of beets with a library of its own; returns the output."""
    home = tmp_path / "beets"
    home.mkdir()
    monkeypatch.setenv("BEETSDIR", str(home))

    def run(*args, **options):
        settings = {
            "plugins": ["skgenre"],
            "skgenre": {"model": str(model), **options},
            "directory": str(tmp_path / "library"),
            "library": str(home / "library.db"),
            "match": {"strong_rec_thresh": 1.0},  # any match is taken
            "create_backup_before_migrations": False,
        }
        (home / "config.yaml").write_text(json.dumps(settings))  # JSON is YAML
        beets.config.clear()
        beets.config._materialized = False  # read it again
        monkeypatch.setattr(sys, "argv", ["beet", *args])
        capsys.readouterr()
        try:
            ui.main(list(map(str, args)))
        finally:
            plugins.BeetsPlugin.listeners.clear()
            plugins.BeetsPlugin._raw_listeners.clear()
            plugins._instances.clear()
        return capsys.readouterr()

    return run


def genres(beet):
    rows = [line.split("|") for line in beet("ls", "-f", FORMAT).out.splitlines()]
    return {title: found.split("; ") if found else [] for title, found in rows}


def genres_in_files(tmp_path):
    files = [MediaFile(path) for path in (tmp_path / "library").rglob("*.wav")]
    return {file.title: file.genres or [] for file in files}


def path_of(beet, title):
    return Path(beet("ls", "-f", "$path", f"title:{title}").out.strip())


BEFORE = {"d0": [], "d1": [], "s0": ["Jazz", "Big Band"], "silent": []}
FILLED = {**BEFORE, "d0": ["dub"], "d1": ["dub"]}


def test_import_fills_empty_genres_only(beet, music, tmp_path):
    beet("import", "-qA", music)
    assert genres(beet) == FILLED
    # beets writes no tags where it took those of the files.
    assert genres_in_files(tmp_path) == BEFORE
    assert beet("ls", "-a", "-f", "$genres").out == "dub\n"


@pytest.mark.parametrize(
    ("write", "import_write", "written"), [(True, "no", True), (False, "yes", False)]
)
def test_write_decides_whether_an_import_writes_genres(
    write, import_write, written, beet, music, tmp_path
):
    # A match, after which beets writes all tags by its own option.
    from beets.test.helper import AutotagStub

    stub = AutotagStub(AutotagStub.IDENT).install()
    try:
        flag = {"yes": "-w", "no": "-W"}[import_write]
        beet("import", "-q", flag, music, write=write)
    finally:
        stub.restore()
    found = sorted(genres(beet).values())
    assert found == sorted(FILLED.values())
    assert sorted(genres_in_files(tmp_path).values()) == (
        found if written else sorted(BEFORE.values())
    )


def test_import_without_auto_changes_nothing(beet, music):
    beet("import", "-qA", music, auto=False)
    assert genres(beet) == BEFORE


def test_pretend_shows_what_the_command_does(beet, music, tmp_path):
    beet("import", "-qA", music, auto=False)
    shown = beet("skgenre", "-p", "title:d0").out
    assert "d0: (none) -> dub (" in shown
    assert shown.endswith("1 of 1 items would get genres.\n")
    assert genres(beet) == BEFORE
    assert genres_in_files(tmp_path) == BEFORE
    shown = beet("skgenre", "title:d0").out
    assert shown.endswith("1 of 1 items got genres.\n")
    assert genres(beet) == {**BEFORE, "d0": ["dub"]}
    assert genres_in_files(tmp_path) == {**BEFORE, "d0": ["dub"]}


def test_command_without_write_changes_the_library_only(beet, music, tmp_path):
    beet("import", "-qA", music, auto=False)
    beet("skgenre", "-W")
    assert genres(beet) == FILLED
    assert genres_in_files(tmp_path) == BEFORE


def test_overwrite_never_leaves_an_item_without_genres(beet, music):
    beet("import", "-qA", "--set", "genres=Rock", music, auto=False)
    assert set(map(tuple, genres(beet).values())) == {("Rock",)}
    beet("skgenre", overwrite=False)
    assert set(map(tuple, genres(beet).values())) == {("Rock",)}
    assert "silent" not in beet("skgenre", "-o").out
    assert genres(beet) == {"d0": ["dub"], "d1": ["dub"], "s0": ["swing"], "silent": ["Rock"]}


def test_a_genre_that_only_the_file_has_stays(beet, music, caplog):
    beet("import", "-qA", music, auto=False)
    path = path_of(beet, "d0")
    tag(path, genre=["Ska"])
    beet("skgenre", "title:d0")
    assert "the file has the genre Ska" in caplog.text
    assert MediaFile(path).genres == ["Ska"]
    assert genres(beet)["d0"] == []
    beet("skgenre", "-o", "title:d0")
    assert MediaFile(path).genres == ["dub"]


def test_confidence_vocabulary_and_several_genres(beet, music, tmp_path):
    beet("import", "-qA", music, auto=False)
    beet("skgenre", "-W", min_confidence=1.0)
    assert genres(beet) == BEFORE
    words = tmp_path / "words.json"
    words.write_text('{"dub": ["Dub", "Reggae"]}')
    beet("skgenre", "-W", "title:d0", vocabulary=str(words))
    assert genres(beet)["d0"] == ["Dub", "Reggae"]
    beet("skgenre", "-W", "title:d1", vocabulary={"dub": "Dub"}, exclude=["swing"], max_genres=2)
    assert genres(beet)["d1"] == ["Dub"]
    beet("skgenre", "-oW", "title:d1", max_genres=2)
    assert set(genres(beet)["d1"]) <= {"dub", "swing"}


def test_min_accuracy_takes_the_limit_of_the_model_file(beet, music, caplog):
    beet("import", "-qA", music, auto=False)
    with pytest.raises(SystemExit):
        beet("skgenre", "-W", min_accuracy=1.0)
    assert "No limit of confidence reached an accuracy of 1" in caplog.text
    assert genres(beet) == BEFORE
    beet("skgenre", "-W", min_accuracy=0.5)
    assert genres(beet) == FILLED


def test_a_damaged_file_does_not_stop_the_others(beet, music, caplog):
    beet("import", "-qA", music, auto=False)
    path_of(beet, "d0").write_bytes(b"RIFF")
    beet("skgenre")
    assert "d0.wav is not an audio file that can be read" in caplog.text
    assert genres(beet) == {**FILLED, "d0": []}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"model": None}, "no model is set"),
        ({"model": "/none.skgenre"}, "No such file"),
        ({"vocabulary": {"polka": "Polka"}}, "'polka'"),
        ({"min_confidence": 2}, "min_confidence=2"),
        ({"max_genres": 0}, "max_genres=0"),
        ({"write": "perhaps"}, "write is 'perhaps'"),
    ],
)
def test_wrong_options_stop_an_import_before_any_work(options, match, beet, music, caplog):
    with pytest.raises(SystemExit):
        beet("import", "-qA", music, **options)
    assert match in caplog.text
    assert genres(beet) == {}


def test_beets_finds_the_plugin_by_its_name(model, music, tmp_path):
    """In a process of its own, by nothing but a configuration file."""
    home = tmp_path / "beets"
    home.mkdir()
    config = f"plugins: skgenre\nskgenre:\n  model: {model}\n"
    config += f"directory: {tmp_path / 'library'}\nlibrary: {home / 'library.db'}\n"
    (home / "config.yaml").write_text(config)
    command = [sys.executable, "-m", "beets", "skgenre", "--help"]
    env = {**os.environ, "BEETSDIR": str(home)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "--pretend" in done.stdout
