"""The power of frames in compiled passes; imported only where numba can compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function that releases Python's lock; cache the machine code on disk."""
    # "reassoc" lets the compiler reorder sums, so that it can use vector instructions.
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract", "reassoc"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache is writable
        return njit(**options)(function)


@compiled
def frame_power(samples, first, hop_length, window, roots, twiddles, scratch, power):
    """Compute the power of the bins of windowed frames; samples outside count as zero.

    The even samples of a frame are taken as real parts and the odd ones as imaginary parts: one
    complex transform of half the length, which is taken apart at the end. Many frames go
    through it together, beside each other in memory, so that all of it is vector instructions.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        The segment.
    first : int
        Sample at which the first frame starts; negative for frames centred near the start.
    hop_length : int
        Samples from one frame to the next.
    window : ndarray of shape (n_fft,), float32
        The weights; n_fft is a power of two.
    roots : ndarray of shape (n_fft // 2,), complex64
        exp(-2i pi k / (n_fft / 2)).
    twiddles : ndarray of shape (n_fft // 2,), complex64
        exp(-i pi k / (n_fft / 2)).
    scratch : ndarray of shape (4, n), float32
        Working memory: of ``n_fft // 2`` times the frames that go together.
    power : ndarray of shape (1 + n_fft // 2, n_frames), float32
        Receives the power.
    """
    n_half, n_frames = len(roots), power.shape[1]
    together = scratch.shape[1] // n_half
    n_chunks = (n_frames + together - 1) // together
    size = (n_frames + n_chunks - 1) // n_chunks
    for start in range(0, n_frames, size):
        width = min(size, n_frames - start)
        lanes = min((width + 7) // 8 * 8, together)  # whole vectors
        used = n_half * lanes
        re, im, re2, im2 = (
            scratch[0, :used],
            scratch[1, :used],
            scratch[2, :used],
            scratch[3, :used],
        )
        _load(samples, first + start * hop_length, hop_length, window, lanes, re, im)
        if _transform(re, im, re2, im2, roots, lanes):
            re, im = re2, im2
        _take_apart(re, im, twiddles, lanes, power, start, width)


@compiled
def _load(samples, first, hop_length, window, lanes, re, im):
    """Write windowed frames to (n_fft // 2, lanes): even samples to ``re``, odd ones to ``im``.

    Sample k of frame t is sample k % hop of the stretch t + k // hop, so stretches that are
    shared by several frames are turned once.
    """
    n_samples, n_fft = len(samples), len(window)
    reach = (n_fft - 1) // hop_length
    length = min(hop_length, n_fft)
    turned = np.zeros((length, lanes + reach), np.float32)
    for t in range(lanes + reach):
        start = first + t * hop_length
        low, high = max(0, -start), min(length, n_samples - start)
        if low < high:
            heard = samples[start + low : start + high]
            for i in range(high - low):
                turned[low + i, t] = heard[i]
    for k in range(n_fft):
        stretch, place = k // hop_length, k % hop_length
        source = turned[place, stretch : stretch + lanes]
        target = re if k % 2 == 0 else im
        row = target[k // 2 * lanes : (k // 2 + 1) * lanes]
        weight = window[k]
        for c in range(lanes):
            row[c] = weight * source[c]


@compiled
def _transform(re, im, re2, im2, roots, lanes):
    """Transform each lane by Stockham's algorithm; return whether the result is in re2 and im2.

    Each pass cuts the remaining length to a quarter, the last one to half where need be, and
    writes to the other pair of arrays.
    """
    n = len(roots)  # length of the transforms that are left
    stride = 1
    swapped = False
    while n > 1:
        xr, xi, yr, yi = (re2, im2, re, im) if swapped else (re, im, re2, im2)
        width = stride * lanes
        if n % 4 == 0:
            quarter = n // 4 * width
            for p in range(n // 4):
                w1, w2, w3 = roots[p * stride], roots[2 * p * stride], roots[3 * p * stride]
                w1r, w1i, w2r, w2i, w3r, w3i = w1.real, w1.imag, w2.real, w2.imag, w3.real, w3.imag
                i = p * width
                ar, ai = xr[i : i + width], xi[i : i + width]
                i += quarter
                br, bi = xr[i : i + width], xi[i : i + width]
                i += quarter
                cr, ci = xr[i : i + width], xi[i : i + width]
                i += quarter
                dr, di = xr[i : i + width], xi[i : i + width]
                i = 4 * p * width
                pr, pi = yr[i : i + width], yi[i : i + width]
                i += width
                qr, qi = yr[i : i + width], yi[i : i + width]
                i += width
                rr, ri = yr[i : i + width], yi[i : i + width]
                i += width
                sr, si = yr[i : i + width], yi[i : i + width]
                for c in range(width):
                    sum_r, sum_i = ar[c] + cr[c], ai[c] + ci[c]
                    rest_r, rest_i = ar[c] - cr[c], ai[c] - ci[c]
                    other_r, other_i = br[c] + dr[c], bi[c] + di[c]
                    turned_r, turned_i = di[c] - bi[c], br[c] - dr[c]  # i (b - d)
                    pr[c], pi[c] = sum_r + other_r, sum_i + other_i
                    u, v = rest_r - turned_r, rest_i - turned_i
                    qr[c], qi[c] = w1r * u - w1i * v, w1r * v + w1i * u
                    u, v = sum_r - other_r, sum_i - other_i
                    rr[c], ri[c] = w2r * u - w2i * v, w2r * v + w2i * u
                    u, v = rest_r + turned_r, rest_i + turned_i
                    sr[c], si[c] = w3r * u - w3i * v, w3r * v + w3i * u
            n, stride = n // 4, 4 * stride
        else:
            for c in range(width):
                yr[c], yr[c + width] = xr[c] + xr[c + width], xr[c] - xr[c + width]
                yi[c], yi[c + width] = xi[c] + xi[c + width], xi[c] - xi[c + width]
            n, stride = n // 2, 2 * stride
        swapped = not swapped
    return swapped


@compiled
def _take_apart(re, im, twiddles, lanes, power, start, width):
    """Write the power of ``width`` frames from ``start`` on, from the transform Z of folded ones.

    With N its length, the spectrum of the real frame is X[k] = E[k] + w[k] O[k] and
    X[N - k] = conj(E[k] - w[k] O[k]), where E = (Z[k] + conj Z[N - k]) / 2,
    O = (Z[k] - conj Z[N - k]) / 2i, w[k] = exp(-i pi k / N).
    """
    n_half = len(twiddles)
    quarter = np.float32(0.25)
    lowest = power[0, start : start + width]
    highest = power[n_half, start : start + width]
    for t in range(width):
        lowest[t] = (re[t] + im[t]) ** 2
        highest[t] = (re[t] - im[t]) ** 2
    for k in range(1, n_half // 2 + 1):
        w = twiddles[k]
        i, j = k * lanes, (n_half - k) * lanes
        ar, ai = re[i : i + lanes], im[i : i + lanes]
        br, bi = re[j : j + lanes], im[j : j + lanes]
        low = power[k, start : start + width]
        high = power[n_half - k, start : start + width]
        turn_re, turn_im = w.real, w.imag
        for t in range(width):
            # Twice E, and twice w O.
            even_re = ar[t] + br[t]
            even_im = ai[t] - bi[t]
            odd_re = ai[t] + bi[t]
            odd_im = br[t] - ar[t]
            turned_re = turn_re * odd_re - turn_im * odd_im
            turned_im = turn_re * odd_im + turn_im * odd_re
            low[t] = quarter * ((even_re + turned_re) ** 2 + (even_im + turned_im) ** 2)
            high[t] = quarter * ((even_re - turned_re) ** 2 + (even_im - turned_im) ** 2)


@compiled
def sum_bands(power, first, offsets, weights, out):
    """Sum the power of bins to bands.

    Parameters
    ----------
    power : ndarray of shape (n_bins, n_frames), float32
        The power of the bins.
    first : ndarray of shape (n_bands,)
        First bin of each band.
    offsets : ndarray of shape (n_bands + 1,)
        Where the weights of each band start.
    weights : ndarray, float32
        The weights of all bands in a row.
    out : ndarray of shape (n_bands, n_frames), float32
        Receives the power.
    """
    n_frames = power.shape[1]
    for band in range(len(first)):
        shift = first[band] - offsets[band]
        for t in range(n_frames):
            out[band, t] = np.float32(0)
        for i in range(offsets[band], offsets[band + 1]):
            weight = weights[i]
            for t in range(n_frames):
                out[band, t] += weight * power[shift + i, t]
