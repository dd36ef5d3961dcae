"""One row of grouped features for a whole clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.base import TrackTableTransformer
from skgenre.features._spectral_kernel import FRAME_CONSTRAINTS
from skgenre.features.groups import FEATURE_GROUPS, Clip, ClipSettings, FeatureGroup


class ClipFeatures(TrackTableTransformer):
    """Describe each track by thirteen groups of features: timbre, rhythm and harmony.

    The table has one row of 2380 columns for each track, which an SVM or a linear
    discriminant takes after :class:`GroupScaler`. All groups start from one spectrogram of the
    track: what its bands hold, how they change within a fraction of a second, how they swing
    over seconds, when the next beat comes, which notes sound together. No column depends on
    where in the track something happens.

    Whole tracks give a table. Segments give one such row each, as features of a single frame.

    Parameters
    ----------
    feature_groups : sequence of str, \
default=("mfcc", "delta_covariance", "melstat", "block_levels", "modulation", "scatter", "tempo", \
"chroma", "tonal", "recurrence", "harmonic_percussive", "spec", "contrast")
        Names of the groups, in the order of their columns. The values of a group do not
        depend on the others.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in the Fourier transform of a frame.
    hop_length : int, default=512
        Samples from one frame to the next. The groups "modulation" and "scatter" need 40
        frames a second: ``sampling_rate`` at least 40 times ``hop_length``.

    See Also
    --------
    GroupScaler : Gives each group the same weight.
    GroupKernel : Compares tracks by each group.
    ArtistWhitening : Shrinks what distinguishes artists of one genre.
    SummaryExtractor : The 57 columns of a published table.

    Notes
    -----
    Frame t is centred at sample ``t * hop_length``, with silence beyond both ends. All
    groups but "chroma", "tonal", "spec", "contrast" and the harmony of "recurrence" start from
    the decibels of 128 mel bands, at least -100 and clipped at 80 below the maximum; 64, 32 or
    16 bands are means of neighbouring bands.

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
    profiles of [6]_. The columns of the pitch classes describe chords and scales, but not the
    key: transposed music has nearly the same columns.

    All columns are finite, whatever the length. Short tracks use what there is: a block of
    fewer than ten frames, or a modulation spectrum of fewer than 256, which cannot separate
    slow swings. The covariance of fewer than three frames, measures that need two frames, and
    lags longer than the track are 0. Tracks of 10 s or more lack nothing. The correlation with
    a band that does not move is 0. In silence everything is constant, and no note is stronger
    than another.

    A track of 30 s takes less than a tenth of a second on one core. A track needs about 30 MB
    of memory for each minute.

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
        **FRAME_CONSTRAINTS,
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
        """Return the group of each column; the transformer need not be fitted.

        Returns
        -------
        labels : ndarray of shape (n_columns,), str objects
            "mfcc", "mfcc", ..., "contrast": the ``feature_groups`` of :class:`GroupScaler`.
        """
        return np.array([g.name for g in self._groups() for _ in g.names], dtype=object)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (n_columns,), str objects
            The group, two underscores and the name within the group: "mfcc__3_mean".
        """
        names = [f"{group.name}__{name}" for group in self._groups() for name in group.names]
        return np.array(names, dtype=object)

    def _groups(self) -> list[FeatureGroup]:
        """Return the groups that were chosen; refuse unknown, repeated or no names."""
        names = (
            [self.feature_groups]
            if isinstance(self.feature_groups, str)
            else list(self.feature_groups)
        )
        unknown = [name for name in names if name not in FEATURE_GROUPS]
        if unknown or not names or len(set(names)) < len(names):
            raise ValueError(
                f"feature_groups={self.feature_groups!r} must name one or more of "
                f"{sorted(FEATURE_GROUPS)}, each once."
            )
        return [FEATURE_GROUPS[name] for name in names]

    def _check_settings(self) -> None:
        frame_rate = self._settings().frame_rate
        slow = [group for group in self._groups() if frame_rate < group.min_frame_rate]
        if slow:
            names = " and ".join(group.name for group in slow)
            needed = max(group.min_frame_rate for group in slow)
            raise ValueError(
                f"sampling_rate={self.sampling_rate:g} Hz with hop_length={self.hop_length} gives "
                f"{frame_rate:.3g} frames a second, but {names} in feature_groups needs "
                f"{needed:g}. Set sampling_rate to {needed * self.hop_length:g} or more, lower "
                f"hop_length, or leave {names} out."
            )

    def _settings(self) -> ClipSettings:
        return ClipSettings(float(self.sampling_rate), int(self.n_fft), int(self.hop_length))

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._measure(self._clip(samples))

    def describe_excerpts(
        self, samples: NDArray[np.float32], excerpts: Sequence[tuple[int, int]]
    ) -> list[NDArray[np.float32]]:
        if (0, samples.size) not in excerpts:  # the spectrum of the whole might be wasted
            return super().describe_excerpts(samples, excerpts)
        whole = self._clip(samples)
        return [
            self._measure(whole if (a, b) == (0, samples.size) else whole.excerpt(a, b))
            for a, b in excerpts
        ]

    def _clip(self, samples: NDArray[np.float32]) -> Clip:
        with_bins = any(group.with_bins for group in self._groups())
        return Clip(samples, self._settings(), with_bins=with_bins)

    def _measure(self, clip: Clip) -> NDArray[np.float32]:
        parts = [np.ravel(part) for group in self._groups() for part in group.measure(clip)]
        return np.concatenate(parts).astype(np.float32)
