"""Pitch classes from beat to beat."""

from __future__ import annotations

from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.base import TrackTableTransformer
from skgenre.features._beats import find_beats, onset_strength
from skgenre.features._pitch_classes import chroma_filterbank
from skgenre.features._spectral_kernel import (
    FRAME_CONSTRAINTS,
    FRAMES_TOGETHER,
    fft_window,
    frame,
)
from skgenre.utils._random import draw_seeds

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class ChromaExtractor(TrackTableTransformer):
    """Extract the chroma of some beats of each track, one after the other.

    A chroma vector holds the strength of each of the twelve pitch classes, whatever the
    octave. Each vector covers one beat, so that the numbers follow the harmony and not the
    tempo. The table holds ``n_vectors`` of them side by side: 360 columns a track.

    Whole tracks give a table. Segments give one such row a segment, as features of a single
    frame.

    Parameters
    ----------
    n_vectors : int, default=30
        Chroma vectors a track; [1]_ has 30.
    selection : {"first", "random"}, default="first"
        Which beats: the first ones, or some drawn at random without replacement. Both keep
        their order in time.
    aggregate : {"mean", "median"}, default="mean"
        How the frames of a beat are combined to one vector.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused.
    n_fft : int, default=2048
        Samples in the Fourier transform of a frame.
    hop_length : int, default=512
        Samples from one frame to the next.
    random_state : int, RandomState instance or None, default=None
        Draws the beats where ``selection="random"``. With an int, each track draws from a
        fresh generator, so that its row does not depend on the tracks beside it.

    See Also
    --------
    RhythmExtractor : Tempo and strength of the beat.
    PitchHistogramExtractor : Which pitches a track has, without regard to time.

    Notes
    -----
    The beats are those of Ellis' tracker [2]_; a vector covers the time from one beat to the
    next. The tuning of the track is estimated, and the magnitude of the spectrum is summed to
    pitch classes with librosa's filters, in which the octave around 900 Hz counts most. Each
    vector is divided by its maximum.

    Where fewer than ``n_vectors + 1`` beats are found (a short, slow or beatless track), the
    whole track is cut into ``n_vectors`` equal stretches instead, each at least one frame
    long; both selections then agree. A silent stretch gives zeros.

    [1]_ takes 30 vectors "randomly or sequentially" and reports no results for either alone.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning".
    .. [2] D. Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research,
       2007.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import ChromaExtractor
    >>> time = np.arange(3 * 22050) / 22050
    >>> tracks = np.sin(2 * np.pi * 440.0 * time)[np.newaxis]  # one track: the note A
    >>> chroma = ChromaExtractor(n_vectors=2).set_output(transform="pandas")
    >>> table = chroma.fit_transform(tracks)
    >>> table.shape
    (1, 24)
    >>> table.iloc[0].idxmax()
    'chroma0_A'
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_vectors": [Interval(Integral, 1, None, closed="left")],
        "selection": [StrOptions({"first", "random"})],
        "aggregate": [StrOptions({"mean", "median"})],
        **FRAME_CONSTRAINTS,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_vectors=30,
        selection="first",
        aggregate="mean",
        sampling_rate=22050,
        n_fft=2048,
        hop_length=512,
        random_state=None,
    ):
        self.n_vectors = n_vectors
        self.selection = selection
        self.aggregate = aggregate
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.random_state = random_state

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (12 * n_vectors,), str objects
            "chroma0_C", "chroma0_C#", ... "chroma29_B".
        """
        names = [f"chroma{i}_{name}" for i in range(self.n_vectors) for name in PITCH_CLASSES]
        return np.array(names, dtype=object)

    def describe(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        rate, n_fft, hop_length = float(self.sampling_rate), int(self.n_fft), int(self.hop_length)
        beats = find_beats(onset_strength(samples, rate, n_fft, hop_length), rate / hop_length)
        magnitude = _magnitude(samples, n_fft, hop_length)  # (n_frames, n_bins)
        filterbank = chroma_filterbank(rate, n_fft, _tuning(magnitude, rate, n_fft))
        chroma = magnitude @ filterbank.T  # (n_frames, 12)
        stretches = self._stretches(beats, len(chroma))
        reduce = np.mean if self.aggregate == "mean" else np.median
        vectors = np.stack([reduce(chroma[a:b], axis=0) for a, b in stretches])
        largest = vectors.max(axis=1, keepdims=True)
        vectors = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
        return vectors.reshape(-1)  # (n_vectors * 12,)

    def _stretches(self, beats: NDArray[np.intp], n_frames: int) -> list[tuple[int, int]]:
        """Return the first frame of each vector, and the one after its last."""
        n = int(self.n_vectors)
        if len(beats) <= n:
            edges = [i * n_frames // n for i in range(n + 1)]
            # A stretch shorter than a frame uses the frame that it lies in.
            return [(a, max(a + 1, b)) for a, b in pairwise(edges)]
        spans = list(pairwise(beats.tolist()))
        if self.selection == "first":
            return spans[:n]
        generator = np.random.default_rng(draw_seeds(self.random_state, 1)[0])
        return [spans[i] for i in np.sort(generator.choice(len(spans), size=n, replace=False))]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # A RandomState instance moves on with each track.
        repeats = self.selection == "first" or isinstance(self.random_state, Integral)
        tags.non_deterministic = not repeats
        return tags


def _magnitude(samples: NDArray[np.float32], n_fft: int, hop_length: int) -> NDArray[np.float32]:
    """Compute the magnitude of the spectrum of each frame: (n_frames, n_bins)."""
    from scipy import fft

    frames = frame(samples, n_fft, hop_length, center=True)
    taper = fft_window("hann", n_fft, n_fft)
    out = np.empty((len(frames), 1 + n_fft // 2), dtype=np.float32)
    for start in range(0, len(frames), FRAMES_TOGETHER):
        spectrum = fft.rfft(frames[start : start + FRAMES_TOGETHER] * taper, axis=1)
        np.abs(spectrum, out=out[start : start + FRAMES_TOGETHER])
    return out


def _tuning(magnitude: NDArray[np.float32], sampling_rate: float, n_fft: int) -> float:
    """Estimate how far the notes lie above A = 440 Hz: in semitones, -0.5 to 0.5.

    Each peak of the spectrum is a vector whose length is its height and whose angle is its
    place between two semitones; the angle of their sum is the tuning.
    """
    low = max(1, int(100 * n_fft / sampling_rate))
    high = min(magnitude.shape[1] - 1, int(2000 * n_fft / sampling_rate))
    if high - low < 3:
        return 0.0
    some = magnitude[::4, low - 1 : high + 1]  # every fourth frame is enough
    before, at, after = some[:, :-2], some[:, 1:-1], some[:, 2:]
    peaks = (at > before) & (at >= after) & (at > 0.1 * some.max(axis=1, keepdims=True))
    before, at, after = before[peaks], at[peaks], after[peaks]
    shift = 0.5 * (before - after) / (before - 2 * at + after)
    bins = low + np.nonzero(peaks)[1] + shift
    semitones = 12 * np.log2(bins * sampling_rate / n_fft / 440.0)
    arrows = at * np.exp(2j * np.pi * semitones)
    # Rounded, because the filters of each tuning are kept.
    return round(float(np.angle(arrows.sum())) / (2 * np.pi), 2)
