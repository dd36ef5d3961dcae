"""Two models on the same tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, validate_params

from skgenre.evaluation._metrics import bootstrap_weights, estimate, interval
from skgenre.evaluation._results import EvaluationResult, interval_title
from skgenre.utils._random import draw_seeds
from skgenre.utils._records import TableRecord, import_pandas, markdown_table
from skgenre.utils._warnings import warn_caller

Array = NDArray[Any]


@dataclass(frozen=True, repr=False)
class Comparison(TableRecord):
    """The result of :func:`skgenre.compare`.

    Attributes
    ----------
    names : list of str
        Names of the two models, A and B.
    n_tracks : int
        Tracks that both models predicted.
    accuracy_a, accuracy_b : float
        Track accuracies.
    difference : dict of str to float
        ``value``, the accuracy of A minus that of B, and the ends of its interval, ``low``
        and ``high``.
    only_a, only_b : int
        Tracks that only A, or only B, predicts right.
    p_value : float
        Of the exact McNemar test, two-sided.
    unit : {"artist", "track"}
        What the bootstrap resamples.
    differences : list of str
        Differences of the two evaluations besides the model, a sentence each: protocol, folds
        or artists. Empty if the comparison is fair.
    """

    _format: ClassVar[str] = "skgenre-comparison-1"

    names: list[str]
    n_tracks: int
    accuracy_a: float
    accuracy_b: float
    difference: dict[str, float | None]
    only_a: int
    only_b: int
    p_value: float
    unit: str
    differences: list[str]

    def to_frame(self) -> Any:
        """Return the comparison as a table of one row, to concatenate with others.

        Returns
        -------
        table : pandas.DataFrame
            The columns are ``model_a``, ``model_b``, ``n_tracks``, ``accuracy_a``,
            ``accuracy_b``, ``difference``, ``difference_low``, ``difference_high``,
            ``only_a``, ``only_b``, ``p_value``, ``unit`` and ``differences``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        values = asdict(self)
        model_a, model_b = values.pop("names")
        row: dict[str, Any] = {"model_a": model_a, "model_b": model_b}
        for name, value in values.items():
            if name == "difference":
                row |= {"difference": value["value"]}
                row |= {f"difference_{end}": value[end] for end in ("low", "high")}
            else:
                row[name] = " ".join(value) if name == "differences" else value
        return import_pandas().DataFrame([row])

    def to_markdown(self) -> str:
        """Return the comparison as a table in Markdown.

        Returns
        -------
        table : str
            Two columns, then a list of the ``differences``.
        """
        table = markdown_table(*self._cells())
        return "\n\n".join([table, *(f"- {text}" for text in self.differences)])

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        low, high = self.difference["low"], self.difference["high"]
        a, b = self.names
        rows = [
            [f"accuracy of {a}", f"{self.accuracy_a:.3f}"],
            [f"accuracy of {b}", f"{self.accuracy_b:.3f}"],
            [f"{a} minus {b}", f"{self.difference['value']:+.3f}"],
            [interval_title(self.unit), f"{low:+.3f} to {high:+.3f}"],
            [f"right only in {a}", str(self.only_a)],
            [f"right only in {b}", str(self.only_b)],
            ["p (McNemar, exact)", f"{self.p_value:.2g}"],
        ]
        return [f"{self.n_tracks} tracks", ""], rows


@validate_params(
    {
        "result_a": [EvaluationResult],
        "result_b": [EvaluationResult],
        "names": ["array-like", None],
        "n_bootstrap": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare(
    result_a: EvaluationResult,
    result_b: EvaluationResult,
    *,
    names: Sequence[str] | None = None,
    n_bootstrap: int = 10000,
    random_state: Any = 0,
) -> Comparison:
    """Compare two models, track by track.

    Parameters
    ----------
    result_a, result_b : skgenre.evaluation.EvaluationResult
        Results of :func:`evaluate` on the same tracks, in any order.
    names : sequence of two str or None, default=None
        Names of the models. None means the classes of the classifiers.
    n_bootstrap : int, default=10000
        Resamples for the interval.
    random_state : int, RandomState instance or None, default=0
        Seed of the resamples.

    Returns
    -------
    comparison : skgenre.evaluation.Comparison
        Both accuracies, their difference with its interval, the p-value, and the differences
        of the two evaluations besides the model.

    Raises
    ------
    ValueError
        If the two are of different tracks, or the same tracks have other genres.

    Warns
    -----
    UserWarning
        If the protocols, the folds or the artists differ, so that the models are not the
        only difference.

    Notes
    -----
    Tracks are paired by their paths, or if they are arrays by their contents. Tracks that come
    more than once are paired in their order.

    Both accuracies vary with the tracks, and mostly together; their difference varies less
    than two separate intervals suggest. McNemar's test [1]_ asks whether the tracks that only
    one model predicts right could be tosses of a fair coin; it assumes independent tracks. The
    interval holds 95 % of bootstrap resamples, of artists if they are known: if artists have
    many tracks, trust the interval. Both ignore variation between fold assignments and
    training seeds.

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
    >>> compare(a, b, names=("15 neighbours", "1 neighbour"))
    <Comparison>
    | 60 tracks                       |                  |
    | ---                             |             ---: |
    | accuracy of 15 neighbours       |            0.633 |
    | accuracy of 1 neighbour         |            0.550 |
    | 15 neighbours minus 1 neighbour |           +0.083 |
    | 95 % interval, by track         | -0.050 to +0.217 |
    | right only in 15 neighbours     |               11 |
    | right only in 1 neighbour       |                6 |
    | p (McNemar, exact)              |             0.33 |
    """
    from scipy.stats import binomtest

    names = _model_names(result_a, result_b) if names is None else [str(name) for name in names]
    if len(names) != 2:
        raise ValueError(f"names has {len(names)} entries; give one for each of the two models.")
    rows_a, rows_b = _same_tracks(result_a, result_b)
    differences = _differences(result_a, result_b, rows_a, rows_b)
    if differences:
        warn_caller(f"{' '.join(differences)} The models are not the only difference.")
    right_a = track_hits(result_a)[rows_a]
    right_b = track_hits(result_b)[rows_b]
    only_a = int((right_a > right_b).sum())
    only_b = int((right_b > right_a).sum())
    n_different = only_a + only_b
    (seed,) = draw_seeds(random_state, 1)
    weights = bootstrap_weights(bootstrap_units(result_a)[rows_a], n_bootstrap, seed)
    return Comparison(
        names=names,
        n_tracks=len(rows_a),
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        difference=paired_difference(right_a, right_b, weights),
        only_a=only_a,
        only_b=only_b,
        p_value=float(binomtest(only_a, n_different).pvalue) if n_different else 1.0,
        unit=result_a.unit,
        differences=differences,
    )


def track_hits(result: EvaluationResult) -> Array:
    """Return 1 for each track that is right, 0 for the others."""
    pairs = zip(result.tracks["genre"], result.tracks["predicted"], strict=True)
    return np.array([genre == predicted for genre, predicted in pairs], dtype=float)


def bootstrap_units(result: EvaluationResult) -> Array:
    """Return what the bootstrap resamples: the artist of each track, or the track."""
    artists = result.tracks["artist"]
    return np.arange(result.n_tracks) if artists is None else np.array(artists)


def paired_difference(a: Array, b: Array, weights: Array | None) -> dict[str, float | None]:
    """Return the mean of a minus that of b, with its interval."""
    gap = a - b
    if weights is None:
        return estimate(gap.mean(), None)
    return estimate(gap.mean(), interval(weights @ gap / weights.sum(axis=1)))


def pair_tracks(a: EvaluationResult, b: EvaluationResult) -> tuple[Array, Array]:
    """Return the rows of both results of the tracks that both have, in the order of a."""
    rows_b = {key: row for row, key in enumerate(_keys(b))}
    pairs = [(row, rows_b[key]) for row, key in enumerate(_keys(a)) if key in rows_b]
    rows = np.array(pairs, dtype=int).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def _keys(result: EvaluationResult) -> list[tuple[str, Any, int]]:
    """Identify each track by content or path; equal ones also by genre and occurrence."""
    contents = result.tracks.get("content") or [None] * result.n_tracks
    seen: dict[tuple[str, Any], int] = {}
    keys = []
    for name, content, genre in zip(
        result.tracks["track"], contents, result.tracks["genre"], strict=True
    ):
        key = (content or name, genre)
        seen[key] = seen.get(key, -1) + 1
        keys.append((*key, seen[key]))
    return keys


def _same_tracks(a: EvaluationResult, b: EvaluationResult) -> tuple[Array, Array]:
    """Return the rows of both results in one order of the tracks; refuse different tracks."""
    rows_a, rows_b = pair_tracks(a, b)
    if len(rows_a) == a.n_tracks == b.n_tracks:
        return rows_a, rows_b
    names = [
        {key[0]: (result.tracks["track"][row], key[1]) for row, key in enumerate(_keys(result))}
        for result in (a, b)
    ]
    others = [set(one) - set(other) for one, other in (names, names[::-1])]
    if not any(others) and a.n_tracks == b.n_tracks:
        key = next(key for key in names[0] if names[0][key][1] != names[1][key][1])
        name, genre = names[0][key]
        n_other = a.n_tracks - len(rows_a)
        raise ValueError(
            f"The results are of different tracks: {n_other} have another genre in the other, "
            f"first {name}: {genre!r} and {names[1][key][1]!r}."
        )
    examples = [
        names[side][key][0] for side in (0, 1) for key in names[side] if key in others[side]
    ]
    example = f", such as {examples[0]}" if examples else ""
    raise ValueError(
        f"The results are of different tracks: {a.n_tracks} and {b.n_tracks}, of which "
        f"{len(others[0])} and {len(others[1])} are not in the other{example}. Evaluate both "
        "models on the same data set and protocol."
    )


def _differences(
    a: EvaluationResult, b: EvaluationResult, rows_a: Array, rows_b: Array
) -> list[str]:
    """Return the differences of two evaluations besides the model."""
    found = []
    if a.protocol != b.protocol:
        found.append(f"The results are of different protocols, {a.protocol!r} and {b.protocol!r}.")
    elif _folds(a, rows_a) != _folds(b, rows_b):
        found.append("The results are of different folds.")
    artists = [
        None if r.tracks["artist"] is None else [r.tracks["artist"][row] for row in rows]
        for r, rows in ((a, rows_a), (b, rows_b))
    ]
    if artists[0] != artists[1]:
        found.append("The results name different artists; the interval uses those of the first.")
    return found


def _folds(result: EvaluationResult, rows: Array) -> Any:
    """Return a value that is equal for equal folds, in any order of folds and tracks."""
    n_train = {fold["fold"]: fold["n_train"] for fold in result.folds}
    if result.tracks["fold"] is None:
        # Which segment is in which fold is not kept; the settings and the order decide it.
        in_order = rows.tolist() == sorted(rows.tolist())
        return (result.settings["random_state"], sorted(n_train.values()), in_order)
    members: dict[int, list[int]] = {}
    for position, row in enumerate(rows):
        members.setdefault(result.tracks["fold"][row], []).append(position)
    return sorted((positions, n_train[fold]) for fold, positions in members.items())


def _model_names(a: EvaluationResult, b: EvaluationResult) -> list[str]:
    names = [result.parameters.get("class", "model") for result in (a, b)]
    return names if names[0] != names[1] else [f"{names[0]} A", f"{names[1]} B"]
