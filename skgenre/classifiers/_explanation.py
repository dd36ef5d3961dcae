"""The score of a support vector machine as a sum over feature groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from skgenre.utils._records import import_pandas

Double = NDArray[np.float64]

# Training tracks over which contributions are averaged.
_N_AVERAGED = 1000


@dataclass(frozen=True, repr=False)
class Explanation:
    """How much each feature group speaks for each genre: exact parts of a score.

    A support vector machine has a score for each pair of genres, positive in favour of the first.
    The score of a genre is the mean of its scores against each of the others. Both are exact
    sums over feature groups and a constant, the intercept: the score of an average training
    track, where each genre has the same weight in the average. The contribution of a feature group
    says by how much the group moves the score of this track away from that.

    Attributes
    ----------
    members : tuple of str
        The machines whose mean score is explained.
    classes : ndarray of shape (n_classes,)
        The genres, sorted.
    feature_groups : list of str
        The feature groups.
    pair_contributions : ndarray of shape (n_tracks, n_pairs, n_groups)
        The part of each group in the score of each pair of genres, in the order (0, 1), (0, 2),
        ..., (1, 2), ...; NaN for a track without sound.
    pair_intercept : ndarray of shape (n_pairs,)
        The score of each pair for an average training track.

    See Also
    --------
    skgenre.GenreClassifier : Its ``explain`` returns one.
    skgenre.ExplanationDisplay : Draws it.
    """

    members: tuple[str, ...]
    classes: NDArray[Any]
    feature_groups: list[str]
    pair_contributions: Double
    pair_intercept: Double

    def __repr__(self) -> str:  # the arrays take pages
        n_tracks, _, n_groups = self.pair_contributions.shape
        return (
            f"<Explanation: n_tracks={n_tracks}, n_classes={len(self.classes)}, "
            f"n_groups={n_groups}, members={self.members!r}; to_frame() is its table>"
        )

    @property
    def contributions(self) -> Double:
        """The part of each group in the score of each genre: (n_tracks, n_classes, n_groups)."""
        return np.einsum("cp,tpg->tcg", self._signs(), self.pair_contributions)

    @property
    def intercept(self) -> Double:
        """The score of each genre for an average training track: (n_classes,)."""
        return self._signs() @ self.pair_intercept

    @property
    def scores(self) -> Double:
        """The score of each genre, its contributions and intercept: (n_tracks, n_classes)."""
        return self.contributions.sum(axis=2) + self.intercept

    @property
    def pair_scores(self) -> Double:
        """The score of each pair of genres: (n_tracks, n_pairs)."""
        return self.pair_contributions.sum(axis=2) + self.pair_intercept

    def between(self, genre: Any, other: Any) -> tuple[Double, float]:
        """Return what speaks for one genre and against another.

        Parameters
        ----------
        genre : str or int
            A genre.
        other : str or int
            Another genre.

        Returns
        -------
        contributions : ndarray of shape (n_tracks, n_groups)
            The part of each group in the score of the pair, positive in favour of ``genre``.
        intercept : float
            The score of the pair for an average training track.

        Raises
        ------
        ValueError
            If the model does not know a genre, or both are the same.
        """
        i, j = self.index(genre), self.index(other)
        if i == j:
            raise ValueError(f"Both genres are {genre!r}; give two different ones.")
        first, second = np.triu_indices(len(self.classes), 1)
        pair = np.flatnonzero((first == min(i, j)) & (second == max(i, j)))[0]
        sign = 1.0 if i < j else -1.0
        return sign * self.pair_contributions[:, pair], float(sign * self.pair_intercept[pair])

    def index(self, genre: Any) -> int:
        """Return the number of a genre in ``classes``.

        Parameters
        ----------
        genre : str or int
            A genre.

        Returns
        -------
        index : int
            Its number.

        Raises
        ------
        ValueError
            If the model does not know it.
        """
        found = np.flatnonzero(self.classes == genre)
        if not len(found):
            raise ValueError(f"Unknown genre {genre!r}; the model knows {self.classes.tolist()}.")
        return int(found[0])

    def to_frame(self) -> Any:
        """Return the contributions as a table; pandas must be installed.

        Returns
        -------
        frame : pandas.DataFrame
            A row for each track and genre, labelled by both, a column for each feature group, and
            the columns "intercept" and "score", the sum of the others.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas("The arrays of the result need no pandas.")
        n_tracks, n_classes = self.scores.shape
        index = pandas.MultiIndex.from_product(
            [range(n_tracks), self.classes.tolist()], names=["track", "genre"]
        )
        rows = self.contributions.reshape(n_tracks * n_classes, -1)
        frame = pandas.DataFrame(rows, index=index, columns=self.feature_groups)
        return frame.assign(
            intercept=np.tile(self.intercept, n_tracks), score=np.ravel(self.scores)
        )

    def _signs(self) -> Double:
        """Return the weight of each pair's score in that of each genre: (n_classes, n_pairs)."""
        n_classes = len(self.classes)
        first, second = np.triu_indices(n_classes, 1)
        pairs = np.arange(len(first))
        signs = np.zeros((n_classes, len(first)))
        signs[first, pairs], signs[second, pairs] = 1.0, -1.0
        return signs / (n_classes - 1)


def pair_contributions(pipeline: Pipeline, X: Any, genres: NDArray[Any]) -> tuple[Double, Double]:
    """Split the scores of a machine into feature groups.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, with the last steps "kernel", a :class:`GroupKernel`, and "svc".
    X : ndarray of shape (n_tracks, n_features)
        What the pipeline takes.
    genres : ndarray of shape (n_fit,)
        Genres of the tracks of ``fit``.

    Returns
    -------
    contributions : ndarray of shape (n_tracks, n_pairs, n_groups)
        Parts of the score of each pair of classes, positive in favour of the first, less their
        mean over the training tracks.
    intercept : ndarray of shape (n_pairs,)
        The rest of the scores: those of a mean training track.
    """
    kernel = pipeline["kernel"]
    coef, intercept = _pair_coefficients(pipeline["svc"])
    if kernel.landmarks_ is not None:
        genres = genres[kernel.landmarks_]
    # Any offset leaves the sum exact, so that some tracks are enough.
    some = np.linspace(0, len(genres) - 1, min(len(genres), _N_AVERAGED)).astype(int)
    parts = kernel.contributions(kernel.X_fit_[some], coef)
    present = np.unique(genres[some])
    mean = np.mean([parts[genres[some] == genre].mean(axis=0) for genre in present], axis=0)
    contributions = kernel.contributions(pipeline[:-2].transform(X), coef) - mean
    return contributions, intercept + mean.sum(axis=1)


def _pair_coefficients(machine: Any) -> tuple[Double, Double]:
    """Return the linear function of each pair: (n_pairs, n_columns) and (n_pairs,)."""
    n_classes = len(machine.classes_)
    first, second = np.triu_indices(n_classes, 1)
    if not isinstance(machine, SVC):  # a function for each class, or one in favour of the second
        if n_classes == 2:
            return -machine.coef_, -machine.intercept_
        by_class, intercept = machine.coef_, machine.intercept_
        return by_class[first] - by_class[second], intercept[first] - intercept[second]
    coef = np.zeros((len(first), machine.shape_fit_[0]))
    if n_classes == 2:
        coef[:, machine.support_] = -machine.dual_coef_
        return coef, -machine.intercept_
    # A support vector of class i has its coefficient against j in row j - 1, or j before i.
    ends = np.cumsum(machine.n_support_)
    own = [slice(end - n, end) for end, n in zip(ends, machine.n_support_, strict=True)]
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        coef[pair, machine.support_[own[i]]] = machine.dual_coef_[j - 1, own[i]]
        coef[pair, machine.support_[own[j]]] = machine.dual_coef_[i, own[j]]
    return coef, machine.intercept_
