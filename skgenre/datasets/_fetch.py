"""Downloading the GTZAN data set."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sklearn.datasets import get_data_home
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.datasets._load_gtzan import _EXTENSIONS, _REPORTS, load_gtzan
from skgenre.datasets.gtzan import clip_name
from skgenre.utils._io import make_folders

if TYPE_CHECKING:
    from rich.progress import Progress

# One fixed revision: what lies at this address does not change.
_URL = (
    "https://huggingface.co/datasets/marsyas/gtzan/resolve/"
    "7031b102fce5383cfdfa12714eaf42065e82b855/data/genres.tar.gz"
)
_SHA256 = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"  # the original
_ARCHIVE = "genres.tar.gz"
_CHUNK = 2**20  # bytes
_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "url": [str, None],
        "known_hash": [str, None],
        "progressbar": ["boolean"],
        "download_if_missing": ["boolean"],
        "exclude": [StrOptions({"faults"}), None],
        "on_missing": [_REPORTS],
        "on_corrupt": [_REPORTS],
        "extensions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_gtzan(
    data_home: str | os.PathLike[str] | None = None,
    *,
    url: str | None = None,
    known_hash: str | None = "original",
    progressbar: bool = False,
    download_if_missing: bool = True,
    exclude: str | None = None,
    on_missing: str = "warn",
    on_corrupt: str = "warn",
    extensions: Sequence[str] = _EXTENSIONS,
) -> Bunch:
    """Download GTZAN, unless it is there already, and list its clips.

    The archive of 1.2 GB is downloaded, unpacked to the folder ``gtzan/genres`` of
    ``data_home``, and removed. The folder gets its name when all is unpacked; a call that is
    cut short leaves no part of the data set for whole. Where the folder exists, nothing is
    downloaded.

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Where the folder ``gtzan`` is, or is made; None for the folder of scikit-learn's data
        sets, see :func:`sklearn.datasets.get_data_home`. An archive that is saved there by
        hand as ``gtzan/genres.tar.gz`` is unpacked, and removed, instead of a download.
    url : str or None, default=None
        The http or https address of a tar.gz archive that has the clips; None for the copy
        that the organisation Marsyas keeps on Hugging Face, in one fixed revision.
    known_hash : str or None, default="original"
        The checksum of the archive: "original" for that of the original archive [3]_, the 64
        hexadecimal digits of SHA-256, or the digits of another algorithm after its name, such
        as "md5:...". None checks nothing.
    progressbar : bool, default=False
        Whether to show the progress of the download on standard error; needs rich.
    download_if_missing : bool, default=True
        Whether to download what is not there; if False, that is an error.
    exclude : {"faults"} or None, default=None
        As in :func:`~skgenre.load_gtzan`: what to leave out.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        As in :func:`~skgenre.load_gtzan`: what becomes of clips that are not there.
    on_corrupt : {"warn", "raise", "ignore"}, default="warn"
        As in :func:`~skgenre.load_gtzan`: what becomes of files that cannot be used. The
        common release has one, ``jazz.00054``, so that the default warns of it.
    extensions : sequence of str, default=("wav", "au", "ogg", "mp3", "flac")
        As in :func:`~skgenre.load_gtzan`: the files taken as audio.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        What :func:`~skgenre.load_gtzan` returns for the folder: paths of shape (n_clips,) as
        ``data``, genres of shape (n_clips,) as ``target``, artists, faults and partitions.

    Raises
    ------
    ConnectionError
        If the archive cannot be downloaded.
    OSError
        If the data set is not there and ``download_if_missing`` is False, or files cannot
        be written.
    ValueError
        If the archive has another checksum than ``known_hash``, is damaged, has files that
        belong outside its folder, or has no clips. It is then removed if this call
        downloaded it. Also as :func:`~skgenre.load_gtzan`.
    ImportError
        If ``progressbar`` is True and rich is not installed.
    RuntimeError
        If Python is older than 3.11.4, which cannot unpack safely.

    See Also
    --------
    load_gtzan : Lists the clips of a folder.

    Notes
    -----
    The original address, ``http://opihi.cs.uvic.ca/sound/genres.tar.gz``, is reported not to
    answer since 2022 [2]_. The copy on Hugging Face has the same size by its page; should it be
    packed in another way, the error tells its checksum.

    A process that is killed outright cannot tidy up: what it leaves in the folder ``gtzan``
    beside ``genres`` is never read and may be deleted.

    No licence of the recordings is known [4]_: they are excerpts of published music. Find
    out whether you may use them.

    References
    ----------
    .. [1] G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE
       Transactions on Speech and Audio Processing 10(5), pp. 293-302, 2002.
    .. [2] https://github.com/pytorch/audio/issues/2743
    .. [3] TensorFlow Datasets, ``tensorflow_datasets/audio/gtzan/checksums.tsv``; the same in
       torchaudio, ``torchaudio/datasets/gtzan.py``.
    .. [4] mirdata, ``mirdata/datasets/gtzan_genre.py``.

    Examples
    --------
    Here the folder is there already, with one silent clip, and nothing is downloaded:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre import fetch_gtzan
    >>> with tempfile.TemporaryDirectory() as data_home:
    ...     folder = Path(data_home) / "gtzan" / "genres" / "jazz"
    ...     folder.mkdir(parents=True)
    ...     soundfile.write(folder / "jazz.00033.wav", np.zeros(800), 8000)
    ...     clips = fetch_gtzan(data_home, on_missing="ignore")
    >>> clips.target.tolist(), clips.artists.tolist()
    (['jazz'], ['Coleman Hawkins'])
    """
    home = Path(get_data_home() if data_home is None else data_home).expanduser() / "gtzan"
    folder = home / "genres"
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, but the clips go to a folder of that name.")
    if not folder.is_dir():
        known_hash = _SHA256 if known_hash == "original" else known_hash
        _bring(folder, url or _URL, known_hash, progressbar, download_if_missing)
    return load_gtzan(
        folder,
        exclude=exclude,
        on_missing=on_missing,
        on_corrupt=on_corrupt,
        extensions=extensions,
    )


def _bring(
    folder: Path, url: str, known_hash: str | None, progressbar: bool, download: bool
) -> None:
    """Make the folder of the clips, whole or not at all."""
    _check_request(url, known_hash)
    archive = folder.parent / _ARCHIVE
    there = archive.is_file()
    if there:
        _check_sum(archive, known_hash)
    if not there and not download:
        raise OSError(
            f"GTZAN is not in {folder} and download_if_missing is False; set it to True, or give "
            "load_gtzan a folder that has the clips."
        )
    created = make_folders(folder.parent)
    try:
        if not there:
            _download(url, archive, known_hash, progressbar)
        try:
            _unpack(archive, folder)
        except FileNotFoundError:
            if not folder.is_dir():  # where it is, another process was first
                raise
        except (*_DAMAGED, ValueError) as error:
            if not there:
                archive.unlink()
            raise ValueError(
                f"The archive {archive if there else url} cannot be used: {error} "
                f"({type(error).__name__}). "
                + ("Delete it" if there else "Nothing of it was kept")
                + "; call again, or give the url of another archive."
            ) from error
        archive.unlink(missing_ok=True)
    finally:
        for made in created:
            if not any(made.iterdir()):  # only after a failure
                made.rmdir()


def _check_request(url: str, known_hash: str | None) -> None:
    """Refuse what cannot succeed before 1.2 GB are downloaded."""
    if not hasattr(tarfile, "data_filter"):
        raise RuntimeError(
            "This Python cannot unpack archives safely; use 3.11.4 or later, or unpack the archive "
            "by hand and call load_gtzan."
        )
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"url={url!r} must begin with http:// or https://.")
    if known_hash is None:
        return
    algorithm, digits = _split_hash(known_hash)
    known = algorithm in hashlib.algorithms_guaranteed
    length = 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size if known else 0
    if len(digits) != length or not re.fullmatch("[0-9a-f]+", digits):
        raise ValueError(
            f"known_hash={known_hash!r} is no checksum; expected 'original', the 64 hexadecimal "
            "digits of SHA-256, or those of another algorithm after its name, such as 'md5:...'."
        )


def _split_hash(known_hash: str) -> tuple[str, str]:
    """Return the algorithm and the digits of a checksum."""
    algorithm, _, digits = known_hash.lower().rpartition(":")
    return algorithm or "sha256", digits


def _check_sum(archive: Path, known_hash: str | None) -> None:
    import pooch

    if known_hash is None:
        return
    algorithm, digits = _split_hash(known_hash)
    found = pooch.file_hash(str(archive), alg=algorithm)
    if found != digits:
        raise ValueError(
            f"{archive} has the {algorithm} checksum {found}, not {digits}. Delete it, so that it "
            "is downloaded; or set known_hash to its checksum if you trust the file."
        )


def _download(url: str, archive: Path, known_hash: str | None, progressbar: bool) -> None:
    """Download the archive; it gets its name when it is complete and its checksum right."""
    import pooch
    from requests.exceptions import RequestException

    logger = pooch.get_logger()
    level = logger.level
    try:
        logger.setLevel("WARNING")  # pooch tells of each download on standard error
        with _progress_bar(progressbar) as bar:
            pooch.retrieve(
                url,
                known_hash,
                fname=archive.name,
                path=archive.parent,
                downloader=pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK),
            )
    except RequestException as error:
        raise ConnectionError(
            f"{url} could not be downloaded: {error}. Download the archive by hand, unpack it in "
            f"{archive.parent} and call load_gtzan({str(archive.parent)!r}); or save it as "
            f"{archive} and call again."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{url} has another archive than known_hash says. {error} Call again; if the sum "
            "stays the same, give the url of another copy, or set known_hash to that sum if you "
            "trust the address."
        ) from error
    finally:
        logger.setLevel(level)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack beside the folder and rename at the end."""
    staging = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        unpacked = staging / "all"
        unpacked.mkdir()  # mkdtemp lets nobody else read
        with tarfile.open(archive, "r:gz", errorlevel=1) as tar:
            tar.extractall(unpacked, filter="data")
        if not any(clip_name(path) for path in unpacked.rglob("*")):
            raise ValueError("it has no clips of GTZAN, such as genres/jazz/jazz.00054.wav")
        inside = list(unpacked.iterdir())
        whole = inside[0] if len(inside) == 1 and inside[0].name == folder.name else unpacked
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # where it is, another process was first
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _progress_bar(show: bool) -> Iterator[_Bar | bool]:
    """Show a progress bar for pooch; False stands for none."""
    if not show:
        yield False
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
    except ImportError as error:
        raise ImportError(
            "progressbar=True needs rich; install it with: pip install skgenre[progress]"
        ) from error
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress)


class _Bar:
    """What pooch takes for a progress bar, drawn by rich."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    @property
    def total(self) -> float | None:
        """The bytes to come; None where the server does not tell."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, total: float) -> None:
        self._progress.update(self._task, total=total or None)

    def update(self, n_bytes: float) -> None:
        """Count bytes that came."""
        self._progress.advance(self._task, n_bytes)

    def reset(self) -> None:
        """Count from zero again."""
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Leave the bar as it is; it ends with the download."""
