"""Mel spectrograms, and the base of the extractors that start from them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.features._frames import FrameTransformer
from skgenre.features._spectral_kernel import SpectralKernel, spectral_kernel


class MelTransformer(FrameTransformer):
    """Base of the extractors that start from a mel spectrogram.

    A subclass has the parameters named in ``_parameter_constraints`` and turns the
    spectrogram of each segment into features.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **FrameTransformer._parameter_constraints,
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "htk": ["boolean"],
    }

    n_mels: int
    fmin: float
    fmax: float | None
    htk: bool

    def _check_settings(self, n_samples: int) -> None:
        super()._check_settings(n_samples)
        nyquist = self.sampling_rate / 2
        fmax = nyquist if self.fmax is None else self.fmax
        if not self.fmin < fmax <= nyquist:
            raise ValueError(
                f"fmin={self.fmin} and fmax={fmax} Hz do not bound the mel bands: fmin must be "
                f"below fmax, and fmax at or below half the sampling rate, {nyquist} Hz."
            )

    def _kernel(self) -> SpectralKernel:
        return spectral_kernel(
            sampling_rate=float(self.sampling_rate),
            n_fft=int(self.n_fft),
            hop_length=int(self.hop_length),
            n_mels=int(self.n_mels),
            win_length=None if self.win_length is None else int(self.win_length),
            window=self.window,
            center=bool(self.center),
            fmin=float(self.fmin),
            fmax=None if self.fmax is None else float(self.fmax),
            htk=bool(self.htk),
        )


class MelSpectrogramExtractor(MelTransformer):
    """Extract the mel spectrogram of each segment.

    The values equal ``librosa.feature.melspectrogram``, and for decibels
    ``librosa.power_to_db`` of it, called on each segment by itself.

    Parameters
    ----------
    n_mels : int, default=96
        Number of mel bands; [1]_ uses 96.
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
        segment. False starts it there and uses whole frames only.
    scale : {"decibel", "power"}, default="decibel"
        "decibel" gives 10 log10 of the power, at least -100.
    top_db : float or None, default=80.0
        Clip at this many decibels below the maximum of the segment. None does not clip.

    See Also
    --------
    MFCCExtractor : The cosine transform of the decibels.
    FrameScaler : Standardises the bands.

    Notes
    -----
    Computed in float32. ``top_db`` counts from the maximum of the segment, so that a
    segment's features do not depend on its neighbours.

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
            spectrograms = kernel.spectrum(track).mel  # (n_segments, n_mels, n_frames)
        else:
            with np.errstate(invalid="ignore"):  # check_loudness refuses overflow
                spectrograms = kernel.decibels(track, self.top_db)
        return check_loudness(spectrograms.transpose(0, 2, 1), track, name)


def check_loudness(
    features: NDArray[np.float32], track: NDArray[np.float32], name: str
) -> NDArray[np.float32]:
    """Return the features, or refuse a track whose power exceeds what float32 can hold."""
    if not np.isfinite(features).all():
        raise ValueError(
            f"{name} has samples as large as {np.abs(track).max():g}, whose power exceeds what "
            "float32 can hold; scale the waveform to lie between -1 and 1."
        )
    return features
