"""Ready pipelines: from audio files to genres."""

from __future__ import annotations

import inspect
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from skgenre.audio import AudioLoader, Segmenter
from skgenre.base import TrackTableTransformer, TrackTransformer
from skgenre.classifiers._cnn import CNNGenreClassifier
from skgenre.classifiers._genre_classifier import GenreClassifier
from skgenre.classifiers._hierarchical import HierarchicalGenreClassifier
from skgenre.classifiers._lstm import LSTMGenreClassifier
from skgenre.classifiers._mlp import MLPGenreClassifier
from skgenre.features import MFCCExtractor
from skgenre.pipeline import PerTrack
from skgenre.preprocessing import FrameScaler
from skgenre.utils._pipeline import augments, leaf_steps

_CLASSIFIERS = {
    "mlp": MLPGenreClassifier,
    "cnn": CNNGenreClassifier,
    "lstm": LSTMGenreClassifier,
    "hierarchical": HierarchicalGenreClassifier,
}


def make_genre_pipeline(
    classifier: Any = "cnn",
    *,
    sampling_rate: float = 22050,
    duration: float = 30.0,
    n_segments: Any = "auto",
    augmenter: Any = None,
    extractor: Any = None,
    scaler: Any = "default",
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: bool = False,
) -> Pipeline:
    """Build the pipeline from audio files to genres.

    The result is an ordinary scikit-learn ``Pipeline`` of three steps: ``features``, a
    :class:`PerTrack` that runs ``loader``, ``segmenter`` (where there are segments),
    ``augmenter`` (where one is given) and ``extractor`` track by track; ``scaler``; and
    ``classifier``. All have the same sampling rate, and the segmenter has the loader's
    duration. A parameter of an inner step has a name like ``features__segmenter__n_segments``.

    Parameters
    ----------
    classifier : {"cnn", "mlp", "lstm", "hierarchical"} or classifier, default="cnn"
        A name means that classifier with its defaults. Any classifier of scikit-learn takes
        tables, which extractors such as :class:`SummaryExtractor` give.
    sampling_rate : float, default=22050
        Rate in Hz at which everything is computed; files are resampled to it.
    duration : float, default=30.0
        Seconds taken from each track.
    n_segments : int, "auto" or None, default="auto"
        Segments a track, one after the other. None takes each track as a whole. "auto" means
        None if the extractor gives tables or the classifier takes only tables, else 10.
    augmenter : transformer or None, default=None
        Such as :class:`Augmenter`. Its copies are further segments of a track, so the
        classifier must take segments.
    extractor : transformer or None, default=None
        None means :class:`MFCCExtractor`, 13 coefficients.
    scaler : transformer, "default", "passthrough" or None, default="default"
        "default" means :class:`FrameScaler`, which also scales the columns of tables; None
        leaves the step out.
    n_jobs : int or None, default=None
        Tracks whose features are computed at the same time, as in :class:`PerTrack`.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder in which the features of each track are kept, as in :class:`PerTrack`: they
        are computed once for all folds, grid cells with the same front end, and later runs.
    verbose : bool, default=False
        As in ``Pipeline``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted; its input is paths of audio files, or waveforms.

    Raises
    ------
    ValueError
        If ``classifier`` is an unknown name, or takes only tables and would get frames or
        segments, or if a step is set to a rate of its own that is not the pipeline's.

    Notes
    -----
    A classifier takes frames if scikit-learn's tag ``input_tags.three_d_array`` says so. To
    give frames to another one, flatten them:
    ``make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), SVC())``.

    Examples
    --------
    >>> from skgenre import make_genre_pipeline
    >>> pipeline = make_genre_pipeline("mlp", n_segments=20)
    >>> list(pipeline.named_steps)
    ['features', 'scaler', 'classifier']
    >>> pipeline.get_params()["features__segmenter__n_segments"]
    20
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skgenre import SummaryExtractor
    >>> pipeline = make_genre_pipeline(RandomForestClassifier(), extractor=SummaryExtractor())
    >>> list(pipeline["features"].transformer.named_steps)  # whole tracks
    ['loader', 'extractor']
    """
    if isinstance(classifier, str):
        if classifier not in _CLASSIFIERS:
            raise ValueError(
                f"classifier={classifier!r} is unknown; choose from "
                f"{', '.join(map(repr, _CLASSIFIERS))}, or give a classifier."
            )
        classifier = _CLASSIFIERS[classifier]()
    if not hasattr(classifier, "fit") or isinstance(classifier, type):
        raise TypeError(
            f"classifier={classifier!r} is no classifier; give an instance, or one of "
            f"{', '.join(map(repr, _CLASSIFIERS))}."
        )
    if isinstance(classifier, GenreClassifier) and not classifier.precomputed:
        raise ValueError(
            "GenreClassifier computes its own features from audio files; use it without "
            "make_genre_pipeline: GenreClassifier().fit(paths, genres)."
        )
    extractor = MFCCExtractor() if extractor is None else extractor
    takes_frames, output = _takes_frames(classifier), _output(extractor)
    if isinstance(n_segments, str):
        if n_segments != "auto":
            raise ValueError(
                f'n_segments={n_segments!r} is unknown; give a number, "auto" or None.'
            )
        n_segments = 10 if takes_frames and output != "table" else None
    if output == "table" and n_segments == 1 and not takes_frames:
        n_segments = None  # the whole track, which gives the one row that is wanted
    if not takes_frames:
        _check_tables(classifier, extractor, output, n_segments, augmenter)
    front_end: list[tuple[str, Any]] = [
        ("loader", AudioLoader(sampling_rate=sampling_rate, duration=duration))
    ]
    if n_segments is not None:
        segmenter = Segmenter(
            n_segments=n_segments, track_duration=duration, sampling_rate=sampling_rate
        )
        front_end.append(("segmenter", segmenter))
    if augmenter is not None:
        front_end.append(("augmenter", _at_rate("augmenter", augmenter, sampling_rate)))
    front_end.append(("extractor", _at_rate("extractor", extractor, sampling_rate)))
    features = PerTrack(Pipeline(front_end), n_jobs=n_jobs, memory=memory)
    steps: list[tuple[str, Any]] = [("features", features)]
    if isinstance(scaler, str) and scaler == "default":
        scaler = FrameScaler()
    if scaler is not None:
        steps.append(("scaler", _step("scaler", scaler)))
    steps.append(("classifier", clone(classifier)))
    return Pipeline(steps, verbose=verbose)


def _takes_frames(classifier: Any) -> bool:
    """Whether a classifier takes arrays of more than two dimensions, as far as can be known."""
    if isinstance(classifier, Pipeline):
        steps = leaf_steps(classifier)
        while len(steps) > 1 and type(steps[0]).__module__.startswith("skgenre."):
            steps = steps[1:]  # keeps the dimensions
        if len(steps) > 1 and not type(steps[0]).__module__.startswith("sklearn."):
            return True  # may well be there to flatten the frames
        return not steps or _takes_frames(steps[0])
    if hasattr(classifier, "estimators"):
        return all(_takes_frames(e) for _, e in classifier.estimators if not isinstance(e, str))
    if getattr(classifier, "estimator", None) is not None:
        return _takes_frames(classifier.estimator)
    if not hasattr(classifier, "__sklearn_tags__"):
        return False
    tags = get_tags(classifier)
    return tags.input_tags.three_d_array or tags.no_validation


def _output(extractor: Any) -> str:
    """Return what an extractor makes of a whole track: "table", "frames" or "unknown"."""
    steps = leaf_steps(extractor)
    if not steps:
        return "unknown"
    if any(isinstance(step, Segmenter) for step in steps):
        return "frames"
    last = steps[-1]
    if isinstance(last, FeatureUnion):
        members = [member for _, member in last.transformer_list]
        outputs = {_output(m) for m in members if not (isinstance(m, str) and m == "drop")}
        return outputs.pop() if len(outputs) == 1 else "unknown"
    if isinstance(last, TrackTableTransformer):
        return "table"
    is_ours = isinstance(last, TrackTransformer) and type(last).__module__.startswith("skgenre.")
    return "frames" if is_ours else "unknown"


def _check_tables(
    classifier: Any, extractor: Any, output: str, n_segments: Any, augmenter: Any
) -> None:
    """Refuse frames and segments for a classifier that takes one row a track."""
    kind = type(classifier).__name__
    wants = f"{kind} takes a table of one row for each track, but"
    if output == "frames":
        raise ValueError(
            f"{wants} {type(extractor).__name__} gives frames: (n_tracks, n_segments, n_frames, "
            "n_features). Give an extractor of tables such as SummaryExtractor(), a classifier of "
            'frames such as "mlp", or flatten the frames before the classifier: make_pipeline('
            "FunctionTransformer(lambda X: X.reshape(len(X), -1)), classifier)."
        )
    if n_segments is not None and output == "table":
        raise ValueError(
            f"{wants} n_segments={n_segments} makes {n_segments} rows of each. Leave n_segments "
            'out, or give a classifier of segments such as "mlp".'
        )
    if augments(augmenter):
        raise ValueError(
            f"{wants} the copies of {type(augmenter).__name__} are further rows of a track. Leave "
            'the augmenter out, or give a classifier of segments such as "mlp".'
        )


def _step(name: str, step: Any) -> Any:
    """Return a copy of a step; the only text allowed is "passthrough"."""
    if isinstance(step, str):
        if step != "passthrough":
            raise ValueError(f"{name}={step!r} is no step; give a transformer or 'passthrough'.")
        return step
    return clone(step, safe=False)


def _at_rate(name: str, transformer: Any, sampling_rate: float) -> Any:
    """Return a copy of a transformer, set to the pipeline's rate throughout."""
    transformer = _step(name, transformer)
    nested = transformer.get_params() if hasattr(transformer, "get_params") else {}
    for key, own in nested.items():
        prefix, _, last = key.rpartition("__")
        if last != "sampling_rate" or own == sampling_rate:
            continue
        kind = type(nested[prefix] if prefix else transformer)
        if own != inspect.signature(kind).parameters[last].default:
            raise ValueError(
                f"The {name} is set to {key}={own:g}, but the pipeline to "
                f"sampling_rate={sampling_rate:g}. Set both to the same rate."
            )
        transformer.set_params(**{key: sampling_rate})
    return transformer
