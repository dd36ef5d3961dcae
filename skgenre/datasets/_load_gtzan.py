"""Reading the GTZAN data set, with what is published of its clips."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.audio import probe_audio
from skgenre.datasets._folder import _endings, _walk
from skgenre.datasets.gtzan import GENRES, clip_name, read_facts, read_groups
from skgenre.utils._io import shorten

_EXTENSIONS = ("wav", "au", "ogg", "mp3", "flac")
_SHOWN = 10
_REPORTS = StrOptions({"warn", "raise", "ignore"})

_DESCR = """GTZAN, the part of it in {folder}
=================================={underline}

{n_clips} of 1000 clips of thirty seconds, of {n_genres} genres: {genres}.
Artists: {n_artists}. Missing: {n_missing}. Corrupt: {n_skipped}.
Known faults left out: {n_excluded}.
Parts of the fault-filtered partition: {filtered}.
Parts of the stratified partition: {stratified}.

- data: the paths
- target: the genre of each, by the name of its file
- names: the name of each clip, such as "jazz.00054"
- artists: the artist of each, such as "unknown jazz artist" where not known
- groups: the same for a split by artist: artists with a clip in common are one group
- titles: empty where not known
- faults: why a clip is in no part of the fault-filtered partition; empty for the others
- repeats: the clips of the same artist and title, divided by blanks
- fault_filtered, stratified: "train", "valid" or "test"; empty where in none
- missing: the names of the clips that were not found
- skipped: (path, reason) of each corrupt file

The clips are those of Tzanetakis & Cook (2002). Artists, titles and faults are the work of
B. L. Sturm (2013, 2014), the partitions of Kereliuk, Sturm & Larsen (2015).
"""


@validate_params(
    {
        "path": [str, os.PathLike],
        "exclude": [StrOptions({"faults"}), None],
        "on_missing": [_REPORTS],
        "on_corrupt": [_REPORTS],
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

    Each file's header is checked, its sound is not read: that is the task of
    :class:`~skgenre.AudioLoader`, which takes the paths.

    Parameters
    ----------
    path : str or PathLike
        A folder that has the clips, at any depth: ``genres``, ``genres_original``, or a
        folder above or below them. Clips are known by their names, such as
        ``jazz.00054.wav``, in either case; other names are passed over with a warning.
    exclude : {"faults"} or None, default=None
        "faults" leaves out the 70 clips that the fault-filtered partition leaves out:
        repeated and distorted ones.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        What becomes of clips that are not there: one warning with their number, one error,
        or nothing. ``missing`` lists them in any case.
    on_corrupt : {"warn", "raise", "ignore"}, default="warn"
        What becomes of files that cannot be used, as ``jazz.00054`` of the common release:
        left out with one warning, one error that names them, or left out in silence.
        ``skipped`` lists them in any case.
    extensions : sequence of str, default=("wav", "au", "ogg", "mp3", "flac")
        The files taken as audio, by the end of their names in either case.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With these attributes, clips sorted by name; all arrays but ``data`` and ``target``
        are of shape (n_clips,) and of str too:

        data : ndarray of shape (n_clips,) of str
            The paths.
        target : ndarray of shape (n_clips,) of str
            The genre of each clip.
        target_names : list of str
            The genres found, sorted.
        names : ndarray
            The name of each clip, such as "jazz.00054".
        artists : ndarray
            The artist of each clip, as published; several are divided by semicolons. The
            17 clips whose artist is not known have the artist "unknown jazz artist" and
            the like, one for each genre.
        groups : ndarray
            The groups of a split by artist: as ``artists``, but artists who made a clip
            together are one group.
        titles : ndarray
            As published; empty where not known.
        faults : ndarray
            "replica", an excerpt that another clip repeats exactly; "repetition", more of
            a piece that is there already; "distorted"; "other", for a reason that is not
            known; empty for the clips that the fault-filtered partition keeps.
        repeats : ndarray
            The names of the clips of the same artist and title, divided by blanks.
        fault_filtered, stratified : ndarray
            "train", "valid" or "test" in the two partitions; empty for clips in none.
        missing : list of str
            The names of the clips that were not found, without those that ``exclude``
            leaves out.
        skipped : list of (str, str)
            Path and reason of each file that cannot be used.
        DESCR : str
            What the data are, with counts.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder does not exist.
    ValueError
        If no clip is found or none can be used; if a clip is found twice, or in the folder
        of another genre; if clips are missing or corrupt and that is to be an error.

    Warns
    -----
    UserWarning
        If clips are missing or corrupt, or audio files have names of no clip.

    See Also
    --------
    load_genre_folder : Lists any folder that has one sub-folder for each genre.
    skgenre.evaluation.FaultFilteredSplit : The split into the published parts.

    Notes
    -----
    The faults are those that the fault-filtered partition takes out. Sturm's catalogue also
    names clips whose genre is wrong or in doubt: their labels are left as they are, here as
    there. Two clips of the same title within one part stay in as well, see ``repeats``.

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
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {folder}.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; path must name a folder with the clips.")
    facts = read_facts()
    wanted = [name for name, clip in facts.items() if exclude is None or not clip.fault]
    found = _find_clips(folder, _endings(extensions))
    missing = [name for name in wanted if name not in found]
    if missing:
        _report_missing(folder, missing, len(wanted), on_missing)
    skipped: list[tuple[str, str]] = []
    kept: dict[str, Path] = {}
    for name in wanted:
        if name not in found:
            continue
        try:
            probe_audio(found[name])
        except (ValueError, OSError) as error:
            skipped.append((str(found[name]), str(error)))
        else:
            kept[name] = found[name]
    if skipped:
        _report_corrupt(folder, skipped, on_corrupt)
    if not kept:
        raise ValueError(
            f"None of the {len(found)} clips found in {folder} is left: {len(skipped)} cannot be "
            "used, the others have known faults; give a folder with more of them"
            + (" or set exclude=None." if exclude else ".")
        )
    return _describe(folder, kept, missing, skipped, len(facts) - len(wanted))


def _find_clips(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """Find the clips of a folder and of those in it, by name."""
    clips: dict[str, Path] = {}
    twice: list[tuple[Path, Path]] = []
    strangers = []
    for track in sorted(_walk(folder, endings, ()), key=lambda track: track.as_posix()):
        name = clip_name(track)
        if name is None:
            strangers.append(str(track.relative_to(folder)))
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
            "format that is to be read."
        )
    listed = ", ".join(ending[1:] for ending in endings)
    if not clips:
        raise ValueError(
            f"{folder} has no clips of GTZAN ({listed}) but {len(strangers)} other audio files; "
            "expected names such as jazz/jazz.00054.wav. load_genre_folder reads folders of any "
            "names."
        )
    if strangers:
        warnings.warn(
            f"{len(strangers)} audio files of {folder} have names of no clip of GTZAN and are not "
            f"used: {shorten(strangers)}.",
            stacklevel=4,
        )
    return clips


def _report_missing(folder: Path, missing: Sequence[str], n_wanted: int, how: str) -> None:
    if how == "ignore":
        return
    message = f"{len(missing)} of {n_wanted} clips are not in {folder}: {shorten(missing)}."
    if how == "raise":
        raise ValueError(f"{message} Set on_missing='warn' to go on without them.")
    warnings.warn(message, stacklevel=4)


def _report_corrupt(folder: Path, skipped: Sequence[tuple[str, str]], how: str) -> None:
    if how == "ignore":
        return
    lines = [f"- {reason}" for _, reason in skipped[:_SHOWN]]
    if len(skipped) > _SHOWN:
        lines.append(f"- and {len(skipped) - _SHOWN} more")
    listed = "\n".join(lines)
    if how == "raise":
        raise ValueError(
            f"{len(skipped)} clips of {folder} cannot be used:\n{listed}\n"
            "Repair them, or set on_corrupt='warn' to leave them out."
        )
    warnings.warn(f"{len(skipped)} clips of {folder} were left out:\n{listed}", stacklevel=4)


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
            underline="=" * max(0, len(str(folder)) - 3),
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
