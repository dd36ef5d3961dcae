"""What all transformers of tables promise: groups of columns, copies, batches, refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skgenre import ArtistWhitening, FrameScaler, GroupKernel, GroupScaler

LABELS = ["mfcc", "tempo", "mfcc", "chroma", "tempo"]
GROUPED = [
    GroupScaler(),
    GroupKernel(),
    GroupKernel(n_landmarks=15, random_state=0),
    ArtistWhitening(feature_groups="auto", n_components=2),
]
Y = np.repeat(["dub", "jazz"], 20)
ARTISTS = np.repeat(np.arange(10), 4)


def name_of(value):
    return type(value).__name__ if hasattr(value, "get_params") else None


def table(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal([0, 5, -6, 1, 2], [1, 5, 10, 0.1, 1], size=(n, 5))


def fitted(step, X, **params):
    step = clone(step).set_params(**params)
    artists = {"groups": ARTISTS} if isinstance(step, ArtistWhitening) else {}
    return step.fit(X, Y, **artists)


@pytest.mark.parametrize("step", GROUPED, ids=name_of)
@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["mfcc__0", "tempo__lag", "mfcc__1_std", "chroma__C", "tempo__beat"], LABELS),
        (["a__0", "tempo", "a__1", "energy", "b__0"], ["a", "", "a", "", "b"]),
        # The name of a group that is no prefix, beside the same one that is.
        (["mfcc__0", "mfcc__1", "mfcc", "mfcc__2", "__0"], ["mfcc", "mfcc", "", "mfcc", ""]),
        # A union puts a prefix of its own before the group.
        (["u__a__0", "u__a__1", "u__b__0", "x", "v__a__0"], ["u__a", "u__a", "u__b", "", "v__a"]),
        (None, ["all"] * 5),  # an array has no names
    ],
)
def test_auto_reads_the_feature_groups_from_the_names(step, names, labels):
    X = table()
    named = X if names is None else pd.DataFrame(X, columns=names)
    by_labels = fitted(step, X, feature_groups=labels).transform(X)
    np.testing.assert_allclose(fitted(step, named).transform(named), by_labels, atol=1e-12)
    # Labels win over names, and need not be text.
    others = fitted(step, X, feature_groups=list("aaabb")).transform(X)
    numbers = fitted(step, named, feature_groups=[0, 0, 0, 1, 1]).transform(named)
    np.testing.assert_allclose(numbers, others, atol=1e-12)
    assert by_labels.shape != others.shape or not np.allclose(by_labels, others)


@pytest.mark.parametrize("step", [GroupScaler(), GroupKernel()], ids=name_of)
def test_the_order_of_columns_does_not_matter(step):
    X, turn = table(), [3, 0, 4, 2, 1]
    expected = fitted(step, X, feature_groups=LABELS).transform(X)
    if isinstance(step, GroupScaler):
        expected = expected[:, turn]
    turned = fitted(step, X[:, turn], feature_groups=np.array(LABELS)[turn]).transform(X[:, turn])
    np.testing.assert_allclose(turned, expected, rtol=1e-9)


@pytest.mark.parametrize("step", [*GROUPED, FrameScaler()], ids=name_of)
def test_batches_pickles_and_clones(step):
    X, new = table(), table(12, seed=1)
    before = X.copy(), new.copy()
    labels = {} if isinstance(step, FrameScaler) else {"feature_groups": np.array(LABELS)}
    model = fitted(step, X, **labels)
    Xt = model.transform(new)
    one_by_one = np.concatenate([model.transform(new[[i]]) for i in range(12)])
    np.testing.assert_allclose(one_by_one, Xt, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(new), Xt)
    twin = clone(model)
    assert not hasattr(twin, "n_features_in_")
    np.testing.assert_array_equal(fitted(twin, X).transform(new), Xt)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(new, before[1])


@pytest.mark.parametrize("step", GROUPED, ids=name_of)
@pytest.mark.parametrize("labels", [LABELS[:4], np.zeros((5, 1)), [*LABELS, "more"]])
def test_one_label_a_column(step, labels):
    shape = str(np.shape(labels)).replace("(", r"\(").replace(")", r"\)")
    message = rf"^feature_groups has the shape {shape}, but X has 5 features; give one .*=\"auto\""
    with pytest.raises(ValueError, match=message):
        fitted(step, table(), feature_groups=labels)
    if isinstance(step, ArtistWhitening):  # checked before artists are missed
        with pytest.raises(ValueError, match=message):
            ArtistWhitening(feature_groups=labels, without_groups="pass").fit(table(), Y)


@pytest.mark.parametrize(
    "step",
    [
        GroupScaler(clip=0),
        GroupScaler(clip=-1.0),
        GroupScaler(feature_groups="names"),
        GroupScaler(feature_groups=None),
        GroupKernel(feature_groups="names"),
        GroupKernel(feature_groups=None),
        GroupKernel(gamma=0),
        GroupKernel(gamma=-1.0),
        GroupKernel(group_weights=[1.0]),
        GroupKernel(n_landmarks=0),
        GroupKernel(n_landmarks=2.5),
        GroupKernel(random_state="seed"),
        ArtistWhitening(n_components=0),
        ArtistWhitening(shrinkage=1.1),
        ArtistWhitening(without_groups="ignore"),
        ArtistWhitening(feature_groups="names"),
    ],
    ids=name_of,
)
def test_bad_parameters_are_refused(step):
    with pytest.raises(ValueError, match=f"parameter of {type(step).__name__} must be"):
        fitted(step, table())
