"""The arguments of ``skgenre tag``, and those of ``skgenre train`` about tags."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any


def add_tag(commands: Any) -> tuple[argparse.ArgumentParser, list[argparse.ArgumentParser]]:
    """Add the command ``skgenre tag``; return it and its own commands."""
    command = commands.add_parser(
        "tag",
        help="write predicted genres into the tags of audio files: plan, preview, apply, undo",
        description="Write predicted genres into the tags of MP3, FLAC, Ogg, Opus, M4A, WAV and\n"
        "AIFF files, in steps: plan what to write, preview it, apply it, undo it.\n"
        'Needs mutagen: pip install "skgenre[tags]".',
    )
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    added = [add(actions) for add in (_add_plan, _add_preview, _add_apply, _add_undo)]
    return command, added


def add_labels(command: argparse.ArgumentParser, count: Callable[[str], int]) -> None:
    """Add the options of ``skgenre train`` for genres from tags.

    Parameters
    ----------
    command : ArgumentParser
        Of ``skgenre train``.
    count : callable
        The type of a number of tracks.
    """
    command.add_argument(
        "--labels",
        choices=("folders", "tags"),
        default="folders",
        help="where genres and artists are from: folders and a table, or the tags of the files; "
        "'tags' needs pip install \"skgenre[tags]\" (default: %(default)s)",
    )
    command.add_argument(
        "--vocabulary",
        metavar="JSON",
        help='the words in tags that stand for each genre, such as {"metal": ["Thrash", "Doom"]}; '
        "files with others are left out; only with --labels tags",
    )
    command.add_argument(
        "--several",
        choices=("first", "drop"),
        help="files with several genres in their tags: take the first, or leave them out; only "
        "with --labels tags (default: first)",
    )
    for what in ("tracks", "artists"):
        command.add_argument(
            f"--min-{what}",
            type=count,
            metavar="N",
            help=f"leave out genres of fewer {what}; only with --labels tags (default: 1)",
        )


def _add_plan(actions: Any) -> argparse.ArgumentParser:
    command = actions.add_parser(
        "plan",
        help="predict files, and write down which genres their tags would get",
        description="Predict files, and write down which genres their tags would get: one line of\n"
        "JSON a file, to read and to edit. No audio file is changed.",
        epilog="Exit code: 0; 1 if a file could not be predicted or cannot be tagged; 2 after an "
        "error.",
    )
    command.add_argument("model", metavar="MODEL", nargs="?", help="file written by skgenre train")
    command.add_argument(
        "paths", metavar="PATH", nargs="*", help="audio file, or folder of audio files"
    )
    command.add_argument("--output", metavar="PLAN", required=True, help="file to write")
    command.add_argument("--force", action="store_true", help="replace an existing PLAN")
    command.add_argument(
        "--predictions",
        metavar="FILE",
        help="take the predictions from this file, one JSON object a line with path, status, "
        "genre and probabilities, in the place of MODEL and PATH",
    )
    mode = command.add_mutually_exclusive_group()
    mode.add_argument(
        "--overwrite",
        dest="mode",
        action="store_const",
        const="overwrite",
        help="replace the genres that files have (default: write into files without one only)",
    )
    mode.add_argument(
        "--append",
        dest="mode",
        action="store_const",
        const="append",
        help="add to the genres that files have",
    )
    command.add_argument(
        "--vocabulary",
        metavar="JSON",
        help='the words to write for a genre, such as {"hiphop": "Hip-Hop", "dub": ["Dub", '
        '"Reggae"]}; several are written as separate values',
    )
    command.add_argument(
        "--exclude",
        metavar="GENRE",
        action="append",
        default=[],
        help="a genre that is never written; may be given several times",
    )
    command.add_argument(
        "--min-confidence",
        type=_share,
        default=0.0,
        metavar="P",
        help="write only genres of this probability or more (default: %(default)s)",
    )
    command.add_argument(
        "--evidence",
        action="store_true",
        help="write genre, probability and model into fields SKGENRE_... too",
    )
    command.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load MODEL even if it is a pickle: this runs the code in it",
    )
    return command


def _add_preview(actions: Any) -> argparse.ArgumentParser:
    command = actions.add_parser("preview", help="show what a plan changes, file by file")
    command.add_argument("plan", metavar="PLAN", help="file written by skgenre tag plan")
    command.add_argument(
        "--all", action="store_true", help="show the files that are not changed too, and why"
    )
    return command


def _add_apply(actions: Any) -> argparse.ArgumentParser:
    command = actions.add_parser(
        "apply",
        help="write the genres of a plan into the tags of its files",
        description="Write the genres of a plan into the tags of its files. Each file is copied,\n"
        "its copy is edited and verified, and takes its place. After a kill, the same command\n"
        "continues.",
        epilog="Exit code: 0; 1 if a file was refused; 2 after an error.",
    )
    command.add_argument("plan", metavar="PLAN", help="file written by skgenre tag plan")
    command.add_argument(
        "--journal", metavar="FILE", help="file to record the changes in (default: PLAN.journal)"
    )
    command.add_argument(
        "--keep-mtime", action="store_true", help="keep the files' times of last change"
    )
    return command


def _add_undo(actions: Any) -> argparse.ArgumentParser:
    command = actions.add_parser(
        "undo",
        help="restore the files that apply changed",
        description="Restore the files that apply changed, byte by byte. Files that changed since\n"
        "are left alone.",
        epilog="Exit code: 0; 1 if a file was refused; 2 after an error.",
    )
    command.add_argument("journal", metavar="JOURNAL", help="such as PLAN.journal")
    return command


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number
