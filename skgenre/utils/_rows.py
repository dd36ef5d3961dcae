"""Rows of a table that are computed together, so that intermediate results stay small."""

from __future__ import annotations

from collections.abc import Iterator


def parts_of_rows(n_rows: int, n_together: int = 4096) -> Iterator[slice]:
    """Yield slices of neighbouring rows.

    Parameters
    ----------
    n_rows : int
        Rows in all.
    n_together : int, default=4096
        Rows of a slice; the last one has the rest.

    Yields
    ------
    rows : slice
        Each row is in one of them.
    """
    for start in range(0, n_rows, n_together):
        yield slice(start, start + n_together)
