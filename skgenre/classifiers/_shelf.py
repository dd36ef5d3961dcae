"""What fits and predictions of one kind of network share, kept as far as there is room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import FunctionType
from typing import Any

from skgenre.classifiers._tf import import_keras, lock

# Bytes of the networks behind the things on a shelf, and their number: a graph takes some
# ten megabytes besides. A larger network trains so long that sharing would not matter.
ROOM = 16_000_000
MOST = 8


class Shelf:
    """Things by kind; the oldest go when there is no room for all."""

    def __init__(self) -> None:
        self._things: list[tuple[Any, int, Any]] = []

    def __len__(self) -> int:
        """Return the number of things."""
        return len(self._things)

    @staticmethod
    def has_room(n_bytes: int) -> bool:
        """Tell whether a thing is small enough to be kept at all."""
        return n_bytes <= ROOM

    def take(self, kind: Any) -> Any:
        """Remove the latest thing of a kind and return it; None where there is none."""
        with lock:
            for entry in reversed(self._things):
                if entry[0] == kind:
                    self._things.remove(entry)
                    return entry[2]
        return None

    def look(self, kind: Any) -> Any:
        """Return a thing of a kind and count it as the latest; None where there is none."""
        with lock:
            for i, entry in enumerate(self._things):
                if entry[0] == kind:
                    self._things.append(self._things.pop(i))
                    return entry[2]
        return None

    def put(self, kind: Any, n_bytes: int, thing: Any) -> list[Any]:
        """Keep a thing; return what had to go for it."""
        gone = []
        with lock:
            self._things.append((kind, n_bytes, thing))
            while len(self) > MOST or sum(entry[1] for entry in self._things) > ROOM:
                gone.append(self._things.pop(0)[2])
        return gone

    def clear(self) -> None:
        """Keep nothing any longer."""
        with lock:
            self._things.clear()


def kind_of(build: Callable[[], Any], *settings: Any) -> Any:
    """Return what is equal for networks that differ in their weights only.

    Parameters
    ----------
    build : callable
        Builds the network; a ``functools.partial``, whose ``seed`` does not matter.
    *settings : object
        What else must be equal.

    Returns
    -------
    kind : tuple or None
        None where a part of it cannot be compared by value, or where TensorFlow distributes
        the variables over devices.
    """
    import_keras()
    import tensorflow as tf

    if not isinstance(build, partial) or tf.distribute.has_strategy():
        return None
    keywords = {name: value for name, value in build.keywords.items() if name != "seed"}
    try:
        return _comparable((build.func, build.args, keywords, settings)), _keras_settings()
    except TypeError:
        return None


def _keras_settings() -> Any:
    """Return the global settings of Keras that a new network follows."""
    config = import_keras().config
    return config.dtype_policy().name, config.floatx(), config.epsilon()


def _comparable(value: Any) -> Any:
    """Turn parameters into tuples that are equal where the parameters are.

    Of functions only those of Keras and of skgenre are taken: what another one does may
    change while it stays the same object, by a global variable that it reads.
    """
    if isinstance(value, Mapping):
        return tuple((key, _comparable(value[key])) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    if hasattr(value, "tolist"):
        return _comparable(value.tolist())
    is_value = value is None or isinstance(value, (bool, int, float, str))
    if is_value or _is_known(value):
        return (type(value), value)
    raise TypeError(f"{value!r} may be equal to others and yet behave in another way.")


def _is_known(value: Any) -> bool:
    """Tell whether a class, with all that it inherits from, or a function is not the user's."""
    if isinstance(value, type):
        return all(map(_is_of_library, value.__mro__))
    return isinstance(value, FunctionType) and _is_of_library(value)


def _is_of_library(value: Any) -> bool:
    module = str(getattr(value, "__module__", "")).partition(".")[0]
    return module in ("keras", "skgenre", "tensorflow", "builtins")
