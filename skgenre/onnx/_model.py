"""A classifier that predicts from an ONNX file."""

from __future__ import annotations

import os
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if

from skgenre.onnx._opened import ADDED_AXES, OpenedModel
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import as_rows

if TYPE_CHECKING:
    from skgenre.persistence import ModelInfo


class OnnxGenreModel(DocLinkMixin, ClassifierMixin, BaseEstimator):
    """Predict genres from an ONNX file, without TensorFlow.

    The file, which :func:`export_onnx` wrote, holds the model as a graph, which onnxruntime runs,
    and the front end as names of transformers and their parameters, which skgenre builds. No
    code from the file is run.

    Parameters
    ----------
    path : str, PathLike or bytes
        The file, or its content.
    n_jobs : int or None, default=None
        Threads that compute features, one track each, and that run the graph; -1 for all cores.
        None means 1.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres.
    front_end_ : PerTrack or None
        From tracks to the input of the graph; None where the graph takes features.
    info_ : ModelInfo
        Where the model comes from and how it was measured.
    largest_difference_ : float
        The largest difference to the probabilities of the model that was exported, on the data
        on which they were compared.

    See Also
    --------
    export_onnx : Writes the file.

    Notes
    -----
    The file is read when it is first needed, so that a copy, a pickle or a clone holds ``path``
    and ``n_jobs`` only. Give the content in place of the path for one that needs no file.

    The weights of embeddings are not in the file: :func:`fetch_musicnn` gets them. Predicting
    without them is a FileNotFoundError, and with others than those of the model a ValueError.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skgenre import MLPGenreClassifier, OnnxGenreModel, export_onnx
    >>> X, y = np.random.default_rng(0).normal(size=(8, 2, 10, 3)), ["jazz", "rock"] * 4
    >>> mlp = MLPGenreClassifier(units=(8,), epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = OnnxGenreModel(export_onnx(mlp, Path(folder) / "model.onnx"))
    ...     proba = model.predict_proba(X)
    >>> bool(np.abs(proba - mlp.predict_proba(X)).max() < 1e-4)
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "path": [str, os.PathLike, bytes],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
    }

    def __init__(self, path, *, n_jobs=None):
        self.path = path
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: the model is fitted, and stays as it is, as in FrozenEstimator.

        Parameters
        ----------
        X : Ignored
            Present by convention.
        y : Ignored
            Present by convention.

        Returns
        -------
        self : object
            The model.
        """
        return self

    def predict_proba(self, X: Any) -> NDArray[np.floating[Any]]:
        """Return the probability of each genre.

        Parameters
        ----------
        X : sequence of n_tracks tracks, or array-like
            Tracks, as the front end takes them: paths of audio files, or waveforms. Features where
            there is no front end.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Rows sum to one; columns in the order of ``classes_``.
        """
        return self._run(X, "probabilities")

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable genre of each track.

        Parameters
        ----------
        X : sequence of n_tracks tracks, or array-like
            As for ``predict_proba``.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to the ``fit`` of the model that was exported, and the label
            of rejected tracks where it was a :class:`RejectingClassifier`.
        """
        rejection = self._opened.metadata.get("reject")
        if rejection is None:
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        winners, votes, n_segments = _count(self._run(X, "segment_probabilities"))
        threshold, label = rejection["threshold"], rejection["label"]
        if isinstance(threshold, float):
            enough = votes / n_segments >= threshold
        elif threshold <= n_segments:
            enough = votes >= threshold
        else:
            raise ValueError(
                f"The model rejects tracks with fewer than {threshold} votes, but X has tracks of "
                f"{n_segments} segments: each would be rejected."
            )
        dtype = np.result_type(self.classes_.dtype, np.min_scalar_type(label))
        labels = self.classes_[winners].astype(dtype)
        labels[~enough] = label
        return labels

    def _predicts_segments(self) -> bool:
        return "segment_probabilities" in self._opened.outputs

    @available_if(_predicts_segments)
    def predict_segment_proba(self, X: Any) -> NDArray[np.floating[Any]]:
        """Return the genre probabilities of each segment, where the model has segments.

        Parameters
        ----------
        X : sequence of n_tracks tracks, or array-like
            As for ``predict_proba``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._run(X, "segment_probabilities")

    @property
    def classes_(self) -> NDArray[Any]:
        """The genres."""
        return self._opened.classes

    @property
    def front_end_(self) -> Any:
        """From tracks to the input of the graph; None where the graph takes features."""
        return self._opened.front_end

    @property
    def info_(self) -> ModelInfo:
        """Where the model comes from and how it was measured."""
        from skgenre.persistence import ModelInfo

        try:
            info = ModelInfo.from_dict(self._opened.metadata["info"])
            info.to_markdown()  # what cannot be shown is refused here
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"The description of the model cannot be read: {error!r}") from error
        return info

    @property
    def largest_difference_(self) -> float:
        """The largest difference to the model that was exported, where they were compared."""
        value = self._opened.metadata["largest_difference"]
        if not isinstance(value, float):
            raise ValueError(f"The largest difference of the file is no number: {value!r}")
        return value

    @property
    def _opened(self) -> OpenedModel:
        """The file, opened once for these parameters."""
        key = (self.path, self.n_jobs)
        if getattr(self, "_open", (None, None))[0] != key:
            self._validate_params()
            self._open = (key, OpenedModel(self.path, self.n_jobs))
        return self._open[1]

    def _run(self, X: Any, output: str) -> NDArray[np.floating[Any]]:
        """Compute the features, and one output of the graph."""
        opened = self._opened
        if opened.front_end is None:
            return opened.run(_as_features(X, opened.shape), output)
        if opened.input != "waveform":
            return opened.run(np.asarray(opened.front_end.transform(X)), output)
        # One by one, because lengths may differ.
        tracks = [opened.front_end.transform([track]) for track in as_rows(X)]
        return np.concatenate([opened.run(np.asarray(track), output) for track in tracks])

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_open", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = self._opened.front_end is not None
        tags.input_tags.three_d_array = True
        return tags


def _count(proba: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return each track's winner, its votes, and the number of segments, as RejectingClassifier."""
    ballots = proba.argmax(axis=2)[..., np.newaxis] == np.arange(proba.shape[2])
    votes = ballots.sum(axis=1)  # (n_tracks, n_classes)
    # Of classes with equal votes the one with the higher mean probability wins.
    shares = 0.999 * ballots.mean(axis=1) + 0.001 * proba.mean(axis=1, dtype=np.float64)
    winners = shares.argmax(axis=1)
    return winners, votes[np.arange(len(votes)), winners], proba.shape[1]


def _as_features(X: Any, shape: list[int | str]) -> NDArray[np.float32]:
    """Check features, and add the axes that the classifiers add to those of fewer dimensions."""
    features = np.asarray(X, dtype=np.float32)
    added = ADDED_AXES.get((len(shape), features.ndim))
    if added:
        features = np.expand_dims(features, added)
    sizes = zip(features.shape, shape, strict=False)
    if features.ndim != len(shape) or any(isinstance(n, int) and n != m for m, n in sizes):
        expected = ", ".join(map(str, shape))
        raise ValueError(
            f"X has the shape {np.shape(X)}, but features of shape ({expected}) were expected, as "
            "the model that was exported takes them."
        )
    if not len(features):
        raise ValueError("X has 0 tracks; a minimum of 1 is required.")
    if not np.isfinite(features).all():
        raise ValueError("X contains NaN or infinity; leave such tracks out.")
    return features
