"""The command ``skgenre fetch``."""

from __future__ import annotations

import argparse

from skgenre.cli._report import echo


def run(args: argparse.Namespace) -> int:
    """Get weights, and say where they are and what they were trained on."""
    from skgenre.embeddings import fetch_musicnn, load_weights

    paths = fetch_musicnn(args.weights, source=args.source, data_home=args.data_home)
    for path in paths.values():
        weights = load_weights(path)
        echo(f"{path}\n  licence: {weights.licence}.\n  trained on: {weights.training_data}.")
    return 0
