"""WAV files to MFCCs in two threads, against librosa in two processes.

``python -m benchmarks.wav_to_features [--short]``
"""

from __future__ import annotations

import tempfile

import numpy as np

from benchmarks._baseline import FORMATS, librosa_mfcc, write_wavs
from benchmarks._measure import Row, check_close, interleaved, run_alone


def wav_to_features(short: bool) -> list[Row]:
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    from skgenre import make_genre_pipeline

    n_files, rounds = (2, 1) if short else (40, 7)
    front_end = make_genre_pipeline(n_jobs=2)["features"]
    rows = []
    # joblib keeps the worker processes between calls, so they are warmed up.
    processes = Parallel(n_jobs=2, backend="loky")
    for (sampling_rate, channels), name in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = write_wavs(folder, n_files, sampling_rate, channels)

            def librosa_in_processes(paths: list[str] = paths) -> np.ndarray:
                return np.stack(processes(delayed(librosa_mfcc)(path) for path in paths))

            check_close(
                front_end.transform(paths),
                librosa_in_processes(),
                1e-5,  # librosa and soxr round differently when they mix channels
                f"PerTrack against librosa, {name}",
            )
            times = interleaved(
                lambda paths=paths: front_end.transform(paths),  # type: ignore[misc]
                librosa_in_processes,
                rounds,
            )
        rows.append(
            times.row(
                f"WAV to MFCC, {n_files} files of 30 s {name}, 2 threads",
                "librosa load and mfcc by segment, 2 processes",
                "at least 5, aim 7",
            )
        )
    # Otherwise the processes stay for minutes, and the program may wait for them.
    get_reusable_executor().shutdown()
    return rows


if __name__ == "__main__":
    run_alone(wav_to_features, __doc__)
