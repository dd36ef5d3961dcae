"""What the networks have in common: seeds, dense layers, and the checks of sizes.

Every layer states its data format and its type, so that Keras' global settings
(``set_image_data_format``, ``set_dtype_policy``, ``set_floatx``) change no network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from numbers import Real
from typing import Any

import numpy as np

Activation = str | Callable[..., Any]
Size = int | tuple[int, int]
Rate = float | Sequence[float]

FLOAT32 = {"dtype": "float32"}
CHANNELS_LAST = {"dtype": "float32", "data_format": "channels_last"}


def layer_seeds(seed: int) -> Iterator[int]:
    """Yield seeds for the layers of a network, one after the other."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1, 2**31 - 1))


def input_layers(shape: tuple[int, ...], noise: float, seeds: Iterator[int]) -> list[Any]:
    """Return the input and, where asked for, the noise on it."""
    from keras import Input, layers

    blocks: list[Any] = [Input(tuple(shape), **FLOAT32)]
    if noise > 0:
        blocks.append(layers.GaussianNoise(noise, seed=next(seeds), **FLOAT32))
    return blocks


def dense_layers(
    units: Any,
    activation: Activation,
    negative_slope: float,
    dropout: Rate,
    l1: float,
    l2: float,
    seeds: Iterator[int],
) -> list[Any]:
    """Return the dense layers, each with its activation and its dropout."""
    from keras import layers

    blocks: list[Any] = []
    units = check_sizes("units", units)
    for n_units, rate in zip(units, check_rates("dropout", dropout, "units", units), strict=True):
        blocks.append(
            layers.Dense(
                n_units,
                kernel_initializer=glorot(seeds),
                kernel_regularizer=penalty(l1, l2),
                **FLOAT32,
            )
        )
        blocks.append(activate(activation, negative_slope))
        blocks += dropout_layers(rate, seeds)
    return blocks


def dropout_layers(rate: float, seeds: Iterator[int]) -> list[Any]:
    """Return a dropout layer, or none for the rate 0."""
    from keras import layers

    return [layers.Dropout(rate, seed=next(seeds), **FLOAT32)] if rate > 0 else []


def softmax(n_classes: int, seeds: Iterator[int]) -> Any:
    """Return the last layer."""
    from keras import layers

    return layers.Dense(
        n_classes, activation="softmax", kernel_initializer=glorot(seeds), **FLOAT32
    )


def activate(activation: Activation, negative_slope: float) -> Any:
    """Return the layer of an activation."""
    from keras import layers

    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=negative_slope, **FLOAT32)
    return layers.Activation(activation, **FLOAT32)


def glorot(seeds: Iterator[int]) -> Any:
    """Return Keras' default initializer of kernels, with a seed."""
    from keras import initializers

    return initializers.GlorotUniform(seed=next(seeds))


def orthogonal(seeds: Iterator[int]) -> Any:
    """Return Keras' default initializer of recurrent weights, with a seed."""
    from keras import initializers

    return initializers.Orthogonal(seed=next(seeds))


def penalty(l1: float, l2: float) -> Any:
    """Return the penalty on weights, None for none."""
    from keras import regularizers

    return regularizers.L1L2(l1=float(l1), l2=float(l2)) if l1 or l2 else None


def per_block(name: str, value: Any, n_blocks: int) -> list[np.ndarray]:
    """Give each convolution block its (frames, features) pair."""
    values = list(repeat(value, n_blocks)) if isinstance(value, Real) else list(value)
    if len(values) != n_blocks:
        raise ValueError(
            f"{name}={value!r} has {len(values)} entries for {n_blocks} convolution blocks; "
            "give one for each entry of filters."
        )
    pairs = [np.broadcast_to(np.asarray(v), (2,)) for v in values]
    return [np.array(check_sizes(name, pair)) for pair in pairs]


def check_sizes(name: str, values: Any) -> list[int]:
    """Check widths, filters or kernels: whole numbers from 1, of Python or NumPy."""
    values = list(values)
    if not all(isinstance(value, (int, np.integer)) and value >= 1 for value in values):
        raise ValueError(f"{name}={values!r} must hold whole numbers of 1 or more only.")
    return [int(value) for value in values]


def check_rates(name: str, rates: Any, leading: str, layers: Sequence[int]) -> list[float]:
    """Give each layer its dropout: one rate serves all, or one for each layer."""
    rates_list = [rates] * len(layers) if isinstance(rates, (Real, str)) else list(rates)
    if len(rates_list) != len(layers):
        raise ValueError(
            f"{name}={rates!r} has {len(rates_list)} entries for the {len(layers)} layers of "
            f"{leading}={tuple(layers)}; give one number for all, or one for each."
        )
    if not all(isinstance(rate, Real) and 0 <= float(rate) < 1 for rate in rates_list):
        raise ValueError(f"{name}={rates!r} must hold numbers from 0 up to, but not, 1.")
    return [float(rate) for rate in rates_list]
