"""Cold start of the command line: from starting the process to the genre of one file.

``python -m benchmarks.cold_start [--model MODEL] [--file FILE] [--runs N] [PYTHON[:TREE] ...]``

Each ``PYTHON[:TREE]`` is the Python of an environment, with the skgenre that is installed there or
with that of a checkout; without any, it is this Python. The commands take turns, so that a busy
machine slows all of them equally. Beside them runs the import of the parts of scikit-learn that
``GenreClassifier`` consists of: no prediction with it can be faster.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from statistics import median

_FLOOR = "import sklearn.pipeline, sklearn.preprocessing, sklearn.svm"


def _make_inputs(folder: str) -> tuple[str, str]:
    from skgenre import GenreClassifier, make_genres, save

    genres = ["dub", "swing", "thrash"]
    music = make_genres(10, genres=genres, duration=30.0, path=f"{folder}/music", random_state=0)
    model = GenreClassifier(random_state=0).fit(music.data, music.target, groups=music.artists)
    return str(save(model, f"{folder}/model.skgenre")), music.data[0]


def _run(command: list[str], env: dict[str, str]) -> tuple[float, float, bytes]:
    """Return the time that passed, the time of the processor, and the output."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    out = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, cpu, out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model")
    parser.add_argument("--file")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("pythons", nargs="*", default=[sys.executable], metavar="PYTHON[:TREE]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, file = (args.model, args.file) if args.model else _make_inputs(folder)
        # Byte code is kept, as it is where a package is installed.
        base = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        commands: dict[str, tuple[list[str], dict[str, str]]] = {}
        for entry in args.pythons:
            python, _, tree = entry.partition(":")
            env = {**base, "PYTHONPYCACHEPREFIX": f"{folder}/byte_code"}
            env |= {"PYTHONPATH": tree} if tree else {}
            predict = [python, "-m", "skgenre", "predict", model, file]
            commands[f"skgenre predict, {entry}"] = predict, env
            commands[f"imports of scikit-learn, {python}"] = [python, "-c", _FLOOR], env
        answers = {name: _run(*command)[2] for name, command in commands.items()}  # a warm-up
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(args.runs):
            for name, command in commands.items():
                wall, cpu, _ = _run(*command)
                times[name].append((wall, cpu))
    if len({answer for answer in answers.values() if answer}) > 1:
        raise SystemExit(f"the predictions differ: {answers}")
    print(f"medians of {args.runs} runs, which took turns\n")
    print("| command | wall time | processor time (least) |\n|---|---|---|")
    for name, runs in times.items():
        walls, cpus = zip(*runs, strict=True)
        print(f"| {name} | {median(walls):.2f} s | {median(cpus):.2f} s ({min(cpus):.2f}) |")


if __name__ == "__main__":
    main()
