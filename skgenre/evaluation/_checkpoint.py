"""The outcomes of folds in files, for a later run."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from skgenre.evaluation._identity import data_identity, describe_estimator
from skgenre.evaluation._protocols import Splits
from skgenre.evaluation._task import EvaluationTask
from skgenre.utils._cache_key import UnidentifiedError
from skgenre.utils._environment import versions
from skgenre.utils._io import open_whole
from skgenre.utils._warnings import warn_caller

_FORMAT = "skgenre-fold-3"
_OUTCOME = {
    "predicted",
    "classes",
    "proba",
    "segment_accuracy",
    "n_segments",
    "fit_time",
    "predict_time",
}
_OPTIONAL = {"history"}  # files of earlier versions lack it


def checkpoint_files(
    task: EvaluationTask,
    splits: Splits,
    checkpoint: str | os.PathLike[str] | None,
    *,
    learns_artists: bool,
) -> list[Path | None]:
    """Return the file of each fold; its name changes with all that the fold depends on.

    Parameters
    ----------
    task : EvaluationTask
        What is evaluated.
    splits : Splits
        The folds.
    checkpoint : str, PathLike or None
        The folder of the files; None for none.
    learns_artists : bool
        Whether the model takes the artists in ``fit``.

    Returns
    -------
    files : list of (Path or None)
        None where the fold is not kept, with a warning if there is a folder.
    """
    if checkpoint is None:
        return [None] * len(splits)
    code = {k: v for k, v in versions().items() if k not in ("python", "system")}
    try:
        model = describe_estimator(task.pipeline)
    except UnidentifiedError as error:
        warn_caller(f"No fold is kept in {os.fspath(checkpoint)}: {error}.")
        return [None] * len(splits)
    identity = (
        _FORMAT,
        "segments" if splits.by_segment else "tracks",
        data_identity(task.data, task.y),
        task.artists.tolist() if learns_artists and task.artists is not None else None,
        model,
        sorted(code.items()),
    )
    files: list[Path | None] = []
    for fold in splits:
        digest = hashlib.blake2b(repr(identity).encode(), digest_size=16)
        for rows in fold:
            digest.update(np.asarray(rows, dtype=np.int64).tobytes() + b"|")
        files.append(Path(checkpoint) / f"fold-{digest.hexdigest()}.json")
    return files


def read_fold(file: Path, n_test: int) -> dict[str, Any] | None:
    """Return the outcome of a fold; None if there is no file, or with a warning none to use."""
    try:
        if file.exists() and not file.is_file():  # opening a pipe would wait for ever
            raise OSError(0, "not a regular file")
        kept = json.loads(file.read_text(encoding="utf-8"))
        outcome = kept["outcome"]
        whole = kept["format"] == _FORMAT and outcome.keys() - _OPTIONAL == _OUTCOME
        whole = whole and kept["checksum"] == _checksum(file, outcome)
        if whole and len(outcome["predicted"]) == n_test:
            return outcome
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        warn_caller(f"{file} cannot be read ({error.strerror}); the fold is computed again.")
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    warn_caller(f"{file} is damaged; the fold is computed again.")
    return None


def write_fold(file: Path, outcome: dict[str, Any]) -> str:
    """Keep the outcome of a fold; return why not, if so."""
    kept = {"format": _FORMAT, "checksum": _checksum(file, outcome), "outcome": outcome}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open_whole(file) as stream:  # replaces what is no file
            stream.write(json.dumps(kept, allow_nan=False).encode())
    except OSError as error:  # the training was long: go on without
        return f"The fold is not kept in {file.parent}: {error.strerror or error}."
    return ""


def _checksum(file: Path, outcome: dict[str, Any]) -> int:
    """Return a checksum; with the name of the file, one that was renamed is found out."""
    return zlib.crc32(json.dumps([file.name, outcome]).encode())
