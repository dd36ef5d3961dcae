"""The recurrent convolutional network as a classifier."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from skgenre import networks
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._docs import document_training


@document_training
class RCNNGenreClassifier(BaseGenreClassifier):
    """Recurrent convolutional network over a spectrogram; the segments of a track vote.

    Plain convolutions, then recurrent convolution layers after [2]_: the state of each filter
    goes through ``n_steps`` rounds of a convolution with itself, always with the same weights,
    beside the input's convolution, which is computed once. A filter so sees an ever larger
    part of the spectrogram without more weights. Its defaults are the layers of [1]_. A 2-D
    ``X`` is read as one sequence of single values a track.

    Parameters
    ----------
    filters : tuple of int, default=(32, 32)
        Filters of each plain convolution; may be empty.
    kernel_size : int, default=5
        Kernel of the plain convolutions.
    recurrent_filters : tuple of int, default=(32, 32, 32)
        Filters of each recurrent convolution layer.
    recurrent_kernel_size : int, default=3
        Kernel of the recurrent layers, for the input and for the state.
    n_steps : int, default=3
        Rounds of the state.
    norm : {"batch", "local_response"} or None, default="batch"
        What follows each activation. "batch" is batch normalisation, with averages and scales
        of its own for each round; "local_response" is that of [2]_.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction. Keras' own
        default of 0.99 needs several hundred steps of training before they hold.
    pool_size : int, default=2
        Window and strides of the max pooling after each layer but the last; 1 leaves it out.
    %(activation)s
    dropout : float, default=0.3
        Share of values left out after each recurrent convolution layer but the last.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_rcnn : Builds the network, and has its formula.

    Notes
    -----
    [1]_ draws 2 convolution and 3 recurrent convolution layers and names no more. Rounds,
    dropout and one width for all layers are those of [2]_; the width of 32 is chosen here.

    References
    ----------
    .. [1] K. Bai and H. Wang, "Music Classification with Neural Network", figure 2.
    .. [2] M. Liang and X. Hu, "Recurrent convolutional neural network for object
       recognition", CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import RCNNGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 2, 12, 6))  # 16 tracks of 2 segments
    >>> X[y == "loud"] += 2
    >>> model = RCNNGenreClassifier(
    ...     filters=(8,), recurrent_filters=(8,), epochs=10, learning_rate=0.02, random_state=0
    ... )
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_rcnn)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseGenreClassifier._parameter_constraints,
        "filters": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "recurrent_filters": ["array-like"],
        "recurrent_kernel_size": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "norm": [StrOptions({"batch", "local_response"}), None],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="left")],
        "pool_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        filters=(32, 32),
        kernel_size=5,
        recurrent_filters=(32, 32, 32),
        recurrent_kernel_size=3,
        n_steps=3,
        norm="batch",
        batch_norm_momentum=0.9,
        pool_size=2,
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
        self.filters = filters
        self.kernel_size = kernel_size
        self.recurrent_filters = recurrent_filters
        self.recurrent_kernel_size = recurrent_kernel_size
        self.n_steps = n_steps
        self.norm = norm
        self.batch_norm_momentum = batch_norm_momentum
        self.pool_size = pool_size
