"""The cache by track: what hits, what misses, and what happens to a broken one."""

from __future__ import annotations

import importlib
import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from pathlib import Path
from types import ModuleType, SimpleNamespace

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
from skgenre.utils._cache_key import code_version, track_key

DURATION = 1.0
N = 6
X = np.random.default_rng(0).normal(size=(3, 8))
SORT = FunctionTransformer(np.sort)


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


def note(X, log):
    """Return X, and add a byte to a file."""
    with open(log, "ab") as stream:
        stream.write(b"1")
    return X


@pytest.fixture
def log(tmp_path):
    """A file of one byte for each track that ``note`` saw."""
    path = tmp_path / "log"
    path.touch()
    return path


def noting(log):
    return ("note", FunctionTransformer(note, kw_args={"log": str(log)}))


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
def test_second_run_hits(files, tmp_path, log, kind):
    memory = kind(tmp_path / "cache")
    per_track = PerTrack(front_end(noting(log)), memory=memory, n_jobs=2)
    first = per_track.fit_transform(files)
    np.testing.assert_array_equal(per_track.transform(files), first)
    again = PerTrack(front_end(noting(log)), memory=memory, batch_size=4)
    np.testing.assert_array_equal(again.fit_transform(files[::-1]), first[::-1])
    assert again.n_hits_ == N
    assert log.stat().st_size == N


def test_no_memory_keeps_nothing(files):
    for memory in (None, None, Memory(None)):
        assert hits(files, memory) == 0


def flatten(X):
    return X.reshape(len(X), -1)


def test_each_track_is_computed_once_for_a_whole_grid(files, music, tmp_path, log):
    # No network: only the features matter here.
    centroid = make_pipeline(FunctionTransformer(flatten), NearestCentroid())
    pipeline = make_genre_pipeline(
        centroid,
        duration=DURATION,
        n_segments=2,
        extractor=Pipeline([noting(log), ("mfcc", MFCCExtractor())]),
        memory=tmp_path / "cache",
    )
    grid = {"classifier__nearestcentroid__shrink_threshold": [None, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=3, return_train_score=True)
    search.fit(files, music.target).predict(files)
    assert log.stat().st_size == N


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
    versions = dict(code_version())
    assert set(versions) == {"skgenre", "numpy", "scipy", "librosa", "soundfile", "soxr", "av"}
    assert versions["numpy"] == np.__version__
    for version, expected in ((skgenre.__version__, 0), ("99", 0), (skgenre.__version__, N)):
        monkeypatch.setattr(skgenre, "__version__", version)
        code_version.cache_clear()
        assert hits(files, tmp_path / "cache") == expected


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


def test_a_file_counts_by_place_size_and_time(files, tmp_path, monkeypatch):
    memory = tmp_path / "cache"
    hits(files, memory)
    monkeypatch.chdir(files[0].parent)
    assert hits([path.name for path in files], memory) == N  # two ways to one file
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


@pytest.mark.parametrize(("identity", "expected"), [("stat", N), ("content", N - 1)])
def test_an_edit_that_keeps_size_and_time_is_seen_by_content_only(
    files, tmp_path, identity, expected
):
    memory, stat = tmp_path / "cache", os.stat(files[0])
    hits(files, memory, file_identity=identity)
    flip(files[0])
    os.utime(files[0], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert hits(files, memory, file_identity=identity) == expected


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


class Jitter(TransformerMixin, BaseEstimator):
    stateless = True

    def __init__(self, random_state=0):
        self.random_state = random_state

    def transform(self, X):
        return X + check_random_state(self.random_state).normal(size=X.shape)


@pytest.mark.parametrize("random_state", [None, 0, np.random.RandomState(0)])
def test_random_output_is_stored_with_a_seed_only(files, tmp_path, random_state):
    steps = [Jitter(random_state)]
    if not isinstance(random_state, np.random.RandomState):  # which is copied with our own steps
        chroma = ChromaExtractor(n_vectors=2, selection="random", random_state=random_state)
        union = FeatureUnion([("chroma", chroma)])
        steps += [chroma, union, PerTrack(chroma), noise(random_state=random_state)[1]]
    x = AudioLoader(duration=DURATION).transform(files)
    for i, step in enumerate(steps):
        assert hits(x, tmp_path / str(i), step) == 0
        assert hits(x, tmp_path / str(i), step) == (N if random_state == 0 else 0)
        assert bool(entries(tmp_path / str(i))) == (random_state == 0)


def entries(memory):
    return sorted(Path(memory).rglob("*.npy"))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def replace(path):
    path.write_bytes(b"no array")


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


class Payload:
    """A pickle that makes a file where it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def forge(path, *arrays):
    """Write an entry of arrays, or of bytes that stand for some, with the right checksum."""
    stream = io.BytesIO()
    for array in arrays:
        if isinstance(array, bytes):
            stream.write(array)
        else:
            np.lib.format.write_array(stream, array, allow_pickle=True)
    data = stream.getvalue()
    path.write_bytes(data + zlib.crc32(data, zlib.crc32(path.name.encode())).to_bytes(4, "little"))


def header(descr, shape):
    stream = io.BytesIO()
    content = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, content)
    return stream.getvalue() + bytes(64)


NO_RATE = np.zeros(0)


@pytest.mark.parametrize("place", ["entry", "object array", "old layout"])
def test_a_pickle_in_the_cache_is_not_loaded(place, tmp_path):
    memory, trace = tmp_path / "cache", tmp_path / "trace"
    assert hits(X, memory, SORT) == 0
    path = entries(memory)[0]
    if place == "old layout":
        place = memory / "joblib" / "skgenre" / path.stem / "output.pkl"
        place.parent.mkdir(parents=True)
        place.write_bytes(pickle.dumps(Payload(trace)))
        path.unlink()
        assert hits(X, memory, SORT) == 2
    else:
        if place == "entry":
            path.write_bytes(pickle.dumps(Payload(trace)))
        else:
            forge(path, np.array([Payload(trace)], dtype=object), NO_RATE)
        with pytest.warns(UserWarning, match="is damaged"):
            assert hits(X, memory, SORT) == 2
    assert hits(X, memory, SORT) == 3
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        [],
        [np.zeros(8)],
        [header("<f8", (2**40,)), NO_RATE],
        [header("<f8", (2**62, 2**62)), NO_RATE],
        [header("<f8", (-1,)), NO_RATE],
        [header("|O", (8,)), NO_RATE],
        [header([("a", "<f8"), ("b", "|O")], (1,)), NO_RATE],
        [header("(" * 9000, (8,)), NO_RATE],
        [np.zeros(8), NO_RATE, b"more"],
    ],
)
def test_a_forged_entry_takes_no_memory_and_is_computed_anew(content, tmp_path):
    hits(X, tmp_path, SORT)
    forge(entries(tmp_path)[0], *content)
    tracemalloc.start()
    with pytest.warns(UserWarning, match="is damaged"):
        assert hits(X, tmp_path, SORT) == 2
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()
    assert hits(X, tmp_path, SORT) == 3


def test_an_entry_under_the_name_of_another_is_damaged(tmp_path):
    hits(X, tmp_path, SORT)
    first, second, _ = entries(tmp_path)
    shutil.copy(first, second)
    with pytest.warns(UserWarning, match="checksum"):
        Xt = PerTrack(SORT, memory=tmp_path).fit_transform(X)
    np.testing.assert_array_equal(Xt, np.sort(X))


def cast(X, dtype):
    return X.astype(int).astype(dtype)


@pytest.mark.parametrize(
    "dtype",
    ["?", "i1", ">u2", "f2", ">f4", "g", "c8", "U12", "S3", "M8[s]", "m8[ms]", "V8", "i2,(2,)f4"],
)
def test_arrays_of_every_plain_type_are_kept(dtype, tmp_path):
    for expected in (0, 3):
        per_track = PerTrack(FunctionTransformer(cast, kw_args={"dtype": dtype}), memory=tmp_path)
        Xt = per_track.fit_transform(X)
        assert per_track.n_hits_ == expected
        np.testing.assert_array_equal(Xt, cast(X, dtype))
        assert Xt.dtype == dtype
        assert Xt.flags.writeable


def each(X, func):
    return np.stack([func(x) for x in X])


@pytest.mark.parametrize("func", [np.sum, np.transpose, lambda x: x[:, :0]])
def test_arrays_of_every_shape_and_order_are_kept(func, tmp_path):
    tracks = np.arange(24.0).reshape(2, 3, 4)
    for expected in (0, 2):
        step = FunctionTransformer(each, kw_args={"func": func})
        per_track = PerTrack(step, memory=tmp_path)
        np.testing.assert_array_equal(per_track.fit_transform(tracks), each(tracks, func))
        assert per_track.n_hits_ == expected


@pytest.mark.parametrize("rate", [22050, 22050.0])
def test_waveforms_keep_their_rate(rate, files, tmp_path):
    for expected in (0, N):
        loader = PerTrack(AudioLoader(sampling_rate=rate, duration=DURATION), memory=tmp_path)
        waves = loader.fit_transform(files)
        assert loader.n_hits_ == expected
        assert waves.sampling_rate == rate
        assert type(waves.sampling_rate) is type(rate)


class Words(TransformerMixin, BaseEstimator):
    stateless = True

    def transform(self, X):
        return np.array([[str(x), None] for x in X], dtype=object)


@pytest.mark.parametrize("params", [{}, {"batch_size": 2}, {"n_jobs": 2}])
def test_objects_are_computed_and_not_kept(params, tmp_path):
    for _ in range(2):
        per_track = PerTrack(Words(), memory=tmp_path, **params)
        with pytest.warns(UserWarning, match="keeps no results of Words in .*objects") as caught:
            Xt = per_track.fit_transform(X)
        assert len(caught) == 1
        assert Xt.tolist() == Words().transform(X).tolist()
        assert per_track.n_hits_ == 0
    assert not entries(tmp_path)


def test_what_lies_in_the_place_of_an_entry_is_not_followed(tmp_path):
    """Others may put links and pipes into a folder that they can write."""
    memory, precious = tmp_path / "cache", tmp_path / "precious"
    hits(X, memory, SORT)
    link, pipe, folder = entries(memory)
    for path in (link, pipe, folder):
        path.unlink()
    precious.write_text("precious")
    link.symlink_to(precious)
    os.mkfifo(pipe)
    folder.mkdir()
    with pytest.warns(UserWarning, match="damaged|keeps no results of FunctionTransformer"):
        assert hits(X, memory, SORT) == 0
    with pytest.warns(UserWarning, match="keeps no results of FunctionTransformer"):
        assert hits(X, memory, SORT) == 2
    assert precious.read_text() == "precious"
    assert not link.is_symlink()


def wipe(X, folder):
    """Return X, and delete a folder."""
    shutil.rmtree(folder)
    return X


def test_a_folder_that_is_deleted_meanwhile(tmp_path):
    memory = tmp_path / "cache"
    step = FunctionTransformer(wipe, kw_args={"folder": str(memory)})
    per_track = PerTrack(step, memory=memory)
    np.testing.assert_array_equal(per_track.fit_transform(X), X)
    assert per_track.n_hits_ == 0
    assert len(entries(memory)) == 1


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_entries_that_cannot_be_written_are_one_warning(tmp_path, n_jobs):
    hits(X, tmp_path, SORT)
    folder = entries(tmp_path)[0].parent
    shutil.rmtree(folder)
    folder.write_text("a file, not a folder")
    per_track = PerTrack(SORT, memory=tmp_path, n_jobs=n_jobs)
    with pytest.warns(UserWarning, match="keeps no results of FunctionTransformer") as caught:
        np.testing.assert_array_equal(per_track.fit_transform(X), np.sort(X))
    assert len(caught) == 1


def test_entries_have_the_permissions_of_any_new_file(tmp_path):
    for umask in (0o022, 0o027, 0o077):
        before = os.umask(umask)
        try:
            hits(X, tmp_path / str(umask), SORT)
            plain = tmp_path / str(umask) / "plain"
            plain.touch()
        finally:
            os.umask(before)
        modes = {path.stat().st_mode for path in entries(tmp_path / str(umask))}
        assert modes == {plain.stat().st_mode}


def test_size_limit_prunes(files, tmp_path):
    memory = tmp_path / "cache"
    hits(files, memory)
    size = sum(path.stat().st_size for path in entries(memory))
    one = size // N
    assert hits(files, memory, front_end(n_mfcc=12), bytes_limit=4 * one) == 0
    kept = sum(path.stat().st_size for path in entries(memory))
    assert 0 < kept <= 4 * one
    # What was used last stays; what a killed process left goes.
    leftover = entries(memory)[0].with_name(".skgenre-0.part")
    leftover.write_bytes(bytes(one))
    os.utime(leftover, (0, 0))
    assert hits(files, memory, front_end(n_mfcc=12)) >= 2
    assert hits(files, memory, front_end(n_mfcc=11), bytes_limit="1K") == 0
    assert not leftover.exists()
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


@pytest.mark.slow
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


def imported(source, monkeypatch, name="users_module"):
    """Import source text as a module of the user's, in place of the one before."""
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(source, vars(module))
    return module


def executed(source, monkeypatch):
    """Execute source text in an empty namespace."""
    names = {}
    exec(source, names)
    return SimpleNamespace(**names)


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


@pytest.mark.parametrize("run", [imported, executed])
@pytest.mark.parametrize(
    "source",
    [
        "f = lambda X: X * {0}",
        "def f(X): return X if 2 in {{'a', 'b', {0}}} else -X",
        "def f(X, factor={0}): return X * factor",
        "def f(X, *, factor={0}): return X * factor",
        "def f(X): return X * f.factor\nf.factor = {0}",
        "def f(X): return np.stack([(lambda: x * K)() for x in X])\nK = {0}\nimport numpy as np",
        FACTORY + "f = make({0})",
        "from functools import partial\ndef g(a, X): return X * a\nf = partial(g, {0})",
        "from functools import partial\ndef g(a, X): return X * {0}\nf = partial(g, 1)",
        OBJECT + "f = Gain()",
        OBJECT + "class Louder(Gain): pass\nf = Louder()",
        OBJECT + "f = Gain().__call__",
        OBJECT + "class Holder: pass\nh = Holder()\nh.gain = Gain()\ndef f(X): return h.gain(X)",
        "class Gain:\n c = {0}\n def scale(self, X): return X * self.c\nf = Gain().scale",
        "class Gain:\n c = property(lambda self: {0})\n def f(self, X): return X\nf = Gain().f",
        "class Gain:\n @staticmethod\n def g(X): return X * {0}\n @classmethod\n"
        " def f(cls, X): return cls.g(X)\nf = Gain.f",
        "def make():\n class Gain:\n  def __call__(self, X): return X * {0}\n return Gain()\n"
        "f = make()",
        "class Gain(float):\n def f(self, X): return X * self\nf = Gain({0}).f",
        "class Gain:\n __slots__ = ('c',)\n def f(self, X): return X\ng = Gain()\ng.c = {0}\n"
        "f = g.f",
        "def helper(X): return X * {0}\ndef f(X): return helper(X)",
        "def f(X, n=1): return g(X, n - 1) if n else X\ndef g(X, n): return f(X * {0}, n)",
        "FACTOR = {0}\ndef f(X): return X * FACTOR",
        "import functools, numpy\ndef times(g):\n @functools.wraps(g)\n"
        " def h(X): return g(X) * {0}\n return h\nf = times(numpy.sort)",
        "import numpy as np\nf = np.vectorize(lambda x: x * {0})",
        "import functools\n@functools.cache\ndef g(): return {0}\ndef f(X): return X * g()",
        "import logging\nlog = logging.getLogger('x')\ndef f(X):\n log.debug('f')\n return X * {0}",
        ESTIMATOR + "step = Own()",
        ESTIMATOR + "class Derived(Own): pass\nstep = Derived()",
        ESTIMATOR + OBJECT + "step = Own(Gain())",
        ESTIMATOR
        + "from sklearn.pipeline import FeatureUnion\nstep = FeatureUnion([('a', Own())])",
    ],
)
def test_edited_code_of_the_user_misses(source, run, tmp_path, monkeypatch):
    for version, expected in ((2, 0), (2, 3), (3, 0)):
        module = run(source.format(version), monkeypatch)
        step = getattr(module, "step", None)
        assert hits(X, tmp_path, step or FunctionTransformer(module.f)) == expected


def test_edited_and_reloaded_module_misses(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "users_script.py").write_text(
        "from users_helper import g\n"
        "class Settings: users_helper = 1  # an attribute, not the module\n"
        "def f(X): return g(X) * Settings.users_helper"
    )
    for version, expected in ((2, 0), (2, 3), (3, 0)):
        (tmp_path / "users_helper.py").write_text(f"def g(X): return X * {version}")
        for name in ("users_helper", "users_script"):
            module = importlib.reload(importlib.import_module(name))
        assert hits(X, tmp_path / "cache", FunctionTransformer(module.f)) == expected


@pytest.mark.parametrize(
    "parameters", [{"func": np.sort}, {"func": np.abs}, {"kw_args": {}}, {"kw_args": None}]
)
def test_installed_code_counts_by_its_release(parameters, tmp_path):
    assert hits(X, tmp_path, FunctionTransformer(**parameters)) == 0
    assert hits(X, tmp_path, FunctionTransformer(**parameters)) == 3


HELPER = "the module helper cannot be identified"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import threading\nk = threading.Lock()\ndef f(X):\n with k: return 2 * X", "lock"),
        ("import numpy as np\nf = np.frompyfunc(lambda x: 2 * x, 1, 1)", "ufunc"),
        ("import sys\nk = sys.__stderr__\ndef f(X): return 2 * X if k else X", "TextIOWrapper"),
        ("k = (i for i in 'ab')\ndef f(X): return 2 * X if k else X", "generator"),
        ("import helper\ndef f(X): return helper.g(X)", HELPER),
        ("def f(X):\n import helper\n return helper.g(X)", HELPER),
        ("def f(X):\n from helper import g as scale\n return scale(X)", HELPER),
        ("def f(X):\n import unloaded_helper as h\n return h.g(X)", "unloaded_helper"),
        (
            "class Odd:\n def __getstate__(self): raise TypeError('no state')\n"
            " def __call__(self, X): return 2 * X\n def __deepcopy__(self, memo): return self\n"
            "f = Odd()",
            "no state",
        ),
    ],
)
def test_what_cannot_be_identified_is_computed_and_not_kept(source, reason, tmp_path, monkeypatch):
    imported("def g(X): return 2 * X", monkeypatch, "helper")
    (tmp_path / "unloaded_helper.py").write_text("def g(X): return 2 * X")
    monkeypatch.syspath_prepend(tmp_path)
    memory = tmp_path / "cache"
    for _ in range(2):
        monkeypatch.delitem(sys.modules, "unloaded_helper", raising=False)
        step = PerTrack(FunctionTransformer(imported(source, monkeypatch).f), memory=memory)
        with pytest.warns(UserWarning, match=f"keeps no results in .*{reason}") as caught:
            np.testing.assert_array_equal(step.fit_transform(X).astype(float), 2 * X)
        assert len(caught) == 1
        assert "cannot be identified" in str(caught[0].message)
        assert step.n_hits_ == 0
    assert not entries(memory)


def test_keys_of_tracks(tmp_path):
    x = np.arange(6.0)
    assert track_key(x, "stat") == track_key(x.copy(), "stat") == track_key(x.tolist(), "stat")
    for other in (x.astype(np.float32), x.reshape(2, 3), (x, 22050)):
        assert track_key(x, "stat") != track_key(other, "stat")
    for identity in ("stat", "content"):
        assert track_key(tmp_path / "lost.wav", identity) is None


def test_threads_are_for_tracks_that_have_to_be_computed(files, tmp_path, monkeypatch):
    """Starting threads takes longer than reading features."""
    started, start = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: started.append(self) or start(self))
    per_track = PerTrack(front_end(), memory=tmp_path / "cache", n_jobs=2)
    first = per_track.fit_transform(files)
    assert started
    started.clear()
    np.testing.assert_array_equal(per_track.fit_transform(files), first)
    assert per_track.n_hits_ == len(files)
    assert not started
    os.utime(files[-1], (1, 1))
    np.testing.assert_array_equal(per_track.transform(files), first)
    assert started
