"""The triangular filters of mel bands, equal to those of librosa.

librosa computes the same values, but takes a second to import and brings numba with it.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

# Slaney's mel scale: linear up to 1000 Hz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def mel_filters(
    *,
    sampling_rate: float,
    n_fft: int,
    n_mels: int,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
) -> NDArray[np.float32]:
    """Return the weight of each bin of a spectrum in each mel band.

    Parameters
    ----------
    sampling_rate : float
        In Hz.
    n_fft : int
        Samples of a frame.
    n_mels : int
        Number of bands.
    fmin : float, default=0.0
        Lowest frequency in Hz.
    fmax : float or None, default=None
        Highest frequency in Hz; None means half the sampling rate.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of Slaney's.

    Returns
    -------
    filters : ndarray of shape (n_mels, 1 + n_fft // 2), float32
        Triangles of equal area in Hz.

    Warns
    -----
    UserWarning
        If bands are narrower than the distance of two bins, so that they have none.
    """
    bins = np.fft.rfftfreq(n_fft, 1.0 / sampling_rate)
    ends = _to_mel(fmin, htk), _to_mel(sampling_rate / 2 if fmax is None else fmax, htk)
    edges = _to_hz(np.linspace(*ends, n_mels + 2), htk)  # band i lies between edges i and i + 2
    low, center, high = edges[:-2, np.newaxis], edges[1:-1, np.newaxis], edges[2:, np.newaxis]
    rising = (bins - low) / (center - low)
    falling = (high - bins) / (high - center)
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    filters *= 2.0 / (high - low)
    n_empty = np.count_nonzero((edges[:-2] > 0) & ~filters.any(axis=1))
    if n_empty:
        warnings.warn(
            f"Empty filters: {n_empty} of {n_mels} mel bands lie between two bins of the spectrum "
            "and stay silent. Raise n_fft or lower n_mels.",
            UserWarning,
            stacklevel=2,
        )
    return filters


def _to_mel(frequency: float, htk: bool) -> float:
    if htk:
        return float(2595.0 * np.log10(1.0 + frequency / 700.0))
    if frequency < _BREAK_HZ:
        return frequency / _HZ_PER_MEL
    return float(_BREAK_MEL + np.log(frequency / _BREAK_HZ) / _LOG_STEP)


def _to_hz(mels: NDArray[np.float64], htk: bool) -> NDArray[np.float64]:
    if htk:
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    above = np.exp(_LOG_STEP * (np.maximum(mels, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mels < _BREAK_MEL, _HZ_PER_MEL * mels, _BREAK_HZ * above)
