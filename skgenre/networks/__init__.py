"""The networks, each a function from a shape and hyperparameters to a Model.

The functions are pure: they take every choice as an argument, compile nothing, train
nothing and use no global random state. Each layer that draws random numbers gets a seed
of its own, derived from ``seed``.

Classifiers call them; use them directly to look at a network or to build on one.

Examples
--------
>>> from skgenre.networks import build_cnn
>>> model = build_cnn((130, 13), 10, seed=0)
>>> model.output_shape
(None, 10)
>>> model.count_params()
45514
"""

from skgenre.networks._cnn import build_cnn
from skgenre.networks._crnn import build_crnn
from skgenre.networks._image_cnn import build_image_cnn
from skgenre.networks._log_mel_cnn import build_log_mel_cnn
from skgenre.networks._lstm import build_lstm
from skgenre.networks._mlp import build_mlp
from skgenre.networks._rcnn import build_rcnn
from skgenre.networks._transfer import build_transfer, find_backbone

__all__ = [
    "build_cnn",
    "build_crnn",
    "build_image_cnn",
    "build_log_mel_cnn",
    "build_lstm",
    "build_mlp",
    "build_rcnn",
    "build_transfer",
    "find_backbone",
]
