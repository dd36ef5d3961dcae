"""The convolutional network as a classifier."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval

from skgenre import networks
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._docs import document_training


@document_training
class CNNGenreClassifier(BaseGenreClassifier):
    """Convolutional network over the features of a segment; the segments of a track vote.

    Convolutions run over frames and coefficients; after each come the activation, max
    pooling and batch normalisation, then dense layers. Its defaults are the network of
    [1]_ with the training of its table 3; ``pool_sizes=3, pool_strides=3`` and "relu" give that
    of [2]_. A 2-D ``X`` is read as one sequence of single values a track.

    Parameters
    ----------
    filters : tuple of int, default=(32, 32, 32)
        Filters of each convolution; their number is the number of blocks.
    kernel_sizes : int or tuple of int or of (int, int), default=(3, 3, 2)
        Kernel of each convolution, over (frames, features).
    pool_sizes : int or tuple of int or of (int, int), default=(3, 3, 2)
        Pooling window of each block; 1 leaves pooling out.
    pool_strides : int or tuple of int or of (int, int), default=2
        Strides of the pooling. A single value serves all blocks; so it does for
        ``kernel_sizes`` and ``pool_sizes``.
    batch_norm : bool, default=True
        Whether batch normalisation ends each block.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction. Keras' own
        default of 0.99 needs several hundred steps of training before they hold.
    units : tuple of int, default=(64,)
        Width of each dense layer after the convolutions.
    %(activation)s
    dropout : float or tuple of float, default=0.3
        Share of units left out after each dense layer; a tuple has one for each.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_cnn : Builds the network.

    Notes
    -----
    The two networks of [3]_ are pooled convolutions without batch normalisation: a simple one,
    ``filters=(32, 64)`` with ``units=(64,)``, and a complex one of four 5x5 convolutions,
    ``filters=(32, 32, 64, 64), kernel_sizes=5``, with a dropout in the dense part that its
    authors raised by hand from 0.4 to 0.6: ``units=(256, 128), dropout=(0.4, 0.6)``. [3]_ names
    neither filters nor widths; it counts the softmax among the dense layers.

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.
    .. [2] S. Jain et al., "Music Information Retrieval and Classification using Deep
       Learning", 2021.
    .. [3] K. Bai and H. Wang, "Music Classification with Neural Network".

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import CNNGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 2, 20, 3))  # 16 tracks of 2 segments
    >>> X[y == "loud"] += 2
    >>> model = CNNGenreClassifier(epochs=10, learning_rate=0.01, random_state=0)
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_cnn)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseGenreClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "filters": ["array-like"],
        "kernel_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pool_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pool_strides": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="left")],
        "units": ["array-like"],
    }

    def __init__(
        self,
        *,
        filters=(32, 32, 32),
        kernel_sizes=(3, 3, 2),
        pool_sizes=(3, 3, 2),
        pool_strides=2,
        batch_norm=True,
        batch_norm_momentum=0.9,
        units=(64,),
        activation="leaky_relu",
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
        self.filters = filters
        self.kernel_sizes = kernel_sizes
        self.pool_sizes = pool_sizes
        self.pool_strides = pool_strides
        self.batch_norm = batch_norm
        self.batch_norm_momentum = batch_norm_momentum
        self.units = units
