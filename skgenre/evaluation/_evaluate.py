"""Evaluation of a pipeline under a protocol."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, validate_params

from skgenre.classifiers import vote
from skgenre.evaluation._folds import run_folds
from skgenre.evaluation._material import Material, prepare
from skgenre.evaluation._metrics import METRICS, bootstrap_weights, estimate, weighted_metrics
from skgenre.evaluation._protocols import Plan, plan
from skgenre.evaluation._result import EvaluationResult
from skgenre.utils._environment import environment
from skgenre.utils._pipeline import final_classifier
from skgenre.utils._random import draw_seeds

Array = NDArray[Any]

CONSTRAINTS: dict[str, list[Any]] = {
    "pipeline": [HasMethods(["fit", "predict", "get_params"])],
    "n_folds": [Interval(Integral, 2, None, closed="left")],
    "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
    "random_state": ["random_state"],
    "checkpoint": [str, os.PathLike, None],
}


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def evaluate(
    pipeline: Any,
    dataset: Any,
    *,
    protocol: Any = "artist-grouped",
    n_folds: int = 5,
    n_bootstrap: int = 1000,
    random_state: Any = 0,
    checkpoint: str | os.PathLike[str] | None = None,
) -> EvaluationResult:
    """Measure a pipeline by cross-validation under a named protocol.

    Parameters
    ----------
    pipeline : classifier or Pipeline
        It is cloned for each fold. The first steps of a pipeline that learn nothing, such
        as :class:`PerTrack`, run once for all folds, unless one of them augments.
    dataset : Bunch or tuple
        What :func:`load_genre_folder` returns (``data``, ``target``, ``artists``), or a
        tuple (X, y) or (X, y, artists).
    protocol : {"segment-random", "track-random", "fault-filtered", "artist-grouped"} \
or splitter, default="artist-grouped"
        How tracks are divided:

        - "artist-grouped": stratified folds, no artist on two sides. The honest one.
        - "track-random": stratified and shuffled folds of tracks. Artists stand on both
          sides.
        - "fault-filtered": the published partition of GTZAN, :class:`FaultFilteredSplit` with
          its defaults: one fold, on which a part of the tracks is judged.
        - "segment-random": stratified and shuffled folds of segments, as most figures of
          the papers. Segments of one track stand on both sides; it is here to show what
          that would have claimed.

        A splitter has ``split(X, y, groups)``, where groups are the artists; each track is
        judged once or never.
    n_folds : int, default=5
        Folds of the named protocols.
    n_bootstrap : int, default=1000
        Resamples behind the intervals; 0 leaves the intervals out.
    random_state : int, RandomState instance or None, default=0
        Decides the folds, as in ``StratifiedGroupKFold(n_folds, shuffle=True,
        random_state=random_state)``, and the resamples. The classifier has its own.
    checkpoint : str, PathLike or None, default=None
        Folder in which each fold is kept when it is done. The same call finds it there
        after a kill and goes on.

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
        If the data set is none.

    Warns
    -----
    UserWarning
        If a genre has fewer artists than there are folds, or a fold learns from no track
        of a genre.

    See Also
    --------
    leakage_audit : The same model under all protocols.
    compare : Two models on the same tracks.

    Notes
    -----
    - Segment accuracy is the share of segments that are right, before the vote; track
      accuracy counts tracks by their vote. Balanced accuracy, macro F1, log loss and
      calibration error are of tracks. The log loss takes probabilities below 1.2e-7 for
      that.
    - The calibration error is the expected one of [1]_: tracks in ten bins of equal width
      by their highest probability, the mean distance between it and the share of tracks
      that are right, weighted by the tracks in a bin.
    - Intervals hold 95 % of bootstrap resamples of artists where artists are known, else of
      tracks. Tracks of an artist are right or wrong together, so that resamples of tracks
      would promise too much. The chance of the folds and of the training is not in them.
    - Under "segment-random" each segment is a track of its own in training; what learns
      from all tracks, such as :class:`FrameScaler`, sees the training segments only. A
      track's genre is the vote of its segments, each judged by the model that did not
      learn from it; folds have no tracks and therefore a segment accuracy only.
    - A model whose ``fit`` takes ``groups``, a search whose ``cv`` does, or a pipeline with such
      a step, learns with the artists of the training tracks where they are known. Other models
      that hold one inside get them by metadata routing, on request.
    - A fold in ``checkpoint`` is known by its rows, by the data (files by path, size and
      time of change), and by all parameters of the pipeline but ``n_jobs``, ``memory``,
      ``bytes_limit`` and ``verbose``; and by the versions of the libraries. The code of
      estimators is known by its version only: empty the folder after editing it.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.

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
    material = prepare(pipeline, dataset)
    return run(material, protocol, n_folds, n_bootstrap, random_state, checkpoint)


def run(
    material: Material,
    protocol: Any,
    n_folds: int,
    n_bootstrap: int,
    random_state: Any,
    checkpoint: str | os.PathLike[str] | None,
) -> EvaluationResult:
    """Evaluate checked material."""
    divided = plan(material, protocol, n_folds, random_state)
    outcomes = run_folds(material, divided, checkpoint)
    (seed,) = draw_seeds(random_state, 1)
    settings = {"n_folds": n_folds, "n_bootstrap": n_bootstrap, "random_state": repr(random_state)}
    gather = _gather_segments if divided.by_segment else _gather_tracks
    rows, judged, n_segments = gather(material, outcomes)
    return _summarise(
        material,
        divided,
        outcomes,
        rows,
        judged,
        n_segments=n_segments,
        feature_time=material.feature_time,
        settings=settings,
        resamples=bootstrap_weights(material.units[rows], n_bootstrap, seed)
        if n_bootstrap
        else None,
    )


def _gather_tracks(
    material: Material, outcomes: list[dict[str, Any]]
) -> tuple[Array, dict[str, Any], int | None]:
    """Put the folds' tracks into the order of the data set."""
    test = np.concatenate([outcome["test"] for outcome in outcomes])
    order = np.argsort(test)
    predicted = [label for outcome in outcomes for label in outcome["predicted"]]
    folds = [outcome["fold"] for outcome in outcomes for _ in outcome["test"]]
    judged: dict[str, Any] = {
        "fold": [folds[i] for i in order],
        "predicted": [predicted[i] for i in order],
        "proba": None,
        "segment_share": None,
    }
    if all(outcome["proba"] is not None for outcome in outcomes):
        judged["proba"] = np.concatenate([_widen(material.y, o) for o in outcomes])[order]
    if all(outcome["segment_share"] is not None for outcome in outcomes):
        shares = np.concatenate([outcome["segment_share"] for outcome in outcomes])
        judged["segment_share"] = shares[order]
    return test[order], judged, outcomes[0].get("n_segments")


def _gather_segments(
    material: Material, outcomes: list[dict[str, Any]]
) -> tuple[Array, dict[str, Any], int | None]:
    """Let the segments of each track vote, each judged by the model that did not learn it."""
    order = np.argsort(np.concatenate([outcome["test"] for outcome in outcomes]))
    n_tracks = len(material.y)
    proba = np.concatenate([_widen(material.y, o) for o in outcomes])[order]
    proba = proba.reshape(n_tracks, -1, proba.shape[1])  # (n_tracks, n_segments, n_classes)
    shares = np.concatenate([outcome["segment_share"] for outcome in outcomes])[order]
    voting = getattr(final_classifier(material.model), "voting", "soft")
    voted = vote(proba, "hard" if voting == "hard" else "soft").astype(float)
    judged = {
        "fold": None,
        "predicted": np.unique(material.y)[voted.argmax(axis=1)].tolist(),
        "proba": voted,
        "segment_share": shares.reshape(n_tracks, -1).mean(axis=1),
    }
    return np.arange(n_tracks), judged, proba.shape[1]


def _widen(y: Array, outcome: dict[str, Any]) -> Array:
    """Give a fold's probabilities a column for each genre, also for those it never saw."""
    classes = np.unique(y).tolist()
    proba = np.zeros((len(outcome["test"]), len(classes)))
    proba[:, [classes.index(genre) for genre in outcome["classes"]]] = outcome["proba"]
    return proba


def _summarise(
    material: Material,
    divided: Plan,
    outcomes: list[dict[str, Any]],
    rows: Array,
    judged: dict[str, Any],
    *,
    n_segments: int | None,
    feature_time: float,
    settings: dict[str, Any],
    resamples: Array | None,
) -> EvaluationResult:
    classes, codes = np.unique(material.y, return_inverse=True)
    codes = codes[rows]
    known = classes.tolist()
    labels = known + sorted({label for label in judged["predicted"] if label not in known})
    predicted = np.array([labels.index(label) for label in judged["predicted"]])
    shares, proba = judged["segment_share"], judged["proba"]

    def measure(weights: Array) -> dict[str, Array]:
        return weighted_metrics(codes, predicted, proba, shares, weights)

    point = measure(np.ones((1, len(rows))))
    spread = {} if resamples is None else measure(resamples)
    folds = []
    for outcome in outcomes:
        fold: dict[str, Any] = {name: outcome[name] for name in ("fold", "n_train")}
        fold |= {"n_test": len(outcome["test"]), **dict.fromkeys(METRICS), "confusion": None}
        if divided.by_segment:
            fold["segment_accuracy"] = float(np.mean(outcome["segment_share"]))
        else:
            member = np.array(judged["fold"]) == outcome["fold"]
            found = measure(member[np.newaxis].astype(float))
            fold |= {name: float(value[0]) for name, value in found.items()}
            fold["confusion"] = _confusion(codes[member], predicted[member], len(labels))
        fold |= {name: outcome[name] for name in ("fit_time", "predict_time")}
        folds.append(fold)
    return EvaluationResult(
        protocol=divided.name,
        classes=known,
        labels=labels,
        tracks={
            "track": [material.ids[row] for row in rows],
            "genre": material.y[rows].tolist(),
            "artist": None if material.artists is None else material.artists[rows].tolist(),
            "fold": judged["fold"],
            "predicted": judged["predicted"],
            "proba": None if proba is None else proba.tolist(),
            "segment_accuracy": None if shares is None else shares.tolist(),
        },
        folds=folds,
        overall={
            name: estimate(point[name][0], spread.get(name)) for name in METRICS if name in point
        },
        confusion=_confusion(codes, predicted, len(labels)),
        unit="track" if material.artists is None else "artist",
        n_segments=n_segments,
        feature_time=feature_time,
        settings=settings,
        parameters=_parameters(material.pipeline),
        environment=environment(),
    )


def _confusion(codes: Array, predicted: Array, n_labels: int) -> list[list[int]]:
    matrix = np.zeros((n_labels, n_labels), dtype=int)
    np.add.at(matrix, (codes, predicted), 1)
    return matrix.tolist()


def _parameters(pipeline: Any) -> dict[str, str]:
    """Return the parameters that are no steps themselves, as they print."""

    def is_step(value: Any) -> bool:
        if isinstance(value, (list, tuple)):
            return any(is_step(item) for item in value)
        return isinstance(value, BaseEstimator)

    params = sorted(pipeline.get_params(deep=True).items())
    shown = {name: repr(value) for name, value in params if not is_step(value)}
    return {"class": type(final_classifier(pipeline)).__name__, **shown}
