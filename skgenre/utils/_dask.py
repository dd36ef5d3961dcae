"""Tasks on a Dask cluster, by joblib's backend. Imported where that backend is in use only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

import cloudpickle
import dask
import joblib
from distributed import KilledWorker
from joblib._dask import DaskDistributedBackend

from skgenre.utils._blas import one_blas_thread
from skgenre.utils._tf import limit_tensorflow

_LOADING = Lock()


def stream_from_dask(
    active: DaskDistributedBackend,
    engine: Any,
    function: Callable[..., Any],
    shared: Any,
    calls: Iterable[tuple[Any, ...]],
    on_lost: Callable[[tuple[Any, ...], str], Any] | None,
) -> Iterator[Any]:
    """Do what ``skgenre.utils._parallel.stream`` does, on the cluster of a backend of joblib."""
    sent = _send(active.client, shared)

    def run(calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        backend = _Backend(
            client=active.client,
            wait_for_workers_timeout=active.wait_for_workers_timeout,
            **active.submit_kwargs,
        )
        backend.nesting_level = active.nesting_level
        parallel = engine.Parallel(n_jobs=-1, backend=backend, batch_size=1, return_as="generator")
        # In a tuple, because joblib scatters large arguments, which are lost with their worker.
        return parallel(engine.delayed(_run_on_worker)(function, sent, call) for call in calls)

    for result in run(calls):
        if isinstance(result, _Lost):
            # Dask blames each task that a dead worker had been given, so try each on its own.
            (result,) = run([result.args])
        if not isinstance(result, _Lost):
            yield result
        elif on_lost is None:
            raise ChildProcessError(f"{function.__name__}{result.args!r:.500}: {result.reason}")
        else:
            yield on_lost(*result)


class _Lost(NamedTuple):
    """Takes the place of a result that no worker lived to return."""

    args: tuple[Any, ...]
    reason: str


class _Backend(DaskDistributedBackend):
    """joblib's backend without two of its habits (of joblib 1.6).

    It runs tasks in this process where the cluster has a single core, and it waits for ever for a
    task that no worker survives: ``_collect`` stores such an error without calling the callback.
    """

    def effective_n_jobs(self, n_jobs: int) -> int:
        n_cores = super().effective_n_jobs(n_jobs)
        return max(2, n_cores) if n_cores else 0

    def submit(self, func: Any, callback: Any = None) -> Any:
        future = super().submit(func, callback)

        def report(done: Any) -> None:
            error = done.exception()
            if isinstance(error, KilledWorker):
                callback([_Lost(args[2], _reason(error)) for _, args, _ in func.items])
            elif error is not None:
                callback(error)  # raised where the result is expected

        future.add_done_callback(report)
        return future


def _reason(error: KilledWorker) -> str:
    return (
        f"each of the {error.allowed_failures + 1} Dask workers that ran this died, the last one "
        f"at {error.last_worker.address}. It may have crashed a decoder or taken more memory than "
        "a worker has; the logs of the workers say more. Leave it out, or give workers more memory."
    )


class _Sent:
    """An object on its way to the workers. As bytes, so that it is loaded by the task alone."""

    def __init__(self, data: bytes, sender: int):
        self._data, self._sender, self._value = data, sender, None

    def __reduce__(self) -> Any:  # to a worker that gets it from another one
        return _Sent, (self._data, self._sender)

    def __sizeof__(self) -> int:  # Dask asks
        return len(self._data)

    def load(self) -> Any:
        """Return the object, which all tasks of a worker share."""
        with _LOADING:
            if self._value is None:
                if os.getpid() != self._sender:
                    limit_tensorflow(1)  # a worker has a core for a task
                self._value = cloudpickle.loads(self._data)
        return self._value


def _send(client: Any, shared: Any) -> Any:
    """Return a future of an object, which one worker gets from here and others from each other.

    A task makes it, rather than ``client.scatter``: where its workers die, Dask makes it again.
    """
    try:
        data = cloudpickle.dumps(shared)
    except Exception as error:
        raise TypeError(
            f"{shared!r:.200} cannot be sent to Dask workers, because it cannot be pickled: {error}"
        ) from error
    # Dask warns of large arguments, which would be sent with each task; this is sent once.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
        return client.submit(_Sent, data, os.getpid(), key=f"skgenre-shared-{uuid4().hex}")


def _run_on_worker(function: Callable[..., Any], sent: _Sent, call: tuple[Any, ...]) -> Any:
    # Nothing within a task is worth a task of its own: it would wait in the queue of the others.
    with one_blas_thread(), joblib.parallel_config(backend="sequential"):
        return function(sent.load(), *call)
