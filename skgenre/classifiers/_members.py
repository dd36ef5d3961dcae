"""The members of the recommended model, each from views of tracks to probabilities."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC, LinearSVC

from skgenre.classifiers._calibration import Pairs, Temperature, geometric_mean
from skgenre.classifiers._log_mel_cnn import LogMelCNNGenreClassifier
from skgenre.classifiers._views import Views
from skgenre.preprocessing import ArtistWhitening, GroupKernel, GroupScaler

Array = NDArray[Any]
Split = tuple[Array, Array]

# Above so many tracks the kernel is approximated by its values at some of them: the exact one
# has a number for each two tracks, 200 MB for so many.
_MAX_EXACT = 5000
_LANDMARKS = 2000
_FOLDS = 5
# What a track as a whole says counts twice as much as the mean of what its parts say.
_WEIGHTS = (2.0, 1.0)


def calibration_folds(codes: Array, seed: int) -> list[Split]:
    """Cut the training tracks into folds for calibration, each with all genres if possible.

    Parameters
    ----------
    codes : ndarray of shape (n_tracks,)
        The classes.
    seed : int
        Decides the folds.

    Returns
    -------
    folds : list of (train, test)
        Empty where no genre has two tracks.
    """
    n_folds = min(_FOLDS, np.bincount(codes).max())
    if n_folds < 2:
        return []
    with warnings.catch_warnings():
        # A genre with fewer tracks than folds is missing from some of them.
        warnings.simplefilter("ignore", UserWarning)
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(codes, codes)
        return [(train, test) for train, test in folds if _can_learn(codes[train])]


def _can_learn(codes: Array) -> bool:
    """Tell whether there are two genres, and two tracks of one of them."""
    return 1 < len(np.unique(codes)) < len(codes)


class TableMember:
    """A classifier of the clip features, calibrated on folds that were left out.

    Parameters
    ----------
    labels : ndarray of shape (n_columns,), str objects
        The feature group of each column.
    name : {"svc", "svc_whitened", "lda"}
        A support vector machine that compares tracks by each feature group, the same after
        whitening differences between artists of one genre, or a linear discriminant analysis
        with shrunk covariance.
    """

    def __init__(self, labels: Any, name: str):
        self.labels = labels
        self.name = name
        self.whitens = False

    def fit(
        self, views: Views, codes: Array, groups: Array | None, folds: list[Split], seed: int
    ) -> Self:
        """Fit on all tracks; the calibration comes from folds that were left out."""
        n_classes = codes.max() + 1
        # Decided once: the folds, which are smaller, must have scores of the same kind.
        exact = len(codes) <= _MAX_EXACT
        self._fit(views.table, codes, groups, seed, exact=exact)
        has_pairs = exact and self.name != "lda"
        self.calibration_: Any = Pairs(n_classes) if has_pairs else Temperature(n_classes)
        scores = np.full((len(codes), self.calibration_.n_scores), np.nan)
        for train, test in folds:
            part = TableMember(self.labels, self.name)
            part._fit(views.table[train], codes[train], _of(groups, train), seed, exact=exact)
            if part.whitens != self.whitens:
                continue  # too few artists were left: another machine, whose scores say nothing
            scores[test] = self.calibration_.spread(*part._scores(views.table[test]))
        self.calibration_.fit(scores, codes)
        return self

    def _fit(
        self, table: Array, codes: Array, groups: Array | None, seed: int, *, exact: bool
    ) -> None:
        # Arrays between the steps, whatever scikit-learn is told to give at large.
        self.steps_: list[Any] = [_arrays(GroupScaler(feature_groups=self.labels))]
        table = self.steps_[0].fit_transform(table)
        if self.name == "lda":
            self.machine_: Any = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            with warnings.catch_warnings():
                # A genre of one track adds nothing to the covariance within genres.
                warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
                self.machine_.fit(table, codes)
            del self.machine_.covariance_  # 16 MB in each pickle, for which nobody asks again
            return
        labels = self.labels
        if self.name == "svc_whitened":
            whitening = _arrays(ArtistWhitening(feature_groups=labels, without_groups="pass"))
            table = whitening.fit(table, codes, groups=groups).transform(table)
            labels = whitening.feature_groups_
            self.whitens = whitening.projections_ is not None
            self.steps_.append(whitening)
        n_landmarks = None if exact else min(_LANDMARKS, len(table))
        kernel = _arrays(
            GroupKernel(feature_groups=labels, n_landmarks=n_landmarks, random_state=seed)
        )
        table = kernel.fit_transform(table)
        self.steps_.append(kernel)
        if exact:
            self.machine_ = SVC(C=10.0, kernel="precomputed", decision_function_shape="ovo")
        else:
            self.machine_ = LinearSVC(C=10.0, dual=False)
        self.machine_.fit(table, codes)

    def _scores(self, table: Array) -> tuple[Array, Array]:
        """Return what the machine says, and the classes that it knows."""
        for step in self.steps_:
            table = step.transform(table)
        return self.machine_.decision_function(table), self.machine_.classes_

    def predict_proba(self, views: Views) -> Array:
        """Return the probability of each class, by the whole track and by its parts."""
        n_excerpts = views.excerpts.shape[1]
        whole = self._proba(views.table)
        if not n_excerpts:
            return whole
        # One part of each track at a time, which takes no more memory than the whole did.
        parts = sum(self._proba(views.excerpts[:, i]) for i in range(n_excerpts)) / n_excerpts
        return geometric_mean([whole, parts], _WEIGHTS)

    def _proba(self, table: Array) -> Array:
        scores = self.calibration_.spread(*self._scores(table))
        return self.calibration_.predict_proba(scores)


class CropMember:
    """The network over crops of the spectrogram.

    Parameters
    ----------
    classifier : LogMelCNNGenreClassifier
        Not fitted.
    """

    def __init__(self, classifier: LogMelCNNGenreClassifier):
        self.classifier = classifier

    def fit(
        self, views: Views, codes: Array, groups: Array | None, folds: list[Split], seed: int
    ) -> Self:
        """Train on all tracks."""
        self.classifier.set_params(random_state=seed).fit(views.spectrogram, codes)
        return self

    def predict_proba(self, views: Views) -> Array:
        """Return the probability of each class."""
        return self.classifier.predict_proba(views.spectrogram)


def _arrays(step: Any) -> Any:
    return step.set_output(transform="default")


def _of(groups: Array | None, rows: Array) -> Array | None:
    return None if groups is None else groups[rows]
