"""The only module that talks to Keras' training loop, and the only one that uses scikeras.

A scikeras wrapper is held here by composition and lives for one fit. Our classifiers do
not inherit from it: its ``KerasClassifier`` tells scikit-learn that it is no classifier,
leaves TensorFlow's op determinism switched on after a seeded fit, and takes its
validation part from the unshuffled tail of the data.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

PREDICT_BATCH_SIZE = 1024

# Mini-batches that one call into TensorFlow runs. It saves the per-call overhead of
# small networks and changes no result; it makes the tracing of the step longer, which a
# fit of few steps does not earn back.
_STEPS_PER_EXECUTION = 8


@contextmanager
def _quiet_import() -> Iterator[None]:
    """Silence TensorFlow's start-up chatter, and undo what importing it changes.

    TensorFlow writes to the process's standard error before it can be configured, and
    importing it moves Python's global random state. Whoever sets TF_CPP_MIN_LOG_LEVEL
    sees everything; an import that fails shows what was held back.
    """
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - kept as it is, not drawn from
    chosen = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    try:
        if chosen is not None or "tensorflow" in sys.modules:
            yield
        else:
            os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
            try:
                with _stderr_held_back():
                    yield
            finally:
                del os.environ["TF_CPP_MIN_LOG_LEVEL"]
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def import_keras() -> Any:
    """Import Keras and TensorFlow quietly and return the ``keras`` module."""
    if "keras" in sys.modules and "tensorflow" in sys.modules:
        return sys.modules["keras"]
    with _quiet_import():
        import keras
        import tensorflow as tf

        # Looking for devices is what makes TensorFlow complain of absent ones.
        tf.config.list_physical_devices()
    return keras


@contextmanager
def _new_network_expected() -> Iterator[None]:
    """Hold back TensorFlow's advice against tracing a function in a loop.

    Each fit has a network of its own to trace. TensorFlow knows functions by their address
    in memory, and takes the networks of a short cross-validation for one traced over and
    over.
    """

    def is_other(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


class Network:
    """A trained network: it predicts, pickles and copies.

    A pickle holds the function that builds the network and its weights, nothing of the
    optimizer; the Keras model is built anew at the first prediction.

    Parameters
    ----------
    build : callable
        Builds the untrained model; picklable, such as a ``functools.partial`` of a
        function of :mod:`skgenre.networks`.
    model : keras.Model
        The model with its weights.
    """

    def __init__(self, build: Callable[[], Any], model: Any):
        self.build = build
        self._model = model
        self._weights: list[NDArray[Any]] | None = None
        self._function: Any = None

    @property
    def model(self) -> Any:
        """The Keras model."""
        if self._model is None:
            import_keras()
            self._model = self.build()
            self._model.set_weights(self._weights)
            self._weights = None
        return self._model

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
        if self._function is None:
            self._function = _trace(self.model)
        parts = [
            self._function(segments[start : start + PREDICT_BATCH_SIZE])
            for start in range(0, len(segments), PREDICT_BATCH_SIZE)
        ]
        return np.concatenate(parts)

    def snapshot(self) -> Network:
        """Return an independent copy with the weights of this moment."""
        copy = Network(self.build, None)
        copy._weights = self.model.get_weights()
        return copy

    def __getstate__(self) -> dict[str, Any]:
        weights = self._weights if self._model is None else self._model.get_weights()
        return {"build": self.build, "_model": None, "_weights": weights, "_function": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copy = type(self)(self.build, None)
        copy.__dict__.update(self.__getstate__())
        return copy


def _trace(model: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Trace a model once for batches of any length.

    ``model.predict`` spends some 40 ms a call on setting up a data set, and both it and
    ``predict_on_batch`` trace anew for new lengths.
    """
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert
    def forward(batch: Any) -> Any:
        return model(batch, training=False)

    signature = tf.TensorSpec(model.input_shape, tf.float32)
    traced = tf.function(forward).get_concrete_function(signature)
    return lambda batch: traced(tf.constant(batch, tf.float32)).numpy()


def make_optimizer(
    name: str, learning_rate: Any, params: dict[str, Any] | None, n_steps: int
) -> Any:
    """Build a Keras optimizer.

    Parameters
    ----------
    name : str
        Name of a Keras optimizer.
    learning_rate : float, pair of floats or keras LearningRateSchedule
        A pair falls linearly from the first to the second over all steps.
    params : dict or None
        Further arguments of the optimizer.
    n_steps : int
        Steps of the whole training, which a pair is spread over.
    """
    keras = import_keras()
    optimizer_class = type(keras.optimizers.get(name))
    if isinstance(learning_rate, (tuple, list)):
        start, end = learning_rate
        learning_rate = keras.optimizers.schedules.PolynomialDecay(start, n_steps, end)
    return optimizer_class(learning_rate=learning_rate, **(params or {}))


def train_network(
    build: Callable[[], Any],
    X: NDArray[np.float32],
    y: NDArray[np.integer[Any]],
    *,
    sample_weight: NDArray[np.float32] | None,
    validation: tuple[NDArray[Any], ...] | None,
    optimizer: Callable[[int], Any],
    epochs: int,
    batch_size: int,
    patience: int | None,
    monitor: str,
    on_epoch: Callable[[str, Network], bool],
    verbose: int,
    seed: int,
) -> tuple[Network, dict[str, list[float]]]:
    """Train a network on segments and return it with its history.

    Every random choice comes from ``seed``; neither the global random states of Python,
    NumPy and TensorFlow nor any TensorFlow setting is touched.

    Parameters
    ----------
    build : callable
        Builds the untrained model.
    X : ndarray of shape (n, ...), float32
        Training segments.
    y : ndarray of shape (n,)
        Class of each segment, encoded as 0 .. n_classes - 1.
    sample_weight : ndarray of shape (n,) or None
        Weight of each segment.
    validation : tuple of (X, y) or (X, y, sample_weight), or None
        Segments to measure on after each epoch.
    optimizer : callable
        Takes the number of steps of the whole training, returns a Keras optimizer.
    epochs, batch_size : int
        Rounds over the data, and segments a step.
    patience : int or None
        Epochs without a better ``monitor`` before training stops; the best weights
        return. None trains to the end.
    monitor : {"val_loss", "val_accuracy"}
        What patience watches.
    on_epoch : callable
        Called with "begin" and "end" of each epoch and the network; at "end" a true
        answer stops the training.
    verbose : int
        Keras' own verbosity.
    seed : int
        Seed of the order of the segments.

    Returns
    -------
    network : Network
        The trained network.
    history : dict of str to list of float
        Loss and accuracy of each epoch, and those of the validation part.
    """
    keras = import_keras()
    n_steps = -(-len(X) // batch_size)
    callbacks: list[Any] = []
    if patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor=monitor,
                mode="min" if monitor.endswith("loss") else "max",
                patience=patience,
                restore_best_weights=True,
            )
        )
    # Weighted and unweighted training report the accuracy alike: that of the data.
    wrapper = _wrapper_class()(
        model=build,
        loss="sparse_categorical_crossentropy",
        optimizer=optimizer(n_steps * epochs),
        metrics=["accuracy"],
        epochs=epochs,
        shuffle=False,  # the batches come in an order of their own
        verbose=verbose,
        callbacks=[*callbacks, _epoch_reporter(build, on_epoch)],
        fit__validation_data=validation,
        fit__validation_batch_size=PREDICT_BATCH_SIZE,
        compile__steps_per_execution=1 if n_steps < _STEPS_PER_EXECUTION else _STEPS_PER_EXECUTION,
    )
    batches = _shuffled_batches(X, y, sample_weight, batch_size, n_steps, seed)
    with _new_network_expected():
        wrapper.fit(batches, None)
    history = {name: [float(v) for v in values] for name, values in wrapper.history_.items()}
    # The wrapper goes with its optimizer; the network keeps the weights alone.
    return Network(build, wrapper.model_), history


def _shuffled_batches(
    X: NDArray[np.float32],
    y: NDArray[np.integer[Any]],
    sample_weight: NDArray[np.float32] | None,
    batch_size: int,
    n_steps: int,
    seed: int,
) -> Any:
    """Return a data set of mini-batches in a new order each epoch, drawn from ``seed``.

    Keras' own shuffling draws from TensorFlow's global generator.
    """
    import tensorflow as tf

    columns = [tf.constant(X), tf.constant(y)]
    if sample_weight is not None:
        columns.append(tf.constant(sample_weight))
    n = len(X)
    # One entry an epoch: iterating the data set once more advances the order.
    epoch = tf.Variable(0, dtype=tf.int32, trainable=False)

    # Neither function has Python control flow; AutoGraph would only read their source.
    @tf.autograph.experimental.do_not_convert
    def order(_: Any) -> Any:
        number = epoch.assign_add(1)
        rows = tf.random.experimental.stateless_shuffle(tf.range(n), seed=[seed, number])
        return tf.data.Dataset.from_tensor_slices(rows)

    @tf.autograph.experimental.do_not_convert
    def gather(rows: Any) -> tuple[Any, ...]:
        return tuple(tf.gather(column, rows) for column in columns)

    return (
        tf.data.Dataset.range(1)
        .flat_map(order)
        .batch(batch_size)
        .map(gather)
        .apply(tf.data.experimental.assert_cardinality(n_steps))
        .prefetch(2)
    )


def _epoch_reporter(build: Callable[[], Any], on_epoch: Callable[[str, Network], bool]) -> Any:
    """Return a Keras callback that passes the epochs on."""
    import keras

    class EpochReporter(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            on_epoch("begin", Network(build, self.model))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if on_epoch("end", Network(build, self.model)):
                self.model.stop_training = True

    return EpochReporter()


def _wrapper_class() -> Any:
    """Return scikeras' base wrapper, made to take batches that are already checked."""
    from scikeras.wrappers import BaseWrapper

    class Wrapper(BaseWrapper):
        """Fits a data set of batches; validation happened at the border of skgenre."""

        def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
            return X, y

    return Wrapper
