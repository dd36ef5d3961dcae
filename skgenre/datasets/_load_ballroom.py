"""Listing the excerpts of the Ballroom data set in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.audio import AUDIO_EXTENSIONS
from skgenre.datasets._files import check_folder, find_audio
from skgenre.datasets._published import REPORTS, check_file, find_tracks

_LIST = "allBallroomFiles"
# Pairs of the same recording, as listed by B. L. Sturm and F. Krebs; the second is left out.
_EXACT = (
    ("Albums-AnaBelen_Veneo-11", "Albums-Chrisanne2-12"),
    ("Albums-Fire-08", "Albums-Fire-09"),  # ChaChaCha and Samba
    ("Albums-Latin_Jam2-05", "Albums-Latin_Jam2-13"),
    ("Albums-Secret_Garden-01", "Media-104705"),
)
_RECORDINGS = (
    ("Albums-AnaBelen_Veneo-03", "Albums-AnaBelen_Veneo-15"),
    ("Albums-Ballroom_Magic-03", "Albums-Ballroom_Magic-18"),
    ("Albums-Latin_Jam-04", "Albums-Latin_Jam-13"),
    ("Albums-Latin_Jam-08", "Albums-Latin_Jam-14"),
    ("Albums-Latin_Jam-06", "Albums-Latin_Jam-15"),
    ("Albums-Latin_Jam2-02", "Albums-Latin_Jam2-14"),
    ("Albums-Latin_Jam2-07", "Albums-Latin_Jam2-15"),
    ("Albums-Latin_Jam3-02", "Media-103414"),
    ("Media-103402", "Media-103415"),
)
_REPLICAS = _EXACT + _RECORDINGS

_DESCR = """Ballroom, the excerpts in {folder}
========================={underline}

{n_tracks} of {n_wanted} excerpts of thirty seconds, of {n_genres} dances: {genres}.
Albums: {n_groups}. Artists are not known. Missing: {n_missing}. Files not used: {n_skipped}.
Repeated recordings left out: {n_excluded}.

- data: the paths
- target: the dance of each
- names: the name of each excerpt, such as "Albums-Cafe_Paradiso-05"
- groups: the album of each by the name of its file; albums that share a recording are one
- repeats: the excerpt of the same recording; empty if there is none
- missing: the names of the excerpts that were not found
- skipped: (path, reason) of each file that is not used

The excerpts are those of Gouyon et al. (2006). The repeated recordings were found by
B. L. Sturm (2014).
"""


@validate_params(
    {
        "path": [str, os.PathLike],
        "exclude": [StrOptions({"replicas"}), None],
        "merge_rumba": ["boolean"],
        "on_missing": [REPORTS],
        "on_corrupt": [REPORTS],
        "extensions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def load_ballroom(
    path: str | os.PathLike[str],
    *,
    exclude: str | None = None,
    merge_rumba: bool = True,
    on_missing: str = "warn",
    on_corrupt: str = "warn",
    extensions: Sequence[str] = AUDIO_EXTENSIONS,
) -> Bunch:
    r"""List the excerpts of the Ballroom data set in a folder, with their albums.

    The header of each file is checked; :class:`~skgenre.AudioLoader` reads the sound.

    Parameters
    ----------
    path : str or PathLike
        The folder ``BallroomData``, or the one above it. It has the list
        ``allBallroomFiles`` and a sub-folder for each dance.
    exclude : {"replicas"} or None, default=None
        "replicas" leaves out the second of the 13 pairs of excerpts that are the same
        recording.
    merge_rumba : bool, default=True
        Whether ``Rumba-American``, ``Rumba-International`` and ``Rumba-Misc`` are one genre,
        "Rumba", as in most papers: eight genres instead of ten.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        What to do about excerpts that are not there: give one warning with their number, raise
        one error, or nothing. ``missing`` lists them in any case.
    on_corrupt : {"warn", "raise", "ignore"}, default="warn"
        What to do about files that cannot be used: leave them out with one warning, raise one
        error that lists them, or leave them out silently. ``skipped`` lists them in any case.
    extensions : sequence of str, default=("wav", "flac", "ogg", "oga", "opus", "mp3", "au", "aiff", "aif", "aifc", "caf", "w64", "m4a", "mp4", "aac", "wma", "webm", "mka")
        File name extensions of audio files; case is ignored. The list's own endings do not
        count.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With these attributes, excerpts in the order of the list; arrays are of shape
        (n_tracks,) and of str:

        data : ndarray
            The paths.
        target : ndarray
            The dance of each excerpt, by its folder.
        target_names : list of str
            The dances found, sorted.
        names : ndarray
            The name of each excerpt, such as "Albums-Cafe_Paradiso-05".
        artists : None
            The data set does not name artists.
        groups : ndarray
            Stands in for artists: the album, from the name of the file. See Notes.
        repeats : ndarray
            The excerpt of the same recording; empty if none is known.
        missing : list of str
            The names of the excerpts that were not found.
        skipped : list of (str, str)
            Path and reason of each file that is not used.
        DESCR : str
            Description of the data set, with counts.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder, or the list in it, does not exist.
    ValueError
        If the list is not as it was published; if no excerpt is found or none can be used; if
        excerpts are missing or corrupt and ``on_missing`` or ``on_corrupt`` is "raise".

    Warns
    -----
    UserWarning
        If excerpts are missing or corrupt, or audio files are not on the list.

    See Also
    --------
    load_gtzan : Lists GTZAN, whose artists are known.

    Notes
    -----
    There is no published split, and an artist may have several albums: a split by
    ``groups`` is stricter than one by track, but does not keep artists apart. The album of
    ``Albums-Cafe_Paradiso-05`` is "Cafe_Paradiso". The last two digits of ``Media-103402`` are
    taken to be the track, and those before them the album. Albums with a
    recording in common are one group.

    One recording, ``Albums-Fire-08`` and ``Albums-Fire-09``, is both ChaChaCha and Samba.

    References
    ----------
    .. [1] F. Gouyon, A. Klapuri, S. Dixon, M. Alonso, G. Tzanetakis, C. Uhle and P. Cano, "An
       experimental comparison of audio tempo induction algorithms", IEEE Transactions on
       Audio, Speech and Language Processing 14(5), pp. 1832-1844, 2006.
    .. [2] F. Krebs, S. Böck and G. Widmer, "Rhythmic pattern modeling for beat and downbeat
       tracking in musical audio", ISMIR 2013. Its annotations list the repeated recordings:
       https://github.com/CPJKU/BallroomAnnotations

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre import load_ballroom
    >>> names = ["ChaChaCha/Albums-Fire-08", "Samba/Albums-Fire-09", "Waltz/Media-103402"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = Path(folder) / "BallroomData"
    ...     for name in names:
    ...         (data / name).parent.mkdir(parents=True)
    ...         soundfile.write(data / f"{name}.wav", np.zeros(800), 44100)
    ...     _ = (data / "allBallroomFiles").write_text("".join(f"./{n}.wav\n" for n in names))
    ...     dances = load_ballroom(folder)
    >>> dances.target
    array(['ChaChaCha', 'Samba', 'Waltz'], dtype='<U9')
    >>> dances.groups
    array(['Fire', 'Fire', 'Latin_Jam3, Media-1034'], dtype='<U22')
    >>> dances.repeats
    array(['Albums-Fire-09', 'Albums-Fire-08', 'Media-103415'], dtype='<U14')
    """  # noqa: E501 - a default of numpydoc stands in one line
    folder = check_folder(path, "with the music")
    if (folder / "BallroomData" / _LIST).is_file():
        folder = folder / "BallroomData"
    listed = _read_list(
        check_file(folder / _LIST, "path is the folder BallroomData of the archive, with its list")
    )
    dropped = {second for _, second in _REPLICAS} if exclude == "replicas" else set()
    wanted = [name for name in listed if name.partition("/")[2] not in dropped]
    found = find_tracks(
        folder,
        find_audio(folder, extensions),
        wanted,
        lambda file: f"{file.parent.name}/{file.stem}",
        known=frozenset(listed),
        on_missing=on_missing,
        on_corrupt=on_corrupt,
        with_endings=extensions is AUDIO_EXTENSIONS,
        example=f"{wanted[0] if wanted else 'Waltz/Media-104705'}.wav",
    )
    names = [name.partition("/")[2] for name in found.kept]
    dances = [name.partition("/")[0] for name in found.kept]
    if merge_rumba:
        dances = ["Rumba" if dance.startswith("Rumba-") else dance for dance in dances]
    groups = _groups(names)
    repeats = dict(_REPLICAS) | {second: first for first, second in _REPLICAS}
    target_names = sorted(set(dances))
    return Bunch(
        data=np.array([str(track) for track in found.kept.values()]),
        target=np.array(dances),
        target_names=target_names,
        names=np.array(names),
        artists=None,
        groups=np.array(groups),
        repeats=np.array([repeats.get(name, "") for name in names]),
        missing=[name.partition("/")[2] for name in found.missing],
        skipped=found.skipped,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_tracks=len(names),
            n_wanted=len(listed),
            n_genres=len(target_names),
            genres=", ".join(target_names),
            n_groups=len(set(groups)),
            n_missing=len(found.missing),
            n_skipped=len(found.skipped),
            n_excluded=len(listed) - len(wanted),
        ),
    )


def _read_list(path: Path) -> list[str]:
    """Return the excerpts of the list as "dance/name"."""
    names = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        place = PurePosixPath(line.strip())
        if len(place.parts) != 2:
            raise ValueError(
                f"{path}, line {number}: expected a path such as "
                f"./ChaChaCha/Albums-Cafe_Paradiso-05.wav, got {line.strip()!r}."
            )
        names.append(f"{place.parent.name}/{place.stem}")
    if not names:
        raise ValueError(f"{path} is empty; give the list as it was published.")
    return names


def _album(name: str) -> str:
    """Return the album in the name of an excerpt."""
    album = re.fullmatch(r"Albums-(.+)-[0-9]+", name)
    if album:
        return album[1]
    number = re.match(r"Media-[0-9]+(?=[0-9]{2}\b)", name)
    return number[0] if number else name


def _groups(names: Sequence[str]) -> list[str]:
    """Return the albums of excerpts; albums that share a recording have one name."""
    joined: dict[str, set[str]] = {}
    for first, second in _REPLICAS:
        albums = {_album(first), _album(second)}
        for album in list(albums):
            albums |= joined.get(album, set())
        joined.update(dict.fromkeys(albums, albums))
    return [", ".join(sorted(joined.get(album, {album}))) for album in map(_album, names)]
