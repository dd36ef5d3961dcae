"""FMA, MTG-Jamendo and Ballroom, from small trees in their published layouts."""

from __future__ import annotations

import csv
import warnings

import numpy as np
import pytest
import soundfile
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_validate

from skgenre import (
    HierarchicalGenreClassifier,
    load_ballroom,
    load_fma,
    load_jamendo,
    make_genres,
)
from skgenre.evaluation import unpack_dataset

# The columns of tracks.csv that are read, among others, in the order of the published file.
FMA_HEAD = [
    ("", ""), ("album", "comments"), ("album", "title"), ("album", "type"), ("artist", "id"),
    ("artist", "name"), ("set", "split"), ("set", "subset"), ("track", "bit_rate"),
    ("track", "genre_top"), ("track", "genres"), ("track", "genres_all"), ("track", "title"),
]  # fmt: skip
# number, artist, split, subset, top genre, genres
FMA_TRACKS = [
    (2, 1, "training", "small", "Hip-Hop", [21]),
    (5, 1, "training", "small", "Hip-Hop", [21]),
    (10, 6, "test", "small", "Rock", [12, 25]),
    (140, 54, "validation", "small", "Rock", [89]),
    (155, 55, "training", "medium", "Rock", [25, 45]),
    (200, 56, "test", "medium", "Old-Time / Historic", [8]),
    (1500, 1, "test", "large", "Hip-Hop", [21]),
    (1501, 57, "training", "large", "", [12, 21]),
    (90000, 58, "training", "large", "", []),
]
FMA_GENRES = [
    (8, 510, 0, "Old-Time / Historic", 8), (12, 32923, 0, "Rock", 12), (21, 8389, 0, "Hip-Hop", 21),
    (25, 9261, 12, "Punk", 12), (45, 2000, 12, "Loud-Rock", 12), (89, 1858, 25, "Post-Punk", 12),
    (90, 3, 8, "Tango", 8), (91, 3, 12, "Tango", 12),
]  # fmt: skip


@pytest.fixture(scope="module")
def waves():
    return make_genres(1, genres=["swing"], duration=0.3, random_state=0)


def write_track(path, waves):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waves.data[0], waves.data.sampling_rate)


def write_fma(folder, waves, size="large", tracks=FMA_TRACKS):
    lists = folder / "fma_metadata"
    lists.mkdir()
    with open(lists / "tracks.csv", "w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerows([*zip(*FMA_HEAD, strict=True), ["track_id", *[""] * 12]])
        for number, artist, part, subset, top, genres in tracks:
            row = [number, 0, f"Album, {number}", "Album", artist, f"Band\n{artist}", part, subset]
            out.writerow([*row, 256000, top, genres, genres, f'"Song" {number}'])
    with open(lists / "genres.csv", "w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerows([["genre_id", "#tracks", "parent", "title", "top_level"], *FMA_GENRES])
    for number, *_ in tracks:
        name = f"{number:06d}"
        write_track(folder / f"fma_{size}" / name[:3] / f"{name}.mp3", waves)
    return folder / f"fma_{size}"


# FMA


def test_fma_lists_a_subset_with_artists_and_split(tmp_path, waves):
    music = write_fma(tmp_path, waves)
    fma = load_fma(music, subset="small")
    assert fma.names.tolist() == ["000002", "000005", "000010", "000140"]
    assert fma.target.tolist() == ["Hip-Hop", "Hip-Hop", "Rock", "Rock"]
    assert fma.data[2] == str(music / "000" / "000010.mp3")
    assert fma.groups.tolist() == ["1", "1", "6", "54"]
    assert fma.artists[2] == "Band\n6"
    assert fma.titles[0] == '"Song" 2'
    assert fma.albums[0] == "Album, 2"
    assert fma.parts.tolist() == ["training", "training", "test", "validation"]
    assert [side.tolist() for side in fma.cv[0]] == [[0, 1, 3], [2]]
    assert [side.tolist() for side in fma.validation_cv[0]] == [[0, 1], [3]]
    assert fma.all_genres[2] == ("Rock", "Punk")
    assert (fma.missing, fma.skipped, fma.shared_artists) == ([], [], [])
    assert len(load_fma(music, subset="medium").target) == 6


def test_fma_counts_tracks_without_a_genre(tmp_path, waves):
    fma = load_fma(write_fma(tmp_path, waves))  # large, by the name of the folder
    assert len(fma.target) == 7
    assert fma.unlabelled == [("001501", "no top genre"), ("090000", "no top genre")]
    assert "no top genre: 2" in fma.DESCR
    assert fma.shared_artists == ["1"]


def test_fma_drops_artists_that_are_scored(tmp_path, waves):
    music = write_fma(tmp_path, waves)
    fma = load_fma(music, shared_artists="drop")
    (train, test), (train_too, validation) = fma.cv[0], fma.validation_cv[0]
    assert fma.names[train].tolist() == ["000140", "000155"]
    assert fma.names[test].tolist() == ["000010", "000200", "001500"]
    assert not set(fma.groups[train]) & set(fma.groups[test])
    assert fma.names[train_too].tolist() == ["000002", "000005", "000155"]
    assert fma.names[validation].tolist() == ["000140"]


def test_fma_tree_is_a_hierarchy(tmp_path, waves):
    fma = load_fma(write_fma(tmp_path, waves), level="specific", subset="medium")
    assert dict(zip(fma.names.tolist(), fma.target.tolist(), strict=True)) == {
        "000002": "Hip-Hop",
        "000005": "Hip-Hop",
        "000010": "Punk",
        "000140": "Post-Punk",
        "000200": "Old-Time / Historic",
    }
    assert fma.unlabelled == [("000155", "several genres")]
    assert fma.hierarchy["Rock"]["Punk"] == {"Punk": "Punk", "Post-Punk": "Post-Punk"}
    assert fma.hierarchy["Old-Time | Historic"] == {
        "Old-Time / Historic": "Old-Time / Historic",
        "Tango (90)": "Tango (90)",
    }
    tree = HierarchicalGenreClassifier(DummyClassifier(), hierarchy=fma.hierarchy)
    tree.fit(np.zeros((len(fma.target), 1)), fma.target)
    assert tree.hierarchy_ == {
        "Old-Time | Historic": "Old-Time / Historic",
        "Rock": ["Punk", "Post-Punk"],
        "Hip-Hop": "Hip-Hop",
    }
    assert set(tree.predict(np.zeros((1, 1)))) <= set(fma.target)


def test_fma_split_and_groups_go_into_evaluations(tmp_path, waves):
    fma = load_fma(write_fma(tmp_path, waves), subset="medium")
    scores = cross_validate(
        DummyClassifier(), np.zeros((len(fma.target), 1)), fma.target, cv=fma.cv
    )
    assert scores["test_score"].shape == (1,)
    _, y, artists = unpack_dataset(fma)
    assert artists.tolist() == fma.groups.tolist()
    assert y.tolist() == fma.target.tolist()


def test_fma_names_what_is_missing_damaged_or_foreign(tmp_path, waves):
    music = write_fma(tmp_path, waves, "small", FMA_TRACKS[:4])
    (music / "000" / "000005.mp3").unlink()
    (music / "000" / "000140.mp3").write_bytes(b"not audio")
    write_track(music / "999" / "999999.mp3", waves)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fma = load_fma(music)
    messages = [str(warning.message) for warning in caught]
    assert any("1 of 4 tracks are not in" in text and "000005" in text for text in messages)
    assert any("1 tracks of" in text and "000140.mp3" in text for text in messages)
    assert any("not on the list and not used: 999/999999.mp3" in text for text in messages)
    assert {warning.filename for warning in caught} == {__file__}
    assert fma.names.tolist() == ["000002", "000010"]
    assert fma.missing == ["000005"]
    assert [path for path, _ in fma.skipped] == [
        str(music / "000" / "000140.mp3"),
        str(music / "999" / "999999.mp3"),
    ]
    assert "Missing: 1. Files not used: 2." in fma.DESCR
    (music / "999" / "999999.mp3").unlink()
    with pytest.raises(ValueError, match=r"1 of 4 tracks .*000005.*on_missing='warn'"):
        load_fma(music, on_missing="raise")
    with pytest.raises(ValueError, match=r"1 tracks of .* cannot be used:(.|\n)*000140"):
        load_fma(music, on_missing="ignore", on_corrupt="raise")


@pytest.mark.parametrize("loader", [load_fma, load_jamendo])
def test_the_parameter_that_names_a_file_is_in_the_error(tmp_path, loader):
    lists = tmp_path / "lists.zip"
    lists.touch()
    with pytest.raises(NotADirectoryError, match=r"lists\.zip is a file; metadata must name"):
        loader(tmp_path, metadata=lists)
    with pytest.raises(NotADirectoryError, match=r"lists\.zip is a file; path must name"):
        loader(lists, metadata=tmp_path)


def test_fma_refuses_other_tables(tmp_path, waves):
    music = write_fma(tmp_path, waves, "small", FMA_TRACKS[:4])
    lists = tmp_path / "fma_metadata"
    with pytest.raises(FileNotFoundError, match=r"no folder .*fma_metadata .*metadata=PATH"):
        load_fma(music / "000", metadata=None)
    with pytest.raises(FileNotFoundError, match=r"no file .*tracks.csv; metadata is the folder"):
        load_fma(music, metadata=music)
    table = lists / "tracks.csv"
    text = table.read_text("utf-8")
    table.write_text(text.replace("genre_top", "genre"), "utf-8")
    with pytest.raises(ValueError, match=r"lacks the columns \('track', 'genre_top'\)"):
        load_fma(music)
    table.write_text(text.replace("small", "tiny"), "utf-8")
    with pytest.raises(ValueError, match=r"line 5: subset 'tiny'"):
        load_fma(music)
    table.write_text(text.partition("track_id")[0], "utf-8")
    with pytest.raises(ValueError, match="third row begins with 'nothing' instead of 'track_id'"):
        load_fma(music)
    table.write_text(text, "utf-8")
    (lists / "genres.csv").write_text(
        "genre_id,#tracks,parent,title,top_level\n12,1,25,Rock,12\n25,1,12,Punk,12\n", "utf-8"
    )
    with pytest.raises(ValueError, match=r"genre 12 \(Rock\) hangs below no top genre"):
        load_fma(music)


# MTG-Jamendo

JAMENDO = {
    "train": [
        (214, 14, 31, ["punkrock"]),
        (773, 104, 126, ["electronic"]),
        (775, 104, 126, ["easylistening", "electronic", "lounge"]),
    ],
    "validation": [(1729, 264, 252, ["pop", "rock"]), (948, 15, 32, ["rock"])],
    "test": [(3346, 517, 521, ["pop"]), (3347, 104, 521, ["electronic"])],
}


def write_jamendo(folder, waves, *, ending=".mp3", unsplit=()):
    data = folder / "mtg-jamendo-dataset" / "data"
    (data / "splits" / "split-0").mkdir(parents=True)

    def write(name, tracks):
        lines = ["TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"]
        for number, artist, album, tags in tracks:
            names = f"track_{number:07d}\tartist_{artist:06d}\talbum_{album:06d}"
            path = f"{number % 100:02d}/{number}.mp3\t275.3"
            lines.append("\t".join([names, path, *(f"genre---{tag}" for tag in tags)]))
        (data / f"{name}.tsv").write_text("\n".join([*lines, ""]), encoding="utf-8")

    for part, tracks in JAMENDO.items():
        write(f"splits/split-0/autotagging_genre-{part}", tracks)
    listed = [*(track for tracks in JAMENDO.values() for track in tracks), *unsplit]
    write("autotagging_genre", listed)
    for number, *_ in listed:
        write_track(folder / "audio" / f"{number % 100:02d}" / f"{number}{ending}", waves)
    return {"path": folder / "audio", "metadata": folder / "mtg-jamendo-dataset"}


@pytest.mark.parametrize("ending", [".mp3", ".low.mp3"])
def test_jamendo_lists_tracks_of_a_single_genre(tmp_path, waves, ending):
    music = load_jamendo(**write_jamendo(tmp_path, waves, ending=ending))
    assert music.names.tolist() == [
        "track_0000214", "track_0000773", "track_0000948", "track_0003346", "track_0003347",
    ]  # fmt: skip
    assert music.target.tolist() == ["punkrock", "electronic", "rock", "pop", "electronic"]
    assert music.data[2].endswith(f"48/948{ending}")
    assert music.unlabelled == [
        ("track_0000775", "several genres"),
        ("track_0001729", "several genres"),
    ]
    assert "Left out by their tags: several genres 2." in music.DESCR
    assert music.groups[0] == "artist_000014"
    assert music.albums[0] == "album_000031"
    assert [side.tolist() for side in music.cv[0]] == [[0, 1, 2], [3, 4]]
    assert [side.tolist() for side in music.validation_cv[0]] == [[0, 1], [2]]
    assert music.shared_artists == ["artist_000104"]
    assert music.skipped == []


def test_jamendo_takes_the_genres_that_count(tmp_path, waves):
    places = write_jamendo(tmp_path, waves)
    music = load_jamendo(**places, genres=["electronic", "pop"], shared_artists="drop")
    assert dict(zip(music.names.tolist(), music.target.tolist(), strict=True)) == {
        "track_0000773": "electronic",
        "track_0000775": "electronic",
        "track_0001729": "pop",
        "track_0003346": "pop",
        "track_0003347": "electronic",
    }
    assert music.tags[1] == ("easylistening", "electronic", "lounge")
    assert [reason for _, reason in music.unlabelled] == ["no genre of those wanted"] * 2
    assert [side.tolist() for side in music.cv[0]] == [[2], [3, 4]]
    with pytest.raises(ValueError, match=r"genres has 'polka'; the tags are easylist"):
        load_jamendo(**places, genres=["pop", "polka"])


def test_jamendo_counts_tracks_in_no_part_and_missing_ones(tmp_path, waves):
    places = write_jamendo(tmp_path, waves, unsplit=[(4001, 9, 9, ["rare"])])
    (places["path"] / "46" / "3346.mp3").unlink()
    with pytest.warns(UserWarning, match="1 of 5 tracks are not in"):
        music = load_jamendo(**places)
    assert music.unsplit == ["track_0004001"]
    assert music.missing == ["track_0003346"]
    assert "In no part of the split: 1." in music.DESCR
    assert music.skipped == []


def test_jamendo_refuses_other_tables(tmp_path, waves):
    places = write_jamendo(tmp_path, waves)
    with pytest.raises(FileNotFoundError, match=r"split-7.*metadata is the repository"):
        load_jamendo(**places, split=7)
    part = places["metadata"] / "data" / "splits" / "split-0" / "autotagging_genre-test.tsv"
    text = part.read_text("utf-8")
    part.write_text(text.replace("genre---pop", "mood---pop"), "utf-8")
    with pytest.raises(ValueError, match=r"line 2: expected a path such as 14/214.mp3 and tags"):
        load_jamendo(**places)
    part.write_text(text.replace("track_0003346", "track_0000214"), "utf-8")
    with pytest.raises(ValueError, match="track_0000214 is in the part 'train' too"):
        load_jamendo(**places)
    part.write_text(text.replace("PATH", "FILE"), "utf-8")
    with pytest.raises(ValueError, match="lacks the columns PATH"):
        load_jamendo(**places)


# Ballroom

BALLROOM = [
    "ChaChaCha/Albums-Cafe_Paradiso-05",
    "ChaChaCha/Albums-Fire-08",
    "Rumba-American/Media-103815",
    "Rumba-International/Albums-AnaBelen_Veneo-03",
    "Rumba-International/Albums-AnaBelen_Veneo-15",
    "Samba/Albums-Fire-09",
    "Waltz/Albums-Secret_Garden-01",
    "Waltz/Media-104705",
    "Waltz/Media-104706",
    "Quickstep/Albums-Chrisanne2-01",
]


@pytest.fixture
def dances(tmp_path, waves):
    folder = tmp_path / "BallroomData"
    for name in BALLROOM:
        write_track(folder / f"{name}.wav", waves)
    listed = "".join(f"./{name}.wav\n" for name in BALLROOM)
    (folder / "allBallroomFiles").write_text(listed, encoding="utf-8")
    return folder


def test_ballroom_has_dances_albums_and_repeats(dances):
    music = load_ballroom(dances)
    assert music.names.tolist() == [name.partition("/")[2] for name in BALLROOM]
    assert music.target_names == ["ChaChaCha", "Quickstep", "Rumba", "Samba", "Waltz"]
    assert music.artists is None
    assert music.groups.tolist() == [
        "Cafe_Paradiso",
        "Fire",
        "Media-1038",
        "AnaBelen_Veneo, Chrisanne2",
        "AnaBelen_Veneo, Chrisanne2",
        "Fire",
        "Media-1047, Secret_Garden",
        "Media-1047, Secret_Garden",
        "Media-1047, Secret_Garden",
        "AnaBelen_Veneo, Chrisanne2",
    ]
    assert music.repeats.tolist() == [
        "", "Albums-Fire-09", "", "Albums-AnaBelen_Veneo-15", "Albums-AnaBelen_Veneo-03",
        "Albums-Fire-08", "Media-104705", "Albums-Secret_Garden-01", "", "",
    ]  # fmt: skip
    assert len(load_ballroom(dances.parent, merge_rumba=False).target_names) == 6


def test_ballroom_without_replicas(dances):
    music = load_ballroom(dances, exclude="replicas")
    left_out = {"Albums-Fire-09", "Albums-AnaBelen_Veneo-15", "Media-104705"}
    assert {name.partition("/")[2] for name in BALLROOM} - set(music.names) == left_out
    assert "Repeated recordings left out: 3." in music.DESCR
    assert (music.missing, music.skipped) == ([], [])


def test_ballroom_names_missing_excerpts_and_needs_its_list(dances):
    (dances / "Waltz" / "Media-104706.wav").unlink()
    with pytest.warns(UserWarning, match="1 of 10 tracks are not in .*: Waltz/Media-104706"):
        assert load_ballroom(dances).missing == ["Media-104706"]
    (dances / "allBallroomFiles").write_text("Waltz.wav\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1: expected a path such as \./ChaChaCha"):
        load_ballroom(dances)
    (dances / "allBallroomFiles").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file .*allBallroomFiles; path is the folder"):
        load_ballroom(dances)


def test_a_folder_without_tracks_of_the_list(dances, tmp_path, waves):
    other = tmp_path / "other"
    write_track(other / "song.wav", waves)
    (other / "allBallroomFiles").write_text("./Waltz/Media-104705.wav\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"none of the 1 tracks .*expected names such as Waltz/"):
        load_ballroom(other)
    write_track(dances / "copy" / "Samba" / "Albums-Fire-09.wav", waves)
    with pytest.raises(ValueError, match=r"1 tracks are in .* more than once"):
        load_ballroom(dances)
