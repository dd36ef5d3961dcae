"""An ONNX file that is open: its metadata, its front end, and a session that runs its graph."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.onnx._file import check, decode_classes, metadata_of, read

# Axes that are added to features of fewer dimensions, by the dimensions that a network takes
# and those that there are: what as_segments and as_images do.
ADDED_AXES = {(4, 3): (1,), (4, 2): (1, 3), (5, 4): (1,), (5, 3): (1, 4), (5, 2): (1, 3, 4)}

_INPUTS = ("features", "waveform")
# Values of the features that go through the graph together.
_MAX_VALUES = 2**21


class OpenedModel:
    """An ONNX file that is open.

    Parameters
    ----------
    path : str, PathLike or bytes
        The file, or its content.
    n_jobs : int or None
        Threads of the session and of the front end.

    Attributes
    ----------
    metadata : dict of str to object
        What the file says of itself.
    classes : ndarray
        The genres.
    front_end : PerTrack or None
        From tracks to the input of the graph.
    input : str
        Name of the input: "features" or "waveform".
    shape : list of int or str
        Its shape; a str names a size that varies.
    outputs : list of str
        Names of the outputs.
    """

    def __init__(self, path: str | os.PathLike[str] | bytes, n_jobs: int | None):
        self._name = "The content" if isinstance(path, bytes) else os.fsdecode(path)
        content = path if isinstance(path, bytes) else read(path)
        try:
            check(content)
            self._session = _open_session(content, n_jobs)
            self.metadata = metadata_of(self._session)
            self.classes = decode_classes(self.metadata["classes"])
            self.front_end = _front_end(self.metadata["front_end"], n_jobs)
            self._read_signature()
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # a damaged or crafted file leads to errors of any kind
            reason = str(error).partition("\n")[0]
            is_sentence = reason.startswith("is ")
            detail = reason if is_sentence else f"is no model file of skgenre: {reason}"
            raise ValueError(f"{self._name} {detail}") from error

    def _read_signature(self) -> None:
        (first,) = self._session.get_inputs()
        self.input, self.shape = first.name, first.shape
        outputs = {output.name: output.shape for output in self._session.get_outputs()}
        self.outputs = list(outputs)
        if self.input not in _INPUTS or "probabilities" not in outputs:
            raise ValueError(f"its graph leads from {self.input!r} to {self.outputs}.")
        if outputs["probabilities"][1] != len(self.classes):
            raise ValueError("its graph and its list of classes differ in number.")

    def run(self, X: NDArray[Any], output: str) -> NDArray[Any]:
        """Run the graph.

        Parameters
        ----------
        X : ndarray
            The input, tracks along the first axis.
        output : str
            Name of the output.

        Returns
        -------
        values : ndarray
            One row for each track.
        """
        X = np.ascontiguousarray(X, dtype=np.float32)
        size = max(1, _MAX_VALUES // max(1, X[0].size))
        try:
            parts = [
                self._session.run([output], {self.input: X[start : start + size]})[0]
                for start in range(0, len(X), size)
            ]
        except Exception as error:  # of onnxruntime, whose errors have no common class
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{self._name} cannot be run on {X.shape}: {reason}") from error
        return np.concatenate(parts)


def import_optional(name: str, purpose: str) -> Any:
    """Import a package of the extra "onnx", or say how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f'{purpose} needs {name}; install it with: pip install "skgenre[onnx]"'
        ) from error


def _open_session(content: bytes, n_jobs: int | None) -> Any:
    runtime = import_optional("onnxruntime", "Predicting from an ONNX file")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # errors are raised
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = _n_threads(n_jobs)
    # Threads that wait should leave the cores to the front end and to other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if b"Conv" not in content:
        # Only convolutions gain from optimisation, which takes longer than opening without it.
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _n_threads(n_jobs: int | None) -> int:
    if n_jobs in (None, 1):
        return 1
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))


def _front_end(values: list[Any] | None, n_jobs: int | None) -> Any:
    if not values:
        return None
    from sklearn.pipeline import Pipeline

    from skgenre.onnx._front_end import decode
    from skgenre.pipeline import PerTrack

    steps = [(f"step{i}", step) for i, step in enumerate(decode(values))]
    return PerTrack(Pipeline(steps), n_jobs=n_jobs).set_output(transform="default")
