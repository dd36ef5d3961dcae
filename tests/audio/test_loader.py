"""AudioLoader: which inputs it takes, what it makes of them, and what it refuses."""

import os
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone

from skgenre import AudioLoader, NoSoundWarning
from skgenre.utils._waveforms import Waveforms

RATE = 8000


def music(seconds=2.0, rate=RATE, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time) for f in rng.uniform(100, 2000, 3))
    return (0.2 * tones + 0.01 * rng.standard_normal(time.size)).astype(np.float32)


@pytest.fixture
def files(tmp_path):
    """Four files of four formats, rates and numbers of channels."""
    paths = []
    for row, (ext, rate, n_channels) in enumerate(
        [("wav", 8000, 1), ("flac", 22050, 2), ("ogg", 44100, 1), ("mp3", 16000, 2)]
    ):
        path = tmp_path / f"song{row}.{ext}"
        x = np.stack([music(2.5, rate, seed=row)] * n_channels, axis=1)
        soundfile.write(path, x, rate)
        paths.append(path)
    return paths


def loader(**kwargs):
    return AudioLoader(**{"sampling_rate": RATE, "duration": 2.0, **kwargs})


def test_output_is_a_labelled_float32_table(files):
    out = loader().fit_transform(files)
    assert out.shape == (4, 2 * RATE)
    assert out.dtype == np.float32
    assert out.sampling_rate == RATE
    np.testing.assert_allclose(out[0], music(2.5)[: 2 * RATE], atol=2**-15)


def test_defaults_give_30_s_at_22050_hz():
    assert AudioLoader().fit_transform([music(16, 22050)]).shape == (1, 661500)


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        tuple,
        lambda paths: [str(path) for path in paths],
        lambda paths: [str(path) if row % 2 else path for row, path in enumerate(paths)],
        lambda paths: np.array([str(path) for path in paths]),
        lambda paths: np.array([str(path) for path in paths], dtype=object),
        lambda paths: np.array(paths, dtype=object),
        lambda paths: pd.Series([str(path) for path in paths]),
        lambda paths: pd.Series(paths, index=[7, 5, 3, 1]),
        lambda paths: pd.Series([str(path) for path in paths], dtype="category"),
    ],
)
def test_every_container_of_paths(files, wrap):
    np.testing.assert_array_equal(loader().transform(wrap(files)), loader().transform(files))


def test_a_batch_equals_its_tracks_one_by_one(files):
    X = [*files, music(2.0), (music(3.0, 11025), 11025)]
    batch = loader(short="zeros").fit_transform(X)
    singly = [loader(short="zeros").fit_transform([track])[0] for track in X]
    np.testing.assert_array_equal(batch, np.stack(singly))


def test_paths_waveforms_and_pairs_may_be_mixed(files):
    x = music(2.5)
    out = loader().transform([files[0], x, (x, RATE), x.tolist(), np.stack([x, x]), str(files[0])])
    np.testing.assert_allclose(out, np.broadcast_to(x[: 2 * RATE], out.shape), atol=2**-15)


def test_a_file_and_its_waveform_give_the_same(files):
    for path in files:
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
        for position in ("start", "center"):
            load = loader(position=position, duration=1.0)
            from_file, from_array = load.transform([path]), load.transform([(x.T, rate)])
            np.testing.assert_allclose(from_file, from_array, atol=1e-6)


def test_arrays_of_waveforms():
    x = np.stack([music(seed=row) for row in range(6)])
    np.testing.assert_array_equal(loader().transform(x), x)
    stereo = x.reshape(3, 2, -1)
    np.testing.assert_allclose(loader().transform(stereo), stereo.mean(axis=1), atol=1e-6)
    ragged = np.empty(2, dtype=object)
    ragged[:] = x[0], x[1, :RATE]
    np.testing.assert_array_equal(loader().transform(ragged)[1], np.tile(x[1, :RATE], 2))
    np.testing.assert_array_equal(loader().transform(pd.DataFrame(x)), x)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_channels_are_averaged(n_channels):
    x = np.stack([music(seed=c) for c in range(n_channels)])
    out = loader().transform([x])
    np.testing.assert_allclose(out[0], x.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("rate", [4000, 11025, 44100])
def test_resampling_keeps_the_frequency(rate):
    tone = np.sin(2 * np.pi * 700 * np.arange(2 * rate) / rate)
    for load, X in [
        (loader(waveform_sampling_rate=rate), [tone]),
        (loader(), [(tone, rate)]),
        (loader(), Waveforms([tone], rate)),
    ]:
        out = load.transform(X)
        assert out.shape == (1, 2 * RATE)
        assert np.abs(np.fft.rfft(out[0])).argmax() == 1400  # bins of half a hertz


def test_position():
    x = np.arange(5 * RATE, dtype=np.float32)
    assert loader(position="start").transform([x])[0, 0] == 0
    centre = loader(position="center").transform([x])[0]
    np.testing.assert_array_equal(centre, x[3 * RATE // 2 :][: 2 * RATE])
    short = x[:RATE]
    np.testing.assert_array_equal(loader(position="center").transform([short])[0, :RATE], short)


def test_short_tracks():
    x = music(0.75)
    with pytest.warns(UserWarning, match="repetition"):
        repeated = loader(short="repeat").transform([x])[0]
    np.testing.assert_array_equal(repeated, np.concatenate([x, x, x])[: 2 * RATE])
    silent = loader(short="zeros").transform([x])[0]
    np.testing.assert_array_equal(silent, np.append(x, np.zeros(10000)))
    with pytest.raises(
        ValueError, match=r"track 1 lasts 0\.75 s, shorter than duration=2 s; lower"
    ):
        loader(short="error").transform([music(), x])
    loader(short="error").transform([music()])  # just long enough
    kept = loader(short="keep")
    np.testing.assert_array_equal(kept.transform([x])[0], x)
    np.testing.assert_array_equal(kept.transform([music()]), loader().transform([music()]))
    with pytest.raises(ValueError, match=r"track 1 came out with the shape .* all need the same"):
        kept.transform([music(), x])


def test_short_file_is_named_by_its_path(files):
    with pytest.raises(ValueError, match=r"song0\.wav lasts 2\.50 s, shorter than duration=9 s"):
        loader(short="error", duration=9).transform(files)


@pytest.mark.parametrize(
    ("dtype", "silence", "full"),
    [(np.uint8, 128, 128), (np.int8, 0, 128), (np.int16, 0, 2**15), (np.int32, 0, 2**31)],
)
def test_integers_are_scaled_by_their_type(dtype, silence, full):
    limits = np.iinfo(dtype)
    x = np.array([limits.min, silence, silence + full // 2, limits.max], dtype=dtype)
    out = loader(duration=1000 / RATE).transform([np.tile(x, 250)])[0]
    np.testing.assert_allclose(out[:4], [-1, 0, 0.5, 1 - 1 / full], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32])
def test_byte_order_does_not_matter(dtype):
    x = (music() * np.iinfo(np.int32 if dtype == np.int32 else np.int16).max).astype(dtype)
    swapped = x.astype(x.dtype.newbyteorder(">"))
    loader = AudioLoader(sampling_rate=RATE, duration=1)
    np.testing.assert_array_equal(loader.transform([swapped]), loader.transform([x]))
    np.testing.assert_array_equal(
        loader.transform(swapped[np.newaxis]), loader.transform(x[np.newaxis])
    )


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint32, np.float32])
def test_rates_of_numpy_do_not_overflow(dtype):
    x = music(11, 44100)
    expected = AudioLoader(duration=10).transform([(x, 44100)])
    given = AudioLoader(duration=10).transform([(x, dtype(44100))])
    np.testing.assert_array_equal(given, expected)
    loader = AudioLoader(duration=10, waveform_sampling_rate=dtype(44100))
    np.testing.assert_array_equal(loader.transform([x]), expected)


def test_integer_waveform_equals_the_file_it_was_written_to(tmp_path):
    x = (music() * 2**15).astype(np.int16)
    soundfile.write(tmp_path / "x.wav", x, RATE)
    out = loader().transform([x, tmp_path / "x.wav"])
    np.testing.assert_array_equal(out[0], out[1])


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.uint64, np.bool_])
def test_types_without_a_full_scale_are_refused(dtype):
    x = np.ones(2 * RATE, dtype=dtype)
    message = f"is of type {np.dtype(dtype)}, which has no full scale; convert it to float32"
    with pytest.raises(ValueError, match=f"track 1 {message}"):
        loader().transform([music(), x])
    with pytest.raises(ValueError, match=f"X {message}"):
        loader().fit(np.stack([x, x]))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, object])
def test_float_types_are_taken_as_they_are(dtype):
    x = 3 * music()  # above full scale
    out = loader().transform([x.astype(dtype)])
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[0], x, atol=2e-3)


def noise(level, seconds=2.0, rate=RATE):
    return level * np.random.default_rng(0).normal(size=int(seconds * rate))


@pytest.mark.parametrize(
    ("track", "why"),
    [
        (np.zeros(2 * RATE), "all samples of 2 s are 0"),
        (np.full(2 * RATE, 128, np.uint8), "all samples of 2 s are 0"),
        (np.full((2, 2 * RATE), 0.25), "all samples of 2 s are 0.25"),
        ((np.full(44100, 0.25), 44100), "all samples of 1 s are 0.25"),
        (noise(2**-16), "of 2 s less than 0.1 s reach -80 dB"),
        (noise(2**-16) - 0.5, "of 2 s less than 0.1 s reach -80 dB"),
        (np.append(noise(0.5, 0.05), np.zeros(2 * RATE)), "of 2 s less than 0.1 s reach -80 dB"),
    ],
)
def test_a_track_without_sound_is_named_and_becomes_silence(track, why):
    with pytest.warns(NoSoundWarning, match=re.escape(f"1 track without sound: track 1 ({why})")):
        out = loader().transform([music(), track])
    assert out[0].any()
    assert not out[1].any()


def test_a_track_below_the_shortest_is_named():
    few = music()[: RATE // 10 - 1]
    with pytest.warns(NoSoundWarning, match=r"track 0 \(0.0999 s, shorter than 0.1 s\)"):
        out = loader(short="zeros").transform([few])
    np.testing.assert_array_equal(out[0, : few.size], few)
    loader(short="zeros").transform([music()[: RATE // 10]])  # just long enough


def test_quiet_and_mostly_silent_music_has_sound():
    x = np.zeros(2 * RATE, np.float32)
    x[3000:4000] = music()[:1000]
    loader().transform([0.001 * music(), x, np.stack([x, 0 * x]), np.stack([x, -0.5 * x])])


@pytest.mark.parametrize("rest", [0.0, 0.02])
def test_channels_that_cancel_leave_the_loudest(rest, tmp_path):
    x = music()
    stereo = np.stack([0.9 * x, -x + rest * music(seed=1)])
    paths = [tmp_path / "anti.wav", tmp_path / "anti.ogg"]
    for path in paths:
        soundfile.write(path, stereo.T, RATE)
    with pytest.warns(UserWarning, match=r"3 tracks whose channels cancel .*anti.ogg \(channel 2"):
        out = loader().transform([stereo, *paths])
    np.testing.assert_allclose(out[:2], np.stack([stereo[1]] * 2), atol=1e-4)


def test_warnings_of_one_call_are_gathered():
    silent = [np.zeros(2 * RATE)] * 12
    with pytest.warns() as caught:
        loader().transform([music(0.5), *silent, music(0.3)])
    texts = sorted(str(warning.message) for warning in caught)
    assert len(texts) == 2
    assert re.match(r"12 tracks without sound: track 1 \(.*track 10 \(.*\) and 2 more\. ", texts[0])
    assert re.match("2 tracks repeated to 2 s by .*: track 0 .0.5 s., track 13 .0.3 s.", texts[1])
    assert {warning.filename for warning in caught} == {__file__}


def test_repetition_of_less_than_half_is_not_warned_of():
    loader().transform([music(1.0)])


@pytest.mark.parametrize("loud", [1e6, 1e38])
def test_loud_channels_that_cancel_are_refused(loud, tmp_path):
    stereo = np.stack([0 * music(), loud * music(), -loud * music()]).astype(np.float32)
    soundfile.write(tmp_path / "anti.wav", stereo.T, RATE, subtype="FLOAT")
    for track in (stereo, tmp_path / "anti.wav"):
        with pytest.raises(ValueError, match=r"(track 0|anti\.wav) has samples as large as"):
            loader().transform([track])


def test_objects_that_are_no_real_numbers_are_refused_by_name():
    for odd in ("a", 10**400):
        with pytest.raises(ValueError, match="track 1 is no waveform of real numbers"):
            loader().transform([music(), np.array([0.5, odd], dtype=object)])


@pytest.mark.parametrize("loud", [1e6, -1e30, 70000.0])
def test_samples_far_beyond_full_scale_are_refused_by_name(loud, tmp_path):
    x = music().astype(np.float64)
    x[7] = loud
    path = tmp_path / "loud.wav"
    soundfile.write(path, x, RATE, subtype="FLOAT")
    message = r"samples as large as .*\(1 of 16000 are beyond 65536, the first at sample 7\)"
    for track, name in [(x, "track 0"), ((x, RATE), "track 0"), (path, "loud.wav")]:
        with pytest.raises(ValueError, match=f"{name} has {message}; full scale is 1"):
            loader().transform([track])


def test_floats_on_the_scale_of_16_bits_are_taken_as_they_are():
    x = (music() * 2**15).round()
    np.testing.assert_array_equal(loader().transform([x])[0], x)


@pytest.mark.parametrize("rate", [RATE, np.int64(RATE), np.float32(RATE), np.array(RATE)])
@pytest.mark.parametrize("waveform", [music(), np.zeros((RATE, 2), np.int16), [0.0, 0.5]])
def test_reversed_pairs_are_recognised(rate, waveform):
    for X, name in [
        ((rate, waveform), "X"),
        ([rate, waveform], "X"),
        ([(rate, waveform)], "track 0"),
        ([music(), [rate, waveform]], "track 1"),
    ]:
        with pytest.raises(ValueError, match=rf"{name} is a reversed pair: \(sampling_rate, wavef"):
            loader().transform(X)


def test_waveforms_know_their_rate():
    x = music(4.0, 16000)
    expected = loader().transform([(x, 16000)])
    np.testing.assert_array_equal(loader().transform(Waveforms([x], 16000)), expected)
    np.testing.assert_array_equal(loader().transform([Waveforms(x, 16000)]), expected)
    same = loader(waveform_sampling_rate=16000).transform(Waveforms([x], 16000))
    np.testing.assert_array_equal(same, expected)


def test_two_rates_for_one_waveform_are_refused():
    load = loader(waveform_sampling_rate=22050)
    known = Waveforms([music()], 16000)
    with pytest.raises(ValueError, match=r"X has .* 16000 Hz, but waveform_sampling_rate=22050"):
        load.fit(known)
    with pytest.raises(
        ValueError, match=r"track 0 has .* 16000 Hz, but waveform_sampling_rate=2205"
    ):
        load.transform([known[0]])
    with pytest.raises(ValueError, match="16000 Hz, but the rate beside it is 8000"):
        load.transform([(known[0], 8000)])


def test_the_rate_of_a_pair_goes_before_waveform_sampling_rate():
    x = music()
    out = loader(waveform_sampling_rate=22050).transform([(x, RATE)])
    np.testing.assert_array_equal(out[0], x)


def test_loading_twice_changes_nothing(files):
    once = loader().transform(files)
    np.testing.assert_array_equal(loader().transform(once), once)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("song.wav", r"X is a single path, 'song.wav'; give a list of tracks: \['song.wav'\]"),
        (Path("song.wav"), "X is a single path, .*; give a list of tracks"),
        (b"song.wav", "X is a single path"),
        (music(), "X is a single waveform of 16000 numbers; give a list of tracks"),
        ([0.1, 0.2], "X is a single waveform of 2 numbers"),
        ((music(), 8000), "X is a single pair of a waveform and its sampling rate"),
        ([], "X has 0 tracks"),
        (np.zeros((0, 5)), "X has 0 tracks"),
        (np.zeros((3, 0)), "X has tracks without samples"),
        (np.zeros((2, 2, 2, 2)), r"n_channels, n_samples\); got an array of shape \(2, 2, 2, 2\)"),
        (np.float32(3), "X is a single value of type float32"),
        ({"a.wav"}, "X must be a list, array or Series of paths or waveforms; got set"),
        ((path for path in ["a.wav"]), "got generator"),
        (
            pd.DataFrame({"path": ["a.wav"], "genre": ["dub"]}),
            r'a table of paths of shape \(1, 2\); .* X\["path"\]',
        ),
        (np.array([["a.wav", "dub"]]), r"a table of paths of shape \(1, 2\)"),
        (np.ones((2, 9), dtype=complex), "X is of type complex128. Complex data not supported"),
    ],
)
def test_wrong_containers_are_refused_in_fit(X, message):
    with pytest.raises(ValueError, match=message):
        loader().fit(X)


@pytest.mark.parametrize(
    ("track", "message"),
    [
        (None, "track 1 is of type NoneType; a track is a path, a waveform or a pair"),
        (np.nan, "track 1 is of type float"),
        (["a.wav", "b.wav"], "track 1 is a sequence of 2 texts; a track is one path"),
        (np.zeros((4, 2)), r"track 1 has the shape \(4, 2\): more channels .*waveform\.T"),
        (np.zeros((1, 2, 3)), r"track 1 has the shape \(1, 2, 3\); a waveform has the shape"),
        (np.zeros(0), r"track 1 has no samples: a waveform of shape \(0,\); leave it out"),
        (np.zeros((2, 0)), "track 1 has no samples"),
        ([[1.0, 2.0], [1.0]], "track 1 is no waveform: its rows differ in length"),
        ((np.zeros(9), 0), "track 1 has a sampling rate of 0 Hz; it must be from 1 Hz to 1 GHz"),
        (
            (np.zeros(9), 0.001),
            "track 1 has a sampling rate of 0.001 Hz; .* from 1 Hz to",
        ),
        ((np.zeros(9), 10**400), "track 1 has a sampling rate of 10{19} Hz; it must be from"),
        ((np.zeros(9), np.inf), "track 1 has a sampling rate of inf"),
        (np.array([0, np.nan, 1]), "track 1 contains NaN or infinity .* at sample 1"),
        (np.array([0, -np.inf]), "track 1 contains NaN or infinity"),
        (np.array([1e300, 0]), r"track 1 has samples as large as 1e\+300 \(1 of 2 are"),
        (np.array([1j, 0]), "track 1 is of type complex128. Complex data not supported"),
        (b"song.wav", r"track 1 is of type bytes; give its path as text: os\.fsdecode"),
        (np.ma.masked_greater(np.arange(9.0), 5), "track 1 has 3 masked samples of 9; fill"),
        ((np.zeros(2), 100 * RATE), "track 1 has no samples at sampling_rate=8000"),
    ],
)
def test_wrong_tracks_are_named(track, message):
    load = loader().fit([music(), track])
    with pytest.raises(ValueError, match=message):
        load.transform([music(), track])


def test_a_mask_that_hides_nothing_changes_nothing():
    x = np.stack([music(), music(seed=1)])
    np.testing.assert_array_equal(loader().transform(np.ma.array(x)), loader().transform(x))


def test_missing_values_among_paths_are_named(files):
    X = pd.Series([None, str(files[0])])
    with pytest.raises(ValueError, match=r"track 0 is of type .*; a track is a path"):
        loader().transform(X)


def test_an_empty_path_is_named_by_its_row(files):
    with pytest.raises(FileNotFoundError, match=r"track 1 is '' .an empty path., which"):
        loader().transform([files[0], ""])


def test_bad_files_are_named_by_their_path(files, tmp_path):
    missing = tmp_path / "lost.wav"
    assert loader().fit([*files, missing])  # files are read in transform
    with pytest.raises(FileNotFoundError, match=r"lost\.wav does not exist"):
        loader().transform([*files, missing])
    with pytest.raises(FileNotFoundError, match=r"lost\.wav does not exist"):
        loader().fit_transform([*files, str(missing)])
    with pytest.raises(ValueError, match=r"'lo\\x00st\.wav' is no path: embedded null byte"):
        loader().transform([*files, "lo\0st.wav"])
    with pytest.raises(IsADirectoryError, match="is a directory"):
        loader().transform([tmp_path])
    files[1].write_bytes(files[1].read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"song1\.flac is truncated or damaged"):
        loader().transform(files)


def test_duration_without_a_sample():
    with pytest.raises(ValueError, match=r"duration=1e-06 s has no sample at sampling_rate=8000"):
        loader(duration=1e-6).fit([music()])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sampling_rate", 0),
        ("duration", -1.0),
        ("position", "middle"),
        ("short", "pad"),
        ("waveform_sampling_rate", 0),
        ("resampling", "best"),
    ],
)
def test_parameters_are_checked(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of AudioLoader must be"):
        loader(**{name: value}).fit([music()])


def test_input_is_left_alone():
    x = music()
    before = x.copy()
    out = loader().transform([x])
    out += 1
    np.testing.assert_array_equal(x, before)


def test_clone_params_and_pickle(files):
    load = loader(position="center", resampling="LQ", short="zeros", waveform_sampling_rate=16000)
    assert clone(load).get_params() == load.get_params()
    again = pickle.loads(pickle.dumps(load.fit(files)))
    assert again.get_params() == load.get_params()
    np.testing.assert_array_equal(again.transform(files), load.transform(files))
    out = pickle.loads(pickle.dumps(load.transform(files)))
    assert out.sampling_rate == RATE


def test_set_output_keeps_the_array(files):
    out = loader().set_output(transform="pandas").fit_transform(files)
    assert isinstance(out, np.ndarray)
    assert out.shape == (4, 2 * RATE)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("name", ["-", Path("-"), "-x.wav", "--help", "$HOME", "~"])
def test_names_that_mean_something_elsewhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("song.wav", np.resize([0.5, -0.5], 1600), 8000)
    os.rename("song.wav", name)
    X = AudioLoader(sampling_rate=8000, duration=0.2).transform([name])
    np.testing.assert_allclose(np.abs(X), 0.5, atol=1e-4)


def test_name_that_is_no_unicode(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.wav"
    soundfile.write(tmp_path / "plain.wav", music(), RATE)
    os.rename(tmp_path / "plain.wav", path)
    x = loader().transform([os.fsdecode(path)])
    np.testing.assert_allclose(x[0], music(), atol=1e-4)
