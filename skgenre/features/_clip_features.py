"""One row of grouped features for a whole clip."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.base import TrackColumns
from skgenre.features.groups._clip import ClipSettings
from skgenre.features.groups._timbre import GROUPS, describe_clip


class ClipFeatures(TrackColumns):
    """Describe each track by thirteen groups of features: timbre, rhythm and harmony.

    One row of about 2400 numbers for a whole track, as an SVM or a linear discriminant
    takes them after :class:`GroupScaler`. Every group looks at the same spectrogram from
    another side: what its bands hold, how they move within a fraction of a second, how
    they swing over seconds, when the next beat comes, which notes sound together. None
    depends on where in the track something happens.

    Whole tracks give a table. Segments give one such row a segment, as features of a single
    frame.

    Parameters
    ----------
    feature_groups : sequence of str, \
default=("mfcc", "delta_covariance", "melstat", "block_levels", "modulation", "scatter", "tempo", \
"chroma", "tonal", "recurrence", "harmonic_percussive", "spec", "contrast")
        Which groups, in which order. A group has the same values with and without the
        others.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in the Fourier transform of a frame.
    hop_length : int, default=512
        Samples from one frame to the next. The groups "modulation" and "scatter" need 40 frames a
        second.

    See Also
    --------
    GroupScaler : Gives each group the same weight.
    GroupKernel : Compares tracks by each group.
    ArtistWhitening : Takes away what tells artists apart.
    SummaryExtractor : The 57 columns of a published table.

    Notes
    -----
    Frame t is centred at sample ``t * hop_length``, with silence beyond both ends. All
    groups but "chroma", "tonal", "spec", "contrast" and the harmony of "recurrence" start from the
    decibels of 128 mel bands, at least -100, and at most 80 below the loudest; 64, 32 or 16
    bands are means of neighbours among them.

    =======================  =======  ==============================================================
    group                    columns  of what
    =======================  =======  ==============================================================
    ``mfcc``                 60       20 MFCCs: mean, standard deviation, and standard deviation of
                                      the step from one frame to the next
    ``delta_covariance``     210      the covariance of the steps of 20 MFCCs, plus 0.01 on its
                                      diagonal: the logarithm of the matrix, entries off the
                                      diagonal times the root of 2
    ``melstat``              160      32 bands: mean, standard deviation and three quantiles
    ``block_levels``         632      64 bands less their mean over the track, in blocks of ten
                                      frames: the values of a block are sorted, and those at three
                                      ranks give a median and a standard deviation over blocks. The
                                      rise over three frames, 0 where the level falls: mean and 90 %
                                      quantile. The correlation of each two of 16 bands
    ``modulation``           352      32 bands: amplitude of their swings in decibels, by rate, from
                                      0.5 to 20 Hz; logarithm of it and 0.1 dB, median over half
                                      overlapping windows of 256 frames
    ``scatter``              352      amplitude of 16 bands, the root of their mean power, through a
                                      wavelet of each of 11 rates from 0.5 to 16 Hz: mean and
                                      standard deviation of the envelope over the mean of the band;
                                      logarithm of it and 0.0001
    ``tempo``                48       autocorrelation of the onset strength, whose mean is left in:
                                      the largest value in each of 48 ranges of lags from 0.2 to 3 s
    ``chroma``               66       twelve pitch classes, the strongest of a frame being 1, after
                                      the tuning of the track: mean and standard deviation over
                                      frames, sorted; the same of the frames' sorted values; and the
                                      magnitudes of their Fourier transform around the circle
    ``tonal``                117      the root of the pitch classes' power, in sums of 16 frames of
                                      length 1: product of the two notes of an interval at once (6
                                      intervals), and 1, 2, 4 and 8 sums apart (12), added over the
                                      notes, mean and standard deviation; correlation with the best
                                      major and the best minor key, and their difference; mean size
                                      of the steps of the Fourier transform around the circle
    ``recurrence``           152      cosine between a frame and another after 38 times from 0.1 to
                                      9.9 s, of MFCCs 1 to 19 less their mean over the track, and of
                                      the fourth root of the pitch classes' power less the mean of
                                      the frame: mean and 90 % quantile
    ``harmonic_percussive``  64       32 bands: by how many decibels the median over 31 bands
                                      exceeds the median over 31 frames; mean and standard deviation
    ``spec``                 24       contrast of peaks and valleys in seven octaves, in decibels,
                                      mean frequency, bandwidth, 85 % roll-off, flatness and zero
                                      crossings: mean and standard deviation
    ``contrast``             143      13 bands from half an octave to an octave: decibels from the
                                      median of the bins to the mean of the upper tenth, and to that
                                      of the lower fifth; mean, standard deviation, that of the
                                      step, 10 and 90 % quantile; flatness
    =======================  =======  ==============================================================

    ``block_levels`` is after the block-level features of [1]_, both contrasts after [2]_,
    ``harmonic_percussive`` after [3]_, ``modulation`` after [4]_, ``scatter`` after [7]_;
    distances between logarithms of covariances are those of [5]_, the keys of ``tonal`` are the
    profiles of [6]_. The pitch classes tell chords and scales, but not in which key: music that is
    transposed has nearly the same columns.

    All is finite, whatever the length. Where a track is too short for something, it is
    taken from what there is: a block from fewer than ten frames, a modulation spectrum
    from fewer than 256 (slow swings are then not told apart), the covariance of fewer than
    three as 0, and what needs two frames, or a lag longer than the track, is 0. From 10 s on
    nothing is missing. A band that does not move has the correlation 0. In silence everything
    is constant and no note stronger than another.

    It takes less than a tenth of a second of one core for 30 s of music, and some 30 MB of memory
    for each minute of a track.

    References
    ----------
    .. [1] K. Seyerlehner, G. Widmer and T. Pohle, "Fusing Block-Level Features for Music
       Similarity Estimation", DAFx 2010.
    .. [2] D.-N. Jiang et al., "Music type classification by spectral contrast feature",
       ICME 2002.
    .. [3] D. Fitzgerald, "Harmonic/Percussive Separation using Median Filtering", DAFx 2010.
    .. [4] C.-H. Lee et al., "Automatic Music Genre Classification Based on Modulation
       Spectral Analysis of Spectral and Cepstral Features", IEEE Transactions on
       Multimedia, 2009.
    .. [5] V. Arsigny et al., "Log-Euclidean metrics for fast and simple calculus on diffusion
       tensors", Magnetic Resonance in Medicine, 2006.
    .. [6] C. L. Krumhansl and E. J. Kessler, "Tracing the dynamic changes in perceived tonal
       organization in a spatial representation of musical keys", Psychological Review, 1982.
    .. [7] J. Anden and S. Mallat, "Deep Scattering Spectrum", IEEE Transactions on Signal
       Processing, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import ClipFeatures
    >>> tracks = np.random.default_rng(0).normal(size=(2, 3 * 22050))
    >>> features = ClipFeatures()
    >>> features.fit_transform(tracks).shape
    (2, 2380)
    >>> features.get_feature_names_out()[[3, -1]].tolist()
    ['mfcc__3_mean', 'contrast__band12_flatness']
    >>> features.get_feature_groups_out()[[3, -1]].tolist()
    ['mfcc', 'contrast']
    >>> ClipFeatures(feature_groups=("modulation", "tempo")).fit_transform(tracks).shape
    (2, 400)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "feature_groups": ["array-like"],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        feature_groups=(
            "mfcc",
            "delta_covariance",
            "melstat",
            "block_levels",
            "modulation",
            "scatter",
            "tempo",
            "chroma",
            "tonal",
            "recurrence",
            "harmonic_percussive",
            "spec",
            "contrast",
        ),
        sampling_rate=22050,
        n_fft=2048,
        hop_length=512,
    ):
        self.feature_groups = feature_groups
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length

    def get_feature_groups_out(self) -> NDArray[np.object_]:
        """Return the group of each column, which the parameters alone decide.

        Returns
        -------
        labels : ndarray of shape (n_columns,), str objects
            "mfcc", "mfcc", ..., "contrast": as :class:`GroupScaler` takes them.
        """
        return np.array(
            [group for group in self._groups() for _ in GROUPS[group].names], dtype=object
        )

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (n_columns,), str objects
            The group, two underscores, and what it is: "mfcc__3_mean".
        """
        return np.array(
            [f"{group}__{name}" for group in self._groups() for name in GROUPS[group].names],
            dtype=object,
        )

    def _groups(self) -> list[str]:
        """Return the names of the groups, checked."""
        groups = (
            [self.feature_groups]
            if isinstance(self.feature_groups, str)
            else list(self.feature_groups)
        )
        unknown = [group for group in groups if group not in GROUPS]
        if unknown or not groups or len(set(groups)) < len(groups):
            raise ValueError(
                f"feature_groups={self.feature_groups!r} must name one or more of "
                f"{list(GROUPS)}, each once."
            )
        return groups

    def _check_settings(self) -> None:
        frame_rate = self._settings().frame_rate
        slow = [g for g in self._groups() if frame_rate < GROUPS[g].least_frame_rate]
        if slow:
            needed = max(GROUPS[g].least_frame_rate for g in slow)
            raise ValueError(
                f"hop_length={self.hop_length} at sampling_rate={self.sampling_rate:g} Hz gives "
                f"{frame_rate:.3g} frames a second; the group {slow[0]}, which looks for fast "
                f"swings, needs {GROUPS[slow[0]].least_frame_rate:g}. Raise sampling_rate to "
                f"{needed * self.hop_length:g} or more, lower hop_length, or leave "
                f"{' and '.join(slow)} out of feature_groups."
            )

    def _settings(self) -> ClipSettings:
        return ClipSettings(float(self.sampling_rate), int(self.n_fft), int(self.hop_length))

    def _describe(self, samples: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return describe_clip(samples, self._groups(), self._settings())
