"""Bringing channels to one, and to a new rate; tracks without sound are found on the way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.utils._warnings import NO_SOUND, TrackWarning, warn_of_tracks
from skgenre.utils._waveforms import MIN_DURATION, MIN_LEVEL, check_samples, has_sound

# Channels cancel if the power of their mix is below this share of what independent ones give:
# lossy formats leave a rest.
_MIN_SHARE = 0.05
# Samples of each channel that mostly suffice to see that there is sound.
_N_SAMPLED = 10_000


def to_mono(x: NDArray[Any], rate: float, name: str) -> NDArray[np.float32]:
    """Average channels to one.

    Warns of a track without sound, which becomes digital silence if it is long enough, and of
    channels that cancel, of which the loudest is taken alone.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels), float32 or int16
        The samples; int16 is divided by its full scale.
    rate : float
        Their rate in Hz.
    name : str
        What errors and warnings call the track.

    Returns
    -------
    mono : ndarray of shape (n_samples,), float32
        The average.

    Raises
    ------
    ValueError
        If samples are not finite, or far beyond full scale.
    """
    mono = _mix_down(x)
    if x.dtype != np.int16:
        check_samples(mono, name)
    if _channels_cancel(x, mono):
        mono = _loudest_channel(x, name)
        check_samples(mono, name)
    if not has_sound(mono, rate):
        warn_of_tracks([TrackWarning(name, _describe_silence(mono, rate), *NO_SOUND)])
        if len(mono) >= MIN_DURATION * rate:
            # Resampled as it is, a constant would get a click at each end.
            mono = np.zeros_like(mono)
    return mono


@np.errstate(over="ignore", invalid="ignore")  # of channels that are refused
def _channels_cancel(x: NDArray[Any], mono: NDArray[np.float32]) -> bool:
    levels = [0.0]
    if x.shape[1] > 1:
        # Some samples decide, and all of them only where these suggest that the channels cancel.
        for step in (len(x) // _N_SAMPLED + 1, 1):
            levels = _channel_levels(x[::step])
            independent = np.square(levels).mean() / len(levels)
            if mono[::step].var() >= _MIN_SHARE * independent:
                return False
    return not np.max(levels) < MIN_LEVEL  # NaN where a channel overflows


@np.errstate(over="ignore", invalid="ignore")
def _channel_levels(x: NDArray[Any]) -> list[float]:
    return [float(_mix_down(x[:, channel : channel + 1]).std()) for channel in range(x.shape[1])]


def _loudest_channel(x: NDArray[Any], name: str) -> NDArray[np.float32]:
    loudest = int(np.argmax(_channel_levels(x)))
    cancelled = TrackWarning(
        name,
        f"channel {loudest + 1} of {x.shape[1]}",
        "whose channels cancel in the mono mix, so that only the loudest is used",
        "Invert one channel of such a recording, or give one channel alone.",
    )
    warn_of_tracks([cancelled])
    return _mix_down(x[:, loudest : loudest + 1])


def _describe_silence(mono: NDArray[np.float32], rate: float) -> str:
    seconds = len(mono) / rate
    if seconds < MIN_DURATION:
        return f"{seconds:.3g} s, shorter than {MIN_DURATION:g} s"
    low, high = mono.min(), mono.max()
    if low == high:
        return f"all samples of {seconds:.3g} s are {high:g}"
    return (
        f"of {seconds:.3g} s less than {MIN_DURATION:g} s reach {20 * math.log10(MIN_LEVEL):.0f} dB"
    )


def _mix_down(x: NDArray[Any]) -> NDArray[np.float32]:
    """Average (n_samples, n_channels) of float32 or int16, which is divided by its full scale.

    Channel by channel: NumPy is slow along the short axis, and a matrix product would start
    BLAS threads, which compete with the threads of the tracks.
    """
    n_channels = x.shape[1]
    if n_channels == 1 and x.dtype == np.float32:
        return x[:, 0]
    mean = x[:, 0].astype(np.float32)
    # No warnings for NaN and infinity: the caller checks the result for them.
    with np.errstate(invalid="ignore", over="ignore"):
        for channel in range(1, n_channels):
            mean += x[:, channel]
        full_scale = 2**15 if x.dtype == np.int16 else 1
        mean *= np.float32(1 / (n_channels * full_scale))
    return mean


def resample(
    x: NDArray[np.float32], rate: float, new_rate: float, quality: str
) -> NDArray[np.float32]:
    """Resample (n_samples,) with soxr; samples that already have the rate are returned as is."""
    if rate == new_rate:
        return x
    import soxr

    return soxr.resample(x, rate, new_rate, quality=quality)
