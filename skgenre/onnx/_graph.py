"""Write ONNX graphs as one writes NumPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

if TYPE_CHECKING:
    import onnx

# Of December 2022: it has every operator that is needed, and any runtime since then reads it.
OPSET = 18


class Value:
    """A tensor in a :class:`Graph`, with the operators of an array.

    Arithmetic and comparisons, ``@``, ``.T`` and slices add nodes to the graph. Numbers take the
    type of the tensor that they stand beside; NumPy arrays keep theirs, and ONNX converts none.
    An index is a slice of step 1 or, on one axis, an integer or an array of them: ``x[:, 2:5]``,
    ``x[:, columns]``.

    Attributes
    ----------
    graph : Graph
        The graph it belongs to.
    name : str
        Its name there.
    dtype : numpy.dtype
        Type of its elements.
    shape : tuple of int, str or None
        Its dimensions: a number, the name of one that is known at run time only, or None where
        nothing is known.
    """

    # NumPy arrays leave operators to this class.
    __array_ufunc__ = None

    def __init__(self, graph: Graph, name: str, dtype: DTypeLike, shape: Sequence[Any]):
        self.graph = graph
        self.name = name
        self.dtype = np.dtype(dtype)
        self.shape = tuple(shape)

    def __repr__(self) -> str:
        return f"Value({self.name!r}, {self.dtype}, {self.shape})"

    def __add__(self, other: Any) -> Value:
        return self.graph.Add(self, other)

    def __radd__(self, other: Any) -> Value:
        return self.graph.Add(other, self)

    def __sub__(self, other: Any) -> Value:
        return self.graph.Sub(self, other)

    def __rsub__(self, other: Any) -> Value:
        return self.graph.Sub(other, self)

    def __mul__(self, other: Any) -> Value:
        return self.graph.Mul(self, other)

    def __rmul__(self, other: Any) -> Value:
        return self.graph.Mul(other, self)

    def __truediv__(self, other: Any) -> Value:
        return self.graph.Div(self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return self.graph.Div(other, self)

    def __pow__(self, other: Any) -> Value:
        return self.graph.Pow(self, other)

    def __matmul__(self, other: Any) -> Value:
        return self.graph.MatMul(self, other)

    def __rmatmul__(self, other: Any) -> Value:
        return self.graph.MatMul(other, self)

    def __neg__(self) -> Value:
        return self.graph.Neg(self)

    def __gt__(self, other: Any) -> Value:
        return self.graph.Greater(self, other)

    def __lt__(self, other: Any) -> Value:
        return self.graph.Less(self, other)

    def __getitem__(self, index: Any) -> Value:
        index = index if isinstance(index, tuple) else (index,)
        slices = {axis: part for axis, part in enumerate(index) if isinstance(part, slice)}
        arrays = {axis: part for axis, part in enumerate(index) if axis not in slices}
        if len(arrays) > 1 or any(part.step not in (None, 1) for part in slices.values()):
            raise IndexError(f"An index has slices of step 1 and one array at most; got {index}.")
        value = self
        for axis, part in slices.items():
            if part != slice(None):
                stop = np.iinfo(np.int64).max if part.stop is None else part.stop
                value = self.graph.Slice(value, [part.start or 0], [stop], [axis])
        for axis, places in arrays.items():  # last, since it may add axes or remove its own
            value = self.graph.Gather(value, np.asarray(places, dtype=np.int64), axis=axis)
        return value

    @property
    def T(self) -> Value:  # noqa: N802  # as of arrays
        """The tensor with its axes in reverse order."""
        return self.graph.Transpose(self)

    def astype(self, dtype: DTypeLike) -> Value:
        """Return the tensor with elements of another type."""
        return self.graph.Cast(self, to=_onnx_type(dtype))

    def reshape(self, *shape: int) -> Value:
        """Return the elements in another shape; -1 stands for what is left over."""
        return self.graph.Reshape(self, list(shape), allowzero=1)

    def sum(self, axis: int, *, keepdims: bool = False) -> Value:
        """Return the sum over an axis."""
        return self.graph.ReduceSum(self, [axis], keepdims=int(keepdims))

    def mean(self, axis: int, *, keepdims: bool = False) -> Value:
        """Return the mean over an axis."""
        return self.graph.ReduceMean(self, [axis], keepdims=int(keepdims))

    def max(self, axis: int, *, keepdims: bool = False) -> Value:
        """Return the maximum over an axis."""
        return self.graph.ReduceMax(self, [axis], keepdims=int(keepdims))


class Graph:
    """Builds an ONNX model node by node.

    Each operator of ONNX is a method of that name. Its inputs are values, arrays, numbers, or
    None for one that is left out, and its attributes keywords. ``n_outputs=2`` gives a tuple of
    two values in place of one. Types and shapes are worked out as nodes are added, so that a
    mistake is reported on the line that makes it.

    Parameters
    ----------
    name : str
        Name of the graph.

    Examples
    --------
    >>> import numpy as np
    >>> graph = Graph("distances")
    >>> x = graph.input("x", np.float32, ("n_rows", 3))
    >>> graph.output("length", graph.Sqrt((x**2).sum(axis=1)))
    >>> model = graph.model()
    """

    def __init__(self, name: str):
        self.name = name
        self._inputs: list[Value] = []
        self._outputs: list[Value] = []
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._counts: Counter[str] = Counter()

    def input(self, name: str, dtype: DTypeLike, shape: Sequence[int | str]) -> Value:
        """Add an input; a dimension that is known at run time only has a name."""
        value = Value(self, name, dtype, shape)
        self._inputs.append(value)
        return value

    def constant(self, array: Any) -> Value:
        """Return an array as a value, which other nodes may share."""
        from onnx import numpy_helper

        array = np.asarray(array)
        name = self._unique("constant")
        self._constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return Value(self, name, array.dtype, array.shape)

    def inline(self, model: onnx.ModelProto, **inputs: Value) -> dict[str, Value]:
        """Add all nodes of another model to its inputs by name; return its outputs by name."""
        from onnx import compose, version_converter

        if any(opset.domain == "" and opset.version != OPSET for opset in model.opset_import):
            model = version_converter.convert_version(model, OPSET)
        prefix = f"{self._unique(model.graph.name)}/"
        body = compose.add_prefix(model, prefix).graph
        for name, value in inputs.items():
            self._add("Identity", [value], [prefix + name], {})
        self._nodes += body.node
        self._constants |= {constant.name: constant for constant in body.initializer}
        return {
            output.name.removeprefix(prefix): self._value(output.name, output.type.tensor_type)
            for output in body.output
        }

    def output(self, name: str, value: Value) -> None:
        """Make a value an output of the model."""
        # A node of its own gives it the name, whatever else the value is used for.
        self._add("Identity", [value], [name], {})
        self._outputs.append(Value(self, name, value.dtype, value.shape))

    def model(self) -> onnx.ModelProto:
        """Return the model, checked."""
        from onnx import checker, helper

        graph = helper.make_graph(
            self._nodes,
            self.name,
            [_value_info(value) for value in self._inputs],
            [_value_info(value) for value in self._outputs],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET)]
        ir_version = helper.find_min_ir_version_for(opsets)
        model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
        checker.check_model(model)
        return model

    def __getattr__(self, operator: str) -> Callable[..., Any]:
        from onnx import defs

        if not defs.has(operator, OPSET):
            raise AttributeError(f"ONNX has no operator {operator!r} in its opset {OPSET}.")

        def add(*inputs: Any, n_outputs: int = 1, **attributes: Any) -> Any:
            names = [self._unique(operator) for _ in range(n_outputs)]
            values = self._add(operator, self._values(operator, inputs), names, attributes)
            return values[0] if n_outputs == 1 else tuple(values)

        return add

    def _unique(self, stem: str) -> str:
        self._counts[stem] += 1
        return f"{stem}_{self._counts[stem]}"

    def _values(self, operator: str, inputs: Sequence[Any]) -> list[Value | None]:
        """Turn what is no value yet into constants, of the type that the operator wants."""
        from onnx import defs

        formal = defs.get_schema(operator, OPSET).inputs
        # The last one of some operators may be repeated.
        types = [formal[min(i, len(formal) - 1)].type_str for i in range(len(inputs))]
        known: dict[str, Any] = {"tensor(int64)": np.dtype(np.int64)}
        for given, kind in zip(inputs, types, strict=True):
            if isinstance(given, (Value, np.ndarray, np.generic)):
                dtype = known.setdefault(kind, given.dtype)
                if given.dtype != dtype:
                    raise TypeError(
                        f"{operator} takes inputs of one type, but got {dtype} and {given.dtype}; "
                        "convert one by astype."
                    )
        return [
            given
            if given is None or isinstance(given, Value)
            else self.constant(_as_array(given, known.get(kind)))
            for given, kind in zip(inputs, types, strict=True)
        ]

    def _add(
        self,
        operator: str,
        inputs: Sequence[Value | None],
        names: Sequence[str],
        attributes: dict[str, Any],
    ) -> list[Value]:
        """Add a node, and return its outputs with their types and shapes."""
        from onnx import defs, helper, shape_inference

        node = helper.make_node(
            operator,
            ["" if value is None else value.name for value in inputs],
            list(names),
            name=names[0],
            **attributes,
        )
        given = {value.name: value for value in inputs if value is not None}
        types = shape_inference.infer_node_outputs(
            defs.get_schema(operator, OPSET),
            node,
            {name: _value_info(value).type for name, value in given.items()},
            {name: self._constants[name] for name in given if name in self._constants},
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        self._nodes.append(node)
        return [self._value(name, types[name].tensor_type) for name in names]

    def _value(self, name: str, tensor: onnx.TypeProto.Tensor) -> Value:
        from onnx import helper

        shape = [
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
            for dim in tensor.shape.dim
        ]
        return Value(self, name, helper.tensor_dtype_to_np_dtype(tensor.elem_type), shape)


def _as_array(numbers: Any, dtype: DTypeLike | None) -> Any:
    """Return numbers of Python as an array of a type, if that type can hold them."""
    array = np.asarray(numbers, dtype=dtype)
    if array.dtype.kind in "iub" and not np.array_equal(array, numbers):
        raise TypeError(f"{numbers!r} stands beside values of {array.dtype}, which cannot hold it.")
    return array


def _onnx_type(dtype: DTypeLike) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _value_info(value: Value) -> onnx.ValueInfoProto:
    from onnx import helper

    return helper.make_tensor_value_info(value.name, _onnx_type(value.dtype), value.shape)
