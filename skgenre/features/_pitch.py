"""Histograms of the pitches of a track."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.base import TrackTableTransformer
from skgenre.features._peaks import two_peaks
from skgenre.features._spectral_kernel import (
    FRAME_CONSTRAINTS,
    FRAMES_TOGETHER,
    fft_window,
    frame,
)

Float = NDArray[np.float32]

_COMPRESSION = 0.67  # exponent of the magnitude; plain autocorrelation has 2
_SPLIT = 1000.0  # Hz; above it the ear follows the envelope instead of the wave
_N_NOTES = 128  # of MIDI
_N_CLASSES = 12
_FIFTH = 7  # semitones

_COLUMNS = (
    "unfolded_peak1",
    "unfolded_note1",
    "unfolded_peak2",
    "unfolded_note2",
    "unfolded_interval",
    "folded_peak1",
    "folded_class1",
    "folded_peak2",
    "folded_class2",
    "folded_interval",
    "pitch_sum",
)


class PitchHistogramExtractor(TrackTableTransformer):
    """Extract a few columns that describe the histograms of the pitches of each track.

    The pitches of each frame are found by autocorrelation and counted in two histograms: by
    note ("unfolded") and by pitch class, whatever the octave ("folded").

    Whole tracks give a table. Segments give one such row a segment, as features of a single
    frame.

    Parameters
    ----------
    n_pitches : int, default=3
        Maximum number of pitches to count in a frame, the clearest ones.
    threshold : float, default=0.03
        Minimum height of a peak of the autocorrelation that counts as a pitch, between 0 and
        1, the value without delay. White noise seldom reaches 0.03.
    fmin : float, default=55.0
        Lowest pitch in Hz.
    fmax : float, default=1500.0
        Highest pitch in Hz.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in a frame, at least two periods of ``fmin``.
    hop_length : int, default=1024
        Samples from one frame to the next.

    See Also
    --------
    ChromaExtractor : Pitch classes from beat to beat.
    RhythmExtractor : Tempo and strength of the beat.

    Notes
    -----
    The columns are:

    - ``unfolded_peak1`` and ``unfolded_peak2``, the two largest peaks (higher than the
      notes beside them) of the unfolded histogram, as shares of its sum;
      ``unfolded_note1`` and ``unfolded_note2``, their notes as MIDI numbers (69 is the A of
      440 Hz); ``unfolded_interval``, from the first to the second in semitones.
    - ``folded_peak1`` and ``folded_peak2``, the two largest entries of the folded
      histogram; ``folded_class1`` and ``folded_class2``, their pitch classes by the circle
      of fifths (0 is C, 1 is G, 2 is D); ``folded_interval``, from the first to the second
      on that circle, from -6 to 5: 1 is a fifth up and -1 a fifth down.
    - ``pitch_sum``, the sum of the histogram divided by the number of frames. It grows
      with the clarity of the pitches.

    A value that is not found is 0. Where no frame has a pitch, all columns are 0.

    The columns are those that [1]_ lists after [2]_. The "period" of a peak, in their words,
    is its place in the histogram: the columns of notes and pitch classes here. The pitches
    are found as in [3]_, which [2]_ follows too. The sound is split at 1000 Hz, and the upper
    part is replaced by its envelope. Both parts are autocorrelated, with the magnitudes of
    their spectra compressed (to the power of 0.67), and added. Each pitch has further peaks at
    multiples of its period; subtracting the curve stretched by 2, 3, 5 and the next primes
    removes them. A pitch counts with the height of its peak.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning".
    .. [2] G. Tzanetakis and P. Cook, "Musical genre classification of audio signals",
       IEEE Transactions on Speech and Audio Processing, 2002.
    .. [3] T. Tolonen and M. Karjalainen, "A computationally efficient multipitch analysis
       model", IEEE Transactions on Speech and Audio Processing, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import PitchHistogramExtractor
    >>> time = np.arange(22050) / 22050
    >>> tracks = np.sin(2 * np.pi * 440.0 * time)[np.newaxis]  # one track: the note A
    >>> pitch = PitchHistogramExtractor().set_output(transform="pandas")
    >>> pitch.fit_transform(tracks)["unfolded_note1"].tolist()
    [69.0]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_pitches": [Interval(Integral, 1, None, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="neither")],
        "fmin": [Interval(Real, 0, None, closed="neither")],
        "fmax": [Interval(Real, 0, None, closed="neither")],
        **FRAME_CONSTRAINTS,
        "n_fft": [Interval(Integral, 4, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_pitches=3,
        threshold=0.03,
        fmin=55.0,
        fmax=1500.0,
        sampling_rate=22050,
        n_fft=2048,
        hop_length=1024,
    ):
        self.n_pitches = n_pitches
        self.threshold = threshold
        self.fmin = fmin
        self.fmax = fmax
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
        names : ndarray of shape (11,), str objects
            "unfolded_peak1", "unfolded_note1", ... "pitch_sum".
        """
        return np.array(_COLUMNS, dtype=object)

    def _check_settings(self) -> None:
        if not self.fmin < self.fmax <= self.sampling_rate / 2:
            raise ValueError(
                f"fmin={self.fmin} and fmax={self.fmax} Hz do not bound the pitches: fmin must be "
                f"below fmax, and fmax at or below half the sampling rate, "
                f"{self.sampling_rate / 2} Hz."
            )
        if self.n_fft < 2.0 * self.sampling_rate / self.fmin:
            raise ValueError(
                f"n_fft={self.n_fft} samples are less than two periods of fmin={self.fmin} Hz at "
                f"sampling_rate={self.sampling_rate}; raise n_fft or fmin."
            )

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        rate, n_fft, hop_length = float(self.sampling_rate), int(self.n_fft), int(self.hop_length)
        shortest = int(rate / self.fmax)  # periods in samples
        longest = int(np.ceil(rate / self.fmin))
        taper = fft_window("hann", n_fft, n_fft)
        bands = [frame(x, n_fft, hop_length, center=True) for x in _split(samples, rate)]
        multiples = _multiples(longest + 2)
        n_frames = len(bands[0])
        unfolded = np.zeros(_N_NOTES)
        for start in range(0, n_frames, FRAMES_TOGETHER):
            windowed = [frames[start : start + FRAMES_TOGETHER] * taper for frames in bands]
            lowest = int(0.5 * self.fmin / rate * n_fft)
            correlation = _correlate(windowed, longest + 2, lowest)
            np.subtract(correlation, correlation @ multiples, out=correlation)
            self._count(correlation, shortest, unfolded)
        return np.array(_columns(unfolded / n_frames), dtype=np.float32)

    def _count(self, correlation: Float, shortest: int, unfolded: NDArray[np.float64]) -> None:
        """Add the pitches of some frames to the histogram; (n_frames, n_lags)."""
        before, at, after = (
            correlation[:, shortest - 1 : -2],
            correlation[:, shortest:-1],
            correlation[:, shortest + 1 :],
        )
        peaks = (at > before) & (at >= after) & (at > self.threshold)
        heights = np.where(peaks, at, 0)
        n = min(int(self.n_pitches), heights.shape[1])
        highest = np.argsort(-heights, axis=1, kind="stable")[:, :n]
        rows, ranks = np.nonzero(np.take_along_axis(heights, highest, axis=1))
        places = highest[rows, ranks]
        before, at, after = before[rows, places], at[rows, places], after[rows, places]
        # The top of the parabola through the peak and its neighbours is far finer than a sample.
        lags = shortest + places + 0.5 * (before - after) / (before - 2 * at + after)
        notes = np.rint(69 + 12 * np.log2(float(self.sampling_rate) / lags / 440.0))
        np.add.at(unfolded, np.clip(notes, 0, _N_NOTES - 1).astype(np.intp), at)


def _split(samples: Float, sampling_rate: float) -> list[Float]:
    """Return the part below 1000 Hz, and the envelope of the part above."""
    from scipy.signal import butter, sosfilt

    if sampling_rate <= 2 * _SPLIT:
        return [samples]
    below = butter(2, _SPLIT, "lowpass", fs=sampling_rate, output="sos")
    above = butter(2, _SPLIT, "highpass", fs=sampling_rate, output="sos")
    rectified = np.maximum(sosfilt(above, samples), 0)
    return [sosfilt(below, x).astype(np.float32) for x in (samples, rectified)]


def _correlate(bands: list[Float], n_lags: int, lowest: int) -> Float:
    """Autocorrelate the frames (n_frames, n_fft) of all bands together: (n_frames, n_lags).

    Bins up to ``lowest`` are left out. Negative values become 0, and so does the hill around
    delay 0, which is not a pitch.
    """
    from scipy import fft

    # Padded by the largest delay, so that the end of a frame does not wrap around.
    n = fft.next_fast_len(bands[0].shape[1] + n_lags, real=True)
    total = np.zeros((len(bands[0]), n // 2 + 1), dtype=np.float32)
    for frames in bands:
        spectrum = fft.rfft(frames, n, axis=1)
        total += (np.square(spectrum.real) + np.square(spectrum.imag)) ** (_COMPRESSION / 2)
    total[:, : 1 + lowest] = 0
    correlation = fft.irfft(total, n, axis=1)[:, :n_lags]
    undelayed = correlation[:, :1]
    correlation = np.divide(
        correlation, undelayed, out=np.zeros_like(correlation), where=undelayed > 0
    )
    falls = np.argmax(correlation <= 0, axis=1)  # first delay at which each reaches 0
    hill = np.arange(n_lags) < falls[:, np.newaxis]
    return np.where(hill, 0, np.maximum(correlation, 0))


@lru_cache(maxsize=8)
def _multiples(n_lags: int) -> Float:
    """Return the matrix that sums curves stretched by all primes: (n_lags, n_lags).

    The curves are rows, multiplied from the left. A pitch of period T correlates at kT as
    well; the peak at T of the curve stretched k times covers that.
    """
    matrix = np.zeros((n_lags, n_lags), dtype=np.float32)
    lags = np.arange(n_lags)
    for k in range(2, n_lags // 2):
        if any(k % divisor == 0 for divisor in range(2, k)):
            continue
        below, rest = np.divmod(lags, k)
        matrix[below, lags] += 1 - rest / k
        matrix[np.minimum(below + 1, n_lags - 1), lags] += rest / k
    matrix.flags.writeable = False  # the cache hands out one array
    return matrix


def _columns(unfolded: NDArray[np.float64]) -> list[float]:
    """Describe a histogram of notes."""
    total = float(unfolded.sum())
    if total == 0:
        return [0.0] * len(_COLUMNS)
    # Padded, because the notes at both ends may be peaks, too.
    padded = np.concatenate([[0.0], unfolded, [0.0]])
    (peak1, note1), (peak2, note2) = (
        (0.0, 0) if place is None else (padded[place] / total, place - 1)
        for place in two_peaks(padded)
    )
    notes = np.arange(_N_NOTES)
    folded = np.bincount(_FIFTH * notes % _N_CLASSES, unfolded, minlength=_N_CLASSES) / total
    # Neighbours on the circle of fifths are not neighbours in pitch, so there is no peak to find:
    # the largest two entries are taken.
    class1, class2 = np.argsort(-folded, kind="stable")[:2].tolist()
    turn = (class2 - class1 + 6) % _N_CLASSES - 6
    if folded[class2] == 0:
        class2 = turn = 0
    return [
        peak1,
        note1,
        peak2,
        note2,
        note2 - note1 if peak2 else 0,
        folded[class1],
        class1,
        folded[class2] if turn else 0,
        class2,
        turn,
        total,
    ]
