"""The recommended model: from audio files to calibrated probabilities of genres."""

from __future__ import annotations

import os
import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted

from skgenre.base import as_rows
from skgenre.classifiers._explain import ExplainMixin
from skgenre.classifiers._genre_record import genre_record
from skgenre.classifiers._members import (
    MEMBERS,
    calibration_folds,
    geometric_mean,
    has_two_artists,
    make_front_end,
    make_member,
    view_columns,
)
from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.embeddings import WrongWeightsError, load_weights
from skgenre.pipeline import PerTrack
from skgenre.utils._blas import one_blas_thread
from skgenre.utils._pipeline import hold_weights
from skgenre.utils._probabilities import TRACK_AND_EXCERPTS, power_of_members
from skgenre.utils._random import draw_seeds
from skgenre.utils._tf import check_networks_installed
from skgenre.utils._validation import check_artists
from skgenre.utils._warnings import (
    NO_SOUND,
    TrackWarning,
    gather_track_warnings,
    warn_caller,
    warn_of_tracks,
)
from skgenre.utils._waveforms import MIN_DURATION, track_paths

# Tracks that are predicted together, with their excerpts.
_TRACKS_TOGETHER = 256


class GenreClassifier(ExplainMixin, ClassifierMixin, BaseEstimator):
    """Predict the genre of audio files: the model to use for your own catalogue.

    The geometric mean of the probabilities of several members decides. By default these are two
    support vector machines that compare tracks by each group of :class:`ClipFeatures`; one of them
    ignores what tells artists of one genre apart. They predict from the whole track and from
    excerpts of it. A linear discriminant analysis and a convolutional network on the log-mel
    spectrogram, :class:`LogMelCNNGenreClassifier`, can be added. Files go in; features are
    computed inside.

    Parameters
    ----------
    members : tuple of str, default=("svc", "svc_whitened")
        Models in the ensemble. "svc" is a support vector machine with a :class:`GroupKernel`;
        "svc_whitened" the same after :class:`ArtistWhitening` of each group, which is left out,
        with a warning, where ``fit`` gets no ``groups``; "lda" a linear discriminant analysis
        with shrunk covariance; "cnn" the network.
    sampling_rate : float, default=22050
        Rate in Hz at which everything is computed, 20480 or more; files are resampled to it.
    duration : float, default=60.0
        Seconds taken at most from the middle of each track, 0.1 or more. Shorter tracks are
        taken as they are.
    n_excerpts : int, default=3
        Excerpts of 10 s, spread evenly over these seconds, that predict beside the whole track.
        With 0, only the whole track predicts, which takes half the time for a track of 30 s.
    n_segments : int, default=6
        Segments of a track in ``predict_segment_proba``, spread evenly over these seconds.
    segment_duration : float, default=10.0
        Seconds of such a segment, 0.1 or more, or all of a shorter track.
    epochs : int, default=30
        Epochs of the network, of at least 30 steps each.
    embeddings : {"msd", "mtt"}, str, PathLike or None, default=None
        Weights of a :class:`MusicnnExtractor`, whose four groups of features all members but "cnn"
        take beside those of :class:`ClipFeatures`. :func:`fetch_musicnn` downloads them once,
        and states their licence and the music that they were trained on. They help most where
        few tracks are labelled. None takes :class:`ClipFeatures` alone.
    precomputed : bool, default=False
        Whether X holds what the front end of :meth:`split_front_end` returns, rather than tracks.
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
    members_ : dict of str to classifier
        The fitted members that take part, pipelines from columns of features to genres.
    front_end_ : PerTrack
        The front end of ``fit``, from tracks to features.
    embeddings_sha256_ : str or None
        The SHA-256 of the weights of the embeddings, None without embeddings. Other weights are
        refused in prediction. None too where ``precomputed``.
    track_rows_ : ndarray of shape (n_fit,), int
        Rows of X in ``fit`` that the members learnt from: those that have sound.
    track_genres_ : ndarray of shape (n_fit,)
        Their genres.
    track_names_ : ndarray of shape (n_fit,), str, or None
        Their paths, None where X had none. :func:`save` leaves them out unless
        ``keep_paths=True``; a pickle has them.

    See Also
    --------
    make_genre_pipeline : The pipelines of the papers.
    evaluate : Measures the accuracy on artists that are not in training.
    PairwiseCalibratedClassifier : Makes probabilities of a member's scores.

    Notes
    -----
    Parameters that act at prediction are read then, so that they may be set after ``fit``, also
    on a model that was loaded from a file: ``n_excerpts``, ``n_segments``, ``segment_duration``,
    ``precomputed``, ``n_jobs`` and ``memory``. All others belong to ``fit``: where they are changed
    afterwards, predictions stay those of the last fit.

    All parts are public. The front end is :class:`PerTrack` over an :class:`AudioLoader` and a
    union of :class:`ExcerptFeatures` of :class:`ClipFeatures` and, for "cnn", of a mel spectrogram.
    Members are pipelines such as :class:`GroupScaler`, :class:`ArtistWhitening`,
    :class:`GroupKernel` and ``SVC`` in a :class:`PairwiseCalibratedClassifier`.

    The folds of the calibration are not divided by artist: then, with few artists in a genre, too
    little was left to learn from, and the probabilities came out too cautious. With ``embeddings``
    they are, where each genre has 5 artists or more. A genre with only one artist cannot be told
    from that artist.

    With ``embeddings``, each of their groups has twice the weight of one of the others in the
    :class:`GroupKernel`, and three times the weight where there are fewer than 10 tracks a genre on
    average. The calibration makes up for unequal numbers of tracks, by ``balance`` of
    :class:`PairwiseCalibratedClassifier`, which finds more tracks of small genres. The mean of the
    members is raised to the power 1.1 where there are 25 tracks a genre or more on average:
    together they are right more often than each says.

    All members except "cnn" learn from whole tracks. The probabilities of each of them are the
    geometric mean of those for the whole track, which count twice, and of the mean of those for
    its excerpts. The network has its own random crops.

    A track without sound, by the definition of :class:`NoSoundWarning`, is named in a warning.
    ``fit`` leaves it out if all genres have other tracks. In prediction all genres get the same
    probability, so that ``predict`` gives the first of ``classes_``. Excerpts without sound do not
    vote, and segments without sound get the same probability of all genres, without a warning.

    The features of a track take 10 KB of memory in ``fit``, and 340 KB with the network, which
    makes copies. With ``memory`` they take 29 KB more: what is kept there serves prediction too.
    It is kept for one ``n_excerpts``, and computed again for another.

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
        "duration": [Interval(Real, MIN_DURATION, None, closed="left")],
        "n_excerpts": [Interval(Integral, 0, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "segment_duration": [Interval(Real, MIN_DURATION, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "embeddings": [str, os.PathLike, None],
        "precomputed": ["boolean"],
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, Memory, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        members=("svc", "svc_whitened"),
        *,
        sampling_rate=22050,
        duration=60.0,
        n_excerpts=3,
        n_segments=6,
        segment_duration=10.0,
        epochs=30,
        embeddings=None,
        precomputed=False,
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
        self.embeddings = embeddings
        self.precomputed = precomputed
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state

    # What scikit-learn's metadata routing passes on without set_fit_request.
    __metadata_request__fit = {"groups": True}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Compute the features of all tracks, and fit the members.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            Paths, waveforms or pairs ``(waveform, sampling_rate)``, as for
            :class:`AudioLoader`; where ``precomputed``, the table of the front end.
        y : array-like of shape (n_tracks,)
            Genre of each track: strings or integers.
        groups : array-like of shape (n_tracks,), default=None
            Artist of each track. A cross-validation or search of scikit-learn passes them on
            only with metadata routing: ``sklearn.set_config(enable_metadata_routing=True)``, and
            ``params={"groups": artists}`` in ``cross_val_score``.

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
            If "svc_whitened" is left out because there are no ``groups``, or no genre has two
            artists.
        NoSoundWarning
            If tracks have no sound.
        """
        settings = self._fit_settings()
        names = _taking_part(list(settings[0]), has_groups=groups is not None)
        if "cnn" in names:
            check_networks_installed()
        # Excerpts serve prediction: in fit they are computed only where they can be kept.
        n_excerpts = 0 if self.memory is None and not self.precomputed else self.n_excerpts
        front_end = self._front_end(settings, n_excerpts=n_excerpts)
        # Whatever can be checked is checked before the long work: here the rate and the weights.
        front_end.transformer[-1].fit(np.zeros((1, 1), dtype=np.float32))
        hold_weights(front_end.transformer)
        sha256 = None if self.precomputed else _sha256_of_weights(settings[-1])
        X = as_rows(X)
        check_consistent_length(X, y, groups)
        y = check_target(self, X, y)
        classes, codes = np.unique(y, return_inverse=True)
        check_two_classes(self, classes)
        if len(codes) == len(classes):
            raise ValueError(
                f"Each of the {len(codes)} genres has 1 track only; to learn what the tracks of a "
                "genre have in common takes two or more tracks of at least one genre."
            )
        artists = None if groups is None else check_artists(groups)
        if artists is not None:
            names = _with_enough_artists(names, codes, artists)
        columns = view_columns(*settings, n_excerpts=n_excerpts)
        table = self._table(
            X, front_end, columns, "Training leaves such tracks out if all genres have others."
        )
        sound = _has_sound(table, columns, "track")
        rows = np.arange(len(y))
        if len(np.unique(codes[sound])) == len(classes) < np.count_nonzero(sound):
            table, y, codes, rows = table[sound], y[sound], codes[sound], rows[sound]
            if artists is not None:
                artists = artists[sound]
                names = _with_enough_artists(names, codes, artists)
        views = _views(table, columns, "track")
        members = self._fit_members(names, views, y, codes, artists, settings[-1])
        self.classes_, self.members_, self.front_end_ = classes, members, front_end
        self._settings, self.embeddings_sha256_ = settings, sha256
        paths = track_paths(X)
        self.track_names_ = None if paths is None else paths[rows]
        self.track_rows_, self.track_genres_ = rows, classes[codes]
        return self

    @one_blas_thread()
    def _fit_members(
        self,
        names: list[str],
        views: dict[str, NDArray[np.float32]],
        y: NDArray[Any],
        codes: NDArray[np.intp],
        artists: NDArray[Any] | None,
        embeddings: str | None,
    ) -> dict[str, Any]:
        fold_seed, *seeds = draw_seeds(self.random_state, 1 + len(MEMBERS))
        # Embeddings know an album again: only other artists tell how often they are right.
        folds = calibration_folds(codes, fold_seed, None if embeddings is None else artists)
        members = {}
        # Artists are routed to the whitening inside the members.
        with config_context(enable_metadata_routing=True), warnings.catch_warnings():
            # A genre of one track adds nothing to the covariance within genres.
            warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
            for name in names:
                given, own_folds = {}, folds
                if name == "svc_whitened":
                    assert artists is not None
                    given = {"groups": artists}
                    # Scores without whitening say nothing about those with it.
                    own_folds = [
                        (train, test)
                        for train, test in folds
                        if has_two_artists(codes[train], artists[train])
                    ]
                member = make_member(
                    name,
                    codes,
                    folds=own_folds,
                    epochs=self.epochs,
                    embeddings=embeddings,
                    # Whichever other members there are. Both machines get the same landmarks.
                    seed=seeds[MEMBERS.index("svc" if name == "svc_whitened" else name)],
                )
                members[name] = member.fit(views[_source(name)], y, **given)
        if "lda" in members:  # 45 MB in each pickle that prediction does not need
            del members["lda"].estimator_["lda"].covariance_
        return members

    def split_front_end(self) -> tuple[PerTrack, GenreClassifier]:
        """Return the two halves of the classifier, not fitted.

        A pipeline of both predicts as the classifier itself does. Compute features once by the
        front end where the other half is fitted many times, as in cross-validation.

        Returns
        -------
        front_end : PerTrack
            From tracks to a table of features with named columns; learns nothing.
        classifier : GenreClassifier
            A copy with ``precomputed=True``, a classifier of this table.
        """
        self._validate_params()
        front_end = self._front_end(self._fit_settings(), n_excerpts=self.n_excerpts)
        return front_end, clone(self).set_params(precomputed=True)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each genre: the geometric mean of the members.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Rows sum to one; columns in the order of ``classes_``.

        Warns
        -----
        NoSoundWarning
            If tracks have no sound; all genres have the same probability then.
        """
        return self._mean_of_members(self.predict_member_proba(X))

    def _mean_of_members(self, found: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        power = power_of_members(
            len(self.track_genres_),
            len(self.classes_),
            has_embeddings=self._settings[-1] is not None,
        )
        return geometric_mean(list(found.values()), power=power)

    def predict_member_proba(self, X: Any) -> dict[str, NDArray[np.float64]]:
        """Return the probabilities of each member.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : dict of str to ndarray of shape (n_tracks, n_classes)
            The probabilities by each member's name.
        """
        return self._predict_table(*self._features(X, n_excerpts=self.n_excerpts))

    def _predict_table(
        self, table: NDArray[np.float32], columns: dict[str, slice]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the probabilities of each member from the features of tracks."""
        parts = [
            self._vote_of_excerpts(table[start : start + _TRACKS_TOGETHER], columns)
            for start in range(0, len(table), _TRACKS_TOGETHER)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _vote_of_excerpts(
        self, table: NDArray[np.float32], columns: dict[str, slice]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the probabilities of each member, from the whole tracks and their excerpts."""
        n_excerpts = sum(view.startswith("clip__excerpt") for view in columns)
        names = ["track", *(f"excerpt{i}" for i in range(n_excerpts))]
        views = [_views(table, columns, name) for name in names]
        # All views of the tracks are predicted together: (n_views * n_tracks, n_columns).
        rows = {
            source: np.concatenate([view[source] for view in views if source in view])
            for source in views[0]
        }
        has_sound = np.array([_has_sound(table, columns, name) for name in names])
        has_sound = has_sound[:, :, np.newaxis]  # (n_views, n_tracks, 1)
        found = {}
        for name, proba in self._member_proba(rows).items():
            whole, *excerpts = proba.reshape(-1, len(table), proba.shape[1])
            if excerpts:
                # An excerpt without sound has nothing to add to the whole track.
                mean = np.where(has_sound[1:], excerpts, whole).mean(axis=0)
                whole = geometric_mean([whole, mean], TRACK_AND_EXCERPTS)
            found[name] = np.where(has_sound[0], whole, 1 / len(self.classes_))
        return found

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
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def predict_records(
        self,
        X: Any,
        *,
        top: int | None = None,
        min_confidence: float = 0.0,
        max_genres: int = 1,
        set_probability: float = 0.9,
    ) -> list[dict[str, Any]]:
        """Describe the answer for each track: a genre, several, or none.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.
        top : int or None, default=None
            Number of genres in ``probabilities``; None means all.
        min_confidence : float, default=0.0
            Where no genre is as probable as this, the status is "unknown".
        max_genres : int, default=1
            Most genres in ``genres``: the most probable ones, until together they are as probable
            as ``set_probability``.
        set_probability : float, default=0.9
            Probability that the genres of a track should have together.

        Returns
        -------
        records : list of dict
            For each track ``status``: "ok", "unknown" or "no sound"; ``genre``, the most probable
            one, or None; ``genres``, a list; ``probabilities``, a dict with the most probable
            first; ``reason`` for a missing genre, or None.

        See Also
        --------
        predict_files : Records of many files, also of those that cannot be read.
        """
        with gather_track_warnings() as found:
            table, columns = self._features(X, n_excerpts=self.n_excerpts)
        warn_of_tracks([warning for warning in found if warning.problem != NO_SOUND[0]])
        has_sound = _has_sound(table, columns, "track")
        proba = self._mean_of_members(self._predict_table(table, columns))
        return [
            genre_record(
                row,
                self.classes_,
                top=top,
                min_confidence=min_confidence,
                max_genres=max_genres,
                set_probability=set_probability,
                no_sound=None if sound else "no sound",
            )
            for row, sound in zip(proba, has_sound, strict=True)
        ]

    def predict_segment_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probabilities of segments of each track, for a timeline.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes), float32
            Rows sum to one. Segments overlap in tracks shorter than all of them together, and
            are the whole track where it is shorter than one. Where ``precomputed``, the whole
            track is the only segment.
        """
        if self.precomputed:
            return self.predict_proba(X)[:, np.newaxis].astype(np.float32)
        of_segments = (self.n_segments, self.segment_duration)
        table, columns = self._features(X, segments=of_segments)
        names = [f"excerpt{i}" for i in range(self.n_segments)]
        segments = [_views(table, columns, name) for name in names]
        has_sound = np.stack([_has_sound(table, columns, name) for name in names], axis=1)
        # (n_tracks * n_segments, n_columns), so that all segments are predicted together
        rows = {
            source: np.stack([views[source] for views in segments], axis=1).reshape(
                len(table) * len(segments), -1
            )
            for source in segments[0]
        }
        proba = self._mean_of_members(self._member_proba(rows))
        proba = proba.reshape(len(table), len(segments), -1).astype(np.float32)
        return np.where(has_sound[:, :, np.newaxis], proba, np.float32(1 / len(self.classes_)))

    def _whole_tracks(
        self, X: Any, consequence: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the features of whole tracks that the machines take, and which have sound."""
        # Excerpts are needed only where they come with the table, or are kept for prediction.
        with_excerpts = self.precomputed or self.memory is not None
        n_excerpts = self.n_excerpts if with_excerpts else 0
        table, columns = self._features(X, consequence, n_excerpts=n_excerpts)
        return _views(table, columns, "track")["clip"], _has_sound(table, columns, "track")

    def _fit_settings(self) -> tuple[tuple[str, ...], float, float, str | None]:
        """Return what decides the columns of the features; the members are checked."""
        unknown = [name for name in self.members if name not in MEMBERS]
        names = () if unknown else tuple(dict.fromkeys(self.members))
        if not names:
            raise ValueError(
                f"members={self.members!r} must be one or more of {', '.join(map(repr, MEMBERS))}"
                f"{f'; {unknown[0]!r} is none of them' if unknown else ''}."
            )
        embeddings = None if self.embeddings is None else os.fspath(self.embeddings)
        if embeddings is not None and names == ("cnn",):
            raise ValueError(
                f"embeddings={self.embeddings!r} serve all members but 'cnn', which is the only "
                "one; choose more members, or embeddings=None."
            )
        return names, float(self.sampling_rate), float(self.duration), embeddings

    def _front_end(self, settings: tuple[Any, ...], **excerpts: Any) -> PerTrack:
        members, sampling_rate, duration, embeddings = settings
        return make_front_end(
            members,
            sampling_rate=sampling_rate,
            duration=duration,
            embeddings=embeddings,
            n_jobs=self.n_jobs,
            memory=self.memory,
            **excerpts,
        )

    def _features(
        self,
        X: Any,
        consequence: str = "All genres have the same probability for such a track.",
        **excerpts: Any,
    ) -> tuple[NDArray[np.float32], dict[str, slice]]:
        """Return the table of tracks for prediction, and where in it each view is."""
        check_is_fitted(self)
        self._validate_params()
        front_end = self._front_end(self._settings, **excerpts)
        if not self.precomputed and self.embeddings_sha256_ is not None:
            self._check_weights(self._settings[-1])
        columns = view_columns(*self._settings, **excerpts)
        return self._table(X, front_end, columns, consequence), columns

    def _check_weights(self, embeddings: str | None) -> None:
        """Refuse weights of the embeddings that are not those of ``fit``."""
        found = _sha256_of_weights(embeddings)
        if found != self.embeddings_sha256_:
            raise WrongWeightsError(
                f"The weights {embeddings!r} of the embeddings have the SHA-256 {found}, but "
                f"GenreClassifier was fitted with {self.embeddings_sha256_}. Put the weights of "
                "fit in their place, or fit again."
            )

    def _table(
        self, X: Any, front_end: PerTrack, columns: dict[str, slice], consequence: str
    ) -> NDArray[np.float32]:
        """Return the features of tracks, (n_tracks, n_columns); warn of those without sound."""
        if self.precomputed:
            table = self._check_table(X, columns)
            silent = np.flatnonzero(~_has_sound(table, columns, "track"))
            found = [TrackWarning(f"row {row}", "", *NO_SOUND) for row in silent]
        else:
            with gather_track_warnings() as found:
                table = front_end.fit_transform(X)
        warn_of_tracks([w._replace(advice=consequence) if w[2:] == NO_SOUND else w for w in found])
        return table

    def _check_table(self, X: Any, columns: dict[str, slice]) -> NDArray[np.float32]:
        """Check the table that takes the place of tracks where ``precomputed``."""
        rows = as_rows(X)
        if isinstance(rows[0], (str, os.PathLike)):
            raise ValueError(
                f"X holds paths, such as {str(rows[0])!r}, but precomputed=True expects the "
                "table that the front end of split_front_end() makes of them. Give this table, or "
                "set precomputed=False."
            )
        table = check_array(X, dtype=np.float32, input_name="X")
        n_columns = max(view.stop for view in columns.values())
        if table.shape[1] != n_columns:
            raise ValueError(
                f"X has {table.shape[1]} columns, but the front end of split_front_end() makes "
                f"{n_columns} with n_excerpts={self.n_excerpts}; set both to the same n_excerpts, "
                "or precomputed=False to give tracks."
            )
        return table

    @one_blas_thread()
    def _member_proba(
        self, views: dict[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the probabilities of each member that has a view."""
        return {
            name: member.predict_proba(views[_source(name)])
            for name, member in self.members_.items()
            if _source(name) in views
        }

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "members_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = not self.precomputed
        tags.input_tags.three_d_array = not self.precomputed
        return tags


def _taking_part(names: list[str], *, has_groups: bool) -> list[str]:
    """Return the members that take part: one of them only where there are groups."""
    if has_groups or "svc_whitened" not in names:
        return names
    others = tuple(name for name in names if name != "svc_whitened")
    message = (
        "The member 'svc_whitened' of GenreClassifier needs groups, the artist of each track, but "
        "fit got none. Give fit(X, y, groups=artists); cross-validations of scikit-learn pass them "
        "on after sklearn.set_config(enable_metadata_routing=True), as params={'groups': artists}. "
        f"Without artists choose members={others or ('svc',)}"
    )
    if not others:
        raise ValueError(f"{message}.")
    warn_caller(
        f"{message}; 'svc_whitened' is left out, which makes this another model than with artists."
    )
    return list(others)


def _with_enough_artists(
    names: list[str], codes: NDArray[np.intp], artists: NDArray[Any]
) -> list[str]:
    """Leave out the member that learns from artists where no genre has two of them."""
    if "svc_whitened" not in names or has_two_artists(codes, artists):
        return names
    message = (
        "groups names only one artist for each genre, but 'svc_whitened' learns how the "
        "artists of one genre differ"
    )
    if names == ["svc_whitened"]:
        raise ValueError(f"{message}. Choose 'svc', or give tracks of more artists.")
    warn_caller(f"{message}; it is left out.")
    return [name for name in names if name != "svc_whitened"]


def _sha256_of_weights(embeddings: str | None) -> str | None:
    """Return the SHA-256 of the weights; an error says how to get those that are not there."""
    if embeddings is None:
        return None
    return load_weights(embeddings).sha256


def _source(member: str) -> str:
    """Return which features a member takes."""
    return "spectrogram" if member == "cnn" else "clip"


def _has_sound(
    table: NDArray[np.float32], columns: dict[str, slice], view: str
) -> NDArray[np.bool_]:
    """Return whether the track, or an excerpt, has sound: (n_tracks,)."""
    return table[:, columns[f"sound__{view}"]][:, 0] > 0


def _views(
    table: NDArray[np.float32], columns: dict[str, slice], view: str
) -> dict[str, NDArray[np.float32]]:
    """Return the columns of the track, or of an excerpt, by the kind of features."""
    views = {
        source: table[:, columns[f"{source}__{view}"]]
        for source in ("clip", "spectrogram")
        if f"{source}__{view}" in columns
    }
    if f"embeddings__{view}" in columns:  # they are further groups beside those of the clip
        embeddings = table[:, columns[f"embeddings__{view}"]]
        views["clip"] = np.concatenate([views["clip"], embeddings], axis=1)
    return views
