"""The convolutional network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skgenre.networks._layers import (
    CHANNELS_LAST,
    FLOAT32,
    Activation,
    Rate,
    Size,
    activate,
    check_sizes,
    dense_layers,
    glorot,
    input_layers,
    layer_seeds,
    penalty,
    per_block,
    softmax,
)
from skgenre.utils._tf import import_keras


def build_cnn(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 32, 32),
    kernel_sizes: Sequence[Size] = (3, 3, 2),
    pool_sizes: Sequence[Size] = (3, 3, 2),
    pool_strides: Sequence[Size] | Size = 2,
    batch_norm: bool = True,
    batch_norm_momentum: float = 0.9,
    units: Sequence[int] = (64,),
    activation: Activation = "leaky_relu",
    negative_slope: float = 0.05,
    dropout: Rate = 0.3,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build the CNN: convolution blocks over time and coefficients, dense layers, softmax.

    A block is a convolution, the activation, max pooling with "same" padding, and batch
    normalisation. The papers pad no convolution; here an axis that has become shorter
    than the kernel is padded, so that short segments and few coefficients pass too.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_features)
        Shape of one segment.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(32, 32, 32)
        Filters of each convolution.
    kernel_sizes : sequence of int or of (int, int), default=(3, 3, 2)
        Kernel of each convolution, over (frames, features).
    pool_sizes : sequence of int or of (int, int), default=(3, 3, 2)
        Pooling window of each block; 1 leaves pooling out.
    pool_strides : int, (int, int) or a sequence of them, default=2
        Strides of the pooling; one value serves all blocks. [1]_ uses 2, [2]_ 3.
    batch_norm : bool, default=True
        Whether batch normalisation ends each block.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction. Keras' own
        default, 0.99, needs several hundred steps before they hold; on few tracks a
        trained network would predict by nearly untrained averages.
    units : sequence of int, default=(64,)
        Width of each dense layer before the softmax.
    activation : str or callable, default="leaky_relu"
        Activation of convolutions and dense layers: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float or sequence of float, default=0.3
        Share of units left out after each dense layer; a sequence has one for each.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the weights of convolutions and dense layers.
    seed : int, default=0
        Seed of the initial weights, of dropout and of the noise.

    Returns
    -------
    model : keras.Model
        Not compiled; input (n, n_frames, n_features), output (n, n_classes).

    Raises
    ------
    ValueError
        If the sequences differ in length.

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.
    .. [2] S. Jain et al., "Music Information Retrieval and Classification using Deep
       Learning", 2021.

    Examples
    --------
    >>> from skgenre.networks import build_cnn
    >>> build_cnn((130, 13), 10).layers[-1].units
    10
    """
    keras = import_keras()
    layers = keras.layers

    filters = check_sizes("filters", filters)
    n_blocks = len(filters)
    kernels = per_block("kernel_sizes", kernel_sizes, n_blocks)
    pools = per_block("pool_sizes", pool_sizes, n_blocks)
    strides = per_block("pool_strides", pool_strides, n_blocks)
    seeds = layer_seeds(seed)
    n_frames, n_features = input_shape
    blocks = [
        *input_layers(input_shape, input_noise, seeds),
        layers.Reshape((n_frames, n_features, 1), **FLOAT32),
    ]
    size = np.array(input_shape)
    for n_filters, kernel, pool, stride in zip(filters, kernels, pools, strides, strict=True):
        missing = np.maximum(kernel - size, 0)
        if missing.any():
            before = missing // 2
            pads = tuple(zip(before.tolist(), (missing - before).tolist(), strict=True))
            blocks.append(layers.ZeroPadding2D(pads, **CHANNELS_LAST))
        blocks.append(
            layers.Conv2D(
                n_filters,
                tuple(kernel.tolist()),
                kernel_initializer=glorot(seeds),
                kernel_regularizer=penalty(l1, l2),
                **CHANNELS_LAST,
            )
        )
        blocks.append(activate(activation, negative_slope))
        size = size + missing - kernel + 1
        if (pool > 1).any():
            blocks.append(
                layers.MaxPooling2D(tuple(pool), tuple(stride), padding="same", **CHANNELS_LAST)
            )
            size = -(-size // stride)
        if batch_norm:
            blocks.append(layers.BatchNormalization(momentum=batch_norm_momentum, **FLOAT32))
    blocks.append(layers.Flatten(**CHANNELS_LAST))
    blocks += dense_layers(units, activation, negative_slope, dropout, l1, l2, seeds)
    return keras.Sequential([*blocks, softmax(n_classes, seeds)])
