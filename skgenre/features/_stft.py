"""Short-time Fourier transforms, in all bins or averaged in bands."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.features._frames import FrameTransformer
from skgenre.features._spectral_kernel import fft_window, frame, to_decibels

_KEPT = 16  # bins that the octave layout keeps unchanged
_GROUPS = 8  # averages of each octave in that layout


class STFTExtractor(FrameTransformer):
    """Extract the short-time Fourier transform of each segment, in bands.

    Parameters
    ----------
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=1024
        Samples in the Fourier transform of a frame. The convolutional networks of [1]_ use
        1024, its LSTM 2048.
    hop_length : int, default=256
        Samples from one frame to the next: in [1]_ 256, and 1024 for the LSTM.
    win_length : int or None, default=None
        Samples under the window; None means ``n_fft``.
    window : str, default="hann"
        Name of a SciPy window.
    center : bool, default=True
        Whether frame t is centred at sample ``t * hop_length``, with zeros around the
        segment. False starts it there and uses whole frames only.
    n_frames : int or None, default=None
        Number of frames to keep, from the start of each segment. None keeps all.
    bands : {"linear", "octave"} or None, default="linear"
        Layout of the bands. "linear" averages the ``1 + n_fft // 2`` bins under equally
        spaced triangles from 0 Hz to half the sampling rate. "octave" keeps the lowest 16
        bins and averages each octave above to eight values. None keeps all bins.
    n_bands : int, default=33
        Number of linear bands; other layouts ignore it.
    scale : {"decibel", "power", "magnitude"}, default="decibel"
        Unit of the output, averaged over the bins of a band: the power, its decibels
        (averaged before the logarithm, at least -100), or the magnitude.
    top_db : float or None, default=80.0
        Clip decibels at this many below the maximum of the segment. None does not clip.

    See Also
    --------
    MelSpectrogramExtractor : Bands that widen with frequency, as hearing does.
    FrameScaler : Standardises the bands.

    Notes
    -----
    For the convolutional networks [1]_ uses 33 filters and does not give their form. Here
    their centres are 33 equally spaced frequencies from 0 Hz to half the rate. Each triangle
    reaches from the centre of one neighbour to that of the other, and its weights sum to 1.

    For the LSTM, [1]_ numbers the bins from 1. It keeps bins 1 to 16, then for i = 3 to 9
    averages the bins ``2**i + 1`` to ``2**(i + 1)`` in eight equal groups, which gives 72
    values. Followed to the letter, as here, bins 9 to 16 occur twice and the last bin, half
    the sampling rate, is dropped.

    A segment has ``1 + n_samples // hop_length`` frames with ``center=True``, else
    ``1 + (n_samples - n_fft) // hop_length``. [1]_ has segments of "around 2 seconds" with
    166 frames, and 2500 frames in a whole track. Segments of exactly 2 s at 22 050 Hz have
    169 whole frames; 166 is a fifteenth of 2500 frames and lasts 1.93 s. ``n_frames=166``
    keeps as many of 2 s. For its LSTM [1]_ keeps 600 of the "600 to 700" frames of a track,
    which only fits a hop of 1024 samples (646 frames in 30 s), and cuts them into 30 segments
    of 20 frames: 30 segments of 1 s have 20 frames each with ``center=False``.

    References
    ----------
    .. [1] K. Bai and H. Wang, "Music Classification with Neural Network".

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import STFTExtractor
    >>> segments = np.random.default_rng(0).normal(size=(1, 15, 44100))  # of 2 s
    >>> stft = STFTExtractor(center=False, n_frames=166)
    >>> stft.fit_transform(segments).shape  # tracks, segments, frames, bands
    (1, 15, 166, 33)
    >>> segments = np.random.default_rng(0).normal(size=(1, 30, 22050))  # of 1 s
    >>> stft = STFTExtractor(n_fft=2048, hop_length=1024, center=False, bands="octave")
    >>> stft.fit_transform(segments).shape
    (1, 30, 20, 72)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **FrameTransformer._parameter_constraints,
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
        "bands": [StrOptions({"linear", "octave"}), None],
        "n_bands": [Interval(Integral, 2, None, closed="left")],
        "scale": [StrOptions({"decibel", "power", "magnitude"})],
        "top_db": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        sampling_rate=22050,
        n_fft=1024,
        hop_length=256,
        win_length=None,
        window="hann",
        center=True,
        n_frames=None,
        bands="linear",
        n_bands=33,
        scale="decibel",
        top_db=80.0,
    ):
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.center = center
        self.n_frames = n_frames
        self.bands = bands
        self.n_bands = n_bands
        self.scale = scale
        self.top_db = top_db

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Extract the transform of each segment.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_samples)
            Segments; 2-D means one segment a track.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_segments, n_frames, n_features), float32
            Columns are named by ``get_feature_names_out``.

        Raises
        ------
        ValueError
            If the waveforms have another rate or are too short for the frames, or if
            parameters contradict each other.
        """
        return super().transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the last axis.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (n_features,), str objects
            "stft0", "stft1", ... from low to high.
        """
        n_features = 1 + self.n_fft // 2
        if self.bands is not None:
            n_features = self._bands().shape[1]
        return np.array([f"stft{i}" for i in range(n_features)], dtype=object)

    def _check_settings(self, n_samples: int) -> None:
        super()._check_settings(n_samples)
        if self.bands is not None:
            self._bands()
        n_frames = self._n_frames(n_samples)
        if self.n_frames is not None and self.n_frames > n_frames:
            raise ValueError(
                f"Segments of {n_samples} samples have {n_frames} frames, fewer than "
                f"n_frames={self.n_frames}; cut longer segments, or lower n_frames or hop_length."
            )

    def _bands(self) -> NDArray[np.float32]:
        """Return the matrix that averages the bins: (n_bins, n_features)."""
        n_fft = int(self.n_fft)
        if self.bands == "linear":
            if self.n_bands > 1 + n_fft // 2:
                raise ValueError(
                    f"n_bands={self.n_bands} is more than the {1 + n_fft // 2} bins of "
                    f"n_fft={n_fft}; lower n_bands or raise n_fft."
                )
            return _linear_bands(n_fft, int(self.n_bands))
        if n_fft < 2 * _KEPT or n_fft & (n_fft - 1):
            raise ValueError(
                f'bands="octave" takes an n_fft that is a power of two and at least {2 * _KEPT}, '
                f"so that octaves end at bins; got n_fft={n_fft}."
            )
        return _octave_bands(n_fft)

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        track = self._check_track(track, name)
        n_fft, hop_length = int(self.n_fft), int(self.hop_length)
        win_length = n_fft if self.win_length is None else int(self.win_length)
        taper = fft_window(self.window, win_length, n_fft)
        bands = None if self.bands is None else self._bands()
        spectrograms = []
        for segment in track:
            frames = frame(np.asarray(segment), n_fft, hop_length, center=bool(self.center))
            values = _power(frames[: self.n_frames] * taper)
            if self.scale == "magnitude":
                np.sqrt(values, out=values)
            if bands is not None:
                values = values @ bands
            if self.scale == "decibel":
                values = to_decibels(values, self.top_db)
            spectrograms.append(values)
        return np.stack(spectrograms)


def _power(windowed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn windowed frames (n_frames, n_fft) into the power of bins (n_frames, n_bins)."""
    from scipy import fft

    spectrum = fft.rfft(windowed, axis=1)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


@lru_cache(maxsize=16)
def _linear_bands(n_fft: int, n_bands: int) -> NDArray[np.float32]:
    """Return equally spaced triangles, each with sum 1: (n_bins, n_bands)."""
    bins = np.arange(1 + n_fft // 2)
    centres = np.linspace(0, n_fft / 2, n_bands)
    triangles = 1 - np.abs(bins[:, np.newaxis] - centres) / centres[1]
    np.maximum(triangles, 0, out=triangles)
    triangles /= triangles.sum(axis=0)
    return _shared(triangles)


@lru_cache(maxsize=16)
def _octave_bands(n_fft: int) -> NDArray[np.float32]:
    """Return the matrix that keeps the lowest bins and averages octaves: (n_bins, n_features)."""
    n_bins = 1 + n_fft // 2
    columns = list(np.eye(_KEPT, n_bins))
    start = _GROUPS
    while 2 * start <= n_fft // 2:
        # Counted from 0, this octave is the bins start to 2 * start - 1.
        width = start // _GROUPS
        for first in range(start, 2 * start, width):
            column = np.zeros(n_bins)
            column[first : first + width] = 1 / width
            columns.append(column)
        start *= 2
    return _shared(np.array(columns).T)


def _shared(bands: NDArray[np.float64]) -> NDArray[np.float32]:
    shared = bands.astype(np.float32)
    shared.flags.writeable = False  # the cache hands out one array
    return shared
