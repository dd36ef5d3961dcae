"""ONNX graphs under construction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What Keras' export writes today; all nodes here are of this version of the operators too.
OPSET = 15


class Graph:
    """An ONNX graph to which nodes, constants and whole networks are added in order."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._n_names = 0

    def _name(self, kind: str) -> str:
        self._n_names += 1
        return f"{kind}_{self._n_names}"

    def add(self, operator: str, *inputs: Any, **attributes: Any) -> str:
        """Add a node of one output; inputs are names, or arrays, which become constants.

        Returns
        -------
        name : str
            The name of its output.
        """
        from onnx import helper

        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = self._name(operator)
        self._nodes.append(helper.make_node(operator, names, [output], output, **attributes))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Add an array; return its name."""
        from onnx import numpy_helper

        name = self._name("constant")
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def inline(self, model: Any, value: str) -> str:
        """Add all nodes of a model of one input and one output; return the output's name.

        Parameters
        ----------
        model : onnx.ModelProto
            The model.
        value : str
            What its input is.
        """
        from onnx import compose, helper

        graph = compose.add_prefix(model, f"{self._name('network')}/").graph
        name = graph.input[0].name
        self._nodes.append(helper.make_node("Identity", [value], [name], name))
        self._nodes.extend(graph.node)
        self._constants.extend(graph.initializer)
        return graph.output[0].name

    def to_model(self, name: str, shape: tuple[int | str, ...], outputs: dict[str, Any]) -> Any:
        """Return the model: one input of single precision, and the outputs.

        Parameters
        ----------
        name : str
            Name of the input.
        shape : tuple of int or str
            Its shape; a str names a size that may vary.
        outputs : dict of str to (str, tuple)
            By the name of an output, the value that it is, and its shape.
        """
        from onnx import TensorProto, helper

        nodes = list(self._nodes)
        for output, (value, _) in outputs.items():
            nodes.append(helper.make_node("Identity", [value], [output], output))
        graph = helper.make_graph(
            nodes,
            "skgenre",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
            [
                helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)
                for output, (_, output_shape) in outputs.items()
            ],
            self._constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
