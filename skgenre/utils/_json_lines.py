"""Files of one JSON object a line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_line(values: Mapping[str, Any]) -> bytes:
    """Write an object as one line of UTF-8.

    Parameters
    ----------
    values : mapping
        Plain values. The bytes of a file name that are no text, which Python keeps as
        surrogates, are escaped, so that the name reads back equal.

    Returns
    -------
    line : bytes
        With the end of the line.
    """
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"


def from_line(line: bytes, where: str) -> dict[str, Any]:
    """Read the object of one line.

    Parameters
    ----------
    line : bytes
        JSON.
    where : str
        The name of the line for an error.

    Returns
    -------
    values : dict
        The object.

    Raises
    ------
    ValueError
        If the line is no JSON object.
    """
    try:
        values = json.loads(line.decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{where} is no JSON ({error}).") from error
    if not isinstance(values, dict):
        raise ValueError(f"{where} holds a {type(values).__name__}; expected an object.")
    return values


def read_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line that is not empty.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Yields
    ------
    number : int
        Of the line, from 1.
    values : dict
        Its object.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is no JSON object.
    """
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            yield number, from_line(line, f"{path}, line {number}")
