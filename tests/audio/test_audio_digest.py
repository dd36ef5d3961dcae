"""The digest of a file's sound does not depend on its tags, and on nothing else."""

from __future__ import annotations

import pytest
from _tagged_files import FORMATS, tag, write_file

from skgenre.audio import audio_digest


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    return write_file(tmp_path / f"a.{request.param}", 3.0)


def test_tags_do_not_count(file):
    digest = audio_digest(file)
    for title in ("short", "long " * 20_000):  # longer than a page of Ogg
        tag(file, title=title, genre=["Dub", "Reggae"])
        assert audio_digest(file) == digest


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_any_byte_of_the_sound_counts(file, share):
    digest = audio_digest(file)
    content = bytearray(file.read_bytes())
    start, stop = 0, len(content)
    if file.suffix == ".m4a":  # the sound lies between boxes
        start = content.index(b"mdat") + 4
        stop = start - 8 + int.from_bytes(content[start - 8 : start - 4], "big")
    content[int(start + share * (stop - start))] ^= 1
    file.write_bytes(content)
    assert audio_digest(file) != digest


def test_another_sound_has_another_digest(file, tmp_path):
    other = write_file(tmp_path / f"b{file.suffix}", 3.0, seed=1)
    assert audio_digest(other) != audio_digest(file)


def test_the_tables_of_an_mp4_file_count(tmp_path):
    """The same samples are another sound where the file's tables lead elsewhere."""
    file = write_file(tmp_path / "a.m4a")
    digest = audio_digest(file)
    content = bytearray(file.read_bytes())
    for name, offset in ((b"stco", 15), (b"stsz", 19)):
        changed = bytearray(content)
        changed[content.index(name) + offset - 4] ^= 1
        file.write_bytes(changed)
        assert audio_digest(file) != digest, name


def test_a_file_that_ends_in_its_headers_is_named(tmp_path):
    file = write_file(tmp_path / "a.flac")
    file.write_bytes(file.read_bytes()[:6])
    with pytest.raises(ValueError, match=r"a\.flac is truncated or damaged"):
        audio_digest(file)
    with pytest.raises(FileNotFoundError):
        audio_digest(tmp_path / "absent.flac")
