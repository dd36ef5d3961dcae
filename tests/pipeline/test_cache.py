"""The cache by track: what hits, what misses, and what happens to a broken one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from joblib import Memory
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state

import skgenre
from skgenre import (
    AudioLoader,
    Augmenter,
    ChromaExtractor,
    MFCCExtractor,
    PerTrack,
    Segmenter,
    make_genre_pipeline,
    make_genres,
)
from skgenre.audio import _loader
from skgenre.utils._cache_key import code_version, track_key

DURATION = 1.0
N = 6


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return make_genres(
        3, genres=2, duration=DURATION, path=tmp_path_factory.mktemp("music"), random_state=0
    )


@pytest.fixture
def files(music, tmp_path):
    """Copies of the files, for tests that change them."""
    folder = tmp_path / "music"
    folder.mkdir()
    return [
        Path(shutil.copy2(path, folder / f"{i}{Path(path).suffix}"))
        for i, path in enumerate(music.data)
    ]


@pytest.fixture
def decoded(monkeypatch):
    """The paths that were decoded, one entry each time."""
    paths = []
    read_audio = _loader.read_audio

    def counted(path, **kwargs):
        paths.append(str(path))
        return read_audio(path, **kwargs)

    monkeypatch.setattr(_loader, "read_audio", counted)
    return paths


def front_end(*more, n_mfcc=13):
    steps = [
        ("loader", AudioLoader(duration=DURATION)),
        ("segmenter", Segmenter(n_segments=2, track_duration=DURATION)),
        *more,
        ("extractor", MFCCExtractor(n_mfcc=n_mfcc)),
    ]
    return Pipeline(steps)


def noise(**params):
    quick = {"semitones": None, "stretch_rates": None}
    return ("augmenter", Augmenter(**{**quick, "random_state": 3, **params}))


def hits(X, memory, transformer=None, **params):
    per_track = PerTrack(transformer or front_end(), memory=memory, **params)
    per_track.fit_transform(X)
    return per_track.n_hits_


@pytest.mark.parametrize("kind", [str, Path, lambda path: Memory(path, verbose=0)])
def test_second_run_hits(files, tmp_path, decoded, kind):
    memory = kind(tmp_path / "cache")
    per_track = PerTrack(front_end(), memory=memory, n_jobs=2)
    first = per_track.fit_transform(files)
    assert len(decoded) == N
    np.testing.assert_array_equal(per_track.transform(files), first)
    again = PerTrack(front_end(), memory=memory, batch_size=4)
    np.testing.assert_array_equal(again.fit_transform(files[::-1]), first[::-1])
    assert again.n_hits_ == N
    assert len(decoded) == N


def test_no_memory_keeps_nothing(files, decoded):
    assert hits(files, None) == hits(files, None) == 0
    assert hits(files, Memory(None)) == 0
    assert len(decoded) == 3 * N


def flatten(X):
    return X.reshape(len(X), -1)


def test_one_decoding_for_a_whole_grid(files, music, tmp_path, decoded):
    # No network: what it learns from is the matter here.
    centroid = make_pipeline(FunctionTransformer(flatten), NearestCentroid())
    pipeline = make_genre_pipeline(
        centroid, duration=DURATION, n_segments=2, memory=tmp_path / "cache"
    )
    grid = {"classifier__nearestcentroid__shrink_threshold": [None, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=3, return_train_score=True)
    search.fit(files, music.target).predict(files)
    assert sorted(decoded) == sorted(map(str, files))


def test_another_process_hits(files, tmp_path):
    hits(files, tmp_path / "cache")
    script = (
        "import sys; from skgenre import AudioLoader, MFCCExtractor, PerTrack, Segmenter;"
        "from sklearn.pipeline import Pipeline;"
        "p = PerTrack(Pipeline([('a', AudioLoader(duration=1.0)),"
        "('b', Segmenter(n_segments=2, track_duration=1.0)), ('c', MFCCExtractor())]),"
        "memory=sys.argv[1]); p.fit_transform(sys.argv[2:]); print(p.n_hits_)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "cache"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(N)]


def test_parameters_decide(files, tmp_path):
    memory = tmp_path / "cache"
    assert hits(files, memory) == 0
    assert hits(files, memory, front_end(n_mfcc=12)) == 0
    assert hits(files, memory, front_end(n_mfcc=np.int64(13))) == N  # the same number
    # Names of steps, and how the work is done, are no part of it.
    steps = [step for _, step in front_end().steps]
    assert hits(files, memory, make_pipeline(*steps, "passthrough"), n_jobs=2, batch_size=3) == N


@pytest.fixture
def fresh_version():
    """Forget the version that was computed before and during a test."""
    code_version.cache_clear()
    yield
    code_version.cache_clear()


def test_versions_decide(files, tmp_path, monkeypatch, fresh_version):
    memory = tmp_path / "cache"
    assert hits(files, memory) == 0
    monkeypatch.setattr(skgenre, "__version__", "99")
    code_version.cache_clear()
    assert hits(files, memory) == 0
    assert hits(files, memory) == N
    monkeypatch.undo()
    code_version.cache_clear()
    assert hits(files, memory) == N


def test_version_is_that_of_release_source_and_libraries(fresh_version):
    versions = dict(code_version())
    assert set(versions) == {"skgenre", "numpy", "scipy", "librosa", "soundfile", "soxr"}
    assert versions["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("folder", "counts"),
    [(".", True), ("audio", True), ("features/groups", True), ("new", True), ("plotting", False)],
)
def test_edited_source_of_ours_is_another_version(
    folder, counts, tmp_path, monkeypatch, fresh_version
):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(skgenre, "__file__", str(tmp_path / "__init__.py"))
    before = code_version()
    (tmp_path / folder / "_module.py").write_text("HOP_LENGTH = 512\n")
    code_version.cache_clear()
    assert (code_version() != before) == counts


def test_a_changed_file_misses(files, tmp_path):
    memory = tmp_path / "cache"
    hits(files, memory)
    os.utime(files[0], ns=(0, 0))
    assert hits(files, memory) == N - 1
    shutil.copyfile(files[1], files[2])  # new content, new time
    assert hits(files, memory) == N - 1
    assert hits(files, memory) == N


def test_identity_by_content(files, tmp_path):
    memory = tmp_path / "cache"
    assert hits(files, memory, file_identity="content") == 0
    os.utime(files[0], ns=(0, 0))
    moved = files[1].rename(files[1].with_name("moved.wav"))
    assert hits([files[0], moved], memory, file_identity="content") == 2
    shutil.copyfile(files[3], files[0])
    assert hits(files[:1], memory, file_identity="content") == 1  # it is the fourth file now


def test_an_edit_that_keeps_size_and_time_is_seen_by_content_only(files, tmp_path):
    for identity, expected in (("stat", N), ("content", N - 1)):
        memory, stat = tmp_path / identity, os.stat(files[0])
        hits(files, memory, file_identity=identity)
        flip(files[0])
        os.utime(files[0], ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert hits(files, memory, file_identity=identity) == expected


def test_two_ways_to_a_file_are_one(files, tmp_path, monkeypatch):
    hits(files, tmp_path / "cache")
    monkeypatch.chdir(files[0].parent)
    assert hits([path.name for path in files], tmp_path / "cache") == N


def test_waveforms_by_their_samples(music, tmp_path):
    X = AudioLoader(duration=DURATION).transform(music.data)
    memory = tmp_path / "cache"
    assert hits(X, memory) == 0
    assert hits(X.copy()[::-1], memory) == N
    louder = X.copy()
    louder[2, 5] += 0.01
    assert hits(louder, memory) == N - 1
    assert hits([(np.asarray(x), 22050) for x in X], memory) == 0  # another kind of input
    assert hits([(np.asarray(x), 44100) for x in X], memory) == 0


def test_augmented_copies(files, tmp_path):
    memory = tmp_path / "cache"
    first = PerTrack(front_end(noise()), memory=memory)
    Xt = first.fit_transform(files)
    assert first.n_hits_ == 0
    again = PerTrack(front_end(noise()), memory=memory)
    np.testing.assert_array_equal(again.fit_transform(files[::-1]), Xt[::-1])
    assert again.n_hits_ == N
    effects = again.transformer_["augmenter"].effects_
    assert effects["track"].tolist() == list(range(N))
    assert (
        effects["seed"].tolist() == first.transformer_["augmenter"].effects_["seed"][::-1].tolist()
    )
    # Other draws, other copies.
    assert hits(files, memory, front_end(noise(random_state=4))) == 0
    assert hits(files, memory, front_end(noise(noise_level=0.1))) == 0
    # In prediction nothing is augmented: the entries are those of the plain front end.
    assert hits(files, memory) == 0
    assert hits(files, memory) == N


def test_copies_that_cannot_come_again_are_not_stored(files, tmp_path):
    memory = tmp_path / "cache"
    for _ in range(2):
        assert hits(files, memory, front_end(noise(random_state=None))) == 0
    assert not list(memory.rglob("output.pkl"))
    x = AudioLoader(duration=DURATION).transform(files)
    for random_state, expected in ((None, 0), (0, N)):
        chroma = ChromaExtractor(n_vectors=2, selection="random", random_state=random_state)
        for transformer in (chroma, FeatureUnion([("chroma", chroma)]), PerTrack(chroma)):
            folder = tmp_path / f"{random_state}{type(transformer).__name__}"
            hits(x, folder, transformer)
            assert hits(x, folder, transformer) == expected


def entries(memory):
    return sorted(Path(memory).rglob("output.pkl"))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def replace(path):
    path.write_bytes(b"no pickle")


@pytest.mark.parametrize("damage", [truncate, flip, replace])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_damaged_entry_is_computed_anew(files, tmp_path, damage, n_jobs):
    memory = tmp_path / "cache"
    plain = front_end().fit_transform(files)
    hits(files, memory)
    damage(entries(memory)[0])
    per_track = PerTrack(front_end(), memory=memory, n_jobs=n_jobs)
    with pytest.warns(UserWarning, match=r"cached result of .*\.wav in .* is damaged"):
        np.testing.assert_array_equal(per_track.fit_transform(files), plain)
    assert per_track.n_hits_ == N - 1
    np.testing.assert_array_equal(per_track.fit_transform(files), plain)
    assert per_track.n_hits_ == N


def test_size_limit_prunes(files, tmp_path):
    memory = tmp_path / "cache"
    hits(files, memory)
    size = sum(path.stat().st_size for path in entries(memory))
    one = size // N
    assert hits(files, memory, front_end(n_mfcc=12), bytes_limit=4 * one) == 0
    kept = sum(path.stat().st_size for path in entries(memory))
    assert 0 < kept <= 4 * one
    # What was used last stays.
    assert hits(files, memory, front_end(n_mfcc=12)) >= 2
    assert hits(files, memory, front_end(n_mfcc=11), bytes_limit="1K") == 0
    assert len(entries(memory)) <= 1


def test_a_folder_that_cannot_be_written(files, tmp_path):
    (tmp_path / "taken").write_text("a file, not a folder")
    per_track = PerTrack(front_end(), memory=tmp_path / "taken")
    with pytest.warns(UserWarning, match="taken' cannot be used .* computed without it"):
        Xt = per_track.transform(files)
    np.testing.assert_array_equal(Xt, front_end().fit_transform(files))


SLOW = """
import sys, time
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from skgenre import PerTrack

class Slow(TransformerMixin, BaseEstimator):
    stateless = True
    def transform(self, X):
        time.sleep(float(sys.argv[2]))
        return np.asarray(X) * 2

if __name__ == "__main__":
    per_track = PerTrack(Slow(), memory=sys.argv[1])
    Xt = per_track.fit_transform(np.arange(40.0).reshape(20, 2))
    assert (Xt == 2 * np.arange(40.0).reshape(20, 2)).all()
    print(per_track.n_hits_)
"""


def test_resumes_after_a_kill(tmp_path):
    script, memory = tmp_path / "slow.py", tmp_path / "cache"
    script.write_text(SLOW)
    command = [sys.executable, str(script), str(memory)]
    process = subprocess.Popen([*command, "0.2"])
    for _ in range(600):
        if len(entries(memory)) >= 3:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    n_stored = len(entries(memory))
    assert 3 <= n_stored < 20
    done = subprocess.run([*command, "0"], capture_output=True, text=True, check=True)
    assert int(done.stdout) == n_stored


def test_two_processes_share_a_folder(tmp_path):
    script, memory = tmp_path / "slow.py", tmp_path / "cache"
    script.write_text(SLOW)
    command = [sys.executable, "-W", "error", str(script), str(memory), "0.01"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert len(entries(memory)) == 20


X = np.random.default_rng(0).normal(size=(3, 8))


def imported(source, monkeypatch, name="users_module"):
    """Import source text as a module of the user's, in place of the one before."""
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(source, vars(module))
    return module


OBJECT = "class Gain:\n def __call__(self, X): return X * {0}\n"
FACTORY = "def make(c):\n def scale(X): return X * c\n return scale\n"
ESTIMATOR = """
from sklearn.base import BaseEstimator, TransformerMixin
class Own(TransformerMixin, BaseEstimator):
    stateless = True
    def __init__(self, part=None):
        self.part = part
    def transform(self, X):
        return X * {0}
"""


@pytest.mark.parametrize(
    "source",
    [
        "f = lambda X: X * {0}",
        "def f(X): return X if 2 in {{'a', 'b', {0}}} else -X",
        "def f(X, factor={0}): return X * factor",
        FACTORY + "f = make({0})",
        "from functools import partial\ndef g(a, X): return X * a\nf = partial(g, {0})",
        "from functools import partial\ndef g(a, X): return X * {0}\nf = partial(g, 1)",
        OBJECT + "f = Gain()",
        OBJECT + "class Louder(Gain): pass\nf = Louder()",
        OBJECT + "f = Gain().__call__",
        OBJECT + "class Holder: pass\nh = Holder()\nh.gain = Gain()\ndef f(X): return h.gain(X)",
        "class Gain:\n c = {0}\n def scale(self, X): return X * self.c\nf = Gain().scale",
        "def helper(X): return X * {0}\ndef f(X): return helper(X)",
        "FACTOR = {0}\ndef f(X): return X * FACTOR",
        "import numpy as np\nf = np.vectorize(lambda x: x * {0})",
        "import functools\n@functools.cache\ndef g(): return {0}\ndef f(X): return X * g()",
        "__version__ = '{0}'\ndef f(X): return X",
        ESTIMATOR + "step = Own()",
        ESTIMATOR + "class Derived(Own): pass\nstep = Derived()",
        ESTIMATOR + OBJECT + "step = Own(Gain())",
        ESTIMATOR
        + "from sklearn.pipeline import FeatureUnion\nstep = FeatureUnion([('a', Own())])",
    ],
)
def test_edited_code_of_the_user_misses(source, tmp_path, monkeypatch):
    for version, expected in ((2, 0), (2, 3), (3, 0)):
        module = imported(source.format(version), monkeypatch)
        step = getattr(module, "step", None)
        assert hits(X, tmp_path, step or FunctionTransformer(module.f)) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import helper\ndef f(X): return helper.g(X)",
        "def f(X):\n import helper\n return helper.g(X)",
        "def f(X):\n from helper import g as scale\n return scale(X)",
    ],
)
def test_edited_helper_module_misses(source, tmp_path, monkeypatch):
    for version, expected in ((2, 0), (2, 3), (3, 0)):
        imported(f"def g(X): return X * {version}", monkeypatch, "helper")
        function = imported(source, monkeypatch).f
        assert hits(X, tmp_path, FunctionTransformer(function)) == expected


def test_installed_code_counts_by_name(tmp_path):
    for parameters in ({"func": np.sort}, {"func": np.abs}, {"kw_args": {}}, {"kw_args": None}):
        assert hits(X, tmp_path, FunctionTransformer(**parameters)) == 0
        assert hits(X, tmp_path, FunctionTransformer(**parameters)) == 3


@pytest.mark.parametrize(
    "source",
    [
        "import threading\nlock = threading.Lock()\ndef f(X):\n with lock: return 2 * X",
        "import numpy as np\nf = np.frompyfunc(lambda x: 2 * x, 1, 1)",
        "class Odd:\n def __reduce__(self): raise TypeError('no pickle')\n"
        " def __call__(self, X): return 2 * X\n def __deepcopy__(self, memo): return self\n"
        "f = Odd()",
    ],
)
def test_what_cannot_be_identified_is_computed_and_not_kept(source, tmp_path, monkeypatch):
    step = PerTrack(FunctionTransformer(imported(source, monkeypatch).f), memory=tmp_path)
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"keeps no results in .* cannot be identified"):
            np.testing.assert_array_equal(step.fit_transform(X).astype(float), 2 * X)
        assert step.n_hits_ == 0
    assert not entries(tmp_path)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_random_steps_of_the_user_are_not_kept(random_state, tmp_path):
    class Jitter(TransformerMixin, BaseEstimator):
        stateless = True

        def __init__(self, random_state=0):
            self.random_state = random_state

        def transform(self, X):
            return X + check_random_state(self.random_state).normal(size=X.shape)

    for _ in range(2):
        assert hits(X, tmp_path / "new", Jitter(random_state)) == 0
    assert hits(X, tmp_path / "same", Jitter(0)) == 0
    assert hits(X, tmp_path / "same", Jitter(0)) == 3


def test_keys_of_tracks(tmp_path):
    x = np.arange(6.0)
    assert track_key(x, "stat") == track_key(x.copy(), "stat")
    assert track_key(x, "stat") != track_key(x.astype(np.float32), "stat")
    assert track_key(x, "stat") != track_key(x.reshape(2, 3), "stat")
    assert track_key((x, 22050), "stat") != track_key((x, 44100), "stat")
    assert track_key([1.0, 2.0], "stat") == track_key(np.array([1.0, 2.0]), "stat")
    assert track_key(tmp_path / "lost.wav", "stat") is None
    assert track_key(tmp_path / "lost.wav", "content") is None


def test_threads_are_for_tracks_that_have_to_be_computed(files, tmp_path, monkeypatch):
    """Starting threads takes longer than reading features."""
    from skgenre.pipeline import _per_track

    asked, stream = [], _per_track.stream
    monkeypatch.setattr(
        _per_track, "stream", lambda tasks, n_jobs: asked.append(n_jobs) or stream(tasks, n_jobs)
    )
    per_track = PerTrack(front_end(), memory=tmp_path / "cache", n_jobs=2)
    first = per_track.fit_transform(files)
    np.testing.assert_array_equal(per_track.fit_transform(files), first)
    assert per_track.n_hits_ == len(files)
    os.utime(files[-1], (1, 1))
    np.testing.assert_array_equal(per_track.transform(files), first)
    assert asked == [2, 1, 2]
