"""Data on which an exported graph is compared with its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.audio import AudioLoader
from skgenre.classifiers import LogMelCNNGenreClassifier
from skgenre.datasets import make_genres
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


def sample_features(classifier: Any, shape: tuple[int, ...]) -> list[NDArray[np.float32]]:
    """Draw features for a classifier without a front end, as a scaler would leave them.

    Parameters
    ----------
    classifier : classifier
        Of segments.
    shape : tuple of int
        Shape of one track of one segment.
    """
    rng = np.random.default_rng(0)
    if not isinstance(classifier, LogMelCNNGenreClassifier):
        return [rng.normal(size=(4, n, *shape[2:])).astype(np.float32) for n in (1, 3)]
    lengths = (max(1, classifier.crop_frames // 2), 2 * classifier.crop_frames + 3)
    return [  # decibels
        rng.normal(-40, 15, size=(4, 1, length, shape[3])).astype(np.float32) for length in lengths
    ]
