import csv
import os

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal

from skgenre import load_genre_folder, make_genres

GENRES = ["ambient", "chiptune", "dub", "house", "march", "swing", "thrash", "waltz"]


@pytest.fixture(scope="module")
def music():
    """Two tracks of each genre, by different artists, 4 s."""
    return make_genres(2, duration=4.0, random_state=0)


def power(wave, rate=22050):
    spectrum = np.abs(np.fft.rfft(wave.astype(float))) ** 2
    return np.fft.rfftfreq(wave.size, 1 / rate), spectrum


def centroid(wave):
    frequency, spectrum = power(np.asarray(wave))
    return float(frequency @ spectrum / spectrum.sum())


def test_result_is_described_track_by_track(music):
    assert music.data.shape == (16, 4 * 22050)
    assert music.data.dtype == np.float32
    assert music.data.sampling_rate == music.sampling_rate == 22050
    assert music.target_names == GENRES
    assert_array_equal(music.target, np.repeat(GENRES, 2))
    assert_array_equal(music.tracks[:3], ["ambient.00000", "ambient.00001", "chiptune.00000"])
    assert_array_equal(music.artists[:2], ["ambient artist 1", "ambient artist 2"])
    assert music.titles[1] == "Ambient No. 2"
    assert "16 tracks of 4 s at 22050 Hz" in music.DESCR


@pytest.mark.parametrize("overlap", [0.0, 0.3, 1.0])
def test_sound_is_clean(overlap):
    waves = np.asarray(make_genres(2, duration=3.0, overlap=overlap, random_state=1).data)
    assert np.isfinite(waves).all()
    assert np.abs(waves).max() <= 0.951
    assert np.abs(waves.mean(axis=1)).max() < 1e-3
    rms = np.sqrt(np.mean(waves**2, axis=1))
    assert rms.min() > 0.02
    assert rms.max() < 0.3
    # No stretch of a second is dead: the noise floor at least is heard.
    seconds = waves.reshape(len(waves), 3, -1)
    assert np.sqrt(np.mean(seconds**2, axis=2)).min() > 1e-4


def test_genres_differ_in_brightness():
    genres = ["ambient", "dub", "house", "thrash"]
    pure = make_genres(3, genres=genres, duration=3.0, overlap=0, random_state=0)
    mean = {
        genre: np.mean([centroid(wave) for wave in pure.data[pure.target == genre]])
        for genre in genres
    }
    assert mean["thrash"] > 2 * mean["ambient"]
    assert mean["house"] > 2 * mean["dub"]


def onset_strength(wave, hop=512):
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(wave), 1024)[::hop]
    spectrum = np.log1p(100 * np.abs(np.fft.rfft(frames * np.hanning(1024), axis=1)))
    return np.maximum(np.diff(spectrum, axis=0), 0).sum(axis=1)


def test_house_has_the_tempo_of_house():
    """The onsets of four on the floor repeat after a beat of 118 to 130 a minute."""
    wave = make_genres(1, genres=["house"], duration=15, overlap=0, random_state=0).data[0]
    strength = onset_strength(wave)
    strength -= strength.mean()
    correlation = np.correlate(strength, strength, "full")[strength.size - 1 :]
    lags = np.arange(correlation.size) * 512 / 22050
    beat = (lags > 0.4) & (lags < 0.6)
    best = lags[beat][correlation[beat].argmax()]
    assert 60 / 131 < best < 60 / 116
    assert correlation[beat].max() > 0.2 * correlation[0]


def test_ambient_has_no_beat_and_thrash_has():
    pure = make_genres(1, genres=["ambient", "thrash"], duration=8, overlap=0, random_state=0)
    calm, hard = (onset_strength(wave).max() for wave in pure.data)
    assert hard > 2 * calm


def test_the_seed_decides():
    music, again, other, one, two = (
        make_genres(1, duration=1.0, random_state=seed).data for seed in (0, 0, 1, None, None)
    )
    assert_array_equal(again, music)
    for first, second in ((music, other), (one, two)):
        assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_random_state_instance_moves_on_and_global_state_does_not():
    np.random.seed(3)  # noqa: NPY002 (the state that must stay)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (the same)
    rng = np.random.RandomState(0)
    first, second = (
        make_genres(1, genres=["dub"], duration=1.0, random_state=rng).data for _ in range(2)
    )
    make_genres(1, genres=["dub"], duration=1.0)
    assert not np.array_equal(first, second)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 (the same)


def test_fewer_tracks_and_genres_are_a_part_of_more(music):
    more = make_genres(3, genres=["waltz", "dub"], duration=4.0, random_state=0)
    assert more.target_names == ["dub", "waltz"]
    for genre in ("dub", "waltz"):
        part = music.data[music.target == genre]
        assert_array_equal(more.data[more.target == genre][:2], part)


def test_first_genres_by_number(music):
    three = make_genres(1, genres=3, duration=1.0, random_state=0)
    assert three.target_names == GENRES[:3]


def test_artists_take_turns():
    made = make_genres(5, genres=["dub"], n_artists=2, duration=1.0, random_state=0)
    assert [name[-1] for name in made.artists] == list("12121")
    assert len(set(map(bytes, np.asarray(made.data)))) == 5


def test_tracks_of_an_artist_resemble_each_other():
    """At full overlap the spectrum tells the artist of one genre better than by chance."""
    made = make_genres(12, genres=["march"], duration=4.0, overlap=1.0, random_state=0)
    bands = []
    for wave in made.data:
        spectrum = power(np.asarray(wave))[1][1:]
        edges = np.geomspace(1, spectrum.size - 1, 20).astype(int)
        bands.append(np.log(np.add.reduceat(spectrum, np.unique(edges))))
    bands = np.array(bands)
    distance = np.linalg.norm(bands[:, None] - bands[None], axis=2)
    same = made.artists[:, None] == made.artists[None]
    itself = np.eye(12, dtype=bool)
    assert distance[same & ~itself].mean() < 0.7 * distance[~same].mean()


def test_overlap_changes_the_music(music):
    blurred = make_genres(2, genres=["dub"], duration=4.0, overlap=0.9, random_state=0)
    assert not np.array_equal(blurred.data, music.data[music.target == "dub"])


@pytest.mark.parametrize("rate", [4000, 16000, 44100])
def test_other_rates(rate):
    made = make_genres(1, duration=1.5, sampling_rate=rate, random_state=0)
    assert made.data.shape == (8, round(1.5 * rate))
    assert np.isfinite(made.data).all()
    assert made.data.sampling_rate == rate


def test_shortest_track():
    assert make_genres(1, duration=1 / 22050, random_state=0).data.shape == (8, 1)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"genres": ["dub", "polka"]}, r"unknown names: \['polka'\]; known are \['ambient'"),
        ({"genres": "dub"}, "an array-like. Got 'dub' instead"),
        ({"genres": []}, "one or more different names"),
        ({"genres": ["dub", "dub"]}, "one or more different names"),
        ({"genres": 9}, "'genres' parameter of make_genres"),
        ({"n_tracks_per_genre": 0}, "'n_tracks_per_genre' parameter"),
        ({"n_artists": 0}, "'n_artists' parameter"),
        ({"overlap": 1.5}, "'overlap' parameter"),
        ({"duration": 0}, "'duration' parameter"),
        ({"duration": 1e-5}, "no sample at sampling_rate=22050"),
        ({"sampling_rate": 100}, "'sampling_rate' parameter"),
        ({"file_format": "mp3"}, "'file_format' parameter"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make_genres(**params)


# Files


def make_files(folder, **params):
    params = {"genres": ["dub", "swing"], "duration": 0.5, "random_state": 0} | params
    return make_genres(params.pop("n", 2), path=folder, **params)


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize(("file_format", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_16")])
def test_files_hold_the_waveforms(tmp_path, file_format, subtype):
    made = make_files(tmp_path, file_format=file_format)
    waves = make_genres(2, genres=["dub", "swing"], duration=0.5, random_state=0)
    assert_array_equal(made.target, waves.target)
    assert_array_equal(made.artists, waves.artists)
    assert made.data[1] == str(tmp_path / "dub" / f"dub.00001.{file_format}")
    for path, wave in zip(made.data, waves.data, strict=True):
        read, rate = soundfile.read(path)
        assert rate == 22050
        assert soundfile.info(path).subtype == subtype
        assert np.abs(read - wave).max() < 1 / 32000


def test_ogg_files_resemble_the_waveforms(tmp_path):
    made = make_files(tmp_path, file_format="ogg", duration=4.0)
    waves = make_genres(2, genres=["dub", "swing"], duration=4.0, random_state=0)
    for path, wave in zip(made.data, waves.data, strict=True):
        read, _ = soundfile.read(path)
        assert np.corrcoef(read, np.asarray(wave))[0, 1] > 0.95


def test_table_of_tracks(tmp_path):
    make_files(tmp_path)
    with open(tmp_path / "tracks.csv", encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows[0] == ["file", "genre", "artist", "title"]
    assert rows[2] == ["dub/dub.00001.wav", "dub", "dub artist 2", "Dub No. 2"]
    assert len(rows) == 5


@pytest.mark.parametrize("file_format", ["wav", "flac", "ogg"])
def test_round_trip(tmp_path, file_format):
    made = make_files(tmp_path / "Müzik ♫", n=5, file_format=file_format)
    read = load_genre_folder(tmp_path / "Müzik ♫")
    for key in ("data", "target", "target_names", "artists", "titles"):
        assert_array_equal(getattr(read, key), getattr(made, key))
    assert read.skipped == []


@pytest.mark.parametrize("file_format", ["wav", "ogg"])
def test_same_call_leaves_the_files_alone(tmp_path, file_format):
    made = make_files(tmp_path, file_format=file_format)
    stamps = [os.stat(path).st_mtime_ns for path in made.data]
    make_files(tmp_path, file_format=file_format)
    assert [os.stat(path).st_mtime_ns for path in made.data] == stamps


@pytest.mark.parametrize("file_format", ["wav", "ogg"])
def test_other_files_are_replaced_only_on_demand(tmp_path, file_format):
    made = make_files(tmp_path, file_format=file_format)
    old, _ = soundfile.read(made.data[0])
    with pytest.raises(FileExistsError, match=r"holds 4 of the files .*overwrite=True"):
        make_files(tmp_path, file_format=file_format, random_state=1)
    assert_array_equal(soundfile.read(made.data[0])[0], old)
    assert names_in(tmp_path) == [
        "dub",
        *(f"dub/dub.0000{i}.{file_format}" for i in (0, 1)),
        "swing",
        *(f"swing/swing.0000{i}.{file_format}" for i in (0, 1)),
        "tracks.csv",
    ]
    make_files(tmp_path, file_format=file_format, random_state=1, overwrite=True)
    assert not np.array_equal(soundfile.read(made.data[0])[0], old)


def test_a_broken_file_is_other_content(tmp_path):
    (tmp_path / "dub").mkdir()
    (tmp_path / "dub" / "dub.00000.ogg").write_bytes(b"half an hour of silence")
    with pytest.raises(FileExistsError, match=r"dub/dub\.00000\.ogg"):
        make_files(tmp_path, file_format="ogg")
    assert names_in(tmp_path) == ["dub", "dub/dub.00000.ogg"]


def test_other_tracks_in_the_folder_are_refused(tmp_path):
    make_files(tmp_path, n=3)
    with pytest.raises(ValueError, match=r"holds 2 tracks that this call does not make: dub/dub"):
        make_files(tmp_path, n=2, overwrite=True)


def test_nothing_remains_of_a_failure(tmp_path, monkeypatch):
    calls = []

    def fail(artist, n_samples, *args):
        calls.append(artist)
        if len(calls) == 3:
            raise MemoryError("no room")
        return np.zeros(n_samples, dtype=np.float32)

    monkeypatch.setattr("skgenre.datasets.synthetic._make_genres.perform", fail)
    with pytest.raises(MemoryError, match="no room"):
        make_files(tmp_path / "new" / "folder")
    assert names_in(tmp_path) == []


def test_path_is_a_file(tmp_path):
    (tmp_path / "music").write_text("no folder")
    with pytest.raises(NotADirectoryError, match="music is a file"):
        make_files(tmp_path / "music")
