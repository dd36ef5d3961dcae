"""Each picture looks as it did when its baseline was looked at, on light and dark.

docs/contributing.md says how to draw the baselines anew.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from _displays import EXPLANATION, NODES, undrawn

from skgenre import (
    AuditDisplay,
    CNNGenreClassifier,
    CoverageAccuracyDisplay,
    ExplanationDisplay,
    HierarchyDisplay,
    LSTMGenreClassifier,
    SearchCurveDisplay,
    SegmentTimelineDisplay,
    TrainingHistoryDisplay,
)
from skgenre.plotting import plot_confusion

pytest.importorskip("pytest_mpl")

# matplotlib 3.11.0 to 3.11.2 draw the same pixels. 3.10 and 3.9, with another release of FreeType,
# set text of other widths, which moves everything. A missing point or label differs by 1.3 or more.
BASELINES_OF = "3.11"
TOLERANCE = 1
SETTINGS = {"text.hinting": "no_hinting", "font.family": "DejaVu Sans"}
OPTIONS = {
    "tolerance": TOLERANCE,
    "savefig_kwargs": {"dpi": 60, "metadata": {"Software": None}},
    "backend": "agg",
}

WAVE = 0.5 + 0.4 * np.sin(np.arange(12))
PROBA = np.column_stack([WAVE, (1 - WAVE) * 0.7, (1 - WAVE) * 0.3])
GENRES = ["calm", "loud", "odd"]
CLASSIFIERS = [
    CNNGenreClassifier(activation="relu"),
    CNNGenreClassifier(activation="tanh"),
    LSTMGenreClassifier(),
]


def search(hue=None):
    params = [{"classifier": c, "cut__n_segments": n} for c in CLASSIFIERS for n in (5, 10, 20)]
    scores = np.arange(len(params))
    results = {
        "params": params,
        "split0_test_score": 0.5 + 0.1 * np.sin(scores),
        "split1_test_score": 0.6 + 0.1 * np.cos(scores),
    }
    if hue is not None:
        return SearchCurveDisplay.from_cv_results(results, "n_segments", hue=hue)
    return SearchCurveDisplay.from_cv_results(results, "classifier", fixed={"n_segments": 10})


def history(shift, n_epochs):
    epochs = np.arange(n_epochs)
    accuracy = 0.2 + shift + 0.5 * (1 - np.exp(-epochs / 5))
    return {"accuracy": accuracy, "loss": 2 - 2 * accuracy, "val_accuracy": 0.8 * accuracy,
            "val_loss": 2 - accuracy}  # fmt: skip


def coverage():
    thresholds = np.linspace(0.3, 1, 60)
    shares = 1 - thresholds**3 * 0.8
    display = CoverageAccuracyDisplay(thresholds, shares, 1 - shares / 3, name="SVC").plot()
    votes, shares = np.arange(1, 8), 1 - np.arange(7) / 8
    return CoverageAccuracyDisplay(votes, shares, 0.9 - shares / 3, name="CNN").plot(display.ax_)


def audit():
    segments = [[0.89, 0.86, 0.92], [0.7, 0.66, 0.75], [0.55, 0.5, 0.6]]
    tracks = [[0.95, 0.92, 0.97], [0.8, 0.75, 0.85], [0.6, 0.55, 0.66]]
    return AuditDisplay(
        ["segment-random", "track-random", "artist-grouped"],
        {"segment_accuracy": segments, "track_accuracy": tracks},
        n_tracks=[100, 100, 90],
    ).plot(chance=0.1)


PICTURES = {
    "audit": audit,
    "confusion": lambda: plot_confusion(
        [[30, 5, 0], [2, 11, 7], [1, 0, 9]], GENRES, title="tracks"
    ),
    "coverage": coverage,
    "explanation": lambda: ExplanationDisplay(EXPLANATION, genre="calm").plot(),
    "explanation_heatmap": lambda: ExplanationDisplay(EXPLANATION).plot(kind="heatmap"),
    "hierarchy": lambda: HierarchyDisplay(NODES).plot(),
    "search_classifiers": search,
    "search_hue": lambda: search("classifier"),
    "search_numbers": lambda: undrawn("SearchCurveDisplay").plot(),
    "timeline": lambda: SegmentTimelineDisplay.from_predictions(
        PROBA, GENRES, segment_duration=2.5, name="song.wav"
    ),
    "timeline_areas": lambda: SegmentTimelineDisplay.from_predictions(PROBA, GENRES, kind="areas"),
    "training": lambda: TrainingHistoryDisplay.from_history(history(0, 9), name="CNN"),
    "training_folds": lambda: TrainingHistoryDisplay.from_history(
        [history(0, 12), history(0.1, 10), history(0.05, 12)], metrics="accuracy"
    ),
}


pytestmark = pytest.mark.skipif(
    mpl.__version__.rpartition(".")[0] != BASELINES_OF,
    reason=f"the baselines were drawn by matplotlib {BASELINES_OF}, and others move the text",
)


@pytest.fixture(autouse=True)
def pictures_are_compared(pytestconfig):
    assert pytestconfig.getoption("--mpl"), "without pytest-mpl's option nothing is compared"


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.mpl_image_compare(style=["default", SETTINGS], **OPTIONS)
def test_light(name):
    return PICTURES[name]().figure_


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.mpl_image_compare(style=["default", "dark_background", SETTINGS], **OPTIONS)
def test_dark(name):
    return PICTURES[name]().figure_
