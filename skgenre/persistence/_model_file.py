"""Save fitted models to files that hold data only, and load them."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skgenre.persistence._as_data import as_data
from skgenre.persistence._model_info import ModelInfo
from skgenre.persistence._trusted import TRUSTED
from skgenre.utils._extras import MissingExtraError
from skgenre.utils._io import check_regular_file, write_whole
from skgenre.utils._tf import check_networks_installed

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult

_DETAILS = "skgenre.json"
_SCHEMA = "schema.json"
# skops has readers for more kinds of nodes, which no model of ours needs.
_LOADERS = frozenset(
    f"{kind}Node"
    for kind in (
        "Bytes", "Cached", "ConstructorFromReduce", "DType", "DefaultDict", "Dict", "Function",
        "Json", "List", "Loss", "MaskedArray", "NdArray", "Object", "RandomGenerator",
        "RandomState", "Set", "Slice", "Tree", "Tuple", "Type",
    )
)  # fmt: skip
_NETWORK = "skgenre.classifiers._fitted_network.Network"
_MAX_DEPTH = 100  # nested objects; skops reads them recursively
_MAX_MEMBERS = 100_000
_MAX_DETAILS = 2**26  # bytes
_JSON_GROWTH = 24  # times as many bytes as its text take the objects of a JSON file, at most
_N_DIGEST = 64  # the last bytes of a file: SHA-256, in hexadecimal, of those before


def save(
    model: Any,
    path: str | os.PathLike[str],
    *,
    tracks: Sequence[str | os.PathLike[str]] | None = None,
    y: Any = None,
    artists: Any = None,
    evaluation: EvaluationResult | None = None,
    keep_paths: bool = False,
) -> Path:
    """Save a fitted model to a file that holds data only.

    The file is a compressed archive in the format of skops: the parameters and arrays of the
    model, and the names of its types. Nothing in it is run when it is loaded. A network is
    kept as the name of the function that builds it, its arguments and its weights. Paths and
    joblib's Memory among the parameters become strings; callbacks, which belong to ``fit``, are
    left out.

    Parameters
    ----------
    model : estimator
        A fitted estimator or pipeline.
    path : str or PathLike
        The file, by convention with the ending ``.skgenre``. An existing one is replaced,
        once the new one is complete.
    tracks : sequence of str or PathLike, default=None
        Paths of the training tracks. The file keeps a hash of them, by which someone who has
        the list can recognise it.
    y : array-like of shape (n_tracks,), default=None
        Their genres. The file keeps the number of tracks of each.
    artists : array-like of shape (n_tracks,), default=None
        Their artists. The file keeps how many they are.
    evaluation : EvaluationResult, default=None
        How the model was measured: the result of :func:`evaluate`. The file keeps its metrics
        with their intervals and its confusion matrix, but not the predictions of single tracks.
    keep_paths : bool, default=False
        Whether the file keeps the paths of ``tracks`` too, with their genres and artists, and
        those that the model knows, by which a loaded model names similar tracks.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If a part of the model cannot be written as data, such as a lambda; if ``tracks``,
        ``y`` and ``artists`` differ in length.

    See Also
    --------
    load : Loads the file.
    read_model_info : Reads what the file says of the model.
    model_card : Writes it as a model card.

    References
    ----------
    .. [1] "Secure persistence with skops",
       https://skops.readthedocs.io/en/stable/persistence.html

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, load, save
    >>> X, y = np.random.default_rng(0).normal(size=(20, 3)), ["jazz", "rock"] * 10
    >>> model = FusionKNeighborsClassifier().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     loaded = load(save(model, Path(folder) / "model.skgenre"))
    >>> np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    True
    """
    import skops.io

    check_is_fitted(model)
    info = ModelInfo.of(
        model, tracks=tracks, y=y, artists=artists, evaluation=evaluation, keep_paths=keep_paths
    )
    try:
        data = skops.io.dumps(as_data(model, keep_paths=keep_paths))
    except Exception as error:  # any part of the model may refuse
        raise ValueError(f"{type(model).__name__} cannot be saved as data: {error}") from error
    for name in skops.io.get_untrusted_types(data=data):
        module, _, attribute = name.rpartition(".")
        if not hasattr(sys.modules.get(module), attribute):
            raise ValueError(
                f"{type(model).__name__} cannot be saved as data: {name} cannot be found by its "
                "name. Replace lambdas and what is defined inside functions by functions and "
                "classes of a module."
            )
    content = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(data)) as plain,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in plain.namelist():
            member = plain.read(name)  # skops indents the schema, which makes it thrice as long
            archive.writestr(name, json.dumps(json.loads(member)) if name == _SCHEMA else member)
        archive.writestr(_DETAILS, json.dumps(info.to_dict(), indent=1, allow_nan=False))
        archive.comment = bytes(_N_DIGEST)
    write_whole(path, sign(content.getvalue()))
    return Path(path)


def load(
    path: str | os.PathLike[str],
    *,
    trusted: Sequence[str | type] = (),
    max_size: int = 2_147_483_648,
) -> Any:
    """Load a model that ``save`` wrote.

    The types of skgenre and those that skops trusts, of scikit-learn and NumPy, are loaded;
    any other type is refused by name before anything of the file is built or imported. What
    is checked are types and sizes. The numbers in a model of unknown origin may still make
    its predictions wrong, or make compiled code of scikit-learn, such as its trees and support
    vector machines, fail.

    A model that was saved with ``memory`` keeps features in that folder when it predicts; set it
    to None to write nothing.

    Parameters
    ----------
    path : str or PathLike
        The file.
    trusted : sequence of str or type, default=()
        Further types and functions that the file may name, such as a transformer of your own:
        the class or its full name, "package.module.Name". List only what you know; the code of
        these types runs.
    max_size : int, default=2147483648
        Most bytes that the content may take in memory.

    Returns
    -------
    model : estimator
        Equal to the one that was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the model has a network, and TensorFlow or Keras is not installed.
    ValueError
        If the file was not written by ``save``, is damaged, names types that are not trusted,
        or is larger than ``max_size`` when unpacked.

    See Also
    --------
    save : Saves a model.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skgenre import load, save
    >>> X, y = np.random.default_rng(0).normal(size=(20, 3)), ["jazz", "rock"] * 10
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(RandomForestClassifier(3).fit(X, y), Path(folder) / "forest.skgenre")
    ...     load(path, trusted=["sklearn.tree._tree.Tree"])
    RandomForestClassifier(n_estimators=3)
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    with opened(path, max_size) as archive:
        named = _check(archive, max_size)
        # skops copies the list for each node, so that it is long only as far as it has to be.
        needed = [name for name in TRUSTED if name in named]
        try:
            return skops.io.load(archive.fp, trusted=[*needed, *trusted])
        except UntrustedTypesFoundException:
            known = {*TRUSTED, *(t if isinstance(t, str) else _full_name(t) for t in trusted)}
            found = skops.io.get_untrusted_types(file=archive.fp)
            unknown = [name for name in found if name not in known]
            raise _RefusedError(
                f"names types that are not trusted: {', '.join(unknown)}. If you know the file and "
                f"these types to be safe: skgenre.load(..., trusted={unknown})."
            ) from None


def read_model_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Read what a model file says of its model, without loading the model.

    Parameters
    ----------
    path : str or PathLike
        A file that :func:`save` wrote.

    Returns
    -------
    info : ModelInfo
        Versions and date, genres, sizes of the training set, parameters, and how the model was
        measured.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file was not written by ``save``, or is damaged.

    See Also
    --------
    save : Writes the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, read_model_info, save
    >>> X, y = np.random.default_rng(0).normal(size=(20, 3)), ["jazz", "rock"] * 10
    >>> model = FusionKNeighborsClassifier().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     info = read_model_info(save(model, Path(folder) / "model.skgenre", y=y))
    >>> info.classes
    {'jazz': 10, 'rock': 10}
    """
    with opened(path) as archive:
        info = describe(archive)
        info.to_markdown()  # what cannot be shown is refused here, by the name of the file
        return info


class _RefusedError(ValueError):
    """A model file is refused. The message is a predicate: the file's name is put before it."""


def sign(archive: bytes) -> bytes:
    """Replace the end of an archive, its comment, by the checksum of all bytes before."""
    rest = archive[:-_N_DIGEST]
    return rest + hashlib.sha256(rest).hexdigest().encode()


@contextmanager
def opened(path: str | os.PathLike[str], max_size: float = math.inf) -> Iterator[zipfile.ZipFile]:
    """Open the archive of a model file; any error in reading it names the file."""
    name = os.fsdecode(path)
    check_regular_file(path, "model file")
    with open(path, "rb") as stream:
        if stream.read(4) != b"PK\x03\x04":
            if name.lower().endswith(".onnx"):
                raise ValueError(
                    f"{name} is not a model file that skgenre.save wrote; for an ONNX file take "
                    "skgenre.OnnxGenreModel."
                )
            raise ValueError(
                f"{name} is not a model file that skgenre.save wrote. If it is a pickle whose "
                "origin you trust, load it with joblib.load, which runs code from the file, and "
                "save it with skgenre.save."
            )
        if stream.seek(0, os.SEEK_END) > max_size:
            raise ValueError(f"{name} takes {stream.tell()} bytes, {_too_large(max_size)}")
        stream.seek(0)
        whole = stream.read()
        if sign(whole) != whole:
            raise ValueError(
                f"{name} is damaged, or not a model file that skgenre.save wrote: its checksum "
                "differs. Copy or download it again."
            )
        try:
            with zipfile.ZipFile(BytesIO(whole)) as archive:
                yield archive
        except _RefusedError as error:
            raise ValueError(f"{name} {error}") from None
        except MissingExtraError:
            raise
        except Exception as error:  # a damaged file leads to errors of any kind
            raise ValueError(
                f"{name} is damaged or not a model file of skgenre: {type(error).__name__}: {error}"
            ) from error


def describe(archive: zipfile.ZipFile) -> ModelInfo:
    """Read what a model file says of its model."""
    size = archive.getinfo(_DETAILS).file_size
    if size > _MAX_DETAILS:
        raise _RefusedError(f"has a description of {size} bytes; damaged or crafted.")
    return ModelInfo.from_dict(json.loads(archive.read(_DETAILS)))


def _too_large(max_size: float) -> str:
    return f"more than max_size={max_size}; raise max_size if you trust the file."


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _check(archive: zipfile.ZipFile, max_size: int) -> set[str]:
    """Check an archive before anything of it is built; return the names of its types."""
    named = set()
    members = {member.filename: member for member in archive.infolist()}
    if len(archive.infolist()) > min(_MAX_MEMBERS, len(members)):
        raise ValueError(f"{len(archive.infolist())} members, some of the same name or too many.")
    for needed in (_DETAILS, _SCHEMA):
        if needed not in members:
            raise ValueError(f"the archive has no {needed}.")
    size = sum(member.file_size for member in members.values())
    size += _JSON_GROWTH * members[_SCHEMA].file_size
    if size <= max_size:
        describe(archive)
        for node in _nodes(json.loads(archive.read(_SCHEMA))):
            if node["__loader__"] not in _LOADERS:
                raise ValueError(f"nodes of the kind {node['__loader__']!r} are not read.")
            named.add(f"{node['__module__']}.{node['__class__']}")
            if "file" in node:  # several nodes may name one member, and each reads it
                size += members[node["file"]].file_size
                if node["__loader__"] == "NdArrayNode":
                    _check_array(archive, members[node["file"]])
    if size > max_size:
        raise _RefusedError(f"has a content of {size} bytes, {_too_large(max_size)}")
    if _NETWORK in named:
        check_networks_installed()
    return named


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a schema."""
    waiting = [(schema, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"objects are nested more than {_MAX_DEPTH} deep.")
        if isinstance(value, dict):
            if "__loader__" in value:
                yield value
            value = list(value.values())
        if isinstance(value, list):
            waiting += [(v, depth + 1) for v in value if isinstance(v, (dict, list))]


def _check_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Check that an array takes the bytes that its header says: NumPy allocates them first."""
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read = getattr(np.lib.format, f"read_array_header_{version[0]}_{version[1]}")
        shape, _, dtype = read(stream)
        rest = member.file_size - stream.tell()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != rest:
        raise ValueError(f"an array of shape {shape} and type {dtype} does not take {rest} bytes.")
