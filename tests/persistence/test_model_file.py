"""Model files: equal models come back, and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile

import _estimators
import numpy as np
import pandas as pd
import pytest
from _checks import make_tracks
from joblib import Memory
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.callback import ScoringMonitor
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import skgenre
from skgenre.persistence._trusted import TRUSTED

RNG = np.random.default_rng(0)
TRACKS = make_tracks()
TABLE = RNG.normal(size=(40, 12)), np.repeat(["jazz", "rock"], 20)
IMAGES = RNG.normal(size=(12, 2, 8, 8, 1)).astype(np.float32), np.repeat(["jazz", "rock"], 6)
WAVES = RNG.normal(size=(12, 11025)).astype(np.float32), np.repeat(["jazz", "rock"], 6)
OWN = [_estimators.SmallBackbone, "_estimators.SmallNetwork"]


def sign(archive):
    """Put the checksum of all bytes before into the comment of an archive, its last 64 bytes."""
    return archive[:-64] + hashlib.sha256(archive[:-64]).hexdigest().encode()


def data_of(model):
    name = type(model).__name__
    if name in ("ImageCNNGenreClassifier", "TransferGenreClassifier"):
        return IMAGES
    if name == "GenreClassifier":
        return WAVES
    return TRACKS if hasattr(model, "predict_segment_proba") else TABLE


def cases():
    small = [
        *_estimators.small_classifiers(),
        *_estimators.small_table_classifiers(),
        *_estimators.small_track_classifiers(),
        *_estimators.small_searches(),
        *_estimators.small_transformers(),
    ]
    for model in small:
        if "epochs" in model.get_params():
            model.set_params(epochs=1)
        yield model, data_of(model)
    mlp = small[0]
    pipeline = skgenre.make_genre_pipeline(mlp, duration=0.5, n_segments=2)
    logs = make_pipeline(FunctionTransformer(np.arctan), SVC())
    yield pipeline, WAVES
    yield GridSearchCV(mlp, {"activation": ["elu"]}, cv=StratifiedKFold(2)), TRACKS
    yield GridSearchCV(logs, {"svc__C": [1.0]}, scoring=["f1_macro"], refit="f1_macro"), TABLE
    with config_context(enable_metadata_routing=True):
        asking = SVC().set_fit_request(sample_weight=True)  # holds itself, as owner of the request
    yield GridSearchCV(asking, {"C": [1.0]}, cv=2), TABLE
    yield VotingClassifier([("a", SVC()), ("b", skgenre.FusionKNeighborsClassifier())]), TABLE
    yield CalibratedClassifierCV(skgenre.FusionKNeighborsClassifier(), cv=2), TABLE
    yield skgenre.RejectingClassifier(clone(_estimators.small_track_classifiers()[0])), WAVES


@pytest.fixture(scope="module")
def fitted():
    return [(clone(model).fit(*data), data[0]) for model, data in cases()]


def answer(model, X):
    for method in ("predict_proba", "predict", "transform", "kneighbors"):
        if hasattr(model, method):
            return np.asarray(getattr(model, method)(X))
    raise AssertionError(model)


@pytest.mark.slow
def test_every_estimator_predicts_equally_in_another_process_and_folder(fitted, tmp_path):
    for i, (model, X) in enumerate(fitted):
        skgenre.save(model, tmp_path / f"{i}.skgenre")
        loaded = skgenre.load(tmp_path / f"{i}.skgenre", trusted=OWN)
        np.testing.assert_array_equal(answer(loaded, X), answer(model, X))
        paths = {k: v for k, v in model.get_params().items() if isinstance(v, os.PathLike)}
        as_text = clone(model).set_params(**{k: os.fspath(v) for k, v in paths.items()})
        assert repr(loaded) == repr(as_text)
    (tmp_path / "X.pickle").write_bytes(pickle.dumps([X for _, X in fitted]))
    code = (
        "import pickle, skgenre, test_model_file as t\n"
        "Xs = pickle.load(open('X.pickle', 'rb'))\n"
        "models = [skgenre.load(f'{i}.skgenre', trusted=t.OWN) for i in range(len(Xs))]\n"
        "answers = [t.answer(model, X) for model, X in zip(models, Xs)]\n"
        "pickle.dump(answers, open('answers.pickle', 'wb'))\n"
    )
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
    answers = pickle.loads((tmp_path / "answers.pickle").read_bytes())
    for (model, X), found in zip(fitted, answers, strict=True):
        np.testing.assert_array_equal(found, answer(model, X), err_msg=repr(model))


def test_every_public_estimator_is_trusted_and_every_trusted_name_exists():
    public = [getattr(skgenre, name) for name in skgenre.__all__]
    for found in public:
        if isinstance(found, type) and issubclass(found, BaseEstimator):
            assert f"{found.__module__}.{found.__name__}" in TRUSTED
    for name in TRUSTED:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


@pytest.fixture(scope="module")
def table_model():
    return skgenre.FusionKNeighborsClassifier().fit(*TABLE)


@pytest.fixture
def file(table_model, tmp_path):
    skgenre.save(table_model, tmp_path / "model.skgenre")
    return tmp_path / "model.skgenre"


class Doubler(BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return 2 * X


def test_types_of_the_user_need_trust(tmp_path):
    model = make_pipeline(Doubler(), SVC()).fit(*TABLE)
    skgenre.save(model, tmp_path / "m")
    with pytest.raises(ValueError, match=r"not trusted: test_model_file\.Doubler\. .*trusted=\["):
        skgenre.load(tmp_path / "m")
    loaded = skgenre.load(tmp_path / "m", trusted=[Doubler])
    np.testing.assert_array_equal(loaded.predict(TABLE[0]), model.predict(TABLE[0]))


def dense(meta):
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(meta["segment_shape_"]),
            layers.Flatten(),
            layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def test_a_function_of_the_user_is_all_that_needs_trust(tmp_path):
    model = skgenre.KerasGenreClassifier(dense, loss="categorical_crossentropy", epochs=1)
    model.set_params(loss__label_smoothing=0.1).fit(*TRACKS)
    loaded = skgenre.load(skgenre.save(model, tmp_path / "m"), trusted=[dense])
    np.testing.assert_array_equal(answer(loaded, TRACKS[0]), answer(model, TRACKS[0]))


def test_trees_need_trust(tmp_path):
    skgenre.save(RandomForestClassifier(2).fit(*TABLE), tmp_path / "m")
    with pytest.raises(ValueError, match=r"not trusted: sklearn\.tree\._tree\.Tree"):
        skgenre.load(tmp_path / "m")
    skgenre.load(tmp_path / "m", trusted=["sklearn.tree._tree.Tree"])


def test_paths_memory_and_callbacks_need_no_trust(tmp_path):
    for memory in (tmp_path / "cache", Memory(tmp_path / "cache", verbose=0)):
        mlp = clone(_estimators.small_classifiers()[0])
        pipeline = skgenre.make_genre_pipeline(mlp, duration=0.5, n_segments=2, memory=memory)
        pipeline.set_callbacks(ScoringMonitor(scoring="accuracy")).fit(*WAVES)
        loaded = skgenre.load(skgenre.save(pipeline, tmp_path / "m"))
        np.testing.assert_array_equal(answer(loaded, WAVES[0]), answer(pipeline, WAVES[0]))
        folder = loaded.get_params()["features__memory"]
        assert os.path.realpath(folder).startswith(os.path.realpath(tmp_path / "cache"))


def test_columns_chosen_by_name_or_type_need_no_trust(tmp_path):
    X = pd.DataFrame(TABLE[0]).add_prefix("x")
    columns = ColumnTransformer(
        [
            ("names", StandardScaler(), make_column_selector("x[0-4]$")),
            ("types", "passthrough", make_column_selector(dtype_include=np.number)),
        ]
    )
    model = make_pipeline(columns, SVC()).fit(X, TABLE[1])
    loaded = skgenre.load(skgenre.save(model, tmp_path / "m"))
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))


def test_what_cannot_be_saved_is_refused_and_the_old_file_stays(file, tmp_path):
    before = file.read_bytes()
    with pytest.raises(NotFittedError):
        skgenre.save(skgenre.GroupScaler(), file)
    model = make_pipeline(FunctionTransformer(lambda X: X), SVC()).fit(*TABLE)
    with pytest.raises(ValueError, match="lambda> cannot be found by its name"):
        skgenre.save(model, file)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.skgenre"]


def test_pickles_are_refused_without_being_read(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "model.pickle").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ValueError, match=r"not a model file that skgenre\.save wrote"):
        skgenre.load(tmp_path / "model.pickle")
    assert not (tmp_path / "ran").exists()


def rewritten(file, change=None, extra=(), **replaced):
    """Rewrite an archive with another schema, and with further or other members."""
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    if change is not None:
        schema = json.loads(content["schema.json"])
        content["schema.json"] = json.dumps(change(schema) or schema).encode()
    content.update({f"{name}.json": data for name, data in replaced.items()})
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*content.items(), *extra]:
            archive.writestr(name, data)
        archive.comment = bytes(64)
    file.write_bytes(sign(file.read_bytes()))  # an attacker can do that too


def command(tmp_path):
    text = f"open({str(tmp_path / 'ran')!r}, 'w')"
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode",
            "content": json.dumps(text)}  # fmt: skip


def argument(node):
    return {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode",
            "content": [node]}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "name", "loader"),
    [
        ("os", "system", "FunctionNode"),
        ("builtins", "exec", "TypeNode"),
        ("builtins", "exec", "ConstructorFromReduceNode"),
        ("subprocess", "Popen", "ConstructorFromReduceNode"),
        ("subprocess", "Popen", "ObjectNode"),
        ("subprocess", "Popen", "ReduceNode"),
        ("skgenre.classifiers._tree", "os.system", "FunctionNode"),
        ("functools", "partial", "PartialNode"),
        ("operator", "methodcaller", "OperatorFuncNode"),
        ("pathlib", "Path", "MethodNode"),
        ("builtins", "str", "NoSuchNode"),
    ],
)
def test_names_from_the_file_do_not_run(file, tmp_path, module, name, loader):
    inner = command(tmp_path)
    content = {
        "func": "touch",
        "obj": inner,
        "args": inner,
        "module_path": module,
        "function": name,
    }
    state = {"__class__": name, "__module__": module, "__loader__": loader}
    if loader in ("ConstructorFromReduceNode", "ObjectNode"):
        content = argument(inner)
    evil = {**state, "content": content, "reduce": {"args": inner}, "attrs": argument(inner)}

    def change(schema):
        schema["content"]["content"]["weights"] = evil

    rewritten(file, change)
    with pytest.raises(ValueError, match=r"not trusted|damaged or not a model file"):
        skgenre.load(file)
    assert not (tmp_path / "ran").exists()


def test_names_of_members_lead_nowhere(file, tmp_path):
    rewritten(file, extra=[("../outside", b"x"), ("/tmp/skgenre-outside", b"x")])
    skgenre.load(file)
    assert not (tmp_path.parent / "outside").exists()
    assert not os.path.exists("/tmp/skgenre-outside")


def array_bytes(shape, data=b""):
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


def with_array(name):
    node = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode",
            "type": "numpy", "file": name}  # fmt: skip

    def change(schema):
        schema["content"]["content"]["weights"] = node
        schema["content"]["content"]["metric"] = {**node, "__id__": 1}

    return change


def test_sizes_are_bounded_before_anything_is_unpacked(file):
    skgenre.load(file, max_size=200_000)
    with pytest.raises(ValueError, match="more than max_size=1000"):
        skgenre.load(file, max_size=1000)
    rewritten(
        file, with_array("zeros.npy"), [("zeros.npy", array_bytes((500_000,), bytes(4 * 10**6)))]
    )
    assert file.stat().st_size < 100_000
    with pytest.raises(ValueError, match="more than max_size=5000000"):
        skgenre.load(file, max_size=5 * 10**6)
    with pytest.raises(ValueError, match="more than max_size=11000000"):  # read by two nodes
        skgenre.load(file, max_size=11 * 10**6)


def test_the_schema_and_the_file_count_for_the_size(file, tmp_path):
    rewritten(file, schema=b'{"a": [' + b"{}, " * 10**6 + b"{}]}")
    assert file.stat().st_size < 100_000
    with pytest.raises(ValueError, match="more than max_size=50000000"):
        skgenre.load(file, max_size=5 * 10**7)
    with open(file, "r+b") as stream:
        stream.truncate(10**11)  # a sparse file
    with pytest.raises(ValueError, match=r"takes 100000000000 bytes, more than max_size"):
        skgenre.load(file)


def test_an_array_that_promises_more_than_it_holds_is_refused(file):
    rewritten(file, with_array("liar.npy"), [("liar.npy", array_bytes((10**12,), bytes(80)))])
    with pytest.raises(ValueError, match="does not take 80 bytes"):
        skgenre.load(file)


def test_deep_nesting_is_refused(file):
    deep = '{"__loader__": "ListNode", "content": [' * 50_000 + "]}" * 50_000
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name).decode("latin-1") for name in archive.namelist()}
    content["schema.json"] = content["schema.json"].replace("{", f'{{"deep": {deep}, ', 1)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data.encode("latin-1"))
        archive.comment = bytes(64)
    file.write_bytes(sign(file.read_bytes()))
    with pytest.raises(ValueError, match="damaged or not a model file"):
        skgenre.load(file)


def test_damaged_files_never_load(file):
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    for i in range(300):
        data = bytearray(whole)
        if i % 3 == 0:
            del data[rng.integers(len(data)) :]
        elif i % 3 == 1:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        else:
            data += rng.bytes(1 + i)
        file.write_bytes(data)
        with pytest.raises(ValueError, match=re.escape(str(file))):
            skgenre.load(file)


@pytest.mark.parametrize("n", [200, pytest.param(4000, marks=pytest.mark.slow)])
def test_crafted_archives_are_errors_of_one_kind(file, table_model, n):
    """Damage with a right checksum, as only someone who wants it makes it."""
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    n_refused = 0
    for i in range(n):
        data = bytearray(whole)
        for place in rng.integers(len(data) - 64, size=1 + i % 3):
            data[place] ^= 1 << rng.integers(8)
        file.write_bytes(sign(bytes(data)))
        try:
            loaded = skgenre.load(file)
        except ValueError as error:
            assert str(file) in str(error)  # noqa: PT017 - most of them raise
            n_refused += 1
        else:  # a bit that no reader looks at, such as one of a date
            np.testing.assert_array_equal(loaded.predict(TABLE[0]), table_model.predict(TABLE[0]))
    assert n_refused > 0.5 * n


def test_other_archives_and_formats_are_refused(file, tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "no model")
        archive.comment = bytes(64)
    with pytest.raises(ValueError, match="its checksum differs"):
        skgenre.load(other)
    other.write_bytes(sign(other.read_bytes()))
    with pytest.raises(ValueError, match=r"has no skgenre\.json"):
        skgenre.load(other)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = bytes(64)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("skgenre.json", json.dumps({"format": 1}))
    file.write_bytes(sign(file.read_bytes()))
    with pytest.raises(ValueError, match="some of the same name"):
        skgenre.load(file)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    music = skgenre.make_genres(6, genres=["dub", "swing"], duration=1.0, random_state=0)
    extractor = skgenre.SummaryExtractor(sampling_rate=music.sampling_rate)
    model = make_pipeline(extractor, skgenre.FusionKNeighborsClassifier())
    result = skgenre.evaluate(model, music, n_folds=2)
    tracks = [f"music/ü {i}.wav" for i in range(12)]
    path = skgenre.save(
        model.fit(music.data, music.target),
        folder / "model.skgenre",
        tracks=tracks,
        y=music.target,
        artists=music.artists,
        evaluation=result,
    )
    return path, tracks, result


def test_a_file_says_where_its_model_comes_from(described):
    path, tracks, result = described
    info = skgenre.read_model_info(path)
    assert info.model == "FusionKNeighborsClassifier"
    assert info.classes == {"dub": 6, "swing": 6}
    assert info.sampling_rates == [22050.0]
    assert info.n_artists > 1
    listed = "".join(f"{track}\n" for track in sorted(tracks))
    assert info.tracks_sha256 == hashlib.sha256(listed.encode()).hexdigest()
    assert info.tracks is None
    assert b"music" not in path.read_bytes()
    assert info.evaluation["overall"] == result.overall
    assert info.evaluation["confusion"] == result.confusion
    assert "tracks" not in info.evaluation
    assert info.environment["skgenre"] == skgenre.__version__
    assert info.other_versions == {}
    assert "artist-grouped: 12 tracks, 2 folds" in repr(info)
    assert "dub (6 tracks)" in repr(info)


@pytest.mark.parametrize(
    "change",
    [
        {"evaluation": {}},
        {"evaluation": [1]},
        {"environment": {}},
        {"licences": None},
        {"classes": ["a"]},
        {"parameters": 1},
    ],
)
def test_descriptions_that_cannot_be_shown_are_refused_by_name(described, tmp_path, change):
    file = tmp_path / "crafted.skgenre"
    file.write_bytes(described[0].read_bytes())
    with zipfile.ZipFile(file) as archive:
        details = json.loads(archive.read("skgenre.json"))
    rewritten(file, skgenre=json.dumps({**details, **change}))
    with pytest.raises(ValueError, match=r"crafted\.skgenre is damaged or not a model file"):
        skgenre.model_card(file)
    if "parameters" not in change:  # which only the card shows
        with pytest.raises(ValueError, match=r"crafted\.skgenre is damaged or not a model file"):
            skgenre.read_model_info(file)


def test_versions_of_a_file_are_compared_with_those_installed(described, tmp_path):
    info = skgenre.read_model_info(described[0])
    old = dataclasses.replace(info, environment={**info.environment, "numpy": "1.0", "gone": "2"})
    assert old.other_versions == {"numpy": ("1.0", np.__version__), "gone": ("2", "not installed")}
    assert "- numpy: 1.0 in the file" in old.to_markdown()


def test_what_is_not_given_is_not_stated(file):
    info = skgenre.read_model_info(file)
    assert info.classes == {"jazz": None, "rock": None}
    assert (info.n_artists, info.tracks_sha256, info.evaluation) == (None, None, None)
    assert "not measured" in repr(info)
    assert "Not measured." in skgenre.model_card(file)


def test_paths_are_kept_where_asked_for_and_lists_must_agree(table_model, tmp_path):
    tracks = ["b.wav", "a.wav"]
    skgenre.save(table_model, tmp_path / "m", tracks=tracks, keep_paths=True)
    info = skgenre.read_model_info(tmp_path / "m")
    assert info.tracks == ["a.wav", "b.wav"]
    assert (info.track_genres, info.track_artists) == (None, None)
    labels = {"y": ["jazz", "rock"], "artists": ["B", "A"]}
    skgenre.save(table_model, tmp_path / "m", tracks=tracks, keep_paths=True, **labels)
    info = skgenre.read_model_info(tmp_path / "m")
    assert (info.track_genres, info.track_artists) == (["rock", "jazz"], ["A", "B"])
    skgenre.save(table_model, tmp_path / "m", tracks=tracks, **labels)
    info = skgenre.read_model_info(tmp_path / "m")
    assert (info.tracks, info.track_genres, info.track_artists) == (None, None, None)
    with pytest.raises(ValueError, match=r"differ in length: \{'tracks': 2, 'y': 40\}"):
        skgenre.save(table_model, tmp_path / "m", tracks=tracks, y=TABLE[1])
    with pytest.raises(ValueError, match=r"y holds \['folk'\], which the model does not know"):
        skgenre.save(table_model, tmp_path / "m", y=["jazz", "folk"])


def test_model_card_says_how_the_model_was_measured(described):
    path, _, result = described
    card = skgenre.model_card(path)
    for heading in ("# Model description", "## Limits", "# Evaluation", "## Confusion matrix"):
        assert f"{heading}\n" in card
    accuracy = result.overall["track_accuracy"]
    assert f"{accuracy['value']:.3f}" in card
    assert f"{accuracy['low']:.3f} to {accuracy['high']:.3f}" in card
    assert "No artist is in training and in test." in card
    with pytest.raises(TypeError, match="in the model file already"):
        skgenre.model_card(path, y=TABLE[1])


def test_show_versions_prints_a_line_for_each_library(capsys):
    skgenre.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert f"numpy: {np.__version__}" in lines
    assert f"skgenre: {skgenre.__version__}" in lines
