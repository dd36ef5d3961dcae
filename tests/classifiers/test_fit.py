"""Traps of Keras and TensorFlow that must not come back."""

from __future__ import annotations

import gc
import logging
import os
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


FIT = """
import numpy as np
from skgenre import MLPGenreClassifier
X = np.random.default_rng(0).normal(size=(12, 2, 5, 3))
y = np.repeat(['a', 'b'], 6)
model = MLPGenreClassifier(units=(4,), epochs=2, random_state=0).fit(X, y)
"""


def run(script, check=True, path=None, **environment):
    paths = [str(path)] if path else []
    environment["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert not check or done.returncode == 0, done.stderr
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


def test_first_fits_in_a_process_are_silent_and_change_no_global_state():
    """Importing TensorFlow prints to stderr and moves Python's random state.

    Threads fit first; then a network fits with the determinism that the user wants.
    """
    done = run(
        "import os, random\n"
        "import numpy as np\n"
        "from joblib import Parallel, delayed\n"
        "from skgenre import CNNGenreClassifier, MLPGenreClassifier\n"
        "X = np.random.default_rng(0).normal(size=(12, 2, 5, 3))\n"
        "y = np.repeat(['a', 'b'], 6)\n"
        "models = [MLPGenreClassifier(units=(4,), epochs=1, random_state=0) for _ in range(3)]\n"
        "models.append(CNNGenreClassifier(epochs=1))\n"
        "def state():\n"
        "    return random.getstate(), np.random.get_state()[1].tolist(), dict(os.environ)\n"
        "before = state()\n"
        "fits = [delayed(lambda model: model.fit(X, y).predict(X))(model) for model in models]\n"
        "Parallel(4, prefer='threads')(fits)\n"
        "after = state()\n"
        "assert before[0] == after[0], 'random'\n"
        "assert before[1] == after[1], 'numpy'\n"
        "assert {k: v for k, v in after[2].items() if before[2].get(k) != v} == {}, 'environ'\n"
        "import tensorflow as tf\n"
        "from tensorflow.python.framework import config\n"
        "assert not config.is_op_determinism_enabled()\n"
        "tf.keras.utils.set_random_seed(0)\n"
        "tf.config.experimental.enable_op_determinism()\n"
        "MLPGenreClassifier(units=(4,), epochs=1).fit(X, y).predict(X)\n"
        "assert config.is_op_determinism_enabled()\n"
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


@pytest.mark.parametrize("limits", [(1, 16_000_000), (7, 16_000_000), (32, 500)])
def test_mini_batches_a_call_leave_results_equal(monkeypatch, limits):
    from skgenre.classifiers import _training

    X, y = make_tracks()
    model = mlp(batch_size=4, epochs=3, validation_fraction=0.25)
    expected = model.fit(X, y).predict_proba(X), model.history_
    monkeypatch.setattr(_training, "_BATCHES_PER_CALL", limits[0])
    monkeypatch.setattr(_training, "_BYTES_PER_CALL", limits[1])
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected[0])
    for name, values in expected[1].items():
        np.testing.assert_allclose(model.history_[name], values, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "params", "rate"),
    [
        ("adam", {"weight_decay": 0.01, "clipnorm": 0.1, "beta_1": 0.8}, (0.1, 0.01)),
        ("adam", {"amsgrad": True, "beta_2": 0.3}, 0.05),
        ("adamw", {"use_ema": True, "ema_momentum": 0.5, "global_clipnorm": 1.0}, 0.05),
        ("adamw", {"gradient_accumulation_steps": 2}, 0.05),
        ("sgd", {"momentum": 0.9, "clipvalue": 0.1}, 0.1),
        ("nadam", {}, 0.02),
    ],
)
def test_training_is_that_of_keras(name, params, rate):
    """With all segments in one batch, whose order does not matter."""
    import keras

    X, y = make_tracks()
    segments, codes = X.reshape(-1, 6, 4), np.repeat(np.unique(y, return_inverse=True)[1], 3)
    ours = mlp(optimizer=name, optimizer_params=params, learning_rate=rate, batch_size=72, epochs=6)
    ours.set_params(dropout=0.0, l2=0.01).fit(X, y)
    theirs = mlp(learning_rate=1e-30, optimizer="sgd", batch_size=72, epochs=1, dropout=0.0)
    theirs = theirs.set_params(l2=0.01).fit(X, y).network_.model  # with the initial weights
    if isinstance(rate, tuple):
        rate = keras.optimizers.schedules.PolynomialDecay(rate[0], 6, rate[1])
    kind = type(keras.optimizers.get(name))
    theirs.compile(kind(learning_rate=rate, **params), "sparse_categorical_crossentropy")
    history = theirs.fit(segments, codes, batch_size=72, epochs=6, shuffle=False, verbose=0)
    np.testing.assert_allclose(ours.history_["loss"], history.history["loss"], rtol=1e-4)
    for one, other in zip(ours.network_.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_one_device_of_a_strategy_gives_the_same():
    import tensorflow as tf

    X, y = make_tracks()
    model = mlp(epochs=2, validation_fraction=0.25)
    expected = model.fit(X, y).predict_proba(X)
    for strategy in (
        tf.distribute.OneDeviceStrategy("CPU:0"),
        tf.distribute.MirroredStrategy(["/CPU:0"]),
    ):
        with strategy.scope():
            proba = model.fit(X, y).predict_proba(X)
        np.testing.assert_allclose(proba, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_strategy_of_several_devices_is_refused_by_name():
    start = (
        "import tensorflow as tf\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()]"
        " * 2)\n"
        "strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])\n"
        "strategy.scope().__enter__()\n"
    )
    done = run(start + FIT, check=False)
    expected = "MLPGenreClassifier.fit was called in the scope of MirroredStrategy with 2 devices"
    assert f"RuntimeError: {expected}" in done.stderr


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_another_backend_is_refused_by_name(backend):
    message = f"RuntimeError: Keras is set to the backend '{backend}'"
    build = "from skgenre.networks import build_mlp\nbuild_mlp((4, 3), 2)"
    script = FIT if backend == "numpy" else build
    assert message in run(script, check=False, KERAS_BACKEND=backend).stderr


def test_a_backend_from_the_configuration_file_is_refused_by_name(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "numpy"}')
    done = run(FIT, check=False, KERAS_HOME=str(tmp_path))
    assert "RuntimeError: Keras is set to the backend" in done.stderr


FORK = """
import os, signal
if child := os.fork():
    os.waitpid(child, 0)
    os._exit(0)
signal.alarm(60)  # ends a child that hangs
for call in calls:
    try:
        print(type(call()).__name__, flush=True)
    except RuntimeError as error:
        print(error, flush=True)
os._exit(0)
"""
TRACKS = """
from skgenre import GenreClassifier, make_genres
music = make_genres(3, genres=2, duration=1.0, random_state=0)
recommended = GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
calls = [
    lambda: recommended.predict(music.data), lambda: recommended.fit(music.data, music.target)
]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_networks_are_refused_after_a_fork_if_tensorflow_was_used():
    """Its threads are missing there: it would hang."""
    uses = (
        "import pickle\n"
        "loaded = pickle.loads(pickle.dumps(model))\n"
        "calls += [lambda: model.predict(X), lambda: loaded.predict(X), lambda: model.fit(X, y)]\n"
    )
    answers = run(TRACKS + FIT + uses + FORK).stdout.splitlines()
    assert answers[:2] == ["ndarray", "GenreClassifier"]
    assert len(answers) == 5
    assert all("was forked" in line and '"spawn"' in line for line in answers[2:])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_networks_work_after_a_fork_if_tensorflow_was_only_imported():
    script = (
        "import tensorflow\n"
        "from skgenre.networks import build_mlp\n"
        "calls = [lambda: build_mlp((4, 3), 2)]\n"
    )
    assert run(script + FORK).stdout == "Sequential\n"


def test_networks_are_traced_once_for_all_batches():
    """A trace costs what many steps do; Keras' predict traces again for new lengths."""
    import pickle

    X, y = make_tracks()
    model = mlp(activation=counted, batch_size=1, epochs=3, validation_fraction=0.25)
    calls.clear()
    model.fit(X, y)  # 54 mini-batches, more than one call trains on
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


def unshared_relu(x):
    """Keep a fit from sharing a trainer, as each function of the user does."""
    import keras

    return keras.ops.relu(x)


calls = []


def counted(x):
    calls.append(x)
    return x


def n_graphs():
    from tensorflow.python.framework.func_graph import FuncGraph

    gc.collect()
    return sum(issubclass(type(x), FuncGraph) for x in gc.get_objects())


@pytest.mark.slow
def test_a_fit_keeps_no_data_and_few_graphs():
    """TensorFlow can keep the graphs of all fits, with all of their variables."""
    X, y = make_tracks()
    counts = []
    for units in range(3, 13):
        data = X.copy()
        kept = weakref.ref(data)
        mlp(units=(units,), epochs=1, validation_fraction=0.25).fit(data, y).predict(data)
        del data
        counts.append(n_graphs())
        assert kept() is None
    assert counts[0] < counts[3]  # traces are kept for the next fit,
    assert counts[-1] == counts[-2] == counts[-3]  # but not those of all fits


@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
def test_a_network_that_is_not_shared_leaves_nothing_behind(optimizer):
    X, y = make_tracks()
    model = mlp(activation=unshared_relu, optimizer=optimizer, epochs=2, validation_fraction=0.25)
    before = n_graphs()
    model.fit(X, y)
    assert n_graphs() == before
    network = weakref.ref(model.network_.model)
    model.predict(X)
    del model
    assert n_graphs() == before
    assert network() is None


@pytest.mark.slow
def test_large_networks_do_not_wait_for_the_collector():
    """It goes by the number of objects: a network of 500 MB is no more than one of 1 MB."""
    X, y = make_tracks()
    gc.collect()
    gc.disable()
    try:
        models = []
        for _ in range(6):  # of 24 MB each
            model = mlp(units=(2400, 2400), epochs=1, optimizer="sgd").fit(X, y)
            models.append(weakref.ref(model.network_.model))
            del model
        assert sum(model() is not None for model in models) <= 4
    finally:
        gc.enable()


def test_a_failing_import_shows_what_was_held_back(tmp_path):
    (tmp_path / "keras.py").write_text(
        "import os\nos.write(2, b'why it failed')\nraise ImportError('broken')"
    )
    done = run(FIT, check=False, path=tmp_path)
    assert "why it failed" in done.stderr
    assert "ImportError: broken" in done.stderr


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
    logger, seen = logging.getLogger("tensorflow"), []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    logger.addHandler(handler)
    try:
        for _ in range(6):
            mlp(activation=unshared_relu, epochs=1).fit(*make_tracks())
        logger.warning("this triggered tf.function retracing elsewhere")
    finally:
        logger.removeHandler(handler)
    assert seen == ["this triggered tf.function retracing elsewhere"]


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


@pytest.mark.slow
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
