"""The command ``skgenre info``."""

from __future__ import annotations

import argparse
import json
import os

from skgenre.cli._model import PRETRAINED, make_pretrained
from skgenre.cli._report import echo


def run(args: argparse.Namespace) -> int:
    """Print what a model file says of its model, without loading the model."""
    from skgenre.onnx import OnnxGenreModel, is_onnx_file
    from skgenre.persistence import ModelInfo, model_card, read_model_info

    exported = None
    if args.model in PRETRAINED and not os.path.exists(args.model):
        info = ModelInfo.of(make_pretrained(args.model))
    elif is_onnx_file(args.model):
        exported = OnnxGenreModel(args.model)
        info = exported.info_
    else:
        info = read_model_info(args.model)
    if args.card:
        echo(model_card(info))
    elif args.json:
        echo(json.dumps(info.to_dict(), indent=2, allow_nan=False))
    else:
        echo(repr(info).partition("\n")[2])
        if exported is not None:
            echo(
                "- exported to ONNX: probabilities differ by at most "
                f"{exported.largest_difference_:.2g} on the data of the comparison"
            )
    return 0
