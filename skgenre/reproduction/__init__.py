"""The experiments of the papers, run again: published figures beside measured ones."""

from skgenre.reproduction._experiments import Cell, Experiment, list_experiments
from skgenre.reproduction._reproduce import reproduce
from skgenre.reproduction._result import ReproductionResult

__all__ = ["Cell", "Experiment", "ReproductionResult", "list_experiments", "reproduce"]
