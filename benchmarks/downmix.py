"""Loading stereo WAV files at 44.1 kHz as mono at 22.05 kHz, against librosa.load.

``python -m benchmarks.downmix [--short]``
"""

from __future__ import annotations

import tempfile

import numpy as np

from benchmarks._baseline import RATE, write_wavs
from benchmarks._measure import Row, check_close, interleaved, run_alone


def downmix(short: bool) -> list[Row]:
    import librosa

    from skgenre import AudioLoader

    n_files, rounds = (2, 1) if short else (10, 7)
    loader = AudioLoader()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_wavs(folder, n_files, 44100, 2, duration=31.0)

        def librosa_load() -> np.ndarray:
            return np.stack([librosa.load(path, sr=RATE, duration=30.0)[0] for path in paths])

        check_close(loader.transform(paths), librosa_load(), 1e-5, "AudioLoader against librosa")
        times = interleaved(lambda: loader.transform(paths), librosa_load, rounds)
    work = f"stereo 44.1 kHz WAV to mono 22.05 kHz, {n_files} files"
    return [times.row(work, "librosa.load")]


if __name__ == "__main__":
    run_alone(downmix, __doc__)
