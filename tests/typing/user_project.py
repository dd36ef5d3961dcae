"""Code of a user, for the type checkers that .ci/package runs over the installed wheel."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from skgenre import (
    GenreClassifier,
    MFCCExtractor,
    Segmenter,
    compare,
    evaluate,
    load,
    make_genres,
    predict_files,
    save,
)
from skgenre.catalogue import FilePrediction
from skgenre.evaluation import Comparison, EvaluationResult


def main() -> None:
    """Train, evaluate, save, load and predict."""
    with TemporaryDirectory() as folder:
        music = make_genres(4, genres=["dub", "swing"], duration=1.0, path=Path(folder, "music"))
        model = GenreClassifier(("svc",), duration=1.0, random_state=0)
        other = GenreClassifier(("svc",), duration=1.0, n_excerpts=0, random_state=0)
        result = evaluate(model, music, n_folds=2)
        assert_type(result, EvaluationResult)
        comparison: Comparison = compare(result, evaluate(other, music, n_folds=2))
        print(comparison.names)
        model.fit(music.data, music.target)
        probabilities: NDArray[np.float64] = model.predict_proba(music.data)
        print(probabilities.shape)
        path = save(model, Path(folder, "model.skgenre"))
        assert_type(path, Path)
        for record in predict_files(load(path), music.data):
            assert_type(record, FilePrediction)
            print(record.genre)
        waveforms = make_genres(2, genres=["dub", "swing"], duration=1.0).data
        segments = Segmenter(n_segments=2, track_duration=1.0).fit_transform(waveforms)
        print(MFCCExtractor(n_mfcc=5).fit_transform(segments).shape)


if __name__ == "__main__":
    main()
