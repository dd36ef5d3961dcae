"""Results of parallel tasks one after the other, on any backend of joblib."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from joblib import effective_n_jobs

# Without return_as="generator", joblib hands out results in rounds of this many tasks a job.
_TASKS_PER_ROUND = 16


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
    tasks = iter(tasks)
    with parallel(n_jobs=n_jobs, **options) as run:
        size = _TASKS_PER_ROUND * effective_n_jobs(-1 if n_jobs is None else n_jobs)
        while some := [task for _, task in zip(range(size), tasks, strict=False)]:
            yield from run(some)
