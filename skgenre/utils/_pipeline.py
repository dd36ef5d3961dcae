"""The row-wise part of a pipeline as a list of steps, and what it does to a few tracks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from skgenre.base import as_rows
from skgenre.utils._rows import row_name, rows_from


def leaf_steps(transformer: Any, *, open_per_track: bool = True) -> list[Any]:
    """List the transformers that a pipeline consists of, in order, without "passthrough".

    A PerTrack stands for what is inside it, unless ``open_per_track`` is false.
    """
    if open_per_track and getattr(transformer, "_runs_per_track", False):
        return leaf_steps(transformer.transformer)
    if isinstance(transformer, Pipeline):
        steps = [step for _, step in transformer.steps]
        return [leaf for s in steps for leaf in leaf_steps(s, open_per_track=open_per_track)]
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return []
    return [transformer]


def input_rows(steps: Sequence[Any], X: Any) -> Any:
    """Return the input as something to slice by track."""
    as_rows_of = getattr(steps[0], "_as_rows", None) if steps else None
    return as_rows(X) if as_rows_of is None else as_rows_of(X)


def check_row_wise(transformer: Any) -> None:
    """Refuse what is no transformer, and what learns from all tracks together.

    Parameters
    ----------
    transformer : object
        The argument of PerTrack.

    Raises
    ------
    TypeError
        If a step cannot transform.
    ValueError
        If a step learns across tracks; the message says which and why that is a matter.
    """
    if transformer is None or isinstance(transformer, str):
        raise TypeError(f"PerTrack takes a transformer or a Pipeline of them; got {transformer!r}.")
    for step in _parts(transformer):
        kind = type(step).__name__
        if isinstance(step, type) or not hasattr(step, "transform"):
            shown = step.__name__ if isinstance(step, type) else repr(step)
            raise TypeError(
                f"PerTrack takes a transformer or a Pipeline of them; {shown} has no transform. "
                "Give an instance, and leave the classifier outside."
            )
        if get_tags(step).requires_fit:
            raise ValueError(
                f"PerTrack treats each track by itself, but {kind} learns from all training "
                "tracks together (its tag requires_fit is true), so that what it makes of a track "
                f"depends on the others. Put {kind} after PerTrack in the pipeline."
            )


def _parts(transformer: Any, *, in_union: bool = False) -> Iterator[Any]:
    for step in leaf_steps(transformer):
        if isinstance(step, FeatureUnion):
            for _, member in step.transformer_list:
                if member != "drop":
                    yield from _parts(member, in_union=True)
        elif in_union and augments(step):
            raise ValueError(
                f"{type(step).__name__} inside a FeatureUnion: PerTrack adds copies in a step of "
                "their own; put it before the union."
            )
        else:
            yield step


def augments(step: Any) -> bool:
    """Tell whether a step changes tracks in training only."""
    return hasattr(step, "_augment")


def is_repeatable(steps: Sequence[Any], *, training: bool) -> bool:
    """Tell whether a track gives the same another time: not where draws are made anew."""
    for step in steps:
        if augments(step):
            if training and step.random_state is None:
                return False
        elif not all(getattr(e, "_is_repeatable", lambda: True)() for e in nested_estimators(step)):
            return False
    return True


def nested_estimators(step: Any) -> list[Any]:
    """List a step and all estimators among its parameters."""
    params = step.get_params(deep=True) if hasattr(step, "get_params") else {}
    return [step, *(value for value in params.values() if hasattr(value, "get_params"))]


def has_names(per_track: Any) -> bool:
    """Tell whether what a PerTrack gives has names."""
    steps = leaf_steps(per_track.transformer)
    return bool(steps) and hasattr(steps[-1], "get_feature_names_out")


def names_out(steps: Sequence[Any]) -> Any:
    """Pass names of columns through the steps; None where a step does not tell them."""
    names = None
    for step in steps:
        if isinstance(step, OneToOneFeatureMixin):  # would ask for a fit
            continue
        try:
            names = step.get_feature_names_out(names)
        except (AttributeError, ValueError):  # NotFittedError is both
            names = None
        if names is not None and np.ndim(names) != 1:
            names = None
    return names


def run(
    steps: Sequence[Any], tracks: Any, first_row: int, *, training: bool
) -> tuple[NDArray[Any], list[NDArray[np.void]], float | None]:
    """Pass a few tracks through all steps.

    Parameters
    ----------
    steps : sequence of transformers
        As ``leaf_steps`` gives them, with parameters that were checked. Nothing in them is
        changed.
    tracks : sequence or ndarray
        Some rows of the input.
    first_row : int
        Row of the first of them in the whole input.
    training : bool
        Whether steps that augment do so.

    Returns
    -------
    Xt : ndarray of shape (n_tracks, ...)
        What the last step gave.
    effects : list of structured ndarrays
        The table of each step that augments, in training.
    sampling_rate : float or None
        That of the result, where it is waveforms.
    """
    Xt = tracks
    effects = []
    are_files = all(isinstance(track, (str, os.PathLike)) for track in tracks)
    with rows_from(first_row, checked_steps=steps, hands_on=are_files):
        try:
            for step in steps:
                if training and augments(step):
                    Xt, table = step._augment(Xt)
                    table["track"] += first_row
                    effects.append(table)
                else:
                    Xt = step.transform(Xt)
        except Exception as error:
            # Transformers from elsewhere count the rows of the slice that they see.
            error.add_note(f"PerTrack was at {_range(len(tracks), tracks)}.")
            raise
    rate = getattr(Xt, "sampling_rate", None)
    Xt = np.asarray(Xt)
    if Xt.ndim == 0 or len(Xt) != len(tracks):
        raise ValueError(
            f"{len(tracks)} tracks went into {' > '.join(type(s).__name__ for s in steps)}, "
            f"{len(Xt) if Xt.ndim else 'no'} rows came out; one row is one track, from the first "
            "step to the last."
        )
    return Xt, effects, rate


def _range(n_tracks: int, tracks: Any) -> str:
    shown = f" ({tracks[0]})" if isinstance(tracks[0], str) or hasattr(tracks[0], "parts") else ""
    if n_tracks == 1:
        return f"{row_name(0)}{shown}"
    return f"{row_name(0)} to {row_name(n_tracks - 1)}"


def final_classifier(estimator: Any) -> Any:
    """Return what a pipeline or a fitted search ends in."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        return final_classifier(estimator.steps[-1][1])
    return estimator


def segment_outputs(estimator: Any, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the probabilities of each segment, and the classes of their last axis."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        return segment_outputs(estimator[-1], X)
    if not hasattr(estimator, "predict_segment_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict_segment_proba, so that it has no accuracy "
            "of segments; give a classifier that judges segments, such as MLPGenreClassifier, or "
            "a pipeline that ends in one."
        )
    return estimator.predict_segment_proba(X), estimator.classes_
