"""Harmony: pitch classes, intervals and keys, and how soon timbre and harmony return."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skgenre.features.groups._clip import Array, Clip, quantile
from skgenre.features.groups._group import columns, feature_group

_TINY = float(np.finfo(np.float32).tiny)

_SUMMED = 16  # frames whose pitch classes are added: 0.37 s at the default settings
_DELAYS = (0, 1, 2, 4, 8)  # in such sums, between the two notes of an interval
# How well each note fits a major and a minor key, counted from the tonic: the probe-tone ratings
# of Krumhansl and Kessler (1982).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
# Places of the pitch classes on the circle, turned by 0 to 11 of them: (turn, class).
_TURNS = (np.arange(12) - np.arange(12)[:, np.newaxis]) % 12
_RETURNS = np.geomspace(0.1, 9.9, 38)  # seconds after which a frame is compared with another


@feature_group(
    "chroma",
    names=[
        *columns(("of_mean", "of_std", "mean", "std"), 12, "rank"),
        *columns(("of_mean", "mean", "std"), 6, "circle"),
    ],
    with_bins=True,
)
def chroma(clip: Clip) -> list[Array]:
    """How strong the pitch classes are, whichever they are: sorted, and around the circle."""
    strongest = clip.chroma.max(axis=0)
    classes = clip.chroma / np.where(strongest < _TINY, np.float32(1), strongest)
    ordered, circle = np.sort(classes, axis=0), _circle(classes)
    mean = classes.mean(axis=1)
    return [
        np.sort(mean),
        np.sort(classes.std(axis=1)),
        ordered.mean(axis=1),
        ordered.std(axis=1),
        _circle(mean),
        circle.mean(axis=1),
        circle.std(axis=1),
    ]


def _circle(chroma: Array) -> Array:
    """Return the magnitudes of the Fourier transform around the circle of pitch classes.

    Transposing the music rotates the circle, which changes the phases only.
    """
    return np.abs(np.fft.rfft(chroma, axis=0))[1:]


def _named_intervals(delay: int) -> slice:
    """Return the distinct intervals: at once, no note with itself, and none in both directions."""
    return slice(0, 12) if delay else slice(1, 7)


def _tonal_names() -> list[str]:
    names = []
    for delay in _DELAYS:
        intervals = range(12)[_named_intervals(delay)]
        for statistic in ("mean", "std"):
            names += [f"interval{interval}_after{delay}_{statistic}" for interval in intervals]
    return [*names, "major", "minor", "major_less_minor", *columns(("change",), 6, "circle")]


@feature_group("tonal", names=_tonal_names(), with_bins=True)
def tonal(clip: Clip) -> list[Array]:
    """Which intervals sound at once and in sequence, how clear the key is, how harmony moves."""
    classes = np.sqrt(clip.chroma)
    size = min(_SUMMED, classes.shape[1])
    n = classes.shape[1] // size
    classes = _unit(classes[:, : n * size].reshape(12, n, size).mean(axis=2))  # (12, n)
    parts = []
    for delay in _DELAYS:
        found = _intervals(classes, delay)[_named_intervals(delay)]
        parts += (
            [found.mean(axis=1), found.std(axis=1)] if delay < n else [np.zeros(2 * len(found))]
        )
    major, minor = (_fit_to_key(classes.mean(axis=1), profile) for profile in (_MAJOR, _MINOR))
    steps = np.abs(np.diff(np.fft.rfft(classes, axis=0)[1:], axis=1))  # (6, n - 1)
    change = steps.mean(axis=1) if n > 1 else np.zeros(6)
    return [*parts, np.array([major, minor, major - minor]), change]


def _intervals(chroma: Array, delay: int) -> Array:
    """Return the strength of each interval from a sum to a later one: (12, n - delay)."""
    later = chroma[:, delay:]
    earlier = chroma[:, : later.shape[1]]
    return np.einsum("in,kin->kn", later, earlier[_TURNS])


def _fit_to_key(mean: Array, profile: tuple[float, ...]) -> float:
    """Return the correlation with the best of the twelve keys; 0 where no note stands out."""
    centred = mean - mean.mean()
    weights = np.array(profile) - np.mean(profile)
    length = np.linalg.norm(centred) * np.linalg.norm(weights)
    if length < 1e-6:
        return 0.0
    return float((weights[_TURNS] @ centred).max() / length)


@feature_group(
    "recurrence",
    names=(
        f"{what}_{lag:.2f}s_{statistic}"
        for what in ("timbre", "harmony")
        for lag in _RETURNS
        for statistic in ("mean", "q90")
    ),
    with_bins=True,
)
def recurrence(clip: Clip) -> list[Array]:
    """How much frames resemble later ones, in timbre and in harmony."""
    timbre = clip.mfcc[1:]  # without the level
    harmony = np.sqrt(np.sqrt(clip.chroma))
    timbre = _unit(timbre - timbre.mean(axis=1, keepdims=True))
    harmony = _unit(harmony - harmony.mean(axis=0))
    parts = []
    for frames in (timbre, harmony):
        likeness = np.zeros((len(_RETURNS), 2))
        for row, lag in zip(likeness, _return_lags(clip.settings.frame_rate), strict=True):
            if lag < frames.shape[1]:
                cosine = np.einsum("in,in->n", frames[:, lag:], frames[:, :-lag])
                row[:] = cosine.mean(), quantile(np.sort(cosine)[np.newaxis], 0.9)[0]
        parts.append(likeness)
    return parts


@lru_cache(maxsize=16)
def _return_lags(frame_rate: float) -> list[int]:
    """Return the lags in frames, each at least one."""
    return np.maximum(np.round(_RETURNS * frame_rate).astype(int), 1).tolist()


def _unit(values: Array) -> Array:
    """Scale each column to length 1; a column of zeros stays."""
    length = np.sqrt(np.square(values).sum(axis=0))
    return values / np.where(length < 1e-6, 1, length).astype(values.dtype)
