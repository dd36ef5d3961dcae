"""The command ``skgenre info``."""

from __future__ import annotations

import argparse
import json
import os

from skgenre.cli._model import PRETRAINED, make_pretrained
from skgenre.cli._report import echo


def run(args: argparse.Namespace) -> int:
    """Print what a model file says of its model, without loading the model."""
    from skgenre.persistence import ModelInfo, model_card, read_model_info

    is_pretrained = args.model in PRETRAINED and not os.path.exists(args.model)
    model = make_pretrained(args.model) if is_pretrained else args.model
    if args.card:
        echo(model_card(model))
        return 0
    info = ModelInfo.of(model) if is_pretrained else read_model_info(model)
    if args.json:
        echo(json.dumps(info.to_dict(), indent=2, allow_nan=False))
    else:
        echo(repr(info).partition("\n")[2])
    return 0
