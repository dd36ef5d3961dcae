"""How a group of features is declared: by a decorator on the function that measures it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from skgenre.features.groups._clip import Array, Clip

Measure = Callable[[Clip], Iterable[Array]]


@dataclass(frozen=True)
class FeatureGroup:
    """One group of features.

    Parameters
    ----------
    name : str
        What ``feature_groups`` of :class:`ClipFeatures` calls it.
    measure : callable
        Turns a clip into arrays whose values, one after the other, are the columns.
    names : tuple of str
        What its columns are called within the group.
    with_bins : bool
        Whether it needs the bins of the spectrum beside the mel bands.
    min_frame_rate : float
        Frames a second that it needs at least.
    """

    name: str
    measure: Measure
    names: tuple[str, ...]
    with_bins: bool
    min_frame_rate: float


FEATURE_GROUPS: dict[str, FeatureGroup] = {}  # all groups by name; filled by feature_group


def feature_group(
    name: str, *, names: Iterable[str], with_bins: bool = False, min_frame_rate: float = 0.0
) -> Callable[[Measure], Measure]:
    """Declare the decorated function as the measure of a group of features.

    Parameters
    ----------
    name : str
        Name of the group.
    names : iterable of str
        Names of its columns, in the order of the values that the function returns.
    with_bins : bool, default=False
        Whether the function reads ``clip.bins`` or ``clip.chroma``.
    min_frame_rate : float, default=0.0
        Frames a second that the function needs at least.

    Returns
    -------
    declare : callable
        Adds a function to ``FEATURE_GROUPS`` and returns it unchanged.
    """

    def declare(measure: Measure) -> Measure:
        FEATURE_GROUPS[name] = FeatureGroup(name, measure, tuple(names), with_bins, min_frame_rate)
        return measure

    return declare


def columns(statistics: Iterable[str], n: int, kind: str = "") -> list[str]:
    """Name the columns of statistics, each of which has n values."""
    return [f"{kind}{i}_{statistic}" for statistic in statistics for i in range(n)]
