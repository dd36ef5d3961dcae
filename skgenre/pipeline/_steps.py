"""The steps inside PerTrack: which may run there, and how a track passes through them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer

from skgenre.utils._pipeline import augments, leaf_steps, nested_estimators
from skgenre.utils._validation import as_rows


def check_steps(transformer: Any) -> None:
    """Refuse steps that cannot transform, or are not known to treat each track by itself.

    Parameters
    ----------
    transformer : object
        The argument of PerTrack.

    Raises
    ------
    TypeError
        If a step is not a transformer.
    ValueError
        If a step learns from the tracks, or does not say that it learns nothing.
    """
    if transformer is None or isinstance(transformer, str):
        raise TypeError(f"PerTrack takes a transformer or a Pipeline of them; got {transformer!r}.")
    for step, in_union in _walk(transformer):
        if isinstance(step, type) or not hasattr(step, "transform"):
            shown = step.__name__ if isinstance(step, type) else repr(step)
            raise TypeError(
                f"PerTrack takes a transformer or a Pipeline of them; {shown} has no transform. "
                "Give an instance, and leave the classifier outside."
            )
        if in_union and augments(step):
            raise ValueError(
                f"{type(step).__name__} inside a FeatureUnion: PerTrack adds copies in a step of "
                "their own; put it before the union."
            )
        _check_stateless(step)


def _check_stateless(step: Any) -> None:
    kind = type(step).__name__
    if (
        hasattr(step, "transform_track")
        or isinstance(step, FunctionTransformer)
        or getattr(step, "stateless", None) is True
        or not _requires_fit(step)
    ):
        return
    fit = getattr(type(step), "fit", None)
    if getattr(fit, "__module__", "").partition(".")[0] in ("sklearn", "skgenre"):
        raise ValueError(
            f"PerTrack treats each track by itself, but {kind} learns from all training tracks "
            "together in fit, so that its output for a track depends on the others. Put "
            f"{kind} after PerTrack in the pipeline."
        )
    raise ValueError(
        f"PerTrack treats each track by itself, and nothing says that {kind} does: its "
        "scikit-learn tag requires_fit is not False, it is no FunctionTransformer, and its class "
        f"does not declare stateless = True. If {kind} learns nothing from the tracks, add the "
        f"line `stateless = True` to class {kind}; if it learns from them in fit, put it after "
        "PerTrack in the pipeline."
    )


def _requires_fit(step: Any) -> bool:
    """Whether scikit-learn's tag asks for a fit; true for a class without tags."""
    tags = _tags(step)
    return tags is None or tags.requires_fit


def _tags(step: Any) -> Any:
    """Return scikit-learn's tags; None for a class that has none, or a mixin's without a base."""
    try:
        return step.__sklearn_tags__()
    except AttributeError:
        return None


def _walk(transformer: Any, *, in_union: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield each step that transforms, members of unions too, and whether it is one."""
    for step in leaf_steps(transformer):
        if isinstance(step, FeatureUnion):
            for _, member in step.transformer_list:
                if not _is_drop(member):
                    yield from _walk(member, in_union=True)
        else:
            yield step, in_union


def _is_drop(member: Any) -> bool:
    return isinstance(member, str) and member == "drop"


def validate_steps(steps: Sequence[Any]) -> None:
    """Validate the parameters of all steps, once for all tracks."""
    for leaf in steps:
        for step, _ in _walk(leaf):
            if hasattr(step, "_parameter_constraints"):
                step._validate_params()


def holding_weights(transformer: Any) -> Any:
    """Return the transformer; a copy where parts run weights that may change during the call.

    The parts of the copy hold on to the weights as they are now, so that the key of the cache
    and all results are of the same ones. What was fitted on others refuses them.
    """
    if not any(hasattr(step, "_hold_weights") for step in nested_estimators(transformer)):
        return transformer
    return copy.deepcopy(transformer)  # copies hold on to the weights


def rows_of(steps: Sequence[Any], X: Any) -> Any:
    """Return the input as a sequence of tracks, as the first step takes it."""
    return getattr(steps[0], "_as_rows", as_rows)(X) if steps else as_rows(X)


def is_repeatable(steps: Sequence[Any], *, training: bool) -> bool:
    """Whether a track always gives the same result; false if a step draws new numbers."""
    for step in steps:
        if augments(step):
            if training and step.random_state is None:
                return False
        elif not all(_is_deterministic(nested) for nested in nested_estimators(step)):
            return False
    return True


def _is_deterministic(step: Any) -> bool:
    tags = _tags(step)
    if tags is not None and tags.non_deterministic:
        return False
    if hasattr(step, "transform_track"):  # its tag is reliable
        return True
    # None draws new numbers each time, and a RandomState instance advances with each track.
    return isinstance(getattr(step, "random_state", 0), (int, np.integer))


def has_names(per_track: Any) -> bool:
    """Whether the output of a PerTrack has names."""
    steps = leaf_steps(per_track.transformer)
    return bool(steps) and hasattr(steps[-1], "get_feature_names_out")


def names_out(steps: Sequence[Any]) -> Any:
    """Pass names of columns through the steps; None where a step does not name them."""
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


@np.errstate(under="ignore")  # what is too small to be a number is 0
def pass_track(
    steps: Sequence[Any], track: Any, name: str, *, training: bool = False
) -> tuple[NDArray[Any], list[NDArray[np.void]]]:
    """Pass one track through all steps.

    Parameters
    ----------
    steps : sequence of transformers
        As ``leaf_steps`` lists them, with validated parameters. They stay as they are.
    track : object
        One row of the input.
    name : str
        What errors call the track.
    training : bool, default=False
        Whether augmenters add their copies.

    Returns
    -------
    out : ndarray
        The output of the last step; it may be a view of the track.
    effects : list of structured ndarrays
        The table of each augmenter, in training.
    """
    effects = []
    try:
        for step in steps:
            if training and augments(step):
                track, table = step.augment_track(track, name)
                effects.append(table)
            elif _has_primitive(step):
                track = step.transform_track(track, name)
            elif isinstance(step, FeatureUnion):
                track = _join(step, track, name)
            else:
                track = _transform_foreign(step, track)
    except Exception as error:
        # Transformers from elsewhere see a batch of one track, and count from 0.
        if name not in str(error):
            error.add_note(f"PerTrack was at {name}.")
        raise
    return track if isinstance(track, np.ndarray) else np.asarray(track), effects


def _has_primitive(step: Any) -> bool:
    """Whether a step has transform_track, and no subclass from elsewhere replaced transform."""
    if not hasattr(step, "transform_track"):
        return False
    for kind in type(step).__mro__:
        if "transform_track" in vars(kind):
            return True
        if "transform" in vars(kind) and not kind.__module__.startswith("skgenre."):
            return False
    return True


def _join(union: FeatureUnion, track: Any, name: str) -> NDArray[Any]:
    """Do for one track what FeatureUnion does for a batch of one."""
    weights = union.transformer_weights or {}
    arrays = []
    for key, member in union.transformer_list:
        if not _is_drop(member):
            array, _ = pass_track(leaf_steps(member), track, name)
            array = np.asarray(array)
            arrays.append(array * weights[key] if key in weights else array)
    # FeatureUnion joins along axis 1 of a batch, which is axis 0 of a track.
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _transform_foreign(step: Any, track: Any) -> NDArray[Any]:
    """Transform one track as a batch of one."""
    # The step gets a copy of its own, because it may write into it.
    batch = track.copy()[np.newaxis] if isinstance(track, np.ndarray) else [track]
    if not isinstance(step, FunctionTransformer) and _requires_fit(step) and hasattr(step, "fit"):
        # Declared stateless, but its transform may want attributes that its fit sets.
        step = copy.copy(step)
        step.fit(batch)
    Xt = step.transform(batch)
    if hasattr(Xt, "toarray"):
        raise ValueError(
            f"{type(step).__name__} gave a sparse {type(Xt).__name__}; set it to give dense arrays."
        )
    Xt = Xt if isinstance(Xt, np.ndarray) else np.asarray(Xt)
    if Xt.ndim == 0 or len(Xt) != 1:
        raise ValueError(
            f"1 track went into {type(step).__name__}, {len(Xt) if Xt.ndim else 'no'} rows came "
            "out; one row is one track, from the first step to the last."
        )
    return Xt[0] if Xt.ndim > 1 else np.asarray(Xt[0])
