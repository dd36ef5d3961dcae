"""GenreClassifier on many tracks: time, memory and accuracy, landmarks against the exact machine.

``python -m benchmarks.learning_from_many [--short] [--tracks N] [--exact]``

The features are drawn, not computed from music: 20 genres of three styles each, four tracks an
artist, in the columns and groups of ClipFeatures. Accuracy is that on 2000 tracks of artists that
are not in training. Each fit runs in a process of its own, whose peak memory includes Python, all
libraries and the table of features itself. ``--tracks N`` measures one number of tracks only, and
``--exact`` the exact machine instead of landmarks.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks._measure import Row, environment, shown_time, table
from skgenre import ClipFeatures, GenreClassifier
from skgenre.classifiers import _members

N_GENRES, N_STYLES, TRACKS_PER_ARTIST = 20, 3, 4
# Numbers that describe a track; each feature group is made of some of them.
N_LATENT, N_LATENT_IN_GROUP = 48, 16
N_TEST = 2000
# The numbers of tracks, and the largest at which the exact machine is measured beside landmarks.
TRACKS, MAX_COMPARED = (2000, 5000, 10_000, 30_000, 100_000), 5000


@dataclass(frozen=True)
class Result:
    """Costs of a fit, and how right its predictions of other artists are."""

    wall: float
    cpu: float
    peak: float
    predict: float
    accuracy: float
    log_loss: float


def catalogue(n_tracks: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the table of the front end, the genres and the artists of some tracks.

    Parameters
    ----------
    n_tracks : int
        Number of tracks.
    seed : int
        Decides artists and tracks. Genres and columns are the same for all seeds.

    Returns
    -------
    X : ndarray of shape (n_tracks, n_columns), float32
        Columns of ClipFeatures, and a last one for sound.
    genres, artists : ndarray of shape (n_tracks,)
        Numbers of the genres, the last twice as frequent as the first, and of the artists.
    """
    world = np.random.default_rng(12345)
    groups = ClipFeatures().get_feature_groups_out()
    styles = 0.5 * world.normal(size=(N_GENRES, 1, N_LATENT))
    styles = styles + 0.7 * world.normal(size=(N_GENRES, N_STYLES, N_LATENT))
    mixing = world.normal(size=(N_LATENT, len(groups)))
    for group in np.unique(groups):
        others = world.permutation(N_LATENT)[N_LATENT_IN_GROUP:]
        mixing[np.ix_(others, np.flatnonzero(groups == group))] = 0
    mixing = (mixing / np.linalg.norm(mixing, axis=0)).astype(np.float32)
    rng = np.random.default_rng(seed)
    n_artists = -(-n_tracks // TRACKS_PER_ARTIST)
    shares = np.linspace(1, 2, N_GENRES)
    genre_of = rng.choice(N_GENRES, n_artists, p=shares / shares.sum())
    center_of = styles[genre_of, rng.integers(N_STYLES, size=n_artists)]
    center_of += rng.normal(size=center_of.shape)
    artists = rng.permutation(np.repeat(np.arange(n_artists), TRACKS_PER_ARTIST)[:n_tracks])
    X = np.ones((n_tracks, len(groups) + 1), dtype=np.float32)
    skewed = np.arange(len(groups)) % 3 == 0  # as deviations are
    for start in range(0, n_tracks, 1000):
        rows = slice(start, start + 1000)
        latent = center_of[artists[rows]] + rng.normal(size=(len(artists[rows]), N_LATENT))
        values = latent.astype(np.float32) @ mixing
        values += np.float32(0.7) * rng.standard_normal(values.shape, dtype=np.float32)
        X[rows, :-1] = np.where(skewed, np.exp(values / 2), values)
    return X, genre_of[artists], artists


def run(n_tracks: int, exact: bool) -> Result:
    """Fit and measure in this process."""
    _members.MAX_EXACT = sys.maxsize if exact else 0
    X, genres, artists = catalogue(n_tracks, seed=0)
    unseen, expected, _ = catalogue(min(N_TEST, n_tracks), seed=1)
    model = GenreClassifier(n_excerpts=0, precomputed=True, random_state=0)
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(X, genres, groups=artists)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    start = time.process_time()
    proba = model.predict_proba(unseen)
    predict = (time.process_time() - start) / len(unseen)
    codes = np.searchsorted(model.classes_, expected)
    unit = 1 if sys.platform == "darwin" else 1024
    return Result(
        wall,
        cpu,
        unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        predict,
        float((proba.argmax(axis=1) == codes).mean()),
        float(-np.log(proba[np.arange(len(codes)), codes]).mean()),
    )


def measure(n_tracks: int, exact: bool) -> Result:
    """Fit and measure in a new process."""
    command = [sys.executable, "-m", "benchmarks.learning_from_many", "--tracks", str(n_tracks)]
    done = subprocess.run(
        [*command, "--json", *(["--exact"] if exact else [])],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the fit of {n_tracks} tracks failed; see above")
    return Result(**json.loads(done.stdout))


def learning_from_many(short: bool) -> list[Row]:
    """Measure all numbers of tracks; the short form fails where landmarks are much less right."""
    rows = []
    for n_tracks in (600,) if short else TRACKS:
        ours = run(n_tracks, exact=False) if short else measure(n_tracks, exact=False)
        theirs = None
        if short or n_tracks <= MAX_COMPARED:
            theirs = run(n_tracks, exact=True) if short else measure(n_tracks, exact=True)
        rows.append(_row(n_tracks, ours, theirs))
        if short and theirs is not None and ours.accuracy < theirs.accuracy - 0.05:
            raise SystemExit(f"accuracy {ours.accuracy:.3f}, exact {theirs.accuracy:.3f}")
    return rows


def _row(n_tracks: int, ours: Result, theirs: Result | None = None) -> Row:
    return Row(
        f"fit of {n_tracks} tracks",
        _shown(ours),
        "the exact machine" if theirs else "",
        _shown(theirs) if theirs else "",
        f"{theirs.cpu / ours.cpu:.1f}" if theirs else "",
    )


def _shown(result: Result) -> str:
    return (
        f"{shown_time(result.cpu)} CPU, {shown_time(result.wall)}, {result.peak / 1e9:.2f} GB, "
        f"accuracy {result.accuracy:.3f}, log loss {result.log_loss:.3f}, "
        f"{shown_time(result.predict)} CPU a prediction"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="small sizes, as in CI")
    parser.add_argument("--tracks", type=int, help="measure this number of tracks only")
    parser.add_argument("--exact", action="store_true", help="the exact machine, with --tracks")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tracks is None:
        print(f"{environment()}\n\n{table(learning_from_many(args.short))}")
        return
    result = run(args.tracks, args.exact)
    print(json.dumps(asdict(result)) if args.json else table([_row(args.tracks, result)]))


if __name__ == "__main__":
    main()
