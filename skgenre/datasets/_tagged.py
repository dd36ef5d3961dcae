"""Listing a folder of music by the tags of its files."""

from __future__ import annotations

import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets._files import AudioFiles, audio_fault, check_folder, find_audio, list_reasons
from skgenre.datasets._metadata import artist_key, is_artist
from skgenre.datasets._table import composed, is_missing
from skgenre.utils._io import shorten
from skgenre.utils._names import name_key
from skgenre.utils._vocabulary import Vocabulary, read_vocabulary

_DESCR = """Music in {folder}
========={underline}

{n_tracks} audio files of {n_genres} genres: {genres}.
Genres are from the tags of the files. Tracks with several: {n_several}.
Artists: {artists}.
Left out: {left_out}.

- data: the paths
- target: the genre of each
- artists: the artist of each, the groups of a split by artist; None if not known
- titles: the title of each, empty if not known
- skipped: (path, reason) of each file left out
- left_out: how many files were left out for each reason
"""


class _Track(NamedTuple):
    path: Path
    genre: str
    artist: str
    title: str
    is_several: bool


@validate_params(
    {
        "path": [str, os.PathLike],
        "vocabulary": [Mapping, str, os.PathLike, None],
        "several": [StrOptions({"first", "drop"})],
        "min_tracks": [Interval(Integral, 1, None, closed="left")],
        "min_artists": [Interval(Integral, 1, None, closed="left")],
        "need_artist": ["boolean"],
        "on_error": [StrOptions({"raise", "skip"})],
        "extensions": ["array-like"],
        "single_genre": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_tagged_folder(
    path: str | os.PathLike[str],
    *,
    vocabulary: Vocabulary | str | os.PathLike[str] | None = None,
    several: str = "first",
    min_tracks: int = 1,
    min_artists: int = 1,
    need_artist: bool = True,
    on_error: str = "raise",
    extensions: Sequence[str] = AUDIO_EXTENSIONS,
    single_genre: bool = False,
) -> Bunch:
    """List the music of a folder with the genres and artists of its files' own tags.

    Needs tinytag: ``pip install "skgenre[tags]"``. The header of each file is checked;
    :class:`~skgenre.AudioLoader` reads the sound.

    Parameters
    ----------
    path : str or PathLike
        The folder; files may lie anywhere in it. Hidden files and folders are ignored. Links are
        followed; a file that several links lead to is listed once.
    vocabulary : mapping, str, PathLike or None, default=None
        The words in the tags that stand for each genre, one or a list of several, or a JSON file
        of them, such as ``{"metal": ["Heavy Metal", "Thrash"]}``. A genre stands for itself too.
        Files with other words are left out. None takes each word as a genre.
    several : {"first", "drop"}, default="first"
        What becomes of files with several genres: "first" takes the first, "drop" leaves them
        out. Words that stand for one genre are one, and words that are not in ``vocabulary`` do
        not count beside others that are.
    min_tracks, min_artists : int, default=1
        Genres of fewer tracks, or fewer artists, are left out.
    need_artist : bool, default=True
        Whether files without an artist are left out; False lists them, without any artists.
    on_error : {"raise", "skip"}, default="raise"
        What to do with files that are damaged or not audio: "raise" lists them in one error,
        "skip" leaves them out.
    extensions : sequence of str, default=("wav", "flac", "ogg", "oga", "opus", "mp3", "au", "aiff", "aif", "aifc", "caf", "w64", "m4a", "mp4", "aac", "wma", "webm", "mka")
        File name extensions of audio files; case is ignored.
    single_genre : bool, default=False
        Whether a single genre is allowed, as in a folder that is added to others.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        As :func:`load_genre_folder` returns it, with ``genres_from`` "tags" and ``metadata``
        None, and:

        left_out : dict of str to int
            How many files were left out for each reason; ``skipped`` lists them.
        n_several : int
            Of how many tracks the first of several genres was taken.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder, or the file of the vocabulary, does not exist.
    ImportError
        If tinytag is not installed.
    ValueError
        If no genre is left, or an unwanted single one; if files are damaged and ``on_error="raise"``; if the
        vocabulary cannot be read, or has one word for two genres.

    Warns
    -----
    UserWarning
        If files are left out, with the reasons and their numbers; if no file names an artist.

    See Also
    --------
    load_genre_folder : Takes the genres from folders or a table.
    plan_tags : Plans the way back, from predictions to tags.

    Notes
    -----
    Words that differ only in case, spaces, punctuation or Unicode form are one genre, which has
    the most frequent spelling. Numbers of ID3 such as "(17)" are names of genres. Values are
    separated as the format does it, and by semicolons; a slash separates nothing, as in "R&B/Soul".

    The artist of a track is its own, or that of its album if it has none. "Various Artists",
    "[unknown]" and the like are no artist, as in :func:`load_genre_folder`; the first artist
    counts where there are several.

    Examples
    --------
    >>> import tempfile
    >>> import warnings
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre import load_tagged_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for i, genre in enumerate(("Dub", "Dub", "swing", "unknown")):
    ...         with soundfile.SoundFile(f"{folder}/{i}.ogg", "w", 8000, 1) as file:
    ...             file.genre, file.artist = genre, f"artist {i}"
    ...             file.write(np.zeros(800))
    ...     with warnings.catch_warnings():
    ...         warnings.simplefilter("ignore")  # one file is left out
    ...         music = load_tagged_folder(folder)
    >>> music.target
    array(['Dub', 'Dub', 'swing'], dtype='<U5')
    >>> music.left_out
    {'no genre': 1}
    """  # noqa: E501 - a default of numpydoc stands in one line
    folder = check_folder(path, "of music")
    tinytag = _import_tinytag()
    genre_of = _make_genre_of(read_vocabulary(vocabulary), several)
    files = find_audio(folder, extensions)
    skipped: list[tuple[Path, str, str]] = []  # path, reason in short and in full
    tracks: list[_Track] = []
    for track in files.tracks:
        found = _read(tinytag, track, genre_of)
        if isinstance(found, _Track):
            tracks.append(found)
        else:
            skipped.append((track, *found))
    has_artists = need_artist and any(track.artist for track in tracks)
    if has_artists:
        skipped += [(t.path, "no artist", "no artist") for t in tracks if not t.artist]
        tracks = [track for track in tracks if track.artist]
    if min_artists > 1 and not has_artists:
        raise ValueError(
            f"min_artists={min_artists} needs artists, but "
            + (f"no file of {folder} names one." if need_artist else "need_artist is False.")
        )
    tracks = _without_damaged(folder, tracks, skipped, on_error)
    tracks = _spelled(tracks)
    tracks = _without_small(tracks, skipped, min_tracks, min_artists)
    names = sorted({track.genre for track in tracks})
    _check(folder, files, names, skipped, single_genre)
    return _bunch(folder, files, tracks, names, skipped, has_artists, need_artist)


def _import_tinytag() -> Any:
    try:
        return import_module("tinytag")
    except ImportError as error:
        raise ImportError(
            'Labels from tags need the package tinytag: pip install "skgenre[tags]"'
        ) from error


def _make_genre_of(
    vocabulary: Mapping[str, Sequence[str]], several: str
) -> Callable[[list[str]], tuple[str, bool] | tuple[str, str]]:
    """Make the function from words to a genre and whether it is one of several.

    It returns a reason, in short and in full, in the place of a genre.
    """
    genres: dict[str, str] = {}
    for genre, words in vocabulary.items():
        for word in (genre, *words):
            other = genres.setdefault(name_key(word), genre)
            if other != genre:
                raise ValueError(
                    f"The vocabulary has {word!r} for both {other!r} and {genre!r}; a word stands "
                    "for one genre."
                )

    def genre_of(words: list[str]) -> tuple[str, bool] | tuple[str, str]:
        known = [genres.get(name_key(word)) if genres else word for word in words]
        found = {name_key(genre): genre for genre in reversed(known) if genre is not None}
        if not words:
            return "no genre", "no genre"
        if not found:
            named = ", ".join(map(repr, words))
            return "genre not in the vocabulary", f"the genre {named} is not in the vocabulary"
        if len(found) > 1 and several == "drop":
            return "several genres", f"several genres: {', '.join(map(repr, words))}"
        return list(found.values())[-1], len(found) > 1

    return genre_of


def _read(tinytag: Any, path: Path, genre_of: Callable[..., Any]) -> _Track | tuple[str, str]:
    """Read the tags of a file; return why it has no genre in the place of a track."""
    try:
        tags = tinytag.TinyTag.get(path, duration=False)
    except (tinytag.TinyTagException, OSError, ValueError) as error:
        # A file of no known format may be audio that is read; what is damaged is found later.
        return "tags cannot be read", f"its tags cannot be read ({error})"
    words = [
        composed(" ".join(word.split()))
        for value in (tags.genre, *tags.other.get("genre", ()))
        for word in (value or "").replace("\0", ";").split(";")
    ]
    genre, is_several = genre_of([word for word in words if not is_missing(word)])
    if isinstance(is_several, str):
        return genre, is_several
    artists = [composed(" ".join((name or "").split())) for name in (tags.artist, tags.albumartist)]
    artist = next(filter(is_artist, artists), "")
    return _Track(path, genre, artist, composed((tags.title or "").strip()), is_several)


def _without_damaged(
    folder: Path, tracks: list[_Track], skipped: list[tuple[Path, str, str]], on_error: str
) -> list[_Track]:
    kept, damaged = [], []
    for track in tracks:
        reason = audio_fault(track.path)
        if reason is None:
            kept.append(track)
        else:
            damaged.append((str(track.path), reason))
            skipped.append((track.path, "damaged or not audio", reason))
    if damaged and on_error == "raise":
        raise ValueError(
            f"{len(damaged)} of {len(tracks)} files of {folder} cannot be used:\n"
            f"{list_reasons(damaged)}\nRepair them, or set on_error='skip' to leave them out."
        )
    return kept


def _spelled(tracks: list[_Track]) -> list[_Track]:
    """Give each genre its most frequent spelling, and each artist the first one."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for track in tracks:
        spellings[name_key(track.genre)][track.genre] += 1
    genres = {key: min(found, key=lambda s: (-found[s], s)) for key, found in spellings.items()}
    artists: dict[str, str] = {}
    return [
        track._replace(
            genre=genres[name_key(track.genre)],
            artist=artists.setdefault(artist_key(track.artist), track.artist),
        )
        for track in tracks
    ]


def _without_small(
    tracks: list[_Track], skipped: list[tuple[Path, str, str]], min_tracks: int, min_artists: int
) -> list[_Track]:
    """Leave out the genres of too few tracks or artists."""
    counts = Counter(track.genre for track in tracks)
    artists: dict[str, set[str]] = defaultdict(set)
    for track in tracks:
        artists[track.genre].add(track.artist)
    kept = []
    for track in tracks:
        n_tracks, n_artists = counts[track.genre], len(artists[track.genre])
        if n_tracks < min_tracks:
            reason = f"genre of fewer than {min_tracks} tracks"
            skipped.append((track.path, reason, f"{track.genre!r} has {n_tracks} tracks"))
        elif n_artists < min_artists:
            reason = f"genre of fewer than {min_artists} artists"
            skipped.append((track.path, reason, f"{track.genre!r} has {n_artists} artists"))
        else:
            kept.append(track)
    return kept


def _counts(skipped: Sequence[tuple[Path, str, str]]) -> str:
    counts = Counter(reason for _, reason, _ in skipped)
    return "; ".join(f"{reason}: {count}" for reason, count in counts.most_common()) or "nothing"


def _check(
    folder: Path,
    files: AudioFiles,
    names: list[str],
    skipped: list[tuple[Path, str, str]],
    single: bool,
) -> None:
    if not files.tracks:
        raise ValueError(f"{folder} has no audio files whose tags can be read.")
    if len(names) < (1 if single else 2):
        found = f"a single genre, {names[0]!r}" if names else "no genre"
        raise ValueError(
            f"Of the {len(files.tracks)} audio files of {folder}, the tags leave {found}; a "
            f"classifier needs two or more. Left out: {_counts(skipped)}."
        )


def _bunch(
    folder: Path,
    files: AudioFiles,
    tracks: list[_Track],
    names: list[str],
    skipped: list[tuple[Path, str, str]],
    has_artists: bool,
    need_artist: bool,
) -> Bunch:
    """Describe what is listed; warn about what is not."""
    skipped += [(path, reason, reason) for path, reason in files.unread()]
    skipped += [(Path(path), "folder that cannot be read", text) for path, text in files.faults]
    if skipped:
        listed = shorten(sorted(str(path.relative_to(folder)) for path, _, _ in skipped))
        warnings.warn(
            f"{len(skipped)} of {len(skipped) + len(tracks)} files of {folder} were left out "
            f"({_counts(skipped)}): {listed}.",
            stacklevel=4,
        )
    if need_artist and not has_artists:
        warnings.warn(f"No file of {folder} names an artist in its tags.", stacklevel=4)
    tracks = sorted(tracks, key=lambda track: (track.genre, track.path.as_posix()))
    n_artists = len({track.artist for track in tracks})
    n_several = sum(track.is_several for track in tracks)
    return Bunch(
        data=np.array([str(track.path) for track in tracks]),
        target=np.array([track.genre for track in tracks]),
        target_names=names,
        artists=np.array([track.artist for track in tracks]) if has_artists else None,
        titles=np.array([track.title for track in tracks]),
        metadata=None,
        genres_from="tags",
        skipped=sorted(
            (str(path), text if str(path) in text else f"{path}: {text}")
            for path, _, text in skipped
        ),
        left_out=dict(Counter(reason for _, reason, _ in skipped).most_common()),
        n_several=n_several,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_tracks=len(tracks),
            n_genres=len(names),
            genres=", ".join(names),
            n_several=n_several,
            artists=f"{n_artists}, from the tags" if has_artists else "not known",
            left_out=_counts(skipped),
        ),
    )
