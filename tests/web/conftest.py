"""A small model, its music and a service of it."""

import pytest

from skgenre import GenreClassifier, make_genres, save


@pytest.fixture(scope="session")
def web_music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web") / "music"
    return make_genres(4, genres=["dub", "swing"], duration=2.0, path=folder, random_state=0)


@pytest.fixture(scope="session")
def web_model(web_music):
    model = GenreClassifier(("svc",), n_segments=3, segment_duration=1.0, random_state=0)
    return model.fit(web_music.data, web_music.target)


@pytest.fixture(scope="session")
def web_model_file(web_model, tmp_path_factory):
    return str(save(web_model, tmp_path_factory.mktemp("model") / "m.skgenre", keep_paths=True))
