"""Evaluation that can be trusted: protocols, the leakage audit, published splits."""

from skgenre.evaluation._audit import AuditResult, leakage_audit
from skgenre.evaluation._compare import Comparison, compare
from skgenre.evaluation._evaluate import evaluate
from skgenre.evaluation._result import EvaluationResult
from skgenre.evaluation._scorer import segment_accuracy_scorer
from skgenre.evaluation._splits import FaultFilteredSplit, StratifiedSplit

__all__ = [
    "AuditResult",
    "Comparison",
    "EvaluationResult",
    "FaultFilteredSplit",
    "StratifiedSplit",
    "compare",
    "evaluate",
    "leakage_audit",
    "segment_accuracy_scorer",
]
