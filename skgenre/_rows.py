"""What errors call a track that has no path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_first_row: ContextVar[int] = ContextVar("first_row", default=0)


def row_name(row: int) -> str:
    """Name the track in a row of the input at hand, such as "track 3"."""
    return f"track {_first_row.get() + row}"


@contextmanager
def rows_from(first: int) -> Iterator[None]:
    """Say that the input at hand is a slice, whose first row has this number in the whole."""
    token = _first_row.set(first)
    try:
        yield
    finally:
        _first_row.reset(token)
