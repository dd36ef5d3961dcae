"""From tracks to the table of features, and the columns of it that members take."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_is_fitted

from skgenre.base import as_rows
from skgenre.classifiers._members import MEMBERS, make_front_end, view_columns
from skgenre.embeddings import WrongWeightsError, load_weights
from skgenre.pipeline import PerTrack
from skgenre.utils._warnings import NO_SOUND, TrackWarning, gather_track_warnings, warn_of_tracks


class FeatureTableMixin:
    """How :class:`GenreClassifier` makes a table of features of tracks, or checks a given one."""

    members: Any
    sampling_rate: Any
    duration: Any
    n_excerpts: Any
    embeddings: Any
    precomputed: Any
    n_jobs: Any
    memory: Any
    embeddings_sha256_: str | None
    _settings: tuple[Any, ...]
    _validate_params: Any

    def _whole_tracks(
        self, X: Any, consequence: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the features of whole tracks that the machines take, and which have sound."""
        # Excerpts are needed only where they come with the table, or are kept for prediction.
        with_excerpts = self.precomputed or self.memory is not None
        n_excerpts = self.n_excerpts if with_excerpts else 0
        table, columns = self._features(X, consequence, n_excerpts=n_excerpts)
        return views_of(table, columns, "track")["clip"], has_sound(table, columns, "track")

    def _fit_settings(self) -> tuple[tuple[str, ...], float, float, str | None]:
        """Return what decides the columns of the features; the members are checked."""
        unknown = [name for name in self.members if name not in MEMBERS]
        names = () if unknown else tuple(dict.fromkeys(self.members))
        if not names:
            raise ValueError(
                f"members={self.members!r} must be one or more of {', '.join(map(repr, MEMBERS))}"
                f"{f'; {unknown[0]!r} is none of them' if unknown else ''}."
            )
        embeddings = None if self.embeddings is None else os.fspath(self.embeddings)
        if embeddings is not None and names == ("cnn",):
            raise ValueError(
                f"embeddings={self.embeddings!r} serve all members but 'cnn', which is the only "
                "one; choose more members, or embeddings=None."
            )
        return names, float(self.sampling_rate), float(self.duration), embeddings

    def _front_end(self, settings: tuple[Any, ...], **excerpts: Any) -> PerTrack:
        members, sampling_rate, duration, embeddings = settings
        return make_front_end(
            members,
            sampling_rate=sampling_rate,
            duration=duration,
            embeddings=embeddings,
            n_jobs=self.n_jobs,
            memory=self.memory,
            **excerpts,
        )

    def _features(
        self,
        X: Any,
        consequence: str = "All genres have the same probability for such a track.",
        **excerpts: Any,
    ) -> tuple[NDArray[np.float32], dict[str, slice]]:
        """Return the table of tracks for prediction, and where in it each view is."""
        check_is_fitted(self)
        self._validate_params()
        front_end = self._front_end(self._settings, **excerpts)
        if not self.precomputed and self.embeddings_sha256_ is not None:
            self._check_weights(self._settings[-1])
        columns = view_columns(*self._settings, **excerpts)
        return self._table(X, front_end, columns, consequence), columns

    def _check_weights(self, embeddings: str | None) -> None:
        """Refuse weights of the embeddings that are not those of ``fit``."""
        found = sha256_of_weights(embeddings)
        if found != self.embeddings_sha256_:
            raise WrongWeightsError(
                f"The weights {embeddings!r} of the embeddings have the SHA-256 {found}, but "
                f"GenreClassifier was fitted with {self.embeddings_sha256_}. Put the weights of "
                "fit in their place, or fit again."
            )

    def _table(
        self, X: Any, front_end: PerTrack, columns: dict[str, slice], consequence: str
    ) -> NDArray[np.float32]:
        """Return the features of tracks, (n_tracks, n_columns); warn of those without sound."""
        if self.precomputed:
            table = self._check_table(X, columns)
            silent = np.flatnonzero(~has_sound(table, columns, "track"))
            found = [TrackWarning(f"row {row}", "", *NO_SOUND) for row in silent]
        else:
            with gather_track_warnings() as found:
                table = front_end.fit_transform(X)
        warn_of_tracks([w._replace(advice=consequence) if w[2:] == NO_SOUND else w for w in found])
        return table

    def _check_table(self, X: Any, columns: dict[str, slice]) -> NDArray[np.float32]:
        """Check the table that takes the place of tracks where ``precomputed``."""
        rows = as_rows(X)
        if isinstance(rows[0], (str, os.PathLike)):
            raise ValueError(
                f"X holds paths, such as {str(rows[0])!r}, but precomputed=True expects the "
                "table that the front end of split_front_end() makes of them. Give this table, or "
                "set precomputed=False."
            )
        table = check_array(X, dtype=np.float32, input_name="X")
        n_columns = max(view.stop for view in columns.values())
        if table.shape[1] != n_columns:
            raise ValueError(
                f"X has {table.shape[1]} columns, but the front end of split_front_end() makes "
                f"{n_columns} with n_excerpts={self.n_excerpts}; set both to the same n_excerpts, "
                "or precomputed=False to give tracks."
            )
        return table


def sha256_of_weights(embeddings: str | None) -> str | None:
    """Return the SHA-256 of the weights; an error says how to get those that are not there."""
    if embeddings is None:
        return None
    return load_weights(embeddings).sha256


def source_of(member: str) -> str:
    """Return which features a member takes."""
    return "spectrogram" if member == "cnn" else "clip"


def has_sound(
    table: NDArray[np.float32], columns: dict[str, slice], view: str
) -> NDArray[np.bool_]:
    """Return whether the track, or an excerpt, has sound: (n_tracks,)."""
    return table[:, columns[f"sound__{view}"]][:, 0] > 0


def views_of(
    table: NDArray[np.float32], columns: dict[str, slice], view: str
) -> dict[str, NDArray[np.float32]]:
    """Return the columns of the track, or of an excerpt, by the kind of features."""
    views = {
        source: table[:, columns[f"{source}__{view}"]]
        for source in ("clip", "spectrogram")
        if f"{source}__{view}" in columns
    }
    if f"embeddings__{view}" in columns:  # they are further groups beside those of the clip
        embeddings = table[:, columns[f"embeddings__{view}"]]
        views["clip"] = np.concatenate([views["clip"], embeddings], axis=1)
    return views
