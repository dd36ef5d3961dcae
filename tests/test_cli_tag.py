"""``skgenre tag`` and ``skgenre train --labels tags``."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from _tagged_files import record, tag, write_file

from skgenre import make_genres
from skgenre.cli import main
from skgenre.cli._progress import Progress
from skgenre.tags import Tags, read_plan

SMALL = ["--duration", "1"]


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """Made music of two genres, whose names are in its tags alone, beside two files without."""
    made, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("tagged")
    make_genres(4, genres=["dub", "swing"], duration=1.0, path=made, random_state=0)
    for i, file in enumerate(sorted(made.glob("*/*.wav"))):
        moved = folder / f"album {i % 3}" / f"{i}.wav"
        moved.parent.mkdir(exist_ok=True)
        file.rename(moved)
        genre = {"dub": ["Dub"], "swing": ["Swing", "Jazz"]}[file.parent.name]
        tag(moved, genre=genre, artist=f"artist {i}")
    tag(write_file(folder / "polka.wav"), genre=["Polka"], artist="P")
    write_file(folder / "none.wav")
    return folder


@pytest.fixture(scope="module")
def model(tagged, tmp_path_factory):
    """A model of the tags, and the output of its training."""
    path = tmp_path_factory.mktemp("model") / "model.skgenre"
    args = ["train", str(tagged), "--out", str(path), *SMALL, "--labels", "tags", "--cv", "2"]
    args += ["--min-tracks", "2"]
    with redirect_stdout(io.StringIO()) as out:
        assert main(args) == 0
    return path, out.getvalue()


@pytest.fixture
def predictions(tmp_path):
    """A file of predictions, with a header, of one file without a genre and one with."""
    files = [write_file(tmp_path / f"{name}.flac", 0.2) for name in ("empty", "full")]
    tag(files[1], genre=["Rock"])
    lines = [{"schema": "predictions"}, *map(record, files)]
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path, files


def test_train_on_tags_says_what_was_left_out(model):
    _, out = model
    assert "Genres and artists are from the tags of the files." in out
    assert re.search(r"Dub +4 +4\n +Swing +4 +4\n +total +8 +8\n", out)
    assert "Files with several genres, of which the first counts: 4." in out
    assert "Left out: 1 files, no genre" in out
    assert "Left out: 1 files, genre of fewer than 2 tracks" in out
    assert "no artist is in training and test" in out


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--min-tracks", "3"], "--min-tracks is an option of --labels tags only"),
        (["--vocabulary", "words.json"], "--vocabulary is an option of --labels tags only"),
        (["--labels", "tags", "--metadata", "x.csv"], "--metadata and --genres-from are no opti"),
        (["--labels", "tags", "--genres-from", "folders"], "no options of --labels tags"),
        (["--labels", "tags", "--vocabulary", "absent.json"], "absent.json: No such file"),
        (["--labels", "tags", "--min-tracks", "5"], "leave no genre"),
        (["--labels", "tags"], "'Polka' has 1 artist only.*--min-artists 2"),
    ],
)
def test_wrong_options_of_train(options, match, tagged, tmp_path, capsys):
    args = ["train", str(tagged), "--out", str(tmp_path / "m"), *SMALL, *options]
    assert main(args) == 2
    assert re.search(match, capsys.readouterr().err)


def test_plan_preview_apply_undo_from_a_model(model, tmp_path, capsys):
    music = tmp_path / "music"
    file = write_file(music / "deep" / "a.flac")
    write_file(music / ".hidden" / "b.flac")
    (music / "cover.jpg").write_bytes(b"picture")
    (music / "broken.mp3").write_bytes(b"no music")
    before = file.read_bytes()
    plan = tmp_path / "plan.jsonl"
    assert main(["tag", "plan", str(model[0]), str(music), "--output", str(plan)]) == 1
    captured = capsys.readouterr()
    assert re.search(r"skgenre: error: .*broken\.mp3", captured.err)
    assert "1 files to be tagged, 0 kept as they are, 1 skipped" in captured.out
    header, rows = read_plan(plan)
    assert re.fullmatch(r"[0-9a-f]{16}", header["model"])
    (row,) = [row for row in rows if row["action"] == "write"]
    assert row["path"] == str(file)
    assert row["after"][0] in ("Dub", "Swing")

    assert main(["tag", "preview", str(plan), "--all"]) == 0
    shown = capsys.readouterr().out
    assert f"a.flac: (none) -> {row['after'][0]}" in shown
    assert "1 of 2 files would be written." in shown

    assert main(["tag", "apply", str(plan), "--keep-mtime"]) == 0
    assert "1 files tagged, 0 before, 0 refused." in capsys.readouterr().out
    assert Tags(file).genres() == row["after"]
    assert main(["tag", "apply", str(plan)]) == 0
    assert "0 files tagged, 1 before" in capsys.readouterr().out

    assert main(["tag", "undo", f"{plan}.journal"]) == 0
    assert "1 files restored" in capsys.readouterr().out
    assert file.read_bytes() == before


def test_plan_from_predictions_and_its_options(predictions, tmp_path, capsys):
    path, _ = predictions
    plan, words = tmp_path / "plan.jsonl", tmp_path / "words.json"
    words.write_text('{"dub": ["Dub", "Reggae"]}')
    command = ["tag", "plan", "--predictions", str(path), "--output", str(plan)]
    assert main(command) == 0
    assert [row["action"] for row in read_plan(plan)[1]] == ["write", "keep"]
    assert main(command) == 2
    assert "plan.jsonl exists; give another name, or --force" in capsys.readouterr().err

    command += ["--force"]
    assert main([*command, "--append", "--vocabulary", str(words), "--evidence"]) == 0
    rows = read_plan(plan)[1]
    assert [row["after"] for row in rows] == [["Dub", "Reggae"], ["Rock", "Dub", "Reggae"]]
    assert rows[0]["evidence"]["SKGENRE_GENRE"] == "dub"
    assert main([*command, "--overwrite"]) == 0
    assert [row["after"] for row in read_plan(plan)[1]] == [["dub"], ["dub"]]
    for options in (["--min-confidence", "0.95"], ["--exclude", "dub", "--exclude", "swing"]):
        assert main([*command, "--overwrite", *options]) == 0
        assert [row["action"] for row in read_plan(plan)[1]] == ["keep", "keep"]


def test_refused_files_are_reported(predictions, tmp_path, capsys):
    path, files = predictions
    plan = tmp_path / "plan.jsonl"
    main(["tag", "plan", "--predictions", str(path), "--output", str(plan)])
    tag(files[0], title="new")
    capsys.readouterr()
    assert main(["tag", "apply", str(plan), "--journal", str(tmp_path / "my journal")]) == 1
    captured = capsys.readouterr()
    assert captured.err == f"skgenre: refused: {files[0]}: changed since the plan\n"
    assert "1 refused. To undo it: skgenre tag undo '" in captured.out


def test_apply_and_undo_show_their_progress(predictions, tmp_path, monkeypatch):
    plan = tmp_path / "plan.jsonl"
    found = ["--predictions", str(predictions[0])]
    assert main(["tag", "plan", *found, "--output", str(plan), "--overwrite"]) == 0
    for command in (["apply", str(plan)], ["undo", f"{plan}.journal"]):
        terminal, log = Terminal(), io.StringIO()
        for stream in (terminal, log):
            slow = partial(Progress, clock=count(step=40.0).__next__)
            monkeypatch.setattr("skgenre.cli._tag.Progress", slow)
            monkeypatch.setattr("sys.stderr", stream)
            assert main(["tag", *command]) == 0
        for written, ends in ((terminal.getvalue(), r"\r\x1b\[K"), (log.getvalue(), "")):
            assert re.search(r"1 of 2 files, 0\.0 a second, 0:40 left", written)
            assert re.search(rf"2 of 2 files, 0\.0 a second, 0:00 left\s*{ends}", written)
        assert "[##########..........] 1 of 2" in terminal.getvalue()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there are no such locks on Windows")
def test_a_second_process_refuses_a_plan_that_is_being_applied(tmp_path):
    files = [write_file(tmp_path / f"{number}.flac", 0.2, seed=number) for number in range(300)]
    plan = tmp_path / "plan.jsonl"
    lines = "".join(json.dumps(record(file)) + "\n" for file in files)
    (tmp_path / "found.jsonl").write_text(lines)
    found = ["--predictions", str(tmp_path / "found.jsonl")]
    assert main(["tag", "plan", *found, "--output", str(plan)]) == 0
    command = [sys.executable, "-m", "skgenre", "tag", "apply", str(plan)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
        journal = tmp_path / "plan.jsonl.journal"
        while not journal.exists() or journal.read_bytes().count(b"\n") < 5:
            assert first.poll() is None
            time.sleep(0.005)
        first.send_signal(signal.SIGSTOP)  # however fast it is, it lives until the second ends
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (second.returncode, first.poll()) == (2, None)
        assert "plan.jsonl.journal is in use: another process applies or undoes" in second.stderr
        first.terminate()
        first.send_signal(signal.SIGCONT)
        _, err = first.communicate()
    assert first.returncode == 143
    assert err.endswith("To go on, give the same command again.\nskgenre: interrupted\n")
    assert len([file for file in files if Tags(file).genres() == ["dub"]]) < len(files)
    assert main(["tag", "apply", str(plan)]) == 0
    assert all(Tags(file).genres() == ["dub"] for file in files)


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ([], "ACTION"),
        (["plan", "model", "music"], "--output"),
        (["plan", "--output", "x"], "Give MODEL and PATH, or --predictions FILE alone"),
        (["plan", "m", "f", "--predictions", "p", "--output", "x"], "--predictions FILE alone"),
        (["plan", "absent", "f", "--output", "x"], "There is no model absent"),
        (["plan", "m", "f", "--output", "x", "--append", "--overwrite"], "not allowed with"),
        (["plan", "m", "f", "--output", "x", "--min-confidence", "2"], "'2' is not a number from"),
        (["plan", "--predictions", "absent", "--output", "x"], "absent: No such file"),
        (["plan", "--predictions", os.devnull, "--output", "x"], "null is a pipe or a device"),
        (["preview", "absent"], "absent: No such file"),
        (["apply", "absent"], "absent: No such file"),
        (["undo", "absent"], "There is no journal absent"),
    ],
)
def test_wrong_arguments_of_tag(args, match, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["tag", *args]) == 2
    captured = capsys.readouterr()
    assert re.search(match, captured.err), captured.err
    assert not list(tmp_path.iterdir())


def test_the_commands_of_the_page_run(tmp_path, monkeypatch, capsys):
    page = Path(__file__).parents[1] / "docs" / "tagging.md"
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    commands = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    monkeypatch.chdir(tmp_path)
    make_genres(3, genres=["dub", "swing"], duration=1.0, path="music", random_state=0)
    for ending in ("mp3", "flac"):
        write_file(Path("new") / f"song.{ending}")
    Path("words.json").write_text('{"dub": ["Dub", "Reggae"]}')
    Path("labels.json").write_text('{"dub": ["Dub"], "swing": ["Swing"]}')
    for i, genre in enumerate(["Dub"] * 4 + ["Swing"] * 4):
        tag(write_file(Path("tagged") / f"{i}.ogg", seed=i), genre=[genre], artist=f"artist {i}")
    done = []
    for command in filter(None, commands):
        if command[0] == "skgenre":
            code = main(command[1:])
            captured = capsys.readouterr()
            assert code == 0, (command, captured.err)
            done.append(command[1:3])
    actions = [action for name, action in done if name == "tag"]
    assert {"plan", "preview", "apply", "undo"} <= set(actions)
    assert [action for name, action in done if name == "train"] == ["music", "tagged", "tagged"]
