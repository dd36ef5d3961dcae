"""Copies of models that can be written as data."""

from __future__ import annotations

import copy
import os
from typing import Any

from joblib import Memory
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import MetadataRequest


def as_data(model: Any, *, keep_paths: bool = True) -> Any:
    """Return a copy that is written as data, without circles, which skops does not follow.

    Unless ``keep_paths`` is true, models that know the paths of their tracks forget them.
    """
    model = copy.deepcopy(model)
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, MetadataRequest):
            for request in (value, *vars(value).values()):
                if isinstance(getattr(request, "owner", None), BaseEstimator):
                    request.owner = type(request.owner).__name__
        elif isinstance(value, BaseEstimator):
            vars(value).pop("_skl_callbacks", None)
            if not keep_paths and "track_names_" in vars(value):
                vars(value)["track_names_"] = None
            waiting.append(vars(value))
        elif isinstance(value, dict):
            value.update({key: _as_text(entry) for key, entry in value.items()})
            waiting.extend(value.values())
        elif isinstance(value, list):
            value[:] = map(_as_text, value)
            waiting.extend(value)
        elif isinstance(value, tuple):
            waiting.extend(value)
    return model


def _as_text(value: Any) -> Any:
    """Return paths and Memory as strings, which stand for the same on any system."""
    if isinstance(value, Memory):
        value = value.location
    return os.fsdecode(value) if isinstance(value, os.PathLike) else value
