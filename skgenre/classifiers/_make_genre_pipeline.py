"""Ready pipelines: from audio files to genres."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skgenre.audio import AudioLoader, Segmenter
from skgenre.classifiers._cnn import CNNGenreClassifier
from skgenre.classifiers._hierarchical import HierarchicalGenreClassifier
from skgenre.classifiers._lstm import LSTMGenreClassifier
from skgenre.classifiers._mlp import MLPGenreClassifier
from skgenre.features import MFCCExtractor
from skgenre.pipeline import PerTrack
from skgenre.preprocessing import FrameScaler

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
    n_segments: int = 10,
    augmenter: Any = None,
    extractor: Any = None,
    scaler: Any = "default",
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: bool = False,
) -> Pipeline:
    """Build the pipeline from audio files to genres.

    The result is an ordinary scikit-learn ``Pipeline`` of three steps: ``features``, a
    :class:`PerTrack` that runs ``loader``, ``segmenter``, ``augmenter`` (where one is
    given) and ``extractor`` track by track; ``scaler``; and ``classifier``. All get the
    same sampling rate and the segmenter gets the loader's duration. A parameter of an
    inner step is named like ``features__segmenter__n_segments``.

    Parameters
    ----------
    classifier : {"cnn", "mlp", "lstm", "hierarchical"} or classifier, default="cnn"
        A name means that classifier with its defaults.
    sampling_rate : float, default=22050
        Rate in Hz at which everything is computed; files are resampled to it.
    duration : float, default=30.0
        Seconds taken from each track.
    n_segments : int, default=10
        Segments a track, one after the other.
    augmenter : transformer or None, default=None
        Such as :class:`Augmenter`.
    extractor : transformer or None, default=None
        None means :class:`MFCCExtractor`, 13 coefficients.
    scaler : transformer, "default", "passthrough" or None, default="default"
        "default" means :class:`FrameScaler`; None leaves the step out.
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
        Unfitted; its input are paths of audio files, or waveforms.

    Raises
    ------
    ValueError
        If ``classifier`` is an unknown name, or a step is set to a rate of its own that
        is not the pipeline's.

    Examples
    --------
    >>> from skgenre import make_genre_pipeline
    >>> pipeline = make_genre_pipeline("mlp", n_segments=20)
    >>> list(pipeline.named_steps)
    ['features', 'scaler', 'classifier']
    >>> pipeline.get_params()["features__segmenter__n_segments"]
    20
    """
    if isinstance(classifier, str):
        if classifier not in _CLASSIFIERS:
            raise ValueError(
                f"classifier={classifier!r} is unknown; choose from "
                f"{', '.join(map(repr, _CLASSIFIERS))}, or give a classifier."
            )
        classifier = _CLASSIFIERS[classifier]()
    front_end: list[tuple[str, Any]] = [
        ("loader", AudioLoader(sampling_rate=sampling_rate, duration=duration)),
        (
            "segmenter",
            Segmenter(n_segments=n_segments, track_duration=duration, sampling_rate=sampling_rate),
        ),
    ]
    if augmenter is not None:
        front_end.append(("augmenter", _at_rate("augmenter", augmenter, sampling_rate)))
    extractor = MFCCExtractor() if extractor is None else extractor
    front_end.append(("extractor", _at_rate("extractor", extractor, sampling_rate)))
    features = PerTrack(Pipeline(front_end), n_jobs=n_jobs, memory=memory)
    steps: list[tuple[str, Any]] = [("features", features)]
    if isinstance(scaler, str) and scaler == "default":
        scaler = FrameScaler()
    if scaler is not None:
        steps.append(("scaler", _step("scaler", scaler)))
    steps.append(("classifier", clone(classifier)))
    return Pipeline(steps, verbose=verbose)


def _step(name: str, step: Any) -> Any:
    """Return a copy of a step; the only text that is one is "passthrough"."""
    if isinstance(step, str):
        if step != "passthrough":
            raise ValueError(f"{name}={step!r} is no step; give a transformer or 'passthrough'.")
        return step
    return clone(step)


def _at_rate(name: str, transformer: Any, sampling_rate: float) -> Any:
    """Return a copy of a transformer that is set to the pipeline's rate."""
    transformer = _step(name, transformer)
    own = getattr(transformer, "sampling_rate", sampling_rate)
    if own == sampling_rate:
        return transformer
    if own != type(transformer)().sampling_rate:
        raise ValueError(
            f"The {name} is set to sampling_rate={own:g}, but the pipeline to "
            f"sampling_rate={sampling_rate:g}. Set both to the same rate."
        )
    return transformer.set_params(sampling_rate=sampling_rate)
