"""One row of statistics for a whole track."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import StrOptions

from skgenre.base import TrackTableTransformer
from skgenre.features._spectral_kernel import FRAME_CONSTRAINTS
from skgenre.features._summary_measures import N_MFCC, SummarySettings, summarise

# "perceptr" is what the published table calls the percussive part.
_MEASURES = [
    "chroma_stft",
    "rms",
    "spectral_centroid",
    "spectral_bandwidth",
    "rolloff",
    "zero_crossing_rate",
    "harmony",
    "perceptr",
]
_COEFFICIENTS = [f"mfcc{i}" for i in range(1, 1 + N_MFCC)]


class SummaryExtractor(TrackTableTransformer):
    """Summarise each track by the 57 columns of the table ``features_30_sec.csv``.

    Many models of music genres are trained on that table, which is distributed with the GTZAN
    data set [1]_. This extractor computes its columns for any music, with its names and in
    its order: mean and variance of chroma, loudness, spectral shape, zero crossings, harmonic
    and percussive part and 20 MFCCs, and the tempo.

    Whole tracks give a table for scikit-learn's own scalers and classifiers.
    Segments give one such row a segment, as features of a single frame.

    Parameters
    ----------
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in a frame. In short frames some of the 128 mel bands have no bin and stay
        silent.
    hop_length : int, default=512
        Samples from one frame to the next, at most half of ``n_fft``.
    pad_mode : {"reflect", "constant"}, default="reflect"
        How the sound continues beyond its ends, under the first and last frames: "reflect"
        mirrors it, as in the published table and in librosa before 0.10; "constant" is
        silence, as in librosa now.

    See Also
    --------
    MFCCExtractor : The coefficients frame by frame, for the networks.

    Notes
    -----
    Frame t is centred at sample ``t * hop_length``. Means and variances (divided by the
    number of values) are taken over all frames unless the table says otherwise:

    ==========================  ========================================================
    column                      of what
    ==========================  ========================================================
    ``chroma_stft_*``           power by pitch class, the strongest of each frame being
                                1; over frames and the 12 classes together. The classes
                                follow the tuning of the track
    ``rms_*``                   root of the mean square of the samples of a frame,
                                without a window
    ``spectral_centroid_*``     mean frequency in Hz, weighted by the magnitude
    ``spectral_bandwidth_*``    standard deviation around it, in Hz
    ``rolloff_*``               frequency in Hz below which 85 % of the magnitude lies
    ``zero_crossing_rate_*``    share of samples whose sign differs from the one before
    ``harmony_*``               samples of the harmonic part, after separation by median
                                filters over 31 frames and 31 bins [2]_; over samples
    ``perceptr_*``              samples of the percussive part; over samples
    ``tempo``                   beats a minute, from the autocorrelation of the onset
                                strength in windows of 8 s; no mean and no variance
    ``mfcc1_*``, ...            coefficients of 128 mel bands in decibels, clipped at 80 dB
                                below the maximum. The first one is ``mfcc1``
    ==========================  ========================================================

    The values equal those of librosa [3]_, called on each track or segment by itself:
    ``feature.chroma_stft``, ``feature.rms``, ``feature.spectral_centroid``,
    ``feature.spectral_bandwidth``, ``feature.spectral_rolloff``,
    ``feature.zero_crossing_rate``, ``effects.hpss``, ``beat.beat_track`` and
    ``feature.mfcc``. ``harmony_mean`` and ``perceptr_mean`` sum to the mean of the samples,
    which describes the recording equipment rather than the music.

    In silence all columns are 0 but the first MFCC. The tempo is 0 where no onset is found,
    as in anything shorter than a few frames.

    It needs about 130 MB of memory for each minute of a track.

    References
    ----------
    .. [1] A. Olteanu, "GTZAN Dataset - Music Genre Classification", Kaggle, 2020.
    .. [2] D. Fitzgerald, "Harmonic/Percussive Separation using Median Filtering", DAFx 2010.
    .. [3] B. McFee et al., "librosa: Audio and Music Signal Analysis in Python", SciPy 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import SummaryExtractor
    >>> waveforms = np.random.default_rng(0).normal(size=(2, 22050))
    >>> summary = SummaryExtractor()
    >>> summary.fit_transform(waveforms).shape  # tracks, columns
    (2, 57)
    >>> summary.get_feature_names_out()[:3].tolist()
    ['chroma_stft_mean', 'chroma_stft_var', 'rms_mean']
    >>> segments = waveforms.reshape(2, 5, 4410)
    >>> summary.fit_transform(segments).shape  # tracks, segments, one frame, features
    (2, 5, 1, 57)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **FRAME_CONSTRAINTS,
        "pad_mode": [StrOptions({"reflect", "constant"})],
    }

    def __init__(self, *, sampling_rate=22050, n_fft=2048, hop_length=512, pad_mode="reflect"):
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.pad_mode = pad_mode

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the last axis.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (57,), str objects
            "chroma_stft_mean", "chroma_stft_var", ..., "tempo", ..., "mfcc20_var".
        """
        names = [f"{name}_{statistic}" for name in _MEASURES for statistic in ("mean", "var")]
        names.append("tempo")
        names += [f"{name}_{statistic}" for name in _COEFFICIENTS for statistic in ("mean", "var")]
        return np.array(names, dtype=object)

    def _check_settings(self) -> None:
        if self.hop_length > self.n_fft // 2:
            raise ValueError(
                f"hop_length={self.hop_length} is more than half of n_fft={self.n_fft}; the "
                "separation of harmonic and percussive parts needs frames that overlap by half. "
                "Lower hop_length or raise n_fft."
            )
        if self._settings().n_lags < 2:
            raise ValueError(
                f"With hop_length={self.hop_length} at sampling_rate={self.sampling_rate:g} Hz "
                "frames are too far apart to find a tempo within 8 s; lower hop_length."
            )

    def _settings(self) -> SummarySettings:
        return SummarySettings(
            sampling_rate=float(self.sampling_rate),
            n_fft=int(self.n_fft),
            hop_length=int(self.hop_length),
            pad_mode=self.pad_mode,
        )

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        # Only ratios of the separation overflow, and the share of the bin is then 0 or 1.
        with np.errstate(over="ignore", invalid="ignore"):
            return summarise(samples, self._settings())
