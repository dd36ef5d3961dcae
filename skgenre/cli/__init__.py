"""The command line: ``skgenre demo``, ``train``, ``predict`` and ``reproduce``.

This module reads the arguments and reports errors. Each command is a module of its own,
imported when it is called, so that ``skgenre --help`` answers at once.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread
from typing import Any, NoReturn

from skgenre import __version__
from skgenre.cli._report import echo

__all__ = ["main"]

_MODULES = {
    "demo": "skgenre.cli._demo",
    "train": "skgenre.cli._train",
    "predict": "skgenre.cli._predict",
    "reproduce": "skgenre.cli._reproduce",
}

# Parameters in messages of the library -> options of the command line.
_OPTIONS = {
    "set metadata=None": "give --metadata none",
    "metadata=PATH": "--metadata PATH",
    "Set metadata=None": "Give --metadata none",
    "set on_error='skip'": "give --skip-corrupt",
    "set genres_from=": "give genres_from=",
    "genres_from='metadata'": "--genres-from metadata",
    "genres_from='folders'": "--genres-from folders",
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
        130: interrupted.

    Examples
    --------
    >>> from skgenre.cli import main
    >>> main(["predict", "no.joblib", "song.wav"])
    2
    """
    _open_closed_streams()
    try:
        args = _make_parser().parse_args(argv)
    except SystemExit as end:  # how argparse ends --help, --version and wrong arguments
        return end.code if isinstance(end.code, int) else 0
    with _warnings_without_code(), _ended_as_interrupted():
        try:
            code = import_module(_MODULES[args.command]).run(args)
            sys.stdout.flush()
            return code
        except KeyboardInterrupt:
            print("skgenre: interrupted", file=sys.stderr)
            return 130
        except BrokenPipeError:
            # The reader, such as head, has enough. Python would complain once more when it
            # flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except Exception as error:
            if args.debug:
                traceback.print_exc()
            echo(f"skgenre: error: {_describe(error)}", sys.stderr)
            return 2


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: temporary folders are removed at the end."""
    names = ("SIGTERM", "SIGHUP") if current_thread() is main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # A handler other than the default is left alone, such as that of nohup.
    changed = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, signal.default_int_handler)
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


def _describe(error: Exception) -> str:
    """Describe an error in the terms of the command line."""
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    if not isinstance(error, _EXPECTED):
        text = f"unexpected {type(error).__name__}: {text} (--debug shows where)"
    return _with_options(text)


def _with_options(text: str) -> str:
    for name, option in _OPTIONS.items():
        text = text.replace(name, option)
    return text


@contextmanager
def _warnings_without_code() -> Iterator[None]:
    """Show each warning once, without the line of code that raised it."""
    shown = set()

    def show(message: Any, *args: Any, **kwargs: Any) -> None:
        text = _with_options(str(message))
        if text not in shown:
            shown.add(text)
            echo(f"skgenre: warning: {text}", sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


class _Parser(argparse.ArgumentParser):
    """A parser that reports a wrong argument like all other errors."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"skgenre: error: {message} (see {self.prog} --help)\n")


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="skgenre",
        description="Predict the genre of music from its sound.",
        epilog="`skgenre COMMAND --help` describes a command. Start with `skgenre demo`.",
    )
    parser.add_argument("--version", action="version", version=f"skgenre {__version__}")
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error, for a bug report"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_add_demo, _add_train, _add_predict, _add_reproduce):
        command = add(commands)
        # SUPPRESS: without it here, the option before the command counts.
        command.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
    return parser


def _add_demo(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "demo",
        help="make music, compare two classifiers on it, keep the better, predict new files",
        description="Make synthetic music of four genres, compare two classifiers on it by\n"
        "cross-validation, fit the better one, save and load it, and predict the genres of\n"
        "new files. Takes about a minute and needs no music of your own.",
    )
    _add_seed(command)
    command.add_argument(
        "--keep",
        metavar="FOLDER",
        help="keep the music and the model in this new or empty folder (default: removed)",
    )
    return command


def _add_train(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "train",
        help="train a model on a folder of music that has one sub-folder for each genre",
        description="Train a model on a folder of music that has one sub-folder for each genre.\n"
        "First measures the accuracy by cross-validation, then trains on all tracks.",
    )
    command.add_argument("folder", metavar="FOLDER", help="such as music, with music/rock/song.wav")
    command.add_argument("--out", metavar="MODEL", required=True, help="file to write the model to")
    command.add_argument("--force", action="store_true", help="replace an existing MODEL")
    command.add_argument(
        "--classifier",
        choices=("recommended", "cnn", "mlp", "lstm", "hierarchical"),
        default="recommended",
        help="'recommended' is the model for a catalogue, GenreClassifier; the others are those of "
        "the papers (default: %(default)s)",
    )
    command.add_argument(
        "--n-segments",
        type=_whole(1),
        metavar="N",
        help="segments of a track, which vote on its genre (default: 10); not for 'recommended'",
    )
    command.add_argument(
        "--duration",
        type=_positive,
        metavar="SECONDS",
        help="used of each track, from the middle for 'recommended', else from the start; "
        "'recommended' takes a shorter one as it is, the others repeat it (default: 60 for "
        "'recommended', else 30)",
    )
    command.add_argument(
        "--epochs",
        type=_whole(1),
        metavar="N",
        help="rounds over the training tracks (default: the classifier's); not for 'recommended'",
    )
    rate_help = "default: the classifier's; not for 'recommended'"
    command.add_argument("--learning-rate", type=_positive, metavar="RATE", help=rate_help)
    command.add_argument(
        "--cv",
        type=_folds,
        default=5,
        metavar="N",
        help="folds of the cross-validation, split by artist if artists are known; 0 for none "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--metadata",
        metavar="CSV",
        default="auto",
        help="table with the columns file, artist and genre, or one of the last two; 'auto' looks "
        "for one in and beside FOLDER, 'none' trains without artists (default: %(default)s)",
    )
    command.add_argument(
        "--genres-from",
        choices=("auto", "folders", "metadata"),
        default="auto",
        help="source of the genres: names of folders, or the column genre of the table; 'auto' "
        "means the table if no folder is named as one of its genres (default: %(default)s)",
    )
    command.add_argument(
        "--skip-corrupt",
        action="store_true",
        help="leave out files that cannot be read or have no artist or genre in the table",
    )
    _add_jobs(command, "tracks, and then folds, that run at the same time")
    command.add_argument(
        "--memory",
        metavar="FOLDER",
        help="keep features and trained folds here, for this run and later ones",
    )
    _add_seed(command)
    command.add_argument(
        "--progress",
        action="store_true",
        help='show progress bars on standard error; needs pip install "skgenre[progress]"',
    )
    return command


def _add_predict(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "predict",
        help="predict the genre of audio files",
        description="Predict the genre of audio files: WAV, FLAC, OGG, Opus, MP3, AU,\n"
        'AIFF, CAF or W64; with PyAV (pip install "skgenre[formats]") also M4A, AAC, WMA,\n'
        "WebM and Matroska.\n\n"
        "A model file is a pickle: loading it runs the code in it. Load only models\n"
        "that you trust.",
        epilog="Files whose names begin with - go after --: skgenre predict MODEL -- -x.wav\n\n"
        "Exit code: 0; 1 if a file could not be read (the others are still "
        "predicted); 2 after an error.",
    )
    command.add_argument("model", metavar="MODEL", help="file written by skgenre train")
    command.add_argument("files", metavar="FILE", nargs="+", help="audio file")
    command.add_argument(
        "--top",
        type=_whole(1),
        default=1,
        metavar="N",
        help="show the N most probable genres in the table (default: %(default)s)",
    )
    command.add_argument(
        "--segments",
        action="store_true",
        help="show the genre of each segment too, in order of time",
    )
    command.add_argument(
        "--json", action="store_true", help="write a JSON list, with all probabilities"
    )
    return command


# Written out, because the list itself needs heavy imports.
_EXPERIMENTS = (
    "hu2022-table1, hu2022-table2, hu2022-table3, hu2022-table4, jain2021-table2,\n"
    "zhang-figure12, bai-table2, kumar2021"
)


def _add_reproduce(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "reproduce",
        help="run an experiment of a paper again: published figures beside measured ones",
        description="Run an experiment of a paper again, and print a table: the figures of the\n"
        "paper, those measured under its protocol, and those measured honestly.\n\n"
        f"Experiments: {_EXPERIMENTS}.",
        epilog="Exit code: 0; 1 if a cell could not be run; 2 after an error.",
    )
    command.add_argument("experiment", metavar="EXPERIMENT", help="such as hu2022-table1")
    command.add_argument(
        "--data",
        metavar="FOLDER",
        required=True,
        help="GTZAN, or another folder of music with one sub-folder for each genre",
    )
    command.add_argument(
        "--quick",
        action="store_true",
        help="try it out: few cells, tracks, epochs and folds; the figures mean nothing",
    )
    command.add_argument(
        "--epochs", type=_whole(1), metavar="N", help="default: the paper's; with --quick 2"
    )
    command.add_argument(
        "--folds",
        type=_whole(2),
        metavar="N",
        help="folds of the honest protocol, and the most trainings under the paper's "
        "(default: 5; with --quick 2)",
    )
    command.add_argument(
        "--only",
        "--cells",
        nargs="+",
        metavar="CELL",
        help="cells to run, such as cnn-10 or 'mlp-*' (default: all; with --quick a few)",
    )
    command.add_argument(
        "--memory", metavar="FOLDER", help="keep features here, for this run and later ones"
    )
    command.add_argument(
        "--checkpoint",
        metavar="FOLDER",
        help="keep trainings here, so that the same command continues after a kill "
        "(default: trainings in the folder of --memory)",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        help="write the result: Markdown (.md), or all of it as JSON (.json); an existing file "
        "is replaced",
    )
    _add_jobs(command, "tracks, and then trainings, that run at the same time")
    _add_seed(command)
    return command


def _add_jobs(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--jobs", type=_jobs, metavar="N", help=f"{what}; -1 for all cores (default: 1)"
    )


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed",
        type=_whole(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="seed of all random choices (default: %(default)s)",
    )


def _whole(low: int, high: int | None = None) -> Callable[[str], int]:
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


def _jobs(text: str) -> int:
    if text == "-1":
        return -1
    try:
        return _whole(1)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, or -1") from None


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _folds(text: str) -> int:
    number = _whole(0)(text)
    if number == 1:
        raise argparse.ArgumentTypeError("1 fold leaves nothing to train on; 2 or more, or 0")
    return number
