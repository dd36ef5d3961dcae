"""What GenreClassifier predicts: the votes of its members, of excerpts and of segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skgenre.base import as_rows
from skgenre.classifiers._genre_record import genre_record
from skgenre.classifiers._genre_table import FeatureTableMixin, has_sound, source_of, views_of
from skgenre.classifiers._members import geometric_mean
from skgenre.classifiers._segment_times import segment_times
from skgenre.utils._blas import one_blas_thread
from skgenre.utils._probabilities import TRACK_AND_EXCERPTS, power_of_members
from skgenre.utils._warnings import NO_SOUND, gather_track_warnings, warn_of_tracks

# Tracks that are predicted together, with their excerpts.
_TRACKS_TOGETHER = 256


class PredictionMixin(FeatureTableMixin):
    """How the members of :class:`GenreClassifier` vote."""

    classes_: NDArray[Any]
    members_: dict[str, Any]
    track_genres_: NDArray[Any]
    n_segments: Any
    segment_duration: Any

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
        has_sounds = has_sound(table, columns, "track")
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
            for row, sound in zip(proba, has_sounds, strict=True)
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
        segments = [views_of(table, columns, name) for name in names]
        sound = np.stack([has_sound(table, columns, name) for name in names], axis=1)
        # (n_tracks * n_segments, n_columns), so that all segments are predicted together
        rows = {
            source: np.stack([views[source] for views in segments], axis=1).reshape(
                len(table) * len(segments), -1
            )
            for source in segments[0]
        }
        proba = self._mean_of_members(self._member_proba(rows))
        proba = proba.reshape(len(table), len(segments), -1).astype(np.float32)
        return np.where(sound[:, :, np.newaxis], proba, np.float32(1 / len(self.classes_)))

    def segment_times(self, X: Any) -> NDArray[np.float64]:
        """Return when the segments of ``predict_segment_proba`` start and end.

        Parameters
        ----------
        X : sequence of n_tracks tracks
            As for ``fit``, but not ``precomputed``. Of files the header is read.

        Returns
        -------
        times : ndarray of shape (n_tracks, n_segments, 2)
            Start and end of each segment, in seconds from the start of the track.

        Raises
        ------
        ValueError
            If the features are ``precomputed``, which know no times.
        """
        check_is_fitted(self)
        if self.precomputed:
            raise ValueError("Precomputed features know no times; give the tracks themselves.")
        _, sampling_rate, duration, _ = self._settings
        return segment_times(
            as_rows(X),
            sampling_rate=sampling_rate,
            duration=duration,
            n_segments=self.n_segments,
            segment_duration=self.segment_duration,
        )

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
        views = [views_of(table, columns, name) for name in names]
        # All views of the tracks are predicted together: (n_views * n_tracks, n_columns).
        rows = {
            source: np.concatenate([view[source] for view in views if source in view])
            for source in views[0]
        }
        sound = np.array([has_sound(table, columns, name) for name in names])
        sound = sound[:, :, np.newaxis]  # (n_views, n_tracks, 1)
        found = {}
        for name, proba in self._member_proba(rows).items():
            whole, *excerpts = proba.reshape(-1, len(table), proba.shape[1])
            if excerpts:
                # An excerpt without sound has nothing to add to the whole track.
                mean = np.where(sound[1:], excerpts, whole).mean(axis=0)
                whole = geometric_mean([whole, mean], TRACK_AND_EXCERPTS)
            found[name] = np.where(sound[0], whole, 1 / len(self.classes_))
        return found

    @one_blas_thread()
    def _member_proba(
        self, views: dict[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the probabilities of each member that has a view."""
        return {
            name: member.predict_proba(views[source_of(name)])
            for name, member in self.members_.items()
            if source_of(name) in views
        }
