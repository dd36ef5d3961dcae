"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from skgenre.utils._io import open_whole, write_whole


def test_a_file_is_replaced_with_its_permissions(tmp_path):
    target = tmp_path / "result.json"
    target.write_text("old")
    target.chmod(0o600)
    write_whole(target, "new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"


def test_what_is_no_regular_file_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_killed_processes_left_is_removed(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / ".skgenre-0.part").write_text("half a fi")
    (tmp_path / ".skgenre-1.txt").write_text("of the user")
    with open(tmp_path / ".skgenre-2.part", "wb") as being_written:
        fcntl.flock(being_written, fcntl.LOCK_EX)
        write_whole(tmp_path / "new", "text")
        found = sorted(os.listdir(tmp_path))
    assert found == [".skgenre-1.txt", ".skgenre-2.part", "new"]
    with open_whole(tmp_path / "outer"):
        write_whole(tmp_path / "inner", "text")
    assert sorted(os.listdir(tmp_path)) == [".skgenre-1.txt", "inner", "new", "outer"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path / 'no' / 'a.json'} cannot be written"):
        write_whole(tmp_path / "no" / "a.json", "text")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "new", "text")
        (tmp_path / "plain").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_permissions_of_other_threads_are_left_alone(tmp_path, monkeypatch):
    """The umask belongs to the process: to switch it lets other threads write for everybody."""
    monkeypatch.setattr(os, "umask", None)
    for _ in range(2):
        write_whole(tmp_path / "file", "text")


def test_open_whole_replaces_a_link(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with open_whole(tmp_path / "link") as stream:
        stream.write(b"new")
    assert (tmp_path / "there").read_text() == "old"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_text() == "new"


def test_an_error_leaves_nothing(tmp_path):
    def interrupted(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_whole(tmp_path / "file") as stream:
        interrupted(stream)
    assert os.listdir(tmp_path) == []
