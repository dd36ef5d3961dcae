"""How many tracks are decided, and how many of these rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.plotting._style import axes_for, foreground, halo, legend, style
from skgenre.utils._pipeline import final_classifier, split_fitted

if TYPE_CHECKING:
    from skgenre.evaluation import EvaluationResult

_CHARACTER = 0.075  # inches of a character in a label
_GAP = 0.12  # inches between labels
_MANY = 40  # points, above which only labelled ones have a marker


class CoverageAccuracyDisplay:
    """Picture of what rejecting gains: accuracy of the decided tracks against their share.

    Each point is a threshold: the votes, or the confidence, that a genre needs. Towards the left
    fewer tracks are decided; where the model knows when it is wrong, the curve rises to the left.

    Parameters
    ----------
    thresholds : array-like of shape (n_thresholds,)
        Votes that a genre needs, increasing; or, all between 0 and 1 and of a floating-point
        type, its probability.
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
        Thresholds beside points; one for all that share a point, none where points crowd. The
        first one says whether they are votes or confidence.

    See Also
    --------
    RejectingClassifier : Its ``coverage_accuracy`` measures these shares, by votes.
    evaluate : The ``coverage_accuracy`` of its result measures them, by confidence.

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
        model = final_classifier(estimator)
        if not hasattr(model, "coverage_accuracy"):
            raise TypeError(
                f"{type(model).__name__} rejects no tracks. Give a fitted RejectingClassifier, or "
                "a pipeline that ends in one."
            )
        model, X = split_fitted(estimator, X)
        return cls(*model.coverage_accuracy(X, y), name=name).plot(ax)

    @classmethod
    def from_result(
        cls, result: EvaluationResult, *, name: str | None = None, ax: Any = None
    ) -> Self:
        """Draw what limits of confidence do for the tracks of an evaluation.

        Parameters
        ----------
        result : skgenre.evaluation.EvaluationResult
            As :func:`evaluate` returns it, of a model with probabilities.
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
            If ``result`` is no EvaluationResult.
        ValueError
            If the model gave no probabilities.
        """
        if not hasattr(result, "coverage_accuracy") or not hasattr(result, "protocol"):
            raise TypeError(
                f"Expected an EvaluationResult, as evaluate returns it; got "
                f"{type(result).__name__}. For a fitted classifier, take from_estimator."
            )
        return cls(*result.coverage_accuracy(), name=name).plot(ax)

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
        _fit_limits(ax)
        labelled = self._label(ax, x, y, thresholds[decided], above=number % 2 == 0)
        if len(x) > _MANY:
            self.line_.set_markevery(labelled)
        ax.set_xlabel("coverage: share of the tracks that are decided")
        ax.set_ylabel("accuracy of the decided tracks")
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
    ) -> list[int]:
        """Write the thresholds beside their points, as far as there is room; return which."""
        self.labels_ = []
        groups: list[list[int]] = []  # of points that coincide
        for i in range(len(x)):
            if groups and np.allclose((x[i], y[i]), (x[groups[-1][-1]], y[groups[-1][-1]])):
                groups[-1].append(i)
            else:
                groups.append([i])
        confidence = thresholds.dtype.kind == "f" and (thresholds <= 1).all()
        left, right = ax.get_xlim()
        inch = (right - left) / (ax.get_window_extent().width / ax.figure.dpi)  # in data units
        labelled: list[int] = []
        room = np.inf  # to the left of the last label
        for group in groups:
            ends = thresholds[group[:: max(1, len(group) - 1)]]
            text = "\u2013".join(f"{t:.2f}" if confidence else f"{t:g}" for t in ends)
            # A curve falls to the right: above it is room to the right, below it to the left.
            over = above and bool(labelled)
            if not labelled:
                unit = "vote" if ends[-1] == 1 else "votes"
                text = f"confidence {text}" if confidence else f"{text} {unit}"
            width = (len(text) * _CHARACTER + _GAP) * inch
            px, py = x[group[0]], y[group[0]]
            if room - px < (width if over else 0):
                continue
            room = px - (0 if over else width)
            if above and not labelled:
                room = px
            labelled.append(group[0])
            self.labels_.append(
                ax.annotate(
                    text,
                    (px, py),
                    xytext=(4, 3) if over else (-4, -3),
                    textcoords="offset points",
                    ha="left" if over else "right",
                    va="bottom" if over else "top",
                    fontsize="small",
                    color=foreground(ax),
                    path_effects=halo(ax),
                )
            )
        return labelled

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


def _fit_limits(ax: Any) -> None:
    """Fit the limits of the axes to all curves in them, with room for labels."""
    curves = [line.get_xydata() for line in ax.lines if line.get_gid() == "coverage"]
    points = np.concatenate(curves)
    if not points.size:
        return
    for low, high, set_limits in zip(
        points.min(axis=0), points.max(axis=0), (ax.set_xlim, ax.set_ylim), strict=True
    ):
        room = 0.1 * max(high - low, 0.1)
        set_limits(low - room, high + room)
