"""The base of the extractors that turn each segment into frames of features."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.base import TrackTransformer
from skgenre.features._spectral_kernel import FRAME_CONSTRAINTS, count_frames
from skgenre.utils._waveforms import check_segments


class FrameTransformer(TrackTransformer):
    """Base of the extractors that turn each segment into frames of features.

    A subclass has the parameters named in ``_parameter_constraints``.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **FRAME_CONSTRAINTS,
        "win_length": [Interval(Integral, 1, None, closed="left"), None],
        "window": [str],
        "center": ["boolean"],
    }

    sampling_rate: float
    n_fft: int
    hop_length: int
    win_length: int | None
    window: str
    center: bool

    def _check_track(self, track: Any, name: str) -> NDArray[np.float32]:
        track = check_segments(track, name, self.sampling_rate, type(self).__name__)
        self._check_settings(track.shape[-1])
        return track

    def _check_settings(self, n_samples: int) -> None:
        """Check parameters against each other and against the length of the segments."""
        if self.win_length is not None and self.win_length > self.n_fft:
            raise ValueError(
                f"win_length={self.win_length} is longer than n_fft={self.n_fft}; a window lies "
                "within its frame."
            )
        if not self.center and n_samples < self.n_fft:
            raise ValueError(
                f"Segments of {n_samples} samples are shorter than one frame of "
                f"n_fft={self.n_fft} samples; cut longer segments, lower n_fft or set center=True."
            )

    def _n_frames(self, n_samples: int) -> int:
        """Count the frames of a segment."""
        return count_frames(n_samples, self.n_fft, self.hop_length, center=bool(self.center))
