"""Our own checks of estimators with n-D input, in the manner of scikit-learn's.

Each check takes an unfitted classifier. scikit-learn's checks know tables only; these hold
the classifiers to the same promises on (n_tracks, n_segments, n_frames, n_features), and
those of images on (n_tracks, n_segments, height, width, channels). Checks that only look at
a fitted classifier share one, since a fit takes a second.
"""

from __future__ import annotations

import copy
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags

N_TRACKS, N_SEGMENTS, N_FRAMES, N_FEATURES = 24, 3, 6, 4


def make_tracks(labels=("blues", "jazz", "rock"), n_segments=N_SEGMENTS, seed=0):
    """Return class-sorted features that a small network learns within a few epochs."""
    rng = np.random.default_rng(seed)
    y = np.repeat(labels, N_TRACKS // len(labels))
    X = rng.normal(size=(len(y), n_segments, N_FRAMES, N_FEATURES))
    X += 2.0 * np.repeat(np.arange(len(labels)), N_TRACKS // len(labels))[:, None, None, None]
    return ((X - X.mean()) / X.std()).astype(np.float32), y


def takes_images(classifier):
    return type(classifier).__name__ in ("ImageCNNGenreClassifier", "TransferGenreClassifier")


def takes_crops(classifier):
    return type(classifier).__name__ == "LogMelCNNGenreClassifier"


def tracks_for(classifier, **kwargs):
    """Return the tracks of ``make_tracks`` in the shape that a classifier takes."""
    X, y = make_tracks(**kwargs)
    return X[..., np.newaxis] if takes_images(classifier) else X, y


def seeded(classifier, seed=0):
    """Return an unfitted copy with a seed, in a meta-estimator's classifier too."""
    names = [name for name in classifier.get_params() if name.endswith("random_state")]
    return clone(classifier).set_params(**dict.fromkeys(names, seed))


_fitted = {}


def fitted(classifier):
    """Return the seeded classifier after a fit, the same one for each check that only looks."""
    key = repr(classifier)
    if key not in _fitted:
        _fitted[key] = seeded(classifier).fit(*tracks_for(classifier))
    return _fitted[key]


def check_clone_keeps_every_parameter(classifier):
    params = classifier.get_params(deep=False)
    cloned = clone(classifier).get_params(deep=False)
    assert cloned.keys() == params.keys()
    for name, value in params.items():
        if not hasattr(value, "get_params"):
            assert cloned[name] == value, name


def check_fit_changes_no_input_and_no_parameter_and_writes_no_file(
    classifier, tmp_path, monkeypatch
):
    X, y = tracks_for(classifier)
    weight = np.linspace(0.5, 1.5, len(y))
    model = seeded(classifier)
    before = copy.deepcopy((X, y, weight)), copy.deepcopy(model.get_params())
    monkeypatch.chdir(tmp_path)
    model.fit(X, y, sample_weight=weight).predict(X)
    for array, kept in zip((X, y, weight), before[0], strict=True):
        np.testing.assert_array_equal(array, kept)
    assert repr(model.get_params()) == repr(before[1])
    assert list(tmp_path.iterdir()) == []


def check_fit_changes_no_global_state(classifier):
    import tensorflow as tf
    from tensorflow.python.eager import context
    from tensorflow.python.framework import config

    X, y = tracks_for(classifier)
    for model in (seeded(classifier), seeded(classifier, None)):
        environment = dict(os.environ)
        python_state = random.getstate()
        numpy_state = np.random.get_state()  # noqa: NPY002 - the global state is the subject
        tf.random.set_seed(7)
        # A fit without a seed after one with a seed works too.
        assert model.fit(X, y).predict_proba(X).shape == (len(y), 3)
        assert random.getstate() == python_state
        after = np.random.get_state()  # noqa: NPY002 - the same
        assert after[0] == numpy_state[0]
        np.testing.assert_array_equal(after[1], numpy_state[1])
        assert after[2:] == numpy_state[2:]
        assert not config.is_op_determinism_enabled()
        assert context.global_seed() == 7
        assert dict(os.environ) == environment
    context.context()._set_global_seed(None)


def check_refit_equals_fresh_fit(classifier):
    X, y = tracks_for(classifier)
    other, other_y = tracks_for(classifier, labels=("metal", "pop"), seed=1)
    refitted = seeded(classifier).fit(other, other_y).fit(X, y)
    fresh = fitted(classifier)
    np.testing.assert_array_equal(refitted.classes_, fresh.classes_)
    np.testing.assert_allclose(
        refitted.predict_proba(X), fresh.predict_proba(X), rtol=1e-5, atol=1e-6
    )


def check_seed_decides(classifier):
    X, y = tracks_for(classifier)
    first = fitted(classifier).predict_proba(X)
    again = seeded(classifier).fit(X, y).predict_proba(X)
    other = seeded(classifier, 1).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(first, again, rtol=1e-5, atol=1e-6)
    assert np.abs(first - other).max() > 1e-4


def check_learns(classifier):
    unseen, unseen_y = tracks_for(classifier, seed=5)
    assert fitted(classifier).score(unseen, unseen_y) > 0.8


def check_labels_come_back_as_given(classifier):
    X, y = tracks_for(classifier)
    model = fitted(classifier)
    assert model.classes_.tolist() == ["blues", "jazz", "rock"]
    assert model.classes_.dtype.kind == "U"
    assert set(model.predict(X)) <= set(y)
    X, y = tracks_for(classifier, labels=(3, 7))
    predicted = seeded(classifier).fit(X, y).predict(X)
    assert predicted.dtype.kind == "i"
    assert set(predicted) <= {3, 7}


def check_encoded_labels_change_nothing(classifier):
    """Some functions of scikit-learn encode the labels before fit."""
    X, y = tracks_for(classifier)
    encoded = seeded(classifier).fit(X, np.unique(y, return_inverse=True)[1])
    np.testing.assert_allclose(
        encoded.predict_proba(X), fitted(classifier).predict_proba(X), rtol=1e-5, atol=1e-6
    )


def check_shapes_and_probabilities(classifier):
    X, y = tracks_for(classifier)
    model = fitted(classifier)
    by_segment, by_track = model.predict_segment_proba(X), model.predict_proba(X)
    assert by_segment.shape == (len(y), N_SEGMENTS, 3)
    assert by_track.shape == (len(y), 3)
    assert by_segment.dtype == by_track.dtype == np.float32
    np.testing.assert_allclose(by_segment.sum(axis=2), 1, rtol=1e-5)
    np.testing.assert_allclose(by_track.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X), model.classes_[by_track.argmax(axis=1)])


def check_n_features_is_the_last_axis(classifier):
    X, _ = tracks_for(classifier)
    assert fitted(classifier).n_features_in_ == X.shape[-1]


def check_order_of_segments_does_not_matter(classifier):
    X, _ = tracks_for(classifier)
    model = fitted(classifier)
    np.testing.assert_allclose(
        model.predict_proba(X[:, ::-1]), model.predict_proba(X), rtol=1e-5, atol=1e-6
    )


def check_number_of_segments_may_differ(classifier):
    X, y = tracks_for(classifier)
    model = fitted(classifier)
    more, _ = tracks_for(classifier, n_segments=7)
    assert model.predict_segment_proba(more).shape == (len(y), 7, 3)
    one = model.predict_proba(X[:, 0])  # 3-D: one segment a track
    np.testing.assert_allclose(one, model.predict_proba(X[:, :1]), rtol=1e-5, atol=1e-6)


def check_wrong_number_of_features_names_both(classifier):
    X, _ = tracks_for(classifier)
    model = fitted(classifier)
    wrong = np.concatenate([X] * 3, axis=-1)[..., :3]
    expected = rf"X has 3 features, but \w+ is expecting {X.shape[-1]} features"
    with pytest.raises(ValueError, match=expected):
        model.predict(wrong)


def check_wrong_number_of_frames_names_both(classifier):
    X, _ = tracks_for(classifier)
    model = fitted(classifier)
    if takes_crops(classifier):  # of tracks of any length
        assert model.predict(X[:, :, :5]).shape == (len(X),)
        return
    both = r"5 frames x 4 features.*6 frames x 4 features"
    if takes_images(classifier):
        both = r"5 x 4 pixels with 1 channel,.*6 x 4 pixels with 1 channel\."
    with pytest.raises(ValueError, match=both):
        model.predict(X[:, :, :5])


def check_too_many_dimensions(classifier):
    X, y = tracks_for(classifier)
    both = r"2 to 4 dimensions.*\(24, 3, 6, 4, 1\)"
    if takes_images(classifier):
        both = r"2 to 5 dimensions.*\(24, 3, 6, 4, 1, 1\)"
    if type(classifier).__name__ == "KerasGenreClassifier":  # takes images too
        X = X[..., np.newaxis]
        both = r"2 to 5 dimensions.*\(24, 3, 6, 4, 1, 1\)"
    with pytest.raises(ValueError, match=both):
        seeded(classifier).fit(X[..., np.newaxis], y)


def check_not_finite_is_refused(classifier):
    X, y = tracks_for(classifier)
    X[3, 1, 2, 0] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        seeded(classifier).fit(X, y)


def check_rows_must_match(classifier):
    X, y = tracks_for(classifier)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[24, 23\]"):
        seeded(classifier).fit(X, y[:-1])


def check_batch_equals_one_by_one(classifier):
    X, _ = tracks_for(classifier)
    model = fitted(classifier)
    one_by_one = np.concatenate([model.predict_segment_proba(X[[i]]) for i in range(len(X))])
    np.testing.assert_allclose(one_by_one, model.predict_segment_proba(X), rtol=1e-4, atol=1e-6)


def check_pickle_and_deepcopy(classifier):
    X, _ = tracks_for(classifier)
    model = fitted(classifier)
    expected = model.predict_proba(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_allclose(twin.predict_proba(X), expected, rtol=1e-6, atol=1e-7)
        # A pickle of the twin, before and after it predicted, holds the weights too.
        again = pickle.loads(pickle.dumps(copy.deepcopy(twin)))
        np.testing.assert_allclose(again.predict_proba(X), expected, rtol=1e-6, atol=1e-7)


def check_zero_weight_is_left_out(classifier):
    X, y = tracks_for(classifier)
    weight = np.ones(len(y))
    weight[::4] = 0
    spoiled = X.copy()
    spoiled[::4] = 100.0
    weighted = seeded(classifier).fit(spoiled, y, sample_weight=weight)
    without = seeded(classifier).fit(X[weight > 0], y[weight > 0], np.ones(int(weight.sum())))
    np.testing.assert_allclose(
        weighted.predict_proba(X), without.predict_proba(X), rtol=1e-5, atol=1e-6
    )


def check_class_sorted_target(classifier):
    """Every class is learnt although y is sorted (an unshuffled tail would hold one class)."""
    X, _ = tracks_for(classifier)
    model = fitted(classifier)
    assert (np.unique(model.predict(X)) == model.classes_).all()


def check_is_classifier(classifier):
    assert is_classifier(classifier)
    tags = get_tags(classifier)
    assert tags.classifier_tags.multi_class
    assert tags.input_tags.two_d_array
    assert tags.target_tags.required


def predict_in_another_process(classifiers, folder):
    """Return the probabilities that a fresh process computes from pickles of fitted ones.

    One process for all, since it imports TensorFlow anew.
    """
    tasks = [(fitted(classifier), tracks_for(classifier)[0]) for classifier in classifiers]
    (folder / "tasks.pickle").write_bytes(pickle.dumps([pickle.dumps(task) for task in tasks]))
    script = (
        "import pickle\n"
        "tasks = pickle.load(open('tasks.pickle', 'rb'))\n"
        "results = [model.predict_proba(X) for model, X in map(pickle.loads, tasks)]\n"
        "pickle.dump(results, open('results.pickle', 'wb'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},  # of _estimators
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""
    return pickle.loads((folder / "results.pickle").read_bytes())


def nd_checks():
    """Return every check of this module."""
    return [
        pytest.param(function, id=name)
        for name, function in sorted(globals().items())
        if name.startswith("check_")
    ]
