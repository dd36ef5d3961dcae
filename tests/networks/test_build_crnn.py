from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from skgenre.networks import build_crnn


def shapes(model, kind):
    return [x.output.shape[1:] for x in model.layers if type(x).__name__ == kind]


def test_that_of_zhang():
    """1400 frames of 96 bands; 48 x 720, 16 x 240, 4 x 60 and 1 x 15 after the blocks."""
    model = build_crnn((1400, 96), 10)
    assert [type(x).__name__ for x in model.layers] == [
        "Reshape",
        "ZeroPadding2D",
        *["Conv2D", "BatchNormalization", "LeakyReLU", "MaxPooling2D"] * 4,
        "Reshape",
        "GRU",
        "GRU",
        "Dropout",
        "Dense",
    ]
    assert shapes(model, "ZeroPadding2D") == [(1440, 96, 1)]
    assert shapes(model, "Conv2D") == [
        (1440, 96, 63),
        (720, 48, 122),
        (240, 16, 128),
        (60, 4, 128),
    ]
    assert shapes(model, "MaxPooling2D")[-1] == (15, 1, 128)
    assert shapes(model, "Reshape")[-1] == (15, 128)
    assert shapes(model, "GRU") == [(15, 32), (32,)]
    filters = [1, 63, 122, 128, 128]
    convolutions = sum((9 * n_in + 1) * n_out + 4 * n_out for n_in, n_out in pairwise(filters))
    # Keras' GRU has two biases: one for the input, one for the state.
    gru = 3 * 32 * (128 + 32 + 2) + 3 * 32 * (32 + 32 + 2)
    assert model.count_params() == convolutions + gru + 33 * 10


def test_1366_frames_arrive_at_the_same_steps():
    """The network that zhang describes pads 1366 frames to 1440 too (Choi et al. 2017)."""
    assert shapes(build_crnn((1366, 96), 10), "MaxPooling2D") == shapes(
        build_crnn((1400, 96), 10), "MaxPooling2D"
    )


@pytest.mark.parametrize(
    ("shape", "last"),
    [
        ((1, 1), (1, 1)),
        ((6, 4), (1, 1)),
        ((130, 13), (2, 1)),  # 65, 22, 6, 2
        ((200, 128), (3, 2)),  # what is left of 128 bands is two rows
    ],
)
def test_pooling_shrinks_to_small_inputs(shape, last):
    model = build_crnn(shape, 3, filters=(2, 2, 2, 2), gru_units=(2,))
    assert shapes(model, "Reshape")[-1] == (last[0], last[1] * 2)
    assert model(np.zeros((2, *shape), dtype=np.float32)).shape == (2, 3)


def test_hyperparameters():
    model = build_crnn(
        (12, 8),
        3,
        filters=(4, 5),
        kernel_sizes=(3, (5, 1)),
        pool_sizes=((4, 2), 1),
        batch_norm=False,
        conv_dropout=0.1,
        gru_units=(6, 7, 8),
        dropout=0.4,
    )
    convolutions = [x for x in model.layers if type(x).__name__ == "Conv2D"]
    assert [(x.filters, x.kernel_size) for x in convolutions] == [(4, (3, 3)), (5, (5, 1))]
    assert shapes(model, "MaxPooling2D") == [(3, 4, 4)]
    assert shapes(model, "BatchNormalization") == []
    assert [x.rate for x in model.layers if type(x).__name__ == "Dropout"] == [0.1, 0.1, 0.4]
    assert shapes(model, "GRU") == [(3, 6), (3, 7), (8,)]
    with_norm = build_crnn((12, 8), 3, batch_norm_momentum=0.7)
    norms = [x for x in with_norm.layers if type(x).__name__ == "BatchNormalization"]
    assert [x.momentum for x in norms] == [0.7] * 4


def test_no_gru_layer():
    with pytest.raises(ValueError, match="gru_units is empty"):
        build_crnn((12, 8), 3, gru_units=())
