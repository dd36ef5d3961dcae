"""What changes from one model to the next: recall of the genres, and answers that flip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skgenre.evaluation._compare import bootstrap_units, pair_tracks, paired_difference, track_hits
from skgenre.evaluation._metrics import bootstrap_weights
from skgenre.evaluation._results import EvaluationResult, interval_title
from skgenre.utils._random import draw_seeds
from skgenre.utils._records import TableRecord, markdown_table

_N_BOOTSTRAP = 1000
_N_SHOWN = 10  # flips in tables


@dataclass(frozen=True, repr=False)
class AnswerChanges(TableRecord):
    """The result of :func:`skgenre.evaluation.compare_answers`.

    Attributes
    ----------
    n_tracks : int
        Tracks that both models predicted.
    genres : list of dict
        For each ``genre`` its number of tracks, ``n_tracks``, and the recall of both models,
        ``old`` and ``new``.
    accuracy : dict of str to float
        Track accuracy of both models, ``old`` and ``new``.
    difference : dict of str to float
        ``value``, the accuracy of the new model minus that of the old one, and the ends of its
        interval, ``low`` and ``high``.
    n_flipped : int
        Tracks with another answer.
    corrected, broken : int
        Those of them that only the new model, or only the old one, has right.
    flips : list of dict
        Numbers of tracks, ``n_tracks``, for each ``old`` and ``new`` answer, the most frequent
        first.
    unit : {"artist", "track"}
        What the bootstrap resamples.
    """

    _format: ClassVar[str] = "skgenre-changes-1"

    n_tracks: int
    genres: list[dict[str, Any]]
    accuracy: dict[str, float]
    difference: dict[str, float | None]
    n_flipped: int
    corrected: int
    broken: int
    flips: list[dict[str, Any]]
    unit: str

    def to_markdown(self) -> str:
        """Return the recalls as a table in Markdown, and what flips as a list.

        Returns
        -------
        text : str
            The table has a row for each genre and one for all tracks.
        """
        table = markdown_table(*self._cells())
        return "\n\n".join([table, *(f"- {line}" for line in self.summary())])

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        rows = [
            [str(row["genre"]), str(row["n_tracks"]), f"{row['old']:.3f}", f"{row['new']:.3f}"]
            for row in self.genres
        ]
        rows.append(["all", str(self.n_tracks), *(f"{v:.3f}" for v in self.accuracy.values())])
        return ["genre", "tracks", "old recall", "new recall"], rows

    def summary(self) -> list[str]:
        """Return the difference and what flips, in sentences.

        Returns
        -------
        lines : list of str
            The most frequent flips are listed at the end.
        """
        value, low, high = (self.difference[name] for name in ("value", "low", "high"))
        ends = "" if low is None else f" ({interval_title(self.unit)}: {low:+.3f} to {high:+.3f})"
        wrong = self.n_flipped - self.corrected - self.broken
        lines = [
            f"accuracy {value:+.3f}{ends}",
            f"{self.n_flipped} of {self.n_tracks} answers flip: {self.corrected} become right, "
            f"{self.broken} become wrong, {wrong} stay wrong",
        ]
        return lines + [f"{f['old']} -> {f['new']}: {f['n_tracks']}" for f in self.flips[:_N_SHOWN]]


def compare_answers(
    old: EvaluationResult,
    new: EvaluationResult,
    tracks: Iterable[str] | None = None,
    *,
    random_state: Any = 0,
) -> AnswerChanges:
    """Compare the answers of a model with those of its successor, track by track.

    Parameters
    ----------
    old, new : EvaluationResult
        How both were measured: results of :func:`skgenre.evaluate`, so that neither model saw
        the tracks that it answers for. The successor may know more tracks and genres; the tracks
        that both results have are compared.
    tracks : iterable of str or None, default=None
        Paths of the tracks to compare; None means all.
    random_state : int, RandomState instance or None, default=0
        Seed of the resamples for the interval.

    Returns
    -------
    changes : AnswerChanges
        Recall of each genre in both, and the answers that flip.

    Raises
    ------
    ValueError
        If the results have no such track in common.

    See Also
    --------
    skgenre.compare : Two models on the same tracks and folds, with a test.

    Notes
    -----
    Some answers flip between any two trainings; count those that become right and wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FusionKNeighborsClassifier, evaluate
    >>> from skgenre.evaluation import compare_answers
    >>> y = np.repeat(["calm", "loud"], 30)
    >>> X = np.random.default_rng(0).normal(size=(60, 6)) + 0.6 * (y == "loud")[:, np.newaxis]
    >>> old, new = (
    ...     evaluate(FusionKNeighborsClassifier(n_neighbors=n), (X, y), protocol="track-random")
    ...     for n in (1, 15)
    ... )
    >>> changes = compare_answers(old, new)
    >>> changes.n_flipped, changes.corrected, changes.broken
    (17, 11, 6)
    """
    rows_old, rows_new = pair_tracks(old, new)
    if tracks is not None:
        wanted = set(tracks)
        kept = [old.tracks["track"][row] in wanted for row in rows_old]
        rows_old, rows_new = rows_old[kept], rows_new[kept]
    if not len(rows_old):
        raise ValueError("The two results have none of the tracks in common; give others.")
    pairs = [
        (old.tracks["predicted"][a], new.tracks["predicted"][b])
        for a, b in zip(rows_old, rows_new, strict=True)
    ]
    right_old, right_new = track_hits(old)[rows_old], track_hits(new)[rows_new]
    genres = np.array([new.tracks["genre"][row] for row in rows_new], dtype=object)
    (seed,) = draw_seeds(random_state, 1)
    weights = bootstrap_weights(bootstrap_units(new)[rows_new], _N_BOOTSTRAP, seed)
    flips = Counter(pair for pair in pairs if pair[0] != pair[1])
    return AnswerChanges(
        n_tracks=len(pairs),
        genres=[
            {
                "genre": genre,
                "n_tracks": int((genres == genre).sum()),
                "old": float(right_old[genres == genre].mean()),
                "new": float(right_new[genres == genre].mean()),
            }
            for genre in new.classes
            if (genres == genre).any()
        ],
        accuracy={"old": float(right_old.mean()), "new": float(right_new.mean())},
        difference=paired_difference(right_new, right_old, weights),
        n_flipped=flips.total(),
        corrected=int((right_new > right_old).sum()),
        broken=int((right_new < right_old).sum()),
        flips=[{"old": a, "new": b, "n_tracks": n} for (a, b), n in flips.most_common()],
        unit=new.unit,
    )
