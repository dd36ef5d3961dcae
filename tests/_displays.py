"""A small drawn display of each kind."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np

import skgenre
from skgenre.classifiers import Explanation, NodeReport

EXPLANATION = Explanation(
    members=("svc",),
    classes=np.array(["calm", "fast", "loud"]),
    feature_groups=["tempo", "mfcc"],
    # of two tracks: calm against fast, calm against loud, fast against loud
    pair_contributions=np.array(
        [[[0.5, 0.1], [-0.2, -0.7], [0.0, -0.4]], [[0, 1], [1, 0], [1, 1]]]
    ),
    pair_intercept=np.array([0.1, -0.3, 0.2]),
)

NODES = NodeReport(
    nodes=[
        {
            "path": "root",
            "n_tracks": 40,
            "accuracy": 0.9,
            "children": [
                {"name": "strong", "node": "strong", "genre": None},
                {"name": "mild", "node": None, "genre": "jazz"},
            ],
        },
        {
            "path": "strong",
            "n_tracks": 30,
            "accuracy": 0.2,
            "children": [
                {"name": "metal", "node": None, "genre": "metal"},
                {"name": "rock", "node": None, "genre": "rock"},
            ],
        },
    ],
    genres=[
        {"genre": "metal", "n_tracks": 30, "recall": 0.25, "expected": 0.18},
        {"genre": "rock", "n_tracks": 0, "recall": None, "expected": None},
        {"genre": "jazz", "n_tracks": 10, "recall": 0.95, "expected": 0.9},
    ],
    n_tracks=40,
    accuracy=0.425,
    expected=0.36,
)

_ARGUMENTS = {
    "TrainingHistoryDisplay": ({"accuracy": [0.2, 0.5], "loss": [2.0, 1.0]},),
    "SegmentTimelineDisplay": ([[0.9, 0.1], [0.3, 0.7]], ["calm", "loud"]),
    "AuditDisplay": (
        ["track-random", "artist-grouped"],
        {"track_accuracy": [[0.8, 0.7, 0.9], [0.5, 0.4, 0.6]]},
    ),
    "HierarchyDisplay": (NODES,),
    "ExplanationDisplay": (EXPLANATION,),
    "CoverageAccuracyDisplay": ([1, 2], [1.0, 0.5], [0.6, 0.9]),
}


def undrawn(name):
    """Return a display of a class that has not been drawn."""
    if name == "SearchCurveDisplay":
        scores = {("score", None): [[0.5, 0.7], [0.6, 0.8]]}
        return skgenre.SearchCurveDisplay([10, 20], scores, parameter="n_segments")
    return getattr(skgenre, name)(*_ARGUMENTS[name])


def drawn(name):
    """Return a display of a class, drawn on a figure that is closed."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    display = undrawn(name).plot()
    plt.close(display.figure_)
    return display
