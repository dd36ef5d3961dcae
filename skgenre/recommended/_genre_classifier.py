"""The recommended model: from audio files to calibrated probabilities of genres."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skgenre._base import as_rows
from skgenre.audio import AudioLoader
from skgenre.pipeline import PerTrack
from skgenre.recommended._ensemble import DEFAULT_MEMBERS, Ensemble, checked_labels
from skgenre.recommended._views import TrackViews


def _judges_crops(self: GenreClassifier) -> bool:
    Ensemble(self.members).predict_segment_proba  # noqa: B018 - raises where there is none
    return True


class GenreClassifier(ClassifierMixin, BaseEstimator):
    """Tell the genre of audio files; the model to use on a catalogue of one's own.

    Several members that hear different things answer, and the geometric mean of their
    probabilities decides: classical machines on :class:`ClipFeatures`, and a convolutional
    network on the log-mel spectrogram, :class:`LogMelCNNGenreClassifier`. Files go in,
    features are computed inside.

    Parameters
    ----------
    members : tuple of str, default=("svc", "asvc", "lda", "cnn")
        Who answers: "svc", a support vector machine with an RBF kernel on the feature groups;
        "asvc", the same after :class:`ArtistWhitening`, which takes part where ``fit`` gets
        ``groups``; "lda", a linear discriminant analysis with shrunk covariance; "cnn", the
        network.
    sampling_rate : float, default=22050
        Rate in Hz at which everything is computed; files are resampled to it.
    duration : float, default=60.0
        Seconds taken from the middle of each track; a shorter one starts again.
    epochs : int, default=30
        Epochs of the network, of at least 30 steps each.
    n_jobs : int or None, default=None
        Tracks whose features are computed at the same time, as for :class:`PerTrack`.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder in which the features of each track are kept, as for :class:`PerTrack`.
    random_state : int, RandomState instance or None, default=None
        Decides the network's training and the folds of calibration. With an int, fits on
        the same machine are equal.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted.
    front_end_ : PerTrack
        From files to features.
    ensemble_ : Ensemble
        The fitted members, from features to genres.

    See Also
    --------
    make_genre_pipeline : The pipelines of the papers.
    evaluate : Measures it on artists that it has not heard.

    Notes
    -----
    The scores of "svc", "asvc" and "lda" become probabilities by what was learnt on folds of
    the training tracks that were left out. These are not folds by artist: with those, and
    few artists a genre, too little was left to learn from, and the probabilities came out too
    cautious. A genre that only one artist plays cannot be told from that artist.

    The features of a track take 340 KB of memory in ``fit``; the network makes copies. Above
    10 000 tracks the kernel is approximated by its values at 2000 of them [1]_.

    References
    ----------
    .. [1] C. Williams and M. Seeger, "Using the Nystroem method to speed up kernel machines",
       NIPS 2000.

    Examples
    --------
    >>> from skgenre import GenreClassifier, make_genres
    >>> music = make_genres(4, genres=["dub", "swing"], duration=4.0, random_state=0)
    >>> model = GenreClassifier(members=("svc", "asvc"), duration=4.0, random_state=0)
    >>> model.fit(music.data, music.target, groups=music.artists).predict(music.data[:1])
    array(['dub'], dtype='<U5')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "members": ["array-like"],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, Memory, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        members=DEFAULT_MEMBERS,
        *,
        sampling_rate=22050,
        duration=60.0,
        epochs=30,
        n_jobs=None,
        memory=None,
        random_state=None,
    ):
        self.members = members
        self.sampling_rate = sampling_rate
        self.duration = duration
        self.epochs = epochs
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Compute the features of all tracks, and fit the members.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            Paths, waveforms or pairs ``(waveform, sampling_rate)``, as for
            :class:`AudioLoader`.
        y : array-like of shape (n_tracks,)
            Genre of each track: strings or integers.
        groups : array-like of shape (n_tracks,), default=None
            Artist of each track. In a search or cross-validation they come by metadata
            routing: ``set_fit_request(groups=True)``.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If a member is unknown or all need ``groups``, there is only one genre, no genre has
            two tracks, the lengths differ, an artist is missing, or a file cannot be read.
        """
        front_end, ensemble = self.parts()
        # What can be told before the long work is told before.
        ensemble.taking_part(has_groups=groups is not None)
        front_end.transformer[-1].check_settings()
        X = as_rows(X)
        check_consistent_length(X, y, groups)
        checked_labels(self, X, y, groups)
        ensemble.fit(front_end.fit_transform(X), y, groups=groups)
        self.front_end_, self.ensemble_ = front_end, ensemble
        self.classes_ = ensemble.classes_
        return self

    def parts(self) -> tuple[PerTrack, Ensemble]:
        """Return what the classifier consists of, not fitted.

        For those who compute features once and fit many times, as in cross-validation.

        Returns
        -------
        front_end : PerTrack
            From tracks to rows of features; nothing to learn.
        ensemble : Ensemble
            A classifier of these rows, whose ``fit`` takes ``groups``.
        """
        loader = AudioLoader(
            sampling_rate=self.sampling_rate, duration=self.duration, position="centre"
        )
        steps = make_pipeline(loader, TrackViews(sampling_rate=self.sampling_rate))
        front_end = PerTrack(steps, n_jobs=self.n_jobs, memory=self.memory)
        ensemble = Ensemble(self.members, epochs=self.epochs, random_state=self.random_state)
        return front_end, ensemble

    def _features(self, X: Any) -> NDArray[np.float32]:
        check_is_fitted(self)
        return self.front_end_.transform(X)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each genre: the geometric mean of the members' answers.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Rows sum to one; columns in the order of ``classes_``.
        """
        features = self._features(X)
        return self.ensemble_.predict_proba(features)

    def predict_member_proba(self, X: Any) -> dict[str, NDArray[np.float64]]:
        """Return what each member answers.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : dict of str to ndarray of shape (n_tracks, n_classes)
            The probabilities by each member's name.
        """
        features = self._features(X)
        return self.ensemble_.predict_member_proba(features)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable genre of each track.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to ``fit``.
        """
        features = self._features(X)
        return self.ensemble_.predict(features)

    @available_if(_judges_crops)
    def predict_segment_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the network's probabilities for parts of each track, for a timeline.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_crops, n_classes), float32
            Five crops of 6 s at 22 050 Hz, spread evenly over the track.
        """
        features = self._features(X)
        return self.ensemble_.predict_segment_proba(features)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ensemble_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        return tags
