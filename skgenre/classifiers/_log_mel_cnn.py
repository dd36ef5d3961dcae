"""The convolutional network that learns from random crops of a log-mel spectrogram."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre import networks
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._batches import RandomCropBatches, SegmentBatches
from skgenre.classifiers._docs import document_training
from skgenre.classifiers._training import Loss, cross_entropy, make_optimizer
from skgenre.utils._tf import import_keras

# Minimum of steps in an epoch: small sets need many crops of each track.
_MIN_STEPS = 30


@document_training
class LogMelCNNGenreClassifier(BaseGenreClassifier):
    """Convolutional network over random crops of a track's log-mel spectrogram.

    It learns from whole tracks in decibels, such as :class:`MelSpectrogramExtractor` makes
    of unsegmented audio: of each band its mean over the track is taken away, so that neither
    the loudness nor the tone of a recording counts, and each step of training draws crops
    anew. The weights that predict are a moving average over the training. A track is
    predicted by several crops spread over it.

    Parameters
    ----------
    crop_frames : int, default=128
        Frames of a crop. A shorter track starts again from its beginning.
    n_crops : int, default=5
        Crops by which a track is predicted, spread evenly over it.
    floor : float or None, default=-80.0
        Decibels to which quieter values are raised. None takes the values as they are.
    center_bands : bool, default=True
        Whether each band's mean over the track is taken away; the rest is divided by 10.
        False leaves the values as they are.
    balance : float, default=0.5
        Share of the crops in training for which a genre is drawn first, all alike, and then
        a track of it; the others are of tracks drawn evenly.
    freq_mask_param : int, default=10
        Neighbouring mel bands of each crop are set to zero in training; their number is
        drawn from 0 up to below this one.
    time_mask_param : int, default=20
        The same for neighbouring frames.
    steps_per_epoch : int or None, default=None
        Steps in an epoch. None means as many as there are batches of tracks, and at least
        30.
    warmup_steps : int, default=100
        Steps in which a constant ``learning_rate`` is reached from 0, at most a tenth of
        all; it falls to 0 by a half cosine over the others. 0 begins with it.
    averaging : float, default=0.99
        Momentum of the moving average of the weights; lower where it would look back on
        more than a ninth of the training. 0 keeps the last weights.
    filters : tuple of int, default=(24, 48, 96, 128)
        Filters of each convolution.
    kernel_sizes : int or tuple of int or of (int, int), default=(5, 3, 3, 3)
        Kernel of each convolution, over (frames, bands).
    strides : int or tuple of int or of (int, int), default=(2, 1, 1, 1)
        Strides of each convolution.
    pool_sizes : int or tuple of int or of (int, int), default=(2, 2, (1, 2), 1)
        Pooling window of each block.
    batch_norm_momentum : float, default=0.9
        Momentum of the averages that batch normalisation uses in prediction.
    %(activation)s
    dropout : float, default=0.5
        Share of the means and maxima over time that are left out in training.
    %(training)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    skgenre.networks.build_log_mel_cnn : Builds the network.
    GenreClassifier : Has it as a member.

    Notes
    -----
    An epoch is ``steps_per_epoch`` steps, not a round over the data. The validation part is
    measured on ``n_crops`` crops a track; the moving average comes into force at the end of
    the training, so that what is measured in between are the weights of the moment. With
    ``early_stopping`` the best of those return, and no average.

    Masks in time and frequency are those of [1]_; the moving average is that of [2]_.

    References
    ----------
    .. [1] D. S. Park et al., "SpecAugment: a simple data augmentation method for automatic
       speech recognition", Interspeech 2019.
    .. [2] B. T. Polyak and A. B. Juditsky, "Acceleration of stochastic approximation by
       averaging", SIAM Journal on Control and Optimization, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import LogMelCNNGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "loud"], 8)
    >>> X = rng.normal(size=(16, 60, 8))  # 16 tracks of 60 frames
    >>> X[y == "loud", ::4] += 30  # a beat
    >>> model = LogMelCNNGenreClassifier(crop_frames=16, epochs=1, random_state=0)
    >>> model.fit(X, y).predict(X[[0, -1]])
    array(['calm', 'loud'], dtype='<U4')
    """

    _builder = staticmethod(networks.build_log_mel_cnn)

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseGenreClassifier._parameter_constraints,
        "crop_frames": [Interval(Integral, 1, None, closed="left")],
        "n_crops": [Interval(Integral, 1, None, closed="left")],
        "floor": [Real, None],
        "center_bands": ["boolean"],
        "balance": [Interval(Real, 0, 1, closed="both")],
        "freq_mask_param": [Interval(Integral, 0, None, closed="left")],
        "time_mask_param": [Interval(Integral, 0, None, closed="left")],
        "steps_per_epoch": [Interval(Integral, 1, None, closed="left"), None],
        "warmup_steps": [Interval(Integral, 0, None, closed="left")],
        "averaging": [Interval(Real, 0, 1, closed="left")],
        "filters": ["array-like"],
        "kernel_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "strides": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pool_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        crop_frames=128,
        n_crops=5,
        floor=-80.0,
        center_bands=True,
        balance=0.5,
        freq_mask_param=10,
        time_mask_param=20,
        steps_per_epoch=None,
        warmup_steps=100,
        averaging=0.99,
        filters=(24, 48, 96, 128),
        kernel_sizes=(5, 3, 3, 3),
        strides=(2, 1, 1, 1),
        pool_sizes=(2, 2, (1, 2), 1),
        batch_norm_momentum=0.9,
        activation="relu",
        negative_slope=0.05,
        dropout=0.5,
        input_noise=0.0,
        l1=0.0,
        l2=0.0,
        optimizer="adamw",
        optimizer_params=None,
        learning_rate=3e-3,
        epochs=30,
        batch_size=32,
        class_weight=None,
        voting="product",
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
        self.crop_frames = crop_frames
        self.n_crops = n_crops
        self.floor = floor
        self.center_bands = center_bands
        self.balance = balance
        self.freq_mask_param = freq_mask_param
        self.time_mask_param = time_mask_param
        self.steps_per_epoch = steps_per_epoch
        self.warmup_steps = warmup_steps
        self.averaging = averaging
        self.filters = filters
        self.kernel_sizes = kernel_sizes
        self.strides = strides
        self.pool_sizes = pool_sizes
        self.batch_norm_momentum = batch_norm_momentum

    def _segments(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the crops by which tracks are predicted, those of each segment in order."""
        X = self._normalize(X)
        n_tracks, n_segments, n_frames, n_mels = X.shape
        starts = np.linspace(0, n_frames - self.crop_frames, self.n_crops).round().astype(int)
        crops = np.stack([X[:, :, start : start + self.crop_frames] for start in starts], axis=2)
        return crops.reshape(n_tracks, n_segments * self.n_crops, self.crop_frames, n_mels)

    def _training_batches(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weight: NDArray[Any] | None,
        tracks: NDArray[np.intp],
    ) -> RandomCropBatches:
        X, y, weight = _select(tracks, X, y, weight)
        X = self._normalize(X)
        n_steps = max(_MIN_STEPS, -(-X.shape[0] * X.shape[1] // self.batch_size))
        return RandomCropBatches.of_tracks(
            X,
            y,
            weight,
            crop_frames=int(self.crop_frames),
            n_drawn=(self.steps_per_epoch or n_steps) * self.batch_size,
            balance=self.balance,
            mask_features=self.freq_mask_param,
            time_mask_param=self.time_mask_param,
        )

    def _validation_batches(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weight: NDArray[Any] | None,
        tracks: NDArray[np.intp],
    ) -> SegmentBatches:
        X, y, weight = _select(tracks, X, y, weight)
        return SegmentBatches.of_tracks(self._segments(X), y, weight)

    def _normalize(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the tracks, long enough for a crop: (n_tracks, n_segments, ...)."""
        X = super()._segments(X)  # (n_tracks, n_segments, n_frames, n_mels)
        if self.floor is not None:
            X = np.maximum(X, np.float32(self.floor))
        if self.center_bands:
            means = X.mean(axis=2, keepdims=True)
            X = np.subtract(X, means, out=None if self.floor is None else X)
            X /= np.float32(10)
        n_frames = X.shape[2]
        if n_frames < self.crop_frames:
            X = X.take(np.arange(self.crop_frames) % n_frames, axis=2)
        return X

    def _compile(self, model: Any, n_steps: int) -> tuple[Any, Loss]:
        rate = self.learning_rate
        if isinstance(rate, Real):
            keras = import_keras()
            warmup = min(self.warmup_steps, n_steps // 10)
            rate = keras.optimizers.schedules.CosineDecay(
                0.0 if warmup else float(rate),
                n_steps - warmup,
                warmup_target=float(rate) if warmup else None,
                warmup_steps=warmup,
            )
        params: dict[str, Any] = {"weight_decay": 0.01} if self.optimizer == "adamw" else {}
        if self.averaging and not self.early_stopping:
            # A short training would end with the average still near its beginning.
            momentum = min(float(self.averaging), max(0.0, 1 - 9 / n_steps))
            params |= {"use_ema": True, "ema_momentum": momentum}
        params |= self.optimizer_params or {}
        return make_optimizer(self.optimizer, rate, params, n_steps), cross_entropy


def _select(tracks: NDArray[np.intp], *columns: Any) -> list[Any]:
    """Select tracks, each of which is named once."""
    return [c if c is None or len(tracks) == len(c) else c[tracks] for c in columns]
