"""The command line of pretrained networks: skgenre fetch, predict and info of musicnn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from _clips import music
from _musicnn import random_tensors

from skgenre.cli import main
from skgenre.embeddings import KNOWN, digest, write_weights

TAGS = KNOWN["msd"].tags
TENSORS = random_tensors(timbral=204, temporal=51, dense_layers=64, units=200, tags=50)


def write_random_weights(path):
    write_weights(path, TENSORS, name="msd", tags=TAGS, licence="", training_data="")
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The data folder, where random weights pass for "msd"."""
    known = KNOWN["msd"]._replace(sha256=digest(TENSORS, TAGS))
    monkeypatch.setitem(KNOWN, "msd", known)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(1.0), 22050)
    return str(path)


def test_without_weights_predict_names_the_command(home, song, capsys):
    for command in (["predict", "musicnn-msd", song], ["info", "musicnn-mtt"]):
        assert main(command) == 2
        assert "`skgenre fetch musicnn --weights" in capsys.readouterr().err


def test_fetch_takes_a_file_and_states_the_terms(home, capsys):
    source = write_random_weights(home / "download.npz")
    assert main(["fetch", "musicnn", "--weights", "msd", "--from", str(source)]) == 0
    out = capsys.readouterr().out
    assert str(home / "musicnn" / "msd.npz") in out
    assert "licence: ISC licence" in out
    assert "trained on: about 200,000 songs of the Million Song Dataset" in out
    assert main(["fetch", "musicnn", "--from", str(home / "nowhere")]) == 2
    assert "no file or folder" in capsys.readouterr().err


def test_predict_answers_with_tags_after_the_fetch(home, song, capsys):
    source = write_random_weights(home / "download.npz")
    assert main(["fetch", "musicnn", "--from", str(source)]) == 0
    silent = str(home / "silent.wav")
    soundfile.write(silent, np.zeros(22050), 22050)
    capsys.readouterr()
    assert main(["predict", "musicnn-msd", song, silent, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert {"rock", "jazz", "Hip-Hop"} <= set(first["probabilities"])
    assert set(first["tags"]) == set(TAGS)
    assert list(first["tags"].values()) == sorted(first["tags"].values(), reverse=True)
    assert second["status"] == "no sound"
    assert main(["predict", "musicnn-msd", song]) == 0
    table = capsys.readouterr().out
    assert "tags" in table
    tag, probability = next(iter(first["tags"].items()))
    assert f"{tag} {probability:.2f}" in table
    assert main(["predict", "musicnn-msd", song, "--segments"]) == 2
    assert "does not predict segments" in capsys.readouterr().err


def test_info_states_the_terms(home, capsys):
    main(["fetch", "musicnn", "--from", str(write_random_weights(home / "download.npz"))])
    for option in ([], ["--card"], ["--json"]):
        capsys.readouterr()
        assert main(["info", "musicnn-msd", *option]) == 0
        assert "ISC licence" in capsys.readouterr().out


def test_a_file_of_that_name_counts_first(home, song, monkeypatch, capsys):
    monkeypatch.chdir(home)
    (home / "musicnn-msd").write_text("mine")
    assert main(["predict", "musicnn-msd", song]) == 2
    assert "musicnn-msd is not a model file" in capsys.readouterr().err


def test_other_commands_say_that_they_take_no_pretrained_network(home, tmp_path, capsys):
    source = write_random_weights(home / "download.npz")
    assert main(["fetch", "musicnn", "--weights", "msd", "--from", str(source)]) == 0
    assert main(["export", "musicnn-msd", str(tmp_path / "m.onnx")]) == 2
    assert "MusicnnTagger cannot be exported to ONNX" in capsys.readouterr().err
    assert main(["train", "--add", str(tmp_path), "--model", "musicnn-msd"]) == 2
    assert "musicnn-msd cannot be trained" in capsys.readouterr().err
