"""The multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skgenre.networks._layers import (
    CHANNELS_LAST,
    Activation,
    Rate,
    dense_layers,
    input_layers,
    layer_seeds,
    softmax,
)
from skgenre.utils._tf import import_keras


def build_mlp(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    units: Sequence[int] = (512, 256, 128),
    activation: Activation = "leaky_relu",
    negative_slope: float = 0.05,
    dropout: Rate = 0.3,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build the multilayer perceptron: flatten, dense layers with dropout, softmax.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_features)
        Shape of one segment.
    n_classes : int
        Number of genres.
    units : sequence of int, default=(512, 256, 128)
        Width of each hidden layer; [1]_ and [2]_ use 512, 256 and 128.
    activation : str or callable, default="leaky_relu"
        Activation of the hidden layers: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero; [1]_ uses 0.05.
    dropout : float or sequence of float, default=0.3
        Share of units left out after each hidden layer; a sequence has one for each.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the weights of the hidden layers.
    seed : int, default=0
        Seed of the initial weights, of dropout and of the noise.

    Returns
    -------
    model : keras.Model
        Not compiled; input (n, n_frames, n_features), output (n, n_classes).

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.
    .. [2] S. Jain et al., "Music Information Retrieval and Classification using Deep
       Learning", 2021.

    Examples
    --------
    >>> from skgenre.networks import build_mlp
    >>> build_mlp((130, 13), 10).count_params()
    1031306
    """
    keras = import_keras()
    layers = keras.layers

    seeds = layer_seeds(seed)
    blocks = [*input_layers(input_shape, input_noise, seeds), layers.Flatten(**CHANNELS_LAST)]
    blocks += dense_layers(units, activation, negative_slope, dropout, l1, l2, seeds)
    return keras.Sequential([*blocks, softmax(n_classes, seeds)])
