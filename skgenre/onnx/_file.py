"""ONNX files that say what they are: their metadata, and the checksum at their end."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._io import check_regular_file

FORMAT = "skgenre-onnx-1"
_MAX_SIZE = 2**31 - 1  # bytes; more are no protocol buffer
_MAX_METADATA = 2**26  # characters of one entry
_ARCHIVE = b"PK\x03\x04"  # how files of save begin
# The last entry of the metadata, as it stands in the file: its name, and 64 hexadecimal digits
# that are the SHA-256 of all bytes before.
_KEY = b"skgenre.sha256"
_N_DIGITS = 64
_ENTRY = b"".join(
    (
        bytes([0x72, 4 + len(_KEY) + _N_DIGITS]),  # an entry of the metadata, and its length
        bytes([0x0A, len(_KEY)]),  # its key
        _KEY,
        bytes([0x12, _N_DIGITS]),  # its value
    )
)


def to_bytes(model: Any, metadata: dict[str, Any]) -> bytes:
    """Return the content of a file.

    Parameters
    ----------
    model : onnx.ModelProto
        The graph; it stays as it is.
    metadata : dict of str to object
        Plain values by name; they are written as JSON.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.metadata_props[:]
    for name, value in {"format": FORMAT, **metadata}.items():
        text = json.dumps(value, allow_nan=False)
        copy.metadata_props.add(key=f"skgenre.{name}", value=text)
    copy.producer_name = "skgenre"
    body = copy.SerializeToString()
    if len(body) > _MAX_SIZE - 1000:
        raise ValueError(f"The model takes {len(body)} bytes; ONNX files end at 2 GB.")
    return body + _end_of(body)


def _end_of(body: bytes | memoryview) -> bytes:
    return _ENTRY + hashlib.sha256(body).hexdigest().encode()


def is_onnx_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file has the name of an ONNX file, or the end of one of skgenre.

    A file of :func:`save` is none, whatever its name.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    is_onnx : bool
        False says that it is none of skgenre.
    """
    check_regular_file(path, "model file")
    with open(path, "rb") as stream:
        if stream.read(len(_ARCHIVE)) == _ARCHIVE:
            return False
        if os.fsdecode(path).lower().endswith(".onnx"):
            return True
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - len(_ENTRY) - _N_DIGITS))
        return stream.read(len(_ENTRY)) == _ENTRY


def read(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file; refuse one that cannot be ours before reading all of it."""
    check_regular_file(path, "model file")
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        if size > _MAX_SIZE:
            raise ValueError(
                f"{os.fsdecode(path)} takes {size} bytes, more than any ONNX file can have."
            )
        stream.seek(max(0, size - len(_ENTRY) - _N_DIGITS))
        end = stream.read()
        if not end.startswith(_ENTRY):
            return end  # which check refuses
        stream.seek(0)
        return stream.read()


def check(content: bytes) -> None:
    """Refuse content that export_onnx did not write, or that has changed since."""
    n_end = len(_ENTRY) + _N_DIGITS
    end = content[-n_end:]
    if not end.startswith(_ENTRY):
        raise ValueError(
            "is not a whole file that skgenre.export_onnx wrote; give one that it wrote, or "
            "copy or download it again. Files of skgenre.save are for skgenre.load."
        )
    if _end_of(memoryview(content)[:-n_end]) != end:
        raise ValueError(
            "is damaged, or was changed after skgenre.export_onnx wrote it: its checksum "
            "differs. Copy or download it again."
        )


def metadata_of(session: Any) -> dict[str, Any]:
    """Return the metadata of a model, as they were given to :func:`to_bytes`."""
    found = {}
    for key, text in session.get_modelmeta().custom_metadata_map.items():
        owner, _, name = key.partition(".")
        if owner != "skgenre" or name == "sha256":
            continue
        if len(text) > _MAX_METADATA:
            raise ValueError(f"its entry {key} has {len(text)} characters.")
        found[name] = json.loads(text)
    if found.pop("format", None) != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}; another version wrote it.")
    return found


def encode_classes(classes: NDArray[Any]) -> dict[str, Any]:
    """Turn the classes of a classifier into plain values."""
    values = classes.tolist()
    if not all(isinstance(value, (str, bool, int, float)) for value in values):
        raise ValueError(
            f"The classes {values[:5]} are neither texts nor numbers, which an ONNX file cannot "
            "hold; fit the model on genres that are texts."
        )
    return {"dtype": classes.dtype.str, "values": values}


def decode_classes(classes: dict[str, Any]) -> NDArray[Any]:
    """Undo :func:`encode_classes`."""
    dtype, values = np.dtype(classes["dtype"]), classes["values"]
    if dtype.kind not in "UOiufb" or not all(
        isinstance(value, (str, bool, int, float)) for value in values
    ):
        raise ValueError("its classes are neither texts nor numbers.")
    if dtype.itemsize * len(values) > _MAX_METADATA:
        raise ValueError(f"its {len(values)} classes of type {dtype.str} take too much memory.")
    return np.array(values, dtype=dtype)
