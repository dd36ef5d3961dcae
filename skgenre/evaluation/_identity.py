"""How tracks, data sets and models are recognised in a later run or another result."""

from __future__ import annotations

import hashlib
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skgenre.utils._cache_key import describe, track_key
from skgenre.utils._validation import is_path, row_list

# Parameters that change how a result is computed, but not the result.
_IRRELEVANT = frozenset({"n_jobs", "memory", "verbose", "bytes_limit"})


def content_digests(data: Any) -> list[str | None]:
    """Return a digest of the values of each track that is an array; None for paths."""
    digests: list[str | None] = []
    for track in row_list(data):
        if isinstance(track, tuple) and len(track) == 2 and isinstance(track[1], Real):
            track = track[0]  # a waveform with its rate
        is_array = not is_path(track)
        key = track_key(np.asarray(track), "stat") if is_array else None
        digests.append(None if key is None else _digest(repr(key)))
    return digests


def data_identity(data: Any, y: Any) -> str:
    """Return a digest of a data set: files by path, size and time of change; arrays by value."""
    files = [
        # A file that is missing has no key; the loader will raise an error.
        (track_key(track, "stat") or repr(track)) if is_path(track) else None
        for track in row_list(data)
    ]
    rates = getattr(data, "sampling_rate", None), [_rate(track) for track in row_list(data)]
    return _digest(repr((files, content_digests(data), rates, np.asarray(y).tolist())))


def _rate(track: Any) -> Any:
    if isinstance(track, tuple) and len(track) == 2:
        return track[1]
    return getattr(track, "sampling_rate", None)


def describe_estimator(value: Any) -> Any:
    """Return what prints equally for estimators that compute the same."""
    if isinstance(value, BaseEstimator):
        params = sorted(value.get_params(deep=False).items())
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        return (kind, [(k, describe_estimator(v)) for k, v in params if k not in _IRRELEVANT])
    if isinstance(value, (list, tuple)):
        return [describe_estimator(item) for item in value]
    return describe(value)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
