"""The vote with a threshold: a track without a clear winner is rejected."""

from __future__ import annotations

import sys
from numbers import Integral, Real
from types import FrameType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_y,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)

from skgenre.classifiers._vote import vote
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import check_genres


def _has_proba(self: RejectingClassifier) -> bool:
    """Whether the classifier has probabilities; raises AttributeError if not."""
    getattr(self, "estimator_", self.estimator).predict_proba  # noqa: B018 - raises if absent
    return True


class RejectingClassifier(
    DocLinkMixin, CallbackSupportMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator
):
    """Let the segments of a track vote, and reject the track where no genre has enough votes.

    Each segment has one vote, for its most probable genre. The genre with the most votes wins
    (of two with equal votes the one with the higher mean probability), but only with at least
    ``threshold`` votes. A track without a winner gets ``reject_label``: "unknown", rather
    than a guess. [1]_ uses it to keep tracks apart whose segments disagree.

    Parameters
    ----------
    estimator : classifier
        Predicts segments: it has ``predict_segment_proba``, as the classifiers of this package
        have. It is cloned.
    threshold : int or float, default=0.5
        Votes that a genre needs: an int is their number, a float in (0, 1] their share of the
        track's segments. The text of [1]_ asks for half of the votes, its table 2 for 5 or 7
        of 15.
    reject_label : str, int, float or None, default=None
        What ``predict`` answers for rejected tracks: of the kind of the classes, and none of
        them. None means "rejected" for strings; for numbers, the first negative one below all
        classes, which is -1 for classes from 0 up.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted, without ``reject_label_``.
    reject_label_ : str, int or float
        What ``predict`` answers for rejected tracks.
    n_features_in_ : int
        Size of the last axis of X in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only where X was a data frame.

    See Also
    --------
    MLPGenreClassifier : Predicts segments; so do the other classifiers of this package.

    Notes
    -----
    ``score`` counts rejected tracks as wrong, as table 2 of [1]_ does: there a higher threshold
    lowers the accuracy. A search for the best ``threshold`` by ``score`` therefore always
    prefers to reject nothing; ``coverage_accuracy`` shows what rejecting gains.

    Macro averages of scikit-learn, such as ``scoring="f1_macro"``, take rejected tracks for one
    more genre, of which nothing is right, and average over it too. To average over the genres
    only, name them: ``make_scorer(f1_score, average="macro", labels=genres)``. Balanced accuracy
    counts rejected tracks as wrong, and warns of their label.

    ``predict_proba`` is that of the classifier, with its own vote, and rejects nothing. Members of
    a ``VotingClassifier`` are therefore to vote by ``voting="soft"``: it has no place for
    rejected tracks in a hard vote, which is an error.

    References
    ----------
    .. [1] K. Bai and H. Wang, "Music Classification with Neural Network", sections 3.5 and 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MLPGenreClassifier, RejectingClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 6, 10, 3))  # 16 tracks of 6 segments
    >>> X[y == "loud"] += 2
    >>> mlp = MLPGenreClassifier(units=(16,), epochs=5, learning_rate=0.01, random_state=0)
    >>> model = RejectingClassifier(mlp, threshold=4).fit(X, y)
    >>> mixed = np.concatenate([X[0, :3], X[-1, :3]])  # half calm, half loud
    >>> model.predict([X[0], mixed])
    array(['calm', 'rejected'], dtype='<U8')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict_segment_proba"])],
        "threshold": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "reject_label": [str, Real, None],
    }

    def __init__(self, estimator, *, threshold=0.5, reject_label=None):
        self.estimator = estimator
        self.threshold = threshold
        self.reject_label = reject_label

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit the classifier of segments.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, in any shape that the classifier takes.
        y : array-like of shape (n_tracks,)
            Genre of each track.
        sample_weight : array-like of shape (n_tracks,), default=None
            Weight of each track, handed on to the classifier.
        **params : dict
            Further parameters of the classifier's ``fit``, such as ``groups``. With metadata
            routing, those that it requests.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If ``reject_label`` is one of the classes or of another kind, or if the classifier
            takes no weights but some are given.
        """
        check_genres(y, X)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        elif sample_weight is not None and not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"sample_weight was given, but {type(self.estimator).__name__} takes none in fit; "
                "leave it out or choose another estimator."
            )
        context = self._init_callback_context(max_subtasks=1)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        estimator = clone(self.estimator)
        task = context.subcontext(task_name="estimator")
        with task.propagate_callback_context(estimator):
            self.estimator_ = estimator.fit(X, y, **params)
        self.classes_ = self.estimator_.classes_
        self.reject_label_ = _choose_label(self.reject_label, self.classes_)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # of an earlier fit
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=dict)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the genre of each track, or ``reject_label_`` where none has enough votes.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, as for ``fit``; the number of segments may differ.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to ``fit``, and ``reject_label_``.

        Raises
        ------
        ValueError
            If ``threshold`` is larger than the number of segments of a track, or a track is
            rejected in a hard vote of scikit-learn's ``VotingClassifier``.
        """
        winners, votes, n_segments = self._count(X)
        if isinstance(self.threshold, Integral):
            if int(self.threshold) > n_segments:
                raise ValueError(
                    f"threshold={self.threshold} votes, but X has tracks of {n_segments} segments: "
                    "each would be rejected. Lower threshold, or give a share as a float."
                )
            enough = votes >= self.threshold
        else:
            enough = votes / n_segments >= self.threshold
        dtype = np.result_type(self.classes_.dtype, np.min_scalar_type(self.reject_label_))
        labels = self.classes_[winners].astype(dtype)
        labels[~enough] = self.reject_label_
        n_rejected = len(labels) - np.count_nonzero(enough)
        if n_rejected and _is_hard_vote():
            raise ValueError(
                f"RejectingClassifier rejected {n_rejected} of {len(labels)} tracks, but a hard "
                f"vote cannot count reject_label={self.reject_label_!r}. Set VotingClassifier("
                "voting='soft'), which averages the probabilities, or give it the estimator itself."
            )
        return labels

    @available_if(_has_proba)
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the genre probabilities of each track, by the classifier's own vote.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, as for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def predict_segment_proba(self, X: Any) -> NDArray[Any]:
        """Return the genre probabilities of each segment.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, as for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.estimator_.predict_segment_proba(X)

    def coverage_accuracy(
        self, X: Any, y: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Measure for each threshold how many tracks are decided, and how many of these rightly.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features of labelled tracks, best of tracks not trained on.
        y : array-like of shape (n_tracks,)
            Their genres.

        Returns
        -------
        thresholds : ndarray of shape (n_segments,), int
            Votes asked for, from 1 to all segments; ``threshold`` itself does not matter.
        coverage : ndarray of shape (n_segments,)
            Share of the tracks that are decided, which falls.
        accuracy : ndarray of shape (n_segments,)
            Share of the decided tracks whose genre is right; NaN where none is decided.

        Examples
        --------
        >>> import numpy as np
        >>> from skgenre import MLPGenreClassifier, RejectingClassifier
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat(["calm", "loud"], 20)
        >>> X = rng.normal(size=(40, 4, 10, 3))
        >>> X[y == "loud"] += 0.2
        >>> mlp = MLPGenreClassifier(units=(16,), epochs=5, learning_rate=0.01, random_state=0)
        >>> model = RejectingClassifier(mlp).fit(X[::2], y[::2])
        >>> thresholds, coverage, accuracy = model.coverage_accuracy(X[1::2], y[1::2])
        >>> thresholds
        array([1, 2, 3, 4])
        >>> bool(coverage[0] == 1 and (np.diff(coverage) <= 0).all())
        True
        """
        check_genres(y, X)
        winners, votes, n_segments = self._count(X)
        y = _check_y(y, estimator=self)
        check_consistent_length(votes, y)
        right = self.classes_[winners] == y
        thresholds = np.arange(1, n_segments + 1)
        decided = votes >= thresholds[:, np.newaxis]  # (n_segments, n_tracks)
        n_decided = decided.sum(axis=1)
        accuracy = np.full(n_segments, np.nan)
        np.divide((decided & right).sum(axis=1), n_decided, out=accuracy, where=n_decided > 0)
        return thresholds, n_decided / len(y), accuracy

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata go: those of ``fit`` to the classifier's ``fit``.

        Returns
        -------
        routing : MetadataRouter
            What scikit-learn asks meta-estimators for.
        """
        return MetadataRouter(owner=self).add(
            estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit")
        )

    def _count(self, X: Any) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
        """Return each track's winner, the winner's votes, and the number of segments."""
        proba = self.predict_segment_proba(X)
        winners = vote(proba, "hard").argmax(axis=1)
        votes = (proba.argmax(axis=2) == winners[:, np.newaxis]).sum(axis=1)
        return winners, votes, proba.shape[1]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "reject_label_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _is_hard_vote() -> bool:
    """Whether predict was called by scikit-learn's VotingClassifier.predict."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("sklearn."):
        names = frame.f_globals["__name__"], frame.f_code.co_name
        if names == ("sklearn.ensemble._voting", "predict"):
            return True
        frame = frame.f_back
    return False


def _choose_label(label: Any, classes: NDArray[Any]) -> Any:
    """Check the label of rejected tracks against the classes, or choose one."""
    known = classes.tolist()
    kind: type = next(
        (
            kind
            for kind in (str, Integral, Real)
            if all(isinstance(c, kind) and not isinstance(c, bool) for c in known)
        ),
        object,
    )
    if kind is object:
        raise ValueError(
            f"The classes {known} are neither strings nor numbers: no label can stand for "
            "rejected tracks among them. Give the genres as strings."
        )
    if label is None:
        label = "rejected" if kind is str else min([0, *known]) - 1
    elif not isinstance(label, kind) or isinstance(label, bool):
        raise ValueError(
            f"reject_label={label!r} is of another kind than the classes, such as {known[0]!r}: "
            "predict could not answer both. Give a label of their type, or None, which suits any: "
            "scikit-learn encodes genres as integers for some functions, such as VotingClassifier "
            "and cross_val_predict(method='predict_proba')."
        )
    if label in known:
        raise ValueError(
            f"reject_label={label!r} is one of the classes; give another label for rejected tracks."
        )
    return label
