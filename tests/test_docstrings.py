"""Documentation says what the code does: parameters, defaults, attributes, sections, names."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _displays import drawn
from _estimators import (
    small_classifiers,
    small_pretrained_classifiers,
    small_searches,
    small_table_classifiers,
    small_track_classifiers,
    small_transformers,
)
from numpydoc.docscrape import ClassDoc, FunctionDoc
from sklearn.base import BaseEstimator

import skgenre
from skgenre import AudioLoader

ROOT = Path(__file__).parents[1]
NAMES = [name for name in skgenre.__all__ if name != "__version__"]
PUBLIC = [name for name in NAMES if not name.endswith("Warning")]  # they have no parameters
CLASSES = [name for name in PUBLIC if inspect.isclass(getattr(skgenre, name))]
DISPLAYS = [name for name in CLASSES if name.endswith("Display")]
FUNCTIONS = [name for name in PUBLIC if name not in CLASSES]
METHODS = [
    (name, method)
    for name in CLASSES
    for method, function in inspect.getmembers(getattr(skgenre, name), callable)
    if not method.startswith("_") and str(function.__module__).startswith("skgenre.")
]
ORDER = [
    "Parameters",
    "Attributes",
    "Returns",
    "Raises",
    "Warns",
    "See Also",
    "Notes",
    "References",
    "Examples",
]


def _parse(name, method=None):
    """Return the parsed docstring of a public class, method or function."""
    thing = getattr(skgenre, name)
    if method is not None:
        return FunctionDoc(getattr(thing, method))
    return (
        ClassDoc(thing, config={"show_class_members": False})
        if name in CLASSES
        else (FunctionDoc(thing))
    )


def _documented(doc, section="Parameters"):
    """Return name -> type text; "l1, l2 : float" documents two names."""
    return {name.strip(" *"): p.type for p in doc[section] for name in p.name.split(",")}


def _signature(name, method=None):
    """Return the parameters of the code, without self."""
    thing = getattr(skgenre, name)
    thing = thing if method is None else getattr(thing, method)
    parameters = inspect.signature(thing).parameters
    return {key: p for key, p in parameters.items() if key != "self"}


@pytest.mark.parametrize("name", PUBLIC)
def test_documented_parameters_equal_the_signature(name):
    assert list(_documented(_parse(name))) == list(_signature(name))


@pytest.mark.parametrize(("name", "method"), METHODS, ids=".".join)
def test_documented_parameters_of_methods_equal_the_signature(name, method):
    assert list(_documented(_parse(name, method))) == list(_signature(name, method))


@pytest.mark.parametrize("name", PUBLIC)
def test_documented_defaults_equal_the_code(name):
    documented = _documented(_parse(name))
    for key, parameter in _signature(name).items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        found = re.search(r"default=(.+)$", documented[key])
        if parameter.default is inspect.Parameter.empty:
            assert found is None, f"{key} has no default, its documentation names one"
            continue
        assert found is not None, f"the default of {key} is not documented"
        default = ast.literal_eval(found.group(1))
        assert default == parameter.default, key
        assert isinstance(default, bool) == isinstance(parameter.default, bool), key


def _fitted(name):
    """Fit an estimator on data that set each attribute it can have."""
    if name == "OnnxGenreModel":
        return skgenre.OnnxGenreModel("model.onnx")  # reads its attributes from there
    estimators = [*small_classifiers(), *small_table_classifiers(), *small_transformers()]
    estimators += [*small_track_classifiers(), *small_pretrained_classifiers()]
    estimators += small_searches()
    small = {type(e).__name__: e for e in estimators}
    estimator = small.get(name) or AudioLoader(sampling_rate=8, duration=1.0)
    X = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    y = np.repeat(["calm", "loud"], 4)
    if name in ("FrameScaler", "SimilarTracks") or (
        name.endswith("Classifier") and name != "GenreClassifier"
    ):
        X = pd.DataFrame(X, columns=[f"x{i}" for i in range(8)])
    if "epochs" in estimator.get_params():
        estimator.set_params(epochs=1)
    if name == "HierarchicalGenreClassifier":
        estimator.set_params(estimator__epochs=1)
    if hasattr(estimator, "fit_transform"):
        estimator.fit_transform(X, y)
        return estimator
    return estimator.fit(X, y)


@pytest.mark.filterwarnings("ignore::skgenre.NoSoundWarning")  # the tracks are short
@pytest.mark.parametrize("name", CLASSES)
def test_documented_attributes_equal_the_fitted_ones(name):
    thing = drawn(name) if name in DISPLAYS else _fitted(name)
    properties = {k for k, value in vars(type(thing)).items() if isinstance(value, property)}
    names = {*vars(thing), *properties}
    fitted = {key for key in names if key.endswith("_") and not key.startswith("_")}
    assert set(_documented(_parse(name), "Attributes")) == fitted


@pytest.mark.parametrize("name", PUBLIC)
def test_public_docstring_has_a_summary_and_runnable_examples(name):
    doc = _parse(name)
    summary = " ".join(doc["Summary"])
    assert summary.endswith("."), "the summary is one sentence on one line"
    assert len(doc["Summary"]) == 1
    assert any(line.startswith(">>> ") for line in doc["Examples"])
    assert any(re.search(rf"import .*\b{name}\b", line) for line in doc["Examples"])
    if name in FUNCTIONS:
        assert doc["Returns"]


@pytest.mark.parametrize(("name", "method"), METHODS, ids=".".join)
def test_methods_have_a_summary_and_say_what_they_return(name, method):
    doc = _parse(name, method)
    assert " ".join(doc["Summary"]).endswith(".")
    assert doc["Returns"]
    for entry in [*doc["Parameters"], *doc["Returns"]]:
        assert entry.type, f"{entry.name} has no type"
        assert entry.desc, f"{entry.name} is not described"


@pytest.mark.parametrize("name", PUBLIC)
def test_each_parameter_and_attribute_is_described(name):
    doc = _parse(name)
    for entry in [*doc["Parameters"], *doc["Attributes"]]:
        assert entry.type, f"{entry.name} has no type"
        assert entry.desc, f"{entry.name} is not described"


@pytest.mark.parametrize(
    ("name", "method"), [*[(name, None) for name in PUBLIC], *METHODS], ids=lambda part: str(part)
)
def test_sections_are_known_and_in_the_fixed_order(name, method):
    thing = getattr(skgenre, name)
    text = inspect.getdoc(thing if method is None else getattr(thing, method))
    headings = re.findall(r"^(\S.*)\n(-{3,})$", text, flags=re.MULTILINE)
    sections = [heading for heading, _ in headings]
    assert sections == [section for section in ORDER if section in sections]
    assert [len(line) for _, line in headings] == [len(section) for section in sections]


def test_every_public_class_is_an_estimator_or_a_display_and_has_methods_to_check():
    # What the tests above run over is found by inspection: it must not become empty.
    estimators = [name for name in CLASSES if name not in DISPLAYS]
    assert all(issubclass(getattr(skgenre, name), BaseEstimator) for name in estimators)
    assert len(DISPLAYS) == 7
    assert {name for name, _ in METHODS} == set(CLASSES)
    assert ("CNNGenreClassifier", "predict_segment_proba") in METHODS
    assert ("Segmenter", "transform") in METHODS


def test_api_page_lists_exactly_the_public_names():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"currentmodule:: skgenre\n\n.*?\n\n(.*?)```", page, flags=re.DOTALL)
    listed = [name for block in blocks for name in block.split()]
    assert sorted([*listed, "__version__"]) == sorted(skgenre.__all__)
