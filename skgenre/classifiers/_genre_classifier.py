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
from sklearn.utils.validation import check_consistent_length

from skgenre.base import as_rows
from skgenre.classifiers._explain import ExplainMixin
from skgenre.classifiers._genre_prediction import PredictionMixin
from skgenre.classifiers._genre_table import has_sound, sha256_of_weights, source_of, views_of
from skgenre.classifiers._members import (
    MEMBERS,
    calibration_folds,
    has_two_artists,
    make_member,
    members_taking_part,
    members_with_artists,
    view_columns,
)
from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.pipeline import PerTrack
from skgenre.utils._blas import one_blas_thread
from skgenre.utils._pipeline import hold_weights
from skgenre.utils._random import draw_seeds
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._tf import check_networks_installed
from skgenre.utils._validation import check_artists
from skgenre.utils._waveforms import MIN_DURATION, track_paths


class GenreClassifier(DocLinkMixin, ExplainMixin, PredictionMixin, ClassifierMixin, BaseEstimator):
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

    Above 5000 tracks the kernel is approximated by its values at 2000 of them [1]_, and the
    machines are linear functions of these by least squares. Time and memory then grow with the
    number of tracks, not with its square.

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
        names = members_taking_part(list(settings[0]), has_groups=groups is not None)
        if "cnn" in names:
            check_networks_installed()
        # Excerpts serve prediction: in fit they are computed only where they can be kept.
        n_excerpts = 0 if self.memory is None and not self.precomputed else self.n_excerpts
        front_end = self._front_end(settings, n_excerpts=n_excerpts)
        # Whatever can be checked is checked before the long work: here the rate and the weights.
        front_end.transformer[-1].fit(np.zeros((1, 1), dtype=np.float32))
        hold_weights(front_end.transformer)
        sha256 = None if self.precomputed else sha256_of_weights(settings[-1])
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
            names = members_with_artists(names, codes, artists)
        columns = view_columns(*settings, n_excerpts=n_excerpts)
        table = self._table(
            X, front_end, columns, "Training leaves such tracks out if all genres have others."
        )
        sound = has_sound(table, columns, "track")
        rows = np.arange(len(y))
        if len(np.unique(codes[sound])) == len(classes) < np.count_nonzero(sound):
            if not sound.all():  # the features of many tracks are not to be copied
                table, y, codes, rows = table[sound], y[sound], codes[sound], rows[sound]
            if artists is not None:
                artists = artists[sound]
                names = members_with_artists(names, codes, artists)
        views = views_of(table, columns, "track")
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
                members[name] = member.fit(views[source_of(name)], y, **given)
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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "members_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = not self.precomputed
        tags.input_tags.three_d_array = not self.precomputed
        return tags
