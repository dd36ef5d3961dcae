"""The convolutional recurrent network as a classifier."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval

from skgenre import networks
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._docs import document_training


@document_training
class CRNNGenreClassifier(BaseGenreClassifier):
    """Convolutional recurrent network over a spectrogram; the segments of a track vote.

    Four convolution blocks shorten a long spectrogram to a few steps in time, which GRU layers
    read in order. Its defaults are the network of [1]_, made for 1400 frames of 96 mel bands;
    on smaller segments the pooling shrinks. A 2-D ``X`` is read as one sequence of single
    values a track.

    Parameters
    ----------
    filters : tuple of int, default=(63, 122, 128, 128)
        Filters of each convolution; their number is the number of blocks.
    kernel_sizes : int or tuple of int or of (int, int), default=3
        Kernel of each convolution, over (frames, features).
    pool_sizes : int or tuple of int or of (int, int), default=(2, 3, 4, 4)
        Pooling window and strides of each block. A window that is longer than what is left
        of an axis shrinks to that.
    batch_norm : bool, default=True
        Whether the blocks normalise.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction. Keras' own
        default of 0.99 needs several hundred steps of training before they hold.
    conv_dropout : float, default=0.0
        Share of values left out after each block.
    gru_units : tuple of int, default=(32, 32)
        Width of each GRU layer.
    %(activation)s
    dropout : float, default=0.3
        Share of values left out after the last GRU layer.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_crnn : Builds the network, and says what of [1]_'s shapes fits.

    Notes
    -----
    [1]_ names neither activation, dropout nor the width of the GRU layers. Zeros are added to
    both ends of an axis so that the pooling divides it, as the sizes in [1]_ demand: 1400
    frames become 1440, and then 720, 240, 60 and 15 steps.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning", section IV.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import CRNNGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 2, 24, 8))  # 16 tracks of 2 segments
    >>> X[y == "loud"] += 2
    >>> model = CRNNGenreClassifier(
    ...     filters=(8, 8), pool_sizes=(4, 2), gru_units=(8,), epochs=10, learning_rate=0.02,
    ...     random_state=0,
    ... )
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_crnn)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseGenreClassifier._parameter_constraints,
        "filters": ["array-like"],
        "kernel_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pool_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="left")],
        "conv_dropout": [Interval(Real, 0, 1, closed="left")],
        "gru_units": ["array-like"],
    }

    def __init__(
        self,
        *,
        filters=(63, 122, 128, 128),
        kernel_sizes=3,
        pool_sizes=(2, 3, 4, 4),
        batch_norm=True,
        batch_norm_momentum=0.9,
        conv_dropout=0.0,
        gru_units=(32, 32),
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
        self.batch_norm = batch_norm
        self.batch_norm_momentum = batch_norm_momentum
        self.conv_dropout = conv_dropout
        self.gru_units = gru_units
