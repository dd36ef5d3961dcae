"""Evaluation under named protocols: folds, metrics, the leakage audit, comparisons."""

from skgenre.evaluation._audit import AuditResult, leakage_audit
from skgenre.evaluation._compare import Comparison, compare
from skgenre.evaluation._evaluate import evaluate
from skgenre.evaluation._folds import FoldResult, iter_folds
from skgenre.evaluation._metrics import precision_at_k, segment_accuracy_scorer
from skgenre.evaluation._protocols import Splits, make_splits
from skgenre.evaluation._published_splits import FaultFilteredSplit, StratifiedSplit
from skgenre.evaluation._results import EvaluationResult
from skgenre.evaluation._task import EvaluationTask, unpack_dataset

__all__ = [
    "AuditResult",
    "Comparison",
    "EvaluationResult",
    "EvaluationTask",
    "FaultFilteredSplit",
    "FoldResult",
    "Splits",
    "StratifiedSplit",
    "compare",
    "evaluate",
    "iter_folds",
    "leakage_audit",
    "make_splits",
    "precision_at_k",
    "segment_accuracy_scorer",
    "unpack_dataset",
]
