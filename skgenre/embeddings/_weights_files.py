"""Files of weights: writing, reading, checking, finding."""

from __future__ import annotations

import os
import zipfile
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.embeddings._musicnn_weights import (
    KNOWN,
    MissingWeightsError,
    Tensors,
    Weights,
    WrongWeightsError,
    digest,
    layer_shapes,
)
from skgenre.utils._io import write_whole

_FORMAT = "skgenre-musicnn-1"
_TEXTS = ("format", "name", "licence", "training_data")
_MAX_BYTES = 2**26  # twenty times the size of the known files


def write_weights(path: str | os.PathLike[str], tensors: Tensors, **texts: Any) -> None:
    """Write weights to a file that holds data only, whole or not at all.

    Parameters
    ----------
    path : str or PathLike
        The file.
    tensors : dict of str to ndarray
        By the names in the checkpoint.
    **texts : str or tuple of str
        ``name``, ``tags``, ``licence`` and ``training_data``.
    """
    content = BytesIO()
    np.savez(content, allow_pickle=False, format=_FORMAT, **texts, **tensors)
    write_whole(path, content.getvalue())


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read a file that ``write_weights`` wrote.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    weights : Weights
        With shapes that fit together.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is something else, or damaged.
    """
    content = _read_file(path)
    try:
        return _parse(content)
    except Exception as error:  # bytes that are no weights lead to errors of any kind
        raise WrongWeightsError(
            f"{os.fsdecode(path)} holds no weights of musicnn, or is damaged ({error}). Expected a "
            "file that fetch_musicnn or `skgenre fetch musicnn` wrote; both make it again."
        ) from error


def _read_file(path: str | os.PathLike[str]) -> bytes:
    size = os.stat(path).st_size
    if size > _MAX_BYTES:
        raise WrongWeightsError(
            f"{os.fsdecode(path)} has {size} bytes, more than weights of musicnn take; expected a "
            "file that fetch_musicnn or `skgenre fetch musicnn` wrote."
        )
    return Path(path).read_bytes()


# By the content: a file may be replaced by another of the same size and time.
@lru_cache(maxsize=4)
def _parse(content: bytes) -> Weights:
    values = _read_arrays(content)
    texts = {name: str(values.pop(name)) for name in _TEXTS}
    tags = tuple(map(str, values.pop("tags")))
    if texts.pop("format") != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT}")
    tensors = {name: value.astype(np.float32, copy=False) for name, value in values.items()}
    _check_shapes(tensors, tags)
    return Weights(tensors=tensors, tags=tags, sha256=digest(tensors, tags), **texts)


def _read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    stream = BytesIO(content)
    with zipfile.ZipFile(stream) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > _MAX_BYTES:
            raise ValueError(f"its content takes {size} bytes, more than {_MAX_BYTES}")
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _check_shapes(tensors: Tensors, tags: tuple[str, ...]) -> None:
    expected = layer_shapes(
        timbral=tensors["conv2d/bias"].size,
        temporal=tensors["conv2d_2/bias"].size,
        dense_layers=tensors["conv2d_5/bias"].size,
        units=tensors["dense/bias"].size,
        tags=len(tags),
    )
    found = {name: tensor.shape for name, tensor in sorted(tensors.items())}
    if found != expected:
        wrong = sorted(dict(found.items() ^ expected.items()))
        raise ValueError(f"{', '.join(wrong[:3])} do not fit the architecture")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("some numbers are not finite")


def data_folder(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of converted weights, which need not exist."""
    # get_data_home of scikit-learn would create it.
    home = data_home or os.environ.get("SCIKIT_LEARN_DATA") or Path("~", "scikit_learn_data")
    return Path(home).expanduser() / "musicnn"


def weights_path(weights: str | os.PathLike[str]) -> Path:
    """Return the file of weights that are given by name or by path.

    Raises
    ------
    MissingWeightsError
        If it is not there.
    """
    if not (isinstance(weights, str) and weights in KNOWN):
        path = Path(weights)
        if path.is_file():
            return path
        raise MissingWeightsError(
            f"There are no weights of musicnn at {path}. Put the file that fetch_musicnn wrote "
            "there, or take weights='msd' or weights='mtt', which `skgenre fetch musicnn` gets."
        )
    path = data_folder() / f"{weights}.npz"
    if not path.is_file():
        raise MissingWeightsError(
            f"The weights {weights!r} of musicnn are not in {path.parent}. Download them once by "
            f"`skgenre fetch musicnn --weights {weights}` or skgenre.fetch_musicnn({weights!r}). "
            "Without access to GitHub: `pip download --no-deps musicnn==0.1.0`, then "
            "`skgenre fetch musicnn --from musicnn-0.1.0-py3-none-any.whl`."
        )
    return path


def load_weights(weights: str | os.PathLike[str], expected: str | None = None) -> Weights:
    """Read weights that are given by name or by path; the same content is parsed once.

    Parameters
    ----------
    weights : {"msd", "mtt"}, str or PathLike
        The name or the path.
    expected : str or None, default=None
        SHA-256 of the weights that something was fitted or saved with.

    Returns
    -------
    weights : Weights
        The weights.

    Raises
    ------
    MissingWeightsError
        If they are not there; the message says how to get them.
    WrongWeightsError
        If the file is damaged, or holds others than those of that name, or than expected.
    """
    path = weights_path(weights)
    found = read_weights(path)
    if isinstance(weights, str) and weights in KNOWN and found.sha256 != KNOWN[weights].sha256:
        raise WrongWeightsError(
            f"{path} holds other weights (SHA-256 {found.sha256}) than musicnn's {weights!r} "
            f"({KNOWN[weights].sha256}); `skgenre fetch musicnn --weights {weights}` replaces it."
        )
    if expected is not None and found.sha256 != expected:
        raise WrongWeightsError(
            f"weights={os.fspath(weights)!r} of musicnn have the SHA-256 {found.sha256}, but the "
            f"model was fitted or saved with {expected}. Set weights to the file with those, or "
            "fit again."
        )
    return found
