"""Fitted models as ONNX files: exporting them with proof, and predicting from them."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from skgenre.onnx._export import export_onnx as export_onnx
    from skgenre.onnx._file import is_onnx_file as is_onnx_file
    from skgenre.onnx._model import OnnxGenreModel as OnnxGenreModel

# Predicting needs none of what exporting imports.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_export": ["export_onnx"],
        "_file": ["is_onnx_file"],
        "_model": ["OnnxGenreModel"],
    },
)
