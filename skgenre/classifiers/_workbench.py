"""What a network is trained on: TensorFlow traces it once, for the fits that are alike.

Tracing a small network takes longer than training it. The fits of a cross-validation
train the same network on other data, so that the traced functions serve them all: the
next fit of its kind finds the workbench of one that is done, puts its own weights and
data there, and takes the trained weights away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from types import FunctionType
from typing import Any

from skgenre.classifiers._rows import Rows
from skgenre.classifiers._tensorflow import lock

# Bytes of the networks whose workbenches wait for another fit; each has twice as many
# for the optimizer. A larger network trains so long that its tracing does not matter.
_KEPT_BYTES = 16_000_000
_kept: list[Workbench] = []


class Workbench:
    """A network with its optimizer and its traced training.

    Parameters
    ----------
    kind : object
        What fits must have in common to share it; None for one that is not shared.
    network : keras.Model
        The network that is trained here, with its initial weights.
    optimizer : keras.Optimizer
        The optimizer, not used before.
    """

    def __init__(self, kind: Any, network: Any, optimizer: Any):
        self.kind = kind
        self.network = network
        self.optimizer = optimizer
        self.trainer = _trainer_class()(network.inputs[0], network.outputs[0])
        self.n_bytes = 4 * network.count_params()

    def receive(self, training: Rows, held_out: Rows | None, batch_size: int) -> Any:
        """Lay out the data of a fit; return the model that Keras' training loop works on."""
        self.trainer.training, self.trainer.held_out = training, held_out
        self.trainer.batch_size = batch_size
        return self.trainer

    def start_over(self, network: Any) -> None:
        """Take the initial weights and seeds of another network, and forget all steps."""
        import tensorflow as tf

        for ours, theirs in zip(self.network.variables, network.variables, strict=True):
            ours.assign(theirs.value)
        states = zip(self.optimizer.variables, self.trainer.first_state, strict=True)
        for variable, value in states:
            variable.assign(tf.zeros_like(variable.value) if value is None else value)

    def give_to(self, network: Any) -> None:
        """Hand the trained weights to another network of the same kind."""
        for theirs, ours in zip(network.variables, self.network.variables, strict=True):
            theirs.assign(ours.value)

    def clear(self) -> None:
        """Let go of the data of the fit, and without a kind of the optimizer's state too."""
        self.trainer.training = self.trainer.held_out = None
        if self.kind is None:
            self.trainer.distribute_strategy.run(self.optimizer.release)


def take(kind: Any, network: Any, optimizer: Any) -> Workbench:
    """Return a workbench for a new network: one that is kept, or a new one of its own.

    Parameters
    ----------
    kind : object
        From :func:`kind_of`.
    network : keras.Model
        The network, with its initial weights.
    optimizer : keras.Optimizer
        An optimizer for it.

    Returns
    -------
    workbench : Workbench
        Nobody else has it. Its network starts with the weights of ``network``.
    """
    if 4 * network.count_params() > _KEPT_BYTES:
        kind = None
    with lock:
        found = [] if kind is None else [bench for bench in _kept if bench.kind == kind]
        if found:
            _kept.remove(found[-1])
    if not found:
        return Workbench(kind, network, optimizer)
    found[-1].start_over(network)
    return found[-1]


def give_back(workbench: Workbench) -> None:
    """Clear a workbench after a fit and keep it, the latest ones as far as there is room."""
    workbench.clear()
    if workbench.kind is None:
        return
    with lock:
        _kept.append(workbench)
        while sum(bench.n_bytes for bench in _kept) > _KEPT_BYTES:
            _kept.pop(0)


def forget() -> None:
    """Keep no workbench any longer."""
    with lock:
        _kept.clear()


def kind_of(build: Callable[[], Any], optimizer: Any, *settings: Any) -> Any:
    """Return what is equal for fits that can share a workbench.

    Parameters
    ----------
    build : callable
        Builds the network; a ``functools.partial``, whose ``seed`` does not matter.
    optimizer : keras.Optimizer
        Its settings matter.
    *settings : object
        What else was traced: the size of batches and the shapes of the data.

    Returns
    -------
    kind : tuple or None
        None where a part of it cannot be compared by value.
    """
    if not isinstance(build, partial):
        return None
    keywords = {name: value for name, value in build.keywords.items() if name != "seed"}
    try:
        # Keras gives each optimizer a name of its own.
        config = {**optimizer.get_config(), "name": None}
        parts = (build.func, build.args, keywords, type(optimizer), config, settings)
        return _comparable(parts)
    except (TypeError, NotImplementedError):  # Keras: a schedule that has no get_config
        return None


def _comparable(value: Any) -> Any:
    """Turn parameters into tuples that are equal where the parameters are."""
    if isinstance(value, Mapping):
        return tuple((key, _comparable(value[key])) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    if hasattr(value, "tolist"):
        return _comparable(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str, type, FunctionType)):
        return (type(value), value)
    raise TypeError(f"{value!r} may be equal to others and yet behave in another way.")


@cache
def _trainer_class() -> Any:
    import keras
    import tensorflow as tf

    class Trainer(keras.Model):
        """Trains on several mini-batches a call; what Keras does with each is unchanged."""

        train_function: Any
        test_function: Any

        def compile(self, *args: Any, **kwargs: Any) -> None:
            super().compile(*args, **kwargs)
            # Variables that are made while a function is traced have it traced again, and
            # leave graphs behind that TensorFlow never frees.
            y, y_pred = tf.zeros(1), tf.zeros((1, self.output_shape[-1]))
            self.compute_loss(y=y, y_pred=y_pred)
            self.compute_metrics(None, y, y_pred)
            self.optimizer.build(self.trainable_variables)
            values = [variable.numpy() for variable in self.optimizer.variables]
            self.first_state = [value if value.any() else None for value in values]

        def make_train_function(self, force: bool = False) -> None:
            # One function for it all: TensorFlow never frees the graph of a function that
            # another one calls.
            def train(*columns: Any) -> Any:
                n_rows = tf.shape(columns[0])[0]

                def mini_batch(start: Any) -> Any:
                    end = start + self.batch_size
                    batch = tuple(column[start:end] for column in columns)
                    self.distribute_strategy.run(self.train_step, args=(batch,))
                    return end

                tf.while_loop(lambda start: start < n_rows, mini_batch, [0], parallel_iterations=1)
                return self.get_metrics_result()

            if self.train_function is None or force:
                traced = self.training.trace(train)
                self.train_function = lambda at: traced(*self.training.take(int(next(at))))

        def make_test_function(self, force: bool = False) -> None:
            def test(*columns: Any) -> Any:
                return self.distribute_strategy.run(self.test_step, args=(columns,))

            if self.test_function is None or force:  # Keras asks for it in each epoch
                traced = self.held_out.trace(test)
                self.test_function = lambda at: traced(*self.held_out.take(int(next(at))))

    return Trainer
