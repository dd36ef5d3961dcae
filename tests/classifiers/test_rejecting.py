from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn
from _checks import make_tracks
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre import HierarchicalGenreClassifier, MLPGenreClassifier, RejectingClassifier


class Ballots(ClassifierMixin, BaseEstimator):
    """A classifier whose segments say themselves which class they vote for, and how surely."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.sample_weight_ = sample_weight
        self.n_features_in_ = np.shape(X)[-1]
        return self

    def predict_segment_proba(self, X):
        return np.asarray(X)[..., : len(self.classes_)]

    def predict_proba(self, X):
        return self.predict_segment_proba(X).mean(axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def ballots(*counts, n_classes=3, sure=0.6):
    """Return the segments of a track that vote as often for each class as ``counts`` says."""
    votes = np.repeat(np.arange(len(counts)), counts)
    proba = np.full((len(votes), n_classes), (1 - sure) / (n_classes - 1))
    proba[np.arange(len(votes)), votes] = sure
    return proba


# Of 15 segments, as in bai: clear, just enough for 7, just enough for 5, too few.
X = np.stack([ballots(9, 3, 3), ballots(4, 7, 4), ballots(5, 5, 5), ballots(6, 4, 5)])
X[2, :5] = [0.8, 0.1, 0.1]  # of three equal shares the surest
LABELS = np.array(["blues", "jazz", "rock"])


def fit(labels=LABELS, **params):
    y = np.asarray(labels)[[0, 1, 0, 2]]
    return RejectingClassifier(Ballots(), **params).fit(X, y)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (1, ["blues", "jazz", "blues", "blues"]),
        (5, ["blues", "jazz", "blues", "blues"]),
        (6, ["blues", "jazz", "rejected", "blues"]),
        (7, ["blues", "jazz", "rejected", "rejected"]),
        (8, ["blues", "rejected", "rejected", "rejected"]),
        (15, ["rejected"] * 4),
        (0.5, ["blues", "rejected", "rejected", "rejected"]),
        (0.6, ["blues", "rejected", "rejected", "rejected"]),  # 9 of 15 are 0.6
        (0.601, ["rejected"] * 4),
        (1 / 3, ["blues", "jazz", "blues", "blues"]),
        (1.0, ["rejected"] * 4),
    ],
)
def test_threshold(threshold, expected):
    assert fit(threshold=threshold).predict(X).tolist() == expected


def test_share_of_all_segments_is_a_threshold():
    unanimous = np.stack([ballots(4, 0, 0), ballots(3, 1, 0)])
    assert fit(threshold=1.0).predict(unanimous).tolist() == ["blues", "rejected"]
    assert fit(threshold=1).predict(unanimous).tolist() == ["blues", "blues"]


def test_more_votes_than_segments():
    with pytest.raises(ValueError, match="threshold=16 votes, but X has tracks of 15 segments"):
        fit(threshold=16).predict(X)


@pytest.mark.parametrize(
    ("labels", "reject_label", "expected"),
    [
        (LABELS, None, "rejected"),
        (LABELS, "nobody knows", "nobody knows"),
        (LABELS.astype(object), None, "rejected"),
        ([0, 1, 2], None, -1),
        ([1, 2, 3], None, -1),
        ([-1, 1, 2], None, -2),
        ([1, 2, 3], 0, 0),
        (np.array([0, 1, 2], dtype=np.uint8), None, -1),
        ([0.0, 1.0, 2.0], None, -1.0),
    ],
)
def test_reject_label(labels, reject_label, expected):
    model = fit(labels, threshold=8, reject_label=reject_label)
    predicted = model.predict(X)
    assert model.reject_label_ == expected
    assert predicted.tolist() == [np.asarray(labels)[0], expected, expected, expected]
    kind = np.asarray(labels).dtype.kind
    assert predicted.dtype.kind == ("i" if kind == "u" else kind)
    assert expected not in model.classes_


@pytest.mark.parametrize(
    ("labels", "reject_label", "message"),
    [
        (LABELS, "jazz", "reject_label='jazz' is one of the classes"),
        (["a", "b", "rejected"], None, "reject_label='rejected' is one of the classes"),
        (LABELS, -1, "reject_label=-1 is of another kind than the classes, such as 'blues'"),
        ([0, 1, 2], "rejected", "reject_label='rejected' is of another kind"),
        ([0, 1, 2], 0.5, "reject_label=0.5 is of another kind"),
        ([False, True, True], None, "neither strings nor numbers"),
    ],
)
def test_bad_reject_label(labels, reject_label, message):
    with pytest.raises(ValueError, match=message):
        fit(labels, reject_label=reject_label)


@pytest.mark.parametrize("threshold", [0, 0.0, 1.5, -3, "half"])
def test_bad_threshold(threshold):
    with pytest.raises(ValueError, match="The 'threshold' parameter"):
        fit(threshold=threshold)


def test_classifier_without_segments_is_refused():
    with pytest.raises(ValueError, match="predict_segment_proba"):
        RejectingClassifier(LogisticRegression()).fit(X[:, 0], [0, 1, 0, 1])


def test_coverage_accuracy():
    y = np.array(["blues", "jazz", "rock", "rock"])
    thresholds, coverage, accuracy = fit().coverage_accuracy(X, y)
    assert thresholds.tolist() == list(range(1, 16))
    # The winners have 9, 7, 5 and 6 votes; the first two are right.
    np.testing.assert_allclose(coverage, [1] * 5 + [0.75, 0.5, 0.25, 0.25] + [0] * 6)
    np.testing.assert_allclose(accuracy, [0.5] * 5 + [2 / 3, 1, 1, 1] + [np.nan] * 6)
    for threshold in (5, 7):
        predicted = fit(threshold=threshold).predict(X)
        decided = predicted != "rejected"
        assert decided.mean() == coverage[threshold - 1]
        assert (predicted == y)[decided].mean() == accuracy[threshold - 1]


def test_coverage_accuracy_needs_the_genre_of_each_track():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit().coverage_accuracy(X, ["blues"])


def test_score_counts_rejected_tracks_as_wrong():
    """As table 2 of bai: the threshold of 7 has a lower accuracy than that of 5."""
    y = ["blues", "jazz", "blues", "rock"]
    assert fit(threshold=5).score(X, y) == 0.75
    assert fit(threshold=8).score(X, y) == 0.25


def test_probabilities_are_those_of_the_classifier():
    model = fit()
    np.testing.assert_array_equal(model.predict_proba(X), X.mean(axis=1))
    np.testing.assert_array_equal(model.predict_segment_proba(X), X)
    assert model.classes_.tolist() == LABELS.tolist()
    assert model.n_features_in_ == 3

    class Plain(Ballots):
        @property
        def predict_proba(self):
            raise AttributeError

    assert not hasattr(RejectingClassifier(Plain()), "predict_proba")


def test_pickle_and_clone():
    model = fit(threshold=7)
    twin = pickle.loads(pickle.dumps(model))
    assert twin.predict(X).tolist() == model.predict(X).tolist()
    copied = clone(model)
    assert copied.get_params()["threshold"] == 7
    assert not hasattr(copied, "estimator_")


def test_weights_reach_the_classifier():
    y, weight = ["blues", "jazz", "blues", "rock"], np.array([1.0, 2.0, 3.0, 4.0])
    model = RejectingClassifier(Ballots())
    np.testing.assert_array_equal(
        model.fit(X, y, sample_weight=weight).estimator_.sample_weight_, weight
    )
    pipeline = make_pipeline(FunctionTransformer(), RejectingClassifier(Ballots()))
    pipeline.fit(X, y, rejectingclassifier__sample_weight=weight)
    np.testing.assert_array_equal(pipeline[-1].estimator_.sample_weight_, weight)

    class Unweighted(Ballots):
        def fit(self, X, y):
            return super().fit(X, y)

    with pytest.raises(ValueError, match="Unweighted takes none in fit"):
        RejectingClassifier(Unweighted()).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: make_pipeline(FunctionTransformer(), m)])
def test_rejected_tracks_in_a_hard_vote_are_an_error_that_says_what_to_do(wrap):
    y = ["blues", "jazz", "blues", "rock"]
    members = [("rejecting", wrap(RejectingClassifier(Ballots(), threshold=8)))]
    hard = VotingClassifier(members).fit(X, y)
    with pytest.raises(ValueError, match=r"rejected 3 of 4 tracks.*voting='soft'"):
        hard.predict(X)
    assert hard.transform(X).ravel().tolist() == [0, -1, -1, -1]
    soft = VotingClassifier(members, voting="soft").fit(X, y)
    assert soft.predict(X)[0] == "blues"
    named = RejectingClassifier(Ballots(), reject_label="unknown")
    with pytest.raises(ValueError, match=r"or None, which suits any.*VotingClassifier"):
        VotingClassifier([("named", named)]).fit(X, y)


def test_macro_scores_take_rejected_tracks_for_a_genre_unless_the_genres_are_named():
    y = ["blues", "jazz", "blues", "rock"]
    model = RejectingClassifier(Ballots(), threshold=7).fit(X, y)
    predicted = model.predict(X)
    assert predicted.tolist() == ["blues", "jazz", "rejected", "rejected"]
    of_genres = f1_score(y, predicted, average=None, labels=model.classes_, zero_division=0)
    macro = f1_score(y, predicted, average="macro", zero_division=0)
    assert macro == pytest.approx(of_genres.sum() / 4)
    scorer = make_scorer(f1_score, average="macro", labels=model.classes_, zero_division=0)
    assert scorer(model, X, y) == pytest.approx(of_genres.mean())


def test_metadata_routing():
    y, weight = ["blues", "jazz", "blues", "rock"], np.array([1.0, 2.0, 3.0, 4.0])
    with sklearn.config_context(enable_metadata_routing=True):
        asked = RejectingClassifier(Ballots().set_fit_request(sample_weight=True))
        for model in (asked, make_pipeline(FunctionTransformer(), asked)):
            model.fit(X, y, sample_weight=weight)
            fitted = model if model is asked else model[-1]
            np.testing.assert_array_equal(fitted.estimator_.sample_weight_, weight)
        refused = RejectingClassifier(Ballots().set_fit_request(sample_weight=False))
        with pytest.raises(TypeError, match="not routed to any object"):
            refused.fit(X, y, sample_weight=weight)
        with pytest.raises(ValueError, match="not explicitly set as requested"):
            RejectingClassifier(Ballots()).fit(X, y, sample_weight=weight)


def test_last_step_of_searches_and_cross_validation():
    many, y = np.repeat(X, 3, axis=0), np.repeat(["blues", "jazz", "rock", "blues"], 3)
    pipeline = make_pipeline(FunctionTransformer(), RejectingClassifier(Ballots(), threshold=7))
    predicted = cross_val_predict(pipeline, many, y, cv=3)
    assert predicted.tolist() == np.repeat(["blues", "jazz", "rejected", "rejected"], 3).tolist()
    search = GridSearchCV(pipeline, {"rejectingclassifier__threshold": [8, 7, 5]}, cv=3)
    assert search.fit(many, y).best_params_ == {"rejectingclassifier__threshold": 5}


def test_a_refit_forgets_the_names_of_columns():
    class Named(Ballots):
        def fit(self, X, y):
            if "named" in y:
                self.feature_names_in_ = np.array(["a", "b", "c"])
            return super().fit(X, y)

    model = RejectingClassifier(Named()).fit(X, ["named", "b", "named", "b"])
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    model.fit(X, ["a", "b", "a", "b"])
    assert not hasattr(model, "feature_names_in_")


def test_around_networks():
    """Over a network and over a hierarchy of them; the epochs of both reach callbacks."""
    tracks, y = make_tracks()
    mlp = MLPGenreClassifier(units=(16,), epochs=15, learning_rate=0.02, random_state=0)
    model = RejectingClassifier(mlp, threshold=3).fit(tracks, y)
    assert (model.predict(tracks) == y).all()
    mixed = np.stack([tracks[0, 0], tracks[8, 0], tracks[16, 0]])[np.newaxis]
    assert model.predict(mixed).tolist() == ["rejected"]
    assert model.set_params(threshold=1).predict(mixed)[0] in set(y)  # no new fit
    hierarchy = HierarchicalGenreClassifier(mlp.set_params(epochs=2), random_state=0)
    segments = RejectingClassifier(hierarchy).fit(tracks, y).predict_segment_proba(tracks)
    assert segments.shape == (24, 3, 3)


def test_callbacks_reach_the_epochs():
    tracks, y = make_tracks()
    seen = []

    class Watch:
        max_propagation_depth = None

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            seen.append((type(estimator).__name__, context.task_name))

    mlp = MLPGenreClassifier(units=(4,), epochs=2, random_state=0)
    RejectingClassifier(mlp).set_callbacks(Watch()).fit(tracks, y)
    assert seen.count(("MLPGenreClassifier", "epoch")) == 2
    assert seen[-1] == ("RejectingClassifier", "fit")
