import gzip
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal

from skgenre import load_genre_folder, load_gtzan


def write_audio(path, seed=0, n_samples=400):
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = np.random.default_rng(seed).uniform(-0.5, 0.5, n_samples)
    soundfile.write(path, wave, 8000)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two genres of two tracks each."""
    folder = tmp_path / "music"
    for name in ("rock/b.wav", "rock/a.wav", "jazz/c.wav", "jazz/d.wav"):
        write_audio(folder / name)
    return folder


def write_table(path, *rows):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


FULL = ("jazz/c.wav,Cy", "jazz/d.wav,Di", "rock/a.wav,Al", "rock/b.wav,Bo")


def test_genres_and_tracks_in_order(folder):
    music = load_genre_folder(folder)
    names = ["jazz/c.wav", "jazz/d.wav", "rock/a.wav", "rock/b.wav"]
    assert_array_equal(music.data, [str(folder / name) for name in names])
    assert_array_equal(music.target, ["jazz", "jazz", "rock", "rock"])
    assert music.target_names == ["jazz", "rock"]
    assert music.artists is None
    assert music.titles is None
    assert music.metadata is None
    assert music.skipped == []
    assert "4 audio files of 2 genres: jazz, rock" in music.DESCR
    assert_array_equal(load_genre_folder(str(folder)).data, music.data)


def test_formats_by_extension_in_either_case(folder):
    formats = {
        "FLAC": "flac",
        "ogg": "ogg",
        "Mp3": "mp3",
        "au": "au",
        "aiff": "aiff",
        "AIF": "aiff",
    }
    for extension, known in formats.items():
        written = write_audio(folder / "rock" / f"written.{known}", n_samples=4000)
        written.rename(folder / "rock" / f"z.{extension}")
    (folder / "rock" / "cover.jpg").write_bytes(b"picture")
    assert len(load_genre_folder(folder).data) == 10
    few = load_genre_folder(folder, extensions=["wav", ".flac"])
    assert [path[-6:] for path in few.data[2:]] == ["/a.wav", "/b.wav", "z.FLAC"]


def test_files_lie_deeper_and_hidden_ones_do_not_count(folder):
    write_audio(folder / "rock" / "album" / "deep.wav")
    (folder / "rock" / "._a.wav").write_bytes(b"resource fork")
    for hidden in ("__MACOSX", ".cache"):
        (folder / "rock" / hidden).mkdir()
        (folder / "rock" / hidden / "a.wav").write_bytes(b"no audio")
        write_audio(folder / hidden / "e.wav")
    music = load_genre_folder(folder)
    assert music.target_names == ["jazz", "rock"]
    assert [path.rsplit("/music/", 1)[1] for path in music.data[2:]] == [
        "rock/a.wav",
        "rock/album/deep.wav",
        "rock/b.wav",
    ]


def test_links_are_followed_without_end(folder, tmp_path):
    write_audio(tmp_path / "elsewhere" / "e.wav")
    (folder / "folk").symlink_to(tmp_path / "elsewhere")
    (folder / "rock" / "again").symlink_to(folder / "rock")
    music = load_genre_folder(folder)
    assert_array_equal(np.unique(music.target, return_counts=True)[1], [1, 2, 2])


def test_names_in_any_script(tmp_path):
    folder = tmp_path / "муз, ыка"
    loose = unicodedata.normalize("NFD", "été")
    write_audio(folder / "rébétiko" / f"{loose}.wav")
    write_audio(folder / "演歌" / "津軽 海峡.wav")
    write_table(
        folder / "tracks.csv", "file,artist", "rébétiko/été.wav,Ρόζα", "演歌/津軽 海峡.wav,さゆり"
    )
    music = load_genre_folder(folder)
    assert_array_equal(music.target, ["rébétiko", "演歌"])
    assert_array_equal(music.artists, ["Ρόζα", "さゆり"])


# Folders that cannot be read


def test_no_such_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
        load_genre_folder(tmp_path / "absent")


def test_a_file_is_no_folder(folder):
    with pytest.raises(NotADirectoryError, match=r"a\.wav is a file"):
        load_genre_folder(folder / "rock" / "a.wav")


def test_no_sub_folders(folder):
    with pytest.raises(ValueError, match="no sub-folders but 2 audio files; expected one sub-fold"):
        load_genre_folder(folder / "rock")


def test_no_audio_files(tmp_path):
    (tmp_path / "rock").mkdir()
    (tmp_path / "rock" / "song.mid").write_bytes(b"")
    with pytest.raises(ValueError, match=r"no audio files \(wav, flac"):
        load_genre_folder(tmp_path)


def test_a_single_genre(tmp_path):
    write_audio(tmp_path / "rock" / "a.wav")
    with pytest.raises(ValueError, match="a single genre, 'rock'"):
        load_genre_folder(tmp_path)
    assert load_genre_folder(tmp_path, single_genre=True).target.tolist() == ["rock"]


def test_an_empty_genre_is_named(folder):
    (folder / "folk").mkdir()
    with pytest.warns(UserWarning, match="1 sub-folders .* no audio files .*: folk"):
        music = load_genre_folder(folder)
    assert music.target_names == ["jazz", "rock"]


def test_files_without_a_genre_are_named(folder):
    write_audio(folder / "stray.wav")
    with pytest.warns(UserWarning, match=r"1 audio files lie in .* itself .*stray\.wav") as caught:
        music = load_genre_folder(folder)
    assert len(music.data) == 4
    assert caught[0].filename == __file__  # the warning points to the caller


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"extensions": "wav"}, "must be an array-like. Got 'wav'"),
        ({"extensions": []}, "must list file name extensions"),
        ({"on_error": "ignore"}, "'on_error' parameter"),
        ({"metadata": 3}, "'metadata' parameter"),
    ],
)
def test_bad_parameters(folder, params, message):
    with pytest.raises(ValueError, match=message):
        load_genre_folder(folder, **params)


# Files that cannot be used


def damage(folder):
    (folder / "rock" / "text.wav").write_text("not a sound")
    (folder / "jazz" / "empty.wav").write_bytes(b"")
    (folder / "jazz" / "lost.wav").symlink_to(folder / "nowhere.wav")


def test_damaged_files_are_all_named(folder):
    damage(folder)
    with pytest.raises(ValueError, match="on_error='skip'") as caught:
        load_genre_folder(folder)
    message = str(caught.value)
    assert message.startswith("3 of 7 files")
    assert all(name in message for name in ("text.wav", "empty.wav", "lost.wav"))


def test_many_damaged_files_are_counted(folder):
    for number in range(12):
        (folder / "rock" / f"x{number:02d}.wav").write_bytes(b"")
    with pytest.raises(ValueError, match="12 of 16 files") as caught:
        load_genre_folder(folder)
    assert "x09.wav" in str(caught.value)
    assert "x10.wav" not in str(caught.value)
    assert "and 2 more" in str(caught.value)


def test_damaged_files_are_left_out(folder):
    damage(folder)
    write_table(
        folder / "tracks.csv", "file,artist,title", *(f"{row},T" for row in FULL),
        "rock/text.wav,Te,T", "jazz/empty.wav,Em,T", "jazz/lost.wav,Lo,T",
    )  # fmt: skip
    with pytest.warns(UserWarning, match="3 of 7 files .* were left out") as caught:
        music = load_genre_folder(folder, on_error="skip")
    assert len(caught) == 1
    assert "text.wav" in str(caught[0].message)
    assert_array_equal(music.artists, ["Cy", "Di", "Al", "Bo"])
    assert len(music.data) == len(music.target) == len(music.titles) == 4
    assert [path.rsplit("/", 1)[1] for path, _ in music.skipped] == [
        "empty.wav",
        "lost.wav",
        "text.wav",
    ]
    assert all(reason for _, reason in music.skipped)


def test_a_genre_of_damaged_files_only(folder):
    (folder / "folk").mkdir()
    (folder / "folk" / "x.wav").write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="1 of 5 files"),
        pytest.warns(UserWarning, match="No file is left of these genres .*folk"),
    ):
        music = load_genre_folder(folder, on_error="skip")
    assert music.target_names == ["jazz", "rock"]


def test_damaged_files_only(tmp_path):
    for genre in ("folk", "rock"):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "x.wav").write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="2 of 2 files"),
        pytest.raises(ValueError, match="None of the 2 audio files"),
    ):
        load_genre_folder(tmp_path, on_error="skip")


# Artists


@pytest.mark.parametrize("place", ["tracks.csv", "metadata.csv", "any name.CSV", "../music.csv"])
def test_table_is_found(folder, place):
    path = write_table(folder / place, "file,artist", *FULL)
    music = load_genre_folder(folder)
    assert_array_equal(music.artists, ["Cy", "Di", "Al", "Bo"])
    assert music.metadata.endswith(path.name)
    assert music.titles is None
    assert load_genre_folder(folder, metadata=None).artists is None


@pytest.mark.parametrize("column", ["file", "filename", "path", " File "])
@pytest.mark.parametrize(
    "form",
    [
        "{genre}/{name}",
        "music/{genre}/{name}",
        "../music/{genre}/{name}",
        "{name}",
        r".\{genre}\{name}",
    ],
)
def test_forms_of_a_files_name(folder, tmp_path, column, form):
    rows = [
        form.format(genre=row.split("/")[0], name=row.split("/")[1].split(",")[0])
        + "," + row.split(",")[1]
        for row in FULL
    ]  # fmt: skip
    (tmp_path / "tables").mkdir()
    table = write_table(tmp_path / "tables" / "who.csv", f"{column},artist", *rows)
    music = load_genre_folder(folder, metadata=table)
    assert_array_equal(music.artists, ["Cy", "Di", "Al", "Bo"])


def test_relative_folder(folder, monkeypatch):
    write_table(folder / "tracks.csv", "file,artist", *FULL)
    monkeypatch.chdir(folder)
    music = load_genre_folder(".")
    assert_array_equal(music.data[:1], ["jazz/c.wav"])
    assert_array_equal(music.artists, ["Cy", "Di", "Al", "Bo"])


def test_titles_quotes_and_other_columns(folder):
    write_table(
        folder / "tracks.csv", "\ufefffile,genre,artist,title,year",
        'jazz/c.wav,JAZZ, Cy  Co ,"Oh, yes",1',
        "jazz/d.wav,jazz,Di,,2", "", "rock/a.wav,rock,Al,A,3", "rock/b.wav,rock,Bo,B,4",
    )  # fmt: skip
    music = load_genre_folder(folder)
    assert music.artists[0] == "Cy Co"
    assert_array_equal(music.titles, ["Oh, yes", "", "A", "B"])


def test_ambiguous_name(folder):
    write_audio(folder / "jazz" / "a.wav")
    write_table(folder / "tracks.csv", "file,artist", "a.wav,Al")
    with pytest.raises(ValueError, match=r"line 2: 'a\.wav' is the name of 2 files"):
        load_genre_folder(folder)


def test_genre_contradicts_the_folder(folder):
    write_table(folder / "tracks.csv", "file,genre,artist", "rock/a.wav,jazz,Al")
    with pytest.raises(ValueError, match=r"line 2 says that .*a\.wav is 'jazz', .* 'rock'"):
        load_genre_folder(folder)


def test_rows_contradict_each_other(folder):
    write_table(folder / "tracks.csv", "file,artist", *FULL, "a.wav,Al", "rock/a.wav,Zoe")
    with pytest.raises(ValueError, match=r"lines 4 and 7 contradict each other about .*a\.wav"):
        load_genre_folder(folder)


@pytest.mark.parametrize(
    "unknown", ["", "Unknown", "unknown artist", "N/A", "Various Artists", None]
)
def test_unknown_artists_never_become_one_group(folder, unknown):
    rows = [
        FULL[0],
        *([] if unknown is None else [f"jazz/d.wav,{unknown}", f"rock/a.wav,{unknown}"]),
    ]
    write_table(folder / "tracks.csv", "file,artist", *rows, FULL[3])
    with pytest.raises(ValueError, match=r"2 of 4 files .* cannot be used") as caught:
        load_genre_folder(folder)
    assert "d.wav" in str(caught.value)
    assert "metadata=None" in str(caught.value)
    with pytest.warns(UserWarning, match="2 of 4 files .* left out"):
        music = load_genre_folder(folder, on_error="skip")
    assert_array_equal(music.artists, ["Cy", "Bo"])
    assert len(load_genre_folder(folder, metadata=None).data) == 4


def test_rows_without_files_are_counted(folder):
    write_table(
        folder / "tracks.csv", "file,artist", *FULL, "rock/gone.wav,Al", "x/a.wav,Zoe", ",Zoe"
    )
    with pytest.warns(UserWarning, match="3 rows of .* name files that are not in"):
        music = load_genre_folder(folder)
    assert_array_equal(music.artists, ["Cy", "Di", "Al", "Bo"])


def test_table_of_another_folder(folder):
    table = write_table(folder / "who.csv", "file,artist", "pop/x.wav,Al")
    with pytest.raises(ValueError, match=r"None of the 1 rows of .*who\.csv"):
        load_genre_folder(folder, metadata=table)


def test_several_tables(folder):
    for name in ("one.csv", "two.csv"):
        write_table(folder / name, "file,artist", *FULL)
    with pytest.raises(ValueError, match=r"2 tables .*one\.csv, two\.csv.*metadata=PATH"):
        load_genre_folder(folder)
    assert load_genre_folder(folder, metadata=str(folder / "two.csv")).artists[0] == "Cy"


def test_tables_that_are_not_used_are_named(folder):
    write_table(folder / "features.csv", "filename,tempo,label", "a.wav,120,rock")
    write_table(folder / "other.csv", "file,artist", "pop/x.wav,Al")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "artists.xlsx").write_bytes(b"PK\x03\x04 and so on")
    with pytest.warns(UserWarning, match="not used") as caught:
        assert load_genre_folder(folder).artists is None
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "features.csv is not used: it has the columns ['filename', 'tempo', 'label']" in message
    assert "other.csv is not used: none of its 1 rows names a file" in message
    assert "empty.csv is not used: it has the columns []" in message
    assert "artists.xlsx is not used: it is not text" in message
    # Once artists are known, tables of something else do not matter; those of artists do.
    write_table(folder / "tracks.csv", "file,artist", *FULL)
    write_table(folder / "metadata.csv", "file,artist", *FULL)
    with pytest.warns(UserWarning, match=r"metadata\.csv is not used, because .*tracks\.csv is"):
        assert load_genre_folder(folder).metadata == str(folder / "tracks.csv")


def test_usual_table_without_the_columns(folder):
    write_table(folder / "tracks.csv", "file,performer", *FULL)
    with pytest.warns(UserWarning, match=r"tracks\.csv is not used") as caught:
        assert load_genre_folder(folder).artists is None
    assert caught[0].filename == __file__
    # A table of genres alone names no artists; one that does is preferred.
    write_table(folder / "tracks.csv", "file,genre", "rock/a.wav,Rock")
    with pytest.warns(UserWarning, match=r"tracks\.csv is not used: .* no column 'artist'"):
        assert load_genre_folder(folder).artists is None
    write_table(folder / "who.csv", "file,artist", *FULL)
    with pytest.warns(UserWarning, match=r"tracks\.csv is not used, because .*who\.csv is"):
        assert_array_equal(load_genre_folder(folder).artists, ["Cy", "Di", "Al", "Bo"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"file;who\nrock/a.wav;Al\n", r"has the columns \['file;who'\]; it needs 'file'"),
        (b"", r"has the columns \[\]"),
        (b"file,artist\nrock/a.wav,Al, the Great\n", "line 2: 3 values for 2 columns"),
        (b"file;artist\nrock/a.wav;Al; the Great\n", "line 2: 3 values .* with ';' in it"),
        (b"file,artist\nrock/a.wav,\x81\x8d\n", "not text in UTF-8"),
        (b"\xff\xfef\0i", "not text in UTF-8"),
        (b"file,artist,Artist\nrock/a.wav,Al,Bo\n", "more than one column 'artist'"),
        (b'file,artist\nrock/a.wav,"Al\nrock/b.wav,Bo\n', "over several lines"),
    ],
)
def test_bad_tables(folder, text, message):
    (folder / "who.csv").write_bytes(text)
    with pytest.raises(ValueError, match=message):
        load_genre_folder(folder, metadata=folder / "who.csv")


def test_no_such_table(folder):
    with pytest.raises(FileNotFoundError, match=r"no file .*who\.csv"):
        load_genre_folder(folder, metadata=folder / "who.csv")


# Files that are not read


def write_nothing(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not read")


def test_audio_files_of_other_formats_are_counted_and_listed(folder):
    write_nothing(folder, "rock/a.m4p", "rock/album/B.M4P", "jazz/c.shn", "d.tak")
    write_audio(folder / "stray.wav")
    with pytest.warns(UserWarning, match="4 audio files of .* are not read") as caught:
        music = load_genre_folder(folder)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    for part in ("1 audio files lie in", "stray.wav", ".m4p is not read: 2", "rock/album/B.M4P"):
        assert part in message
    assert len(music.data) == 4
    names = ["stray.wav", "d.tak", "jazz/c.shn", "rock/a.m4p", "rock/album/B.M4P"]
    assert [path for path, _ in music.skipped] == [str(folder / name) for name in names]
    assert all(reason.startswith(f"{path}: ") for path, reason in music.skipped)


def test_endings_that_the_caller_leaves_out_are_listed_in_silence(folder):
    write_nothing(folder, "rock/x.mp3", "rock/y.m4p")
    music = load_genre_folder(folder, extensions=["wav"])
    assert [path[-5:] for path, _ in music.skipped] == ["x.mp3", "y.m4p"]


def test_a_folder_of_other_formats_only(tmp_path):
    write_nothing(tmp_path, "rock/a.m4p", "jazz/b.m4p")
    with pytest.raises(ValueError, match=r"no audio files .* 2 of other formats: jazz/b\.m4p"):
        load_genre_folder(tmp_path)


def test_files_beside_the_music_are_ignored(folder):
    write_nothing(
        folder, "rock/a.cue", "rock/list.m3u", "rock/cover.jpg", "rock/Thumbs.db", ".DS_Store",
        "rock/._a.m4p", "__MACOSX/rock/._a.wav", "notes.txt",
    )  # fmt: skip
    assert load_genre_folder(folder).skipped == []


def test_a_dot_before_a_digit_or_dot_hides_nothing(folder):
    write_audio(folder / ".38 Special" / "x.wav")
    write_audio(folder / "rock" / "...And Justice" / "y.wav")
    assert load_genre_folder(folder).target_names == [".38 Special", "jazz", "rock"]
    assert len(load_genre_folder(folder).data) == 6


def test_a_file_is_listed_once(folder):
    (folder / "rock" / "album").mkdir()
    (folder / "rock" / "album" / "z.wav").symlink_to(folder / "rock" / "a.wav")
    (folder / "rock" / "best").symlink_to(folder / "rock" / "album")
    for name, target in [("up", "../.."), ("itself", "itself"), ("root", "..")]:
        (folder / "rock" / name).symlink_to(target)
    with pytest.warns(UserWarning, match=r"3 audio files .* another path here: 2; .*nowhere: 1"):
        music = load_genre_folder(folder)
    assert_array_equal(music.target, ["jazz", "jazz", "rock", "rock"])
    assert str(folder / "rock" / "a.wav") in music.data
    assert len(music.skipped) == 3


def test_a_file_of_two_genres(folder):
    (folder / "jazz" / "a.wav").symlink_to(folder / "rock" / "a.wav")
    with pytest.raises(ValueError, match=r"rock/a\.wav: in another genre too.*jazz/a\.wav"):
        load_genre_folder(folder)


def test_a_folder_that_cannot_be_read(folder, monkeypatch):
    write_audio(folder / "rock" / "locked" / "x.wav")
    scan = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ValueError, match=r"1 of 5 files .*\n- .*rock/locked: Permission denied"):
        load_genre_folder(folder)
    with pytest.warns(UserWarning, match="were left out"):
        music = load_genre_folder(folder, on_error="skip")
    assert [path for path, _ in music.skipped] == [str(folder / "rock" / "locked")]


@pytest.mark.parametrize(
    "names",
    [
        ("Hip-Hop", "hip hop "),
        ("R&B", "r&b"),
        (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")),
    ],
)
def test_genres_that_differ_only_in_spelling(folder, names):
    for name in names:
        write_audio(folder / name / "x.wav")
    with pytest.warns(UserWarning, match="Genres of .* differ only in case") as caught:
        load_genre_folder(folder)
    assert len(caught) == 1
    assert all(repr(name) in str(caught[0].message) for name in names)


# Tables in other forms


def encode(text, encoding, *, separator=",", end="\n", above=""):
    lines = [above, *text.replace(",", separator).splitlines()] if above else text.splitlines()
    return end.join(line.replace(",", separator) for line in lines).encode(encoding)


@pytest.mark.parametrize(
    "form",
    [
        {"encoding": "utf-8-sig", "end": "\r\n"},
        {"encoding": "utf-16", "separator": "\t"},
        {"encoding": "utf-16-le"},
        {"encoding": "utf-16-be"},
        {"encoding": "utf-32"},
        {"encoding": "cp1252", "separator": ";", "end": "\r\n"},
        {"encoding": "utf-8", "separator": "|", "end": "\r"},
        {"encoding": "utf-8-sig", "separator": ";", "above": "sep=;"},
        {"encoding": "cp1252", "separator": ";", "above": '"sep=;"\n\n;;'},
        {"encoding": "utf-8", "above": "\n \n,,"},
    ],
)
def test_encodings_and_separators(folder, form):
    write_audio(folder / "rock" / "café.wav")
    text = "\n".join(["file,artist,title", *(f"{row},T" for row in FULL), "café.wav,Édith,À"])
    (folder / "tracks.csv").write_bytes(encode(text, **form))
    music = load_genre_folder(folder)
    assert_array_equal(music.artists, ["Cy", "Di", "Al", "Bo", "Édith"])
    assert_array_equal(music.titles, ["T"] * 4 + ["À"])


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_forms_of_columns(folder, ending):
    write_table(
        folder / f"tracks.{ending}", "No;File Name;ARTIST_Name ; Title;;", "1;a.wav;Al;;;;;",
        "2;b.wav;Bo", '3;"c.wav";"Cy; Co";"Oh ""yes""";', "4;d.wav;Di;;;", ";;;", "2;b.wav;Bo",
    )  # fmt: skip
    music = load_genre_folder(folder)
    assert_array_equal(music.artists, ["Cy; Co", "Di", "Al", "Bo"])
    assert_array_equal(music.titles, ['Oh "yes"', "", "", ""])


@pytest.mark.parametrize(
    "form",
    [
        "ROCK/A.Wav",
        "rock/a.mp3",
        "rock/a",
        r"C:\Users\me\Music\rock\a.wav",
        "genres_original/rock/a.flac",
        "/home/me/music/rock/a.wav",
    ],
)
def test_other_names_of_the_same_files(folder, form):
    rows = [form.replace("rock", g).replace("ROCK", g.upper()) for g in ("jazz", "rock")]
    for genre, name in (("jazz", "a"), ("jazz", "x"), ("rock", "x")):
        write_audio(folder / genre / f"{name}.wav")
    for name in ("jazz/c", "jazz/d", "rock/b"):
        (folder / f"{name}.wav").unlink()
    more = [row.replace("a.", "x.").replace("A.", "X.") for row in rows if "." in row]
    more = more or [row[:-1] + "x" for row in rows]
    table = [*(f"{row},A" for row in rows), *(f"{row},X" for row in more)]
    write_table(folder / "tracks.csv", "file,artist", *table)
    assert_array_equal(load_genre_folder(folder).artists, ["A", "X", "A", "X"])


def test_a_row_of_another_ending_is_about_another_file(folder):
    write_table(folder / "tracks.csv", "file,artist", *FULL, "rock/a.mp3,Zoe")
    with pytest.warns(UserWarning, match="1 rows of .* name files that are not in"):
        assert load_genre_folder(folder).artists[2] == "Al"
    write_audio(folder / "rock" / "new.wav")
    write_audio(folder / "rock" / "new.flac")
    write_table(folder / "tracks.csv", "file,artist", *FULL, "new,Zoe")
    with pytest.raises(ValueError, match="line 6: 'new' is the name of 2 files"):
        load_genre_folder(folder)


def test_rows_of_another_data_set_are_not_taken_for_files(folder):
    rows = [f"music/{row}" for row in FULL[:3]]
    write_table(folder / "tracks.csv", "file,artist", *rows, "other/rock/b.wav,Zoe")
    with (
        pytest.warns(UserWarning, match="1 rows of"),
        pytest.raises(ValueError, match=r"rock/b\.wav: no row in"),
    ):
        load_genre_folder(folder)


@pytest.mark.parametrize(
    "unknown",
    [
        "[unknown]", "<Unknown>", "V.A.", "VA", "v/a", "VV.AA.", "Various", "[no artist]", "[data]",
        "[Traditional]", "#N/A", "-", "???", "[Unknown Artist]", "anonymous", "Verschiedene",
    ],
)  # fmt: skip
def test_values_that_are_no_artist(folder, unknown):
    write_table(folder / "tracks.csv", "file,artist", *FULL[:3], f"rock/b.wav,{unknown}")
    with pytest.raises(ValueError, match=r"1 of 4 files .*\n.*b\.wav: no artist but '") as caught:
        load_genre_folder(folder)
    assert repr(unknown) in str(caught.value)


def test_spellings_of_an_artist_are_one(folder):
    names = ["The Beatles", "the  BEATLES ", "Béatles", '"Beatles, The"', "Beatles"]
    rows = [f"jazz/e{number}.wav,{name}" for number, name in enumerate(names)]
    for row in rows:
        write_audio(folder / row.split(",")[0])
    write_table(folder / "tracks.csv", "file,artist", *FULL, *rows, "jazz/e0.wav,beatles")
    artists = load_genre_folder(folder).artists[2:7]
    first = "The Beatles"
    assert_array_equal(artists, [first, first, "Béatles", first, first])


# Genres from a table


@pytest.fixture
def catalogue(tmp_path):
    """Four tracks in folders of artists and albums, and their genres."""
    folder = tmp_path / "catalogue"
    for name in ("ABBA/Gold/1.wav", "ABBA/Gold/2.wav", "Queen/Jazz/1.wav", "Queen/News/1.wav"):
        write_audio(folder / name)
    table = write_table(
        tmp_path / "genres.csv", "file,genre", "Gold/1.wav,pop", "Gold/2.wav,pop",
        "Queen/Jazz/1.wav,rock", "Queen/News/1.wav,rock",
    )  # fmt: skip
    return folder, table


def test_a_table_that_is_named_defines_genres(catalogue):
    folder, table = catalogue
    music = load_genre_folder(folder, metadata=table)
    assert_array_equal(music.target, ["pop", "pop", "rock", "rock"])
    assert music.artists is None
    assert music.genres_from == "metadata"
    assert f"Genres are from {table}" in music.DESCR
    folders = load_genre_folder(folder, metadata=table, genres_from="folders")
    assert folders.target_names == ["ABBA", "Queen"]


def test_a_table_that_is_found_defines_genres_with_a_warning(catalogue):
    folder, table = catalogue
    table.rename(folder / "tracks.csv")
    with pytest.warns(
        UserWarning, match="genres are those of the table; set genres_from"
    ) as caught:
        assert load_genre_folder(folder).target_names == ["pop", "rock"]
    assert caught[0].filename == __file__
    assert load_genre_folder(folder, genres_from="metadata").target_names == ["pop", "rock"]
    with pytest.warns(UserWarning, match=r"tracks\.csv is not used: .* no column 'artist'"):
        music = load_genre_folder(folder, genres_from="folders")
    assert music.target_names == ["ABBA", "Queen"]


def test_files_without_folders_have_genres_of_a_table(tmp_path):
    for name in "abcd":
        write_audio(tmp_path / f"{name}.wav")
    write_table(
        tmp_path / "metadata.csv", "file,genre,artist", "a.wav,pop,A", "b.wav,pop,B",
        "c.wav,rock,C", "d.wav,rock,D",
    )  # fmt: skip
    music = load_genre_folder(tmp_path)
    assert_array_equal(music.target, ["pop", "pop", "rock", "rock"])
    assert_array_equal(music.artists, ["A", "B", "C", "D"])


def test_a_table_overrules_folders_only_if_asked(folder):
    write_table(folder / "tracks.csv", "file,genre,artist", *(
        row.replace(",", ",jazz," if "a.wav" in row else f",{row[:4]},") for row in FULL
    ))  # fmt: skip
    with pytest.raises(ValueError, match=r"genres_from='metadata' .* genres_from='folders'"):
        load_genre_folder(folder)
    by_table = load_genre_folder(folder, genres_from="metadata")
    assert_array_equal(by_table.target, ["jazz", "jazz", "jazz", "rock"])
    assert_array_equal(by_table.artists, ["Cy", "Di", "Al", "Bo"])
    by_folder = load_genre_folder(folder, genres_from="folders")
    assert_array_equal(by_folder.target, ["jazz", "jazz", "rock", "rock"])


def test_tracks_without_a_genre_in_the_table(catalogue):
    folder, table = catalogue
    write_table(
        table,
        "file,genre",
        "Gold/1.wav,pop",
        "Gold/2.wav,n/a",
        "Queen/Jazz/1.wav,rock",
        "x.wav,pop",
    )
    with (
        pytest.warns(UserWarning, match="1 rows of .* name files that are not in"),
        pytest.raises(ValueError, match="2 of 4 files") as caught,
    ):
        load_genre_folder(folder, metadata=table)
    assert "2.wav: no genre in " in str(caught.value)
    assert "News/1.wav: no row in " in str(caught.value)
    with pytest.warns(UserWarning, match="1 rows of|2 of 4 files .* were left out"):
        music = load_genre_folder(folder, metadata=table, on_error="skip")
    assert_array_equal(music.target, ["pop", "rock"])


def test_genres_of_a_table_that_is_not_there(folder):
    with pytest.raises(ValueError, match="genres_from='metadata' needs a table"):
        load_genre_folder(folder, genres_from="metadata")
    write_table(folder / "tracks.csv", "file,artist", *FULL)
    with pytest.raises(ValueError, match=r"tracks\.csv names no genre"):
        load_genre_folder(folder, genres_from="metadata")


@pytest.mark.parametrize("ending", ["mp3", "wav"])
def test_table_of_fma(tmp_path, ending):
    folder = tmp_path / "fma_small"
    for number in (2, 10, 1003):
        written = write_audio(tmp_path / f"x.{ending}", n_samples=4000)
        place = folder / f"{number // 1000:03d}"
        place.mkdir(parents=True, exist_ok=True)
        written.rename(place / f"{number:06d}.{ending}")
    table = write_table(
        tmp_path / "tracks.csv",
        ",album,album,artist,artist,track,track,track",
        ",information,title,id,name,genre_top,genres,title",
        "track_id,,,,,,,",
        '2,"<p>\n</p>",Way of Life,1,AWOL,Hip-Hop,"[21, 3]",Food',
        "10.0,,Constant Hitmaker,6,Kurt Vile,Pop,[10],Freeway",
        "1003,,Niris,4,Nicky Cook,Pop,[10],Punjabi",
    )
    music = load_genre_folder(folder, metadata=table)
    assert_array_equal(music.target, ["Hip-Hop", "Pop", "Pop"])
    assert_array_equal(music.artists, ["AWOL", "Kurt Vile", "Nicky Cook"])
    assert_array_equal(music.titles, ["Food", "Freeway", "Punjabi"])


# GTZAN


def test_clips_of_gtzan_are_known(tmp_path):
    names = ("jazz/jazz.00033", "jazz/jazz.00002", "reggae/reggae.00086", "rock/rock.00040")
    for name in names:
        write_audio(tmp_path / f"{name}.wav")
    music = load_genre_folder(tmp_path)
    clips = load_gtzan(tmp_path, on_missing="ignore")
    assert_array_equal(music.artists, clips.groups)
    assert_array_equal(music.titles, clips.titles)
    assert music.metadata == "gtzan"
    assert "all files are named as its clips" in music.DESCR
    assert load_genre_folder(tmp_path, metadata=None).artists is None
    # A table comes first, and a single other file shows that it is another data set.
    write_table(tmp_path / "who.csv", "file,artist", *(f"{name}.wav,{name}" for name in names))
    assert load_genre_folder(tmp_path).artists[-1] == "rock/rock.00040"
    (tmp_path / "who.csv").unlink()
    write_audio(tmp_path / "rock" / "song.wav")
    assert load_genre_folder(tmp_path).artists is None


@pytest.mark.parametrize("layout", ["{clip}", "clips/{clip}", "part {n}/{genre}/{clip}"])
def test_gtzan_in_any_folders(tmp_path, layout):
    for n, name in enumerate(("jazz.00033", "rock.00040")):
        place = layout.format(clip=f"{name}.wav", genre=name[:4], n=n)
        write_audio(tmp_path / "music" / place)
    music = load_genre_folder(tmp_path / "music")
    assert music.target.tolist() == ["jazz", "rock"]
    assert music.artists.tolist() == ["Coleman Hawkins", "Led Zeppelin"]
    assert (music.metadata, music.genres_from) == ("gtzan", "metadata")


def test_gtzan_in_folders_of_other_genres(tmp_path):
    for place in ("calm/jazz.00033.wav", "lively/rock.00040.wav"):
        write_audio(tmp_path / place)
    assert load_genre_folder(tmp_path).target.tolist() == ["calm", "lively"]


def test_gtzan_with_a_table_of_genres_alone(tmp_path):
    for place in ("jazz/jazz.00033.wav", "rock/rock.00040.wav"):
        write_audio(tmp_path / place)
    write_table(tmp_path / "tracks.csv", "file,genre", "jazz.00033,Jazz", "rock.00040,rock")
    with pytest.warns(UserWarning, match=r"tracks\.csv is not used, because GTZAN's own table is"):
        music = load_genre_folder(tmp_path)
    assert music.artists.tolist() == ["Coleman Hawkins", "Led Zeppelin"]


@pytest.mark.parametrize("place", ["rock/tracks.csv", "../metadata.csv"])
def test_a_table_in_another_folder_is_named(folder, place):
    write_table(folder / place, "file,artist", *FULL)
    with pytest.warns(UserWarning, match=rf"{Path(place).name} is not used: .* metadata=PATH"):
        assert load_genre_folder(folder).artists is None


@pytest.mark.parametrize(
    "text",
    [
        "file,artist\nrock/a.wav,Björk\n".encode() + b"pop/c.wav,\xff\n",
        "file,artist\nrock/a.wav,Al\n".encode("utf-32-le"),
        gzip.compress(b"file,artist\nrock/a.wav,Al\n"),
    ],
    ids=["a bad byte", "UTF-32", "gzip"],
)
def test_a_table_with_damaged_text_is_refused(folder, text):
    (folder / "tracks.csv").write_bytes(text)
    with pytest.raises(ValueError, match=r"tracks\.csv is not text"):
        load_genre_folder(folder, metadata=folder / "tracks.csv")


def test_blanks_before_quotes(folder):
    write_table(
        folder / "tracks.csv", "file, artist", *(r.replace(",", ', "X, ') + '"' for r in FULL)
    )
    assert load_genre_folder(folder).artists[0] == "X, Cy"
