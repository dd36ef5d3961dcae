"""Walk through pipelines: their steps, the classifier at their end, its outputs by segment."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.pipeline import Pipeline


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


def augments(step: Any) -> bool:
    """Whether a step changes tracks in training only."""
    return hasattr(step, "augment_track")


def nested_estimators(step: Any) -> list[Any]:
    """List a step and all estimators among its parameters."""
    is_instance = hasattr(step, "get_params") and not isinstance(step, type)
    params = step.get_params(deep=True) if is_instance else {}
    return [step, *(value for value in params.values() if hasattr(value, "get_params"))]


def hold_weights(estimator: Any) -> None:
    """Let all pretrained parts hold on to their weights as they are now, refusing others later."""
    for nested in nested_estimators(estimator):
        if hasattr(nested, "_hold_weights"):
            nested._hold_weights()


def final_classifier(estimator: Any) -> Any:
    """Return the last step of a pipeline or of a fitted search."""
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
            f"{type(estimator).__name__} has no predict_segment_proba, and so no accuracy of "
            "segments; give a classifier that predicts segments, such as MLPGenreClassifier, or "
            "a pipeline that ends in one."
        )
    return estimator.predict_segment_proba(X), estimator.classes_


def split_fitted(model: Any, X: Any) -> tuple[Any, Any]:
    """Return the classifier that a fitted model ends in, and what it predicts from.

    Features are then computed once, however many methods of the classifier are called.

    Parameters
    ----------
    model : classifier
        A fitted classifier, pipeline or search.
    X : list of str
        Paths.

    Returns
    -------
    classifier : classifier
        The last step.
    X : array-like
        The paths after all other steps.
    """
    model = getattr(model, "best_estimator_", model)
    if not isinstance(model, Pipeline):
        return model, X
    return split_fitted(model[-1], model[:-1].transform(X) if len(model) > 1 else X)
