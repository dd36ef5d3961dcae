"""The HTTP API, in this process."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from pathlib import Path

import pytest

from skgenre.catalogue import FilePrediction, read_records
from skgenre.web import GenreService, Limits
from skgenre.web._api import LimitBody, add_api, max_body

fastapi = pytest.importorskip("fastapi")
pytest.importorskip("httpx")
pytest.importorskip("python_multipart")
# The test client of Starlette would rather have another client of HTTP.
pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with")


def client(service):
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()
    app.add_middleware(LimitBody, max_bytes=max_body(service))
    add_api(app, service)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def service(web_model):
    return GenreService(web_model, model_id="small", limits=Limits(max_megabytes=0.5, max_files=2))


def _file(path, name="song.wav", field="file"):
    return field, (name, Path(path).read_bytes())


def test_predict(service, web_music, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    query = {"explain": True, "segments": True, "similar": True, "min_confidence": 0.05}
    reply = client(service).post(
        "/api/predict", params=query, files=[_file(web_music.data[4], "../../etc/song.wav")]
    )
    assert reply.status_code == 200
    answer = reply.json()
    record = FilePrediction.from_dict(answer["record"])
    assert (record.path, record.genre, record.min_confidence) == ("song.wav", "swing", 0.05)
    assert answer["explanation"]["genre"] == "swing"
    assert len(answer["timeline"]) == 3
    assert len(answer["similar"]) == 5
    assert list(tmp_path.iterdir()) == []  # the upload is gone


def test_batch_is_a_table(service, web_music, tmp_path):
    files = [_file(web_music.data[0], "ä.wav", "files"), ("files", ("b.wav", b"no audio"))]
    reply = client(service).post("/api/batch", files=files)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    (tmp_path / "genres.csv").write_bytes(reply.content)
    records = list(read_records(tmp_path / "genres.csv"))
    assert [(found.path, found.status) for found in records] == [
        ("ä.wav", "ok"),
        ("b.wav", "error"),
    ]


def test_model_describes_itself(service):
    told = client(service).get("/api/model").json()
    assert told == service.describe()
    assert told["classes"] == ["dub", "swing"]
    assert told["max_files"] == 2


def test_refusals_are_messages(service, web_music):
    web = client(service)
    many = [_file(web_music.data[0], field="files")] * 3
    for path, status, text, given in [
        ("/api/predict", 422, "song.wav", {"files": [("file", ("song.wav", b"no audio"))]}),
        ("/api/predict", 413, "at most 0.5 MB", {"files": [("file", ("a.wav", b"x" * 600_000))]}),
        ("/api/predict", 413, "too large", {"files": [("file", ("a.wav", b"x" * 2_100_000))]}),
        ("/api/batch", 413, "from 1 to 2 files", {"files": many}),
        (
            "/api/predict?min_confidence=7",
            422,
            "min_confidence=7.0 is no probability",
            {"files": [_file(web_music.data[0])]},
        ),
    ]:
        reply = web.post(path, **given)
        assert reply.status_code == status, reply.text
        assert text in reply.json()["detail"]


def test_body_without_a_length_is_cut_off(service):
    sent, n_read = [], []

    async def app(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            n_read.append(len(message["body"]))

    async def receive():
        return {"type": "http.request", "body": b"x" * 400, "more_body": True}

    async def send(message):
        sent.append(message)

    asyncio.run(LimitBody(app, 1000)({"type": "http", "headers": []}, receive, send))
    assert n_read == [400, 400]


def test_unexpected_error_is_a_message_without_its_details(service, web_music, monkeypatch):
    monkeypatch.setattr(GenreService, "predict", lambda *args, **kwargs: 1 / 0)
    reply = client(service).post("/api/predict", files=[_file(web_music.data[0])])
    assert reply.status_code == 500
    assert reply.json() == {"detail": "Something went wrong in the server; its log says what."}


def test_requests_beyond_those_that_may_wait_are_refused(web_model, web_music, monkeypatch):
    service = GenreService(web_model, limits=Limits(max_waiting=1))
    started, go_on, answered = (threading.Event() for _ in range(3))

    def predict(self, path, **kwargs):
        started.set()
        assert go_on.wait(60)
        return {"record": kwargs["name"]}

    monkeypatch.setattr(GenreService, "predict", predict)
    replies = []
    with client(service) as web:

        def post(name):
            replies.append(web.post("/api/predict", files=[_file(web_music.data[0], name)]))
            answered.set()

        threads = [threading.Thread(target=post, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        # One runs and one waits, so that the third is refused while the others are held.
        was_refused = started.wait(60) and answered.wait(10)
        go_on.set()
        for thread in threads:
            thread.join()
    assert was_refused
    assert sorted(reply.status_code for reply in replies) == [200, 200, 503]
    refused = replies[0]
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "10"
    assert "come back later" in json.loads(refused.text)["detail"]
