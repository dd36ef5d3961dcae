"""Files: every format, the part that is read, and every way in which a file can be broken."""

import os
import re
import struct
import threading

import numpy as np
import pytest
import soundfile

from skgenre import NoSoundWarning
from skgenre.audio._decode import AudioInfo, probe_audio, read_audio

RATE = 8000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "au": ("AU", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
}
LOSSLESS = ["wav", "flac", "au", "aiff"]


def music(seconds=3.0, rate=RATE, seed=0):
    """Tones that fade in and out at different times, over a little noise."""
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time + f) * np.sin(f * time / 90) for f in (220, 550, 1100))
    noise = np.random.default_rng(seed).standard_normal(time.size)
    return (0.2 * tones + 0.01 * noise).astype(np.float32)


@pytest.fixture
def save(tmp_path):
    def write(ext, x=None, rate=RATE, name="song", **kwargs):
        path = tmp_path / f"{name}.{ext}"
        soundfile.write(path, music() if x is None else x, rate, **kwargs)
        return path

    return write


def read(path, **kwargs):
    return read_audio(path, **{"sampling_rate": RATE, "duration": 3.0, **kwargs})


def cut(path, n_bytes):
    path.write_bytes(path.read_bytes()[:n_bytes])
    return path


@pytest.mark.parametrize("ext", FORMATS)
def test_every_format_gives_the_signal_back(save, ext):
    x = music()
    path = save(ext, x, format=FORMATS[ext][0], subtype=FORMATS[ext][1])
    y = read(path)
    assert y.dtype == np.float32
    assert y.shape == x.shape
    if ext in LOSSLESS:
        np.testing.assert_allclose(y, x, atol=2**-15)
    else:
        assert np.corrcoef(x, y)[0, 1] > 0.99


@pytest.mark.parametrize("ext", FORMATS)
def test_probe_tells_what_the_header_says(save, ext):
    path = save(ext, np.stack([music(), music()], axis=1))
    info = probe_audio(path)
    assert info == AudioInfo(3 * RATE, RATE, 2, FORMATS[ext][0])
    assert info.duration == 3.0
    assert probe_audio(str(path)) == info


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_type_has_the_same_loudness(save, subtype):
    np.testing.assert_allclose(read(save("wav", subtype=subtype)), music(), atol=2**-7)


def test_float_files_may_go_above_full_scale(save):
    loud = 10 * music()
    np.testing.assert_array_equal(read(save("wav", loud, subtype="FLOAT")), loud)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_channels_are_averaged(save, n_channels):
    x = np.stack([music(seed=c) * (c + 1) / 6 for c in range(n_channels)], axis=1)
    y = read(save("wav", x, subtype="FLOAT"))
    np.testing.assert_allclose(y, x.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_resampling_keeps_the_frequency_and_the_loudness(save, rate):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate * 2) / rate)
    y = read(save("wav", tone, rate, subtype="FLOAT"), sampling_rate=16000, duration=1.0)
    assert y.shape == (16000,)
    spectrum = np.abs(np.fft.rfft(y)) * 2 / y.size
    assert spectrum.argmax() == 1000
    assert spectrum[1000] == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("rate", [7999, 11025, 22050, 44100, 96000])
@pytest.mark.parametrize("duration", [0.1, 0.333, 1.0])
def test_length_is_exact_at_every_rate(save, rate, duration):
    path = save("wav", music(1.5, rate), rate)
    assert read(path, duration=duration).shape == (round(duration * RATE),)


def test_resampling_equals_soxr_on_the_part_that_was_cut(save):
    import soxr

    x = music(3.0, 44100)
    path = save("wav", x, 44100, subtype="FLOAT")
    y = read(path, duration=1.0, position="center", resampling="LQ")
    np.testing.assert_array_equal(y, soxr.resample(x[44100:88200], 44100, RATE, "LQ"))


@pytest.mark.parametrize("ext", FORMATS)
def test_centre_is_the_middle_slice(save, ext):
    path = save(ext)
    whole, middle = read(path), read(path, duration=1.0, position="center")
    np.testing.assert_allclose(middle, whole[RATE : 2 * RATE], atol=1e-6)


@pytest.mark.parametrize("ext", FORMATS)
def test_only_the_part_that_is_needed_is_decoded(save, ext, monkeypatch):
    path = save(ext, music(20.0))
    decoded = []
    original = soundfile.SoundFile.read

    def spy(self, frames=-1, *args, **kwargs):
        out = original(self, frames, *args, **kwargs)
        decoded.append(len(out))
        return out

    monkeypatch.setattr(soundfile.SoundFile, "read", spy)
    assert read(path, duration=0.5, position="center").size == RATE // 2
    # FLAC's last sample is looked at; MP3 needs frames before the first that is used.
    lead = 32 * 1152 if ext == "mp3" else 1
    assert RATE // 2 <= sum(decoded) <= RATE // 2 + lead


def test_short_file_comes_as_it_is(save):
    assert read(save("wav"), duration=60.0).size == 3 * RATE


def test_silence_passes(save):
    path = save("flac", np.zeros(3 * RATE))
    with pytest.warns(NoSoundWarning, match=re.escape(os.fspath(path))):
        assert not read(path).any()


def test_missing_file(tmp_path):
    for function in (probe_audio, read):
        with pytest.raises(FileNotFoundError, match=r"lost\.wav does not exist; check its spell"):
            function(tmp_path / "lost.wav")
    with pytest.raises(FileNotFoundError, match=r"empty path.* does not exist"):
        read("")


def test_directory(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a directory, not an audio file"):
        read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(ValueError, match=r"pipe\.wav is a pipe or a device"):
        read(tmp_path / "pipe.wav")


@pytest.mark.parametrize("ext", FORMATS)
def test_empty_file(tmp_path, ext):
    path = tmp_path / f"nothing.{ext}"
    path.touch()
    with pytest.raises(ValueError, match=rf"nothing\.{ext} is an empty file \(0 bytes\)"):
        read(path)


@pytest.mark.parametrize("ext", ["wav", "ogg", "au", "aiff"])
def test_audio_without_samples(save, ext):
    path = save(ext, np.zeros(0))
    for function in (probe_audio, read):
        with pytest.raises(ValueError, match=rf"song\.{ext} has no samples: its audio is 0 s"):
            function(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("ext", FORMATS)
def test_truncated_file(save, ext, share):
    path = save(ext, music(20.0))
    cut(path, int(path.stat().st_size * share))
    for function in (probe_audio, read):
        with pytest.raises(ValueError, match=rf"song\.{ext} is truncated or damaged: .* again"):
            function(path)
    # Also where the part that is asked for is all there.
    with pytest.raises(ValueError, match="is truncated or damaged"):
        read(path, duration=0.1)


@pytest.mark.parametrize("ext", ["wav", "flac", "ogg", "au", "aiff"])
def test_a_lost_end_is_found(save, ext):
    path = save(ext)
    cut(path, path.stat().st_size - 80)  # 2 ms
    with pytest.raises(ValueError, match="is truncated or damaged"):
        probe_audio(path)


def test_truncated_inside_the_head_of_an_ogg_page(save):
    path = save("ogg", music(20.0))
    content = path.read_bytes()
    last = content.rfind(b"OggS")
    for n_bytes in (1, 3, 10, 27):
        path.write_bytes(content[: last + n_bytes])
        with pytest.raises(ValueError, match="is truncated or damaged"):
            probe_audio(path)


@pytest.mark.parametrize(
    ("ext", "kind"),
    [
        ("wav", {"format": "WAVEX"}),
        ("wav", {"format": "RF64"}),
        ("wav", {"endian": "BIG"}),
        ("au", {"endian": "LITTLE"}),
        ("aiff", {"endian": "LITTLE"}),
    ],
)
def test_the_less_usual_headers_and_byte_orders(save, ext, kind):
    path = save(ext, subtype="PCM_16", **kind)
    np.testing.assert_allclose(read(path), music(), atol=2**-15)
    cut(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match="is truncated or damaged"):
        probe_audio(path)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
@pytest.mark.parametrize("whole", [True, False])
def test_wav_stream_whose_header_leaves_the_length_open(save, size, whole):
    path = save("wav")
    content = bytearray(path.read_bytes())
    at = content.find(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    if whole:
        content[4:8] = struct.pack("<I", size)
    path.write_bytes(content)
    assert probe_audio(path).frames == 3 * RATE
    np.testing.assert_allclose(read(path), music(), atol=2**-15)


def test_au_stream_whose_header_leaves_the_length_open(save):
    path = save("au")
    content = path.read_bytes()
    path.write_bytes(content[:8] + b"\xff\xff\xff\xff" + content[12:])
    np.testing.assert_allclose(read(path), music(), atol=2**-15)


def test_flac_stream_whose_header_leaves_the_length_open(save):
    x = music(20.0)
    path = save("flac", x)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # 36 bits of the first block of metadata count the samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert probe_audio(path).frames == x.size
    np.testing.assert_allclose(read(path), x[: 3 * RATE], atol=2**-15)
    middle = read(path, duration=1.0, position="center")
    np.testing.assert_allclose(middle, x[x.size // 2 - RATE // 2 :][:RATE], atol=2**-15)
    cut(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match="is truncated or damaged: decoding stopped"):
        probe_audio(path)


def without_xing(content):
    """Drop the first frame, the one that holds the Xing header."""
    return content[content.index(content[:2], 2) :]


def test_mp3_without_a_stored_length_is_read_as_far_as_it_goes(save):
    path = save("mp3", music(8.0), compression_level=0.9, bitrate_mode="CONSTANT")
    path.write_bytes(without_xing(path.read_bytes()))
    whole = read(path, duration=8.0).size
    cut(path, path.stat().st_size // 2)
    assert 0.4 * whole < read(path, duration=8.0).size < 0.6 * whole


def test_id3_tag_before_mp3_and_flac(save):
    for ext in ("mp3", "flac"):
        path = save(ext)
        expected = read(path)
        tag = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 2]) + bytes(130)
        path.write_bytes(tag + path.read_bytes())
        np.testing.assert_array_equal(read(path), expected)
        cut(path, path.stat().st_size // 2)
        with pytest.raises(ValueError, match="is truncated or damaged"):
            probe_audio(path)


def test_tag_after_mp3(save):
    path = save("mp3")
    expected = read(path)
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    np.testing.assert_array_equal(read(path), expected)


@pytest.mark.parametrize("ext", ["raw", "RAW", "dat"])
def test_a_file_is_known_by_its_content_and_not_by_its_name(save, ext):
    path = save("wav")
    renamed = path.rename(path.with_suffix(f".{ext}"))
    assert probe_audio(renamed).format == "WAV"
    np.testing.assert_allclose(read(renamed), read(save("wav")), atol=1e-6)


@pytest.mark.parametrize("ext", [*FORMATS, "txt", "raw", "gsm"])
def test_file_that_is_no_audio(tmp_path, ext):
    path = tmp_path / f"letter.{ext}"
    path.write_text("Dear listener, " * 500)
    for function in (probe_audio, read):
        with pytest.raises(ValueError, match=rf"letter\.{ext} is not an audio file .*; convert it"):
            function(path)


@pytest.mark.parametrize("ext", ["flac", "ogg", "mp3"])
def test_damage_in_the_middle(save, ext):
    path = save(ext, music(20.0))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = np.random.default_rng(0).bytes(6000)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"song\.{ext} is truncated or damaged"):
        read(path, duration=20.0)


def test_damage_at_the_start_of_flac(save):
    path = save("flac", music(20.0))
    content = bytearray(path.read_bytes())
    first = content.index(b"\xff\xf8", 42)  # where the frames begin, after the metadata
    content[first : first + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"song\.flac is truncated or damaged: decoding stopped"):
        read(path)


def test_nothing_is_written_to_the_terminal(save, tmp_path, capfd):
    path = save("mp3", music(20.0))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(content)
    junk = tmp_path / "junk.mp3"
    junk.write_bytes(np.random.default_rng(0).bytes(20000))
    with soundfile.SoundFile(path) as file, pytest.raises(soundfile.LibsndfileError):
        file.read()
    assert "Illegal" in capfd.readouterr().err  # else this test shows nothing
    for broken in (path, junk):
        with pytest.raises(ValueError, match=r"damaged|not an audio file"):
            read(broken, duration=20.0)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


@pytest.mark.parametrize("ext", ["wav", "rf64", "aiff", "caf"])
def test_a_file_of_no_known_kind_writes_nothing_to_the_terminal(save, ext, tmp_path, capfd):
    content = bytearray(save(ext, music(0.2)).read_bytes())
    content[8:10] = b"\1\2"
    path = tmp_path / "song.mp3"  # libsndfile goes by the ending
    path.write_bytes(content)
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.SoundFile(path)
    assert "MPEG" in capfd.readouterr().err  # else this test shows nothing
    with pytest.raises(ValueError, match="is not an audio file"):
        read(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
def test_damaged_sample_dump(tmp_path, subtype):
    path = tmp_path / "song.sds"
    soundfile.write(path, music(0.2), RATE, subtype)
    assert probe_audio(path).frames == len(music(0.2))
    content = bytearray(path.read_bytes())
    content[-200] ^= 0xFF  # may be a sample
    content[-127] = 0  # the start of the last packet
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"song\.sds is truncated or damaged: packet (\d+) of \1"):
        read(path)


def test_w64_with_a_chunk_of_a_negative_length(save):
    path = save("w64", music(0.2))
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 16
    content[at : at + 8] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"song\.w64 is not an audio file"):
        read(path)


def test_stderr_comes_back_after_threads(save, capfd):
    path = save("mp3")
    threads = [threading.Thread(target=lambda: [read(path) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_samples_that_are_not_finite(save):
    x = music()
    x[100] = np.nan
    with pytest.raises(ValueError, match=r"song\.wav contains NaN or infinity .* at sample 100"):
        read(save("wav", x, subtype="FLOAT"))
    stereo = np.stack([music(), music()], axis=1)
    stereo[7] = np.inf, -np.inf
    with pytest.raises(ValueError, match=r"song\.wav contains NaN or infinity .* at sample 7"):
        read(save("wav", stereo, subtype="FLOAT"))
