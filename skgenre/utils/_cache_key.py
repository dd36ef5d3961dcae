"""What a cached track is known by: the track itself, the front end, and the code."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from numbers import Real
from types import CodeType, FunctionType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from skgenre.utils._pipeline import augments, nested_estimators

# Libraries that take part in what our own transformers compute.
_LIBRARIES = ("numpy", "scipy", "librosa", "soundfile", "soxr")
_BLOCK = 2**20


def track_key(track: Any, files: str) -> tuple[Any, ...] | None:
    """Identify one track.

    Parameters
    ----------
    track : path, waveform or pair
        A row of the input.
    files : {"stat", "content"}
        Whether a file is known by its path, size and time of change, or by its bytes.

    Returns
    -------
    key : tuple or None
        None where there is no such file, so that the loader may say so.
    """
    if isinstance(track, (str, os.PathLike)):
        try:
            return _file_key(os.fspath(track), files)
        except OSError:
            return None
    if isinstance(track, tuple) and len(track) == 2 and isinstance(track[1], Real):
        inner = track_key(track[0], files)
        return None if inner is None else (*inner, "at", float(track[1]))
    array = np.asarray(track)
    if array.dtype.hasobject:
        return ("object", joblib.hash(track))
    sound = hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).hexdigest()
    rate = getattr(track, "sampling_rate", None)
    return ("waveform", array.dtype.str, array.shape, rate, sound)


def _file_key(path: str | bytes, files: str) -> tuple[Any, ...]:
    stat = os.stat(path)
    if files == "stat":
        # realpath: two ways to one file are one file, whatever the working directory.
        return ("file", os.path.realpath(path), stat.st_size, stat.st_mtime_ns)
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    # Some formats are told by the ending of the name.
    return ("content", os.path.splitext(os.fsdecode(path))[1].lower(), digest.hexdigest())


def front_end_key(steps: Sequence[Any], *, training: bool) -> str:
    """Identify a front end: what its steps are, their parameters, and the code behind them.

    Parameters
    ----------
    steps : sequence of transformers
        As ``leaf_steps`` gives them.
    training : bool
        Whether steps that augment do so; else they are left out, since they hand tracks
        through. In training it is the seed that decides which effects are drawn.

    Returns
    -------
    key : str
        A digest.

    Raises
    ------
    ValueError
        If a parameter cannot be told apart from others, such as an open file.
    """
    described = []
    for step in steps:
        if not augments(step):
            described.append(_describe(step))
        elif training:
            params = {k: v for k, v in step.get_params().items() if k != "random_state"}
            described.append((_name(type(step)), step.seed_, _describe(params)))
    text = repr((described, code_version(_kinds(steps))))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _kinds(steps: Sequence[Any]) -> tuple[type, ...]:
    """List the classes of all steps and of the estimators within them, with their bases."""
    found = {type(e): None for step in steps for e in nested_estimators(step)}
    return tuple(dict.fromkeys(base for kind in found for base in kind.__mro__))


def _describe(value: Any) -> Any:
    """Turn a parameter into what prints the same for equal values only."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, (tuple, list)):
        return [_describe(item) for item in value]
    if isinstance(value, dict):
        return sorted((repr(key), _describe(item)) for key, item in value.items())
    if isinstance(value, BaseEstimator):
        return (_name(type(value)), _describe(value.get_params(deep=False)))
    if isinstance(value, partial):
        return ("partial", _describe([value.func, value.args, value.keywords]))
    if isinstance(value, FunctionType):
        parts = (value.__defaults__, value.__kwdefaults__, _closure(value))
        return (_name(value), _code(value.__code__), _describe(parts))
    try:
        return (_name(type(value)), joblib.hash(value))
    except Exception as error:
        raise ValueError(
            f"The front end cannot be cached: its parameter {value!r} of type "
            f"{type(value).__name__} cannot be identified ({error}). Set memory=None."
        ) from error


def _closure(function: FunctionType) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__ or ()]


def _code(code: CodeType) -> tuple[Any, ...]:
    constants = [_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return (code.co_code, code.co_names, constants)


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


@lru_cache(maxsize=64)
def code_version(kinds: tuple[type, ...]) -> tuple[tuple[str, str], ...]:
    """Tell the versions of all code that some classes of transformers run.

    For skgenre that is its release, a digest of the source, so that a working copy that
    was edited counts as another version, and the libraries beneath; for others the
    release of their package, or the source of the class where there is none.
    """
    versions = dict(_skgenre_version())
    for kind in kinds:
        package = kind.__module__.partition(".")[0]
        if package in ("skgenre", "builtins"):
            continue
        release = getattr(sys.modules.get(package), "__version__", None)
        versions[_name(kind)] = str(release or _source(kind))
    return tuple(sorted(versions.items()))


@lru_cache(maxsize=1)
def _skgenre_version() -> tuple[tuple[str, str], ...]:
    from importlib.metadata import PackageNotFoundError, version

    import skgenre

    digest = hashlib.blake2b(digest_size=16)
    root = os.path.dirname(os.path.abspath(skgenre.__file__))
    parts = (
        os.path.join(root, name)
        for name in ("utils", "audio", "features", "features/groups", "classifiers")
    )
    for folder in (root, *parts):
        # In a zip archive there is no source to list: the release stands alone.
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), "rb") as stream:
                    digest.update(stream.read())
    versions = {"skgenre": f"{skgenre.__version__} {digest.hexdigest()}"}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:  # bundled without its metadata
            versions[library] = "unknown"
    return tuple(versions.items())


def _source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        # Typed at a prompt: the code of its methods.
        methods = (vars(kind)[name] for name in sorted(vars(kind)))
        return repr([_code(m.__code__) for m in methods if isinstance(m, FunctionType)])
