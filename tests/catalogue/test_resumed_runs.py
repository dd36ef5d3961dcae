"""Runs that go on: with the same settings, one record a file, after a signal, by one process."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skgenre import GenreClassifier, make_genres, save
from skgenre.catalogue import FilePrediction, find_paths, open_records, read_records
from skgenre.cli import main

FORMATS = ("jsonl", "csv", "parquet")


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resumed") / "music"
    return make_genres(2, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)


@pytest.fixture(scope="module")
def saved(music, tmp_path_factory):
    model = GenreClassifier(members=["svc"], n_excerpts=0, random_state=0)
    path = tmp_path_factory.mktemp("model") / "model.skgenre"
    return str(save(model.fit(music.data, music.target), path))


def found_in(path, status="ok", **settings):
    segments = [{"genre": "dub", "probability": 0.9}] if settings.pop("segments", False) else None
    return FilePrediction(
        path=path, status=status, genre="dub", genres=["dub"], probabilities={"dub": 0.9},
        reason=None, duration=1.0, seconds=0.1, key="k", model=settings.pop("model_id", None),
        min_confidence=settings.pop("min_confidence", 0.0), segments=segments, **settings,
    )  # fmt: skip


# Settings


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("name", "value", "then"),
    [
        ("model_id", "m1", "m1"),
        ("min_confidence", 0.25, 0.25),
        ("top", 2, 2),
        ("max_genres", 3, 3),
        ("set_probability", 0.8, 0.8),
        ("segments", True, True),
    ],
)
def test_records_with_other_settings_are_refused_and_kept(tmp_path, ending, name, value, then):
    output = tmp_path / f"out.{ending}"
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    given = {name: value}
    with open_records(output, ["dub"], **given) as writer:
        writer.write(found_in("a", **given))
    before = output.read_bytes()
    shown = "model" if name == "model_id" else name
    with (
        pytest.raises(
            ValueError, match=rf"records with {shown} {then}, but now it is (None|0|1|F)"
        ),
        open_records(output, ["dub"], resume=True),
    ):
        pass
    assert output.read_bytes() == before or ending == "parquet"
    (tmp_path / "out.parquet.jsonl").unlink(missing_ok=True)
    with open_records(output, ["dub"], resume=True, **given) as writer:
        assert writer.n_recorded == 1
        writer.write(found_in("b", **given))
    assert list(read_records(output)) == [found_in("a", **given), found_in("b", **given)]


def test_files_that_cannot_be_read_have_no_segments_in_any_run(tmp_path):
    output = tmp_path / "out.jsonl"
    for segments in (True, False):
        with open_records(output, ["dub"], segments=segments, resume=True) as writer:
            writer.write(found_in(f"{segments}", "error"))
    assert len(list(read_records(output))) == 2


@pytest.mark.parametrize("option", [["--top", "1"], ["--max-genres", "2"], ["--segments"]])
def test_the_command_refuses_to_go_on_with_other_options(saved, music, tmp_path, capsys, option):
    output = tmp_path / "out.jsonl"
    command = ["predict", saved, music.data[0], "--output", str(output), "--resume"]
    assert main([*command, *option]) == 0
    before = output.read_bytes()
    assert main(command) == 2
    name = option[0].strip("-").replace("-", "_")
    assert f"out.jsonl has records with {name}" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert main([*command, *option]) == 0
    assert output.read_bytes() == before


# One record a file


def test_each_file_is_predicted_once_whatever_paths_lead_to_it(
    saved, music, tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "music"
    shutil.copytree(Path(music.data[0]).parents[1], folder)
    song = folder / "dub" / "dub.00000.wav"
    (tmp_path / "link.wav").symlink_to(song)
    (tmp_path / "folder").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    given = [
        "music", "link.wav", str(song), "./music/../music/dub/dub.00000.wav", "folder/dub",
    ]  # fmt: skip
    output = tmp_path / "out.jsonl"
    assert main(["predict", saved, *given, "--output", str(output)]) == 0
    assert "5 paths are left out (the same file again: 5): link.wav" in capsys.readouterr().err
    expected = [found.path for found in read_records(output)]
    assert len(expected) == 4
    assert expected[0] == "music/dub/dub.00000.wav"

    listed = os.fsencode("\n".join([*expected, "link.wav", str(song), expected[1]]))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(listed)))
    assert main(["predict", saved, "-", "--output", str(tmp_path / "listed.csv")]) == 0
    assert "3 paths are left out (the same file again: 3)" in capsys.readouterr().err
    assert [found.path for found in read_records(tmp_path / "listed.csv")] == expected

    before = output.read_bytes()
    assert main(["predict", saved, str(folder), "--output", str(output), "--resume"]) == 0
    assert output.read_bytes() == before  # recorded, by another spelling
    assert "4 files were recorded before." in capsys.readouterr().err


def test_hard_links_and_copies_are_files_of_their_own(tmp_path):
    first = tmp_path / "a.wav"
    first.write_bytes(b"sound")
    os.link(first, tmp_path / "b.wav")
    shutil.copy(first, tmp_path / "c.wav")
    found = find_paths([tmp_path, first])
    assert [Path(path).name for path in found.paths] == ["a.wav", "b.wav", "c.wav"]
    assert found.left_out == [(str(first), "the same file again")]


# Signals, and two processes


@pytest.fixture
def many(music, tmp_path):
    """Enough files that no run is done before it gets a signal."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        os.link(music.data[number % len(music.data)], folder / f"{number:04}.wav")
    return folder


def start(saved, folder, output, *options):
    command = [sys.executable, "-m", "skgenre", "predict", saved, str(folder)]
    command += ["--output", str(output), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for_records(process, output, n_records=3):
    while process.poll() is None:
        if output.exists() and output.read_bytes().count(b"\n") >= n_records:
            return
        time.sleep(0.005)
    raise AssertionError(process.stderr.read())


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there are no such signals on Windows")
@pytest.mark.parametrize(
    ("name", "code", "jobs", "ending"),
    [
        ("SIGINT", 130, "1", "jsonl"),
        ("SIGINT", 130, "2", "csv"),
        ("SIGTERM", 143, "1", "parquet"),
        ("SIGTERM", 143, "2", "jsonl"),
    ],
)
def test_a_signal_ends_a_run_with_whole_records(saved, many, tmp_path, name, code, jobs, ending):
    output = tmp_path / f"out.{ending}"
    growing = tmp_path / "out.parquet.jsonl" if ending == "parquet" else output
    process = start(saved, many, output, "--jobs", jobs)
    wait_for_records(process, growing)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate()
    assert process.returncode == code, err
    assert err.endswith("To go on, give the same command with --resume.\nskgenre: interrupted\n")
    assert "Traceback" not in err
    found = list(read_records(growing))
    assert 2 <= len(found) < 3000
    assert growing.read_bytes().endswith(b"\n")
    assert [one.path for one in found] == [str(path) for path in sorted(many.iterdir())][
        : len(found)
    ]
    assert not output.exists() or ending != "parquet"
    for path in sorted(many.iterdir())[len(found) + 2 :]:
        path.unlink()
    assert main(["predict", saved, str(many), "--output", str(output), "--resume"]) == 0
    assert [one.path for one in read_records(output)] == sorted(map(str, many.iterdir()))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there are no such locks on Windows")
@pytest.mark.parametrize("option", ["--resume", "--force"])
def test_a_second_process_refuses_the_output_of_a_living_one(saved, many, tmp_path, option):
    output = tmp_path / "out.jsonl"
    first = start(saved, many, output)
    wait_for_records(first, output)
    first.send_signal(signal.SIGSTOP)  # however fast it is, it lives until the second ends
    second = start(saved, many, output, option)
    _, err = second.communicate()
    assert (second.returncode, first.poll()) == (2, None), err
    assert f"Another process writes {output}; wait for it, or give another name." in err
    first.terminate()
    first.send_signal(signal.SIGCONT)
    first.communicate()
    paths = [json.loads(line)["path"] for line in output.read_bytes().splitlines()]
    assert len(paths) == len(set(paths)) >= 3
