"""Traps of scikeras, Keras and TensorFlow that must not come back."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import weakref

import numpy as np
import pytest
from _checks import make_tracks
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv, cross_val_score

from skgenre import MLPGenreClassifier


def mlp(**params):
    defaults = {"units": (16,), "epochs": 15, "learning_rate": 0.02, "random_state": 0}
    return MLPGenreClassifier(**{**defaults, **params})


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_integer_cv_stratifies():
    """scikeras' KerasClassifier is no classifier to scikit-learn: KFold, accuracy 0."""
    X, y = make_tracks()
    assert is_classifier(mlp())
    assert type(check_cv(3, y, classifier=is_classifier(mlp()))).__name__ == "StratifiedKFold"
    assert cross_val_score(mlp(), X, y, cv=3).mean() > 0.8


def test_seeded_fit_leaves_determinism_off():
    """After a seeded fit through scikeras an unseeded one raises 'Random ops require a seed'."""
    from tensorflow.python.framework import config

    X, y = make_tracks()
    mlp().fit(X, y)
    assert not config.is_op_determinism_enabled()
    mlp(random_state=None).fit(X, y)


def test_determinism_that_the_user_wants_stays_on():
    run(
        "import numpy as np, tensorflow as tf\n"
        "from tensorflow.python.framework import config\n"
        "from skgenre import MLPGenreClassifier\n"
        "tf.keras.utils.set_random_seed(0)\n"
        "tf.config.experimental.enable_op_determinism()\n"
        "X = np.random.default_rng(0).normal(size=(12, 2, 5, 3))\n"
        "y = np.repeat(['a', 'b'], 6)\n"
        "MLPGenreClassifier(units=(4,), epochs=2).fit(X, y).predict(X)\n"
        "assert config.is_op_determinism_enabled()\n"
    )


def test_first_fit_in_a_process_is_silent_and_changes_no_global_state():
    """Importing TensorFlow prints to stderr and moves Python's random state."""
    done = run(
        "import os, random\n"
        "import numpy as np\n"
        "from skgenre import CNNGenreClassifier\n"
        "X = np.random.default_rng(0).normal(size=(12, 2, 5, 3))\n"
        "y = np.repeat(['a', 'b'], 6)\n"
        "model = CNNGenreClassifier(epochs=2)\n"
        "before = random.getstate(), np.random.get_state()[1].tolist(), dict(os.environ)\n"
        "model.fit(X, y).predict(X)\n"
        "after = random.getstate(), np.random.get_state()[1].tolist(), dict(os.environ)\n"
        "assert before[0] == after[0], 'random'\n"
        "assert before[1] == after[1], 'numpy'\n"
        "assert {k: v for k, v in after[2].items() if before[2].get(k) != v} == {}, 'environ'\n"
    )
    assert done.stdout == ""
    assert done.stderr == ""


def test_result_does_not_depend_on_global_seeds():
    import tensorflow as tf

    X, y = make_tracks()
    results = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002 - what others may do
        tf.random.set_seed(seed)
        results.append(mlp().fit(X, y).predict_proba(X))
    tf.random.set_seed(None)
    np.testing.assert_array_equal(*results)


def test_segments_are_shuffled_anew_each_epoch():
    from skgenre.classifiers._batches import Rows

    def passed_on(seed):
        rows = Rows(np.arange(50.0), None, n_at_once=8)
        seen = rows.trace(lambda column: column)
        epochs = []
        for epoch in range(3):
            rows.shuffle(seed, epoch)
            taken = [rows.take(int(position)) for position in rows.positions()]
            epochs.append(np.concatenate([seen(*columns).numpy() for columns in taken]))
        return epochs

    epochs = passed_on(seed=3)
    for epoch in epochs:
        assert sorted(epoch) == list(range(50))
    assert epochs[0].tolist() != list(range(50))
    assert epochs[0].tolist() != epochs[1].tolist() != epochs[2].tolist()
    np.testing.assert_array_equal(passed_on(seed=3), epochs)
    assert passed_on(seed=4)[0].tolist() != epochs[0].tolist()


@pytest.mark.parametrize("limits", [(1, 16_000_000), (7, 16_000_000), (32, 500)])
def test_mini_batches_a_call_leave_results_equal(monkeypatch, limits):
    from skgenre.classifiers import _training as _keras

    X, y = make_tracks()
    model = mlp(batch_size=4, epochs=3, validation_fraction=0.25)
    expected = model.fit(X, y).predict_proba(X), model.history_
    monkeypatch.setattr(_keras, "_BATCHES_PER_CALL", limits[0])
    monkeypatch.setattr(_keras, "_BYTES_PER_CALL", limits[1])
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected[0])
    assert model.history_ == expected[1]


@pytest.mark.parametrize(
    "params",
    [{"weight_decay": 0.01, "clipnorm": 0.1, "beta_1": 0.8}, {"amsgrad": True, "beta_2": 0.3}],
)
def test_adam_in_one_operation_is_that_of_keras(params):
    import keras
    import tensorflow as tf

    from skgenre.classifiers._training import make_optimizer

    weights = []
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 5, 0.01)
    for optimizer in (
        make_optimizer("adam", (0.1, 0.01), params, n_steps=5),
        keras.optimizers.Adam(schedule, **params),
    ):
        variables = [keras.Variable(np.ones((3, 2))), keras.Variable(np.zeros(2))]
        rng = np.random.default_rng(0)
        for _ in range(6):
            gradients = [tf.constant(rng.normal(size=v.shape), tf.float32) for v in variables]
            optimizer.apply(gradients, variables)
        weights.append(np.concatenate([v.numpy().ravel() for v in variables]))
    np.testing.assert_allclose(*weights, rtol=1e-5, atol=1e-7)
    assert np.abs(weights[0][:6] - 1).max() > 0.1


def test_adam_is_one_operation_a_variable():
    import keras
    import tensorflow as tf

    from skgenre.classifiers._training import make_optimizer

    optimizer = make_optimizer("adam", 0.1, None, n_steps=1)
    variables = [keras.Variable(np.ones((3, 2))), keras.Variable(np.zeros(2))]
    optimizer.build(variables)
    apply = tf.function(lambda: optimizer.apply([tf.ones(v.shape) for v in variables]))
    graph = apply.get_concrete_function().graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("ResourceApplyAdam") == 2
    assert "Sqrt" not in kinds


def test_one_device_of_a_strategy_gives_the_same():
    import tensorflow as tf

    X, y = make_tracks()
    model = mlp(epochs=2, validation_fraction=0.25)
    expected = model.fit(X, y).predict_proba(X)
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_validation_measures_the_held_out_part(monkeypatch, weighted):
    from skgenre.classifiers import _base
    from skgenre.classifiers import _fitted_network as _network

    def spy(build, rows, *, validation, **kwargs):
        seen.extend(validation)
        return train(build, rows, validation=validation, **kwargs)

    seen, train = [], _base.train_network
    monkeypatch.setattr(_base, "train_network", spy)
    monkeypatch.setattr(_network, "_PREDICT_SEGMENTS", 7)
    X, y = make_tracks()
    sample_weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y)) if weighted else None
    model = mlp(epochs=2, validation_fraction=0.25).fit(X, y, sample_weight=sample_weight)
    segments, codes, weight = seen if weighted else (*seen, np.ones(len(seen[1])))
    assert len(codes) == 18
    proba = model.network_.predict_proba(segments)
    losses = -np.log(proba[np.arange(len(codes)), codes])
    assert model.history_["val_loss"][-1] == pytest.approx((losses * weight).mean(), rel=1e-4)
    accuracy = (proba.argmax(axis=1) == codes).mean()
    assert model.history_["val_accuracy"][-1] == pytest.approx(accuracy, rel=1e-4)


def test_networks_are_traced_once_for_all_batches(monkeypatch):
    """A trace costs what many steps do; Keras' predict traces anew for new lengths."""
    import pickle

    from skgenre.classifiers import _fitted_network as _network
    from skgenre.classifiers import _training as _keras

    # 54 segments to train on and 18 to validate: the last of the calls are shorter.
    monkeypatch.setattr(_keras, "_BATCHES_PER_CALL", 3)
    monkeypatch.setattr(_network, "_PREDICT_SEGMENTS", 8)
    X, y = make_tracks()
    model = mlp(activation=counted, batch_size=7, epochs=3, validation_fraction=0.25)
    calls.clear()
    model.fit(X, y)
    in_fit = len(calls)
    calls.clear()
    model.network_.build()
    assert in_fit == len(calls) + 2  # besides building: training and validation
    for network in (model.network_, pickle.loads(pickle.dumps(model.network_))):
        keras_model = network.model
        calls.clear()
        for n in (1, 2, 10):
            segments = np.resize(X, (n, *model.segment_shape_)).astype(np.float32)
            assert network.predict_proba(segments).shape == (n, 3)
        assert len(calls) == 1
        expected = keras_model.predict(segments, verbose=0)
        np.testing.assert_allclose(network.predict_proba(segments), expected, rtol=1e-5)


def test_weights_that_are_changed_count():
    X, y = make_tracks()
    model = mlp(epochs=1).fit(X, y)
    before = model.predict_proba(X)
    layers = model.network_.model
    np.testing.assert_allclose(model.predict_proba(X), before, rtol=1e-5)
    layers.set_weights([np.zeros_like(w) for w in layers.get_weights()])
    np.testing.assert_allclose(model.predict_proba(X), 1 / 3, rtol=1e-5)


calls = []


def counted(x):
    calls.append(x)
    return x


@pytest.fixture
def trained_on(monkeypatch):
    """Return references to (trainer, network) of each fit; there are no workbenches before."""
    from skgenre.classifiers import _fitted_network as _network
    from skgenre.classifiers import _trainer_cache as _workbench
    from skgenre.classifiers import _training as _keras

    def spy(*args):
        bench = take(*args)
        pairs.append((weakref.ref(bench.trainer), weakref.ref(bench.network)))
        return bench

    pairs, take = [], _keras.take
    monkeypatch.setattr(_keras, "take", spy)
    _workbench._kept.clear()
    _network._forwards.clear()
    yield pairs
    _workbench._kept.clear()


def n_graphs():
    from tensorflow.python.framework.func_graph import FuncGraph

    gc.collect()
    return sum(issubclass(type(x), FuncGraph) for x in gc.get_objects())


def test_a_fit_keeps_its_traces_and_neither_data_nor_network(trained_on):
    """TensorFlow can keep the graphs of all fits, with all of their variables."""
    from skgenre.classifiers import _fitted_network as _network
    from skgenre.classifiers import _trainer_cache as _workbench

    X, y = make_tracks()
    before = n_graphs()
    model = mlp(epochs=2, validation_fraction=0.25).fit(X, y)
    ((trainer, network),) = trained_on
    assert trainer().training is trainer().held_out is None
    assert model.network_.model is not network()
    assert n_graphs() > before
    _workbench._kept.clear()
    assert n_graphs() == before
    assert network() is trainer() is None
    model.predict(X)
    assert n_graphs() > before
    _network._forwards.clear()
    del model
    assert n_graphs() == before


def test_a_network_that_is_not_shared_leaves_nothing_behind(trained_on, monkeypatch):
    from skgenre.classifiers import _shelf

    monkeypatch.setattr(_shelf, "ROOM", 0)
    X, y = make_tracks()
    before = n_graphs()
    gc.disable()
    try:
        model = mlp(epochs=2, validation_fraction=0.25).fit(X, y)
        ((trainer, network),) = trained_on
        assert trainer().training is None
        sizes = [variable.numpy().size for variable in trainer().optimizer.variables]
        assert sizes == [0] * 10  # steps, rate and two moments of two layers' weights
    finally:
        gc.enable()
    assert n_graphs() == before
    assert trainer() is None
    assert network() is model.network_.model
    model.predict(X)
    del model
    assert n_graphs() == before
    assert network() is None


def test_large_networks_do_not_wait_for_the_collector(trained_on, monkeypatch):
    """It goes by the number of objects: a network of 500 MB is no more than one of 1 MB."""
    from skgenre.classifiers import _shelf
    from skgenre.classifiers import _tf as _tensorflow

    monkeypatch.setattr(_shelf, "ROOM", 0)
    X, y = make_tracks()
    gc.disable()
    try:
        n_bytes = 4 * mlp(epochs=1).fit(X, y).network_.model.count_params()
        monkeypatch.setattr(_tensorflow, "_GARBAGE_LIMIT", 1.5 * n_bytes)
        monkeypatch.setattr(_tensorflow, "_garbage", 0)
        mlp(epochs=1).fit(X, y)
        assert all(trainer() for trainer, _ in trained_on)
        mlp(epochs=1).fit(X, y)
        assert not any(trainer() for trainer, _ in trained_on)
    finally:
        gc.enable()


def test_a_failing_import_shows_what_was_held_back(capfd):
    import os

    from skgenre.classifiers._tf import stderr_held_back

    def held_back(error):
        with stderr_held_back():
            os.write(2, b"why it failed")
            raise error

    with pytest.raises(ImportError, match="broken"):
        held_back(ImportError("broken"))
    assert "why it failed" in capfd.readouterr().err


def test_pickle_holds_no_optimizer():
    import pickle

    X, y = make_tracks()
    model = mlp().fit(X, y)
    weights = sum(w.nbytes for w in model.network_.model.get_weights())
    assert len(pickle.dumps(model.network_)) < weights + 2000


def test_callbacks_see_a_working_estimator_at_each_epoch():
    from sklearn.callback import FitCallback

    X, y = make_tracks()
    scores = []

    class Watch:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "epoch":
                scores.append(fitted_estimator.score(X, y))
                return len(scores) == 4
            return None

    assert isinstance(Watch(), FitCallback)
    model = clone(mlp()).set_callbacks(Watch()).fit(X, y)
    assert len(scores) == 4  # the fourth answer stopped the training
    assert model.n_iter_ == 4
    assert scores[-1] == model.score(X, y)
    assert scores[0] != scores[-1]


def test_advice_on_retracing_is_held_back_in_fit_only():
    """TensorFlow takes the networks of a cross-validation for one traced over and over."""
    from skgenre.classifiers._tf import new_network_expected

    logger, seen = logging.getLogger("tensorflow"), []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    logger.addHandler(handler)
    try:
        with new_network_expected():
            logger.warning("5 out of the last 5 calls triggered tf.function retracing")
            logger.warning("something else")
        logger.warning("this triggered tf.function retracing elsewhere")
    finally:
        logger.removeHandler(handler)
    assert seen == ["something else", "this triggered tf.function retracing elsewhere"]


def test_column_names_are_kept_and_checked():
    import pandas as pd

    X, y = make_tracks()
    table = pd.DataFrame(X[:, 0, 0], columns=["a", "b", "c", "d"])
    model = mlp(epochs=2).fit(table, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[["b", "a", "c", "d"]])


def test_threads_share_an_unpickled_model():
    """A web service predicts from several threads."""
    import pickle
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    X, y = make_tracks()
    model = mlp().fit(X, y)
    expected = model.predict_proba(X)
    barrier = Barrier(6)

    def predict(twin):
        barrier.wait()
        return twin.predict_proba(X)

    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):
            twin = pickle.loads(pickle.dumps(model))
            for proba in pool.map(predict, [twin] * 6):
                np.testing.assert_allclose(proba, expected, rtol=1e-6, atol=1e-7)


def test_threads_can_fit_first():
    run(
        "import numpy as np\n"
        "from joblib import Parallel, delayed\n"
        "from skgenre import MLPGenreClassifier\n"
        "X = np.random.default_rng(0).normal(size=(12, 2, 5, 3))\n"
        "y = np.repeat(['a', 'b'], 6)\n"
        "fit = MLPGenreClassifier(units=(4,), epochs=1, random_state=0).fit\n"
        "Parallel(4, prefer='threads')(delayed(fit)(X, y) for _ in range(4))\n"
    )


def test_without_standard_error():
    run(
        "import os, sys\n"
        "os.close(2)\n"
        "sys.stderr = None\n"
        "import numpy as np\n"
        "from skgenre import MLPGenreClassifier\n"
        "X = np.random.default_rng(0).normal(size=(12, 2, 5, 3))\n"
        "MLPGenreClassifier(units=(4,), epochs=1).fit(X, np.repeat(['a', 'b'], 6))\n"
    )
