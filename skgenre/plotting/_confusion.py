"""The confusion matrix of an evaluation, by scikit-learn's own display."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

from skgenre.plotting._style import axes_for

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult


def plot_confusion(result: EvaluationResult, ax: Any, *, normalize: bool) -> Any:
    """Draw the confusion matrix over all tracks.

    Parameters
    ----------
    result : EvaluationResult
        What an evaluation found.
    ax : Axes or None
        Axes to draw into. None makes a figure that has room for the genres.
    normalize : bool
        Whether to show shares of the tracks of each genre instead of numbers of tracks.

    Returns
    -------
    display : sklearn.metrics.ConfusionMatrixDisplay
        Drawn.
    """
    matrix = np.array(result.confusion)
    n = len(result.labels)
    if normalize:
        totals = matrix.sum(axis=1, keepdims=True)
        matrix = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    names = [str(label) for label in result.labels]
    side = 2.8 + 0.48 * n
    ax = axes_for("EvaluationResult.plot", ax, (side + 0.6, side))
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
    of = "share of the true genre's tracks" if normalize else "tracks"
    display.im_.colorbar.set_label(of)
    ax.set(xlabel="predicted genre", ylabel="true genre", title=result.protocol)
    return display
