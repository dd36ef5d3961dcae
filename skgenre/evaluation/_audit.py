"""The same model under all protocols, and the inflation of the lenient ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import validate_parameter_constraints

from skgenre.duplicates import Duplicates
from skgenre.evaluation._compare import (
    bootstrap_units,
    pair_tracks,
    paired_difference,
    track_hits,
)
from skgenre.evaluation._evaluate import CONSTRAINTS, evaluate_task
from skgenre.evaluation._metrics import METRICS, bootstrap_weights
from skgenre.evaluation._protocols import PROTOCOLS, check_protocol, why_not_possible
from skgenre.evaluation._results import EvaluationResult, title
from skgenre.evaluation._task import EvaluationTask
from skgenre.utils._random import draw_seeds
from skgenre.utils._records import TableRecord, import_pandas, markdown_table

Array = NDArray[Any]

_INFLATED = ("segment_accuracy", "track_accuracy")


@dataclass(frozen=True, repr=False)
class AuditResult(TableRecord):
    """The result of :func:`skgenre.leakage_audit`.

    Attributes
    ----------
    results : dict of str to EvaluationResult
        For each protocol, the strictest last.
    strictest : str
        The protocol that the others are compared with.
    inflation : dict of str to dict
        For each protocol but the strictest, and each of "segment_accuracy" (if the model
        predicts segments) and "track_accuracy": how much higher it is than under the
        strictest, ``value``, and the ends of its interval, ``low`` and ``high``.
    skipped : dict of str to str
        The protocols that the data or the model do not allow, and the reason.
    """

    _format: ClassVar[str] = "skgenre-audit-1"
    _nested = {"results": EvaluationResult}

    results: dict[str, EvaluationResult]
    strictest: str
    inflation: dict[str, dict[str, dict[str, float | None]]]
    skipped: dict[str, str]

    @property
    def leaking(self) -> list[str]:
        """Protocols with an inflation whose whole interval is above zero.

        Each interval is above zero by chance in one of forty audits where nothing leaks.
        """
        return [
            protocol
            for protocol, found in self.inflation.items()
            if any(entry["low"] is not None and entry["low"] > 0 for entry in found.values())
        ]

    def to_frame(self) -> Any:
        """Return a table of the protocols.

        Returns
        -------
        table : pandas.DataFrame
            A row for each protocol: the tracks scored, each metric, and the inflation of
            both accuracies with its interval.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas()
        rows = []
        for protocol, result in self.results.items():
            row: dict[str, Any] = {"n_tracks": result.n_tracks}
            row |= {name: result.overall.get(name, {}).get("value") for name in METRICS}
            for name in _INFLATED:
                entry = self.inflation.get(protocol, {}).get(name, {})
                row[f"{name}_inflation"] = entry.get("value")
                row |= {f"{name}_inflation_{end}": entry.get(end) for end in ("low", "high")}
            rows.append(row)
        table = pandas.DataFrame(rows, index=pandas.Index(self.results, name="protocol"))
        return table.astype({name: float for name in table.columns if name != "n_tracks"})

    def to_markdown(self) -> str:
        """Return a table of the protocols in Markdown.

        Returns
        -------
        table : str
            One row a protocol: both accuracies and their intervals, then their distance from
            those of the strictest in percentage points.
        """
        table = markdown_table(*self._cells())
        lines = [f"- {protocol}: left out, {why}." for protocol, why in self.skipped.items()]
        return "\n\n".join([table, "\n".join(lines)]) if lines else table

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        shown = [m for m in METRICS[:4] if any(m in r.overall for r in self.results.values())]
        inflated = [name for name in _INFLATED if name in shown]
        head = ["protocol", "tracks", *map(title, shown)]
        head += [f"{title(name)} too high by, points" for name in inflated]
        rows = []
        for protocol, result in self.results.items():
            row = [protocol, str(result.n_tracks)]
            row += [_share(result.overall[name]) for name in shown]
            found = self.inflation.get(protocol, {})
            row += [_points(found[name]) if name in found else "" for name in inflated]
            rows.append(row)
        return head, rows

    def plot(self, ax: Any = None, *, chance: float | None = None) -> Any:
        """Draw the accuracies under each protocol as bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw into. None makes a figure.
        chance : float or None, default=None
            Accuracy of guessing, drawn as a line; None draws none.

        Returns
        -------
        display : skgenre.AuditDisplay
            With the axes in ``ax_`` and the figure in ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from skgenre.plotting import AuditDisplay

        return AuditDisplay.from_result(self, chance=chance, ax=ax)


def leakage_audit(
    pipeline: Any,
    dataset: Any,
    *,
    protocols: Sequence[Any] | None = None,
    n_folds: int = 5,
    n_bootstrap: int = 1000,
    random_state: Any = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    duplicates: Duplicates | None = None,
) -> AuditResult:
    """Measure one model under all protocols, and by how much the lenient ones inflate it.

    Parameters
    ----------
    pipeline : classifier or Pipeline
        As for :func:`evaluate`.
    dataset : Bunch or tuple
        As for :func:`evaluate`; without artists there is no strict protocol.
    protocols : sequence of str or splitter, or None, default=None
        As for :func:`evaluate`, the strictest last. None means "segment-random",
        "track-random", "fault-filtered" and "artist-grouped", those that the data and the
        model allow.
    n_folds : int, default=5
        Folds of the named protocols.
    n_bootstrap : int, default=1000
        Resamples for the intervals; 0 for no intervals.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds and the resamples.
    checkpoint : str, PathLike or None, default=None
        Folder in which each fold is written when it is done, as for :func:`evaluate`.
    n_jobs : int or None, default=None
        Folds that run at the same time, as for :func:`evaluate`.
    duplicates : Duplicates or None, default=None
        What :func:`find_duplicates` found in the tracks, as for :func:`evaluate`.

    Returns
    -------
    audit : skgenre.evaluation.AuditResult
        The result of each protocol, and the inflation of each over the strictest; it has
        ``to_markdown``, ``to_frame``, ``leaking``, ``save`` and ``read``.

    Raises
    ------
    ValueError
        If fewer than two protocols are possible, or one of ``protocols`` is not.

    Warns
    -----
    UserWarning
        As :func:`evaluate` does.

    Notes
    -----
    The inflation is the mean difference over the tracks that both protocols scored, with a
    bootstrap interval by artist if artists are known. It measures what the model gains from
    having heard the artist, or the very track. Some of it can come from the folds: if artists
    are few or have many tracks, folds by artist hold the genres less evenly, and some genres
    have few training tracks. Intervals ignore variation between fold assignments and training
    seeds.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, leakage_audit
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 40)
    >>> artist = np.arange(80) // 8
    >>> X = rng.normal(size=(80, 3)) + 3 * rng.normal(size=(10, 3))[artist]  # no genre in it
    >>> audit = leakage_audit(FusionKNeighborsClassifier(), (X, y, artist))
    >>> audit.leaking
    ['track-random']
    >>> audit.skipped["segment-random"].split(".")[0]
    'FusionKNeighborsClassifier has no predict_segment_proba for these features'
    """
    constraints = {**CONSTRAINTS, "protocols": ["array-like", None]}
    validate_parameter_constraints(constraints, locals(), caller_name="leakage_audit")
    task = EvaluationTask.from_dataset(pipeline, dataset, duplicates)
    chosen, skipped = _choose(task, protocols)
    if random_state is None or not isinstance(random_state, (int, np.integer)):
        (random_state,) = draw_seeds(random_state, 1)  # one for all protocols
    results: dict[str, EvaluationResult] = {}
    for protocol in chosen:
        found = evaluate_task(
            task, protocol, n_folds, n_bootstrap, random_state, checkpoint, n_jobs
        )
        results[found.protocol] = found
    strictest = found.protocol
    inflation = {
        name: _inflation(result, found, n_bootstrap, random_state)
        for name, result in results.items()
        if name != strictest
    }
    return AuditResult(results, strictest, inflation, skipped)


def _choose(
    task: EvaluationTask, protocols: Sequence[Any] | None
) -> tuple[list[Any], dict[str, str]]:
    """Return the protocols to run, and those that are not possible with the reason."""
    skipped: dict[str, str] = {}
    if protocols is None:
        for name in PROTOCOLS:
            reason = why_not_possible(task, name)
            if reason is not None:
                skipped[name] = reason
        chosen: list[Any] = [name for name in PROTOCOLS if name not in skipped]
    else:
        chosen = list(protocols)
        for protocol in chosen:
            check_protocol(protocol)
    names = [protocol if isinstance(protocol, str) else repr(protocol) for protocol in chosen]
    if len(set(names)) < max(2, len(names)):
        reasons = "".join(f" {name}: {why}." for name, why in skipped.items())
        raise ValueError(
            "An audit needs two different protocols or more, the strictest last; here there "
            f"{'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'}.{reasons}"
        )
    return chosen, skipped


def _inflation(
    result: EvaluationResult, strict: EvaluationResult, n_bootstrap: int, seed: int
) -> dict[str, dict[str, float | None]]:
    """Compare a protocol with the strictest, on the tracks that both scored."""
    own, theirs = pair_tracks(result, strict)
    if not len(own):
        raise ValueError(
            f"No track is scored under both {result.protocol} and {strict.protocol}; their "
            "accuracies cannot be compared."
        )
    weights = None
    if n_bootstrap:
        (seed,) = draw_seeds(seed, 1)
        weights = bootstrap_weights(bootstrap_units(result)[own], n_bootstrap, seed)
    values = {"track_accuracy": (track_hits(result), track_hits(strict))}
    if result.tracks["segment_accuracy"] and strict.tracks["segment_accuracy"]:
        shares = (result.tracks["segment_accuracy"], strict.tracks["segment_accuracy"])
        values["segment_accuracy"] = (np.array(shares[0]), np.array(shares[1]))
    return {
        name: paired_difference(values[name][0][own], values[name][1][theirs], weights)
        for name in _INFLATED
        if name in values
    }


def _share(entry: dict[str, float | None]) -> str:
    ends = "" if entry["low"] is None else f" ({entry['low']:.3f} to {entry['high']:.3f})"
    return f"{entry['value']:.3f}{ends}"


def _points(entry: dict[str, Any]) -> str:
    ends = ""
    if entry["low"] is not None:
        ends = f" ({100 * entry['low']:+.1f} to {100 * entry['high']:+.1f})"
    return f"{100 * entry['value']:+.1f}{ends}"
