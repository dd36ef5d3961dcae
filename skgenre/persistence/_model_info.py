"""What a model file says of its model: where it comes from and how it was measured."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skgenre.utils._environment import environment, versions
from skgenre.utils._pipeline import final_classifier
from skgenre.utils._records import Record, markdown_table

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult

_MIN_DECIDED = 10  # tracks; the accuracy of fewer says little


@dataclass(frozen=True, repr=False)
class ModelInfo(Record):
    """The content of a model file that is not the model.

    Attributes
    ----------
    model : str
        Class of the classifier.
    parameters : dict of str to str
        The parameters of the model and of its steps, as they print.
    sampling_rates : list of float
        Rates in Hz at which its steps work.
    classes : dict of str to int or None
        For each genre its number of training tracks; None if not given.
    n_artists : int or None
        Number of artists in training; None if not given.
    tracks_sha256 : str or None
        SHA-256 of the paths of the training tracks, sorted, each followed by a line feed, in
        UTF-8; None if not given.
    tracks : list of str or None
        The paths themselves, sorted, only where asked for.
    evaluation : dict or None
        How the model was measured: ``protocol``, ``n_tracks``, ``n_folds``, ``unit`` of the
        intervals, ``overall`` metrics with intervals, ``labels`` and ``confusion`` matrix,
        ``coverage_accuracy`` and ``environment``, as in
        :class:`skgenre.evaluation.EvaluationResult`.
    licences : list of str
        Of each pretrained part that tells them: its name, SHA-256, licence and training data.
    environment : dict of str to str
        Date and versions.
    track_genres, track_artists : list of str or None
        Genre and artist of each of ``tracks``; None if not given.

    See Also
    --------
    skgenre.read_model_info : Reads it from a file.
    """

    _format: ClassVar[str] = "skgenre-model-1"

    model: str
    parameters: dict[str, str]
    sampling_rates: list[float]
    classes: dict[str, int | None]
    n_artists: int | None
    tracks_sha256: str | None
    tracks: list[str] | None
    evaluation: dict[str, Any] | None
    licences: list[str]
    environment: dict[str, str]
    track_genres: list[str] | None = None
    track_artists: list[str] | None = None

    @classmethod
    def of(
        cls,
        model: Any,
        *,
        tracks: Sequence[str | os.PathLike[str]] | None = None,
        y: Any = None,
        artists: Any = None,
        evaluation: EvaluationResult | None = None,
        keep_paths: bool = False,
    ) -> Self:
        """Describe a fitted model; the parameters are those of :func:`skgenre.save`."""
        params = {k: v for k, v in model.get_params().items() if not hasattr(v, "get_params")}
        rates = {float(v) for k, v in params.items() if _is_rate(k, v)}
        paths = None if tracks is None else sorted(os.fsdecode(track) for track in tracks)
        lengths = {
            name: len(v)
            for name, v in (("tracks", paths), ("y", y), ("artists", artists))
            if v is not None
        }
        if len(set(lengths.values())) > 1:
            raise ValueError(
                f"tracks, y and artists describe the same training tracks, but differ in length: "
                f"{lengths}."
            )
        labels = [str(label) for label in getattr(model, "classes_", ())]
        counts = Counter(map(str, np.asarray(y).tolist())) if y is not None else None
        if counts is not None and not counts.keys() <= set(labels):
            strange = sorted(counts.keys() - set(labels))
            raise ValueError(
                f"y holds {strange}, which the model does not know; its genres are {labels}."
            )
        kept: dict[str, list[str] | None] = {
            "tracks": None,
            "track_genres": None,
            "track_artists": None,
        }
        if keep_paths and tracks is not None:
            order = sorted(range(len(tracks)), key=lambda row: os.fsdecode(tracks[row]))
            kept["tracks"] = paths
            for name, values in (("track_genres", y), ("track_artists", artists)):
                if values is not None:
                    kept[name] = [str(np.asarray(values)[i]) for i in order]
        return cls(
            model=type(final_classifier(model)).__name__,
            parameters={name: repr(value) for name, value in sorted(params.items())},
            sampling_rates=sorted(rates),
            classes={label: None if counts is None else counts[label] for label in labels},
            n_artists=None if artists is None else len(set(np.asarray(artists).tolist())),
            tracks_sha256=None if paths is None else tracks_digest(paths),
            **kept,
            evaluation=None if evaluation is None else _summary(evaluation),
            licences=sorted(_pretrained_terms(model)),
            environment=environment(),
        )

    @property
    def other_versions(self) -> dict[str, tuple[str, str]]:
        """Versions that differ from those installed: the one of the file, and the one here."""
        here = versions()
        return {
            name: (found, here.get(name, "not installed"))
            for name, found in self.environment.items()
            if name != "date" and found != here.get(name)
        }

    def min_confidence(self, accuracy: float) -> float:
        """Return the limit of confidence for a wished accuracy.

        Where its most probable genre is less probable than this, the model should answer
        "unknown": when it was measured, it was right on more than ``accuracy`` of the other
        tracks, by one standard error. Without this distance the accuracy on other artists came
        out 1 to 2 points too low, because the limit is chosen on the tracks that measure it.

        Parameters
        ----------
        accuracy : float
            Wished share of right answers, from 0 to 1.

        Returns
        -------
        min_confidence : float
            The lowest limit that reaches it with ten tracks or more.

        Raises
        ------
        ValueError
            If the model was not measured, or no limit reaches it.
        """
        evaluation = self.evaluation or {}
        measured = evaluation.get("coverage_accuracy")
        if measured is None:
            raise ValueError(
                "The file does not say how the accuracy depends on the confidence: the model was "
                "not measured, or an older version wrote it. Train with cross-validation, or "
                "give a limit of confidence instead."
            )
        columns = [np.asarray(measured[name]) for name in ("thresholds", "coverage", "accuracy")]
        thresholds, coverage, found = columns
        n_decided = coverage * evaluation["n_tracks"]
        low = np.where(n_decided >= _MIN_DECIDED, _lower_bound(found, n_decided), -np.inf)
        if not (low >= accuracy).any():
            best = int(low.argmax())
            at = f"; the best was {low[best]:.3f}, for {coverage[best]:.0%} of the tracks"
            raise ValueError(
                f"No limit of confidence reached an accuracy of {accuracy:g}, less one standard "
                f"error, when the model was measured{at if np.isfinite(low[best]) else ''}. Wish "
                "for less."
            )
        return float(thresholds[low >= accuracy].min())

    def to_markdown(self) -> str:
        """Return what is known as Markdown.

        Returns
        -------
        text : str
            A list of facts, and a table of the metrics where the model was measured.
        """
        n_tracks = [count for count in self.classes.values() if count is not None]
        genres = [
            label if count is None else f"{label} ({count} tracks)"
            for label, count in self.classes.items()
        ]
        facts = [
            ("model", self.model),
            ("made", f"{self.environment['date']} with skgenre {self.environment['skgenre']}"),
            ("genres", ", ".join(genres) or "none"),
            ("trained on", f"{sum(n_tracks)} tracks" if n_tracks else "not stated"),
            ("artists", "not stated" if self.n_artists is None else str(self.n_artists)),
            ("sampling rate", ", ".join(f"{r:g} Hz" for r in self.sampling_rates) or "none"),
            (
                "training tracks",
                f"SHA-256 {self.tracks_sha256}" if self.tracks_sha256 else "not stated",
            ),
            ("licences of pretrained parts", ", ".join(self.licences) or "none stated"),
        ]
        lines = [f"- {name}: {value}" for name, value in facts]
        differing = self.other_versions.items()
        lines += [
            f"- {name}: {found} in the file, {here} here" for name, (found, here) in differing
        ]
        if self.evaluation is None:
            return "\n".join([*lines, "- accuracy: not measured"])
        return "\n".join(lines) + "\n\n" + self.metrics_table()

    def metrics_table(self) -> str:
        """Return how the model was measured, and the metrics as a table in Markdown."""
        assert self.evaluation is not None
        found = self.evaluation
        rows = [
            [name.replace("_", " ").replace("f1", "F1"), f"{e['value']:.3f}", _ends(e)]
            for name, e in found["overall"].items()
        ]
        head = ["metric", "value", f"95 % interval, by {found['unit']}"]
        measured = (
            f"Measured by {found['protocol']}: {found['n_tracks']} tracks, {found['n_folds']} folds"
        )
        return f"{measured}\n\n{markdown_table(head, rows)}"


def _pretrained_terms(value: Any, seen: dict[int, Any] | None = None) -> set[str]:
    """Collect what the pretrained parts of a model say of themselves, wherever they are."""
    seen = {} if seen is None else seen
    if id(value) in seen:
        return set()
    seen[id(value)] = value  # kept, so that no other object gets its id
    terms = {value._pretrained_terms()} if hasattr(value, "_pretrained_terms") else set()
    if isinstance(value, BaseEstimator):
        # A clone that was fitted, "transformer_", says more than the parameter "transformer".
        inner = [v for k, v in vars(value).items() if f"{k}_" not in vars(value)]
    elif isinstance(value, dict):
        inner = list(value.values())
    else:
        inner = list(value) if isinstance(value, (list, tuple)) else []
    return terms.union(*(_pretrained_terms(part, seen) for part in inner))


def tracks_digest(paths: Sequence[str]) -> str:
    """Return the SHA-256 by which a list of tracks is recognised.

    Parameters
    ----------
    paths : sequence of str
        The paths, in any order.

    Returns
    -------
    digest : str
        As in :attr:`ModelInfo.tracks_sha256`.
    """
    text = "".join(f"{path}\n" for path in sorted(paths))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _is_rate(name: str, value: Any) -> bool:
    own = name.rpartition("__")[2] == "sampling_rate"  # not waveform_sampling_rate
    return own and isinstance(value, (int, float))


def _summary(evaluation: EvaluationResult) -> dict[str, Any]:
    values = evaluation.to_dict()
    kept = ("protocol", "unit", "overall", "labels", "confusion", "environment")
    sizes = {"n_tracks": evaluation.n_tracks, "n_folds": len(evaluation.folds)}
    curve = None
    if evaluation.tracks["proba"] is not None:
        names = ("thresholds", "coverage", "accuracy")
        found = (a.round(6).tolist() for a in evaluation.coverage_accuracy())
        curve = dict(zip(names, found, strict=True))
    return {**{name: values[name] for name in kept}, **sizes, "coverage_accuracy": curve}


def _lower_bound(share: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares of n less one standard error: the lower ends of Wilson's intervals."""
    n = np.maximum(n, 1)
    error = np.sqrt(share * (1 - share) / n + 1 / (4 * n**2))
    return (share + 1 / (2 * n) - error) / (1 + 1 / n)


def _ends(entry: dict[str, Any]) -> str:
    return "" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"


def show_versions() -> None:
    """Print the versions of Python, skgenre and the libraries that it uses.

    Returns
    -------
    None
        Nothing; it prints a line for each.

    Examples
    --------
    >>> from skgenre import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    python: ...
    """
    for name, version in versions().items():
        print(f"{name}: {version}")
