"""Downloading the GTZAN data set."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from sklearn.datasets import get_data_home
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.datasets._archive import DAMAGED, MAX_BYTES, extract
from skgenre.datasets._load_gtzan import _EXTENSIONS, load_gtzan
from skgenre.datasets._published import REPORTS
from skgenre.datasets.gtzan import clip_name
from skgenre.utils._io import make_folders

if TYPE_CHECKING:
    from rich.progress import Progress

# One fixed revision, so that the file at this address does not change.
_URL = (
    "https://huggingface.co/datasets/marsyas/gtzan/resolve/"
    "7031b102fce5383cfdfa12714eaf42065e82b855/data/genres.tar.gz"
)
_SHA256 = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"  # the original
_ARCHIVE = "genres.tar.gz"
_CHUNK = 2**20  # bytes


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "url": [str, None],
        "known_hash": [str, None],
        "progressbar": ["boolean"],
        "download_if_missing": ["boolean"],
        "exclude": [StrOptions({"faults"}), None],
        "on_missing": [REPORTS],
        "on_corrupt": [REPORTS],
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
    ``data_home``, and removed. The folder gets its name only when everything is unpacked, so
    that an interrupted call does not leave an incomplete data set. If the folder exists,
    nothing is downloaded.

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Where the folder ``gtzan`` is, or will be created; None for scikit-learn's data folder,
        see :func:`sklearn.datasets.get_data_home`. If an archive was saved there by hand as
        ``gtzan/genres.tar.gz``, it is unpacked and removed instead of a download.
    url : str or None, default=None
        The http or https address of a tar.gz archive with the clips; None for the copy of the
        organisation Marsyas on Hugging Face, in one fixed revision.
    known_hash : str or None, default="original"
        The checksum of the archive: "original" for that of the original archive [3]_, the 64
        hexadecimal digits of SHA-256, or the name of another algorithm and its digits, such as
        "md5:...". None skips the check.
    progressbar : bool, default=False
        Whether to show the progress of the download on standard error; needs rich.
    download_if_missing : bool, default=True
        Whether to download the data set if it is not there; if False, that is an error.
    exclude : {"faults"} or None, default=None
        As in :func:`~skgenre.load_gtzan`: what to leave out.
    on_missing : {"warn", "raise", "ignore"}, default="warn"
        As in :func:`~skgenre.load_gtzan`: what to do about clips that are not there.
    on_corrupt : {"warn", "raise", "ignore"}, default="warn"
        As in :func:`~skgenre.load_gtzan`: what to do about files that cannot be used. The
        common release has one, ``jazz.00054``, so the default gives a warning.
    extensions : sequence of str, default=("wav", "au", "ogg", "mp3", "flac")
        As in :func:`~skgenre.load_gtzan`: file name extensions of audio files.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        The result of :func:`~skgenre.load_gtzan` for the folder: paths of shape (n_clips,) as
        ``data``, genres of shape (n_clips,) as ``target``, artists, faults and partitions.

    Raises
    ------
    ConnectionError
        If the archive cannot be downloaded: also if the server redirects from https to an
        address that is not encrypted, or sends more than 4 GiB.
    OSError
        If the data set is not there and ``download_if_missing`` is False, or files cannot
        be written.
    ValueError
        If the checksum of the archive is not ``known_hash``, or the archive is damaged, has
        paths that lead out of its folder, links or devices, unpacks to more than 4 GiB or
        20,000 files, or has no clips; it is removed if this call downloaded it. Also as
        :func:`~skgenre.load_gtzan`.
    ImportError
        If ``progressbar`` is True and rich is not installed.
    RuntimeError
        If Python is older than 3.11.4, which cannot unpack safely.

    See Also
    --------
    load_gtzan : Lists the clips of a folder.

    Notes
    -----
    The original address, ``http://opihi.cs.uvic.ca/sound/genres.tar.gz``, is reported to be
    unreachable since 2022 [2]_. The copy on Hugging Face has the same size according to its
    page. If it is packed differently, the error message names its checksum.

    A process that is killed cannot clean up. Anything that it leaves in the folder ``gtzan``
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
        raise NotADirectoryError(f"{folder} is a file; the clips need a folder of that name.")
    if not folder.is_dir():
        known_hash = _SHA256 if known_hash == "original" else known_hash
        _provide(folder, url or _URL, known_hash, progressbar, download_if_missing)
    return load_gtzan(
        folder,
        exclude=exclude,
        on_missing=on_missing,
        on_corrupt=on_corrupt,
        extensions=extensions,
    )


def _provide(
    folder: Path, url: str, known_hash: str | None, progressbar: bool, download: bool
) -> None:
    """Create the folder of the clips, completely or not at all."""
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
            if not folder.is_dir():  # if it is, another process was faster
                raise
        except (*DAMAGED, ValueError) as error:
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
    """Refuse bad requests before 1.2 GB are downloaded."""
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
            f"known_hash={known_hash!r} is not a checksum; expected 'original', the 64 hexadecimal "
            "digits of SHA-256, or the name of another algorithm and its digits, such as "
            "'md5:...'."
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
            f"{archive} has the {algorithm} checksum {found}, not {digits}. Delete it to download "
            "the archive, or set known_hash to its checksum if you trust the file."
        )


def _download(url: str, archive: Path, known_hash: str | None, progressbar: bool) -> None:
    """Download the archive; it gets its name when it is complete and has the right checksum."""
    import pooch
    from requests.exceptions import RequestException

    def download(url: str, path: str, caller: Any) -> None:
        with _progress_bar(progressbar) as bar, _Download(open(path, "wb", 0)) as stream:
            http = pooch.HTTPDownloader(bar, _CHUNK, hooks={"response": _check_redirect})
            http(url, stream, caller)

    logger = pooch.get_logger()
    level = logger.level
    try:
        logger.setLevel("WARNING")  # pooch reports each download on standard error
        pooch.retrieve(
            url, known_hash, fname=archive.name, path=archive.parent, downloader=download
        )
    except RequestException as error:
        raise ConnectionError(
            f"{url} could not be downloaded: {error}. Download the archive by hand, unpack it in "
            f"{archive.parent} and call load_gtzan({str(archive.parent)!r}); or save it as "
            f"{archive} and call again."
        ) from error
    except ValueError as error:
        raise ValueError(
            f"The archive at {url} does not have the checksum known_hash. {error} Call again; if "
            "the checksum stays the same, give the url of another copy, or set known_hash to that "
            "checksum if you trust the address."
        ) from error
    finally:
        logger.setLevel(level)


class _Download(io.BufferedWriter):
    """A file that refuses to become larger than an archive may be."""

    def write(self, data: Any) -> int:
        from requests.exceptions import RequestException

        if self.tell() + len(data) > MAX_BYTES:
            raise RequestException(f"it sends more than {MAX_BYTES / 2**30:g} GiB")
        return super().write(data)


def _check_redirect(response: Any, **kwargs: Any) -> None:
    """Refuse a redirect that gives up encryption."""
    from requests.exceptions import InvalidURL

    if response.is_redirect and response.url.startswith("https:"):
        target = urljoin(response.url, response.headers["location"])
        if not target.startswith("https:"):
            raise InvalidURL(f"it redirects to {target}, which is not encrypted")


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack beside the folder and rename at the end."""
    staging = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        unpacked = staging / "all"
        unpacked.mkdir()  # other users may not read the folder of mkdtemp
        extract(archive, unpacked)
        if not any(clip_name(path) for path in unpacked.rglob("*")):
            raise ValueError("it has no clips of GTZAN, such as genres/jazz/jazz.00054.wav")
        inside = list(unpacked.iterdir())
        clips = inside[0] if len(inside) == 1 and inside[0].name == folder.name else unpacked
        try:
            clips.rename(folder)
        except OSError:
            if not folder.is_dir():  # if it is, another process was faster
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _progress_bar(show: bool) -> Iterator[_Bar | bool]:
    """Yield a progress bar for pooch, or False for none."""
    if not show:
        yield False
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
    except ImportError as error:
        raise ImportError(
            'progressbar=True needs rich; install it with: pip install "skgenre[progress]"'
        ) from error
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress)


class _Bar:
    """The interface that pooch expects of a progress bar, drawn by rich."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    @property
    def total(self) -> float | None:
        """The size of the download in bytes; None if the server does not say."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, total: float) -> None:
        self._progress.update(self._task, total=total or None)

    def update(self, n_bytes: float) -> None:
        """Advance by the bytes that were received."""
        self._progress.advance(self._task, n_bytes)

    def reset(self) -> None:
        """Start again from zero."""
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Do nothing; the bar ends with the download."""
