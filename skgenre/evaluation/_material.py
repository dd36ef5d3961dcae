"""What an evaluation works on: the tracks, and the two halves of the pipeline."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skgenre.pipeline import PerTrack
from skgenre.utils._cache_key import track_key
from skgenre.utils._pipeline import augments, final_classifier, leaf_steps

Array = NDArray[Any]


@dataclass(frozen=True)
class Material:
    """Tracks with genres and artists, and the model that is to judge them.

    ``front`` are the first steps of the pipeline, which learn nothing and treat each track
    by itself: what they make of a track is the same in all folds and is computed once.
    ``model`` is the rest, fitted anew in each fold.
    """

    data: Any
    y: Array
    artists: Array | None
    pipeline: Any
    front: list[Any]
    model: Any

    @property
    def features(self) -> Any:
        """The data after the steps that learn nothing."""
        return self._timed_features[0]

    @property
    def feature_time(self) -> float:
        """Seconds that these steps took; 0 where nothing has asked for the features."""
        return self._timed_features[1] if "_timed_features" in vars(self) else 0.0

    @cached_property
    def _timed_features(self) -> tuple[Any, float]:
        start = time.perf_counter()
        X = self.data
        for step in self.front:
            X = step.transform(X)
        return X, time.perf_counter() - start

    @cached_property
    def ids(self) -> list[str]:
        """The name of each track: its path, or its row."""
        return [
            os.fsdecode(track) if isinstance(track, (str, os.PathLike)) else f"row {row}"
            for row, track in enumerate(_rows(self.data))
        ]

    @cached_property
    def identity(self) -> str:
        """A digest of the data: files by path, size and time of change; arrays by value."""
        tracks: Any = self.data
        if any(isinstance(track, (str, os.PathLike)) for track in _rows(self.data)):
            # A file that is not there has no key; the loader will say so.
            tracks = [track_key(track, "stat") or repr(track) for track in _rows(self.data)]
        rate = getattr(self.data, "sampling_rate", None)
        return joblib.hash((tracks, rate, self.y))

    @property
    def units(self) -> Array:
        """What the bootstrap draws: artists where they are known, else tracks."""
        return np.arange(len(self.y)) if self.artists is None else self.artists

    def without_segments(self) -> str | None:
        """Say why segments cannot be divided on their own; None if they can."""
        if _augmenting(self.pipeline):
            return (
                "the pipeline augments: copies of a segment would have to follow it to its side "
                "of the split. Take the Augmenter out"
            )
        classifier = final_classifier(self.model)
        if not hasattr(classifier, "predict_segment_proba"):
            return (
                f"{type(classifier).__name__} has no predict_segment_proba. Give a classifier that "
                "judges segments, such as MLPGenreClassifier"
            )
        shape = np.shape(self.features)
        if len(shape) < 4 or shape[1] < 2:
            return (
                f"the features have the shape {shape}, one segment a track. Cut two or more, on an "
                "axis of their own: (n_tracks, n_segments, n_frames, n_features)"
            )
        return None


def prepare(pipeline: Any, dataset: Any) -> Material:
    """Check a data set, and cut a pipeline in two."""
    data, y, artists = _unpack(dataset)
    front, model = _cut(pipeline)
    return Material(data, y, artists, pipeline, front, model)


def _rows(data: Any) -> Any:
    return data if isinstance(data, (list, tuple, np.ndarray)) else np.asarray(data)


def _unpack(dataset: Any) -> tuple[Any, Array, Array | None]:
    if isinstance(dataset, (tuple, list)) and len(dataset) in (2, 3):
        data, y, artists = (*dataset, None)[:3]
    elif hasattr(dataset, "data") and hasattr(dataset, "target"):
        data, y = dataset.data, dataset.target
        # load_gtzan groups artists who made a clip together.
        artists = getattr(dataset, "groups", getattr(dataset, "artists", None))
    else:
        raise TypeError(
            "dataset is what load_genre_folder returns (data, target and artists), or a tuple "
            f"(X, y) or (X, y, artists); got {type(dataset).__name__}."
        )
    y = column_or_1d(y)
    check_classification_targets(y)
    check_consistent_length(data, y)
    if len(np.unique(y)) < 2:
        raise ValueError(
            f"The data set has {len(np.unique(y))} genre; to tell genres takes tracks of two or "
            "more."
        )
    if artists is not None:
        artists = column_or_1d(artists)
        check_consistent_length(data, artists)
        unknown = [
            row for row, artist in enumerate(artists) if artist in (None, "") or artist != artist
        ]
        if unknown:
            raise ValueError(
                f"{len(unknown)} of {len(y)} tracks have no artist, first track {unknown[0]}; "
                "leave them out, or give no artists at all: the tuple (X, y)."
            )
    return data, y, artists


def _cut(pipeline: Any) -> tuple[list[Any], Any]:
    if not isinstance(pipeline, Pipeline) or _augmenting(pipeline):
        return [], pipeline
    n_front = 0
    front = []
    for _, step in pipeline.steps[:-1]:
        leaves = leaf_steps(step, open_per_track=False)
        if any(get_tags(leaf).requires_fit for leaf in leaves):
            break
        front += leaves
        n_front += 1
    return front, Pipeline(pipeline.steps[n_front:])


def _augmenting(pipeline: Any) -> bool:
    if not isinstance(pipeline, Pipeline):
        return False
    for leaf in leaf_steps(pipeline, open_per_track=False):
        inner = leaf_steps(leaf.transformer) if isinstance(leaf, PerTrack) else [leaf]
        if any(augments(step) for step in inner):
            return True
    return False
