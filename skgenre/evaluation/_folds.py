"""One fold after the other: fit the model, evaluate it, and keep the result for a later run."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, parallel
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skgenre.classifiers import PairwiseCalibratedClassifier, RejectingClassifier
from skgenre.duplicates import find_copies
from skgenre.evaluation._checkpoint import checkpoint_files, read_fold, write_fold
from skgenre.evaluation._metrics import segment_shares
from skgenre.evaluation._protocols import Splits
from skgenre.evaluation._task import EvaluationTask
from skgenre.utils._parallel import effective_n_jobs, stream
from skgenre.utils._pipeline import final_classifier, segment_outputs
from skgenre.utils._tf import limit_tensorflow
from skgenre.utils._warnings import gather_track_warnings, warn_caller, warn_of_tracks

Array = NDArray[Any]
_Done = tuple[dict[str, Any], str]  # the outcome of a fold, and why it could not be kept


@dataclass(frozen=True, eq=False, repr=False)
class FoldResult:
    """What the model of one fold predicts.

    Attributes
    ----------
    fold : int
        Number of the fold.
    n_train : int
        Rows that the model was trained on.
    test : ndarray of shape (n_test,) of int
        Rows that it predicts: tracks, or segments where the folds divide segments.
    genre : list of n_test labels
        Their true genres.
    predicted : list of n_test labels
        Their predicted genres.
    classes : list
        The genres that the model knows.
    proba : ndarray of shape (n_test, n_classes) or None
        Probabilities, a column for each of ``classes``; None if the model gives none.
    segment_accuracy : ndarray of shape (n_test,) or None
        For each row the share of its segments that are right; None if the model predicts
        no segments.
    n_segments : int or None
        Segments of each row.
    fit_time, predict_time : float
        Seconds.
    from_checkpoint : bool
        Whether the fold was found in the checkpoint folder and not computed.
    history : dict of str to list of float or None, default=None
        The ``history_`` of a network: its metrics by epoch. None if the model keeps none, or
        the fold was kept by a version that did not.
    """

    fold: int
    n_train: int
    test: Array
    genre: list[Any]
    predicted: list[Any]
    classes: list[Any]
    proba: Array | None
    segment_accuracy: Array | None
    n_segments: int | None
    fit_time: float
    predict_time: float
    from_checkpoint: bool
    history: dict[str, list[float]] | None = None

    def proba_of(self, classes: Sequence[Any]) -> Array | None:
        """Return the probabilities with a column for each of some genres.

        Parameters
        ----------
        classes : sequence of labels
            The genres; those that the model does not know have the probability 0.

        Returns
        -------
        proba : ndarray of shape (n_test, len(classes)) or None
            None if the model gives no probabilities.
        """
        if self.proba is None:
            return None
        classes = list(classes)
        proba = np.zeros((len(self.proba), len(classes)))
        proba[:, [classes.index(genre) for genre in self.classes]] = self.proba
        return proba

    def __repr__(self) -> str:
        n_right = sum(a == b for a, b in zip(self.genre, self.predicted, strict=True))
        source = ", from the checkpoint" if self.from_checkpoint else ""
        return f"<FoldResult {self.fold}: {n_right} of {len(self.genre)} right{source}>"


def iter_folds(
    task: EvaluationTask,
    splits: Splits,
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    n_jobs: int | None = None,
) -> Iterator[FoldResult]:
    """Fit and evaluate the model of a task, fold by fold.

    Parameters
    ----------
    task : EvaluationTask
        The tracks and the pipeline.
    splits : Splits
        The folds.
    checkpoint : str, PathLike or None, default=None
        Folder in which each fold is written when it is done, and from which folds that are
        done are read.
    n_jobs : int or None, default=None
        Folds that run at the same time, as for :func:`evaluate`.

    Yields
    ------
    fold : FoldResult
        Each fold, in the order of ``splits``.

    Warns
    -----
    UserWarning
        If a track that is scored has a copy in training (files with the same bytes, or the
        ``duplicates`` of the task), or the file of a fold in
        ``checkpoint`` is damaged, or cannot be read or written.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier
    >>> from skgenre.evaluation import EvaluationTask, iter_folds, make_splits
    >>> y = np.repeat(["calm", "loud"], 20)
    >>> X = np.random.default_rng(0).normal(size=(40, 3)) + 3 * (y == "loud")[:, np.newaxis]
    >>> task = EvaluationTask(FusionKNeighborsClassifier(), X, y)
    >>> for fold in iter_folds(task, make_splits(task, "track-random", n_folds=2)):
    ...     print(fold)
    <FoldResult 0: 20 of 20 right>
    <FoldResult 1: 20 of 20 right>
    """
    _warn_of_copies(task, splits)
    files = checkpoint_files(
        task, splits, checkpoint, learns_artists=bool(_artist_params(task.model))
    )
    kept = [
        None if file is None else read_fold(file, len(test))
        for file, (_, test) in zip(files, splits.folds, strict=True)
    ]
    missing = [number for number, outcome in enumerate(kept) if outcome is None]
    computed = _compute(task, splits, missing, files, n_jobs)
    y = np.repeat(task.y, task.n_segments) if splits.by_segment else task.y
    for number, (train, test) in enumerate(splits):
        found = kept[number]
        outcome = next(computed) if found is None else found
        arrays = {
            name: None if outcome[name] is None else np.array(outcome[name], dtype=float)
            for name in ("proba", "segment_accuracy")
        }
        yield FoldResult(
            fold=number,
            n_train=len(train),
            test=np.asarray(test),
            genre=y[test].tolist(),
            from_checkpoint=kept[number] is not None,
            **{**outcome, **arrays},
        )


def _warn_of_copies(task: EvaluationTask, splits: Splits) -> None:
    """Warn of tracks that are scored by a model that was trained on a copy of them."""
    known_copies = task.duplicates
    groups = find_copies(task.data) if known_copies is None else [g.rows for g in known_copies]
    copies = {} if splits.by_segment else {row: rows for rows in groups for row in rows}
    pairs = []
    for train, test in splits if copies else ():
        known = set(train.tolist())
        for row in copies.keys() & set(test.tolist()):
            pairs += [(row, other) for other in copies[row] if other in known][:1]
    if pairs:
        row, other = min(pairs)
        warn_caller(
            f"{len(pairs)} of the files that {splits.protocol} scores have a copy in training, "
            f"first {task.names[row]}, a copy of {task.names[other]}; the accuracy comes out too "
            "high. Keep one of each."
        )


def _compute(
    task: EvaluationTask,
    splits: Splits,
    numbers: Sequence[int],
    files: Sequence[Path | None],
    n_jobs: int | None,
) -> Iterator[dict[str, Any]]:
    """Yield the outcomes of some folds in order, running ``n_jobs`` of them at a time."""
    if not numbers:
        return
    X, y, artists = task.rows(by_segment=splits.by_segment)
    shared = {
        "model": task.model,
        "X": X,
        "y": y,
        "artists": artists,
        "by_segment": splits.by_segment,
        "tracks": task.data if task.is_split else None,
    }
    jobs = [(*splits.folds[number], files[number]) for number in numbers]
    problems = set()
    for outcome, problem in _run_folds(jobs, shared, n_jobs):
        if problem and problem not in problems:
            warn_caller(problem)
        problems.add(problem)
        yield outcome


def _run_folds(
    jobs: list[tuple[Any, ...]], shared: dict[str, Any], n_jobs: int | None
) -> Iterator[_Done]:
    n_workers = min(effective_n_jobs(n_jobs), len(jobs))
    if n_workers == 1:
        for job in jobs:
            yield _run_fold(*job, **shared)
        return
    n_threads = max(1, joblib.cpu_count() // n_workers)
    # The worker writes the checkpoint: a fold that is done is kept even if an earlier one fails.
    calls = ((os.getpid(), n_threads, *job) for job in jobs)
    shown: dict[Any, Any] = {}  # a warning that several folds give is shown once by default
    for done, caught in stream(parallel, _run_fold_in_worker, shared, calls, n_workers):
        for message, category, filename, line in caught:
            warnings.warn_explicit(message, category, filename, line, registry=shown)
        yield done


def _run_fold_in_worker(
    shared: dict[str, Any], parent: int, n_threads: int, *args: Any
) -> tuple[_Done, list[tuple[Any, ...]]]:
    """Run a fold in another process; return what comes of it and its warnings."""
    if os.getpid() == parent:  # threads share the warnings of the process
        return _run_fold(*args, **shared), []
    limit_tensorflow(n_threads)
    with warnings.catch_warnings(record=True) as caught:
        done = _run_fold(*args, **shared)
    return done, [(w.message, w.category, w.filename, w.lineno) for w in caught]


def _run_fold(train: Array, test: Array, file: Path | None, *, tracks: Any, **shared: Any) -> _Done:
    """Run a fold and keep its outcome; return it, and why it could not be kept, if so.

    Where the front end has warned of the tracks by name, do not repeat it.
    """
    with gather_track_warnings() as found:
        outcome = _fit_and_predict(train, test, tracks=tracks, **shared)
    if tracks is None:
        warn_of_tracks(found)
    return outcome, "" if file is None else write_fold(file, outcome)


def _fit_and_predict(
    train: Array,
    test: Array,
    *,
    model: Any,
    X: Any,
    y: Array,
    artists: Array | None,
    by_segment: bool,
    tracks: Any,
) -> dict[str, Any]:
    """Fit a clone of the model to some rows, and predict others.

    ``tracks`` is the data before the features where a GenreClassifier was split: its segments
    have features of their own.
    """
    params = {name: artists[train] for name in _artist_params(model) if artists is not None}
    start = time.perf_counter()
    fitted = clone(model).fit(_safe_indexing(X, train), y[train], **params)
    fit_time = time.perf_counter() - start

    X_test = _safe_indexing(X, test)
    start = time.perf_counter()
    if hasattr(fitted, "steps"):
        for _, step in fitted.steps[:-1]:
            X_test = X_test if step in (None, "passthrough") else step.transform(X_test)
        fitted = fitted[-1]
    predicted = fitted.predict(X_test)
    outcome: dict[str, Any] = {
        "predicted": predicted.tolist(),
        "classes": fitted.classes_.tolist(),
        "proba": None,
        "segment_accuracy": None,
        "n_segments": None,
        "fit_time": fit_time,
        "predict_time": time.perf_counter() - start,
        "history": _history(fitted),
    }
    segments = None
    if hasattr(final_classifier(fitted), "predict_segment_proba"):
        if tracks is None:
            segments, classes = segment_outputs(fitted, X_test)
        else:
            fitted.set_params(precomputed=False)
            segments, classes = segment_outputs(fitted, _safe_indexing(tracks, test))
            fitted.set_params(precomputed=True)
        outcome["segment_accuracy"] = segment_shares(segments, classes, y[test]).tolist()
        outcome["n_segments"] = segments.shape[1]
    if segments is not None and by_segment:
        # The segments of a track vote when all folds are done.
        outcome["proba"] = segments[:, 0].astype(float).tolist()
    elif hasattr(fitted, "predict_proba"):
        outcome["proba"] = np.asarray(fitted.predict_proba(X_test), dtype=float).tolist()
    return outcome


def _history(fitted: Any) -> dict[str, list[float]] | None:
    """Return the metrics by epoch of a network, also of one that may reject."""
    model = final_classifier(fitted)
    if isinstance(model, RejectingClassifier):
        model = final_classifier(model.estimator_)
    history = getattr(model, "history_", None)
    return None if history is None else {k: [float(v) for v in history[k]] for k in history}


def _artist_params(model: Any) -> list[str]:
    """Return the parameters of ``fit`` by which a model learns from artists."""
    if has_fit_parameter(model, "groups") or _splits_by_group(model):
        return ["groups"]
    if get_config()["enable_metadata_routing"]:
        consumed = get_routing_for_object(model).consumes("fit", ["groups"])
        return ["groups"] if consumed else []
    if isinstance(model, (PairwiseCalibratedClassifier, RejectingClassifier)):
        return _artist_params(model.estimator)  # they hand on what fit gets
    steps = model.steps if isinstance(model, Pipeline) else []
    return [f"{name}__{inner}" for name, step in steps for inner in _artist_params(step)]


def _splits_by_group(model: Any) -> bool:
    """Whether a model is a search whose own folds keep groups together."""
    return isinstance(model, BaseSearchCV) and isinstance(model.cv, GroupsConsumerMixin)
