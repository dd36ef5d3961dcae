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
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skgenre.base import as_rows
from skgenre.classifiers._ensemble import DEFAULT_MEMBERS, Ensemble, checked_labels, excerpts_used
from skgenre.classifiers._views import (
    N_EXCERPTS,
    N_SEGMENTS,
    SEGMENT_DURATION,
    TrackViews,
    segment_front_end,
    with_excerpts,
)
from skgenre.pipeline import PerTrack


class GenreClassifier(ClassifierMixin, BaseEstimator):
    """Tell the genre of audio files; the model to use on a catalogue of one's own.

    Several members answer, and the geometric mean of their probabilities decides. Two support
    vector machines compare tracks by each group of :class:`ClipFeatures`; one of them does not
    look at what tells artists of one genre apart. They judge a track as a whole and by parts of
    it. A linear discriminant analysis and a convolutional network on the log-mel spectrogram,
    :class:`LogMelCNNGenreClassifier`, can be added. Files go in, features are computed inside.

    Parameters
    ----------
    members : tuple of str, default=("svc", "svc_whitened")
        Models in the ensemble: "svc", a support vector machine with a :class:`GroupKernel`;
        "svc_whitened", the same after :class:`ArtistWhitening` of each group, which takes
        part where ``fit`` gets ``groups``; "lda", a linear discriminant analysis with shrunk
        covariance; "cnn", the network.
    sampling_rate : float, default=22050
        Rate in Hz at which everything is computed, 20480 or more; files are resampled to it.
    duration : float, default=60.0
        Seconds taken at most from the middle of each track.
    n_excerpts : int, default=3
        Parts of 10 s, spread evenly over these seconds, by which a track is judged besides
        the whole. 0 judges it as a whole only, which takes half the time for one of 30 s. It
        may be set after ``fit``, as may the next two.
    n_segments : int, default=6
        Parts of a track that ``predict_segment_proba`` judges, spread evenly over these
        seconds.
    segment_duration : float, default=10.0
        Seconds of such a part, or all of a shorter track.
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
    The scores of "svc", "svc_whitened" and "lda" become probabilities by what was learnt on folds
    of the training tracks that were left out. These are not folds by artist: with those, and
    few artists a genre, too little was left to learn from, and the probabilities came out too
    cautious. A genre that only one artist plays cannot be told from that artist.

    The members but for "cnn" learn from whole tracks. Each of them says what it makes of a track
    as a whole and of its parts, and answers with the geometric mean of the former, which counts
    twice, and of the mean of the latter. The network has its crops.

    The features of a track take 10 KB of memory in ``fit``, and 340 KB with the network, which
    makes copies. With ``memory`` they are 29 KB more, since what is kept serves prediction too;
    it is kept for one ``n_excerpts``, and computed again for another.

    Above 5000 tracks the kernel is approximated by its values at 2000 of them [1]_.

    References
    ----------
    .. [1] C. Williams and M. Seeger, "Using the Nystroem method to speed up kernel machines",
       NIPS 2000.

    Examples
    --------
    >>> from skgenre import GenreClassifier, make_genres
    >>> music = make_genres(4, genres=["dub", "swing"], duration=4.0, random_state=0)
    >>> model = GenreClassifier(random_state=0)
    >>> model.fit(music.data, music.target, groups=music.artists).predict(music.data[:1])
    array(['dub'], dtype='<U5')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "members": ["array-like"],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "n_excerpts": [Interval(Integral, 0, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "segment_duration": [Interval(Real, 0, None, closed="neither")],
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
        n_excerpts=N_EXCERPTS,
        n_segments=N_SEGMENTS,
        segment_duration=SEGMENT_DURATION,
        epochs=30,
        n_jobs=None,
        memory=None,
        random_state=None,
    ):
        self.members = members
        self.sampling_rate = sampling_rate
        self.duration = duration
        self.n_excerpts = n_excerpts
        self.n_segments = n_segments
        self.segment_duration = segment_duration
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
            two tracks, the lengths differ, an artist is missing, ``sampling_rate`` is too low, or
            a file cannot be read.

        Warns
        -----
        UserWarning
            If "svc_whitened" is left out because no genre has two artists.
        """
        front_end, ensemble = self.parts()
        # What can be told before the long work is told before.
        names = ensemble.taking_part(has_groups=groups is not None)
        front_end.transformer[-1].check_settings()
        X = as_rows(X)
        check_consistent_length(X, y, groups)
        _, codes, artists = checked_labels(self, X, y, groups)
        ensemble.with_enough_artists(names, codes, artists, warn=False)  # its fit warns
        # The parts are for prediction: in fit they are computed only where they can be kept.
        training = front_end if self.memory is not None else with_excerpts(front_end, 0)
        ensemble.fit(training.fit_transform(X), y, groups=groups)
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
        self._validate_params()
        views = TrackViews(
            sampling_rate=self.sampling_rate,
            duration=self.duration,
            with_spectrogram="cnn" in self.members,
            n_excerpts=excerpts_used(self.members, self.n_excerpts),
        )
        front_end = PerTrack(make_pipeline(views), n_jobs=self.n_jobs, memory=self.memory)
        ensemble = Ensemble(
            self.members,
            epochs=self.epochs,
            n_segments=self.n_segments,
            segment_duration=self.segment_duration,
            random_state=self.random_state,
        )
        return front_end, ensemble

    def _features(self, X: Any) -> NDArray[np.float32]:
        return self._prediction_front_end().transform(X)

    def _prediction_front_end(self) -> PerTrack:
        """Return the front end whose rows ``ensemble_`` predicts, with the present n_excerpts."""
        check_is_fitted(self)
        self._validate_params()
        return with_excerpts(
            self.front_end_, excerpts_used(self.ensemble_.members_, self.n_excerpts)
        )

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

    def predict_segment_proba(self, X: Any) -> NDArray[np.float32]:
        """Judge parts of each track, each by itself, for a timeline.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes), float32
            Rows sum to one. Parts overlap in tracks shorter than all of them together, and
            are the whole track where it is shorter than one.
        """
        check_is_fitted(self)
        self._validate_params()
        parts = segment_front_end(self.front_end_, self.n_segments, self.segment_duration)
        return self.ensemble_.predict_segment_proba(parts.transform(X))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ensemble_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        return tags
