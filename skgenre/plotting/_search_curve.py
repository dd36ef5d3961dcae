"""Scores of a search over one parameter."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from importlib import import_module
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.plotting._style import LINES, axes_for, legend, style
from skgenre.utils._search_results import collect, shown, value_labels

_SPREADS = ("band", "bars", None)
_TICK, _ENTRY = 18, 26  # characters in a line of a tick's and a legend's label


class SearchCurveDisplay:
    """Picture of a search: the scores of the folds over one parameter.

    Make one by ``from_estimator`` or ``from_cv_results``. Each curve is the mean over the
    folds, its band or its bars are one standard deviation over them to either side. Folds
    share their training data, so that the deviation is no interval of confidence.

    Parameters
    ----------
    values : sequence of n_values
        Values of the parameter on the horizontal axis.
    scores : dict of tuple to ndarray of shape (n_values, n_folds)
        Scores of each curve; its key is the name of the metric and the value of ``hue``,
        which is None without hue. NaN means not measured.
    parameter : str
        Name of the parameter on the horizontal axis.
    hue : str or None, default=None
        Name of the parameter that distinguishes curves.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the plot.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    lines_ : dict of tuple to matplotlib.lines.Line2D
        The mean of each curve, by the keys of ``scores``. Over categories it is points.

    See Also
    --------
    segment_accuracy_scorer : Scores segments beside tracks in a search.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgenre import SearchCurveDisplay
    >>> cv_results = {
    ...     "params": [{"segmenter__n_segments": n} for n in (10, 20, 30)],
    ...     "split0_test_score": [0.5, 0.6, 0.7],
    ...     "split1_test_score": [0.7, 0.8, 0.7],
    ... }
    >>> display = SearchCurveDisplay.from_cv_results(cv_results, "n_segments")
    >>> display.lines_["score", None].get_ydata().round(2)
    array([0.6, 0.7, 0.7])
    >>> plt.close(display.figure_)
    """

    def __init__(self, values, scores, *, parameter, hue=None):
        self.values = values
        self.scores = scores
        self.parameter = parameter
        self.hue = hue

    @classmethod
    def from_estimator(
        cls,
        search: Any,
        parameter: str,
        *,
        hue: str | None = None,
        metrics: Sequence[str] | None = None,
        fixed: Mapping[str, Any] | None = None,
        spread: str | None = "auto",
        ax: Any = None,
    ) -> Self:
        """Draw a fitted search.

        Parameters
        ----------
        search : GridSearchCV or another search
            Fitted: it has ``cv_results_``.
        parameter : str
            As for ``from_cv_results``.
        hue : str or None, default=None
            As for ``from_cv_results``.
        metrics : sequence of str or None, default=None
            As for ``from_cv_results``.
        fixed : dict of str to object or None, default=None
            As for ``from_cv_results``.
        spread : {"auto", "band", "bars"} or None, default="auto"
            As for ``plot``.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : SearchCurveDisplay
            Drawn.

        Raises
        ------
        AttributeError
            If the search is not fitted.
        """
        if not hasattr(search, "cv_results_"):
            raise AttributeError(
                f"{type(search).__name__} has no cv_results_; give a fitted search, such as "
                "GridSearchCV."
            )
        return cls.from_cv_results(
            search.cv_results_,
            parameter,
            hue=hue,
            metrics=metrics,
            fixed=fixed,
            spread=spread,
            ax=ax,
        )

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        parameter: str,
        *,
        hue: str | None = None,
        metrics: Sequence[str] | None = None,
        fixed: Mapping[str, Any] | None = None,
        spread: str | None = "auto",
        ax: Any = None,
    ) -> Self:
        """Draw the results of a search.

        Parameters
        ----------
        cv_results : dict
            ``cv_results_`` of a search.
        parameter : str
            Parameter on the horizontal axis: its name in the search, or the end of it, such
            as "n_segments" for "features__segmenter__n_segments". Numbers make a scale,
            anything else categories in the order of the search.
        hue : str or None, default=None
            A second parameter, with a curve for each of its values.
        metrics : sequence of str or None, default=None
            Names of the scorers to draw; None means all. A search with one scorer calls it
            "score".
        fixed : dict of str to object or None, default=None
            Values of further parameters; other candidates are left out.
        spread : {"auto", "band", "bars"} or None, default="auto"
            As for ``plot``.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : SearchCurveDisplay
            Drawn.

        Raises
        ------
        ValueError
            If a parameter or metric is not in the results, or a point of a curve would
            stand for several candidates.

        Warns
        -----
        UserWarning
            If candidates have folds without a score, as after a failed fit: the curve has a
            gap there.
        """
        values, scores, names = collect(cv_results, parameter, hue, metrics, fixed or {})
        return cls(values, scores, parameter=names[0], hue=names[1]).plot(ax, spread=spread)

    def plot(self, ax: Any = None, *, spread: str | None = "auto") -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.
        spread : {"auto", "band", "bars"} or None, default="auto"
            How the standard deviation over folds is shown. "auto" means a band for one or
            two curves over numbers, and bars for more and for categories; None leaves it
            out.

        Returns
        -------
        display : SearchCurveDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If ``ax`` is no Axes.
        ValueError
            If ``spread`` is unknown, or the scores do not go with the values.
        """
        if spread != "auto" and spread not in _SPREADS:
            raise ValueError(
                f"spread={spread!r} is unknown; choose 'auto', 'band', 'bars' or None."
            )
        self._check()
        numeric = all(
            isinstance(v, Real) and not isinstance(v, (bool, np.bool_)) for v in self.values
        )
        if spread == "auto":
            spread = "band" if numeric and len(self.scores) <= 2 else "bars"
        ax = axes_for(f"{type(self).__name__}.plot", ax, (6.4, 4.0))
        places = np.asarray(self.values if numeric else range(len(self.values)), dtype=np.float64)
        order = np.argsort(places)
        places = places[order]
        log = numeric and _wants_log(places)
        room = 0.25 if numeric else 0.6
        apart = (
            _apart(places, len(self.scores), log, room) if spread == "bars" or not numeric else None
        )
        metrics = list(dict.fromkeys(metric for metric, _ in self.scores))
        hues = {shown(h): h for _, h in self.scores}  # equal ones once
        hue_labels = dict(zip(hues, value_labels(list(hues.values())), strict=True))
        self.lines_ = {}
        for i, ((metric, hue), scores) in enumerate(self.scores.items()):
            m = metrics.index(metric)
            look = style(list(hues).index(shown(hue)) if self.hue is not None else m)
            line = LINES[m % len(LINES)] if numeric else "none"
            if self.hue is not None and m % 2:
                look["markerfacecolor"] = "white"  # not by the line alone
            scores = np.asarray(scores, dtype=np.float64)[order]
            mean, deviation = scores.mean(axis=1), scores.std(axis=1)
            x = places if apart is None else apart[i]
            (self.lines_[metric, hue],) = ax.plot(
                x,
                mean,
                linestyle=line,
                label=self._label(metric, hue_labels[shown(hue)], metrics),
                **look,
            )
            if spread == "band":
                ax.fill_between(
                    x,
                    mean - deviation,
                    mean + deviation,
                    color=look["color"],
                    alpha=0.2,
                    linewidth=0,
                )
            elif spread == "bars":
                ax.errorbar(x, mean, deviation, fmt="none", ecolor=look["color"], capsize=3)
        if log:
            ax.set_xscale("log")
            ax.xaxis.set_minor_locator(import_module("matplotlib.ticker").NullLocator())
        labels = value_labels([self.values[i] for i in order])
        if not numeric:
            labels = [textwrap.fill(label, _TICK, break_long_words=False) for label in labels]
        width = sum(max(map(len, label.split("\n"))) for label in labels)
        ax.set_xticks(places, labels, rotation=90 if width > 60 else 0)
        if not numeric:
            ax.set_xlim(-0.5, len(places) - 0.5)
        ax.set_xlabel(_words(self.parameter))
        ax.set_ylabel(metrics[0].replace("_", " ") if len(metrics) == 1 else "score")
        if len(self.scores) > 1:
            legend(ax, title=None if self.hue is None else _words(self.hue))
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label(self, metric: str, hue: str, metrics: list[str]) -> str:
        metric = metric.replace("_", " ")
        if self.hue is None:
            return metric
        return textwrap.fill(hue if len(metrics) == 1 else f"{hue}, {metric}", _ENTRY)

    def _check(self) -> None:
        if not len(self.values) or not self.scores:
            raise ValueError("Nothing to draw: values and scores should not be empty.")
        for key, scores in self.scores.items():
            shape = np.shape(scores)
            if len(shape) != 2 or shape[0] != len(self.values):
                raise ValueError(
                    f"The scores of {key} have the shape {shape}; expected ({len(self.values)}, "
                    "n_folds), a row for each value."
                )


def _words(name: str) -> str:
    """Return the name of a parameter for an axis: without the names of its steps."""
    return name.rsplit("__", 1)[-1].replace("_", " ")


def _wants_log(places: NDArray[np.float64]) -> bool:
    """Whether the gaps between rising values are of different orders."""
    gaps = np.diff(places)
    return bool(len(gaps) > 1 and places[0] > 0 and gaps.max() > 5 * gaps.min())


def _apart(
    places: NDArray[np.float64], n_curves: int, log: bool, room: float
) -> list[NDArray[np.float64]]:
    """Move curves sideways, so that their bars do not hide each other."""
    at = np.log(places) if log else places
    gap = np.diff(at).min() if len(at) > 1 else 1.0
    step = min(0.14, room / n_curves) * gap
    moved = [at + (i - (n_curves - 1) / 2) * step for i in range(n_curves)]
    return [np.exp(x) if log else x for x in moved]
