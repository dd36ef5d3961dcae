"""Columns that a pretrained network, musicnn, computes of each track."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skgenre.base import TrackTableTransformer
from skgenre.embeddings._musicnn_network import N_BANDS, N_FRAMES, MusicnnNetwork
from skgenre.embeddings._musicnn_weights import Weights
from skgenre.embeddings._weights_holder import WeightsHolder
from skgenre.features import MelSpectrogramExtractor
from skgenre.utils._blas import one_blas_thread

Float = NDArray[np.float32]

_RATE = 16000  # Hz, at which the network was trained
_N_FFT, _HOP_LENGTH = 512, 256
_PATCH = N_FRAMES * _HOP_LENGTH  # samples
# In the order of the columns: the output of the network, and the statistics over patches.
_GROUPS = {
    "mean": ("mean", "std"),
    "penultimate": ("mean", "std"),
    "max": ("mean",),
    "logits": ("mean",),
}


class MusicnnExtractor(WeightsHolder, TrackTableTransformer):
    """Describe each track by what a pretrained network of tags, musicnn, makes of it.

    The network [1]_ was trained to tag music. The layers before its tags describe sound well for
    other purposes, above all where few tracks of your own are labelled. The table has one row of
    1026 columns in four groups for each track. The weights are not part of skgenre:
    :func:`fetch_musicnn` downloads them once.

    Parameters
    ----------
    weights : {"msd", "mtt"}, str or PathLike, default="msd"
        The weights: "msd" of a network trained on the Million Song Dataset, "mtt" on MagnaTagATune,
        which must be in the folder that :func:`fetch_musicnn` writes to; or the path of a file that
        it wrote.
    sampling_rate : float, default=22050
        Rate of the waveforms in Hz. Waveforms known to have another rate are refused. They are
        resampled to the 16000 Hz of the network.
    duration : float, default=60.0
        Seconds taken at most, from the middle of the track.

    Attributes
    ----------
    weights_sha256_ : str
        The SHA-256 of the weights. Set by ``fit``, and in pickles, copies and model files, which
        hold this number but not the weights: other weights are refused then.

    See Also
    --------
    fetch_musicnn : Gets the weights; states their licence and what they were trained on.
    MusicnnTagger : Predicts the network's own tags.
    ExcerptFeatures : Columns of excerpts too; the network runs once for all of them.
    ClipFeatures : Columns that are measured rather than learnt.

    Notes
    -----
    Log-mel spectrograms of 96 bands, ``log10(10000 power + 1)`` of frames of 512 samples at
    16000 Hz, every 256 samples, are cut into patches of 187 frames, 3 s, one after the other. What
    remains at the end is left out. A track shorter than one patch is repeated to its length, as the
    authors did in training. Of each patch the network computes:

    ========================  =======  =============================================================
    group                     columns  content
    ========================  =======  =============================================================
    ``musicnn_mean``          384      means over time of the three densely connected layers of
                                       64 filters: mean and standard deviation over patches
    ``musicnn_penultimate``   400      the layer of 200 units before the tags: mean and standard
                                       deviation over patches
    ``musicnn_max``           192      maxima over time of the same three layers: mean over patches
    ``musicnn_logits``        50       the tags, before the sigmoid: mean over patches
    ========================  =======  =============================================================

    The standard deviation of a single patch is 0. In excerpts, as of :class:`ExcerptFeatures`,
    patches count whose centre lies in the excerpt; an excerpt without any gets patches of its own.

    The network runs in NumPy, without TensorFlow, and equals the authors' to rounding. They
    rounded the power of the bands to 16 bits first, which is left out here.

    References
    ----------
    .. [1] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
       audio tagging", ISMIR 2019, late-breaking session. https://github.com/jordipons/musicnn

    Examples
    --------
    Names and groups of the columns are known without the weights:

    >>> from skgenre import MusicnnExtractor
    >>> features = MusicnnExtractor("mtt")
    >>> features.get_feature_names_out()[[0, -50]].tolist()
    ['musicnn_mean__layer0_filter0_mean', 'musicnn_logits__guitar']
    >>> features.get_feature_groups_out()[[0, -1]].tolist()
    ['musicnn_mean', 'musicnn_logits']
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "weights": [str, os.PathLike],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "duration": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, weights="msd", *, sampling_rate=22050, duration=60.0):
        self.weights = weights
        self.sampling_rate = sampling_rate
        self.duration = duration

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Do what ``fit`` and ``transform`` do, and report each track to the callbacks.

        Parameters
        ----------
        X : array-like of shape (n_tracks, n_samples) or (n_tracks, n_segments, n_samples)
            The tracks, as for ``transform``.
        y : Ignored
            Present by convention.

        Returns
        -------
        Xt : ndarray or data frame
            As for ``transform``.
        """
        self._hold_weights()
        return super().fit_transform(X, y)

    def get_feature_groups_out(self) -> NDArray[np.object_]:
        """Return the group of each column; the transformer need not be fitted.

        Returns
        -------
        labels : ndarray of shape (n_columns,), str objects
            "musicnn_mean", ..., "musicnn_logits": the ``feature_groups`` of :class:`GroupScaler`.
        """
        names = self.get_feature_names_out()
        return np.array([name.partition("__")[0] for name in names], dtype=object)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Present by convention: samples have no names.

        Returns
        -------
        names : ndarray of shape (n_columns,), str objects
            The group, two underscores and the name within the group: "musicnn_logits__rock".
        """
        n_filters, n_units, tags = self._layer_sizes()
        filters = [f"layer{layer}_filter{i}" for layer in range(3) for i in range(n_filters)]
        channels = {
            "mean": filters,
            "penultimate": [f"unit{i}" for i in range(n_units)],
            "max": filters,
            "logits": list(tags),
        }
        names = [
            f"musicnn_{group}__{name}" + (f"_{statistic}" if group != "logits" else "")
            for group, statistics in _GROUPS.items()
            for statistic in statistics
            for name in channels[group]
        ]
        return np.array(names, dtype=object)

    def describe(self, samples: Float) -> Float:
        return self.describe_excerpts(samples, [(0, samples.size)])[0]

    def describe_excerpts(
        self, samples: Float, excerpts: Sequence[tuple[int, int]]
    ) -> list[NDArray[np.float32]]:
        """Turn excerpts of one waveform into one row each; the network runs once for all.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The waveform, checked.
        excerpts : sequence of (int, int)
            First sample of each excerpt, and the one after its last.

        Returns
        -------
        rows : list of ndarray of shape (n_columns,)
            Statistics of the patches whose centre lies in the excerpt; of patches of its own where
            there is none.
        """
        outputs, centers = self.patch_outputs(samples)
        rows = []
        for start, stop in excerpts:
            inside = (start <= centers) & (centers < stop)
            if inside.any():
                rows.append(_summarize(outputs, inside))
            else:
                rows.append(self.describe(samples[start:stop]))
        return rows

    def patch_outputs(self, samples: Float) -> tuple[dict[str, Float], NDArray[np.float64]]:
        """Run the network on each patch of a waveform.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The waveform, checked.

        Returns
        -------
        outputs : dict of str to ndarray of shape (n_patches, n_channels), float32
            "mean" and "max" over time of the three dense layers, "penultimate" layer and "logits".
        centers : ndarray of shape (n_patches,)
            The sample of the waveform in the middle of each patch.
        """
        weights = self._held_weights()
        length = min(samples.size, round(self.duration * self.sampling_rate))
        start = (samples.size - length) // 2
        patches = _patches(samples[start : start + length], float(self.sampling_rate))
        with one_blas_thread():
            outputs = _network(weights)(patches)
        middles = (np.arange(len(patches)) + 0.5) * _PATCH * self.sampling_rate / _RATE
        # A repeated track has its middle as the only centre.
        return outputs, start + np.minimum(middles, length / 2 if len(patches) == 1 else middles)

    def _check_each(self, X: Any) -> list[Any]:  # in fit
        tracks = super()._check_each(X)
        self._hold_weights()
        return tracks


@lru_cache(maxsize=4)
def _network(weights: Weights) -> MusicnnNetwork:
    return MusicnnNetwork(weights.tensors)


def _patches(samples: Float, sampling_rate: float) -> Float:
    """Turn a waveform into log-mel patches of shape (n_patches, 187, 96)."""
    if sampling_rate != _RATE:
        import soxr

        samples = soxr.resample(samples, sampling_rate, _RATE, quality="HQ")
    shortest = _PATCH - _HOP_LENGTH
    if samples.size < shortest:
        samples = np.resize(samples, shortest)  # NumPy's resize repeats
    mel = MelSpectrogramExtractor(
        n_mels=N_BANDS,
        sampling_rate=_RATE,
        n_fft=_N_FFT,
        hop_length=_HOP_LENGTH,
        scale="power",
    )
    power = mel.transform_track(samples, "a track")[0]  # (n_frames, 96)
    n_patches = len(power) // N_FRAMES
    patches = np.minimum(power[: n_patches * N_FRAMES], np.float32(1e30))  # finite below
    patches = np.log10(patches * np.float32(10000) + np.float32(1))
    return patches.reshape(n_patches, N_FRAMES, N_BANDS)


def _summarize(outputs: dict[str, Float], inside: NDArray[np.bool_]) -> Float:
    """Return the statistics of some patches, in the order of the columns."""
    parts = [
        getattr(outputs[group][inside], statistic)(axis=0)
        for group, statistics in _GROUPS.items()
        for statistic in statistics
    ]
    return np.concatenate(parts)
