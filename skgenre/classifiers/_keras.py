"""The only module that talks to Keras' training loop, and the only one that uses scikeras.

A scikeras wrapper is held here by composition and lives for one fit. Our classifiers do
not inherit from it: its ``KerasClassifier`` tells scikit-learn that it is no classifier,
leaves TensorFlow's op determinism switched on after a seeded fit, and takes its
validation part from the unshuffled tail of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context

from skgenre.classifiers._tensorflow import import_keras, lock, new_network_expected

PREDICT_BATCH_SIZE = 1024

# Mini-batches that one call into TensorFlow runs. It saves the per-call overhead of
# small networks and changes no result; it makes the tracing of the step longer, which a
# fit of few steps does not earn back.
_STEPS_PER_EXECUTION = 8


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
        with lock:
            if self._model is None:
                import_keras()
                model = self.build()
                model.set_weights(self._weights)
                # Only now: what other threads find is a whole model.
                self._model, self._weights = model, None
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
        with lock:
            if self._function is None:
                self._function = _trace(self.model)
            function = self._function
        parts = [
            function(segments[start : start + PREDICT_BATCH_SIZE])
            for start in range(0, len(segments), PREDICT_BATCH_SIZE)
        ]
        return np.concatenate(parts)

    def snapshot(self) -> Network:
        """Return an independent copy with the weights of this moment."""
        copy = Network(self.build, None)
        copy._weights = self.model.get_weights()
        return copy

    def __getstate__(self) -> dict[str, Any]:
        with lock:
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
    if isinstance(learning_rate, tuple):
        start, end = map(float, learning_rate)
        learning_rate = keras.optimizers.schedules.PolynomialDecay(start, n_steps, end)
    elif isinstance(learning_rate, Real):
        learning_rate = float(learning_rate)  # Keras refuses NumPy's numbers and 1
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
    callbacks: list[Any] = [keras.callbacks.TerminateOnNaN()]
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
    # scikeras passes the data through transformers of scikit-learn, which would look for a
    # data frame where the user's global configuration asks for one.
    with new_network_expected(), config_context(transform_output="default"):
        wrapper.fit(batches, None)
    history = {name: [float(v) for v in values] for name, values in wrapper.history_.items()}
    _check_converged(wrapper.model_, history["loss"], restored=patience is not None)
    # The wrapper goes with its optimizer; the network keeps the weights alone.
    return Network(build, wrapper.model_), history


def _check_converged(model: Any, losses: list[float], *, restored: bool) -> None:
    """Refuse a network that has become useless; ``restored`` means best weights are back."""
    whole = all(np.isfinite(weights).all() for weights in model.get_weights())
    if whole and (restored or np.isfinite(losses[-1])):
        return
    bad = np.flatnonzero(~np.isfinite(losses))
    epoch = bad[0] if bad.size else len(losses) - 1
    raise ValueError(
        f"Training diverged: the loss became {losses[epoch]} in epoch {epoch + 1}. Lower "
        "learning_rate, scale the features (FrameScaler), or look for huge values in X."
    )


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
