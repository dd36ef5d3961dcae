"""What the classifiers have in common: validate, split by track, fit, vote."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skgenre.classifiers._batches import SegmentBatches
from skgenre.classifiers._fitted_network import Network, NetworkRecipe
from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.classifiers._training import Loss, cross_entropy, make_optimizer, train_network
from skgenre.classifiers._vote import vote
from skgenre.utils._random import draw_seeds
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._tf import import_keras
from skgenre.utils._validation import as_segments, check_features, fold_segments, unfold_segments

Builder = Callable[..., Any]


class BaseGenreClassifier(DocLinkMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Base of the classifiers whose network predicts segments and whose segments vote.

    It owns ``fit``. A subclass names the function of :mod:`skgenre.networks` that builds its
    network in ``_builder``; that function gets the constructor parameters that it takes. What
    differs further is overridden in ``_segments``, what a track is predicted by, and
    ``_training_batches``, what is learnt from where that is something else.
    """

    _builder: ClassVar[Builder]

    _parameter_constraints: dict[str, list[Any]] = {
        "activation": [str, callable],
        "negative_slope": [Interval(Real, 0, 1, closed="both")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_noise": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "optimizer": [str],
        "optimizer_params": [dict, None],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), tuple, callable],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "voting": [StrOptions({"soft", "hard", "product"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "monitor": [StrOptions({"val_loss", "val_accuracy"})],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Axes of the fullest input; 5 for images.
    _max_ndim = 4

    def __init__(
        self,
        *,
        activation,
        negative_slope,
        dropout,
        input_noise,
        l1,
        l2,
        optimizer,
        optimizer_params,
        learning_rate,
        epochs,
        batch_size,
        class_weight,
        voting,
        early_stopping,
        validation_fraction,
        monitor,
        n_iter_no_change,
        random_state,
        verbose,
    ):
        self.activation = activation
        self.negative_slope = negative_slope
        self.dropout = dropout
        self.input_noise = input_noise
        self.l1 = l1
        self.l2 = l2
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.learning_rate = learning_rate
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

    def _segments(self, X: NDArray[Any]) -> NDArray[Any]:
        """Bring checked input to (n_tracks, n_segments, ...)."""
        return as_segments(X)

    def _training_batches(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weight: NDArray[Any] | None,
        tracks: NDArray[np.intp],
    ) -> SegmentBatches:
        """Return what an epoch of training runs over, from rows of the checked input."""
        return SegmentBatches.of_tracks(self._segments(X), y, weight, tracks)

    def _validation_batches(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weight: NDArray[Any] | None,
        tracks: NDArray[np.intp],
    ) -> SegmentBatches:
        """Return what is measured after each epoch, from rows of the checked input."""
        return SegmentBatches.of_tracks(self._segments(X), y, weight, tracks)

    def _describe(self, shape: tuple[int, ...]) -> str:
        """Name the shape of a segment, for messages."""
        return f"segments of {shape[0]} frames x {shape[1]} features"

    def _build(self, seed: int) -> Callable[[], Any]:
        """Return the function without arguments that builds the network."""
        builder = type(self)._builder
        names = inspect.signature(builder).parameters
        params = {name: value for name, value in self.get_params(False).items() if name in names}
        return NetworkRecipe(builder, self.segment_shape_, len(self.classes_), **params, seed=seed)

    def _compile(self, model: Any, n_steps: int) -> tuple[Any, Loss]:
        """Return the optimizer and the loss for a training of ``n_steps`` steps."""
        optimizer = make_optimizer(
            self.optimizer, self.learning_rate, self.optimizer_params, n_steps
        )
        return optimizer, cross_entropy

    def _fit_settings(self) -> dict[str, Any]:
        """Return epochs, batch size, verbosity and Keras callbacks of the training."""
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "verbose": int(self.verbose),
            "callbacks": [],
        }

    def _check_device(self) -> None:
        """Refuse a tf.distribute strategy of several devices."""
        import tensorflow as tf

        strategy = tf.distribute.get_strategy()
        if strategy.num_replicas_in_sync > 1:
            raise RuntimeError(
                f"{type(self).__name__}.fit was called in the scope of {type(strategy).__name__} "
                f"with {strategy.num_replicas_in_sync} devices, but it trains on one. Call fit "
                "outside of the scope, or use a strategy of one device."
            )

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network on the segments of the tracks.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features; 3-D means one segment a track, 2-D one sequence of single values.
            A classifier of images takes (n_tracks, n_segments, height, width, channels).
        y : array-like of shape (n_tracks,)
            Genre of each track: strings or integers.
        sample_weight : array-like of shape (n_tracks,), default=None
            Weight of each track; all of its segments carry it. Tracks of weight 0 take
            no part.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If the input is of a wrong shape or not finite, if there is only one genre, or
            if a genre has too few tracks for the validation part, or if training diverges.
        """
        X = check_features(self, X, reset=True, max_ndim=self._max_ndim)
        y = check_target(self, X, y)
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        self._check_names()
        self._check_device()
        self.classes_, codes = np.unique(y, return_inverse=True)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            if not (np.isfinite(by_class) & (by_class >= 0)).all():
                raise ValueError(
                    f"class_weight={self.class_weight!r} has weights that are negative or not "
                    "finite; give numbers from 0 up."
                )
            weight = by_class if weight is None else weight * by_class
        used, weight = self._weighted(codes, weight)
        split_seed, network_seed, order_seed = draw_seeds(self.random_state, 3)
        train, held_out = self._split(codes[used], split_seed)
        # Tracks are selected by their rows, without a copy of X, which may be mapped from a file.
        tracks = used if train is None else used[train]
        training = self._training_batches(X, codes, weight, tracks)
        self.segment_shape_ = training.row_shape
        validation = None
        if held_out is not None:
            validation = self._validation_batches(X, codes, weight, used[held_out])

        settings = self._fit_settings()
        context = self._init_callback_context(max_subtasks=settings["epochs"])
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self.network_, self.history_ = train_network(
            self._build(network_seed),
            training,
            validation,
            compile_model=self._compile,
            learning_rate=getattr(self, "learning_rate", None),
            patience=self.n_iter_no_change if self.early_stopping else None,
            monitor=self.monitor,
            on_epoch=_EpochTasks(self, context, X, y),
            seed=order_seed,
            **settings,
        )
        self.n_iter_ = len(self.history_["loss"])
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=dict)
        return self

    def predict_segment_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the genre probabilities of each segment, before any vote.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, or images as for ``fit``; the number of segments may differ from that
            in ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes), float32
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        X = check_features(self, X, reset=False, max_ndim=self._max_ndim)
        segments = self._segments(X)
        if segments.shape[2:] != self.segment_shape_:
            raise ValueError(
                f"X has {self._describe(segments.shape[2:])}, but {type(self).__name__} was "
                f"fitted on {self._describe(self.segment_shape_)}. Cut segments of the same "
                "duration and extract the same features as in fit."
            )
        proba = self.network_.predict_proba(fold_segments(segments))
        return unfold_segments(proba, len(segments))

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the genre probabilities of each track: the vote of its segments.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features or images, as for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes), float32
            Rows sum to one; columns in the order of ``classes_``.
        """
        return vote(self.predict_segment_proba(X), self.voting)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the genre of each track: the most probable one after the vote.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features or images, as for ``fit``.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to ``fit``.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def _check_names(self) -> None:
        """Refuse names that Keras does not know, before any computation."""
        keras = import_keras()
        for parameter, registry in (("activation", "activations"), ("optimizer", "optimizers")):
            name = getattr(self, parameter, None)
            try:
                getattr(keras, registry).get(name)
            except (ValueError, TypeError) as error:
                raise ValueError(
                    f"{parameter}={name!r} is not one of the {registry} of Keras; see "
                    f"https://keras.io/api for their names."
                ) from error
        rate = getattr(self, "learning_rate", None)
        if isinstance(rate, tuple) and not (
            len(rate) == 2 and all(isinstance(r, Real) and 0 <= float(r) < np.inf for r in rate)
        ):
            raise ValueError(
                f"learning_rate={rate!r} is neither a number nor a pair (first, last) of "
                "non-negative numbers."
            )

    def _weighted(
        self, codes: NDArray[Any], weight: NDArray[Any] | None
    ) -> tuple[NDArray[np.intp], NDArray[Any] | None]:
        """Return the tracks whose weight is not 0, and weights that have a mean of 1 on them."""
        used = np.arange(len(codes))
        if weight is not None:
            used = np.flatnonzero(weight)
            if not len(used):
                raise ValueError(
                    "All sample weights are zero: no track is left to train on. Check "
                    "sample_weight and class_weight."
                )
            weight = (weight / weight[used].mean()).astype(np.float32)
        check_two_classes(self, self.classes_[np.unique(codes[used])])
        return used, weight

    def _split(
        self, codes: NDArray[Any], seed: int
    ) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
        """Take the validation part by track: shuffled, every genre on both sides."""
        fraction = self.validation_fraction
        if fraction is None:
            if not self.early_stopping:
                return None, None
            fraction = 0.1
        used, counts = np.unique(codes, return_counts=True)
        if counts.min() < 2:
            poorest = self.classes_.tolist()[used[counts.argmin()]]
            raise ValueError(
                f"Class {poorest!r} has only 1 track, but the validation part needs one of each "
                "class beside the training part. Give it more tracks, or set "
                "early_stopping=False and validation_fraction=None."
            )
        # Genre by genre: StratifiedShuffleSplit may leave a rare one out of either part.
        rng = np.random.default_rng(seed)
        held_out = np.zeros(len(codes), dtype=bool)
        for code, count in zip(used, counts, strict=True):
            n_held_out = np.clip(round(fraction * count), 1, count - 1)
            held_out[rng.choice(np.flatnonzero(codes == code), n_held_out, replace=False)] = True
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class _EpochTasks:
    """Reports the epochs of one fit to scikit-learn's callbacks."""

    def __init__(self, estimator: BaseGenreClassifier, context: Any, X: Any, y: Any):
        self.estimator = estimator
        self.context = context
        self.data = {"X": X, "y": y}
        self.task: Any = None

    def __call__(self, moment: str, network: Network) -> bool:
        if moment == "begin":
            self.task = self.context.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
            return False
        return self.task.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes=lambda: {"network_": network.snapshot()},
        )
