"""What the recommended model hears of a track: a row of clip features, and a spectrogram."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils._param_validation import Interval

from skgenre.audio import AudioLoader
from skgenre.features import ClipFeatures, MelSpectrogramExtractor
from skgenre.pipeline import PerTrack

N_MELS = 64
HOP_LENGTH = 1024
N_SEGMENTS = 6
SEGMENT_DURATION = 10.0
N_EXCERPTS = 3
EXCERPT_DURATION = 10.0


class Views(NamedTuple):
    """What is known of some tracks.

    Parameters
    ----------
    table : ndarray of shape (n_tracks, n_columns), float32
        The clip features.
    excerpts : ndarray of shape (n_tracks, n_excerpts, n_columns), float32
        The clip features of parts of each track; none where they were not asked for.
    spectrogram : ndarray of shape (n_tracks, n_frames, n_mels), float32
        The decibels of the mel bands; no frames where they were not asked for.
    """

    table: NDArray[np.float32]
    excerpts: NDArray[np.float32]
    spectrogram: NDArray[np.float32]


class TrackViews(AudioLoader):
    """Load a track and compute its views in one pass, as one long row.

    A file is decoded once, and the cache of PerTrack has one entry for it. Features are
    taken from what there is of a short track, not from repetitions of it; only the
    spectrogram, whose length must be that of all others, starts again.

    A row begins with the number of parts, so that :func:`split_views` needs no more than
    the rows.

    Parameters
    ----------
    sampling_rate : float, default=22050
        Rate in Hz to which tracks are brought.
    duration : float, default=60.0
        Seconds taken at most, from the middle of a track.
    with_spectrogram : bool, default=False
        Whether the spectrogram is computed.
    n_excerpts : int, default=0
        Parts of 10 s, spread evenly over the track, whose features stand beside those of the
        whole.
    n_segments : int or None, default=None
        None describes the track as a whole. A number describes so many parts, spread evenly
        over it, by a row each.
    segment_duration : float, default=10.0
        Seconds of a part, or all of a shorter track.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "with_spectrogram": ["boolean"],
        "n_excerpts": [Interval(Integral, 0, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left"), None],
        "segment_duration": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        sampling_rate=22050,
        duration=60.0,
        with_spectrogram=False,
        n_excerpts=0,
        n_segments=None,
        segment_duration=SEGMENT_DURATION,
    ):
        super().__init__(sampling_rate=sampling_rate, duration=duration, position="center")
        self.with_spectrogram = with_spectrogram
        self.n_excerpts = n_excerpts
        self.n_segments = n_segments
        self.segment_duration = segment_duration

    def check_settings(self) -> None:
        """Refuse a rate that the features cannot be computed at."""
        self._clip_features()._check_settings()

    def _validate_params(self) -> None:
        super()._validate_params()
        self.check_settings()

    def _fix_length(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        return x if x.size else super()._fix_length(x, name)  # which refuses it

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        samples = np.asarray(super().transform_track(track, name))
        if self.n_segments is None:
            return self._row(samples, name, self.duration)
        segments = self._spread(samples, self.n_segments, self.segment_duration)
        return np.stack([self._row(part, name, self.segment_duration) for part in segments])

    def _spread(
        self, samples: NDArray[np.float32], n_excerpts: int, duration: float
    ) -> list[NDArray[np.float32]]:
        """Cut parts, or all of a shorter track, spread evenly; a single one from the middle."""
        n = min(samples.size, max(1, round(duration * self.sampling_rate)))
        rest = samples.size - n
        starts = (
            [rest // 2] if n_excerpts == 1 else np.linspace(0, rest, n_excerpts).round().astype(int)
        )
        return [samples[start : start + n] for start in starts]

    def _row(self, samples: NDArray[np.float32], name: str, duration: float) -> NDArray[np.float32]:
        """Describe some seconds of a track: (n_values,)."""
        tables = [self._clip_features().transform_track(samples, name)]
        for part in self._spread(samples, self.n_excerpts, EXCERPT_DURATION):
            is_whole = part.size == samples.size
            tables.append(
                tables[0] if is_whole else self._clip_features().transform_track(part, name)
            )
        row = np.concatenate([np.array([self.n_excerpts], dtype=np.float32), *tables])
        if not self.with_spectrogram:
            return row
        extractor = MelSpectrogramExtractor(
            n_mels=N_MELS, hop_length=HOP_LENGTH, top_db=None, sampling_rate=self.sampling_rate
        )
        (spectrogram,) = extractor.transform_track(samples[np.newaxis], name)
        n_frames = 1 + round(duration * self.sampling_rate) // HOP_LENGTH
        again = np.arange(n_frames) % len(spectrogram)
        return np.concatenate([row, spectrogram[again].ravel()])

    def _clip_features(self) -> ClipFeatures:
        return ClipFeatures(sampling_rate=self.sampling_rate)


def split_views(rows: NDArray[np.float32]) -> Views:
    """Take the rows of TrackViews apart.

    Parameters
    ----------
    rows : ndarray of shape (n_tracks, n_values)
        What ``transform`` gave.

    Returns
    -------
    views : Views
        All views of each track; no copies.
    """
    n_columns = len(ClipFeatures().get_feature_groups_out())
    n_tables = 1 + int(rows[0, 0])
    end = 1 + n_tables * n_columns
    tables = rows[:, 1:end].reshape(len(rows), n_tables, n_columns)
    n_frames = (rows.shape[1] - end) // N_MELS
    spectrogram = rows[:, end:].reshape(len(rows), n_frames, N_MELS)
    return Views(tables[:, 0], tables[:, 1:], spectrogram)


def with_excerpts(front_end: PerTrack, n_excerpts: int) -> PerTrack:
    """Return a front end of TrackViews that describes another number of parts."""
    other = clone(front_end)
    other.transformer[-1].set_params(n_excerpts=n_excerpts)
    return other


def segment_front_end(front_end: PerTrack, n_segments: int, segment_duration: float) -> PerTrack:
    """Return a front end that describes parts of tracks as another does whole tracks.

    Parameters
    ----------
    front_end : PerTrack
        Of a pipeline with TrackViews as its only step.
    n_segments : int
        Number of parts.
    segment_duration : float
        Seconds of each.

    Returns
    -------
    front_end : PerTrack
        From tracks to (n_tracks, n_segments, n_values).
    """
    segments = with_excerpts(front_end, 0)
    segments.transformer[-1].set_params(n_segments=n_segments, segment_duration=segment_duration)
    return segments
