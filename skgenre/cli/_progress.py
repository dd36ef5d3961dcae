"""How far a long run is: a line that changes on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from skgenre.cli._report import echo

_ON_TERMINAL = 0.2  # seconds between two lines
_IN_LOG = 30.0
_WIDTH = 20


class Progress:
    """Counts files, and reports rate and time left on standard error.

    Parameters
    ----------
    n_files : int or None
        How many there are; None if that is not known. The attribute may be set later.
    stream : text stream or None, default=None
        Where to report; None means standard error.
    clock : callable, default=time.monotonic
        Returns the time in seconds.
    """

    def __init__(
        self,
        n_files: int | None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.n_files = n_files
        self._stream = stream or sys.stderr
        self._clock = clock
        self._terminal = self._stream.isatty()
        self._start = self._shown = clock()
        self._n_done = 0

    def advance(self) -> None:
        """Count one file."""
        self._n_done += 1
        now = self._clock()
        if now - self._shown >= (_ON_TERMINAL if self._terminal else _IN_LOG):
            self._shown = now
            if self._terminal:
                print(f"\r\x1b[K{self._line(now)}", end="", file=self._stream, flush=True)
            else:
                echo(self._line(now), self._stream)

    def clear(self) -> None:
        """Remove the line from a terminal, before something else is printed."""
        if self._terminal:
            print("\r\x1b[K", end="", file=self._stream, flush=True)

    def _line(self, now: float) -> str:
        rate = self._n_done / max(now - self._start, 1e-9)
        if self.n_files is None:
            return f"{self._n_done} files, {rate:.1f} a second"
        left = (self.n_files - self._n_done) / rate
        done = f"{self._n_done} of {self.n_files} files, {rate:.1f} a second, {_time(left)} left"
        if not self._terminal:
            return done
        filled = _WIDTH * self._n_done // max(self.n_files, 1)
        return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {done}"


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
