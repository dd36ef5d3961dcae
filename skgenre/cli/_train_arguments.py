"""The arguments of the commands that train and measure, and of the search for duplicates."""

from __future__ import annotations

import argparse
import os
from typing import Any

from skgenre.cli._argument_types import (
    add_jobs,
    add_jobs_or_dask,
    add_seed,
    folds,
    positive,
    share,
    whole,
)
from skgenre.cli._tag_arguments import add_labels

# Written out, because the module that has them needs heavy imports.
_PROTOCOLS = ("artist-grouped", "fault-filtered", "track-random", "segment-random")


def add_train(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "train",
        help="train a model on a folder of music that has one sub-folder for each genre, or tags",
        description="Train a model on a folder of music that has one sub-folder for each genre,\n"
        "or whose files have genres in their tags (--labels tags).\n"
        "First measures the accuracy by cross-validation, then trains on all tracks.",
    )
    command.add_argument(
        "folder", metavar="FOLDER", nargs="?", help="such as music, with music/rock/song.wav"
    )
    command.add_argument(
        "--out", metavar="MODEL", help="file to write the model to (default: model.skgenre)"
    )
    command.add_argument("--force", action="store_true", help="replace an existing MODEL")
    command.add_argument(
        "--add",
        metavar="FOLDER",
        help="train the model of --model again, on its tracks and those of this folder, and report "
        "what changes",
    )
    command.add_argument(
        "--model",
        metavar="OLD",
        help="the model to add tracks to; without the first FOLDER, it must know its own tracks "
        "(--keep-paths)",
    )
    command.add_argument(
        "--keep-paths",
        action="store_true",
        help="keep paths, genres and artists of the tracks in MODEL, for a later --add",
    )
    _add_classifier(command, "recommended")
    command.add_argument(
        "--cv",
        type=folds,
        default=5,
        metavar="N",
        help="folds of the cross-validation, split by artist if artists are known; 0 for none "
        "(default: %(default)s)",
    )
    command.set_defaults(protocol=None)
    _add_music(command)
    _add_run(command)
    return command


def add_evaluate(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "evaluate",
        usage="skgenre evaluate [options] MODEL FOLDER\n"
        "       skgenre evaluate --classifier NAME [options] FOLDER",
        help="measure a model on a folder of music, or a classifier by cross-validation",
        description="Measure a fitted MODEL on the tracks of FOLDER, which it should not know, or\n"
        "a classifier by cross-validation, as skgenre train does, without writing a model.\n"
        "Shows accuracies with intervals, the confusion matrix, and the accuracy by confidence.",
    )
    command.add_argument(
        "paths",
        metavar="MODEL FOLDER",
        nargs="+",
        help="model file, and folder with genres as for skgenre train; with --classifier the "
        "folder alone",
    )
    _add_classifier(command, "none")
    command.add_argument(
        "--cv",
        type=folds,
        metavar="N",
        help="folds of the cross-validation (default: 5); with --classifier",
    )
    command.add_argument(
        "--protocol",
        choices=_PROTOCOLS,
        help="how tracks are divided into folds (default: by artist if artists are known, else "
        "by track); with --classifier",
    )
    _add_music(command)
    _add_run(command)
    command.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load MODEL even if it is a pickle: this runs the code in it",
    )
    _add_output(command, "also write the result: all of it as JSON (.json), or the tables (.md)")
    return command


def add_duplicates(commands: Any) -> argparse.ArgumentParser:
    command = commands.add_parser(
        "duplicates",
        help="find recordings that are in a folder more than once",
        description="Find recordings that are there more than once: the same file, the same sound\n"
        "in other containers or with other tags, or the same recording encoded in another way,\n"
        "cut to another length or begun elsewhere. No file is changed.",
        epilog="Exit code: 0; 1 if a file could not be read (the others are still compared); 2 "
        "after an error.",
    )
    command.add_argument("files", metavar="PATH", nargs="+", help="folder, file or pattern")
    command.add_argument(
        "--min-similarity",
        type=share,
        default=0.5,
        metavar="S",
        help="correlation of fingerprints from which on two tracks are one recording "
        "(default: %(default)s; unrelated tracks have about 0)",
    )
    command.add_argument(
        "--min-overlap",
        type=positive,
        default=3.0,
        metavar="SECONDS",
        help="what two tracks must have in common (default: %(default)s)",
    )
    command.add_argument(
        "--duration",
        type=positive,
        default=300.0,
        metavar="SECONDS",
        help="compared of each track, from its start (default: %(default)s)",
    )
    add_jobs(command, "tracks that are decoded at the same time")
    _add_output(command, "also write the groups as JSON (.json) or Markdown (.md)")
    return command


def _add_output(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--json", action="store_true", help="write JSON, and the rest to standard error"
    )
    command.add_argument("--output", metavar="FILE", help=what)
    command.add_argument("--force", action="store_true", help="replace an --output that exists")


def _add_classifier(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--classifier",
        choices=("recommended", "cnn", "mlp", "lstm", "hierarchical"),
        help="'recommended' is the model for a catalogue, GenreClassifier; the others are those of "
        f"the papers (default: {default})",
    )
    command.add_argument(
        "--embeddings",
        metavar="WEIGHTS",
        help="take the features of a pretrained network beside the others: 'msd', 'mtt' or a file, "
        "once 'skgenre fetch musicnn' got them; for 'recommended' only (default: none)",
    )
    command.add_argument(
        "--n-segments",
        type=whole(1),
        metavar="N",
        help="segments of a track, which vote on its genre (default: 10); not for 'recommended'",
    )
    command.add_argument(
        "--duration",
        type=positive,
        metavar="SECONDS",
        help="used of each track, from the middle for 'recommended', else from the start; "
        "'recommended' takes a shorter one as it is, the others repeat it (default: 60 for "
        "'recommended', else 30)",
    )
    command.add_argument(
        "--epochs",
        type=whole(1),
        metavar="N",
        help="rounds over the training tracks (default: the classifier's); not for 'recommended'",
    )
    rate_help = "default: the classifier's; not for 'recommended'"
    command.add_argument("--learning-rate", type=positive, metavar="RATE", help=rate_help)


def _add_music(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--metadata",
        metavar="CSV",
        default="auto",
        help="table with the columns file, artist and genre, or one of the last two; 'auto' looks "
        "for one in and beside FOLDER, 'none' leaves artists unknown (default: %(default)s)",
    )
    command.add_argument(
        "--genres-from",
        choices=("auto", "folders", "metadata"),
        default="auto",
        help="source of the genres: names of folders, or the column genre of the table; 'auto' "
        "means the table if no folder is named as one of its genres (default: %(default)s)",
    )
    add_labels(command, whole(1))
    command.add_argument(
        "--skip-corrupt",
        action="store_true",
        help="leave out files that cannot be read or have no artist or genre in the table",
    )
    command.add_argument(
        "--find-duplicates",
        action="store_true",
        help="search for recordings that are there more than once: artists who share one count as "
        "one, or, where artists are not known, one copy of each is used",
    )


def _add_run(command: argparse.ArgumentParser) -> None:
    add_jobs_or_dask(command, "tracks, and then folds, that run at the same time")
    command.add_argument(
        "--memory",
        type=os.path.abspath,  # Dask workers have working directories of their own
        metavar="FOLDER",
        help="keep features and trained folds here, for this run and later ones",
    )
    add_seed(command)
    command.add_argument(
        "--progress",
        action="store_true",
        help='show progress bars on standard error; needs pip install "skgenre[progress]"',
    )
