"""Mel spectrograms, and what the extractors built on them share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.base import TrackTransformer
from skgenre.features._spectral import MelKernel, MelSettings, mel_kernel
from skgenre.utils._waveforms import check_segments


class MelTransformer(TrackTransformer):
    """Base of the extractors that start from a mel spectrogram.

    A subclass has the parameters named in ``_parameter_constraints`` and turns the
    spectrogram of each segment into features.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "win_length": [Interval(Integral, 1, None, closed="left"), None],
        "window": [str],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "htk": ["boolean"],
        "center": ["boolean"],
    }

    sampling_rate: float
    n_fft: int
    hop_length: int
    win_length: int | None
    window: str
    n_mels: int
    fmin: float
    fmax: float | None
    htk: bool
    center: bool

    def _check_track(self, track: Any, name: str) -> NDArray[np.float32]:
        track = check_segments(track, name, self.sampling_rate, type(self).__name__)
        self._check_settings(track.shape[-1])
        return track

    def _check_settings(self, n_samples: int) -> None:
        """Check what no single parameter can tell."""
        if self.win_length is not None and self.win_length > self.n_fft:
            raise ValueError(
                f"win_length={self.win_length} is longer than n_fft={self.n_fft}; a window lies "
                "within its frame."
            )
        nyquist = self.sampling_rate / 2
        fmax = nyquist if self.fmax is None else self.fmax
        if not self.fmin < fmax <= nyquist:
            raise ValueError(
                f"The mel bands reach from fmin={self.fmin} to fmax={fmax} Hz, but they must rise "
                f"and end at or below half the sampling rate, {nyquist} Hz."
            )
        if not self.center and n_samples < self.n_fft:
            raise ValueError(
                f"Segments of {n_samples} samples are shorter than one frame of "
                f"n_fft={self.n_fft} samples; cut longer segments, lower n_fft or set center=True."
            )

    def _n_frames(self, n_samples: int) -> int:
        """Count the frames of a segment."""
        padding = 2 * (self.n_fft // 2) if self.center else 0
        return 1 + (n_samples + padding - self.n_fft) // self.hop_length

    def _kernel(self) -> MelKernel:
        return mel_kernel(
            MelSettings(
                sampling_rate=float(self.sampling_rate),
                n_fft=int(self.n_fft),
                hop_length=int(self.hop_length),
                win_length=int(self.n_fft if self.win_length is None else self.win_length),
                window=self.window,
                center=bool(self.center),
                n_mels=int(self.n_mels),
                fmin=float(self.fmin),
                fmax=float(self.sampling_rate / 2 if self.fmax is None else self.fmax),
                htk=bool(self.htk),
            )
        )


class MelSpectrogramExtractor(MelTransformer):
    """Extract the mel spectrogram of each segment.

    The values equal ``librosa.feature.melspectrogram``, and for decibels
    ``librosa.power_to_db`` of it, called on each segment by itself.

    Parameters
    ----------
    n_mels : int, default=96
        Mel bands that the spectrum is summed to; [1]_ uses 96.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in the Fourier transform of a frame.
    hop_length : int, default=512
        Samples from one frame to the next.
    win_length : int or None, default=None
        Samples under the window; None means ``n_fft``.
    window : str, default="hann"
        Name of a SciPy window.
    fmin : float, default=0.0
        Lowest frequency of the mel bands in Hz.
    fmax : float or None, default=None
        Highest frequency of the mel bands in Hz; None means half the sampling rate.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of Slaney's.
    center : bool, default=True
        Whether frame t is centred at sample ``t * hop_length``, with zeros around the
        segment. False starts it there, and takes whole frames only.
    scale : {"decibel", "power"}, default="decibel"
        "decibel" gives 10 log10 of the power, at least -100.
    top_db : float or None, default=80.0
        Decibels that lie further below the loudest of the segment are raised to that
        level. None keeps them.

    See Also
    --------
    MFCCExtractor : The cosine transform of the decibels.
    FrameScaler : Standardises the bands.

    Notes
    -----
    Computed in float32. The loudest value that ``top_db`` counts from is that of the
    segment, so that a segment's features do not depend on its neighbours.

    References
    ----------
    .. [1] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MelSpectrogramExtractor
    >>> segments = np.random.default_rng(0).normal(size=(2, 10, 66150))
    >>> MelSpectrogramExtractor().fit_transform(segments).shape
    (2, 10, 130, 96)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **MelTransformer._parameter_constraints,
        "scale": [StrOptions({"decibel", "power"})],
        "top_db": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        n_mels=96,
        sampling_rate=22050,
        n_fft=2048,
        hop_length=512,
        win_length=None,
        window="hann",
        fmin=0.0,
        fmax=None,
        htk=False,
        center=True,
        scale="decibel",
        top_db=80.0,
    ):
        self.n_mels = n_mels
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.fmin = fmin
        self.fmax = fmax
        self.htk = htk
        self.center = center
        self.scale = scale
        self.top_db = top_db

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Extract the mel spectrogram of each segment.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_samples)
            Segments; 2-D means one segment a track.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_segments, n_frames, n_mels), float32
            Columns are named by ``get_feature_names_out``.

        Raises
        ------
        ValueError
            If the waveforms have another rate or are too short for one frame, or if
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
        names : ndarray of shape (n_mels,), str objects
            "mel0", "mel1", ... from low to high.
        """
        return np.array([f"mel{i}" for i in range(self.n_mels)], dtype=object)

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        track = self._check_track(track, name)
        kernel = self._kernel()
        if self.scale == "power":
            spectrograms = kernel.power(track)  # (n_segments, n_mels, n_frames)
        else:
            with np.errstate(invalid="ignore"):  # a power that overflowed is refused below
                spectrograms = kernel.decibels(track, self.top_db)
        return check_loudness(spectrograms.transpose(0, 2, 1), track, name)


def check_loudness(
    features: NDArray[np.float32], track: NDArray[np.float32], name: str
) -> NDArray[np.float32]:
    """Return features, or refuse the track whose power is more than float32 can hold."""
    if not np.isfinite(features).all():
        raise ValueError(
            f"{name} has samples as large as {np.abs(track).max():g}, whose power exceeds what "
            "float32 can hold; scale the waveform to lie between -1 and 1."
        )
    return features
