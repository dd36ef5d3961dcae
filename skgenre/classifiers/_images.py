"""What the classifiers of images have in common: the shapes they take."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.utils._validation import as_segments


class BaseImageClassifier(BaseGenreClassifier):
    """Base of the classifiers whose network predicts images."""

    _max_ndim = 5

    def _segments(self, X: NDArray[Any]) -> NDArray[Any]:
        return as_images(X)

    def _describe(self, shape: tuple[int, ...]) -> str:
        height, width, channels = shape
        return f"images of {height} x {width} pixels with {channels} channel{'s'[: channels != 1]}"


def as_images(X: NDArray[Any]) -> NDArray[Any]:
    """Bring images of 2 to 5 dimensions to (n_tracks, n_segments, height, width, channels).

    Fewer axes mean what they mean for features: a 4-D row is one image, a 3-D row one image
    of a single channel, a 2-D row one column of pixels.

    Parameters
    ----------
    X : ndarray of 2 to 5 dimensions
        Images, checked before.

    Returns
    -------
    X : ndarray of shape (n_tracks, n_segments, height, width, channels)
        A view.

    Raises
    ------
    ValueError
        If a 4-D array cannot be images because its last axis is too long for channels.
    """
    if X.ndim < 4:
        return as_segments(X)[..., None]  # one channel
    if X.ndim == 5:
        return X
    if X.shape[3] > 4:
        raise ValueError(
            f"X of shape {X.shape} would be {X.shape[0]} images of {X.shape[1]} x {X.shape[2]} "
            f"pixels with {X.shape[3]} channels, one a track. If it is (n_tracks, n_segments, "
            "height, width), such as a spectrogram, add the axis of channels: "
            "X[..., np.newaxis]."
        )
    return X[:, None]  # (n_tracks, 1, height, width, channels)
