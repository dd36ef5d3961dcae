"""Precision and recall of find_duplicates, on a folder of real music.

``python -m benchmarks.duplicates FOLDER [--clips N | --scale N]``

Clips of the folder are encoded again (MP3 and Ogg Vorbis, at several qualities), cut to other
lengths and offsets, and searched together with the originals. A pair is right where it comes
from one clip; pairs among the originals are listed, to be checked by ear or by a table, and do
not count.

``--scale N`` measures time and memory of the comparison of N tracks of 30 s. Their codes are drawn
at random from those of some clips, with a tenth of the bits changed, so that common codes are as
common as in music; one track in a hundred is a copy of another that begins 5 s later, with another
tenth of the bits changed.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile

from benchmarks._peak import extra_peak
from skgenre import AudioLoader, find_duplicates, load_genre_folder
from skgenre.duplicates._fingerprint import fingerprint, n_frames_in
from skgenre.duplicates._matches import find_matches

# Name -> format, and compression, from 0 (most bits) to below 1.
_CODECS = {
    "MP3, best": ("MP3", 0.0),
    "MP3, middle": ("MP3", 0.6),
    "MP3, least": ("MP3", 0.99),
    "Ogg, best": ("OGG", 0.0),
    "Ogg, middle": ("OGG", 0.6),
    "Ogg, least": ("OGG", 0.99),
}
_CUTS = {"whole": (0.0, 40.0), "10 s": (7.313, 10.0), "5 s": (11.1, 5.0), "3.5 s": (12.57, 3.5)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--clips", type=int, default=40, help="clips that are encoded again")
    parser.add_argument("--scale", type=int, metavar="N", help="compare N tracks of random codes")
    args = parser.parse_args()
    originals = [str(path) for path in load_genre_folder(args.folder, on_error="skip").data]
    if args.scale:
        _compare_many(random.Random(0).sample(originals, min(20, len(originals))), args.scale)
        return
    chosen = random.Random(0).sample(range(len(originals)), args.clips)
    with tempfile.TemporaryDirectory() as folder:
        made = _encode([originals[row] for row in chosen], Path(folder))
        paths = originals + [path for path, *_ in made]
        source = list(range(len(originals))) + [chosen[number] for _, number, *_ in made]
        start = time.perf_counter()
        found = find_duplicates(paths, n_jobs=2)
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{len(paths)} tracks: {seconds:.0f} s, peak {peak:.0f} MB\n")
    _report(originals, made, source, [group.rows for group in found])


def _compare_many(clips: list[str], n_tracks: int) -> None:
    """Print time, peak memory and recall of the comparison of tracks made of random codes."""
    found = [fingerprint(clip, clip, duration=30, waveform_rate=22050) for clip in clips]
    material = np.concatenate([one.codes for one in found])
    rng = np.random.default_rng(0)
    n_frames, n_later, n_copies = n_frames_in(30), n_frames_in(5), n_tracks // 100
    peak = extra_peak()
    drawn = (rng.choice(material, n_frames) for _ in range(n_tracks - n_copies))
    tracks = [_changed(codes, rng) for codes in drawn]
    tracks += [_changed(codes[n_later:], rng) for codes in tracks[:n_copies]]
    active = [np.ones(len(track), dtype=bool) for track in tracks]
    start, cpu = time.perf_counter(), time.process_time()
    matches = find_matches(tracks, active, min_similarity=0.5, n_least=n_frames_in(3))
    pairs = {(match.first, match.second) for match in matches}
    copies = {(number, n_tracks - n_copies + number) for number in range(n_copies)}
    print(
        f"{n_tracks} tracks of 30 s compared: {time.perf_counter() - start:.0f} s, "
        f"{time.process_time() - cpu:.0f} s of a processor; extra peak memory, codes included, "
        f"{peak() / 1e6:.0f} MB, {peak() / n_tracks / 30:.0f} bytes a second of music. "
        f"{len(pairs & copies)} of {n_copies} copies found, {len(pairs - copies)} wrong pairs."
    )


def _changed(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change a tenth of the bits."""
    flips = rng.random((len(codes), 32), dtype=np.float32) < 0.1
    return codes ^ np.packbits(flips, axis=1, bitorder="little").view(np.uint32)[:, 0]


def _encode(clips: list[str], folder: Path) -> list[tuple[str, int, str, str]]:
    """Write each clip in all forms; return path, number of the clip, codec and cut."""
    made = []
    for number, clip in enumerate(clips):
        x = AudioLoader(sampling_rate=44100, duration=40, short="keep").transform([clip])[0]
        for codec, (form, level) in _CODECS.items():
            for cut, (begin, length) in _CUTS.items():
                part = np.asarray(x[int(begin * 44100) : int((begin + length) * 44100)])
                path = folder / f"{number}-{codec}-{cut}.{form.lower()}"
                soundfile.write(path, part, 44100, format=form, compression_level=level)
                made.append((str(path), number, codec, cut))
    return made


def _report(
    originals: list[str],
    made: list[tuple[str, int, str, str]],
    source: list[int],
    groups: list[list[int]],
) -> None:
    n = len(originals)
    group_of = {row: number for number, rows in enumerate(groups) for row in rows}
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row, (_, _, codec, cut) in enumerate(made, n):
        original = group_of.get(source[row], -1)
        found[codec][cut].append(group_of.get(row) == original)
    print("Recall: share of the clips that are in a group with their original.\n")
    print("| encoding | " + " | ".join(_CUTS) + " |\n" + "|---" * (1 + len(_CUTS)) + "|")
    for codec, by_cut in found.items():
        print(f"| {codec} | " + " | ".join(f"{np.mean(by_cut[cut]):.3f}" for cut in _CUTS) + " |")
    # Originals that are duplicates themselves make their clips duplicates of each other.
    known = {row: min(r for r in rows if r < n) for rows in groups for row in rows if min(rows) < n}
    pairs = [
        (one, other)
        for rows in groups
        for one, other in combinations(rows, 2)
        if one >= n or other >= n
    ]
    right = [source[one] == source[other] for one, other in pairs]
    also = [known.get(source[a]) == known.get(source[b]) for a, b in pairs]
    print(f"\nPairs with an encoded clip: {len(pairs)}; of one clip: {sum(right)}; of clips that")
    print(f"are duplicates of each other among the originals: {sum(also) - sum(right)}.")
    print("\nDuplicates among the originals:")
    for rows in groups:
        names = [Path(originals[row]).name for row in rows if row < n]
        if len(names) > 1:
            print("- " + ", ".join(names))


if __name__ == "__main__":
    main()
