"""Accuracy and loss over the epochs of a training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.plotting._style import COLORS, axes_for, check_axes, import_pyplot, legend
from skgenre.utils._pipeline import final_classifier

_KEYS = {"accuracy": "accuracy", "error": "accuracy", "loss": "loss"}


class TrainingHistoryDisplay:
    """Picture of a training: accuracy and loss over epochs.

    Make one by ``from_estimator`` or ``from_history``. The curves are by segment, as
    training measures them: they show the course of the training, not the accuracy on
    new tracks. Of several trainings, such as those of folds, ``from_estimators`` draws the mean
    and a band of one standard deviation, over the epochs that all have, and each as a thin line.

    Parameters
    ----------
    history : dict of str to list of float, or list of dict
        "accuracy" and "loss" of each epoch, and if there is a validation part
        "val_accuracy" and "val_loss": the ``history_`` of a fitted classifier. A list holds
        several trainings.
    name : str or None, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes or ndarray of Axes
        The axes of the one metric, or those of each metric.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    lines_ : list of matplotlib.lines.Line2D
        For each metric the curve of training, then that of validation if there is one; of
        several trainings their means.

    See Also
    --------
    SearchCurveDisplay : Shows the scores of a search over one parameter.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgenre import TrainingHistoryDisplay
    >>> history = {"accuracy": [0.3, 0.5, 0.6], "loss": [1.9, 1.4, 1.2]}
    >>> display = TrainingHistoryDisplay.from_history(history)
    >>> [ax.get_ylabel() for ax in display.ax_]
    ['accuracy of segments', 'loss']
    >>> plt.close(display.figure_)
    """

    def __init__(self, history, *, name=None):
        self.history = history
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metrics: Sequence[str] | None = None,
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the training of a fitted classifier.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            Fitted: a classifier with ``history_``, a RejectingClassifier of one, a pipeline
            that ends in one, or a search over such.
        metrics : sequence of {"accuracy", "error", "loss"} or None, default=None
            As for ``plot``.
        name : str or None, default=None
            Title; None means the name of the classifier's class.
        ax : Axes, sequence of Axes or None, default=None
            As for ``plot``.

        Returns
        -------
        display : TrainingHistoryDisplay
            Drawn.

        Raises
        ------
        AttributeError
            If the classifier is not fitted or keeps no history.
        """
        model = _with_history(estimator)
        name = type(model).__name__ if name is None else name
        return cls(model.history_, name=name).plot(ax, metrics=metrics)

    @classmethod
    def from_estimators(
        cls,
        estimators: Iterable[Any],
        *,
        metrics: Sequence[str] | None = None,
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the trainings of several fitted classifiers: their mean and spread.

        Parameters
        ----------
        estimators : iterable of classifiers, Pipelines or searches
            Each as for ``from_estimator``: the models of folds, for example, which scikit-learn's
            ``cross_validate(..., return_estimator=True)["estimator"]`` returns.
        metrics : sequence of {"accuracy", "error", "loss"} or None, default=None
            As for ``plot``.
        name : str or None, default=None
            Title; None means the name of the classifiers' class and their number.
        ax : Axes, sequence of Axes or None, default=None
            As for ``plot``.

        Returns
        -------
        display : TrainingHistoryDisplay
            Drawn.

        Raises
        ------
        AttributeError
            If a classifier is not fitted or keeps no history.
        TypeError
            If ``estimators`` is a single classifier or a dict.
        ValueError
            If there is no classifier, or only some have a validation part.
        """
        if isinstance(estimators, Mapping) or not isinstance(estimators, Iterable):
            raise TypeError(
                f"estimators is a {type(estimators).__name__}; expected a list of fitted "
                "classifiers. from_estimator draws a single one."
            )
        models = [_with_history(estimator) for estimator in estimators]
        if not models:
            raise ValueError("estimators is empty; give at least one fitted classifier.")
        if name is None:
            classes = " and ".join(dict.fromkeys(type(model).__name__ for model in models))
            name = f"{classes}, {len(models)} trainings"
        return cls([model.history_ for model in models], name=name).plot(ax, metrics=metrics)

    @classmethod
    def from_history(
        cls,
        history: Mapping[str, Sequence[float]] | Sequence[Mapping[str, Sequence[float]]],
        *,
        metrics: Sequence[str] | None = None,
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw a training from its values.

        Parameters
        ----------
        history : dict of str to list of float, or list of dict
            Values of each epoch, as for the class.
        metrics : sequence of {"accuracy", "error", "loss"} or None, default=None
            As for ``plot``.
        name : str or None, default=None
            Title.
        ax : Axes, sequence of Axes or None, default=None
            As for ``plot``.

        Returns
        -------
        display : TrainingHistoryDisplay
            Drawn.
        """
        return cls(history, name=name).plot(ax, metrics=metrics)

    def plot(
        self, ax: Any = None, *, metrics: Sequence[str] | None = None, name: str | None = None
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, sequence of Axes or None, default=None
            Axes to draw into, one for each metric. None makes a figure.
        metrics : sequence of {"accuracy", "error", "loss"} or None, default=None
            What to draw, each into axes of its own; "error" is 1 less the accuracy. None
            means accuracy and loss, or accuracy alone where one Axes is given.
        name : str or None, default=None
            Title; None means that of the display.

        Returns
        -------
        display : TrainingHistoryDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the history is no dict or ``ax`` no Axes.
        ValueError
            If a metric is unknown or not in the history, lists differ in length, or there
            are not as many axes as metrics.
        """
        caller = f"{type(self).__name__}.plot"
        import_pyplot(caller)
        single = ax is not None and not np.iterable(ax)
        if metrics is None:
            metrics = ["accuracy"] if single else ["accuracy", "loss"]
        metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        curves = [self._curves(metric) for metric in metrics]  # checked before a figure is made
        if not curves:
            raise ValueError("metrics is empty; choose from 'accuracy', 'error' and 'loss'.")
        if ax is None:
            width = 4.2 * len(metrics) + 0.4
            first = axes_for(caller, None, (max(width, 5.0), 3.6))
            figure = first.figure
            if len(metrics) > 1:
                first.remove()
                axes = list(figure.subplots(1, len(metrics)))
            else:
                axes = [first]
        else:
            axes = [check_axes(caller, a) for a in ([ax] if single else np.ravel(np.asarray(ax)))]
        if len(axes) != len(metrics):
            raise ValueError(
                f"{len(metrics)} metrics ({', '.join(metrics)}) need as many axes, got "
                f"{len(axes)}. Give ax=None, one Axes for each, or fewer metrics."
            )
        name = self.name if name is None else name
        if name is not None and ax is None and len(axes) > 1:
            axes[0].figure.suptitle(name)
        elif name is not None:
            axes[0].set_title(name)
        self.lines_: list[Any] = []
        for each, metric, (training, validation) in zip(axes, metrics, curves, strict=True):
            self._draw(each, metric, training, validation)
        self.ax_: Any = axes[0] if len(axes) == 1 else np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        return self

    def _draw(
        self,
        ax: Any,
        metric: str,
        training: list[NDArray[np.float64]],
        validation: list[NDArray[np.float64]],
    ) -> None:
        ticker = import_module("matplotlib.ticker")
        n_epochs = min(map(len, training))  # that all trainings have
        epochs = np.arange(1, n_epochs + 1)
        every = max(1, len(epochs) // 8)
        looks = [(COLORS[0], "o", "-"), (COLORS[1], "s", "--")]
        parts = [("training", training), ("validation", validation)]
        for (part, values), (color, marker, line) in zip(parts, looks, strict=True):
            if values:
                together = np.stack([curve[:n_epochs] for curve in values])
                mean, deviation = together.mean(axis=0), together.std(axis=0)
                if len(values) > 1:
                    for curve in values:
                        x = np.arange(1, len(curve) + 1)
                        ax.plot(x, curve, color=color, linewidth=0.7, alpha=0.5, linestyle=line)
                    ax.fill_between(
                        epochs, mean - deviation, mean + deviation, color=color, alpha=0.2, lw=0
                    )
                offset = 0 if part == "training" else every // 2
                self.lines_ += ax.plot(
                    epochs,
                    mean,
                    color=color,
                    marker=marker,
                    linestyle=line,
                    markevery=(min(offset, len(epochs) - 1), every),
                    label=part,
                )
        ax.set_xlabel("epoch")
        ax.set_ylabel(metric if metric == "loss" else f"{metric} of segments")
        ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        if len(epochs) == 1:
            ax.set_xlim(0.5, 1.5)
        legend(ax)

    def _curves(self, metric: str) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Return the values of training and those of validation, a list for each training."""
        single = isinstance(self.history, Mapping) or not isinstance(self.history, Sequence)
        found = [_values(h, metric) for h in ([self.history] if single else self.history)]
        if not found:
            raise ValueError("history is an empty list; give at least one training.")
        lengths = {len(values) for values in found}
        if len(lengths) > 1:
            raise ValueError(
                f"Only some of the {len(found)} trainings have a validation part; draw them apart."
            )
        return [values[0] for values in found], [v[1] for v in found if len(v) > 1]


def _with_history(estimator: Any) -> Any:
    """Return the classifier with a history that an estimator ends in."""
    model = final_classifier(estimator)
    if not hasattr(model, "history_") and hasattr(model, "estimator_"):
        model = final_classifier(model.estimator_)
    if not hasattr(model, "history_"):
        raise AttributeError(
            f"{type(model).__name__} has no history_. Give a fitted classifier that trains a "
            "network over epochs, such as CNNGenreClassifier, or a pipeline that ends in one. "
            "A HierarchicalGenreClassifier has one for each node: give a single classifier."
        )
    return model


def _values(history: Any, metric: str) -> list[NDArray[np.float64]]:
    """Return the values of one training, then those of its validation part if it has one."""
    if not isinstance(history, Mapping):
        raise TypeError(
            f"history is a {type(history).__name__}; expected a dict of lists, such as the "
            "history_ of a fitted classifier, or a list of such."
        )
    if metric not in _KEYS:
        raise ValueError(f"metric {metric!r} is unknown; choose 'accuracy', 'error' or 'loss'.")
    key = _KEYS[metric]
    if key not in history:
        raise ValueError(
            f"The history has no {key!r}, but {', '.join(map(repr, history)) or 'nothing'}; "
            "choose other metrics."
        )
    found = [history[name] for name in (key, f"val_{key}") if name in history]
    values = [np.asarray(v, dtype=np.float64) for v in found]
    if any(v.ndim != 1 or v.shape != values[0].shape or not v.size for v in values):
        raise ValueError(
            f"{key!r} and 'val_{key}' should be lists of one number for each epoch; got the "
            f"shapes {', '.join(str(v.shape) for v in values)}."
        )
    return [1 - v for v in values] if metric == "error" else values
