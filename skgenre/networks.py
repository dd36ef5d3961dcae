"""The networks of the papers, each a function from a shape and hyperparameters to a Model.

The functions are pure: they take every choice as an argument, compile nothing, train
nothing and use no global random state. Each layer that draws random numbers gets a seed
of its own, derived from ``seed``.

Classifiers call them; use them directly to look at a network or to build on one.

Examples
--------
>>> from skgenre.networks import build_cnn
>>> model = build_cnn((130, 13), 10, seed=0)
>>> model.output_shape
(None, 10)
>>> model.count_params()
45514
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np

Activation = str | Callable[..., Any]
Size = int | tuple[int, int]

__all__ = ["build_cnn", "build_lstm", "build_mlp"]


def build_mlp(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    units: Sequence[int] = (512, 256, 128),
    activation: Activation = "leaky_relu",
    negative_slope: float = 0.05,
    dropout: float = 0.3,
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
    dropout : float, default=0.3
        Share of units left out after each hidden layer.
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
    from keras import layers

    seeds = _seeds(seed)
    blocks = [*_input(input_shape, input_noise, seeds), layers.Flatten()]
    for n_units in _sizes("units", units):
        blocks += _dense_block(n_units, activation, negative_slope, dropout, l1, l2, seeds)
    return _classify(blocks, n_classes, seeds)


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
    dropout: float = 0.3,
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
    dropout : float, default=0.3
        Share of units left out after each dense layer.
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
    from keras import layers

    filters = _sizes("filters", filters)
    n_blocks = len(filters)
    kernels = _per_block("kernel_sizes", kernel_sizes, n_blocks)
    pools = _per_block("pool_sizes", pool_sizes, n_blocks)
    strides = _per_block("pool_strides", pool_strides, n_blocks)
    seeds = _seeds(seed)
    n_frames, n_features = input_shape
    blocks = [
        *_input(input_shape, input_noise, seeds),
        layers.Reshape((n_frames, n_features, 1)),
    ]
    size = np.array(input_shape)
    for n_filters, kernel, pool, stride in zip(filters, kernels, pools, strides, strict=True):
        missing = np.maximum(kernel - size, 0)
        if missing.any():
            before = missing // 2
            pads = tuple(zip(before.tolist(), (missing - before).tolist(), strict=True))
            blocks.append(layers.ZeroPadding2D(pads))
        blocks.append(
            layers.Conv2D(
                n_filters,
                tuple(kernel.tolist()),
                kernel_initializer=_glorot(seeds),
                kernel_regularizer=_penalty(l1, l2),
            )
        )
        blocks.append(_activation(activation, negative_slope))
        size = size + missing - kernel + 1
        if (pool > 1).any():
            blocks.append(layers.MaxPooling2D(tuple(pool), tuple(stride), padding="same"))
            size = -(-size // stride)
        if batch_norm:
            blocks.append(layers.BatchNormalization(momentum=batch_norm_momentum))
    blocks.append(layers.Flatten())
    for n_units in _sizes("units", units):
        blocks += _dense_block(n_units, activation, negative_slope, dropout, l1, l2, seeds)
    return _classify(blocks, n_classes, seeds)


def build_lstm(
    input_shape: tuple[int, int],
    n_classes: int,
    *,
    lstm_units: Sequence[int] = (64, 64),
    lstm_activation: Activation = "tanh",
    lstm_dropout: float = 0.0,
    units: Sequence[int] = (64,),
    activation: Activation = "leaky_relu",
    negative_slope: float = 0.05,
    dropout: float = 0.3,
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
    lstm_dropout : float, default=0.0
        Share of inputs left out at each LSTM layer.
    units : sequence of int, default=(64,)
        Width of each dense layer before the softmax; may be empty.
    activation : str or callable, default="leaky_relu"
        Activation of the dense layers: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float, default=0.3
        Share of units left out after each dense layer.
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
    from keras import layers

    seeds = _seeds(seed)
    blocks = _input(input_shape, input_noise, seeds)
    lstm_units = _sizes("lstm_units", lstm_units)
    if not lstm_units:
        raise ValueError("lstm_units is empty; an LSTM network has at least one LSTM layer.")
    for position, n_units in enumerate(lstm_units):
        blocks.append(
            layers.LSTM(
                n_units,
                activation=lstm_activation,
                dropout=lstm_dropout,
                return_sequences=position < len(lstm_units) - 1,
                kernel_initializer=_glorot(seeds),
                recurrent_initializer=_orthogonal(seeds),
                kernel_regularizer=_penalty(l1, l2),
                seed=next(seeds),
            )
        )
    for n_units in _sizes("units", units):
        blocks += _dense_block(n_units, activation, negative_slope, dropout, l1, l2, seeds)
    return _classify(blocks, n_classes, seeds)


def _seeds(seed: int) -> Iterator[int]:
    """Yield seeds for the layers of a network, one after the other."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1, 2**31 - 1))


def _input(input_shape: tuple[int, int], noise: float, seeds: Iterator[int]) -> list[Any]:
    from keras import Input, layers

    blocks: list[Any] = [Input(tuple(input_shape))]
    if noise > 0:
        blocks.append(layers.GaussianNoise(noise, seed=next(seeds)))
    return blocks


def _dense_block(
    n_units: int,
    activation: Activation,
    negative_slope: float,
    dropout: float,
    l1: float,
    l2: float,
    seeds: Iterator[int],
) -> list[Any]:
    from keras import layers

    blocks = [
        layers.Dense(
            n_units, kernel_initializer=_glorot(seeds), kernel_regularizer=_penalty(l1, l2)
        ),
        _activation(activation, negative_slope),
    ]
    if dropout > 0:
        blocks.append(layers.Dropout(dropout, seed=next(seeds)))
    return blocks


def _classify(blocks: list[Any], n_classes: int, seeds: Iterator[int]) -> Any:
    import keras

    head = keras.layers.Dense(n_classes, activation="softmax", kernel_initializer=_glorot(seeds))
    return keras.Sequential([*blocks, head])


def _activation(activation: Activation, negative_slope: float) -> Any:
    from keras import layers

    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=negative_slope)
    return layers.Activation(activation)


def _glorot(seeds: Iterator[int]) -> Any:
    from keras import initializers

    return initializers.GlorotUniform(seed=next(seeds))


def _orthogonal(seeds: Iterator[int]) -> Any:
    from keras import initializers

    return initializers.Orthogonal(seed=next(seeds))


def _penalty(l1: float, l2: float) -> Any:
    from keras import regularizers

    return regularizers.L1L2(l1=float(l1), l2=float(l2)) if l1 or l2 else None


def _per_block(name: str, value: Any, n_blocks: int) -> list[np.ndarray]:
    """Give each convolution block its (frames, features) pair."""
    values = list(repeat(value, n_blocks)) if np.ndim(value) == 0 else list(value)
    if len(values) != n_blocks:
        raise ValueError(
            f"{name}={value!r} has {len(values)} entries for {n_blocks} convolution blocks; "
            "give one for each entry of filters."
        )
    pairs = [np.broadcast_to(v, (2,)) for v in values]
    return [np.array(_sizes(name, pair)) for pair in pairs]


def _sizes(name: str, values: Any) -> list[int]:
    """Check widths, filters or kernels: whole numbers from 1, of Python or NumPy."""
    values = list(values)
    if not all(isinstance(value, (int, np.integer)) and value >= 1 for value in values):
        raise ValueError(f"{name}={values!r} must hold whole numbers of 1 or more only.")
    return [int(value) for value in values]
