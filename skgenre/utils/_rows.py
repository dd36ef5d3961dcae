"""What a step knows of the whole input when it sees a few tracks of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_first_row: ContextVar[int] = ContextVar("first_row", default=0)
_checked_steps: ContextVar[Sequence[Any]] = ContextVar("checked_steps", default=())
_hands_on: ContextVar[bool] = ContextVar("hands_on", default=False)


def row_name(row: int) -> str:
    """Name the track in a row of the input at hand, such as "track 3"."""
    return f"track {_first_row.get() + row}"


def parameters_checked(step: Any) -> bool:
    """Tell whether who runs this step has checked its parameters already."""
    return any(step is checked for checked in _checked_steps.get())


def hands_on() -> bool:
    """Tell whether a step may hand on its result, or views of its input, without a copy."""
    return _hands_on.get()


@contextmanager
def rows_from(
    first: int, checked_steps: Sequence[Any] = (), *, hands_on: bool = False
) -> Iterator[None]:
    """Say that the input at hand is a slice of a whole.

    Parameters
    ----------
    first : int
        The number in the whole of the slice's first row.
    checked_steps : sequence of estimators, default=()
        The steps whose parameters were checked before the first slice, and stayed as they
        were.
    hands_on : bool, default=False
        Whether these steps need not copy; only where no memory of the user is among what
        they pass on.
    """
    # A slice may be cut out of a slice.
    row = _first_row.set(_first_row.get() + first)
    checked, shared = _checked_steps.set(checked_steps), _hands_on.set(hands_on)
    try:
        yield
    finally:
        _hands_on.reset(shared)
        _checked_steps.reset(checked)
        _first_row.reset(row)
