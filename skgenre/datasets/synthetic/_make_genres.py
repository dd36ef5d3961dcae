"""Synthetic music of several genres."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skgenre.datasets.synthetic._artists import Artist, draw_artist
from skgenre.datasets.synthetic._render import perform
from skgenre.datasets.synthetic._styles import STYLES
from skgenre.datasets.synthetic._write import publish
from skgenre.utils._random import draw_seeds
from skgenre.utils._waveforms import with_rate

_DESCR = """Synthetic music
===============

{n_tracks} tracks of {duration:g} s at {sampling_rate} Hz, mono, made by skgenre.make_genres:
{n_genres} genres ({genres}), {n_artists} artists in each, overlap {overlap:g}.

The genres differ in rhythm (tempo, pattern of the beat, swing), in harmony (scale, chords)
and in sound (instruments, distortion, room). An artist plays one genre, borrows from others,
and has habits that do not depend on the genre: tuning, key, levels, equalisation, noise. The
music is for trying out code and protocols; scores on it do not carry over to real music.

- data: the waveforms, or the paths of the files if they were written
- target: the genre of each track; tracks are sorted by genre
- artists: the artist of each track, the groups of a split by artist
- tracks, titles: name and title of each track
"""


@validate_params(
    {
        "n_tracks_per_genre": [Interval(Integral, 1, None, closed="left")],
        "genres": [None, Interval(Integral, 1, len(STYLES), closed="both"), "array-like"],
        "n_artists": [Interval(Integral, 1, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Integral, 4000, 192000, closed="both")],
        "overlap": [Interval(Real, 0, 1, closed="both")],
        "path": [None, str, os.PathLike],
        "file_format": [StrOptions({"wav", "flac", "ogg"})],
        "overwrite": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_genres(
    n_tracks_per_genre: int = 12,
    *,
    genres: int | Sequence[str] | None = None,
    n_artists: int = 4,
    duration: float = 30.0,
    sampling_rate: int = 22050,
    overlap: float = 0.3,
    path: str | os.PathLike[str] | None = None,
    file_format: str = "wav",
    overwrite: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Make music of several genres, as waveforms or as a folder of files.

    The music is synthetic and takes seconds to make: data for trying out code, for tests, and
    for showing how protocols differ, without downloads or copyright. As in collections of
    recordings, each artist plays one genre and has habits that are unrelated to it. A model
    that learns the artists scores well if training and test data share them, and worse if
    ``artists`` are the groups of the split.

    Parameters
    ----------
    n_tracks_per_genre : int, default=12
        Tracks of each genre.
    genres : int, list of str or None, default=None
        Names of the genres, or how many of these: "ambient", "chiptune", "dub", "house",
        "march", "swing", "thrash", "waltz". None means all.
    n_artists : int, default=4
        Artists of each genre. They take turns: track ``i`` of a genre is by artist
        ``i % n_artists``, so that there are no more artists than tracks.
    duration : float, default=30.0
        Length of each track in seconds.
    sampling_rate : int, default=22050
        Samples a second, from 4000 to 192000.
    overlap : float, default=0.3
        How hard the genres are to distinguish, from 0 to 1. At 0 artists keep to their genre
        and have weak habits. At 1 half of them take their rhythm, and half their harmony, from
        another genre, their instruments are a mixture of two genres, and their habits are
        strong: few tracks can be classified without knowing the artist.
    path : str, PathLike or None, default=None
        Folder to write the tracks to, with one sub-folder for each genre, as
        :func:`load_genre_folder` reads it; created if it does not exist. None writes no files
        and returns waveforms.
    file_format : {"wav", "flac", "ogg"}, default="wav"
        Format of the files: 16-bit WAV, 16-bit FLAC, or Ogg Vorbis, which is lossy.
    overwrite : bool, default=False
        Whether to replace files of the same names with different content.
    random_state : int, RandomState instance or None, default=None
        Determines the music. Pass an int to get the same music in each call.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With these attributes, tracks sorted by genre:

        data : ndarray of shape (n_tracks, n_samples), float32, or (n_tracks,) of str
            The waveforms, which know their sampling rate, or the paths of the files.
        target : ndarray of shape (n_tracks,) of str
            The genre of each track.
        target_names : list of str
            The genres, sorted.
        artists : ndarray of shape (n_tracks,) of str
            The artist of each track, the ``groups`` of a split by artist.
        tracks, titles : ndarray of shape (n_tracks,) of str
            The name of each track, such as "dub.00003", and its title.
        sampling_rate : int
            Samples a second.
        DESCR : str
            Description of the data set.

    Raises
    ------
    ValueError
        If a parameter is out of range, a genre is unknown, or the folder already holds
        tracks that this call does not make.
    FileExistsError
        If files of the same names have different content and ``overwrite`` is False. Then
        nothing is written.

    See Also
    --------
    load_genre_folder : Reads the folder back, or one of recorded music.

    Notes
    -----
    A track depends on its genre, artist and number, on ``random_state`` and on ``duration``,
    ``sampling_rate`` and ``overlap``. It does not depend on the other tracks and genres: the
    first 5 of 12 tracks are those of ``n_tracks_per_genre=5``.

    Waveforms need 4 bytes a sample: 96 tracks of 30 s at 22 050 Hz take 254 MB. With
    ``path``, only one track at a time is in memory.

    Files appear under their names only when all are complete.

    Examples
    --------
    >>> from skgenre import make_genres
    >>> music = make_genres(4, genres=["dub", "swing"], duration=2.0, random_state=0)
    >>> music.data.shape, music.data.sampling_rate
    ((8, 44100), 22050)
    >>> music.target_names
    ['dub', 'swing']
    >>> print(music.titles[5], "by", music.artists[5])
    Swing No. 2 by swing artist 2
    """
    names = _choose(genres)
    n_samples = round(duration * sampling_rate)
    if n_samples < 1:
        raise ValueError(
            f"duration={duration} s has no sample at sampling_rate={sampling_rate}; give a "
            "longer duration."
        )
    recipe = _Recipe(draw_seeds(random_state, 1)[0], n_artists, n_samples, sampling_rate, overlap)
    rows = [(genre, number) for genre in names for number in range(n_tracks_per_genre)]
    artists = [f"{genre} artist {number % n_artists + 1}" for genre, number in rows]
    tracks = [f"{genre}.{number:05d}" for genre, number in rows]
    titles = [f"{genre.capitalize()} No. {number + 1}" for genre, number in rows]

    data: NDArray[Any]
    if path is None:
        data = np.empty((len(rows), n_samples), dtype=np.float32)
        for row, wave in enumerate(recipe.perform(rows)):
            data[row] = wave
        data = with_rate(data, sampling_rate)
    else:
        files = [
            f"{genre}/{track}.{file_format}" for (genre, _), track in zip(rows, tracks, strict=True)
        ]
        table = [
            ("file", "genre", "artist", "title"),
            *zip(files, [genre for genre, _ in rows], artists, titles, strict=True),
        ]
        folder = Path(path)
        publish(folder, files, recipe.perform(rows), sampling_rate, table, overwrite=overwrite)
        data = np.array([str(folder / file) for file in files])
    return Bunch(
        data=data,
        target=np.array([genre for genre, _ in rows]),
        target_names=names,
        artists=np.array(artists),
        tracks=np.array(tracks),
        titles=np.array(titles),
        sampling_rate=sampling_rate,
        DESCR=_DESCR.format(
            n_tracks=len(rows),
            duration=duration,
            sampling_rate=sampling_rate,
            n_genres=len(names),
            genres=", ".join(names),
            n_artists=min(n_artists, n_tracks_per_genre),
            overlap=overlap,
        ),
    )


def _choose(genres: int | Sequence[str] | None) -> list[str]:
    """Return the names of the requested genres, sorted."""
    known = sorted(STYLES)
    if genres is None:
        return known
    if isinstance(genres, int | np.integer):
        return known[: int(genres)]
    names = [str(name) for name in genres]
    unknown = [name for name in names if name not in STYLES]
    if unknown:
        raise ValueError(f"genres has unknown names: {unknown}; known are {known}.")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"genres needs one or more different names of {known}; got {names}.")
    return sorted(names)


@dataclass(frozen=True)
class _Recipe:
    """Everything that determines a track besides its genre and number."""

    seed: int
    n_artists: int
    n_samples: int
    sampling_rate: int
    overlap: float

    def perform(self, rows: Sequence[tuple[str, int]]) -> Iterator[NDArray[np.float32]]:
        """Yield the tracks one by one."""
        artists: dict[tuple[str, int], Artist] = {}
        for genre, number in rows:
            key = genre, number % self.n_artists
            if key not in artists:
                artists[key] = draw_artist(genre, self.overlap, self._rng(*key))
            rng = self._rng(*key, number)
            yield perform(artists[key], self.n_samples, self.sampling_rate, rng)

    def _rng(self, genre: str, *numbers: int) -> np.random.Generator:
        # The key uses the name of the genre and not its index, which would depend on the
        # requested genres.
        spawn_key = zlib.crc32(genre.encode()), *numbers
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=spawn_key))
