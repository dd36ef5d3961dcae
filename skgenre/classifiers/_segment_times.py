"""When the segments of a track, for a timeline, start and end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.audio import probe_audio
from skgenre.utils._waveforms import is_pair


def segment_times(
    tracks: Iterable[Any],
    *,
    sampling_rate: float,
    duration: float,
    n_segments: int,
    segment_duration: float,
) -> NDArray[np.float64]:
    """Return the times of segments that are spread over the middle of each track.

    Parameters
    ----------
    tracks : iterable of n_tracks tracks
        Paths, waveforms, or pairs of a waveform and its rate.
    sampling_rate : float
        Rate in Hz of waveforms without one.
    duration : float
        Seconds taken at most, from the middle of a track.
    n_segments : int
        Segments of a track.
    segment_duration : float
        Seconds of a segment.

    Returns
    -------
    times : ndarray of shape (n_tracks, n_segments, 2)
        Start and end of each segment in seconds.
    """
    times = []
    for track in tracks:
        seconds = _seconds(track, sampling_rate)
        used = min(seconds, duration)
        length = min(segment_duration, used)
        # The shares of ExcerptFeatures: a single segment is the middle.
        shares = np.linspace(0, 1, n_segments) if n_segments > 1 else np.array([0.5])
        starts = (seconds - used) / 2 + (used - length) * shares
        times.append(np.column_stack([starts, starts + length]))
    return np.stack(times)


def _seconds(track: Any, sampling_rate: float) -> float:
    """Return the length of a track."""
    if isinstance(track, (str, os.PathLike)):
        return probe_audio(track).duration
    rate = getattr(track, "sampling_rate", None) or sampling_rate
    if is_pair(track):
        track, rate = track
    return np.shape(track)[-1] / float(rate)
