"""The convolutional network over crops of a log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    penalty,
    per_block,
    softmax,
)
from skgenre.utils._tf import import_keras


def build_log_mel_cnn(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (24, 48, 96, 128),
    kernel_sizes: Sequence[Size] | Size = (5, 3, 3, 3),
    strides: Sequence[Size] | Size = (2, 1, 1, 1),
    pool_sizes: Sequence[Size] | Size = (2, 2, (1, 2), 1),
    batch_norm_momentum: float = 0.9,
    activation: Activation = "relu",
    negative_slope: float = 0.05,
    dropout: float = 0.5,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build convolution blocks, the mean and the maximum over time, softmax.

    A block is a padded convolution, batch normalisation, the activation and max pooling.
    What is left is averaged over the bands; of each filter the mean and the maximum over
    time remain, so that the network is blind to where in a crop something sounds.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_mels)
        Shape of one crop.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(24, 48, 96, 128)
        Filters of each convolution.
    kernel_sizes : int or sequence of int or of (int, int), default=(5, 3, 3, 3)
        Kernel of each convolution, over (frames, bands).
    strides : int or sequence of int or of (int, int), default=(2, 1, 1, 1)
        Strides of each convolution.
    pool_sizes : int or sequence of int or of (int, int), default=(2, 2, (1, 2), 1)
        Window and strides of each pooling.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction.
    activation : str or callable, default="relu"
        Activation of the convolutions: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float, default=0.5
        Share of the means and maxima that are left out in training.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the weights of the convolutions.
    seed : int, default=0
        Seed of the initial weights, of dropout and of the noise.

    Returns
    -------
    model : keras.Model
        Not compiled; input (n, n_frames, n_mels), output (n, n_classes).

    Raises
    ------
    ValueError
        If the sequences differ in length.

    Examples
    --------
    >>> from skgenre.networks import build_log_mel_cnn
    >>> build_log_mel_cnn((128, 64), 10).count_params()
    166786
    """
    keras = import_keras()
    layers = keras.layers

    filters = check_sizes("filters", filters)
    kernels = per_block("kernel_sizes", kernel_sizes, len(filters))
    steps = per_block("strides", strides, len(filters))
    pools = per_block("pool_sizes", pool_sizes, len(filters))
    seeds = layer_seeds(seed)
    blocks = [
        *input_layers(input_shape, input_noise, seeds),
        layers.Reshape((*input_shape, 1), **FLOAT32),
    ]
    for n_filters, kernel, step, pool in zip(filters, kernels, steps, pools, strict=True):
        blocks += [
            layers.Conv2D(
                n_filters,
                tuple(kernel.tolist()),
                strides=tuple(step.tolist()),
                padding="same",
                use_bias=False,  # batch normalisation would take it away
                kernel_initializer=glorot(seeds),
                kernel_regularizer=penalty(l1, l2),
                **CHANNELS_LAST,
            ),
            layers.BatchNormalization(momentum=batch_norm_momentum, **FLOAT32),
            activate(activation, negative_slope),
        ]
        if (pool > 1).any():
            blocks.append(
                layers.MaxPooling2D(tuple(pool.tolist()), padding="same", **CHANNELS_LAST)
            )
    body = keras.Sequential(blocks)
    maps = keras.ops.mean(body.outputs[0], axis=2)  # (n, time, filters)
    summary = layers.Concatenate(**FLOAT32)(
        [
            layers.GlobalAveragePooling1D(**CHANNELS_LAST)(maps),
            layers.GlobalMaxPooling1D(**CHANNELS_LAST)(maps),
        ]
    )
    for layer in dropout_layers(dropout, seeds):
        summary = layer(summary)
    return keras.Model(body.inputs[0], softmax(n_classes, seeds)(summary))
