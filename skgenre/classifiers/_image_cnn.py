"""The convolutional network over images as a classifier."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval

from skgenre import networks
from skgenre.classifiers._docs import document_training
from skgenre.classifiers._images import BaseImageClassifier


@document_training
class ImageCNNGenreClassifier(BaseImageClassifier):
    """Convolutional network over images, such as spectrograms; the segments of a track vote.

    Padded convolutions, each with pooling, then dense layers. Its defaults are the network of
    [1]_, which trains it for 500 epochs on pictures of mel spectrograms.

    ``X`` has the shape (n_tracks, n_segments, height, width, channels); 4-D means one image a
    track, 3-D one image of a single channel, 2-D one column of pixels. Features become images
    by an axis of channels, ``X[..., np.newaxis]``.

    Parameters
    ----------
    filters : tuple of int, default=(32, 32, 64)
        Filters of each convolution; their number is the number of blocks.
    kernel_sizes : int or tuple of int or of (int, int), default=3
        Kernel of each convolution, over (height, width).
    pool_sizes : int or tuple of int or of (int, int), default=2
        Pooling window and strides of each block; 1 leaves pooling out.
    conv_dropout : float, default=0.3
        Share of values left out between the last block and the dense layers, the one
        dropout of [1]_, which names no rate.
    units : tuple of int, default=(128,)
        Width of each dense layer after the convolutions.
    %(activation)s
    dropout : float or tuple of float, default=0.0
        Share of units left out after each dense layer; a tuple has one for each.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_image_cnn : Builds the network.
    CNNGenreClassifier : Convolutional network over features.

    References
    ----------
    .. [1] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021, figure 10.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import ImageCNNGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.uniform(size=(16, 2, 12, 12, 3))  # 16 tracks of 2 images
    >>> X[y == "loud"] *= 0.5
    >>> model = ImageCNNGenreClassifier(epochs=10, learning_rate=0.01, random_state=0)
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_image_cnn)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseImageClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "filters": ["array-like"],
        "kernel_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pool_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "conv_dropout": [Interval(Real, 0, 1, closed="left")],
        "units": ["array-like"],
    }

    def __init__(
        self,
        *,
        filters=(32, 32, 64),
        kernel_sizes=3,
        pool_sizes=2,
        conv_dropout=0.3,
        units=(128,),
        activation="relu",
        negative_slope=0.05,
        dropout=0.0,
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
        self.filters = filters
        self.kernel_sizes = kernel_sizes
        self.pool_sizes = pool_sizes
        self.conv_dropout = conv_dropout
        self.units = units
