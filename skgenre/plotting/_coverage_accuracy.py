"""How many tracks are decided, and how many of these rightly."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.plotting._style import axes_for, legend, style
from skgenre.utils._pipeline import final_classifier

_NEAREST = 0.06  # of an axis: labels of points closer than this would overlap


class CoverageAccuracyDisplay:
    """Picture of what rejecting gains: accuracy of the decided tracks against their share.

    Each point is a threshold, the votes that a genre needs. Towards the left fewer tracks
    are decided; where the vote knows when it is wrong, the curve rises to the left.

    Parameters
    ----------
    thresholds : array-like of shape (n_thresholds,)
        Votes asked for, rising.
    coverage : array-like of shape (n_thresholds,)
        Share of the tracks that are decided.
    accuracy : array-like of shape (n_thresholds,)
        Share of the decided tracks whose genre is right; NaN where none is decided.
    name : str or None, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the plot.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    line_ : matplotlib.lines.Line2D
        The curve. Thresholds by which no track is decided have no point on it.
    labels_ : list of matplotlib.text.Annotation
        Thresholds beside points; one for all that share a point, none where points crowd.

    See Also
    --------
    RejectingClassifier : Its ``coverage_accuracy`` measures these shares.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgenre import CoverageAccuracyDisplay
    >>> thresholds, coverage, accuracy = [1, 2, 3], [1.0, 0.8, 0.4], [0.6, 0.7, 0.9]
    >>> display = CoverageAccuracyDisplay(thresholds, coverage, accuracy).plot()
    >>> [label.get_text() for label in display.labels_]
    ['1 vote', '2', '3']
    >>> plt.close(display.figure_)
    """

    def __init__(self, thresholds, coverage, accuracy, *, name=None):
        self.thresholds = thresholds
        self.coverage = coverage
        self.accuracy = accuracy
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, name: str | None = None, ax: Any = None
    ) -> Self:
        """Measure a fitted RejectingClassifier at all thresholds, and draw.

        Parameters
        ----------
        estimator : RejectingClassifier, Pipeline or search
            Fitted: a RejectingClassifier, a pipeline that ends in one, or a search over
            such.
        X : array-like of n_tracks
            Labelled tracks, as the estimator takes them; best none that it was trained on.
        y : array-like of shape (n_tracks,)
            Their genres.
        name : str or None, default=None
            Name in the legend.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : CoverageAccuracyDisplay
            Drawn.

        Raises
        ------
        TypeError
            If the classifier has no ``coverage_accuracy``.
        """
        estimator = getattr(estimator, "best_estimator_", estimator)
        model = final_classifier(estimator)
        if not hasattr(model, "coverage_accuracy"):
            raise TypeError(
                f"{type(model).__name__} rejects no tracks. Give a fitted RejectingClassifier, or "
                "a pipeline that ends in one."
            )
        if model is not estimator and len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        return cls(*model.coverage_accuracy(X, y), name=name).plot(ax)

    def plot(self, ax: Any = None, *, name: str | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or None, default=None
            Axes to draw into; those of another such display compare the two. None makes a
            figure.
        name : str or None, default=None
            Name in the legend; None means that of the display.

        Returns
        -------
        display : CoverageAccuracyDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If ``ax`` is no Axes.
        ValueError
            If the three lists differ in length, or are no shares.
        """
        thresholds, coverage, accuracy = self._checked()
        ax = axes_for(f"{type(self).__name__}.plot", ax, (6.0, 4.0))
        name = self.name if name is None else name
        number = sum(line.get_gid() == "coverage" for line in ax.lines)
        decided = ~np.isnan(accuracy)
        x, y = coverage[decided], accuracy[decided]
        (self.line_,) = ax.plot(
            x,
            y,
            linestyle="-" if number == 0 else "--",
            label=name,
            gid="coverage",
            **style(number),
        )
        self._label(ax, x, y, thresholds[decided], above=number % 2 == 0)
        ax.set_xlabel("coverage: share of the tracks that are decided")
        ax.set_ylabel("accuracy of the decided tracks")
        lowest = min([y.min(), *(line.get_ydata().min() for line in ax.lines)]) if y.size else 0.0
        ax.set_xlim(-0.03, 1.09)
        ax.set_ylim(max(0.0, np.floor(10 * lowest - 1) / 10) - 0.02, 1.06)
        if name is not None:
            legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label(
        self,
        ax: Any,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        thresholds: NDArray[Any],
        *,
        above: bool,
    ) -> None:
        """Write the thresholds beside their points, as far as there is room."""
        self.labels_ = []
        groups: list[tuple[float, float, list[Any]]] = []  # points that coincide
        for px, py, t in zip(x, y, thresholds, strict=True):
            if groups and np.allclose(groups[-1][:2], (px, py)):
                groups[-1][2].append(t)
            else:
                groups.append((px, py, [t]))
        last: float | None = None
        for px, py, found in groups:
            if last is not None and abs(last - px) < _NEAREST:
                continue
            text = f"{found[0]}" if len(found) == 1 else f"{found[0]}\u2013{found[-1]}"
            over = above
            if last is None:  # the rightmost point, below which there is room
                text += " vote" if found[-1] == 1 else " votes"
                over = False
            last = px
            self.labels_.append(
                ax.annotate(
                    text,
                    (px, py),
                    xytext=(0, 7 if over else -7),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if over else "top",
                    fontsize="small",
                    color=style(0 if above else 1)["color"],
                )
            )

    def _checked(self) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
        thresholds = np.asarray(self.thresholds)
        coverage = np.asarray(self.coverage, dtype=np.float64)
        accuracy = np.asarray(self.accuracy, dtype=np.float64)
        shapes = [a.shape for a in (thresholds, coverage, accuracy)]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1 or not thresholds.size:
            raise ValueError(
                "thresholds, coverage and accuracy should be lists of one length; got the shapes "
                f"{', '.join(map(str, shapes))}. Give what coverage_accuracy returns."
            )
        for what, values in (("coverage", coverage), ("accuracy", accuracy)):
            known = values[~np.isnan(values)] if what == "accuracy" else values
            if not ((known >= 0) & (known <= 1)).all():
                raise ValueError(
                    f"{what} should be shares between 0 and 1; got {known.min():g} to "
                    f"{known.max():g}. Divide per cent by 100."
                )
        return thresholds, coverage, accuracy
