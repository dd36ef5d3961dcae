"""Genres and artists from the tags of files."""

from __future__ import annotations

import json
import sys

import pytest
from _tagged_files import FORMATS, tag, write_file
from mutagen.id3 import ID3, TCON, TPE1

from skgenre import load_tagged_folder


def add(folder, name, genre=(), artist="A", **tags):
    """Write a file with these tags."""
    file = write_file(folder / name, 0.1)
    given = {"genre": genre, "artist": artist, **tags}
    return tag(file, **{key: value for key, value in given.items() if value})


@pytest.fixture
def folder(tmp_path):
    """Two genres of two tracks each, in folders that say nothing of them."""
    folder = tmp_path / "music"
    add(folder, "x/1.flac", "Dub", "Al", title="One")
    add(folder, "x/2.flac", "Dub", "Bo")
    add(folder, "y/3.flac", "Swing", "Cy")
    add(folder, "y/4.flac", "Swing", "Di")
    return folder


def test_genres_artists_and_titles(folder):
    music = load_tagged_folder(folder)
    assert music.data.tolist() == [str(folder / f"{n}.flac") for n in ("x/1", "x/2", "y/3", "y/4")]
    assert music.target.tolist() == ["Dub", "Dub", "Swing", "Swing"]
    assert music.target_names == ["Dub", "Swing"]
    assert music.artists.tolist() == ["Al", "Bo", "Cy", "Di"]
    assert music.titles.tolist() == ["One", "", "", ""]
    assert (music.genres_from, music.metadata) == ("tags", None)
    assert (music.skipped, music.left_out, music.n_several) == ([], {}, 0)
    assert "4 audio files of 2 genres: Dub, Swing" in music.DESCR


@pytest.mark.parametrize("ending", FORMATS)
def test_all_formats(ending, folder):
    add(folder, f"z.{ending}", ["Dub", "Reggae"], "Zoé", albumartist="Al")
    music = load_tagged_folder(folder)
    assert music.data[2].endswith(f"z.{ending}")
    assert (music.target[2], music.artists[2], music.n_several) == ("Dub", "Zoé", 1)


@pytest.mark.parametrize("text", ["(17)", "17", "(17)Rock"])
@pytest.mark.parametrize("version", [3, 4])
def test_numbers_of_id3(text, version, folder):
    file = write_file(folder / "z.mp3", 0.1)
    tags = ID3()
    tags.add(TCON(encoding=0, text=[text]))
    tags.add(TPE1(encoding=0, text=["E"]))
    tags.save(file, v2_version=version)
    assert "Rock" in load_tagged_folder(folder).target_names


def test_spellings_are_one_genre_with_the_most_frequent_name(folder):
    for i, genre in enumerate(("hip hop", " HIP-HOP ", "Hip-Hop", "Hip-Hop")):
        add(folder, f"{i}.flac", genre, f"rapper {i}")
    music = load_tagged_folder(folder)
    assert music.target_names == ["Dub", "Hip-Hop", "Swing"]
    assert music.target.tolist().count("Hip-Hop") == 4


def test_spellings_of_an_artist_are_one(folder):
    add(folder, "5.flac", "Dub", "The Beatles")
    add(folder, "6.flac", "Dub", "Beatles, The")
    assert set(load_tagged_folder(folder).artists[:2]) == {"The Beatles"}


# What is left out


def test_what_is_left_out_is_counted_and_listed(folder):
    add(folder, "none.flac", "")
    add(folder, "blank.flac", " ")
    add(folder, "unknown.flac", "Unknown")
    add(folder, "va.flac", "Dub", "Various Artists")
    write_file(folder / "s.wav", 0.1).rename(folder / "strange.wma")
    (folder / "link.flac").symlink_to(folder / "x" / "1.flac")
    with pytest.warns(UserWarning, match="6 of 10 files of .*no genre: 3; .*none.flac") as caught:
        music = load_tagged_folder(folder)
    assert caught[0].filename == __file__
    assert (
        music.left_out
        == {
            "no genre": 3,
            "tags cannot be read": 1,
            "no artist": 1,
            "a link to a file that has another path here": 1,
        }
        or music.left_out["no genre"] == 4
    )
    assert len(music.data) == 4
    assert len(music.skipped) == 6
    assert (str(folder / "va.flac"), f"{folder / 'va.flac'}: no artist") in music.skipped


@pytest.mark.parametrize("own", ["", "Various Artists", "[unknown]", "V.A."])
def test_the_artist_of_the_album_where_the_track_has_none(own, folder):
    add(folder, "5.flac", "Dub", own, albumartist="Zed")
    assert "Zed" in load_tagged_folder(folder).artists


@pytest.mark.filterwarnings("ignore:. of . files:UserWarning")
def test_a_compilation_keeps_the_artists_of_its_tracks(folder):
    add(folder, "5.flac", "Dub", "Zed", albumartist="Various Artists")
    add(folder, "6.flac", "Dub", "", albumartist="Various Artists")
    music = load_tagged_folder(folder)
    assert "Zed" in music.artists
    assert music.left_out == {"no artist": 1}


def test_no_artists_at_all(tmp_path):
    for i, genre in enumerate(("Dub", "Swing")):
        add(tmp_path, f"{i}.flac", genre, "")
    with pytest.warns(UserWarning, match="No file of .* names an artist"):
        music = load_tagged_folder(tmp_path)
    assert music.artists is None
    with pytest.raises(ValueError, match="min_artists=2 needs artists, but no file"):
        load_tagged_folder(tmp_path, min_artists=2)


def test_without_need_of_an_artist(folder):
    add(folder, "5.flac", "Dub", "")
    music = load_tagged_folder(folder, need_artist=False)
    assert len(music.data) == 5
    assert music.artists is None


def test_genres_of_few_tracks_or_artists(folder):
    add(folder, "5.flac", "Dub", "Al")
    for name in ("6", "7", "8"):
        add(folder, f"{name}.flac", "Polka", "Pia")
    with pytest.warns(UserWarning, match="genre of fewer than 2 artists: 3"):
        music = load_tagged_folder(folder, min_artists=2)
    assert music.target_names == ["Dub", "Swing"]
    with pytest.warns(UserWarning, match="genre of fewer than 3 tracks: 2"):
        music = load_tagged_folder(folder, min_tracks=3)
    assert music.target_names == ["Dub", "Polka"]
    assert music.skipped[0][1].endswith("3.flac: 'Swing' has 2 tracks")


def test_damaged_files_are_errors_or_left_out(folder):
    file = add(folder, "5.flac", "Dub")
    file.write_bytes(file.read_bytes()[:300])  # the tags are there, the sound is not
    with pytest.raises(ValueError, match=r"1 of 5 files .* cannot be used:\n- .*5\.flac is not"):
        load_tagged_folder(folder)
    with pytest.warns(UserWarning, match="damaged or not audio: 1"):
        music = load_tagged_folder(folder, on_error="skip")
    assert [path for path, _ in music.skipped] == [str(file)]


# Several genres, and a vocabulary


def test_several_genres(folder):
    add(folder, "5.flac", ["Dub", "Swing"], "E")
    add(folder, "6.flac", "Swing; Dub", "F")
    add(folder, "7.flac", "R&B/Soul", "G")
    music = load_tagged_folder(folder)
    assert music.n_several == 2
    found = dict(zip(music.artists, music.target, strict=True))
    assert (found["E"], found["F"], found["G"]) == ("Dub", "Swing", "R&B/Soul")
    with pytest.warns(UserWarning, match="several genres: 2"):
        music = load_tagged_folder(folder, several="drop")
    assert music.n_several == 0
    assert len(music.data) == 5


def test_a_vocabulary_joins_words_and_leaves_others_out(folder, tmp_path):
    add(folder, "5.flac", ["Heavy-Metal", "Thrash"], "E")
    add(folder, "6.flac", ["Seen Live", "thrash"], "F")
    add(folder, "7.flac", ["Seen Live"], "G")
    words = {"metal": ["Heavy Metal", "Thrash"], "dub": "Dub"}
    path = tmp_path / "words.json"
    path.write_text(json.dumps(words))
    for vocabulary in (words, path, str(path)):
        with pytest.warns(UserWarning, match="genre not in the vocabulary: 3"):
            music = load_tagged_folder(folder, vocabulary=vocabulary, several="drop")
        assert music.target.tolist() == ["dub", "dub", "metal", "metal"]
        assert "'Seen Live' is not in the vocabulary" in music.skipped[0][1]


def test_a_word_of_two_genres_is_an_error(folder):
    with pytest.raises(ValueError, match="has 'hip hop' for both 'rap' and 'pop'"):
        load_tagged_folder(folder, vocabulary={"rap": "Hip-Hop", "pop": "hip hop"})


# Folders that cannot be used


def test_a_single_genre_says_what_was_left_out(tmp_path):
    add(tmp_path, "1.flac", "Dub")
    add(tmp_path, "2.flac", "")
    with pytest.raises(ValueError, match=r"leave a single genre, 'Dub'.*Left out: no genre: 1"):
        load_tagged_folder(tmp_path)
    with pytest.warns(UserWarning, match="no genre: 1"):
        music = load_tagged_folder(tmp_path, single_genre=True)
    assert music.target.tolist() == ["Dub"]
    (tmp_path / "1.flac").unlink()
    with pytest.raises(ValueError, match="leave no genre"):
        load_tagged_folder(tmp_path, single_genre=True)
    (tmp_path / "2.flac").unlink()
    with pytest.raises(ValueError, match="no audio files"):
        load_tagged_folder(tmp_path)


def test_no_folder_and_no_tinytag(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
        load_tagged_folder(tmp_path / "absent")
    monkeypatch.setitem(sys.modules, "tinytag", None)
    with pytest.raises(ImportError, match=r'pip install "skgenre\[tags\]"'):
        load_tagged_folder(tmp_path)
