"""A classifier of tracks from any function that builds a Keras model."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn import config_context
from sklearn.utils._param_validation import validate_parameter_constraints

from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._docs import document_training
from skgenre.classifiers._fitted_network import NetworkRecipe
from skgenre.classifiers._training import Loss
from skgenre.utils._tf import (
    check_networks_installed,
    global_random_state_kept,
    import_keras,
    keras_settings,
    lock,
    set_keras_settings,
)

# Prefixes of routed parameters, and the arguments of Keras' fit that can be given.
_PREFIXES = ("model", "compile", "optimizer", "loss", "fit")
_FIT_ARGUMENTS = ("batch_size", "epochs", "verbose", "callbacks")
# Arguments that fit offers to the function.
_OFFERED = {"meta", "compile_kwargs", "params"}
# Models that functions returned, to find one that comes back.
_MODELS: Any = weakref.WeakSet()


@document_training
class KerasGenreClassifier(BaseGenreClassifier):
    """Classifier of tracks from a function that builds a Keras model of segments.

    The function is called as scikeras [1]_ calls it, with the ``model__*`` parameters as
    keyword arguments; it returns a model that turns a segment into the probabilities of the
    genres. All else is that of the other network classifiers: segments and votes, early
    stopping by track, weights, seeds, pickles and callbacks.

    Parameters
    ----------
    model : callable, default=None
        Builds the model; None is refused in ``fit``. It is called with the ``model__*``
        parameters and, where its signature asks for them, with ``meta``, a dict of what ``fit``
        knows (``segment_shape_``, ``classes_``, ``n_classes_``, ``n_features_in_``, ``X_shape_``,
        ``target_type_`` and others of scikeras), and ``compile_kwargs``, the arguments for
        ``model.compile``. A model that it has compiled keeps its optimizer and loss. The
        function must be importable for the classifier to be pickled: defined at the top level
        of a module.
    optimizer : str, default="adam"
        Name of a Keras optimizer; ``optimizer__*`` parameters are its arguments, such as
        ``optimizer__learning_rate``.
    loss : str or callable, default="sparse_categorical_crossentropy"
        Loss of Keras; "categorical_crossentropy" gets the genres one-hot encoded, a loss of
        your own gets them as integers.
        ``loss__*`` parameters are arguments of its class.
    epochs : int, default=50
        Rounds over the training segments; ``fit__epochs`` overrides it.
    batch_size : int, default=32
        Segments in a step; ``fit__batch_size`` overrides it.
    %(common)s
    **routed : object
        Parameters for the parts, as scikeras routes them: ``model__*``, ``compile__*``,
        ``optimizer__*``, ``loss__*``, and ``fit__batch_size``, ``fit__epochs``,
        ``fit__verbose`` and ``fit__callbacks``, a list of Keras callbacks. They are parameters
        like the others: a search sets them.

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    CNNGenreClassifier : A network of this package.

    Notes
    -----
    Initial weights, dropout and everything else that Keras draws without a seed follow
    ``random_state``. The training runs the model, its loss and its optimizer in a loop of
    skgenre's own: metrics that a model was compiled with are not computed, and a
    ``train_step`` of its own is refused.

    A pickle holds the function by reference, its parameters, and the weights.

    Unlike the other constructors of this package this one takes further keyword arguments,
    because the parameters of the function are known to its author only.

    References
    ----------
    .. [1] A. Garcia Badaracco, "SciKeras", https://adriangb.com/scikeras.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skgenre import KerasGenreClassifier
    >>> def build(meta, units=8):
    ...     return keras.Sequential(
    ...         [
    ...             keras.Input(meta["segment_shape_"]),
    ...             keras.layers.GlobalAveragePooling1D(),
    ...             keras.layers.Dense(units, activation="relu"),
    ...             keras.layers.Dense(meta["n_classes_"], activation="softmax"),
    ...         ]
    ...     )
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 2, 20, 3))  # 16 tracks of 2 segments
    >>> X[y == "loud"] += 2
    >>> model = KerasGenreClassifier(
    ...     build, model__units=4, optimizer__learning_rate=0.05, fit__epochs=20, random_state=0
    ... )
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **{
            name: constraint
            for name, constraint in BaseGenreClassifier._parameter_constraints.items()
            if name
            not in (
                "activation",
                "negative_slope",
                "dropout",
                "input_noise",
                "l1",
                "l2",
                "optimizer_params",
                "learning_rate",
            )
        },
        "loss": [str, callable],
        "optimizer": [object],  # _check_names says more
    }
    _max_ndim = 5

    def __init__(
        self,
        model=None,
        *,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
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
        **routed,
    ):
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.voting = voting
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.monitor = monitor
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

        for name, value in routed.items():
            if not _is_routed(name):
                raise TypeError(_no_parameter(name))
            setattr(self, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with those that are routed.

        Parameters
        ----------
        deep : bool, default=True
            Without effect: no parameter is an estimator.

        Returns
        -------
        params : dict
            Values by name, such as "optimizer" and "model__units".
        """
        routed = {name: value for name, value in vars(self).items() if _is_routed(name)}
        return {**super().get_params(deep=False), **routed}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, with those that are routed.

        Parameters
        ----------
        **params : object
            Values by name, such as ``model__units=16``.

        Returns
        -------
        self : object
            The classifier.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        nameless = [name for name in params if name.endswith("__")]
        if nameless:
            raise ValueError(_no_parameter(nameless[0]))
        super().set_params(**{k: v for k, v in params.items() if not _is_routed(k)})
        for name in filter(_is_routed, params):
            setattr(self, name, params[name])
        return self

    def _routed(self, prefix: str) -> dict[str, Any]:
        """Return the parameters of a prefix, without it."""
        prefix += "__"
        return {
            name.removeprefix(prefix): value
            for name, value in self.get_params().items()
            if name.startswith(prefix)
        }

    def _describe(self, shape: tuple[int, ...]) -> str:
        return super()._describe(shape) if len(shape) == 2 else f"segments of shape {shape}"

    def _fit_settings(self) -> dict[str, Any]:
        routed = self._routed("fit")
        return {**super()._fit_settings(), **routed, "callbacks": list(routed.get("callbacks", []))}

    def _check_names(self) -> None:
        if not isinstance(self.optimizer, str):
            raise TypeError(
                f"optimizer={self.optimizer!r} is not a name, but each fit needs a new optimizer. "
                'Give its name and its arguments, such as optimizer="adam", '
                "optimizer__learning_rate=0.001."
            )
        check_networks_installed("scikeras")
        super()._check_names()
        keras = import_keras()
        if taken := sorted(_OFFERED & self._routed("model").keys()):
            raise ValueError(
                f"model__{taken[0]} is given by fit; rename the argument of your function."
            )
        arguments = self._routed("optimizer")
        rate = arguments.get("learning_rate")
        if isinstance(rate, Real):
            if not 0 < float(rate) < np.inf:
                raise ValueError(f"optimizer__learning_rate={rate!r} is not a number above 0.")
            arguments["learning_rate"] = float(rate)
        try:
            type(keras.optimizers.get(self.optimizer))(**arguments)
        except (ValueError, TypeError) as error:
            given = ", ".join(f"optimizer__{name}={v!r}" for name, v in arguments.items())
            raise ValueError(
                f"optimizer={self.optimizer!r} cannot be made with {given}: {error} See "
                "https://keras.io/api/optimizers for its arguments."
            ) from error
        routed = self._routed("fit")
        unknown = sorted(routed.keys() - {*_FIT_ARGUMENTS})
        if unknown:
            raise ValueError(
                f"fit__{unknown[0]} is not an argument of the training; those are "
                f"{', '.join(f'fit__{name}' for name in _FIT_ARGUMENTS)}. A validation part is set "
                "by validation_fraction, class weights by class_weight."
            )
        validate_parameter_constraints(
            {f"fit__{name}": self._parameter_constraints.get(name, [list]) for name in routed},
            {f"fit__{name}": value for name, value in routed.items()},
            caller_name=type(self).__name__,
        )
        for callback in routed.get("callbacks", ()):
            if not isinstance(callback, keras.callbacks.Callback):
                raise TypeError(
                    f"fit__callbacks holds {callback!r} of type {type(callback).__name__}; give "
                    "instances of keras.callbacks.Callback."
                )
        if isinstance(self.model, keras.Model):
            raise TypeError(
                f"model is the {type(self.model).__name__} {self.model.name!r}, but a function "
                "that builds a model was expected, since each fit starts with a new one. Give the "
                "function that built it, or one that returns keras.models.clone_model(...)."
            )
        if not callable(self.model):
            raise TypeError(
                f"model={self.model!r} is not callable; give a function that builds a Keras model "
                "of segments, such as build(meta, units=64)."
            )

    def _build(self, seed: int) -> Callable[[], Any]:
        params = {name: self.get_params()[name] for name in ("optimizer", "loss")}
        params |= {k: v for k, v in self.get_params().items() if _is_routed(k)}
        params = {k: v for k, v in params.items() if not k.startswith("fit__")}
        if isinstance(params.get("optimizer__learning_rate"), Real):  # Keras refuses NumPy's
            params["optimizer__learning_rate"] = float(params["optimizer__learning_rate"])
        meta = {
            "segment_shape_": self.segment_shape_,
            "X_shape_": (None, *self.segment_shape_),
            "n_features_in_": self.n_features_in_,
            "classes_": self.classes_,
            "n_classes_": len(self.classes_),
        }
        return NetworkRecipe(_build_model, self.model, params, meta, keras_settings(), seed=seed)

    def _compile(self, model: Any, n_steps: int) -> tuple[Any, Loss]:
        import tensorflow as tf
        from scikeras.utils import loss_name

        n_classes = len(self.classes_)
        is_own = not isinstance(model.loss, str) and not _is_of_keras(model.loss)
        one_hot = not is_own and not loss_name(model.loss).startswith("sparse_")

        def loss(model: Any, x: Any, y: Any, proba: Any, weight: Any) -> Any:
            y = tf.one_hot(y, n_classes) if one_hot else y
            return model.compute_loss(x=x, y=y, y_pred=proba, sample_weight=weight)

        # Keras makes variables for the loss when it is first computed.
        loss(model, None, tf.zeros(1, tf.int64), tf.fill((1, n_classes), 1 / n_classes), None)
        return model.optimizer, loss


def _loss(params: dict[str, Any]) -> Any:
    """Return a loss as scikeras takes it: the class of a name if there are arguments."""
    loss = params["loss"]
    arguments = [name for name in params if name.startswith("loss__")]
    if not isinstance(loss, str):
        return loss
    keras = import_keras()
    try:
        keras.losses.get(loss)
    except ValueError as error:
        raise ValueError(
            f"loss={loss!r} is not one of the losses of Keras; see https://keras.io/api/losses."
        ) from error
    if not arguments:
        return loss
    name = loss if loss[:1].isupper() else loss.title().replace("_", "")
    if not isinstance(getattr(keras.losses, name, None), type):
        raise ValueError(
            f"loss={loss!r} takes no arguments, but {arguments[0]} is set; give the "
            "name of a class of keras.losses."
        )
    return getattr(keras.losses, name)


def _is_routed(name: str) -> bool:
    prefix, separator, rest = name.partition("__")
    return prefix in _PREFIXES and bool(separator and rest)


def _no_parameter(name: str) -> str:
    return (
        f"KerasGenreClassifier has no parameter {name!r}. Arguments of the function that builds "
        "the model begin with model__, such as model__units; those of the optimizer, the loss, "
        "Keras' compile and fit with optimizer__, loss__, compile__ and fit__."
    )


def _is_of_keras(value: Any) -> bool:
    module = getattr(value, "__module__", None) or type(value).__module__
    return module.partition(".")[0] == "keras"


def _build_model(
    function: Callable[..., Any],
    params: dict[str, Any],
    meta: dict[str, Any],
    settings: tuple[str, str, str],
    *,
    seed: int,
) -> Any:
    """Build and compile the model of a user; scikeras routes the parameters.

    Parameters
    ----------
    function : callable
        Builds the model.
    params : dict
        Optimizer, loss and routed parameters.
    meta : dict
        What ``fit`` knows.
    settings : tuple of str
        Keras' global settings at the time of ``fit``.
    seed : int
        Seed of everything that Keras or NumPy draws without a seed.
    """
    check_networks_installed("scikeras")
    import_keras()
    from scikeras.wrappers import KerasClassifier

    def build(meta: Any, compile_kwargs: Any, params: Any, **arguments: Any) -> Any:
        offered = {"meta": meta | own_meta, "compile_kwargs": compile_kwargs, "params": params}
        accepted = inspect.signature(function).parameters
        takes_all = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
        arguments |= {k: v for k, v in offered.items() if k in accepted or takes_all}
        _check_arguments(function, arguments)
        model = _checked(function, function(**arguments), own_meta)
        unused = [k for k in own_params if k.startswith(("optimizer__", "loss__", "compile__"))]
        if model.compiled and unused and not {"compile_kwargs", "params"} & arguments.keys():
            raise ValueError(
                f"{unused[0]} has no effect: model={_name(function)} compiles the model without "
                "it. Leave out its call of compile, or let it take compile_kwargs and call "
                "model.compile(**compile_kwargs)."
            )
        if not model.compiled:
            model.compile(**compile_kwargs)
        wrapper.set_params(loss=model.loss)  # else scikeras refuses another loss than ours
        return model

    own_meta, own_params = meta, params
    classes = meta["classes_"]
    # Names until here: a model file holds them, not the classes of Keras.
    wrapper = KerasClassifier(build, **{**params, "loss": _loss(params)})
    with (
        lock,
        set_keras_settings(settings),
        global_random_state_kept(seed),
        config_context(transform_output="default"),  # scikeras transforms y
    ):
        # scikeras looks at shapes and classes only.
        X = np.zeros((len(classes), *meta["segment_shape_"]), np.float32)
        return wrapper.initialize(X, classes).model_


def _check_arguments(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Refuse arguments that a function does not take, by the names of our parameters."""
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        names = inspect.signature(function).parameters
        taken = ", ".join(f"model__{name}" for name in names if name not in _OFFERED)
        raise TypeError(
            f"model={_name(function)}{inspect.signature(function)} cannot be called: {error}. The "
            f"parameters that it takes are: {taken or 'none'}."
        ) from error


def _checked(function: Callable[..., Any], model: Any, meta: dict[str, Any]) -> Any:
    """Return the model with its weights made, or refuse what is not a model of segments."""
    keras = import_keras()
    name = _name(function)
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model={name} returned {type(model).__name__}, but a keras.Model was expected: return "
            "a Sequential or functional model of segments."
        )
    if model in _MODELS:
        raise ValueError(
            f"model={name} returned the same model as before, which would change classifiers that "
            "are fitted already. Build a new model at each call."
        )
    _MODELS.add(model)
    if type(model).train_step is not keras.Model.train_step:
        raise TypeError(
            f"model={name} returned a {type(model).__name__} with a train_step of its own, which "
            "KerasGenreClassifier does not call. Put what it does into layers or a loss."
        )
    shape, n_classes = meta["segment_shape_"], meta["n_classes_"]
    try:
        segments = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
        proba = model(segments, training=False)
    except Exception as error:
        raise ValueError(
            f"model={name} returned a model that cannot be called on segments of shape {shape}: "
            f'{error} Take the shape of its input from meta["segment_shape_"].'
        ) from error
    if getattr(proba, "shape", None) != (2, n_classes):
        got = getattr(proba, "shape", type(proba).__name__)
        raise ValueError(
            f"model={name} returned a model that makes an output of shape {got} from 2 segments, "
            f"but (2, {n_classes}) was expected, a probability for each genre. End the model with "
            'Dense(meta["n_classes_"], activation="softmax").'
        )
    proba = np.asarray(proba, dtype=np.float32)
    if (proba < 0).any() or np.abs(proba.sum(axis=1) - 1).max() > 0.02:
        raise ValueError(
            f"model={name} returned a model whose output {proba[0].tolist()} is no distribution "
            'over the genres. End the model with Dense(meta["n_classes_"], activation="softmax").'
        )
    if getattr(model, "outputs", None):
        return model
    inputs = keras.Input(shape, dtype="float32")  # scikeras asks for inputs and outputs
    functional = keras.Model(inputs, model(inputs))
    if model.compiled:
        functional.compile(optimizer=model.optimizer, loss=model.loss)
    return functional


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
