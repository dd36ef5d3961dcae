"""ONNX files predict without TensorFlow; damaged, foreign and crafted ones are refused."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import onnx
import pytest
from onnx import helper
from sklearn.base import clone, is_classifier

import skgenre
from skgenre import OnnxGenreModel, export_onnx
from skgenre.cli import main

MLP = skgenre.MLPGenreClassifier(units=(8,), epochs=1, random_state=0)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    return skgenre.make_genres(
        2, genres=["dub", "swing"], duration=3.0, path=folder, random_state=0
    )


@pytest.fixture(scope="module")
def pipeline(music):
    pipeline = skgenre.make_genre_pipeline(MLP, duration=2.0, n_segments=2)
    return pipeline.fit(music.data, music.target)


@pytest.fixture(scope="module")
def original(pipeline, tmp_path_factory):
    return export_onnx(pipeline, tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture
def file(original, tmp_path):
    (tmp_path / "model.onnx").write_bytes(original.read_bytes())
    return tmp_path / "model.onnx"


WITHOUT_TENSORFLOW = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
from skgenre import OnnxGenreModel
_, _, path, *files = sys.argv
model = OnnxGenreModel(path)
print(json.dumps([model.predict_proba(files).tolist(), model.predict(files).tolist()]))
from skgenre.cli import main
raise SystemExit(main(["predict", path, files[0]]))
"""


def test_predicts_without_tensorflow_in_another_process(pipeline, original, music, tmp_path):
    files = [os.path.abspath(path) for path in music.data]
    blocked = "tensorflow,keras,scikeras,skops,onnx,tf2onnx"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, blocked, original, *files],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    proba, genres = json.loads(done.stdout.splitlines()[0])
    np.testing.assert_allclose(proba, pipeline.predict_proba(files), atol=1e-5)
    assert genres == pipeline.predict(files).tolist()
    assert done.stdout.splitlines()[1].startswith("file")


def test_copies_hold_the_path_or_the_content(file, music):
    expected = OnnxGenreModel(file).predict_proba(music.data)
    content = OnnxGenreModel(file.read_bytes(), n_jobs=2)
    used = OnnxGenreModel(file)
    used.predict_proba(music.data[:1])
    for model in (used, content):
        for twin in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(twin.predict_proba(music.data), expected)
    assert len(pickle.dumps(used)) < 1000
    file.unlink()
    np.testing.assert_array_equal(content.predict_proba(music.data), expected)
    with pytest.raises(FileNotFoundError):
        clone(used).predict(music.data)


def test_is_a_fitted_classifier(file, music):
    model = OnnxGenreModel(str(file))
    assert is_classifier(model)
    assert model.fit(music.data, music.target) is model
    assert model.score(music.data, music.target) >= 0
    assert model.set_params(n_jobs=2).predict(music.data).shape == (4,)
    assert "model.onnx" in repr(model)


def test_another_path_is_another_model(file, music, pipeline, tmp_path):
    model = OnnxGenreModel(file)
    assert model.classes_.tolist() == ["dub", "swing"]
    renamed = copy.deepcopy(pipeline)
    renamed[-1].classes_ = np.array(["a", "b"])
    model.set_params(path=export_onnx(renamed, tmp_path / "renamed.onnx"))
    assert model.classes_.tolist() == ["a", "b"]


@pytest.mark.parametrize("n_bytes", [0, 1, 100, 5000, -1, -65, -200])
def test_truncated_files_are_refused(file, n_bytes):
    file.write_bytes(file.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"^[^\n]*model\.onnx is not a whole file[^\n]*$"):
        OnnxGenreModel(file).classes_  # noqa: B018


def test_flipped_bits_are_refused(file):
    content = file.read_bytes()
    for place in np.random.default_rng(0).integers(len(content), size=100).tolist():
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"^The content is (damaged|not a whole file)[^\n]*$"):
            OnnxGenreModel(bytes(changed)).classes_  # noqa: B018


def test_foreign_files_are_refused(tmp_path):
    node = helper.make_node("Identity", ["x"], ["y"])
    x, y = (helper.make_tensor_value_info(name, 1, [1]) for name in "xy")
    onnx.save(
        helper.make_model(helper.make_graph([node], "g", [x], [y])), tmp_path / "foreign.onnx"
    )
    (tmp_path / "text.onnx").write_text("genre\n" * 100)
    for name in ("foreign.onnx", "text.onnx"):
        with pytest.raises(
            ValueError, match=rf"{name} is not a whole file that skgenre\.export_onnx"
        ):
            OnnxGenreModel(tmp_path / name).predict(["song.wav"])


def test_huge_foreign_files_are_refused_without_being_read(tmp_path):
    path = tmp_path / "huge.onnx"
    with open(path, "wb") as stream:
        stream.truncate(2**30)  # without content, it takes no space
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"huge\.onnx is not a whole file"):
        OnnxGenreModel(path).predict(["song.wav"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


def rewritten(file, **changes):
    """Change entries of the metadata and the checksum, as an attacker can."""
    model = onnx.load(file)
    entries = {entry.key: entry.value for entry in model.metadata_props}
    entries.pop("skgenre.sha256")
    del model.metadata_props[:]
    for key, value in {
        **entries,
        **{f"skgenre.{k}": json.dumps(v) for k, v in changes.items()},
    }.items():
        model.metadata_props.add(key=key, value=value)
    body = model.SerializeToString()
    end = onnx.ModelProto()
    end.metadata_props.add(key="skgenre.sha256", value=hashlib.sha256(body).hexdigest())
    return body + end.SerializeToString()


def deep(n):
    return deep(n - 1) if n == 0 else [deep(n - 1)] if n > 1 else []


@pytest.mark.parametrize(
    ("front_end", "message"),
    [
        ([{"class": "os.system", "parameters": {"command": "touch ran"}}], "'os.system'"),
        ([{"class": "PerTrack", "parameters": {}}], "'PerTrack'"),
        ([{"class": "AudioLoader", "parameters": {"nonsense": 1}}], "nonsense"),
        ([{"class": ["AudioLoader"], "parameters": {}}], "unhashable"),
        ([{"class": "AudioLoader"}], "parameters"),
        ([deep(30)], "nested more than 20 deep"),
        ("AudioLoader", "no model file of skgenre"),
    ],
)
def test_front_ends_of_other_things_are_refused(file, front_end, message):
    content = rewritten(file, front_end=front_end)
    with pytest.raises(ValueError, match=message) as caught:
        OnnxGenreModel(content).classes_  # noqa: B018
    assert "\n" not in str(caught.value)


def test_crafted_metadata_are_refused(file):
    assert OnnxGenreModel(rewritten(file)).classes_.tolist() == ["dub", "swing"]
    for changes, message in (
        ({"classes": {"dtype": "<U5", "values": ["a"]}}, "differ in number"),
        ({"classes": {"dtype": "O", "values": [[1], [2]]}}, "neither texts nor numbers"),
        ({"classes": {"dtype": "V8", "values": ["a", "b"]}}, "neither texts nor numbers"),
        ({"format": "skgenre-onnx-9"}, "another version wrote it"),
        ({"classes": {"dtype": "<U100000000", "values": ["a", "b"]}}, "too much memory"),
        ({"info": None}, "description of the model cannot be read"),
        ({"largest_difference": None}, "largest difference of the file is no number: None"),
    ):
        model = OnnxGenreModel(rewritten(file, **changes))
        with pytest.raises(ValueError, match=message):
            _ = model.info_, model.largest_difference_


def test_features_of_a_wrong_shape_are_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(8, 2, 10, 3))
    path = export_onnx(clone(MLP).fit(X, ["jazz", "rock"] * 4), tmp_path / "m.onnx")
    model = OnnxGenreModel(path)
    with pytest.raises(ValueError, match=r"\(8, 2, 10, 2\), but .*\(n_tracks, n_segments, 10, 3\)"):
        model.predict(X[..., :2])
    with pytest.raises(ValueError, match="NaN or infinity"):
        model.predict(np.full_like(X, np.nan))
    with pytest.raises(ValueError, match="0 tracks"):
        model.predict(X[:0])
    np.testing.assert_allclose(model.predict_proba(X[:, 0]), model.predict_proba(X[:, :1]))


def test_the_command_line_exports_shows_and_predicts(pipeline, music, tmp_path, capsys):
    source, target = str(tmp_path / "m.skgenre"), str(tmp_path / "m.onnx")
    skgenre.save(pipeline, source, y=music.target)
    assert main(["export", source, target, "--sample", music.data[0]]) == 0
    assert "differ from the model's by at most" in capsys.readouterr().out
    assert main(["export", source, target]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["info", target]) == 0
    shown = capsys.readouterr().out
    assert "genres: dub (2 tracks), swing (2 tracks)" in shown
    assert "exported to ONNX" in shown
    assert main(["info", target, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == {"dub": 2, "swing": 2}
    assert main(["info", target, "--card"]) == 0
    assert "Limits" in capsys.readouterr().out
    answers = []
    for model in (source, target):
        assert main(["predict", model, *music.data, "--json", "--segments"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    for expected, found in zip(*answers, strict=True):
        assert found["genre"] == expected["genre"]
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
        genres = [[segment["genre"] for segment in each["segments"]] for each in (expected, found)]
        assert genres[0] == genres[1]
    assert main(["predict", target, music.data[0], str(tmp_path / "none.wav")]) == 1
    assert main(["export", target, str(tmp_path / "again.onnx")]) == 2
    assert "is an ONNX file already" in capsys.readouterr().err


def test_the_command_line_refuses_in_one_line(pipeline, file, music, tmp_path, capsys):
    file.write_bytes(file.read_bytes()[:3000])
    for command in (["predict", str(file), music.data[0]], ["info", str(file)]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "is not a whole file" in error
    features = export_onnx(pipeline, tmp_path / "f.onnx", front_end=False)
    assert main(["predict", str(features), music.data[0]]) == 2
    assert "takes features, not audio files" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model.skgenre", "link.onnx", "./model.skgenre"])
def test_the_model_itself_is_not_replaced(pipeline, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    before = skgenre.save(pipeline, "model.skgenre").read_bytes()
    os.symlink("model.skgenre", "link.onnx")
    assert main(["export", "model.skgenre", name, "--force"]) == 2
    assert f"{name} is the model itself" in capsys.readouterr().err
    assert (tmp_path / "model.skgenre").read_bytes() == before


def test_each_format_is_told_from_the_other(pipeline, file, music, tmp_path, capsys):
    saved = str(skgenre.save(pipeline, tmp_path / "saved.onnx"))
    assert main(["predict", saved, music.data[0]]) == 0
    assert main(["info", saved]) == 0
    assert "exported to ONNX" not in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"Files of skgenre\.save are for skgenre\.load"):
        OnnxGenreModel(saved).predict(music.data)
    for read in (skgenre.load, skgenre.read_model_info):
        with pytest.raises(ValueError, match=r"for an ONNX file take skgenre\.OnnxGenreModel"):
            read(file)


@pytest.mark.parametrize("n_jobs", [0, 1.5, "2"])
def test_a_wrong_number_of_jobs_is_to_blame_not_the_file(original, n_jobs):
    with pytest.raises(ValueError, match=r"'n_jobs' parameter .* Got .* instead") as caught:
        OnnxGenreModel(original, n_jobs=n_jobs).classes_  # noqa: B018 - a property
    assert "model.onnx" not in str(caught.value)
