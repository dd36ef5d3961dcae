from __future__ import annotations

import pytest

from skgenre.networks import build_lstm

SHAPE = (130, 13)  # 3 s, hop 512, 13 coefficients


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def lstm_count(n_inputs, n_units):
    return 4 * n_units * (n_inputs + n_units + 1)


def test_that_of_the_papers():
    model = build_lstm(SHAPE, 10)
    assert kinds(model) == ["LSTM", "LSTM", "Dense", "LeakyReLU", "Dropout", "Dense"]
    assert model.layers[0].output.shape == (None, 130, 64)
    lstm = lstm_count(13, 64) + lstm_count(64, 64)
    assert model.count_params() == lstm + 65 * 64 + 65 * 10


def test_that_of_zhang_with_sigmoid_units():
    model = build_lstm(SHAPE, 6, lstm_units=(128, 32), lstm_activation="sigmoid", units=())
    assert kinds(model) == ["LSTM", "LSTM", "Dense"]
    assert [layer.activation.__name__ for layer in model.layers[:2]] == ["sigmoid"] * 2
    assert model.count_params() == lstm_count(13, 128) + lstm_count(128, 32) + 33 * 6


def test_three_layers_of_zhang():
    """Segments of 1 s; dropout 0.5 on what each layer receives of the one before."""
    model = build_lstm(
        (44, 13), 10, lstm_units=(32, 32, 32), lstm_dropout=(0.0, 0.5, 0.5), units=()
    )
    assert kinds(model) == ["LSTM"] * 3 + ["Dense"]
    assert [layer.dropout for layer in model.layers[:3]] == [0.0, 0.5, 0.5]
    assert model.count_params() == lstm_count(13, 32) + 2 * lstm_count(32, 32) + 33 * 10


def test_that_of_bai():
    model = build_lstm((20, 72), 10, lstm_units=(80, 80), units=(40,), activation="relu", dropout=0)
    assert kinds(model) == ["LSTM", "LSTM", "Dense", "Activation", "Dense"]
    assert model.count_params() == lstm_count(72, 80) + lstm_count(80, 80) + 81 * 40 + 41 * 10


def test_bad_layers():
    with pytest.raises(ValueError, match="lstm_units is empty"):
        build_lstm(SHAPE, 10, lstm_units=())
    with pytest.raises(ValueError, match=r"lstm_dropout=\(0.5,\) has 1 entries for the 2 layers"):
        build_lstm(SHAPE, 10, lstm_dropout=(0.5,))
