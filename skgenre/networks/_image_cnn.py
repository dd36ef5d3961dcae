"""The convolutional network over images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skgenre.networks._layers import (
    CHANNELS_LAST,
    Activation,
    Rate,
    Size,
    activate,
    check_sizes,
    dense_layers,
    dropout_layers,
    glorot,
    input_layers,
    layer_seeds,
    penalty,
    per_block,
    softmax,
)
from skgenre.utils._tf import import_keras


def build_image_cnn(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 32, 64),
    kernel_sizes: Sequence[Size] | Size = 3,
    pool_sizes: Sequence[Size] | Size = 2,
    conv_dropout: float = 0.3,
    units: Sequence[int] = (128,),
    activation: Activation = "relu",
    negative_slope: float = 0.05,
    dropout: Rate = 0.0,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build the CNN over images: padded convolutions with pooling, dense layers, softmax.

    A block is a convolution with "same" padding, the activation, and max pooling whose
    strides are its window. One dropout stands between the last block and the dense
    layers, where [1]_ has it.

    Parameters
    ----------
    input_shape : tuple of (height, width, channels)
        Shape of one image.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(32, 32, 64)
        Filters of each convolution.
    kernel_sizes : int or sequence of int or of (int, int), default=3
        Kernel of each convolution, over (height, width).
    pool_sizes : int or sequence of int or of (int, int), default=2
        Pooling window and strides of each block; an odd rest is padded.
    conv_dropout : float, default=0.3
        Share of values left out between the last block and the dense layers; [1]_ names
        no rate.
    units : sequence of int, default=(128,)
        Width of each dense layer before the softmax.
    activation : str or callable, default="relu"
        Activation of convolutions and dense layers: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float or sequence of float, default=0.0
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
        Not compiled; input (n, height, width, channels), output (n, n_classes).

    Raises
    ------
    ValueError
        If the sequences differ in length.

    Notes
    -----
    On images of 256 x 256 x 3 and with 10 genres it has the 8 418 666 parameters of [1]_:
    the convolutions (3 * 3 * 3 + 1) * 32 = 896, (3 * 3 * 32 + 1) * 32 = 9 248 and
    (3 * 3 * 32 + 1) * 64 = 18 496; the dense layer behind the 32 x 32 x 64 values that three
    poolings leave, (65 536 + 1) * 128 = 8 388 736; and the last, (128 + 1) * 10 = 1 290.

    References
    ----------
    .. [1] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021, figure 10.

    Examples
    --------
    >>> from skgenre.networks import build_image_cnn
    >>> build_image_cnn((256, 256, 3), 10).count_params()
    8418666
    """
    keras = import_keras()
    layers = keras.layers

    filters = check_sizes("filters", filters)
    kernels = per_block("kernel_sizes", kernel_sizes, len(filters))
    pools = per_block("pool_sizes", pool_sizes, len(filters))
    seeds = layer_seeds(seed)
    blocks = input_layers(input_shape, input_noise, seeds)
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
        blocks.append(activate(activation, negative_slope))
        if (pool > 1).any():
            blocks.append(
                layers.MaxPooling2D(tuple(pool.tolist()), padding="same", **CHANNELS_LAST)
            )
    blocks += [*dropout_layers(conv_dropout, seeds), layers.Flatten(**CHANNELS_LAST)]
    blocks += dense_layers(units, activation, negative_slope, dropout, l1, l2, seeds)
    return keras.Sequential([*blocks, softmax(n_classes, seeds)])
