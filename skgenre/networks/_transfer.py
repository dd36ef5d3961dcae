"""A network that was trained on photographs, with a new end."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from skgenre.networks._layers import (
    CHANNELS_LAST,
    FLOAT32,
    Activation,
    Rate,
    check_sizes,
    dense_layers,
    input_layers,
    layer_seeds,
    softmax,
)
from skgenre.utils._tf import global_random_state_kept, import_keras, set_keras_settings

Backbone = str | Callable[..., Any]


def build_transfer(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    backbone: Backbone = "VGG16",
    backbone_params: dict[str, Any] | None = None,
    weights: str | os.PathLike[str] | None = "imagenet",
    load_weights: bool = True,
    trainable_from: str | None = None,
    image_size: int | tuple[int, int] = 224,
    pixel_max: float = 1.0,
    pooling: str = "avg",
    units: Sequence[int] = (128,),
    activation: Activation = "relu",
    negative_slope: float = 0.05,
    dropout: Rate = 0.3,
    input_noise: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
) -> Any:
    """Build a network of keras.applications without its end, then dense layers and softmax.

    Inside the model images are resized, brought to the values that the backbone was
    trained on, and a single channel is repeated three times.

    Parameters
    ----------
    input_shape : tuple of (height, width, channels)
        Shape of one image; 1 or 3 channels.
    n_classes : int
        Number of genres.
    backbone : str or callable, default="VGG16"
        Name of a network of keras.applications, or a function that is called as those are,
        with ``include_top=False``, ``weights`` and ``input_shape``, and returns a Keras
        model to maps from images whose values go from 0 to 255.
    backbone_params : dict or None, default=None
        Further arguments of the backbone, such as ``{"alpha": 0.35}`` for MobileNetV2.
    weights : str, path-like or None, default="imagenet"
        "imagenet" lets Keras download the weights once, or take them from its cache. A path
        is a file of the backbone without its top, as its ``save_weights`` (``.weights.h5``)
        or ``save`` (``.keras``) writes it, or the ``.h5`` file that Keras downloads. None
        starts from random weights.
    load_weights : bool, default=True
        False builds the same model without looking for ``weights``: for a model that
        receives its weights from elsewhere.
    trainable_from : str or None, default=None
        Name of the backbone's first layer to train; all behind it are trained too. None
        trains no layer of a backbone with ``weights``, and every one without.
    image_size : int or (int, int), default=224
        Size to which images are brought, as (height, width); an int is both.
    pixel_max : float, default=1.0
        Value of a channel at full brightness in the images that come in: 1.0 or 255.
    pooling : {"avg", "max", "flatten"}, default="avg"
        What makes one vector of the backbone's maps: mean or maximum of each map, or all
        values.
    units : sequence of int, default=(128,)
        Width of each dense layer before the softmax.
    activation : str or callable, default="relu"
        Activation of the dense layers: any Keras activation.
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero.
    dropout : float or sequence of float, default=0.3
        Share of units left out after each dense layer; a sequence has one for each.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    l1, l2 : float, default=0.0
        Penalties on the weights of the dense layers.
    seed : int, default=0
        Seed of the initial weights, of dropout and of the noise.

    Returns
    -------
    model : keras.Model
        Not compiled; input (n, height, width, channels), output (n, n_classes).

    Raises
    ------
    ValueError
        If the backbone, one of its layers or ``pooling`` is unknown, if an image has
        neither 1 nor 3 channels, or if the weights do not belong to the backbone.
    OSError
        If the weights can be neither found nor downloaded.

    References
    ----------
    .. [1] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021.

    Examples
    --------
    >>> from skgenre.networks import build_transfer
    >>> model = build_transfer((256, 256, 3), 10, weights=None, image_size=64)
    >>> [layer.name for layer in model.layers if layer.name == "vgg16"]
    ['vgg16']
    >>> model.get_layer("vgg16").output_shape
    (None, 2, 2, 512)
    """
    keras = import_keras()
    layers = keras.layers

    if pooling not in ("avg", "max", "flatten"):
        raise ValueError(f"pooling={pooling!r} is none of 'avg', 'max' and 'flatten'.")
    if input_shape[-1] not in (1, 3):
        raise ValueError(
            f"Images of {input_shape[-1]} channels came, but the networks of keras.applications "
            "take colours: give images of 3 channels, or of 1, which is repeated."
        )
    size = [image_size] * 2 if isinstance(image_size, int) else list(image_size)
    height, width = check_sizes("image_size", size)
    seeds = layer_seeds(seed)
    function = find_backbone(backbone)
    body = _build_body(
        function,
        weights if load_weights else None,
        {"input_shape": (height, width, 3), **(backbone_params or {})},
        seeds,
    )
    _freeze(body, trainable_from, frozen=weights is not None)

    first, *rest = input_layers(input_shape, input_noise, seeds)
    x = first
    for layer in [*rest, layers.Rescaling(255.0 / float(pixel_max), **FLOAT32)]:
        x = layer(x)
    if input_shape[-1] == 1:
        x = layers.Concatenate(**FLOAT32)([x, x, x])
    if input_shape[:2] != (height, width):
        x = layers.Resizing(height, width, **CHANNELS_LAST)(x)
    preprocess = getattr(inspect.getmodule(function), "preprocess_input", None)
    if preprocess is not None:
        with set_keras_settings():
            x = preprocess(x)
    x = body(x)
    ends = {
        "avg": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flatten": layers.Flatten,
    }
    x = ends[pooling](**CHANNELS_LAST)(x)
    for layer in dense_layers(units, activation, negative_slope, dropout, l1, l2, seeds):
        x = layer(x)
    return keras.Model(first, softmax(n_classes, seeds)(x))


def find_backbone(backbone: Backbone) -> Callable[..., Any]:
    """Return the function that builds a backbone.

    Parameters
    ----------
    backbone : str or callable
        A name among keras.applications; a function is returned as it is.

    Raises
    ------
    ValueError
        If there is no such name; the message has those that there are.
    """
    keras = import_keras()
    if callable(backbone):
        return backbone
    names = [
        name
        for name, value in vars(keras.applications).items()
        if callable(value) and not name.startswith("_")
    ]
    if backbone not in names:
        raise ValueError(
            f"backbone={backbone!r} is not a network of keras.applications, which are "
            f"{', '.join(sorted(names))}."
        )
    return getattr(keras.applications, backbone)


def _build_body(
    function: Callable[..., Any],
    weights: str | os.PathLike[str] | None,
    params: dict[str, Any],
    seeds: Iterator[int],
) -> Any:
    """Build the backbone with its weights; what is random comes from ``seeds``."""
    name = getattr(function, "__name__", repr(function))
    own = weights if weights is None or weights == "imagenet" else None
    if weights != own and not os.path.isfile(weights):  # type: ignore[arg-type]
        raise FileNotFoundError(
            f"weights={os.fspath(weights)!r}: there is no such file. Give the path of a "  # type: ignore[arg-type]
            f"weights file of {name}, 'imagenet' for Keras' download, or None."
        )
    try:
        with global_random_state_kept(), set_keras_settings():
            body = function(include_top=False, weights=own, **params)
    except (ValueError, TypeError):  # of the arguments, and Keras says which
        raise
    except Exception as error:  # Keras raises a plain Exception where a download fails
        raise OSError(
            f"The ImageNet weights of {name} are not in Keras' cache (~/.keras/models) and "
            f"could not be downloaded: {error}. Fit once where there is a network, or copy the "
            "weights file (of the network without its top) from there and give its path as "
            "weights; weights=None starts from random weights."
        ) from error
    _reseed(body, seeds, initial=weights is None)
    if weights != own:
        try:
            body.load_weights(os.fspath(weights))  # type: ignore[arg-type]
        except Exception as error:  # of h5py, Keras or the layers: the file is not the right one
            sizes = [tuple(variable.shape) for variable in body.weights]
            raise ValueError(
                f"weights={os.fspath(weights)!r} cannot be loaded into {name} without its top: "  # type: ignore[arg-type]
                f"{str(error).rstrip('.')}. Expected a file of Keras (.weights.h5, .h5 or .keras) "
                f"with the {len(sizes)} weights of this network, of shapes {sizes[0]} to "
                f"{sizes[-1]}: written by the save_weights or save of the same network, built with "
                "include_top=False and the same arguments."
            ) from error
    return body


def _reseed(body: Any, seeds: Iterator[int], *, initial: bool) -> None:
    """Draw what a backbone drew at random anew, from seeds of our own."""
    weights = {id(variable) for variable in body.weights}
    for variable in body.variables:
        if id(variable) not in weights:  # the state of a dropout
            variable.assign([next(seeds), 0])
    for layer in body.layers if initial else []:
        for variable in layer.weights:
            part = variable.name.removesuffix("kernel")  # such as depthwise_kernel
            for attribute in (f"{variable.name}_initializer", f"{part or 'depthwise_'}initializer"):
                initializer: Any = getattr(layer, attribute, None)
                config = {} if initializer is None else initializer.get_config()
                if "seed" in config:
                    config["seed"] = next(seeds)
                    fresh = type(initializer).from_config(config)
                    variable.assign(fresh(variable.shape, dtype=variable.dtype))
                    break


def _freeze(body: Any, trainable_from: str | None, *, frozen: bool) -> None:
    """Switch off the training of the layers before ``trainable_from``, and their dropout.

    Keras keeps the averages of batch normalisation by itself where it is not trained.
    """
    from keras import layers

    names = [layer.name for layer in body.layers]
    if trainable_from is None:
        n_frozen = len(names) if frozen else 0
    elif trainable_from in names:
        n_frozen = names.index(trainable_from)
    else:
        with_weights = [layer.name for layer in body.layers if layer.weights]
        raise ValueError(
            f"trainable_from={trainable_from!r} is no layer of {body.name}; its last layers with "
            f"weights are {', '.join(with_weights[-8:])}."
        )
    for layer in body.layers[:n_frozen]:
        layer.trainable = False
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
