"""Warnings that name the line of the caller, and warnings about tracks, gathered by call."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from skgenre.utils._io import shorten

_INTERNAL = ("skgenre", "sklearn", "joblib", "contextlib", "numpy")


class NoSoundWarning(UserWarning):
    """Warns of tracks without sound: nothing can be predicted from them.

    A track has sound if its level reaches -80 dB of full scale for 0.1 s or more. The level is
    the standard deviation of the samples in 0.02 s, which a constant offset does not change.
    :class:`AudioLoader` warns of other tracks, and :class:`GenreClassifier` predicts the same
    probability of all genres for them. ``warnings.simplefilter("error", NoSoundWarning)`` refuses
    them.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skgenre import AudioLoader, NoSoundWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", NoSoundWarning)
    ...     AudioLoader(duration=1.0).transform([np.zeros(22050)])
    Traceback (most recent call last):
        ...
    skgenre...NoSoundWarning: 1 track without sound: track 0 (all samples of 1 s are 0). ...
    """


class TrackWarning(NamedTuple):
    """What is wrong with one track."""

    name: str  # of the track
    detail: str  # of this track, in parentheses after its name; may be empty
    problem: str  # follows the number of tracks: "without sound"
    advice: str
    category: type[Warning] = UserWarning


# The last fields of a warning of a track without sound.
NO_SOUND = (
    "without sound",
    "Nothing can be predicted from such a track: check the recording, or leave it out.",
    NoSoundWarning,
)

_gathered: ContextVar[list[TrackWarning] | None] = ContextVar("_gathered", default=None)


@contextmanager
def gather_track_warnings() -> Iterator[list[TrackWarning]]:
    """Yield a list that gets the warnings about tracks of this thread, in place of the user.

    ``warnings.catch_warnings`` would take those of all threads.
    """
    found: list[TrackWarning] = []
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)


def warn_of_tracks(found: Sequence[TrackWarning]) -> None:
    """Warn of some tracks, once for each problem; a caller that gathers gets all of them."""
    outer = _gathered.get()
    if outer is not None:
        outer.extend(found)
        return
    for problem, advice, category in dict.fromkeys(warning[2:] for warning in found):
        tracks = [
            f"{name} ({detail})" if detail else name
            for name, detail, *rest in found
            if rest == [problem, advice, category]
        ]
        plural = "s" * (len(tracks) > 1)
        warn_caller(f"{len(tracks)} track{plural} {problem}: {shorten(tracks)}. {advice}", category)


def warn_of_repetition(name: str, seconds: float, wanted: float) -> None:
    """Warn of a track of which ``short="repeat"`` makes more than twice as much."""
    if wanted > 2 * seconds:
        repeated = TrackWarning(
            name,
            f"{seconds:.3g} s",
            f"repeated to {wanted:g} s by short='repeat', so that more than half is repetition",
            "Lower the duration, give longer recordings, or set short to another choice.",
        )
        warn_of_tracks([repeated])


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first line up the stack that is not in skgenre, scikit-learn or joblib."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_internal(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_internal(module: str) -> bool:
    return module.partition(".")[0] in _INTERNAL
