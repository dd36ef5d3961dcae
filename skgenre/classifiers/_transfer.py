"""A network trained on photographs as a classifier."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre import networks
from skgenre.classifiers._docs import document_training
from skgenre.classifiers._images import BaseImageClassifier


@document_training
class TransferGenreClassifier(BaseImageClassifier):
    """Network trained on photographs, with a new end for genres; the segments of a track vote.

    A network of keras.applications, by default VGG16 with the weights it learned on ImageNet,
    turns pictures of spectrograms into maps; dense layers learn the genres from them. [1]_ does
    so with a network that it does not name; VGG16 is the one in its survey. Images are
    resized, and brought to the values that the network was trained on, inside the model.

    ``X`` has the shape (n_tracks, n_segments, height, width, channels), of 3 channels or of 1;
    4-D means one image a track, 3-D one image of a single channel, 2-D one column of pixels.

    Parameters
    ----------
    backbone : str or callable, default="VGG16"
        Name of a network of keras.applications, or a function that is called as those are,
        with ``include_top=False``, ``weights`` and ``input_shape``, and returns a Keras model
        to maps from images whose values go from 0 to 255.
    backbone_params : dict or None, default=None
        Further arguments of the backbone, such as ``{"alpha": 0.35}`` for MobileNetV2.
    weights : str, path-like or None, default="imagenet"
        "imagenet" lets Keras download the weights once, or take them from its cache. A path
        is a file of the backbone without its top, as its ``save_weights`` (``.weights.h5``)
        or ``save`` (``.keras``) writes it, or the ``.h5`` file that Keras downloaded
        elsewhere. None starts from random weights.
    trainable_from : str or None, default=None
        Name of the backbone's first layer to train; all behind it are trained too, such as
        "block5_conv1" of VGG16. None trains no layer of a backbone with ``weights``, and
        every one without.
    image_size : int or (int, int), default=224
        Size to which images are brought, as (height, width); an int is both.
    pixel_max : float, default=1.0
        Value of a channel at full brightness: 1.0, or 255 for images of 8 bits.
    pooling : {"avg", "max", "flatten"}, default="avg"
        What makes one vector of the backbone's maps: mean or maximum of each map, or all
        values.
    units : tuple of int, default=(128,)
        Width of each dense layer after the backbone.
    %(activation)s
    dropout : float or tuple of float, default=0.3
        Share of units left out after each dense layer; a tuple has one for each.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_transfer : Builds the network.

    Notes
    -----
    A fitted classifier holds all of its weights, so that it unpickles without network and
    without file. ``activation``, ``l1`` and ``l2`` concern the dense layers; the backbone has
    its own. A backbone that is not trained is computed anew in each epoch all the same.

    References
    ----------
    .. [1] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021.

    Examples
    --------
    The weights are looked for in ``fit``, and the layers from the fifth block on are tuned
    to spectrograms:

    >>> from skgenre import TransferGenreClassifier
    >>> TransferGenreClassifier(trainable_from="block5_conv1", image_size=128)
    TransferGenreClassifier(image_size=128, trainable_from='block5_conv1')
    """

    _builder = staticmethod(networks.build_transfer)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseImageClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "backbone": [str, callable],
        "backbone_params": [dict, None],
        "weights": [str, os.PathLike, None],
        "trainable_from": [str, None],
        "image_size": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pixel_max": [Interval(Real, 0, None, closed="neither")],
        "pooling": [StrOptions({"avg", "max", "flatten"})],
        "units": ["array-like"],
    }

    def __init__(
        self,
        *,
        backbone="VGG16",
        backbone_params=None,
        weights="imagenet",
        trainable_from=None,
        image_size=224,
        pixel_max=1.0,
        pooling="avg",
        units=(128,),
        activation="relu",
        negative_slope=0.05,
        dropout=0.3,
        input_noise=0.0,
        l1=0.0,
        l2=0.0,
        optimizer="adam",
        optimizer_params=None,
        learning_rate=1e-4,
        epochs=50,
        batch_size=32,
        class_weight=None,
        voting="soft",
        early_stopping=False,
        validation_fraction=None,
        monitor="val_loss",
        n_iter_no_change=10,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            activation=activation,
            negative_slope=negative_slope,
            dropout=dropout,
            input_noise=input_noise,
            l1=l1,
            l2=l2,
            optimizer=optimizer,
            optimizer_params=optimizer_params,
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            class_weight=class_weight,
            voting=voting,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            monitor=monitor,
            n_iter_no_change=n_iter_no_change,
            random_state=random_state,
            verbose=verbose,
        )
        self.backbone = backbone
        self.backbone_params = backbone_params
        self.weights = weights
        self.trainable_from = trainable_from
        self.image_size = image_size
        self.pixel_max = pixel_max
        self.pooling = pooling
        self.units = units

    def _segments(self, X: NDArray[Any]) -> NDArray[Any]:
        images = super()._segments(X)
        # No loss shows this mistake: the backbone would see nothing but white.
        if images.shape[-1] == 3 and images.max() > 1.001 * self.pixel_max:
            raise ValueError(
                f"X has values up to {images.max():g}, but pixel_max={self.pixel_max:g} is the "
                "value of full brightness. Set pixel_max=255 for images of 8 bits, or scale X."
            )
        return images

    def _check_names(self) -> None:
        super()._check_names()
        networks.find_backbone(self.backbone)

    def _build(self, seed: int) -> Callable[[], Any]:
        return _LoadsOnce(super()._build(seed))


class _LoadsOnce:
    """Builds a network, with the weights of its backbone the first time only.

    Copies and pickles of a trained network bring their weights: they need neither the file
    nor the download.
    """

    def __init__(self, build: Callable[..., Any], loaded: bool = False):
        self.build = build
        self.loaded = loaded

    def __call__(self) -> Any:
        load, self.loaded = not self.loaded, True
        return self.build(load_weights=load)

    def __reduce__(self) -> tuple[Any, ...]:
        return _LoadsOnce, (self.build, True)
