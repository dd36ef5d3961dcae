"""Model files of both formats: those of skgenre.save, and ONNX files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skgenre.persistence import ModelInfo


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a model file."""
    from skgenre.onnx import OnnxGenreModel, is_onnx_file
    from skgenre.persistence import load

    return OnnxGenreModel(path) if is_onnx_file(path) else load(path)


def read_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Read what a model file says of its model."""
    from skgenre.onnx import OnnxGenreModel, is_onnx_file
    from skgenre.persistence import read_model_info

    return OnnxGenreModel(path).info_ if is_onnx_file(path) else read_model_info(path)
