"""Mel spectrograms in dB on one thread, against librosa segment by segment.

``python -m benchmarks.mel [--short]``
"""

from __future__ import annotations

import numpy as np

from benchmarks._baseline import RATE
from benchmarks._measure import Row, check_close, interleaved, run_alone


def mel(short: bool) -> list[Row]:
    import librosa
    from threadpoolctl import threadpool_limits

    from skgenre import MelSpectrogramExtractor

    n_tracks, rounds = (2, 1) if short else (100, 5)
    rng = np.random.default_rng(0)
    segments = rng.standard_normal((n_tracks, 10, 66150), dtype=np.float32)
    extractor = MelSpectrogramExtractor()

    def decibels(y: np.ndarray) -> np.ndarray:
        power = librosa.feature.melspectrogram(y=y, sr=RATE, n_mels=extractor.n_mels)
        return librosa.power_to_db(power).T

    def loop() -> np.ndarray:
        return np.stack([[decibels(y) for y in track] for track in segments])

    check_close(
        extractor.transform(segments), loop(), 1e-6, "MelSpectrogramExtractor against librosa"
    )
    with threadpool_limits(1):
        times = interleaved(lambda: extractor.transform(segments), loop, rounds)
    work = f"mel spectrogram in dB, {n_tracks} tracks x 10 segments of 3 s, 1 thread"
    return [
        times.row(work, "librosa melspectrogram and power_to_db by segment", "at least 6, aim 10")
    ]


if __name__ == "__main__":
    run_alone(mel, __doc__)
