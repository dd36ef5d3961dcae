"""The LSTM network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skgenre.networks._fused_lstm import fused_lstm
from skgenre.networks._layers import (
    FLOAT32,
    Activation,
    Rate,
    check_rates,
    check_sizes,
    dense_layers,
    glorot,
    input_layers,
    layer_seeds,
    orthogonal,
    penalty,
    softmax,
)
from skgenre.utils._tf import import_keras


def build_lstm(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    lstm_units: Sequence[int] = (64, 64),
    lstm_activation: Activation = "tanh",
    lstm_dropout: Rate = 0.0,
    units: Sequence[int] = (64,),
    activation: Activation = "leaky_relu",
    negative_slope: float = 0.05,
    dropout: Rate = 0.3,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build the LSTM network: LSTM layers over the frames, dense layers, softmax.

    Every LSTM layer but the last hands its whole sequence on; the last hands on its
    state after the last frame.

    Parameters
    ----------
    input_shape : tuple of (n_frames, n_features)
        Shape of one segment.
    n_classes : int
        Number of genres.
    lstm_units : sequence of int, default=(64, 64)
        Width of each LSTM layer. [1]_ (listing) and [2]_ use 64 and 64, [3]_ uses
        128 and 32, or 32 three times.
    lstm_activation : str or callable, default="tanh"
        Activation of the LSTM cells; [3]_ tries "sigmoid" in one experiment.
    lstm_dropout : float or sequence of float, default=0.0
        Share of inputs left out at each LSTM layer; a sequence has one for each.
    units : sequence of int, default=(64,)
        Width of each dense layer before the softmax; may be empty.
    activation : str or callable, default="leaky_relu"
        Activation of the dense layers: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float or sequence of float, default=0.3
        Share of units left out after each dense layer; a sequence has one for each.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the input weights of LSTM layers and on dense layers.
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
    .. [3] H. Zhang, "Research on music genre classification algorithm based on deep
       learning".

    Examples
    --------
    >>> from skgenre.networks import build_lstm
    >>> build_lstm((130, 13), 10).count_params()
    57802
    """
    keras = import_keras()

    seeds = layer_seeds(seed)
    blocks = input_layers(input_shape, input_noise, seeds)
    lstm_units = check_sizes("lstm_units", lstm_units)
    if not lstm_units:
        raise ValueError("lstm_units is empty; an LSTM network has at least one LSTM layer.")
    rates = check_rates("lstm_dropout", lstm_dropout, "lstm_units", lstm_units)
    for position, (n_units, rate) in enumerate(zip(lstm_units, rates, strict=True)):
        blocks.append(
            fused_lstm(
                n_units,
                activation=lstm_activation,
                dropout=rate,
                return_sequences=position < len(lstm_units) - 1,
                kernel_initializer=glorot(seeds),
                recurrent_initializer=orthogonal(seeds),
                kernel_regularizer=penalty(l1, l2),
                seed=next(seeds),
                **FLOAT32,
            )
        )
    blocks += dense_layers(units, activation, negative_slope, dropout, l1, l2, seeds)
    return keras.Sequential([*blocks, softmax(n_classes, seeds)])
