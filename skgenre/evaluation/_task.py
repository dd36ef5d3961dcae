"""What an evaluation works on: the tracks, and the two halves of a pipeline."""

from __future__ import annotations

import copy
import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skgenre.classifiers import GenreClassifier
from skgenre.duplicates import Duplicates, merge_artists
from skgenre.evaluation._identity import content_digests
from skgenre.pipeline import PerTrack
from skgenre.utils._pipeline import augments, final_classifier, leaf_steps
from skgenre.utils._validation import check_genres, is_path, missing_labels, row_list

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class EvaluationTask:
    """Tracks with genres and artists, and the pipeline that is evaluated on them.

    The pipeline is cut in two. The first steps, those that learn nothing, give the same
    features of a track in all folds: they run once. The rest, the model, is fitted in each
    fold.

    Parameters
    ----------
    pipeline : classifier or Pipeline
        What is evaluated; it stays unfitted.
    data : sequence of n_tracks tracks
        Paths, waveforms or features, as the pipeline takes them.
    y : array-like of shape (n_tracks,)
        Genre of each track.
    artists : array-like of shape (n_tracks,) or None, default=None
        Artist of each track.
    duplicates : Duplicates or None, default=None
        What :func:`skgenre.find_duplicates` found in ``data``. Artists who share a recording
        count as one, by the name of the first of them.

    Attributes
    ----------
    front : list of transformers
        The first steps of the pipeline, which learn nothing.
    model : classifier or Pipeline
        The rest of it, unfitted.
    is_split : bool
        Whether ``pipeline`` is a :class:`GenreClassifier`, of which ``front`` and ``model`` are
        the two halves.

    See Also
    --------
    make_splits : The folds of a protocol.
    iter_folds : Fits and evaluates the model, fold by fold.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import FrameScaler, MLPGenreClassifier
    >>> from skgenre.evaluation import EvaluationTask
    >>> from sklearn.pipeline import make_pipeline
    >>> X, y = np.zeros((4, 2, 5, 3)), ["calm", "loud", "calm", "loud"]
    >>> task = EvaluationTask(make_pipeline(FrameScaler(), MLPGenreClassifier()), X, y)
    >>> task.n_segments, task.unit
    (2, 'track')
    """

    pipeline: Any
    data: Any
    y: Array
    artists: Array | None = None
    duplicates: Duplicates | None = None
    front: list[Any] = field(init=False)
    model: Any = field(init=False)
    is_split: bool = field(init=False)

    def __post_init__(self) -> None:
        y, artists = _check_labels(self.data, self.y, self.artists)
        if self.duplicates is not None:
            artists = _without_shared(artists, len(y), self.duplicates)
        front, model, is_split = _cut(self.pipeline)
        values = {"y": y, "artists": artists, "front": front, "model": model}
        for name, value in {**values, "is_split": is_split}.items():
            object.__setattr__(self, name, value)  # the class is frozen

    @classmethod
    def from_dataset(
        cls, pipeline: Any, dataset: Any, duplicates: Duplicates | None = None
    ) -> Self:
        """Make a task of what ``evaluate`` takes.

        Parameters
        ----------
        pipeline : classifier or Pipeline
            What is evaluated.
        dataset : Bunch or tuple
            As for :func:`unpack_dataset`.
        duplicates : Duplicates or None, default=None
            What :func:`skgenre.find_duplicates` found in its tracks.

        Returns
        -------
        task : EvaluationTask
            The checked task.
        """
        return cls(pipeline, *unpack_dataset(dataset), duplicates)

    @property
    def features(self) -> Any:
        """The data after the steps that learn nothing, computed at the first call."""
        return self._timed_features[0]

    @property
    def feature_time(self) -> float:
        """Seconds that these steps took; 0 if the features have not been needed yet."""
        return self._timed_features[1] if "_timed_features" in vars(self) else 0.0

    @cached_property
    def _timed_features(self) -> tuple[Any, float]:
        start = time.perf_counter()
        X = self.data
        for step in self.front:
            X = step.transform(X)
        return X, time.perf_counter() - start

    @cached_property
    def names(self) -> list[str]:
        """The name of each track: its path, or the number of its row."""
        return [
            os.fsdecode(track) if is_path(track) else f"row {row}"
            for row, track in enumerate(row_list(self.data))
        ]

    @cached_property
    def contents(self) -> list[str | None]:
        """A digest of each track that is an array; None for tracks that are files."""
        return content_digests(self.data)

    @property
    def unit(self) -> str:
        """What the bootstrap resamples: "artist" if artists are known, else "track"."""
        return "track" if self.artists is None else "artist"

    @property
    def n_segments(self) -> int:
        """Number of segments of each track in the features."""
        return int(np.shape(self.features)[1])

    def rows(self, *, by_segment: bool = False) -> tuple[Any, Array, Array | None]:
        """Return features, genres and artists.

        Parameters
        ----------
        by_segment : bool, default=False
            Whether each segment becomes a track of its own.

        Returns
        -------
        X : array-like of n_rows
            The features.
        y : ndarray of shape (n_rows,)
            The genres.
        artists : ndarray of shape (n_rows,) or None
            The artists.
        """
        if not by_segment:
            return self.features, self.y, self.artists
        return segments_as_tracks(np.asarray(self.features), self.y, self.artists)

    def why_no_segments(self) -> str | None:
        """Return the reason why the folds cannot divide segments; None if they can.

        Returns
        -------
        reason : str or None
            For an error message.
        """
        if _is_augmenting(self.pipeline):
            return (
                "the pipeline augments: copies of a segment would have to follow it to its side "
                "of the split. Take the Augmenter out"
            )
        classifier = final_classifier(self.model)
        if self.is_split or not hasattr(classifier, "predict_segment_proba"):
            name = type(final_classifier(self.pipeline)).__name__
            return (
                f"{name} has no predict_segment_proba for these features. Give a classifier that "
                "predicts segments, such as MLPGenreClassifier"
            )
        shape = np.shape(self.features)
        if len(shape) < 4 or shape[1] < 2:
            return (
                f"the features have the shape {shape}, one segment a track. Cut two or more, on an "
                "axis of their own: (n_tracks, n_segments, n_frames, n_features)"
            )
        return None


def segments_as_tracks(
    X: Array, y: Array, artists: Array | None
) -> tuple[Array, Array, Array | None]:
    """Make each segment a track of its own: (n_tracks * n_segments, 1, ...)."""
    n_segments = X.shape[1]
    artists = None if artists is None else np.repeat(artists, n_segments)
    return X.reshape(-1, 1, *X.shape[2:]), np.repeat(y, n_segments), artists


def unpack_dataset(dataset: Any) -> tuple[Any, Array, Array | None]:
    """Take a data set apart, and check it.

    Parameters
    ----------
    dataset : Bunch or tuple
        What :func:`skgenre.load_genre_folder` returns (``data``, ``target``, ``artists``), or
        a tuple (X, y) or (X, y, artists).

    Returns
    -------
    data : sequence of n_tracks tracks
        As given.
    y : ndarray of shape (n_tracks,)
        Genre of each track.
    artists : ndarray of shape (n_tracks,) or None
        Artist of each track. ``groups`` of a Bunch, the artists of
        :func:`skgenre.load_gtzan` who made a track together, take precedence.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If lengths differ, there are fewer than two genres, or only some artists are known.

    Examples
    --------
    >>> from skgenre.evaluation import unpack_dataset
    >>> unpack_dataset((["a.wav", "b.wav"], ["calm", "loud"]))
    (['a.wav', 'b.wav'], array(['calm', 'loud'], dtype='<U4'), None)
    """
    if isinstance(dataset, (tuple, list)) and len(dataset) in (2, 3):
        data, y, artists = (*dataset, None)[:3]
    elif hasattr(dataset, "data") and hasattr(dataset, "target"):
        data, y = dataset.data, dataset.target
        artists = getattr(dataset, "groups", getattr(dataset, "artists", None))
    else:
        raise TypeError(
            "dataset is what load_genre_folder returns (data, target and artists), or a tuple "
            f"(X, y) or (X, y, artists); got {type(dataset).__name__}."
        )
    return data, *_check_labels(data, y, artists)


def _check_labels(data: Any, y: Any, artists: Any) -> tuple[Array, Array | None]:
    check_genres(y, data)
    y = column_or_1d(y)
    check_classification_targets(y)
    check_consistent_length(data, y)
    n_genres = len(np.unique(y))
    if n_genres < 2:
        raise ValueError(
            f"The data set has {n_genres} genre; a classifier needs tracks of two or more."
        )
    if artists is not None:
        unknown = missing_labels(artists)
        artists = column_or_1d(artists)
        check_consistent_length(data, artists)
        if unknown:
            raise ValueError(
                f"{len(unknown)} of {len(y)} tracks have no artist, first track {min(unknown)}; "
                "leave them out, or give no artists at all: the tuple (X, y)."
            )
    return y, artists


def _without_shared(artists: Any, n_tracks: int, duplicates: Duplicates) -> Array | None:
    """Join the artists who share a recording."""
    if artists is not None:
        return merge_artists(artists, duplicates)
    if duplicates.n_tracks != n_tracks:
        raise ValueError(
            f"The data set has {n_tracks} tracks, but the duplicates were found among "
            f"{duplicates.n_tracks}; give both for the same tracks."
        )
    return None


def split_front_end(estimator: Any) -> tuple[Any, Any] | None:
    """Return a GenreClassifier's feature transformer and classifier; None for other estimators."""
    return estimator.split_front_end() if isinstance(estimator, GenreClassifier) else None


def _cut(pipeline: Any) -> tuple[list[Any], Any, bool]:
    """Return the steps that learn nothing, the rest, and whether the classifier was split."""
    if _is_augmenting(pipeline):
        return [], pipeline, False
    steps = pipeline.steps if isinstance(pipeline, Pipeline) else [("classifier", pipeline)]
    name, last = steps[-1]
    split = split_front_end(last) if len(steps) == 1 else None
    if split is not None:
        steps = [(f"{name}_features", split[0]), (name, split[1])]
    n_front, front = 0, []
    for _, step in steps[:-1]:
        leaves = leaf_steps(step, open_per_track=False)
        if any(get_tags(leaf).requires_fit for leaf in leaves):
            break
        front += leaves
        n_front += 1
    if n_front == len(steps) - 1 and (split is not None or not isinstance(pipeline, Pipeline)):
        return front, steps[-1][1], split is not None
    # A copy keeps the other parameters of the pipeline, and its callbacks.
    model = copy.copy(pipeline)
    model.steps = steps[n_front:]
    return front, model, split is not None


def _is_augmenting(pipeline: Any) -> bool:
    if not isinstance(pipeline, Pipeline):
        return False
    for leaf in leaf_steps(pipeline, open_per_track=False):
        inner = leaf_steps(leaf.transformer) if isinstance(leaf, PerTrack) else [leaf]
        if any(augments(step) for step in inner):
            return True
    return False
