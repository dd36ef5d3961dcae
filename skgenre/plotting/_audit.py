"""The accuracies of one model under each protocol, as bars."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.plotting._style import COLORS, HATCHES, axes_for, foreground, halo, is_dark

if TYPE_CHECKING:
    from skgenre.evaluation import AuditResult

_SAYS = {
    "segment-random": "segments of a track on both sides",
    "track-random": "artists on both sides",
    "fault-filtered": "published partition of GTZAN",
    "artist-grouped": "no artist on both sides",
}
_METRICS = {"segment_accuracy": "of segments", "track_accuracy": "of tracks, by vote"}
_LINES = {"segment_accuracy": ":", "track_accuracy": "--"}
# Of the bars, of the lines on a light background and on a dark one.
_BARS, _LIGHT, _DARK = (COLORS[0], COLORS[4]), ("#004A75", "#8A5F00"), ("#7CC4EE", "#FFD27A")


class AuditDisplay:
    """Picture of a leakage audit: the accuracies of one model under each protocol.

    Each protocol has a bar for each accuracy, with its interval. The vertical lines are
    the accuracies under the strictest protocol: the part of a bar beyond its line comes from
    the protocol. Make one by ``from_result``, or by ``AuditResult.plot``.

    Parameters
    ----------
    protocols : sequence of str
        The protocols, the strictest last.
    accuracies : dict of str to array-like of shape (n_protocols, 3)
        For "segment_accuracy", "track_accuracy" or both: the value under each protocol, and
        the ends of its interval. NaN means not measured.
    n_tracks : sequence of int or None, default=None
        Tracks scored under each protocol; None leaves them out.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the plot.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    bars_ : dict of str to BarContainer
        The bars of each accuracy, from the top to the bottom.
    lines_ : dict of str to matplotlib.lines.Line2D
        The line of each accuracy under the strictest protocol.

    See Also
    --------
    leakage_audit : Measures these accuracies.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgenre import AuditDisplay
    >>> accuracies = {"track_accuracy": [[0.8, 0.7, 0.9], [0.5, 0.4, 0.6]]}
    >>> display = AuditDisplay(["track-random", "artist-grouped"], accuracies).plot()
    >>> [bar.get_width() for bar in display.bars_["track_accuracy"]]
    [np.float64(0.8), np.float64(0.5)]
    >>> plt.close(display.figure_)
    """

    def __init__(self, protocols, accuracies, *, n_tracks=None):
        self.protocols = protocols
        self.accuracies = accuracies
        self.n_tracks = n_tracks

    @classmethod
    def from_result(
        cls, result: AuditResult, *, chance: float | None = None, ax: Any = None
    ) -> Self:
        """Draw the result of an audit.

        Parameters
        ----------
        result : skgenre.evaluation.AuditResult
            As :func:`leakage_audit` returns it.
        chance : float or None, default=None
            As for ``plot``.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : AuditDisplay
            Drawn.

        Raises
        ------
        TypeError
            If ``result`` is no AuditResult.
        """
        if not hasattr(result, "results") or not hasattr(result, "strictest"):
            raise TypeError(
                f"Expected an AuditResult, as leakage_audit returns it; got "
                f"{type(result).__name__}. EvaluationResult has a plot of its own."
            )
        names = [name for name in result.results if name != result.strictest]
        names.append(result.strictest)
        accuracies = {}
        for metric in _METRICS:
            found = [result.results[name].overall.get(metric, {}) for name in names]
            if any(found):
                rows = [[entry.get(end) for end in ("value", "low", "high")] for entry in found]
                accuracies[metric] = np.array(rows, dtype=np.float64)  # None becomes NaN
        n_tracks = [result.results[name].n_tracks for name in names]
        return cls(names, accuracies, n_tracks=n_tracks).plot(ax, chance=chance)

    def plot(self, ax: Any = None, *, chance: float | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.
        chance : float or None, default=None
            Accuracy of guessing, drawn as a line; None draws none.

        Returns
        -------
        display : AuditDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If ``ax`` is no Axes.
        ValueError
            If the accuracies do not match the protocols, or are no shares.
        """
        accuracies = self._checked()
        n = len(self.protocols)
        size = (8.0, 1.1 + (0.45 + 0.42 * len(accuracies)) * n)
        ax = axes_for(f"{type(self).__name__}.plot", ax, size)
        height = 0.76 / len(accuracies)
        self.bars_, self.lines_ = {}, {}
        for i, (metric, values) in enumerate(accuracies.items()):
            order = list(_METRICS).index(metric)
            places = np.arange(n) + (i - (len(accuracies) - 1) / 2) * height
            value, low, high = values.T
            self.bars_[metric] = ax.barh(
                places,
                value,
                height,
                color=_BARS[order],
                edgecolor="white",
                hatch=HATCHES[order],
                label=_METRICS[metric],
            )
            with_ends = ~np.isnan(low)
            ends = np.clip([value - low, high - value], 0, None)
            ax.errorbar(
                value[with_ends],
                places[with_ends],
                xerr=ends[:, with_ends],
                fmt="none",
                ecolor=foreground(ax),
                capsize=3,
                elinewidth=1.2,
            )
            for x, y in zip(np.fmax(value, high), places, strict=True):
                if not np.isnan(x):
                    text = f"{value[np.flatnonzero(places == y)[0]]:.3f}"
                    ax.annotate(
                        text,
                        (x, y),
                        xytext=(5, 0),
                        textcoords="offset points",
                        va="center",
                        path_effects=halo(ax),
                    )
            if not np.isnan(value[-1]):
                self.lines_[metric] = ax.axvline(
                    value[-1],
                    color=(_DARK if is_dark(ax) else _LIGHT)[order],
                    linestyle=_LINES[metric],
                    linewidth=1.5,
                    label=f"{_METRICS[metric].split(',')[0]}, strictest",
                )
        shown = [found[m] for m in accuracies for found in (self.bars_, self.lines_) if m in found]
        if chance is not None:
            guess = ax.axvline(chance, color="0.5", linestyle="-.", linewidth=1, label="guessing")
            shown.append(guess)
        ax.set_yticks(np.arange(n), [self._title(i) for i in range(n)])
        ax.set_ylim(n - 0.5, -0.5)  # the strictest at the bottom
        ax.set_xlim(0, 1.12)
        ax.set_xticks(np.linspace(0, 1, 6))
        ax.set_xlabel("accuracy")
        ax.legend(
            handles=shown, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _title(self, i: int) -> str:
        """Name a protocol in lines that are short enough for a tick."""
        name = str(self.protocols[i])
        lines = [name, _SAYS[name]] if name in _SAYS else textwrap.wrap(name, 34)
        if self.n_tracks is not None:
            lines.append(f"{self.n_tracks[i]} tracks")
        return "\n".join(lines)

    def _checked(self) -> dict[str, NDArray[np.float64]]:
        n = len(self.protocols)
        if not isinstance(self.accuracies, Mapping) or not self.accuracies or not n:
            raise ValueError(
                "Nothing to draw: expected at least one protocol, and a dict with "
                f"{' or '.join(map(repr, _METRICS))}."
            )
        if self.n_tracks is not None and len(self.n_tracks) != n:
            raise ValueError(f"n_tracks has {len(self.n_tracks)} entries for {n} protocols.")
        checked = {}
        for metric in (*_METRICS, *self.accuracies):
            if metric not in _METRICS:
                raise ValueError(
                    f"{metric!r} is unknown; choose from {', '.join(map(repr, _METRICS))}."
                )
            if metric in self.accuracies:
                values = np.asarray(self.accuracies[metric], dtype=np.float64)
                if values.shape != (n, 3):
                    raise ValueError(
                        f"{metric} has the shape {values.shape}; expected ({n}, 3): value, low and "
                        "high under each protocol."
                    )
                known = values[~np.isnan(values)].tolist()
                if any(not 0 <= v <= 1 for v in known):
                    raise ValueError(
                        f"{metric} should be between 0 and 1; got {min(known):g} to {max(known):g}."
                    )
                checked[metric] = values
        return checked
