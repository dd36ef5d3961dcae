"""Tempo, strength and regularity of the beat."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.base import TrackTableTransformer
from skgenre.features._beats import (
    FASTEST,
    SLOWEST,
    autocorrelate,
    find_tempo,
    onset_strength,
)
from skgenre.features._peaks import refine, two_peaks
from skgenre.features._spectral_kernel import FRAME_CONSTRAINTS

Float = NDArray[np.float64]

_BLOCK_SECONDS = 12.0  # of the transforms of a beat histogram; resolves 5 beats a minute
_TEMPI = np.arange(40.0, 241.0)  # bins of the beat histogram, in beats a minute

_COLUMNS = (
    "tempo",
    "onset_mean",
    "onset_std",
    "beat_peak1",
    "beat_tempo1",
    "beat_peak2",
    "beat_tempo2",
    "beat_peak_ratio",
    "beat_tempo_ratio",
    "beat_sum",
    "autocorrelation_peak1",
    "autocorrelation_lag1",
    "autocorrelation_peak2",
    "autocorrelation_lag2",
    "autocorrelation_peak_ratio",
    "low_energy_share",
)


class RhythmExtractor(TrackTableTransformer):
    """Extract the tempo of each track, and how strong and regular its beat is.

    Whole tracks give a table. Segments give one such row a segment, as features of a single
    frame.

    Parameters
    ----------
    envelope : {"onset", "energy"}, default="onset"
        Input of the beat histogram and of the autocorrelation: "onset" is the mean rise of
        the level in 40 mel bands, "energy" the energy of the windows, as in [1]_.
    n_windows : int, default=100
        Number of windows in a run, whose energy is compared with the mean of the run; [1]_
        has 100.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in the Fourier transform of a frame.
    hop_length : int, default=512
        Samples from one frame to the next, and in a window of the energy.

    See Also
    --------
    PitchHistogramExtractor : Which pitches a track has.
    ChromaExtractor : Pitch classes from beat to beat.

    Notes
    -----
    The columns are:

    - ``tempo``, in beats a minute, from 30 to 300: the largest peak of the autocorrelation
      of the onset strength, weighted in favour of 120.
    - ``onset_mean`` and ``onset_std``, of the onset strength in decibels.
    - Of the beat histogram, the amplitude of the envelope's swings at each tempo from 40 to
      240: ``beat_peak1`` and ``beat_peak2``, its two largest peaks as shares of its
      sum; ``beat_tempo1`` and ``beat_tempo2``, where they lie; ``beat_peak_ratio`` and
      ``beat_tempo_ratio``, the second divided by the first; ``beat_sum``, its sum divided
      by the number of tempi.
    - Of the autocorrelation of the envelope, for periods of 0.2 to 2 s:
      ``autocorrelation_peak1`` and ``autocorrelation_peak2``, its two largest peaks;
      ``autocorrelation_lag1`` and ``autocorrelation_lag2``, their periods in seconds;
      ``autocorrelation_peak_ratio``, the second peak divided by the first.
    - ``low_energy_share``, the share of windows with less energy than the mean of their run
      of ``n_windows``.

    A value that is not found is 0. In a track that is silent or has a constant level, all
    columns but the share are 0.

    The histogram is the mean magnitude of half-overlapping Fourier transforms of 12 s of the
    envelope, divided by its mean so that loudness has no effect. [1]_ names an FFT over the
    energy of n windows. Its columns are those of [2]_, which it cites and where
    autocorrelations fill the histogram. The 100 windows of [1]_ are the first of the track,
    hardly more than two seconds; here the shares of all runs of 100 windows are averaged.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning".
    .. [2] G. Tzanetakis and P. Cook, "Musical genre classification of audio signals",
       IEEE Transactions on Speech and Audio Processing, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import RhythmExtractor
    >>> tracks = np.zeros((1, 10 * 22050))
    >>> tracks[:, ::11025] = 1.0  # a click each half second
    >>> rhythm = RhythmExtractor().set_output(transform="pandas")
    >>> rhythm.fit_transform(tracks)["tempo"].round().tolist()
    [120.0]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "envelope": [StrOptions({"onset", "energy"})],
        "n_windows": [Interval(Integral, 2, None, closed="left")],
        **FRAME_CONSTRAINTS,
    }

    def __init__(
        self,
        *,
        envelope="onset",
        n_windows=100,
        sampling_rate=22050,
        n_fft=2048,
        hop_length=512,
    ):
        self.envelope = envelope
        self.n_windows = n_windows
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (16,), str objects
            "tempo", "onset_mean", ... "low_energy_share".
        """
        return np.array(_COLUMNS, dtype=object)

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        rate, hop_length = float(self.sampling_rate), int(self.hop_length)
        frame_rate = rate / hop_length
        energy = _energy(samples, hop_length)
        onsets = onset_strength(samples, rate, int(self.n_fft), hop_length)
        envelope = energy if self.envelope == "energy" else onsets
        row = [
            find_tempo(onsets, frame_rate),
            onsets.mean(),
            onsets.std(),
            *_histogram_columns(envelope, frame_rate),
            *_autocorrelation_columns(envelope, frame_rate),
            _low_energy_share(energy, int(self.n_windows)),
        ]
        return np.array(row, dtype=np.float32)


def _energy(samples: NDArray[np.float32], length: int) -> Float:
    """Sum the squares of each window; an incomplete last window is left out."""
    n_windows = max(1, samples.size // length)
    whole = samples[: n_windows * length].astype(np.float64)
    return np.square(whole).reshape(n_windows, -1).sum(axis=1)


def _low_energy_share(energy: Float, n_windows: int) -> float:
    """Return the share of windows below the mean of their run, over all complete runs."""
    length = min(n_windows, len(energy))
    runs = energy[: len(energy) // length * length].reshape(-1, length)
    return float((runs < runs.mean(axis=1, keepdims=True)).mean())


def _histogram_columns(envelope: Float, frame_rate: float) -> list[float]:
    """Return the columns from ``beat_peak1`` to ``beat_sum``."""
    mean = envelope.mean()
    # A ratio, unlike a difference, detects a constant level at any loudness.
    if mean <= 0 or envelope.std() <= 1e-6 * mean:
        return [0.0] * 7
    length = min(len(envelope), max(1, round(_BLOCK_SECONDS * frame_rate)))
    blocks = np.lib.stride_tricks.sliding_window_view(envelope / mean, length)
    blocks = blocks[:: max(1, length // 2)]
    blocks = blocks - blocks.mean(axis=1, keepdims=True)
    histogram = np.abs(blocks @ _waves(length, frame_rate)).mean(axis=0)
    total = histogram.sum()
    if total == 0:
        return [0.0] * 7
    (peak1, tempo1), (peak2, tempo2) = (
        (0.0, 0.0) if peak is None else (histogram[peak] / total, _TEMPI[peak])
        for peak in two_peaks(histogram)
    )
    ratios = (peak2 / peak1, tempo2 / tempo1) if peak1 else (0.0, 0.0)
    return [peak1, tempo1, peak2, tempo2, *ratios, total / len(_TEMPI)]


@lru_cache(maxsize=8)
def _waves(length: int, frame_rate: float) -> NDArray[np.complex128]:
    """Return a windowed complex wave of each tempo: (length, n_tempi)."""
    taper = np.hanning(length + 2)[1:-1]  # without the zeros at its ends
    times = np.arange(length)[:, np.newaxis] / frame_rate
    # Scaled so that a swing of amplitude 1 gives 1.
    scale = 2 * taper[:, np.newaxis] / taper.sum()
    waves = scale * np.exp(-2j * np.pi * times * _TEMPI / 60)
    waves.flags.writeable = False  # the cache hands out one array
    return waves


def _autocorrelation_columns(envelope: Float, frame_rate: float) -> list[float]:
    """Return the columns from ``autocorrelation_peak1`` to ``autocorrelation_peak_ratio``."""
    first = max(1, int(60 * frame_rate / FASTEST))
    last = int(np.ceil(60 * frame_rate / SLOWEST))
    correlation = autocorrelate(envelope, last + 2)
    (peak1, lag1), (peak2, lag2) = (
        (0.0, 0.0)
        if peak is None
        else (correlation[peak], (peak + refine(correlation, peak)) / frame_rate)
        for peak in two_peaks(correlation, first)
    )
    return [peak1, lag1, peak2, lag2, peak2 / peak1 if peak1 else 0.0]
