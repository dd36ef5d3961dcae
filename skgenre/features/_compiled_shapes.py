"""Compiled passes over the frames of a clip; imported only where numba can compile."""

from __future__ import annotations

import numpy as np

from skgenre.features._compiled import compiled


@compiled
def median_along_columns(array, half, out):
    """Replace each value by the median of a window around it in its column, mirrored at the ends.

    The window is kept sorted: each step inserts the value that enters and removes the one that
    leaves. Many neighbouring columns do so together, without branches, which vector
    instructions can do.

    Parameters
    ----------
    array : ndarray of shape (n, n_columns), float32
        No NaN.
    half : int
        Values on each side of the centre of the window.
    out : ndarray of shape (n, n_columns), float32
        Receives the medians.
    """
    n, n_columns = array.shape
    size = 2 * half + 1
    together = 64  # columns; their windows fit the nearest cache
    window = np.empty((size, together), array.dtype)
    entering = np.empty(together, array.dtype)
    places = np.empty(n + size, np.int64)
    for i in range(n + size):
        place = (i - half) % (2 * n)  # the column and its mirror image alternate
        places[i] = place if place < n else 2 * n - 1 - place
    for start in range(0, n_columns, together):
        width = min(together, n_columns - start)
        for i in range(size):
            row = array[places[i], start : start + width]
            for c in range(width):
                entering[c] = row[c]
            for k in range(i):
                sorted_values = window[k]
                for c in range(width):
                    low = min(sorted_values[c], entering[c])
                    entering[c] = max(sorted_values[c], entering[c])
                    sorted_values[c] = low
            for c in range(width):
                window[i, c] = entering[c]
        for c in range(width):
            out[0, start + c] = window[half, c]
        for t in range(1, n):
            leaving = array[places[t - 1], start : start + width]
            row = array[places[t + size - 1], start : start + width]
            for c in range(width):
                entering[c] = row[c]
            # After the insertion there is one value more. Those up to the leaving one stay, and
            # those beyond it move down by one.
            for k in range(size):
                sorted_values = window[k]
                if k == 0:
                    for c in range(width):
                        low = min(sorted_values[c], entering[c])
                        entering[c] = max(sorted_values[c], entering[c])
                        sorted_values[c] = low
                else:
                    below = window[k - 1]
                    for c in range(width):
                        low = min(sorted_values[c], entering[c])
                        entering[c] = max(sorted_values[c], entering[c])
                        sorted_values[c] = low
                        below[c] = below[c] if below[c] < leaving[c] else low
            last = window[size - 1]
            for c in range(width):
                last[c] = last[c] if last[c] < leaving[c] else entering[c]
            for c in range(width):
                out[t, start + c] = window[half, c]


@compiled
def spectral_shape(power, frequencies, octaves, n_ends, rolloff, measures, rolloff_bins, ends):
    """Measure the shape of the spectrum of each frame; many frames together.

    Parameters
    ----------
    power : ndarray of shape (n_bins, n_frames), float32
        The power of the bins.
    frequencies : ndarray of shape (n_bins,), float32
        Of the bins, in Hz.
    octaves : ndarray of shape (n_octaves, 2), int64
        First bin of each octave, and the one after its last.
    n_ends : ndarray of shape (n_octaves,), int64
        Bins of each octave that are its peaks, and its valleys.
    rolloff : float32
        Share of the magnitude below the roll-off frequency.
    measures : ndarray of shape (3, n_frames), float32
        Receives the sum of the magnitudes, and of the magnitudes times the frequency and its
        square.
    rolloff_bins : ndarray of shape (n_frames,), int64
        Receives the first bin up to which the share of the magnitude lies.
    ends : ndarray of shape (2, n_octaves, n_frames), float32
        Receives the mean magnitude of the peaks of each octave, and of its valleys.
    """
    n_bins, n_frames = power.shape
    together = 64  # frames
    magnitude = np.empty((n_bins, together), np.float32)
    total = np.empty(together, np.float32)
    first = np.empty(together, np.float32)
    second = np.empty(together, np.float32)
    below = np.empty(together, np.int32)
    most = max(1, n_ends.max())
    highest = np.empty((most, together), np.float32)
    lowest = np.empty((most, together), np.float32)
    rising = np.empty(together, np.float32)
    falling = np.empty(together, np.float32)
    for start in range(0, n_frames, together):
        width = min(together, n_frames - start)
        for c in range(width):
            total[c] = first[c] = second[c] = np.float32(0)
        for k in range(n_bins):
            row, source = magnitude[k], power[k, start : start + width]
            frequency = frequencies[k]
            square = frequency * frequency
            for c in range(width):
                value = np.sqrt(source[c])
                row[c] = value
                total[c] += value
                first[c] += frequency * value
                second[c] += square * value
        for c in range(width):
            measures[0, start + c] = total[c]
            measures[1, start + c] = first[c]
            measures[2, start + c] = second[c]
            total[c] *= rolloff  # from here on the limit, and the running sum
            first[c] = np.float32(0)
            below[c] = 0
        for k in range(n_bins):
            row = magnitude[k]
            for c in range(width):
                first[c] += row[c]
                below[c] += first[c] < total[c]
        for c in range(width):
            rolloff_bins[start + c] = min(below[c], n_bins - 1)
        for octave in range(len(octaves)):
            low, high = octaves[octave]
            n = n_ends[octave]
            if n == 0:
                ends[:, octave, start : start + width] = 0
                continue
            for i in range(n):
                for c in range(width):
                    highest[i, c] = np.float32(-1)
                    lowest[i, c] = np.float32(np.inf)
            for k in range(low, high):
                row = magnitude[k]
                for c in range(width):
                    rising[c] = falling[c] = row[c]
                for i in range(n):
                    up, down = highest[i], lowest[i]
                    for c in range(width):
                        value = max(up[c], rising[c])
                        rising[c] = min(up[c], rising[c])
                        up[c] = value
                        value = min(down[c], falling[c])
                        falling[c] = max(down[c], falling[c])
                        down[c] = value
            for c in range(width):
                rising[c] = falling[c] = np.float32(0)
            for i in range(n):
                for c in range(width):
                    rising[c] += highest[i, c]
                    falling[c] += lowest[i, c]
            for c in range(width):
                ends[0, octave, start + c] = rising[c] / np.float32(n)
                ends[1, octave, start + c] = falling[c] / np.float32(n)


@compiled
def band_contrast(levels, bands, n_ends, pairs, offsets, out):
    """Measure the peaks and the valleys of bands of bins; many frames together.

    Parameters
    ----------
    levels : ndarray of shape (n_bins, n_frames), float32
        Decibels of the bins.
    bands : ndarray of shape (n_bands, 2), int64
        First bin of each band, and the one after its last; a band of fewer than two gives 0.
    n_ends : ndarray of shape (n_bands, 2), int64
        Bins of each band that are its peaks, and its valleys.
    pairs : ndarray of shape (n_pairs, 2), int64
        Places that are compared, one after the other, to sort each band.
    offsets : ndarray of shape (n_bands + 1,), int64
        Where the pairs of each band start.
    out : ndarray of shape (2, n_bands, n_frames), float32
        Receives the decibels from the median to the mean of the peaks, and from the mean of the
        valleys to the median.
    """
    n_frames = levels.shape[1]
    together = 32  # frames; a band of them fits the nearest cache
    most = 1
    for first, stop in bands:
        most = max(most, stop - first)
    ordered = np.zeros((most, together), np.float32)
    for start in range(0, n_frames, together):
        width = min(together, n_frames - start)
        for band in range(len(bands)):
            first, stop = bands[band]
            n = stop - first
            if n < 2:
                out[:, band, start : start + width] = 0
                continue
            for k in range(n):
                source, row = levels[first + k, start : start + width], ordered[k]
                for c in range(width):
                    row[c] = source[c]
            for pair in range(offsets[band], offsets[band + 1]):
                lower, upper = ordered[pairs[pair, 0]], ordered[pairs[pair, 1]]
                for c in range(together):
                    low = min(lower[c], upper[c])
                    upper[c] = max(lower[c], upper[c])
                    lower[c] = low
            n_peaks, n_valleys = n_ends[band]
            for c in range(width):
                peaks = valleys = np.float32(0)
                for k in range(n - n_peaks, n):
                    peaks += ordered[k, c]
                for k in range(n_valleys):
                    valleys += ordered[k, c]
                middle = ordered[n // 2, c]
                out[0, band, start + c] = peaks / np.float32(n_peaks) - middle
                out[1, band, start + c] = middle - valleys / np.float32(n_valleys)
