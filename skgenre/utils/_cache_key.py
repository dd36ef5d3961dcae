"""The key of a cached track: the track itself, the steps with their parameters, the code.

Code from elsewhere counts by the release of its package if that is installed, else by its
compiled code and that of the functions and classes it names; where it uses anything else that
cannot be identified, such as a module of your own, nothing is cached and a warning says why.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from opcode import opmap
from pathlib import Path
from types import CellType, CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from skgenre.utils._pipeline import augments, leaf_steps
from skgenre.utils._waveforms import is_pair

# Libraries that our own transformers compute with.
_LIBRARIES = ("numpy", "scipy", "librosa", "soundfile", "soxr", "av")
# Packages of ours that use features but do not compute them.
_ABOVE_FEATURES = {"plotting", "evaluation", "papers", "cli", "datasets"}
_SCALARS: tuple[Any, ...] = (type(None), type(...), bool, int, float, complex, str, bytes)
_CONTAINERS = (tuple, list, dict, set, frozenset, np.ndarray, np.memmap)
# The attributes that tell a value of such a type from others.
_ATTRIBUTES = {
    type: "__qualname__ __bases__",
    FunctionType: "__qualname__ __defaults__ __kwdefaults__ __closure__ __dict__ __code__",
    CodeType: "co_code co_exceptiontable co_names co_varnames co_consts",
    CellType: "cell_contents",
    MethodType: "__self__ __func__",
    partial: "func args keywords",
    staticmethod: "__func__",
    classmethod: "__func__",
    property: "fget fset fdel",
}


class UnidentifiedError(ValueError):
    """Something has no key, because nothing tells it from another of its kind."""


def track_key(track: Any, files: str) -> tuple[Any, ...] | None:
    """Return the part of the cache key that stands for one track.

    Parameters
    ----------
    track : path, waveform or pair
        A row of the input.
    files : {"stat", "content"}
        Whether a file is known by its path, size and modification time, or by its bytes.

    Returns
    -------
    key : tuple or None
        None if there is no such file or it is no waveform; the loader raises the error.
    """
    if isinstance(track, (str, os.PathLike)):
        try:
            return _file_key(os.fspath(track), files)
        except (OSError, ValueError):  # such as a path with a NUL
            return None
    if is_pair(track):
        inner = track_key(track[0], files)
        return None if inner is None else (*inner, "at", float(track[1]))
    try:
        array = np.asarray(track)
    except ValueError:  # rows of several lengths, which the loader refuses
        return None
    if array.dtype.hasobject:
        try:
            return ("object", _digest(describe(track)))
        except UnidentifiedError:
            return None
    sound = hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).hexdigest()
    rate = getattr(track, "sampling_rate", None)
    return ("waveform", array.dtype.str, array.shape, rate, sound)


def _file_key(path: str | bytes, files: str) -> tuple[Any, ...]:
    status = os.stat(path)
    if files == "stat":
        # realpath: two ways to one file are one file, whatever the working directory.
        return ("file", os.path.realpath(path), status.st_size, status.st_mtime_ns)
    if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device may wait for ever
        raise OSError(errno.EINVAL, "not a regular file", path)
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16))
    # Some formats are recognised by the ending of the name.
    return ("content", os.path.splitext(os.fsdecode(path))[1].lower(), digest.hexdigest())


def front_end_key(steps: Sequence[Any], *, training: bool) -> str:
    """Return the part of the cache key that stands for the steps and the code behind them.

    Parameters
    ----------
    steps : sequence of transformers
        As ``leaf_steps`` lists them.
    training : bool
        Whether augmenters add copies, which depend on the seed; else augmenters are left out.

    Returns
    -------
    key : str
        A digest.

    Raises
    ------
    UnidentifiedError
        If a step, a parameter or a piece of code cannot be identified.
    """
    described: list[Any] = []
    for step in steps:
        if not augments(step):
            described.append(describe(step))
        elif training:
            params = {k: v for k, v in step.get_params().items() if k != "random_state"}
            described.append((describe(type(step)), step.seed_, describe(params)))
    return _digest((described, code_version()))


@lru_cache(maxsize=1)
def code_version() -> tuple[tuple[str, str], ...]:
    """Return the versions of all code that our own transformers run.

    skgenre counts by its release and by a digest of its source, so that an edited working copy
    is another version.
    """
    import skgenre

    root = Path(skgenre.__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(root.rglob("*.py")):  # empty in a zip archive, where the release counts
        parts = path.relative_to(root).parts
        if parts[0] not in _ABOVE_FEATURES:
            digest.update(f"{'/'.join(parts)} ".encode() + path.read_bytes())
    versions = {"skgenre": f"{skgenre.__version__} {digest.hexdigest()}"}
    versions |= {library: _release(library) or "unknown" for library in _LIBRARIES}
    return tuple(versions.items())


def describe(value: Any, _seen: dict[int, Any] | None = None) -> Any:
    """Turn a value into one that prints the same for equal values only.

    Parameters
    ----------
    value : object
        Such as an estimator, a parameter, a function or a class.

    Returns
    -------
    description : object
        A number or a text as it is, a digest of anything else.

    Raises
    ------
    UnidentifiedError
        If it, or something that it uses, cannot be identified.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in _SCALARS:
        return value
    seen = {} if _seen is None else _seen
    if id(value) not in seen:
        # Inside a value that refers to itself, its name stands for it. The value is kept here
        # so that no other gets its id.
        name = getattr(value, "__qualname__", type(value).__name__)
        seen[id(value)] = (value, f"{name} again")
        try:
            parts = _parts(value, partial(describe, _seen=seen))
        except UnidentifiedError:
            raise
        except Exception as error:
            kind = type(value).__name__
            raise UnidentifiedError(f"a {kind} object cannot be identified ({error})") from error
        seen[id(value)] = (value, _digest(parts))
    return seen[id(value)][1]


def _parts(value: Any, describe: Callable[[Any], Any]) -> list[Any]:
    """List what tells a value from others."""
    if isinstance(value, ModuleType):
        return _module(value.__name__)
    if isinstance(value, np.ufunc):
        return _ufunc(value)
    if _is_installed(value):
        return [value.__module__, value.__qualname__, _release(value.__module__)]
    if type(value) in _CONTAINERS:
        return [type(value).__name__, _contents(value, describe)]
    names = next((names for kind, names in _ATTRIBUTES.items() if isinstance(value, kind)), None)
    if names:
        parts = [describe(getattr(value, name)) for name in names.split()]
    else:
        parts = [_contents(value, describe), describe(_state(value))]
    if isinstance(value, FunctionType):
        parts += _globals(value, describe)
    if isinstance(value, type):
        parts.append(describe(_members(value)))
    return [*parts, describe(type(value))]


def _contents(value: Any, describe: Callable[[Any], Any]) -> Any:
    """Describe the items of a container, or the number in a subclass of int."""
    if isinstance(value, (tuple, list)):
        return [describe(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(describe(item)) for item in value)
    if isinstance(value, dict):
        return sorted(repr((describe(key), describe(item))) for key, item in value.items())
    if isinstance(value, np.ndarray):
        has_objects = value.dtype.hasobject
        return describe(value.tolist()) if has_objects else joblib.hash(np.asarray(value))
    return [kind(value) for kind in _SCALARS[3:] if isinstance(value, kind)]


def _state(value: Any) -> Any:
    """Return the attributes of an object, or a hash where Python cannot see them."""
    if getattr(value, "_runs_per_track", False):
        return leaf_steps(value)
    if isinstance(value, BaseEstimator):
        fitted = {k: v for k, v in vars(value).items() if k[-1] == "_" and k[0] != "_"}
        # Files that a step reads count by their content.
        content = value._content_key() if hasattr(value, "_content_key") else {}
        return value.get_params(deep=False) | fitted | content
    is_opaque = not getattr(value, "__dict__", None) and _is_installed(type(value))
    if is_opaque or isinstance(value, (io.IOBase, logging.Logger)):
        return joblib.hash(value)
    return value.__getstate__()


def _globals(function: FunctionType, describe: Callable[[Any], Any]) -> list[Any]:
    """Describe what the names in a function stand for outside it."""
    known = function.__globals__
    if release := _release(known.get("__name__")):  # a function of that package made it
        return [release]
    codes = list(_codes(function.__code__))
    imports = any(opmap["IMPORT_NAME"] in code.co_code[::2] for code in codes)
    parts: list[Any] = []
    for name in sorted({name for code in codes for name in code.co_names}):
        if name in known:
            parts.append((name, describe(known[name])))
        elif imports:
            parts += _imported(name, known.get("__package__") or "")
    return parts


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield some code and that of the functions defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _imported(name: str, package: str) -> list[Any]:
    """Describe the modules that a name may stand for in a function that imports some."""
    parents, name = package.split("."), name.partition(".")[0]
    places = {".".join(filter(None, [*parents[:n], name])) for n in range(len(parents) + 1)}
    return [_module(place) for place in sorted(places) if place in sys.modules or _spec(place)]


def _members(kind: type) -> dict[str, Any]:
    """Return what a class defines itself, without what Python adds."""
    own = (property, staticmethod, classmethod)
    return {
        name: member
        for name, member in vars(kind).items()
        if (callable(member) or isinstance(member, own) or not name.startswith("__"))
        and not (name == "_abc_impl" or isinstance(member, MemberDescriptorType))
    }


def _digest(description: Any) -> str:
    return hashlib.blake2b(repr(description).encode(), digest_size=16).hexdigest()


def _ufunc(value: np.ufunc) -> list[Any]:
    """Describe a ufunc of NumPy or SciPy; pickle would look for another one in all modules."""
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), value.__name__, None) is value:
            return [module, value.__name__, _release(module)]
    raise UnidentifiedError(f"the ufunc {value.__name__} cannot be identified")


def _module(name: str) -> list[Any]:
    if release := _release(name):
        return [name, release]
    raise UnidentifiedError(f"the module {name} cannot be identified, as it is not installed")


def _is_installed(thing: Any) -> bool:
    """Whether a class or function is found under its name in an installed package."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(name, str) or not _release(module):
        return False
    if isinstance(thing, type) and not isinstance(vars(thing).get("__module__"), str):
        return True  # written in C, and some of these types of Python have no name
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is thing


def _release(module: str | None) -> str | None:
    """Return the release of the installed package that has a module; None if there is none."""
    package = (module or "").partition(".")[0]
    if package in sys.stdlib_module_names:
        return platform.python_version()
    spec = _spec(package)
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    folders = {part for place in places if place for part in Path(place).parts}
    if package != "skgenre" and not folders & {"site-packages", "dist-packages"}:
        return None
    release = getattr(sys.modules.get(package), "__version__", None)
    return release or " ".join(map(version, _distributions().get(package, ())))


def _spec(module: str) -> ModuleSpec | None:
    try:
        return find_spec(module)
    except (ImportError, ValueError):
        return None


_distributions = lru_cache(maxsize=1)(packages_distributions)
