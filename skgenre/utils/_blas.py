"""One thread for linear algebra with many small products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_HELD = Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS libraries to one thread, and restore their setting afterwards.

    The products within a track are small and numerous: more threads save little time, but
    busily wait for the next product and take the cores from everything else; if another
    process has one of the cores, all threads wait for that one in each product.

    The setting belongs to the whole process, so one thread sets it at a time and others that
    enter meanwhile leave it alone; if it is one already, it also stays as it is. Another
    library that sets it during this block, and restores it later than this does, restores the
    single thread that it found; no such setting is safe from that.
    """
    if _is_one() or not _HELD.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _HELD.release()


def _is_one() -> bool:
    libraries = _controller().select(user_api="blas").lib_controllers
    return all(library.num_threads == 1 for library in libraries)


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    """Find the loaded libraries once, which takes a millisecond."""
    return ThreadpoolController()
