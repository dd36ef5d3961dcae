"""Tracks that the lists of a published data set name, and its split."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import StrOptions

from skgenre.datasets._files import AudioFiles, audio_fault, list_reasons, warn_unread
from skgenre.utils._io import shorten

REPORTS = StrOptions({"warn", "raise", "ignore"})
SHARED = StrOptions({"keep", "drop"})
Pairs = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


@dataclass
class FoundTracks:
    """The tracks of a list that are there, and those that are not.

    Attributes
    ----------
    kept : dict of str to Path
        The file of each track that can be used, in the order of the list.
    missing : list of str
        Names of the tracks without a file.
    skipped : list of (str, str)
        Path and reason of each file that is not used.
    """

    kept: dict[str, Path]
    missing: list[str]
    skipped: list[tuple[str, str]]


def find_tracks(
    folder: Path,
    files: AudioFiles,
    wanted: Sequence[str],
    name_of: Callable[[Path], str | None],
    *,
    known: frozenset[str] = frozenset(),
    on_missing: str,
    on_corrupt: str,
    with_endings: bool,
    example: str,
) -> FoundTracks:
    """Find the files of the tracks that a list names, and check their headers.

    Parameters
    ----------
    folder : Path
        The folder of the music.
    files : AudioFiles
        Its audio files.
    wanted : sequence of str
        Names of the tracks to find.
    name_of : callable
        Returns the name of the track of a file; None if it cannot be one.
    known : frozenset of str, default=frozenset()
        Tracks of the list that are left out on purpose: their files are no surprise.
    on_missing, on_corrupt : {"warn", "raise", "ignore"}
        As in :func:`skgenre.load_gtzan`.
    with_endings : bool
        Whether to warn of audio files with other endings.
    example : str
        Path of a track, for messages.

    Returns
    -------
    tracks : FoundTracks
        What was found.

    Raises
    ------
    ValueError
        If no track is found or none can be used, one is found twice, or a report is to be
        raised.
    """
    here: dict[str, Path] = {}
    twice: list[tuple[Path, Path]] = []
    others: list[Path] = []
    expected = set(wanted)
    for file in files.tracks:
        name = name_of(file)
        if name in expected and name is not None:
            if name in here:
                twice.append((here[name], file))
            here.setdefault(name, file)
        elif name not in known:
            others.append(file)
    if twice:
        raise ValueError(
            f"{len(twice)} tracks are in {folder} more than once, such as {twice[0][0]} and "
            f"{twice[0][1]}; give the folder that has one set of them, or set extensions to the "
            "format to read."
        )
    if not here:
        raise ValueError(
            f"{folder} has none of the {len(wanted)} tracks of the list, but {len(others)} other "
            f"audio files; expected names such as {example}."
        )
    first = ""
    if others:
        listed = shorten([str(file.relative_to(folder)) for file in others])
        first = (
            f"{len(others)} audio files of {folder} are not on the list and not used: {listed}. "
        )
    warn_unread(folder, files, first, with_endings=with_endings, stacklevel=4)
    missing = [name for name in wanted if name not in here]
    report_missing(folder, missing, len(wanted), on_missing, stacklevel=5)
    skipped = list(files.faults)
    kept: dict[str, Path] = {}
    for name in wanted:
        if name in here:
            reason = audio_fault(here[name])
            if reason is None:
                kept[name] = here[name]
            else:
                skipped.append((str(here[name]), reason))
    report_corrupt(folder, skipped, on_corrupt, stacklevel=5)
    if not kept:
        raise ValueError(
            f"None of the {len(here)} tracks found in {folder} can be used; {skipped[0][1]}."
        )
    skipped += [(str(file), f"{file}: not on the list") for file in others]
    skipped += [(str(file), f"{file}: {reason}") for file, reason in files.unread()]
    return FoundTracks(kept, missing, skipped)


def report_missing(
    folder: Path,
    missing: Sequence[str],
    n_wanted: int,
    how: str,
    *,
    stacklevel: int,
    kind: str = "tracks",
) -> None:
    """Warn of tracks that are not there, or raise an error; ``how`` says which."""
    if how == "ignore" or not missing:
        return
    message = f"{len(missing)} of {n_wanted} {kind} are not in {folder}: {shorten(missing)}."
    if how == "raise":
        raise ValueError(f"{message} Set on_missing='warn' to go on without them.")
    warnings.warn(message, stacklevel=stacklevel)


def report_corrupt(
    folder: Path,
    skipped: Sequence[tuple[str, str]],
    how: str,
    *,
    stacklevel: int,
    kind: str = "tracks",
) -> None:
    """Warn of files that cannot be used, or raise an error; ``how`` says which."""
    if how == "ignore" or not skipped:
        return
    listed = list_reasons(skipped)
    if how == "raise":
        raise ValueError(
            f"{len(skipped)} {kind} of {folder} cannot be used:\n{listed}\n"
            "Repair them, or set on_corrupt='warn' to leave them out."
        )
    warnings.warn(
        f"{len(skipped)} {kind} of {folder} were left out:\n{listed}", stacklevel=stacklevel
    )


def split_rows(
    parts: NDArray[Any], artists: NDArray[Any], names: tuple[str, str, str], shared: str
) -> tuple[Pairs, Pairs, list[str]]:
    """Return the rows of a published split, and the artists of several of its parts.

    Parameters
    ----------
    parts : ndarray of shape (n_tracks,) of str
        The part of each track.
    artists : ndarray of shape (n_tracks,) of str
        The artist of each track.
    names : tuple of str
        Names of the parts for training, validation and test.
    shared : {"keep", "drop"}
        "drop" trains on no track of an artist that is scored.

    Returns
    -------
    test : list of (ndarray, ndarray)
        One pair: the rows of training and validation, and the rows of the test.
    validation : list of (ndarray, ndarray)
        One pair: the rows of training, and the rows of the validation.
    shared_artists : list of str
        Artists with tracks in several parts.
    """
    training, validation, test = names
    pairs = []
    for train_parts, scored in (((training, validation), test), ((training,), validation)):
        train, score = np.isin(parts, train_parts), parts == scored
        if shared == "drop":
            train &= ~np.isin(artists, artists[score])
        pairs.append([(np.flatnonzero(train), np.flatnonzero(score))])
    places: dict[str, set[str]] = {}
    for artist, part in zip(artists.tolist(), parts.tolist(), strict=True):
        places.setdefault(artist, set()).add(part)
    return pairs[0], pairs[1], sorted(artist for artist, in_ in places.items() if len(in_) > 1)


def count_parts(parts: NDArray[Any], names: Sequence[str]) -> str:
    """Describe the sizes of the parts."""
    return ", ".join(f"{name} {np.count_nonzero(parts == name)}" for name in names)


def read_rows(path: Path, separator: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield line and cells of each row of a published list that is not empty."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            # A quotation mark in a table with tabs is a character like any other.
            options: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if separator == "\t" else {}
            reader = csv.reader(stream, delimiter=separator, **options)
            for row in reader:
                if any(row):
                    yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error.reason}.") from error
    except csv.Error as error:
        raise ValueError(f"{path} is not a table: {error}.") from error


def find_columns(path: Path, header: Sequence[Any], wanted: Mapping[str, Any]) -> dict[str, int]:
    """Return the position of each wanted column; raise an error that names those missing."""
    absent = [str(column) for column in wanted.values() if column not in header]
    if absent:
        raise ValueError(
            f"{path} lacks the columns {', '.join(absent)}; give the file as it was published. "
            f"It has {shorten([str(name) for name in header if name])}."
        )
    return {name: list(header).index(column) for name, column in wanted.items()}


def check_file(path: Path, what: str) -> Path:
    """Return the path of a published list; raise an error if it is not there."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}; {what}.")
    return path
