"""What the page and the HTTP API answer, without a server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from skgenre.audio import probe_audio
from skgenre.catalogue import FilePrediction, open_records, predict_files
from skgenre.utils._pipeline import final_classifier, split_fitted
from skgenre.web._timeline import timeline

_N_SIMILAR = 5
_MACHINES = {"svc", "svc_whitened"}  # members of GenreClassifier that explain


@dataclass(frozen=True)
class Limits:
    """What the server takes on.

    Parameters
    ----------
    max_megabytes : float, default=50.0
        Largest file, in millions of bytes.
    max_duration : float, default=1200.0
        Longest track, in seconds.
    max_files : int, default=20
        Most files in one batch.
    max_waiting : int, default=32
        Most requests that wait for a prediction; further ones are refused.
    n_jobs : int, default=1
        Predictions that run at the same time.
    keep_minutes : float, default=10.0
        Minutes for which files of the page are kept, for its player and its download.

    Raises
    ------
    ValueError
        If a limit is not above 0, or a number of files or requests is not whole.
    """

    max_megabytes: float = 50.0
    max_duration: float = 1200.0
    max_files: int = 20
    max_waiting: int = 32
    n_jobs: int = 1
    keep_minutes: float = 10.0

    def __post_init__(self) -> None:
        for name, default in self.__dataclass_fields__.items():
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name}={value!r} should be above 0.")
            if default.type == "int" and int(value) != value:
                raise ValueError(f"{name}={value!r} should be a whole number.")

    @property
    def max_bytes(self) -> int:
        """The largest file in bytes."""
        return int(self.max_megabytes * 1e6)


class RequestError(ValueError):
    """A request that cannot be answered; the message is for the person who asked.

    Parameters
    ----------
    message : str
        What came, what was expected, what to do.
    status : int, default=422
        The status of HTTP.
    """

    def __init__(self, message: str, status: int = 422):
        super().__init__(message)
        self.status = status


class GenreService:
    """Answer for files by one model: the genre, its timeline, reasons and similar tracks.

    Parameters
    ----------
    model : classifier
        A fitted classifier, pipeline or search from paths to genres, with probabilities.
    catalogue : SimilarTracks or None, default=None
        Fitted with paths; similar tracks are looked up there. None takes the training tracks of
        a :class:`GenreClassifier` that knows their paths.
    min_confidence : float, default=0.0
        Where no genre is as probable as this, the answer is "unknown".
    model_id : str or None, default=None
        Stands for the model in records.
    limits : Limits or None, default=None
        None means the defaults of :class:`Limits`.

    Attributes
    ----------
    classes : list of str
        The genres.
    has_timeline, can_explain, has_similar : bool
        What the model can tell beside the genre.

    Examples
    --------
    >>> import tempfile
    >>> from skgenre import GenreClassifier, make_genres
    >>> from skgenre.web import GenreService
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     music = make_genres(
    ...         4, genres=["dub", "swing"], duration=2.0, path=folder, random_state=0
    ...     )
    ...     model = GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
    ...     answer = GenreService(model).predict(music.data[0], explain=True)
    >>> answer["record"]["genre"], answer["explanation"]["genre"]
    ('dub', 'dub')
    """

    def __init__(
        self,
        model: Any,
        *,
        catalogue: Any = None,
        min_confidence: float = 0.0,
        model_id: str | None = None,
        limits: Limits | None = None,
    ):
        self.model, self.catalogue, self.model_id = model, catalogue, model_id
        self.min_confidence = check_confidence(min_confidence)
        self.limits = limits or Limits()
        predict_files(model, [])  # checks the model
        self.classes = [str(name) for name in model.classes_]
        classifier = final_classifier(model)
        self.has_timeline = hasattr(classifier, "predict_segment_proba")
        machines = _MACHINES & set(getattr(classifier, "members_", ()))
        self.can_explain = bool(machines) and hasattr(classifier, "explain")
        if catalogue is not None:
            if getattr(catalogue, "track_names_", None) is None:
                raise ValueError(
                    "catalogue knows no paths of its tracks; fit SimilarTracks with paths, and "
                    "save it by skgenre.save(..., keep_paths=True)."
                )
            self.n_tracks: int | None = len(catalogue.track_names_)
        else:
            names = getattr(classifier, "track_names_", None) if self.can_explain else None
            self.n_tracks = None if names is None else len(names)
        self.has_similar = self.n_tracks is not None
        self._slots = BoundedSemaphore(self.limits.n_jobs)

    def describe(self) -> dict[str, Any]:
        """Return what a client should know: genres, abilities and limits.

        Returns
        -------
        description : dict
            Of values that JSON can hold.
        """
        return {
            "model": self.model_id,
            "classes": self.classes,
            "timeline": self.has_timeline,
            "explanation": self.can_explain,
            "similar": self.has_similar,
            "min_confidence": self.min_confidence,
            "max_bytes": self.limits.max_bytes,
            "max_duration": self.limits.max_duration,
            "max_files": self.limits.max_files,
        }

    def predict(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        min_confidence: float | None = None,
        segments: bool = False,
        explain: bool = False,
        similar: bool = False,
    ) -> dict[str, Any]:
        """Answer for one file.

        Parameters
        ----------
        path : str or PathLike
            The file.
        name : str or None, default=None
            Its name in the answer and in messages; None means the last part of the path.
        min_confidence : float or None, default=None
            None means that of the service.
        segments, explain, similar : bool, default=False
            Whether to add these parts, where the model can.

        Returns
        -------
        answer : dict
            ``record``, the values of a :class:`skgenre.catalogue.FilePrediction`; ``timeline``, a
            list of stretches with ``start`` and ``end`` in seconds and ``probabilities``;
            ``explanation``, the parts of the score of the most probable ``genre`` by feature
            group; ``similar``, a list with ``name``, ``genre`` and ``similarity``. None stands
            for a part that was not asked for, or that the model cannot give.

        Raises
        ------
        RequestError
            If the file is too large or too long, or cannot be read.
        """
        path, name = os.fspath(path), name or os.path.basename(path)
        limit = self._confidence(min_confidence)
        with self._slots:
            found = self._predict_file(path, name, limit, raise_error=True)
            answer: dict[str, Any] = dict.fromkeys(("record", "timeline", "explanation", "similar"))
            answer["record"] = found.to_dict()
            if found.status == "no sound":
                return answer
            classifier, features = split_fitted(self.model, [path])
            if segments and self.has_timeline:
                proba = classifier.predict_segment_proba(features)[0]
                answer["timeline"] = timeline(self.model, proba, self.classes, found.duration)
            if explain and self.can_explain:
                answer["explanation"] = _explain(
                    classifier.explain(features), next(iter(found.probabilities))
                )
            if similar and self.has_similar:
                answer["similar"] = self._similar(classifier, path, features)
        return answer

    def predict_table(
        self,
        files: Iterable[tuple[str | os.PathLike[str], str]],
        *,
        min_confidence: float | None = None,
        progress: Callable[[int], object] = int,
    ) -> tuple[bytes, list[FilePrediction]]:
        """Predict several files; a file that cannot be predicted has a record that says why.

        Parameters
        ----------
        files : iterable of (path, name)
            The files, and their names in the records.
        min_confidence : float or None, default=None
            None means that of the service.
        progress : callable, default=int
            Called with the number of files that are done.

        Returns
        -------
        table : bytes
            A CSV file as ``skgenre predict --output`` writes it.
        records : list of FilePrediction
            The same records.

        Raises
        ------
        RequestError
            If there are no files, or too many.
        """
        files = list(files)
        if not 1 <= len(files) <= self.limits.max_files:
            raise RequestError(
                f"{len(files)} files came; give from 1 to {self.limits.max_files} files at once.",
                413 if files else 422,
            )
        limit = self._confidence(min_confidence)
        records = []
        with tempfile.TemporaryDirectory(prefix="skgenre-") as folder:
            target = Path(folder) / "genres.csv"
            with open_records(
                target, self.classes, model_id=self.model_id, min_confidence=limit
            ) as writer:
                for number, (path, name) in enumerate(files):
                    progress(number)
                    with self._slots:
                        records.append(self._predict_file(os.fspath(path), name, limit))
                    writer.write(records[-1])
            return target.read_bytes(), records

    def _predict_file(
        self, path: str, name: str, min_confidence: float, *, raise_error: bool = False
    ) -> FilePrediction:
        """Return the record of a file under its own name."""
        try:
            self._check_file(path, name)
            (found,) = predict_files(
                self.model, [path], min_confidence=min_confidence, model_id=self.model_id
            )
        except RequestError as error:
            if raise_error:
                raise
            return FilePrediction(
                name, "error", None, [], {}, str(error), None, 0.0, None, self.model_id,
                min_confidence,
            )  # fmt: skip
        reason = (found.reason or "").replace(path, name)
        if found.status == "error" and raise_error:
            raise RequestError(reason if name in reason else f"{name}: {reason}")
        return replace(found, path=name, reason=reason or None)

    def _check_file(self, path: str, name: str) -> None:
        """Check size and length before anything is decoded."""
        try:
            size = os.path.getsize(path)
        except OSError:
            raise RequestError(f"{name} is no longer here; upload it again.", 410) from None
        if size > self.limits.max_bytes:
            raise RequestError(
                f"{name} has {size / 1e6:.1f} MB; give a file of at most "
                f"{self.limits.max_megabytes:g} MB.",
                413,
            )
        try:
            duration = probe_audio(path).duration
        except (ValueError, OSError) as error:
            text = str(error).replace(path, name)
            raise RequestError(text if name in text else f"{name}: {text}") from error
        if duration > self.limits.max_duration:
            raise RequestError(
                f"{name} takes {duration / 60:.1f} minutes; give a track of at most "
                f"{self.limits.max_duration / 60:g} minutes.",
                413,
            )

    def _confidence(self, given: float | None) -> float:
        if given is None:
            return self.min_confidence
        try:
            return check_confidence(given)
        except ValueError as error:
            raise RequestError(str(error)) from None

    def _similar(self, classifier: Any, path: str, features: Any) -> list[dict[str, Any]]:
        """List the most similar tracks, by the last parts of their paths."""
        assert self.n_tracks is not None
        k = min(_N_SIMILAR, self.n_tracks)
        if self.catalogue is not None:
            found = self.catalogue.neighbors([path], k)
        else:
            found = classifier.neighbors(features, k)
        genres = [None] * k if found.genres is None else [str(genre) for genre in found.genres[0]]
        rows = zip(found.names[0], genres, found.similarities[0], strict=True)
        return [
            {
                "name": os.path.basename(str(name)),
                "genre": genre,
                "similarity": round(float(similarity), 4),
            }
            for name, genre, similarity in rows
            if name
        ]


def check_confidence(value: float) -> float:
    """Check a limit for "unknown"; ValueError if it is no probability."""
    if not 0 <= value <= 1:
        raise ValueError(f"min_confidence={value!r} is no probability from 0 to 1.")
    return float(value)


def _explain(explanation: Any, genre: str) -> dict[str, Any]:
    """Return the parts of the score of one genre, the largest first."""
    names: Sequence[str] = [str(name) for name in explanation.classes]
    index = names.index(genre)
    parts = explanation.contributions[0, index]
    order = (-abs(parts)).argsort(kind="stable")
    return {
        "genre": genre,
        "score": round(float(explanation.scores[0, index]), 6),
        "average_track": round(float(explanation.intercept[index]), 6),
        "contributions": {explanation.feature_groups[i]: round(float(parts[i]), 6) for i in order},
    }
