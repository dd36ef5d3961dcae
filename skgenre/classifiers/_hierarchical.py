"""A hierarchy of classifiers: first the family of genres, then the genre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    has_fit_parameter,
)

from skgenre.classifiers._node_report import NodeReportMixin, node_target
from skgenre.classifiers._target import check_target, check_two_classes
from skgenre.classifiers._tree import Node, grow_tree, gtzan_tree, named_paths, tree_from_mapping
from skgenre.utils._random import draw_seeds
from skgenre.utils._site import DocLinkMixin
from skgenre.utils._validation import Array, check_features


def _predicts_segments(self: HierarchicalGenreClassifier) -> bool:
    """Whether the nodes' classifiers predict segments; raises AttributeError if not."""
    estimator = self.estimator
    if estimator is not None:
        estimator.predict_segment_proba  # noqa: B018 - its absence is the answer
    return True


class HierarchicalGenreClassifier(
    DocLinkMixin,
    NodeReportMixin,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Classify step by step down a tree of genres, one classifier a step.

    Each node of the tree has a classifier of its own, which separates the children of that
    node and is trained on the tracks of the genres below it. With ``hierarchy="gtzan"``
    it is the tree of [1]_ with its seven LSTM networks.

    Parameters
    ----------
    estimator : classifier or None, default=None
        Cloned for each node. None means :class:`LSTMGenreClassifier` with its defaults.
    hierarchy : "auto", "gtzan", mapping or list, default="auto"
        The tree. "auto" grows a binary tree by joining the genres whose mean features are
        most alike (average linkage). "gtzan" is the tree of [1]_, for the genres of GTZAN. A
        mapping has names as keys and mappings, lists of labels or single labels as values; a
        list alone is a tree of one node. Genres that ``y`` does not hold are left out, and
        nodes that are left with one child.
    routing : {"soft", "hard"}, default="soft"
        "soft" multiplies the probabilities along the path to each genre. "hard" follows
        the most probable child and gives the genres elsewhere probability 0.
    node_params : dict of str to dict, or None, default=None
        Parameters of single nodes that differ from ``estimator``'s, by the node's path:
        ``{"root": {"epochs": 35}, "strong": {"epochs": 20}}``. The paths are the keys of
        ``nodes_``; those of groups whose genres ``y`` does not hold are ignored. A
        ``class_weight`` has positions of children as keys.
    random_state : int, RandomState instance or None, default=None
        Decides the seeds of the nodes' classifiers, where they take any. None leaves
        their own ``random_state`` as it is.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted.
    hierarchy_ : dict or list
        The tree as it was used, in the form that ``hierarchy`` takes: mappings of names,
        and lists of labels where the genres are separated.
    nodes_ : dict of str to classifier
        The fitted classifier of each node by its path, "root" first. Its classes are the
        positions of the node's children in ``hierarchy_``: 0 is the first child.
    n_features_in_ : int
        Size of the last axis of X in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only where X was a data frame.

    Notes
    -----
    Routing is by track: each node's segments vote before its decision counts.
    Weights of tracks reach classifiers that take ``sample_weight`` in ``fit``; through a
    ``Pipeline`` they are not routed.

    With "auto", the names of the genres and their order decide nothing. Some functions of
    scikit-learn encode genres as integers before ``fit``: ``cross_val_predict`` where it asks
    for probabilities, ``VotingClassifier``, ``StackingClassifier`` and others. There "auto"
    answers as it does for the names; a tree that names genres is refused, as they are unknown.

    ``predict_segment_proba`` routes each segment by itself instead, and its mean over a
    track is therefore not ``predict_proba``.

    References
    ----------
    .. [1] H. Zhang, "Research on music genre classification algorithm based on deep
       learning", figures 8, 9 and 12. Its epochs a node: root 35, strong 20, mild 35,
       strong/hiphop-metal-rock 40, strong/pop-reggae 20, mild/disco-country 20,
       mild/jazz-classical-blues 40.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import HierarchicalGenreClassifier, MLPGenreClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["metal", "rock", "jazz"], 8)
    >>> X = rng.normal(size=(24, 2, 10, 3)) + np.repeat([0, 2, 4], 8)[:, None, None, None]
    >>> mlp = MLPGenreClassifier(units=(16,), epochs=5, learning_rate=0.01)
    >>> model = HierarchicalGenreClassifier(mlp, hierarchy="gtzan", random_state=0).fit(X, y)
    >>> model.hierarchy_
    {'strong': ['metal', 'rock'], 'mild': 'jazz'}
    >>> list(model.nodes_)
    ['root', 'strong']
    >>> model.set_params(hierarchy="auto").fit(X, y).hierarchy_
    {'metal': 'metal', 'rock-jazz': ['rock', 'jazz']}
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "hierarchy": [StrOptions({"auto", "gtzan"}), Mapping, list, tuple],
        "routing": [StrOptions({"soft", "hard"})],
        "node_params": [dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        hierarchy="auto",
        routing="soft",
        node_params=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.hierarchy = hierarchy
        self.routing = routing
        self.node_params = node_params
        self.random_state = random_state

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit one classifier for each node of the tree.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features; of 2 or 3 dimensions too where the nodes' classifiers take them.
        y : array-like of shape (n_tracks,)
            Genre of each track.
        sample_weight : array-like of shape (n_tracks,), default=None
            Weight of each track.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If a genre has no place in the hierarchy, if ``node_params`` names an unknown
            node, or if the nodes' classifiers take no weights but some are given.
        """
        X = check_features(self, X, reset=True, max_ndim=5)
        y = check_target(self, X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        self.classes_ = np.unique(y)
        if sample_weight is not None and (sample_weight > 0).any():
            # A genre whose tracks all weigh 0 has no place in the tree, as they take no part.
            used = sample_weight > 0
            X, y, sample_weight = X[used], y[used], sample_weight[used]
        check_two_classes(self, np.unique(y))
        self._tree = self._plant(X, y)
        self.hierarchy_ = self._tree.as_mapping()
        nodes = list(self._tree.walk())
        self._check_node_params([node.path for node in nodes])

        context = self._init_callback_context(max_subtasks=len(nodes))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        # The nodes' seeds are drawn before any is fitted, so that one node's settings do
        # not change another's seed.
        seeds = (
            [None] * len(nodes)
            if self.random_state is None
            else draw_seeds(self.random_state, len(nodes))
        )
        self.nodes_ = {}
        for node, seed in zip(nodes, seeds, strict=True):
            rows, target = node_target(node, y)
            classifier = self._node_classifier(node.path, seed)
            weights = {}
            if sample_weight is not None:
                if not has_fit_parameter(classifier, "sample_weight"):
                    raise ValueError(
                        f"sample_weight was given, but {type(classifier).__name__} takes none "
                        "in fit; leave it out or choose another estimator."
                    )
                weights["sample_weight"] = sample_weight[rows]
            task = context.subcontext(task_name=f"node {node.path}")
            with task.propagate_callback_context(classifier):
                try:
                    self.nodes_[node.path] = classifier.fit(X[rows], target, **weights)
                except ValueError as error:
                    raise ValueError(f"At node {node.path!r}: {error}") from error
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=dict)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the genre probabilities of each track.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, as for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_classes), float32
            Rows sum to one; columns in the order of ``classes_``.
        """
        return self._route(X, "predict_proba")

    @available_if(_predicts_segments)
    def predict_segment_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the genre probabilities of each segment, routed by itself.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, as for ``fit``.

        Returns
        -------
        proba : ndarray of shape (n_tracks, n_segments, n_classes), float32
            Columns in the order of ``classes_``.
        """
        return self._route(X, "predict_segment_proba")

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable genre of each track.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_segments, n_frames, n_features)
            Features, as for ``fit``.

        Returns
        -------
        y : ndarray of shape (n_tracks,)
            Labels as they were given to ``fit``.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    @np.errstate(under="ignore")  # what is too small to be a number is 0
    def _plant(self, X: Array, y: Array) -> Node:
        """Choose the tree."""
        classes, first_rows = np.unique(y, return_index=True)
        if not isinstance(self.hierarchy, str):
            return tree_from_mapping(self.hierarchy, classes)
        if self.hierarchy == "gtzan":
            return gtzan_tree(classes)
        # (n_tracks, n_features) for tables; else mean and spread of each feature.
        summaries = X
        if X.ndim > 2:
            axes = tuple(range(1, X.ndim - 1))
            summaries = np.hstack([X.mean(axis=axes), X.std(axis=axes)])
        spread = summaries.std(axis=0)
        summaries = (summaries - summaries.mean(axis=0)) / np.where(spread > 0, spread, 1)
        means = np.stack([summaries[y == label].mean(axis=0) for label in classes])
        # Ordered by their features, so that ties and seeds do not depend on the names.
        order = np.lexsort([first_rows, *means.T])
        return grow_tree(means[order], classes[order])

    def _check_node_params(self, paths: list[str]) -> None:
        unknown = sorted(set(self.node_params or {}) - set(paths) - named_paths(self.hierarchy))
        if unknown:
            raise ValueError(
                f"node_params names {', '.join(map(repr, unknown))}, but the nodes are "
                f"{', '.join(map(repr, paths))}."
            )

    def _node_classifier(self, path: str, seed: int | None) -> Any:
        """Return the unfitted classifier of a node."""
        if self.estimator is None:
            from skgenre.classifiers._lstm import LSTMGenreClassifier

            classifier: Any = LSTMGenreClassifier()
        else:
            classifier = clone(self.estimator)
        if seed is not None:
            names = [
                name
                for name in classifier.get_params()
                if name == "random_state" or name.endswith("__random_state")
            ]
            classifier.set_params(**dict.fromkeys(names, seed))
        return classifier.set_params(**(self.node_params or {}).get(path, {}))

    @np.errstate(under="ignore")  # what is too small to be a number is 0
    def _route(self, X: Any, method: str) -> NDArray[np.float32]:
        """Bring the probabilities of all nodes together: (..., n_classes)."""
        check_is_fitted(self)
        X = check_features(self, X, reset=False, max_ndim=5)
        columns = {label: i for i, label in enumerate(self.classes_.tolist())}
        start = getattr(self.nodes_[self._tree.path], method)(X)
        proba = np.zeros((*start.shape[:-1], len(columns)), dtype=np.float64)

        def descend(node: Node, reach: NDArray[np.float64], children: Any) -> None:
            if self.routing == "hard":
                best = children.argmax(axis=-1)[..., np.newaxis]
                children = np.where(best == np.arange(children.shape[-1]), 1.0, 0.0)
            for position, (_, child) in enumerate(node.children):
                share = reach * children[..., position]
                if isinstance(child, Node):
                    descend(child, share, getattr(self.nodes_[child.path], method)(X))
                else:
                    proba[..., columns[child]] = share

        descend(self._tree, np.ones(start.shape[:-1]), start.astype(np.float64))
        return (proba / proba.sum(axis=-1, keepdims=True)).astype(np.float32)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "nodes_") and hasattr(self, "_tree")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
