"""What the recommended model hears of a track: a row of clip features and a spectrogram."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre._base import TrackTransformer
from skgenre._waveforms import check_mono_tracks, check_sampling_rate
from skgenre.features import ClipFeatures, MelSpectrogramExtractor

N_MELS = 64
HOP_LENGTH = 1024


class Views(NamedTuple):
    """Both views of some tracks.

    Parameters
    ----------
    table : ndarray of shape (n_tracks, n_columns), float32
        The clip features.
    spectrogram : ndarray of shape (n_tracks, n_frames, n_mels), float32
        The decibels of the mel bands.
    """

    table: NDArray[np.float32]
    spectrogram: NDArray[np.float32]


class TrackViews(TrackTransformer):
    """Compute both views of a track in one pass, as one long row.

    A file is decoded once, and the cache of PerTrack has one entry for it.

    Parameters
    ----------
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")]
    }

    def __init__(self, *, sampling_rate=22050):
        self.sampling_rate = sampling_rate

    def _check_tracks(self, X: Any) -> Any:
        self.check_settings()
        check_sampling_rate(X, self.sampling_rate, type(self).__name__)
        return check_mono_tracks(X, type(self).__name__)

    def check_settings(self) -> None:
        """Refuse a rate that the features cannot be computed at."""
        ClipFeatures(sampling_rate=self.sampling_rate)._check_settings()

    def _transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        table = ClipFeatures(sampling_rate=self.sampling_rate)._transform_track(track, name)
        (spectrogram,) = self._spectrogram()._transform_track(track[np.newaxis], name)
        return np.concatenate([table, spectrogram.ravel()])

    def _spectrogram(self) -> MelSpectrogramExtractor:
        return MelSpectrogramExtractor(
            n_mels=N_MELS, hop_length=HOP_LENGTH, top_db=None, sampling_rate=self.sampling_rate
        )


def split_views(rows: NDArray[np.float32]) -> Views:
    """Take the rows of TrackViews apart.

    Parameters
    ----------
    rows : ndarray of shape (n_tracks, n_values)
        What ``transform`` gave.

    Returns
    -------
    views : Views
        Both views of each track; no copies.
    """
    n_columns = len(ClipFeatures().column_groups())
    return Views(rows[:, :n_columns], rows[:, n_columns:].reshape(len(rows), -1, N_MELS))
