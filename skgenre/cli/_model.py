"""Model files of the command line: whole pipelines from paths to genres."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any


def check_destination(path: str, *, force: bool) -> Path:
    """Refuse a place that no model can be written to, before any computing.

    Parameters
    ----------
    path : str
        The model file that is to be written.
    force : bool
        Whether it may exist already.

    Returns
    -------
    path : Path
        The file; where ``path`` is a link, the file that it points to.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError, PermissionError
        If the file must not or cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a directory; give the name of a file for the model.")
    if target.exists() and not force:
        raise FileExistsError(f"{path} exists; give another name, or --force to replace it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to write {path} into.")
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(f"The folder {target.parent} does not let {path} be written.")
    return target


def save_model(model: Any, target: Path) -> None:
    """Write a model as a whole: no reader ever sees a part of it.

    Parameters
    ----------
    model : Pipeline
        The fitted pipeline.
    target : Path
        The file; replaced where it exists.
    """
    import joblib

    # In the same folder, for only there is a move one step.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as stream:
            joblib.dump(model, stream)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load_model(path: str) -> Any:
    """Read a model, and check that it leads from paths to genres.

    Parameters
    ----------
    path : str
        A file written by :func:`save_model`, or a fitted pipeline or GenreClassifier (or a
        fitted search over one) that was dumped by joblib.

    Returns
    -------
    model : Pipeline
        The fitted pipeline.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError
        If there is no such file, or it is no such model.
    """
    import joblib
    from sklearn.base import is_classifier
    from sklearn.exceptions import NotFittedError
    from sklearn.pipeline import Pipeline
    from sklearn.utils import get_tags
    from sklearn.utils.validation import check_is_fitted

    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no model {path}; skgenre train makes one.")
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory, not a model.")
    with open(path, "rb") as stream:
        try:
            model = joblib.load(stream)
        except MemoryError:
            raise
        except Exception as error:  # bytes that are no pickle lead to errors of any kind
            raise ValueError(
                f"{path} cannot be loaded as a model ({type(error).__name__}: {error}); give a "
                "file written by skgenre train, by the same version of skgenre."
            ) from error
    model = _opened(getattr(model, "best_estimator_", model))
    expected = "expected the fitted pipeline that skgenre train writes, from paths to genres"
    if not isinstance(model, Pipeline):
        raise ValueError(f"{path} holds an object of type {type(model).__name__}; {expected}.")
    if not (is_classifier(model) and hasattr(model, "predict_proba")):
        raise ValueError(f"{path} holds a pipeline without genre probabilities; {expected}.")
    if not get_tags(model[0]).input_tags.string:
        raise ValueError(
            f"{path} holds a pipeline that begins with {type(model[0]).__name__}, which does not "
            f"read files; {expected}."
        )
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise ValueError(f"{path} holds a pipeline that is not fitted; {expected}.") from error
    return model


def _opened(model: Any) -> Any:
    """Return a fitted GenreClassifier, also one that is a pipeline's only step, as its parts."""
    from sklearn.pipeline import Pipeline

    from skgenre.classifiers import GenreClassifier

    inner = model[0] if isinstance(model, Pipeline) and len(model) == 1 else model
    if not isinstance(inner, GenreClassifier) or not hasattr(inner, "ensemble_"):
        return model
    ensemble = inner.ensemble_
    ensemble.set_params(n_segments=inner.n_segments, segment_duration=inner.segment_duration)
    front_end = inner._prediction_front_end()
    steps = [("features", front_end), ("scaler", "passthrough"), ("classifier", ensemble)]
    return Pipeline(steps)
