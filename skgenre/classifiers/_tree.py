"""Trees of genres: check them, restrict them to the genres at hand, grow them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# zhang, figures 8 and 9: "strong" and "mild" genres, then groups of two or three.
GTZAN_HIERARCHY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "strong": {
        "hiphop-metal-rock": ("hiphop", "metal", "rock"),
        "pop-reggae": ("pop", "reggae"),
    },
    "mild": {
        "disco-country": ("disco", "country"),
        "jazz-classical-blues": ("jazz", "classical", "blues"),
    },
}

ROOT = "root"


@dataclass(frozen=True)
class Node:
    """A decision of the hierarchy: the child that a track belongs to.

    Attributes
    ----------
    path : str
        "root", or the names from below the root down to here, joined by "/".
    children : tuple of (str, object)
        Name of each child and what stands there: a ``Node``, or the label of a genre.
    """

    path: str
    children: tuple[tuple[str, Any], ...]

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, parents first."""
        yield self
        for _, child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def labels(self) -> list[Any]:
        """List the genres below this node."""
        found: list[Any] = []
        for _, child in self.children:
            found += child.labels() if isinstance(child, Node) else [child]
        return found

    def as_mapping(self) -> dict[str, Any] | list[Any]:
        """Show the tree in the form that ``hierarchy`` takes: mappings, lists of labels."""
        if not any(isinstance(child, Node) for _, child in self.children):
            return [child for _, child in self.children]
        return {
            name: child.as_mapping() if isinstance(child, Node) else child
            for name, child in self.children
        }


def tree_from_mapping(hierarchy: Any, classes: NDArray[Any]) -> Node:
    """Build the tree that a nested mapping describes, restricted to the genres at hand.

    Parameters
    ----------
    hierarchy : mapping
        Names to mappings, to sequences of labels, or to single labels.
    classes : ndarray
        The genres at hand. Others are left out; a node with one child left is replaced
        by that child.

    Returns
    -------
    root : Node
        The tree.

    Raises
    ------
    ValueError
        If a genre stands in no place or in two.
    """
    known = {label: label for label in classes.tolist()}
    places = _listed(hierarchy)
    twice = sorted({str(label) for label in places if places.count(label) > 1})
    if twice:
        raise ValueError(
            f"The hierarchy holds {', '.join(twice)} more than once; a genre has one place."
        )
    missing = [label for label in known if label not in places]
    if missing:
        raise ValueError(
            f"The hierarchy has no place for {', '.join(map(repr, missing))}, which y holds. Add "
            f"them to the hierarchy, or take hierarchy='auto'.{_if_encoded(classes)}"
        )
    _check_names(hierarchy, is_root=True)
    return _restrict(hierarchy, known, ())


def _check_names(part: Any, *, is_root: bool = False) -> None:
    """Refuse names of groups that would make two nodes one."""
    if not isinstance(part, Mapping):
        return
    names = [str(name) for name in part]
    groups = [str(name) for name, child in part.items() if _is_group(child)]
    wrong = [name for name in groups if "/" in name or (is_root and name == ROOT)]
    wrong += [name for name in names if names.count(name) > 1]
    if wrong:
        raise ValueError(
            f"The hierarchy has a group called {wrong[0]!r}. Names of groups are unique among "
            f"their neighbours, hold no '/' (it divides the names of a path), and are not "
            f"{ROOT!r} at the top; give it another name."
        )
    for child in part.values():
        _check_names(child)


def _is_group(part: Any) -> bool:
    if isinstance(part, (Mapping, set, frozenset, np.ndarray)):
        return True
    return isinstance(part, Sequence) and not isinstance(part, (str, bytes))


def _listed(part: Any) -> list[Any]:
    """List the labels of a nested mapping, as often as they occur."""
    if isinstance(part, Mapping):
        return [label for child in part.values() for label in _listed(child)]
    if _is_group(part):
        return [label for child in part for label in _listed(child)]
    return [part.item() if isinstance(part, np.generic) else part]


def named_paths(hierarchy: Any) -> set[str]:
    """Return the paths of all groups of the parameter ``hierarchy``, whatever ``y`` holds."""
    if isinstance(hierarchy, str):
        return named_paths(GTZAN_HIERARCHY) if hierarchy == "gtzan" else set()
    return set(_group_paths(hierarchy, ()))


def _group_paths(part: Any, path: tuple[str, ...]) -> Iterator[str]:
    yield "/".join(path) or ROOT
    for name, child in part.items() if isinstance(part, Mapping) else ():
        if _is_group(child):
            yield from _group_paths(child, (*path, str(name)))


def _restrict(part: Any, known: dict[Any, Any], path: tuple[str, ...]) -> Any:
    """Turn a part of a mapping into a node or a label; None where no genre is left."""
    if isinstance(part, Mapping):
        named = [(str(name), child) for name, child in part.items()]
    elif _is_group(part):
        entries = sorted(part, key=str) if isinstance(part, (set, frozenset)) else part
        named = [(str(label), label) for label in entries]
    else:
        label = part.item() if isinstance(part, np.generic) else part
        return known.get(label)
    children = []
    for name, child in named:
        kept = _restrict(child, known, (*path, name))
        if kept is not None:
            children.append((name, kept))
    if len(children) == 1:
        return _renamed(children[0][1], path)
    return Node("/".join(path) or ROOT, tuple(children)) if children else None


def _renamed(kept: Any, path: tuple[str, ...]) -> Any:
    """Move a node up to the place of its parent, of which it was the only child."""
    if not isinstance(kept, Node):
        return kept
    children = tuple((name, _renamed(child, (*path, name))) for name, child in kept.children)
    return Node("/".join(path) or ROOT, children)


def gtzan_tree(classes: NDArray[Any]) -> Node:
    """Return zhang's tree for the genres at hand; refuse those that are not of GTZAN.

    Spelling is read generously: "Hip-Hop" and "hip hop" are "hiphop".
    """
    spelled = {_plain(label): label for label in classes.tolist()}
    genres = set(_listed(GTZAN_HIERARCHY))
    if len(spelled) < len(classes) or not set(spelled) <= genres:
        raise ValueError(
            f"hierarchy='gtzan' knows the ten genres of GTZAN only; y holds {classes.tolist()}. "
            f"Take hierarchy='auto', or give a mapping.{_if_encoded(classes)}"
        )
    mapping = {
        name: {
            group: [spelled.get(genre, genre) for genre in members]
            for group, members in groups.items()
        }
        for name, groups in GTZAN_HIERARCHY.items()
    }
    return tree_from_mapping(mapping, classes)


def _if_encoded(classes: NDArray[Any]) -> str:
    """Explain integers that scikit-learn may have made of the names of genres."""
    if classes.tolist() != list(range(len(classes))):
        return ""
    return (
        " If y held names: cross_val_predict(method='predict_proba'), VotingClassifier and others "
        "encode them as 0, 1, ..., their positions among the sorted names; give a mapping of "
        "these numbers, or use skgenre.evaluate, which keeps the names."
    )


def _plain(label: Any) -> str:
    return "".join(ch for ch in str(label).casefold() if ch.isalnum())


def grow_tree(summaries: NDArray[np.floating[Any]], classes: NDArray[Any]) -> Node:
    """Grow a binary tree by joining the most similar genres first.

    Parameters
    ----------
    summaries : ndarray of shape (n_classes, n_columns)
        What describes each genre: the mean over its tracks.
    classes : ndarray of shape (n_classes,)
        The genres.

    Returns
    -------
    root : Node
        The tree, by average linkage of Euclidean distances.
    """
    from scipy.cluster.hierarchy import linkage

    parts: list[Any] = classes.tolist()
    if len(parts) == 2:
        merges = [(0, 1)]
    else:
        merges = [(int(a), int(b)) for a, b in linkage(summaries, "average")[:, :2]]
    for a, b in merges:
        parts.append((parts[a], parts[b]))
    return _name(parts[-1], ())


def _name(part: Any, path: tuple[str, ...]) -> Any:
    """Name the nodes of nested pairs after the genres below them."""
    if not isinstance(part, tuple):
        return part
    children: list[tuple[str, Any]] = []
    # A genre keeps its name; a group makes way: folk and rock beside the genre folk-rock.
    taken = {str(child) for child in part if not isinstance(child, tuple)}
    for child in part:
        name = "-".join(map(str, _listed(child)))
        if isinstance(child, tuple):
            name = name.replace("/", "|")  # "/" divides the names of a path
            while name in taken or (not path and name == ROOT):
                name = f"({name})"
            taken.add(name)
        children.append((name, _name(child, (*path, name))))
    return Node("/".join(path) or ROOT, tuple(children))
