"""Ready pipelines: from audio files to genres."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skgenre.audio import AudioLoader, Segmenter
from skgenre.classifiers import (
    CNNGenreClassifier,
    HierarchicalGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
)
from skgenre.features import FrameScaler, MFCCExtractor

__all__ = ["make_genre_pipeline"]

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
    memory: Any = None,
    verbose: bool = False,
) -> Pipeline:
    """Build the pipeline from audio files to genres.

    The steps are ``loader``, ``segmenter``, ``augmenter`` (where one is given),
    ``extractor``, ``scaler`` and ``classifier``: an ordinary scikit-learn ``Pipeline``,
    the same that the steps put together by hand would be. All get the same sampling rate
    and the segmenter gets the loader's duration.

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
    memory : str, joblib.Memory or None, default=None
        As in ``Pipeline``: it stores the arrays of whole steps. It knows files by their
        paths: after a file has changed, clear it.
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
    ['loader', 'segmenter', 'extractor', 'scaler', 'classifier']
    >>> pipeline.get_params()["segmenter__n_segments"]
    20
    """
    if isinstance(classifier, str):
        if classifier not in _CLASSIFIERS:
            raise ValueError(
                f"classifier={classifier!r} is unknown; choose from "
                f"{', '.join(map(repr, _CLASSIFIERS))}, or give a classifier."
            )
        classifier = _CLASSIFIERS[classifier]()
    steps: list[tuple[str, Any]] = [
        ("loader", AudioLoader(sampling_rate=sampling_rate, duration=duration)),
        (
            "segmenter",
            Segmenter(n_segments=n_segments, track_duration=duration, sampling_rate=sampling_rate),
        ),
    ]
    if augmenter is not None:
        steps.append(("augmenter", _at_rate("augmenter", augmenter, sampling_rate)))
    extractor = MFCCExtractor() if extractor is None else extractor
    steps.append(("extractor", _at_rate("extractor", extractor, sampling_rate)))
    if isinstance(scaler, str) and scaler == "default":
        scaler = FrameScaler()
    if scaler is not None:
        steps.append(("scaler", _step("scaler", scaler)))
    steps.append(("classifier", clone(classifier)))
    return Pipeline(steps, memory=memory, verbose=verbose)


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
