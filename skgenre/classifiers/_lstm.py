"""The LSTM network as a classifier."""

from __future__ import annotations

from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from skgenre import networks
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._docs import document_training


@document_training
class LSTMGenreClassifier(BaseGenreClassifier):
    """LSTM network over the frames of a segment; the segments of a track vote.

    LSTM layers read the frames in order; dense layers classify the state after the last
    frame. Its defaults are the network of [1]_'s listing and of [2]_, with the training
    of [1]_'s table 4. A 2-D ``X`` is read as one sequence of single values a track.

    Parameters
    ----------
    lstm_units : tuple of int, default=(64, 64)
        Width of each LSTM layer. [3]_ uses (128, 32), and (32, 32, 32); [4]_ (80, 80), with
        ``units=(40,)`` and "relu".
    lstm_activation : str or callable, default="tanh"
        Activation of the LSTM cells. [3]_ tries "sigmoid" in one experiment.
    lstm_dropout : float or tuple of float, default=0.0
        Share of inputs left out at each LSTM layer; a tuple has one for each.
    units : tuple of int, default=(64,)
        Width of each dense layer after the LSTM layers; may be empty.
    %(activation)s
    dropout : float or tuple of float, default=0.3
        Share of units left out after each dense layer; a tuple has one for each.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_lstm : Builds the network.

    Notes
    -----
    [3]_ trains its three layers with Adam, batches of 64, early stopping on the validation
    accuracy and a learning rate that falls linearly from 0.002 to 0 (``(0.002, 0.0)``; another
    passage has 1e-5). It does not say where its dropout of 0.5 stands: between the layers, as
    usual, is ``lstm_dropout=(0.0, 0.5, 0.5)``.

    References
    ----------
    .. [1] Y. Hu and G. Mogos, "Music genres classification by deep learning", 2022.
    .. [2] S. Jain et al., "Music Information Retrieval and Classification using Deep
       Learning", 2021.
    .. [3] H. Zhang, "Research on music genre classification algorithm based on deep
       learning".
    .. [4] K. Bai and H. Wang, "Music Classification with Neural Network".

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import LSTMGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 2, 10, 3))  # 16 tracks of 2 segments
    >>> X[y == "loud"] += 2
    >>> model = LSTMGenreClassifier(epochs=10, learning_rate=0.01, random_state=0)
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_lstm)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseGenreClassifier._parameter_constraints,
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "lstm_units": ["array-like"],
        "lstm_activation": [str, callable],
        "lstm_dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "units": ["array-like"],
    }

    def __init__(
        self,
        *,
        lstm_units=(64, 64),
        lstm_activation="tanh",
        lstm_dropout=0.0,
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
        self.lstm_units = lstm_units
        self.lstm_activation = lstm_activation
        self.lstm_dropout = lstm_dropout
        self.units = units
