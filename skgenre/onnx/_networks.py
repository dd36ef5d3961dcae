"""Graphs of the network classifiers: from features to the votes of the segments."""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from skgenre.classifiers import HierarchicalGenreClassifier, LogMelCNNGenreClassifier
from skgenre.onnx._graph import OPSET, Graph
from skgenre.onnx._opened import ADDED_AXES
from skgenre.preprocessing import FrameScaler
from skgenre.utils._tf import import_keras, lock

SCALERS = (FrameScaler, StandardScaler)
INPUT = "features"


def network_graph(scalers: Sequence[Any], classifier: Any, shape: tuple[int, ...]) -> Any:
    """Return the graph of a network classifier and the scalers before it.

    Parameters
    ----------
    scalers : sequence of transformers
        Fitted, of the types of ``SCALERS``.
    classifier : classifier
        Fitted: one whose network predicts segments, or a hierarchy of them.
    shape : tuple of int
        Shape of features, of which the first axis, the tracks, may vary; and the second, the
        segments, where there is one.

    Returns
    -------
    model : onnx.ModelProto
        From "features" to "probabilities" and "segment_probabilities".
    """
    graph = Graph()
    value = INPUT
    for scaler in scalers:
        value = _scale(graph, scaler, value)
    segment_proba, proba = _predict(graph, classifier, value, len(shape))
    return graph.to_model(INPUT, _input_shape(classifier, shape), {
        "probabilities": (proba, ("n_tracks", len(classifier.classes_))),
        "segment_probabilities": (
            segment_proba, ("n_tracks", "n_segments", len(classifier.classes_)),
        ),
    })  # fmt: skip


def full_shape(classifier: Any) -> tuple[int, ...]:
    """Return the shape of one track of one segment, as a network classifier takes it."""
    while isinstance(classifier, HierarchicalGenreClassifier):
        classifier = classifier.nodes_["root"]
    return (1, 1, *classifier.segment_shape_)


def is_network(classifier: Any) -> bool:
    """Whether a fitted classifier has a graph here."""
    if isinstance(classifier, HierarchicalGenreClassifier):
        return all(is_network(node) for node in classifier.nodes_.values())
    return hasattr(classifier, "network_") and hasattr(classifier, "segment_shape_")


def _input_shape(classifier: Any, shape: tuple[int, ...]) -> tuple[int | str, ...]:
    """Name the axes that may vary."""
    has_segments = len(shape) == len(full_shape(classifier))
    start: tuple[int | str, ...] = ("n_tracks", "n_segments") if has_segments else ("n_tracks",)
    rest: list[int | str] = [*shape[len(start) :]]
    if isinstance(classifier, LogMelCNNGenreClassifier):
        rest[0] = "n_frames"
    return (*start, *rest)


def _scale(graph: Graph, scaler: Any, value: str) -> str:
    """Add a scaler of the last axis."""
    if getattr(scaler, "with_mean", True):
        value = graph.add("Sub", value, np.asarray(scaler.mean_, np.float32))
    if getattr(scaler, "with_std", True):
        value = graph.add("Div", value, np.asarray(scaler.scale_, np.float32))
    return value


def _predict(graph: Graph, classifier: Any, value: str, ndim: int) -> tuple[str, str]:
    """Add a classifier; return the probabilities of the segments and of the tracks."""
    if isinstance(classifier, HierarchicalGenreClassifier):
        nodes = {
            path: _predict(graph, node, value, ndim) for path, node in classifier.nodes_.items()
        }
        of_segments, of_tracks = (
            _route(graph, classifier, {path: pair[i] for path, pair in nodes.items()})
            for i in (0, 1)
        )
        return of_segments, of_tracks
    added = ADDED_AXES.get((2 + len(classifier.segment_shape_), ndim))
    if added:
        value = graph.add("Unsqueeze", value, np.array(added))
    if isinstance(classifier, LogMelCNNGenreClassifier):
        value = _crops(graph, classifier, value)
    n_tracks = graph.add("Gather", graph.add("Shape", value), np.array([0]))
    shape = np.array([-1, *classifier.segment_shape_])
    value = graph.inline(keras_graph(classifier.network_), graph.add("Reshape", value, shape))
    n_classes = np.array([-1, len(classifier.classes_)])
    value = graph.add("Reshape", value, graph.add("Concat", n_tracks, n_classes, axis=0))
    return value, _vote(graph, value, classifier.voting, len(classifier.classes_))


def keras_graph(network: Any) -> Any:
    """Return the graph of a trained network, as Keras exports it.

    Parameters
    ----------
    network : object
        The attribute ``network_`` of a classifier; it stays as it is.

    Returns
    -------
    model : onnx.ModelProto
        From segments to probabilities.
    """
    import onnx

    keras = import_keras()
    with lock, tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        model = copy.deepcopy(network).model
        for layer in model.layers:
            if isinstance(layer, keras.layers.LSTM):
                # The one operation of TensorFlow for all frames, which ONNX does not know, stands
                # in for Keras' loop, which the export turns into ONNX' own LSTM.
                vars(layer).pop("inner_loop", None)
        warnings.simplefilter("ignore")  # of aliases in NumPy that Keras looks for
        path = str(Path(folder) / "network.onnx")
        shape = (None, *model.inputs[0].shape[1:])
        signature = [keras.InputSpec(dtype="float32", shape=shape, name="segments")]
        model.export(
            path, format="onnx", verbose=False, input_signature=signature, opset_version=OPSET
        )
        return onnx.load(path)


def _vote(graph: Graph, value: str, voting: str, n_classes: int) -> str:
    """Add the vote of the segments, as the classifiers compute it."""
    double = graph.add("Cast", value, to=_double())
    proba = graph.add("ReduceMean", double, axes=[1], keepdims=0)
    if voting == "product":
        smallest = np.array(np.finfo(np.float32).tiny, np.float64)
        logs = graph.add("Log", graph.add("Max", double, smallest))
        proba = graph.add("Softmax", graph.add("ReduceMean", logs, axes=[1], keepdims=0), axis=-1)
    elif voting == "hard":
        best = graph.add("ArgMax", value, axis=2, keepdims=1)
        ballots = graph.add("Cast", graph.add("Equal", best, np.arange(n_classes)), to=_double())
        shares = graph.add("ReduceMean", ballots, axes=[1], keepdims=0)
        shares = graph.add("Mul", shares, np.array(0.999))
        proba = graph.add("Add", shares, graph.add("Mul", proba, np.array(0.001)))
    return _normalised(graph, proba)


def _normalised(graph: Graph, proba: str) -> str:
    """Bring the sums over the last axis to one, in single precision."""
    total = graph.add("ReduceSum", proba, np.array([-1]), keepdims=1)
    return graph.add("Cast", graph.add("Div", proba, total), to=_single())


def _route(graph: Graph, classifier: Any, probas: dict[str, str]) -> str:
    """Bring the probabilities of the nodes of a hierarchy together."""
    columns: dict[Any, str] = {}

    def descend(children: Any, path: str, reach: str | None) -> None:
        below = list(children.items() if isinstance(children, dict) else enumerate(children))
        node = probas[path]
        if classifier.routing == "hard":
            best = graph.add("ArgMax", node, axis=-1, keepdims=1)
            node = graph.add("Equal", best, np.arange(len(below)))
        node = graph.add("Cast", node, to=_double())
        for position, (name, child) in enumerate(below):
            share = graph.add("Gather", node, np.array([position]), axis=-1)
            if reach is not None:
                share = graph.add("Mul", reach, share)
            if isinstance(child, (dict, list)):
                descend(child, name if path == "root" else f"{path}/{name}", share)
            else:
                columns[child] = share

    descend(classifier.hierarchy_, "root", None)
    absent = graph.add("Mul", next(iter(columns.values())), np.array(0.0))
    labels = classifier.classes_.tolist()
    shares = [columns.get(label, absent) for label in labels]
    return _normalised(graph, graph.add("Concat", *shares, axis=-1))


def _crops(graph: Graph, classifier: Any, value: str) -> str:
    """Add what LogMelCNNGenreClassifier does before its network: levels, and crops.

    ``value`` has the shape (n_tracks, n_segments, n_frames, n_mels). Shorter tracks start again
    from their beginning.
    """
    n_crop, n_crops = int(classifier.crop_frames), int(classifier.n_crops)
    if classifier.floor is not None:
        value = graph.add("Max", value, np.array(classifier.floor, np.float32))
    if classifier.center_bands:
        value = graph.add("Sub", value, graph.add("ReduceMean", value, axes=[2], keepdims=1))
        value = graph.add("Div", value, np.array(10, np.float32))
    shape = graph.add("Shape", value)
    n_frames = graph.add("Gather", shape, np.array(2))
    rest = graph.add("Max", graph.add("Sub", n_frames, np.array(n_crop)), np.array(0))
    steps = np.arange(n_crops) / max(1, n_crops - 1)
    starts = graph.add("Round", graph.add("Mul", graph.add("Cast", rest, to=_double()), steps))
    starts = graph.add("Cast", starts, to=_integer())  # (n_crops,)
    starts = graph.add("Reshape", starts, np.array([-1, 1]))
    frames = graph.add("Mod", graph.add("Add", starts, np.arange(n_crop)), n_frames)
    value = graph.add("Gather", value, frames, axis=2)
    # (n_tracks, n_segments, n_crops, n_crop, n_mels), and all crops of a track in order
    n_mels = classifier.segment_shape_[1]
    first = graph.add("Gather", shape, np.array([0]))
    crops = graph.add("Concat", first, np.array([-1, n_crop, n_mels]), axis=0)
    return graph.add("Reshape", value, crops)


def _single() -> int:
    from onnx import TensorProto

    return int(TensorProto.FLOAT)


def _double() -> int:
    from onnx import TensorProto

    return int(TensorProto.DOUBLE)


def _integer() -> int:
    from onnx import TensorProto

    return int(TensorProto.INT64)
