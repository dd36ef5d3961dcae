"""Writing a data set of tracks to a folder, completely or not at all."""

from __future__ import annotations

import csv
import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._io import make_folders, shorten

_SUBTYPES = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS"}
_TABLE = "tracks.csv"
_BLOCK = 2**16  # samples; some versions of the Vorbis encoder overflow the stack on more


def publish(
    folder: Path,
    files: Sequence[str],
    waves: Iterable[NDArray[np.float32]],
    sampling_rate: int,
    table: Sequence[Sequence[str]],
    *,
    overwrite: bool,
) -> None:
    """Write tracks and their table; files appear only when all are complete.

    All files are first written to a hidden folder inside ``folder``, compared with the files
    that exist, and then moved to their places. Existing files with the same content are not
    touched.

    Parameters
    ----------
    folder : Path
        Folder to write to; created if it does not exist.
    files : sequence of str
        Paths relative to ``folder``, of the form GENRE/NAME.FORMAT.
    waves : iterable of ndarray of shape (n_samples,)
        The tracks, in the order of ``files``.
    sampling_rate : int
        Samples a second.
    table : sequence of rows
        Rows of tracks.csv, the header first.
    overwrite : bool
        Whether to replace files with different content.

    Raises
    ------
    NotADirectoryError, ValueError, FileExistsError
        If ``folder`` is a file, holds other tracks, or holds files of these names with
        different content.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; path must name a folder.")
    _refuse_others(folder, files)
    created = make_folders(folder)
    staging = Path(tempfile.mkdtemp(prefix=".make_genres-", dir=folder))
    try:
        for file, wave in zip(files, waves, strict=True):
            (staging / file).parent.mkdir(exist_ok=True)
            _write_audio(staging / file, wave, sampling_rate)
        with open(staging / _TABLE, "w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(table)
        names = [*files, _TABLE]
        changed = [name for name in names if not _same(folder / name, staging / name)]
        taken = [name for name in changed if os.path.lexists(folder / name)]
        if taken and not overwrite:
            raise FileExistsError(
                f"{folder} already holds {len(taken)} of the files with different content: "
                f"{shorten(taken)}. Choose an empty folder, or set overwrite=True to replace "
                "them. Nothing was written."
            )
        for name in changed:
            (folder / name).parent.mkdir(exist_ok=True)
            os.replace(staging / name, folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for made in created:
            if not any(made.iterdir()):  # only after a failure
                made.rmdir()


def _refuse_others(folder: Path, files: Sequence[str]) -> None:
    """Refuse a folder with other tracks, which would be read back together with the new ones."""
    expected = set(files)
    others = sorted(
        relative
        for found in folder.glob("*/*")
        if found.suffix[1:].lower() in _SUBTYPES
        and (relative := found.relative_to(folder).as_posix()) not in expected
        and not relative.startswith(".")
    )
    if others:
        raise ValueError(
            f"{folder} already holds {len(others)} tracks that this call does not make: "
            f"{shorten(others)}. They would become part of the data set; choose an empty "
            "folder."
        )


def _write_audio(path: Path, wave: NDArray[np.float32], sampling_rate: int) -> None:
    import soundfile

    suffix = path.suffix[1:]
    with soundfile.SoundFile(
        path, "w", sampling_rate, 1, _SUBTYPES[suffix], format=suffix.upper()
    ) as file:
        for start in range(0, wave.size, _BLOCK):
            file.write(wave[start : start + _BLOCK])


def _same(old: Path, new: Path) -> bool:
    """Whether the old file exists and has the same content as the new one."""
    if not old.is_file():
        return False
    if filecmp.cmp(old, new, shallow=False):
        return True
    # An Ogg stream contains a random serial number, so that equal sound can differ in its bytes.
    return new.suffix == ".ogg" and _same_sound(old, new)


def _same_sound(old: Path, new: Path) -> bool:
    import soundfile

    def read(path: Path) -> tuple[Any, int]:
        return soundfile.read(path, dtype="int16")

    try:
        (old_wave, old_rate), (new_wave, new_rate) = read(old), read(new)
    except soundfile.LibsndfileError:
        return False
    return old_rate == new_rate and np.array_equal(old_wave, new_wave)
