"""Results of parallel tasks one after the other, on any backend of joblib."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from multiprocessing.dummy import DummyProcess
from typing import Any

# Without return_as="generator", joblib hands out results in rounds of this many tasks a job.
_TASKS_PER_ROUND = 16
_PATIENCE = 10.0  # seconds


def stream(
    parallel: Any, tasks: Iterable[Any], n_jobs: int | None, **options: Any
) -> Iterator[Any]:
    """Run tasks and yield their results in order, without holding all of them.

    Parameters
    ----------
    parallel : type
        ``joblib.Parallel``, or scikit-learn's class of that name.
    tasks : iterable
        What its ``delayed`` makes.
    n_jobs : int or None
        Tasks that run at the same time.
    **options : object
        Further arguments of ``parallel``, such as ``prefer="threads"``.

    Yields
    ------
    result : object
        The result of each task.
    """
    try:
        run = parallel(n_jobs=n_jobs, return_as="generator", **options)
    except ValueError:  # a backend that cannot
        run = None
    if run is not None:
        yield from run(tasks)
        return
    from joblib import effective_n_jobs

    tasks = iter(tasks)
    with parallel(n_jobs=n_jobs, **options) as run:
        size = _TASKS_PER_ROUND * effective_n_jobs(-1 if n_jobs is None else n_jobs)
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
