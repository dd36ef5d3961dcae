"""skgenre serve in a process of its own: a real browser, and many requests at once."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from skgenre.catalogue import FilePrediction, predict_files, read_records
from skgenre.utils._extras import is_installed

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_MIN_MEGABYTES = 150  # growth that is no leak: threads, pools, caches

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed("gradio"), reason="needs gradio: skgenre[web]"),
    pytest.mark.skipif(sys.platform == "win32", reason="ends the server by a signal"),
]
needs_browser = pytest.mark.skipif(
    _CHROMIUM is None or not is_installed("playwright"), reason="needs chromium and playwright"
)


@pytest.fixture(scope="module")
def server(web_model_file, tmp_path_factory):
    """A server: its address, its process and its folder of temporary files."""
    folder = tmp_path_factory.mktemp("tmp")
    process = subprocess.Popen(
        [sys.executable, "-m", "skgenre", "serve", web_model_file, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    line = process.stdout.readline()
    found = re.search(r"Serving at (http://127\.0\.0\.1:\d+) ", line)
    assert found, line + process.stderr.read()
    yield found[1], process, folder
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert list(folder.glob("skgenre*")) == []  # nothing of the uploads is left


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=_CHROMIUM, args=_SWITCHES)
        yield found
        found.close()


@pytest.fixture
def page(browser, server, request):
    """The page, in a browser of the width and colours that a test asks for."""
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, **_options(request)}
    )
    page = context.new_page()
    page.set_default_timeout(90_000)
    hosts, errors = set(), []
    page.on("request", lambda asked: hosts.add(urlsplit(asked.url)[:2]))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server[0])
    page.get_by_role("button", name="Predict the genre", exact=True).wait_for()
    yield page
    local = urlsplit(server[0])[:2]
    assert hosts - {("blob", ""), ("data", "")} == {local}  # nothing from elsewhere
    assert errors == []
    context.close()


def _options(request):
    return getattr(request, "param", {})


PHONE = {"viewport": {"width": 390, "height": 844}}
_EACH_LOOK = pytest.mark.parametrize("page", [{}, PHONE, {"color_scheme": "dark"}], indirect=True)


def upload(page, path):
    page.locator("#track input[type=file]").set_input_files(str(path))
    page.locator("#result h2").wait_for()


def predict_many(page, paths):
    page.get_by_role("tab", name="Many files").click()
    page.locator("#files input[type=file]").set_input_files([str(path) for path in paths])
    page.locator("#files").get_by_text(Path(paths[-1]).stem).first.wait_for()
    page.get_by_role("button", name="Predict the genres", exact=True).click()
    page.locator("#table table").wait_for()


@needs_browser
def test_upload_shows_genre_timeline_reasons_and_similar_tracks(page, web_music):
    upload(page, web_music.data[0])
    assert page.locator("#result h2").inner_text() == "dub"
    text = page.locator("#result").inner_text()
    for heading in ("Probability of each genre", "What speaks for dub", "Similar tracks"):
        assert heading in text
    label = page.locator("#timeline [role=img]").get_attribute("aria-label")
    assert label.startswith("Most probable genre. 0:00 to 0:01: dub")
    # Another track takes its place, and "unknown" follows the limit.
    page.get_by_label("number input for Answer “unknown”").first.fill("1")
    page.get_by_role("button", name="Predict the genre", exact=True).click()
    page.locator("#result h2", has_text="unknown").wait_for()


@needs_browser
def test_track_is_played(page, web_music):
    upload(page, web_music.data[0])
    time_shown = page.locator("#track time").first
    assert time_shown.inner_text() == "0:00"
    page.locator("#track").get_by_label("Play", exact=True).click()
    page.wait_for_function("document.querySelector('#track time').innerText != '0:00'")


@needs_browser
def test_many_files_are_downloaded_as_a_table(page, web_music, tmp_path):
    bad = tmp_path / "broken.wav"
    bad.write_text("no audio")
    predict_many(page, [web_music.data[0], web_music.data[4], bad])
    assert "error: broken.wav is not an audio file" in page.locator("#table").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "genres.csv"
    download.value.save_as(tmp_path / "genres.csv")
    records = list(read_records(tmp_path / "genres.csv"))
    assert [found.genre for found in records] == ["dub", "swing", None]


@needs_browser
def test_errors_are_messages(page, tmp_path):
    bad = tmp_path / "broken.wav"
    bad.write_text("no audio")
    page.locator("#track input[type=file]").set_input_files(str(bad))
    page.get_by_text("broken.wav is not an audio file").first.wait_for()
    assert "Traceback" not in page.locator("body").inner_text()


@needs_browser
@_EACH_LOOK
def test_nothing_is_wider_than_the_screen_and_all_is_accessible(page, web_music):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def check():
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        found = axe.run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] != "minor"] == []

    check()
    upload(page, web_music.data[0])
    check()
    predict_many(page, web_music.data[:2])
    page.get_by_role("button", name="Download as CSV").wait_for()
    page.wait_for_timeout(500)  # until colours have faded in
    check()


@needs_browser
def test_everything_works_by_keyboard(page, web_music):
    def press_until(wanted):
        for _ in range(20):
            page.keyboard.press("Tab")
            label = page.evaluate(  # that of the body is the text of the whole page
                "(e => e === document.body ? '' : e.getAttribute('aria-label') || e.innerText)"
                "(document.activeElement)"
            )
            if re.search(wanted, label or ""):
                return
        raise AssertionError(f"no Tab leads to {wanted}")

    press_until("Drop an audio file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(web_music.data[4]))
    page.locator("#result h2", has_text="swing").wait_for()
    page.evaluate("document.activeElement.blur()")
    press_until("^Play$")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#track time').innerText != '0:00'")
    press_until("range slider")
    page.keyboard.press("End")
    press_until("Predict the genre")
    page.keyboard.press("Enter")
    page.locator("#result h2", has_text="unknown").wait_for()
    press_until("Many files")
    page.keyboard.press("Enter")
    page.locator("#files").wait_for()


def _megabytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1000


def test_fifty_requests_eight_at_a_time(server, web_music, web_model):
    httpx = pytest.importorskip("httpx")
    address, process, folder = server
    paths = list(web_music.data)
    expected = [found.probabilities for found in predict_files(web_model, paths)]

    def post(number):
        with open(paths[number % len(paths)], "rb") as stream:
            reply = httpx.post(
                f"{address}/api/predict",
                params={"explain": True, "segments": True},
                files={"file": (f"{number}.wav", stream)},
                timeout=300,
                trust_env=False,
            )
        assert reply.status_code == 200, reply.text
        return FilePrediction.from_dict(reply.json()["record"])

    has_proc = os.path.exists(f"/proc/{process.pid}/status")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(8)))
        before = _megabytes(process) if has_proc else 0
        records = list(pool.map(post, range(50)))
        after = _megabytes(process) if has_proc else 0
    assert [found.path for found in records] == [f"{number}.wav" for number in range(50)]
    for number, found in enumerate(records):
        assert found.probabilities == pytest.approx(expected[number % len(paths)], abs=1e-5)
    assert after - before < _MIN_MEGABYTES
    assert list(folder.glob("skgenre-*/*.wav")) == []  # deleted with each answer
