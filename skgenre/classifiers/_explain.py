"""Why the recommended model predicts a genre, and which training tracks sound alike."""

from __future__ import annotations

from functools import reduce
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers._explanation import Explanation, pair_contributions
from skgenre.classifiers._genre_table import FeatureTableMixin
from skgenre.similarity import Neighbors, nearest
from skgenre.utils._blas import one_blas_thread

_MACHINES = ("svc", "svc_whitened")
# Tracks whose similarities to all training tracks are held together.
_TRACKS_TOGETHER = 256


class ExplainMixin(FeatureTableMixin):
    """What :class:`GenreClassifier` says of its support vector machines."""

    members_: dict[str, Any]
    classes_: NDArray[Any]
    track_rows_: NDArray[np.intp]
    track_genres_: NDArray[Any]
    track_names_: NDArray[np.str_] | None

    def explain(self, X: Any, *, member: str | None = None) -> Explanation:
        """Split the scores of the support vector machines into exact parts of feature groups.

        The machines compare tracks by a :class:`GroupKernel`, a mean over feature groups, so that
        their scores are sums over these groups. Explained are the scores of the whole track,
        before calibration, by their difference from those of an average training track;
        :meth:`predict` also takes excerpts into account. The members "lda" and "cnn" have no such
        sums and are not explained.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.
        member : {"svc", "svc_whitened"} or None, default=None
            The machine to explain; None explains the mean of the scores of all that the model
            has.

        Returns
        -------
        explanation : skgenre.classifiers.Explanation
            With ``contributions`` (n_tracks, n_classes, n_groups), ``intercept`` and ``scores``,
            and the same for each pair of genres; ``to_frame()`` makes a table.

        Raises
        ------
        ValueError
            If the model has no such machine.

        Warns
        -----
        NoSoundWarning
            If tracks have no sound; their contributions are NaN.
        """
        names = self._machines(member, "explain")
        rows, has_sound = self._whole_tracks(X, "Their contributions are NaN.")
        with one_blas_thread():
            parts, rest = zip(*(self._parts_of(name, rows) for name in names), strict=True)
        contributions = np.mean(parts, axis=0)
        contributions[~has_sound] = np.nan
        groups = self.members_[names[0]].estimator_["kernel"].feature_groups_
        return Explanation(
            tuple(names), self.classes_, list(groups), contributions, np.mean(rest, axis=0)
        )

    def _parts_of(self, name: str, rows: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        return pair_contributions(self.members_[name].estimator_, rows, self.track_genres_)

    def neighbors(self, X: Any, k: int = 5) -> Neighbors:
        """Find the training tracks that are most similar to the machines.

        The similarity is the mean of the machines' kernels, of whole tracks. A training track is
        its own nearest neighbour.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``.
        k : int, default=5
            Number of neighbours.

        Returns
        -------
        found : skgenre.similarity.Neighbors
            ``indices``, rows of X in ``fit``, the most similar first, with their
            ``similarities``, ``genres``, and ``names`` where the model knows paths. Above 5000
            training tracks, neighbours are among the 2000 that the kernels keep.

        Raises
        ------
        ValueError
            If k is not between 1 and the number of training tracks that are kept, or the model has
            no machine.

        Warns
        -----
        NoSoundWarning
            If tracks have no sound; their similarities are NaN.
        """
        pipelines = [self.members_[n].estimator_ for n in self._machines(None, "compare")]
        kernels = [pipeline["kernel"] for pipeline in pipelines]
        every = np.arange(len(self.track_rows_))
        known = [every if k.landmarks_ is None else k.landmarks_ for k in kernels]
        common = reduce(np.intersect1d, known)
        if not isinstance(k, Integral) or not 1 <= k <= len(common):
            raise ValueError(
                f"k={k!r} must be an int from 1 to {len(common)}, the number of training tracks "
                "that the model keeps."
            )
        columns = [np.searchsorted(some, common) for some in known]
        rows, has_sound = self._whole_tracks(X, "Their similarities are NaN.")
        parts = []
        for start in range(0, len(rows), _TRACKS_TOGETHER):
            part = rows[start : start + _TRACKS_TOGETHER]
            with one_blas_thread():
                each = [
                    pipeline["kernel"].similarities(pipeline[:-2].transform(part))[:, those]
                    for pipeline, those in zip(pipelines, columns, strict=True)
                ]
            parts.append(nearest([(0, np.mean(each, axis=0))], len(part), int(k)))
        found, similarities = (np.concatenate(some) for some in zip(*parts, strict=True))
        similarities[~has_sound] = np.nan
        found = common[found]
        names = None if self.track_names_ is None else self.track_names_[found]
        return Neighbors(self.track_rows_[found], similarities, names, self.track_genres_[found])

    def _similarities(self, X: Any) -> NDArray[np.float64]:
        """Return the similarity of each two tracks to the machines: (n_tracks, n_tracks)."""
        pipelines = [self.members_[name].estimator_ for name in self._machines(None, "compare")]
        rows, _ = self._whole_tracks(X, "They are compared by nothing.")
        with one_blas_thread():
            each = []
            for pipeline in pipelines:
                transformed = pipeline[:-2].transform(rows)
                each.append(pipeline["kernel"].similarities(transformed, transformed))
        return np.mean(each, axis=0)

    def _machines(self, member: str | None, verb: str) -> list[str]:
        """Return the machines to explain or compare by."""
        check_is_fitted(self)
        machines = [name for name in self.members_ if name in _MACHINES]
        if not machines:
            raise ValueError(
                f"Only the members 'svc' and 'svc_whitened' can {verb} tracks by feature groups, "
                f"but this model has {', '.join(map(repr, self.members_))}; fit one with 'svc' in "
                "members."
            )
        if member is None:
            return machines
        if member not in machines:
            raise ValueError(
                f"member={member!r} cannot be explained; choose from "
                f"{', '.join(map(repr, machines))}, or None for their mean."
            )
        return [member]
