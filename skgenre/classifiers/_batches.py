"""Training data, handed to TensorFlow a few mini-batches at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._validation import fold_segments


class SegmentBatches:
    """Segments with their classes and weights.

    Rows are selected when their turn comes, so that neither this class nor TensorFlow holds a copy
    of all. Segments that are mapped from a file are read then.

    Parameters
    ----------
    segments : ndarray of shape (n, ...)
        Segments.
    classes : ndarray of shape (n,)
        Their classes, encoded as 0 .. n_classes - 1.
    weights : ndarray of shape (n,) or None, default=None
        Their weights.
    selected : ndarray of shape (n_selected,), int, or None, default=None
        The segments that take part; None means all.
    """

    def __init__(
        self,
        segments: NDArray[Any],
        classes: NDArray[Any],
        weights: NDArray[Any] | None = None,
        selected: NDArray[np.intp] | None = None,
    ):
        self.columns = (segments, classes) if weights is None else (segments, classes, weights)
        self.selected = np.arange(len(segments)) if selected is None else selected
        self.rows = self.selected

    @classmethod
    def of_tracks(
        cls,
        segments: NDArray[Any],
        classes: NDArray[Any],
        weights: NDArray[Any] | None = None,
        tracks: NDArray[np.intp] | None = None,
        **params: Any,
    ) -> Self:
        """Give each segment of (n_tracks, n_segments, ...) its track's class and weight.

        ``tracks`` are those whose segments take part; None means all.
        """
        n_segments = segments.shape[1]
        if tracks is not None:
            of_tracks = tracks[:, np.newaxis] * n_segments + np.arange(n_segments)
            params["selected"] = of_tracks.ravel()
        return cls(
            np.ascontiguousarray(fold_segments(segments)),
            np.repeat(classes, n_segments),
            None if weights is None else np.repeat(weights, n_segments),
            **params,
        )

    def __len__(self) -> int:
        """Return the number of rows in an epoch."""
        return len(self.rows)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a segment as the network sees it."""
        return self.columns[0].shape[1:]

    @property
    def signature(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """The shape and the type of a row of each column."""
        shapes = [self.row_shape, *(column.shape[1:] for column in self.columns[1:])]
        types = [column.dtype.name for column in self.columns]
        return tuple(zip(shapes, types, strict=True))

    def shuffle(self, seed: int, epoch: int) -> None:
        """Draw the order of an epoch without a global generator."""
        import tensorflow as tf

        places = tf.range(len(self.selected))
        order = tf.random.experimental.stateless_shuffle(places, seed=[seed, epoch + 1])
        self.rows = self.selected[order.numpy()]

    def chunks(self, n_rows: int) -> Iterator[tuple[NDArray[Any], ...]]:
        """Yield the columns of an epoch, ``n_rows`` rows at a time."""
        for start in range(0, len(self), n_rows):
            yield self._take(slice(start, start + n_rows))

    def _take(self, places: slice) -> tuple[NDArray[Any], ...]:
        rows = self.rows[places]
        return tuple(column[rows] for column in self.columns)


class RandomCropBatches(SegmentBatches):
    """Random crops of tracks, drawn anew for each epoch.

    Parameters
    ----------
    tracks : ndarray of shape (n_tracks, n_frames, n_features), float32
        The tracks; at least ``crop_frames`` frames.
    classes : ndarray of shape (n_tracks,)
        Their classes.
    weights : ndarray of shape (n_tracks,) or None, default=None
        Their weights.
    crop_frames : int
        Frames of a crop.
    n_drawn : int
        Crops in an epoch.
    balance : float
        Share of the crops for which a class is drawn first, all with equal probability, and
        then a track of it; the other crops are of tracks drawn evenly.
    mask_features, time_mask_param : int
        In each crop a band of neighbouring features, and one of neighbouring frames, is set
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
        self.tracks_of_class = [np.flatnonzero(classes == c) for c in np.unique(classes)]

    def __len__(self) -> int:
        """Return the number of crops in an epoch."""
        return self.n_drawn

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a crop."""
        return (self.crop_frames, *self.columns[0].shape[2:])

    def shuffle(self, seed: int, epoch: int) -> None:
        """Draw the tracks, positions and masks of an epoch."""
        rng = np.random.default_rng([seed, epoch])
        n_tracks, n_frames, n_features = self.columns[0].shape
        rows = rng.integers(n_tracks, size=self.n_drawn)
        for i in np.flatnonzero(rng.random(self.n_drawn) < self.balance):
            rows[i] = rng.choice(self.tracks_of_class[rng.integers(len(self.tracks_of_class))])
        self.rows = rows
        self.starts = rng.integers(n_frames - self.crop_frames + 1, size=self.n_drawn)
        self.bands = [
            self._draw_bands(rng, length, width)
            for length, width in zip((self.crop_frames, n_features), self.masks, strict=True)
        ]

    def _draw_bands(self, rng: np.random.Generator, length: int, width: int) -> NDArray[np.intp]:
        """Draw where the band of each crop begins and ends: (n_drawn, 2)."""
        widths = rng.integers(max(1, min(width, length)), size=self.n_drawn)
        firsts = rng.integers(length - widths + 1)
        return np.stack([firsts, firsts + widths], axis=1)

    def _take(self, places: slice) -> tuple[NDArray[Any], ...]:
        tracks, *others = self.columns
        rows = self.rows[places]
        crops = np.empty((len(rows), *self.row_shape), dtype=np.float32)
        drawn = zip(rows, self.starts[places], *(band[places] for band in self.bands), strict=True)
        for crop, (row, first, frames, features) in zip(crops, drawn, strict=True):
            crop[:] = tracks[row, first : first + self.crop_frames]
            crop[slice(*frames)] = 0
            crop[:, slice(*features)] = 0
        return (crops, *(column[rows] for column in others))
