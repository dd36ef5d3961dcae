"""Whitening by the differences between artists of one genre."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skgenre.preprocessing._feature_groups import columns_by_group, group_labels
from skgenre.utils._rows import parts_of_rows
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import check_artists, check_genres

Double = NDArray[np.float64]

# Tracks up to which the principal components come from a decomposition of the table itself.
_MAX_DECOMPOSED = 5000


class ArtistWhitening(DocLinkMixin, TransformerMixin, BaseEstimator):
    r"""Shrink the directions in which the artists of one genre differ.

    A model that should recognise the genre of unseen artists must not rely on what
    distinguishes artists within a genre: voice, production, the sound of one album. This
    transformer learns from the artists of the training tracks in which directions artists of
    the same genre differ, and shrinks these directions. ::

        model = make_pipeline(GroupScaler(), ArtistWhitening(), SVC(C=10))
        model.fit(X, y, artistwhitening__groups=artists)

    Without artists in ``fit``, features pass through unchanged.

    Parameters
    ----------
    feature_groups : "auto", array-like of shape (n_features,) or None, default=None
        Groups of columns, each whitened separately; labels as for :class:`GroupScaler`. A
        group has few columns compared with the number of artists, so that its covariance is
        estimated better, and :class:`GroupKernel` can use the groups afterwards. None whitens
        all columns together.
    n_components : int, default=200
        Maximum number of principal components, to which the features, or those of a group, are
        reduced first. It is limited by the columns and by the training tracks less one.
    shrinkage : float, default=0.5
        Weight of a multiple of the identity of the same trace, with which the covariance of
        the artists is mixed: with 0 it is used as estimated, with 1 nothing is whitened.
    keep_columns : bool, default=False
        Whether to turn the whitened components back into the columns that they come from.
        The distances between tracks are the same; the table keeps its columns with their names
        and groups, so that a :class:`GroupKernel` with the same ``feature_groups`` can follow.
    without_groups : {"warn", "pass", "raise"}, default="warn"
        What to do in ``fit`` if no artists are given, or no genre has two of them: let
        features pass through unchanged, with one warning or without, or raise an error.

    Attributes
    ----------
    feature_groups_ : ndarray of shape (n_out,), str objects
        The group of each output column; "" where there are no groups.
    columns_ : dict of str to ndarray
        Positions of the columns of each group, groups in the order of their first columns; "" is
        the group of all where there are no groups.
    mean_ : ndarray of shape (n_features,)
        Mean of each column; zeros where features pass through.
    projections_ : list of ndarray of shape (n_columns, n_components) or None
        The matrix that multiplies the centred columns of each group, groups in the order of
        their first columns; None where features pass through.
    components_ : list of ndarray of shape (n_columns, n_components) or None
        The principal components of each group, which turn the whitened ones back into columns
        where ``keep_columns`` is true; None where features pass through.
    n_features_in_ : int
        Number of columns of X in ``fit``.

    See Also
    --------
    GroupScaler : Scales columns; use it before.
    GroupKernel : Compares tracks group by group.

    Notes
    -----
    With :math:`m_a` the mean of the tracks of artist a of genre g, :math:`\mu_g` the mean
    of these means over the :math:`A_g` artists of the genre, all in the space of the k
    principal components, the covariance of artists around genres is

    .. math:: W = \frac{1}{\sum_g (A_g - 1)} \sum_g \sum_{a \in g}
              (m_a - \mu_g) (m_a - \mu_g)^T.

    It is shrunk, :math:`S = (1 - s) W + s \frac{\operatorname{tr} W}{k} I`, and the output
    for a track z is :math:`S^{-1/2} z`. An artist in two genres counts as two. A genre with a
    single artist does not contribute to W.

    This is the within-class covariance normalisation of speaker recognition [1]_. There the
    class is a speaker and its samples are recordings; here the class is a genre and its
    samples are artists, so that the twelve tracks of one album count as one.

    References
    ----------
    .. [1] A. Hatch, S. Kajarekar and A. Stolcke, "Within-class covariance normalization for
       SVM-based speaker recognition", Interspeech 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import ArtistWhitening
    >>> rng = np.random.default_rng(0)
    >>> artists = np.repeat(np.arange(20), 10)  # ten tracks of each
    >>> genres = np.where(artists < 10, "blues", "jazz")
    >>> X = rng.normal(size=(200, 2))
    >>> X[:, 0] += 5 * rng.normal(size=20)[artists]  # depends on the artist
    >>> X[:, 1] += 2 * (genres == "jazz")  # depends on the genre
    >>> Xt = ArtistWhitening(shrinkage=0.1).fit_transform(X, genres, groups=artists)
    >>> def between_genres(A):
    ...     means = [A[genres == genre].mean(axis=0) for genre in ("blues", "jazz")]
    ...     return round(float(np.var(means, axis=0).sum() / A.var(axis=0).sum()), 2)
    >>> between_genres(X), between_genres(Xt)  # shares of the variance
    (0.03, 0.23)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "feature_groups": [StrOptions({"auto"}), "array-like", None],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
        "keep_columns": ["boolean"],
        "without_groups": [StrOptions({"warn", "pass", "raise"})],
    }

    def __init__(
        self,
        *,
        feature_groups=None,
        n_components=200,
        shrinkage=0.5,
        keep_columns=False,
        without_groups="warn",
    ):
        self.feature_groups = feature_groups
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.keep_columns = keep_columns
        self.without_groups = without_groups

    # What scikit-learn's metadata routing passes on without set_fit_request.
    __metadata_request__fit = {"groups": True}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Learn the directions in which artists of one genre differ.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table.
        y : array-like of shape (n_tracks,), default=None
            The genre of each track; needed where groups are given.
        groups : array-like of shape (n_tracks,), default=None
            The artist of each track. In a pipeline give it by the name of the step
            (``artistwhitening__groups``), or as ``groups`` where scikit-learn's metadata routing
            is switched on.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If groups come without genres, do not match the tracks or have gaps, if
            ``feature_groups`` has not one label for each column, or if ``shrinkage=0`` and
            there are too few artists for the components.
        """
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        labels = np.full(X.shape[1], "")
        if self.feature_groups is not None:
            labels = group_labels(self, self.feature_groups)
        self.mean_ = np.zeros(X.shape[1])
        self.projections_: list[Double] | None = None
        self.components_: list[Double] | None = None
        self.feature_groups_ = labels.astype(object)
        self.columns_ = columns_by_group(labels)
        if groups is None:
            self._pass_through(
                "got no groups. Give the artist of each track, in a pipeline as "
                "fit(X, y, artistwhitening__groups=artists)"
            )
            return self
        if y is None:
            raise ValueError("ArtistWhitening got groups but no y; give the genre of each track.")
        check_genres(y, X)
        y, groups = column_or_1d(y), check_artists(groups)
        check_consistent_length(X, y, groups)
        codes = [np.unique(labels, return_inverse=True)[1] for labels in (y, groups)]
        # One column for each pair of genre and artist, and the pair of each track.
        pairs, artist = np.unique(np.stack(codes), axis=1, return_inverse=True)
        genre = pairs[0]
        n_free = len(genre) - len(np.unique(genre))
        if n_free == 0:
            self._pass_through("found no genre with two artists. Give tracks of more artists")
            return self
        mean = X.mean(axis=0, dtype=np.float64)
        components, projections = [], []
        for name, columns in self.columns_.items():
            centred = X[:, columns] - mean[columns]
            some = _principal_components(centred, int(self.n_components))
            components.append(some)
            projections.append(self._projection(some, centred, artist.ravel(), genre, n_free, name))
        self.mean_, self.projections_, self.components_ = mean, projections, components
        if self.keep_columns:
            return self
        sizes = [projection.shape[1] for projection in projections]
        self.feature_groups_ = np.repeat(np.array(list(self.columns_), dtype=object), sizes)
        return self

    def transform(self, X: Any) -> NDArray[np.floating[Any]]:
        """Whiten a table, or let it pass through.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_features)
            A table with the columns seen in ``fit``.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_out)
            As many columns as principal components, or those of X where ``keep_columns`` is
            true; the table itself where ``fit`` had no artists. A data frame where ``set_output``
            asks for one.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        if self.projections_ is None:
            return X
        out = np.empty((len(X), len(self.feature_groups_)), dtype=X.dtype)
        for rows in parts_of_rows(len(X)):
            centred = X[rows] - self.mean_
            parts = [
                centred[:, columns] @ projection
                for columns, projection in zip(
                    self.columns_.values(), self.projections_, strict=True
                )
            ]
            if not self.keep_columns:
                out[rows] = np.concatenate(parts, axis=1)
                continue
            assert self.components_ is not None
            for columns, part, components in zip(
                self.columns_.values(), parts, self.components_, strict=True
            ):
                out[rows, columns] = part @ components.T
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X.

        Returns
        -------
        names : ndarray of shape (n_out,), str objects
            "artistwhitening0", "artistwhitening1", ..., with column groups after the group
            and ``__``, so that "auto" finds them: "mfcc__artistwhitening0"; the names of X, after
            their groups, where it is handed through. With ``keep_columns`` always the names of X.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        if self.keep_columns or (self.projections_ is None and self.feature_groups is None):
            return names
        if self.projections_ is None:
            # Prefixed by their groups, as if they had been whitened.
            return np.array(
                [
                    name
                    if name.rpartition("__")[0] == group
                    else f"{group}__{name.replace('__', '_')}"
                    for group, name in zip(self.feature_groups_, names, strict=True)
                ],
                dtype=object,
            )
        return np.array(
            [
                f"{group}__artistwhitening{i}" if group else f"artistwhitening{i}"
                for i, group in enumerate(self.feature_groups_)
            ],
            dtype=object,
        )

    def _projection(
        self,
        components: Double,
        centred: Double,
        artist: NDArray[np.intp],
        genre: NDArray[np.intp],
        n_free: int,
        name: str,
    ) -> Double:
        """Return the matrix that multiplies the columns of one group: (n_columns, k)."""
        scores = centred @ components  # (n_tracks, k)
        by_artist = _means(scores, artist)
        apart = by_artist - _means(by_artist, genre)[genre]
        if np.square(apart).sum() <= 1e-20 * np.square(scores).sum():
            return components  # artists of one genre do not differ at all
        return components @ self._whitener(apart.T @ apart / n_free, n_free, name)

    def _pass_through(self, why: str) -> None:
        """Warn or raise an error, as asked for, that features pass through."""
        message = f'ArtistWhitening.fit {why}, or set without_groups="pass".'
        if self.without_groups == "raise":
            raise ValueError(message)
        if self.without_groups == "warn":
            warnings.warn(f"{message} Features pass through unchanged.", UserWarning, stacklevel=4)

    def _whitener(self, covariance: Double, n_free: int, name: str) -> Double:
        """Return the inverse square root of a covariance after shrinkage: (k, k)."""
        k = len(covariance)
        mean_variance = np.trace(covariance) / k
        covariance = (1 - self.shrinkage) * covariance / mean_variance
        covariance[np.diag_indices(k)] += self.shrinkage
        values, vectors = np.linalg.eigh(covariance)
        if values[0] < 1e-10 * values[-1]:
            raise ValueError(
                f"With shrinkage={self.shrinkage:g} the covariance of artists"
                f"{f' in the group {name}' if name else ''} cannot be inverted: "
                f"{n_free} artists, not counting one for each genre, for {k} components. Raise "
                "shrinkage or lower n_components."
            )
        return (vectors / np.sqrt(mean_variance * values)) @ vectors.T

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _principal_components(centred: NDArray[Any], n_components: int) -> Double:
    """Return the directions of largest variance, as columns: (n_features, k)."""
    # NumPy's SVD, like everything here: SciPy brings a second BLAS, and the threads of the two
    # would busy-wait for each other.
    if len(centred) <= _MAX_DECOMPOSED:
        _, sizes, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    else:
        # One pass over the tracks. Squares lose the sizes below 1e-8 of the largest, which are far
        # below the tolerance of so many tracks.
        centred = centred.astype(np.float64, copy=False)
        values, vectors = np.linalg.eigh(centred.T @ centred)
        sizes, directions = np.sqrt(np.maximum(values[::-1], 0)), vectors.T[::-1]
    # Directions without variance are meaningless. Centred tracks always leave at least one.
    tolerance = sizes[0] * max(centred.shape) * np.finfo(np.float32).eps
    k = max(1, min(n_components, int((sizes > tolerance).sum())))
    # The sign of a direction is arbitrary: make the entry of largest magnitude positive.
    directions = directions[:k]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.where(directions[np.arange(k), largest] < 0, -1.0, 1.0)
    return (directions * signs[:, np.newaxis]).T


def _means(values: Double, label: NDArray[np.intp]) -> Double:
    """Return the mean of the rows of each label: (n_labels, n_columns)."""
    sums = np.zeros((label.max() + 1, values.shape[1]))
    np.add.at(sums, label, values)
    return sums / np.bincount(label)[:, np.newaxis]
