"""A pipeline of log-mel spectrograms and their network as one graph: from waveform to genre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skgenre.audio import AudioLoader, Segmenter
from skgenre.classifiers import LogMelCNNGenreClassifier
from skgenre.features import MelSpectrogramExtractor
from skgenre.onnx._graph import Graph, Value
from skgenre.onnx._networks import network_graph
from skgenre.preprocessing import FrameScaler
from skgenre.utils._librosa import import_librosa
from skgenre.utils._pipeline import augments, leaf_steps
from skgenre.utils._waveforms import MAX_SAMPLE, MIN_DURATION, MIN_LEVEL, sound_blocks

if TYPE_CHECKING:
    import onnx

_AMIN = 1e-10  # power of -100 dB, the least of MelSpectrogramExtractor
_STEPS = (AudioLoader, Segmenter, MelSpectrogramExtractor, FrameScaler, LogMelCNNGenreClassifier)
_OPTIONAL = (Segmenter, FrameScaler)


def log_mel_cnn_graph(model: Any) -> onnx.ModelProto:
    """Return a fitted pipeline as one graph from waveforms to the probabilities of genres.

    Parameters
    ----------
    model : Pipeline
        Of AudioLoader, Segmenter or none, MelSpectrogramExtractor, FrameScaler or none, and
        LogMelCNNGenreClassifier, in PerTrack or not, such as :func:`make_genre_pipeline` builds.
        An Augmenter has no part in prediction.

    Returns
    -------
    graph : onnx.ModelProto
        Its input "waveform" of shape (n_tracks, n_samples), float32, holds mono tracks of one
        length at the sampling rate of the pipeline. Its outputs are "probabilities" of shape
        (n_tracks, n_classes), and "segment_probabilities" of shape (n_tracks, n_segments,
        n_classes), float32.

    Raises
    ------
    TypeError
        If the pipeline has other steps.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Notes
    -----
    The graph computes what ``predict_proba`` does, from the cut or repetition of a track to the
    vote: a track without sound counts as digital silence. A graph raises no errors of its own.
    Where the pipeline refuses samples that are not finite or far beyond full scale, the
    probabilities are NaN; where it refuses a track as too short, the runtime fails.

    The Fourier transform consists of products with constant matrices. ONNX has an operator STFT,
    but onnxruntime 1.32 takes three times as long for it, and where ``n_fft`` is no power of two
    it is off by up to 2 dB.
    """
    steps = _by_kind(model)
    if steps is None:
        kinds = ", ".join(f"[{k.__name__}]" if k in _OPTIONAL else k.__name__ for k in _STEPS)
        names = ", ".join(type(step).__name__ for step in leaf_steps(model))
        raise TypeError(
            f"A graph that begins with the waveform is made of a pipeline of {kinds}, in this "
            f"order; got {names}. Export the classifier by itself, as a graph of features."
        )
    loader, segmenter, extractor, scaler, classifier = steps
    check_is_fitted(classifier)
    graph = Graph("log_mel_cnn")
    x = _cut(graph.input("waveform", np.float32, ("n_tracks", "n_samples")), loader)
    # ReduceMin takes no booleans.
    fits = graph.LessOrEqual(graph.Abs(x), MAX_SAMPLE).astype(np.int32)
    fits = graph.ReduceMin(fits, [1], keepdims=1).astype(bool)  # (n_tracks, 1)
    x = _fix_length(_without_faint(x, float(loader.sampling_rate)), loader)
    if segmenter is not None:
        x = _segments(x, segmenter)  # (n_tracks * n_segments, n_samples)
    frames = _mel_spectrogram(x, extractor)
    n_segments = 1 if segmenter is None else int(segmenter.n_segments)
    # (n_tracks, n_segments, n_frames, n_mels)
    shape = graph.Concat([-1, n_segments], _length(frames, 1), [int(extractor.n_mels)], axis=0)
    frames = graph.Reshape(frames, shape)
    scalers = [] if scaler is None else [scaler]
    network = network_graph(scalers, classifier, (1, n_segments, 1, int(extractor.n_mels)))
    proba = graph.inline(network, features=frames)
    graph.output("probabilities", graph.Where(fits, proba["probabilities"], math.nan))
    of_segments = graph.Where(graph.Unsqueeze(fits, [2]), proba["segment_probabilities"], math.nan)
    graph.output("segment_probabilities", of_segments)
    return graph.model()


def takes_waveform(model: Any) -> bool:
    """Whether a pipeline has the steps of which :func:`log_mel_cnn_graph` makes a graph."""
    return _by_kind(model) is not None


def _by_kind(model: Any) -> list[Any] | None:
    """Return the step of each kind, None for one that is left out; None for other pipelines."""
    steps = [step for step in leaf_steps(model) if not augments(step)]
    found = {type(step): step for step in steps}
    wanted = [kind for kind in _STEPS if kind in found or kind not in _OPTIONAL]
    return [found.get(k) for k in _STEPS] if [type(s) for s in steps] == wanted else None


def _cut(x: Value, loader: AudioLoader) -> Value:
    """Add the cut of the loader: (n_tracks, at most n_samples)."""
    n_samples = loader._n_samples()
    if loader.position == "start":
        return x[:, :n_samples]
    start = x.graph.Max((_length(x, 1) - n_samples) / 2, [0])
    return x.graph.Slice(x, start, start + n_samples, [1])


def _without_faint(x: Value, rate: float) -> Value:
    """Add what makes tracks without sound digital silence, as the loader does."""
    graph, n_samples = x.graph, _length(x, 1)
    size, n_loud = sound_blocks(rate)
    # One block at least, for ONNX has no reduction of nothing.
    blocks = graph.Pad(x, graph.Concat([0, 0, 0], graph.Max(size - n_samples, [0]), axis=0))
    whole = _length(blocks, 1) / size * size
    blocks = graph.Reshape(graph.Slice(blocks, [0], whole, [1]), [0, -1, size])
    deviations = blocks - blocks.mean(2, keepdims=True)
    loud = graph.GreaterOrEqual((deviations * deviations).mean(2), MIN_LEVEL**2)
    has_sound = graph.GreaterOrEqual(loud.astype(np.int64).sum(1, keepdims=True), n_loud)
    too_short = n_samples < math.ceil(MIN_DURATION * rate)
    return graph.Where(graph.Or(has_sound, too_short), x, 0.0)


def _fix_length(x: Value, loader: AudioLoader) -> Value:
    """Add what the loader does with short tracks: (n_tracks, n_samples)."""
    if loader.short == "keep":
        return x
    n_samples = loader._n_samples()
    return _exactly(_at_least(x, n_samples, loader.short), n_samples)


def _segments(x: Value, segmenter: Segmenter) -> Value:
    """Add the cut of tracks into segments: (n_tracks * n_segments, n_samples)."""
    graph, n_segments, size = x.graph, int(segmenter.n_segments), segmenter._segment_length()
    if segmenter.placement == "consecutive":
        n_samples = n_segments * size
        return _exactly(_at_least(x, n_samples, segmenter.short), n_samples).reshape(-1, size)
    x = _at_least(x, size, segmenter.short)
    # A track too short after all is indexed beyond its end, where the runtime fails.
    starts = _spread(_length(x, 1) - size, n_segments)
    return graph.Gather(x, starts + np.arange(size), axis=1).reshape(-1, size)


def _at_least(x: Value, n_samples: int, short: str) -> Value:
    """Repeat short tracks, or append zeros to them."""
    graph, n = x.graph, _length(x, 1)
    if short == "repeat":
        n = graph.Max(n, [1])  # a division by 0 would crash the runtime
        x = graph.Tile(x, graph.Concat([1], (n + (n_samples - 1)) / n, axis=0))
        return graph.Slice(x, [0], graph.Max(n, [n_samples]), [1])
    if short == "zeros":
        n_missing = graph.Max(n_samples - n, [0])
        return graph.Pad(x, graph.Concat([0, 0, 0], n_missing, axis=0))
    return x


def _exactly(x: Value, n_samples: int) -> Value:
    """Cut tracks to a number of samples; the runtime fails where they have fewer."""
    return x.graph.Reshape(x[:, :n_samples], x.graph.Concat(_length(x, 0), [n_samples], axis=0))


def _mel_spectrogram(x: Value, extractor: MelSpectrogramExtractor) -> Value:
    """Add the mel spectrogram of segments: (n, n_frames, n_mels)."""
    graph, n_fft = x.graph, int(extractor.n_fft)
    if extractor.center:
        half = n_fft // 2
        x = graph.Pad(x, [0, half, 0, half])
    power = _mel_power(x, extractor)
    if extractor.scale == "power":
        return power
    decibels = graph.Log(graph.Max(power, _AMIN)) * (10 / math.log(10))
    if extractor.top_db is None:
        return decibels
    loudest = graph.ReduceMax(decibels, [1, 2], keepdims=1)
    return graph.Max(decibels, loudest - float(extractor.top_db))


def _mel_power(x: Value, extractor: MelSpectrogramExtractor) -> Value:
    """Add the power in the mel bands of padded segments: (n, n_frames, n_mels).

    The Fourier transform takes two products with constant matrices, where n_fft = n1 * n2: sample
    ``a * n2 + b`` of a frame contributes to bin ``k1 + n1 * k2``, first the sum over a, then that
    over b. The samples are real, so that half of the k1 and all k2 give every bin once or twice.
    """
    graph, n_fft, hop = x.graph, int(extractor.n_fft), int(extractor.hop_length)
    n1, n2 = _factors(n_fft)
    a, b, k1 = np.arange(n1), np.arange(n2), np.arange(n1 // 2 + 1)
    bins = k1[:, np.newaxis] + n1 * b  # k2 has as many values as b
    first = _waves(np.outer(k1, a) / n1)  # (2, n_k1, n1)
    real, imag = _waves(bins[:, np.newaxis] * b[:, np.newaxis] / n_fft)  # (n_k1, n2, n2)
    second = np.concatenate(
        [np.concatenate([real, imag], axis=2), np.concatenate([-imag, real], axis=2)], axis=1
    )  # (n_k1, 2 * n2, 2 * n2)

    frames, n_frames = _frames(x, n_fft, hop)
    frames = (frames * _window(extractor)).reshape(-1, n1, n2)
    y = np.swapaxes(first, 0, 1).reshape(-1, n1) @ frames  # (n, 2 * n_k1, n2)
    y = graph.Transpose(y.reshape(-1, len(k1), 2 * n2), perm=[1, 0, 2])
    z = y @ second  # (n_k1, n, 2 * n2)
    power = z[:, :, :n2] ** 2 + z[:, :, n2:] ** 2
    power = graph.Transpose(power, perm=[1, 0, 2]).reshape(-1, bins.size)
    bands = power @ _band_weights(extractor, bins.ravel())  # (n, n_mels)
    shape = graph.Concat([-1], n_frames, [int(extractor.n_mels)], axis=0)
    return graph.Reshape(bands, shape)


def _factors(n_fft: int) -> tuple[int, int]:
    """Return the n1 and n2 = n_fft / n1 of the cheapest two products."""
    n1 = min(
        (n for n in range(1, n_fft + 1) if n_fft % n == 0),
        key=lambda n: (n // 2 + 1) * (n_fft + 2 * (n_fft // n) ** 2),
    )
    return n1, n_fft // n1


def _waves(turns: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the real and the imaginary parts of waves that are this many turns along."""
    angles = -2 * np.pi * (turns % 1)
    return np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def _frames(x: Value, n_fft: int, hop: int) -> tuple[Value, Value]:
    """Add the cut of (n, n_samples) into frames, (n, n_frames, n_fft); return n_frames, too."""
    graph = x.graph
    size = math.gcd(n_fft, hop)  # samples that are always copied together
    # One at least: what is shorter than a frame is indexed beyond its end, where the runtime fails.
    n_frames = graph.Max((_length(x, 1) - n_fft) / hop + 1, [1])
    pieces = graph.Slice(x, [0], _length(x, 1) / size * size, [1])
    pieces = graph.Reshape(pieces, [0, -1, size])
    starts = graph.Range(0, graph.Squeeze(n_frames), 1) * (hop // size)
    index = graph.Unsqueeze(starts, [1]) + np.arange(n_fft // size)
    return graph.Reshape(graph.Gather(pieces, index, axis=1), [0, 0, n_fft]), n_frames


def _band_weights(
    extractor: MelSpectrogramExtractor, bins: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the weights of bins up to ``n_fft`` in the mel bands: (n_bins, n_mels)."""
    n_fft = int(extractor.n_fft)
    filters = import_librosa().filters.mel(
        sr=float(extractor.sampling_rate),
        n_fft=n_fft,
        n_mels=int(extractor.n_mels),
        fmin=float(extractor.fmin),
        fmax=None if extractor.fmax is None else float(extractor.fmax),
        htk=bool(extractor.htk),
    )  # (n_mels, 1 + n_fft // 2)
    # Bins above half the rate mirror those below; each counts once.
    used, places = np.unique(np.minimum(bins, n_fft - bins), return_index=True)
    weights = np.zeros((bins.size, len(filters)), dtype=np.float32)
    weights[places] = filters.T[used]
    return weights


def _window(extractor: MelSpectrogramExtractor) -> NDArray[np.float32]:
    """Return the window in the middle of a frame: (n_fft,)."""
    from scipy.signal import get_window

    n_fft = int(extractor.n_fft)
    win_length = n_fft if extractor.win_length is None else int(extractor.win_length)
    window = np.zeros(n_fft, dtype=np.float32)
    start = (n_fft - win_length) // 2
    window[start : start + win_length] = get_window(extractor.window, win_length)
    return window


def _length(value: Value, axis: int) -> Value:
    """Return the size of an axis at run time: (1,), int64."""
    return value.graph.Shape(value, start=axis, end=axis + 1)


def _spread(last: Value, n: int) -> Value:
    """Return ``n`` whole numbers spread evenly from 0 to ``last``: (n, 1), int64."""
    # In float64 and in the order of np.linspace, so that halves are rounded alike.
    steps = last.astype(np.float64) / float(max(1, n - 1))
    return last.graph.Round(np.arange(n, dtype=np.float64)[:, np.newaxis] * steps).astype(np.int64)
