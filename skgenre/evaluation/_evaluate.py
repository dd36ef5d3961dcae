"""Evaluation of a pipeline under a protocol."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import HasMethods, Interval, validate_parameter_constraints

from skgenre.duplicates import Duplicates
from skgenre.evaluation._folds import iter_folds
from skgenre.evaluation._protocols import make_splits
from skgenre.evaluation._results import EvaluationResult
from skgenre.evaluation._task import EvaluationTask

CONSTRAINTS: dict[str, list[Any]] = {
    "pipeline": [HasMethods(["fit", "predict", "get_params"])],
    "n_folds": [Interval(Integral, 2, None, closed="left")],
    "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
    "random_state": ["random_state"],
    "checkpoint": [str, os.PathLike, None],
    "n_jobs": [Integral, None],
    "duplicates": [Duplicates, None],
}


def evaluate(
    pipeline: Any,
    dataset: Any,
    *,
    protocol: Any = "artist-grouped",
    n_folds: int = 5,
    n_bootstrap: int = 1000,
    random_state: Any = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    duplicates: Duplicates | None = None,
) -> EvaluationResult:
    """Measure a pipeline by cross-validation under a named protocol.

    Parameters
    ----------
    pipeline : classifier or Pipeline
        It is cloned for each fold. The first steps of a pipeline that learn nothing, such
        as :class:`PerTrack`, run once for all folds, unless one of them augments; so do the
        features of a :class:`GenreClassifier`.
    dataset : Bunch or tuple
        What :func:`load_genre_folder` returns (``data``, ``target``, ``artists``), or a
        tuple (X, y) or (X, y, artists).
    protocol : {"segment-random", "track-random", "fault-filtered", "artist-grouped"} \
or splitter, default="artist-grouped"
        How tracks are divided into folds:

        - "artist-grouped": stratified folds in which no artist is on both sides, the one to
          report.
        - "track-random": stratified and shuffled folds of tracks. Artists are on both sides.
        - "fault-filtered": the published partition of GTZAN, :class:`FaultFilteredSplit` with
          its defaults: one fold, in which some of the tracks are scored.
        - "segment-random": stratified and shuffled folds of segments, as in most figures of
          the papers. Segments of one track are on both sides; it shows what such a
          figure claims.

        A splitter has ``split(X, y, groups)``, where groups are the artists; each track is
        scored once or never.
    n_folds : int, default=5
        Folds of the named protocols.
    n_bootstrap : int, default=1000
        Resamples for the intervals; 0 for no intervals.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds, as in ``StratifiedGroupKFold(n_folds, shuffle=True,
        random_state=random_state)``, and of the resamples. The classifier has its own.
    checkpoint : str, PathLike or None, default=None
        Folder in which each fold is written when it is done. The same call after a kill
        finds it there and continues. Where it cannot be written, a warning says so.
    n_jobs : int or None, default=None
        Folds that run at the same time, as joblib counts: None means 1, or what
        ``joblib.parallel_config`` says; -1 means all cores. They run in processes, unless
        ``parallel_config`` names another backend, and share the cores between them.
    duplicates : Duplicates or None, default=None
        What :func:`find_duplicates` found in the tracks. Artists who share a recording then
        count as one, so that no recording is on both sides of folds by artist, and other
        protocols warn of the recordings that are. None means that only files with the same bytes
        are noticed.

    Returns
    -------
    result : skgenre.evaluation.EvaluationResult
        Metrics by fold and over all tracks, out-of-fold predictions, and what they were
        computed with; it has ``to_markdown``, ``to_frame``, ``save`` and ``read``.

    Raises
    ------
    ValueError
        If the data set does not allow the protocol.
    TypeError
        If ``dataset`` is not a data set.

    Warns
    -----
    UserWarning
        If a genre has fewer artists than there are folds, a fold has no training track of a
        genre, or a track that is scored has a copy in training.

    See Also
    --------
    find_duplicates : Finds recordings that are there more than once.
    leakage_audit : The same model under all protocols.
    compare : Two models on the same tracks.

    Notes
    -----
    - Segment accuracy is the share of segments that are right, before the vote; track
      accuracy counts tracks by their vote. Balanced accuracy, macro F1, log loss and
      calibration error are of tracks. The log loss clips probabilities at 1.2e-7.
    - The calibration error is the expected one of [1]_: tracks in ten bins of equal width
      by their highest probability, the mean distance between it and the share of tracks
      that are right, weighted by the tracks in a bin.
    - Intervals hold 95 % of bootstrap resamples of artists if artists are known, else of
      tracks. Tracks of an artist tend to be right or wrong together, so that resamples of
      tracks would give too narrow intervals. Intervals ignore variation between fold
      assignments and training seeds.
    - With few tracks in a bin the calibration error comes out too high, even of a calibrated
      model, and higher in resamples [2]_. Its interval therefore bootstraps the signed gaps of
      the bins: from the error less the sum of their absolute changes, to the error plus the sum
      of the changes that oppose them. In simulations it covered the true error in 94 to 100 %
      (``benchmarks/calibration_interval.py``); a percentile interval of it, in 0 to 95 %.
    - Under "segment-random" each segment is a track of its own in training; steps that
      learn from all tracks, such as :class:`FrameScaler`, see the training segments only. A
      track's genre is the vote of its segments, each predicted by the model that was not
      trained on it; folds have no tracks and therefore a segment accuracy only.
    - A :class:`GenreClassifier` is measured by tracks only: its segments need features of
      their own.
    - A model whose ``fit`` takes ``groups``, a search whose ``cv`` does, or a pipeline with such
      a step, learns with the artists of the training tracks if they are known; also within a
      :class:`RejectingClassifier` or :class:`PairwiseCalibratedClassifier`. Other models that
      contain one get them where scikit-learn's metadata routing is switched on.
    - A fold in ``checkpoint`` is recognised by its rows, by the data (files by path, size and
      time of change), by all parameters of the pipeline except ``n_jobs``, ``memory``,
      ``bytes_limit`` and ``verbose``, and by the versions of the libraries. The code of
      estimators is recognised by its version only: empty the folder after editing it.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.
    .. [2] A. Kumar, P. Liang and T. Ma, "Verified Uncertainty Calibration", NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, evaluate
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 20)
    >>> X = rng.normal(size=(40, 3)) + 2 * (y == "loud")[:, np.newaxis]
    >>> artists = [f"{genre} artist {i % 5}" for i, genre in enumerate(y)]
    >>> result = evaluate(FusionKNeighborsClassifier(), (X, y, artists))
    >>> result.overall["track_accuracy"]["value"]
    0.95
    >>> result.confusion
    [[19, 1], [1, 19]]
    """
    # validate_params would skip the validation of the pipeline's parameters.
    validate_parameter_constraints(CONSTRAINTS, locals(), caller_name="evaluate")
    task = EvaluationTask.from_dataset(pipeline, dataset, duplicates)
    return evaluate_task(task, protocol, n_folds, n_bootstrap, random_state, checkpoint, n_jobs)


def evaluate_task(
    task: EvaluationTask,
    protocol: Any,
    n_folds: int,
    n_bootstrap: int,
    random_state: Any,
    checkpoint: str | os.PathLike[str] | None,
    n_jobs: int | None,
) -> EvaluationResult:
    """Run the folds of a protocol and measure what their models predict."""
    splits = make_splits(task, protocol, n_folds=n_folds, random_state=random_state)
    folds = list(iter_folds(task, splits, checkpoint, n_jobs=n_jobs))
    return EvaluationResult.from_folds(
        task, splits, folds, n_bootstrap=n_bootstrap, random_state=random_state
    )
