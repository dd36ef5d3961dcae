"""Graphs of the network classifiers: from features to the votes of the segments."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from skgenre.classifiers import HierarchicalGenreClassifier, LogMelCNNGenreClassifier
from skgenre.onnx._graph import OPSET, Graph, Value
from skgenre.onnx._opened import ADDED_AXES
from skgenre.preprocessing import FrameScaler
from skgenre.utils._tf import import_keras, lock

if TYPE_CHECKING:
    import onnx

SCALERS = (FrameScaler, StandardScaler)


def network_graph(
    scalers: Sequence[Any], classifier: Any, shape: tuple[int, ...]
) -> onnx.ModelProto:
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
    graph = Graph(type(classifier).__name__)
    x = graph.input("features", np.float32, _input_shape(classifier, shape))
    for scaler in scalers:
        if scaler.with_mean:
            x = x - np.asarray(scaler.mean_, np.float32)
        if scaler.with_std:
            x = x / np.asarray(scaler.scale_, np.float32)
    of_segments, of_tracks = _predict(classifier, x)
    graph.output("probabilities", of_tracks)
    graph.output("segment_probabilities", of_segments)
    return graph.model()


def segment_shape(classifier: Any) -> tuple[int, ...]:
    """Return the shape of a segment, as the network takes it."""
    while isinstance(classifier, HierarchicalGenreClassifier):
        classifier = classifier.nodes_["root"]
    return tuple(classifier.segment_shape_)


def feature_shape(classifier: Any) -> tuple[int, ...]:
    """Return the shape of one track of one segment, as a network classifier was fitted on it."""
    shape = segment_shape(classifier)
    if shape[-1] == classifier.n_features_in_:
        return (1, 1, *shape)
    while shape[-1] != classifier.n_features_in_:  # fit added axes of length 1
        shape = shape[:-1]
    return (1, *shape)


def is_network(classifier: Any) -> bool:
    """Whether a fitted classifier has a graph here."""
    if isinstance(classifier, HierarchicalGenreClassifier):
        return all(is_network(node) for node in classifier.nodes_.values())
    return hasattr(classifier, "network_") and hasattr(classifier, "segment_shape_")


def _input_shape(classifier: Any, shape: tuple[int, ...]) -> tuple[int | str, ...]:
    """Name the axes that may vary."""
    has_segments = len(shape) == 2 + len(segment_shape(classifier))
    start: tuple[int | str, ...] = ("n_tracks", "n_segments") if has_segments else ("n_tracks",)
    rest: list[int | str] = [*shape[len(start) :]]
    if isinstance(classifier, LogMelCNNGenreClassifier):
        rest[0] = "n_frames"
    return (*start, *rest)


def _predict(classifier: Any, x: Value) -> tuple[Value, Value]:
    """Add a classifier; return the probabilities of the segments and of the tracks."""
    if isinstance(classifier, HierarchicalGenreClassifier):
        nodes = {path: _predict(node, x) for path, node in classifier.nodes_.items()}
        of_segments, of_tracks = (
            _route(classifier, {path: pair[i] for path, pair in nodes.items()}) for i in (0, 1)
        )
        return of_segments, of_tracks
    graph = x.graph
    added = ADDED_AXES.get((2 + len(classifier.segment_shape_), len(x.shape)))
    if added:
        x = graph.Unsqueeze(x, list(added))
    if isinstance(classifier, LogMelCNNGenreClassifier):
        x = _crops(classifier, x)
    segments = x.reshape(-1, *classifier.segment_shape_)
    (proba,) = graph.inline(_keras_graph(classifier.network_), segments=segments).values()
    n_classes = len(classifier.classes_)
    shape = graph.Concat(graph.Shape(x, end=1), [-1, n_classes], axis=0)
    proba = graph.Reshape(proba, shape)
    # ONNX does not work out this shape.
    proba = Value(graph, proba.name, proba.dtype, ("n_tracks", "n_segments", n_classes))
    return proba, _vote(proba, classifier.voting, n_classes)


def _keras_graph(network: Any) -> onnx.ModelProto:
    """Return the graph of a trained network, as Keras exports it; the network stays as it is."""
    import onnx

    keras = import_keras()
    with lock, tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        model = copy.deepcopy(network).model
        for layer in model.layers:
            if isinstance(layer, keras.layers.LSTM):
                # TensorFlow's one operation for all frames, which ONNX does not know, stands in
                # for Keras' loop, which the export turns into ONNX' own LSTM.
                vars(layer).pop("inner_loop", None)
        warnings.simplefilter("ignore")  # of aliases in NumPy that Keras looks for
        path = str(Path(folder) / "network.onnx")
        shape = (None, *model.inputs[0].shape[1:])
        signature = [keras.InputSpec(dtype="float32", shape=shape, name="segments")]
        logger = logging.getLogger("tf2onnx")
        was_disabled, logger.disabled = logger.disabled, True  # what is wrong is an error below
        try:
            model.export(
                path, format="onnx", verbose=False, input_signature=signature, opset_version=OPSET
            )
        finally:
            logger.disabled = was_disabled
        graph = onnx.load(path)
    _replace_erfc(graph)
    unknown = {node.op_type for node in graph.graph.node if not onnx.defs.has(node.op_type, OPSET)}
    if unknown:
        raise ValueError(
            f"The network has operations of TensorFlow that ONNX does not have: "
            f"{', '.join(sorted(unknown))}. Replace the layers that need them, or save the model "
            "by skgenre.save."
        )
    return graph


def _replace_erfc(model: onnx.ModelProto) -> None:
    """Replace Erfc, in which Keras computes "gelu" and which ONNX does not have, by 1 - Erf."""
    from onnx import TensorProto, helper

    nodes = []
    for node in model.graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        one, erf = f"{node.name}/one", f"{node.name}/erf"
        model.graph.initializer.append(helper.make_tensor(one, TensorProto.FLOAT, [], [1.0]))
        nodes.append(helper.make_node("Erf", node.input, [erf], erf))
        nodes.append(helper.make_node("Sub", [one, erf], node.output, node.name))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _vote(proba: Value, voting: str, n_classes: int) -> Value:
    """Add the vote of the segments, as the classifiers compute it."""
    graph = proba.graph
    double = proba.astype(np.float64)
    mean = double.mean(1)
    if voting == "product":
        logs = graph.Log(graph.Max(double, float(np.finfo(np.float32).tiny)))
        mean = graph.Softmax(logs.mean(1), axis=-1)
    elif voting == "hard":
        best = graph.ArgMax(proba, axis=2, keepdims=1)
        ballots = graph.Equal(best, np.arange(n_classes)).astype(np.float64)
        mean = 0.999 * ballots.mean(1) + 0.001 * mean
    return _normalised(mean)


def _normalised(proba: Value) -> Value:
    """Bring the sums over the last axis to one, in single precision."""
    return (proba / proba.sum(-1, keepdims=True)).astype(np.float32)


def _route(classifier: Any, probas: dict[str, Value]) -> Value:
    """Bring the probabilities of the nodes of a hierarchy together."""
    graph = probas["root"].graph
    columns: dict[Any, Value] = {}

    def descend(children: Any, path: str, reach: Value | None) -> None:
        below = list(children.items() if isinstance(children, dict) else enumerate(children))
        node = probas[path]
        if classifier.routing == "hard":
            node = graph.Equal(graph.ArgMax(node, axis=-1, keepdims=1), np.arange(len(below)))
        node = node.astype(np.float64)
        for position, (name, child) in enumerate(below):
            share = graph.Gather(node, [position], axis=-1)
            share = share if reach is None else reach * share
            if isinstance(child, (dict, list)):
                descend(child, name if path == "root" else f"{path}/{name}", share)
            else:
                columns[child] = share

    descend(classifier.hierarchy_, "root", None)
    absent = 0.0 * next(iter(columns.values()))  # a genre whose tracks all had the weight 0
    shares = [columns.get(label, absent) for label in classifier.classes_.tolist()]
    return _normalised(graph.Concat(*shares, axis=-1))


def _crops(classifier: LogMelCNNGenreClassifier, x: Value) -> Value:
    """Add what LogMelCNNGenreClassifier does before its network: levels, and crops.

    ``x`` has the shape (n_tracks, n_segments, n_frames, n_mels). Shorter tracks start again from
    their beginning.
    """
    graph = x.graph
    n_crop, n_crops = int(classifier.crop_frames), int(classifier.n_crops)
    if classifier.floor is not None:
        x = graph.Max(x, float(classifier.floor))
    if classifier.center_bands:
        x = (x - x.mean(2, keepdims=True)) / 10
    n_frames = graph.Shape(x, start=2, end=3)
    # In double precision and in this order, so that halves are rounded as np.linspace has them.
    step = graph.Max(n_frames - n_crop, [0]).astype(np.float64) / float(max(1, n_crops - 1))
    starts = graph.Round(np.arange(n_crops, dtype=np.float64)[:, np.newaxis] * step)
    frames = graph.Mod(starts.astype(np.int64) + np.arange(n_crop), n_frames)
    crops = graph.Gather(x, frames, axis=2)  # (n_tracks, n_segments, n_crops, n_crop, n_mels)
    # (n_tracks, n_segments * n_crops, n_crop, n_mels)
    shape = graph.Concat(graph.Shape(x, end=1), [-1, *classifier.segment_shape_], axis=0)
    return graph.Reshape(crops, shape)
