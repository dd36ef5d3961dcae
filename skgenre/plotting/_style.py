"""Shared parts of all plots: matplotlib on demand, colours, markers, legends."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

# The palette of Okabe and Ito, which is safe for red-green colour blindness; their yellow comes
# last because it is pale on white, and grey replaces their black.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#7F7F7F",
    "#F0E442",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", ":", "-.")
HATCHES = ("", "///", "...", "xxx")
COLORMAP = "cividis"
_ONE_ROW = 50  # characters of a legend above the axes


def import_pyplot(caller: str) -> Any:
    """Import matplotlib.pyplot, or raise an error with the command that installs it.

    Parameters
    ----------
    caller : str
        The method that draws, for the message.

    Returns
    -------
    pyplot : module
        ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        return import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(
            f'{caller} needs matplotlib; install it with: pip install "skgenre[plot]"'
        ) from error


def axes_for(caller: str, ax: Any, figsize: tuple[float, float]) -> Any:
    """Return the given axes, or those of a new figure.

    Parameters
    ----------
    caller : str
        The method that draws, for messages.
    ax : matplotlib.axes.Axes or None
        The argument of the caller.
    figsize : tuple of two floats
        Width and height in inches of a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        To draw into.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``ax`` is no Axes.
    """
    pyplot = import_pyplot(caller)
    if ax is None:
        _, ax = pyplot.subplots(figsize=figsize, layout="constrained")
    return check_axes(caller, ax)


def check_axes(caller: str, ax: Any) -> Any:
    """Return ``ax`` if it is a single matplotlib Axes; TypeError if not."""
    if not isinstance(ax, import_module("matplotlib.axes").Axes):
        raise TypeError(
            f"{caller} draws into a matplotlib Axes; got ax of type {type(ax).__name__}. Give one "
            "of those that plt.subplots returns, or None for a new figure."
        )
    return ax


def style(i: int) -> dict[str, Any]:
    """Return colour and marker of the i-th curve; they repeat together after eight."""
    return {"color": COLORS[i % len(COLORS)], "marker": MARKERS[i % len(MARKERS)]}


def track_name(track: Any) -> str | None:
    """Return the name of the file if a track is one."""
    return os.path.basename(os.fspath(track)) if isinstance(track, (str, os.PathLike)) else None


def foreground(ax: Any) -> Any:
    """Return the colour of the labels of some axes: dark on light, light on dark."""
    return ax.xaxis.label.get_color()


def is_dark(ax: Any) -> bool:
    """Whether the background of some axes is dark."""
    return contrast(ax.get_facecolor()) == "white"


def contrast(color: Any) -> str:
    """Return the colour, black or white, of a text on some colour."""
    red, green, blue = import_module("matplotlib.colors").to_rgb(color)
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "black"


def halo(ax: Any) -> list[Any]:
    """Return path effects by which a text can be read where it crosses a line."""
    effects = import_module("matplotlib.patheffects")
    return [effects.withStroke(linewidth=3, foreground=ax.get_facecolor())]


def legend(ax: Any, **kwargs: Any) -> None:
    """Add a legend outside the axes: in one row above them if it is short, else to their right."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    in_one_row = len(labels) <= 4 and sum(map(len, labels)) <= _ONE_ROW
    if in_one_row and not kwargs.get("title") and not ax.get_title():
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": len(labels)}
    else:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.02)}
    ax.legend(frameon=False, **place, **kwargs)
