"""The package as a whole: what importing it loads, and what it offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import skgenre

HEAVY = ("tensorflow", "keras", "scikeras", "librosa", "numba", "pooch", "requests")
HEAVY += ("sklearn", "scipy", "soundfile", "matplotlib")
PUBLIC = [name for name in skgenre.__all__ if name != "__version__"]


def _loaded_by(code):
    """Run code in a fresh process and return the heavy packages that it loaded."""
    code += f"\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_loads_nothing_heavy():
    assert _loaded_by("import skgenre; dir(skgenre); skgenre.__version__") == []


def test_estimators_are_built_without_tensorflow_librosa_and_matplotlib():
    loaded = _loaded_by(
        "import skgenre\n"
        "for name in skgenre.__all__: getattr(skgenre, name)\n"
        "skgenre.make_genre_pipeline('hierarchical')"
    )
    assert "sklearn" in loaded  # proves that the names were resolved at all
    assert set(loaded) <= {"sklearn", "scipy", "soundfile"}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_resolves_to_what_it_says(name):
    thing = getattr(skgenre, name)
    assert thing.__name__ == name
    assert thing.__module__.startswith("skgenre.")


def test_all_and_dir_are_complete():
    assert len(set(skgenre.__all__)) == len(skgenre.__all__)
    assert set(skgenre.__all__) <= set(dir(skgenre))
    assert [name for name in dir(skgenre) if not name.startswith("_")] == sorted(PUBLIC)


def test_star_import_brings_the_public_names():
    namespace: dict[str, object] = {}
    exec("from skgenre import *", namespace)
    assert set(skgenre.__all__) <= set(namespace)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No skgenre attribute Segmentor"):
        skgenre.Segmentor  # noqa: B018 - reading it is the test
    assert not hasattr(skgenre, "segmenter")
