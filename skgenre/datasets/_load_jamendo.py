"""Listing the tracks of MTG-Jamendo's genre split in a folder."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets._files import check_folder, find_audio
from skgenre.datasets._published import (
    REPORTS,
    SHARED,
    check_file,
    count_parts,
    find_columns,
    find_tracks,
    read_rows,
    split_rows,
)
from skgenre.utils._io import shorten

_PARTS = ("train", "validation", "test")
_COLUMNS = {
    "artist": "ARTIST_ID",
    "album": "ALBUM_ID",
    "path": "PATH",
    "tags": "TAGS",  # the last one: each further tag has a column of its own
}
_CATEGORY = "genre---"

_DESCR = """MTG-Jamendo, the tracks in {folder}
=========================={underline}

{n_tracks} of the {n_wanted} tracks with one genre in split {split}, by {n_artists} artists, of
{n_genres} genres: {genres}.
Left out by their tags: {n_unlabelled}. In no part of the split: {n_unsplit}.
Missing: {n_missing}. Files not used: {n_skipped}.
Published split: {parts}. Artists in several of its parts: {n_shared}.

- data: the paths
- target: the genre of each
- names: such as "track_0000214"
- groups, albums: the artist and the album of each, by their numbers
- tags: all genre tags of each track
- parts: "train", "validation" or "test"
- cv, validation_cv: rows to train on and rows to score, for cross_validate and others
- unlabelled: (name, reason) of each track of the split that has no genre or several
- unsplit: the names of the tracks that are in no part of the split
- missing: the names of the tracks that were not found
- skipped: (path, reason) of each file that is not used

The data set is that of Bogdanov, Won, Tovstogan, Porter & Serra (2019).
"""


@dataclass(frozen=True)
class _Row:
    artist: str
    album: str
    path: str
    tags: tuple[str, ...]


@validate_params(
    {
        "path": [str, os.PathLike],
        "metadata": [str, os.PathLike],
        "split": [Interval(Integral, 0, None, closed="left")],
        "genres": ["array-like", None],
        "shared_artists": [SHARED],
        "on_missing": [REPORTS],
        "on_corrupt": [REPORTS],
        "extensions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def load_jamendo(
    path: str | os.PathLike[str],
    *,
    metadata: str | os.PathLike[str],
    split: int = 0,
    genres: Sequence[str] | None = None,
    shared_artists: str = "keep",
    on_missing: str = "warn",
    on_corrupt: str = "warn",
    extensions: Sequence[str] = AUDIO_EXTENSIONS,
) -> Bunch:
    r"""List the tracks of a genre split of MTG-Jamendo in a folder, with their artists.

    The tracks have one or more genre tags. Those with exactly one of ``genres`` are listed;
    the others are left out and counted. The header of each file is checked;
    :class:`~skgenre.AudioLoader` reads the sound.

    Parameters
    ----------
    path : str or PathLike
        The folder of the music. A track is recognised by its number, as in ``14/214.mp3`` or
        ``14/214.low.mp3``, at any depth.
    metadata : str or PathLike
        The repository of the data set, or its folder ``data``, which has
        ``autotagging_genre.tsv`` and ``splits/split-N/autotagging_genre-PART.tsv``.
    split : int, default=0
        The number N of the split; the repository has five, 0 to 4.
    genres : sequence of str or None, default=None
        The tags that count, such as ``["classical", "metal", "reggae"]``; others are
        ignored. A track with exactly one of them has that genre. None means all tags, so
        that only tracks with a single genre tag are listed.
    shared_artists : {"keep", "drop"}, default="keep"
        "drop" trains on no track of an artist that is scored, in ``cv`` and
        ``validation_cv``.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        What to do about tracks that are not there: give one warning with their number, raise
        one error, or nothing. ``missing`` lists them in any case.
    on_corrupt : {"warn", "raise", "ignore"}, default="warn"
        What to do about files that cannot be used: leave them out with one warning, raise one
        error that lists them, or leave them out silently. ``skipped`` lists them in any case.
    extensions : sequence of str, default=("wav", "flac", "ogg", "oga", "opus", "mp3", "au", "aiff", "aif", "aifc", "caf", "w64", "m4a", "mp4", "aac", "wma", "webm", "mka")
        File name extensions of audio files; case is ignored.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With these attributes, tracks in the order of the parts and their files; arrays are
        of shape (n_tracks,) and of str:

        data : ndarray
            The paths.
        target : ndarray
            The genre of each track.
        target_names : list of str
            The genres found, sorted.
        names : ndarray
            Such as "track_0000214".
        groups : ndarray
            The artist of each track, such as "artist_000014"; the data set has no names.
        albums : ndarray
            The album of each track, such as "album_000031".
        tags : list of tuple of str
            All genre tags of each track.
        parts : ndarray
            "train", "validation" or "test".
        cv : list of (ndarray, ndarray)
            The published split for ``cross_validate`` and others: rows of train and validation
            to train on, and rows of the test to score.
        validation_cv : list of (ndarray, ndarray)
            Rows of train, and rows of the validation, to choose parameters.
        shared_artists : list of str
            The artists that have tracks in several parts.
        unlabelled : list of (str, str)
            Name and reason of each track of the split that is left out because of its tags.
        unsplit : list of str
            Names of the tracks of ``autotagging_genre.tsv`` that are in no part: the splits
            have no rare tags.
        missing : list of str
            The names of the tracks that were not found.
        skipped : list of (str, str)
            Path and reason of each file that is not used.
        DESCR : str
            Description of the data set, with counts.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If a folder, or a table, does not exist.
    ValueError
        If a table is not as it was published; if a genre is no tag; if no track is found or
        none can be used; if a track is found twice; if tracks are missing or corrupt and
        ``on_missing`` or ``on_corrupt`` is "raise".

    Warns
    -----
    UserWarning
        If tracks are missing or corrupt, or audio files are not tracks of the data set.

    See Also
    --------
    load_fma : Lists FMA, whose tracks have a top genre.

    References
    ----------
    .. [1] D. Bogdanov, M. Won, P. Tovstogan, A. Porter and X. Serra, "The MTG-Jamendo dataset
       for automatic music tagging", Machine Learning for Music Discovery Workshop, ICML
       2019. https://github.com/MTG/mtg-jamendo-dataset

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre import load_jamendo
    >>> head = ["TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS"]
    >>> rock = ["track_0000773", "artist_000104", "album_000126", "73/773.mp3", "275.3"]
    >>> pop = ["track_0001729", "artist_000264", "album_000252", "29/1729.mp3", "270.2"]
    >>> parts = {
    ...     "train": [[*rock, "genre---rock"]],
    ...     "validation": [],
    ...     "test": [[*pop, "genre---pop", "genre---poprock"]],
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = Path(folder) / "mtg-jamendo-dataset" / "data"
    ...     (data / "splits" / "split-0").mkdir(parents=True)
    ...     tables = {f"splits/split-0/autotagging_genre-{part}": parts[part] for part in parts}
    ...     tables["autotagging_genre"] = parts["train"] + parts["test"]
    ...     for name, rows in tables.items():
    ...         lines = ["\t".join(row) for row in [head, *rows]]
    ...         _ = (data / f"{name}.tsv").write_text("\n".join(lines))
    ...     for name in ("73/773.mp3", "29/1729.mp3"):
    ...         (Path(folder) / "music" / name).parent.mkdir(parents=True)
    ...         soundfile.write(Path(folder) / "music" / name, np.zeros(9000), 44100)
    ...     music = load_jamendo(Path(folder) / "music", metadata=data, genres=["rock", "pop"])
    >>> music.target.tolist(), music.tags
    (['rock', 'pop'], [('rock',), ('pop', 'poprock')])
    >>> music.cv
    [(array([0]), array([1]))]
    """  # noqa: E501 - a default of numpydoc stands in one line
    folder = check_folder(path, "with the music")
    lists = check_folder(metadata, "with the lists", "metadata")
    lists = lists / "data" if (lists / "data").is_dir() else lists
    rows, part_of = _read_split(lists, split)
    listed = _read_tags(lists / "autotagging_genre.tsv")
    unsplit = [name for name in listed if name not in rows]
    labels, unlabelled = _label(rows, genres)
    names = {int(Path(row.path).stem): name for name, row in {**listed, **rows}.items()}

    def name_of(file: Path) -> str | None:
        number = re.fullmatch(r"([0-9]+)(\.low)?", file.stem)
        return names.get(int(number[1])) if number else None

    found = find_tracks(
        folder,
        find_audio(folder, extensions),
        list(labels),
        name_of,
        known=frozenset(names.values()),
        on_missing=on_missing,
        on_corrupt=on_corrupt,
        with_endings=extensions is AUDIO_EXTENSIONS,
        example="14/214.mp3",
    )
    kept = [rows[name] for name in found.kept]
    target = np.array([labels[name] for name in found.kept])
    groups = np.array([row.artist for row in kept])
    parts = np.array([part_of[name] for name in found.kept])
    cv, validation_cv, shared = split_rows(parts, groups, _PARTS, shared_artists)
    target_names = sorted(set(target.tolist()))
    reasons = Counter(reason for _, reason in unlabelled)
    return Bunch(
        data=np.array([str(track) for track in found.kept.values()]),
        target=target,
        target_names=target_names,
        names=np.array(list(found.kept)),
        groups=groups,
        albums=np.array([row.album for row in kept]),
        tags=[row.tags for row in kept],
        parts=parts,
        cv=cv,
        validation_cv=validation_cv,
        shared_artists=shared,
        unlabelled=unlabelled,
        unsplit=unsplit,
        missing=found.missing,
        skipped=found.skipped,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_tracks=len(kept),
            n_wanted=len(labels),
            split=split,
            n_artists=len(set(groups.tolist())),
            n_genres=len(target_names),
            genres=", ".join(target_names),
            n_unlabelled=", ".join(f"{reason} {n}" for reason, n in reasons.items()) or "none",
            n_unsplit=len(unsplit),
            n_missing=len(found.missing),
            n_skipped=len(found.skipped),
            parts=count_parts(parts, _PARTS),
            n_shared=len(shared),
        ),
    )


def _read_split(lists: Path, split: int) -> tuple[dict[str, _Row], dict[str, str]]:
    """Return the tracks of a split, and the part of each."""
    rows: dict[str, _Row] = {}
    part_of: dict[str, str] = {}
    for part in _PARTS:
        table = lists / "splits" / f"split-{split}" / f"autotagging_genre-{part}.tsv"
        for name, row in _read_tags(table).items():
            if name in rows:
                raise ValueError(f"{table}: {name} is in the part {part_of[name]!r} too.")
            rows[name], part_of[name] = row, part
    return rows, part_of


def _read_tags(path: Path) -> dict[str, _Row]:
    """Read a table of tags: a row for each track, its tags in the last columns."""
    check_file(
        path,
        "metadata is the repository mtg-jamendo-dataset, whose folder data has "
        "autotagging_genre.tsv and splits/split-0 to split-4",
    )
    cells = read_rows(path, "\t")
    columns = find_columns(path, next(cells, (0, [""]))[1], {"name": "TRACK_ID", **_COLUMNS})
    rows = {}
    for line, row in cells:
        tags = [tag for tag in row[columns["tags"] :] if tag.startswith(_CATEGORY)]
        if not tags or not Path(row[columns["path"]]).stem.isdigit():
            raise ValueError(
                f"{path}, line {line}: expected a path such as 14/214.mp3 and tags such as "
                f"{_CATEGORY}rock, got {row}."
            )
        rows[row[columns["name"]]] = _Row(
            artist=row[columns["artist"]],
            album=row[columns["album"]],
            path=row[columns["path"]],
            tags=tuple(tag.removeprefix(_CATEGORY) for tag in tags),
        )
    return rows


def _label(
    rows: dict[str, _Row], genres: Sequence[str] | None
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the genre of each track, and the reason for each track that has none."""
    tags = {tag for row in rows.values() for tag in row.tags}
    wanted = tags if genres is None else {str(genre) for genre in genres}
    if not wanted or not wanted <= tags:
        listed = ", ".join(map(repr, sorted(wanted - tags))) or "no tag"
        raise ValueError(f"genres has {listed}; the tags are {shorten(sorted(tags))}.")
    labels = {}
    unlabelled = []
    for name, row in rows.items():
        found = [tag for tag in row.tags if tag in wanted]
        if len(found) == 1:
            labels[name] = found[0]
        else:
            unlabelled.append((name, "several genres" if found else "no genre of those wanted"))
    if not labels:
        raise ValueError(f"None of the {len(rows)} tracks of the split has a single genre.")
    return labels, unlabelled
