"""The command ``skgenre export``."""

from __future__ import annotations

import argparse
import os

from skgenre.cli._model import check_destination, load_model
from skgenre.cli._report import echo


def run(args: argparse.Namespace) -> int:
    """Export a model to an ONNX file."""
    from skgenre.onnx import OnnxGenreModel, export_onnx, is_onnx_file
    from skgenre.persistence import read_model_info

    target = check_destination(args.out, force=args.force)
    model = load_model(args.model, trust_pickle=args.trust_pickle)
    is_archive = False
    if os.path.exists(args.model):  # else the name of a pretrained network
        if target.exists() and target.samefile(args.model):
            raise ValueError(
                f"{args.out} is the model itself, of which an ONNX file keeps only a part; give "
                "another name."
            )
        if is_onnx_file(args.model):
            raise ValueError(f"{args.model} is an ONNX file already.")
        with open(args.model, "rb") as stream:
            is_archive = stream.read(2) == b"PK"
    export_onnx(
        model,
        args.out,
        front_end=args.front_end,
        sample=args.sample,
        info=read_model_info(args.model) if is_archive else None,
    )
    difference = OnnxGenreModel(args.out).largest_difference_
    echo(
        f"Wrote {args.out}. Its probabilities differ from the model's by at most {difference:.2g}."
    )
    return 0
