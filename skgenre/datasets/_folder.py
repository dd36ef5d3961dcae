"""Listing a folder of music."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.audio import AUDIO_EXTENSIONS, probe_audio
from skgenre.datasets._metadata import Metadata, find_table, read_table
from skgenre.utils._io import shorten

_SHOWN = 10

_DESCR = """Music in {folder}
========={underline}

{n_tracks} audio files of {n_genres} genres: {genres}.
Artists: {artists}.
Left out: {n_skipped}.

- data: the paths
- target: the genre of each, the name of its folder
- artists: the artist of each, the groups of a split by artist; None if not known
- titles: the title of each; None if not known
- skipped: (path, reason) of each file left out
"""


@validate_params(
    {
        "path": [str, os.PathLike],
        "metadata": [StrOptions({"auto"}), str, os.PathLike, None],
        "on_error": [StrOptions({"raise", "skip"})],
        "extensions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def load_genre_folder(
    path: str | os.PathLike[str],
    *,
    metadata: str | os.PathLike[str] | None = "auto",
    on_error: str = "raise",
    extensions: Sequence[str] = AUDIO_EXTENSIONS,
) -> Bunch:
    """List the music of a folder that has one sub-folder for each genre.

    The header of each file is checked. Pass the paths to :class:`~skgenre.AudioLoader` to read
    the sound.

    Parameters
    ----------
    path : str or PathLike
        The folder. The name of each sub-folder is a genre; audio files may lie deeper in it.
        Hidden files and folders, and ``__MACOSX``, are ignored.
    metadata : "auto", str, PathLike or None, default="auto"
        The CSV file that names the artists. "auto" uses the first of: ``tracks.csv`` or
        ``metadata.csv`` in the folder; a file beside the folder with its name and ``.csv``;
        the only other CSV file in the folder that has the columns. None uses no file.

        The columns are ``file`` (or ``filename`` or ``path``), ``artist``, and optionally
        ``title`` and ``genre``; others are ignored. The path of a file is relative to the
        folder, to its parent or to the CSV file; a name alone will do if no other file has
        it.
    on_error : {"raise", "skip"}, default="raise"
        What to do with files that cannot be used: files that are damaged or not audio, and
        files without an artist if a CSV file names artists. "raise" lists them in one error,
        "skip" leaves them out with one warning.
    extensions : sequence of str, default=("wav", "flac", "ogg", "oga", "opus", "mp3", "au", "aiff", "aif", "aifc", "caf", "w64", "m4a", "mp4", "aac", "wma", "webm", "mka")
        File name extensions of audio files; case is ignored. The default is what
        :class:`~skgenre.AudioLoader` reads, from "m4a" on with PyAV.

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
            The artist of each track, the ``groups`` of a split by artist; None without a CSV
            file.
        titles : ndarray of shape (n_tracks,) of str, or None
            The title of each track, empty if it has none; None without such a column.
        metadata : str or None
            The CSV file that was used.
        skipped : list of (str, str)
            Path and reason of each file left out.
        DESCR : str
            Description of the data set.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder, or the CSV file that ``metadata`` names, does not exist.
    ValueError
        If there are no sub-folders, no audio files or a single genre; if files cannot be
        used and ``on_error="raise"``; if the CSV file cannot be read, is ambiguous, or
        contradicts the folders.

    Warns
    -----
    UserWarning
        If audio files lie outside the sub-folders, a sub-folder has no audio files, the
        CSV file names files that do not exist, or files were left out.

    See Also
    --------
    make_genres : Writes such a folder of synthetic music.

    Notes
    -----
    A split by artist needs the artists. Tracks of unknown artists (no row, an empty value,
    "unknown", "various artists", "n/a" and the like) could form one group, which would keep
    unrelated tracks together, or one group each, which could put an artist on both sides of
    the split and make a model look better than it is. Neither happens silently: such tracks
    are an error, or are left out with ``on_error="skip"``. With ``metadata=None`` all tracks
    are listed, without artists. To keep tracks of unknown artists, give each a name of its own
    in the table.

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
    """  # noqa: E501
    folder = _check_folder(path, "of genres")
    endings = _endings(extensions)
    tracks = _list_tracks(folder, endings)
    table = _read_metadata(folder, metadata, [track for track, _ in tracks])

    skipped: list[tuple[str, str]] = []
    kept: list[tuple[Path, str]] = []
    for track, genre in tracks:
        reason = _fault(track, table)
        if reason is None:
            kept.append((track, genre))
        else:
            skipped.append((str(track), reason))
    if skipped:
        _report(folder, skipped, len(tracks), on_error, table)
    genres = sorted({genre for _, genre in kept})
    _check_genres(folder, genres, tracks)
    entries = [] if table is None else [table.entries[track] for track, _ in kept]
    artists = None if table is None else np.array([entry.artist for entry in entries])
    titles = None
    if table is not None and table.has_titles:
        titles = np.array([entry.title for entry in entries])
    return Bunch(
        data=np.array([str(track) for track, _ in kept]),
        target=np.array([genre for _, genre in kept]),
        target_names=genres,
        artists=artists,
        titles=titles,
        metadata=None if table is None else str(table.path),
        skipped=skipped,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_tracks=len(kept),
            n_genres=len(genres),
            genres=", ".join(genres),
            artists="not known" if artists is None else len(set(artists)),
            n_skipped=len(skipped),
        ),
    )


def _check_folder(path: str | os.PathLike[str], kind: str) -> Path:
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {folder}.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; path must name a folder {kind}.")
    return folder


def _endings(extensions: Sequence[str]) -> tuple[str, ...]:
    if not len(extensions):
        raise ValueError(
            "extensions must list file name extensions, such as ['wav', 'mp3']; got "
            f"{extensions!r}."
        )
    return tuple("." + str(extension).lower().lstrip(".") for extension in extensions)


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _list_tracks(folder: Path, endings: tuple[str, ...]) -> list[tuple[Path, str]]:
    """List the audio files and their genres, in order; warn about files in other places."""
    children = sorted(child for child in folder.iterdir() if not _is_ignored(child.name))
    genre_folders = [child for child in children if child.is_dir()]
    loose = [child.name for child in children if _is_audio(child, endings)]
    if not genre_folders:
        raise ValueError(
            f"{folder} has no sub-folders"
            + (f" but {len(loose)} audio files" if loose else "")
            + "; expected one sub-folder for each genre, such as rock/song.wav."
        )
    if loose:
        warnings.warn(
            f"{len(loose)} audio files lie in {folder} itself and are not used, because their "
            f"genre is not known: {shorten(loose)}. Move them into the folder of their genre.",
            stacklevel=4,
        )
    tracks: list[tuple[Path, str]] = []
    empty = []
    for genre_folder in genre_folders:
        found = sorted(_walk(genre_folder, endings, ()), key=lambda track: track.as_posix())
        # The composed form of the name: some file systems store accents as separate characters.
        genre = unicodedata.normalize("NFC", genre_folder.name)
        tracks.extend((track, genre) for track in found)
        if not found:
            empty.append(genre_folder.name)
    listed = ", ".join(ending[1:] for ending in endings)
    if not tracks:
        raise ValueError(
            f"The {len(genre_folders)} sub-folders of {folder} have no audio files ({listed}); set "
            "extensions if the names end differently."
        )
    if empty:
        warnings.warn(
            f"{len(empty)} sub-folders of {folder} have no audio files ({listed}) and do not count "
            f"as genres: {shorten(empty)}.",
            stacklevel=4,
        )
    return tracks


def _walk(folder: Path, endings: tuple[str, ...], above: tuple[str, ...]) -> Iterator[Path]:
    """Yield the audio files of a folder and its sub-folders, following links."""
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder above it
        return
    for child in folder.iterdir():
        if _is_ignored(child.name):
            continue
        if child.is_dir():
            yield from _walk(child, endings, (*above, real))
        elif _is_audio(child, endings):
            yield child


def _is_audio(path: Path, endings: tuple[str, ...]) -> bool:
    # A broken link counts: it is reported as a track that cannot be read.
    return path.name.lower().endswith(endings) and not path.is_dir()


def _read_metadata(
    folder: Path, metadata: str | os.PathLike[str] | None, tracks: Sequence[Path]
) -> Metadata | None:
    if metadata is None:
        return None
    if isinstance(metadata, str) and metadata == "auto":
        table_path = find_table(folder)
        if table_path is None:
            return None
    else:
        table_path = Path(metadata)
        if not table_path.is_file():
            raise FileNotFoundError(f"There is no file {table_path}, given as metadata.")
    table = read_table(table_path, folder, tracks)
    for track, entry in table.entries.items():
        genre = track.relative_to(folder).parts[0]
        if entry.genre and not _equal(entry.genre, genre):
            raise ValueError(
                f"{table_path}, line {entry.line} says that {track} is {entry.genre!r}, but it "
                f"lies in the folder {genre!r}; correct the line or move the file."
            )
    if not table.entries:
        raise ValueError(
            f"None of the {table.n_absent} rows of {table_path} names a file of {folder}. Give "
            "paths relative to that folder, such as rock/song.wav, to its parent, or to the CSV "
            "file; or set metadata=None to do without artists."
        )
    if table.n_absent:
        warnings.warn(
            f"{table.n_absent} rows of {table_path} name files that are not in {folder}.",
            stacklevel=4,
        )
    return table


def _equal(first: str, second: str) -> bool:
    def fold(text: str) -> str:
        return unicodedata.normalize("NFC", text).casefold()

    return fold(first) == fold(second)


def _audio_fault(track: Path) -> str | None:
    """Return why the header of a file cannot be read; None if it can."""
    try:
        probe_audio(track)
    except (ValueError, OSError) as error:
        return str(error)
    return None


def _fault(track: Path, table: Metadata | None) -> str | None:
    """Return why a track cannot be used; None if it can."""
    reason = _audio_fault(track)
    if reason is not None or table is None:
        return reason
    if track not in table.entries:
        return f"{track}: no row in {table.path}"
    if not table.entries[track].artist:
        return f"{track}: no artist in {table.path}, line {table.entries[track].line}"
    return None


def _list_reasons(skipped: Sequence[tuple[str, str]]) -> str:
    """Return the first reasons, one a line, and the number of the others."""
    lines = [f"- {reason}" for _, reason in skipped[:_SHOWN]]
    if len(skipped) > _SHOWN:
        lines.append(f"- and {len(skipped) - _SHOWN} more")
    return "\n".join(lines)


def _report(
    folder: Path,
    skipped: Sequence[tuple[str, str]],
    n_tracks: int,
    on_error: str,
    table: Metadata | None,
) -> None:
    """Raise or warn about the files that cannot be used."""
    listed = _list_reasons(skipped)
    if on_error == "skip":
        warnings.warn(
            f"{len(skipped)} of {n_tracks} files of {folder} were left out:\n{listed}",
            stacklevel=4,
        )
        return
    without_artists = "" if table is None else ", or metadata=None to do without artists"
    raise ValueError(
        f"{len(skipped)} of {n_tracks} files of {folder} cannot be used:\n{listed}\n"
        f"Repair them, or set on_error='skip' to leave them out{without_artists}."
    )


def _check_genres(folder: Path, genres: Sequence[str], tracks: Sequence[tuple[Path, str]]) -> None:
    """Refuse fewer than two genres; warn about genres of which no file is left."""
    if not genres:
        raise ValueError(f"None of the {len(tracks)} audio files of {folder} can be used.")
    lost = sorted({genre for _, genre in tracks} - set(genres))
    if lost:
        warnings.warn(
            f"No file is left of these genres of {folder}: {shorten(lost)}.", stacklevel=4
        )
    if len(genres) < 2:
        raise ValueError(
            f"{folder} has audio files of a single genre, {genres[0]!r}; a classifier needs two or "
            "more sub-folders with audio files."
        )
