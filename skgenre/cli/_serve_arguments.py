"""The arguments of ``skgenre serve``."""

from __future__ import annotations

import argparse
from typing import Any

from skgenre.cli._argument_types import add_jobs, positive, share, whole


def add_serve(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "serve",
        help="serve a model to browsers, and to programs by HTTP",
        description="Serve a model: a page in the browser where tracks are uploaded or recorded,\n"
        "and an HTTP API. Only this machine can reach it unless --host says otherwise.\n"
        'Needs pip install "skgenre[web]".',
        epilog="Ctrl-C ends the server. Exit code: 130 then; 2 after an error.",
    )
    command.add_argument(
        "model",
        metavar="MODEL",
        help="file written by skgenre train, save or export; or musicnn-msd, musicnn-mtt",
    )
    command.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load MODEL even if it is a pickle: this runs the code in it",
    )
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; 0.0.0.0 lets other machines in (default: %(default)s)",
    )
    command.add_argument(
        "--port",
        type=whole(0, 65535),
        default=7860,
        metavar="N",
        help="port to listen at; 0 takes a free one (default: %(default)s)",
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
        "--catalogue",
        metavar="PATH",
        help="show similar tracks of this folder of music, or of a SimilarTracks that skgenre.save "
        "wrote with keep_paths=True (default: the training tracks, where MODEL lists them)",
    )
    command.add_argument(
        "--max-megabytes",
        type=positive,
        default=50.0,
        metavar="N",
        help="largest file (default: %(default)g)",
    )
    command.add_argument(
        "--max-minutes",
        type=positive,
        default=20.0,
        metavar="N",
        help="longest track (default: %(default)g)",
    )
    command.add_argument(
        "--max-files",
        type=whole(1),
        default=20,
        metavar="N",
        help="most files in one batch (default: %(default)s)",
    )
    command.add_argument(
        "--max-waiting",
        type=whole(1),
        default=32,
        metavar="N",
        help="most requests that wait; further ones are refused (default: %(default)s)",
    )
    command.add_argument(
        "--keep-minutes",
        type=positive,
        default=10.0,
        metavar="N",
        help="remove files that the page got after this time (default: %(default)g)",
    )
    add_jobs(command, "predictions that run at the same time")
    return command
