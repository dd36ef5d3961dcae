"""Graphs are written as NumPy is, and mistakes are reported where they are made."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from skgenre.onnx._graph import Graph

X = np.random.default_rng(0).normal(size=(4, 6))


@pytest.fixture
def graph():
    return Graph("test")


@pytest.fixture
def x(graph):
    return graph.input("x", np.float64, ("n_rows", 6))


def run(value, data=X):
    graph = value.graph
    graph.output("y", value)
    content = graph.model().SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": data})[0]


FORMULAS = {
    "arithmetic": lambda x: (1 + x - 2) * 3 / 4 - (5 - x) / (2 * x),
    "arrays first": lambda x: np.arange(6.0) - x * np.ones((1, 6)) + np.ones(6) / x,
    "powers": lambda x: -(x**2),
    "products": lambda x: np.ones((2, 4)) @ (x @ np.arange(12.0).reshape(6, 2)),
    "transposed": lambda x: (x @ x.T).T @ x,
    "comparisons": lambda x: (x > 0.1).astype(np.float64) + (x < -0.5).astype(np.float64),
    "slices": lambda x: x[1:3, :-2] + x[2:, 2:],
    "columns": lambda x: x[:, np.array([4, 0, 0])] * x[:, :1],
    "table of columns": lambda x: x[:, np.array([[4, 0], [2, 5]])],
    "an element of rows": lambda x: x[1, 2:] + x[np.array([0, 2]), 1:5],
    "types": lambda x: x.astype(np.float32) * np.float32(2) + 1,
    "shapes": lambda x: x.reshape(2, -1, 3),
    "reductions": lambda x: x.sum(axis=1, keepdims=True) - x.mean(axis=0) + x.max(axis=0),
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_formulas_give_what_they_give_in_numpy(x, formula):
    value, expected = formula(x), formula(X)
    found = run(value)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert value.dtype == found.dtype == expected.dtype
    assert len(value.shape) == found.ndim


def test_operators_of_onnx_with_attributes_and_several_outputs(graph, x):
    values, places = graph.TopK(x, [2], axis=1, largest=0, n_outputs=2)
    assert values.shape == ("n_rows", 2)
    assert places.dtype == np.int64
    smallest = run(graph.Concat(values, graph.Clip(x, None, 0.5), axis=1))
    expected = np.hstack([np.sort(X, axis=1)[:, :2], np.minimum(X, 0.5)])
    np.testing.assert_array_equal(smallest, expected)


def test_whole_models_are_added(x):
    other = Graph("other")
    other.output("twice", other.input("x", np.float64, ("n", 6)) * 2)
    model = other.model()
    (once,) = x.graph.inline(model, x=x).values()
    twice = x.graph.inline(model, x=once + 1)["twice"]
    np.testing.assert_allclose(run(twice), 2 * (2 * X + 1))


def test_models_of_an_older_opset_are_converted(x):
    import onnx

    # Up to opset 12, the axes of a sum were an attribute.
    text = (
        '<ir_version: 7, opset_import: ["": 12]> old (double[n, 6] x) => (double[n, 1] y)'
        "{ y = ReduceSum<axes=[1]>(x) }"
    )
    total = x.graph.inline(onnx.parser.parse_model(text), x=x)["y"]
    np.testing.assert_allclose(run(total), X.sum(axis=1, keepdims=True))


def test_numbers_stay_scalars(graph, x):
    assert graph.constant(3.0).shape == ()
    assert graph.ReduceSum(x, [0, 1], keepdims=0).reshape().shape == ()


@pytest.mark.parametrize(
    ("mistake", "error", "match"),
    [
        (lambda x: x + x.astype(np.float32), TypeError, "Add .* float64 and float32; .* astype"),
        (lambda x: x * np.ones(6, dtype=int), TypeError, "Mul .* float64 and int64"),
        (lambda x: x.astype(np.int32) * 0.5, TypeError, "0.5 stands beside values of int32"),
        (lambda x: x[::2], IndexError, "slices of step 1"),
        (lambda x: x[np.array([0, 1]), np.array([1, 2])], IndexError, "one array at most"),
        (lambda x: x @ np.ones((5, 2)), Exception, "Incompatible dimensions"),
        (lambda x: x.graph.Cosinus(x), AttributeError, "no operator 'Cosinus' in its opset 18"),
    ],
)
def test_mistakes_are_reported_where_they_are_made(x, mistake, error, match):
    with pytest.raises(error, match=match):
        mistake(x)
