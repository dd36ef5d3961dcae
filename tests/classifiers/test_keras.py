"""Traps of scikeras, Keras and TensorFlow that must not come back."""

from __future__ import annotations

import logging
import subprocess
import sys

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
    from skgenre.classifiers._keras import _shuffled_batches

    X = np.arange(50, dtype=np.float32)[:, np.newaxis]
    batches = _shuffled_batches(X, np.arange(50), None, 8, 7, seed=3)
    epochs = [np.concatenate([y.numpy() for _, y in batches]) for _ in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(50))
    assert epochs[0].tolist() != list(range(50))
    assert epochs[0].tolist() != epochs[1].tolist() != epochs[2].tolist()
    again = _shuffled_batches(X, np.arange(50), None, 8, 7, seed=3)
    np.testing.assert_array_equal(np.concatenate([y.numpy() for _, y in again]), epochs[0])


def test_several_steps_an_execution_leave_results_equal(monkeypatch):
    from skgenre.classifiers import _keras

    X, y = make_tracks()
    results = []
    for steps in (1, 8):
        monkeypatch.setattr(_keras, "_STEPS_PER_EXECUTION", steps)
        results.append(mlp(batch_size=4, epochs=3).fit(X, y).predict_proba(X))
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-7)


def test_a_failing_import_shows_what_was_held_back(capfd):
    import os

    from skgenre.classifiers._tensorflow import stderr_held_back

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
    from skgenre.classifiers._tensorflow import new_network_expected

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
