"""Listing the clips of GTZAN in a folder, with the published facts about them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.datasets._files import (
    AudioFiles,
    audio_fault,
    check_folder,
    find_audio,
    warn_unread,
)
from skgenre.datasets._published import REPORTS, report_corrupt, report_missing
from skgenre.datasets.gtzan import GENRES, clip_name, read_facts, read_groups
from skgenre.utils._io import shorten

_EXTENSIONS = ("wav", "au", "ogg", "mp3", "flac")

_DESCR = """GTZAN, the clips in {folder}
===================={underline}

{n_clips} of 1000 clips of thirty seconds, of {n_genres} genres: {genres}.
Artists: {n_artists}. Missing: {n_missing}. Corrupt: {n_skipped}.
Known faults left out: {n_excluded}.
Parts of the fault-filtered partition: {filtered}.
Parts of the stratified partition: {stratified}.

- data: the paths
- target: the genre of each, by the name of its file
- names: the name of each clip, such as "jazz.00054"
- artists: the artist of each, "unknown jazz artist" and the like if not known
- groups: the same for a split by artist: artists with a clip in common are one group
- titles: empty if not known
- faults: why the fault-filtered partition leaves the clip out; empty for clips that it keeps
- repeats: the clips of the same artist and title, separated by blanks
- fault_filtered, stratified: "train", "valid" or "test"; empty for clips in none
- missing: the names of the clips that were not found
- skipped: (path, reason) of each file that is corrupt or not read

The clips are those of Tzanetakis & Cook (2002). Artists, titles and faults are the work of
B. L. Sturm (2013, 2014), the partitions of Kereliuk, Sturm & Larsen (2015).
"""


@validate_params(
    {
        "path": [str, os.PathLike],
        "exclude": [StrOptions({"faults"}), None],
        "on_missing": [REPORTS],
        "on_corrupt": [REPORTS],
        "extensions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def load_gtzan(
    path: str | os.PathLike[str],
    *,
    exclude: str | None = None,
    on_missing: str = "warn",
    on_corrupt: str = "warn",
    extensions: Sequence[str] = _EXTENSIONS,
) -> Bunch:
    """List the clips of GTZAN in a folder, with their artists, faults and partitions.

    The header of each file is checked. Pass the paths to :class:`~skgenre.AudioLoader` to read
    the sound.

    Parameters
    ----------
    path : str or PathLike
        A folder that has the clips, at any depth: ``genres``, ``genres_original``, or a folder
        above or below them. Clips are recognised by their names, such as ``jazz.00054.wav``;
        case is ignored. Files with other names are ignored with a warning.
    exclude : {"faults"} or None, default=None
        "faults" leaves out the 70 clips that the fault-filtered partition leaves out, which
        are repeated or distorted.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        What to do about clips that are not there: give one warning with their number, raise
        one error, or nothing. ``missing`` lists them in any case.
    on_corrupt : {"warn", "raise", "ignore"}, default="warn"
        What to do about files that cannot be used, such as ``jazz.00054`` of the common
        release: leave them out with one warning, raise one error that lists them, or leave
        them out silently. ``skipped`` lists them in any case.
    extensions : sequence of str, default=("wav", "au", "ogg", "mp3", "flac")
        File name extensions of audio files; case is ignored.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With these attributes, clips sorted by name; all arrays are of shape (n_clips,) and
        of str:

        data : ndarray of shape (n_clips,) of str
            The paths.
        target : ndarray of shape (n_clips,) of str
            The genre of each clip.
        target_names : list of str
            The genres found, sorted.
        names : ndarray
            The name of each clip, such as "jazz.00054".
        artists : ndarray
            The artist of each clip, as published; several are separated by semicolons. The 17
            clips of unknown artists have the artist "unknown jazz artist" and the like, one for
            each genre.
        groups : ndarray
            The groups of a split by artist: as ``artists``, but artists with a clip in common
            form one group.
        titles : ndarray
            The title of each clip, as published; empty if not known.
        faults : ndarray
            "replica", an excerpt that another clip repeats exactly; "repetition", another
            excerpt of a recording that is there already; "distorted"; "other", whose reason is
            not known; empty for the clips that the fault-filtered partition keeps.
        repeats : ndarray
            The names of the clips of the same artist and title, separated by blanks.
        fault_filtered, stratified : ndarray
            "train", "valid" or "test" in the two partitions; empty for clips in none.
        missing : list of str
            The names of the clips that were not found, without those that ``exclude``
            leaves out.
        skipped : list of (str, str)
            Path and reason of each file that cannot be used, and of audio files whose endings
            are not in ``extensions``.
        DESCR : str
            Description of the data set, with counts.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder does not exist.
    ValueError
        If no clip is found or none can be used; if a clip is found twice, or in the folder of
        another genre; if clips are missing or corrupt and ``on_missing`` or ``on_corrupt`` is
        "raise".

    Warns
    -----
    UserWarning
        If clips are missing or corrupt, or audio files are not named as clips or, by default,
        have endings that are not read.

    See Also
    --------
    load_genre_folder : Lists any folder that has one sub-folder for each genre.
    skgenre.evaluation.FaultFilteredSplit : The split into the published parts.

    Notes
    -----
    The faults are those that the fault-filtered partition leaves out. Sturm's catalogue also
    lists clips whose genre is wrong or in doubt; their labels are unchanged, here as there.
    Clips of the same title within one part are kept as well, see ``repeats``.

    The index of artists was completed after the partition was made. By the artists known
    now, 13 groups have clips in more than one part of it, among them Metallica, Bob Marley
    and Burning Spear.

    References
    ----------
    .. [1] G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE
       Transactions on Speech and Audio Processing 10(5), pp. 293-302, 2002.
    .. [2] B. L. Sturm, "The GTZAN dataset: Its contents, its faults, their effects on
       evaluation, and its future use", arXiv:1306.1461, 2013.
    .. [3] B. L. Sturm, "The state of the art ten years after a state of the art: Future
       research in music information retrieval", Journal of New Music Research 43(2), pp.
       147-172, 2014.
    .. [4] C. Kereliuk, B. L. Sturm and J. Larsen, "Deep learning and music adversaries",
       IEEE Transactions on Multimedia 17(11), pp. 2059-2071, 2015.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre import load_gtzan
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("jazz.00033", "jazz.00051", "rock.00040"):
    ...         soundfile.write(Path(folder) / f"{name}.wav", np.zeros(800), 8000)
    ...     clips = load_gtzan(folder, on_missing="ignore")
    >>> clips.target
    array(['jazz', 'jazz', 'rock'], dtype='<U4')
    >>> clips.artists.tolist()
    ['Coleman Hawkins', 'Coleman Hawkins', 'Led Zeppelin']
    >>> clips.faults.tolist(), clips.repeats.tolist()
    (['replica', '', ''], ['jazz.00051', 'jazz.00033', ''])
    >>> clips.fault_filtered
    array(['', 'train', 'test'], dtype='<U5')
    >>> len(clips.missing)
    997
    """
    folder = check_folder(path, "with the clips")
    facts = read_facts()
    wanted = [name for name, clip in facts.items() if exclude is None or not clip.fault]
    files = find_audio(folder, extensions)
    found = _find_clips(folder, files, extensions)
    missing = [name for name in wanted if name not in found]
    report_missing(folder, missing, len(wanted), on_missing, stacklevel=4, kind="clips")
    skipped = list(files.faults)
    kept: dict[str, Path] = {}
    for name in wanted:
        if name not in found:
            continue
        reason = audio_fault(found[name])
        if reason is None:
            kept[name] = found[name]
        else:
            skipped.append((str(found[name]), reason))
    report_corrupt(folder, skipped, on_corrupt, stacklevel=4, kind="clips")
    if not kept:
        raise ValueError(
            f"None of the {len(found)} clips found in {folder} is left: {len(skipped)} cannot be "
            "used, the others have known faults; give a folder with more clips"
            + (" or set exclude=None." if exclude else ".")
        )
    skipped += [(str(path), f"{path}: {reason}") for path, reason in files.unread()]
    return _describe(folder, kept, missing, skipped, len(facts) - len(wanted))


def _find_clips(folder: Path, files: AudioFiles, extensions: Sequence[str]) -> dict[str, Path]:
    """Find the clips among the files of a folder, by name."""
    clips: dict[str, Path] = {}
    twice: list[tuple[Path, Path]] = []
    others = []
    for track in files.tracks:
        name = clip_name(track)
        if name is None:
            others.append(str(track.relative_to(folder)))
            continue
        genre, parent = name.partition(".")[0], track.parent.name.lower()
        if parent in GENRES and parent != genre:
            raise ValueError(
                f"{track} is {genre!r} by its name, but lies in the folder {parent!r}; move it."
            )
        if name in clips:
            twice.append((clips[name], track))
        clips.setdefault(name, track)
    if twice:
        raise ValueError(
            f"{len(twice)} clips are in {folder} more than once, such as {twice[0][0]} and "
            f"{twice[0][1]}; give the folder that has one set of them, or set extensions to the "
            "format to read."
        )
    if not clips:
        n_others = len(others) + len(files.other_endings)
        raise ValueError(
            f"{folder} has no clips of GTZAN ({', '.join(map(str, extensions))}) but {n_others} "
            "other audio files; expected names such as jazz/jazz.00054.wav. load_genre_folder "
            "reads folders with any names."
        )
    first = ""
    if others:
        first = (
            f"{len(others)} audio files of {folder} are not named as clips of GTZAN and are not "
            f"used: {shorten(others)}. "
        )
    warn_unread(folder, files, first, with_endings=extensions is _EXTENSIONS, stacklevel=4)
    return clips


def _describe(
    folder: Path,
    kept: dict[str, Path],
    missing: list[str],
    skipped: list[tuple[str, str]],
    n_excluded: int,
) -> Bunch:
    facts, groups = read_facts(), read_groups()
    clips = [facts[name] for name in kept]
    genres = sorted({clip.genre for clip in clips})

    def count(parts: list[str]) -> str:
        return ", ".join(f"{part} {parts.count(part)}" for part in ("train", "valid", "test"))

    filtered = [clip.fault_filtered for clip in clips]
    stratified = [clip.stratified for clip in clips]
    return Bunch(
        data=np.array([str(track) for track in kept.values()]),
        target=np.array([clip.genre for clip in clips]),
        target_names=genres,
        names=np.array(list(kept)),
        artists=np.array([clip.artist_name for clip in clips]),
        titles=np.array([clip.title for clip in clips]),
        groups=np.array([groups[name] for name in kept]),
        faults=np.array([clip.fault for clip in clips]),
        repeats=np.array([clip.repeats for clip in clips]),
        fault_filtered=np.array(filtered),
        stratified=np.array(stratified),
        missing=missing,
        skipped=skipped,
        DESCR=_DESCR.format(
            folder=folder,
            underline="=" * len(str(folder)),
            n_clips=len(kept),
            n_genres=len(genres),
            genres=", ".join(genres),
            n_artists=len({clip.artist for clip in clips} - {""}),
            n_missing=len(missing),
            n_skipped=len(skipped),
            n_excluded=n_excluded,
            filtered=count(filtered),
            stratified=count(stratified),
        ),
    )
