"""Plots of trainings, tracks, audits and searches, in the style of scikit-learn's displays."""

from skgenre.plotting._audit import AuditDisplay
from skgenre.plotting._confusion import plot_confusion
from skgenre.plotting._coverage_accuracy import CoverageAccuracyDisplay
from skgenre.plotting._explanation import ExplanationDisplay
from skgenre.plotting._hierarchy import HierarchyDisplay
from skgenre.plotting._search_curve import SearchCurveDisplay
from skgenre.plotting._segment_timeline import SegmentTimelineDisplay
from skgenre.plotting._training_history import TrainingHistoryDisplay

__all__ = [
    "AuditDisplay",
    "CoverageAccuracyDisplay",
    "ExplanationDisplay",
    "HierarchyDisplay",
    "SearchCurveDisplay",
    "SegmentTimelineDisplay",
    "TrainingHistoryDisplay",
    "plot_confusion",
]
