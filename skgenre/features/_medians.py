"""The median filter that separates harmonic from percussive sound."""

from __future__ import annotations

import numpy as np

from skgenre.features._spectral_kernel import Float, compiled_shapes

_SIZE = 31  # values that a median is taken of


def median_along_columns(array: Float) -> Float:
    """Replace each value by the median of 31 around it in its column, mirrored at the ends.

    Parameters
    ----------
    array : ndarray of shape (n, n_columns), float32
        The values.

    Returns
    -------
    medians : ndarray of shape (n, n_columns), float32
        Their medians.
    """
    half = _SIZE // 2
    compiled = compiled_shapes()
    if compiled is not None:
        out = np.empty(array.shape, dtype=np.float32)
        compiled.median_along_columns(np.ascontiguousarray(array), half, out)
        return out
    # SciPy's filter is fast in one dimension and many times slower in two, so the columns are
    # joined, padded enough that they do not mix. It holds Python's lock, which makes tracks in
    # other threads wait.
    from scipy.ndimage import median_filter

    line = np.pad(array.T, ((0, 0), (half, half)), mode="symmetric")
    filtered = median_filter(line.reshape(-1), size=_SIZE, mode="nearest")
    return np.ascontiguousarray(filtered.reshape(line.shape)[:, half:-half].T)
