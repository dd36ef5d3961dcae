"""What a network is trained on: TensorFlow traces it once, for the fits that are alike.

Tracing a small network takes longer than training it. The fits of a cross-validation
train the same network on other data, so that the traced functions serve them all: the
next fit of its kind finds the workbench of one that is done, puts its own weights and
data there, and takes the trained weights away.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from skgenre.classifiers._batches import SegmentBatches
from skgenre.classifiers._shelf import Shelf
from skgenre.classifiers._tf import empty

_kept = Shelf()


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

    def receive(
        self, training: SegmentBatches, held_out: SegmentBatches | None, batch_size: int
    ) -> Any:
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

    def give_back(self) -> None:
        """Let go of the data of a fit that is done, and wait for the next one of its kind.

        One that is not shared keeps the weights of the network and nothing else.
        """
        self.trainer.training = self.trainer.held_out = None
        if self.kind is None:
            self.trainer.distribute_strategy.run(empty, args=(self.optimizer.variables,))
            return
        for old in _kept.put(self.kind, self.n_bytes, self):
            empty([*old.network.variables, *old.optimizer.variables])


def take(kind: Any, network: Any, optimizer: Any) -> Workbench:
    """Return a workbench for a new network: one that is kept, or a new one of its own.

    Parameters
    ----------
    kind : object
        From :func:`~skgenre.classifiers._shelf.kind_of`.
    network : keras.Model
        The network, with its initial weights; of no use to others any longer.
    optimizer : keras.Optimizer
        An optimizer for it.

    Returns
    -------
    workbench : Workbench
        Nobody else has it. Its network starts with the weights of ``network``.
    """
    if not _kept.has_room(4 * network.count_params()):
        kind = None
    found = None if kind is None else _kept.take(kind)
    if found is None:
        return Workbench(kind, network, optimizer)
    found.start_over(network)
    empty(network.variables)  # Keras' models are freed late; their weights are now
    return found


def optimizer_settings(optimizer: Any) -> Any:
    """Return what tells an optimizer from others, for :func:`kind_of`."""
    rate = optimizer._learning_rate
    if not type(rate).__module__.startswith("keras."):
        return object()  # a schedule of the user: what it does is known to itself alone
    # Keras gives each optimizer a name of its own.
    return type(optimizer), {**optimizer.get_config(), "name": None}


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
