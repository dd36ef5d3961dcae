"""Predict the genres of many files, one record after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from skgenre.catalogue._models import load_model
from skgenre.utils._pipeline import final_classifier, split_fitted

_REJECTED = "the model rejects it: no genre has enough votes of the segments"


@dataclass(frozen=True)
class FilePrediction:
    """What is known of one file after prediction.

    Attributes
    ----------
    path : str
        The file, as it was given.
    status : {"ok", "unknown", "no sound", "error"}
        Whether it has a genre; without one, why: no genre is probable enough, the track has no
        sound, or the file cannot be read.
    genre : str or None
        The most probable genre.
    genres : list of str
        The most probable genres: until together they are as probable as ``set_probability``,
        at most ``max_genres``.
    probabilities : dict of str to float
        Probabilities of genres, the most probable first: all, or the ``top`` ones.
    reason : str or None
        Why there is no genre.
    duration : float or None
        Length of the audio file in seconds, as its header states it; None if it cannot be read.
    seconds : float
        Time that the prediction took.
    key : str or None
        Digest of the bytes of the file; None if it cannot be read.
    model : str or None
        Identifies the model: the first 16 digits of the SHA-256 of its file, or ``model_id``.
    min_confidence : float
        The limit for "unknown".
    top : int or None
        Most genres in ``probabilities``; None for all.
    max_genres : int
        Most genres in ``genres``.
    set_probability : float
        Probability that the genres should have together.
    segments : list of dict or None
        ``genre`` and ``probability`` of each segment, where asked for. ``genre`` is None for a
        segment without sound.
    tags : dict of str to float or None
        Probability of each tag of :class:`skgenre.MusicnnTagger`, the most probable first.
    """

    SCHEMA: ClassVar[str] = "skgenre-prediction-1"

    path: str
    status: str
    genre: str | None
    genres: list[str]
    probabilities: dict[str, float]
    reason: str | None
    duration: float | None
    seconds: float
    key: str | None
    model: str | None
    min_confidence: float
    top: int | None = None
    max_genres: int = 1
    set_probability: float = 0.9
    segments: list[dict[str, Any]] | None = None
    tags: dict[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return all values as a dict that JSON can hold.

        Returns
        -------
        values : dict
            With the name of the schema first; without ``segments`` and ``tags`` where there are
            none.
        """
        values = {"schema": self.SCHEMA, **asdict(self)}
        return {
            name: value
            for name, value in values.items()
            if value is not None or name not in ("segments", "tags")
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FilePrediction:
        """Make a record of the values of ``to_dict``.

        Parameters
        ----------
        values : dict
            As ``to_dict`` returns it.

        Returns
        -------
        prediction : FilePrediction
            Equal to the original.

        Raises
        ------
        ValueError
            If the values are those of something else.
        """
        if not isinstance(values, dict) or values.get("schema") != cls.SCHEMA:
            raise ValueError(f"expected a record with the schema {cls.SCHEMA!r}, got {values!r}")
        try:
            return cls(**{name: value for name, value in values.items() if name != "schema"})
        except TypeError as error:
            raise ValueError(f"not a record of {cls.SCHEMA}: {error}") from error


def predict_files(
    model: Any,
    paths: Iterable[str | os.PathLike[str]],
    *,
    on_error: str = "record",
    n_jobs: int | None = None,
    top: int | None = None,
    min_confidence: float = 0.0,
    max_genres: int = 1,
    set_probability: float = 0.9,
    segments: bool = False,
    model_id: str | None = None,
    skip: Callable[[str, str | None], bool] | None = None,
) -> Iterator[FilePrediction]:
    """Predict the genres of audio files, and return an iterator over a record of each.

    Only the tracks in work are in memory, so that the paths may be a generator over any number of
    files.

    Parameters
    ----------
    model : classifier, str or PathLike
        A fitted classifier, pipeline or search from paths to genres, or a file that
        :func:`skgenre.save` or :func:`skgenre.export_onnx` wrote.
    paths : iterable of str or PathLike
        The files.
    on_error : {"record", "raise"}, default="record"
        Whether a file that cannot be read becomes a record with the status "error", or raises
        the error.
    n_jobs : int or None, default=None
        Files that are predicted at the same time, in threads; -1 means all cores. On a Dask
        cluster (``joblib.parallel_config(backend="dask")``) its workers count, unless this is 1.
    top : int or None, default=None
        Number of genres in ``probabilities``; None means all.
    min_confidence : float, default=0.0
        Where no genre is as probable as this, the status is "unknown"; so it is where a
        :class:`RejectingClassifier` rejects a track.
        :meth:`skgenre.persistence.ModelInfo.min_confidence` gives one for a wished accuracy.
    max_genres : int, default=1
        Most genres in ``genres``: the most probable ones, until together they are as probable as
        ``set_probability``.
    set_probability : float, default=0.9
        Probability that the genres of a track should have together.
    segments : bool, default=False
        Whether to predict each segment too.
    model_id : str or None, default=None
        Stands in the records for the model; None means a digest of its file, where ``model`` is
        one.
    skip : callable or None, default=None
        Called with a path and the digest of the file's bytes; a file for which it returns True
        is left out, such as one that is recorded already. Dask workers get a pickle of it.

    Returns
    -------
    predictions : iterator of FilePrediction
        One for each file, in the order of the paths.

    Raises
    ------
    ValueError
        If an argument is wrong, the model is not fitted, has no probabilities or cannot predict
        segments, the weights of its embeddings are others than those of ``fit``, or a file cannot
        be read and ``on_error`` is "raise".
    FileNotFoundError
        If the weights of its embeddings are not there.

    See Also
    --------
    GenreClassifier.predict_records : Answers for tracks of any kind.

    Examples
    --------
    >>> import tempfile
    >>> from skgenre import GenreClassifier, make_genres, predict_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     music = make_genres(
    ...         4, genres=["dub", "swing"], duration=2.0, path=folder, random_state=0
    ...     )
    ...     model = GenreClassifier(members=["svc"], random_state=0).fit(music.data, music.target)
    ...     for found in predict_files(model, [music.data[0], f"{folder}/none.wav"]):
    ...         print(found.status, found.genre)
    ok dub
    error None
    """
    if on_error not in ("record", "raise"):
        raise ValueError(f"on_error={on_error!r} is unknown; choose 'record' or 'raise'.")
    if not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence={min_confidence!r} is no probability from 0 to 1.")
    if not 0 < set_probability <= 1:
        raise ValueError(f"set_probability={set_probability!r} is no probability above 0, up to 1.")
    for name, value in (("top", top), ("max_genres", max_genres)):
        if value is not None and value < 1:
            raise ValueError(f"{name}={value!r} should be 1 or more.")
    if isinstance(paths, (str, bytes, os.PathLike)):
        raise ValueError(f"paths={paths!r} is one path; give a list of paths, such as [{paths!r}].")
    if isinstance(model, (str, os.PathLike)):
        model_id = model_id or file_id(model)
        model = load_model(model)
    _check_model(model)
    if segments and not hasattr(final_classifier(model), "predict_segment_proba"):
        raise ValueError(
            f"segments=True, but {type(final_classifier(model)).__name__} predicts no segments."
        )
    answer = {
        "top": top,
        "min_confidence": min_confidence,
        "max_genres": max_genres,
        "set_probability": set_probability,
    }
    return _predict_all(model, paths, n_jobs, _Settings(on_error, segments, model_id, skip, answer))


def _check_model(model: Any) -> None:
    """Raise an error for a model with which every file would become a record of an error."""
    if not hasattr(model, "classes_"):
        raise ValueError(
            f"model is a {type(model).__name__} without classes_; give a fitted classifier."
        )
    if not hasattr(final_classifier(model), "predict_proba"):
        raise ValueError(
            f"The {type(final_classifier(model)).__name__} of the model has no predict_proba, from "
            "which records are made; give a classifier with probabilities."
        )


def file_id(path: str | os.PathLike[str]) -> str:
    """Return what stands for a model file in records: the beginning of its SHA-256."""
    import hashlib

    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


@dataclass(frozen=True)
class _Settings:
    on_error: str
    segments: bool
    model_id: str | None
    skip: Callable[[str, str | None], bool] | None
    answer: dict[str, Any]


def _predict_all(
    model: Any, paths: Iterable[Any], n_jobs: int | None, settings: _Settings
) -> Iterator[FilePrediction]:
    from sklearn.utils import parallel

    from skgenre.utils._parallel import is_on_dask, stream
    from skgenre.utils._warnings import warn_of_tracks

    def lost(call: tuple[str, str], reason: str) -> tuple[FilePrediction, list[Any]]:
        path, _ = call
        if settings.on_error == "raise":
            raise ChildProcessError(f"{path}: {reason}")
        return _record(path, settings, 0.0, **_failed(reason)), []

    texts = map(str, map(os.fsdecode, paths))
    # Dask workers have working directories of their own.
    on_dask = is_on_dask(n_jobs)
    calls = ((path, os.path.abspath(path) if on_dask else path) for path in texts)
    results = stream(
        parallel, _predict_file, (model, settings), calls, n_jobs, prefer="threads", on_lost=lost
    )
    for found, warnings in results:
        warn_of_tracks(warnings)
        if found is not None:
            yield found


def _predict_file(
    shared: tuple[Any, _Settings], path: str, file: str
) -> tuple[FilePrediction | None, list[Any]]:
    """Predict one file; return its record, None if it is skipped, and warnings about it.

    ``path`` stands in the record, ``file`` is opened.
    """
    from skgenre.audio import probe_audio
    from skgenre.classifiers import genre_record
    from skgenre.embeddings import WeightsError
    from skgenre.utils._cache_key import track_key
    from skgenre.utils._warnings import NO_SOUND, gather_track_warnings

    model, settings = shared
    start = time.perf_counter()
    content = track_key(file, "content")
    key = None if content is None else content[-1]
    if settings.skip is not None and settings.skip(file, key):
        return None, []
    duration, of_segments, tags, rejected = None, None, None, None
    with gather_track_warnings() as found:
        try:
            duration = round(probe_audio(file).duration, 3)
            classifier, features = split_fitted(model, [file])
            if hasattr(classifier, "predict_tag_proba"):
                of_tags = classifier.predict_tag_proba(features)
                tags = _of_tags(of_tags[0], classifier.tags_)
                proba = classifier.tags_to_genres(of_tags)[0]
            else:
                proba = classifier.predict_proba(features)[0]  # (n_classes,)
            if hasattr(classifier, "reject_label_"):
                label = classifier.predict(features)[0]
                rejected = _REJECTED if label == classifier.reject_label_ else None
            if settings.segments:
                of_segments = classifier.predict_segment_proba(features)[0]
        except WeightsError:  # of the model, for all files alike
            raise
        except (ValueError, OSError) as error:
            if settings.on_error == "raise":
                raise
            answer = _failed(str(error))
            duration = None
        else:
            silent = [warning.detail for warning in found if warning.problem == NO_SOUND[0]]
            no_sound = (silent[0] or "no sound") if silent else None
            answer = genre_record(
                proba, model.classes_, no_sound=no_sound, rejected=rejected, **settings.answer
            )
    segments = None if of_segments is None else _of_segments(of_segments, model.classes_)
    answer |= {"duration": duration, "key": key, "segments": segments, "tags": tags}
    prediction = _record(path, settings, time.perf_counter() - start, **answer)
    return prediction, [w for w in dict.fromkeys(found) if w.problem != NO_SOUND[0]]


def _record(path: str, settings: _Settings, seconds: float, **answer: Any) -> FilePrediction:
    return FilePrediction(
        path=path,
        seconds=round(seconds, 4),
        model=settings.model_id,
        **settings.answer,
        **{"duration": None, "key": None, **answer},
    )


def _failed(reason: str) -> dict[str, Any]:
    return {
        "status": "error",
        "reason": reason,
        "genre": None,
        "genres": [],
        "probabilities": {},
    }


def _of_tags(proba: Any, tags: Any) -> dict[str, float]:
    return {str(tags[i]): round(float(proba[i]), 6) for i in (-proba).argsort(kind="stable")}


def _of_segments(proba: Any, classes: Any) -> list[dict[str, Any]]:
    return [
        {
            # All genres have the same probability where there is no sound.
            "genre": str(classes[row.argmax()]) if row.max() > row.min() else None,
            "probability": round(float(row.max()), 6),
        }
        for row in proba  # (n_classes,)
    ]
