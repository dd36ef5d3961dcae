"""One thread for linear algebra where there are many small products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_HELD = Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS libraries to one thread, and give them back what they had.

    The products that a track takes are small, and those of the recommended model are many: more
    threads save little or no time, but wait for the next one busily, and take the cores from
    whatever else runs; where another process has one of the cores, all wait for that one, in each
    product. The setting is one of the whole process, so that one thread of it sets it at a time,
    and whoever comes meanwhile finds it; and where it is so already, by whomever, it stays theirs.
    Another library that sets it while this holds it, and holds it longer, gives back the one
    thread that it found: the way in which all who set it can get in each other's way.
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
    """Look once for the libraries that are loaded, which takes a millisecond."""
    return ThreadpoolController()
