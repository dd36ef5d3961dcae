"""Results of parallel tasks one after the other, on any backend of joblib."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.dummy import DummyProcess
from typing import Any

import joblib
from joblib.parallel import get_active_backend

# Without return_as="generator", joblib hands out results in rounds of this many tasks a job.
_TASKS_PER_ROUND = 16
_PATIENCE = 10.0  # seconds


def stream(
    engine: Any,
    function: Callable[..., Any],
    shared: Any,
    calls: Iterable[tuple[Any, ...]],
    n_jobs: int | None,
    *,
    prefer: str | None = None,
    on_lost: Callable[[tuple[Any, ...], str], Any] | None = None,
) -> Iterator[Any]:
    """Call a function many times in parallel and yield its results in order, not holding all.

    On a Dask cluster (``joblib.parallel_config(backend="dask")``) each call is one task of Dask,
    and ``shared`` is sent to each worker once.

    Parameters
    ----------
    engine : module
        Has ``Parallel`` and ``delayed``: ``joblib`` or ``sklearn.utils.parallel``.
    function : callable
        Called as ``function(shared, *call)``. Processes import it by its name.
    shared : object
        What all calls have in common.
    calls : iterable of tuple
        The other arguments of each call. Read as results are done, in another thread.
    n_jobs : int or None
        Calls that run at the same time; 1 means in this thread, on any backend.
    prefer : {"threads", "processes"} or None, default=None
        As for ``joblib.Parallel``.
    on_lost : callable or None, default=None
        Called with the arguments and the reason where a call killed all workers of Dask that
        tried it; its answer takes the place of the result. None raises an error.

    Yields
    ------
    result : object
        The result of each call.

    Raises
    ------
    ChildProcessError
        If a call killed its workers and there is no ``on_lost``.
    """
    if n_jobs == 1:
        for call in calls:
            yield function(shared, *call)
        return
    backend, _ = get_active_backend()
    if type(backend).__name__ == "DaskDistributedBackend":
        from skgenre.utils._dask import stream_from_dask

        yield from stream_from_dask(backend, engine, function, shared, calls, on_lost)
        return
    tasks = (engine.delayed(function)(shared, *call) for call in calls)
    try:
        run = engine.Parallel(n_jobs=n_jobs, return_as="generator", prefer=prefer)
    except ValueError:  # a backend that cannot
        run = None
    if run is not None:
        yield from run(tasks)
        return
    with engine.Parallel(n_jobs=n_jobs, prefer=prefer) as run:
        size = _TASKS_PER_ROUND * joblib.effective_n_jobs(-1 if n_jobs is None else n_jobs)
        while some := [task for _, task in zip(range(size), tasks, strict=False)]:
            yield from run(some)


def wait_for_threads() -> None:
    """Let joblib's threads finish their tracks after an interrupt or an error.

    They may write to a folder that is removed next, and code in C++ aborts the process if Python
    ends before it.
    """
    for thread in threading.enumerate():
        if isinstance(thread, DummyProcess):  # the class of threads in a pool
            thread.join(_PATIENCE)


def effective_n_jobs(n_jobs: int | None) -> int:
    """Return how many calls ``stream`` runs at the same time."""
    return 1 if n_jobs == 1 else joblib.effective_n_jobs(n_jobs)


def is_on_dask(n_jobs: int | None) -> bool:
    """Whether ``stream`` would run calls on a Dask cluster."""
    return n_jobs != 1 and type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"


def dask_worker() -> str | None:
    """Return address and host of the Dask worker in which this runs; None outside of one."""
    if "distributed" not in sys.modules:
        return None
    from distributed import get_worker

    try:
        return f"{get_worker().address} ({socket.gethostname()})"
    except ValueError:  # no worker
        return None
