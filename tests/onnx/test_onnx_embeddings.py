"""ONNX files of models with features of a pretrained network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from _musicnn import TERMS, random_tensors, write_random_weights

from skgenre import (
    GenreClassifier,
    MLPGenreClassifier,
    MusicnnExtractor,
    OnnxGenreModel,
    PerTrack,
    export_onnx,
    load,
    make_genres,
    model_card,
    read_model_info,
    save,
)
from skgenre.cli import main
from skgenre.embeddings import KNOWN, digest, write_weights


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Of two genres, one of which has fewer tracks."""
    folder = tmp_path_factory.mktemp("music")
    made = make_genres(
        4, genres=["dub", "swing"], duration=4.0, n_artists=2, path=folder, random_state=0
    )
    return made.data[:-1], made.target[:-1], made.artists[:-1]


def fit(weights, music, **params):
    tracks, y, artists = music
    params = {"n_excerpts": 2, "duration": 4.0, "random_state": 0} | params
    return GenreClassifier(embeddings=weights, **params).fit(tracks, y, groups=artists)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_random_weights(tmp_path_factory.mktemp("weights") / "small.npz")


@pytest.fixture(scope="module")
def model(weights, music):
    return fit(weights, music)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export_onnx(model, tmp_path_factory.mktemp("onnx") / "model.onnx")


def test_the_file_predicts_as_the_model(model, exported, music):
    found = OnnxGenreModel(exported)
    assert found.largest_difference_ < 1e-10
    expected = model.predict_proba(music[0])
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found.predict_proba(music[0]), expected, rtol=0, atol=1e-10)


def test_a_pipeline_of_both_halves_is_exported(weights, music, tmp_path):
    front_end, half = GenreClassifier(
        ("svc",), embeddings=weights, n_excerpts=1, duration=4.0, random_state=0
    ).split_front_end()
    table = front_end.fit_transform(music[0])
    half.fit(table, music[1])
    path = export_onnx(half, tmp_path / "half.onnx", sample=table)
    found = OnnxGenreModel(path).predict_proba(table)
    np.testing.assert_allclose(found, half.predict_proba(table), rtol=0, atol=1e-10)


def test_networks_behind_the_extractor_are_exported(weights, tmp_path):
    from sklearn.pipeline import make_pipeline

    tracks = np.random.default_rng(0).normal(size=(6, 22050)).astype(np.float32)
    network = MLPGenreClassifier(units=(4,), epochs=1, random_state=0)
    model = make_pipeline(PerTrack(MusicnnExtractor(weights)), network)
    model.fit(tracks, ["dub", "swing"] * 3)
    found = OnnxGenreModel(export_onnx(model, tmp_path / "m.onnx"))
    np.testing.assert_allclose(found.predict_proba(tracks), model.predict_proba(tracks), atol=1e-5)


def test_terms_of_the_weights_are_stated_everywhere(model, exported, tmp_path, capsys):
    path = save(model, tmp_path / "model.skgenre")
    sha256 = model.embeddings_sha256_
    (terms,) = read_model_info(path).licences
    assert terms == (
        f"musicnn random (weights with SHA-256 {sha256}): {TERMS['licence']}. Trained on "
        f"{TERMS['training_data']}"
    )
    assert OnnxGenreModel(exported).info_.licences == [terms]
    assert terms in model_card(path)
    for file in (path, exported):
        assert main(["info", str(file)]) == 0
        assert f"licences of pretrained parts: {terms}" in capsys.readouterr().out
    again = tmp_path / "again.onnx"
    assert main(["export", str(path), str(again)]) == 0
    assert OnnxGenreModel(again).info_.licences == [terms]


@pytest.mark.slow
def test_both_files_predict_in_another_process(model, exported, music, tmp_path):
    path = save(model, tmp_path / "model.skgenre")
    code = (
        "import sys, json, numpy, skgenre\n"
        "models = [skgenre.load(sys.argv[1]), skgenre.OnnxGenreModel(sys.argv[2])]\n"
        "numpy.save('proba.npy', [model.predict_proba(sys.argv[3:]) for model in models])\n"
    )
    files = [os.path.abspath(track) for track in music[0][:2]]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code, path, exported, *files]
    subprocess.run(command, cwd=tmp_path, env=env, check=True)
    expected = model.predict_proba(files)
    saved, graph = np.load(tmp_path / "proba.npy")
    np.testing.assert_array_equal(saved, expected)
    np.testing.assert_allclose(graph, expected, rtol=0, atol=1e-10)


def test_other_weights_and_weights_of_another_fit_are_refused(music, tmp_path):
    weights = write_random_weights(tmp_path / "own.npz")
    model = fit(weights, music, members=("svc",), n_excerpts=0)
    path = export_onnx(model, tmp_path / "model.onnx")
    write_random_weights(weights, seed=1)
    assert OnnxGenreModel(path).info_.model == "GenreClassifier"  # which needs no weights
    with pytest.raises(ValueError, match=f"was fitted or saved with {model.embeddings_sha256_}"):
        OnnxGenreModel(path).predict(music[0][:1])
    with pytest.raises(ValueError, match="SHA-256"):
        export_onnx(model, tmp_path / "again.onnx")
    assert not (tmp_path / "again.onnx").exists()
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=r"own\.npz.*`skgenre fetch musicnn`"):
        OnnxGenreModel(path).predict(music[0][:1])


def test_missing_weights_end_the_prediction_and_name_the_command(
    music, tmp_path, monkeypatch, capsys
):
    """Random weights pass for "msd"."""
    sizes = {"timbral": 204, "temporal": 51, "dense_layers": 64, "units": 200, "tags": 50}
    tensors, tags = random_tensors(**sizes), KNOWN["msd"].tags
    monkeypatch.setitem(KNOWN, "msd", KNOWN["msd"]._replace(sha256=digest(tensors, tags)))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    (tmp_path / "musicnn").mkdir()
    write_weights(tmp_path / "musicnn" / "msd.npz", tensors, name="msd", tags=tags, **TERMS)
    model = fit("msd", music, members=("svc",), n_excerpts=0)
    files = [
        save(model, tmp_path / "model.skgenre"),
        export_onnx(model, tmp_path / "model.onnx"),
    ]
    shutil.rmtree(tmp_path / "musicnn")
    for file in files:
        assert main(["predict", str(file), *music[0], "--json"]) == 2
        error = capsys.readouterr().err
        assert "`skgenre fetch musicnn --weights msd`" in error
        assert error.count("\n") == 1
        assert main(["info", str(file)]) == 0
        assert "musicnn msd" in capsys.readouterr().out
    assert load(files[0]).embeddings == "msd"
