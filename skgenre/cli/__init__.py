"""The command line: one command a module, such as ``skgenre predict``.

This module runs the command and reports errors. Each command is a module of its own,
imported when it is called, so that ``skgenre --help`` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread
from typing import Any, NoReturn

from skgenre.cli._arguments import make_parser
from skgenre.cli._report import echo

__all__ = ["main"]

_MODULES = {
    "demo": "skgenre.cli._demo",
    "train": "skgenre.cli._train",
    "evaluate": "skgenre.cli._evaluate",
    "predict": "skgenre.cli._predict",
    "tag": "skgenre.cli._tag",
    "duplicates": "skgenre.cli._duplicates",
    "serve": "skgenre.cli._serve",
    "info": "skgenre.cli._info",
    "export": "skgenre.cli._export",
    "fetch": "skgenre.cli._fetch",
    "reproduce": "skgenre.cli._reproduce",
}

# Parameters in messages of the library -> options of skgenre train and evaluate.
_OPTIONS = {
    "set metadata=None": "give --metadata none",
    "metadata=PATH": "--metadata PATH",
    "Set metadata=None": "Give --metadata none",
    "set on_error='skip'": "give --skip-corrupt",
    "set genres_from=": "give genres_from=",
    "genres_from='metadata'": "--genres-from metadata",
    "genres_from='folders'": "--genres-from folders",
    "min_artists=": "--min-artists ",
    "protocol='track-random'": "--protocol track-random",
}

# Errors that the user can correct; any other is a bug of the program.
_EXPECTED = (ValueError, OSError, ImportError, MemoryError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of the command line.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; None means those of the process.

    Returns
    -------
    code : int
        0: success; 1: some files could not be read; 2: an error, reported on standard error;
        130: interrupted by Ctrl-C; 143: ended by SIGTERM; 129: by SIGHUP.

    Examples
    --------
    >>> from skgenre.cli import main
    >>> main(["predict", "no.skgenre", "song.wav"])
    2
    """
    _open_closed_streams()
    try:
        args = make_parser().parse_args(argv)
    except SystemExit as end:  # how argparse ends --help, --version and wrong arguments
        return end.code if isinstance(end.code, int) else 0
    # At its end, Python would search all modules for garbage, for half a second.
    atexit.register(gc.freeze)
    with _warnings_without_code(args.command), _ended_as_interrupted():
        try:
            code = import_module(_MODULES[args.command]).run(args)
            sys.stdout.flush()
            return code
        except KeyboardInterrupt as interrupt:
            _end_threads(interrupt)
            print("skgenre: interrupted", file=sys.stderr)
            number = interrupt.number if isinstance(interrupt, _EndedError) else signal.SIGINT
            return 128 + number
        except BrokenPipeError as error:
            _end_threads(error)
            # The reader, such as head, has enough. Python would complain once more when it
            # flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except Exception as error:
            if args.debug:
                traceback.print_exc()
            _end_threads(error)
            echo(f"skgenre: error: {_describe(error, args.command)}", sys.stderr)
            return 2


def _end_threads(error: BaseException) -> None:
    """Let threads end that work for a command which has ended by an error."""
    from skgenre.utils._parallel import wait_for_threads

    # As long as the frames hold the generator of the results, the threads take further tasks.
    traceback.clear_frames(error.__traceback__)
    wait_for_threads()


class _EndedError(KeyboardInterrupt):
    """A signal that ends the process has come."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number


def _end(number: int, frame: object) -> NoReturn:
    raise _EndedError(number)


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: temporary folders are removed at the end."""
    names = ("SIGTERM", "SIGHUP") if current_thread() is main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # A handler other than the default is left alone, such as that of nohup.
    changed = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _open_closed_streams() -> None:
    """Open standard streams that are closed, as in some services, so that nothing else does.

    Otherwise the next file that is opened would get the number of standard output, and what C
    code prints would go into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - until the end


def _describe(error: Exception, command: str) -> str:
    """Describe an error in the terms of the command line."""
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    if not isinstance(error, _EXPECTED):
        text = f"unexpected {type(error).__name__}: {text} (--debug shows where)"
    return _with_options(text, command)


def _with_options(text: str, command: str) -> str:
    if command in ("train", "evaluate"):
        for name, option in _OPTIONS.items():
            text = text.replace(name, option)
    return text


@contextmanager
def _warnings_without_code(command: str) -> Iterator[None]:
    """Show each warning once, without the line of code that raised it."""
    shown = set()

    def show(message: Any, *args: Any, **kwargs: Any) -> None:
        text = _with_options(str(message), command)
        if text not in shown:
            shown.add(text)
            echo(f"skgenre: warning: {text}", sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield
