"""The convolutional recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skgenre.networks._layers import (
    CHANNELS_LAST,
    FLOAT32,
    Activation,
    Size,
    activate,
    check_sizes,
    dropout_layers,
    glorot,
    input_layers,
    layer_seeds,
    orthogonal,
    penalty,
    per_block,
    softmax,
)
from skgenre.utils._tf import import_keras


def build_crnn(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (63, 122, 128, 128),
    kernel_sizes: Sequence[Size] | Size = 3,
    pool_sizes: Sequence[Size] | Size = (2, 3, 4, 4),
    batch_norm: bool = True,
    batch_norm_momentum: float = 0.9,
    conv_dropout: float = 0.0,
    gru_units: Sequence[int] = (32, 32),
    activation: Activation = "leaky_relu",
    negative_slope: float = 0.05,
    dropout: float = 0.3,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build the CRNN: convolution blocks down to few steps in time, GRU layers, softmax.

    A block is a padded convolution, batch normalisation, the activation, max pooling and
    dropout. What the blocks leave of the frequencies is joined to one vector a step, and
    the GRU layers read the steps in order.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_features)
        Shape of one segment: 1400 frames of 96 mel bands in [1]_.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(63, 122, 128, 128)
        Filters of each convolution.
    kernel_sizes : int or sequence of int or of (int, int), default=3
        Kernel of each convolution, over (frames, features).
    pool_sizes : int or sequence of int or of (int, int), default=(2, 3, 4, 4)
        Pooling window and strides of each block. A window that is longer than what is
        left of an axis shrinks to that.
    batch_norm : bool, default=True
        Whether the blocks normalise.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction.
    conv_dropout : float, default=0.0
        Share of values left out after each block.
    gru_units : sequence of int, default=(32, 32)
        Width of each GRU layer.
    activation : str or callable, default="leaky_relu"
        Activation of the convolutions: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float, default=0.3
        Share of values left out after the last GRU layer.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the weights of convolutions and on the input weights of GRU layers.
    seed : int, default=0
        Seed of the initial weights, of dropout and of the noise.

    Returns
    -------
    model : keras.Model
        Not compiled; input (n, n_frames, n_features), output (n, n_classes).

    Raises
    ------
    ValueError
        If the sequences differ in length, or if ``gru_units`` is empty.

    Notes
    -----
    [1]_ pools 1400 frames by 2 x 2 and arrives at 720, not 700; the steps that follow, 240,
    60 and 15, belong to 1440 = 15 * 2 * 3 * 4 * 4 frames. Both agree if zeros are added on
    both sides up to the next multiple of all poolings, as [2]_ does with its 1366 frames;
    so it is done here, on both axes. The maps are then 720 x 48, 240 x 16, 60 x 4 and
    15 x 1. The poolings of the last two blocks follow from these sizes. "8x16x240" in [1]_
    has lost two digits of its filters: they are taken for those of the layer, 122. [1]_
    gives the GRU layers no width; here it is 32, as in [2]_.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning", section IV.
    .. [2] K. Choi, G. Fazekas, M. Sandler and K. Cho, "Convolutional recurrent neural
       networks for music classification", ICASSP 2017.

    Examples
    --------
    >>> from skgenre.networks import build_crnn
    >>> model = build_crnn((1400, 96), 10)
    >>> [layer.output.shape[1:] for layer in model.layers if "pool" in layer.name]
    [(720, 48, 63), (240, 16, 122), (60, 4, 128), (15, 1, 128)]
    """
    keras = import_keras()
    layers = keras.layers

    filters = check_sizes("filters", filters)
    kernels = per_block("kernel_sizes", kernel_sizes, len(filters))
    pools, padded = _fit_pools(per_block("pool_sizes", pool_sizes, len(filters)), input_shape)
    gru_units = check_sizes("gru_units", gru_units)
    if not gru_units:
        raise ValueError("gru_units is empty; a CRNN has at least one GRU layer.")
    seeds = layer_seeds(seed)
    blocks = [
        *input_layers(input_shape, input_noise, seeds),
        layers.Reshape((*input_shape, 1), **FLOAT32),
    ]
    missing = padded - np.array(input_shape)
    if missing.any():
        before = missing // 2
        pads = zip(before.tolist(), (missing - before).tolist(), strict=True)
        blocks.append(layers.ZeroPadding2D(tuple(pads), **CHANNELS_LAST))
    size = padded
    for n_filters, kernel, pool in zip(filters, kernels, pools, strict=True):
        blocks.append(
            layers.Conv2D(
                n_filters,
                tuple(kernel.tolist()),
                padding="same",
                kernel_initializer=glorot(seeds),
                kernel_regularizer=penalty(l1, l2),
                **CHANNELS_LAST,
            )
        )
        if batch_norm:
            blocks.append(layers.BatchNormalization(momentum=batch_norm_momentum, **FLOAT32))
        blocks.append(activate(activation, negative_slope))
        if (pool > 1).any():
            blocks.append(layers.MaxPooling2D(tuple(pool.tolist()), **CHANNELS_LAST))
        blocks += dropout_layers(conv_dropout, seeds)
        size = size // pool
    n_steps, n_bands = size.tolist()
    # (steps, bands, filters) to (steps, bands * filters)
    blocks.append(layers.Reshape((n_steps, n_bands * filters[-1]), **FLOAT32))
    for position, n_units in enumerate(gru_units):
        blocks.append(
            layers.GRU(
                n_units,
                return_sequences=position < len(gru_units) - 1,
                kernel_initializer=glorot(seeds),
                recurrent_initializer=orthogonal(seeds),
                kernel_regularizer=penalty(l1, l2),
                seed=next(seeds),
                **FLOAT32,
            )
        )
    blocks += dropout_layers(dropout, seeds)
    return keras.Sequential([*blocks, softmax(n_classes, seeds)])


def _fit_pools(
    pools: list[np.ndarray], input_shape: tuple[int, int]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Shrink the windows to a small input; return them and the size they divide evenly."""
    size = np.array(input_shape)
    fitted = []
    for pool in pools:
        pool = np.minimum(pool, size)
        size = -(-size // pool)
        fitted.append(pool)
    return fitted, size * np.prod(fitted, axis=0, dtype=int)
