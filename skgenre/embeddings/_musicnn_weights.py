"""The weights of musicnn: those that are known, their licences, converting them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]

# Kernels in the order of the checkpoints' names: (frames, bands) of the five branches of the
# front end; the others cover all channels.
_KERNELS = {
    "conv2d": (7, 38),
    "conv2d_1": (7, 67),
    "conv2d_2": (128, 1),
    "conv2d_3": (64, 1),
    "conv2d_4": (32, 1),
}

_ISC = (
    "ISC licence, which the authors give for code and weights, (c) 2019 Music Technology Group, "
    "Universitat Pompeu Fabra; code developed by Jordi Pons"
)


class WeightsError(Exception):
    """The weights that a model needs are not there, or are others; no fault of a track."""


class MissingWeightsError(WeightsError, FileNotFoundError):
    """There is no file."""


class WrongWeightsError(WeightsError, ValueError):
    """The file is damaged, or holds other weights."""


class KnownWeights(NamedTuple):
    """Weights that the authors of musicnn published.

    Parameters
    ----------
    name : str
        What ``weights`` of the extractor calls them.
    member : str
        The checkpoint's data, in the wheel, in the repository and in folders made from them.
    url : str
        Where it can be downloaded.
    checkpoint_sha256 : str
        Its SHA-256.
    sha256 : str
        SHA-256 of the weights that are converted from it, as ``digest`` computes it.
    tags : tuple of str
        The tags of the last layer.
    licence : str
        Terms of use.
    training_data : str
        What they were trained on, and what is to be known of it.
    """

    name: str
    member: str
    url: str
    checkpoint_sha256: str
    sha256: str
    tags: tuple[str, ...]
    licence: str
    training_data: str

    @property
    def terms(self) -> str:
        """As for Weights."""
        return _terms(self)


def _known(name: str, commit: str, checkpoint: str, sha256: str, tags: str, **texts: str) -> Any:
    member = f"{name.upper()}_musicnn/.data-00000-of-00001"
    url = f"https://raw.githubusercontent.com/jordipons/musicnn/{commit}/musicnn/{member}"
    return KnownWeights(name, member, url, checkpoint, sha256, tuple(tags.split(",")), **texts)


KNOWN: dict[str, KnownWeights] = {
    "msd": _known(
        "msd",
        "c013da53c2aff4d397c7adc518d4063afb863cf3",
        "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
        "85766934122c5b1b3cccb2bbf53a770e496d3b088219c9e773646cbffd1477a8",
        "rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,jazz,"
        "beautiful,metal,chillout,male vocalists,classic rock,soul,indie rock,Mellow,electronica,"
        "80s,folk,90s,chill,instrumental,punk,oldies,blues,hard rock,ambient,acoustic,experimental,"
        "female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,sexy,catchy,funk,electro,"
        "heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy",
        licence=_ISC,
        training_data=(
            "about 200,000 songs of the Million Song Dataset with tags by users of last.fm; they "
            "may include recordings that you evaluate on, such as those of GTZAN"
        ),
    ),
    "mtt": _known(
        "mtt",
        "174eda205e7c6bde8cbaa892f007b59d76e29015",
        "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
        "2620bb7a7a73305028dae55fbd0b3b8d5fad10eb63577d1a9eae351607b84898",
        "guitar,classical,slow,techno,strings,drums,electronic,rock,fast,piano,ambient,beat,violin,"
        "vocal,synth,female,indian,opera,male,singing,vocals,no vocals,harpsichord,loud,quiet,"
        "flute,woman,male vocal,no vocal,pop,soft,sitar,solo,man,classic,choir,voice,new age,dance,"
        "male voice,female vocal,beats,harp,cello,no voice,weird,country,metal,female voice,choral",
        licence=_ISC,
        training_data=(
            "about 19,000 songs of MagnaTagATune, music of the label Magnatune with tags by "
            "players of a game. Its audio is licensed CC BY-NC-SA; whether its non-commercial "
            "terms bear on weights learnt from it is an open question. Music of Magnatune, such as "
            "Emotify, may have been in training"
        ),
    ),
}


def _terms(weights: Weights | KnownWeights) -> str:
    return (
        f"musicnn {weights.name} (weights with SHA-256 {weights.sha256}): {weights.licence}. "
        f"Trained on {weights.training_data}"
    )


@dataclass(frozen=True, eq=False)  # eq=False: a key of lru_cache by identity
class Weights:
    """Weights of one network, and what is known of them.

    Parameters
    ----------
    name : str
        Such as "msd".
    tensors : dict of str to ndarray
        By the names in the checkpoint.
    tags : tuple of str
        The tags of the last layer.
    licence, training_data : str
        As for KnownWeights.
    sha256 : str
        As ``digest`` computes it.
    """

    name: str
    tensors: Tensors
    tags: tuple[str, ...]
    licence: str
    training_data: str
    sha256: str

    @property
    def terms(self) -> str:
        """Licence, training data and identity in one line, for model files."""
        return _terms(self)


def layer_shapes(
    *,
    timbral: int = 204,
    temporal: int = 51,
    dense_layers: int = 64,
    units: int = 200,
    tags: int = 50,
) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of a network of the architecture of musicnn.

    Parameters
    ----------
    timbral, temporal : int
        Filters of a branch of the front end.
    dense_layers : int
        Filters of each of the three densely connected convolutions.
    units : int
        Units of the penultimate layer.
    tags : int
        Tags of the last layer.

    Returns
    -------
    shapes : dict of str to tuple
        By the names in the checkpoint, sorted.
    """
    front = [timbral, timbral, temporal, temporal, temporal]
    channels = sum(front) + 3 * dense_layers
    shapes: dict[str, tuple[int, ...]] = {}
    for (name, kernel), filters in zip(_KERNELS.items(), front, strict=True):
        shapes |= {f"{name}/kernel": (*kernel, 1, filters), f"{name}/bias": (filters,)}
    for i, width in enumerate((sum(front), dense_layers, dense_layers), start=5):
        shapes |= {
            f"conv2d_{i}/kernel": (7, width, 1, dense_layers),
            f"conv2d_{i}/bias": (dense_layers,),
        }
    shapes |= {"dense/kernel": (2 * channels, units), "dense/bias": (units,)}
    shapes |= {"dense_1/kernel": (units, tags), "dense_1/bias": (tags,)}
    widths = [1, *front, *[dense_layers] * 3, 2 * channels, units]
    for i, width in enumerate(widths):
        for part in ("beta", "gamma", "moving_mean", "moving_variance"):
            shapes[f"batch_normalization{f'_{i}' if i else ''}/{part}"] = (width,)
    return dict(sorted(shapes.items()))


def from_checkpoint(data: bytes) -> Tensors:
    """Return the tensors of a network from the data of a checkpoint of the authors.

    TensorFlow writes the variables one after the other, sorted by their names: those of the
    network, and the state of the optimiser, which is two more of the size of each variable that is
    trained, and two numbers.

    Parameters
    ----------
    data : bytes
        Content of the file ``.data-00000-of-00001``, of one of the known checksums.

    Returns
    -------
    tensors : dict of str to ndarray
        Without the state of the optimiser.
    """
    sizes: dict[str, tuple[int, ...]] = {"beta1_power": (), "beta2_power": ()}
    for name, shape in layer_shapes().items():
        sizes[name] = shape
        if "/moving_" not in name:
            sizes |= {f"{name}/Adam": shape, f"{name}/Adam_1": shape}
    numbers = np.frombuffer(data, dtype="<f4")
    tensors, start = {}, 0
    for name, shape in sorted(sizes.items()):
        stop = start + int(np.prod(shape))
        if name in layer_shapes():
            tensors[name] = numbers[start:stop].reshape(shape).astype(np.float32)
        start = stop
    assert start == numbers.size  # the checksum was compared before
    return tensors


def digest(tensors: Tensors, tags: tuple[str, ...]) -> str:
    """Return the SHA-256 of weights: of their names, shapes, numbers and tags."""
    found = hashlib.sha256("\n".join(tags).encode())
    for name in sorted(tensors):
        found.update(f"\n{name} {tensors[name].shape}\n".encode())
        found.update(np.ascontiguousarray(tensors[name], dtype="<f4").data)
    return found.hexdigest()
