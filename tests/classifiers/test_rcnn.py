from __future__ import annotations

import pytest
from _checks import make_tracks

from skgenre import RCNNGenreClassifier


def test_defaults_are_the_papers():
    """2 convolution layers and 3 recurrent ones."""
    model = RCNNGenreClassifier()
    assert len(model.filters) == 2
    assert len(model.recurrent_filters) == 3
    assert model.recurrent_kernel_size == 3
    assert model.n_steps == 3


def test_hyperparameters_reach_the_network():
    X, y = make_tracks()
    model = RCNNGenreClassifier(
        filters=(3,),
        kernel_size=4,
        recurrent_filters=(5, 6),
        recurrent_kernel_size=2,
        n_steps=2,
        batch_norm_momentum=0.7,
        pool_size=3,
        dropout=0.4,
        epochs=1,
    ).fit(X, y)
    layers = model.network_.model.layers
    convolutions = [x for x in layers if type(x).__name__ == "Conv2D"]
    assert [(x.filters, x.kernel_size) for x in convolutions] == [
        (3, (4, 4)),
        *[(5, (2, 2))] * 2,
        *[(6, (2, 2))] * 2,
    ]
    norms = [x.momentum for x in layers if type(x).__name__ == "BatchNormalization"]
    assert norms == [0.7] * (1 + 2 * 3)
    pools = [x.pool_size for x in layers if type(x).__name__ == "MaxPooling2D"]
    assert pools == [(3, 3)] * 2
    assert [x.rate for x in layers if type(x).__name__ == "Dropout"] == [0.4]


def test_local_response_normalisation_learns():
    X, y = make_tracks()
    model = RCNNGenreClassifier(
        filters=(),
        recurrent_filters=(16,),
        n_steps=2,
        norm="local_response",
        epochs=15,
        learning_rate=0.02,
        random_state=0,
    ).fit(X, y)
    names = {type(x).__name__ for x in model.network_.model.layers}
    assert "BatchNormalization" not in names
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_steps": 0}, "'n_steps' parameter"),
        ({"norm": "layer"}, "'norm' parameter"),
        ({"recurrent_filters": ()}, "recurrent_filters is empty"),
    ],
)
def test_bad_parameters(params, message):
    X, y = make_tracks()
    with pytest.raises(ValueError, match=message):
        RCNNGenreClassifier(**params).fit(X, y)
