"""Export fitted models to ONNX files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers import GenreClassifier, RejectingClassifier
from skgenre.onnx._file import encode_classes, to_bytes
from skgenre.onnx._front_end import encode
from skgenre.onnx._machines import front_end_of, genre_classifier_graph
from skgenre.onnx._model import OnnxGenreModel
from skgenre.onnx._networks import SCALERS, is_network, network_graph
from skgenre.onnx._opened import import_optional
from skgenre.onnx._sample import sample_features, sample_tracks
from skgenre.onnx._waveform import log_mel_cnn_graph, takes_waveform
from skgenre.persistence import ModelInfo
from skgenre.utils._io import write_whole
from skgenre.utils._pipeline import leaf_steps
from skgenre.utils._warnings import gather_track_warnings

# Largest differences of probabilities. From a waveform, the spectrogram is part of the graph.
_TOLERANCES = {"features": 1e-4, "waveform": 1e-3}


def export_onnx(
    model: Any,
    path: str | os.PathLike[str],
    *,
    front_end: bool = True,
    sample: Any = None,
    info: ModelInfo | None = None,
    **details: Any,
) -> Path:
    """Export a fitted model to an ONNX file, and prove that it predicts the same.

    What the model has learnt becomes a graph, which any ONNX runtime runs: the network or the
    machines, the scaler before them, and the vote of the segments. The front end, from audio
    files to features, stays code of skgenre: the file names its transformers and their
    parameters, and :class:`OnnxGenreModel` builds them again; of the weights of a
    :class:`MusicnnExtractor` it states the name and the SHA-256. :class:`LogMelCNNGenreClassifier`
    behind a mel spectrogram becomes one graph from the waveform on.

    Before anything is written, the file is run in onnxruntime on synthesised music, which
    passes the front end of the model, and on ``sample``, and its probabilities are compared with
    those of ``model.predict_proba``.

    Parameters
    ----------
    model : estimator
        A fitted :class:`GenreClassifier`; a classifier by a network, such as
        :class:`CNNGenreClassifier` or :class:`KerasGenreClassifier`; a hierarchy of those, or a
        :class:`RejectingClassifier` of one; or a pipeline or search that ends in one of them, such
        as :func:`make_genre_pipeline` makes.
    path : str or PathLike
        The file, by convention with the ending ``.onnx``. An existing one is replaced, once the
        new one is complete.
    front_end : bool, default=True
        Whether the file holds the front end. Without it, the file leads from features to
        probabilities: for a front end with transformers of your own, which a file cannot hold.
    sample : object, default=None
        Tracks of your own, or features where the model takes those, as for
        ``model.predict_proba``: the file is compared on them too. The features that are made up
        for a model without a front end have a mean of 0 and a standard deviation of 1; give
        ``sample`` where yours do not.
    info : ModelInfo, default=None
        What the file says of the model, such as :func:`read_model_info` returns it.
    **details : object
        In place of ``info``, as in :func:`save`: ``tracks``, ``y``, ``artists``, ``evaluation``
        and ``keep_paths``.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If the probabilities differ by more than 0.0001 (0.001 from a waveform on), or if a part of
        the model cannot be exported.
    ImportError
        If a package of the extra "onnx" is missing.

    See Also
    --------
    OnnxGenreModel : Predicts from the file.
    save : Saves a model for skgenre, with all of its methods, equal to the last bit.

    References
    ----------
    .. [1] "Open Neural Network Exchange", https://onnx.ai

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skgenre import MLPGenreClassifier, OnnxGenreModel, export_onnx
    >>> X, y = np.random.default_rng(0).normal(size=(8, 2, 10, 3)), ["jazz", "rock"] * 4
    >>> mlp = MLPGenreClassifier(units=(8,), epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_onnx(mlp, Path(folder) / "model.onnx", sample=X)
    ...     OnnxGenreModel(path).largest_difference_ < 1e-4
    True
    """
    for package in ("onnx", "onnxruntime"):
        import_optional(package, "export_onnx")
    check_is_fitted(model)
    if info is not None and details:
        raise TypeError(f"{sorted(details)} are in info already; leave them out.")
    info = ModelInfo.of(model, **details) if info is None else info
    parts = _take_apart(model)
    metadata: dict[str, Any] = {
        "info": info.to_dict(),
        "classes": encode_classes(np.asarray(parts.classifier.classes_)),
        "front_end": encode(parts.steps) if front_end else [],
        **parts.metadata,
    }
    samples = _samples(parts, sample)
    kind, graph = _build(parts, samples[0], front_end=front_end)
    if kind == "waveform":
        metadata["front_end"] = metadata["front_end"][:1]
    content = to_bytes(graph, {**metadata, "largest_difference": 0.0})
    differences = [_difference(parts, content, X, front_end=front_end) for X in samples]
    largest = float(np.max(differences))  # unlike max, NaN wherever one of them is
    if not largest <= _TOLERANCES[kind]:
        raise ValueError(
            f"The probabilities of the ONNX graph differ from those of {type(model).__name__} by "
            f"up to {largest:.2g}, more than {_TOLERANCES[kind]:g}; nothing was written. Report "
            "it with the model's parameters, or save the model by skgenre.save."
        )
    write_whole(path, to_bytes(graph, {**metadata, "largest_difference": largest}))
    return Path(path)


@dataclass
class _Parts:
    """A fitted model, taken apart.

    Attributes
    ----------
    model : estimator
        The model, without a search around it.
    steps : list of transformers
        The front end: what comes before the scalers.
    scalers : list of transformers
        What becomes part of the graph before the classifier.
    classifier : classifier
        What becomes the graph.
    metadata : dict
        What the reader needs to know beside.
    """

    model: Any
    steps: list[Any]
    scalers: list[Any]
    classifier: Any
    metadata: dict[str, Any]


def _take_apart(model: Any) -> _Parts:
    model = getattr(model, "best_estimator_", model)
    *steps, classifier = leaf_steps(model, open_per_track=False)
    metadata: dict[str, Any] = {}
    if isinstance(classifier, RejectingClassifier):
        threshold, label = np.array(classifier.threshold), np.array(classifier.reject_label_)
        metadata["reject"] = {"threshold": threshold.item(), "label": label.item()}
        *inner, classifier = leaf_steps(classifier.estimator_, open_per_track=False)
        steps += inner
    if isinstance(classifier, GenreClassifier) and metadata:
        raise ValueError(
            "RejectingClassifier of GenreClassifier cannot be exported to ONNX, because the graph "
            "of GenreClassifier has no segments that could vote. Export its estimator_."
        )
    if isinstance(classifier, GenreClassifier) and not classifier.precomputed:
        steps = [*steps, front_end_of(classifier)]
    scalers: list[Any] = []
    while steps and isinstance(steps[-1], SCALERS):
        scalers.insert(0, steps.pop())
    if not isinstance(classifier, GenreClassifier) and not is_network(classifier):
        raise ValueError(
            f"{type(classifier).__name__} cannot be exported to ONNX: GenreClassifier and the "
            "classifiers by a network can. Save it by skgenre.save, which takes any model."
        )
    if isinstance(classifier, GenreClassifier) and scalers:
        raise ValueError(
            f"{type(scalers[0]).__name__} before GenreClassifier cannot be exported to ONNX; leave "
            "it out, since GenreClassifier scales its features itself."
        )
    return _Parts(model, steps, scalers, classifier, metadata)


def _samples(parts: _Parts, sample: Any) -> list[Any]:
    """Return data that the model takes: synthesised, and the user's."""
    is_genre_classifier = isinstance(parts.classifier, GenreClassifier)
    if parts.steps:
        found: list[Any] = [sample_tracks(parts.steps, silence=is_genre_classifier)]
    elif is_genre_classifier:
        steps = [front_end_of(parts.classifier)]
        tracks = sample_tracks(steps, silence=True)
        with gather_track_warnings():
            found = [steps[0].transform(tracks)]
    else:
        found = sample_features(parts.classifier)
    return found if sample is None else [*found, sample]


def _build(parts: _Parts, sample: Any, *, front_end: bool) -> tuple[str, Any]:
    """Return the kind of input that a graph takes, and the graph."""
    if isinstance(parts.classifier, GenreClassifier):
        return "features", genre_classifier_graph(parts.classifier)
    whole = make_pipeline(*parts.steps, *parts.scalers, parts.classifier)
    if front_end and takes_waveform(whole):
        return "waveform", log_mel_cnn_graph(whole)
    shape = np.shape(_features(parts.steps, sample))
    return "features", network_graph(parts.scalers, parts.classifier, shape)


def _features(steps: list[Any], X: Any) -> Any:
    """Pass tracks through the steps of a front end."""
    with gather_track_warnings():
        for step in steps:
            X = step.transform(X)
    return X


def _difference(parts: _Parts, content: bytes, X: Any, *, front_end: bool) -> float:
    """Return the largest difference of the probabilities of the file and of the model."""
    with gather_track_warnings():
        expected = parts.model.predict_proba(X)
        features = X if front_end else _features(parts.steps, X)
        found = OnnxGenreModel(content).predict_proba(features)
    if found.shape != np.shape(expected):
        return float("inf")
    return float(np.abs(found - expected).max())
