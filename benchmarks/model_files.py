"""Model files against pickles and ONNX files: size, time, and whether they predict the same.

``python -m benchmarks.model_files``

Each model is fitted for a moment on synthetic music, saved by ``skgenre.save`` and by ``pickle``,
and loaded ten times in turn. "equal" compares probabilities to the last bit; "ONNX" is the
largest difference of the probabilities that an exported file predicts, "-" where a model cannot be
exported.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from benchmarks._measure import environment, interleaved, shown_time
from skgenre import (
    ClipFeatures,
    GenreClassifier,
    HierarchicalGenreClassifier,
    LogMelCNNGenreClassifier,
    MelSpectrogramExtractor,
    MLPGenreClassifier,
    OnnxGenreModel,
    RejectingClassifier,
    export_onnx,
    load,
    make_genre_pipeline,
    make_genres,
    save,
)
from skgenre.utils._records import markdown_table

_SOUND = {"duration": 2.0, "n_segments": 2}


def models() -> dict[str, Any]:
    short = {"epochs": 1, "random_state": 0}
    networks = {
        name: make_genre_pipeline(name, **_SOUND).set_params(
            **{f"classifier__{key}": value for key, value in short.items()}
        )
        for name in ("mlp", "cnn", "lstm")
    }
    mlp = MLPGenreClassifier(**short)
    return {
        "GenreClassifier()": GenreClassifier(random_state=0),
        'GenreClassifier(("svc", "lda"))': GenreClassifier(("svc", "lda"), random_state=0),
        'GenreClassifier(("svc", "cnn"))': GenreClassifier(("svc", "cnn"), **short),
        **{f'make_genre_pipeline("{name}")': model for name, model in networks.items()},
        "pipeline of HierarchicalGenreClassifier": make_genre_pipeline(
            HierarchicalGenreClassifier(mlp, random_state=0), **_SOUND
        ),
        "pipeline of RejectingClassifier": make_genre_pipeline(RejectingClassifier(mlp), **_SOUND),
        "pipeline of LogMelCNNGenreClassifier": make_genre_pipeline(
            LogMelCNNGenreClassifier(crop_frames=32, **short),
            extractor=MelSpectrogramExtractor(n_mels=64, hop_length=1024, top_db=None),
            scaler=None,
            duration=2.0,
            n_segments=None,
        ),
        "pipeline of SVC": make_genre_pipeline(SVC(), extractor=ClipFeatures(), duration=2.0),
        "GridSearchCV over a pipeline": GridSearchCV(
            networks["mlp"], {"classifier__activation": ["relu", "elu"]}, cv=2
        ),
    }


def answer(model: Any, tracks: Any) -> Any:
    return getattr(model, "predict_proba" if hasattr(model, "predict_proba") else "predict")(tracks)


def onnx_columns(model: Any, tracks: Any, expected: Any, path: Path) -> list[str]:
    """Export a model; return the difference, the size, and the time of opening the file."""
    try:
        export_onnx(model, path)
    except ValueError as error:
        print(f"No ONNX file: {error}", flush=True)
        return ["-"] * 3
    difference = float(np.abs(OnnxGenreModel(path).predict_proba(tracks) - expected).max())
    times = []
    for _ in range(10):
        start = time.perf_counter()
        OnnxGenreModel(path).classes_  # noqa: B018  # opens the file
        times.append(time.perf_counter() - start)
    size = f"{path.stat().st_size / 1000:.0f} kB"
    return [f"{difference:.0e}", size, shown_time(float(np.median(times)))]


def main() -> None:
    print(environment(), flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        music = make_genres(
            6, genres=["dub", "house", "swing"], duration=2.0, path=folder, random_state=0
        )
        for name, model in models().items():
            groups = {"groups": music.artists} if isinstance(model, GenreClassifier) else {}
            model.fit(music.data, music.target, **groups)
            expected = answer(model, music.data)
            start = time.perf_counter()
            path = save(model, Path(folder) / "model.skgenre")
            seconds = time.perf_counter() - start
            pickled = pickle.dumps(model)
            times = interleaved(lambda p=path: load(p), lambda p=pickled: pickle.loads(p), 10)
            both = [answer(loaded, music.data) for loaded in (load(path), pickle.loads(pickled))]
            equal = ["yes" if np.array_equal(found, expected) else "NO" for found in both]
            sizes = (path.stat().st_size, len(pickled))
            loading = (float(np.median(side)) for side in (times.ours, times.theirs))
            rows.append(
                [name, *equal, *(f"{size / 1000:.0f} kB" for size in sizes), shown_time(seconds)]
                + [shown_time(median) for median in loading]
                + onnx_columns(model, music.data, expected, Path(folder) / "model.onnx")
            )
    head = ["model", "file equal", "pickle equal", "file", "pickle", "save", "load", "unpickle"]
    head += ["ONNX", "ONNX file", "ONNX load"]
    print(markdown_table(head, rows))


if __name__ == "__main__":
    main()
