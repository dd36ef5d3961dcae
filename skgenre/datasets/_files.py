"""Finding the audio files of a folder and its sub-folders."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skgenre.audio import probe_audio
from skgenre.utils._io import shorten

# Endings of audio files, of those that the package does not read too.
KNOWN_EXTENSIONS = {
    "3ga", "3gp", "8svx", "aa", "aa3", "aac", "aax", "ac3", "adts", "aif", "aifc", "aiff", "aiffc",
    "alac", "amr", "ape", "at3", "au", "awb", "bwf", "caf", "dff", "dsf", "dts", "eac3", "f4a",
    "flac", "gsm", "m4a", "m4b", "m4p", "m4r", "mka", "mogg", "mp1", "mp2", "mp3", "mp4", "mpa",
    "mpc", "mpga", "nist", "ofr", "oga", "ogg", "oma", "opus", "qcp", "ra", "ram", "rf64", "sd2",
    "shn", "snd", "sph", "spx", "tak", "tta", "voc", "vqf", "w64", "wav", "wave", "weba", "webm",
    "wma", "wv",
}  # fmt: skip
# A dot before a digit or a second dot does not hide: ".38 Special", "...And Justice for All".
_IGNORED = re.compile(r"\.[^.\d]|__MACOSX$|@eaDir$")
_SHOWN = 10


@dataclass
class AudioFiles:
    """The audio files of a folder, sorted, and what is left out.

    Parameters
    ----------
    tracks : list of Path
        The files, each beginning with the folder. A file that several links lead to is
        listed once.
    other_endings : list of Path
        Audio files that are left out because of their endings.
    links : dict of Path to list of Path
        The other paths of tracks that have several.
    dangling : list of Path
        Links that lead nowhere and are not named as audio files.
    faults : list of (str, str)
        Path and reason of each sub-folder that cannot be read.
    """

    tracks: list[Path] = field(default_factory=list)
    other_endings: list[Path] = field(default_factory=list)
    links: dict[Path, list[Path]] = field(default_factory=dict)
    dangling: list[Path] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def unread(self, *, with_endings: bool = True) -> list[tuple[Path, str]]:
        """Return path and reason of each file that is left out by its path alone."""
        endings = self.other_endings if with_endings else []
        links = [path for paths in self.links.values() for path in paths]
        return [
            *((path, f"the ending {path.suffix.lower()} is not read") for path in endings),
            *((path, "a link to a file that has another path here") for path in links),
            *((path, "a link that leads nowhere") for path in self.dangling),
        ]


def check_folder(path: str | os.PathLike[str], kind: str, name: str = "path") -> Path:
    """Return the folder that a parameter names; raise an error if there is none."""
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {folder}.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; {name} must name a folder {kind}.")
    return folder


def is_ignored(name: str) -> bool:
    """Whether a file or folder is hidden, or of the system, by its name."""
    return _IGNORED.match(name) is not None


def top_folder(folder: Path, track: Path) -> str:
    """Return the name of the sub-folder in which a track lies; empty if it lies in none."""
    parts = track.parts[len(folder.parts) :]
    return parts[0] if len(parts) > 1 else ""


def find_audio(folder: Path, extensions: Sequence[str]) -> AudioFiles:
    """Find the audio files of a folder and its sub-folders, following links.

    Parameters
    ----------
    folder : Path
        The folder.
    extensions : sequence of str
        File name extensions of the files to read; case is ignored.

    Returns
    -------
    files : AudioFiles
        What was found.

    Raises
    ------
    ValueError
        If there are no extensions.
    """
    if not len(extensions):
        raise ValueError(
            "extensions must list file name extensions, such as ['wav', 'mp3']; got "
            f"{extensions!r}."
        )
    endings = tuple("." + str(extension).lower().lstrip(".") for extension in extensions)
    files = AudioFiles()
    root = Path(os.path.realpath(folder))
    places: dict[str, list[Path]] = {}
    for path, place in _walk(folder, str(root), (), files.faults):
        if path.name.lower().endswith(endings):
            # A broken link counts: it is reported as a track that cannot be read.
            places.setdefault(place, []).append(path)
        elif path.suffix[1:].lower() in KNOWN_EXTENSIONS:
            files.other_endings.append(path)
        elif path.is_symlink() and not path.exists():
            files.dangling.append(path)
    for place, paths in places.items():
        if len(paths) > 1:  # the path without links first
            paths.sort(key=lambda path: (root / path.relative_to(folder) != Path(place), path))
            files.links[paths[0]] = paths[1:]
        files.tracks.append(paths[0])
    for found in (files.tracks, files.other_endings, files.dangling):
        found.sort(key=Path.as_posix)
    return files


def _walk(
    folder: Path, real: str, above: tuple[str, ...], faults: list[tuple[str, str]]
) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder and its sub-folders, and their places without links."""
    if any(Path(parent).is_relative_to(real) for parent in above):  # a link to a folder above it
        return
    try:
        with os.scandir(folder) as entries:
            children = [entry for entry in entries if not is_ignored(entry.name)]
    except OSError as error:
        if not above:
            raise
        faults.append((str(folder), f"{folder}: {error.strerror}"))
        return
    for child in children:
        path, place = folder / child.name, os.path.join(real, child.name)
        is_link = child.is_symlink()
        if is_link:
            place = os.path.realpath(path)
        # os.path.isdir is False where a link leads back to itself; is_dir raises an error.
        if os.path.isdir(path) if is_link else child.is_dir():
            yield from _walk(path, place, (*above, real), faults)
        else:
            yield path, place


def warn_unread(
    folder: Path, files: AudioFiles, first: str = "", *, with_endings: bool, stacklevel: int
) -> None:
    """Warn about files that are left out, in one warning that begins with ``first``."""
    unread = files.unread(with_endings=with_endings)
    if unread:
        counts = Counter(reason for _, reason in unread)
        first += (
            f"{len(unread)} audio files of {folder} are not read "
            f"({'; '.join(f'{reason}: {count}' for reason, count in counts.items())}): "
            f"{shorten([str(path.relative_to(folder)) for path, _ in unread])}. "
        )
    if with_endings and files.other_endings:
        first += (
            "Convert files of other formats, such as to FLAC, or list their endings in extensions "
            "if AudioLoader reads them."
        )
    if first:
        warnings.warn(first.strip(), stacklevel=stacklevel + 1)


def audio_fault(track: Path) -> str | None:
    """Return why the header of a file cannot be read; None if it can."""
    try:
        probe_audio(track)
    except (ValueError, OSError) as error:
        return str(error)
    return None


def list_reasons(skipped: Sequence[tuple[str, str]]) -> str:
    """Return the first reasons, one a line, and the number of the others."""
    lines = [f"- {reason}" for _, reason in skipped[:_SHOWN]]
    if len(skipped) > _SHOWN:
        lines.append(f"- and {len(skipped) - _SHOWN} more")
    return "\n".join(lines)
