"""Recordings that are there more than once, made from synthesised music."""

import os
import shutil
import warnings

import numpy as np
import pytest
import soundfile

from skgenre import NoSoundWarning, find_duplicates, make_genres
from skgenre.duplicates import DuplicateGroup, Duplicates, merge_artists

RATE = 22050


@pytest.fixture(scope="module")
def music():
    """Sixteen tracks of 8 s in eight genres."""
    return list(make_genres(2, duration=8.0, random_state=0).data)


@pytest.fixture(scope="module")
def path(music, tmp_path_factory):
    path = tmp_path_factory.mktemp("duplicates") / "song.wav"
    soundfile.write(path, music[0], RATE)
    return path


def kinds(found):
    return [(group.rows, group.kind) for group in found]


def test_different_tracks_of_one_genre_are_no_duplicates(music):
    assert len(find_duplicates(music)) == 0


def test_kinds_of_files(path, music, tmp_path):
    copy = shutil.copy(path, tmp_path / "copy.wav")
    samples, _ = soundfile.read(path, dtype="int16")
    soundfile.write(tmp_path / "song.flac", samples, RATE)
    soundfile.write(tmp_path / "song.mp3", samples, RATE)
    soundfile.write(tmp_path / "other.wav", music[1], RATE)
    files = [path, tmp_path / "other.wav", copy, tmp_path / "song.flac"]
    assert kinds(find_duplicates(files[:3])) == [([0, 2], "same file")]
    assert kinds(find_duplicates(files)) == [([0, 2, 3], "same sound")]
    (group,) = find_duplicates([*files, tmp_path / "song.mp3"])
    assert (group.rows, group.kind) == ([0, 2, 3, 4], "same recording")
    assert group.tracks[3] == os.fspath(tmp_path / "song.mp3")
    assert 0.7 < group.similarity < 1


@pytest.mark.parametrize("form", ["MP3", "OGG"])
@pytest.mark.parametrize("level", [0.0, 0.7])
def test_encoded_parts_are_found(music, form, level, tmp_path):
    """Each group is right; at a low bitrate two may be missed."""
    tracks = list(music)
    for number, track in enumerate(music):
        begin, length = (0, 8) if number % 2 else (1.237 + 0.011 * number, 6.5)
        part = track[int(begin * RATE) : int((begin + length) * RATE)]
        part = np.repeat(part, 2) if number % 3 == 0 else part  # at another rate
        rate = 2 * RATE if number % 3 == 0 else RATE
        file = tmp_path / f"{number}.{form.lower()}"
        soundfile.write(file, 0.5 * part, rate, format=form, compression_level=level)
        tracks.append(file)
    n = len(music)
    found = find_duplicates(tracks, n_jobs=2)
    right = [([row, row + n], "same recording") for row in range(n)]
    assert all(found_rows in right for found_rows in kinds(found))
    assert len(found) >= (n if level == 0 else n - 2)
    assert found.surplus == [rows[1] for rows, _ in kinds(found)]


def test_excerpts_without_overlap_are_held_together_by_the_whole(music):
    first, last = music[0][: 4 * RATE], music[0][4 * RATE :]
    assert len(find_duplicates([first, last])) == 0
    assert kinds(find_duplicates([first, last, music[0]])) == [([0, 1, 2], "same recording")]


def test_overlap_must_be_long_enough(music):
    early, late = music[2][: 5 * RATE], music[2][RATE:]  # 4 s in common
    assert len(find_duplicates([early, late])) == 1
    assert len(find_duplicates([early, late], min_overlap=5.0)) == 0


def test_rates_are_told_apart(music):
    pair = (np.asarray(music[0]), RATE)
    assert kinds(find_duplicates([music[0], pair])) == [([0, 1], "same sound")]
    assert len(find_duplicates([pair, (pair[0], 2 * RATE)])) == 0  # an octave higher


def test_tracks_without_sound_are_no_recording():
    silence = np.zeros(5 * RATE, dtype=np.float32)
    with pytest.warns(NoSoundWarning, match="2 tracks without sound"):
        assert len(find_duplicates([silence, silence.copy()])) == 0


def test_short_tracks_are_compared_by_their_samples(music):
    short = music[0][:RATE]
    found = find_duplicates([short, short.copy(), 0.5 * short])
    assert kinds(found) == [([0, 1], "same sound")]


def test_files_that_cannot_be_read(path, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    with pytest.raises(ValueError, match=r"broken\.wav"):
        find_duplicates([path, broken])
    with pytest.warns(UserWarning, match=r"1 track could not be read: .*broken\.wav"):
        found = find_duplicates([path, broken, path], on_error="skip")
    assert kinds(found) == [([0, 2], "same file")]
    ((name, reason),) = found.skipped
    assert name == str(broken)
    assert "broken.wav" in reason


def test_many_copies_of_one_recording(music):
    """More than a code is compared with, and each slightly different."""
    rng = np.random.default_rng(0)
    noise = [1e-3 * rng.normal(size=len(music[0])).astype(np.float32) for _ in range(40)]
    (group,) = find_duplicates([music[0] + some for some in noise])
    assert group.rows == list(range(40))


def test_result_reads_back(path, tmp_path):
    found = find_duplicates([path, path])
    found.save(tmp_path / "found.json")
    read = Duplicates.read(tmp_path / "found.json")
    assert read == found
    assert isinstance(read[0], DuplicateGroup)
    assert "same file" in repr(read)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"min_overlap": 1.0}, "min_overlap"),
        ({"min_similarity": 0.0}, "min_similarity"),
        ({"on_error": "ignore"}, "on_error"),
    ],
)
def test_wrong_parameters(params, match, music):
    with pytest.raises(ValueError, match=match):
        find_duplicates(music, **params)


def test_one_path_is_no_list(path):
    with pytest.raises(ValueError, match="single path"):
        find_duplicates(str(path))


# Artists


def group(*rows):
    return DuplicateGroup(list(rows), [str(row) for row in rows], "same sound", 1.0)


def test_artists_are_joined_through_others():
    artists = ["D", "A", "B", "C", "B", "E"]
    found = Duplicates(6, [group(1, 2), group(3, 4)])  # A with B, B with C
    assert merge_artists(artists, found).tolist() == ["D", "A", "A", "A", "A", "E"]


def test_artists_of_other_tracks_are_refused():
    with pytest.raises(ValueError, match=r"5 artists, but .* 6 tracks"):
        merge_artists(list("ABCDE"), Duplicates(6, []))


def test_artists_stay_without_duplicates():
    with warnings.catch_warnings():
        assert merge_artists([2, 1, 2], Duplicates(3, [])).tolist() == [2, 1, 2]
