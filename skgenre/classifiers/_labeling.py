"""Which tracks to label next."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from skgenre.utils._warnings import NO_SOUND, gather_track_warnings, warn_of_tracks

Array = NDArray[np.float64]

STRATEGIES = ("margin", "disagreement")
# A batch is chosen among this many times as many tracks.
_SHORTLIST = 3


def rank_for_labeling(
    model: Any, X: Any, *, strategy: str = "margin", batch_size: int | None = None
) -> NDArray[np.intp]:
    """Order unlabelled tracks by how much a model would learn from their labels.

    Parameters
    ----------
    model : classifier, Pipeline or search
        Fitted on the tracks that have labels; with ``predict_proba``.
    X : sequence of n_tracks tracks
        Tracks without labels, as the model takes them.
    strategy : {"margin", "disagreement"}, default="margin"
        "margin" begins with the tracks whose two most probable genres are nearly as probable as
        each other. "disagreement" begins with those on which the members of a
        :class:`GenreClassifier` disagree most, by the Jensen-Shannon divergence of their
        probabilities.
    batch_size : int or None, default=None
        Number of tracks that get labels before the model is fitted again. The first ``batch_size``
        rows are then chosen to differ among the three times as many most informative ones: each is
        the one that is least similar to those before, by the kernel of a :class:`GenreClassifier`.
        None orders by information alone, and may put near copies side by side.

    Returns
    -------
    order : ndarray of shape (n_tracks,), int
        Rows of X, the most informative first. Tracks without sound come last.

    Raises
    ------
    ValueError
        If the strategy or the batch size is invalid, or it is "disagreement" and the model has one
        member.
    TypeError
        If the model has no probabilities, or it is no GenreClassifier, or no pipeline that ends in
        one, where "disagreement" or ``batch_size`` need it.

    Warns
    -----
    NoSoundWarning
        If tracks have no sound.

    See Also
    --------
    GenreClassifier : Has two members where ``fit`` gets artists.

    References
    ----------
    .. [1] B. Settles, "Active learning literature survey", University of Wisconsin-Madison, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skgenre import rank_for_labeling
    >>> model = LogisticRegression().fit([[0.0], [10.0]], ["calm", "loud"])
    >>> rank_for_labeling(model, [[0.0], [5.5], [8.0]])
    array([1, 2, 0])
    """
    if strategy not in STRATEGIES:
        raise ValueError(
            f"strategy={strategy!r} must be one of {', '.join(map(repr, STRATEGIES))}."
        )
    if batch_size is not None and (not isinstance(batch_size, Integral) or batch_size < 1):
        raise ValueError(f"batch_size={batch_size!r} must be an int of 1 or more, or None.")
    with gather_track_warnings() as found:
        classifier, X = _split(model, X)
        proba = _probabilities(classifier, X)
        silent = np.zeros(len(proba), dtype=bool)
        if any(warning.problem == NO_SOUND[0] for warning in found):
            # All genres have the same probability, which would look most uncertain.
            silent = proba.max(axis=1) == proba.min(axis=1)
        gain = _closeness(proba) if strategy == "margin" else _disagreement(classifier, X)
        order = np.argsort(np.where(silent, np.inf, -gain), kind="stable")
        if batch_size is not None and not silent.all():
            short = order[: min(_SHORTLIST * int(batch_size), np.count_nonzero(~silent))]
            chosen = short[_apart(_similarities(classifier, X, short), int(batch_size))]
            order = np.concatenate([chosen, order[~np.isin(order, chosen)]])
    warn_of_tracks([*dict.fromkeys(found)])
    return order


def _split(model: Any, X: Any) -> tuple[Any, Any]:
    """Return the classifier at the end of a pipeline or search, and what it predicts from."""
    model = getattr(model, "best_estimator_", model)
    if not isinstance(model, Pipeline):
        return model, X
    return _split(model[-1], model[:-1].transform(X) if len(model) > 1 else X)


def _probabilities(classifier: Any, X: Any) -> Array:
    if not hasattr(classifier, "predict_proba"):
        raise TypeError(
            f"{type(classifier).__name__} has no predict_proba; give a classifier that predicts "
            "probabilities, such as GenreClassifier."
        )
    return np.asarray(classifier.predict_proba(X))


def _closeness(proba: Array) -> Array:
    """Return by how little the most probable class is ahead, as a number up to 0."""
    second, first = np.partition(proba, -2, axis=1)[:, -2:].T
    return second - first


def _disagreement(classifier: Any, X: Any) -> Array:
    """Return the Jensen-Shannon divergence of the members' probabilities."""
    if not hasattr(classifier, "predict_member_proba"):
        raise TypeError(
            f"{type(classifier).__name__} has no members that could disagree; give a "
            "GenreClassifier, or strategy='margin'."
        )
    members = classifier.predict_member_proba(X)
    if len(members) < 2:
        raise ValueError(
            f"The model has only the member {next(iter(members))!r}, which cannot disagree; fit "
            "it with groups, the artist of each track, or give strategy='margin'."
        )
    each = np.stack(list(members.values()))
    return rel_entr(each, each.mean(axis=0)).sum(axis=2).mean(axis=0)


def _similarities(classifier: Any, X: Any, rows: NDArray[np.intp]) -> Array:
    if not hasattr(classifier, "_similarities"):
        raise TypeError(
            f"batch_size needs a GenreClassifier, which compares tracks; got "
            f"{type(classifier).__name__}. Leave batch_size out."
        )
    return classifier._similarities(_safe_indexing(X, rows))


def _apart(similarities: Array, n: int) -> list[int]:
    """Choose n of some tracks: the first, then always the one least similar to those chosen."""
    chosen = [0]
    nearest = similarities[0].copy()
    while len(chosen) < min(n, len(similarities)):
        nearest[chosen[-1]] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, similarities[chosen[-1]])
    return chosen
