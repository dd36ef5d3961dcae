"""What the page and the API answer, without a server."""

from __future__ import annotations

import csv
import io
import os
import re
import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from skgenre import AudioLoader, GenreClassifier, Segmenter, SimilarTracks
from skgenre.catalogue import FilePrediction, predict_files, read_records
from skgenre.web import GenreService, Limits, RequestError
from skgenre.web._app import remove_old_files
from skgenre.web._html import answer_html, clock, table_html, timeline_html
from skgenre.web._timeline import segment_edges, timeline


@pytest.fixture(scope="module")
def service(web_model):
    return GenreService(web_model, model_id="small")


def test_answer_is_that_of_predict_files_under_the_name_of_the_upload(service, web_music):
    path = web_music.data[0]
    answer = service.predict(path, name="my song.wav", segments=True, explain=True, similar=True)
    (expected,) = predict_files(service.model, [path], model_id="small")
    record = FilePrediction.from_dict(answer["record"])
    assert (record.path, record.genre) == ("my song.wav", "dub")
    assert record.probabilities == expected.probabilities
    assert record.key == expected.key
    # What speaks for the genre adds up to its score.
    explained = answer["explanation"]
    total = sum(explained["contributions"].values()) + explained["average_track"]
    assert explained["genre"] == "dub"
    assert total == pytest.approx(explained["score"], abs=1e-4)
    sizes = [abs(value) for value in explained["contributions"].values()]
    assert sizes == sorted(sizes, reverse=True)
    # A training track is its own nearest neighbour.
    assert answer["similar"][0] == {
        "name": os.path.basename(path),
        "genre": "dub",
        "similarity": pytest.approx(1.0, abs=1e-3),
    }


def test_timeline_has_the_probabilities_of_the_segments_and_covers_the_track(service, web_music):
    path = web_music.data[0]
    stretches = service.predict(path, segments=True)["timeline"]
    proba = service.model.predict_segment_proba([path])[0]
    found = [[part["probabilities"][name] for name in service.classes] for part in stretches]
    np.testing.assert_allclose(found, proba, atol=1e-5)
    assert [part["start"] for part in stretches] == [0.0, 0.75, 1.25]
    assert [part["end"] for part in stretches] == [0.75, 1.25, 2.0]


def test_parts_that_were_not_asked_for_or_cannot_be_given_are_none(service, web_music):
    answer = service.predict(web_music.data[0])
    assert [answer[part] for part in ("timeline", "explanation", "similar")] == [None] * 3
    # A model that neither explains nor knows segments still has a genre.
    plain = make_pipeline(AudioLoader(duration=1.0), DummyClassifier(strategy="prior"))
    plain.fit(web_music.data, web_music.target)
    service = GenreService(plain)
    told = service.describe()
    assert (told["timeline"], told["explanation"], told["similar"]) == (False, False, False)
    answer = service.predict(web_music.data[0], segments=True, explain=True, similar=True)
    assert answer["record"]["genre"] == "dub"
    assert [answer[part] for part in ("timeline", "explanation", "similar")] == [None] * 3


def test_unknown_below_the_limit(service, web_music):
    record = service.predict(web_music.data[0], min_confidence=1.0)["record"]
    assert (record["status"], record["genre"]) == ("unknown", None)
    with pytest.raises(RequestError, match=r"min_confidence=2.0 is no probability"):
        service.predict(web_music.data[0], min_confidence=2.0)
    with pytest.raises(ValueError, match="min_confidence"):
        GenreService(service.model, min_confidence=-1)


def test_track_without_sound_has_no_explanation(service, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(22050), 22050)
    answer = service.predict(path, segments=True, explain=True, similar=True)
    assert answer["record"]["status"] == "no sound"
    assert answer["explanation"] is None
    assert "no sound" in answer_html(answer)


def test_refusals_name_the_file_and_what_to_do(web_model, web_music, tmp_path):
    path = web_music.data[0]
    size = os.path.getsize(path)
    small = GenreService(web_model, limits=Limits(max_megabytes=(size - 1) / 1e6))
    with pytest.raises(RequestError, match=r"^up\.wav has 0\.\d MB; give a file of at most") as got:
        small.predict(path, name="up.wav")
    assert got.value.status == 413
    short = GenreService(web_model, limits=Limits(max_duration=1.9))
    with pytest.raises(RequestError, match=r"^up\.wav takes 0\.0 minutes; give a track") as got:
        short.predict(path, name="up.wav")
    assert got.value.status == 413
    bad = tmp_path / "0.wav"
    bad.write_bytes(b"RIFF, not")
    service = GenreService(web_model)
    with pytest.raises(RequestError, match=r"song\.wav") as got:
        service.predict(bad, name="song.wav")
    assert got.value.status == 422
    assert str(tmp_path) not in str(got.value)  # the server's folders are its own affair
    with pytest.raises(RequestError, match=r"gone\.wav is no longer here"):
        service.predict(tmp_path / "gone.wav")


def test_table_is_that_of_predict_output_and_loses_no_file(web_model, web_music, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    service = GenreService(web_model, model_id="small", limits=Limits(max_files=3))
    files = [(web_music.data[0], "a.wav"), (bad, "b, c.wav"), (web_music.data[4], "a.wav")]
    done = []
    content, records = service.predict_table(files, min_confidence=0.1, progress=done.append)
    table = tmp_path / "genres.csv"
    table.write_bytes(content)
    assert list(read_records(table)) == records
    assert done == [0, 1, 2]
    assert [found.path for found in records] == ["a.wav", "b, c.wav", "a.wav"]
    assert [found.genre for found in records] == ["dub", None, "swing"]
    assert records[1].status == "error"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["schema"] for row in rows] == ["skgenre-prediction-1"] * 3
    for some in ([], files * 2):
        with pytest.raises(RequestError, match=r"files came; give from 1 to 3"):
            service.predict_table(some)


def test_catalogue_of_similar_tracks(web_model, web_music):
    catalogue = SimilarTracks(random_state=0).fit(web_music.data[1:4])
    service = GenreService(web_model, catalogue=catalogue)
    tracks = service.predict(web_music.data[1], similar=True)["similar"]
    assert len(tracks) == 3  # all that there are
    assert tracks[0]["name"] == os.path.basename(web_music.data[1])
    assert tracks[0]["genre"] is None
    without = SimilarTracks(front_end="passthrough").fit(np.eye(4))
    with pytest.raises(ValueError, match=r"knows no paths.*keep_paths=True"):
        GenreService(web_model, catalogue=without)


def test_model_must_be_fitted():
    with pytest.raises(ValueError, match="give a fitted classifier"):
        GenreService(GenreClassifier())


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        ({"max_files": 0}, r"max_files=0 should be above 0"),
        ({"max_megabytes": -1.0}, r"max_megabytes=-1.0 should be above 0"),
        ({"n_jobs": 1.5}, r"n_jobs=1.5 should be a whole number"),
    ],
)
def test_limits_are_checked(limits, match):
    with pytest.raises(ValueError, match=match):
        Limits(**limits)


# The seconds of segments


def _parameters(**values):
    return SimpleNamespace(get_params=lambda deep: values)


def test_edges_of_a_long_track_lie_in_its_middle():
    model = _parameters(n_segments=6, segment_duration=10.0, duration=60.0)
    edges = segment_edges(model, 6, 100.0)
    np.testing.assert_allclose(edges, [20, 30, 40, 50, 60, 70, 80])


def test_edges_of_a_track_shorter_than_a_segment_are_its_ends():
    model = _parameters(n_segments=6, segment_duration=10.0, duration=60.0)
    np.testing.assert_allclose(segment_edges(model, 6, 4.0), [0, 4])
    proba = np.tile([0.25, 0.75], (6, 1))
    (stretch,) = timeline(model, proba, ["a", "b"], 4.0)
    assert stretch == {"start": 0.0, "end": 4.0, "probabilities": {"a": 0.25, "b": 0.75}}


@pytest.mark.parametrize(
    ("loader", "segmenter", "duration", "expected"),
    [
        ({}, {"n_segments": 3}, 40.0, [0, 10, 20, 30]),
        ({"position": "center"}, {"n_segments": 3}, 40.0, [5, 15, 25, 35]),
        (
            {},
            {"n_segments": 3, "placement": "spread", "segment_duration": 2.0},
            40.0,
            [0, 8, 22, 30],
        ),
        ({}, {"n_segments": 3}, 20.0, None),  # repeated up to 30 s
        ({}, {"n_segments": 4}, 40.0, None),  # others than those predicted
    ],
)
def test_edges_of_a_pipeline(loader, segmenter, duration, expected):
    model = make_pipeline(AudioLoader(**loader), Segmenter(**segmenter), DummyClassifier())
    edges = segment_edges(model, 3, duration)
    if expected is None:
        assert edges is None
        parts = timeline(model, np.eye(3), ["a", "b", "c"], duration)
        assert [part["start"] for part in parts] == [None] * 3
    else:
        np.testing.assert_allclose(edges, expected)


# HTML

_NASTY = "<script>alert(1)</script>\"'&.wav"


def test_names_are_escaped_everywhere():
    record = {"status": "ok", "genre": _NASTY, "path": _NASTY, "reason": _NASTY, "duration": 61.0}
    record |= {"probabilities": {_NASTY: 0.75, "b": 0.25}, "min_confidence": 0.5}
    explanation = {"genre": _NASTY, "score": 1.0, "average_track": -0.5}
    explanation["contributions"] = {_NASTY: 1.5}
    similar = [{"name": _NASTY, "genre": _NASTY, "similarity": 0.5}]
    html = answer_html({"record": record, "explanation": explanation, "similar": similar})
    stretch = {"start": 0.0, "end": 61.0, "probabilities": {_NASTY: 0.75, "b": 0.25}}
    html += timeline_html([stretch])
    found = FilePrediction(_NASTY, "error", None, [], {}, _NASTY, None, 0.0, None, None, 0.0)
    html += table_html([found])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 10
    assert "1:01" in html


def test_bars_show_all_probability_and_the_limit():
    probabilities = {
        name: p / 64 for name, p in zip("abcdefgh", [32, 16, 8, 3, 2, 1, 1, 1], strict=True)
    }
    record = {"status": "unknown", "genre": None, "path": "x", "reason": "why", "duration": None}
    record |= {"probabilities": probabilities, "min_confidence": 0.6}
    html = answer_html({"record": record, "explanation": None, "similar": None})
    shares = [float(text) for text in re.findall(r'sg-number">(0\.\d\d)<', html)]
    assert len(shares) == 7  # six, and the others together
    assert sum(shares) == pytest.approx(1, abs=0.03)
    assert "<h2>unknown</h2><p>why</p>" in html
    assert html.count('class="sg-zero" style="left: 60.0%"') == 7


def test_timeline_says_in_words_what_it_shows():
    parts = [
        {"start": 0.0, "end": 10.0, "probabilities": {"a": 0.9, "b": 0.1}},
        {"start": 10.0, "end": 15.0, "probabilities": {"a": 0.2, "b": 0.8}},
        {"start": 15.0, "end": 20.0, "probabilities": None},
    ]
    html = timeline_html(parts)
    assert "0:00 to 0:10: a 90%; 0:10 to 0:15: b 80%; 0:15 to 0:20: no sound" in html
    assert html.count("sg-best") == 2
    assert "flex: 10.000" in html
    assert timeline_html(None) == ""
    unknown = [part | {"start": None, "end": None} for part in parts]
    assert "segment 2: b 80%" in timeline_html(unknown)


def test_clock():
    assert [clock(59.6), clock(187), clock(None)] == ["1:00", "3:07", "?"]


# Files


def test_old_files_are_removed_with_their_folders(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "song.wav").write_text("x")
    remove_old_files(tmp_path, 3600)
    assert (tmp_path / "a" / "b" / "song.wav").exists()
    time.sleep(0.05)  # past the resolution of the clock of the file system
    remove_old_files(tmp_path, 0.0)
    assert not (tmp_path / "a" / "b" / "song.wav").exists()
    time.sleep(0.05)
    remove_old_files(tmp_path, 0.0)
    assert list(tmp_path.iterdir()) == []
