"""The key of a cached track: the track itself, the steps with their parameters, the code.

Code from elsewhere is known by the release of its package if that is installed, else by its
compiled code and everything this refers to; what cannot be known so is not cached.
"""

from __future__ import annotations

import builtins
import copyreg
import dis
import hashlib
import importlib
import os
import pickle
import platform
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, resolve_name
from numbers import Real
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from skgenre.utils._pipeline import augments, leaf_steps

# Libraries that our own transformers compute with.
_LIBRARIES = ("numpy", "scipy", "librosa", "soundfile", "soxr")
# Packages of ours that use features and take no part in computing them.
_ABOVE_FEATURES = {"plotting", "evaluation", "papers", "cli", "datasets"}
_BLOCK = 2**20


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
        None where there is no such file; the loader raises the error.
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
        try:
            return ("object", _digest(describe(track)))
        except UnidentifiedError:
            return None
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
    # Some formats are recognised by the ending of the name.
    return ("content", os.path.splitext(os.fsdecode(path))[1].lower(), digest.hexdigest())


def front_end_key(steps: Sequence[Any], *, training: bool) -> str:
    """Return the part of the cache key that stands for the steps and the code behind them.

    Parameters
    ----------
    steps : sequence of transformers
        As ``leaf_steps`` lists them.
    training : bool
        Whether augmenters add copies, which depend on the seed; else they count for nothing.

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


def describe(value: Any) -> Any:
    """Turn a value into one that prints the same for equal values only.

    Parameters
    ----------
    value : object
        Such as an estimator, a parameter, a function or a class.

    Returns
    -------
    description : object
        Built of numbers, texts, tuples and lists.

    Raises
    ------
    UnidentifiedError
        If it, or something that it refers to, cannot be identified.
    """
    return _Describer()(value)


_describe = describe


class _Describer:
    """Describes values, and follows the code of those from packages without a release."""

    def __init__(self) -> None:
        self._open: list[Any] = []  # what is being described, outermost first
        self._known: dict[int, tuple[Any, str]] = {}  # the values stay, so that ids do too

    def __call__(self, value: Any) -> Any:
        if isinstance(value, np.generic) and not isinstance(value, np.void):
            value = value.item()
        if value is None or value is ... or isinstance(value, (bool, int, float, complex, str)):
            return value
        if isinstance(value, bytes):
            return value
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return ("array", joblib.hash(value))
        return self._once(value, self._compound)

    def _once(self, value: Any, function: Callable[[Any], Any]) -> str:
        """Return a digest of what ``function`` says, once for each value and through cycles."""
        if id(value) in self._known:
            return self._known[id(value)][1]
        for place, other in enumerate(self._open):
            if other is value:
                return f"cycle to {place}"
        self._open.append(value)
        try:
            digest = _digest(function(value))
        finally:
            self._open.pop()
        self._known[id(value)] = (value, digest)
        return digest

    def _compound(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
            return [self(item) for item in value]
        if type(value) is dict:
            pairs = [(repr(self(key)), self(item)) for key, item in value.items()]
            return ["dict", *sorted(pairs, key=lambda pair: pair[0])]
        if isinstance(value, (set, frozenset)):
            return ["set", *sorted(repr(self(item)) for item in value)]
        if isinstance(value, np.ndarray):
            return ["objects", value.shape, [self(item) for item in value.ravel()]]
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, BaseEstimator):
            return self._estimator(value)
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, MethodType):
            return ["method", self(value.__self__), self(value.__func__)]
        if isinstance(value, partial):
            return ["partial", self(value.func), self(value.args), self(value.keywords)]
        if isinstance(value, (staticmethod, classmethod)):
            return [type(value).__name__, self(value.__func__)]
        if isinstance(value, property):
            return ["property", self(value.fget), self(value.fset), self(value.fdel)]
        if isinstance(value, ModuleType):
            return self._module(value, ())
        # Such as functions under lru_cache, or compiled by numba.
        inner = getattr(value, "__wrapped__", None) or getattr(value, "py_func", None)
        if isinstance(inner, FunctionType):
            return ["wrapped", _name(type(value)), self(inner)]
        return self._object(value)

    def _estimator(self, value: BaseEstimator) -> Any:
        if getattr(value, "_runs_per_track", False):
            return [self(step) for step in leaf_steps(value)]
        kind, params = self(type(value)), self(value.get_params(deep=False))
        if hasattr(value, "transform_track"):  # it learns nothing
            return [kind, params]
        fitted = {k: v for k, v in vars(value).items() if k[-1] == "_" and k[0] != "_"}
        return [kind, params, self(fitted)]

    def _class(self, value: type) -> Any:
        if _is_known(value):
            return [_name(value), _release(value.__module__)]
        members = {
            name: member
            for name, member in vars(value).items()
            if callable(member)
            or isinstance(member, (property, staticmethod, classmethod))
            or not (name.startswith("__") or name == "_abc_impl")
        }
        bases = [self(base) for base in value.__bases__]
        return [_name(value), _release(value.__module__), bases, self(members)]

    def _function(self, value: FunctionType) -> Any:
        if _is_known(value):
            return [_name(value), _release(value.__module__)]
        cells = value.__closure__ or ()
        state = [
            _name(value),
            _release(value.__module__),
            self(value.__defaults__),
            self(value.__kwdefaults__),
            [self(cell.cell_contents) if _is_filled(cell) else "empty" for cell in cells],
            self._code(value.__code__),
        ]
        if not _is_installed(value.__globals__.get("__name__", "")):
            state.append(self._globals(value.__code__, value.__globals__))
        return state

    def _code(self, code: CodeType) -> Any:
        constants = [self._code(c) if isinstance(c, CodeType) else self(c) for c in code.co_consts]
        return [code.co_code, code.co_names, code.co_varnames, constants]

    def _globals(self, code: CodeType, names: Mapping[str, Any]) -> Any:
        """Describe the global names that some code reads, and the modules that it imports."""
        found = []
        for part in _codes(code):
            for name in sorted(_globals_read(part)):
                if name in names:
                    found.append((name, self._referred(names[name], part.co_names)))
                elif not hasattr(builtins, name):
                    found.append((name, "missing"))
            found += [(m, self._imported_module(m, part.co_names)) for m in _imported(part, names)]
        return found

    def _referred(self, value: Any, attributes: Sequence[str]) -> Any:
        return self._module(value, attributes) if isinstance(value, ModuleType) else self(value)

    def _module(self, module: ModuleType, attributes: Sequence[str]) -> Any:
        """Describe a module by its release, or by those of its attributes that are used."""
        name = module.__name__
        if _is_installed(name):
            return [name, _release(name)]
        if any(module is other for other in self._open):
            return name
        self._open.append(module)
        try:
            used = [
                (key, self._referred(getattr(module, key), attributes))
                for key in attributes
                if hasattr(module, key)
            ]
        finally:
            self._open.pop()
        return [name, _release(name), used]

    def _imported_module(self, name: str, attributes: Sequence[str]) -> Any:
        if _is_installed(name):
            return [name, _release(name)]
        try:
            return self._module(importlib.import_module(name), attributes)
        except ImportError:
            return "missing"

    def _object(self, value: Any) -> Any:
        """Describe an object by its class and by what pickle would store of it."""
        try:
            reducer = copyreg.dispatch_table.get(type(value))
            reduced = value.__reduce_ex__(2) if reducer is None else reducer(value)
        except Exception as error:
            raise UnidentifiedError(
                f"{_shown(value)} of type {type(value).__name__} cannot be identified ({error})"
            ) from error
        if isinstance(reduced, str):  # a global name
            module = pickle.whichmodule(value, reduced)  # type: ignore[attr-defined]
            found = getattr(sys.modules.get(module), reduced, None)
            if found is not value or not _is_installed(module):
                raise UnidentifiedError(
                    f"{_shown(value)} of type {type(value).__name__} cannot be identified (its "
                    "code cannot be read)"
                )
            return [module, reduced, _release(module)]
        function, args, *rest = reduced
        # Items of lists and dictionaries come as iterators.
        rest = [list(part) if isinstance(part, Iterator) else part for part in rest]
        return [self(type(value)), self(function), self(args), self(rest)]


def _digest(description: Any) -> str:
    return hashlib.blake2b(repr(description).encode(), digest_size=16).hexdigest()


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _shown(value: Any) -> str:
    text = object.__repr__(value) if type(value).__repr__ is object.__repr__ else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and those of the functions defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _globals_read(code: CodeType) -> set[str]:
    loads = ("LOAD_GLOBAL", "LOAD_NAME")
    return {i.argval for i in dis.get_instructions(code) if i.opname in loads}


def _imported(code: CodeType, names: Mapping[str, Any]) -> list[str]:
    """Return the full names of the modules that some code imports."""
    instructions = list(dis.get_instructions(code))
    found = []
    for place, instruction in enumerate(instructions):
        if instruction.opname == "IMPORT_NAME":
            level = instructions[place - 2].argval  # the level and the names precede it
            name = "." * level + instruction.argval
            found.append(resolve_name(name, names.get("__package__")) if level else name)
    return found


def _is_known(thing: Any) -> bool:
    """Whether a class or function is found under its name in an installed package."""
    if not _is_installed(thing.__module__):
        return False
    found: Any = sys.modules.get(thing.__module__)
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing


def _is_installed(module: str | None) -> bool:
    """Whether a module belongs to Python, to skgenre, or to an installed package."""
    package = (module or "").partition(".")[0]
    # All of skgenre counts by its source.
    if package in sys.stdlib_module_names or package in ("builtins", "skgenre"):
        return True
    try:
        loaded = sys.modules.get(package)
        spec: Any = find_spec(package) if loaded is None else getattr(loaded, "__spec__", None)
    except (ImportError, ValueError):
        return False
    if spec is None:
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    return any(place and place.startswith(_site_packages()) for place in places)


@lru_cache(maxsize=1)
def _site_packages() -> tuple[str, ...]:
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    return tuple(f"{folder}{os.sep}" for folder in folders)


def _release(module: str | None) -> str | None:
    """Return the release of the package that a module belongs to; None where it has none."""
    package = (module or "").partition(".")[0]
    if package in sys.stdlib_module_names or package == "builtins":
        return platform.python_version()
    release = getattr(sys.modules.get(package), "__version__", None)
    try:
        return version(package) if release is None and package else release
    except PackageNotFoundError:
        return None
