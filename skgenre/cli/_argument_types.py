"""Types of arguments, and arguments that several commands have."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from skgenre.cli._cluster import address


def add_jobs(command: Any, what: str) -> None:
    command.add_argument(
        "--jobs", type=jobs, metavar="N", help=f"{what}; -1 for all cores (default: 1)"
    )


def add_jobs_or_dask(command: argparse.ArgumentParser, what: str) -> None:
    either = command.add_mutually_exclusive_group()
    add_jobs(either, what)
    either.add_argument(
        "--dask",
        type=address,
        metavar="ADDRESS|local:N",
        help="run them on the workers of a Dask cluster instead, such as tcp://10.0.0.1:8786, or "
        'on N worker processes here; needs pip install "skgenre[dask]"',
    )


def add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed",
        type=whole(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="seed of all random choices (default: %(default)s)",
    )


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Make a type of whole numbers from ``low`` to ``high``."""
    wanted = f"{low} or more" if high is None else f"from {low} to {high}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if number < low or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {wanted}")
        return number

    return parse


def jobs(text: str) -> int:
    if text == "-1":
        return -1
    try:
        return whole(1)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, or -1") from None


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


def folds(text: str) -> int:
    number = whole(0)(text)
    if number == 1:
        raise argparse.ArgumentTypeError("1 fold leaves nothing to train on; 2 or more, or 0")
    return number
