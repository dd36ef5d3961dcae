"""Evaluation under named protocols: folds, metrics, the leakage audit, comparisons."""

from skgenre.evaluation._audit import AuditResult, leakage_audit
from skgenre.evaluation._changes import AnswerChanges, compare_answers
from skgenre.evaluation._compare import Comparison, compare
from skgenre.evaluation._evaluate import evaluate
from skgenre.evaluation._folds import FoldResult, iter_folds
from skgenre.evaluation._metrics import precision_at_k, segment_accuracy_scorer
from skgenre.evaluation._protocols import Splits, make_splits
from skgenre.evaluation._published_splits import FaultFilteredSplit, StratifiedSplit
from skgenre.evaluation._results import EvaluationResult
from skgenre.evaluation._search_table import SearchTable, search_table
from skgenre.evaluation._task import EvaluationTask, unpack_dataset

__all__ = [
    "AnswerChanges",
    "AuditResult",
    "Comparison",
    "EvaluationResult",
    "EvaluationTask",
    "FaultFilteredSplit",
    "FoldResult",
    "SearchTable",
    "Splits",
    "StratifiedSplit",
    "compare",
    "compare_answers",
    "evaluate",
    "iter_folds",
    "leakage_audit",
    "make_splits",
    "precision_at_k",
    "search_table",
    "segment_accuracy_scorer",
    "unpack_dataset",
]
