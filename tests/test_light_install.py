"""Without TensorFlow, Keras and librosa: what works, and what the others say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skgenre import MLPGenreClassifier, make_genres, save
from skgenre.utils._extras import is_installed

_BLOCK = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras", "scikeras", "librosa", "numba"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Forbidden())
"""
INSTALL = 'pip install "skgenre[networks]"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("light")
    music = folder / "music"
    make_genres(4, genres=["dub", "swing"], duration=1.0, path=music, random_state=0)
    return folder


def run(code, folder):
    """Run code in a process that cannot import the packages of networks."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _BLOCK + code, str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.returncode, done.stdout, done.stderr


def test_genre_classifier_trains_saves_and_predicts(folder):
    code = """
import numpy as np, skgenre
for name in skgenre.__all__: getattr(skgenre, name)
music = skgenre.load_genre_folder(sys.argv[1] + "/music")
model = skgenre.GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
loaded = skgenre.load(skgenre.save(model, sys.argv[1] + "/model.skgenre"))
assert np.array_equal(loaded.predict_proba(music.data), model.predict_proba(music.data))
print(*loaded.predict(music.data))
"""
    code, out, err = run(code, folder)
    assert code == 0, err
    assert out.split() == ["dub"] * 4 + ["swing"] * 4


def test_features_and_their_deltas_need_no_librosa(folder):
    code = """
import numpy as np
from skgenre import MFCCExtractor, SummaryExtractor
sound = np.random.default_rng(0).normal(size=(1, 22050)).astype(np.float32)
print(*np.ravel(MFCCExtractor(n_mfcc=2, deltas=2).transform(sound)[0, 0, :2]))
print(*SummaryExtractor().transform(sound)[0, :5])
"""
    code, out, err = run(code, folder)
    assert code == 0, err
    sound = np.random.default_rng(0).normal(size=(1, 22050)).astype(np.float32)
    from skgenre import MFCCExtractor, SummaryExtractor

    here = [
        *np.ravel(MFCCExtractor(n_mfcc=2, deltas=2).transform(sound)[0, 0, :2]),
        *SummaryExtractor().transform(sound)[0, :5],
    ]
    np.testing.assert_allclose([float(value) for value in out.split()], here, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("what", "package"),
    [
        ("skgenre.MLPGenreClassifier().fit(X, y)", "tensorflow"),
        pytest.param(
            "skgenre.make_genre_pipeline('cnn', duration=1.0).fit(music.data, music.target)",
            None,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "skgenre.HierarchicalGenreClassifier(skgenre.MLPGenreClassifier()).fit(X, y)",
            None,
            marks=pytest.mark.slow,
        ),
        pytest.param("skgenre.KerasGenreClassifier(dict).fit(X, y)", None, marks=pytest.mark.slow),
        pytest.param(
            "skgenre.GenreClassifier(('svc', 'cnn')).fit(music.data, music.target)",
            None,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "skgenre.Augmenter(stretch_rates=(0.9, 1.1)).fit_transform(X)",
            "librosa",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_needs_networks_says_what_to_install(folder, what, package):
    code = f"""
import numpy as np, skgenre
music = skgenre.load_genre_folder(sys.argv[1] + "/music")
X, y = np.random.default_rng(0).normal(size=(8, 2, 4096)).astype(np.float32), [0, 1] * 4
try:
    {what}
except ModuleNotFoundError as error:
    print(error)
"""
    code, out, err = run(code, folder)
    assert code == 0, err
    assert out.count("\n") == 1
    assert INSTALL in out
    assert (package or "tensorflow") in out


@pytest.mark.skipif(not is_installed("tensorflow"), reason="trains the network to be refused")
def test_model_file_with_a_network_says_what_to_install(folder):
    X = np.random.default_rng(0).normal(size=(8, 2, 5)).astype(np.float32)
    network = MLPGenreClassifier(units=(4,), epochs=1, random_state=0).fit(X, [0, 1] * 4)
    path = save(network, folder / "network.skgenre")
    code = """
import skgenre
from skgenre.cli import main
try:
    skgenre.load(sys.argv[1] + "/network.skgenre")
except ModuleNotFoundError as error:
    print(error)
print(skgenre.read_model_info(sys.argv[1] + "/network.skgenre").model)
sys.exit(main(["predict", sys.argv[1] + "/network.skgenre", "song.wav"]))
"""
    code, out, err = run(code, folder)
    assert code == 2
    assert INSTALL in out
    assert "MLPGenreClassifier" in out
    assert err.count("\n") == 1
    assert err.startswith("skgenre: error: Networks need tensorflow")
    assert Path(path).is_file()


def test_command_line(folder):
    code = """
from skgenre.cli import main
music, model = sys.argv[1] + "/music", sys.argv[1] + "/by_train.skgenre"
assert main(["train", music, "--out", model, "--cv", "0", "--duration", "1"]) == 0
assert main(["predict", model, music + "/dub/dub.00000.wav"]) == 0
assert main(["info", model]) == 0
sys.exit(main(["train", music, "--out", model + "2", "--classifier", "cnn"]))
"""
    code, out, err = run(code, folder)
    assert (code, err.count("\n")) == (2, 1), err
    assert INSTALL in err
    assert "dub.00000.wav" in out
    assert "Extracting" in out.partition("Wrote")[0]
