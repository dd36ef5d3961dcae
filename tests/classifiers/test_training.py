"""What the network classifiers have in common beyond the common checks."""

from __future__ import annotations

import pickle
from enum import Enum

import numpy as np
import pytest
from _checks import make_tracks
from sklearn.base import clone

from skgenre import (
    CNNGenreClassifier,
    KerasGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
)


def mlp(**params):
    defaults = {"units": (16,), "epochs": 5, "learning_rate": 0.01, "random_state": 0}
    return MLPGenreClassifier(**{**defaults, **params})


def test_defaults_are_the_papers():
    model = CNNGenreClassifier()
    assert model.learning_rate == 1e-4
    assert model.epochs == 50
    assert model.dropout == 0.3
    assert (model.activation, model.negative_slope) == ("leaky_relu", 0.05)
    assert MLPGenreClassifier().units == (512, 256, 128)
    assert LSTMGenreClassifier().lstm_units == (64, 64)


def test_history():
    X, y = make_tracks()
    model = mlp().fit(X, y)
    assert type(model.history_) is dict
    assert set(model.history_) == {"loss", "accuracy"}
    assert model.n_iter_ == 5
    assert len(model.history_["loss"]) == 5
    assert model.history_["loss"][-1] < model.history_["loss"][0]
    with_validation = mlp(validation_fraction=0.25).fit(X, y)
    assert set(with_validation.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_early_stopping_returns_the_best_weights():
    X, y = make_tracks()
    rng = np.random.default_rng(0)
    y = rng.permutation(y)  # nothing to learn: validation gets worse
    model = mlp(
        epochs=60,
        early_stopping=True,
        n_iter_no_change=3,
        validation_fraction=0.25,
        learning_rate=0.05,
    ).fit(X, y)
    losses = model.history_["val_loss"]
    assert model.n_iter_ == len(losses) < 60
    assert np.argmin(losses) == len(losses) - 1 - 3
    longer = mlp(epochs=int(np.argmin(losses)) + 1, validation_fraction=0.25, learning_rate=0.05)
    np.testing.assert_allclose(
        model.predict_proba(X), longer.fit(X, y).predict_proba(X), rtol=1e-4, atol=1e-5
    )


RECORDED = []


def build_recording(meta):
    """Build a model that records its segments, if functions run eagerly."""
    import keras

    class Record(keras.layers.Layer):
        def call(self, x, training=None):
            if hasattr(x, "numpy"):
                RECORDED.append((training, x.numpy()))
            return x

    return keras.Sequential(
        [
            keras.Input(meta["segment_shape_"]),
            Record(),
            keras.layers.Rescaling(1e-4),
            keras.layers.Flatten(),
            keras.layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def recorded(request):
    """Return tracks in training and validation of each epoch, the model, and X, y, weights."""
    import tensorflow as tf

    X, y = make_tracks()
    X += np.arange(len(y))[:, None, None, None] * 1000  # each segment shows its track
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y)) if request.param else None
    model = KerasGenreClassifier(
        build_recording, validation_fraction=0.25, random_state=0, epochs=2, batch_size=16
    )
    RECORDED.clear()
    tf.config.run_functions_eagerly(True)
    try:
        model.fit(X, y, sample_weight=weight)
    finally:
        tf.config.run_functions_eagerly(False)
    batches = [(training, x) for training, x in RECORDED if len(x) != 2]  # 2 when it is built
    tracks = [(training, np.round(x.mean(axis=(1, 2)) / 1000)) for training, x in batches]
    return tracks, model, X, y, weight


def test_epochs_and_validation_part(recorded):
    """Keras' own validation_split takes the unshuffled tail: one genre, divided tracks."""
    tracks, model, X, y, weight = recorded
    held = [rows for training, rows in tracks if not training]
    train = np.concatenate([rows for training, rows in tracks if training])
    epochs = np.split(train, 2)
    held_out = np.unique(held[0])
    assert len(held) == 2
    assert len(held[0]) == 6 * 3  # whole tracks: all of their segments
    assert [(y[held_out.astype(int)] == genre).sum() for genre in np.unique(y)] == [2, 2, 2]
    assert held_out.tolist() != list(range(18, 24))  # not the tail
    for epoch in epochs:
        counts = np.unique(epoch, return_counts=True)
        assert sorted([*counts[0], *held_out]) == list(range(24))
        assert counts[1].tolist() == [3] * 18
        assert epoch.tolist() != sorted(epoch)
    assert epochs[0].tolist() != epochs[1].tolist()
    # The last values of the history are those of the trained model on the held-out part.
    rows = held_out.astype(int)
    proba = model.predict_segment_proba(X[rows])
    codes = np.searchsorted(model.classes_, y[rows])
    losses = -np.log(proba[np.arange(6)[:, None], np.arange(3), codes[:, None]])
    used = np.ones(24) if weight is None else weight / weight.mean()
    expected = (losses * used[rows, None]).mean()
    assert model.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-3)
    accuracy = (proba.argmax(axis=2) == codes[:, None]).mean()
    assert model.history_["val_accuracy"][-1] == pytest.approx(accuracy, rel=1e-4)


@pytest.mark.parametrize(
    ("counts", "fraction", "held_out"),
    [
        ((50, 2, 2), 0.1, [5, 1, 1]),
        ((20, 3, 3), 0.1, [2, 1, 1]),
        ((10, 10, 2), 0.8, [8, 8, 1]),
        ((8, 8, 8), 0.01, [1, 1, 1]),
    ],
)
def test_every_genre_stands_on_both_sides(counts, fraction, held_out):
    codes = np.repeat([0, 1, 2], counts)
    train, validation = mlp(validation_fraction=fraction)._split(codes, seed=0)
    assert np.bincount(codes[validation]).tolist() == held_out
    assert np.bincount(codes[train]).tolist() == (np.array(counts) - held_out).tolist()
    assert sorted([*train, *validation]) == list(range(len(codes)))


def test_genre_of_one_track_has_no_validation_part():
    X, y = make_tracks()
    y = y.copy()
    y[0] = "polka"
    with pytest.raises(ValueError, match="'polka' has only 1 track"):
        mlp(early_stopping=True).fit(X, y)


def test_one_class_is_refused():
    X, y = make_tracks()
    with pytest.raises(ValueError, match="at least 2 classes; got 1 class: 'blues'"):
        mlp().fit(X[:8], y[:8])


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_voting(voting):
    X, y = make_tracks()
    model = mlp(voting=voting, epochs=2).fit(X, y)
    segments = model.predict_segment_proba(X)
    proba = model.predict_proba(X)
    if voting == "soft":
        np.testing.assert_allclose(proba, segments.mean(axis=1), rtol=1e-5)
    else:
        votes = np.eye(3)[segments.argmax(axis=2)].mean(axis=1)
        np.testing.assert_allclose(proba, votes, atol=2e-3)


def test_class_weight():
    X, y = make_tracks()
    X = np.random.default_rng(0).normal(size=X.shape)  # nothing to learn but the frequencies
    light = mlp(epochs=20).fit(X, y)
    heavy = mlp(class_weight={"blues": 1000, "jazz": 1e-3, "rock": 1e-3}, epochs=20).fit(X, y)
    assert (light.predict(X) == "blues").mean() < 0.5
    assert (heavy.predict(X) == "blues").mean() > 0.9
    X, y = make_tracks()
    counts = np.r_[0:8, 8:10, 16:18]
    balanced = mlp(class_weight="balanced").fit(X[counts], y[counts])
    by_hand = mlp().fit(
        X[counts], y[counts], sample_weight=np.repeat([1 / 8, 1 / 2, 1 / 2], [8, 2, 2])
    )
    np.testing.assert_allclose(
        balanced.predict_proba(X), by_hand.predict_proba(X), rtol=1e-3, atol=1e-5
    )


def test_scale_of_weights_does_not_matter():
    X, y = make_tracks()
    one, thousand = (
        mlp(l2=0.01).fit(X, y, sample_weight=np.full(len(y), w)).predict_proba(X)
        for w in (1.0, 1000.0)
    )
    np.testing.assert_allclose(one, thousand, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weight", [np.zeros(24), -np.ones(24)])
def test_useless_weights_are_refused(weight):
    X, y = make_tracks()
    with pytest.raises(ValueError, match=r"zero|[Nn]egative"):
        mlp().fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu"])
def test_activations(activation):
    X, y = make_tracks()
    model = mlp(activation=activation, epochs=2).fit(X, y)
    names = {type(layer).__name__ for layer in model.network_.model.layers}
    assert ("LeakyReLU" in names) == (activation == "leaky_relu")
    assert pickle.loads(pickle.dumps(model)).predict(X).shape == y.shape


def test_callable_activation_pickles():
    import keras

    X, y = make_tracks()
    model = mlp(activation=keras.activations.softplus, epochs=2).fit(X, y)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(twin.predict_proba(X), model.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"activation": "snake"}, "activation='snake' is not one of the activations of Keras"),
        ({"optimizer": "downhill"}, "optimizer='downhill' is not one of the optimizers"),
        ({"learning_rate": (0.1,)}, r"learning_rate=\(0.1,\) is neither a number nor a pair"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"epochs": 0}, "'epochs' parameter"),
    ],
)
def test_bad_parameters(params, message):
    X, y = make_tracks()
    with pytest.raises(ValueError, match=message):
        mlp(**params).fit(X, y)


def test_learning_rate_pair_learns():
    X, y = make_tracks()
    model = mlp(learning_rate=(0.02, 0.0), epochs=10).fit(X, y)
    assert model.history_["loss"][-1] < model.history_["loss"][0]


def test_learning_rate_schedule_of_keras():
    import keras

    X, y = make_tracks()
    schedule = keras.optimizers.schedules.ExponentialDecay(0.02, 10, 0.5)
    model = clone(mlp(learning_rate=schedule)).fit(X, y)
    assert model.history_["loss"][-1] < model.history_["loss"][0]


def test_optimizer_params():
    X, y = make_tracks()
    plain = mlp(optimizer="sgd").fit(X, y).history_["loss"]
    pushed = mlp(optimizer="sgd", optimizer_params={"momentum": 0.9}).fit(X, y).history_["loss"]
    assert pushed[-1] < plain[-1]


def test_univariate_sequences():
    """2-D input is one sequence of single values a track, for every network."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 40))
    y = np.repeat(["slow", "fast"], 15)
    X[15:, ::4] += 6
    for model in (
        CNNGenreClassifier(epochs=30, learning_rate=0.01, random_state=0),
        LSTMGenreClassifier(lstm_units=(8,), epochs=15, learning_rate=0.02, random_state=0),
    ):
        model.fit(X, y)
        assert model.segment_shape_ == (40, 1)
        assert model.score(X, y) > 0.8


def test_verbose_prints_and_silence_is_silent(capfd):
    X, y = make_tracks()
    mlp().fit(X, y).predict(X)
    out = capfd.readouterr()
    assert out.out == ""
    assert out.err == ""
    mlp(verbose=2, epochs=2).fit(X, y)
    assert "Epoch 2/2" in capfd.readouterr().out


def test_divergence_is_an_error():
    X, y = make_tracks()
    with pytest.raises(ValueError, match=r"Training diverged: the loss became .* in epoch"):
        mlp(optimizer="sgd", learning_rate=1e12, epochs=5).fit(X, y)


@pytest.mark.parametrize("weight", [-2.0, np.nan])
def test_useless_class_weights_are_refused(weight):
    X, y = make_tracks()
    with pytest.raises(ValueError, match="negative or not finite"):
        mlp(class_weight={"blues": weight}).fit(X, y)


def test_numbers_of_numpy_are_numbers():
    """Grids come from np.arange and np.logspace."""
    X, y = make_tracks()
    model = mlp(
        units=np.array([8, 4]),
        epochs=np.int64(2),
        learning_rate=np.float32(0.01),
        l1=np.float32(1e-4),
        dropout=np.float64(0.1),
        batch_size=np.int32(16),
    ).fit(X, y)
    assert model.n_iter_ == 2
    mlp(learning_rate=(np.float32(0.01), 0), epochs=1).fit(X, y)
    mlp(learning_rate=1, optimizer="sgd", epochs=1).fit(X, y)
    cnn = CNNGenreClassifier(filters=np.array([4]), kernel_sizes=np.int64(2), pool_sizes=1)
    cnn.set_params(epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"kernel_sizes=.*2\.7.* must hold whole numbers"):
        cnn.set_params(kernel_sizes=(2.7,)).fit(X, y)
    with pytest.raises(ValueError, match="lstm_units is empty"):
        LSTMGenreClassifier(lstm_units=(), epochs=1).fit(X, y)


def test_labels_of_mixed_types():
    X, y = make_tracks()
    y = y.astype(object)
    y[3] = 3
    with pytest.raises(ValueError, match="mixes labels of the types int, str"):
        mlp().fit(X, y)


def test_labels_that_cannot_be_sorted():
    X, y = make_tracks()
    Genre = Enum("Genre", sorted(set(y)))
    with pytest.raises(ValueError, match="has labels of the type Genre, which cannot be sorted"):
        mlp().fit(X, [Genre[genre] for genre in y])


def test_labels_of_numpys_string_type():
    X, y = make_tracks()
    model = mlp(epochs=1).fit(X, y.astype(np.dtypes.StringDType()))
    np.testing.assert_array_equal(model.predict(X), mlp(epochs=1).fit(X, y).predict(X))


def test_global_output_configuration():
    import sklearn

    X, y = make_tracks()
    with sklearn.config_context(transform_output="pandas"):
        assert mlp(epochs=1).fit(X, y).predict(X).shape == y.shape


def test_bad_track_is_named():
    X, y = make_tracks()
    X[3, 1, 2, 0] = np.nan
    with pytest.raises(ValueError, match="in 1 of 24 tracks, first in track 3"):
        mlp().fit(X, y)
