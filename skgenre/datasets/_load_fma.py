"""Listing the tracks of FMA in a folder, with their artists, genres and split."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets._files import check_folder, find_audio
from skgenre.datasets._fma_genres import GenreTree, read_genres
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

_SUBSETS = ("small", "medium", "large")
_PARTS = ("training", "validation", "test")
_COLUMNS = {
    "artist_id": ("artist", "id"),
    "artist": ("artist", "name"),
    "album": ("album", "title"),
    "title": ("track", "title"),
    "subset": ("set", "subset"),
    "part": ("set", "split"),
    "top": ("track", "genre_top"),
    "genres": ("track", "genres"),
}

_DESCR = """FMA, the tracks in {folder}
=================={underline}

{n_tracks} of the {n_wanted} tracks of the subset {subset} that have one genre, by {n_artists}
artists, of {n_genres} genres ({level}): {genres}.
Left out by the lists: {n_unlabelled}. Missing: {n_missing}. Files not used: {n_skipped}.
Published split: {parts}. Artists in several of its parts: {n_shared}.

- data: the paths
- target: the genre of each
- hierarchy: the tree of genres, for HierarchicalGenreClassifier
- names: the number of each track, such as "000002"
- artists, groups, titles, albums: the name of each artist, its number, titles
- all_genres: the genres of each track; top_genres: its top genre, empty if there is none
- parts: "training", "validation" or "test"
- cv, validation_cv: rows to train on and rows to score, for cross_validate and others
- unlabelled: (name, reason) of each track that has no genre or several
- missing: the names of the tracks that were not found
- skipped: (path, reason) of each file that is not used

The data set is that of Defferrard, Benzi, Vandergheynst & Bresson (2017).
"""


@dataclass(frozen=True)
class _Row:
    artist_id: str
    artist: str
    album: str
    title: str
    subset: str
    part: str
    top: str
    genres: tuple[str, ...]


@validate_params(
    {
        "path": [str, os.PathLike],
        "metadata": [str, os.PathLike, None],
        "subset": [StrOptions({"auto", "small", "medium", "large", "full"})],
        "level": [StrOptions({"top", "specific"})],
        "shared_artists": [SHARED],
        "on_missing": [REPORTS],
        "on_corrupt": [REPORTS],
        "extensions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def load_fma(
    path: str | os.PathLike[str],
    *,
    metadata: str | os.PathLike[str] | None = None,
    subset: str = "auto",
    level: str = "top",
    shared_artists: str = "keep",
    on_missing: str = "warn",
    on_corrupt: str = "warn",
    extensions: Sequence[str] = AUDIO_EXTENSIONS,
) -> Bunch:
    r"""List the tracks of FMA in a folder, with their artists, tree of genres and split.

    The header of each file is checked; :class:`~skgenre.AudioLoader` reads the sound.

    Parameters
    ----------
    path : str or PathLike
        The folder of the music, such as ``fma_small``. A track is recognised by its number,
        as in ``000/000002.mp3``, at any depth.
    metadata : str, PathLike or None, default=None
        The folder that has ``tracks.csv`` and ``genres.csv`` as they were published. None
        means ``fma_metadata`` beside ``path`` or in it.
    subset : {"auto", "small", "medium", "large", "full"}, default="auto"
        The tracks to list. "medium" contains "small", and "large" both; "full" has the tracks
        of "large" in full length. "auto" takes it from a folder named ``fma_small`` and the
        like, else "full".
    level : {"top", "specific"}, default="top"
        The genre of a track. "top" is the top genre of the data set. "specific" is the
        genre that the artist chose, at any depth of the tree: of a genre and one above it,
        the deeper one. Tracks without such a genre, or with several, are left out and
        listed in ``unlabelled``.
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
        With these attributes, tracks in the order of ``tracks.csv``; arrays are of shape
        (n_tracks,) and of str:

        data : ndarray
            The paths.
        target : ndarray
            The genre of each track.
        target_names : list of str
            The genres found, sorted.
        hierarchy : list or dict
            The genres for :class:`~skgenre.HierarchicalGenreClassifier`: a list of the top
            genres, or the published tree if ``level="specific"``. A genre that has others
            below it is a group and, in it, a genre of its own.
        names : ndarray
            The number of each track, such as "000002".
        artists, groups : ndarray
            Name of the artist, and the artist's number as published. Splits by artist use the
            numbers.
        titles, albums : ndarray
            Title and album of each track.
        top_genres : ndarray
            The top genre; empty if there is none.
        all_genres : list of tuple of str
            The genres that the artist chose.
        parts : ndarray
            "training", "validation" or "test".
        cv : list of (ndarray, ndarray)
            The published split for ``cross_validate`` and others: rows of training and
            validation to train on, and rows of the test to score.
        validation_cv : list of (ndarray, ndarray)
            Rows of training, and rows of the validation, to choose parameters.
        shared_artists : list of str
            Numbers of the artists that have tracks in several parts.
        unlabelled : list of (str, str)
            Name and reason of each track of the subset that is left out because of its
            genres.
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
        If a table is not as it was published; if no track is found or none can be used; if
        a track is found twice; if tracks are missing or corrupt and ``on_missing`` or
        ``on_corrupt`` is "raise".

    Warns
    -----
    UserWarning
        If tracks are missing or corrupt, or audio files are not tracks of the data set.

    See Also
    --------
    load_genre_folder : Lists any folder that has one sub-folder for each genre.
    HierarchicalGenreClassifier : Takes ``hierarchy``.

    Notes
    -----
    Most tracks of "large" and "full" have no top genre.

    References
    ----------
    .. [1] M. Defferrard, K. Benzi, P. Vandergheynst and X. Bresson, "FMA: A dataset for music
       analysis", ISMIR 2017. https://github.com/mdeff/fma

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre import load_fma
    >>> tracks = '''\
    ... ,album,artist,artist,set,set,track,track,track
    ... ,title,id,name,split,subset,genre_top,genres,title
    ... track_id,,,,,,,,
    ... 2,Way,1,AWOL,training,small,Hip-Hop,[21],Food
    ... 5,Niris,4,Nicky,test,small,Rock,[25],Sky
    ... '''
    >>> genres = '''\
    ... genre_id,#tracks,parent,title,top_level
    ... 12,9,0,Rock,12
    ... 21,9,0,Hip-Hop,21
    ... 25,9,12,Punk,12
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     music, lists = Path(folder) / "fma_small", Path(folder) / "fma_metadata"
    ...     for place in (music / "000", lists):
    ...         place.mkdir(parents=True)
    ...     _ = (lists / "tracks.csv").write_text(tracks)
    ...     _ = (lists / "genres.csv").write_text(genres)
    ...     for number in (2, 5):
    ...         soundfile.write(music / "000" / f"{number:06d}.mp3", np.zeros(9000), 44100)
    ...     fma = load_fma(music, level="specific")
    >>> fma.target.tolist(), fma.parts.tolist(), fma.groups.tolist()
    (['Hip-Hop', 'Punk'], ['training', 'test'], ['1', '4'])
    >>> fma.hierarchy
    {'Rock': {'Rock': 'Rock', 'Punk': 'Punk'}, 'Hip-Hop': 'Hip-Hop'}
    """  # noqa: E501 - a default of numpydoc stands in one line
    folder = check_folder(path, "with the music")
    lists = (
        _find_metadata(folder)
        if metadata is None
        else check_folder(metadata, "with the lists", "metadata")
    )
    what = "metadata is the folder that has tracks.csv and genres.csv of fma_metadata.zip"
    table = check_file(lists / "tracks.csv", what)
    tree = read_genres(check_file(lists / "genres.csv", what))
    chosen = _subset_of(folder) if subset == "auto" else subset
    rows = _read_tracks(table)
    largest = _SUBSETS[-1] if chosen == "full" else chosen
    within = _SUBSETS[: _SUBSETS.index(largest) + 1]
    rows_here = {name: row for name, row in rows.items() if row.subset in within}
    if not rows_here:
        raise ValueError(f"{table} has no track of the subset {chosen!r}.")
    labels, unlabelled = _label(rows_here, tree, level)
    if not labels:
        raise ValueError(
            f"None of the {len(rows_here)} tracks of the subset {chosen!r} has a single genre; "
            f"{unlabelled[0][1]}."
        )
    found = find_tracks(
        folder,
        find_audio(folder, extensions),
        list(labels),
        _number,
        known=frozenset(rows),
        on_missing=on_missing,
        on_corrupt=on_corrupt,
        with_endings=extensions is AUDIO_EXTENSIONS,
        example="000/000002.mp3",
    )
    kept = [rows[name] for name in found.kept]
    target = np.array([labels[name] for name in found.kept])
    groups = np.array([row.artist_id for row in kept])
    parts = np.array([row.part for row in kept])
    cv, validation_cv, shared = split_rows(parts, groups, _PARTS, shared_artists)
    genres = sorted(set(target.tolist()))
    return Bunch(
        data=np.array([str(track) for track in found.kept.values()]),
        target=target,
        target_names=genres,
        hierarchy=genres if level == "top" else tree.as_mapping(),
        names=np.array(list(found.kept)),
        artists=np.array([row.artist for row in kept]),
        groups=groups,
        titles=np.array([row.title for row in kept]),
        albums=np.array([row.album for row in kept]),
        top_genres=np.array([row.top for row in kept]),
        all_genres=[tuple(tree.label(number) for number in row.genres) for row in kept],
        parts=parts,
        cv=cv,
        validation_cv=validation_cv,
        shared_artists=shared,
        unlabelled=unlabelled,
        missing=found.missing,
        skipped=found.skipped,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_tracks=len(kept),
            n_wanted=len(labels),
            subset=chosen,
            n_artists=len(set(groups.tolist())),
            n_genres=len(genres),
            level=level,
            genres=", ".join(genres),
            n_unlabelled="; ".join(
                f"{reason}: {count}" for reason, count in _count_reasons(unlabelled).items()
            )
            or "none",
            n_missing=len(found.missing),
            n_skipped=len(found.skipped),
            parts=count_parts(parts, _PARTS),
            n_shared=len(shared),
        ),
    )


def _find_metadata(folder: Path) -> Path:
    places = (folder.absolute().parent / "fma_metadata", folder / "fma_metadata")
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"There is no folder {places[0]} nor {places[1]}; unpack fma_metadata.zip there, or give "
        "the folder that has tracks.csv and genres.csv as metadata=PATH."
    )


def _subset_of(folder: Path) -> str:
    name = folder.absolute().name.lower().removeprefix("fma_")
    return name if name in _SUBSETS else "full"


def _number(file: Path) -> str | None:
    return file.stem if re.fullmatch("[0-9]{6}", file.stem) else None


def _read_tracks(path: Path) -> dict[str, _Row]:
    """Read tracks.csv: two rows of names, one that begins with "track_id", then the tracks."""
    cells = read_rows(path)
    head = [row for _, row in (next(cells, (0, [])) for _ in range(3))]
    if not head[2] or head[2][0] != "track_id":
        raise ValueError(
            f"{path} is not the tracks.csv of FMA: its third row begins with "
            f"{(head[2] or ['nothing'])[0]!r} instead of 'track_id'; give the file as it was "
            "published."
        )
    columns = find_columns(path, list(zip(head[0], head[1], strict=False)), _COLUMNS)
    rows: dict[str, _Row] = {}
    for line, row in cells:
        if len(row) != len(head[0]) or not row[0].isdigit():
            raise ValueError(
                f"{path}, line {line}: expected the number of a track and {len(head[0])} values, "
                f"got {row[0]!r} and {len(row)} values."
            )
        values = {name: row[column].strip() for name, column in columns.items()}
        genres = tuple(re.findall("[0-9]+", values.pop("genres")))
        track = _Row(**values, genres=genres)
        if track.subset not in _SUBSETS or track.part not in _PARTS or not track.artist_id:
            raise ValueError(
                f"{path}, line {line}: subset {track.subset!r}, split {track.part!r} and artist "
                f"{track.artist_id!r}; expected one of {', '.join(_SUBSETS)}, one of "
                f"{', '.join(_PARTS)}, and a number."
            )
        rows[f"{int(row[0]):06d}"] = track
    return rows


def _label(
    rows: dict[str, _Row], tree: GenreTree, level: str
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the genre of each track, and the reason for each track that has none."""
    labels: dict[str, str] = {}
    unlabelled = []
    for name, row in rows.items():
        if level == "top":
            genres = [row.top] if row.top else []
        else:
            genres = [tree.label(number) for number in tree.most_specific(row.genres)]
        if len(genres) == 1:
            labels[name] = genres[0]
        else:
            reason = "no top genre" if level == "top" else "no genre"
            unlabelled.append((name, "several genres" if genres else reason))
    return labels, unlabelled


def _count_reasons(unlabelled: Sequence[tuple[str, str]]) -> Counter[str]:
    return Counter(reason for _, reason in unlabelled)
