"""Keras' global settings change no result of ours."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from _checks import seeded, tracks_for
from _estimators import small_classifiers

NETWORKS = [c for c in small_classifiers() if hasattr(c, "activation")]


@pytest.fixture(params=["channels_first", "mixed_float16", "mixed_bfloat16", "float64", "epsilon"])
def setting(request):
    import keras

    config = keras.config
    change = {
        "channels_first": config.set_image_data_format,
        "float64": config.set_floatx,
        "epsilon": lambda value: config.set_epsilon(1e-3),
    }.get(request.param, config.set_dtype_policy)
    change(request.param)
    yield request.param
    config.set_image_data_format("channels_last")
    config.set_floatx("float32")
    config.set_epsilon(1e-7)
    config.set_dtype_policy("float32")


@pytest.fixture
def eager():
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize("classifier", NETWORKS, ids=lambda c: type(c).__name__)
def test_setting_changes_no_result(classifier, setting):
    X, y = tracks_for(classifier)
    under = seeded(classifier).set_params(epochs=2).fit(X, y)
    proba = under.predict_proba(X)
    assert proba.dtype == np.float32
    assert {v.dtype for v in under.network_.model.weights} == {"float32"}
    loaded = pickle.loads(pickle.dumps(under))
    import keras

    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(loaded.predict_proba(X), proba)
    default = seeded(classifier).set_params(epochs=2).fit(X, y)
    np.testing.assert_array_equal(default.predict_proba(X), proba)


@pytest.mark.parametrize("classifier", NETWORKS, ids=lambda c: type(c).__name__)
def test_functions_that_run_eagerly_give_the_same(classifier, eager):
    import tensorflow as tf

    X, y = tracks_for(classifier)
    few = seeded(classifier).set_params(epochs=1, validation_fraction=0.25).fit(X, y)
    proba = few.predict_proba(X)
    tf.config.run_functions_eagerly(False)
    expected = seeded(few).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba, expected, rtol=1e-4, atol=1e-5)
