"""A folder of music of which it is not known whether it is GTZAN."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from sklearn.utils import Bunch

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets._files import find_audio
from skgenre.datasets._folder import load_genre_folder
from skgenre.datasets._load_gtzan import load_gtzan
from skgenre.datasets._metadata import find_table


def load_music(path: str | os.PathLike[str]) -> Bunch:
    """List the music of a folder: GTZAN with its own list of artists, else by genre.

    Parameters
    ----------
    path : str or PathLike
        The folder.

    Returns
    -------
    dataset : Bunch
        Of :func:`load_gtzan` if all audio files have names of clips of GTZAN and no table in
        the folder or beside it names their artists or other genres; else of
        :func:`load_genre_folder`. Files that cannot be used are left out, with a warning.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If no files of two genres can be used, or a table contradicts the folders.

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
    if folder.is_dir():
        table, unused = find_table(folder, find_audio(folder, AUDIO_EXTENSIONS).tracks)
        if table is not None and table.is_gtzan:
            if unused:
                warnings.warn(unused, stacklevel=2)
            return load_gtzan(folder, on_missing="ignore")
    return load_genre_folder(folder, on_error="skip")
