"""The multilayer perceptron as a classifier."""

from __future__ import annotations

from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from skgenre import networks
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._docs import document_training


@document_training
class MLPGenreClassifier(BaseGenreClassifier):
    """Multilayer perceptron over the features of a segment; the segments of a track vote.

    The network flattens a segment's frames and passes them through dense layers with
    dropout. Its defaults are the network of [1]_ (text) and [2]_, with the activation and
    training of [1]_'s table 2.

    Parameters
    ----------
    units : tuple of int, default=(512, 256, 128)
        Width of each hidden layer. The listing of [1]_ has (512, 512, 64) and l2=0.001. [3]_
        has three layers with "relu", dropout, an L2 penalty and mini-batches of 16 to 128,
        but names no widths.
    %(activation)s
    dropout : float or tuple of float, default=0.3
        Share of units left out after each hidden layer; a tuple has one for each.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_mlp : Builds the network.

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.
    .. [2] S. Jain et al., "Music Information Retrieval and Classification using Deep
       Learning", 2021.
    .. [3] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import MLPGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 2, 10, 3))  # 16 tracks of 2 segments
    >>> X[y == "loud"] += 2
    >>> model = MLPGenreClassifier(epochs=5, learning_rate=0.01, random_state=0)
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_mlp)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseGenreClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "units": ["array-like"],
    }

    def __init__(
        self,
        *,
        units=(512, 256, 128),
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
        self.units = units
