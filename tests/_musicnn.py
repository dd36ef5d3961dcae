"""Small random networks of the architecture of musicnn, and their weights files."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from skgenre.embeddings import KNOWN, digest, layer_shapes, write_weights

SIZES = {"timbral": 5, "temporal": 3, "dense_layers": 4, "units": 6, "tags": 3}
TAGS = ("rock", "jazz", "slow")
TERMS = {"licence": "free to use", "training_data": "random numbers"}


def random_tensors(seed=0, **sizes):
    """Return weights that give every layer outputs of similar size, of both signs."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in layer_shapes(**(sizes or SIZES)).items():
        if name.endswith("kernel"):
            values = rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        elif name.endswith("variance"):
            values = rng.uniform(0.5, 1.5, size=shape)
        else:
            values = rng.normal(size=shape)
        tensors[name] = values.astype(np.float32)
    return tensors


def write_random_weights(path, seed=0):
    """Write the weights of a small random network, and return the path."""
    write_weights(path, random_tensors(seed), name="random", tags=TAGS, **TERMS)
    return path


def publish_random_weights(monkeypatch, folder, name="msd"):
    """Let random weights of the published size pass for published ones, and return their path."""
    known = KNOWN[name]
    tensors = random_tensors(**{"tags": 50})
    monkeypatch.setitem(KNOWN, name, known._replace(sha256=digest(tensors, known.tags)))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))
    path = Path(folder) / "musicnn" / f"{name}.npz"
    path.parent.mkdir()
    texts = {"licence": known.licence, "training_data": known.training_data}
    write_weights(path, tensors, name=name, tags=known.tags, **texts)
    return path


@lru_cache(maxsize=1)
def _small_file():
    folder = tempfile.mkdtemp(prefix="skgenre-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(write_random_weights(Path(folder) / "small.npz"))


class SmallWeights(os.PathLike):
    """The path of a small network, which prints the same in all processes."""

    def __fspath__(self):
        return _small_file()

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return 0

    def __repr__(self):
        return "SmallWeights()"


def forward(tensors, patches):
    """Run the network as its description reads, in float64: (n_patches, 187, 96) log-mel bands.

    Returns the outputs for each patch, by the names of the extractor's groups.
    """

    def normalise(x, number):
        suffix = f"_{number}" if number else ""
        beta, gamma, mean, variance = (
            tensors[f"batch_normalization{suffix}/{part}"].astype(float)
            for part in ("beta", "gamma", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + 0.001) * gamma + beta

    def convolve(x, number):
        """Sum over taps and bands: (n_frames, n_positions, n_filters) before the activation."""
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = tensors[f"{name}/kernel"][:, :, 0].astype(float)
        taps, width, _ = kernel.shape
        left = (taps - 1) // 2
        padded = np.pad(x, ((left, taps - 1 - left), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (taps, width))
        return np.einsum("tbij,ijf->tbf", windows, kernel) + tensors[f"{name}/bias"]

    rows = {name: [] for name in ("mean", "penultimate", "max", "logits")}
    for patch in normalise(np.asarray(patches, dtype=float), 0):
        front = [normalise(np.maximum(convolve(patch, i), 0), i + 1).max(axis=1) for i in range(5)]
        layers = [np.concatenate(front, axis=1)]
        for i in (5, 6, 7):
            out = normalise(np.maximum(convolve(layers[-1], i)[:, 0], 0), i + 1)
            layers.append(out if i == 5 else out + layers[-1])
        joined = np.concatenate(layers, axis=1)
        pooled = np.column_stack([joined.max(axis=0), joined.mean(axis=0)]).ravel()
        dense = normalise(pooled, 9) @ tensors["dense/kernel"] + tensors["dense/bias"]
        penultimate = normalise(np.maximum(dense, 0), 10)
        first = layers[0].shape[1]
        rows["mean"].append(joined.mean(axis=0)[first:])
        rows["max"].append(joined.max(axis=0)[first:])
        rows["penultimate"].append(penultimate)
        rows["logits"].append(penultimate @ tensors["dense_1/kernel"] + tensors["dense_1/bias"])
    return {name: np.array(values) for name, values in rows.items()}
