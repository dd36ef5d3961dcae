"""Model files of the command line: fitted classifiers of audio files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from skgenre.onnx import is_onnx_file

# Names of models that no file is needed for, and their weights.
PRETRAINED = {"musicnn-msd": "msd", "musicnn-mtt": "mtt"}


def check_destination(path: str, *, force: bool, what: str = "model") -> Path:
    """Check that a file can be written to a place, before any computing.

    Parameters
    ----------
    path : str
        The file to write.
    force : bool
        Whether it may exist already.
    what : str, default="model"
        What is written, for the errors.

    Returns
    -------
    path : Path
        The file; where ``path`` is a link, the file that it points to.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError, PermissionError, ValueError
        If the file must not or cannot be written, or is a pipe or a device.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a directory; give the name of a file for the {what}.")
    if target.exists() and not target.is_file():
        raise ValueError(f"{path} is a pipe or a device; give the name of a file for the {what}.")
    if target.exists() and not force:
        raise FileExistsError(f"{path} exists; give another name, or --force to replace it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to write {path} into.")
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(f"The folder {target.parent} does not let {path} be written.")
    return target


def load_model(path: str, *, trust_pickle: bool = False) -> Any:
    """Read a model, and check that it leads from paths to genres.

    Parameters
    ----------
    path : str
        A file written by ``skgenre train`` or by ``skgenre.save``, or a key of ``PRETRAINED``.
    trust_pickle : bool, default=False
        Whether it may be a pickle, which runs code when it is loaded.

    Returns
    -------
    model : classifier
        As it was saved: a fitted classifier, pipeline or search that takes paths; of an ONNX
        file, an OnnxGenreModel.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError
        If there is no such file, or it is no such model.
    """
    if not os.path.exists(path):
        if path in PRETRAINED:
            return make_pretrained(path)
        raise FileNotFoundError(
            f"There is no model {path}; skgenre train makes one. Pretrained ones are called "
            f"{' and '.join(PRETRAINED)}."
        )
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory, not a model.")
    if is_onnx_file(path):
        return _load_onnx(path)

    from sklearn.base import is_classifier
    from sklearn.exceptions import NotFittedError
    from sklearn.utils import get_tags
    from sklearn.utils.validation import check_is_fitted

    from skgenre.persistence import load

    with open(path, "rb") as stream:
        is_archive = stream.read(2) == b"PK"
    if is_archive:
        model = load(path)
    elif trust_pickle:
        model = _load_pickle(path)
    else:
        raise ValueError(
            f"{path} is not a model file that skgenre train or skgenre.save wrote. If it is a "
            "pickle and you trust its origin, give --trust-pickle: loading it runs the code in it."
        )
    expected = "expected a fitted classifier of audio files, such as skgenre train writes"
    kind = type(model).__name__
    if not (hasattr(model, "__sklearn_tags__") and is_classifier(model)):
        raise ValueError(f"{path} holds an object of type {kind}; {expected}.")
    first = _first_step(model)
    if not get_tags(first).input_tags.string:
        raise ValueError(
            f"{path} holds a {kind} that begins with {type(first).__name__}, which does not read "
            f"files; {expected}."
        )
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise ValueError(f"{path} holds a {kind} that is not fitted; {expected}.") from error
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{path} holds a {kind} without genre probabilities; {expected}.")
    return model


def _load_onnx(path: str) -> Any:
    from skgenre.onnx import OnnxGenreModel

    model = OnnxGenreModel(path)
    if model.front_end_ is None:
        raise ValueError(
            f"{path} was exported without its front end and takes features, not audio files; "
            "export the model with it."
        )
    return model


def identify_model(name: str) -> str:
    """Return what stands for a model in records: a digest of its file, or its own name."""
    from skgenre.catalogue import file_id

    return file_id(name) if os.path.exists(name) else name  # that of a pretrained one


def make_pretrained(name: str) -> Any:
    """Return a classifier that needs no training.

    Parameters
    ----------
    name : str
        A key of ``PRETRAINED``.

    Returns
    -------
    model : MusicnnTagger
        With its weights.

    Raises
    ------
    FileNotFoundError
        If the weights are not there; the message names the command that gets them.
    """
    from skgenre.classifiers import MusicnnTagger
    from skgenre.embeddings import load_weights

    load_weights(PRETRAINED[name])
    return MusicnnTagger(PRETRAINED[name])


def _load_pickle(path: str) -> Any:
    import joblib

    from skgenre.utils._extras import MissingExtraError

    try:
        return joblib.load(path)
    except (MemoryError, MissingExtraError):
        raise
    except Exception as error:  # bytes that are no pickle lead to errors of any kind
        raise ValueError(
            f"{path} cannot be loaded as a pickle ({type(error).__name__}: {error}); give a file "
            "that the same versions wrote."
        ) from error


def _first_step(model: Any) -> Any:
    """Return the estimator that takes the input of a pipeline, a search or an ensemble."""
    from sklearn.pipeline import Pipeline
    from sklearn.utils import get_tags

    if isinstance(model, Pipeline):
        return _first_step(model.steps[0][1])
    if get_tags(model).input_tags.string:
        return model
    inner = getattr(model, "estimator", None)
    if inner is None and getattr(model, "estimators", None):
        inner = model.estimators[0][1]
    return model if inner is None else _first_step(inner)
