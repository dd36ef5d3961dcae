"""The command ``skgenre info``."""

from __future__ import annotations

import argparse
import json

from skgenre.cli._report import echo


def run(args: argparse.Namespace) -> int:
    """Print what a model file says of its model, without loading the model."""
    from skgenre.onnx import OnnxGenreModel, is_onnx_file
    from skgenre.persistence import model_card, read_model_info

    model = OnnxGenreModel(args.model) if is_onnx_file(args.model) else None
    info = read_model_info(args.model) if model is None else model.info_
    if args.card:
        echo(model_card(args.model if model is None else info))
    elif args.json:
        echo(json.dumps(info.to_dict(), indent=2, allow_nan=False))
    else:
        echo(repr(info).partition("\n")[2])
        if model is not None:
            echo(
                "- exported to ONNX: probabilities differ by at most "
                f"{model.largest_difference_:.2g} on the data of the comparison"
            )
    return 0
