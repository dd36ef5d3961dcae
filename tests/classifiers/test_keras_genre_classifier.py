"""KerasGenreClassifier: a function of the user's becomes a classifier of tracks."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from _checks import make_tracks
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skgenre import FrameScaler, KerasGenreClassifier

X, Y = make_tracks()
SEEN = []


def build(meta, units=8, rate=0.0):
    import keras

    SEEN.append(meta)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(meta["segment_shape_"]),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dropout(rate),
            layers.BatchNormalization(momentum=0.5),
            layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def compiled(meta, compile_kwargs):
    model = build(meta)
    model.compile(optimizer=compile_kwargs["optimizer"], loss="categorical_crossentropy")
    return model


def subclassed(meta):
    import keras

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat = keras.layers.Flatten()
            self.last = keras.layers.Dense(meta["n_classes_"], activation="softmax")

        def call(self, x):
            return self.last(self.flat(x))

    return Own()


def ends_with(last, **params):
    import keras

    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(last, **params)])


def without_softmax(meta):
    return ends_with(meta["n_classes_"])


def one_output(meta):
    return ends_with(1)


def no_model(meta):
    return [1]


def needs_units(units):
    return ends_with(units)


def own_step(meta):
    import keras

    class Own(keras.Sequential):
        def train_step(self, data):
            return {}

    return Own([keras.layers.Dense(3)])


def keras_classifier(model=build, **params):
    defaults = {"optimizer__learning_rate": 0.02, "fit__epochs": 6, "random_state": 0}
    return KerasGenreClassifier(model, **{**defaults, **params})


@pytest.mark.parametrize("function", [build, compiled, subclassed])
def test_any_builder_learns(function):
    model = keras_classifier(function, fit__epochs=15, validation_fraction=0.25).fit(X, Y)
    assert model.score(X, Y) > 0.8
    assert set(model.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(twin.predict_proba(X), model.predict_proba(X), rtol=1e-5, atol=1e-6)


def test_parameters_reach_model_optimizer_and_fit():
    model = keras_classifier(model__units=5, fit__batch_size=7, fit__epochs=np.int64(2)).fit(X, Y)
    assert model.n_iter_ == 2
    assert model.network_.model.layers[1].units == 5
    assert float(model.network_.model.optimizer.learning_rate) == pytest.approx(0.02)
    assert int(model.network_.model.optimizer.iterations) == 2 * np.ceil(24 * 3 / 7)


def test_meta_says_what_fit_knows():
    keras_classifier(fit__epochs=1).fit(X, Y)
    meta = SEEN[-1]
    assert meta["segment_shape_"] == (6, 4)
    assert meta["X_shape_"][1:] == (6, 4)
    assert (meta["n_features_in_"], meta["n_classes_"]) == (4, 3)
    assert meta["classes_"].tolist() == ["blues", "jazz", "rock"]
    assert meta["target_type_"] == "multiclass"


def test_grid_search_reaches_into_it():
    pipeline = Pipeline([("scaler", FrameScaler()), ("classifier", keras_classifier())])
    units, rate = "classifier__model__units", "classifier__optimizer__learning_rate"
    grid = [{units: [2], rate: [np.float32(1e-5)]}, {units: [8], rate: [0.02]}]
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, Y)
    assert search.best_params_ == {units: 8, rate: 0.02}
    assert len({*search.cv_results_["mean_test_score"]}) > 1


def test_clone_repr_and_parameters():
    model = keras_classifier(model__units=32)
    assert clone(model).get_params() == model.get_params()
    assert copy.deepcopy(model).get_params() == model.get_params()
    assert "model__units=32" in repr(model)
    assert "model__units" in model._repr_html_()
    assert model.set_params(model__rate=0.5, epochs=3).get_params()["model__rate"] == 0.5
    with pytest.raises(ValueError, match="Invalid parameter 'module'"):
        model.set_params(module__units=3)
    with pytest.raises(ValueError, match="no parameter 'model__'"):
        model.set_params(model__=3)
    with pytest.raises(TypeError, match=r"no parameter 'units'.*as model__units"):
        KerasGenreClassifier(build, units=3)


def test_arguments_that_a_compiled_model_ignores_are_refused():
    def compiles_itself(meta):
        model = build(meta)
        model.compile("sgd", "categorical_crossentropy")
        return model

    KerasGenreClassifier(compiles_itself, epochs=1).fit(X, Y)
    model = KerasGenreClassifier(compiles_itself, epochs=1, optimizer__learning_rate=0.1)
    with pytest.raises(ValueError, match="optimizer__learning_rate has no effect"):
        model.fit(X, Y)
    KerasGenreClassifier(compiled, epochs=1, optimizer__learning_rate=0.1).fit(X, Y)


def test_same_seed_gives_the_same_although_layers_have_none():
    model = keras_classifier(model__rate=0.3, fit__epochs=2)
    first, again = (clone(model).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = clone(model).set_params(random_state=1).fit(X, Y).predict_proba(X)
    assert np.abs(first - other).max() > 1e-4


def test_keras_callbacks_run():
    import keras

    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))
    keras_classifier(fit__callbacks=[callback], fit__epochs=2).fit(X, Y)
    assert [sorted(logs) for logs in seen] == [["accuracy", "loss"]] * 2
    assert callback.model is None  # which would go into each pickle of the classifier


@pytest.mark.parametrize("loss", ["CategoricalCrossentropy", "categorical_crossentropy"])
def test_arguments_of_a_loss_reach_it(loss):
    plain, smoothed = (
        keras_classifier(loss=loss, fit__epochs=1, loss__label_smoothing=share).fit(X, Y)
        for share in (0.0, 0.9)
    )
    assert np.abs(plain.predict_proba(X) - smoothed.predict_proba(X)).max() > 1e-4


def test_a_function_that_returns_one_model_twice_is_refused():
    models = []

    def same(meta):
        models.append(models[0] if models else build(meta))
        return models[0]

    first = keras_classifier(same, fit__epochs=1).fit(X, Y)
    before = first.predict_proba(X)
    with pytest.raises(ValueError, match="returned the same model as before"):
        keras_classifier(same, fit__epochs=1).fit(X, Y)
    np.testing.assert_array_equal(first.predict_proba(X), before)


def test_settings_of_fit_hold_for_the_unpickled_model():
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = keras_classifier(fit__epochs=2).fit(X, Y)
        proba = model.predict_proba(X)
    finally:
        keras.config.set_dtype_policy("float32")
    assert proba.dtype == np.float32
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(twin.predict_proba(X), proba, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "params", "error", "message"),
    [
        (None, {}, TypeError, "model=None is not callable; give a function"),
        (no_model, {}, TypeError, "model=no_model returned list, but a keras.Model was expected"),
        (one_output, {}, ValueError, r"output of shape \(2, 1\).*\(2, 3\) was expected"),
        (without_softmax, {}, ValueError, 'is no distribution.*activation="softmax"'),
        (own_step, {}, TypeError, "train_step of its own"),
        (
            needs_units,
            {},
            TypeError,
            "a required argument: 'units'.*takes are: model__units",
        ),
        (
            build,
            {"model__unit": 3},
            TypeError,
            "argument 'unit'.*are: model__units, model__rate",
        ),
        (build, {"model__meta": {}}, ValueError, "model__meta is given by fit"),
        (build, {"optimizer": object()}, TypeError, "is not a name, but each fit needs a new opt"),
        (build, {"optimizer__lr": 0.1}, ValueError, "cannot be made with .*optimizer__lr=0.1"),
        (build, {"optimizer__learning_rate": -1}, ValueError, "=-1 is not a number above 0"),
        (build, {"loss": "loss"}, ValueError, "loss='loss' is not one of the losses of Keras"),
        (build, {"fit__callbacks": [3]}, TypeError, "holds 3 of type int; give instances"),
        (build, {"fit__shuffle": True}, ValueError, "fit__shuffle is not an argument"),
        (build, {"fit__epochs": 0}, ValueError, "'fit__epochs' parameter"),
        (build, {"optimizer": "downhill"}, ValueError, "optimizer='downhill' is not one"),
    ],
)
def test_errors_say_what_to_do(model, params, error, message):
    with pytest.raises(error, match=message):
        keras_classifier(model, **params).fit(X, Y)


def test_a_model_instead_of_a_function_is_refused():
    with pytest.raises(TypeError, match="but a function that builds a model was expected"):
        keras_classifier(without_softmax({"n_classes_": 3})).fit(X, Y)
