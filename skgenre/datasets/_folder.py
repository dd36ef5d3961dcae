"""Listing a folder of music."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets._files import (
    AudioFiles,
    audio_fault,
    check_folder,
    find_audio,
    is_ignored,
    list_reasons,
    top_folder,
    warn_unread,
)
from skgenre.datasets._metadata import (
    Metadata,
    artist_key,
    find_table,
    is_artist,
    read_table,
    takes_genres,
)
from skgenre.datasets._table import composed, find_similar
from skgenre.utils._io import shorten

_DESCR = """Music in {folder}
========={underline}

{n_tracks} audio files of {n_genres} genres: {genres}.
Genres are from {genres_from}.
Artists: {artists}.
Left out: {n_skipped}.

- data: the paths
- target: the genre of each
- artists: the artist of each, the groups of a split by artist; None if not known
- titles: the title of each; None if not known
- skipped: (path, reason) of each file left out
"""


@validate_params(
    {
        "path": [str, os.PathLike],
        "metadata": [StrOptions({"auto"}), str, os.PathLike, None],
        "genres_from": [StrOptions({"auto", "folders", "metadata"})],
        "on_error": [StrOptions({"raise", "skip"})],
        "extensions": ["array-like"],
        "single_genre": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_genre_folder(
    path: str | os.PathLike[str],
    *,
    metadata: str | os.PathLike[str] | None = "auto",
    genres_from: str = "auto",
    on_error: str = "raise",
    extensions: Sequence[str] = AUDIO_EXTENSIONS,
    single_genre: bool = False,
) -> Bunch:
    """List the music of a folder that has one sub-folder for each genre, or a table of genres.

    The header of each file is checked; :class:`~skgenre.AudioLoader` reads the sound.

    Parameters
    ----------
    path : str or PathLike
        The folder. The name of each sub-folder is a genre, unless the genres are from a table;
        audio files may lie deeper in it. Hidden files and folders, and ``__MACOSX``, are
        ignored. Links are followed; a file that several links lead to is listed once.
    metadata : "auto", str, PathLike or None, default="auto"
        The table that names the artists, and optionally the genres. "auto" uses the first of:
        ``tracks.csv`` or ``metadata.csv`` in the folder, also with the ending ``.tsv``; a file
        beside the folder with its name and ``.csv`` or ``.tsv``; the only other such file in
        the folder that has the columns and names files of the folder. If none names artists or
        other genres and all files are named as clips of GTZAN, such as ``jazz.00054.wav``, the
        artists are those that :func:`load_gtzan` knows, and so are the genres if the clips lie
        in no folders of genres, or one or more levels deeper. None uses no table.

        The columns are ``file`` (or ``filename``, ``path``, ``file path``), ``artist`` (or
        ``artist name``), ``title`` and ``genre``, the last three optional but for one of
        ``artist`` and ``genre``; others are ignored. They are separated by commas, semicolons,
        tabs or ``|``, in UTF-8, UTF-16 or, failing these, Windows-1252. The ``tracks.csv`` of
        FMA, with its three rows of headers and track numbers, is such a table too.

        The path of a file is relative to the folder, to its parent or to the table; the end of
        the path, such as the name alone, will do if no other file has it. Case is ignored, and
        so is the ending, if no file has it as it is. If no row matches, the folders that all
        paths begin with, such as those of another computer, are ignored.
    genres_from : {"auto", "folders", "metadata"}, default="auto"
        Where the genres are from: the sub-folders, or the column ``genre`` of the table, with
        which files may lie anywhere in the folder. "auto" means the table if none of its
        genres is the name of a sub-folder, and the folders otherwise; it is an error then if
        the table contradicts them.
    on_error : {"raise", "skip"}, default="raise"
        What to do with files that cannot be used: files that are damaged or not audio, files
        without an artist if a table names artists, files without a genre or row if a table
        names genres, and links to one file from two genres. "raise" lists them in one error,
        "skip" leaves them out with one warning.
    extensions : sequence of str, default=("wav", "flac", "ogg", "oga", "opus", "mp3", "au", "aiff", "aif", "aifc", "caf", "w64", "m4a", "mp4", "aac", "wma", "webm", "mka")
        File name extensions of audio files; case is ignored. Other audio files are listed in
        ``skipped``, by default with a warning. The default is what
        :class:`~skgenre.AudioLoader` reads, from "m4a" on with PyAV.
    single_genre : bool, default=False
        Whether a single genre is allowed, as in a folder that is added to others.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With these attributes, tracks sorted by genre and then by path:

        data : ndarray of shape (n_tracks,) of str
            The paths.
        target : ndarray of shape (n_tracks,) of str
            The genre of each track.
        target_names : list of str
            The genres, sorted.
        artists : ndarray of shape (n_tracks,) of str, or None
            The artist of each track, the ``groups`` of a split by artist; None without a
            table that names artists.
        titles : ndarray of shape (n_tracks,) of str, or None
            The title of each track, empty if it has none; None without such a column.
        metadata : str or None
            The table that was used; "gtzan" for the package's own of GTZAN.
        genres_from : {"folders", "metadata"}
            Where the genres are from.
        skipped : list of (str, str)
            Path and reason of each file left out: those that cannot be used, audio files whose
            endings are not in ``extensions``, those outside the sub-folders, and links.
        DESCR : str
            Description of the data set.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder, or the table that ``metadata`` names, does not exist.
    ValueError
        If there are no sub-folders, no audio files or an unwanted single genre; if files cannot be
        used and ``on_error="raise"``; if the table cannot be read, is ambiguous, or
        contradicts the folders.

    Warns
    -----
    UserWarning
        If audio files are left out because of their endings or places, or cannot be used; if a
        sub-folder has no audio files; if names of genres differ only in case, spaces,
        punctuation or Unicode form; if a table was found but not used, or names files that do
        not exist; if the genres are from a table that was found in spite of sub-folders.

    See Also
    --------
    load_gtzan : Lists the clips of GTZAN, with faults and partitions.
    make_genres : Writes such a folder of synthetic music.

    Notes
    -----
    A split by artist needs the artists. Tracks of unknown artists (no row, an empty value,
    "[unknown]", "Various Artists", "V.A.", "N/A", "[traditional]" and the like) could form one
    group, which would keep unrelated tracks together, or one group each, which could put an
    artist on both sides of the split and make a model look better than it is. Neither happens
    silently: such tracks are an error, or are left out with ``on_error="skip"``. With
    ``metadata=None`` all tracks are listed, without artists. To keep tracks of unknown artists,
    give each a name of its own in the table. Only the artists of GTZAN that the package knows
    are an exception: the 17 clips of unknown artists form one group for each genre.

    Artists whose names differ only in case, spaces, punctuation, Unicode form, or "The" at the
    beginning or the end, are one: "The Beatles", "the beatles" and "Beatles, The". The first
    spelling is used.

    Examples
    --------
    >>> import tempfile
    >>> from skgenre import load_genre_folder, make_genres
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = make_genres(
    ...         2, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0
    ...     )
    ...     music = load_genre_folder(folder)
    >>> music.target
    array(['dub', 'dub', 'swing', 'swing'], dtype='<U5')
    >>> music.artists[:2]
    array(['dub artist 1', 'dub artist 2'], dtype='<U14')
    """  # noqa: E501 - a default of numpydoc stands in one line
    folder = check_folder(path, "of genres")
    files = find_audio(folder, extensions)
    is_found = metadata == "auto"
    table = None if metadata is None else _read_metadata(folder, metadata, files.tracks)
    by_table = takes_genres(
        folder, files.tracks, table, genres_from, is_found=is_found, stacklevel=3
    )
    has_artists = table is not None and "artist" in table.columns
    if table is not None and is_found and not (has_artists or by_table):
        warnings.warn(f"{table.path} is not used: it has no column 'artist'.", stacklevel=3)
        table = None
    genres = {track: _genre(folder, track, table, by_table) for track in files.tracks}
    loose = [] if by_table else [track for track, genre in genres.items() if not genre]
    empty = [] if by_table else _find_empty(folder, files, len(loose), extensions)

    skipped = list(files.faults)
    kept: list[tuple[str, Path]] = []
    for track, genre in genres.items():
        if not genre and not by_table:  # a loose one
            continue
        reason = _fault(folder, track, files, table, by_table)
        if reason is None:
            kept.append((genre, track))
        else:
            skipped.append((str(track), reason))
    kept.sort(key=lambda pair: (pair[0], pair[1].as_posix()))
    if skipped:
        _report(folder, sorted(skipped), len(kept), on_error, has_artists and not by_table)
    names = sorted({genre for genre, _ in kept})
    _check_genres(folder, names, [g for g in genres.values() if g], single_genre)
    skipped = sorted(skipped) + _warn_left_out(folder, files, loose, empty, extensions)
    spellings = [genre if by_table else top_folder(folder, path) for genre, path in kept]
    if similar := find_similar(spellings):
        warnings.warn(
            f"Genres of {folder} differ only in case, spaces, punctuation or Unicode form: "
            f"{shorten(similar)}. If they are one genre, give them one name.",
            stacklevel=3,
        )

    rows = [] if table is None else [table.entries[track] for _, track in kept]
    spelled: dict[str, str] = {}  # the first spelling of each artist counts
    artists = [spelled.setdefault(artist_key(row.artist), row.artist) for row in rows]
    has_titles = table is not None and "title" in table.columns
    source = "" if table is None else table.name
    if source == "gtzan":
        source = "GTZAN's table in skgenre, because all files are named as its clips"
    return Bunch(
        data=np.array([str(track) for _, track in kept]),
        target=np.array([genre for genre, _ in kept]),
        target_names=names,
        artists=np.array(artists) if has_artists else None,
        titles=np.array([row.title for row in rows]) if has_titles else None,
        metadata=None if table is None else table.name,
        genres_from="metadata" if by_table else "folders",
        skipped=skipped,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_tracks=len(kept),
            n_genres=len(names),
            genres=", ".join(names),
            genres_from=source if by_table else "the names of folders",
            artists=f"{len(spelled)}, from {source}" if has_artists else "not known",
            n_skipped=len(skipped),
        ),
    )


def _read_metadata(
    folder: Path, metadata: str | os.PathLike[str], tracks: Sequence[Path]
) -> Metadata | None:
    if metadata == "auto":
        table, unused = find_table(folder, tracks)
        if unused:
            warnings.warn(unused, stacklevel=4)
    else:
        if not Path(metadata).is_file():
            raise FileNotFoundError(f"There is no file {metadata}, given as metadata.")
        table = read_table(Path(metadata), folder, tracks)
    if table is not None and table.n_absent:
        warnings.warn(
            f"{table.n_absent} rows of {table.path} name files that are not in {folder}.",
            stacklevel=4,
        )
    return table


def _genre(folder: Path, track: Path, table: Metadata | None, by_table: bool) -> str:
    """Return the genre of a track; empty if it is not known."""
    if not by_table and top_folder(folder, track):
        # The composed form of the name: some file systems store accents as separate characters.
        return composed(top_folder(folder, track))
    return table.entries[track].genre if table is not None and track in table.entries else ""


def _find_empty(
    folder: Path, files: AudioFiles, n_loose: int, extensions: Sequence[str]
) -> list[str]:
    """Return the sub-folders without audio files; raise an error if all are."""
    found = [path.name for path in folder.iterdir() if path.is_dir() and not is_ignored(path.name)]
    if not found:
        raise ValueError(
            f"{folder} has no sub-folders"
            + (f" but {n_loose} audio files" if n_loose else "")
            + "; expected one sub-folder for each genre, such as rock/song.wav, or a table with "
            "the columns 'file' and 'genre', given as metadata=PATH."
        )
    full = {top_folder(folder, track) for track in files.tracks}
    full.update(top_folder(folder, Path(place) / "file") for place, _ in files.faults)
    if full <= {""}:
        others = [str(path.relative_to(folder)) for path in files.other_endings]
        raise ValueError(
            f"The {len(found)} sub-folders of {folder} have no audio files "
            f"({', '.join(map(str, extensions))})"
            + (f", but {len(others)} of other formats: {shorten(others)}" if others else "")
            + "; convert files of other formats, or set extensions if the names end differently."
        )
    return sorted(set(found) - full)


def _fault(
    folder: Path, track: Path, files: AudioFiles, table: Metadata | None, by_table: bool
) -> str | None:
    """Return why a track cannot be used; None if it can."""
    if not by_table:
        for link in files.links.get(track, ()):
            if top_folder(folder, link) != top_folder(folder, track):
                return f"{track}: in another genre too, by the link {link}"
    reason = audio_fault(track)
    if reason is not None or table is None:
        return reason
    if track not in table.entries:
        return f"{track}: no row in {table.path}"
    entry = table.entries[track]
    if by_table and not entry.genre:
        return f"{track}: no genre in {table.path}, line {entry.line}"
    if "artist" in table.columns and not is_artist(entry.artist):
        value = f" but {entry.artist!r}" if entry.artist else ""
        return f"{track}: no artist{value} in {table.path}, line {entry.line}"
    return None


def _report(
    folder: Path,
    skipped: Sequence[tuple[str, str]],
    n_kept: int,
    on_error: str,
    can_do_without: bool,
) -> None:
    """Raise or warn about the files that cannot be used."""
    count, listed = f"{len(skipped)} of {len(skipped) + n_kept} files", list_reasons(skipped)
    if on_error == "skip":
        warnings.warn(f"{count} of {folder} were left out:\n{listed}", stacklevel=4)
        return
    without_artists = ", or set metadata=None to do without artists" if can_do_without else ""
    raise ValueError(
        f"{count} of {folder} cannot be used:\n{listed}\n"
        f"Repair them, or set on_error='skip' to leave them out{without_artists}."
    )


def _check_genres(folder: Path, genres: Sequence[str], listed: Sequence[str], single: bool) -> None:
    """Refuse too few genres; warn about genres of which no file is left."""
    if not genres:
        raise ValueError(f"None of the {len(listed)} audio files of {folder} can be used.")
    lost = sorted(set(listed) - set(genres))
    if lost:
        warnings.warn(
            f"No file is left of these genres of {folder}: {shorten(lost)}.", stacklevel=4
        )
    if len(genres) < 2 and not single:
        raise ValueError(
            f"{folder} has audio files of a single genre, {genres[0]!r}; a classifier needs two or "
            "more genres, each a sub-folder or named by a table."
        )


def _warn_left_out(
    folder: Path,
    files: AudioFiles,
    loose: Sequence[Path],
    empty: Sequence[str],
    extensions: Sequence[str],
) -> list[tuple[str, str]]:
    """Warn about audio files in other places or formats; return their paths and reasons."""
    if empty:
        warnings.warn(
            f"{len(empty)} sub-folders of {folder} have no audio files "
            f"({', '.join(map(str, extensions))}) and do not count as genres: {shorten(empty)}.",
            stacklevel=4,
        )
    first = ""
    if loose:
        first = (
            f"{len(loose)} audio files lie in {folder} itself and are not used, because their "
            f"genre is not known: {shorten([track.name for track in loose])}. Move them into the "
            "folder of their genre. "
        )
    warn_unread(folder, files, first, with_endings=extensions is AUDIO_EXTENSIONS, stacklevel=4)
    return [
        *((str(track), f"{track}: in no folder of a genre") for track in loose),
        *((str(path), f"{path}: {reason}") for path, reason in files.unread()),
    ]
