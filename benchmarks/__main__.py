"""Run the benchmarks and print one table; ``--short`` is what CI runs.

Ratios are medians of interleaved runs in one process, so that a busy machine slows both
sides alike. The short form fails on wrong results, never on time.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np


def interleaved(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> float:
    """Return how many times faster ours is: the median ratio over interleaved rounds."""
    ratios = []
    for _ in range(rounds):
        start = time.perf_counter()
        ours()
        middle = time.perf_counter()
        theirs()
        ratios.append((time.perf_counter() - middle) / (middle - start))
    return float(np.median(ratios))


def mfcc(short: bool) -> tuple[str, str, float]:
    import librosa

    from skgenre import MFCCExtractor

    n_tracks, rounds = (2, 1) if short else (20, 5)
    segments = np.random.default_rng(0).normal(size=(n_tracks, 10, 66150)).astype(np.float32)
    extractor = MFCCExtractor()

    def loop() -> np.ndarray:
        return np.stack(
            [
                [librosa.feature.mfcc(y=segment, sr=22050, n_mfcc=13).T for segment in track]
                for track in segments
            ]
        )

    reference = loop()
    difference = np.abs(extractor.transform(segments) - reference).max() / np.abs(reference).max()
    if difference > 1e-6:
        raise SystemExit(f"MFCCExtractor differs from librosa by {difference:.1e} of the largest")
    ratio = interleaved(lambda: extractor.transform(segments), loop, rounds)
    return f"MFCC, {n_tracks} tracks x 10 segments", "librosa.feature.mfcc by segment", ratio


def downmix(short: bool) -> tuple[str, str, float]:
    import tempfile
    from pathlib import Path

    import librosa
    import soundfile

    from skgenre import AudioLoader

    n_tracks, rounds = (2, 1) if short else (10, 5)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.wav" for i in range(n_tracks)]
        for path in paths:
            soundfile.write(path, rng.uniform(-0.5, 0.5, size=(44100 * 31, 2)), 44100)
        loader = AudioLoader()

        def librosa_load() -> np.ndarray:
            return np.stack([librosa.load(path, sr=22050, duration=30.0)[0] for path in paths])

        difference = np.abs(loader.transform(paths) - librosa_load()).max()
        if difference > 1e-4:
            raise SystemExit(f"AudioLoader differs from librosa.load by {difference:.1e}")
        ratio = interleaved(lambda: loader.transform(paths), librosa_load, rounds)
    return f"stereo 44.1 kHz WAV to mono 22.05 kHz, {n_tracks} files", "librosa.load", ratio


def predict_latency(short: bool) -> tuple[str, str, float]:
    from skgenre import CNNGenreClassifier

    rounds = 3 if short else 30
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 10, 130, 13)).astype(np.float32), np.arange(20) % 10
    model = CNNGenreClassifier(epochs=1, random_state=0).fit(X, y)
    one = X[:1]
    keras_model = model.network_.model

    def keras_predict() -> np.ndarray:
        return keras_model.predict(one[0], verbose=0)

    if not np.allclose(model.predict_segment_proba(one)[0], keras_predict(), atol=1e-5):
        raise SystemExit("predict_segment_proba differs from keras' predict")
    ratio = interleaved(lambda: model.predict_proba(one), keras_predict, rounds)
    return "CNN, one track of 10 segments to probabilities", "keras model.predict", ratio


def import_time(short: bool) -> tuple[str, str, float]:
    def timed(statement: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", statement], check=True)

    ratio = interleaved(timed("import skgenre"), timed("import sklearn"), 1 if short else 5)
    return "import skgenre, a fresh process", "import sklearn", ratio


BENCHMARKS = [mfcc, downmix, predict_latency, import_time]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="small sizes, as in CI")
    short = parser.parse_args().short
    packages = ["numpy", "scipy", "librosa", "scikit-learn", "keras", "tensorflow"]
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    rows = [benchmark(short) for benchmark in BENCHMARKS]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    print(f"\n{'work':{widths[0]}}  {'against':{widths[1]}}  times faster")
    for work, against, ratio in rows:
        print(f"{work:{widths[0]}}  {against:{widths[1]}}  {ratio:.2f}")


if __name__ == "__main__":
    main()
