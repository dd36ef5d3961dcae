"""Cutting tracks into segments."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.base import TrackTransformer
from skgenre.utils._warnings import warn_of_repetition
from skgenre.utils._waveforms import check_waveform, with_rate


class Segmenter(TrackTransformer):
    """Cut each track into segments of equal length.

    A network classifies segments, and the segments of a track vote on its genre. Rows stay
    tracks: the segments of a track have an axis of their own, so they can never be divided
    between training and test data.

    Parameters
    ----------
    n_segments : int, default=10
        Segments cut from each track. [1]_ compares 10, 20 and 30.
    segment_duration : float or None, default=None
        Length of a segment in seconds. None means ``track_duration / n_segments``.
    track_duration : float, default=30.0
        Length of a track in seconds; read only where ``segment_duration`` is None.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    placement : {"consecutive", "spread"}, default="consecutive"
        "consecutive" puts the segments one after the other from the start of the track and
        ignores the rest. "spread" spaces them evenly from the start to the end of the track,
        with gaps in a long track and overlaps in a short one.
    short : {"error", "zeros", "repeat"}, default="error"
        What to do with a track too short for its segments (for "spread": shorter than one
        segment): raise an error that names it, append silence, or repeat it from its start.

    See Also
    --------
    AudioLoader : Reads files and brings all tracks to one length.

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import Segmenter
    >>> tracks = np.zeros((4, 30 * 22050), dtype=np.float32)
    >>> Segmenter(n_segments=10).fit_transform(tracks).shape
    (4, 10, 66150)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "segment_duration": [Interval(Real, 0, None, closed="neither"), None],
        "track_duration": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "placement": [StrOptions({"consecutive", "spread"})],
        "short": [StrOptions({"error", "zeros", "repeat"})],
    }

    def __init__(
        self,
        *,
        n_segments=10,
        segment_duration=None,
        track_duration=30.0,
        sampling_rate=22050,
        placement="consecutive",
        short="error",
    ):
        self.n_segments = n_segments
        self.segment_duration = segment_duration
        self.track_duration = track_duration
        self.sampling_rate = sampling_rate
        self.placement = placement
        self.short = short

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Cut each track into segments.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_samples), or list of 1-D arrays
            Waveforms; in a list their lengths may differ.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_segments, n_samples), float32
            The segments in the order of time.

        Raises
        ------
        ValueError
            If a waveform is empty, not finite, of another rate, or too short where
            ``short="error"``.
        """
        return super().transform(X)

    def _check_track(self, track: Any, name: str) -> NDArray[np.float32]:
        return check_waveform(track, name, self.sampling_rate, type(self).__name__, max_ndim=1)

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        return with_rate(self._cut(self._check_track(track, name), name), self.sampling_rate)

    def _cut(self, track: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        """Cut (n_samples,) to (n_segments, n_samples)."""
        length = self._segment_length()
        overlap_allowed = self.placement == "spread"
        needed = length if overlap_allowed else length * self.n_segments
        if track.size < needed:
            if self.short == "error":
                raise ValueError(self._too_short(name, track.size, needed, length))
            if self.short == "zeros":
                track = np.pad(track, (0, needed - track.size))
            else:
                rate = self.sampling_rate
                warn_of_repetition(name, track.size / rate, needed / rate)
                track = np.resize(track, needed)  # NumPy's resize repeats from the start
        if not overlap_allowed:
            return track[:needed].reshape(self.n_segments, length)
        starts = np.linspace(0, track.size - length, self.n_segments).round().astype(np.intp)
        return np.lib.stride_tricks.sliding_window_view(track, length)[starts]

    def _segment_length(self) -> int:
        """Return the number of samples in a segment."""
        if self.segment_duration is not None:
            duration, given = self.segment_duration, f"segment_duration={self.segment_duration}"
        else:
            duration = self.track_duration / self.n_segments
            given = f"track_duration={self.track_duration} / n_segments={self.n_segments}"
        # Rounded down, so that n_segments of them fit; the epsilon absorbs binary
        # fractions such as 0.1 * 30.
        length = int(duration * self.sampling_rate + 1e-6)
        if length < 1:
            raise ValueError(
                f"A segment of {given} s has no sample at sampling_rate={self.sampling_rate}; "
                "give it a longer duration."
            )
        return length

    def _too_short(self, name: str, n_samples: int, needed: int, length: int) -> str:
        rate = self.sampling_rate
        n = 1 if self.placement == "spread" else self.n_segments
        return (
            f"{name} lasts {n_samples / rate:.2f} s, shorter than the {needed / rate:.2f} s of "
            f"{n} segment{'s' * (n > 1)} of {length / rate:.2f} s; lower n_segments or "
            "segment_duration, or set short='zeros' or short='repeat'."
        )
