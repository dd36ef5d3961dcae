"""Convolutions over time with a third of the multiplications, by the algorithm of Toom and Cook.

Four neighbouring outputs of a kernel of seven taps take 28 products of input and tap. The outputs
follow from the values of two polynomials at ten points, which take ten products; combinations of
the inputs before, of the taps once, and of the products after, are cheap where each product is one
of matrices. The more outputs at once, the fewer products, but the larger the rounding errors: with
these points they are three times those of plain sums.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Float = NDArray[np.float32]

_POINTS = (0, 3 / 4, -3 / 4, 5 / 4, -5 / 4, 3 / 8, -3 / 8, 5 / 2, -5 / 2)  # and infinity, the last
_BLOCK = 32  # frames that a kernel over time is divided into


class Scheme(NamedTuple):
    """The combinations of one size of convolution.

    ``outputs @ ((taps @ kernel) * (inputs @ x))`` are neighbouring sums of a kernel over x.

    Parameters
    ----------
    inputs : ndarray of shape (n_points, n_outputs + n_taps - 1), float32
        Combinations of the inputs.
    taps : ndarray of shape (n_points, n_taps), float64
        Combinations of the kernel's taps.
    outputs : ndarray of shape (n_outputs, n_points), float32
        Combinations of the products.
    """

    inputs: Float
    taps: NDArray[np.float64]
    outputs: Float


@lru_cache(maxsize=8)
def make_scheme(n_taps: int, n_outputs: int) -> Scheme:
    """Return the combinations for kernels of ``n_taps``: at most 11 less ``n_outputs``."""
    n_points = n_outputs + n_taps - 1
    points = np.array(_POINTS[: n_points - 1])

    def powers(n: int) -> NDArray[np.float64]:
        """Return the values of 1, x, ... at the points; at infinity the last one counts."""
        return np.vstack([points[:, np.newaxis] ** np.arange(n), np.eye(n)[-1:]])

    inputs = np.linalg.inv(powers(n_points)).T
    scale = np.abs(inputs).max(axis=1, keepdims=True)  # for numbers of similar size
    return Scheme(
        (inputs / scale).astype(np.float32),
        powers(n_taps) * scale,
        powers(n_outputs).T.astype(np.float32),
    )


class BandConvolution:
    """Convolution over a few frames and over bands, with the maximum over positions in the bands.

    Parameters
    ----------
    kernel : ndarray of shape (n_taps, n_kernel_bands, n_filters)
        The kernel. It is centred on each frame, with zeros around the patch, and takes all
        positions in which it lies within the bands.
    """

    def __init__(self, kernel: Float):
        self._scheme = make_scheme(len(kernel), 4)
        self._half = len(kernel) // 2
        # (n_points, n_kernel_bands, n_filters)
        self._kernel = np.tensordot(self._scheme.taps, kernel, axes=1).astype(np.float32)

    def __call__(self, x: Float) -> Float:
        """Convolve patches of shape (n_patches, n_frames, n_bands).

        Returns
        -------
        largest : ndarray of shape (n_patches, n_frames, n_filters)
            The maxima.
        """
        return np.stack([self._of_patch(patch) for patch in x])

    def _of_patch(self, x: Float) -> Float:
        # One patch at a time, whose products stay in the processor's cache.
        n_frames, n_bands = x.shape
        n_points, width, n_filters = self._kernel.shape
        n_outputs, n_inputs = self._scheme.outputs.shape[0], self._scheme.inputs.shape[1]
        n_tiles = -(-n_frames // n_outputs)
        after = n_outputs * n_tiles + n_inputs - n_outputs - self._half - n_frames
        padded = np.pad(x, ((self._half, after), (0, 0)))
        tiles = sliding_window_view(padded, n_inputs, axis=0)[::n_outputs].transpose(0, 2, 1)
        points = np.matmul(self._scheme.inputs, tiles).transpose(1, 0, 2)
        # (n_points, n_tiles, n_bands)
        products = np.empty((n_points, n_tiles, n_filters), dtype=np.float32)
        sums = np.empty((n_outputs, n_tiles * n_filters), dtype=np.float32)
        largest = np.full_like(sums, -np.inf)
        for band in range(n_bands - width + 1):
            np.matmul(points[:, :, band : band + width], self._kernel, out=products)
            np.matmul(self._scheme.outputs, products.reshape(n_points, -1), out=sums)
            np.maximum(largest, sums, out=largest)
        in_order = largest.reshape(n_outputs, n_tiles, n_filters).transpose(1, 0, 2)
        return in_order.reshape(-1, n_filters)[:n_frames]


class FrameConvolution:
    """Convolutions of each band over many frames, with the maximum over bands.

    The taps are divided into blocks, over which the algorithm runs. Kernels of several lengths
    share the products: the shorter ones are surrounded by zeros.

    Parameters
    ----------
    kernels : list of ndarray of shape (n_taps, 1, n_filters)
        Kernels, centred as TensorFlow does. The longest has a whole number of blocks of 32 taps.
    """

    def __init__(self, kernels: list[Float]):
        n_taps = max(map(len, kernels))
        self._before = (n_taps - 1) // 2
        padded = []
        for kernel in kernels:
            start = self._before - (len(kernel) - 1) // 2
            after = n_taps - start - len(kernel)
            padded.append(np.pad(kernel[:, 0], ((start, after), (0, 0))))
        joined = np.concatenate(padded, axis=1)  # (n_taps, n_filters)
        self._scheme = make_scheme(n_taps // _BLOCK, 6)
        blocks = joined.reshape(n_taps // _BLOCK, _BLOCK, -1)
        # (n_points, 32, n_filters)
        self._kernel = np.tensordot(self._scheme.taps, blocks, axes=1).astype(np.float32)

    def __call__(self, x: Float) -> Float:
        """Convolve patches of shape (n_patches, n_frames, n_bands).

        Returns
        -------
        largest : ndarray of shape (n_patches, n_frames, n_filters)
            The maxima, for the filters of all kernels one after the other.
        """
        n_outputs, n_inputs = self._scheme.outputs.shape[0], self._scheme.inputs.shape[1]
        n_frames, step = x.shape[1], n_outputs * _BLOCK
        after = -n_frames % step + n_inputs * _BLOCK - step + _BLOCK - 1 - self._before
        padded = np.pad(x, ((0, 0), (self._before, after), (0, 0)))
        parts = [
            [
                self._of_part(patch[start : start + (n_inputs + 1) * _BLOCK - 1])
                for start in range(0, n_frames, step)
            ]
            for patch in padded
        ]
        largest = np.array(parts)  # (n_patches, n_parts, n_outputs, 32, n_filters)
        return largest.reshape(len(x), -1, largest.shape[-1])[:, :n_frames]

    def _of_part(self, x: Float) -> Float:
        """Convolve as many frames as one run of the algorithm takes: (n_outputs, 32, n_filters)."""
        n_bands = x.shape[1]
        n_points, _, n_filters = self._kernel.shape
        n_outputs, n_inputs = self._scheme.outputs.shape[0], self._scheme.inputs.shape[1]
        blocks = sliding_window_view(x, 2 * _BLOCK - 1, axis=0)[::_BLOCK]
        points = (self._scheme.inputs @ blocks.reshape(n_inputs, -1)).reshape(n_points, n_bands, -1)
        products = np.empty((n_points, n_bands, n_filters), dtype=np.float32)
        sums = np.empty((n_outputs, n_bands * n_filters), dtype=np.float32)
        out = np.empty((n_outputs, _BLOCK, n_filters), dtype=np.float32)
        for i in range(_BLOCK):
            np.matmul(points[:, :, i : i + _BLOCK], self._kernel, out=products)
            np.matmul(self._scheme.outputs, products.reshape(n_points, -1), out=sums)
            sums.reshape(n_outputs, n_bands, n_filters).max(axis=1, out=out[:, i])
        return out
