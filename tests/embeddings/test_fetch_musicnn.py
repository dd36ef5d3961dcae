"""The weights of musicnn: downloaded from a server on this machine, or taken from files."""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from _musicnn import random_tensors, write_random_weights

from skgenre import MusicnnExtractor, fetch_musicnn
from skgenre.embeddings import KNOWN, digest, layer_shapes, load_weights

PUBLISHED = {"timbral": 204, "temporal": 51, "dense_layers": 64, "units": 200, "tags": 50}


def make_checkpoint(tensors):
    """Return the data of a checkpoint as TensorFlow 1 writes it, with the optimiser's state."""
    values = {"beta1_power": np.float32(0.9), "beta2_power": np.float32(0.99)}
    for name, tensor in tensors.items():
        values[name] = tensor
        if "moving" not in name:
            values |= {f"{name}/Adam": 0 * tensor + 7, f"{name}/Adam_1": 0 * tensor + 8}
    return b"".join(np.asarray(values[name], dtype="<f4").tobytes() for name in sorted(values))


TENSORS = {name: random_tensors(seed, **PUBLISHED) for seed, name in enumerate(("msd", "mtt"))}
CHECKPOINTS = {name: make_checkpoint(tensors) for name, tensors in TENSORS.items()}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.content.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args):
        """Print nothing."""


@pytest.fixture
def server(monkeypatch, tmp_path):
    """Random weights stand for the published ones, on a server and in the table of checksums."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "data"))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.asked, server.content = [], {}
        for name, known in KNOWN.items():
            server.content[f"/{known.member}"] = CHECKPOINTS[name]
            monkeypatch.setitem(
                KNOWN,
                name,
                known._replace(
                    url=f"http://127.0.0.1:{server.server_port}/{known.member}",
                    checkpoint_sha256=hashlib.sha256(CHECKPOINTS[name]).hexdigest(),
                    sha256=digest(TENSORS[name], known.tags),
                ),
            )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def equal(path, name):
    found = load_weights(path)
    return found.tags == KNOWN[name].tags and all(
        np.array_equal(found.tensors[key], tensor) for key, tensor in TENSORS[name].items()
    )


def test_downloads_once_and_converts(server, tmp_path, capfd):
    paths = fetch_musicnn()
    assert {name: equal(path, name) for name, path in paths.items()} == {"msd": True, "mtt": True}
    folder = tmp_path / "data" / "musicnn"
    assert sorted(os.listdir(folder)) == ["msd.npz", "mtt.npz"]  # no leftovers
    assert 3e6 < paths["msd"].stat().st_size < 3.5e6  # without the optimiser's state
    assert fetch_musicnn() == paths
    assert len(server.asked) == 2
    assert capfd.readouterr() == ("", "")
    # The extractor finds them.
    row = MusicnnExtractor("mtt", sampling_rate=16000).fit_transform(np.zeros((1, 100)))
    assert row.shape == (1, 1026)


def test_only_what_was_asked_for_is_downloaded(server, tmp_path):
    paths = fetch_musicnn("mtt", data_home=tmp_path / "elsewhere")
    assert paths == {"mtt": tmp_path / "elsewhere" / "musicnn" / "mtt.npz"}
    assert server.asked == ["/MTT_musicnn/.data-00000-of-00001"]
    assert equal(paths["mtt"], "mtt")


def make_source(kind, folder):
    folder.mkdir()
    if kind == "checkpoint":
        path = folder / "any name"
        path.write_bytes(CHECKPOINTS["msd"])
    elif kind == "folder":
        path = folder
        for name, known in KNOWN.items():
            file = folder / "musicnn" / known.member
            file.parent.mkdir(parents=True)
            file.write_bytes(CHECKPOINTS[name])
        (folder / "other").write_bytes(b"?")
    elif kind == "wheel":
        path = folder / "musicnn-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("musicnn/__init__.py", "")
            for name, known in KNOWN.items():
                wheel.writestr(f"musicnn/{known.member}", CHECKPOINTS[name])
    else:
        path = fetch_musicnn(data_home=folder, source=make_source("wheel", folder / "w"))["msd"]
        path = path.parent if kind == "converted folder" else path
    return path


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("checkpoint", ["msd"]),
        ("folder", ["msd", "mtt"]),
        ("wheel", ["msd", "mtt"]),
        ("converted", ["msd"]),
        ("converted folder", ["msd", "mtt"]),
    ],
)
def test_a_source_is_converted_without_the_network(server, tmp_path, kind, names):
    source = make_source(kind, tmp_path / "source")
    paths = fetch_musicnn(source=str(source))
    assert list(paths) == names
    assert all(equal(path, name) for name, path in paths.items())
    assert server.asked == []
    if names == ["msd"]:
        with pytest.raises(ValueError, match="does not have the weights 'mtt' of musicnn"):
            fetch_musicnn("mtt", source=source)
        with pytest.raises(ValueError, match="does not have the weights 'mtt'"):
            fetch_musicnn(["msd", "mtt"], source=source)


@pytest.mark.parametrize("kind", ["text", "checkpoint", "weights", "empty folder"])
def test_a_source_of_something_else_is_refused(server, tmp_path, kind):
    source = tmp_path / "source"
    if kind == "text":
        source.write_text("?")
    elif kind == "checkpoint":
        source.write_bytes(CHECKPOINTS["msd"][:-4] + b"1234")
    elif kind == "weights":
        write_random_weights(source)
    else:
        source.mkdir()
    with pytest.raises(ValueError, match=r"'msd' and 'mtt' of musicnn. Expected the wheel"):
        fetch_musicnn(source=source)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("there_already", [False, True])
def test_a_missing_source_is_named(server, tmp_path, there_already):
    if there_already:
        fetch_musicnn()
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*nowhere"):
        fetch_musicnn(source=tmp_path / "nowhere")


def test_a_damaged_wheel_is_named(server, tmp_path):
    source = tmp_path / "musicnn.whl"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr(KNOWN["mtt"].member, CHECKPOINTS["mtt"])
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 0xFF
    source.write_bytes(content)
    with pytest.raises(ValueError, match=r"musicnn.whl is damaged \(Bad CRC.*pip download"):
        fetch_musicnn("mtt", source=source)
    assert not (tmp_path / "data").exists()


def test_a_damaged_file_is_made_again(server):
    path = fetch_musicnn("msd")["msd"]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="or is damaged"):
        load_weights("msd")
    assert equal(fetch_musicnn("msd")["msd"], "msd")
    assert len(server.asked) == 2


def test_a_download_with_another_checksum_is_refused(server, tmp_path):
    server.content["/MSD_musicnn/.data-00000-of-00001"] = CHECKPOINTS["mtt"]
    with pytest.raises(ValueError, match="SHA256 hash of downloaded file"):
        fetch_musicnn("msd")
    assert not (tmp_path / "data").exists()


def test_without_a_server_the_message_says_what_to_do(server):
    server.content.clear()
    with pytest.raises(ConnectionError, match=r"pip download --no-deps musicnn==0.1.0.*--from"):
        fetch_musicnn("msd")


@pytest.mark.parametrize("weights", ["vgg", ["msd", "vgg"]])
def test_unknown_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"vgg|'weights' parameter"):
        fetch_musicnn(weights)


def test_the_known_weights_state_their_terms():
    assert "ISC" in KNOWN["msd"].licence
    assert "last.fm" in KNOWN["msd"].training_data
    assert "CC BY-NC-SA" in KNOWN["mtt"].training_data
    assert layer_shapes(**PUBLISHED) == layer_shapes()
