"""The command ``skgenre info``."""

from __future__ import annotations

import argparse
import json

from skgenre.cli._report import echo


def run(args: argparse.Namespace) -> int:
    """Print what a model file says of its model, without loading the model."""
    from skgenre.persistence import model_card, read_model_info

    if args.card:
        echo(model_card(args.model))
    elif args.json:
        echo(json.dumps(read_model_info(args.model).to_dict(), indent=2, allow_nan=False))
    else:
        echo(repr(read_model_info(args.model)).partition("\n")[2])
    return 0
