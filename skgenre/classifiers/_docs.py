"""The part of the docstrings that the network classifiers share."""

from __future__ import annotations

import inspect
from typing import Any

_ACTIVATION = """activation : str or callable, default="{activation}"
        Activation of the hidden layers: any Keras activation, such as "sigmoid", "tanh",
        "relu", "leaky_relu" or "elu".
    negative_slope : float, default=0.05
        Slope of "leaky_relu" below zero; other activations do not use it."""

_TRAINING = """input_noise : float, default=0.0
        Standard deviation of Gaussian noise added to the input in training, in the units of
        the input.
    l1, l2 : float, default=0.0
        Penalties on the weights of the hidden layers.
    optimizer : str, default="{optimizer}"
        Name of a Keras optimizer.
    optimizer_params : dict or None, default={optimizer_params}
        Further arguments of the optimizer, such as ``{"weight_decay": 0.01}``.
    learning_rate : float, (float, float) or LearningRateSchedule, default={learning_rate}
        Step size. A pair falls linearly from the first to the second over the training.
    epochs : int, default={epochs}
        Rounds over the training segments.
    batch_size : int, default=32
        Segments in a step.
    %(common)s"""

_COMMON = """class_weight : dict, "balanced" or None, default=None
        Weights of the genres; "balanced" makes them inverse to their numbers of tracks.
    voting : {"soft", "hard", "product"}, default="{voting}"
        How the segments of a track vote: by the mean of their probabilities, by one vote
        each (ties are decided by the mean probabilities), or by the mean of the logarithms
        of their probabilities.
    early_stopping : bool, default=False
        Whether to stop when ``monitor`` on the validation part no longer improves, and to
        restore the best weights.
    validation_fraction : float or None, default=None
        Share of each genre's training *tracks* held out for validation, drawn at random; at
        least one track of each genre is on either side, and no track is on both. None means
        0.1 with ``early_stopping`` and no validation without it. Tracks of one artist may be
        on both sides.
    monitor : {"val_loss", "val_accuracy"}, default="val_loss"
        What early stopping watches; both are measured on segments.
    n_iter_no_change : int, default=10
        Epochs without improvement before early stopping ends the training.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, dropout, the validation part and the order of the
        segments. With an int, fits on the same machine are equal. None draws from the
        system, not from NumPy's global state.
    verbose : int, default=0
        Verbosity of Keras' training; 0 is silent."""

_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        The genres, sorted.
    history_ : dict of str to list of float
        "loss" and "accuracy" of each epoch, by segment, and "val_loss" and
        "val_accuracy" where there is a validation part.
    n_iter_ : int
        Epochs trained.
    n_features_in_ : int
        Size of the last axis of X in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only where X was a data frame.
    segment_shape_ : tuple of int
        Frames and features of one segment; height, width and channels of one image.
    network_ : Network
        The trained network; ``network_.model`` is the Keras model."""


def document_training(cls: type) -> type:
    """Fill the shared parameters and attributes into the docstring of a classifier."""
    if cls.__doc__:  # absent under python -OO
        parameters = inspect.signature(cls).parameters
        defaults = {name: parameter.default for name, parameter in parameters.items()}
        for name, text in (
            ("activation", _fill(_ACTIVATION, defaults)),
            ("training", _fill(_TRAINING, defaults)),
            ("common", _fill(_COMMON, defaults)),
            ("attributes", _ATTRIBUTES),
        ):
            cls.__doc__ = cls.__doc__.replace(f"%({name})s", text)
    return cls


def _fill(text: str, defaults: dict[str, Any]) -> str:
    """Put the defaults of a class into a text with their names in braces."""
    for name, default in defaults.items():
        text = text.replace(f"{{{name}}}", str(default))
    return text
