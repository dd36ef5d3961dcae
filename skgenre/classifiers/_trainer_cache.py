"""Reuse of what TensorFlow traced: trainers by ``acquire`` and ``release``.

Tracing a small network takes longer than training it. The fits of a cross-validation train
the same network on other data, so that one trainer can serve all of them in turn. Fits at
the same time have trainers of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from skgenre.utils._tf import import_keras, lock

# Limits of what is kept: bytes of the networks, and their number, since a graph takes some
# ten megabytes besides. A larger network trains so long that tracing hardly matters.
MAX_BYTES = 16_000_000
MAX_ENTRIES = 8


class LRUCache:
    """Values by key; the least recently used are dropped when there is no room for all.

    A key may have several values.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[Any, int, Any]] = []  # key, bytes, value; the newest last

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._entries)

    def get(self, key: Any) -> Any:
        """Return a value of a key, None if there is none."""
        entry = self._remove(key)
        if entry is None:
            return None
        with lock:
            self._entries.append(entry)
        return entry[2]

    def pop(self, key: Any) -> Any:
        """Remove a value of a key and return it, None if there is none."""
        entry = self._remove(key)
        return None if entry is None else entry[2]

    def put(self, key: Any, n_bytes: int, value: Any) -> list[Any]:
        """Add a value; return those that were dropped for it."""
        dropped = []
        with lock:
            self._entries.append((key, n_bytes, value))
            while len(self) > MAX_ENTRIES or sum(entry[1] for entry in self._entries) > MAX_BYTES:
                dropped.append(self._entries.pop(0)[2])
        return dropped

    def clear(self) -> None:
        """Drop all values."""
        with lock:
            self._entries.clear()

    def _remove(self, key: Any) -> tuple[Any, int, Any] | None:
        with lock:
            for entry in reversed(self._entries):
                if entry[0] == key:
                    self._entries.remove(entry)
                    return entry
        return None


_trainers = LRUCache()


def acquire(key: Any) -> Any:
    """Return a cached trainer, None if there is none.

    Parameters
    ----------
    key : object
        From :func:`cache_key`.

    Returns
    -------
    trainer : Trainer or None
        No other fit uses it until :func:`release`.
    """
    return None if key is None else _trainers.pop(key)


def release(key: Any, n_bytes: int, trainer: Any) -> None:
    """Keep a trainer of a network of ``n_bytes`` for the next :func:`acquire`."""
    for dropped in _trainers.put(key, n_bytes, trainer):
        dropped.free()


def cache_key(build: Any, n_bytes: int, *settings: Any) -> Any:
    """Return a value that is equal for networks that differ in their weights only.

    Parameters
    ----------
    build : callable
        Builds the network; a ``NetworkRecipe``, whose ``seed`` does not matter.
    n_bytes : int
        Size of the weights.
    *settings : object
        What else must be equal.

    Returns
    -------
    key : tuple or None
        None for a network that is not to be shared: too large, with a part that cannot be
        compared by value, or with variables that TensorFlow distributes over devices.
    """
    import_keras()
    import tensorflow as tf

    is_shared = hasattr(build, "params") and n_bytes <= MAX_BYTES
    if not is_shared or tf.distribute.has_strategy():
        return None
    params = {name: value for name, value in build.params.items() if name != "seed"}
    try:
        return _comparable((build.function, build.args, params, settings))
    except TypeError:
        return None


def _comparable(value: Any) -> Any:
    """Turn parameters into tuples that are equal where the parameters are.

    Of functions and classes only those of Keras, TensorFlow and skgenre are accepted: a
    function of the user may read a global variable and so change while it stays the same
    object.
    """
    if isinstance(value, Mapping):
        return tuple((key, _comparable(value[key])) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    if hasattr(value, "tolist"):
        return _comparable(value.tolist())
    is_value = value is None or isinstance(value, (bool, int, float, str))
    if is_value or (isinstance(value, (type, FunctionType)) and _is_of_library(value)):
        return (type(value), value)
    if hasattr(value, "get_config") and _is_of_library(type(value)):
        # Keras numbers the names of optimizers.
        return (type(value), _comparable({**value.get_config(), "name": None}))
    raise TypeError(f"{value!r} may be equal to others and yet behave differently.")


def _is_of_library(value: Any) -> bool:
    """Whether a function, or a class with all its bases, is not the user's own."""
    modules = [str(v.__module__).partition(".")[0] for v in getattr(value, "__mro__", [value])]
    return {*modules} <= {"keras", "skgenre", "tensorflow", "builtins"}
