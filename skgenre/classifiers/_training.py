"""The training of a network: optimizer, step, epochs, callbacks, and the check for divergence."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.classifiers._batches import SegmentBatches
from skgenre.classifiers._fitted_network import Network, n_predicted_at_once
from skgenre.classifiers._trainer_cache import acquire, cache_key, release
from skgenre.utils._tf import collect_garbage, free, import_keras, new_network_expected

# Mini-batches that one call into TensorFlow trains on, and the bytes they may have together:
# a call costs more than the step of a small network. Results do not depend on it; Ctrl-C and
# a loss that is not finite take effect after the call.
_BATCHES_PER_CALL = 32
_BYTES_PER_CALL = 16_000_000

# Takes network, segments, classes, probabilities and weights (or None), returns a scalar.
Loss = Callable[..., Any]


def train_network(
    build: Callable[[], Any],
    training: SegmentBatches,
    validation: SegmentBatches | None,
    *,
    compile_model: Callable[[Any, int], tuple[Any, Loss]],
    learning_rate: Any,
    epochs: int,
    batch_size: int,
    patience: int | None,
    monitor: str,
    on_epoch: Callable[[str, Network], bool],
    callbacks: list[Any],
    verbose: int,
    seed: int,
) -> tuple[Network, dict[str, list[float]]]:
    """Train a network on segments and return it with its history.

    Every random choice comes from ``seed`` or was made in ``build``; the global random states
    of Python, NumPy and TensorFlow and TensorFlow's settings stay as they are.

    Parameters
    ----------
    build : callable
        Builds the untrained model.
    training : SegmentBatches
        Training segments.
    validation : SegmentBatches or None
        Segments to measure on after each epoch.
    compile_model : callable
        Takes the model and the number of steps of the whole training; returns a Keras
        optimizer and a loss.
    learning_rate : object
        What the optimizer's learning rate was made from: a function of the user in it keeps
        trainings from sharing a trainer.
    epochs, batch_size : int
        Rounds over the rows, and segments a step.
    patience : int or None
        Epochs without a better ``monitor`` before training stops and the best weights are
        restored. None trains to the end.
    monitor : {"val_loss", "val_accuracy"}
        What patience watches.
    on_epoch : callable
        Called with "begin" and "end" of each epoch and the network; a true return value
        at "end" stops the training.
    callbacks : list of keras.callbacks.Callback
        Further callbacks.
    verbose : int
        Keras' verbosity.
    seed : int
        Seed of the order of the segments.

    Returns
    -------
    network : Network
        The trained network.
    history : dict of str to list of float
        Loss and accuracy of each epoch, and those of the validation part.
    """
    model = build()
    optimizer, loss = compile_model(model, -(-len(training) // batch_size) * epochs)
    columns = [data.signature for data in (training, validation) if data is not None]
    n_bytes = 4 * model.count_params()
    key = cache_key(build, n_bytes, learning_rate, optimizer, loss, batch_size, columns)
    trainer = acquire(key)
    if trainer is None:
        trainer = Trainer(model, optimizer, loss, batch_size, columns)
    else:
        trainer.start_over(model)
    network = Network(build, trainer.model)
    with new_network_expected():
        history = _fit(
            trainer, network, training, validation, epochs, [
                *callbacks, *_early_stopping(patience, monitor), _epoch_callback(network, on_epoch),
            ], verbose, seed,
        )  # fmt: skip
    _check_converged(trainer.model, history["loss"], restored=patience is not None)
    if key is None:
        if getattr(model, "optimizer", None) is not optimizer:  # which the user may save
            free(optimizer.variables)
        collect_garbage(n_bytes)
    else:
        network = network.snapshot()  # the next fit changes the weights of this one
        release(key, n_bytes, trainer)
    return network, history


def _fit(
    trainer: Trainer,
    network: Network,
    training: SegmentBatches,
    validation: SegmentBatches | None,
    epochs: int,
    callbacks: list[Any],
    verbose: int,
    seed: int,
) -> dict[str, list[float]]:
    """Run the epochs; return the history."""
    keras = import_keras()
    model = trainer.model
    batch_bytes = 4 * trainer.batch_size * math.prod(training.row_shape)
    n_batches = max(1, min(_BATCHES_PER_CALL, _BYTES_PER_CALL // batch_bytes))
    n_rows = n_batches * trainer.batch_size
    history: dict[str, list[float]] = {}
    model.stop_training = False
    calls = keras.callbacks.CallbackList(
        callbacks,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=-(-len(training) // n_rows),
    )
    calls.on_train_begin()
    for epoch in range(epochs):
        training.shuffle(seed, epoch)
        calls.on_epoch_begin(epoch)
        total = np.zeros(3)
        for step, columns in enumerate(training.chunks(n_rows)):
            calls.on_train_batch_begin(step)
            total += [float(value) for value in trainer.train(*columns)]
            logs = _means(total)
            calls.on_train_batch_end(step, logs)
            if not np.isfinite(logs["loss"]):
                model.stop_training = True
            if model.stop_training:
                break
        if validation is not None:
            total = np.zeros(3)
            for columns in validation.chunks(n_predicted_at_once(validation.columns[0])):
                total += [float(value) for value in trainer.validate(*columns)]
            logs |= {f"val_{name}": value for name, value in _means(total).items()}
        for name, value in logs.items():
            history.setdefault(name, []).append(value)
        calls.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    trainer.optimizer.finalize_variable_values(model.trainable_variables)  # moving averages
    calls.on_train_end(dict(logs))
    for callback in callbacks:  # the user keeps some of them, but not the model with them
        callback.set_model(None)
    return history


def _means(total: NDArray[np.float64]) -> dict[str, float]:
    loss, n_correct, n = total.tolist()
    return {"loss": loss / n, "accuracy": n_correct / n}


class Trainer:
    """A model with its optimizer and the traced functions that train and validate it.

    Parameters
    ----------
    model : keras.Model
        The model, with its initial weights.
    optimizer : keras.Optimizer
        An optimizer that was not used before.
    loss : callable
        See ``Loss``.
    batch_size : int
        Segments a step.
    columns : list
        Signatures of the training data, and of the validation data if there are any.
    """

    def __init__(self, model: Any, optimizer: Any, loss: Loss, batch_size: int, columns: list[Any]):
        import tensorflow as tf

        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.batch_size = batch_size
        self.strategy = tf.distribute.get_strategy()
        # Variables that are made while a function is traced have it traced again.
        optimizer.build(model.trainable_variables)
        values = [variable.numpy() for variable in optimizer.variables]
        self.initial_state = [value if value.any() else None for value in values]
        # One function for all steps: TensorFlow never frees the graph of a function that
        # another one calls.
        self.train, *validate = [
            tf.function(
                function,
                input_signature=[tf.TensorSpec((None, *shape), kind) for shape, kind in signature],
                autograph=False,
            )
            for function, signature in zip((self._train, self._validate), columns, strict=False)
        ]
        self.validate: Any = validate[0] if validate else None

    def _train(self, *columns: Any) -> tuple[Any, Any, Any]:
        """Train on the mini-batches of a chunk; return sums of loss and hits, and the rows."""
        import tensorflow as tf

        columns = tuple(map(tf.convert_to_tensor, columns))  # arrays when run eagerly
        n_rows = tf.shape(columns[0])[0]
        zero = tf.zeros((), tf.float64)

        def mini_batch(start: Any, loss: Any, n_correct: Any) -> tuple[Any, Any, Any]:
            end = tf.minimum(start + self.batch_size, n_rows)
            batch = [column[start:end] for column in columns]
            batch_loss, batch_correct = self.strategy.run(self._step, args=batch)
            n = tf.cast(end - start, tf.float64)
            return end, loss + n * tf.cast(batch_loss, tf.float64), n_correct + batch_correct

        _, loss, n_correct = tf.while_loop(
            lambda start, *_: start < n_rows, mini_batch, [0, zero, 0.0], parallel_iterations=1
        )
        return loss, n_correct, n_rows

    def _step(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any]:
        """Train on one mini-batch; return its mean loss and its number of hits."""
        import tensorflow as tf

        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            proba = self.model(x, training=True)
            loss = self.loss(self.model, x, y, proba, weight)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, variables)

        def apply(_: Any = None) -> None:
            self.optimizer.apply(gradients, variables)

        # For all replicas at once: Keras sums the gradients of each replica through a custom
        # gradient, which TensorFlow registers for good, with the graph and all its variables.
        if tf.distribute.has_strategy() or _scales_loss(self.optimizer):
            apply()
        else:
            tf.distribute.get_replica_context().merge_call(apply)
        return tf.cast(loss, tf.float32), _n_correct(y, proba)

    def _validate(self, *columns: Any) -> tuple[Any, Any, Any]:
        """Return sums of loss and hits over a chunk, and its rows, without training."""
        import tensorflow as tf

        def measure(x: Any, y: Any, weight: Any = None) -> tuple[Any, Any]:
            proba = self.model(x, training=False)
            loss = self.loss(self.model, x, y, proba, weight)
            return tf.cast(loss, tf.float32), _n_correct(y, proba)

        columns = tuple(map(tf.convert_to_tensor, columns))
        n_rows = tf.shape(columns[0])[0]
        loss, n_correct = self.strategy.run(measure, args=columns)
        return loss * tf.cast(n_rows, tf.float32), n_correct, n_rows

    def start_over(self, model: Any) -> None:
        """Take the initial weights and seeds of another model, and reset the optimizer."""
        import tensorflow as tf

        for variable, initial in zip(self.model.variables, model.variables, strict=True):
            variable.assign(initial.value)
        for variable, value in zip(self.optimizer.variables, self.initial_state, strict=True):
            variable.assign(tf.zeros_like(variable.value) if value is None else value)
        free(model.variables)  # Keras' models are freed late

    def free(self) -> None:
        """Free all variables."""
        free([*self.model.variables, *self.optimizer.variables])


def cross_entropy(model: Any, x: Any, y: Any, proba: Any, weight: Any) -> Any:
    """Return the mean cross-entropy of a mini-batch and the penalties of the model."""
    import keras
    import tensorflow as tf

    losses = keras.losses.sparse_categorical_crossentropy(y, proba)
    return tf.reduce_mean(losses if weight is None else losses * weight) + sum(model.losses)


def _n_correct(y: Any, proba: Any) -> Any:
    import tensorflow as tf

    codes = tf.argmax(y, axis=-1) if y.shape.rank == 2 else tf.cast(y, tf.int64)
    return tf.reduce_sum(tf.cast(tf.argmax(proba, axis=-1) == codes, tf.float32))


def _scales_loss(optimizer: Any) -> bool:
    """Whether an optimizer is Keras' for float16, which refuses to run for all replicas."""
    import keras

    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


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
        Steps of the whole training, over which a pair falls.
    """
    keras = import_keras()
    import tensorflow as tf

    params = params or {}
    optimizer_class: Any = type(keras.optimizers.get(name))
    if isinstance(learning_rate, tuple):
        start, end = map(float, learning_rate)
        learning_rate = keras.optimizers.schedules.PolynomialDecay(start, n_steps, end)
    elif isinstance(learning_rate, Real):
        learning_rate = float(learning_rate)  # Keras refuses NumPy's numbers and 1
    if not params.get("amsgrad") and not tf.distribute.has_strategy():
        if optimizer_class is keras.optimizers.Adam:
            optimizer_class = _fused_adam()
        elif optimizer_class is keras.optimizers.AdamW:
            optimizer_class, params = _fused_adam(), {"weight_decay": 0.004, **params}
    return optimizer_class(learning_rate=learning_rate, **params)


@cache
def _fused_adam() -> Any:
    """Return an optimizer class: Keras' Adam, with one operation a variable.

    The dozen operations of Keras' own take longer than the forward and backward pass of a
    small network.
    """
    import keras
    import tensorflow as tf

    class FusedAdam(keras.optimizers.Optimizer):
        def __init__(
            self,
            learning_rate=0.001,
            beta_1=0.9,
            beta_2=0.999,
            epsilon=1e-7,
            amsgrad=False,
            **params,
        ):
            super().__init__(learning_rate=learning_rate, **params)
            self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

        def build(self, variables: Any) -> None:
            if self.built:
                return
            super().build(variables)
            slots = self.add_optimizer_variables(variables, ["momentum", "velocity"])
            # Keras calls update_step with the TensorFlow variable behind its own.
            self.slots = {id(v.value): pair for v, *pair in zip(variables, *slots, strict=True)}

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            dtype = variable.dtype
            step = tf.cast(self.iterations + 1, dtype)
            momentum, velocity = self.slots[id(variable)]
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=momentum.value.handle,
                v=velocity.value.handle,
                beta1_power=tf.cast(self.beta_1, dtype) ** step,
                beta2_power=tf.cast(self.beta_2, dtype) ** step,
                lr=tf.cast(learning_rate, dtype),
                beta1=tf.cast(self.beta_1, dtype),
                beta2=tf.cast(self.beta_2, dtype),
                epsilon=tf.cast(self.epsilon, dtype),
                grad=tf.cast(gradient, dtype),
            )

        def get_config(self) -> dict[str, Any]:
            own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
            return {**super().get_config(), **own}

    return FusedAdam


def _early_stopping(patience: int | None, monitor: str) -> list[Any]:
    """Return Keras' callback for early stopping, or none."""
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


def _epoch_callback(network: Network, on_epoch: Callable[[str, Network], bool]) -> Any:
    """Return a Keras callback that reports the epochs to ``on_epoch``."""
    import keras

    class EpochCallback(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            on_epoch("begin", network)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if on_epoch("end", network):
                self.model.stop_training = True

    return EpochCallback()


def _check_converged(model: Any, losses: list[float], *, restored: bool) -> None:
    """Refuse a network that has become useless; ``restored`` means best weights are back."""
    finite = all(np.isfinite(weights).all() for weights in model.get_weights())
    if finite and (restored or np.isfinite(losses[-1])):
        return
    bad = np.flatnonzero(~np.isfinite(losses))
    epoch = bad[0] if bad.size else len(losses) - 1
    raise ValueError(
        f"Training diverged: the loss became {losses[epoch]} in epoch {epoch + 1}. Lower "
        "learning_rate, scale the features (FrameScaler), or look for huge values in X."
    )
