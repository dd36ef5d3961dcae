"""The command ``skgenre duplicates``."""

from __future__ import annotations

import argparse
import json

from skgenre.cli._output import check_output, write_output
from skgenre.cli._report import Share, echo


def run(args: argparse.Namespace) -> int:
    """Find duplicates, and print them group by group."""
    from skgenre.catalogue import find_paths
    from skgenre.duplicates import find_duplicates

    output = check_output(args)
    paths = find_paths(args.files).paths
    if not paths:
        raise ValueError(f"There is no audio file in {', '.join(args.files)}.")
    found = find_duplicates(
        paths,
        min_similarity=args.min_similarity,
        min_overlap=args.min_overlap,
        duration=args.duration,
        on_error="skip",
        n_jobs=args.jobs,
    )
    if args.json:
        echo(json.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        for group in found:
            echo(f"{group.kind}, similarity {Share(group.similarity)}")
            for track in group.tracks:
                echo(f"  {track}")
        echo(
            f"{found.n_tracks} tracks: {len(found)} recordings are there more than once; "
            f"{len(found.surplus)} tracks more than needed."
        )
    write_output(output, found)
    return 1 if found.skipped else 0
