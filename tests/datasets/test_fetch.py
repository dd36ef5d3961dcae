"""The download of GTZAN, from a server on this machine with an archive made here."""

from __future__ import annotations

import hashlib
import io
import socket
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile
from requests import Response
from requests.adapters import HTTPAdapter

from skgenre import fetch_gtzan
from skgenre.datasets import _archive, _fetch

CLIPS = ("blues.00000", "jazz.00000", "rock.00000")


def _member(name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, io.BytesIO(content)


def make_archive(*others, names=CLIPS, top="genres"):
    """Return the bytes of a tar.gz of silent clips, and of other members."""
    wave = io.BytesIO()
    soundfile.write(wave, np.zeros(400), 8000, format="WAV")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name in names:
            file = f"{top}/{name.partition('.')[0]}/{name}.wav"
            tar.addfile(*_member(file, wave.getvalue()))
        for other in others:
            tar.addfile(*_member(other, b"?"))
    return archive.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


ARCHIVE = make_archive()


class _Server(ThreadingHTTPServer):
    """Serves one archive and counts how often it was asked for it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = ARCHIVE
        self.cut = 0
        self.n_requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}/sound/genres.tar.gz"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.n_requests += 1
        if not self.path.endswith("genres.tar.gz"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: len(self.server.content) - self.server.cut])

    def log_message(self, *args):
        """Print nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server, data_home, content=None, **options):
    options = {"url": server.url, "known_hash": sha256(content or ARCHIVE), **options}
    return fetch_gtzan(data_home, on_missing="ignore", **options)


def test_downloads_once_and_loads(server, tmp_path, capfd):
    clips = fetch(server, tmp_path)
    assert clips.names.tolist() == list(CLIPS)
    assert clips.target.tolist() == ["blues", "jazz", "rock"]
    folder = tmp_path / "gtzan" / "genres"
    assert clips.data[1] == str(folder / "jazz" / "jazz.00000.wav")
    assert list((tmp_path / "gtzan").iterdir()) == [folder]  # neither archive nor leftovers
    assert server.n_requests == 1

    again = fetch(server, tmp_path)
    assert again.data.tolist() == clips.data.tolist()
    assert fetch(server, tmp_path, download_if_missing=False).names.tolist() == list(CLIPS)
    assert server.n_requests == 1
    assert capfd.readouterr() == ("", "")


def test_default_folder_is_that_of_scikit_learn(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "data"))
    clips = fetch(server, None)
    assert clips.data[0] == str(tmp_path / "data" / "gtzan" / "genres" / "blues/blues.00000.wav")


def test_home_sign_is_understood(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert fetch(server, "~/music").data[0].startswith(str(tmp_path / "music" / "gtzan"))


def test_options_of_load_gtzan_are_passed_on(server, tmp_path):
    server.content = make_archive("genres/jazz/jazz.00054.wav", names=(*CLIPS, "jazz.00033"))
    options = {"known_hash": None}
    with pytest.warns(UserWarning, match=r"1 clips of .* were left out"):
        assert len(fetch(server, tmp_path, **options).names) == 4
    with pytest.raises(ValueError, match=r"jazz\.00054"):
        fetch(server, tmp_path, on_corrupt="raise", **options)
    clips = fetch(server, tmp_path, on_corrupt="ignore", exclude="faults", **options)
    assert clips.names.tolist() == list(CLIPS)
    with pytest.raises(ValueError, match="no clips of GTZAN"):
        fetch(server, tmp_path, extensions=["mp3"], **options)
    with pytest.raises(ValueError, match="995 of 1000 clips are not in"):
        fetch_gtzan(tmp_path, on_missing="raise", on_corrupt="ignore")


@pytest.mark.parametrize("prefix", ["", "sha256:", "SHA256:"])
def test_checksum_may_name_its_algorithm(server, tmp_path, prefix):
    assert len(fetch(server, tmp_path, known_hash=prefix + sha256(ARCHIVE)).names) == 3


def test_checksum_may_be_of_another_algorithm(server, tmp_path):
    md5 = hashlib.md5(ARCHIVE, usedforsecurity=False).hexdigest()
    assert len(fetch(server, tmp_path, known_hash=f"md5:{md5}").names) == 3


def test_wrong_checksum_is_refused_and_nothing_stays(server, tmp_path):
    wrong = "0" * 64
    with pytest.raises(ValueError, match="does not have the checksum known_hash") as caught:
        fetch(server, tmp_path / "new", known_hash=wrong)
    for part in (wrong, sha256(ARCHIVE), server.url, "Call again"):
        assert part in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert len(fetch(server, tmp_path / "new").names) == 3


def test_interrupted_unpacking_is_not_taken_for_complete(server, tmp_path, monkeypatch):
    seen = []

    def stop_midway(tar, path, **options):
        tar.extract(tar.getmembers()[0], path, **options)
        seen.extend(tmp_path.rglob("*.wav"))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extractall", stop_midway)
        with pytest.raises(KeyboardInterrupt):
            fetch(server, tmp_path)
    assert len(seen) == 1  # one clip was on the disk
    # The archive is whole, and saves the next call its download.
    assert [path.name for path in (tmp_path / "gtzan").iterdir()] == ["genres.tar.gz"]
    assert len(fetch(server, tmp_path).names) == 3
    assert server.n_requests == 1
    assert [path.name for path in (tmp_path / "gtzan").iterdir()] == ["genres"]


def test_leftovers_of_a_killed_process_are_not_taken_for_complete(server, tmp_path):
    leftover = tmp_path / "gtzan" / ".unpacking-x" / "all" / "genres" / "jazz"
    leftover.mkdir(parents=True)
    (leftover / "jazz.00001.wav").write_bytes(b"RIFF")
    assert fetch(server, tmp_path).names.tolist() == list(CLIPS)


def test_interrupted_download_leaves_nothing(server, tmp_path):
    server.cut = 100
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        fetch(server, tmp_path / "new", known_hash=None)
    assert list(tmp_path.iterdir()) == []
    server.cut = 0
    assert len(fetch(server, tmp_path / "new").names) == 3


def test_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # no server listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/genres.tar.gz"
        with pytest.raises(ConnectionError, match="by hand") as caught:
            fetch_gtzan(tmp_path / "new", url=url)
    home = tmp_path / "new" / "gtzan"
    call, file = f"load_gtzan({str(home)!r})", str(home / "genres.tar.gz")
    for part in (url, f"unpack it in {home} ", call, f"save it as {file}"):
        assert part in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_address_without_the_archive(server, tmp_path):
    with pytest.raises(ConnectionError, match="404"):
        fetch(server, tmp_path, url=server.url + ".old")
    assert list(tmp_path.iterdir()) == []


def test_default_address_is_asked_without_url(tmp_path, monkeypatch):
    asked = []

    def download(url, archive, known_hash, progressbar):
        asked.append((url, known_hash))
        archive.write_bytes(ARCHIVE)

    monkeypatch.setattr(_fetch, "_download", download)
    assert len(fetch_gtzan(tmp_path, on_missing="ignore").names) == 3
    assert asked == [(_fetch._URL, _fetch._SHA256)]
    assert _fetch._URL.startswith("https://")


def test_download_can_be_forbidden(server, tmp_path):
    with pytest.raises(OSError, match="download_if_missing is False"):
        fetch(server, tmp_path, download_if_missing=False)
    assert server.n_requests == 0
    assert list(tmp_path.iterdir()) == []


def test_archive_saved_by_hand_is_unpacked(server, tmp_path):
    home = tmp_path / "gtzan"
    home.mkdir()
    (home / "genres.tar.gz").write_bytes(ARCHIVE)
    assert len(fetch(server, tmp_path, download_if_missing=False).names) == 3
    assert server.n_requests == 0
    assert [path.name for path in home.iterdir()] == ["genres"]


def test_archive_saved_by_hand_with_another_checksum_is_named_and_left(server, tmp_path):
    archive = tmp_path / "gtzan" / "genres.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(ARCHIVE[:-100])
    with pytest.raises(ValueError, match=f"has the sha256 checksum {sha256(ARCHIVE[:-100])}, not"):
        fetch(server, tmp_path)
    assert server.n_requests == 0
    assert archive.read_bytes() == ARCHIVE[:-100]
    archive.unlink()
    assert len(fetch(server, tmp_path).names) == 3


def test_damaged_archive_saved_by_hand_is_named_and_left(server, tmp_path):
    archive = tmp_path / "gtzan" / "genres.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(ARCHIVE[:-100])
    with pytest.raises(ValueError, match=r"genres.tar.gz cannot be used: .* Delete it"):
        fetch(server, tmp_path, known_hash=None)
    assert list(archive.parent.iterdir()) == [archive]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (make_archive("../evil"), "outside the destination"),
        (make_archive("genres/../../../evil"), "outside the destination"),
        (ARCHIVE[:-100], "cannot be used"),
        (b"<html>Sign in</html>", "Not a gzipped file"),
        (make_archive(names=("jazz.1",)), "no clips of GTZAN"),
    ],
    ids=["parent", "detour", "cut", "page", "strangers"],
)
def test_bad_archive_is_refused_and_nothing_stays(server, tmp_path, content, message):
    server.content = content
    with pytest.raises(ValueError, match=message) as caught:
        fetch(server, tmp_path / "new", content)
    assert server.url in str(caught.value)
    assert "Nothing of it was kept" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_link_out_of_the_folder_is_refused(server, tmp_path):
    archive = io.BytesIO(ARCHIVE)
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        link = tarfile.TarInfo("genres/jazz")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(link)
    server.content = archive.getvalue()
    with pytest.raises(ValueError, match="AbsoluteLinkError"):
        fetch(server, tmp_path, server.content)
    assert list(tmp_path.iterdir()) == []


def with_member(name="genres/more", content=b"", **attributes):
    """Return the bytes of an archive that ends in a special member."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        with tarfile.open(fileobj=io.BytesIO(ARCHIVE)) as plain:
            for member in plain:
                tar.addfile(member, plain.extractfile(member))
        member = tarfile.TarInfo(name)
        for attribute, value in attributes.items():
            setattr(member, attribute, value)
        tar.fileobj.write(member.tobuf(tarfile.GNU_FORMAT) + content)
    return archive.getvalue()


PATHS = r"""/evil //server/share/evil C:/evil c:evil \evil ..\evil genres\..\..\evil genres\jazz.wav
genres/jazz/../more .. ./.. genres/../../genres-evil"""
LINKS = "blues genres/blues/blues.00000.wav ../evil /etc/passwd ."
GLOBAL_HEADER = tarfile.TarInfo.create_pax_global_header({"comment": "x"})
HARMFUL = {
    **{path: with_member(path) for path in PATHS.split()},
    **{f"link to {to}": with_member(type=tarfile.SYMTYPE, linkname=to) for to in LINKS.split()},
    **{f"hard link {to}": with_member(type=tarfile.LNKTYPE, linkname=to) for to in LINKS.split()},
    "pipe": with_member(type=tarfile.FIFOTYPE),
    "terminal": with_member(type=tarfile.CHRTYPE),
    "disk": with_member(type=tarfile.BLKTYPE),
    "unknown type": with_member(type=b"?"),
    "sparse file": with_member(type=tarfile.GNUTYPE_SPARSE),
    "file as folder": with_member("genres/blues/blues.00000.wav/more"),
    "folder as file": with_member("genres"),
    "5 GiB": with_member(size=5 * 2**30),
    "an exbibyte": with_member(size=2**60),
    "negative size": with_member(size=-512),
    "large name": with_member(type=tarfile.GNUTYPE_LONGNAME, size=2**40),
    "negative name": with_member(type=tarfile.GNUTYPE_LONGNAME, size=-512),
    "large header": with_member(type=tarfile.XHDTYPE, size=2**30),
    "negative header": with_member(type=tarfile.XHDTYPE, size=-512),
    "chain of headers": with_member(type=tarfile.XHDTYPE, content=2000 * GLOBAL_HEADER),
    "wrong checksum of gzip": ARCHIVE[:-8] + bytes([ARCHIVE[-8] ^ 1]) + ARCHIVE[-7:],
    "more at the end": ARCHIVE + b"more",
}


@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL)
def test_harmful_archive_is_refused_and_nothing_stays(server, tmp_path, content):
    server.content = content
    with pytest.raises(ValueError, match=r"cannot be used: .*Nothing of it was kept"):
        fetch(server, tmp_path / "home" / "new", content)
    assert list(tmp_path.iterdir()) == []
    server.content = ARCHIVE
    assert len(fetch(server, tmp_path / "home" / "new").names) == 3


def test_bounds_of_an_archive(server, tmp_path, monkeypatch):
    def refused(error, match):
        with pytest.raises(error, match=match):
            fetch(server, tmp_path / "new")
        assert list(tmp_path.iterdir()) == []

    with monkeypatch.context() as patch:
        patch.setattr(_archive, "MAX_MEMBERS", 2)
        refused(ValueError, "more than 2 members")
    with monkeypatch.context() as patch:
        patch.setattr(_archive, "MAX_BYTES", 2000)
        refused(ValueError, "expected at most 4 GiB")
    with monkeypatch.context() as patch:
        patch.setattr(_fetch, "MAX_BYTES", len(ARCHIVE) - 1)
        refused(ConnectionError, "it sends more than")
    assert len(fetch(server, tmp_path / "new").names) == 3


def test_files_have_the_permissions_of_any_new_file(server, tmp_path):
    for mode in (0o6777, 0o400):
        name = "genres/rock/rock.00001.wav"
        server.content = with_member(name, mode=mode)
        with pytest.warns(UserWarning, match="left out"):  # it has no bytes
            fetch(server, tmp_path / str(mode), server.content)
        plain = tmp_path / "plain"
        plain.touch()
        assert (tmp_path / str(mode) / "gtzan" / name).stat().st_mode == plain.stat().st_mode


def redirect(monkeypatch, url, target):
    """Let an address redirect to another; return a list that gets what was asked for."""
    send, asked = HTTPAdapter.send, []

    def answer(adapter, request, **options):
        asked.append(request.url)
        if request.url != url:
            return send(adapter, request, **options)
        response = Response()
        response.status_code, response.url, response.request = 302, url, request
        response.headers["Location"], response.raw = target, io.BytesIO()
        return response

    monkeypatch.setattr(HTTPAdapter, "send", answer)
    return asked


def test_redirect_without_encryption_is_refused(server, tmp_path, monkeypatch):
    url = "https://127.0.0.1/genres.tar.gz"
    asked = redirect(monkeypatch, url, server.url)
    with pytest.raises(ConnectionError, match=f"redirects to {server.url}, which is not encrypted"):
        fetch(server, tmp_path / "new", url=url)
    assert asked == [url]
    assert list(tmp_path.iterdir()) == []


def test_redirect_to_a_file_is_refused(server, tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(ARCHIVE)
    url = "http://127.0.0.1/genres.tar.gz"
    redirect(monkeypatch, url, (tmp_path / "secret").as_uri())
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        fetch(server, tmp_path / "new", url=url)


def test_redirect_is_followed(server, tmp_path, monkeypatch):
    url = "http://127.0.0.1/genres.tar.gz"
    asked = redirect(monkeypatch, url, server.url)
    assert len(fetch(server, tmp_path, url=url).names) == 3
    assert asked == [url, server.url]


def test_archive_of_another_layout(server, tmp_path):
    server.content = make_archive("readme.txt", top="Data/genres_original")
    clips = fetch(server, tmp_path, server.content)
    assert len(clips.names) == 3
    # Others may read the folder too, as any that mkdir makes.
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "gtzan" / "genres").stat().st_mode == plain.stat().st_mode


def test_another_process_that_was_first_is_no_error(server, tmp_path, monkeypatch):
    other = tmp_path / "gtzan" / "genres" / "blues" / "blues.00001.wav"

    def rename(self, target):
        other.parent.mkdir(parents=True)
        soundfile.write(other, np.zeros(400), 8000)
        raise FileExistsError(target)

    monkeypatch.setattr(type(tmp_path), "rename", rename)
    assert fetch(server, tmp_path).names.tolist() == ["blues.00001"]


def test_another_process_that_took_the_archive_is_no_error(server, tmp_path, monkeypatch):
    unpack = _fetch._unpack

    def after_another(archive, folder):
        unpack(archive, folder)
        archive.unlink()
        unpack(archive, folder)

    monkeypatch.setattr(_fetch, "_unpack", after_another)
    assert len(fetch(server, tmp_path).names) == 3


def test_an_archive_that_is_lost_without_a_folder_is_an_error(server, tmp_path, monkeypatch):
    monkeypatch.setattr(_fetch, "_download", lambda *args: None)
    with pytest.raises(FileNotFoundError, match=r"genres\.tar\.gz"):
        fetch(server, tmp_path)


def test_a_file_in_the_place_of_the_folder_is_named_before_the_download(server, tmp_path):
    (tmp_path / "gtzan").mkdir()
    (tmp_path / "gtzan" / "genres").write_text("not a folder")
    with pytest.raises(NotADirectoryError, match="genres is a file"):
        fetch(server, tmp_path)
    assert server.n_requests == 0


def test_progress_bar_is_drawn_on_standard_error(server, tmp_path, capfd):
    fetch(server, tmp_path, progressbar=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert f"{len(ARCHIVE)}/{len(ARCHIVE)} bytes" in err


def test_progress_bar_needs_rich(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with pytest.raises(ImportError, match=r'pip install "skgenre\[progress\]"'):
        fetch(server, tmp_path, progressbar=True)
    assert server.n_requests == 0
    assert list(tmp_path.iterdir()) == []


def test_old_python_is_refused_before_the_download(server, tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter")
    with pytest.raises(RuntimeError, match=r"3\.11\.4"):
        fetch(server, tmp_path)
    assert server.n_requests == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "ftp://127.0.0.1/genres.tar.gz"}, "must begin with http"),
        ({"url": "genres.tar.gz"}, "must begin with http"),
        ({"known_hash": "0" * 63}, "is not a checksum"),
        ({"known_hash": "x" * 64}, "is not a checksum"),
        ({"known_hash": "md6:" + "0" * 64}, "is not a checksum"),
        ({"known_hash": "shake_128:"}, "is not a checksum"),
        ({"known_hash": ""}, "is not a checksum"),
        ({"exclude": "all"}, "exclude"),
        ({"on_corrupt": "skip"}, "on_corrupt"),
        ({"progressbar": "yes"}, "progressbar"),
    ],
)
def test_bad_parameters_are_refused_before_the_download(server, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        fetch(server, tmp_path, **options)
    assert server.n_requests == 0
    assert list(tmp_path.iterdir()) == []
