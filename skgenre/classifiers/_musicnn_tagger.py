"""A classifier that needs no labels: the tags of a pretrained network as genres."""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils._param_validation import Interval

from skgenre.audio import AudioLoader
from skgenre.classifiers._target import check_target
from skgenre.embeddings import MusicnnExtractor, WeightsHolder
from skgenre.features import SoundDetector
from skgenre.pipeline import PerTrack
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import as_rows
from skgenre.utils._waveforms import MIN_DURATION

_RATE = 16000  # Hz, that of the network

_GENRE_TAGS = {
    "msd": (
        "rock,pop,alternative,indie,electronic,dance,alternative rock,jazz,metal,classic rock,soul,"
        "indie rock,electronica,folk,punk,blues,hard rock,ambient,experimental,Hip-Hop,country,"
        "easy listening,funk,electro,heavy metal,Progressive rock,rnb,indie pop,House"
    ),
    "mtt": (
        "classical,techno,electronic,rock,ambient,indian,opera,pop,new age,dance,country,metal,"
        "choral"
    ),
}


class MusicnnTagger(DocLinkMixin, WeightsHolder, ClassifierMixin, BaseEstimator):
    """Predict genres without any training of your own, from the tags of a pretrained network.

    The network, musicnn [1]_, gives each of 50 tags a probability. Those that name genres, or those
    that you choose, become the classes. Files go in. ``fit`` learns nothing and may be left out;
    the weights must be there, see :func:`fetch_musicnn`.

    Its genres are those of the people who tagged its training music: listeners of last.fm for
    "msd", players of a game for "mtt". Where you have labelled tracks, :class:`GenreClassifier`
    learns your own.

    Parameters
    ----------
    weights : {"msd", "mtt"}, str or PathLike, default="msd"
        The weights, as for :class:`MusicnnExtractor`.
    genres : mapping or None, default=None
        Your genres, all strings or all integers, with the tag or the list of tags that stand for
        each: ``{"rap": "Hip-Hop", "electronic": ["electronica", "House"]}``. A genre is as probable
        as the most probable of its tags. None takes each tag that names a genre as it is, 29 of
        "msd" and 13 of "mtt", and all tags of other weights.
    duration : float, default=60.0
        Seconds taken at most, from the middle of each track.
    n_jobs : int or None, default=None
        Tracks that are predicted at the same time, as for :class:`PerTrack`.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder in which the output for each track is kept, as for :class:`PerTrack`.

    Attributes
    ----------
    weights_sha256_ : str
        The SHA-256 of the weights. Set by ``fit``, and in pickles and model files, which hold this
        number but not the weights: others are refused then.
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted; known before ``fit``.
    tags_ : ndarray of shape (50,)
        The tags, in the order of :meth:`predict_tag_proba`; known before ``fit``.

    See Also
    --------
    fetch_musicnn : Gets the weights; states their licence and what they were trained on.
    MusicnnExtractor : The layers before the tags, as features for a classifier of your own.

    Notes
    -----
    The probability of a tag is the sigmoid of the mean of the network's output over patches of 3 s.
    It says how likely a listener gives this tag to the track: tags that were rare in training have
    small probabilities for all music, and several tags can be probable at once.
    :meth:`predict_proba` divides those of the genres by their sum.

    A track without sound is named in a warning; its tags have the probability 0, and all genres
    the same one.

    References
    ----------
    .. [1] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
       audio tagging", ISMIR 2019, late-breaking session.

    Examples
    --------
    >>> from skgenre import MusicnnTagger
    >>> tagger = MusicnnTagger(genres={"rap": "Hip-Hop", "electronic": ["electronica", "House"]})
    >>> tagger.classes_.tolist()
    ['electronic', 'rap']
    >>> tagger.predict_proba(["song.mp3"])  # doctest: +SKIP
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "weights": [str, os.PathLike],
        "genres": [Mapping, None],
        "duration": [Interval(Real, MIN_DURATION, None, closed="left")],
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, Memory, None],
    }

    def __init__(self, weights="msd", *, genres=None, duration=60.0, n_jobs=None, memory=None):
        self.weights = weights
        self.genres = genres
        self.duration = duration
        self.n_jobs = n_jobs
        self.memory = memory

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters, the labels and that the weights are there; learn nothing.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``predict``; they are not read.
        y : array-like of shape (n_tracks,) or None, default=None
            Genre of each track, which must be among ``classes_``.

        Returns
        -------
        self : object
            The classifier itself.

        Raises
        ------
        FileNotFoundError
            If the weights are not there; the message says how to get them.
        ValueError
            If a genre stands for no tag of the network, or ``y`` has others.
        """
        as_rows(X)
        self._hold_weights()
        classes = self.classes_
        if y is not None:
            strange = sorted(
                set(check_target(self, X, y).tolist()) - set(classes.tolist()), key=str
            )
            if strange:
                raise ValueError(
                    f"y has the genres {strange}, but this MusicnnTagger predicts "
                    f"{classes.tolist()}. Map each genre to tags, as in "
                    f"genres={{{strange[0]!r}: [...], ...}}; the tags are {self.tags_.tolist()}."
                )
        return self

    @property
    def classes_(self) -> NDArray[Any]:
        """The genres, sorted."""
        return np.unique(np.array(list(self._genres())))

    @property
    def tags_(self) -> NDArray[np.str_]:
        """The tags of the network."""
        return np.array(self._layer_sizes()[2])

    def _genres(self) -> dict[Any, list[str]]:
        """Return the tags of each genre; they are checked."""
        tags = self.tags_.tolist()
        if self.genres is None:
            named = _GENRE_TAGS.get(self.weights) if isinstance(self.weights, str) else None
            return {tag: [tag] for tag in (named.split(",") if named else tags)}
        genres = {
            genre: [chosen] if isinstance(chosen, str) else list(chosen)
            for genre, chosen in self.genres.items()
        }
        for genre, chosen in genres.items():
            unknown = [tag for tag in chosen if tag not in tags]
            if unknown or not chosen:
                raise ValueError(
                    f"genres maps {genre!r} to {chosen!r}, but expected one or more tags of the "
                    f"network: {', '.join(tags)}."
                )
        kinds = {type(genre) for genre in genres}
        if len(genres) < 2 or kinds not in ({str}, {int}):
            raise ValueError(
                f"genres={self.genres!r} must have two genres or more, all strings or all integers."
            )
        return genres

    def predict_tag_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each tag, independently of the others.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            Paths, waveforms or pairs ``(waveform, sampling_rate)``, as for :class:`AudioLoader`.
            Waveforms of unknown rate count as 16000 Hz.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_tags)
            Columns in the order of ``tags_``. Rows do not sum to one; 0 for a track without sound.

        Raises
        ------
        FileNotFoundError
            If the weights are not there; the message says how to get them.
        ValueError
            If a file cannot be read, or the weights are others than those of ``fit``.

        Warns
        -----
        NoSoundWarning
            If tracks have no sound.
        """
        self._validate_params()
        self._held_weights()  # refuses others
        loader = AudioLoader(
            sampling_rate=_RATE, duration=self.duration, position="center", short="keep"
        )
        extractor = MusicnnExtractor(self.weights, sampling_rate=_RATE, duration=self.duration)
        sound = SoundDetector(sampling_rate=_RATE)
        features = FeatureUnion([("musicnn", extractor), ("sound", sound)], n_jobs=1)
        pipeline = Pipeline([("loader", loader), ("features", features)])
        front_end = PerTrack(pipeline, n_jobs=self.n_jobs, memory=self.memory)
        pipeline.set_output(transform="default")
        table = front_end.set_output(transform="default").transform(X).astype(np.float64)
        n_tags = len(self.tags_)
        logits, has_sound = table[:, -1 - n_tags : -1], table[:, -1:] > 0
        return np.where(has_sound, expit(logits), 0)

    def tags_to_genres(self, tag_proba: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Turn probabilities of tags into those of genres.

        Parameters
        ----------
        tag_proba : ndarray of shape (n_tracks, n_tags)
            As :meth:`predict_tag_proba` returns them.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            The largest of each genre's tags, divided by the sum over genres.
        """
        tags, genres = self.tags_.tolist(), self._genres()
        columns = [[tags.index(tag) for tag in genres[genre]] for genre in self.classes_.tolist()]
        proba = np.stack([tag_proba[:, chosen].max(axis=1) for chosen in columns], axis=1)
        proba[~proba.any(axis=1)] = 1  # without sound
        return proba / proba.sum(axis=1, keepdims=True)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each genre, as a share of all of them.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for :meth:`predict_tag_proba`.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes)
            Rows sum to one; columns in the order of ``classes_``. All the same for a track without
            sound.
        """
        return self.tags_to_genres(self.predict_tag_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable genre of each track.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for :meth:`predict_tag_proba`.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Members of ``classes_``.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        return tags
