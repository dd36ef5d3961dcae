"""The papers' systems: all there, all run, shapes and counts as published."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from _estimators import small_backbone
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skgenre import make_genres
from skgenre.papers import get_system, list_systems, load_grid, load_system
from skgenre.papers.__main__ import page

ROOT = Path(__file__).parents[2]
SYSTEMS = [system.name for system in list_systems()]
# A row of a table differs from its system in one number or word.
DISTINCT = [name for name in SYSTEMS if name.count("/") == 1] + ["bai/table2/500-5"]

TINY = {
    "epochs": 1,
    "units": (4,),
    "filters": (4,),
    "lstm_units": (4,),
    "gru_units": (4,),
    "recurrent_filters": (4,),
    "kernel_sizes": 3,
    "n_steps": 1,
    "pool_sizes": 2,
    "pool_strides": 2,
    "batch_size": 64,
    "lstm_dropout": 0.0,
    "dropout": 0.0,
    "early_stopping": False,
    "backbone": small_backbone,
    "image_size": 32,
    "height": 32,
    "width": 32,
    "n_neighbors": 1,
    "hierarchy": "auto",  # the tree of the paper has the genres of GTZAN
}


@pytest.fixture(scope="module")
def music():
    return make_genres(2, genres=2, duration=30.0, random_state=0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


@pytest.mark.parametrize("name", DISTINCT)
def test_each_system_fits_and_predicts(name, music, cache):
    """Fit a small network of each system to the features of the paper."""
    pipeline = load_system(name, memory=cache)
    params = pipeline.get_params()
    last = {key: key.split("__")[-1] for key in params}
    pipeline.set_params(**{key: TINY[name] for key, name in last.items() if name in TINY})
    if "classifier__node_params" in params:  # the paper's nodes and epochs
        pipeline.set_params(classifier__node_params=None)
    if "classifier__backbone" in params:
        pipeline.set_params(classifier__weights=None)
    pipeline.fit(music.data, music.target)
    predicted = pipeline.predict(music.data)
    assert predicted.shape == music.target.shape
    rejected = getattr(pipeline["classifier"], "reject_label_", None)
    assert set(predicted) <= {*music.target, rejected}


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_system_is_a_pipeline_and_says_where_it_stands(name):
    system = get_system(name)
    pipeline = system.load(memory="features", n_jobs=2)
    assert isinstance(clone(pipeline), Pipeline)
    assert (pipeline["features"].memory, pipeline["features"].n_jobs) == ("features", 2)
    assert repr(system).startswith(f"<PaperSystem {name}: ")
    for part in (system.title, *system.published):
        assert part in repr(system)
    told = " ".join(system.__doc__.split())
    for part in (system.paper, system.where, system.protocol, system.choices):
        assert part in told
    names = pipeline.get_params()
    assert all(key in names for key in system.grid)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("hu2022/cnn", (10, 130, 13)),
        ("hu2022/table1/lstm-30", (30, 44, 13)),
        ("hu2022/cnn-deltas", (10, 130, 26)),
        ("kumar2021/image-cnn", (1, 256, 256, 3)),
        ("zhang/three-lstms", (30, 44, 13)),
        ("zhang/crnn", (1, 1400, 96)),
        ("bai/complex-cnn", (15, 166, 33)),
        ("bai/lstm", (30, 20, 72)),
    ],
)
def test_shapes_of_features(name, shape, music):
    features = load_system(name)["features"].transform(music.data[:1])
    assert features.shape == (1, *shape)


def test_augmentation_and_noise():
    pipeline = load_system("hu2022/cnn-augmented")
    assert "augmenter" in pipeline["features"].transformer.named_steps
    assert pipeline["classifier"].input_noise > 0


def test_published_figures():
    assert get_system("hu2022/cnn").published["validation accuracy"] == 0.7533
    assert get_system("hu2022/table3/cnn-leaky_relu").published == {"validation accuracy": 0.7427}
    assert get_system("bai/table2/10000-7").published["track accuracy"] == 0.82
    with pytest.raises(TypeError, match="does not support item assignment"):
        get_system("hu2022/cnn").published["accuracy"] = 1.0


def test_rows_of_tables_differ_as_the_tables_say():
    assert load_system("hu2022/table2/mlp-tanh")["classifier"].activation == "tanh"
    assert load_system("hu2022/table2/mlp-tanh")["classifier"].epochs == 50
    row = load_system("hu2022/table1/lstm-30")
    assert row.get_params()["features__segmenter__n_segments"] == 30
    assert load_system("bai/table2/10000-7")["classifier"].threshold == 7


def test_grids_of_the_tables():
    pipeline, grid = load_grid("hu2022/table1/lstm")
    assert grid == {"features__segmenter__n_segments": [10, 20, 30]}
    assert pipeline["classifier"].epochs == 100
    pipeline, grid = load_grid("hu2022/table2")
    assert type(pipeline["classifier"]).__name__ == "MLPGenreClassifier"
    assert pipeline["classifier"].epochs == 50
    assert np.size(grid["classifier__activation"]) == 5


def test_the_registry_cannot_be_changed_by_those_who_read_it():
    load_grid("hu2022/table3")[1]["classifier__activation"].clear()
    assert len(load_grid("hu2022/table3")[1]["classifier__activation"]) == 5
    system = get_system("hu2022/cnn")
    assert pickle.loads(pickle.dumps(system)) is system
    assert len({system, *list_systems()}) == len(SYSTEMS)


def test_unknown_names():
    with pytest.raises(ValueError, match="name=5 is no system"):
        get_system(5)
    with pytest.raises(ValueError, match="name='hu2022/rnn' is no system; choose from hu2022/mlp"):
        load_system("hu2022/rnn")
    with pytest.raises(ValueError, match="choose from hu2022, kumar2021"):
        load_system("he2016/resnet")
    with pytest.raises(ValueError, match="paper='he2016' is unknown"):
        list_systems("he2016")
    with pytest.raises(ValueError, match=r"name='hu2022/table5' is no table; choose from hu2022/t"):
        load_grid("hu2022/table5")


def test_page_lists_all_systems():
    text = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    assert text == page(), "print it anew: python -m skgenre.papers > docs/papers.md"
    assert all(f"`{name}`" in text for name in SYSTEMS)


@pytest.mark.parametrize(
    ("name", "iterations", "inputs"),
    [
        ("bai/complex-cnn", 10_000, 15_000),
        ("bai/rcnn", 25_000, 15_000),
        ("bai/whole-track", 60_000, 1000),
    ],
)
def test_iterations_of_bai_are_epochs_of_all_of_gtzan(name, iterations, inputs):
    classifier = load_system(name)["classifier"]
    steps = classifier.epochs * inputs / classifier.batch_size
    assert steps == pytest.approx(iterations, rel=0.01)
