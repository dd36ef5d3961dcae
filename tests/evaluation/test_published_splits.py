from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from skgenre.datasets.gtzan import read_facts, read_groups
from skgenre.evaluation import FaultFilteredSplit, StratifiedSplit

FACTS = read_facts()
NAMES = np.array(list(FACTS))
GENRES = np.array([clip.genre for clip in FACTS.values()])
GROUPS = np.array([read_groups()[name] for name in NAMES])
KNOWN = np.array([bool(clip.artist) for clip in FACTS.values()])
PARTS = {
    key: np.array([getattr(clip, key) for clip in FACTS.values()])
    for key in ("fault_filtered", "stratified")
}


def only_split(splitter, X):
    splits = list(splitter.split(X))
    assert len(splits) == splitter.get_n_splits(X) == 1
    return splits[0]


def shared(train, test):
    """Return the known artists on both sides."""
    return set(GROUPS[train][KNOWN[train]]) & set(GROUPS[test][KNOWN[test]])


@pytest.mark.parametrize(
    ("splitter", "sizes"),
    [
        (FaultFilteredSplit(), (640, 290)),
        (FaultFilteredSplit(validation="leave_out"), (443, 290)),
        (FaultFilteredSplit(validation="test"), (443, 197)),
        (StratifiedSplit(), (750, 250)),
        (StratifiedSplit(validation="leave_out"), (500, 250)),
        (StratifiedSplit(validation="test"), (500, 250)),
    ],
)
def test_counts_of_the_published_lists(splitter, sizes):
    train, test = only_split(splitter, NAMES)
    assert (len(train), len(test)) == sizes
    key = "stratified" if isinstance(splitter, StratifiedSplit) else "fault_filtered"
    validates = splitter.validation == "test"
    assert set(PARTS[key][test]) == {"valid" if validates else "test"}
    expected = {"train", "valid"} if splitter.validation == "train" else {"train"}
    assert set(PARTS[key][train]) == expected


def test_stratified_split_has_as_many_of_each_genre():
    train, test = only_split(StratifiedSplit(), NAMES)
    assert_array_equal(np.unique(GENRES[train], return_counts=True)[1], [75] * 10)
    assert_array_equal(np.unique(GENRES[test], return_counts=True)[1], [25] * 10)
    assert len(shared(train, test)) > 50


def test_artists_on_both_sides_are_those_identified_since():
    assert shared(*only_split(FaultFilteredSplit(), NAMES)) == {
        "Anthrax", "Bob Marley; Lauryn Hill", "Boney M.", "Burning Spear", "Danzig",
        "Dark Tranquillity", "Earth, Wind & Fire", "KC and the Sunshine Band", "Metallica",
        "Mick Jagger; Peter Tosh",
    }  # fmt: skip


@pytest.mark.parametrize("validation", ["train", "leave_out", "test"])
def test_artists_are_disjoint_where_shared_ones_are_dropped(validation):
    keep = FaultFilteredSplit(validation=validation)
    drop = clone(keep, safe=False)
    drop.shared_artists = "drop"
    train, test = only_split(keep, NAMES)
    less, same = only_split(drop, NAMES)
    assert shared(train, test)
    assert shared(less, same) == set()
    assert_array_equal(same, test)
    lost = np.setdiff1d(train, less)
    assert set(GROUPS[lost]) == shared(train, test)
    assert len(less) + len(lost) == len(train)
    assert len(lost) == {"train": 53, "leave_out": 48, "test": 20}[validation]


def test_order_of_the_rows_and_forms_of_a_path():
    rng = np.random.default_rng(0)
    order = rng.permutation(len(NAMES))
    train, test = only_split(FaultFilteredSplit(), NAMES)
    shuffled = only_split(FaultFilteredSplit(), NAMES[order])
    assert_array_equal(np.sort(order[shuffled[0]]), train)
    assert_array_equal(np.sort(order[shuffled[1]]), test)
    paths = [f"/x/{name.split('.')[0]}/{name}.au" for name in NAMES]
    for X in (
        paths,
        [Path(path) for path in paths],
        np.array(paths)[:, np.newaxis],
        pd.DataFrame({"path": paths}),
        pd.Series(paths, index=order),
    ):
        assert_array_equal(only_split(FaultFilteredSplit(), X)[1], test)


def test_names_at_construction():
    X = np.zeros((1000, 3))
    train, test = only_split(FaultFilteredSplit(clips=NAMES), X)
    assert (len(train), len(test)) == (640, 290)
    with pytest.raises(ValueError, match=r"Row 0 of X is of type ndarray.*clips=load_gtzan"):
        FaultFilteredSplit().split(X)
    with pytest.raises(ValueError, match="Row 0 of X is of type ndarray"):
        StratifiedSplit().split([np.zeros(3), np.zeros(4)])
    with pytest.raises(ValueError, match="clips names 1000 tracks, but X has 10;"):
        FaultFilteredSplit(clips=NAMES).split(X[:10])


@pytest.mark.parametrize(
    ("splitter", "X", "message"),
    [
        (FaultFilteredSplit(), ["jazz.00001.wav", "song.wav"], r"Row 1 of X, 'song\.wav', is no"),
        (StratifiedSplit(), None, "X is None; expected the tracks"),
        (FaultFilteredSplit(clips=["jazz.00100"]), [0], r"Row 0 of clips, 'jazz\.00100', is no"),
        (FaultFilteredSplit(validation="fold"), NAMES, "'validation' parameter of FaultFiltered"),
        (FaultFilteredSplit(shared_artists=True), NAMES, "'shared_artists' parameter"),
        (StratifiedSplit(on_missing="skip"), NAMES, "'on_missing' parameter of StratifiedSplit"),
        (
            FaultFilteredSplit(on_missing="raise"),
            NAMES[1:],
            "there are 443 of 443 train, 196 of 197 valid, 290 of 290 test.*on_missing='warn'",
        ),
        (
            FaultFilteredSplit(on_missing="ignore"),
            NAMES[PARTS["fault_filtered"] != "test"],
            "None of the 710 tracks is left to test on: .* published part test",
        ),
        (
            StratifiedSplit(on_missing="ignore"),
            NAMES[PARTS["stratified"] == "test"],
            "left to train on: .* published part train and valid",
        ),
    ],
)
def test_bad_input(splitter, X, message):
    with pytest.raises(ValueError, match=message):
        splitter.split(X)


def test_missing_clips_are_counted():
    some = NAMES[::2]
    with pytest.warns(
        UserWarning, match="there are 217 of 443 train, 104 of 197 valid, 144 of 290 test"
    ) as caught:
        train, test = only_split(FaultFilteredSplit(), some)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert set(PARTS["fault_filtered"][::2][test]) == {"test"}
    assert len(train) > 300
    # The part that is not in use may be missing.
    rest = NAMES[PARTS["fault_filtered"] != "test"]
    assert len(only_split(FaultFilteredSplit(validation="test"), rest)[1]) == 197


def test_genres_that_are_only_tested_on_are_named():
    blues = (GENRES == "blues") & (PARTS["fault_filtered"] != "test")
    with (
        pytest.warns(UserWarning, match="Part of the clips"),
        pytest.warns(UserWarning, match="none to train on of these genres: blues") as caught,
    ):
        FaultFilteredSplit().split(NAMES[~blues])
    assert {warning.filename for warning in caught} == {__file__}


def first_letter(X):
    """Stand in for a front end: features out of paths."""
    return np.array([[ord(path[0])] for path in X])


@pytest.mark.parametrize("splitter", [FaultFilteredSplit(), StratifiedSplit()])
def test_in_cross_validate_and_grid_search(splitter):
    pipeline = make_pipeline(FunctionTransformer(first_letter), DecisionTreeClassifier())
    scores = cross_validate(pipeline, NAMES, GENRES, cv=splitter, return_indices=True)
    assert_array_equal(scores["indices"]["test"][0], only_split(splitter, NAMES)[1])
    assert 0.7 < scores["test_score"][0] < 1  # only reggae and rock begin alike
    search = GridSearchCV(pipeline, {"decisiontreeclassifier__max_depth": [1, 9]}, cv=splitter)
    search.fit(NAMES, GENRES)
    assert search.n_splits_ == 1
    assert search.best_params_ == {"decisiontreeclassifier__max_depth": 9}


def test_in_cross_validate_with_a_part_of_the_data_set():
    X = np.zeros((500, 2))
    with pytest.warns(UserWarning, match="Part of the clips of FaultFilteredSplit is missing"):
        scores = cross_validate(
            DummyClassifier(), X, GENRES[::2], cv=FaultFilteredSplit(clips=NAMES[::2])
        )
    assert scores["test_score"].shape == (1,)


def test_repr_names_what_was_set():
    assert "validation='leave_out'" in repr(StratifiedSplit(validation="leave_out"))
    assert "shared_artists='drop'" in repr(FaultFilteredSplit(shared_artists="drop"))
