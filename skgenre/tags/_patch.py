"""A description of a file's bytes by those of another, to go back from the new to the old."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

_BLOCK = 1024
Bytes = Any  # bytes or a memory map


def make_patch(new: Bytes, old: Bytes) -> list[list[Any]]:
    """Describe the old content by copies of the new one and the bytes that it lacks.

    Parameters
    ----------
    new, old : bytes or mmap
        The contents.

    Returns
    -------
    patch : list of list
        ``["copy", start, length]`` of the new content, and ``["data", text]``, compressed.
    """
    blocks: dict[int, int] = {}
    for start in range(0, len(new) - _BLOCK + 1, _BLOCK):
        blocks.setdefault(hash(new[start : start + _BLOCK]), start)
    patch: list[list[Any]] = []
    position = kept = 0  # kept: where the bytes begin that nothing describes yet
    while position < len(old):
        block = old[position : position + _BLOCK]
        start = blocks.get(hash(block), -1)
        if start < 0 or new[start : start + _BLOCK] != block:
            position += 1
            continue
        length = _equal(new, start, old, position)
        while position > kept and start > 0 and new[start - 1] == old[position - 1]:
            start, position, length = start - 1, position - 1, length + 1
        if position > kept:
            patch.append(_data(old[kept:position]))
        patch.append(["copy", start, length])
        position += length
        kept = position
    if len(old) > kept:
        patch.append(_data(old[kept:]))
    return patch


def apply_patch(new: BinaryIO, patch: Sequence[Sequence[Any]]) -> Iterator[bytes]:
    """Yield the old content, piece by piece.

    Parameters
    ----------
    new : binary file
        The new content.
    patch : sequence of list
        As ``make_patch`` returns it.

    Yields
    ------
    piece : bytes
        The next bytes.
    """
    for kind, *values in patch:
        if kind == "data":
            yield zlib.decompress(base64.b64decode(values[0]))
            continue
        start, length = values
        new.seek(start)
        while length and (piece := new.read(min(length, 2**20))):
            yield piece
            length -= len(piece)


def _data(piece: bytes) -> list[Any]:
    return ["data", base64.b64encode(zlib.compress(piece, 9)).decode("ascii")]


def _equal(new: Bytes, start: int, old: Bytes, position: int) -> int:
    """Count equal bytes from two places on."""
    length, step = 0, _BLOCK
    most = min(len(new) - start, len(old) - position)
    while step:
        step = min(step, most - length)
        a, b = start + length, position + length
        if step and new[a : a + step] == old[b : b + step]:
            length += step
            step = min(2 * step, 2**20)
        else:
            step //= 2
    return length
