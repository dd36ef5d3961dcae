"""Generated files for the benchmarks, and the librosa baseline for the features of a file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

RATE = 22050

# (sampling rate, channels) -> name in the table. The first is the format of GTZAN.
FORMATS = {(22050, 1): "mono 22.05 kHz", (44100, 2): "stereo 44.1 kHz"}


def write_wavs(
    folder: str | Path,
    n_files: int,
    sampling_rate: int = RATE,
    channels: int = 1,
    *,
    duration: float = 30.0,
) -> list[str]:
    """Write 16-bit WAV files of noise, each of ten darker than the last, and return the paths."""
    import soundfile

    paths = []
    for i in range(n_files):
        rng = np.random.default_rng(i)
        shape = (round(duration * sampling_rate), channels)
        noise = rng.uniform(-0.5, 0.5, size=shape).astype(np.float32)
        share = np.float32(i % 10 / 10)  # weight of the previous sample
        noise[1:] = (1 - share) * noise[1:] + share * noise[:-1]
        path = str(Path(folder) / f"{sampling_rate}_{channels}_{i}.wav")
        soundfile.write(path, noise, sampling_rate, subtype="PCM_16")
        paths.append(path)
    return paths


def named(sources: list[str], n_files: int) -> list[str]:
    """Link many names to a few files, so that each name counts as a separate track."""
    paths = [str(Path(sources[0]).with_name(f"track_{i}.wav")) for i in range(n_files)]
    for i, path in enumerate(paths):
        os.link(sources[i % len(sources)], path)
    return paths


def librosa_mfcc(path: str, n_segments: int = 10, duration: float = 30.0) -> np.ndarray:
    """Load a file and extract the MFCC of each segment: (n_segments, n_frames, 13)."""
    import librosa

    y, _ = librosa.load(path, sr=RATE, duration=duration)
    return mfcc_by_segment(y.reshape(n_segments, -1))


def mfcc_by_segment(segments: np.ndarray) -> np.ndarray:
    import librosa

    return np.stack([librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=13).T for y in segments])
