"""The members together: from views of tracks to probabilities of genres."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted

from skgenre.classifiers._calibration import geometric_mean
from skgenre.classifiers._log_mel_cnn import LogMelCNNGenreClassifier
from skgenre.classifiers._members import CropMember, TableMember, calibration_folds
from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.classifiers._views import N_SEGMENTS, SEGMENT_DURATION, split_views
from skgenre.features import ClipFeatures
from skgenre.utils._blas import one_blas_thread
from skgenre.utils._random import draw_seeds
from skgenre.utils._validation import check_artists

MEMBERS = ("svc", "lda", "cnn", "svc_whitened")
DEFAULT_MEMBERS = ("svc", "svc_whitened")


def checked_labels(
    estimator: Any, X: Any, y: Any, groups: Any
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[Any] | None]:
    """Check genres and artists; return the classes, the class of each track, the artists."""
    classes, codes = np.unique(check_target(estimator, X, y), return_inverse=True)
    check_two_classes(estimator, classes)
    if len(codes) == len(classes):
        raise ValueError(
            f"Each of the {len(codes)} genres has 1 track only; what a genre's tracks have in "
            "common takes two or more of at least one genre."
        )
    return classes, codes, None if groups is None else check_artists(groups)


def excerpts_used(members: Iterable[str], n_excerpts: int) -> int:
    """Return the number of parts that are of use: none where nobody but the network answers."""
    return n_excerpts if set(members) - {"cnn"} else 0


class Ensemble(ClassifierMixin, BaseEstimator):
    """What :class:`GenreClassifier` does with the rows that :class:`TrackViews` makes.

    Parameters
    ----------
    members : tuple of str, default=("svc", "svc_whitened")
        As for GenreClassifier.
    epochs : int, default=30
        Epochs of the network.
    n_segments : int, default=6
        As for GenreClassifier; whoever makes the rows of segments goes by it.
    segment_duration : float, default=10.0
        Likewise.
    random_state : int, RandomState instance or None, default=None
        As for GenreClassifier.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "members": ["array-like"],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "segment_duration": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        members=DEFAULT_MEMBERS,
        *,
        epochs=30,
        n_segments=N_SEGMENTS,
        segment_duration=SEGMENT_DURATION,
        random_state=None,
    ):
        self.members = members
        self.epochs = epochs
        self.n_segments = n_segments
        self.segment_duration = segment_duration
        self.random_state = random_state

    @one_blas_thread()
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the members.

        Parameters
        ----------
        X : ndarray of shape (n_tracks, n_values)
            What TrackViews gave.
        y : array-like of shape (n_tracks,)
            Genre of each track.
        groups : array-like of shape (n_tracks,), default=None
            Artist of each track.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            As for GenreClassifier.
        """
        names = self.taking_part(has_groups=groups is not None)
        X = check_array(X, dtype=np.float32, input_name="X")
        check_consistent_length(X, y, groups)
        self.classes_, codes, artists = checked_labels(self, X, y, groups)
        names = self.with_enough_artists(names, codes, artists)
        views = split_views(X)
        fold_seed, *seeds = draw_seeds(self.random_state, 1 + len(MEMBERS))
        folds = calibration_folds(codes, fold_seed)
        self.members_: dict[str, Any] = {}
        for name in names:
            seed = seeds[MEMBERS.index(name)]  # the same whoever else is a member
            self.members_[name] = self._member(name).fit(views, codes, artists, folds, seed)
        return self

    def taking_part(self, *, has_groups: bool) -> list[str]:
        """Check the members, and return those that take part."""
        unknown = [name for name in self.members if name not in MEMBERS]
        names = [] if unknown else list(dict.fromkeys(self.members))
        if unknown or not names:
            raise ValueError(
                f"members={self.members!r} must be one or more of {', '.join(map(repr, MEMBERS))}"
                f"{f'; {unknown[0]!r} is none of them' if unknown else ''}."
            )
        if not has_groups:
            names = [name for name in names if name != "svc_whitened"]
        if not names:
            raise ValueError(
                "members=('svc_whitened',) needs groups, the artist of each track: fit(X, y, "
                "groups=artists). Without them choose 'svc'."
            )
        return names

    def with_enough_artists(
        self,
        names: list[str],
        codes: NDArray[np.intp],
        artists: NDArray[Any] | None,
        *,
        warn: bool = True,
    ) -> list[str]:
        """Leave out the member that learns from artists where no genre has two of them."""
        if "svc_whitened" not in names or artists is None:
            return names
        if any(len(np.unique(artists[codes == code])) > 1 for code in np.unique(codes)):
            return names
        message = (
            "groups names only one artist for each genre, but 'svc_whitened' learns how the "
            "artists of one genre differ"
        )
        if names == ["svc_whitened"]:
            raise ValueError(f"{message}. Choose 'svc', or give tracks of more artists.")
        if warn:
            warnings.warn(f"{message}; it is left out.", UserWarning, stacklevel=4)
        return [name for name in names if name != "svc_whitened"]

    def _member(self, name: str) -> Any:
        if name == "cnn":
            return CropMember(LogMelCNNGenreClassifier(epochs=self.epochs))
        return TableMember(ClipFeatures().get_feature_groups_out(), name)

    @one_blas_thread()
    def predict_member_proba(self, X: Any) -> dict[str, NDArray[np.float64]]:
        """Return what each member answers."""
        check_is_fitted(self)
        views = split_views(check_array(X, dtype=np.float32, input_name="X"))
        return {name: member.predict_proba(views) for name, member in self.members_.items()}

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the geometric mean of the members' answers: (n_tracks, n_classes)."""
        return geometric_mean(list(self.predict_member_proba(X).values()))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable genre of each track."""
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def predict_segment_proba(self, X: Any) -> NDArray[np.float32]:
        """Judge parts of tracks, each by its own row.

        Parameters
        ----------
        X : ndarray of shape (n_tracks, n_segments, n_values) or (n_tracks, n_values)
            What TrackViews gave for parts; for whole tracks these are the only parts.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes), float32
            The probabilities.
        """
        X = np.asarray(X)
        if X.ndim == 2:
            X = X[:, np.newaxis]  # (n_tracks, 1 segment, n_values)
        proba = self.predict_proba(X.reshape(-1, X.shape[-1]))
        return proba.reshape(*X.shape[:2], -1).astype(np.float32)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "members_")
