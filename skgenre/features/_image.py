"""Images of spectrograms, for networks that were made for photographs."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.base import TrackTransformer
from skgenre.utils._validation import as_segments, check_features

# Colours (red, green and blue, up to 255) at equal distances from the lowest value to the
# highest: a few points of the colour maps of these names, which are in the public domain.
_COLORMAPS = {
    "magma": (
        (0, 0, 4),
        (29, 17, 71),
        (81, 18, 124),
        (131, 38, 129),
        (183, 55, 121),
        (230, 81, 98),
        (252, 137, 97),
        (254, 196, 136),
        (252, 253, 191),
    ),
    "viridis": (
        (68, 1, 84),
        (71, 45, 123),
        (59, 82, 139),
        (44, 114, 142),
        (33, 145, 140),
        (40, 174, 128),
        (94, 201, 98),
        (173, 220, 48),
        (253, 231, 37),
    ),
    "gray": ((0, 0, 0), (255, 255, 255)),
}
_LEVELS = 256  # shades of a colour map


class SpectrogramImage(TrackTransformer):
    """Draw the spectrogram of each segment as a coloured image.

    It follows an extractor of decibels, such as ``MelSpectrogramExtractor``. Time runs to the
    right and frequency upwards: row 0 is the highest band. The spectrogram is resized to the
    image, its values are scaled to the range from 0 to 1 and mapped to colours.

    Parameters
    ----------
    height : int, default=256
        Rows of the image.
    width : int, default=256
        Columns of the image.
    colormap : {"magma", "viridis", "gray"}, default="magma"
        Colours from the lowest value to the highest. In all three, higher is lighter.
    vmin : float or None, default=None
        Value of the first colour, in the unit of the spectrogram; lower values get the same
        colour. None means the minimum of the segment.
    vmax : float or None, default=None
        Value of the last colour; higher values get the same colour. None means the maximum
        of the segment.

    See Also
    --------
    MelSpectrogramExtractor : Computes the decibels to draw.

    Notes
    -----
    [1]_ draws 96 mel bands as images of 256 x 256 with three channels. It does not name the
    colours; its plotting library uses "magma" for decibels of one sign. Nor does it say how
    values map to colours. With None each image uses all colours, and the loudness of a segment
    is lost; fixed values, such as ``vmin=-80`` and ``vmax=40``, keep it.

    The spectrogram is resized by linear interpolation between the centres of pixels. Where the
    image is smaller, the interpolating triangle widens with the pixels, so that no frame is
    skipped. A segment of one value (silence) gets the first colour.

    References
    ----------
    .. [1] N. Kumar, "Music Genre Classification using CNN and RNN-LSTM", 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgenre import MelSpectrogramExtractor, SpectrogramImage
    >>> segments = np.random.default_rng(0).normal(size=(2, 3, 22050))
    >>> drawing = make_pipeline(MelSpectrogramExtractor(), SpectrogramImage())
    >>> images = drawing.fit_transform(segments)
    >>> images.shape  # tracks, segments, rows, columns, channels
    (2, 3, 256, 256, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "height": [Interval(Integral, 1, None, closed="left")],
        "width": [Interval(Integral, 1, None, closed="left")],
        "colormap": [StrOptions(set(_COLORMAPS))],
        "vmin": [Interval(Real, None, None, closed="neither"), None],
        "vmax": [Interval(Real, None, None, closed="neither"), None],
    }

    def __init__(self, *, height=256, width=256, colormap="magma", vmin=None, vmax=None):
        self.height = height
        self.width = width
        self.colormap = colormap
        self.vmin = vmin
        self.vmax = vmax

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Draw each segment.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_bands)
            Spectrograms, in decibels; 3-D means one segment a track.

        Returns
        -------
        Xt : ndarray of shape (n_tracks, n_segments, height, width, 3), float32
            Red, green and blue in [0, 1].

        Raises
        ------
        ValueError
            If a value is not finite, or ``vmin`` is not below ``vmax``.
        """
        return super().transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the last axis.

        Parameters
        ----------
        input_features : None
            Present by convention: bands become rows of the image.

        Returns
        -------
        names : ndarray of shape (3,), str objects
            "red", "green" and "blue".
        """
        return np.array(["red", "green", "blue"], dtype=object)

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.vmin is not None and self.vmax is not None and self.vmin >= self.vmax:
            raise ValueError(
                f"vmin={self.vmin} must be below vmax={self.vmax}; they are the values of the "
                "first and the last colour."
            )

    def _check_track(self, track: Any, name: str) -> NDArray[np.float32]:
        X = np.asarray(track)[np.newaxis]
        return as_segments(check_features(self, X, reset=False, name=name))[0]

    def transform_track(self, track: Any, name: str) -> NDArray[np.float32]:
        track = self._check_track(track, name)
        _, n_frames, n_bands = track.shape
        rows = _resizing(n_bands, int(self.height))[::-1]  # the highest band on top
        columns = _resizing(n_frames, int(self.width))
        colours = _colours(self.colormap)
        image = np.empty((len(track), len(rows), len(columns), 3), dtype=np.float32)
        for segment, out in zip(track, image, strict=True):
            resized = rows @ segment.T @ columns.T  # (height, width)
            np.take(colours, self._levels(resized, segment), axis=0, out=out)
        return image

    def _levels(
        self, resized: NDArray[np.float32], segment: NDArray[np.float32]
    ) -> NDArray[np.intp]:
        """Return the shade of each pixel, as its number."""
        low = np.float32(segment.min() if self.vmin is None else self.vmin)
        high = np.float32(segment.max() if self.vmax is None else self.vmax)
        if low >= high:  # a constant segment, or all values at or beyond the given end
            return np.full(resized.shape, 0 if self.vmax is None else _LEVELS - 1, dtype=np.intp)
        unit = (np.clip(resized, low, high) - low) / (high - low)
        return np.minimum(unit * _LEVELS, _LEVELS - 1).astype(np.intp)


@lru_cache(maxsize=64)
def _resizing(n_in: int, n_out: int) -> NDArray[np.float32]:
    """Return the matrix (n_out, n_in) that interpolates an axis between centres of pixels."""
    scale = n_in / n_out
    centres = (np.arange(n_out) + 0.5) * scale - 0.5  # of the new pixels, in old pixels
    distances = np.abs(np.arange(n_in) - centres[:, np.newaxis])
    weights = np.maximum(1 - distances / max(scale, 1.0), 0)
    # Near the edges the weights sum to less than 1; dividing by the sum repeats the edge.
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = weights.astype(np.float32)
    matrix.flags.writeable = False  # the cache hands out one array
    return matrix


@lru_cache(maxsize=8)
def _colours(name: str) -> NDArray[np.float32]:
    """Return the shades of a colour map: (n_levels, 3), in [0, 1]."""
    anchors = np.array(_COLORMAPS[name]) / 255
    at = np.linspace(0, 1, len(anchors))
    levels = np.linspace(0, 1, _LEVELS)
    table = np.stack([np.interp(levels, at, channel) for channel in anchors.T], axis=1)
    table = table.astype(np.float32)
    table.flags.writeable = False  # the cache hands out one array
    return table
