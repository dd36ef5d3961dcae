"""Front ends as data: the names of our transformers and their parameters, as JSON."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import FeatureUnion, Pipeline

import skgenre
from skgenre.embeddings import MusicnnExtractor, load_weights
from skgenre.pipeline import PerTrack
from skgenre.utils._pipeline import augments, leaf_steps

# Nothing but these is written or built; each treats every track by itself and learns nothing.
_NAMES = (
    "AudioLoader", "ChromaExtractor", "ClipFeatures", "ExcerptFeatures", "FlatFeatures",
    "MFCCExtractor", "MelSpectrogramExtractor", "MusicnnExtractor", "PitchHistogramExtractor",
    "RhythmExtractor", "STFTExtractor", "Segmenter", "SoundDetector", "SpectrogramImage",
    "SummaryExtractor",
)  # fmt: skip
# Each machine sets these itself; a file must not name a folder to write to.
_NOT_KEPT = ("memory", "n_jobs", "verbose", "verbose_feature_names_out")
_MAX_DEPTH = 20


def encode(steps: Sequence[Any]) -> list[Any]:
    """Turn the steps of a front end into plain values.

    Parameters
    ----------
    steps : sequence of transformers
        What tracks pass through, in order; an Augmenter, which passes them on, is left out.

    Returns
    -------
    values : list
        What :func:`decode` takes.

    Raises
    ------
    ValueError
        If a step or a parameter is none that can be written.
    """
    leaves = [leaf for step in steps for leaf in leaf_steps(step)]
    return [_encode(leaf) for leaf in leaves if not augments(leaf)]


def _encode(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list):
        return [_encode(entry) for entry in value]
    if isinstance(value, tuple):
        return {"tuple": [_encode(entry) for entry in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _encode(entry) for key, entry in value.items()}}
    kind = type(value)
    if kind is PerTrack:
        return _encode(value.transformer)
    if _classes().get(kind.__name__) is not kind:
        raise ValueError(
            f"The front end has {value!r} of type {kind.__module__}.{kind.__name__}, which an ONNX "
            "file cannot hold: it holds transformers of skgenre that learn nothing, with numbers "
            "and texts as parameters. Give front_end=False to export what follows the front end, "
            "from features to probabilities, and compute the features yourself."
        )
    params = {k: v for k, v in value.get_params(deep=False).items() if k not in _NOT_KEPT}
    if isinstance(value, MusicnnExtractor):
        params["weights"] = os.fspath(value.weights)
    encoded = {"class": kind.__name__, "parameters": {k: _encode(v) for k, v in params.items()}}
    if isinstance(value, MusicnnExtractor):
        # The weights stay where they are; the file says which they are.
        expected = getattr(value, "weights_sha256_", None)
        encoded["weights_sha256"] = load_weights(value.weights, expected).sha256
    return encoded


def decode(values: list[Any]) -> list[Any]:
    """Build the steps of a front end.

    Parameters
    ----------
    values : list
        As :func:`encode` returns it.

    Returns
    -------
    steps : list of transformers
        Not fitted; they need no fit.

    Raises
    ------
    ValueError
        If the values name anything but our transformers.
    """
    steps = [_decode(value, 0) for value in values]
    if not isinstance(values, list) or not all(hasattr(step, "transform") for step in steps):
        raise ValueError("the front end is no list of transformers.")
    return steps


def _decode(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ValueError(f"the front end is nested more than {_MAX_DEPTH} deep.")
    if isinstance(value, list):
        return [_decode(entry, depth + 1) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"tuple"}:
        return tuple(_decode(value["tuple"], depth + 1))
    if value.keys() == {"dict"}:
        return {key: _decode(entry, depth + 1) for key, entry in value["dict"].items()}
    kind = _classes().get(value.get("class", ""))
    if kind is None:
        raise ValueError(f"the front end names {value.get('class')!r}, which is no part of one.")
    params = {key: _decode(entry, depth + 1) for key, entry in value["parameters"].items()}
    decoded = kind(**params)
    if kind is MusicnnExtractor:
        decoded.weights_sha256_ = str(value["weights_sha256"])  # it refuses others
    return decoded


def _classes() -> dict[str, type]:
    own = {name: getattr(skgenre, name) for name in _NAMES}
    return {**own, "FeatureUnion": FeatureUnion, "Pipeline": Pipeline}
