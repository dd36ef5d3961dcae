"""Nearest tracks in a catalogue without labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from skgenre.audio import AudioLoader
from skgenre.base import as_rows
from skgenre.features import ClipFeatures
from skgenre.pipeline import PerTrack
from skgenre.preprocessing import GroupKernel, GroupScaler
from skgenre.similarity._nearest import nearest
from skgenre.similarity._neighbors import Neighbors
from skgenre.utils._random import draw_rows
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import check_artists
from skgenre.utils._waveforms import track_paths

Table = NDArray[np.floating[Any]]

# Tracks whose columns decide the scale of the columns, and of the distances.
_N_SCALED = 10_000
_N_COMPARED = 1000
# Tracks that are compared together, to limit the memory: 80 MB for a block of ClipFeatures.
_QUERIES_TOGETHER = 512
_CATALOGUE_TOGETHER = 4096


class SimilarTracks(DocLinkMixin, BaseEstimator):
    """Find the tracks of a catalogue that sound most alike, without any labels.

    Tracks are compared as :class:`GenreClassifier` compares them, by a :class:`GroupKernel` over
    the feature groups of :class:`ClipFeatures`, or of any other front end or table. The
    interface is that of ``sklearn.neighbors.NearestNeighbors``.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours.
    front_end : transformer, "passthrough" or None, default=None
        Makes a table of tracks. It should be a transformer that learns nothing, such as a
        :class:`PerTrack`. "passthrough" takes X as this table. None takes the
        :class:`ClipFeatures` of a minute from the middle of each track.
    feature_groups : "auto" or array-like of shape (n_columns,), default="auto"
        The group of each column of the table. "auto" takes the part of each column's name before
        the last ``__``; the columns of an array without names form one group.
    other_artists : bool, default=False
        Whether only tracks by other artists are neighbours. Then ``fit`` needs ``groups``, and so
        does a search for tracks that are not in the catalogue.
    n_jobs : int or None, default=None
        Tracks whose features are computed at the same time, where ``front_end`` is None.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder in which the features of each track are kept, where ``front_end`` is None.
    random_state : int, RandomState instance or None, default=None
        With more than 1000 tracks, draws those from which the scales are estimated.

    Attributes
    ----------
    front_end_ : transformer or None
        The front end; None with "passthrough".
    scaler_ : GroupScaler
        Scales the columns; learnt from at most 10 000 tracks.
    kernel_ : GroupKernel
        Compares tracks; the typical distances come from at most 1000 of them.
    X_fit_ : ndarray of shape (n_catalogue, n_columns)
        The scaled table of the catalogue.
    artists_ : ndarray of shape (n_catalogue,) or None
        The artists of the catalogue, None where ``fit`` got no groups.
    track_names_ : ndarray of shape (n_catalogue,), str, or None
        The paths of the catalogue, None where it was not given as paths. :func:`save` leaves them
        out unless ``keep_paths=True``.
    n_features_in_ : int
        Number of columns of X in ``fit``, with "passthrough".
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X in ``fit``, with "passthrough" and where they are text.

    See Also
    --------
    similar : The same in one call.
    GenreClassifier : Its ``neighbors`` are training tracks, compared after ArtistWhitening too.
    precision_at_k : The share of neighbours of the same genre.

    Notes
    -----
    The catalogue takes 10 KB of memory for each track with the default front end. A search
    compares blocks of tracks, so that its memory does not depend on the size of the catalogue.

    Examples
    --------
    >>> from skgenre import SimilarTracks, make_genres
    >>> music = make_genres(4, genres=["dub", "swing"], duration=2.0, random_state=0)
    >>> model = SimilarTracks(n_neighbors=1).fit(music.data[1:])
    >>> distances, indices = model.kneighbors(music.data[:1])
    >>> music.target[0], music.target[1:][indices[0, 0]]
    (np.str_('dub'), np.str_('dub'))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "front_end": [
            HasMethods(["fit_transform", "transform"]),
            StrOptions({"passthrough"}),
            None,
        ],
        "feature_groups": [StrOptions({"auto"}), "array-like"],
        "other_artists": ["boolean"],
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, Memory, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_neighbors=5,
        *,
        front_end=None,
        feature_groups="auto",
        other_artists=False,
        n_jobs=None,
        memory=None,
        random_state=None,
    ):
        self.n_neighbors = n_neighbors
        self.front_end = front_end
        self.feature_groups = feature_groups
        self.other_artists = other_artists
        self.n_jobs = n_jobs
        self.memory = memory
        self.random_state = random_state

    # What scikit-learn's metadata routing passes on without set_fit_request.
    __metadata_request__fit = {"groups": True}

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Compute the features of a catalogue, and learn their scales.

        Parameters
        ----------
        X : sequence of n_catalogue tracks
            Paths, waveforms or pairs ``(waveform, sampling_rate)``, as for
            :class:`AudioLoader`, or whatever ``front_end`` takes; with "passthrough" a table.
        y : Ignored
            Present by convention.
        groups : array-like of shape (n_catalogue,), default=None
            Artist of each track.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If ``other_artists`` is true and there are no groups, an artist is missing, the lengths
            differ, or there is not one feature group for each column.
        """
        if self.other_artists and groups is None:
            raise ValueError(
                "other_artists=True needs groups, the artist of each track, but fit got none. Give "
                "fit(X, groups=artists), or set other_artists=False."
            )
        artists = None
        if groups is not None:
            check_consistent_length(X, groups)
            artists = check_artists(groups)
        table, labels = self._fit_table(X)
        random = check_random_state(self.random_state)
        scaled = draw_rows(len(table), _N_SCALED, random)
        # Arrays, whatever scikit-learn's configuration says.
        scaler = GroupScaler(feature_groups=labels).set_output(transform="default")
        self.scaler_ = scaler.fit(table[scaled])
        compared = scaled[draw_rows(len(scaled), _N_COMPARED, random)]
        self.kernel_ = GroupKernel(feature_groups=labels)
        self.kernel_.fit(self.scaler_.transform(table[compared]))
        self.X_fit_ = np.empty(table.shape, dtype=table.dtype)
        for part in _parts(len(table), _CATALOGUE_TOGETHER):
            self.X_fit_[part] = self.scaler_.transform(table[part])
        self.artists_ = artists
        self.track_names_ = None if self.front_end_ is None else track_paths(X)
        return self

    def kneighbors(
        self,
        X: Any = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
        groups: Any = None,
    ) -> Any:
        """Find the nearest tracks of the catalogue, as scikit-learn's NearestNeighbors does.

        Parameters
        ----------
        X : sequence of n_tracks tracks, default=None
            Tracks as in ``fit``. None stands for the catalogue; then no track is a neighbour of
            itself.
        n_neighbors : int or None, default=None
            Number of neighbours; None means that of the constructor.
        return_distance : bool, default=True
            Whether to return distances too.
        groups : array-like of shape (n_tracks,), default=None
            Artist of each track of X, where ``other_artists`` is true.

        Returns
        -------
        distances : ndarray of shape (n_tracks, n_neighbors)
            1 less the similarity, rising; NaN where there are fewer neighbours by other artists.
            Only where ``return_distance`` is true.
        indices : ndarray of shape (n_tracks, n_neighbors), int
            Rows of the catalogue; -1 where there are fewer.

        Raises
        ------
        ValueError
            If more neighbours are asked for than there are tracks, or groups are missing.
        """
        found = self.neighbors(X, n_neighbors, groups=groups)
        return (1 - found.similarities, found.indices) if return_distance else found.indices

    def neighbors(
        self, X: Any = None, n_neighbors: int | None = None, *, groups: Any = None
    ) -> Neighbors:
        """Find the most similar tracks of the catalogue, with their names.

        Parameters
        ----------
        X : sequence of n_tracks tracks, default=None
            As for ``kneighbors``.
        n_neighbors : int or None, default=None
            Number of neighbours; None means that of the constructor.
        groups : array-like of shape (n_tracks,), default=None
            As for ``kneighbors``.

        Returns
        -------
        found : skgenre.similarity.Neighbors
            Rows of the catalogue, similarities, and paths where they are known.

        Raises
        ------
        ValueError
            As ``kneighbors`` does.
        """
        check_is_fitted(self)
        self._validate_params()
        k = self._n_neighbors(n_neighbors, len(self.X_fit_) - (X is None))
        artists = self._artists(X, groups)
        rows = self.X_fit_ if X is None else self.scaler_.transform(self._table(X))
        parts = [
            nearest(
                self._blocks(
                    rows[part],
                    range(len(rows))[part] if X is None else None,
                    None if artists is None else artists[part],
                ),
                len(rows[part]),
                k,
            )
            for part in _parts(len(rows), _QUERIES_TOGETHER)
        ]
        indices, similarities = (np.concatenate(some) for some in zip(*parts, strict=True))
        names = None
        if self.track_names_ is not None:
            names = np.where(indices >= 0, self.track_names_[indices], "")
        return Neighbors(indices, similarities, names)

    def _blocks(
        self, rows: Table, own: range | None, artists: NDArray[Any] | None
    ) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield similarities to blocks of the catalogue, minus infinity to what is excluded."""
        for part in _parts(len(self.X_fit_), _CATALOGUE_TOGETHER):
            block = self.kernel_.similarities(rows, self.X_fit_[part])
            if own is not None:
                columns = np.arange(own.start, own.stop) - part.start
                inside = (columns >= 0) & (columns < block.shape[1])
                block[np.flatnonzero(inside), columns[inside]] = -np.inf
            if artists is not None:
                assert self.artists_ is not None
                block[artists[:, np.newaxis] == self.artists_[part]] = -np.inf
            yield part.start, block

    def _fit_table(self, X: Any) -> tuple[Table, Any]:
        """Return the table of a catalogue, and the feature group of each of its columns."""
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # of an earlier fit
        if isinstance(self.front_end, str):
            self.front_end_ = None
            table = validate_data(self, X, dtype=(np.float64, np.float32))
            names = getattr(self, "feature_names_in_", None)
        else:
            self.front_end_ = self._default() if self.front_end is None else clone(self.front_end)
            as_rows(X)  # refuses a single path or waveform
            table = check_array(self.front_end_.fit_transform(X), dtype=(np.float64, np.float32))
            has_names = hasattr(self.front_end_, "get_feature_names_out")
            names = self.front_end_.get_feature_names_out() if has_names else None
        if not isinstance(self.feature_groups, str):
            return table, self.feature_groups
        if names is None:
            return table, "auto"
        return table, [str(name).rpartition("__")[0] for name in names]

    def _table(self, X: Any) -> Table:
        """Return the table of tracks to search for."""
        if self.front_end_ is None:
            return validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        if self.front_end is None:  # what acts at prediction is read then
            self.front_end_.set_params(n_jobs=self.n_jobs, memory=self.memory)
        return check_array(self.front_end_.transform(as_rows(X)), dtype=(np.float64, np.float32))

    def _default(self) -> PerTrack:
        loader = AudioLoader(duration=60.0, position="center", short="keep")
        pipeline = Pipeline([("loader", loader), ("features", ClipFeatures())])
        front_end = PerTrack(pipeline, n_jobs=self.n_jobs, memory=self.memory)
        # Arrays between the steps, whatever scikit-learn's configuration says.
        pipeline.set_output(transform="default")
        return front_end.set_output(transform="default")

    def _artists(self, X: Any, groups: Any) -> NDArray[Any] | None:
        """Return the artists whose own tracks are no neighbours; None excludes nothing."""
        if not self.other_artists:
            return None
        if self.artists_ is None:
            raise ValueError("other_artists=True needs a fit with groups; fit again.")
        if X is None:
            return self.artists_
        if groups is None:
            raise ValueError(
                "other_artists=True needs groups, the artist of each track of X, to leave out "
                "their own tracks. Give groups=artists, or set other_artists=False."
            )
        check_consistent_length(X, groups)
        return check_artists(groups)

    def _n_neighbors(self, n_neighbors: int | None, n_candidates: int) -> int:
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        if not isinstance(k, Integral) or not 1 <= int(k) <= n_candidates:
            raise ValueError(
                f"n_neighbors={k!r} must be an int from 1 to {n_candidates}, the number of tracks "
                "that can be neighbours."
            )
        return int(k)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = not isinstance(self.front_end, str)
        tags.input_tags.three_d_array = not isinstance(self.front_end, str)
        return tags


def _parts(n_rows: int, n_together: int) -> Iterator[slice]:
    for start in range(0, n_rows, n_together):
        yield slice(start, min(start + n_together, n_rows))
