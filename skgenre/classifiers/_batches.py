"""The rows of a training set, handed to TensorFlow some at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class SegmentBatches:
    """Segments with their classes and weights.

    Keras' training loop goes over positions only. The rows are picked when their turn
    comes, so that TensorFlow never holds a copy of them all.

    Parameters
    ----------
    *columns : ndarray or None
        Segments, classes and weights; those that are None are left out.
    n_at_once : int, default=1
        SegmentBatches for one call into TensorFlow.
    """

    def __init__(self, *columns: NDArray[Any] | None, n_at_once: int = 1):
        self.columns = [column for column in columns if column is not None]
        self.n_at_once = n_at_once
        self.order = np.arange(len(self.columns[0]))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a segment as the network sees it."""
        return self.columns[0].shape[1:]

    def __len__(self) -> int:
        """Return the number of rows in an epoch."""
        return len(self.order)

    def shuffle(self, seed: int, epoch: int, logs: Any = None) -> None:
        """Draw the order of an epoch; Keras' own shuffling draws from a global generator."""
        import tensorflow as tf

        rows = tf.range(len(self.order))
        self.order = tf.random.experimental.stateless_shuffle(rows, seed=[seed, epoch + 1]).numpy()

    def take(self, start: int) -> tuple[NDArray[Any], ...]:
        """Return the columns of the rows from a position on, as many as go together."""
        rows = self.order[start : start + self.n_at_once]
        return tuple(column[rows] for column in self.columns)

    def positions(self) -> Any:
        """Return the data set of positions in the order, one for each call."""
        import tensorflow as tf

        return tf.data.Dataset.range(0, len(self), self.n_at_once)

    @property
    def signature(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """The shape and the type of a row of each column."""
        shapes = [self.row_shape, *(column.shape[1:] for column in self.columns[1:])]
        types = [column.dtype.name for column in self.columns]
        return tuple(zip(shapes, types, strict=True))

    def trace(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Trace a function for columns like these, any number of rows at once."""
        import tensorflow as tf

        signature = [tf.TensorSpec((None, *shape), dtype) for shape, dtype in self.signature]
        return tf.function(function, input_signature=signature, autograph=False)


class RandomCropBatches(SegmentBatches):
    """Random crops of tracks, drawn anew for each epoch.

    Parameters
    ----------
    tracks : ndarray of shape (n_tracks, n_frames, n_features), float32
        The tracks; at least ``crop_frames`` frames.
    classes : ndarray of shape (n_tracks,)
        Their classes.
    weights : ndarray of shape (n_tracks,) or None
        Their weights.
    crop_frames : int
        Frames of a crop.
    n_drawn : int
        Crops in an epoch.
    balance : float
        Share of the crops whose class is drawn first, all classes alike, and then a track
        of it; the other crops are of tracks drawn evenly.
    mask_features, time_mask_param : int
        Each crop has a band of neighbouring features, and one of neighbouring frames, set
        to zero; their widths are drawn evenly from 0 up to below these numbers.
    """

    def __init__(
        self,
        tracks: NDArray[np.float32],
        classes: NDArray[np.integer[Any]],
        weights: NDArray[np.float32] | None = None,
        *,
        crop_frames: int,
        n_drawn: int,
        balance: float,
        mask_features: int,
        time_mask_param: int,
    ):
        super().__init__(tracks, classes, weights)
        self.crop_frames = crop_frames
        self.n_drawn = n_drawn
        self.balance = balance
        self.masks = (time_mask_param, mask_features)
        self.of_class = [np.flatnonzero(classes == c) for c in np.unique(classes)]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a crop."""
        return (self.crop_frames, *self.columns[0].shape[2:])

    def __len__(self) -> int:
        """Return the number of crops in an epoch."""
        return self.n_drawn

    def shuffle(self, seed: int, epoch: int, logs: Any = None) -> None:
        """Draw tracks, places and masks of an epoch."""
        rng = np.random.default_rng([seed, epoch])
        n_tracks, n_frames, n_features = self.columns[0].shape
        rows = rng.integers(n_tracks, size=self.n_drawn)
        for i in np.flatnonzero(rng.random(self.n_drawn) < self.balance):
            rows[i] = rng.choice(self.of_class[rng.integers(len(self.of_class))])
        self.order = rows
        self.starts = rng.integers(n_frames - self.crop_frames + 1, size=self.n_drawn)
        self.bands = [
            self._draw_bands(rng, length, width)
            for length, width in zip((self.crop_frames, n_features), self.masks, strict=True)
        ]

    def _draw_bands(self, rng: np.random.Generator, length: int, width: int) -> NDArray[np.intp]:
        """Draw first and last place of a band for each crop: (n_drawn, 2)."""
        widths = rng.integers(max(1, min(width, length)), size=self.n_drawn)
        firsts = rng.integers(length - widths + 1)
        return np.stack([firsts, firsts + widths], axis=1)

    def take(self, start: int) -> tuple[NDArray[Any], ...]:
        """Return crops with their classes and weights."""
        some = slice(start, start + self.n_at_once)
        tracks, *others = self.columns
        rows = self.order[some]
        crops = np.empty((len(rows), *self.row_shape), dtype=np.float32)
        places = zip(rows, self.starts[some], *(bands[some] for bands in self.bands), strict=True)
        for crop, (row, first, frames, features) in zip(crops, places, strict=True):
            crop[:] = tracks[row, first : first + self.crop_frames]
            crop[slice(*frames)] = 0
            crop[:, slice(*features)] = 0
        return (crops, *(column[rows] for column in others))
