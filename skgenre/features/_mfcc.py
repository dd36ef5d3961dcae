"""Mel-frequency cepstral coefficients."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.features._mel import MelTransformer, check_loudness


class MFCCExtractor(MelTransformer):
    """Extract the mel-frequency cepstral coefficients (MFCC) of each frame.

    The values equal ``librosa.feature.mfcc`` called on each segment by itself. Called on a
    stack of segments, librosa clips all of them at 80 dB below the loudest one, so that the
    features of a segment depend on its neighbours.

    Parameters
    ----------
    n_mfcc : int, default=13
        Number of coefficients; [1]_ uses 13.
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
    n_mels : int, default=128
        Number of mel bands.
    fmin : float, default=0.0
        Lowest frequency of the mel bands in Hz.
    fmax : float or None, default=None
        Highest frequency of the mel bands in Hz; None means half the sampling rate.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of Slaney's.
    lifter : int, default=0
        Coefficient of the cepstral liftering; 0 means no liftering.
    center : bool, default=True
        Whether frame t is centred at sample ``t * hop_length``, with zeros around the
        segment. False starts it there and uses whole frames only.
    deltas : {0, 1, 2}, default=0
        Number of time derivatives appended to the coefficients, the differential coefficients
        of [2]_: ``n_features = n_mfcc * (1 + deltas)``.
    delta_width : int, default=9
        Frames over which a derivative is estimated; odd, at least 3.

    See Also
    --------
    FrameScaler : Standardises the coefficients; the networks need it.

    Notes
    -----
    The power spectrum of a frame is summed to mel bands. Their decibels, clipped at 80 dB
    below the maximum of the segment, go through an orthonormal cosine transform of type II,
    and the first ``n_mfcc`` values are kept. With ``center=True`` and an even ``n_fft`` a
    segment has ``1 + n_samples // hop_length`` frames; with ``center=False``
    ``1 + (n_samples - n_fft) // hop_length``.

    Computed in float32, where librosa transforms in float64: the coefficients agree within
    1e-6 of the largest for noise, music and silence. Bands that hold little but the rounding
    error of a loud sound outside them (a steady tone, or bands of a few Hz) differ by 1e-5 to
    1e-3.

    References
    ----------
    .. [1] S. Jain et al., "Music Information Retrieval and Classification using Deep
       Learning", 2021.
    .. [2] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MFCCExtractor
    >>> segments = np.random.default_rng(0).normal(size=(2, 10, 66150))
    >>> mfcc = MFCCExtractor()
    >>> mfcc.fit_transform(segments).shape  # tracks, segments, frames, coefficients
    (2, 10, 130, 13)
    >>> mfcc.get_feature_names_out()[:2]
    array(['mfcc0', 'mfcc1'], dtype=object)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **MelTransformer._parameter_constraints,
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "lifter": [Interval(Integral, 0, None, closed="left")],
        "deltas": [Interval(Integral, 0, 2, closed="both")],
        "delta_width": [Interval(Integral, 3, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_mfcc=13,
        sampling_rate=22050,
        n_fft=2048,
        hop_length=512,
        win_length=None,
        window="hann",
        n_mels=128,
        fmin=0.0,
        fmax=None,
        htk=False,
        lifter=0,
        center=True,
        deltas=0,
        delta_width=9,
    ):
        self.n_mfcc = n_mfcc
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.htk = htk
        self.lifter = lifter
        self.center = center
        self.deltas = deltas
        self.delta_width = delta_width

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Extract the coefficients of each segment.

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
        names : ndarray of shape (n_features,), str objects
            "mfcc0", ..., then "mfcc0_delta", ... and "mfcc0_delta2", ...
        """
        suffixes = ["", "_delta", "_delta2"][: 1 + self.deltas]
        names = [f"mfcc{i}{suffix}" for suffix in suffixes for i in range(self.n_mfcc)]
        return np.array(names, dtype=object)

    def _check_settings(self, n_samples: int) -> None:
        if self.n_mfcc > self.n_mels:
            raise ValueError(
                f"n_mfcc={self.n_mfcc} is more than n_mels={self.n_mels}; lower n_mfcc or raise "
                "n_mels."
            )
        super()._check_settings(n_samples)
        if not self.deltas:
            return
        n_frames = self._n_frames(n_samples)
        if self.delta_width % 2 == 0 or self.delta_width > n_frames:
            raise ValueError(
                f"delta_width={self.delta_width} must be odd and at most the number of frames, "
                f"here {n_frames}; lower it, or cut longer segments."
            )

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        track = self._check_track(track, name)
        kernel = self._kernel()
        transform = _cosine_transform(int(self.n_mfcc), int(self.n_mels), int(self.lifter))
        # (n_segments, n_mfcc, n_frames)
        with np.errstate(invalid="ignore"):  # check_loudness refuses overflow
            exact = transform @ kernel.decibels(track)
        orders = [check_loudness(exact.astype(np.float32), track, name)]
        if self.deltas:
            from scipy.signal import savgol_filter

            orders += [
                savgol_filter(orders[0], self.delta_width, polyorder=order, deriv=order)
                for order in range(1, 1 + self.deltas)
            ]
        # (n_segments, n_features, n_frames) to (n_segments, n_frames, n_features)
        return np.concatenate(orders, axis=1).transpose(0, 2, 1)


@lru_cache(maxsize=16)
def _cosine_transform(n_mfcc: int, n_mels: int, lifter: int) -> NDArray[np.float64]:
    """Return the orthonormal cosine transform of type II, liftered: (n_mfcc, n_mels).

    In float64, because the sum over bands in float32 would be off by 1e-6.
    """
    from scipy.fft import dct

    transform = dct(np.eye(n_mels), axis=0, type=2, norm="ortho")[:n_mfcc]
    if lifter:
        ranks = np.arange(1, 1 + n_mfcc)[:, np.newaxis]
        transform = transform * (1 + lifter / 2 * np.sin(np.pi * ranks / lifter))
    transform.flags.writeable = False  # the cache hands out one array
    return transform
