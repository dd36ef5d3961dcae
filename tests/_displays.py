"""A small drawn display of each kind."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np

import skgenre
from skgenre.classifiers import Explanation

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

_ARGUMENTS = {
    "TrainingHistoryDisplay": ({"accuracy": [0.2, 0.5], "loss": [2.0, 1.0]},),
    "SegmentTimelineDisplay": ([[0.9, 0.1], [0.3, 0.7]], ["calm", "loud"]),
    "AuditDisplay": (
        ["track-random", "artist-grouped"],
        {"track_accuracy": [[0.8, 0.7, 0.9], [0.5, 0.4, 0.6]]},
    ),
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
