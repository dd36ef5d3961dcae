"""Measure how alike the nearest tracks are, and how long a search takes.

``python -m benchmarks.similarity FOLDER [--memory FOLDER]`` prints the precision at 5: the share of
the five nearest tracks that have the genre of the track, among tracks by other artists and among
all, with 95 % intervals by bootstrap over artists, and the precision of each genre. ``--embeddings
mtt`` adds the features of a pretrained network.

``python -m benchmarks.similarity --time [--tracks 20000]`` searches random tables of the size of
``ClipFeatures`` for the neighbours of 1, 1000 and all tracks, and prints CPU times and peak memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from typing import Any

import numpy as np

from skgenre import ClipFeatures, GenreClassifier, SimilarTracks, load_genre_folder, precision_at_k
from skgenre.evaluation._metrics import bootstrap_weights, interval


def measure_precision(folder: str, memory: str, embeddings: str | None) -> None:
    music = load_genre_folder(folder)
    y, artists = np.asarray(music.target), np.asarray(music.artists)
    front_end, _ = GenreClassifier(
        n_excerpts=0, embeddings=embeddings, memory=memory, n_jobs=-1
    ).split_front_end()
    model = SimilarTracks(front_end=front_end, random_state=0).fit(music.data, groups=artists)
    weights = bootstrap_weights(artists, 2000, seed=0)
    genres = np.unique(y)
    print(f"{len(y)} tracks, {len(genres)} genres, {len(set(artists))} artists; precision at 5:")
    head = ["neighbours", "all tracks", "mean of genres", *genres]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for other_artists in (True, False):
        indices = model.set_params(other_artists=other_artists).kneighbors(return_distance=False)
        of_track = ((y[indices] == y[:, np.newaxis]) & (indices >= 0)).mean(axis=1)
        low, high = interval(weights @ of_track / weights.sum(axis=1))
        cells = [
            "by other artists" if other_artists else "by all artists",
            f"{precision_at_k(indices, y):.3f} ({low:.3f} to {high:.3f})",
            f"{precision_at_k(indices, y, average='genres'):.3f}",
            *(f"{value:.3f}" for value in precision_at_k(indices, y, average=None)),
        ]
        print(f"| {' | '.join(cells)} |")


def peak() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_time(n_tracks: int) -> None:
    labels = ClipFeatures().get_feature_groups_out()
    table = np.random.default_rng(0).standard_normal((n_tracks, len(labels)), dtype=np.float32)
    before = peak()
    print(
        f"{n_tracks} tracks, a table of {table.nbytes / 2**20:.0f} MB; CPU times, and peak memory"
    )
    model: Any = SimilarTracks(front_end="passthrough", feature_groups=labels, random_state=0)
    tasks = {
        "fit": lambda: model.fit(table),
        "neighbours of 1 track": lambda: model.kneighbors(table[:1]),
        "neighbours of 1000 tracks": lambda: model.kneighbors(table[:1000]),
        f"neighbours of {n_tracks} tracks": lambda: model.kneighbors(),
    }
    for name, task in tasks.items():
        start = time.process_time()
        task()
        seconds = time.process_time() - start
        print(f"{name}: {seconds:.1f} s, {peak() - before:.0f} MB above the table", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--memory", default=tempfile.mkdtemp(), help="folder that caches features")
    parser.add_argument("--embeddings", metavar="WEIGHTS", help="msd or mtt")
    parser.add_argument("--time", action="store_true", help="measure times on random tables")
    parser.add_argument("--tracks", type=int, default=20_000)
    args = parser.parse_args()
    if args.time:
        measure_time(args.tracks)
    elif args.folder is None:
        parser.error("give a folder of music, or --time")
    else:
        measure_precision(args.folder, args.memory, args.embeddings)


if __name__ == "__main__":
    main()
