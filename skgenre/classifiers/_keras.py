"""The only module that talks to Keras' training loop, and the only one that uses scikeras.

A scikeras wrapper is held here by composition and lives for one fit. Our classifiers do
not inherit from it: its ``KerasClassifier`` tells scikit-learn that it is no classifier,
leaves TensorFlow's op determinism switched on after a seeded fit, and takes its
validation part from the unshuffled tail of the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context

from skgenre.classifiers._rows import Rows
from skgenre.classifiers._tensorflow import (
    collect_garbage,
    import_keras,
    lock,
    new_network_expected,
    on_one_device,
)
from skgenre.classifiers._workbench import give_back, kind_of, take

# Segments that are predicted together: few where each is large, as images are.
_PREDICT_SEGMENTS = 1024
_PREDICT_VALUES = 2**21

# Mini-batches that one call into TensorFlow trains on, and the bytes that they may have
# together. Many save the cost of the calls, which is larger than that of a small network's
# step. They change no result; Ctrl-C and a loss that is no number wait for the call's end.
_BATCHES_PER_CALL = 32
_BYTES_PER_CALL = 16_000_000


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
        size = _n_predicted_at_once(segments)
        parts = [
            function(segments[start : start + size]) for start in range(0, len(segments), size)
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


def _n_predicted_at_once(segments: NDArray[Any]) -> int:
    n_values = math.prod(segments.shape[1:])
    return max(1, min(_PREDICT_SEGMENTS, _PREDICT_VALUES // n_values))


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
    kind: Any = type(keras.optimizers.get(name))
    optimizer_class = on_one_device(kind)
    if isinstance(learning_rate, tuple):
        start, end = map(float, learning_rate)
        learning_rate = keras.optimizers.schedules.PolynomialDecay(start, n_steps, end)
    elif isinstance(learning_rate, Real):
        learning_rate = float(learning_rate)  # Keras refuses NumPy's numbers and 1
    return optimizer_class(learning_rate=learning_rate, **(params or {}))


def train_network(
    build: Callable[[], Any],
    training: Rows,
    *,
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
    training : Rows
        Training segments, their classes encoded as 0 .. n_classes - 1, and their weights
        if there are any.
    validation : tuple of (X, y) or (X, y, sample_weight), or None
        Segments to measure on after each epoch.
    optimizer : callable
        Takes the number of steps of the whole training, returns a Keras optimizer.
    epochs, batch_size : int
        Rounds over the rows, and segments a step.
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

    network = build()
    n_steps = -(-len(training) // batch_size)
    made_optimizer = optimizer(n_steps * epochs)
    batch_bytes = 4 * batch_size * math.prod(training.row_shape)
    n_together = max(1, min(_BATCHES_PER_CALL, _BYTES_PER_CALL // batch_bytes))
    training.n_at_once = n_together * batch_size
    held_out = None
    if validation is not None:
        held_out = Rows(*validation, n_at_once=_n_predicted_at_once(validation[0]))
    traced = (batch_size, training.signature, held_out and held_out.signature)
    workbench = take(kind_of(build, made_optimizer, *traced), network, made_optimizer)
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_begin=partial(training.shuffle, seed)),
        keras.callbacks.TerminateOnNaN(),
        *_early_stopping(patience, monitor),
        _epoch_reporter(Network(build, workbench.network), on_epoch),
    ]
    # Weighted and unweighted training report the accuracy alike: that of the data.
    wrapper = _wrapper_class()(
        model=partial(workbench.receive, training, held_out, batch_size),
        loss="sparse_categorical_crossentropy",
        optimizer=made_optimizer,
        metrics=["accuracy"],
        epochs=epochs,
        shuffle=False,  # the rows come in an order of their own
        verbose=verbose,
        callbacks=callbacks,
        fit__validation_data=None if held_out is None else held_out.positions(),
        compile__jit_compile=False,  # XLA cuts no batches of a size that it does not know
    )
    # scikeras passes the data through transformers of scikit-learn, which would look for a
    # data frame where the user's global configuration asks for one.
    with new_network_expected(), config_context(transform_output="default"):
        wrapper.fit(training.positions(), None)
    history = {name: [float(v) for v in values] for name, values in wrapper.history_.items()}
    _check_converged(workbench.network, history["loss"], restored=patience is not None)
    trained = Network(build, network)
    if workbench.network is not network:
        workbench.give_to(network)
    elif workbench.kind is not None:
        trained = trained.snapshot()  # the next fit changes the weights of this one
    # The trained network keeps its weights alone; all else goes as soon as it can.
    training.columns.clear()
    give_back(workbench)
    del wrapper, callbacks, workbench
    collect_garbage(4 * network.count_params())
    return trained, history


def _early_stopping(patience: int | None, monitor: str) -> list[Any]:
    """Return Keras' callback for it, or none."""
    import keras

    if patience is None:
        return []
    stopping = keras.callbacks.EarlyStopping(
        monitor=monitor,
        mode="min" if monitor.endswith("loss") else "max",
        patience=patience,
        restore_best_weights=True,
    )
    return [stopping]


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


def _epoch_reporter(network: Network, on_epoch: Callable[[str, Network], bool]) -> Any:
    """Return a Keras callback that passes the epochs on."""
    import keras

    class EpochReporter(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            on_epoch("begin", network)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if on_epoch("end", network):
                self.model.stop_training = True

    return EpochReporter()


@cache
def _wrapper_class() -> Any:
    """Return scikeras' base wrapper, made to take batches that are already checked."""
    from scikeras.wrappers import BaseWrapper

    class Wrapper(BaseWrapper):
        """Fits a data set of batches; validation happened at the border of skgenre."""

        def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
            return X, y

    return Wrapper
