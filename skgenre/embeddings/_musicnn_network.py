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
from numpy.typing import NDArray

from skgenre.embeddings._fast_convolution import BandConvolution, FrameConvolution
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
    """Branches of the front end: convolution, maximum over bands, ReLU, normalisation."""

    convolution: BandConvolution | FrameConvolution
    sign: Float  # -1 where the kernel is negated
    bias: Float
    affine: _Affine

    @classmethod
    def of(cls, tensors: Tensors, *numbers: int) -> _FrontEnd:
        """Return branches that share a convolution."""
        names = [f"conv2d{f'_{i}' if i else ''}" for i in numbers]
        affine = _Affine(
            *map(np.concatenate, zip(*(_Affine.of(tensors, i + 1) for i in numbers), strict=True))
        )
        sign = np.where(affine.scale < 0, np.float32(-1), np.float32(1))
        kernels, done = [], 0
        for name in names:
            kernel = tensors[f"{name}/kernel"][:, :, 0]  # (n_frames, n_bands, n_filters)
            kernels.append(kernel * sign[done : done + kernel.shape[-1]])
            done += kernel.shape[-1]
        tall = kernels[0].shape[1] > 1
        convolution = BandConvolution(kernels[0]) if tall else FrameConvolution(kernels)
        bias = np.concatenate([tensors[f"{name}/bias"] for name in names])
        return cls(convolution, sign, bias, affine)

    def __call__(self, x: Float) -> Float:
        return self.affine(np.maximum(self.convolution(x) * self.sign + self.bias, 0))


class MusicnnNetwork:
    """The network with some weights; safe to share between threads.

    Parameters
    ----------
    tensors : dict of str to ndarray
        By the names in the checkpoint, with shapes that fit together.
    """

    def __init__(self, tensors: Tensors):
        self._input = _Affine.of(tensors, 0)
        self._front = [_FrontEnd.of(tensors, *numbers) for numbers in ((0,), (1,), (2, 3, 4))]
        self._dense_layers = [
            (
                BandConvolution(tensors[f"conv2d_{i}/kernel"][:, :, 0]),
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
        layers = [np.concatenate([branch(x) for branch in self._front], axis=-1)]
        # of shape (n_patches, n_frames, n_channels)
        for convolution, bias, affine in self._dense_layers:
            out = affine(np.maximum(convolution(layers[-1]) + bias, 0))
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
