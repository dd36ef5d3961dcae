"""The page of gradio, in this process: its handlers, and what it would load."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from pathlib import Path

import pytest

from skgenre.catalogue import read_records
from skgenre.utils._extras import is_installed
from skgenre.web import GenreService, Limits, make_app

pytestmark = [
    pytest.mark.skipif(not is_installed("gradio"), reason="needs gradio: skgenre[web]"),
    pytest.mark.filterwarnings("ignore"),  # those of gradio and of what it imports
]


@pytest.fixture(autouse=True)
def event_loops_of_gradio():
    """Drop the event loops that gradio leaves open, while their warnings are ignored."""
    yield
    asyncio.set_event_loop(None)
    gc.collect()


@pytest.fixture
def service(web_model, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return GenreService(web_model, limits=Limits(max_files=2))


@pytest.fixture
def handlers(service):
    from skgenre.web._page import make_handlers

    return make_handlers(service)


def test_handler_of_one_track_returns_result_and_timeline(handlers, web_music):
    result, along = handlers[0](web_music.data[0], 0.0)
    assert "<h2>dub</h2>" in result
    assert "What speaks for dub" in result
    assert "Similar tracks" in result
    assert "0:00 to 0:01: dub" in along


def test_handler_of_many_files_returns_table_and_download(handlers, web_music, tmp_path):
    table, update = handlers[1]([web_music.data[0], web_music.data[4]], 0.0)
    assert "<td" in table
    assert update["visible"] is True
    assert Path(update["value"]).is_relative_to(tmp_path)  # from where gradio may serve it
    assert [found.genre for found in read_records(update["value"])] == ["dub", "swing"]


def test_errors_are_messages(handlers, web_music, service, tmp_path, monkeypatch):
    import gradio as gr

    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    cases = [
        (lambda: handlers[0](None, 0.0), "There is no track yet"),
        (lambda: handlers[0](str(bad), 0.0), r"^['\"]?bad\.wav is not an audio file"),
        (lambda: handlers[1](None, 0.0), "There are no files yet"),
        (lambda: handlers[1](list(web_music.data[:3]), 0.0), "from 1 to 2 files"),
    ]
    for call, match in cases:
        with pytest.raises(gr.Error, match=match) as got:
            call()
        assert got.value.print_exception is False
        assert got.value.__cause__ is None
    monkeypatch.setattr(GenreService, "predict", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(gr.Error, match="Something went wrong in the server"):
        handlers[0](web_music.data[0], 0.0)


def test_page_and_style_name_nothing_to_load_from_elsewhere(service, tmp_path):
    from fastapi.testclient import TestClient

    with TestClient(make_app(service, tmp_path)) as web:
        page = web.get("/").text
        config = web.get("/config").json()
        style = web.get("/theme.css").text
        assert web.get("/docs").status_code == 404  # FastAPI's own page, which loads scripts
    loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"([^\"]+)\"", page)
    assert len(loaded) > 2
    assert [url for url in loaded if "//" in url] == []
    assert re.findall(r"url\((?![\"']?data:)[^)]*//|@import", style) == []
    assert config["stylesheets"] == []
    assert config["analytics_enabled"] is False
    assert [d["api_visibility"] for d in config["dependencies"]] == ["private"] * 3


def test_addresses_are_not_loaded_by_the_server(service):
    import gradio as gr

    from skgenre.web._page import make_page

    taking = [
        block
        for block in make_page(service).blocks.values()
        if isinstance(block, (gr.Audio, gr.File))
    ]
    assert len(taking) == 2
    for block in taking:
        with pytest.raises(gr.Error, match="Upload the file itself, not its address"):
            asyncio.run(block.async_move_resource_to_block_cache("http://example.org/song.wav"))


def test_folder_of_uploads_must_be_that_of_gradio(service, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="GRADIO_TEMP_DIR should be"):
        make_app(service, tmp_path / "other")


def test_no_file_is_written_beside_the_package():
    import skgenre.web._page as page

    # gradio writes such files for classes that are derived from its own.
    assert not os.path.exists(Path(page.__file__).with_suffix(".pyi"))
