"""The forward pass of musicnn in NumPy.

The network of Pons and Serra (2019): five branches of convolutions over a log-mel spectrogram,
three densely connected convolutions over time, pooling over time, and two dense layers.

The maximum over bands comes before ReLU and batch normalisation, which are monotone in each
channel: rising where the scale of the normalisation is positive, falling where it is negative.
There the kernel is negated, so that the maximum is that of the negated convolution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skgenre.embeddings._musicnn_weights import Tensors

Float = NDArray[np.float32]

N_FRAMES = 187  # of a patch: 3 s
N_BANDS = 96
_EPSILON = 0.001


class _Affine(NamedTuple):
    """A scale and an offset for each channel."""

    scale: Float
    offset: Float

    @classmethod
    def of(cls, tensors: Tensors, i: int) -> _Affine:
        """Return what batch normalisation number ``i`` does in prediction."""
        name = f"batch_normalization{f'_{i}' if i else ''}"
        beta, gamma, mean, variance = (
            tensors[f"{name}/{part}"].astype(np.float64)
            for part in ("beta", "gamma", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        return cls(scale.astype(np.float32), (beta - mean * scale).astype(np.float32))

    def __call__(self, x: Float) -> Float:
        return x * self.scale + self.offset


class _FrontEnd(NamedTuple):
    """A branch of the front end: convolution, maximum over bands, ReLU, normalisation."""

    kernel: Float  # (n_frames, n_bands, n_filters), negated where the scale is negative
    sign: Float
    bias: Float
    affine: _Affine

    @classmethod
    def of(cls, tensors: Tensors, i: int) -> _FrontEnd:
        name = f"conv2d{f'_{i}' if i else ''}"
        affine = _Affine.of(tensors, i + 1)
        sign = np.where(affine.scale < 0, np.float32(-1), np.float32(1))
        return cls(tensors[f"{name}/kernel"][:, :, 0] * sign, sign, tensors[f"{name}/bias"], affine)

    def finish(self, largest: Float) -> Float:
        """Turn maxima over bands (..., n_filters) into the output of the branch."""
        return self.affine(np.maximum(largest * self.sign + self.bias, 0))


class MusicnnNetwork:
    """The network with some weights; safe to share between threads.

    Parameters
    ----------
    tensors : dict of str to ndarray
        By the names in the checkpoint, with shapes that fit together.
    """

    def __init__(self, tensors: Tensors):
        self._input = _Affine.of(tensors, 0)
        self._timbral = [_FrontEnd.of(tensors, i) for i in (0, 1)]
        self._temporal = [_FrontEnd.of(tensors, i) for i in (2, 3, 4)]
        self._dense_layers = [
            (
                tensors[f"conv2d_{i}/kernel"][:, :, 0],
                tensors[f"conv2d_{i}/bias"],
                _Affine.of(tensors, i + 1),
            )
            for i in (5, 6, 7)
        ]
        self._pooled, self._penultimate = _Affine.of(tensors, 9), _Affine.of(tensors, 10)
        self._units = tensors["dense/kernel"], tensors["dense/bias"]
        self._tags = tensors["dense_1/kernel"], tensors["dense_1/bias"]

    def __call__(self, patches: Float) -> dict[str, Float]:
        """Run the network.

        Parameters
        ----------
        patches : ndarray of shape (n_patches, n_frames, 96), float32
            Log-mel spectrograms.

        Returns
        -------
        outputs : dict of str to ndarray of shape (n_patches, n_channels), float32
            "max" and "mean" over time of the three dense layers one after the other,
            "penultimate" layer and "logits".
        """
        x = self._input(patches)
        front = [branch.finish(_timbral(x, branch.kernel)) for branch in self._timbral]
        front += [branch.finish(_temporal(x, branch.kernel)) for branch in self._temporal]
        layers = [np.concatenate(front, axis=-1)]  # of shape (n_patches, n_frames, n_channels)
        for kernel, bias, affine in self._dense_layers:
            out = affine(np.maximum(_over_time(layers[-1], kernel) + bias, 0))
            layers.append(out + layers[-1] if len(layers) > 1 else out)
        joined = np.concatenate(layers, axis=-1)
        largest, mean = joined.max(axis=1), joined.mean(axis=1)
        pooled = np.stack([largest, mean], axis=-1).reshape(
            len(x), -1
        )  # in turn, as in the original
        pooled = self._pooled(pooled)
        units, tags = self._units, self._tags
        penultimate = self._penultimate(np.maximum(pooled @ units[0] + units[1], 0))
        n_front = layers[0].shape[-1]
        return {
            "mean": mean[:, n_front:],
            "max": largest[:, n_front:],
            "penultimate": penultimate,
            "logits": penultimate @ tags[0] + tags[1],
        }


def _timbral(x: Float, kernel: Float) -> Float:
    """Convolve over time and bands, and take the maximum over bands.

    The product for one position of the kernel in the bands is a product of matrices: the frames
    under the kernel lie beside each other, band by band, so that its columns are contiguous.

    Parameters
    ----------
    x : ndarray of shape (n_patches, n_frames, 96)
        Spectrograms.
    kernel : ndarray of shape (7, n_bands, n_filters)
        The kernel.

    Returns
    -------
    largest : ndarray of shape (n_patches, n_frames, n_filters)
        The maxima.
    """
    n_taps, n_bands, n_filters = kernel.shape
    weights = np.ascontiguousarray(kernel.transpose(1, 0, 2)).reshape(-1, n_filters)
    padded = np.pad(x, ((0, 0), (n_taps // 2, n_taps // 2), (0, 0)))
    out = np.empty((*x.shape[:2], n_filters), dtype=np.float32)
    for patch, largest in zip(padded, out, strict=True):
        # (n_frames, 96 * 7)
        frames = np.ascontiguousarray(sliding_window_view(patch, n_taps, axis=0))
        frames = frames.reshape(len(frames), -1)
        np.matmul(frames[:, : len(weights)], weights, out=largest)
        product = np.empty_like(largest)
        for band in range(1, x.shape[2] - n_bands + 1):
            start = band * n_taps
            np.matmul(frames[:, start : start + len(weights)], weights, out=product)
            np.maximum(largest, product, out=largest)
    return out


def _temporal(x: Float, kernel: Float) -> Float:
    """Convolve each band over time, and take the maximum over bands.

    Parameters
    ----------
    x : ndarray of shape (n_patches, n_frames, 96)
        Spectrograms.
    kernel : ndarray of shape (n_taps, 1, n_filters)
        The kernel.

    Returns
    -------
    largest : ndarray of shape (n_patches, n_frames, n_filters)
        The maxima.
    """
    n_taps = len(kernel)
    weights = np.ascontiguousarray(kernel[:, 0].T)  # (n_filters, n_taps)
    left = (n_taps - 1) // 2  # as TensorFlow pads
    padded = np.pad(x, ((0, 0), (left, n_taps - 1 - left), (0, 0)))
    windows = sliding_window_view(padded, n_taps, axis=1)  # (n_patches, n_frames, 96, n_taps)
    return np.stack(
        [np.matmul(weights, patch.transpose(0, 2, 1)).max(axis=-1) for patch in windows]
    )


def _over_time(x: Float, kernel: Float) -> Float:
    """Convolve all channels over time, with zeros around the patch.

    Parameters
    ----------
    x : ndarray of shape (n_patches, n_frames, n_channels)
        The input.
    kernel : ndarray of shape (7, n_channels, n_filters)
        The kernel.

    Returns
    -------
    out : ndarray of shape (n_patches, n_frames, n_filters)
        The sums.
    """
    n_taps, n_channels, n_filters = kernel.shape
    weights = np.ascontiguousarray(kernel.transpose(1, 0, 2)).reshape(n_channels, -1)
    half = n_taps // 2
    n_frames = x.shape[1]
    products = (x.reshape(-1, n_channels) @ weights).reshape(len(x), n_frames, n_taps, n_filters)
    products = np.pad(products, ((0, 0), (half, half), (0, 0), (0, 0)))
    return sum(products[:, tap : tap + n_frames, tap] for tap in range(n_taps))
