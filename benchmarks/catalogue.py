"""Measure ``skgenre predict --output`` on a tree of artists and albums, and kill it at random.

The tree has synthetic music in eight formats, cut from a few tracks of ``make_genres``. Printed are
files a second and peak memory by 1 and 2 jobs, and the size of the records; then whether a run
that is killed ten times and resumed writes the records of an undisturbed one; the time of tracks
of four minutes; the peak memory for thousands of files with features, which are hard links to 16
short ones; and that for 100 000 such files with a classifier that computes nothing, new and
resumed. ``--short`` does all that with few files, as in CI. Only wrong records fail.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from sklearn.base import BaseEstimator, ClassifierMixin

from benchmarks._measure import environment
from skgenre import GenreClassifier, make_genres, predict_files, save
from skgenre.catalogue import open_records, read_list, read_records

_RATE = 48000
_ENDINGS = ("wav", "flac", "ogg", "opus", "mp3", "aiff", "au", "m4a")
_GENRES = ["dub", "swing"]
_KILLS = 10
_CATALOGUE = 100_000  # files
_MB = 2**20
_PARTS = ("tree", "long", "many", "large")


def write_file(path: Path, wave: Any) -> None:
    """Write a wave of shape (n_samples,) or (n_samples, 2) in the format of the ending."""
    if path.suffix == ".m4a":
        layout = "mono" if wave.ndim == 1 else "stereo"
        with av.open(str(path), "w", format="ipod") as container:
            stream = container.add_stream("aac", rate=_RATE, layout=layout)
            planes = np.ascontiguousarray(np.atleast_2d(wave.T), dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
            frame.sample_rate = _RATE
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
    else:
        options = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, wave, _RATE, **options)


def make_tree(folder: Path, n_files: int, duration: float) -> None:
    """Write artist/album/track, eight tracks an album and four albums an artist."""
    music = make_genres(
        4, genres=_GENRES, duration=2 * duration, sampling_rate=_RATE, random_state=0
    )
    rng = np.random.default_rng(0)
    n_samples = int(duration * _RATE)
    for number in range(n_files):
        album = folder / f"Artist {number // 32:03}" / f"Album {number // 8:04}"
        album.mkdir(parents=True, exist_ok=True)
        start = rng.integers(n_samples)
        wave = np.asarray(music.data[number % len(music.data)])[start : start + n_samples]
        ending = _ENDINGS[number % len(_ENDINGS)]
        write_file(album / f"{number:05} Track.{ending}", wave * rng.uniform(0.3, 0.9))


def make_model(folder: Path, duration: float) -> Path:
    """Train the default GenreClassifier on other tracks, and save it."""
    music = make_genres(8, genres=_GENRES, duration=duration, path=folder / "music", random_state=1)
    model = GenreClassifier(random_state=0).fit(music.data, music.target, groups=music.artists)
    return save(model, folder / "model.skgenre", y=music.target)


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a module of Python from the root of the repository."""
    root = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        stderr=subprocess.DEVNULL,
        cwd=root,
        env=environ,
        **options,
    )


@dataclass(frozen=True)
class Cost:
    """Seconds and seconds of processors, and peak memory in MB."""

    seconds: float
    cpu: float
    peak: float


def measure(command: Sequence[str], **options: Any) -> Cost:
    """Run a command to its end."""
    begin = time.perf_counter()
    process = start(command, **options)
    peak, pid = 0.0, 0
    while not pid:
        # The peak in the usage of a child starts with the memory of the process that forked it.
        peak = max(peak, high_water(process.pid))
        time.sleep(0.02)
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(time.perf_counter() - begin, cpu, peak / _MB)


def high_water(pid: int) -> float:
    """Return the peak memory of a process so far, in bytes; 0 if the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = [1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return found[0] if found else 0.0


def values(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file, without times."""
    return [{**found.to_dict(), "seconds": None} for found in read_records(path)]


def check_kills(command: list[str], output: Path, n_files: int) -> int:
    """Kill a run at random moments, and resume it to the end; return the number of kills."""
    rng = np.random.default_rng(0)
    kills = 0
    for number in range(_KILLS):
        process = start([*command, "--output", str(output), "--resume"])
        # At a moment of the first part of what is left, on average enough for all kills.
        done = len(values(output)) if output.exists() else 0
        goal = done + rng.integers(1, max(2, 2 * (n_files - done) // (_KILLS - number + 1)))
        while process.poll() is None and (not output.exists() or lines(output) < goal):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += process.returncode == -signal.SIGKILL
    measure([*command, "--output", str(output), "--resume"])
    return kills


def lines(path: Path) -> int:
    """Return the number of complete records."""
    return path.read_bytes().count(b"\n")


class Stub(ClassifierMixin, BaseEstimator):
    """A classifier that answers without listening."""

    classes_ = np.array(_GENRES)

    def predict_proba(self, X: Any) -> Any:
        """Return the same probabilities for any file."""
        return np.array([[0.7, 0.3]])


def predict_stub(output: str) -> None:
    """Record the files that standard input lists, as the command does."""
    with open_records(output, Stub.classes_, resume=True) as records:
        found = predict_files(Stub(), read_list(sys.stdin.buffer), skip=records.is_recorded)
        for prediction in found:
            records.write(prediction)


def make_links(folder: Path, n_files: int) -> tuple[Path, Path]:
    """Make many hard links to few files; return their folder, and a file that lists them."""
    make_tree(folder / "few", 16, 0.5)
    few = sorted(path for path in (folder / "few").rglob("*") if path.is_file())
    links = folder / "links"
    links.mkdir()
    listed = folder / "list.txt"
    with open(listed, "w", encoding="utf-8") as stream:
        for number in range(n_files):
            source = few[number % len(few)]
            link = links / f"Artist {number // 32:04} - Track {number:06}{source.suffix}"
            os.link(source, link)
            stream.write(f"{link}\n")
    return links, listed


def measure_many(folder: Path, model: Path, n_files: int) -> None:
    """Print the memory of runs with features over some files, and over ten times as many."""
    for number in (n_files // 10, n_files):
        part = folder / f"many{number}"
        links, _ = make_links(part, number)
        output = part / "many.jsonl"
        command = ["skgenre", "predict", str(model), str(links), "--output", str(output)]
        cost = measure(command)
        if lines(output) != number:
            raise SystemExit(f"{lines(output)} records of {number} files")
        print(
            f"| {number} files of 0.5 s, 1 job | {cost.seconds:.0f} s | {cost.cpu:.0f} s | "
            f"{number / cost.seconds:.1f} | {cost.peak:.0f} MB | "
            f"{output.stat().st_size / number:.0f} bytes a record |",
            flush=True,
        )


def measure_large(folder: Path, n_files: int) -> None:
    """Print the memory of a new and of a resumed run over many hard links to few files."""
    _, listed = make_links(folder, n_files)
    output = folder / "large.jsonl"
    for run in ("new", "resumed"):
        with open(listed, "rb") as stream:
            command = ["benchmarks.catalogue", "--stub", str(output)]
            cost = measure(command, stdin=stream)
        if lines(output) != n_files or cost.peak > 1000:
            raise SystemExit(f"{lines(output)} records of {n_files} files, {cost.peak:.0f} MB")
        print(
            f"| {n_files} files, no features, {run} | {cost.seconds:.0f} s | {cost.cpu:.0f} s | "
            f"| {cost.peak:.0f} MB | "
            f"{output.stat().st_size / _MB:.1f} MB of records |",
            flush=True,
        )


def measure_long(folder: Path, model: Path, n_files: int, duration: float) -> None:
    """Print the time a track of long stereo MP3 files, and what it means for a catalogue."""
    music = make_genres(
        1, genres=_GENRES, duration=min(duration, 60), sampling_rate=_RATE, random_state=2
    )
    long = folder / "long"
    long.mkdir()
    for number in range(n_files):
        wave = np.roll(np.asarray(music.data[number % 2]), number * _RATE)
        wave = np.resize(wave, int(duration * _RATE))
        write_file(long / f"{number}.mp3", np.stack([wave, 0.5 * wave], axis=1))
    for jobs in (1, 2):
        output = folder / f"long{jobs}.jsonl"
        command = ["skgenre", "predict", str(model), str(long), "--output", str(output)]
        cost = measure([*command, "--jobs", str(jobs)])
        # A second run only starts and compares digests.
        start_up = measure([*command, "--jobs", str(jobs), "--resume"])
        rate = n_files / max(cost.seconds - start_up.seconds, 1e-3)
        cpu = (cost.cpu - start_up.cpu) / n_files
        print(
            f"| {n_files} MP3 of {duration:g} s, stereo, {jobs} jobs | {cost.seconds:.0f} s | "
            f"{cost.cpu:.0f} s | {rate:.2f} | {cost.peak:.0f} MB | "
            f"{cpu:.2f} s of a processor each; 100 000: {_CATALOGUE / rate / 3600:.0f} h, "
            f"{_CATALOGUE * cpu / 3600:.0f} h of a processor |",
            flush=True,
        )


def measure_tree(folder: Path, model: Path, n_files: int, duration: float) -> None:
    """Print the speed by 1 and 2 jobs, and exit if records differ, also after kills."""
    tree = folder / "tree"
    make_tree(tree, n_files, duration)
    command = ["skgenre", "predict", str(model), str(tree)]
    for jobs in (1, 2):
        output = folder / f"jobs{jobs}.jsonl"
        cost = measure([*command, "--jobs", str(jobs), "--output", str(output)])
        print(
            f"| {n_files} files of {duration:g} s, {jobs} jobs | {cost.seconds:.0f} s | "
            f"{cost.cpu:.0f} s | {n_files / cost.seconds:.1f} | {cost.peak:.0f} MB | "
            f"{output.stat().st_size / n_files:.0f} bytes a record |",
            flush=True,
        )
    killed = folder / "killed.jsonl"
    kills = check_kills([*command, "--jobs", "2"], killed, n_files)
    paths = [record["path"] for record in values(killed)]
    if not values(folder / "jobs1.jsonl") == values(folder / "jobs2.jsonl") == values(killed):
        raise SystemExit("records differ between 1 job, 2 jobs and a run that was killed")
    if len(set(paths)) != len(paths) or len(paths) != n_files:
        raise SystemExit(f"{len(paths)} records of {len(set(paths))} files, not {n_files}")
    print(f"| killed {kills} times and resumed | | | | | records equal, none twice |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="small sizes, as in CI")
    parser.add_argument("--files", type=int, metavar="N", help="in the tree (default: 2000)")
    parser.add_argument("--long", type=int, default=20, metavar="N", help="tracks of four minutes")
    parser.add_argument("--many", type=int, default=10_000, metavar="N", help="with features")
    parser.add_argument("--duration", type=float, default=3.0, help="of each, in seconds")
    parser.add_argument(
        "--parts", nargs="+", default=_PARTS, choices=_PARTS, help="what to measure (default: all)"
    )
    parser.add_argument("--stub", metavar="OUTPUT", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stub:
        predict_stub(args.stub)
        return
    print(environment(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = make_model(folder, args.duration) if set(args.parts) != {"large"} else folder
        print("| run | time | processors | files a second | peak memory | |")
        print("|---|---|---|---|---|---|", flush=True)
        if "tree" in args.parts:
            measure_tree(folder, model, args.files or (16 if args.short else 2000), args.duration)
        if "long" in args.parts:
            measure_long(folder, model, *((2, 5.0) if args.short else (args.long, 240.0)))
        if "many" in args.parts:
            measure_many(folder, model, 40 if args.short else args.many)
        if "large" in args.parts:
            measure_large(folder, 200 if args.short else _CATALOGUE)


if __name__ == "__main__":
    main()
