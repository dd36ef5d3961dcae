"""Catalogues with odd names, pipes, changed files and full disks; models that reject."""

import io
import json
import os

import numpy as np
import pytest
import soundfile
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline

from skgenre import (
    GenreClassifier,
    RejectingClassifier,
    make_genre_pipeline,
    make_genres,
    predict_files,
    save,
)
from skgenre.catalogue import FilePrediction, open_records, read_list, read_records
from skgenre.cli import main

LISTED = ("jsonl", "csv", "parquet")


class Segments(ClassifierMixin, BaseEstimator):
    """Finds each segment "loud" whose mean is above zero; needs no training."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_segment_proba(self, X):
        loud = 0.4 + 0.5 * (np.asarray(X).mean(axis=(2, 3)) > 0)
        return np.stack([1 - loud, loud], axis=-1)

    def predict_proba(self, X):
        return self.predict_segment_proba(X).mean(axis=1)


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    wave = np.sin(np.arange(22050) * 0.1) * np.linspace(0.1, 0.9, 22050)
    soundfile.write(path, wave, 22050)
    return path


def make_model(classifier, song):
    front = make_genre_pipeline(duration=1.0, n_segments=2)["features"]
    return make_pipeline(front, classifier).fit([str(song)] * 2, ["loud", "calm"])


def found_in(path, status="ok", key="k", genre="dub"):
    return FilePrediction(
        path=path, status=status, genre=genre, genres=[genre], probabilities={genre: 0.9},
        reason=None, duration=1.0, seconds=0.1, key=key, model=None, min_confidence=0.0,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_paths_that_are_none_are_records_of_errors(song, tmp_path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    model = make_model(Segments(), song)
    found = list(predict_files(model, [pipe, "/dev/zero", "a\0b.wav", "\ud800.wav", song]))
    assert [prediction.status for prediction in found] == ["error"] * 4 + ["ok"]
    assert [prediction.key is None for prediction in found] == [True] * 4 + [False]
    assert "is a pipe or a device" in found[0].reason
    assert "embedded null" in found[2].reason


@pytest.mark.parametrize("ending", LISTED)
def test_odd_names_are_recorded_once_in_each_format(tmp_path, ending):
    names = ["a\nb", "a\rb", "a\r\n", 'com,"ma', "\udcff\udcfe", "\\udcff", " ", "=1+1", "é", "-x"]
    output = tmp_path / f"out.{ending}"
    for _ in range(2):
        with open_records(output, ["dub"], resume=True) as writer:
            for name in names:
                if not writer.is_recorded(name, "k"):
                    writer.write(found_in(name))
    found = list(read_records(output))
    assert len(found) == len(names)
    if ending != "parquet":  # whose text is UTF-8
        assert found == [found_in(name) for name in names]


def test_the_last_record_of_a_file_counts(tmp_path):
    output = tmp_path / "out.jsonl"
    with open_records(output, ["dub"]) as writer:
        writer.write(found_in("a", "error", key=None))
        writer.write(found_in("b"))
        assert writer.n_errors == 1
    with open_records(output, ["dub"], resume=True) as writer:
        assert (writer.n_recorded, writer.n_errors) == (2, 1)
        assert not writer.is_recorded("a", "k")
        writer.write(found_in("a", genre="swing"))
        writer.write(found_in("b", key="new"))
        assert writer.n_errors == 0
    with open_records(output, ["dub"], resume=True) as writer:
        assert (writer.n_recorded, writer.n_errors) == (2, 0)
        assert [writer.is_recorded("b", key) for key in ("k", "new", None)] == [False, True, False]
    found = list(read_records(output, latest=True))
    assert [(one.path, one.key, one.genre) for one in found] == [
        ("a", "k", "swing"),
        ("b", "new", "dub"),
    ]


def test_playlists_and_plans_take_the_last_record(tmp_path, capsys):
    pytest.importorskip("mutagen")
    output, lists, plan = tmp_path / "out.jsonl", tmp_path / "lists", tmp_path / "plan.jsonl"
    music = make_genres(2, genres=["dub", "swing"], duration=1.0, path=tmp_path, random_state=0)
    classifier = GenreClassifier(members=["svc"], n_excerpts=0, random_state=0)
    model = str(save(classifier.fit(music.data, music.target), tmp_path / "m.skgenre"))
    song = music.data[0]
    (now,) = predict_files(model, [song])
    assert now.genre == "dub"
    old = {**now.to_dict(), "genre": "swing", "genres": ["swing"], "key": "old"}
    output.write_text(json.dumps({**old, "probabilities": {"swing": 0.9}}) + "\n")
    command = ["predict", model, str(song), "--output", str(output), "--resume"]
    assert main([*command, "--playlists", str(lists)]) == 0
    assert len(output.read_text().splitlines()) == 2
    assert [path.name for path in lists.iterdir()] == ["dub.m3u8"]
    assert main(["tag", "plan", "--predictions", str(output), "--output", str(plan)]) == 0
    (row,) = [json.loads(line) for line in plan.read_text().splitlines()[1:]]
    assert row["after"] == ["dub"]
    lists = tmp_path / "file"
    lists.touch()
    assert main([*command, "--playlists", str(lists)]) == 2
    assert "file is a file; give a folder" in capsys.readouterr().err


def test_a_record_that_does_not_fit_names_the_file_and_is_removed_by_resume(tmp_path):
    resource = pytest.importorskip("resource", reason="there are no such limits on Windows")
    output = tmp_path / "out.jsonl"
    with open_records(output, ["dub"]) as writer:
        writer.write(found_in("a"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (output.stat().st_size + 50, hard))
    try:
        with (
            pytest.raises(OSError, match=r"File too large.*out\.jsonl"),
            open_records(output, ["dub"], resume=True) as writer,
        ):
            writer.write(found_in("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with open_records(output, ["dub"], resume=True) as writer:
        assert writer.n_recorded == 1
        writer.write(found_in("b"))
    assert [found.path for found in read_records(output)] == ["a", "b"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_records_are_not_written_into_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "out.jsonl")
    with (
        pytest.raises(ValueError, match=r"out\.jsonl is no regular file"),
        open_records(tmp_path / "out.jsonl", ["dub"], force=True),
    ):
        pass


def test_lists_of_windows_are_read():
    stream = io.BytesIO(b"\xef\xbb\xbfC:\\a.wav\r\nb c.wav\r\n\r\nd.wav")
    assert list(read_list(stream)) == ["C:\\a.wav", "b c.wav", "d.wav"]


def test_a_track_that_the_model_rejects_is_unknown(song):
    for threshold, status in ((1.0, "unknown"), (0.5, "ok")):
        model = make_model(RejectingClassifier(Alternating(), threshold=threshold), song)
        (found,) = predict_files(model, [song])
        assert found.status == status
        assert (found.genre is None) == (model.predict([str(song)])[0] == "rejected")
        assert list(found.probabilities) == ["loud", "calm"]
    assert found.reason is None


class Alternating(Segments):
    """Finds every second segment loud."""

    def predict_segment_proba(self, X):
        n_tracks, n_segments = np.shape(X)[:2]
        loud = np.tile(np.where(np.arange(n_segments) % 2, 0.3, 0.9), (n_tracks, 1))
        return np.stack([1 - loud, loud], axis=-1)


class WithoutProbabilities(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])


def test_models_that_can_predict_no_file_are_refused_at_once(song):
    with pytest.raises(ValueError, match="WithoutProbabilities of the model has no predict_proba"):
        predict_files(WithoutProbabilities(), [song])
    for unfitted in (Segments(), make_pipeline(Segments()), GenreClassifier()):
        with pytest.raises(ValueError, match="give a fitted classifier"):
            predict_files(unfitted, [song])
