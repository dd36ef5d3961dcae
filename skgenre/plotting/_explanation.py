"""How much each feature group speaks for a genre."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre.plotting._style import COLORS, HATCHES, axes_for, foreground, track_name
from skgenre.utils._pipeline import final_classifier, split_fitted

_KINDS = ("bars", "heatmap")
_INTERCEPT = "average track"
_DIVERGING = "PuOr"


class ExplanationDisplay:
    """Picture of why a track gets its genre: the contribution of each feature group.

    Contributions and the score of an average training track add up to the score of the genre.
    Make a display by ``from_estimator`` or ``from_explanation``.

    Parameters
    ----------
    explanation : skgenre.classifiers.Explanation
        As :meth:`GenreClassifier.explain` returns it.
    track : int, default=0
        Row of the track in it.
    genre : str, int or None, default=None
        The genre to explain, in bars; None means that of the highest score.
    other : str, int or None, default=None
        The genre to compare it with; None means the mean of all others.
    name : str or None, default=None
        Name of the track, in the title.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the plot.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    artists_ : list of matplotlib artists
        For "bars" the bars, from the top to the bottom, for "heatmap" the mesh.

    See Also
    --------
    GenreClassifier : Its ``explain`` computes the contributions.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skgenre import ExplanationDisplay
    >>> from skgenre.classifiers import Explanation
    >>> explanation = Explanation(
    ...     members=("svc",),
    ...     classes=np.array(["calm", "loud"]),
    ...     feature_groups=["tempo", "mfcc"],
    ...     pair_contributions=np.array([[[0.2, -0.7]]]),
    ...     pair_intercept=np.array([0.1]),
    ... )
    >>> display = ExplanationDisplay(explanation).plot()
    >>> display.ax_.get_title(), [bar.get_width() for bar in display.artists_]
    ('loud: score 0.40', [np.float64(0.7), np.float64(-0.2), np.float64(-0.1)])
    >>> plt.close(display.figure_)
    """

    def __init__(self, explanation, *, track=0, genre=None, other=None, name=None):
        self.explanation = explanation
        self.track = track
        self.genre = genre
        self.other = other
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        track: Any,
        *,
        genre: Any = None,
        other: Any = None,
        kind: str = "bars",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Explain one track by a fitted model, and draw.

        Parameters
        ----------
        estimator : GenreClassifier, Pipeline or search
            Fitted: a :class:`GenreClassifier`, a pipeline that ends in one, or a search over such.
        track : str, PathLike or array-like
            One track: a row of the estimator's input.
        genre : str, int or None, default=None
            The genre to explain; None means the one that the estimator predicts.
        other : str, int or None, default=None
            The genre to compare it with; None means the mean of all others.
        kind : {"bars", "heatmap"}, default="bars"
            As for ``plot``.
        name : str or None, default=None
            Name in the title; None means the name of the file if the track is one.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : ExplanationDisplay
            Drawn.

        Raises
        ------
        TypeError
            If the classifier has no ``explain``.
        """
        model = final_classifier(estimator)
        if not hasattr(model, "explain"):
            raise TypeError(
                f"{type(model).__name__} does not explain its predictions. Give a fitted "
                "GenreClassifier, or a pipeline that ends in one."
            )
        name = track_name(track) if name is None else name
        model, X = split_fitted(estimator, [track])
        genre = model.predict(X)[0] if genre is None else genre
        explanation = model.explain(X)
        return cls(explanation, genre=genre, other=other, name=name).plot(ax, kind=kind)

    @classmethod
    def from_explanation(
        cls,
        explanation: Any,
        track: int = 0,
        *,
        genre: Any = None,
        other: Any = None,
        kind: str = "bars",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw one track of an explanation.

        Parameters
        ----------
        explanation : skgenre.classifiers.Explanation
            As :meth:`GenreClassifier.explain` returns it.
        track : int, default=0
            Row of the track in it.
        genre : str, int or None, default=None
            The genre to explain; None means that of the highest score.
        other : str, int or None, default=None
            The genre to compare it with; None means the mean of all others.
        kind : {"bars", "heatmap"}, default="bars"
            As for ``plot``.
        name : str or None, default=None
            Name in the title.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : ExplanationDisplay
            Drawn.
        """
        return cls(explanation, track=track, genre=genre, other=other, name=name).plot(
            ax, kind=kind
        )

    def plot(self, ax: Any = None, *, kind: str = "bars") -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.
        kind : {"bars", "heatmap"}, default="bars"
            Bars for one genre, the largest contribution first; or the contributions to all
            genres, the genre with the highest score first.

        Returns
        -------
        display : ExplanationDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If ``ax`` is no Axes.
        ValueError
            If the kind, the track or a genre is unknown, or the track has no sound.
        """
        if kind not in _KINDS:
            raise ValueError(f"kind={kind!r} must be one of {', '.join(map(repr, _KINDS))}.")
        n_tracks = len(self.explanation.pair_contributions)
        if not -n_tracks <= self.track < n_tracks:
            raise ValueError(f"track={self.track} is none of the {n_tracks} tracks explained.")
        scores = self.explanation.scores[self.track]
        if np.isnan(scores).any():
            raise ValueError("The track has no sound, so that nothing speaks for any genre.")
        caller = f"{type(self).__name__}.plot"
        n_groups = len(self.explanation.feature_groups)
        if kind == "bars":
            contributions, intercept, label = self._of_genre(scores)
            ax = axes_for(caller, ax, (6.4, 1.4 + 0.28 * n_groups))
            self._draw_bars(ax, contributions, intercept, label)
        else:
            ax = axes_for(caller, ax, (2.6 + 0.42 * n_groups, 1.8 + 0.32 * len(scores)))
            self._draw_heatmap(ax, scores)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _of_genre(self, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, str]:
        """Return the contributions to one score, its intercept, and what it is the score of."""
        explanation = self.explanation
        genre = explanation.classes[scores.argmax()] if self.genre is None else self.genre
        if self.other is not None:
            contributions, intercept = explanation.between(genre, self.other)
            return contributions[self.track], intercept, f"{genre} against {self.other}"
        index = explanation.index(genre)
        contributions = explanation.contributions[self.track, index]
        return contributions, float(explanation.intercept[index]), str(genre)

    def _draw_bars(
        self, ax: Any, contributions: NDArray[np.float64], intercept: float, label: str
    ) -> None:
        order = (-np.abs(contributions)).argsort(kind="stable")
        values = np.append(contributions[order], intercept)
        names = [*(self.explanation.feature_groups[i] for i in order), _INTERCEPT]
        colors = [COLORS[0] if value >= 0 else COLORS[1] for value in values]
        colors[-1] = COLORS[6]
        bars = ax.barh(np.arange(len(values)), values, color=colors, edgecolor="white")
        for bar, value in zip(bars, values, strict=True):
            bar.set_hatch(HATCHES[int(value < 0)])
            ax.annotate(
                f"{value:+.2f}",
                (value, bar.get_y() + bar.get_height() / 2),
                xytext=(4 if value >= 0 else -4, 0),
                textcoords="offset points",
                ha="left" if value >= 0 else "right",
                va="center",
                fontsize="small",
            )
        ax.axvline(0, color=foreground(ax), linewidth=0.8)
        ax.set_yticks(np.arange(len(values)), names)
        ax.invert_yaxis()
        ax.margins(x=0.16)  # room for the numbers
        ax.set_xlabel(f"contribution to the score of {label}")
        self._title(ax, f"{label}: score {values.sum():.2f}")
        self.artists_ = list(bars)

    def _draw_heatmap(self, ax: Any, scores: NDArray[np.float64]) -> None:
        order = (-scores).argsort(kind="stable")
        explanation = self.explanation
        values = np.column_stack([explanation.contributions[self.track], explanation.intercept])
        limit = np.abs(values).max() or 1.0
        mesh = ax.pcolormesh(
            values[order],
            cmap=_DIVERGING,
            vmin=-limit,
            vmax=limit,
            edgecolor="white",
            linewidth=0.5,
        )
        rows = [f"{explanation.classes[i]} {scores[i]:+.2f}" for i in order]
        columns = [*explanation.feature_groups, _INTERCEPT]
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation="vertical")
        ax.invert_yaxis()
        ax.set_ylabel("genre and its score")
        ax.figure.colorbar(mesh, ax=ax, label="contribution to the score")
        self._title(ax, "contributions of feature groups")
        self.artists_ = [mesh]

    def _title(self, ax: Any, text: str) -> None:
        ax.set_title(text if self.name is None else f"{self.name}\n{text}")
