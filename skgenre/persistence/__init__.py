"""Model files that hold data only: saving and loading fitted models without pickle."""

from skgenre.persistence._model_file import load, save

__all__ = ["load", "save"]
