"""Model files that hold data only: saving, loading and describing fitted models."""

from skgenre.persistence._model_card import model_card
from skgenre.persistence._model_file import load, read_model_info, save
from skgenre.persistence._model_info import ModelInfo, show_versions
from skgenre.persistence._trusted import trusted_types

__all__ = [
    "ModelInfo",
    "load",
    "model_card",
    "read_model_info",
    "save",
    "show_versions",
    "trusted_types",
]
