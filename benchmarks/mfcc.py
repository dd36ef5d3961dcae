"""MFCCs on one thread, against librosa segment by segment.

``python -m benchmarks.mfcc [--short]``
"""

from __future__ import annotations

import numpy as np

from benchmarks._baseline import mfcc_by_segment
from benchmarks._measure import Row, check_close, interleaved, run_alone


def mfcc(short: bool) -> list[Row]:
    from threadpoolctl import threadpool_limits

    from skgenre import MFCCExtractor

    n_tracks, rounds = (2, 1) if short else (100, 5)
    rng = np.random.default_rng(0)
    segments = rng.standard_normal((n_tracks, 10, 66150), dtype=np.float32)
    extractor = MFCCExtractor()

    def loop() -> np.ndarray:
        return np.stack([mfcc_by_segment(track) for track in segments])

    check_close(extractor.transform(segments), loop(), 1e-6, "MFCCExtractor against librosa")
    with threadpool_limits(1):
        times = interleaved(lambda: extractor.transform(segments), loop, rounds)
    work = f"MFCC, {n_tracks} tracks x 10 segments of 3 s, 1 thread"
    return [times.row(work, "librosa.feature.mfcc by segment", "at least 4, aim 8")]


if __name__ == "__main__":
    run_alone(mfcc, __doc__)
