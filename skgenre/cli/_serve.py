"""The command ``skgenre serve``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from skgenre.cli._model import identify_model, load_model
from skgenre.cli._report import echo
from skgenre.utils._extras import check_installed


def run(args: argparse.Namespace) -> int:
    """Serve a model until the process is interrupted."""
    check_installed("skgenre serve needs", "web", "gradio")
    from skgenre.web import GenreService, Limits, serve

    limits = Limits(
        max_megabytes=args.max_megabytes,
        max_duration=60 * args.max_minutes,
        max_files=args.max_files,
        max_waiting=args.max_waiting,
        n_jobs=(os.cpu_count() or 1) if args.jobs == -1 else args.jobs or 1,
        keep_minutes=args.keep_minutes,
    )
    model = load_model(args.model, trust_pickle=args.trust_pickle)
    min_confidence = args.min_confidence
    if args.min_accuracy is not None:
        from skgenre.catalogue import read_info

        min_confidence = read_info(args.model).min_confidence(args.min_accuracy)
    service = GenreService(
        model,
        catalogue=None if args.catalogue is None else _load_catalogue(args.catalogue, limits),
        min_confidence=min_confidence,
        model_id=identify_model(args.model),
        limits=limits,
    )
    if args.host not in ("127.0.0.1", "::1", "localhost"):
        echo(
            f"skgenre: warning: every machine that can reach {args.host} can use this server; it "
            "asks for no password.",
            sys.stderr,
        )
    serve(service, host=args.host, port=args.port, ready=_announce)
    return 0


def _announce(address: str) -> None:
    echo(f"Serving at {address} until Ctrl-C.")
    sys.stdout.flush()


def _load_catalogue(path: str, limits: Any) -> Any:
    """Load a SimilarTracks, or make one of a folder of music."""
    from skgenre.similarity import SimilarTracks

    if not os.path.isdir(path):
        from skgenre.persistence import load

        catalogue = load(path)
        if not isinstance(catalogue, SimilarTracks):
            raise ValueError(
                f"--catalogue: {path} holds a {type(catalogue).__name__}; give a folder of music, "
                "or a file with a fitted SimilarTracks."
            )
        return catalogue
    from skgenre.catalogue import find_paths

    paths = find_paths([path]).paths
    if len(paths) < 2:
        raise ValueError(
            f"--catalogue: {path} has {len(paths)} audio files; two or more are needed."
        )
    echo(f"Extracting features of the {len(paths)} tracks of {path}.", sys.stderr)
    return SimilarTracks(n_jobs=limits.n_jobs, random_state=0).fit(paths)
