from __future__ import annotations

import numpy as np
import pytest
from _checks import make_tracks

from skgenre import CRNNGenreClassifier


def test_defaults_are_the_papers():
    model = CRNNGenreClassifier()
    assert model.filters == (63, 122, 128, 128)
    assert model.kernel_sizes == 3
    assert model.pool_sizes == (2, 3, 4, 4)


@pytest.mark.slow
def test_hyperparameters_reach_the_network():
    X, y = make_tracks()
    model = CRNNGenreClassifier(
        filters=(3, 5),
        kernel_sizes=(2, 3),
        pool_sizes=((3, 2), 2),
        batch_norm_momentum=0.7,
        conv_dropout=0.1,
        gru_units=(7, 6),
        dropout=0.4,
        epochs=1,
        optimizer="sgd",
    ).fit(X, y)
    layers = model.network_.model.layers
    convolutions = [x for x in layers if type(x).__name__ == "Conv2D"]
    assert [(x.filters, x.kernel_size) for x in convolutions] == [(3, (2, 2)), (5, (3, 3))]
    pools = [x.pool_size for x in layers if type(x).__name__ == "MaxPooling2D"]
    assert pools == [(3, 2), (2, 2)]
    norms = [x.momentum for x in layers if type(x).__name__ == "BatchNormalization"]
    assert norms == [0.7, 0.7]
    assert [x.rate for x in layers if type(x).__name__ == "Dropout"] == [0.1, 0.1, 0.4]
    assert [x.units for x in layers if type(x).__name__ == "GRU"] == [7, 6]
    model.set_params(filters=(3,), kernel_sizes=2, pool_sizes=2, gru_units=(7,), batch_norm=False)
    plain = model.fit(X, y).network_.model.layers
    assert "BatchNormalization" not in {type(x).__name__ for x in plain}


def test_the_order_of_steps_is_what_it_reads():
    """Rising and falling segments hold the same frames, in another order."""
    rng = np.random.default_rng(0)
    rise = np.linspace(-1, 1, 24)[:, np.newaxis] * np.ones(4)
    y = np.repeat(["falls", "rises"], 12)
    X = np.where(y[:, np.newaxis, np.newaxis] == "rises", rise, -rise)
    X = X + rng.normal(scale=0.1, size=X.shape)
    model = CRNNGenreClassifier(
        filters=(4,), pool_sizes=(3, 4), gru_units=(8,), epochs=20, random_state=0
    ).set_params(learning_rate=0.02, dropout=0.0, pool_sizes=3)
    assert model.fit(X, y).score(X, y) == 1.0
