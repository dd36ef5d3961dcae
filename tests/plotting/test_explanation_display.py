"""The picture shows the contributions that add up to the score."""

from __future__ import annotations

import numpy as np
import pytest
from _displays import EXPLANATION
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skgenre import ClipFeatures, ExplanationDisplay, GenreClassifier, make_genres
from skgenre.classifiers import Explanation


def shown(display):
    """Return the bars by their names."""
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    widths = [bar.get_width() for bar in display.artists_]
    return dict(zip(names, widths, strict=True))


def test_bars_are_the_contributions_to_the_best_genre_the_largest_first():
    display = ExplanationDisplay.from_explanation(EXPLANATION, 0)
    # The scores are calm -0.25, fast -0.45 and loud 0.70.
    bars = shown(display)
    assert list(bars) == ["mfcc", "tempo", "average track"]
    np.testing.assert_allclose(list(bars.values()), [0.55, 0.1, 0.05])
    np.testing.assert_allclose(sum(bars.values()), EXPLANATION.scores[0, 2])
    assert display.ax_.get_title() == "loud: score 0.70"
    assert [text.get_text() for text in display.ax_.texts] == ["+0.55", "+0.10", "+0.05"]


def test_one_genre_is_explained_against_another():
    display = ExplanationDisplay.from_explanation(EXPLANATION, 0, genre="fast", other="calm")
    bars = shown(display)
    assert bars == pytest.approx({"tempo": -0.5, "mfcc": -0.1, "average track": -0.1})
    assert list(bars) == ["tempo", "mfcc", "average track"]
    assert display.ax_.get_title() == "fast against calm: score -0.70"
    # What speaks against a genre differs not by colour alone.
    assert display.artists_[0].get_hatch()
    display = ExplanationDisplay(EXPLANATION, track=1, genre="calm", name="song.wav").plot()
    assert display.ax_.get_title().startswith("song.wav\ncalm: score")
    assert not display.artists_[0].get_hatch()


def test_the_heatmap_shows_all_genres_the_best_first():
    display = ExplanationDisplay.from_explanation(EXPLANATION, 0, kind="heatmap")
    (mesh,) = display.artists_
    order = (-EXPLANATION.scores[0]).argsort()
    expected = np.column_stack([EXPLANATION.contributions[0], EXPLANATION.intercept])[order]
    np.testing.assert_allclose(np.ravel(mesh.get_array()), expected.ravel())
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert [name.split()[0] for name in names] == EXPLANATION.classes[order].tolist()
    assert mesh.norm.vmin == -mesh.norm.vmax


class Contrary(GenreClassifier):
    """Predicts the least probable genre."""

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmin(axis=1)]


def test_a_fitted_model_is_drawn_for_the_genre_that_it_predicts(tmp_path):
    music = make_genres(
        3, genres=["dub", "swing"], duration=1.0, path=tmp_path, overlap=0.0, random_state=0
    )
    model = GenreClassifier(("svc",), random_state=0).fit(music.data, music.target)
    display = ExplanationDisplay.from_estimator(model, music.data[4])
    found = model.explain(music.data[4:5])
    genre = model.predict(music.data[4:5])[0]
    bars = shown(display)
    assert sorted(bars) == sorted(
        [*dict.fromkeys(ClipFeatures().get_feature_groups_out()), "average track"]
    )
    np.testing.assert_allclose(sum(bars.values()), found.scores[0, found.index(genre)])
    name = music.data[4].name if hasattr(music.data[4], "name") else str(music.data[4])
    assert display.ax_.get_title().startswith(name.rpartition("/")[2])
    contrary = Contrary(("svc",), random_state=0).fit(music.data, music.target)
    other = ExplanationDisplay.from_estimator(contrary, music.data[4])
    assert {display.genre, other.genre} == {"dub", "swing"}
    halves = make_pipeline(*GenreClassifier(("svc",), random_state=0).split_front_end())
    halves.fit(music.data, music.target)
    again = ExplanationDisplay.from_estimator(halves, music.data[4], genre=genre)
    assert shown(again) == pytest.approx(bars, abs=1e-5)


def test_what_cannot_be_drawn_is_refused(plt):
    with pytest.raises(TypeError, match="LogisticRegression does not explain its predictions"):
        ExplanationDisplay.from_estimator(LogisticRegression(), [0.0])
    with pytest.raises(ValueError, match="kind='pie' must be one of 'bars', 'heatmap'"):
        ExplanationDisplay(EXPLANATION).plot(kind="pie")
    with pytest.raises(ValueError, match="track=2 is none of the 2 tracks"):
        ExplanationDisplay(EXPLANATION, track=2).plot()
    with pytest.raises(ValueError, match="Unknown genre 'polka'"):
        ExplanationDisplay(EXPLANATION, genre="polka").plot()
    silent = Explanation(
        EXPLANATION.members,
        EXPLANATION.classes,
        EXPLANATION.feature_groups,
        np.full((1, 3, 2), np.nan),
        EXPLANATION.pair_intercept,
    )
    with pytest.raises(ValueError, match="has no sound"):
        ExplanationDisplay(silent).plot()
    assert plt.get_fignums() == []
