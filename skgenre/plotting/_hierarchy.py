"""A tree of genres with the accuracy at each node."""

from __future__ import annotations

import textwrap
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skgenre.plotting._style import COLORMAP, axes_for, contrast, foreground
from skgenre.utils._pipeline import split_fitted

if TYPE_CHECKING:
    from skgenre.classifiers import NodeReport

_LINE, _MAX_LINES = 20, 2  # of the name of a node


class HierarchyDisplay:
    """Picture of a hierarchy of genres: accuracy and number of tracks at each node.

    The root is on the left, the genres are on the right. "0.864 of 60" at a node: it sends 0.864
    of the 60 tracks of its genres to the right child. At a genre it is the share of its tracks
    that the whole hierarchy predicts. Make one by ``from_estimator`` or ``from_report``.

    Parameters
    ----------
    report : skgenre.classifiers.NodeReport
        As :meth:`HierarchicalGenreClassifier.node_report` returns it.
    name : str or None, default=None
        Title; None means the accuracy of the whole.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the plot.
    figure_ : matplotlib.figure.Figure
        The figure of the axes.
    node_texts_ : dict of str to matplotlib.text.Text
        The box of each node, by its path.
    genre_texts_ : dict of str or int to matplotlib.text.Text
        The box of each genre.

    See Also
    --------
    HierarchicalGenreClassifier : Its ``node_report`` measures the nodes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skgenre import HierarchicalGenreClassifier, HierarchyDisplay, MLPGenreClassifier
    >>> y = np.repeat(["metal", "rock", "jazz"], 8)
    >>> X = np.random.default_rng(0).normal(size=(24, 2, 10, 3))
    >>> X += np.repeat([0, 2, 4], 8)[:, None, None, None]
    >>> mlp = MLPGenreClassifier(units=(16,), epochs=5, learning_rate=0.01)
    >>> model = HierarchicalGenreClassifier(mlp, hierarchy="gtzan", random_state=0)
    >>> model = model.fit(X[::2], y[::2])
    >>> display = HierarchyDisplay.from_estimator(model, X[1::2], y[1::2])
    >>> list(display.node_texts_), list(display.genre_texts_)
    (['root', 'strong'], ['metal', 'rock', 'jazz'])
    >>> plt.close(display.figure_)
    """

    def __init__(self, report, *, name=None):
        self.report = report
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, name: str | None = None, ax: Any = None
    ) -> Self:
        """Measure the nodes of a fitted hierarchy, and draw.

        Parameters
        ----------
        estimator : HierarchicalGenreClassifier, Pipeline or search
            Fitted: a HierarchicalGenreClassifier, a pipeline that ends in one, or a search over
            such.
        X : array-like of n_tracks
            Labelled tracks, as the estimator takes them; best none that it was trained on.
        y : array-like of shape (n_tracks,)
            Their genres.
        name : str or None, default=None
            Title; None means the accuracy of the whole.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : HierarchyDisplay
            Drawn.

        Raises
        ------
        TypeError
            If the classifier has no nodes.
        """
        model, X = split_fitted(estimator, X)
        if not hasattr(model, "node_report"):
            raise TypeError(
                f"{type(model).__name__} has no nodes. Give a fitted HierarchicalGenreClassifier, "
                "or a pipeline that ends in one."
            )
        return cls(model.node_report(X, y), name=name).plot(ax)

    @classmethod
    def from_report(cls, report: NodeReport, *, name: str | None = None, ax: Any = None) -> Self:
        """Draw a report of nodes.

        Parameters
        ----------
        report : skgenre.classifiers.NodeReport
            As :meth:`HierarchicalGenreClassifier.node_report` returns it.
        name : str or None, default=None
            Title; None means the accuracy of the whole.
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.

        Returns
        -------
        display : HierarchyDisplay
            Drawn.
        """
        return cls(report, name=name).plot(ax)

    def plot(self, ax: Any = None, *, name: str | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or None, default=None
            Axes to draw into. None makes a figure.
        name : str or None, default=None
            Title; None means that of the display.

        Returns
        -------
        display : HierarchyDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If ``ax`` is no Axes, or the report is no NodeReport.
        """
        if not hasattr(self.report, "nodes") or not hasattr(self.report, "genres"):
            raise TypeError(
                f"report is a {type(self.report).__name__}; expected a NodeReport, as "
                "HierarchicalGenreClassifier.node_report returns it."
            )
        nodes = {node["path"]: node for node in self.report.nodes}
        genres = {entry["genre"]: entry for entry in self.report.genres}
        depth = {self.report.nodes[0]["path"]: 0}
        for path, node in nodes.items():  # parents first
            depth |= {c["node"]: depth[path] + 1 for c in node["children"] if c["node"] is not None}
        n_columns = max(depth.values()) + 2  # the genres have the last one
        ax = axes_for(
            f"{type(self).__name__}.plot", ax, (1.7 * n_columns + 0.9, 0.8 + 0.5 * len(genres))
        )
        rows: dict[Any, float] = {genre: row for row, genre in enumerate(genres)}
        places: dict[str, float] = {}
        for path, node in reversed(nodes.items()):  # children first
            children = node["children"]
            below = [places[c["node"]] for c in children if c["node"] is not None]
            below += [rows[c["genre"]] for c in children if c["node"] is None]
            places[path] = float(np.mean([min(below), max(below)]))
        self.node_texts_, self.genre_texts_ = {}, {}
        for path, node in nodes.items():
            x, y = depth[path], places[path]
            for child in node["children"]:
                if child["node"] is None:
                    end, row = n_columns - 1, rows[child["genre"]]
                else:
                    end, row = depth[child["node"]], places[child["node"]]
                corner = x + 0.5
                ax.plot(
                    [x, corner, corner, end],
                    [y, y, row, row],
                    color=foreground(ax),
                    linewidth=1,
                    zorder=1,
                )
            label, face = _label(path.rpartition("/")[2], node["accuracy"], node["n_tracks"])
            self.node_texts_[path] = _box(ax, x, y, label, face)
        for genre, entry in genres.items():
            label, face = _label(str(genre), entry["recall"], entry["n_tracks"])
            self.genre_texts_[genre] = _box(ax, n_columns - 1, rows[genre], label, face)
        ax.set_xlim(-0.5, n_columns - 0.5)
        ax.set_ylim(len(genres) - 0.5, -0.5)  # the first genre on top
        ax.set_axis_off()
        colors = import_module("matplotlib.cm").ScalarMappable(cmap=COLORMAP)
        colors.set_clim(0, 1)
        ax.figure.colorbar(colors, ax=ax, label="share that is right", pad=0.02)
        name = self.name if name is None else name
        if name is None:
            name = f"{self.report.accuracy:.3f} of {self.report.n_tracks} tracks right"
        ax.set_title(name)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _label(name: str, share: float | None, n_tracks: int) -> tuple[str, Any]:
    """Return the text of a box, and its colour: None without tracks."""
    lines = textwrap.wrap(name, _LINE)
    title = "\n".join(lines[:_MAX_LINES]) + ("\u2026" if len(lines) > _MAX_LINES else "")
    if share is None:
        return f"{title}\nno tracks", None
    cmap = import_module("matplotlib").colormaps[COLORMAP]
    return f"{title}\n{share:.3f} of {n_tracks}", cmap(share)


def _box(ax: Any, x: float, y: float, label: str, face: Any) -> Any:
    face = ax.get_facecolor() if face is None else face
    return ax.text(
        x,
        y,
        label,
        ha="center",
        va="center",
        fontsize="small",
        color=contrast(face),
        bbox={"boxstyle": "round", "facecolor": face, "edgecolor": foreground(ax)},
    )
