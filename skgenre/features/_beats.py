"""Onsets, tempo and beats of a waveform, from which several extractors start.

The tracker is that of Ellis, "Beat Tracking by Dynamic Programming" (2007): it finds the
sequence of moments that fall on strong onsets and lie about one period apart. librosa's
compiled tracker needs more time to compile, in a fresh environment, than it saves on a
hundred tracks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skgenre.features._peaks import refine
from skgenre.features._spectral_kernel import spectral_kernel

Float = NDArray[np.float64]

_N_MELS = 40  # bands in which a rise of level counts as an onset, as in Ellis
_TIGHTNESS = 100.0  # weight of the cost of steps that differ from the period
_USUAL_TEMPO = 120.0  # beats a minute; among plausible tempi the nearest to it wins
SLOWEST, FASTEST = 30.0, 300.0  # range of tempi in beats a minute


def onset_strength(
    waveform: NDArray[np.float32], sampling_rate: float, n_fft: int, hop_length: int
) -> Float:
    """Compute how much the level rises from frame to frame.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        The samples.
    sampling_rate : float
        In Hz.
    n_fft, hop_length : int
        Samples in a frame, and from one frame to the next.

    Returns
    -------
    strength : ndarray of shape (1 + n_samples // hop_length,)
        Mean over mel bands of the rise in decibels, at the frame where the sound begins; 0
        in the first frames.
    """
    kernel = spectral_kernel(
        sampling_rate=float(sampling_rate), n_fft=n_fft, hop_length=hop_length, n_mels=_N_MELS
    )
    decibels = kernel.decibels(waveform)  # (n_mels, n_frames)
    n_frames = decibels.shape[1]
    # A frame includes an onset from half its length before the frame's centre reaches it, so the
    # rise is moved later by as much.
    late = 1 + n_fft // (2 * hop_length)
    strength = np.zeros(n_frames)
    if n_frames > late:
        rises = np.maximum(np.diff(decibels[:, : n_frames - late + 1], axis=1), 0)
        strength[late:] = rises.mean(axis=0)
    return strength


def autocorrelate(values: Float, n_lags: int) -> Float:
    """Correlate a sequence with itself, delayed; 1 without delay.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        The sequence; its mean is removed first.
    n_lags : int
        Number of delays: 0 to ``n_lags - 1``.

    Returns
    -------
    correlation : ndarray of shape (n_lags,)
        Correlation for each delay; 0 throughout for a constant sequence, and for delays
        that the sequence is too short for.
    """
    from scipy import fft

    correlation = np.zeros(n_lags)
    centred = values - values.mean()
    power = centred @ centred
    if power <= 1e-12 * (values @ values):
        return correlation
    n = fft.next_fast_len(2 * len(centred), real=True)
    spectrum = fft.rfft(centred, n)
    found = fft.irfft(spectrum.real**2 + spectrum.imag**2, n)[: min(n_lags, len(centred))]
    correlation[: len(found)] = found / power
    return correlation


def find_tempo(strength: Float, frame_rate: float) -> float:
    """Find the tempo of an onset strength.

    Parameters
    ----------
    strength : ndarray of shape (n_frames,)
        Onset strength.
    frame_rate : float
        Frames a second.

    Returns
    -------
    tempo : float
        In beats a minute, between 30 and 300; 0 where nothing repeats.
    """
    slowest = int(np.ceil(60 * frame_rate / SLOWEST))
    # Smoothed, onsets overlap with the next ones even if the period is not a whole number of
    # frames. Otherwise twice the period would win where that is a whole number.
    spread = (
        np.convolve(strength, (0.25, 0.5, 0.25), mode="same") if len(strength) > 2 else strength
    )
    correlation = autocorrelate(spread, slowest + 2)
    lags = np.arange(1, slowest + 1)
    octaves = np.log2(60 * frame_rate / lags / _USUAL_TEMPO)
    weighted = np.zeros(slowest + 2)
    weighted[1:-1] = correlation[1:-1] * np.exp(-0.5 * octaves**2)
    inner = weighted[1:-1]
    peaks = (inner > weighted[:-2]) & (inner >= weighted[2:]) & (inner > 0)
    peaks &= lags >= 60 * frame_rate / FASTEST
    if not peaks.any():
        return 0.0
    best = int(lags[peaks][np.argmax(inner[peaks])])
    return 60 * frame_rate / (best + refine(weighted, best))


def find_beats(strength: Float, frame_rate: float) -> NDArray[np.intp]:
    """Find the frames of the beats.

    Parameters
    ----------
    strength : ndarray of shape (n_frames,)
        Onset strength.
    frame_rate : float
        Frames a second.

    Returns
    -------
    beats : ndarray of shape (n_beats,)
        Frames in rising order; none where nothing repeats.
    """
    tempo = find_tempo(strength, frame_rate)
    if tempo == 0:
        return np.empty(0, dtype=np.intp)
    period = 60 * frame_rate / tempo
    local = _smooth(strength / strength.std(), period / 32)
    # Steps from half a period to two, in rising order, so that ties go to the shorter one.
    steps = np.arange(max(1, round(period / 2)), round(2 * period) + 1)
    cost = _TIGHTNESS * np.log(steps / period) ** 2
    # Entry t + longest is frame t; the entries before the track stay at minus infinity.
    longest = int(steps[-1])
    total = np.full(longest + len(local), -np.inf)
    previous = np.full(len(local), -1, dtype=np.intp)
    for t in range(len(local)):
        scores = total[t + longest - steps] - cost
        best = int(scores.argmax())
        total[t + longest] = local[t]
        if scores[best] > 0:  # else a sequence starts here
            total[t + longest] += scores[best]
            previous[t] = t - steps[best]
    scores = total[longest:]
    start = max(0, len(local) - round(period))
    beats = [start + int(scores[start:].argmax())]
    while previous[beats[-1]] >= 0:
        beats.append(int(previous[beats[-1]]))
    return np.array(beats[::-1], dtype=np.intp)


def _smooth(values: Float, width: float) -> Float:
    """Smooth with a Gaussian of standard deviation ``width``, in frames."""
    reach = max(1, int(4 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.convolve(values, kernel)[reach:-reach]
