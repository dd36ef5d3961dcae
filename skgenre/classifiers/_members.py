"""The front end and the members of the recommended model, as users could build them too."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre.audio import AudioLoader
from skgenre.classifiers._calibration import PairwiseCalibratedClassifier
from skgenre.classifiers._least_squares import LeastSquaresClassifier
from skgenre.classifiers._log_mel_cnn import LogMelCNNGenreClassifier
from skgenre.embeddings import MusicnnExtractor
from skgenre.features import (
    ClipFeatures,
    ExcerptFeatures,
    FlatFeatures,
    MelSpectrogramExtractor,
    SoundDetector,
)
from skgenre.pipeline import PerTrack
from skgenre.preprocessing import ArtistWhitening, GroupKernel, GroupScaler
from skgenre.utils._probabilities import MIN_PROBABILITY
from skgenre.utils._warnings import warn_caller

Array = NDArray[Any]
Split = tuple[Array, Array]

MEMBERS = ("svc", "lda", "cnn", "svc_whitened")

N_MELS = 64
HOP_LENGTH = 1024

# Above this number of tracks, the kernel is approximated by its values at some of them: the exact
# one has a number for each pair of tracks, 200 MB here.
MAX_EXACT = 5000
N_LANDMARKS = 2000
_N_FOLDS = 5
# Weight of a group of embeddings beside one of the others; the second with fewer tracks a genre.
_WEIGHT, _WEIGHT_OF_FEW = 2.0, 3.0
_FEW_TRACKS = 10
# Artists that each genre must have for folds by artist.
_ENOUGH_ARTISTS = 5


def make_front_end(
    members: Sequence[str],
    *,
    sampling_rate: float,
    duration: float,
    embeddings: str | None,
    n_jobs: int | None,
    memory: str | os.PathLike[str] | Memory | None,
    **excerpts: Any,
) -> PerTrack:
    """Return the transformer from tracks to the features that some members take.

    Parameters
    ----------
    members : sequence of str
        Names of the members.
    sampling_rate : float
        Rate in Hz to which tracks are resampled.
    duration : float
        Seconds taken at most, from the middle of a track.
    embeddings : str or None
        Weights of a MusicnnExtractor, or None for none.
    n_jobs : int or None
        As for PerTrack.
    memory : str, PathLike, joblib.Memory or None
        As for PerTrack.
    **excerpts : dict
        As for :func:`make_features`.

    Returns
    -------
    front_end : PerTrack
        From tracks to a table.
    """
    loader = AudioLoader(
        sampling_rate=sampling_rate, duration=duration, position="center", short="keep"
    )
    features = make_features(members, sampling_rate, duration, embeddings, **excerpts)
    pipeline = Pipeline([("loader", loader), ("features", features)])
    front_end = PerTrack(pipeline, n_jobs=n_jobs, memory=memory)
    # Arrays between the steps, whatever scikit-learn's configuration says.
    pipeline.set_output(transform="default")
    return front_end.set_output(transform="default")


def make_features(
    members: Sequence[str],
    sampling_rate: float,
    duration: float,
    embeddings: str | None = None,
    *,
    n_excerpts: int = 0,
    segments: tuple[int, float] | None = None,
) -> FeatureUnion:
    """Return the union of the features that some members take.

    Parameters
    ----------
    members : sequence of str
        Names of the members.
    sampling_rate : float
        Rate of the waveforms in Hz.
    duration : float
        Seconds of the longest track.
    embeddings : str or None, default=None
        As for :func:`make_front_end`.
    n_excerpts : int, default=0
        Excerpts that are described beside the whole track, but for the network.
    segments : (int, float) or None, default=None
        Number of segments that are described in place of the track, and seconds of each.

    Returns
    -------
    features : FeatureUnion
        Its columns are called "clip__track__...", "clip__excerpt0__...", "embeddings__track__...",
        "spectrogram__track__...", "sound__track__has_sound". A segment is called an excerpt.
    """
    track_duration = duration
    views: dict[str, Any] = {"n_excerpts": 0}
    if segments is not None:
        n_segments, duration = segments
        views = {
            "n_excerpts": n_segments,
            "excerpt_duration": duration,
            "include_track": False,
        }
    union = []
    clip_views = views if segments else {"n_excerpts": n_excerpts}
    if set(members) - {"cnn"}:
        clip = ClipFeatures(sampling_rate=sampling_rate)
        union.append(("clip", ExcerptFeatures(clip, **clip_views)))
    if embeddings is not None:
        musicnn = MusicnnExtractor(embeddings, sampling_rate=sampling_rate, duration=track_duration)
        union.append(("embeddings", ExcerptFeatures(musicnn, **clip_views)))
    if "cnn" in members:
        mel = MelSpectrogramExtractor(
            n_mels=N_MELS, hop_length=HOP_LENGTH, top_db=None, sampling_rate=sampling_rate
        )
        n_frames = 1 + round(duration * sampling_rate) // HOP_LENGTH
        flat = FlatFeatures(mel, n_frames=n_frames)
        union.append(("spectrogram", ExcerptFeatures(flat, **views)))
    detector = SoundDetector(sampling_rate=sampling_rate)
    union.append(("sound", ExcerptFeatures(detector, **clip_views)))
    return FeatureUnion(union, n_jobs=1)


def view_columns(members: tuple[str, ...], *settings: Any, **excerpts: Any) -> dict[str, slice]:
    """Return where the views of a track are in the table of :func:`make_features`.

    Parameters
    ----------
    members : tuple of str
        As for make_features.
    *settings : float, float, str or None
        Likewise, the sampling rate, the duration and the embeddings.
    **excerpts : dict
        Likewise.

    Returns
    -------
    columns : dict of str to slice
        By the beginning of their names: "clip__track", "clip__excerpt0", "embeddings__track",
        "spectrogram__track".
    """
    embeddings = settings[-1]
    learnt = None
    if embeddings is not None:  # the file may have been replaced by weights of other sizes
        learnt = tuple(MusicnnExtractor(embeddings).get_feature_names_out())
    return _view_columns(learnt, members, *settings, **excerpts)


@lru_cache(maxsize=16)
def _view_columns(_learnt: Any, *settings: Any, **excerpts: Any) -> dict[str, slice]:
    names = make_features(*settings, **excerpts).get_feature_names_out()
    prefixes = np.array(["__".join(name.split("__", 2)[:2]) for name in names])
    views, first, counts = np.unique(prefixes, return_index=True, return_counts=True)
    return {
        str(view): slice(int(start), int(start + n))
        for view, start, n in zip(views, first, counts, strict=True)
    }


def make_member(
    name: str,
    codes: Array,
    *,
    folds: list[Split],
    epochs: int,
    seed: int,
    embeddings: str | None = None,
) -> Any:
    """Return one member, not fitted.

    Parameters
    ----------
    name : {"svc", "svc_whitened", "lda", "cnn"}
        Which.
    codes : ndarray of shape (n_tracks,)
        The classes of the training tracks.
    folds : list of (train, test)
        On which it is calibrated, except for the network.
    epochs : int
        Epochs of the network.
    seed : int
        Seed of the member.
    embeddings : str or None, default=None
        As for :func:`make_front_end`.

    Returns
    -------
    member : classifier
        Of the columns "spectrogram__track" for "cnn", else of "clip__track" and those of
        "embeddings__track" after them.
    """
    if name == "cnn":
        frames = FunctionTransformer(as_frames)
        network = LogMelCNNGenreClassifier(epochs=epochs, random_state=seed)
        return Pipeline([("frames", frames), ("network", network)]).set_output(transform="default")
    labels = ClipFeatures().get_feature_groups_out()
    weights = None
    if embeddings is not None:
        learnt = MusicnnExtractor(embeddings).get_feature_groups_out()
        labels = np.concatenate([labels, learnt])
        weights = dict.fromkeys(learnt, embedding_weight(codes))
    steps: list[Any] = [("scaler", GroupScaler(feature_groups=labels))]
    if name == "lda":
        steps.append(("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")))
    else:
        if name == "svc_whitened":
            whitening = ArtistWhitening(
                feature_groups=labels, keep_columns=True, without_groups="raise"
            )
            steps.append(("whitening", whitening))
        exact = len(codes) <= MAX_EXACT
        kernel = GroupKernel(
            feature_groups=labels,
            group_weights=weights,
            n_landmarks=None if exact else N_LANDMARKS,
            random_state=seed,
        )
        svc = (
            SVC(C=10.0, kernel="precomputed", decision_function_shape="ovo")
            if exact
            else LeastSquaresClassifier(C=10.0)
        )
        steps += [("kernel", kernel), ("svc", svc)]
    pipeline = Pipeline(steps).set_output(transform="default")
    return PairwiseCalibratedClassifier(
        pipeline,
        cv=folds,
        balance=embeddings is not None,
        # One track in five changes little of what so many say about scales and artists.
        refit_transformers=len(codes) <= MAX_EXACT,
    )


def embedding_weight(codes: Array) -> float:
    """Return the weight of a group of embeddings, compared with one of the other groups.

    Where few tracks are labelled, what was learnt from other music says more than they do.
    """
    few = len(codes) < _FEW_TRACKS * len(np.unique(codes))
    return _WEIGHT_OF_FEW if few else _WEIGHT


def as_frames(X: Array) -> Array:
    """Return the spectrograms that are in a table: (n_tracks, n_frames, n_mels)."""
    return X.reshape(len(X), -1, N_MELS)


def calibration_folds(codes: Array, seed: int, artists: Array | None = None) -> list[Split]:
    """Divide the training tracks into folds for calibration, each with all genres if possible.

    Parameters
    ----------
    codes : ndarray of shape (n_tracks,)
        The classes.
    seed : int
        Decides the folds.
    artists : ndarray of shape (n_tracks,) or None, default=None
        Where each genre has many, the folds keep the tracks of an artist together.

    Returns
    -------
    folds : list of (train, test)
        Those whose training tracks suffice for a classifier: two genres, and two tracks of one
        of them. Empty where no genre has two tracks.
    """
    n_folds = min(_N_FOLDS, np.bincount(codes).max())
    if n_folds < 2:
        return []
    with warnings.catch_warnings():
        # A genre with fewer tracks than folds is missing from some of them.
        warnings.simplefilter("ignore", UserWarning)
        splitter: Any = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        if artists is not None and _has_enough_artists(codes, artists):
            splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        folds = splitter.split(codes, codes, artists)
        return [
            (train, test)
            for train, test in folds
            if 1 < len(np.unique(codes[train])) < len(codes[train])
        ]


def _has_enough_artists(codes: Array, artists: Array) -> bool:
    """Whether each genre has enough artists to do without a fifth of them."""
    return all(
        len(np.unique(artists[codes == code])) >= _ENOUGH_ARTISTS for code in np.unique(codes)
    )


def has_two_artists(codes: Array, artists: Array) -> bool:
    """Whether one of the genres has tracks by two artists."""
    return any(len(np.unique(artists[codes == code])) > 1 for code in np.unique(codes))


def members_taking_part(names: list[str], *, has_groups: bool) -> list[str]:
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


def members_with_artists(
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


def geometric_mean(
    answers: Sequence[Array], weights: Sequence[float] | None = None, *, power: float = 1.0
) -> Array:
    """Return the geometric mean of probabilities.

    Parameters
    ----------
    answers : sequence of ndarray of shape (n_tracks, n_classes)
        Probabilities of several classifiers.
    weights : sequence of float, default=None
        Weight of each classifier; None means that all weigh the same.
    power : float, default=1.0
        Power of the mean; above 1, it is surer of itself.

    Returns
    -------
    proba : ndarray of shape (n_tracks, n_classes)
        Rows sum to one. A ten thousandth is added to each probability, so that no classifier
        alone can exclude a class.
    """
    logs = np.log(np.stack(answers) + MIN_PROBABILITY)
    proba = np.exp(power * np.average(logs, axis=0, weights=weights))
    return proba / proba.sum(axis=1, keepdims=True)
