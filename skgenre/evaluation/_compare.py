"""Two models on the same tracks: which is better, if any."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, validate_params

from skgenre.evaluation._metrics import CONFIDENCE, bootstrap_weights, estimate
from skgenre.evaluation._result import EvaluationResult
from skgenre.utils._random import draw_seeds
from skgenre.utils._records import Record, markdown_table

Array = NDArray[Any]


@dataclass(frozen=True)
class Comparison(Record):
    """What :func:`skgenre.compare` found.

    Attributes
    ----------
    n_tracks : int
        Tracks that both models judged.
    accuracy_a, accuracy_b : float
        Track accuracies.
    difference : dict of str to float
        ``value``, the accuracy of A less that of B, and the ends of its interval, ``low``
        and ``high``.
    only_a, only_b : int
        Tracks that A alone, or B alone, has right.
    p_value : float
        Of the exact McNemar test, two-sided.
    unit : {"artist", "track"}
        What the bootstrap draws.
    """

    _format: ClassVar[str] = "skgenre-comparison-1"

    n_tracks: int
    accuracy_a: float
    accuracy_b: float
    difference: dict[str, float | None]
    only_a: int
    only_b: int
    p_value: float
    unit: str

    def to_markdown(self) -> str:
        """Return the comparison as a table in Markdown.

        Returns
        -------
        table : str
            Two columns: what, and its value.
        """
        low, high = self.difference["low"], self.difference["high"]
        per_cent = f"{CONFIDENCE:.0%}".replace("%", " %")
        rows = [
            ["accuracy of A", f"{self.accuracy_a:.3f}"],
            ["accuracy of B", f"{self.accuracy_b:.3f}"],
            ["A less B", f"{self.difference['value']:+.3f}"],
            [f"{per_cent} interval, by {self.unit}", f"{low:+.3f} to {high:+.3f}"],
            ["right in A alone", str(self.only_a)],
            ["right in B alone", str(self.only_b)],
            ["p (McNemar, exact)", f"{self.p_value:.2g}"],
        ]
        return markdown_table([f"{self.n_tracks} tracks", ""], rows)


@validate_params(
    {
        "result_a": [EvaluationResult],
        "result_b": [EvaluationResult],
        "n_bootstrap": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare(
    result_a: EvaluationResult,
    result_b: EvaluationResult,
    *,
    n_bootstrap: int = 10000,
    random_state: Any = 0,
) -> Comparison:
    """Compare two models, track by track.

    Parameters
    ----------
    result_a, result_b : skgenre.evaluation.EvaluationResult
        What :func:`evaluate` found on the same tracks.
    n_bootstrap : int, default=10000
        Resamples behind the interval.
    random_state : int, RandomState instance or None, default=0
        Decides the resamples.

    Returns
    -------
    comparison : skgenre.evaluation.Comparison
        Both accuracies, their difference with its interval, and the p-value.

    Raises
    ------
    ValueError
        If the two have not judged the same tracks with the same genres.

    Warns
    -----
    UserWarning
        If the two were judged under different protocols, so that the difference is not of
        the models alone.

    Notes
    -----
    Both accuracies vary with the tracks, and mostly together; their difference varies less
    than two separate intervals suggest. McNemar's test [1]_ asks of the tracks that one
    model alone has right whether they could be a fair coin's; it takes tracks as
    independent. The interval holds 95 % of bootstrap resamples, of artists where they are
    known: where artists have many tracks, it is the one to go by. Neither knows of the
    chance in training, so that another seed may give another answer.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated
       proportions or percentages", Psychometrika 12, 1947.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, compare, evaluate
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 30)
    >>> X = rng.normal(size=(60, 6)) + 0.6 * (y == "loud")[:, np.newaxis]
    >>> one = FusionKNeighborsClassifier(n_neighbors=1)
    >>> many = FusionKNeighborsClassifier(n_neighbors=15)
    >>> a, b = (evaluate(m, (X, y), protocol="track-random") for m in (many, one))
    >>> comparison = compare(a, b)
    >>> comparison.only_a, comparison.only_b
    (11, 6)
    >>> round(comparison.p_value, 2)
    0.33
    """
    from scipy.stats import binomtest

    rows_a, rows_b = _same_tracks(result_a, result_b)
    if result_a.protocol != result_b.protocol:
        warnings.warn(
            f"The results were judged under different protocols, {result_a.protocol!r} and "
            f"{result_b.protocol!r}: the difference is not of the models alone.",
            UserWarning,
            stacklevel=2,
        )
    right_a = track_hits(result_a)[rows_a]
    right_b = track_hits(result_b)[rows_b]
    only_a = int((right_a > right_b).sum())
    only_b = int((right_b > right_a).sum())
    n_different = only_a + only_b
    (seed,) = draw_seeds(random_state, 1)
    weights = bootstrap_weights(units_of(result_a)[rows_a], n_bootstrap, seed)
    return Comparison(
        n_tracks=len(rows_a),
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        difference=paired_difference(right_a, right_b, weights),
        only_a=only_a,
        only_b=only_b,
        p_value=float(binomtest(only_a, n_different).pvalue) if n_different else 1.0,
        unit=result_a.unit,
    )


def track_hits(result: EvaluationResult) -> Array:
    """Return 1 for each track that is right, 0 for the others."""
    pairs = zip(result.tracks["genre"], result.tracks["predicted"], strict=True)
    return np.array([genre == predicted for genre, predicted in pairs], dtype=float)


def units_of(result: EvaluationResult) -> Array:
    """Return what the bootstrap draws: the artist of each track, or the track."""
    artists = result.tracks["artist"]
    return np.arange(result.n_tracks) if artists is None else np.array(artists)


def paired_difference(a: Array, b: Array, weights: Array | None) -> dict[str, float | None]:
    """Return the mean of a less that of b, with its interval."""
    gap = a - b
    resampled = None if weights is None else weights @ gap / weights.sum(axis=1)
    return estimate(gap.mean(), resampled)


def _same_tracks(a: EvaluationResult, b: EvaluationResult) -> tuple[Array, Array]:
    """Return the rows of both results in one order of the tracks."""
    names_a, names_b = a.tracks["track"], b.tracks["track"]
    if names_a == names_b:  # also where a name comes twice
        rows_a = rows_b = np.arange(len(names_a))
    else:
        only_a, only_b = set(names_a) - set(names_b), set(names_b) - set(names_a)
        if only_a or only_b or len(names_a) != len(names_b):
            example = f", such as {min(only_a | only_b)}" if only_a or only_b else ""
            raise ValueError(
                f"The results are of different tracks: {len(names_a)} and {len(names_b)}, of which "
                f"{len(only_a)} and {len(only_b)} are not in the other{example}. Evaluate both "
                "models on the same data set and protocol."
            )
        rows_a, rows_b = np.argsort(names_a, kind="stable"), np.argsort(names_b, kind="stable")
    genres_a = [a.tracks["genre"][row] for row in rows_a]
    genres_b = [b.tracks["genre"][row] for row in rows_b]
    different = [
        i for i, pair in enumerate(zip(genres_a, genres_b, strict=True)) if len(set(pair)) > 1
    ]
    if different:
        first = different[0]
        raise ValueError(
            f"The results are of different tracks: {len(different)} have another genre in the "
            f"other, first {names_a[rows_a[first]]}: {genres_a[first]!r} and {genres_b[first]!r}."
        )
    return rows_a, rows_b
