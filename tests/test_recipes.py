"""The recipes of examples/deploy."""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import warnings
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

import skgenre
from skgenre import GenreClassifier, load, make_genres, save

FOLDER = Path(__file__).parents[1] / "examples" / "deploy"


def recipe(name):
    spec = spec_from_file_location(name, FOLDER / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[name] = module  # processes that are spawned look for its functions there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    return make_genres(3, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)


@pytest.fixture(scope="module")
def model_file(music, tmp_path_factory):
    model = GenreClassifier(("svc",), duration=1.0, random_state=0).fit(music.data, music.target)
    return save(model, tmp_path_factory.mktemp("model") / "model.skgenre")


@pytest.fixture
def client(model_file, monkeypatch, tmp_path):
    pytest.importorskip("fastapi", reason="pip install fastapi python-multipart httpx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Starlette, about its own test client
        from fastapi.testclient import TestClient

        monkeypatch.setenv("SKGENRE_MODEL", str(model_file))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        return TestClient(recipe("api").app)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette", "ignore::DeprecationWarning")
def test_service_returns_the_probabilities_of_an_upload(client, music, model_file, tmp_path):
    path = Path(music.data[0])
    answer = client.post("/genre", files={"file": ("../../x.wav", path.read_bytes())})
    assert answer.status_code == 200
    expected = load(model_file).predict_proba([path])[0]
    assert answer.json() == dict(zip(["dub", "swing"], expected.tolist(), strict=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette", "ignore::DeprecationWarning")
def test_service_refuses_what_is_no_music_and_what_is_too_large(client, tmp_path, monkeypatch):
    answer = client.post("/genre", files={"file": ("song.wav", b"no music at all")})
    assert answer.status_code == 422
    assert str(tmp_path) not in answer.text
    monkeypatch.setattr(sys.modules["api"], "MAX_BYTES", 1000)
    answer = client.post("/genre", files={"file": ("song.wav", io.BytesIO(bytes(1001)))})
    assert answer.status_code == 413
    assert list(tmp_path.iterdir()) == []


_POOL = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
import skgenre, workers
if __name__ == "__main__":
    model = skgenre.load(sys.argv[2])
    assert "tensorflow" not in sys.modules
    found = workers.predict_files(model, sys.argv[4:], n_processes=2, start_method=sys.argv[3])
    assert "tensorflow" not in sys.modules
    expected = model.predict_proba(sys.argv[4:])
    assert np.array_equal([list(genres.values()) for genres in found], expected)
    # Forking once more, after this process has computed with BLAS and OpenMP itself.
    again = workers.predict_files(model, sys.argv[4:], n_processes=2, start_method=sys.argv[3])
    assert again == found
    print(*model.classes_[expected.argmax(axis=1)])
"""


@pytest.mark.parametrize("start_method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_share_a_model(start_method, model_file, music, tmp_path):
    if start_method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not {start_method}")
    script = tmp_path / "pool.py"
    script.write_text(_POOL, encoding="utf-8")
    command = [sys.executable, "-W", "error", script, FOLDER, model_file, start_method, *music.data]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["dub"] * 3 + ["swing"] * 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_model_goes_through_mlflow(model_file, music, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="pip install mlflow, in its own environment")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    model = load(model_file)
    logged = recipe("log_to_mlflow").log_model(model, music.data[:2])
    table = mlflow.pyfunc.load_model(logged.model_uri)
    import pandas as pd

    found = table.predict(pd.DataFrame({"path": [str(path) for path in music.data]}))
    np.testing.assert_array_equal(np.asarray(found), model.predict_proba(music.data))
    again = mlflow.sklearn.load_model(logged.model_uri)
    assert isinstance(again, skgenre.GenreClassifier)
    assert [column.name for column in logged.signature.inputs] == ["path"]
    artifacts = mlflow.artifacts.download_artifacts(logged.model_uri)
    names = {path.suffix for path in Path(artifacts).rglob("*")}
    assert ".skops" in names
    assert not names & {".pkl", ".pickle"}
