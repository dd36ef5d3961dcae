"""Predicting one track with a warmed-up CNN, against librosa and Keras' predict.

``python -m benchmarks.predict_latency [--short]``

The rows from files run twice, with the default number of BLAS threads and with one. librosa
multiplies large matrices, and on a busy machine BLAS threads spin while they wait for each
other, which makes the baseline many times slower. Trust the rows with one thread.
"""

from __future__ import annotations

import tempfile

import numpy as np

from benchmarks._baseline import FORMATS, librosa_mfcc, write_wavs
from benchmarks._measure import Row, check_close, interleaved, run_alone


def predict_latency(short: bool) -> list[Row]:
    from threadpoolctl import threadpool_limits

    from skgenre import CNNGenreClassifier, make_genre_pipeline

    n_tracks, rounds = (4, 3) if short else (20, 30)
    pipeline = make_genre_pipeline(CNNGenreClassifier(epochs=1, random_state=0))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: write_wavs(folder, n_tracks, sampling_rate, channels)
            for (sampling_rate, channels), name in FORMATS.items()
        }
        train, *_ = files.values()
        classes = np.arange(n_tracks) % min(10, n_tracks // 2)
        pipeline.fit(train, classes)
        scaler, classifier = pipeline["scaler"], pipeline["classifier"]
        network = classifier.network_.model

        def by_librosa(path: str) -> np.ndarray:
            scaled = (librosa_mfcc(path) - scaler.mean_) / scaler.scale_
            return network.predict(scaled.astype(np.float32), verbose=0).mean(axis=0)

        for name, paths in files.items():
            path = paths[0]
            ours, theirs = pipeline.predict_proba([path])[0], by_librosa(path)
            check_close(ours, theirs, 1e-3, f"the pipeline against librosa and Keras, {name}")
            for threads, limit in {"": None, ", 1 BLAS thread": 1}.items():
                with threadpool_limits(limit, user_api="blas"):
                    times = interleaved(
                        lambda path=path: pipeline.predict([path]),  # type: ignore[misc]
                        lambda path=path: classifier.classes_[by_librosa(path).argmax()],  # type: ignore[misc]
                        rounds,
                    )
                rows.append(
                    times.row(
                        f"one WAV of 30 s {name} to its genre, CNN{threads}",
                        "librosa load and mfcc by segment, keras model.predict",
                        "at least 8, aim 12",
                    )
                )
        one = pipeline[:-1].transform(train[:1])
    check_close(
        classifier.predict_segment_proba(one)[0],
        network.predict(one[0], verbose=0),
        1e-4,
        "predict_segment_proba against Keras",
    )
    times = interleaved(
        lambda: classifier.predict_proba(one), lambda: network.predict(one[0], verbose=0), rounds
    )
    work = "features of one track of 10 segments to probabilities, CNN"
    return [*rows, times.row(work, "keras model.predict")]


if __name__ == "__main__":
    run_alone(predict_latency, __doc__)
