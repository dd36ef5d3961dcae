"""The machines of GenreClassifier as a graph, from features to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from skgenre.onnx._graph import Graph, Value
from skgenre.preprocessing import ArtistWhitening, GroupKernel, GroupScaler
from skgenre.utils._probabilities import (
    MIN_PROBABILITY,
    TRACK_AND_EXCERPTS,
    power_of_members,
)

if TYPE_CHECKING:
    import onnx

    from skgenre.classifiers import GenreClassifier, PairwiseCalibratedClassifier

Double = NDArray[np.float64]


def genre_classifier_graph(model: GenreClassifier) -> onnx.ModelProto:
    """Return a fitted GenreClassifier as a graph, from the table of its front end to genres.

    Parameters
    ----------
    model : GenreClassifier
        Fitted. The graph is for the ``n_excerpts`` that it has now.

    Returns
    -------
    graph : onnx.ModelProto
        With the input "features", (n_tracks, n_columns) float32, the table of the front end, and
        the output "probabilities", (n_tracks, n_classes) float64, columns in the order of
        ``classes_``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ImportError
        If the model has the member "cnn" and TensorFlow is not installed.
    """
    check_is_fitted(model)
    columns = _columns(model)
    graph = Graph("GenreClassifier")
    n_columns = sum(view.stop - view.start for view in columns.values())
    table = graph.input("features", np.float32, ("n_tracks", n_columns))
    views = ["track", *(f"excerpt{i}" for i in range(model.n_excerpts))]
    has_sound = [table[:, columns[f"sound__{view}"]] > 0 for view in views]  # (n_tracks, 1) each
    # All views of the tracks are predicted together: (n_views * n_tracks, n_columns).
    clips = [_features_of(table, columns, view) for view in views if f"clip__{view}" in columns]
    rows: Any = graph.Concat(*clips, axis=0) if clips else None
    votes = []
    for name, member in model.members_.items():
        if name == "cnn":  # which has no excerpts
            proba = _network_proba(table[:, columns["spectrogram__track"]], member)
            votes.append(_vote_of_excerpts(proba, has_sound[:1]))
        else:
            votes.append(_vote_of_excerpts(_calibrated_proba(rows, member), has_sound))
    power = power_of_members(
        len(model.track_genres_),
        len(model.classes_),
        has_embeddings="embeddings__track" in columns,
    )
    graph.output("probabilities", _geometric_mean(votes, power=power))
    return graph.model()


def front_end_of(model: GenreClassifier) -> Any:
    """Return the front end of a fitted classifier, with the excerpts that prediction takes.

    Parameters
    ----------
    model : GenreClassifier
        Fitted.

    Returns
    -------
    front_end : PerTrack
        Not fitted; it keeps nothing in memory. Its settings are those of ``fit``, but for excerpts.
    """
    front_end = clone(model.front_end_)
    kinds = ("clip", "embeddings", "sound")
    n_excerpts = {f"features__{kind}__n_excerpts": model.n_excerpts for kind in kinds}
    known = front_end.get_params()
    given = {name: n for name, n in n_excerpts.items() if name in known}
    return front_end.set_params(**given, memory=None)


def _columns(model: GenreClassifier) -> dict[str, slice]:
    """Return where the table has each view, by the beginning of its columns' names."""
    columns = front_end_of(model).get_feature_names_out()
    views = np.array(["__".join(column.split("__", 2)[:2]) for column in columns])
    found = zip(*np.unique(views, return_index=True, return_counts=True), strict=True)
    return {str(view): slice(int(start), int(start + n)) for view, start, n in found}


def _features_of(table: Value, columns: dict[str, slice], view: str) -> Value:
    """Return what all members but the network take: (n_tracks, n_columns)."""
    found = [columns.get(f"{kind}__{view}") for kind in ("clip", "embeddings")]
    return table.graph.Concat(*[table[:, part] for part in found if part], axis=1)


def _network_proba(X: Value, member: Any) -> Value:
    """Return the probabilities of the network on flat spectrograms: (n_tracks, n_classes)."""
    from skgenre.onnx._networks import network_graph

    network = member[-1]
    n_mels = network.segment_shape_[-1]
    frames = X.reshape(-1, X.shape[1] // n_mels, n_mels)  # (n_tracks, n_frames, n_mels)
    proba = X.graph.inline(network_graph([], network, frames.shape), features=frames)
    return proba["probabilities"].astype(np.float64)


def _vote_of_excerpts(proba: Value, has_sound: Sequence[Value]) -> Value:
    """Return the probabilities from the whole tracks and their excerpts, which come after them."""
    graph, (_, n_classes) = proba.graph, proba.shape
    by_view = proba.reshape(len(has_sound), -1, n_classes)
    whole, *excerpts = (by_view[i : i + 1].reshape(-1, n_classes) for i in range(len(has_sound)))
    vote = whole
    if excerpts:
        # An excerpt without sound has nothing to add to the whole track.
        heard = map(graph.Where, has_sound[1:], excerpts, [whole] * len(excerpts))
        vote = _geometric_mean([whole, _sum(heard) / len(excerpts)], TRACK_AND_EXCERPTS)
    return graph.Where(has_sound[0], vote, 1 / n_classes)


def _geometric_mean(
    answers: Sequence[Value], weights: Sequence[float] | None = None, *, power: float = 1.0
) -> Value:
    weights = [1.0] * len(answers) if weights is None else weights
    log = answers[0].graph.Log
    logs = [w * log(p + MIN_PROBABILITY) for w, p in zip(weights, answers, strict=True)]
    proba = answers[0].graph.Exp(_sum(logs) * (power / sum(weights)))
    return proba / proba.sum(axis=1, keepdims=True)


def _calibrated_proba(X: Value, model: PairwiseCalibratedClassifier) -> Value:
    """Return the probabilities of the classes: (n_tracks, n_columns) to (n_tracks, n_classes)."""
    graph, n_classes = X.graph, len(model.classes_)
    first, second = np.triu_indices(n_classes, 1)
    offsets = model.offsets_[first] - model.offsets_[second]
    of_first = graph.Sigmoid(_pair_scores(X, model.estimator_) * model.slopes_ + offsets)
    of_first = graph.Clip(of_first, MIN_PROBABILITY, 1 - MIN_PROBABILITY)  # (n_tracks, n_pairs)
    n_pairs = len(first)
    # r[i, j] is the probability of class i against class j, and 0 where they are the same.
    place = np.full((n_classes, n_classes), 2 * n_pairs)
    place[first, second] = np.arange(n_pairs)
    place[second, first] = np.arange(n_pairs) + n_pairs
    r = graph.Concat(of_first, 1 - of_first, 0 * of_first[:, :1], axis=1)[:, place]
    return _couple(r, n_classes)


def _couple(r: Value, n_classes: int) -> Value:
    """Return the probabilities of classes from those of pairs: (n, k, k) to (n, k).

    They minimise p Q p, the sum over pairs of (r_ji p_i - r_ij p_j) squared, where the sum of p
    is 1. There (sum of p) squared is a constant, which adds 1 to all elements of Q, and makes it
    positive definite: p is what solves (Q + 1) p = 1, but for its sum. It is found by Gauss-Jordan
    elimination, which is stable without pivoting for such a matrix.
    """
    graph = r.graph
    unit = np.eye(n_classes)
    Q = unit * (r**2).sum(axis=1, keepdims=True) - r * graph.Transpose(r, perm=[0, 2, 1])
    system = graph.Pad(Q, [0, 0, 0, 0, 0, 1]) + 1  # the last column is the right-hand side
    for i in range(n_classes):
        column, rest = system[:, :, :1], system[:, :, 1:]
        pivot_row = rest[:, i : i + 1] / column[:, i : i + 1]
        system = rest - (column - unit[:, i : i + 1]) * pivot_row
    p = system.reshape(-1, n_classes)
    return p / p.sum(axis=1, keepdims=True)


def _pair_scores(X: Value, pipeline: Any) -> Value:
    """Return the score of each pair of classes, positive in favour of its first class."""
    *steps, classifier = pipeline.named_steps.values()
    weights, offsets = _weights_of_pairs(classifier)
    for step in steps:
        if isinstance(step, GroupKernel):
            if step.normalization_ is not None:
                weights = step.normalization_.T @ weights
            # Of the tracks of fit, those suffice that a pair takes for support.
            used = weights.any(axis=1)
            X, weights = _similarities(X, step, step.X_fit_[used]), weights[used]
        else:
            X = {GroupScaler: _scale, ArtistWhitening: _whiten}[type(step)](X, step)
    return X.astype(np.float64) @ weights + offsets


def _weights_of_pairs(classifier: Any) -> tuple[Double, Double]:
    """Return the matrix and the offsets that make scores of pairs of what a classifier takes."""
    first, second = np.triu_indices(len(classifier.classes_), 1)
    if not isinstance(classifier, SVC):  # linear
        coef = np.asarray(classifier.coef_, dtype=np.float64)
        intercept = np.asarray(classifier.intercept_, dtype=np.float64)
        if len(coef) == 1:  # of two classes, where positive scores are for the second
            return -coef.T, -intercept
        return (coef[first] - coef[second]).T, intercept[first] - intercept[second]
    # Column c of the coefficients is a track of class i; they are for i against the other classes.
    of_class = np.repeat(np.arange(len(classifier.n_support_)), classifier.n_support_)
    weights = np.zeros((classifier.shape_fit_[0], len(first)))
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        for one, row in ((i, j - 1), (j, i)):
            tracks = classifier.support_[of_class == one]
            weights[tracks, pair] = classifier.dual_coef_[row, of_class == one]
    sign = -1 if len(first) == 1 else 1  # likewise
    return sign * weights, sign * classifier.intercept_


def _scale(X: Value, scaler: GroupScaler) -> Value:
    scaled = (X.astype(np.float64) - scaler.mean_) / scaler.scale_
    clipped = X.graph.Clip(scaled, -scaler.clip, scaler.clip)
    return (clipped * scaler.weights_).astype(X.dtype)


def _whiten(X: Value, whitening: ArtistWhitening) -> Value:
    # In a member it always has artists, and keeps the columns.
    assert whitening.projections_ is not None
    assert whitening.components_ is not None
    centred = X.astype(np.float64) - whitening.mean_
    groups = list(whitening.columns_.values())
    parts = [
        centred[:, columns] @ projection @ components.T
        for columns, projection, components in zip(
            groups, whitening.projections_, whitening.components_, strict=True
        )
    ]
    whitened = X.graph.Concat(*parts, axis=1)[:, np.argsort(np.concatenate(groups))]
    return whitened.astype(X.dtype)


def _similarities(X: Value, kernel: GroupKernel, Z: NDArray[Any]) -> Value:
    """Return the mean over groups of exp(-gamma |x - z|^2 / scale): (n_tracks, n_fit)."""
    A, weights = X.astype(np.float64), kernel.group_weights_
    if not weights.any():  # all tracks of fit are the same in the groups that were to count
        weights = np.ones(len(weights))
    # In a group in which all tracks of fit are the same, so is every other one.
    scales = np.where(np.isnan(kernel.scales_), np.inf, kernel.scales_)
    groups = [
        X.graph.Exp(-kernel.gamma / scale * _squares(A[:, columns], Z[:, columns])) * weight
        for columns, scale, weight in zip(kernel.columns_.values(), scales, weights, strict=True)
        if weight
    ]
    return _sum(groups) / weights.sum()


def _squares(A: Value, B: NDArray[Any]) -> Value:
    """Return squared distances of rows, in float64: float32 would round small ones to noise."""
    # In float32, as in the model, B takes half the space in the file.
    product = A @ A.graph.constant(B.T).astype(np.float64)
    square_of_b = np.square(B, dtype=np.float64).sum(axis=1)
    return (A**2).sum(axis=1, keepdims=True) + square_of_b - 2 * product


def _sum(values: Any) -> Value:
    first, *others = values
    for value in others:
        first = first + value
    return first
