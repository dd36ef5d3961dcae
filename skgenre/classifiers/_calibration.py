"""From the scores of a machine to probabilities, learnt on tracks that it had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

Array = NDArray[Any]

_MIN_PROBABILITY = 1e-4
_USUAL_LOG_SLOPE = np.log(2)
_ROWS_TOGETHER = 256


def geometric_mean(answers: Sequence[Array], weights: Sequence[float] | None = None) -> Array:
    """Let several judges decide together.

    Parameters
    ----------
    answers : sequence of ndarray of shape (n, n_classes)
        The probabilities that each judge gives.
    weights : sequence of float, default=None
        How much each judge counts; None means all alike.

    Returns
    -------
    proba : ndarray of shape (n, n_classes)
        Rows sum to one. No judge can rule a class out: each probability counts as a ten
        thousandth more.
    """
    logs = np.log(np.stack(answers) + _MIN_PROBABILITY)
    proba = np.exp(np.average(logs, axis=0, weights=weights))
    return proba / proba.sum(axis=1, keepdims=True)


class Temperature:
    """One number by which the scores of all classes are divided.

    Parameters
    ----------
    n_classes : int
        Number of classes.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    """

    def __init__(self, n_classes: int):
        self.n_classes = self.n_scores = n_classes

    def spread(self, scores: Array, classes: Array) -> Array:
        """Bring the scores of some classes to a column for each; NaN for the others."""
        if scores.ndim == 1:  # two classes have one score
            scores = np.stack([-scores, scores], axis=1)
        out = np.full((len(scores), self.n_classes), np.nan)
        out[:, classes] = scores
        return out

    def fit(self, scores: Array, codes: Array) -> Self:
        """Find the temperature with the highest likelihood of the true classes.

        Parameters
        ----------
        scores : ndarray of shape (n, n_classes)
            Scores of tracks; rows of NaN and those whose true class was not known to the
            machine do not count.
        codes : ndarray of shape (n,)
            The true classes.
        """
        known = ~np.isnan(scores[np.arange(len(codes)), codes])
        self.temperature_ = 1.0
        if known.any():
            scores, codes = scores[known], codes[known]
            # Where few tracks were left to learn from, scores can be thousands.
            spread = np.nanstd(scores - np.nanmean(scores, axis=1, keepdims=True)) or 1.0
            scores = _without_nan(scores / spread)

            def loss(log_temperature: float) -> float:
                logs = log_softmax(scores / np.exp(log_temperature), axis=1)
                return -logs[np.arange(len(codes)), codes].mean()

            found = minimize_scalar(loss, bounds=(-4, 4), method="bounded")
            self.temperature_ = float(spread * np.exp(found.x))
        return self

    def predict_proba(self, scores: Array) -> Array:
        """Return the probabilities: (n, n_classes)."""
        return softmax(_without_nan(scores) / self.temperature_, axis=1)


class Pairs:
    """A sigmoid for each pair of classes, and the probabilities that agree with all best.

    Where the score of a pair is 0 both its classes have the same chance: what the machine
    decides stays decided. A sigmoid that may also be shifted leans towards the genre that has
    more tracks, and over many pairs this costs the small genres.

    Parameters
    ----------
    n_classes : int
        Number of classes.

    Notes
    -----
    With the score s of a pair the probability of its first class is 1 / (1 + exp(-a s)), after
    [1]_ without its offset. The logarithm of the slope a is the most probable one where it is
    expected around that of all pairs together, give or take 1, and that one around the
    logarithm of 2: pairs of few tracks lean on the others.

    From these probabilities r of all pairs those of the classes follow by the second method of
    [2]_: p minimises the sum over pairs of (r_ji p_i - r_ij p_j) squared.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines and comparisons to
       regularized likelihood methods", 1999.
    .. [2] T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability estimates for multi-class
       classification by pairwise coupling", JMLR 2004.
    """

    def __init__(self, n_classes: int):
        self.n_classes = n_classes
        self.first, self.second = np.triu_indices(n_classes, 1)
        self.n_scores = len(self.first)

    def spread(self, scores: Array, classes: Array) -> Array:
        """Bring the scores of some pairs to a column for each; NaN for the others.

        A positive score speaks for the first class of its pair.
        """
        if scores.ndim == 1:  # of two classes scikit-learn has the second as the positive one
            scores = -scores[:, np.newaxis]
        place = np.full((self.n_classes, self.n_classes), -1)
        place[self.first, self.second] = np.arange(self.n_scores)
        i, j = np.triu_indices(len(classes), 1)
        out = np.full((len(scores), self.n_scores), np.nan)
        out[:, place[classes[i], classes[j]]] = scores
        return out

    def fit(self, scores: Array, codes: Array) -> Self:
        """Fit the sigmoid of each pair on the tracks of its two classes.

        Parameters
        ----------
        scores : ndarray of shape (n, n_pairs)
            Scores of tracks; NaN does not count.
        codes : ndarray of shape (n,)
            The true classes.
        """
        known = ~np.isnan(scores)
        # How clearly each track is put on its own side, pair by pair.
        margins = [
            np.concatenate(
                [
                    scores[known[:, pair] & (codes == i), pair],
                    -scores[known[:, pair] & (codes == j), pair],
                ]
            )
            for pair, (i, j) in enumerate(zip(self.first, self.second, strict=True))
        ]
        common = _log_slope(np.concatenate(margins), _USUAL_LOG_SLOPE)
        self.slope_ = np.exp([_log_slope(margin, common) for margin in margins])
        return self

    def predict_proba(self, scores: Array) -> Array:
        """Return the probabilities: (n, n_classes)."""
        r = np.full((len(scores), self.n_classes, self.n_classes), 0.5)
        of_pairs = expit(scores * self.slope_)
        of_pairs = np.clip(of_pairs, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
        r[:, self.first, self.second] = of_pairs
        r[:, self.second, self.first] = 1 - of_pairs
        return _coupled(r)


def _log_slope(margins: Array, expected: float) -> float:
    """Find the most probable logarithm of a sigmoid's slope, expected around some value."""

    def loss(log_slope: float) -> float:
        unlikely = np.logaddexp(0, -margins * np.exp(log_slope)).sum()
        return unlikely + (log_slope - expected) ** 2 / 2

    return float(minimize_scalar(loss, bounds=(expected - 4, expected + 4), method="bounded").x)


def _coupled(r: Array) -> Array:
    """Find the probabilities of classes from those of pairs: (n, k, k) to (n, k)."""
    k = r.shape[1]
    out = np.empty(r.shape[:2])
    for start in range(0, len(r), _ROWS_TOGETHER):
        part = r[start : start + _ROWS_TOGETHER]
        # The minimum of p Q p over all p whose sum is one, by a Lagrange multiplier.
        system = np.ones((len(part), k + 1, k + 1))
        system[:, :k, :k] = -part * part.transpose(0, 2, 1)
        diagonal = np.arange(k)
        squares = part**2
        squares[:, diagonal, diagonal] = 0
        system[:, diagonal, diagonal] = squares.sum(axis=1)
        system[:, k, k] = 0
        right = np.zeros((len(part), k + 1, 1))
        right[:, k] = 1
        p = np.maximum(np.linalg.solve(system, right)[:, :k, 0], 0)
        out[start : start + _ROWS_TOGETHER] = p / p.sum(axis=1, keepdims=True)
    return out


def _without_nan(scores: Array) -> Array:
    """Let a class that the machine does not know have no chance."""
    return np.where(np.isnan(scores), -1e9, scores)
