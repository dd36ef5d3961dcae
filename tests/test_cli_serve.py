"""The command skgenre serve, up to the point where the server runs."""

from __future__ import annotations

import socket

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from skgenre import AudioLoader, SimilarTracks, make_genres, save
from skgenre.cli import main
from skgenre.utils import _extras
from skgenre.web import Limits


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve") / "music"
    return make_genres(2, genres=["dub", "swing"], duration=1.0, path=folder, random_state=0)


@pytest.fixture(scope="module")
def model(music, tmp_path_factory):
    model = make_pipeline(AudioLoader(duration=1.0), DummyClassifier(strategy="prior"))
    path = tmp_path_factory.mktemp("model") / "model.skgenre"
    return str(save(model.fit(music.data, music.target), path))


@pytest.fixture
def served(monkeypatch):
    """What would be served: the service, and the arguments of the server."""
    calls = []
    monkeypatch.setattr("skgenre.cli._serve.check_installed", lambda *args: None)
    monkeypatch.setattr(
        "skgenre.web.serve", lambda service, **kwargs: calls.append((service, kwargs))
    )
    return calls


def test_serves_on_this_machine_alone_with_the_limits_of_the_docs(served, model, capsys):
    assert main(["serve", model]) == 0
    ((service, options),) = served
    assert (options["host"], options["port"]) == ("127.0.0.1", 7860)
    assert service.limits == Limits()
    assert service.min_confidence == 0
    assert len(service.model_id) == 16
    assert not service.has_similar
    options["ready"]("http://127.0.0.1:7860")
    captured = capsys.readouterr()
    assert captured.out == "Serving at http://127.0.0.1:7860 until Ctrl-C.\n"
    assert captured.err == ""


def test_options_reach_the_service(served, model, capsys):
    options = {"--max-megabytes": 2, "--max-minutes": 3, "--max-files": 4, "--max-waiting": 5}
    options |= {"--jobs": 6, "--keep-minutes": 7, "--min-confidence": 0.4, "--host": "0.0.0.0"}
    given = [str(part) for option in options.items() for part in option]
    assert main(["serve", model, "--port", "0", *given]) == 0
    ((service, told),) = served
    assert service.limits == Limits(2.0, 180.0, 4, 5, 6, 7.0)
    assert service.min_confidence == 0.4
    assert (told["host"], told["port"]) == ("0.0.0.0", 0)
    assert "it asks for no password" in capsys.readouterr().err


def test_catalogue_of_a_folder_and_of_a_file(served, model, music, tmp_path):
    folder = str(tmp_path / "music")
    make_genres(1, genres=["dub", "swing"], duration=1.0, path=folder, random_state=1)
    assert main(["serve", model, "--catalogue", folder]) == 0
    fitted = SimilarTracks().fit(music.data)
    file = str(save(fitted, tmp_path / "similar.skgenre", keep_paths=True))
    assert main(["serve", model, "--catalogue", file]) == 0
    assert [service.n_tracks for service, _ in served] == [2, 4]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--port", "65536"], "'65536' is not a whole number, from 0 to 65535"),
        (["--max-files", "0"], "'0' is not a whole number, 1 or more"),
        (["--max-megabytes", "-1"], "'-1' is not a number above 0"),
        (["--min-confidence", "2"], "'2' is not a number from 0 to 1"),
        (["--min-confidence", "0.5", "--min-accuracy", "0.9"], "not allowed with argument"),
        (["--catalogue", "{model}"], "holds a Pipeline; give a folder of music"),
        (["--catalogue", "{empty}"], "has 0 audio files; two or more are needed"),
    ],
)
def test_wrong_arguments_are_one_line(served, model, tmp_path, capsys, arguments, match):
    filled = [text.format(model=model, empty=tmp_path) for text in arguments]
    assert main(["serve", model, *filled]) == 2
    err = capsys.readouterr().err
    assert err.startswith("skgenre: error: ")
    assert err.count("\n") == 1
    assert match in err
    assert served == []


def test_missing_model(served, capsys):
    assert main(["serve", "none.skgenre"]) == 2
    assert "There is no model none.skgenre" in capsys.readouterr().err


def test_without_gradio_the_error_says_what_to_install(model, monkeypatch, capsys):
    monkeypatch.setattr(_extras, "is_installed", lambda name: name != "gradio")
    assert main(["serve", model]) == 2
    err = capsys.readouterr().err
    assert err == (
        "skgenre: error: skgenre serve needs gradio, which is not installed here. Install it "
        'with: pip install "skgenre[web]"\n'
    )


def test_port_that_is_taken(model, monkeypatch, capsys):
    for place in ("skgenre.cli._serve", "skgenre.web._app"):
        monkeypatch.setattr(f"{place}.check_installed", lambda *args: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", model, "--port", str(port)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"skgenre: error: Cannot listen at 127.0.0.1, port {port} (")
    assert "Give another --port" in err
    assert err.count("\n") == 1
