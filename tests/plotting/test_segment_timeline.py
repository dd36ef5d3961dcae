"""The timeline shows the probabilities of a track's segments at their times."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline

from skgenre import (
    AudioLoader,
    FusionKNeighborsClassifier,
    GenreClassifier,
    PerTrack,
    Segmenter,
    SegmentTimelineDisplay,
    make_genres,
)

PROBA = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.0, 0.25, 0.75]])
GENRES = ["calm", "loud", "odd"]


class Loudness(ClassifierMixin, BaseEstimator):
    """Take the first sample of a segment for the probability of "loud"."""

    def fit(self, X, y=None):
        self.classes_ = np.array(["calm", "loud"])
        return self

    def predict_segment_proba(self, X):
        loud = np.asarray(X)[:, :, 0]
        return np.stack([1 - loud, loud], axis=2)


def test_heatmap_has_genres_by_row_and_a_point_on_the_best():
    display = SegmentTimelineDisplay.from_predictions(PROBA, GENRES, name="a track")
    mesh, points = display.artists_
    assert np.array_equal(mesh.get_array(), PROBA.T)
    assert points.get_xdata().tolist() == [1, 2, 3]
    assert points.get_ydata().tolist() == [0.5, 1.5, 2.5]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == GENRES
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["1", "2", "3"]
    assert display.ax_.get_ylim() == (3, 0)
    assert display.ax_.get_xlabel() == "segment"
    assert display.ax_.get_title() == "a track"


def test_areas_stack_to_one():
    display = SegmentTimelineDisplay.from_predictions(
        PROBA, GENRES, kind="areas", segment_duration=2.0
    )
    assert [area.get_label() for area in display.artists_] == GENRES
    tops, bottoms = [], []
    for area in display.artists_:
        corners = area.get_paths()[0].vertices
        inside = corners[np.isclose(corners[:, 0], 2.0)]  # segments 1 and 2 meet
        tops.append(inside[:, 1].max())
        bottoms.append(inside[:, 1].min())
        assert corners[:, 0].max() == 6.0
    assert tops[0] == pytest.approx(1)
    assert bottoms[-1] == pytest.approx(0)
    assert display.ax_.get_xlabel() == "time, s"


def test_ten_genres_do_not_share_colour_and_hatch():
    genres = [f"a genre of a long name, {i}" for i in range(10)]
    areas = SegmentTimelineDisplay.from_predictions(np.full((4, 10), 0.1), genres, kind="areas")
    looks = {(tuple(a.get_facecolor()[0]), a.get_hatch()) for a in areas.artists_}
    assert len(looks) == 10


@pytest.mark.parametrize("kind", ["heatmap", "areas"])
def test_a_pipeline_knows_the_seconds(kind):
    rate = 10
    front = make_pipeline(
        AudioLoader(sampling_rate=rate, duration=6.0),
        Segmenter(n_segments=3, track_duration=6.0, sampling_rate=rate),
    )
    track = np.repeat([0.1, 0.9, 0.2], 2 * rate).astype(np.float32)
    track -= np.resize([0, 0.01], track.size)  # a constant would be no sound
    pipeline = make_pipeline(PerTrack(front), Loudness()).fit([track], ["loud"])
    display = SegmentTimelineDisplay.from_estimator(pipeline, track, kind=kind)
    assert display.proba[:, 1] == pytest.approx([0.1, 0.9, 0.2])
    assert display.edges.tolist() == [0, 2, 4, 6]
    assert display.ax_.get_xlim() == (0, 6)
    assert display.ax_.get_xlabel() == "time, s"


def test_spread_segments_meet_between_their_middles():
    cut = Segmenter(n_segments=3, segment_duration=2.0, placement="spread", sampling_rate=10)
    pipeline = make_pipeline(cut, Loudness()).fit(np.zeros((1, 120)), ["calm"])
    display = SegmentTimelineDisplay.from_estimator(pipeline, np.zeros(120))
    assert display.edges == pytest.approx([0, 3.5, 8.5, 12])  # middles at 1, 6 and 11 s


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return the recommended model, fitted, and the paths of tracks of 3 seconds."""
    folder = tmp_path_factory.mktemp("music")
    music = make_genres(
        3, genres=["dub", "swing"], duration=3.0, path=folder, overlap=0.0, random_state=0
    )
    return GenreClassifier(("svc",), random_state=0).fit(music.data, music.target), music.data


def test_the_recommended_model_knows_the_seconds(fitted):
    model, paths = fitted
    model = copy.deepcopy(model).set_params(n_segments=3, segment_duration=1.0)
    display = SegmentTimelineDisplay.from_estimator(model, paths[0])
    assert display.edges == pytest.approx([0, 1, 2, 3], abs=1e-3)
    assert display.ax_.get_xlabel() == "time, s"
    times = model.segment_times(paths[:2])
    assert times.shape == (2, 3, 2)
    assert times[1] == pytest.approx(np.array([[0, 1], [1, 2], [2, 3]]), abs=1e-3)
    model.set_params(segment_duration=5.0)  # each segment is the whole track
    assert SegmentTimelineDisplay.from_estimator(model, paths[0]).edges is None


def test_seconds_count_from_the_start_of_a_long_track(fitted):
    model, _ = fitted
    model = copy.deepcopy(model).set_params(n_segments=2, segment_duration=10.0)
    waveform = np.random.default_rng(0).normal(size=(2, 100 * 1000)) / 9  # stereo, 100 s
    # The model takes the 60 s in the middle.
    times = model.segment_times([(waveform, 1000), waveform[:, :22050]])
    assert times[0].tolist() == [[20, 30], [70, 80]]
    assert times[1].tolist() == [[0, 1], [0, 1]]
    model.set_params(n_segments=1)
    assert model.segment_times([(waveform, 1000)]).tolist() == [[[45, 55]]]


def test_precomputed_features_know_no_seconds(fitted):
    model, paths = fitted
    front_end, classifier = model.split_front_end()
    halves = make_pipeline(front_end, classifier).fit(paths, ["dub"] * 3 + ["swing"] * 3)
    assert SegmentTimelineDisplay.from_estimator(halves, paths[0]).edges is None
    with pytest.raises(ValueError, match="Precomputed features know no times"):
        halves[-1].segment_times(paths)


def test_without_a_segmenter_segments_are_numbered():
    display = SegmentTimelineDisplay.from_estimator(Loudness().fit(None), np.full((4, 2), 0.3))
    assert display.edges is None
    assert display.ax_.get_xlabel() == "segment"


def test_a_classifier_of_tracks_and_a_number_are_refused():
    with pytest.raises(TypeError, match="has no predict_segment_proba"):
        SegmentTimelineDisplay.from_estimator(FusionKNeighborsClassifier(), np.zeros(3))
    with pytest.raises(TypeError, match="track is 3; expected one track"):
        SegmentTimelineDisplay.from_estimator(Loudness().fit(None), 3)


@pytest.mark.parametrize(
    ("proba", "classes", "options", "match"),
    [
        (PROBA[None], GENRES, {}, r"shape \(1, 3, 3\); expected \(n_segments, n_classes\)"),
        (PROBA, GENRES[:2], {}, "3 columns, but there are 2 classes"),
        (PROBA * 2, GENRES, {}, "sum is 1 in each segment"),
        (PROBA * np.nan, GENRES, {}, "sum is 1 in each segment"),
        (PROBA, GENRES, {"kind": "pie"}, "kind='pie' is unknown"),
        (PROBA, GENRES, {"segment_duration": 0}, "segment_duration=0; expected seconds above 0"),
    ],
)
def test_bad_input_is_named_and_makes_no_figure(proba, classes, options, match, plt):
    with pytest.raises(ValueError, match=match):
        SegmentTimelineDisplay.from_predictions(proba, classes, **options)
    assert plt.get_fignums() == []


def test_edges_have_to_fit():
    with pytest.raises(ValueError, match="edges should be 4 rising seconds for 3 segments"):
        SegmentTimelineDisplay(PROBA, GENRES, edges=[0, 1, 1, 2]).plot()
