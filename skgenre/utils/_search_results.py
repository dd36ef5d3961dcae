"""The candidates of a search, sorted into curves."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skgenre.utils._pipeline import final_classifier, leaf_steps


def collect(
    cv_results: Mapping[str, Any],
    parameter: str,
    hue: str | None,
    metrics: Sequence[str] | None,
    fixed: Mapping[str, Any],
) -> tuple[list[Any], dict[tuple[str, Any], NDArray[np.float64]], tuple[str, str | None]]:
    """Sort the candidates of a search into curves.

    Parameters
    ----------
    cv_results : dict
        ``cv_results_`` of a search.
    parameter, hue : str
        Parameters, by their names or the ends of them; ``hue`` may be None.
    metrics : sequence of str or None
        Names of scorers; None means all.
    fixed : dict of str to object
        Values of further parameters.

    Returns
    -------
    values : list of n_values
        Values of ``parameter``, in the order of the search.
    scores : dict of tuple to ndarray of shape (n_values, n_folds)
        By metric and value of ``hue``.
    names : tuple of str and str or None
        Full names of ``parameter`` and ``hue``.
    """
    candidates = list(cv_results["params"])
    known = list(dict.fromkeys(name for params in candidates for name in params))
    x_name = _full_name(parameter, known)
    hue_name = None if hue is None else _full_name(hue, known)
    if hue_name == x_name:
        raise ValueError(f"hue is the parameter on the horizontal axis, {x_name!r}; give another.")
    kept = list(range(len(candidates)))
    for name, value in fixed.items():
        full = _full_name(name, known)
        kept = [
            i for i in kept if full in candidates[i] and shown(candidates[i][full]) == shown(value)
        ]
        if not kept:
            raise ValueError(f"No candidate has {full}={value!r}; look into cv_results_['params'].")
    drawn = [x_name] if hue_name is None else [x_name, hue_name]
    without = [i for i in kept if any(name not in candidates[i] for name in drawn)]
    if without:
        raise ValueError(
            f"{len(without)} of {len(kept)} candidates, such as {candidates[without[0]]}, set not "
            f"all of {', '.join(drawn)}; leave them out by fixed={{name: value}}."
        )
    values = _unique([candidates[i][x_name] for i in kept])
    hues = [None] if hue_name is None else _unique([candidates[i][hue_name] for i in kept])
    cells: dict[tuple[int, int], int] = {}
    places = {shown(value): k for k, value in enumerate(values)}
    curves = {shown(value): k for k, value in enumerate(hues)}
    for i in kept:
        own = candidates[i]
        h = 0 if hue_name is None else curves[shown(own[hue_name])]
        cell = places[shown(own[x_name])], h
        if cell in cells:
            other = candidates[cells[cell]]
            differ = [n for n in known if n not in drawn and _differ(own, other, n)]
            which = ", ".join(differ)
            raise ValueError(
                f"Several candidates have {', '.join(f'{n}={own[n]!r}' for n in drawn)}"
                + (
                    f": they differ in {which}. Choose by fixed={{{differ[0]!r}: value}}"
                    + (", or give it as hue." if hue is None else ".")
                    if differ
                    else "; the search tried them twice."
                )
            )
        cells[cell] = i
    scores: dict[tuple[str, Any], NDArray[np.float64]] = {}
    for metric in _metrics(cv_results, metrics):
        folds = _folds(cv_results, metric)  # (n_candidates, n_folds)
        missing = int(np.isnan(folds[kept]).any(axis=1).sum())
        if missing:
            warnings.warn(
                f"{missing} of {len(kept)} candidates have folds without a {metric}: their fits "
                "or scores failed. The curve has a gap there.",
                UserWarning,
                stacklevel=3,
            )
        for h, value in enumerate(hues):
            curve = np.full((len(values), folds.shape[1]), np.nan)
            for k in range(len(values)):
                if (k, h) in cells:
                    curve[k] = folds[cells[k, h]]
            scores[metric, _plain(value)] = curve
    return values, scores, (x_name, hue_name)


def _full_name(name: str, known: list[str]) -> str:
    """Find a parameter by its name, or by the end of it."""
    if name in known:
        return name
    found = [full for full in known if full.endswith(f"__{name}")]
    if len(found) != 1:
        raise ValueError(
            f"The search has {'no' if not found else 'more than one'} parameter {name!r}; choose "
            f"from {', '.join(map(repr, found or known)) or 'none'}."
        )
    return found[0]


def _metrics(cv_results: Mapping[str, Any], metrics: Sequence[str] | None) -> list[str]:
    known = [match[1] for key in cv_results if (match := re.fullmatch(r"split0_test_(.+)", key))]
    if metrics is None:
        metrics = known
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    unknown = [metric for metric in metrics if metric not in known]
    if unknown or not metrics:
        raise ValueError(
            f"The search has no metric {', '.join(map(repr, unknown))}; choose from "
            f"{', '.join(map(repr, known)) or 'none'}."
        )
    return metrics


def _folds(cv_results: Mapping[str, Any], metric: str) -> NDArray[np.float64]:
    columns: list[NDArray[np.float64]] = []
    while f"split{len(columns)}_test_{metric}" in cv_results:
        columns.append(cv_results[f"split{len(columns)}_test_{metric}"])
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _unique(values: list[Any]) -> list[Any]:
    return list({shown(value): value for value in values}.values())


def _plain(value: Any) -> Any:
    """Return a value that can be a key."""
    try:
        hash(value)
    except TypeError:
        return shown(value)
    return value


def _differ(a: Mapping[str, Any], b: Mapping[str, Any], name: str) -> bool:
    return (name in a) != (name in b) or (name in a and shown(a[name]) != shown(b[name]))


def shown(value: Any) -> str:
    """Write a value of a parameter, so that different values differ."""
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)):
        return f"{value:.12g}"
    if isinstance(value, BaseEstimator):
        # Not by repr, which leaves out the middle of long ones.
        settings = value.get_params(deep=False).items()
        return f"{type(value).__name__}({', '.join(f'{k}={shown(v)}' for k, v in settings)})"
    if isinstance(value, (list, tuple)):
        start, end = "[]" if isinstance(value, list) else "()"
        return f"{start}{', '.join(map(shown, value))}{end}"
    return str(value)


def value_labels(values: Sequence[Any]) -> list[str]:
    """Write values of a parameter for ticks, legends and tables: short, and no two alike.

    Parameters
    ----------
    values : sequence of n_values
        Values of one parameter, each once: numbers, words, or whole estimators.

    Returns
    -------
    labels : list of n_values str
        Estimators have the name of their class, pipelines that of their last step; those of one
        class also the parameters in which they differ, and their transformers if these differ.
    """
    labels = [_name_of(value) for value in values]
    for label in {label for label in labels if labels.count(label) > 1}:
        alike = [i for i, other in enumerate(labels) if other == label]
        for i, details in zip(alike, _differences([values[i] for i in alike]), strict=True):
            labels[i] = ", ".join([label, *details])
    for label in {label for label in labels if labels.count(label) > 1}:
        alike = [i for i, other in enumerate(labels) if other == label]
        for number, i in enumerate(alike, 1):
            labels[i] = f"{label} ({number})"
    return labels


def _name_of(value: Any) -> str:
    if not isinstance(value, BaseEstimator):
        return shown(value)
    name = type(final_classifier(value)).__name__
    for ending in ("GenreClassifier", "Classifier"):
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return name


def _differences(values: list[Any]) -> list[list[str]]:
    """List for each of some values of one name the settings in which they differ."""
    if not all(isinstance(value, BaseEstimator) for value in values):
        return [[] for _ in values]
    steps = [" + ".join(_name_of(s) for s in leaf_steps(v)[:-1]) for v in values]
    settings = [
        {
            name: shown(setting)
            for name, setting in value.get_params(deep=True).items()
            if not isinstance(setting, (BaseEstimator, list))
        }
        for value in values
    ]
    names = dict.fromkeys(name for of_value in settings for name in of_value)
    differing = [n for n in names if len({found[n] for found in settings if n in found}) > 1]
    listed = []
    for own, of_value in zip(steps, settings, strict=True):
        details = [f"after {own}"] if own and len(set(steps)) > 1 else []
        known = [name for name in differing if name in of_value]
        details += [f"{name.rpartition('__')[2]}={of_value[name]}" for name in known]
        listed.append(list(dict.fromkeys(details)))  # several steps may share a setting
    return listed
