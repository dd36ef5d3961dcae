"""The confusion matrix of an evaluation, by scikit-learn's own display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import ConfusionMatrixDisplay

from skgenre.plotting._style import axes_for, contrast

# Inches of a cell: in a figure of its own, and those that two lines or three decimals need.
_CELL, _ROOM_FOR_BOTH, _ROOM_FOR_SHARE = 0.52, 0.42, 0.38


def plot_confusion(
    confusion: ArrayLike,
    labels: Sequence[Any],
    *,
    ax: Any = None,
    normalize: bool = True,
    title: str = "",
) -> Any:
    """Draw a confusion matrix that has room for many genres.

    Parameters
    ----------
    confusion : array-like of shape (n_labels, n_labels)
        Numbers of tracks, true genres by row and predicted ones by column.
    labels : sequence of n_labels labels
        The genres.
    ax : matplotlib.axes.Axes or None, default=None
        Axes to draw into. None makes a figure.
    normalize : bool, default=True
        Whether to show shares of the tracks of each genre, with the numbers of tracks below
        them where there is room; or numbers of tracks alone.
    title : str, default=""
        Title of the axes.

    Returns
    -------
    display : sklearn.metrics.ConfusionMatrixDisplay
        With the axes in ``ax_`` and the figure in ``figure_``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgenre.plotting import plot_confusion
    >>> display = plot_confusion([[3, 1], [0, 4]], ["calm", "loud"])
    >>> display.confusion_matrix
    array([[0.75, 0.25],
           [0.  , 1.  ]])
    >>> plt.close(display.figure_)
    """
    counts = np.array(confusion)
    n = len(labels)
    matrix = counts
    if normalize:
        totals = counts.sum(axis=1, keepdims=True)
        matrix = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = [str(label) for label in labels]
    side = 2.8 + _CELL * n
    ax = axes_for("plot_confusion", ax, (side + 0.6, side))
    upright = n > 4 or max(map(len, names)) > 8
    display = ConfusionMatrixDisplay(matrix, display_labels=names).plot(
        ax=ax,
        cmap="cividis",
        values_format=".3f" if normalize else "d",
        xticks_rotation="vertical" if upright else "horizontal",
        text_kw={"fontsize": "small"},
        im_kw={"vmin": 0, "vmax": 1 if normalize else max(1, matrix.max())},
    )
    cell = min(ax.get_window_extent().size) / ax.figure.dpi / n  # inches
    values = zip(display.text_.ravel(), matrix.ravel(), counts.ravel(), strict=True)
    for text, value, count in values:
        text.set_color(contrast(display.im_.cmap(display.im_.norm(value))))
        if normalize and count == 0:
            text.set_text("0")
        elif normalize and cell >= _ROOM_FOR_BOTH:
            text.set_text(f"{value:.3f}\n{count}")
        elif normalize and cell < _ROOM_FOR_SHARE:
            text.set_text(f"{value:.2f}".removeprefix("0"))
    display.im_.colorbar.set_label("share of the true genre's tracks" if normalize else "tracks")
    ax.set(xlabel="predicted genre", ylabel="true genre", title=title)
    return display
