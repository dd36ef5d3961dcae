"""Keras on TensorFlow without its side effects: on output, global state and memory."""

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
from typing import Any

import numpy as np

from skgenre.utils._extras import check_installed

_imported = False
# Bytes of networks of past fits, some of them perhaps still in use.
_garbage = 0
_GARBAGE_LIMIT = 50_000_000


def limit_tensorflow(n_threads: int) -> None:
    """Limit TensorFlow in this process, if it is not imported yet and nothing else is set.

    joblib and Dask limit the threads of BLAS and OpenMP but not those of TensorFlow, which reads
    these variables when it is imported. On a GPU, a process would otherwise take all of its memory.
    """
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(n_threads))
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(n_threads))
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


class _TensorFlowLock:
    """A lock that is refused in a process forked from one that had used TensorFlow.

    A fork copies no threads: there, TensorFlow would wait for its own for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._has_lost_threads = False
        if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
            os.register_at_fork(after_in_child=self._look_for_threads)

    def _look_for_threads(self) -> None:
        # A thread that is missing here may also have held the lock.
        if _has_threads() or not self._lock.acquire(blocking=False):
            self._has_lost_threads = True
        else:
            self._lock.release()

    def __enter__(self) -> None:
        if self._has_lost_threads:
            raise RuntimeError(
                "TensorFlow was used before this process was forked, and would hang here. Start "
                'processes by "spawn", as multiprocessing.set_start_method("spawn") or '
                'joblib.parallel_config("loky") do, or fit and predict with networks after the '
                "fork only: a server that loads its application before it forks may load a model, "
                "but not use it."
            )
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


def _has_threads() -> bool:
    """Whether TensorFlow has computed something, for which it started its threads."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return False
    try:
        n_threads = tf.config.threading.get_inter_op_parallelism_threads()
        # Refused once there are threads.
        tf.config.threading.set_inter_op_parallelism_threads(n_threads + 1)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)
    except (RuntimeError, AttributeError):  # AttributeError: another thread was importing it
        return True
    return False


# Held while TensorFlow is imported, a network is built, or a traced function is shared.
lock = _TensorFlowLock()


def check_networks_installed(*also: str) -> None:
    """Check that TensorFlow, Keras and other packages are installed, without importing them.

    Raises
    ------
    ModuleNotFoundError
        If one of them is not; the message has the command that installs all.
    """
    check_installed("Networks need", "networks", "tensorflow", "keras", *also)


def import_keras() -> Any:
    """Import Keras and TensorFlow quietly and return the ``keras`` module.

    Raises
    ------
    ModuleNotFoundError
        If TensorFlow or Keras is not installed.
    RuntimeError
        If Keras runs on another backend than TensorFlow, or this process was forked from one
        that had used TensorFlow.
    """
    global _imported
    with lock:
        if _imported:
            import keras

            return keras
        check_networks_installed()
        backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
        if "keras" not in sys.modules and backend != "tensorflow":
            raise _wrong_backend(backend)  # importing Keras may fail in that backend
        try:
            with _quiet_import():
                import keras
                import tensorflow as tf

                # TensorFlow complains about missing devices when it first looks for them.
                tf.config.list_physical_devices()
        except ModuleNotFoundError as error:
            if error.name in ("jax", "torch", "openvino"):
                raise _wrong_backend(error.name) from error
            raise
        if keras.backend.backend() != "tensorflow":
            raise _wrong_backend(keras.backend.backend())
        _imported = True
    return keras


def _wrong_backend(backend: str) -> RuntimeError:
    return RuntimeError(
        f"Keras is set to the backend {backend!r}, but the networks of skgenre need Keras on "
        "TensorFlow. Set the environment variable KERAS_BACKEND=tensorflow before Keras is "
        'imported, or "backend": "tensorflow" in ~/.keras/keras.json.'
    )


@contextmanager
def _quiet_import() -> Iterator[None]:
    """Silence TensorFlow's start-up messages and restore the random states it changes.

    TensorFlow writes to the standard error of the process before it can be configured. With
    TF_CPP_MIN_LOG_LEVEL set by the user, everything is shown; so it is when the import fails.
    """
    with global_random_state_kept():
        if "TF_CPP_MIN_LOG_LEVEL" in os.environ or "tensorflow" in sys.modules:
            yield
            return
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        try:
            with stderr_held_back():
                yield
        finally:
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]


@contextmanager
def global_random_state_kept(seed: int | None = None) -> Iterator[None]:
    """Restore the global random states of Python and NumPy on leaving.

    Keras draws the seeds of layers and initializers without a seed from Python's generator:
    a given ``seed`` decides them.
    """
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - restored, not drawn from
    if seed is not None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - for code that draws from it
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002 - as it was before


def keras_settings() -> tuple[str, str, str]:
    """Return Keras' global data format, float type and type policy."""
    config = import_keras().config
    return config.image_data_format(), config.floatx(), config.dtype_policy().name


@contextmanager
def set_keras_settings(
    settings: tuple[str, str, str] = ("channels_last", "float32", "float32"),
) -> Iterator[None]:
    """Set Keras' global data format, float type and type policy, and restore them on leaving.

    For code of others that builds layers and takes no arguments for these settings.
    """
    config = import_keras().config

    def change(data_format: str, floatx: str, policy: str) -> None:
        config.set_image_data_format(data_format)
        config.set_floatx(floatx)
        config.set_dtype_policy(policy)

    with lock:
        kept = keras_settings()
        change(*settings)
        try:
            yield
        finally:
            change(*kept)


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """Hold back what C++ code writes to standard error; write it if an error is raised."""
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
        except Exception:  # Ctrl-C needs no explanation
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextmanager
def new_network_expected() -> Iterator[None]:
    """Hold back TensorFlow's warning that a function is traced again and again.

    Each fit has a network of its own to trace. TensorFlow identifies functions by their
    address in memory and takes the networks of a short cross-validation for one function.
    """

    def is_other(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def free(variables: Iterable[Any]) -> None:
    """Free the memory of Keras variables that something may still refer to."""
    import tensorflow as tf

    if tf.distribute.has_strategy():  # variables of several devices are left to Python
        return
    for variable in variables:
        nothing = tf.zeros(0, variable.dtype)
        tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=nothing)


def collect_garbage(n_bytes: int) -> None:
    """Add the size of a network that is no longer used; collect once the sum is large.

    Keras models are reference cycles. Python's collector frees them in the end, but it
    counts objects and knows nothing of the megabytes behind them.
    """
    global _garbage
    with lock:
        _garbage += n_bytes
        if _garbage < _GARBAGE_LIMIT:
            return
        _garbage = 0
    gc.collect()
