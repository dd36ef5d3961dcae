"""How well a hierarchy decides at each of its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers._target import check_target
from skgenre.classifiers._tree import Node
from skgenre.utils._records import TableRecord, latex_table, markdown_table
from skgenre.utils._validation import Array, check_features

if TYPE_CHECKING:
    _Base: Any = Any
else:
    _Base = object


@dataclass(frozen=True, repr=False)
class NodeReport(TableRecord):
    """The result of :meth:`skgenre.HierarchicalGenreClassifier.node_report`.

    Attributes
    ----------
    nodes : list of dict
        For each node, parents first: its ``path``; ``n_tracks``, the tracks of its genres;
        ``accuracy``, the share of them that it sends to the right child, None without tracks;
        and its ``children``, a list of dict with the ``name`` of each and the path of the
        ``node`` or the ``genre`` that stands there.
    genres : list of dict
        For each ``genre``, in the order of the tree: ``n_tracks``; ``recall``, the share of them
        that the whole hierarchy predicts; ``expected``, the product of the accuracies along its
        path. Both are None without tracks.
    n_tracks : int
        All tracks.
    accuracy : float
        Share of them that the whole hierarchy predicts.
    expected : float
        Accuracy if errors at different nodes were independent, with "hard" routing.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import HierarchicalGenreClassifier, MLPGenreClassifier
    >>> y = np.repeat(["metal", "rock", "jazz"], 8)
    >>> X = np.random.default_rng(0).normal(size=(24, 2, 10, 3))
    >>> X += np.repeat([0, 2, 4], 8)[:, None, None, None]
    >>> mlp = MLPGenreClassifier(units=(16,), epochs=5, learning_rate=0.01)
    >>> model = HierarchicalGenreClassifier(mlp, hierarchy="gtzan", random_state=0)
    >>> report = model.fit(X[::2], y[::2]).node_report(X[1::2], y[1::2])
    >>> [(node["path"], node["n_tracks"]) for node in report.nodes]
    [('root', 12), ('strong', 8)]
    """

    _format: ClassVar[str] = "skgenre-nodes-1"

    nodes: list[dict[str, Any]]
    genres: list[dict[str, Any]]
    n_tracks: int
    accuracy: float
    expected: float

    def to_markdown(self) -> str:
        """Return a table of the nodes, and one of the genres, in Markdown.

        Returns
        -------
        tables : str
            One row a node, one row a genre and a last one for all genres.
        """
        return "\n\n".join(markdown_table(*table) for table in (self._cells(), self._of_genres()))

    def to_latex(self, *, caption: str | None = None, label: str | None = None) -> str:
        """Return both tables in LaTeX, for documents that use the package booktabs.

        Parameters
        ----------
        caption : str or None, default=None
            Caption of one ``table`` environment around both, in LaTeX; None for the two
            ``tabular`` alone.
        label : str or None, default=None
            Label of that environment; needs a caption.

        Returns
        -------
        tables : str
            The numbers are those of ``to_markdown``.
        """
        end = "" if caption is None else "\n\\end{table}"
        nodes = latex_table(*self._cells(), caption=caption, label=label).removesuffix(end)
        return f"{nodes}\n\n{latex_table(*self._of_genres())}{end}"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        rows = []
        for node in self.nodes:
            names = ", ".join(child["name"] for child in node["children"])
            rows.append([node["path"], names, str(node["n_tracks"]), _share(node["accuracy"])])
        return ["node", "children", "tracks", "accuracy"], rows

    def _of_genres(self) -> tuple[list[str], list[list[str]]]:
        rows = [
            [str(g["genre"]), str(g["n_tracks"]), _share(g["recall"]), _share(g["expected"])]
            for g in self.genres
        ]
        rows.append(["all", str(self.n_tracks), _share(self.accuracy), _share(self.expected)])
        return ["genre", "tracks", "recall", "product of the nodes"], rows


class NodeReportMixin(_Base):
    """The methods of HierarchicalGenreClassifier that score its nodes."""

    def node_scores(self, X: Any, y: Any) -> dict[str, Any]:
        """Measure each node on the tracks of its own genres.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features of labelled tracks, best of tracks not trained on.
        y : array-like of shape (n_tracks,)
            Their genres, all among ``classes_``.

        Returns
        -------
        scores : dict
            ``"nodes"``: accuracy of each node by path, NaN where no track passes it.
            ``"genres"``: the product of the accuracies along each genre's path.
            ``"expected"``: what the whole can expect of "hard" routing, if errors at
            different nodes are independent: the mean of the products over the tracks.

        Raises
        ------
        ValueError
            If ``y`` holds a genre that was not there in ``fit``.
        """
        check_is_fitted(self)
        X = check_features(self, X, reset=False, max_ndim=5)
        y = check_target(self, X, y)
        unknown = np.setdiff1d(y, self._tree.labels())
        if unknown.size:
            raise ValueError(
                f"y holds genres that fit did not see: {unknown.tolist()}; known are "
                f"{sorted(self._tree.labels())}."
            )
        nodes: dict[str, float] = {}
        products = dict.fromkeys(self._tree.labels(), 1.0)
        for node in self._tree.walk():
            rows, target = node_target(node, y)
            score = float("nan")
            if len(rows):
                score = float(accuracy_score(target, self.nodes_[node.path].predict(X[rows])))
            nodes[node.path] = score
            for label in node.labels():
                products[label] *= score
        labels, counts = np.unique(y, return_counts=True)
        expected = np.average([products[label] for label in labels.tolist()], weights=counts)
        return {"nodes": nodes, "genres": products, "expected": float(expected)}

    def node_report(self, X: Any, y: Any) -> NodeReport:
        """Report the accuracy and the number of tracks at each node, and of each genre.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features of labelled tracks, best of tracks not trained on.
        y : array-like of shape (n_tracks,)
            Their genres, all among ``classes_``.

        Returns
        -------
        report : skgenre.classifiers.NodeReport
            Prints as tables; :class:`HierarchyDisplay` draws it.

        Raises
        ------
        ValueError
            If ``y`` holds a genre that was not there in ``fit``.
        """
        scores = self.node_scores(X, y)
        y = np.asarray(y)
        right = np.asarray(self.predict(X)) == y
        genres = []
        for label in self._tree.labels():
            own = y == label
            recall = float(right[own].mean()) if own.any() else None
            expected = scores["genres"][label] if own.any() else None
            genres.append(
                {"genre": label, "n_tracks": int(own.sum()), "recall": recall, "expected": expected}
            )
        nodes = [
            {
                "path": node.path,
                "n_tracks": len(node_target(node, y)[0]),
                "accuracy": None if np.isnan(score) else score,
                "children": [_child(name, child) for name, child in node.children],
            }
            for node, score in zip(self._tree.walk(), scores["nodes"].values(), strict=True)
        ]
        return NodeReport(nodes, genres, len(y), float(right.mean()), scores["expected"])


def node_target(node: Node, y: Array) -> tuple[Array, Array]:
    """Return the rows of a node's tracks, and which of its children each belongs to."""
    target = np.full(len(y), -1)
    for position, (_, child) in enumerate(node.children):
        below = child.labels() if isinstance(child, Node) else [child]
        target[np.isin(y, below)] = position
    rows = np.flatnonzero(target >= 0)
    return rows, target[rows]


def _child(name: str, child: Any) -> dict[str, Any]:
    is_node = isinstance(child, Node)
    return {
        "name": name,
        "node": child.path if is_node else None,
        "genre": None if is_node else child,
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
