"""Features once, then cross-validation of what learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._blas import one_blas_thread

Array = NDArray[Any]


@one_blas_thread()
def extract(
    front: Any,
    paths: Iterable[str],
    on_bad_file: Callable[[str, Exception], None] | None = None,
) -> tuple[Array, list[int]]:
    """Turn files into features, one after the other: one track's sound is in memory.

    The steps before the scaler treat each track by itself and learn nothing. What they
    make of a track is the same whichever tracks a fold trains on, so it is computed once
    for all folds and for the final model.

    Parameters
    ----------
    front : PerTrack
        The steps from paths to features, the loader first.
    paths : iterable of str
        The files.
    on_bad_file : callable or None, default=None
        Is told of a file that cannot be read, which is then left out; None lets the error
        pass.

    Returns
    -------
    features : ndarray of shape (n_tracks, n_segments, n_frames, n_features)
        The features of the files that could be read.
    rows : list of int
        Which of the files these are.
    """
    # Step by step, so that only what the loader refuses counts as a bad file.
    loader, rest = front.transformer[0], front.transformer[1:]
    features, rows = [], []
    first_error: Exception | None = None
    for row, path in enumerate(paths):
        try:
            sound = loader.transform([path])
        except (ValueError, OSError) as error:
            if on_bad_file is None:
                raise
            first_error = first_error or error
            on_bad_file(path, error)
            continue
        # The loader of the recommended classifier computes its features too.
        features.append(rest.transform(sound) if len(rest) else sound)
        rows.append(row)
    if not features:
        raise ValueError(f"None of the files can be read; the first: {first_error}")
    return np.concatenate(features), rows


@dataclass(frozen=True)
class Folds:
    """How tracks are divided: the test rows of each fold, or why there are none.

    ``scarcest`` is the genre that limits the number of folds, ``n_scarcest`` how many
    artists (or tracks, where artists are not known) it has.
    """

    splits: list[tuple[Array, Array]]
    scarcest: str
    n_scarcest: int


def divide(y: Array, artists: Array | None, n_folds: int, seed: int) -> Folds:
    """Divide tracks into folds: by artist where artists are known, genres spread evenly.

    Parameters
    ----------
    y : ndarray of shape (n_tracks,)
        Genre of each track.
    artists : ndarray of shape (n_tracks,) or None
        Artist of each track.
    n_folds : int
        Folds wanted; fewer come where a genre has fewer artists or tracks than that.
    seed : int
        Decides the shuffling.

    Returns
    -------
    folds : Folds
        The division.

    Raises
    ------
    ValueError
        If a genre has one artist (or track) only, or cannot be spread over the folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    units = np.arange(len(y)) if artists is None else artists
    counts = {str(genre): len(set(units[y == genre])) for genre in np.unique(y)}
    scarcest = min(counts, key=lambda genre: counts[genre])
    what = "track" if artists is None else "artist"
    remedy = "give --cv 0 to train without cross-validation."
    if counts[scarcest] < 2:
        raise ValueError(
            f"The genre {scarcest!r} has 1 {what} only; cross-validation needs one to train on "
            f"and another to test on. Add tracks{' by others' * (artists is not None)}, or {remedy}"
        )
    splitter = StratifiedKFold if artists is None else StratifiedGroupKFold
    fewer = min(n_folds, counts[scarcest])
    folds = splitter(fewer, shuffle=True, random_state=seed)
    splits = list(folds.split(y, y, groups=artists))
    for train, test in splits:
        missing = sorted(set(y.tolist()) - set(y[train].tolist()))
        if missing or not len(test):
            raise ValueError(
                f"The artists of {scarcest if not missing else missing[0]!r} cannot be spread over "
                f"{fewer} folds; lower --cv, or {remedy}"
            )
    return Folds(splits, scarcest, counts[scarcest])


@dataclass(frozen=True)
class Validation:
    """What cross-validation found: the genre of each track by a model that never saw it."""

    y: Array
    predicted: Array
    fold_accuracies: Array

    @property
    def accuracy(self) -> float:
        """Mean accuracy of the folds, by track."""
        return float(self.fold_accuracies.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation of the folds' accuracies."""
        return float(self.fold_accuracies.std())

    def recall(self, genre: str) -> float:
        """Share of a genre's tracks that were found, over all folds."""
        return float((self.predicted[self.y == genre] == genre).mean())

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the genres, over all folds."""
        return float(np.mean([self.recall(genre) for genre in np.unique(self.y)]))


def artists_for(model: Any, artists: Array | None) -> dict[str, Array]:
    """Return the artists as a parameter of ``fit``, where the classifier takes them."""
    from sklearn.utils.validation import has_fit_parameter

    if artists is None or not has_fit_parameter(model[-1], "groups"):
        return {}
    return {f"{model.steps[-1][0]}__groups": artists}


def cross_validate(
    model: Any, features: Array, y: Array, folds: Folds, artists: Array | None = None
) -> Validation:
    """Fit a copy of a model for each fold and predict the tracks it did not see.

    Parameters
    ----------
    model : Pipeline
        Takes features: the scaler and the classifier.
    features : ndarray of shape (n_tracks, n_segments, n_frames, n_features)
        Of each track.
    y : ndarray of shape (n_tracks,)
        Genre of each track.
    folds : Folds
        The division.
    artists : ndarray of shape (n_tracks,) or None, default=None
        For classifiers that learn from them.

    Returns
    -------
    validation : Validation
        The predictions and the folds' accuracies.
    """
    from sklearn.base import clone

    predicted = np.empty_like(y)
    for train, test in folds.splits:
        given = artists_for(model, None if artists is None else artists[train])
        predicted[test] = (
            clone(model).fit(features[train], y[train], **given).predict(features[test])
        )
    accuracies = [(predicted[test] == y[test]).mean() for _, test in folds.splits]
    return Validation(y, predicted, np.array(accuracies))
