"""Data on which an exported graph is compared with its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.audio import AudioLoader
from skgenre.classifiers import LogMelCNNGenreClassifier
from skgenre.datasets import make_genres
from skgenre.onnx._networks import feature_shape, segment_shape
from skgenre.utils._pipeline import leaf_steps

_GENRES = ("dub", "swing", "thrash")
_MAX_DURATION = 20.0  # seconds, where tracks may have any length


def sample_tracks(steps: Sequence[Any], *, silence: bool) -> list[Any]:
    """Synthesise music for a front end: waveforms, as its first step takes them.

    Parameters
    ----------
    steps : sequence of transformers
        The front end.
    silence : bool
        Whether one of the tracks has no sound.
    """
    first = next(leaf for step in steps for leaf in leaf_steps(step))
    is_loader = isinstance(first, AudioLoader)
    rate = 22050 if is_loader else int(getattr(first, "sampling_rate", 22050))
    duration = getattr(first, "duration", getattr(first, "track_duration", None)) or _MAX_DURATION
    any_length = is_loader and first.short != "error"
    if is_loader and first.short == "keep":
        duration = min(duration, _MAX_DURATION)
    music = make_genres(
        1,
        genres=_GENRES,
        duration=float(duration),
        sampling_rate=min(max(rate, 4000), 192000),
        random_state=0,
    )
    tracks = [np.asarray(track, np.float32) for track in music.data]
    if any_length:
        tracks[-1] = tracks[-1][: max(1, int(0.6 * len(tracks[-1])))]
    if silence:
        tracks.append(np.zeros_like(tracks[0]))
    return [(track, rate) for track in tracks] if is_loader else tracks


def sample_features(classifier: Any) -> list[NDArray[np.float32]]:
    """Draw features for a classifier without a front end, as a scaler would leave them.

    Parameters
    ----------
    classifier : classifier
        Of segments.
    """
    rng = np.random.default_rng(0)
    shape = feature_shape(classifier)
    if isinstance(classifier, LogMelCNNGenreClassifier) and len(shape) == 4:
        # Decibels, of tracks that are shorter and longer than a crop.
        lengths = (max(1, classifier.crop_frames // 2), 2 * classifier.crop_frames + 3)
        found = [rng.normal(-40, 15, size=(4, 1, length, shape[3])) for length in lengths]
    else:
        is_image = len(segment_shape(classifier)) == 3
        numbers = (1, 3) if len(shape) == 2 + len(segment_shape(classifier)) else (shape[1],)
        sizes = [(4, n, *shape[2:]) for n in numbers]
        brightest = getattr(classifier, "pixel_max", 1.0)
        draw = (lambda s: rng.uniform(0, brightest, s)) if is_image else rng.standard_normal
        found = [draw(size) for size in sizes]
    return [features.astype(np.float32) for features in found]
