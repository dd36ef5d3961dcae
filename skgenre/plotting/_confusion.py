"""The confusion matrix of an evaluation, by scikit-learn's own display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import ConfusionMatrixDisplay

from skgenre.plotting._style import axes_for


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
        Whether to show shares of the tracks of each genre instead of numbers of tracks.
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
    matrix = np.array(confusion)
    n = len(labels)
    if normalize:
        totals = matrix.sum(axis=1, keepdims=True)
        matrix = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    names = [str(label) for label in labels]
    side = 2.8 + 0.48 * n
    ax = axes_for("plot_confusion", ax, (side + 0.6, side))
    upright = n > 4 or max(map(len, names)) > 8
    display = ConfusionMatrixDisplay(matrix, display_labels=names).plot(
        ax=ax,
        cmap="cividis",
        values_format=".2f" if normalize else "d",
        xticks_rotation="vertical" if upright else "horizontal",
        text_kw={"fontsize": "small"},
        im_kw={"vmin": 0, "vmax": 1 if normalize else max(1, matrix.max())},
    )
    for text, value in zip(display.text_.ravel(), matrix.ravel(), strict=True):
        red, green, blue, _ = display.im_.cmap(display.im_.norm(value))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.4
        text.set_color("white" if dark else "black")
    display.im_.colorbar.set_label("share of the true genre's tracks" if normalize else "tracks")
    ax.set(xlabel="predicted genre", ylabel="true genre", title=title)
    return display
