"""The recurrent convolutional network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skgenre.networks._layers import (
    CHANNELS_LAST,
    FLOAT32,
    Activation,
    activate,
    check_sizes,
    dropout_layers,
    glorot,
    input_layers,
    layer_seeds,
    penalty,
    softmax,
)
from skgenre.utils._tf import import_keras

# Of Liang & Hu (2015), who follow Krizhevsky et al. (2012).
_LRN_ALPHA, _LRN_BETA = 0.001, 0.75


def build_rcnn(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 32),
    kernel_size: int = 5,
    recurrent_filters: Sequence[int] = (32, 32, 32),
    recurrent_kernel_size: int = 3,
    n_steps: int = 3,
    norm: str | None = "batch",
    batch_norm_momentum: float = 0.9,
    pool_size: int = 2,
    activation: Activation = "relu",
    negative_slope: float = 0.05,
    dropout: float = 0.3,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build the RCNN: convolutions, then recurrent convolution layers, pooled over the whole.

    A recurrent convolution layer after [2]_ has a state for each filter and position. The
    convolution of the layer's input is computed once; the state then goes through
    ``n_steps`` rounds, each adding a convolution of the state itself, always with the same
    weights. Its last state is pooled and handed on. After the last layer each filter's
    largest value goes to the softmax.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_features)
        Shape of one segment.
    n_classes : int
        Number of genres.
    filters : sequence of int, default=(32, 32)
        Filters of each plain convolution; may be empty.
    kernel_size : int, default=5
        Kernel of the plain convolutions.
    recurrent_filters : sequence of int, default=(32, 32, 32)
        Filters of each recurrent convolution layer.
    recurrent_kernel_size : int, default=3
        Kernel of the recurrent layers, for the input and for the state.
    n_steps : int, default=3
        Rounds of the state.
    norm : {"batch", "local_response"} or None, default="batch"
        What follows each activation. "batch" has averages and scales of its own for each
        round; "local_response" divides by the neighbouring filters and learns nothing.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction.
    pool_size : int, default=2
        Window and strides of the max pooling after each layer but the last.
    activation : str or callable, default="relu"
        Activation of all convolutions: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float, default=0.3
        Share of values left out after each recurrent convolution layer but the last.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the weights of all convolutions.
    seed : int, default=0
        Seed of the initial weights, of dropout and of the noise.

    Returns
    -------
    model : keras.Model
        Not compiled; input (n, n_frames, n_features), output (n, n_classes).

    Raises
    ------
    ValueError
        If there is no recurrent layer, or if ``norm`` is unknown.

    Notes
    -----
    With input u, feed-forward weights W, recurrent weights R, activation f and norm g, a
    recurrent layer computes

        x(0) = g(f(W * u + b)),    x(t) = g(f(W * u + R * x(t - 1) + b)),    t = 1 .. n_steps.

    "local_response" is that of [2]_: a value a of one of K filters becomes
    a / (1 + alpha / N * S) ** beta, with N = K // 8 + 1, S the sum of squares at that position
    over the filters at most N // 2 away, alpha = 0.001 and beta = 0.75.

    The state changes its distribution from round to round (the first has no recurrent
    part), so statistics that all rounds share would fit none of them: "batch" keeps one
    batch normalisation a round.

    [1]_ draws 2 convolution and 3 recurrent layers but names neither filters, pooling nor
    rounds. Three rounds, one width for all layers and the dropout are those of [2]_; the
    width of 32 is chosen here.

    References
    ----------
    .. [1] K. Bai and H. Wang, "Music Classification with Neural Network", figure 2.
    .. [2] M. Liang and X. Hu, "Recurrent convolutional neural network for object
       recognition", CVPR 2015.

    Examples
    --------
    >>> from skgenre.networks import build_rcnn
    >>> build_rcnn((166, 33), 10).count_params()
    83978
    """
    keras = import_keras()
    layers = keras.layers

    filters = check_sizes("filters", filters)
    recurrent_filters = check_sizes("recurrent_filters", recurrent_filters)
    if not recurrent_filters:
        raise ValueError(
            "recurrent_filters is empty; an RCNN has at least one recurrent convolution layer."
        )
    if norm not in ("batch", "local_response", None):
        raise ValueError(f"norm={norm!r} is none of 'batch', 'local_response' and None.")
    seeds = layer_seeds(seed)

    def convolve(n_filters: int, kernel_size: int, use_bias: bool) -> Any:
        return layers.Conv2D(
            n_filters,
            int(kernel_size),
            padding="same",
            use_bias=use_bias,
            kernel_initializer=glorot(seeds),
            kernel_regularizer=penalty(l1, l2),
            **CHANNELS_LAST,
        )

    def respond(x: Any) -> Any:
        x = activate(activation, negative_slope)(x)
        if norm == "batch":
            return layers.BatchNormalization(momentum=batch_norm_momentum, **FLOAT32)(x)
        return x if norm is None else _normalise_locally(x)

    first, *rest = input_layers(input_shape, input_noise, seeds)
    x = first
    for layer in [*rest, layers.Reshape((*input_shape, 1), **FLOAT32)]:
        x = layer(x)
    for n_filters in filters:
        x = respond(convolve(n_filters, kernel_size, True)(x))
        x = _pool(x, pool_size)
    for position, n_filters in enumerate(recurrent_filters):
        if position > 0:
            x = _pool(x, pool_size)
            for layer in dropout_layers(dropout, seeds):
                x = layer(x)
        forward = convolve(n_filters, recurrent_kernel_size, True)(x)
        recur = convolve(n_filters, recurrent_kernel_size, False)
        x = respond(forward)
        for _ in range(n_steps):
            x = respond(layers.Add(**FLOAT32)([forward, recur(x)]))
    x = layers.GlobalMaxPooling2D(**CHANNELS_LAST)(x)
    return keras.Model(first, softmax(n_classes, seeds)(x))


def _pool(x: Any, pool_size: int) -> Any:
    import keras

    return (
        keras.layers.MaxPooling2D(int(pool_size), padding="same", **CHANNELS_LAST)(x)
        if pool_size > 1
        else x
    )


def _normalise_locally(x: Any) -> Any:
    """Divide each value by the strength of the neighbouring filters at its position."""
    from keras import ops

    n_filters = x.shape[-1]
    n_neighbours = n_filters // 8 + 1
    place = np.arange(n_filters)
    # A 1 where two filters are neighbours: the sum over neighbours is one product.
    near = np.abs(place[:, np.newaxis] - place) <= n_neighbours // 2
    strength = ops.matmul(ops.square(x), near.astype(np.float32))
    return x / (1.0 + _LRN_ALPHA / n_neighbours * strength) ** _LRN_BETA
