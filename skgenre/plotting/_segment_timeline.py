"""Genre probabilities along one track."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from skgenre.audio import AudioLoader, Segmenter
from skgenre.plotting._style import COLORMAP, COLORS, HATCHES, axes_for, track_name
from skgenre.utils._pipeline import leaf_steps, segment_outputs

_KINDS = ("heatmap", "areas")


class SegmentTimelineDisplay:
    """Picture of one track: the probability of each genre, segment by segment.

    Make one by ``from_estimator`` or ``from_predictions``.

    Parameters
    ----------
    proba : array-like of shape (n_segments, n_classes)
        Probabilities of each segment, in the order of time.
    classes : array-like of shape (n_classes,)
        The genres, in the order of the columns.
    edges : array-like of shape (n_segments + 1,) or None, default=None
        Seconds at which one segment's part of the picture ends and the next one's begins.
        None means that they are not known: segments are numbered.
    name : str or None, default=None
        Title.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the plot.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    artists_ : list of matplotlib artists
        For "heatmap" the mesh and the line of points, for "areas" the area of each genre.

    See Also
    --------
    RejectingClassifier : Rejects tracks whose segments disagree.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skgenre import SegmentTimelineDisplay
    >>> proba = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> display = SegmentTimelineDisplay.from_predictions(
    ...     proba, ["calm", "loud"], segment_duration=3.0
    ... )
    >>> display.ax_.get_xlabel(), display.ax_.get_xlim()[1]
    ('time, s', np.float64(9.0))
    >>> plt.close(display.figure_)
    """

    def __init__(self, proba, classes, *, edges=None, name=None):
        self.proba = proba
        self.classes = classes
        self.edges = edges
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        track: Any,
        *,
        kind: str = "heatmap",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Predict the segments of one track, and draw their probabilities.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            Fitted; a classifier with ``predict_segment_proba``, a pipeline that ends in one,
            or a search over such.
        track : str, PathLike or array-like
            One track: a row of the estimator's input. For a pipeline from audio
            files a path or a waveform, for a classifier the features of its segments.
        kind : {"heatmap", "areas"}, default="heatmap"
            As for ``plot``.
        name : str or None, default=None
            Title; None means the name of the file if the track is one.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : SegmentTimelineDisplay
            Drawn; with a time axis in seconds if the classifier knows the times of its segments,
            as :class:`GenreClassifier` does, or the pipeline has one Segmenter: from its
            duration (with ``placement="spread"`` also from the length of the track, known from
            an AudioLoader or a waveform). Where segments overlap or leave gaps, each moment
            belongs to the segment with the nearest middle.

        Raises
        ------
        TypeError
            If the classifier does not predict segments.
        """
        name = track_name(track) if name is None else name
        if isinstance(track, (str, os.PathLike)):
            X: Any = [track]
        elif isinstance(track, tuple) and len(track) == 2 and np.ndim(track[1]) == 0:
            X = [track]  # a waveform and its rate
            track = np.asarray(track[0])
        else:
            track = track if isinstance(track, np.ndarray) else np.asarray(track)
            if not track.ndim:
                raise TypeError(
                    f"track is {track.item()!r}; expected one track: a path, a waveform or the "
                    "features of its segments."
                )
            X = track[np.newaxis]
        proba, classes = segment_outputs(estimator, X)
        edges = _edges(estimator, track, X, proba.shape[1])
        return cls(proba[0], classes, edges=edges, name=name).plot(ax, kind=kind)

    @classmethod
    def from_predictions(
        cls,
        proba: Any,
        classes: Sequence[Any],
        *,
        segment_duration: float | None = None,
        kind: str = "heatmap",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the probabilities of one track.

        Parameters
        ----------
        proba : array-like of shape (n_segments, n_classes)
            A row of what ``predict_segment_proba`` returns.
        classes : array-like of shape (n_classes,)
            The genres, in the order of the columns.
        segment_duration : float or None, default=None
            Seconds of a segment; segments stand one after the other. None numbers them.
        kind : {"heatmap", "areas"}, default="heatmap"
            As for ``plot``.
        name : str or None, default=None
            Title.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : SegmentTimelineDisplay
            Drawn.

        Raises
        ------
        ValueError
            If ``segment_duration`` is not above zero.
        """
        edges = None
        if segment_duration is not None:
            if not segment_duration > 0:
                raise ValueError(
                    f"segment_duration={segment_duration!r}; expected seconds above 0, or None."
                )
            edges = segment_duration * np.arange(len(proba) + 1)
        return cls(proba, classes, edges=edges, name=name).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: str = "heatmap", name: str | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.
        kind : {"heatmap", "areas"}, default="heatmap"
            "heatmap" has a row for each genre and a point on the most probable one of each
            segment; "areas" stacks the probabilities, the first genre on top.
        name : str or None, default=None
            Title; None means that of the display.

        Returns
        -------
        display : SegmentTimelineDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If ``ax`` is no Axes.
        ValueError
            If the probabilities are not those of one track, or ``kind`` is unknown.
        """
        if kind not in _KINDS:
            raise ValueError(f"kind={kind!r} is unknown; choose 'heatmap' or 'areas'.")
        proba, classes, edges, seconds = self._checked()
        height = 1.6 + 0.3 * len(classes) if kind == "heatmap" else 3.6
        ax = axes_for(f"{type(self).__name__}.plot", ax, (7.0, max(height, 2.4)))
        draw = self._heatmap if kind == "heatmap" else self._areas
        draw(ax, proba, classes, edges)
        ax.set_xlim(edges[0], edges[-1])
        if seconds:
            ax.set_xlabel("time, s")
        else:
            every = max(1, -(-len(proba) // 15))
            numbers = np.arange(1, len(proba) + 1, every)
            ax.set_xticks(numbers, [str(n) for n in numbers])
            ax.set_xlabel("segment")
        name = self.name if name is None else name
        if name is not None:
            ax.set_title(name)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _heatmap(
        self, ax: Any, proba: NDArray[Any], classes: list[str], edges: NDArray[Any]
    ) -> None:
        mesh = ax.pcolormesh(
            edges, np.arange(len(classes) + 1), proba.T, cmap=COLORMAP, vmin=0, vmax=1
        )
        best = proba.argmax(axis=1) + 0.5
        (points,) = ax.plot(
            (edges[:-1] + edges[1:]) / 2,
            best,
            linestyle="none",
            marker="o",
            markersize=5,
            color="white",
            markeredgecolor="black",
        )
        ax.set_yticks(np.arange(len(classes)) + 0.5, classes)
        ax.set_ylim(len(classes), 0)  # the first genre on top
        ax.figure.colorbar(mesh, ax=ax, label="probability", pad=0.02)
        self.artists_ = [mesh, points]

    def _areas(self, ax: Any, proba: NDArray[Any], classes: list[str], edges: NDArray[Any]) -> None:
        steps = np.vstack([proba, proba[-1:]])  # (n_segments + 1, n_classes): to the last edge
        tops = 1 - np.cumsum(steps, axis=1) + steps
        self.artists_ = [
            ax.fill_between(
                edges,
                tops[:, i] - steps[:, i],
                tops[:, i],
                step="post",
                facecolor=COLORS[i % len(COLORS)],
                hatch=HATCHES[i // len(COLORS) % len(HATCHES)],
                edgecolor="white",
                linewidth=0.8,
                label=genre,
            )
            for i, genre in enumerate(classes)
        ]
        ax.set_ylim(0, 1)
        ax.set_ylabel("probability, stacked")
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)

    def _checked(self) -> tuple[NDArray[Any], list[str], NDArray[Any], bool]:
        proba = np.asarray(self.proba, dtype=np.float64)
        if proba.ndim != 2 or not proba.size:
            raise ValueError(
                f"proba has the shape {proba.shape}; expected (n_segments, n_classes), the "
                "segments of one track: predict_segment_proba(X)[0]."
            )
        classes = [str(genre) for genre in self.classes]
        if len(classes) != proba.shape[1]:
            raise ValueError(
                f"proba has {proba.shape[1]} columns, but there are {len(classes)} classes; give "
                "the classes_ of the classifier that made them."
            )
        if not ((proba >= 0) & (proba <= 1 + 1e-6)).all() or not np.allclose(
            proba.sum(axis=1), 1, atol=1e-3
        ):
            raise ValueError(
                "proba should hold probabilities, whose sum is 1 in each segment; got values from "
                f"{proba.min():g} to {proba.max():g} and sums from {proba.sum(axis=1).min():g} to "
                f"{proba.sum(axis=1).max():g}."
            )
        if self.edges is None:
            return proba, classes, np.arange(len(proba) + 1) + 0.5, False
        edges = np.asarray(self.edges, dtype=np.float64)
        if edges.shape != (len(proba) + 1,) or not (np.diff(edges) > 0).all():
            raise ValueError(
                f"edges should be {len(proba) + 1} rising seconds for {len(proba)} segments; got "
                f"{self.edges!r}."
            )
        return proba, classes, edges, True


def _edges(estimator: Any, track: Any, X: Any, n_segments: int) -> NDArray[np.float64] | None:
    """Return the seconds between segments, or None if they are not known."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if hasattr(estimator, "segment_times") and not getattr(estimator, "precomputed", False):
        return _between(*estimator.segment_times(X)[0].T)
    steps = leaf_steps(estimator[:-1]) if isinstance(estimator, Pipeline) else []
    segmenters = [step for step in steps if isinstance(step, Segmenter)]
    if len(segmenters) != 1 or segmenters[0].n_segments != n_segments:
        return None
    (segmenter,) = segmenters
    duration = segmenter._segment_length() / segmenter.sampling_rate
    if segmenter.placement == "consecutive":
        return duration * np.arange(n_segments + 1)
    loaders = [step for step in steps if isinstance(step, AudioLoader)]
    if loaders:
        length = loaders[-1].duration
    elif isinstance(track, np.ndarray) and track.ndim == 1:
        length = len(track) / segmenter.sampling_rate
    else:
        return None
    starts = np.linspace(0, max(length, duration) - duration, n_segments)
    return _between(starts, starts + duration)


def _between(starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the seconds between segments, or None if all are the same one."""
    if len(starts) > 1 and starts[-1] == starts[0]:
        return None
    middles = (starts + ends) / 2
    return np.concatenate([starts[:1], (middles[1:] + middles[:-1]) / 2, ends[-1:]])
