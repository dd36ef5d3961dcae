"""The arguments of the command line. Nothing here imports much, so that --help answers at once."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from skgenre import __version__
from skgenre.cli._argument_types import add_jobs, add_jobs_or_dask, add_seed, share, whole
from skgenre.cli._serve_arguments import add_serve
from skgenre.cli._tag_arguments import add_tag
from skgenre.cli._train_arguments import add_duplicates, add_evaluate, add_train


class _Parser(argparse.ArgumentParser):
    """A parser that reports a wrong argument like all other errors."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"skgenre: error: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
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
    for add in (
        _add_demo,
        add_train,
        add_evaluate,
        _add_predict,
        _add_tag,
        add_duplicates,
        add_serve,
        _add_info,
        _add_fetch,
        _add_export,
        _add_reproduce,
    ):
        _add_debug(add(commands))
    return parser


def _add_debug(command: argparse.ArgumentParser) -> None:
    # SUPPRESS: without it here, the option before the command counts.
    command.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )


def _add_demo(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "demo",
        help="make music, compare two classifiers on it, keep the better, predict new files",
        description="Make synthetic music of four genres, compare two classifiers on it by\n"
        "cross-validation, fit the better one, save and load it, and predict the genres of\n"
        "new files. Takes less than a minute and needs no music of your own.",
    )
    add_seed(command)
    command.add_argument(
        "--keep",
        metavar="FOLDER",
        help="keep the music and the model in this new or empty folder (default: removed)",
    )
    return command


def _add_predict(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "predict",
        help="predict the genre of audio files",
        description="Predict the genre of audio files: WAV, FLAC, OGG, Opus, MP3, AU,\n"
        'AIFF, CAF or W64; with PyAV (pip install "skgenre[formats]") also M4A, AAC, WMA,\n'
        "WebM and Matroska.",
        epilog="Files whose names begin with - go after --: skgenre predict MODEL -- -x.wav\n\n"
        "Exit code: 0; 1 if a file could not be read (the others are still "
        "predicted); 2 after an error.",
    )
    command.add_argument(
        "model",
        metavar="MODEL",
        help="file written by skgenre train, save or export; or musicnn-msd or musicnn-mtt, a "
        "pretrained network of tags, after `skgenre fetch musicnn`",
    )
    command.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load MODEL even if it is a pickle: this runs the code in it",
    )
    command.add_argument(
        "files",
        metavar="PATH",
        nargs="+",
        help="audio file, folder, pattern such as 'music/**/*.mp3', or - for a list on standard "
        "input, one file a line",
    )
    command.add_argument(
        "--exclude",
        metavar="PATTERN",
        action="append",
        default=[],
        help="leave out the paths of folders and patterns that match, such as '*/Podcasts/*'; may "
        "be given several times",
    )
    command.add_argument(
        "--top",
        type=whole(1),
        metavar="N",
        help="show the N most probable genres (default: 1 in the table, else all)",
    )
    command.add_argument(
        "--max-genres",
        type=whole(1),
        default=1,
        metavar="N",
        help="give a track up to N genres, until they are together as probable as 0.9 "
        "(default: %(default)s)",
    )
    limit = command.add_mutually_exclusive_group()
    limit.add_argument(
        "--min-confidence",
        type=share,
        default=0.0,
        metavar="P",
        help='answer "unknown" where no genre is as probable as P (default: %(default)s)',
    )
    limit.add_argument(
        "--min-accuracy",
        type=share,
        metavar="A",
        help='answer "unknown" so often that a share A of the other answers is right, by the '
        "cross-validation at training",
    )
    command.add_argument(
        "--segments",
        action="store_true",
        help="show the genre of each segment too, in order of time",
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="write a JSON list, with all probabilities"
    )
    form.add_argument(
        "--output",
        metavar="FILE",
        help="write a record of each file as soon as it is done: .jsonl, .csv or .parquet",
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help="go on with an --output that exists: files recorded in it are skipped",
    )
    command.add_argument("--force", action="store_true", help="replace an --output that exists")
    command.add_argument(
        "--playlists",
        metavar="FOLDER",
        help="write a playlist (M3U8) for each genre into this folder at the end",
    )
    add_jobs_or_dask(command, "files that are predicted at the same time")
    return command


def _add_tag(commands: Any) -> argparse.ArgumentParser:
    command, actions = add_tag(commands)
    for action in actions:
        _add_debug(action)
    return command


def _add_info(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "info",
        help="show where a model comes from and how it was measured",
        description="Show where a model comes from, how it was measured, and which versions\n"
        "differ from those installed. The model itself is not loaded.",
    )
    command.add_argument(
        "model",
        metavar="MODEL",
        help="file written by skgenre train or export; or musicnn-msd, musicnn-mtt",
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write all of it as JSON")
    form.add_argument("--card", action="store_true", help="write a model card in Markdown")
    return command


def _add_export(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "export",
        help="export a model to an ONNX file, which predicts without TensorFlow",
        description="Export a model to an ONNX file, from which skgenre predict works without\n"
        "TensorFlow. The file is compared with the model on synthetic music, and not written if\n"
        'it differs. Needs pip install "skgenre[onnx]".',
    )
    command.add_argument(
        "model", metavar="MODEL", help="file written by skgenre train or skgenre.save"
    )
    command.add_argument("out", metavar="OUT", help="file to write, such as model.onnx")
    command.add_argument("--force", action="store_true", help="replace an existing OUT")
    command.add_argument(
        "--sample", nargs="+", metavar="FILE", help="audio files to compare the predictions on too"
    )
    command.add_argument(
        "--no-front-end",
        action="store_false",
        dest="front_end",
        help="export from features to probabilities, for other programs than skgenre",
    )
    command.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load MODEL even if it is a pickle: this runs the code in it",
    )
    return command


def _add_fetch(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "fetch",
        help="get the weights of a pretrained network, once",
        description="Get the weights of a pretrained network, once, and show their licence and\n"
        "training data. `skgenre predict musicnn-msd FILE` works after that.",
    )
    command.add_argument("network", metavar="NETWORK", choices=("musicnn",), help="musicnn")
    command.add_argument(
        "--weights",
        choices=("msd", "mtt"),
        help="msd: trained on the Million Song Dataset; mtt: on MagnaTagATune (default: both)",
    )
    command.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="take them from the wheel that `pip download --no-deps musicnn==0.1.0` gets, a folder "
        "that it was unpacked to, or a checkpoint, instead of the authors' repository",
    )
    command.add_argument(
        "--data-home",
        metavar="FOLDER",
        help="where the folder musicnn is made (default: scikit-learn's data folder, where the "
        "other commands look)",
    )
    return command


# Written out, because the list itself needs heavy imports.
_EXPERIMENTS = (
    "hu2022/table1, hu2022/table2, hu2022/table3, hu2022/table4, hu2022/layers,\n"
    "hu2022/neurons, hu2022/epochs, hu2022/variants, jain2021/table2, zhang/figure12,\n"
    "zhang/section4, zhang/table5-1, zhang/figure10, zhang/crnn, zhang/fusion, bai/table2,\n"
    "bai/votes, bai/networks, kumar2021/reports, kumar2021/mfcc"
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
    command.add_argument("experiment", metavar="EXPERIMENT", help="such as hu2022/table1")
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
        "--epochs", type=whole(1), metavar="N", help="default: the paper's; with --quick 2"
    )
    command.add_argument(
        "--folds",
        type=whole(2),
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
        "--genres",
        nargs="+",
        metavar="GENRE",
        help="genres of the data to keep (default: all; six for zhang/table5-1)",
    )
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="weights file of VGG16 without its top, for the cell transfer of kumar2021/reports "
        "(.weights.h5, .h5 or .keras; default: ImageNet's, which Keras downloads)",
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
    command.add_argument(
        "--report",
        metavar="FOLDER",
        help="write a report: HTML, Markdown, tables in LaTeX, figures, references; a new or "
        "empty folder, or one with an earlier report, which is replaced",
    )
    add_jobs(command, "tracks, and then trainings, that run at the same time")
    add_seed(command)
    return command
