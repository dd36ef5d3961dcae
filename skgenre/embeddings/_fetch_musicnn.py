"""Downloading the weights of musicnn, or converting those that a user has."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from sklearn.utils._param_validation import StrOptions, validate_params

from skgenre.embeddings._musicnn_weights import (
    KNOWN,
    KnownWeights,
    Tensors,
    from_checkpoint,
)
from skgenre.embeddings._weights_files import data_folder, read_weights, write_weights

_N_BYTES = 9_465_596  # of the data of each known checkpoint


@validate_params(
    {
        "weights": [StrOptions({*KNOWN}), "array-like", None],
        "source": [str, os.PathLike, None],
        "data_home": [str, os.PathLike, None],
    },
    prefer_skip_nested_validation=True,
)
def fetch_musicnn(
    weights: str | Sequence[str] | None = None,
    *,
    source: str | os.PathLike[str] | None = None,
    data_home: str | os.PathLike[str] | None = None,
) -> dict[str, Path]:
    """Get the weights of musicnn, unless they are there already.

    The checkpoints of the authors, 9.5 MB each, are downloaded from their repository, or read from
    what you have of them. They are checked by their SHA-256 and converted, once, to files of 3 MB
    that hold numbers and text only. TensorFlow is not needed.

    Parameters
    ----------
    weights : {"msd", "mtt"}, sequence of them or None, default=None
        Which: "msd" were trained on the Million Song Dataset, "mtt" on MagnaTagATune. None means
        both, or those of them that ``source`` has.
    source : str, PathLike or None, default=None
        Where to take them from instead of a download: the wheel of musicnn 0.1.0, which
        ``pip download --no-deps musicnn==0.1.0`` gets, a folder that it was unpacked to, a
        checkpoint (``.data-00000-of-00001``), or a file that this function wrote elsewhere.
    data_home : str, PathLike or None, default=None
        Where the folder ``musicnn`` is, or will be created; None for scikit-learn's data folder,
        see :func:`sklearn.datasets.get_data_home`, where :class:`MusicnnExtractor` looks.

    Returns
    -------
    paths : dict of str to Path
        The file of each of the weights.

    Raises
    ------
    ConnectionError
        If a checkpoint cannot be downloaded.
    FileNotFoundError
        If there is no ``source``.
    ValueError
        If ``source`` does not have the weights, or what was downloaded has another checksum.

    See Also
    --------
    MusicnnExtractor : Computes features with these weights.
    MusicnnTagger : Predicts tags with them.

    Notes
    -----
    Both were published by the authors under the ISC licence, code and weights alike [1]_.

    "msd" were trained on about 200,000 songs of the Million Song Dataset with tags by users of
    last.fm. Music that you evaluate on may be among them.

    "mtt" were trained on about 19,000 songs of MagnaTagATune, music of the label Magnatune. Its
    audio is licensed CC BY-NC-SA [2]_. Whether its non-commercial terms bear on weights learnt from
    it is an open question, which this project cannot answer.

    References
    ----------
    .. [1] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
       audio tagging", ISMIR 2019, late-breaking session. https://github.com/jordipons/musicnn
    .. [2] E. Law et al., "Evaluation of algorithms using games: the case of music tagging", ISMIR
       2009. http://tagatune.org/Magnatagatune.html

    Examples
    --------
    >>> from skgenre import fetch_musicnn
    >>> paths = fetch_musicnn("msd")  # doctest: +SKIP
    """
    names = [weights] if isinstance(weights, str) else list(weights or KNOWN)
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise ValueError(f"weights={weights!r} must be one or more of {sorted(KNOWN)}.")
    if source is not None and not Path(source).expanduser().exists():
        raise FileNotFoundError(f"There is no file or folder {source} with weights of musicnn.")
    folder = data_folder(data_home)
    missing = [name for name in names if not _is_there(folder / f"{name}.npz", KNOWN[name])]
    if missing:
        found = _download(missing) if source is None else _read_source(Path(source).expanduser())
        lacking = [name for name in missing if name not in found]
        if len(lacking) == len(names) or (lacking and weights is not None):
            raise ValueError(
                f"{source} does not have the weights {' and '.join(map(repr, lacking))} of "
                "musicnn. Expected the wheel of musicnn 0.1.0 (pip download --no-deps "
                "musicnn==0.1.0), a folder that it was unpacked to, one of its checkpoints "
                "(.data-00000-of-00001), or a file that fetch_musicnn wrote, unchanged."
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in missing:
            if name in found:
                _write(folder / f"{name}.npz", KNOWN[name], found[name])
        names = [name for name in names if name not in lacking]
    return {name: folder / f"{name}.npz" for name in names}


def _is_there(path: Path, known: KnownWeights) -> bool:
    """Whether a file holds the converted weights; a damaged one is made again."""
    try:
        return read_weights(path).sha256 == known.sha256
    except (OSError, ValueError):
        return False


def _write(path: Path, known: KnownWeights, tensors: Tensors) -> None:
    write_weights(
        path,
        tensors,
        name=known.name,
        tags=known.tags,
        licence=known.licence,
        training_data=known.training_data,
    )


def _download(names: Sequence[str]) -> dict[str, Tensors]:
    """Download checkpoints."""
    import pooch
    from requests.exceptions import RequestException

    found = {}
    logger = pooch.get_logger()
    level = logger.level
    try:
        logger.setLevel("WARNING")  # pooch reports each download on standard error
        for name in names:
            known = KNOWN[name]
            with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
                file = pooch.retrieve(known.url, known.checkpoint_sha256, "checkpoint", folder)
                found[name] = from_checkpoint(Path(file).read_bytes())
    except RequestException as error:
        raise ConnectionError(
            f"{known.url} could not be downloaded: {error}. Get the wheel with `pip download "
            "--no-deps musicnn==0.1.0` and give it as source, or to `skgenre fetch musicnn --from`."
        ) from error
    finally:
        logger.setLevel(level)
    return found


def _read_source(source: Path) -> dict[str, Tensors]:
    """Find known weights in a wheel, a folder or a file, by their checksums."""
    found: dict[str, Tensors] = {}
    for content in _checkpoints(source):
        sha256 = hashlib.sha256(content).hexdigest()
        for known in KNOWN.values():
            if sha256 == known.checkpoint_sha256:
                found[known.name] = from_checkpoint(content)
    files = sorted(source.rglob("*.npz")) if source.is_dir() else [source]
    for file in files:
        try:
            weights = read_weights(file)
        except ValueError:
            continue
        for known in KNOWN.values():
            if weights.sha256 == known.sha256:
                found[known.name] = weights.tensors
    return found


def _checkpoints(source: Path) -> Iterator[bytes]:
    """Yield the content of all files that have the size of a known checkpoint."""
    if source.is_dir():
        files = (path for path in sorted(source.rglob("*")) if path.is_file())
        yield from (path.read_bytes() for path in files if path.stat().st_size == _N_BYTES)
    elif zipfile.is_zipfile(source):
        try:
            with zipfile.ZipFile(source) as archive:
                for member in archive.infolist():
                    if member.file_size == _N_BYTES:
                        yield archive.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(
                f"{source} is damaged ({error}). Get it again by `pip download --no-deps "
                "musicnn==0.1.0`."
            ) from error
    elif source.stat().st_size == _N_BYTES:
        yield source.read_bytes()
