"""TensorFlow without its side effects: on output, on global state, on memory."""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

# One thread at a time imports TensorFlow, brings a network to life or shares what is traced.
lock = threading.RLock()
_imported = False
# Bytes of networks of past fits, some of them perhaps still in use.
_garbage = 0
_GARBAGE_LIMIT = 50_000_000


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
                with stderr_held_back():
                    yield
            finally:
                del os.environ["TF_CPP_MIN_LOG_LEVEL"]
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002 - as it was before


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """Hold back what C++ code writes to standard error; an error inside shows it after all."""
    try:
        saved = os.dup(2)
    except OSError:  # a service without standard error has nothing to hold back
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:  # whatever it is, it passes on; Ctrl-C alone needs no explanation
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def import_keras() -> Any:
    """Import Keras and TensorFlow quietly and return the ``keras`` module."""
    global _imported
    with lock:
        if _imported:
            import keras

            return keras
        with _quiet_import():
            import keras
            import tensorflow as tf

            # Looking for devices is what makes TensorFlow complain of absent ones.
            tf.config.list_physical_devices()
        _imported = True
    return keras


@contextmanager
def new_network_expected() -> Iterator[None]:
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


@cache
def on_one_device(optimizer_class: Any) -> Any:
    """Return the class of a Keras optimizer without what only several devices need.

    Adam moreover becomes one operation a variable. Keras' own dozen take longer than the
    forward and backward pass of a small network.
    """
    import keras
    import tensorflow as tf

    class OnOneDevice(optimizer_class):
        def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
            # The sum goes through a custom gradient, which TensorFlow registers for good: the
            # graph of the step, and with it all variables of the fit, would never be freed.
            return list(grads_and_vars)

    # AdamW decays the weights before the step, in a method that this leaves alone.
    if optimizer_class not in (keras.optimizers.Adam, keras.optimizers.AdamW):
        return OnOneDevice

    class FusedAdam(OnOneDevice):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            if self.amsgrad:
                super().update_step(gradient, variable, learning_rate)
                return
            dtype = variable.dtype
            index = self._get_variable_index(variable)
            step = tf.cast(self.iterations + 1, dtype)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=tf.cast(self.beta_1, dtype) ** step,
                beta2_power=tf.cast(self.beta_2, dtype) ** step,
                lr=tf.cast(learning_rate, dtype),
                beta1=tf.cast(self.beta_1, dtype),
                beta2=tf.cast(self.beta_2, dtype),
                epsilon=tf.cast(self.epsilon, dtype),
                grad=tf.cast(gradient, dtype),
            )

    return FusedAdam


def empty(variables: Iterable[Any]) -> None:
    """Free the memory of Keras' variables; whatever uses them lives until Python collects it."""
    import tensorflow as tf

    for variable in variables:
        nothing = tf.zeros(0, variable.dtype)
        tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=nothing)


def collect_garbage(n_bytes: int) -> None:
    """Count the bytes that a network leaves behind, and free past ones when they are many.

    Keras' models are circles of references. Python's collector frees them in the end, but
    it goes by the number of objects and knows nothing of the megabytes behind them.
    """
    global _garbage
    with lock:
        _garbage += n_bytes
        if _garbage < _GARBAGE_LIMIT:
            return
        _garbage = 0
    gc.collect()
