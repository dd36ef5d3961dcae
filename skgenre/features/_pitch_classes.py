"""Pitch classes of a spectrum, with librosa's conventions."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skgenre.features._spectral_kernel import Float

_PITCHES = (150.0, 4000.0)  # Hz: range of the spectral peaks that estimate the tuning


def estimate_tuning(power: Float, sampling_rate: float, n_fft: int) -> float:
    """Estimate how far the notes lie above A = 440 Hz, as librosa does.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), float32
        Power spectrum of some frames.
    sampling_rate : float
        In Hz.
    n_fft : int
        Samples in the Fourier transform of a frame.

    Returns
    -------
    tuning : float
        In semitones, from -0.5 to 0.5.
    """
    first, stop = np.searchsorted(np.fft.rfftfreq(n_fft, 1 / sampling_rate), _PITCHES)
    first, stop = max(first, 1), min(stop, power.shape[1] - 1)
    if first >= stop:
        return 0.0
    before, at, after = (power[:, first + k : stop + k] for k in (-1, 0, 1))
    audible = at > np.float32(0.1) * power.max(axis=1, keepdims=True)
    rows, bins = np.nonzero(audible & (at > before) & (at >= after))
    if not rows.size:
        return 0.0
    before, at, after = before[rows, bins], at[rows, bins], after[rows, bins]
    # The parabola through a peak and its neighbours.
    slope, bend = (after - before) / 2, before + after - 2 * at
    inside = np.abs(slope) < np.abs(bend)
    shift = np.where(inside, -slope / np.where(inside, bend, 1), 0)
    pitches = (first + bins + shift) * sampling_rate / n_fft
    heights = at + slope * shift / 2
    strong = pitches[heights >= np.median(heights)].astype(np.float32)
    deviations = np.mod(12 * np.log2(strong / 27.5), 1)  # from the semitone below
    deviations[deviations >= 0.5] -= 1
    # The most frequent hundredth of a semitone. Rounded, because the filters of each tuning are
    # kept.
    steps = np.linspace(-0.5, 0.5, 101)
    return float(steps[np.histogram(deviations, steps)[0].argmax()])


@lru_cache(maxsize=128)
def chroma_filterbank(sampling_rate: float, n_fft: int, tuning: float) -> Float:
    """Return the weight of each bin in each pitch class, from C on: (12, n_bins).

    A bin counts for the pitch classes near it, weighted by a Gaussian as wide as the bin and
    at least a semitone. Bins near 880 Hz count most.
    """
    # librosa.filters.chroma gives the same values, but takes half a minute to compile when it is
    # first called in a fresh environment.
    semitones = 12 * np.log2(np.arange(1, n_fft) * sampling_rate / n_fft / 27.5) - tuning
    # The lowest bin, 0 Hz, has no pitch: place it far below the next one.
    semitones = np.concatenate([[semitones[0] - 18], semitones])
    widths = np.append(np.maximum(np.diff(semitones), 1), 1)
    classes = np.arange(12)[:, np.newaxis]
    distances = np.mod(semitones - classes + 6, 12) - 6  # to the nearest of that class
    filterbank = np.exp(-0.5 * (2 * distances / widths) ** 2)
    filterbank /= np.sqrt(np.square(filterbank).sum(axis=0))
    filterbank *= np.exp(-0.5 * ((semitones / 12 - 5) / 2) ** 2)
    # The logarithm starts at A; the classes start at C.
    filterbank = np.roll(filterbank, -3, axis=0)[:, : 1 + n_fft // 2].astype(np.float32)
    filterbank.flags.writeable = False  # the cache hands out one array
    return filterbank
