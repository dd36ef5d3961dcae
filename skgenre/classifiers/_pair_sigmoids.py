"""Sigmoids of pairs of classes: their slopes and offsets, and the classes that follow from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from skgenre.utils._probabilities import MIN_PROBABILITY

Array = NDArray[Any]

_USUAL_LOG_SLOPE = np.log(2)
_OFFSET_PRECISION = 5.0
_ROWS_TOGETHER = 256


@np.errstate(under="ignore")  # what is too small to be a number is 0
def slopes(margins: list[Array]) -> Array:
    """Return the most probable slope of each pair's sigmoid."""
    every = np.concatenate(margins)
    # Where few tracks are left to learn from, the scores of a discriminant can be thousands.
    size = np.sqrt(np.square(every).mean()) if every.any() else 1.0
    common = _log_slope(every / size, _USUAL_LOG_SLOPE)
    return np.exp([_log_slope(margin / size, common) for margin in margins]) / size


def _log_slope(margins: Array, expected: float) -> float:
    """Return the most probable logarithm of a slope under a normal prior around a value."""

    def loss(log_slope: float) -> float:
        unlikely = np.logaddexp(0, -margins * np.exp(log_slope)).sum()
        return unlikely + (log_slope - expected) ** 2 / 2

    return float(minimize_scalar(loss, bounds=(expected - 4, expected + 4), method="bounded").x)


def balancing_offsets(scores: Array, codes: Array) -> Array:
    """Return how the offsets of classes change if all classes count the same.

    The scores of pairs are calibrated, with NaN where they are not known.
    """
    counts = np.bincount(codes)
    n_classes = len(counts)
    first, second = np.triu_indices(n_classes, 1)
    own, other, margins = [], [], []
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        for sign, one, another in ((1, i, j), (-1, j, i)):
            part = sign * scores[codes == one, pair]
            part = part[~np.isnan(part)]
            margins.append(part)
            own.append(np.full(len(part), one))
            other.append(np.full(len(part), another))
    sides = np.concatenate(own), np.concatenate(other), np.concatenate(margins)
    if not len(sides[0]):
        return np.zeros(n_classes)
    weights = np.full(len(sides[0]), 1 / (n_classes - 1))  # a track is in that number of pairs
    balanced = 1 / counts[sides[0]]
    balanced *= weights.mean() / balanced.mean()
    return _offsets(*sides, balanced, n_classes) - _offsets(*sides, weights, n_classes)


def _offsets(own: Array, other: Array, margins: Array, weights: Array, n_classes: int) -> Array:
    """Return the most probable offset of each class.

    ``margins`` says by how much a track is on the side of its own class, rather than the other.
    """

    def loss(offsets: Array) -> tuple[float, Array]:
        shifted = margins + offsets[own] - offsets[other]
        pull = weights * expit(-shifted)
        gradient = np.bincount(other, pull, n_classes) - np.bincount(own, pull, n_classes)
        unlikely = (weights * np.logaddexp(0, -shifted)).sum()
        prior = _OFFSET_PRECISION * (offsets @ offsets) / 2
        return unlikely + prior, gradient + _OFFSET_PRECISION * offsets

    return minimize(loss, np.zeros(n_classes), jac=True, method="L-BFGS-B").x


def temperature(scores: Array, codes: Array, n_classes: int) -> float:
    """Return the factor of the pairs' scores that makes the classes of the tracks most likely."""
    if not len(codes):
        return 1.0

    def loss(log_factor: float) -> float:
        proba = class_proba(scores * np.exp(log_factor), n_classes)
        likelihood = proba[np.arange(len(codes)), codes]
        return -np.log(likelihood + MIN_PROBABILITY).sum() + log_factor**2 / 2

    return float(np.exp(minimize_scalar(loss, bounds=(-1, 1), method="bounded").x))


def class_proba(scores: Array, n_classes: int) -> Array:
    """Return the probabilities of classes from the calibrated scores of pairs."""
    of_first = np.clip(expit(scores), MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    first, second = np.triu_indices(n_classes, 1)
    r = np.full((len(scores), n_classes, n_classes), 0.5)
    r[:, first, second] = of_first
    r[:, second, first] = 1 - of_first
    return _couple(r)


def _couple(r: Array) -> Array:
    """Return the probabilities of classes from those of pairs: (n, k, k) to (n, k)."""
    k = r.shape[1]
    out = np.empty(r.shape[:2])
    for start in range(0, len(r), _ROWS_TOGETHER):
        rows = r[start : start + _ROWS_TOGETHER]
        # The minimum of p Q p over all p whose sum is one, by a Lagrange multiplier.
        system = np.ones((len(rows), k + 1, k + 1))
        system[:, :k, :k] = -rows * rows.transpose(0, 2, 1)
        diagonal = np.arange(k)
        squares = rows**2
        squares[:, diagonal, diagonal] = 0
        system[:, diagonal, diagonal] = squares.sum(axis=1)
        system[:, k, k] = 0
        right = np.zeros((len(rows), k + 1, 1))
        right[:, k] = 1
        p = np.maximum(np.linalg.solve(system, right)[:, :k, 0], 0)
        out[start : start + _ROWS_TOGETHER] = p / p.sum(axis=1, keepdims=True)
    return out
