"""A folder of music of which it is not known whether it is GTZAN."""

from __future__ import annotations

import os
from pathlib import Path

from sklearn.utils import Bunch

from skgenre.datasets._folder import _endings, _walk, load_genre_folder
from skgenre.datasets._load_gtzan import _EXTENSIONS, load_gtzan
from skgenre.datasets.gtzan import clip_name


def load_music(path: str | os.PathLike[str]) -> Bunch:
    """List the music of a folder: GTZAN with its own list of artists, else by genre.

    Parameters
    ----------
    path : str or PathLike
        The folder.

    Returns
    -------
    dataset : Bunch
        Of :func:`load_gtzan` if all audio files have names of clips of GTZAN and no
        ``tracks.csv`` in the folder names their artists; else of :func:`load_genre_folder`.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        As :func:`load_genre_folder`.

    Examples
    --------
    >>> import tempfile
    >>> from skgenre import make_genres
    >>> from skgenre.datasets import load_music
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = make_genres(2, genres=["dub", "swing"], duration=0.5, path=folder, random_state=0)
    ...     load_music(folder).target_names
    ['dub', 'swing']
    """
    folder = Path(path)
    if folder.is_dir() and not (folder / "tracks.csv").exists():
        files = list(_walk(folder, _endings(_EXTENSIONS), ()))
        if files and all(clip_name(file) is not None for file in files):
            return load_gtzan(folder, on_missing="ignore")
    return load_genre_folder(folder)
