"""A trained network as an object that predicts, pickles and copies."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.classifiers._trainer_cache import LRUCache, cache_key
from skgenre.utils._tf import free, import_keras, lock

# Limits of the segments predicted together: their number, and that of their values.
_PREDICT_SEGMENTS = 1024
_PREDICT_VALUES = 2**21
# TensorFlow computes the last rows of a batch with other instructions where their number does not
# fill its vector registers, so that the last bit of a result depends on the row. Batches are
# therefore filled up to a multiple, except small ones, such as the segments of a single track,
# and large segments such as images: there the zeros would take as long as the rows.
_ROW_MULTIPLE = 16
_MAX_FILLED_VALUES = 2**15

# Traced functions by cache_key; they take the weights as an argument.
_forwards = LRUCache()


class NetworkRecipe:
    """A function that builds a network, and its arguments, as plain data.

    Parameters
    ----------
    function : callable
        Builds the network, such as a function of :mod:`skgenre.networks`.
    *args : object
        Its positional arguments.
    **params : object
        Its keyword arguments.
    """

    def __init__(self, function: Callable[..., Any], *args: Any, **params: Any):
        self.function = function
        self.args = args
        self.params = params

    def __call__(self, **params: Any) -> Any:
        return self.function(*self.args, **{**self.params, **params})


class Network:
    """A trained network: it predicts, pickles and copies.

    A pickle holds the function that builds the network and its weights, nothing of the
    optimizer. Small networks that differ in their weights only share one traced function for
    prediction; the Keras model is built when ``model`` is first read.

    Parameters
    ----------
    build : callable
        Builds the untrained model; picklable, such as a ``NetworkRecipe``.
    model : keras.Model or None
        The model with its weights; None where ``weights`` are given.
    weights : list of ndarray or None, default=None
        What ``model.get_weights()`` would return.
    """

    def __init__(
        self, build: Callable[[], Any], model: Any, weights: list[NDArray[Any]] | None = None
    ):
        self.build = build
        self._model = model
        self._weights = weights
        self._function: Any = None

    @property
    def model(self) -> Any:
        """The Keras model; from now on, predictions follow changes of its weights."""
        with lock:
            if self._model is None:
                import_keras()
                model = self.build()
                model.set_weights(self._weights)
                # Assigned last, so that other threads find a complete model.
                self._model, self._weights, self._function = model, None, None
            return self._model

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of the current weights, in the order of the Keras model."""
        return [weights.copy() for weights in self._current_weights()]

    def _current_weights(self) -> list[NDArray[Any]]:
        with lock:
            if self._weights is not None:
                return self._weights
            return self._model.get_weights()

    def predict_proba(self, segments: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the class probabilities of each segment.

        Parameters
        ----------
        segments : ndarray of shape (n, ...), float32
            Segments in the shape of the training segments.

        Returns
        -------
        proba : ndarray of shape (n, n_classes), float32
            Rows sum to one.
        """
        with lock:
            if self._function is None:
                self._function = self._shared(segments) or _trace(self.model, segments)
            function = self._function
        size = n_predicted_at_once(segments)
        parts = [
            _in_full_rows(function, segments[start : start + size])
            for start in range(0, len(segments), size)
        ]
        return np.concatenate(parts)

    def _shared(
        self, segments: NDArray[np.float32]
    ) -> Callable[[NDArray[np.float32]], NDArray[np.float32]] | None:
        """Return the function of all networks of this key, bound to the weights of this one."""
        if self._model is not None or self._weights is None:
            return None
        n_bytes = sum(weights.nbytes for weights in self._weights)
        key = cache_key(self.build, n_bytes)
        if key is None:
            return None
        import tensorflow as tf

        traced = _forwards.get(key)
        if traced is None:
            traced = _trace_for_all(self.build(), segments)
            _forwards.put(key, n_bytes, traced)
        values = [tf.constant(weights) for weights in self._weights]
        return lambda batch: traced(values, tf.constant(batch, tf.float32)).numpy()

    def snapshot(self) -> Network:
        """Return an independent copy with the current weights."""
        return Network(self.build, None, self._current_weights())

    def __getstate__(self) -> dict[str, Any]:
        return {
            "build": self.build,
            "_model": None,
            "_weights": self._current_weights(),
            "_function": None,
        }

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(self.build, None, self._current_weights())


def _in_full_rows(
    function: Callable[[NDArray[np.float32]], NDArray[np.float32]], batch: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Call a function with the batch filled up with zeros; return the rows of the batch."""
    n_missing = -len(batch) % _ROW_MULTIPLE
    is_small = len(batch) <= _ROW_MULTIPLE
    if not n_missing or is_small or math.prod(batch.shape[1:]) > _MAX_FILLED_VALUES:
        return function(batch)
    filled = np.zeros((len(batch) + n_missing, *batch.shape[1:]), dtype=np.float32)
    filled[: len(batch)] = batch
    return function(filled)[: len(batch)]


def n_predicted_at_once(segments: NDArray[Any]) -> int:
    """Return how many segments of this size go through the network together."""
    n_values = math.prod(segments.shape[1:])
    return max(1, min(_PREDICT_SEGMENTS, _PREDICT_VALUES // n_values))


def _trace(
    model: Any, segments: NDArray[Any]
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Trace a model once for batches of any length.

    ``model.predict`` takes some 40 ms a call to set up a data set, and both it and
    ``predict_on_batch`` trace again for new lengths.
    """
    import tensorflow as tf

    def forward(batch: Any) -> Any:
        return tf.cast(model(batch, training=False), tf.float32)

    signature = tf.TensorSpec((None, *segments.shape[1:]), tf.float32)
    traced = tf.function(forward, autograph=False).get_concrete_function(signature)
    return lambda batch: traced(tf.constant(batch, tf.float32)).numpy()


def _trace_for_all(model: Any, segments: NDArray[Any]) -> Callable[[list[Any], Any], Any]:
    """Trace a model once for batches of any length and for any weights; free its own."""
    import tensorflow as tf

    positions = {id(variable): i for i, variable in enumerate(model.weights)}

    def forward(weights: list[Any], batch: Any) -> Any:
        def values(variables: list[Any]) -> list[Any]:
            places = [positions.get(id(variable)) for variable in variables]
            return [
                variable.value if place is None else weights[place]  # a seed is no weight
                for variable, place in zip(variables, places, strict=True)
            ]

        output, _ = model.stateless_call(
            values(model.trainable_variables),
            values(model.non_trainable_variables),
            batch,
            training=False,
        )
        return output

    signature = [
        [tf.TensorSpec(variable.shape, variable.dtype) for variable in model.weights],
        tf.TensorSpec((None, *segments.shape[1:]), tf.float32),
    ]
    traced = tf.function(forward, autograph=False).get_concrete_function(*signature)
    free(model.weights)
    return traced
