"""One fold after the other: fit, judge, and keep what came out for the next run."""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skgenre.evaluation._material import Material
from skgenre.evaluation._protocols import Plan
from skgenre.evaluation._scorer import segment_shares
from skgenre.utils._cache_key import _describe
from skgenre.utils._environment import versions
from skgenre.utils._io import write_whole
from skgenre.utils._pipeline import final_classifier, segment_outputs
from skgenre.utils._validation import fold_segments

Array = NDArray[Any]

_FORMAT = "skgenre-fold-1"
# Parameters that say how a thing is computed, not what comes out.
_IDLE = frozenset({"n_jobs", "memory", "verbose", "bytes_limit"})


def run_folds(
    material: Material, plan: Plan, checkpoint: str | os.PathLike[str] | None
) -> list[dict[str, Any]]:
    """Run all folds of a plan, but those that the checkpoint folder has.

    Parameters
    ----------
    material : Material
        The tracks and the model.
    plan : Plan
        The folds.
    checkpoint : str, PathLike or None
        Folder of the folds that are done.

    Returns
    -------
    outcomes : list of dict
        For each fold plain lists: the rows judged, what was predicted, and the seconds.
    """
    identity = None if checkpoint is None else _identity(material, plan)
    outcomes = []
    for number, (train, test) in enumerate(plan.splits):
        file = None
        if checkpoint is not None:
            digest = hashlib.blake2b(digest_size=16)
            digest.update(repr(identity).encode())
            for rows in (train, test):
                digest.update(np.asarray(rows, dtype=np.int64).tobytes() + b"|")
            file = Path(checkpoint) / f"fold-{digest.hexdigest()}.json"
        outcome = None if file is None else _read(file)
        if outcome is None:
            X, y, artists = material.features, material.y, material.artists
            if plan.by_segment:
                X, y, artists = _apart(np.asarray(X), y, artists)
            outcome = _judge(material.model, X, y, artists, train, test, votes=not plan.by_segment)
            if file is not None:
                _write(file, outcome)
        outcomes.append({"fold": number, "n_train": len(train), **outcome})
    return outcomes


def _apart(X: Array, y: Array, artists: Array | None) -> tuple[Array, Array, Array | None]:
    """Make each segment a track of its own: (n_tracks * n_segments, 1, ...)."""
    n_segments = X.shape[1]
    artists = None if artists is None else np.repeat(artists, n_segments)
    return fold_segments(X)[:, np.newaxis], np.repeat(y, n_segments), artists


def _judge(
    model: Any, X: Any, y: Array, artists: Array | None, train: Array, test: Array, *, votes: bool
) -> dict[str, Any]:
    """Fit a copy of the model to some rows and let it judge others."""
    params = {name: artists[train] for name in _artist_params(model) if artists is not None}
    start = time.perf_counter()
    fitted = clone(model).fit(_safe_indexing(X, train), y[train], **params)
    fit_time = time.perf_counter() - start

    X_test = _safe_indexing(X, test)
    start = time.perf_counter()
    if hasattr(fitted, "steps"):
        for _, step in fitted.steps[:-1]:
            X_test = X_test if step in (None, "passthrough") else step.transform(X_test)
        fitted = fitted[-1]
    predicted = fitted.predict(X_test)
    predict_time = time.perf_counter() - start
    outcome: dict[str, Any] = {
        "test": test.tolist(),
        "fit_time": fit_time,
        "predict_time": predict_time,
        "predicted": predicted.tolist(),
        "classes": fitted.classes_.tolist(),
        "proba": None,
        "segment_share": None,
    }
    segments = None
    if hasattr(final_classifier(fitted), "predict_segment_proba"):
        segments, classes = segment_outputs(fitted, X_test)
        outcome["segment_share"] = segment_shares(segments, classes, y[test]).tolist()
        outcome["n_segments"] = segments.shape[1]
    if segments is not None and not votes:
        # The vote, over all segments of a track, comes when all folds are done.
        outcome["proba"] = segments[:, 0].astype(float).tolist()
    elif hasattr(fitted, "predict_proba"):
        outcome["proba"] = np.asarray(fitted.predict_proba(X_test), dtype=float).tolist()
    return outcome


def _artist_params(model: Any) -> list[str]:
    """Name the parameters of ``fit`` by which a model learns from artists."""
    if has_fit_parameter(model, "groups") or _splits_by_group(model):
        return ["groups"]
    if get_config()["enable_metadata_routing"]:
        consumed = get_routing_for_object(model).consumes("fit", ["groups"])
        return ["groups"] if consumed else []
    steps = model.steps if isinstance(model, Pipeline) else []
    return [f"{name}__{inner}" for name, step in steps for inner in _artist_params(step)]


def _splits_by_group(model: Any) -> bool:
    """Tell whether a model is a search whose own folds keep groups together."""
    return isinstance(model, BaseSearchCV) and isinstance(model.cv, GroupsConsumerMixin)


def _identity(material: Material, plan: Plan) -> Any:
    """Return what prints the same only where a fold would come out the same."""
    code = {k: v for k, v in versions().items() if k not in ("python", "system")}
    unit = "segments" if plan.by_segment else "tracks"
    learns = material.artists is not None and _artist_params(material.model)
    artists = [joblib.hash(material.artists)] if learns else []
    parameters = _parameters(material.pipeline)
    return (_FORMAT, unit, material.identity, *artists, parameters, sorted(code.items()))


def _parameters(value: Any) -> Any:
    if isinstance(value, BaseEstimator):
        params = value.get_params(deep=False).items()
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        return (kind, [(k, _parameters(v)) for k, v in sorted(params) if k not in _IDLE])
    if isinstance(value, (list, tuple)):
        return [_parameters(item) for item in value]
    return _describe(value)


def _read(file: Path) -> dict[str, Any] | None:
    """Return a fold that was kept; None if there is none that can be read."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["format"] == _FORMAT:
            return kept["outcome"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        pass
    warnings.warn(f"{file} is damaged; the fold is computed anew.", UserWarning, stacklevel=6)
    return None


def _write(file: Path, outcome: dict[str, Any]) -> None:
    """Write a fold under its name only when it is complete, whenever the run is killed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps({"format": _FORMAT, "outcome": outcome}, allow_nan=False))
