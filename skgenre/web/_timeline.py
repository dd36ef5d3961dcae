"""The probabilities along one track, with the seconds of each stretch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from skgenre.audio import AudioLoader, Segmenter
from skgenre.utils._pipeline import final_classifier, leaf_steps

_LEAST = 1e-3  # seconds; segments that are closer are the same one


def timeline(
    model: Any, proba: NDArray[Any], classes: list[str], duration: float | None
) -> list[dict[str, Any]]:
    """Describe the segments of one track in the order of time.

    Parameters
    ----------
    model : classifier
        The model that predicted the segments.
    proba : ndarray of shape (n_segments, n_classes)
        Their probabilities.
    classes : list of str
        The genres.
    duration : float or None
        Seconds of the track.

    Returns
    -------
    stretches : list of dict
        ``start`` and ``end`` in seconds of the file, None where they are not known, and
        ``probabilities`` by genre, None for a segment without sound. Where segments overlap, each
        moment belongs to the one with the nearest middle.
    """
    edges = None if duration is None else segment_edges(model, len(proba), duration)
    if edges is not None and len(edges) == 2:
        proba = proba[:1]  # all segments are the whole track
    stretches = []
    for i, row in enumerate(proba):
        has_sound = row.max() > row.min()
        stretches.append(
            {
                "start": None if edges is None else round(float(edges[i]), 3),
                "end": None if edges is None else round(float(edges[i + 1]), 3),
                "probabilities": {
                    name: round(float(p), 6) for name, p in zip(classes, row, strict=True)
                }
                if has_sound
                else None,
            }
        )
    return stretches


def segment_edges(model: Any, n_segments: int, duration: float) -> NDArray[np.float64] | None:
    """Return the seconds between the segments of a file of this duration, None if not known."""
    model = getattr(model, "best_estimator_", model)
    classifier = final_classifier(model)
    parameters = classifier.get_params(deep=False)
    if {"n_segments", "segment_duration", "duration"} <= set(parameters):  # GenreClassifier
        used = min(parameters["duration"], duration)
        length = min(parameters["segment_duration"], used)
        return _spread(n_segments, length, (duration - used) / 2, used)
    steps = leaf_steps(model[:-1]) if isinstance(model, Pipeline) else []
    loaders = [step for step in steps if isinstance(step, AudioLoader)]
    segmenters = [step for step in steps if isinstance(step, Segmenter)]
    if len(loaders) != 1 or len(segmenters) != 1 or segmenters[0].n_segments != n_segments:
        return None
    (loader,), (segmenter,) = loaders, segmenters
    if loader.duration > duration + _LEAST:
        return None  # repeated or padded: the segments are not in the file
    start = (duration - loader.duration) / 2 if loader.position == "center" else 0.0
    length = segmenter.segment_duration or segmenter.track_duration / n_segments
    if segmenter.placement == "consecutive":
        return start + length * np.arange(n_segments + 1)
    return _spread(n_segments, length, start, loader.duration)


def _spread(n_segments: int, length: float, start: float, used: float) -> NDArray[np.float64]:
    """Return the edges of segments that are spread evenly over the seconds in use."""
    starts = start + np.linspace(0, max(used - length, 0), n_segments)
    if starts[-1] - starts[0] < _LEAST:
        return np.array([start, start + used])
    between = (starts[1:] + starts[:-1] + length) / 2
    return np.concatenate([[start], between, [start + used]])
