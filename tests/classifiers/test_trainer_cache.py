"""Fits that share a trace come out as if each had one of its own."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import sys
import threading

import numpy as np
import pytest
from _checks import make_tracks
from sklearn.base import clone

from skgenre import (
    CNNGenreClassifier,
    LogMelCNNGenreClassifier,
    LSTMGenreClassifier,
    MLPGenreClassifier,
)

X, Y = make_tracks()
MLP = MLPGenreClassifier(
    units=(8,), activation="relu", dropout=0.4, input_noise=0.2, epochs=3, random_state=0
)


def relu(x):
    """Keep a fit from sharing a trainer, as each function of the user does."""
    import keras

    return keras.ops.relu(x)


def unshared(model):
    """Return a copy that trains by a trainer of its own."""
    assert model.activation == "relu"
    return clone(model).set_params(activation=relu)


def weights(model):
    return model.network_.get_weights()


def same(first, second):
    pairs = zip(weights(first), weights(second), strict=True)
    return first.history_ == second.history_ and all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize(
    "model",
    [
        MLP,
        clone(MLP).set_params(early_stopping=True, n_iter_no_change=1, epochs=8),
        clone(MLP).set_params(optimizer="sgd", optimizer_params={"momentum": 0.9}),
        clone(MLP).set_params(optimizer="nadam"),
        clone(MLP).set_params(learning_rate=(0.01, 0.0)),
        CNNGenreClassifier(
            filters=(4,), kernel_sizes=2, pool_sizes=2, pool_strides=2, epochs=2, random_state=0
        ),
        LSTMGenreClassifier(lstm_units=(4,), lstm_dropout=0.5, units=(), epochs=2, random_state=0),
        LogMelCNNGenreClassifier(
            filters=(4, 4), kernel_sizes=3, strides=1, pool_sizes=1, crop_frames=4, epochs=2,
            steps_per_epoch=3, random_state=0,
        ),
    ],
    ids=lambda model: f"{type(model).__name__}-{model.optimizer}-{model.learning_rate}",
)  # fmt: skip
def test_a_fit_after_others_is_that_of_a_trainer_of_its_own(model):
    model.set_params(activation="relu")
    fresh = unshared(model).fit(X, Y)
    others = np.random.default_rng(1).normal(size=X.shape) * 5
    clone(model).set_params(random_state=7).fit(others, np.roll(Y, 1))
    again = clone(model).fit(X, Y)
    assert same(fresh, again)
    np.testing.assert_array_equal(fresh.predict_proba(X), again.predict_proba(X))


def test_an_earlier_model_is_not_changed_by_later_fits():
    first = clone(MLP).fit(X, Y)
    before, kept = first.predict_proba(X), weights(first)
    clone(MLP).set_params(random_state=3).fit(X[::-1], Y)
    second = clone(MLP).set_params(random_state=4).fit(X, Y)
    answers = second.predict_proba(X)
    clone(MLP).set_params(random_state=5).fit(X[::-1], Y)
    np.testing.assert_array_equal(first.predict_proba(X), before)
    np.testing.assert_array_equal(second.predict_proba(X), answers)
    assert all((a == b).all() for a, b in zip(weights(first), kept, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        {"units": (9,)},
        {"dropout": 0.1},
        {"l2": 0.1},
        {"batch_size": 5},
        {"learning_rate": 0.05},
        {"optimizer": "sgd"},
        {"optimizer_params": {"beta_1": 0.5}},
        {"validation_fraction": 0.25},
        {"class_weight": {0: 1, 1: 2, 2: 3}},
    ],
    ids=lambda change: "-".join(change),
)
def test_fits_that_differ_do_not_mix(change):
    codes = np.unique(Y, return_inverse=True)[1]
    clone(MLP).fit(X, codes)
    changed = clone(MLP).set_params(**change).fit(X, codes)
    assert same(changed, unshared(changed).fit(X, codes))


def test_other_data_of_the_same_shape_share_the_trace():
    from tensorflow.python.framework.func_graph import FuncGraph

    def n_graphs():
        gc.collect()
        return sum(issubclass(type(x), FuncGraph) for x in gc.get_objects())

    model = clone(MLP).set_params(units=(5,)).fit(X, Y)
    before = n_graphs()
    model.set_params(epochs=1, random_state=5).fit(X[::2], Y[::2])
    assert n_graphs() == before


FACTOR = 1.0


def scaled(x):
    return x * FACTOR


def test_what_a_function_of_the_user_does_now_counts(monkeypatch):
    model = clone(MLP).set_params(activation=scaled)
    by_one = clone(model).fit(X, Y)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 0.5)
    by_half = clone(model).fit(X, Y)
    assert by_one.history_ != by_half.history_


def test_a_schedule_of_the_user_is_not_compared():
    import keras

    class Constant(keras.optimizers.schedules.LearningRateSchedule):
        rate = 0.1

        def __call__(self, step):
            return self.rate

        def get_config(self):
            return {}

    model = clone(MLP).set_params(learning_rate=Constant())
    first = model.fit(X, Y).history_
    Constant.rate = 0.0001
    assert clone(model).fit(X, Y).history_ != first


def test_after_a_diverged_fit_the_next_one_starts_clean():
    fresh = clone(MLP).set_params(optimizer="sgd", learning_rate=0.01).fit(X, Y)
    wild = X.copy()
    wild[0] *= 1e30
    with pytest.raises(ValueError, match="diverged"):
        clone(fresh).fit(wild, Y)
    assert same(fresh, clone(fresh).fit(X, Y))


def test_after_an_interrupted_fit_the_next_one_starts_clean():
    class Interrupt:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            raise KeyboardInterrupt

    fresh = clone(MLP).fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        clone(MLP).set_callbacks(Interrupt()).fit(X, Y)
    assert same(fresh, clone(MLP).fit(X, Y))


def test_fits_at_the_same_time_do_not_mix():
    expected = [clone(MLP).set_params(random_state=seed).fit(X, Y) for seed in range(4)]
    found = [clone(model) for model in expected]
    threads = [threading.Thread(target=model.fit, args=(X, Y)) for model in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(same, expected, found))


def test_an_optimizer_of_the_user_is_not_compared():
    import keras

    class Boosted(keras.optimizers.SGD):
        boost = 1.0

        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * self.boost, variable, learning_rate)

    model = clone(MLP).set_params(optimizer="Boosted")
    with keras.saving.custom_object_scope({"Boosted": Boosted}):
        first = clone(model).fit(X, Y).history_
        Boosted.boost = 20.0
        assert clone(model).fit(X, Y).history_ != first


def test_a_callable_learning_rate_needs_no_name():
    rate = functools.partial(float, 0.02)
    assert clone(MLP).set_params(learning_rate=rate).fit(X, Y).n_iter_ == 3
    assert clone(MLP).set_params(learning_rate=lambda: 0.02).fit(X, Y).n_iter_ == 3


def test_weights_are_handed_out_as_copies():
    model = clone(MLP).fit(X, Y)
    expected = model.predict_proba(X)
    other = copy.deepcopy(model)
    for weights in other.network_.get_weights():
        weights[:] = 0
    np.testing.assert_array_equal(other.predict_proba(X), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), expected)


def test_networks_of_one_kind_predict_with_their_own_weights():
    fitted = [clone(MLP).set_params(random_state=seed).fit(X, Y) for seed in range(3)]
    answers = [model.predict_proba(X) for model in fitted]
    for model, answer in zip(fitted, answers, strict=True):
        loaded = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(loaded.predict_proba(X), answer)
        np.testing.assert_array_equal(model.predict_proba(X), answer)
        segments = X.reshape(-1, *X.shape[2:]).astype(np.float32)
        by_keras = model.network_.model.predict(segments, verbose=0).reshape(len(X), -1, 3)
        np.testing.assert_allclose(by_keras.mean(axis=1), answer, rtol=1e-4)
    assert not np.allclose(answers[0], answers[1])
