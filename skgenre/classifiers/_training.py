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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context

from skgenre.classifiers._batches import SegmentBatches
from skgenre.classifiers._fitted_network import Network, n_predicted_at_once
from skgenre.classifiers._shelf import kind_of
from skgenre.classifiers._tf import (
    collect_garbage,
    import_keras,
    new_network_expected,
    on_one_device,
)
from skgenre.classifiers._trainer_cache import optimizer_settings, take

# Mini-batches that one call into TensorFlow trains on, and the bytes that they may have
# together. Many save the cost of the calls, which is larger than that of a small network's
# step. They change no result; Ctrl-C and a loss that is no number wait for the call's end.
_BATCHES_PER_CALL = 32
_BYTES_PER_CALL = 16_000_000


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
    training: SegmentBatches,
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
    training : SegmentBatches
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
        held_out = SegmentBatches(*validation, n_at_once=n_predicted_at_once(validation[0]))
    workbench = take(
        kind_of(
            build,
            optimizer_settings(made_optimizer),
            batch_size,
            training.signature,
            None if held_out is None else held_out.signature,
        ),
        network,
        made_optimizer,
    )
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
    trained = Network(build, workbench.network)
    if workbench.kind is not None:
        trained = trained.snapshot()  # the next fit changes the weights of this one
    # The trained network keeps its weights alone; all else goes as soon as it can.
    training.columns.clear()
    workbench.give_back()
    n_bytes = 0 if workbench.kind else workbench.n_bytes
    del wrapper, callbacks, workbench
    collect_garbage(n_bytes)
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
