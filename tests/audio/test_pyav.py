"""Files that PyAV decodes: M4A, AAC, WMA, WebM, Matroska, and codecs that libsndfile lacks."""

import sys
import tracemalloc

import numpy as np
import pytest
import soundfile

from skgenre import AudioLoader, PerTrack, load_genre_folder
from skgenre.audio import AUDIO_EXTENSIONS, probe_audio
from skgenre.audio._decode import read_audio
from skgenre.cli import main

av = pytest.importorskip("av", reason="PyAV is an optional package: skgenre[formats]")
# Samples are compared here, also those of recordings without sound or shorter than 0.1 s.
pytestmark = pytest.mark.filterwarnings("ignore::skgenre.NoSoundWarning")

RATE = 48000
# Name of the file -> codec, sample format, name of the container
FILES = {
    "aac.m4a": ("aac", "fltp", "MP4"),
    "alac.m4a": ("alac", "s16p", "MP4"),
    "alac24.m4a": ("alac", "s32p", "MP4"),
    "song.mp4": ("aac", "fltp", "MP4"),
    "song.aac": ("aac", "fltp", "AAC"),
    "song.wma": ("wmav2", "fltp", "ASF"),
    "song.webm": ("libopus", "flt", "MATROSKA"),
    "song.mka": ("flac", "s16", "MATROSKA"),
    "flac.oga": ("flac", "s16", "OGG"),
    "alac.caf": ("alac", "s16p", "CAF"),
    "wma.wav": ("wmav2", "fltp", "WAV"),
}
LOSSLESS = ["alac.m4a", "alac24.m4a", "song.mka", "flac.oga"]
# In AAC files the length is not stored; in WMA and streams it shows only by the bytes.
STORE_LENGTH = ["aac.m4a", "alac.m4a", "song.mp4", "song.wma", "song.webm", "song.mka"]


def music(seconds=2.0, n_channels=2):
    time = np.arange(int(seconds * RATE)) / RATE
    tones = [np.sin(2 * np.pi * f * time) * np.sin(f * time / 90) for f in (220, 550)]
    x = 0.3 * np.stack(tones[:n_channels])  # (n_channels, n_samples)
    return (np.round(x * 2**15) / 2**15).astype(np.float32)


def encode(path, codec, sample_format, x):
    """Write (n_channels, n_samples) with PyAV."""
    layout = {1: "mono", 2: "stereo", 8: "7.1"}[len(x)]
    if sample_format[0] == "s":
        bits = int(sample_format[1:3])
        x = (x * 2.0 ** (bits - 1)).astype(f"i{bits // 8}")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout=layout, format=sample_format)
        stream.bit_rate = 128_000
        container.start_encoding()
        n = stream.codec_context.frame_size or 1024
        for start in range(0, x.shape[1], n):
            piece = np.ascontiguousarray(x[:, start : start + n])
            if "p" not in sample_format:  # interleaved
                piece = np.ascontiguousarray(piece.T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(piece, sample_format, layout)
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        # The last packet of FLAC only repeats the header.
        container.mux([packet for packet in stream.encode(None) if packet.dts is not None])
    return path


def decode(path):
    """Decode with PyAV alone: the mean of the channels, and the rate."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        resampler = av.AudioResampler("fltp")
        frames = [out for frame in container.decode(stream) for out in resampler.resample(frame)]
        return np.concatenate([f.to_ndarray() for f in frames], axis=1).mean(axis=0), stream.rate


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return {
        name: encode(folder / name, codec, sample_format, music())
        for name, (codec, sample_format, _) in FILES.items()
    }


@pytest.mark.parametrize("name", FILES)
def test_samples_are_those_of_ffmpeg(files, name):
    expected, rate = decode(files[name])
    y = read_audio(files[name], sampling_rate=rate, duration=60.0)
    np.testing.assert_allclose(y, expected, atol=1e-6)
    for n in (rate // 2, rate // 2 + 1):
        start = (len(y) - n) // 2
        for position, at in (("start", 0), ("center", start)):
            part = read_audio(files[name], sampling_rate=rate, duration=n / rate, position=position)
            np.testing.assert_array_equal(part, y[at : at + n])


@pytest.mark.parametrize("name", FILES)
def test_signal_comes_back_without_the_padding_of_the_encoder(files, name):
    x = music().mean(axis=0)
    y = read_audio(files[name], sampling_rate=RATE, duration=60.0)
    if name in LOSSLESS:
        np.testing.assert_allclose(y, x, atol=1e-6)
        return
    assert abs(len(y) - len(x)) <= 2048
    # WMA and raw AAC files do not store how much the encoder put in front.
    shift = 0 if FILES[name][2] in ("MP4", "MATROSKA", "CAF") else 1024 * (name == "song.aac")
    if FILES[name][0] != "wmav2":
        assert np.corrcoef(x[:80000], y[shift : shift + 80000])[0, 1] > 0.99


@pytest.mark.parametrize("name", FILES)
def test_probe_tells_what_the_header_says(files, name):
    info = probe_audio(files[name])
    assert info.format == FILES[name][2]
    assert (info.sampling_rate, info.channels) == (RATE, 2)
    assert info.duration == pytest.approx(2.0, abs=0.1)


def test_mono_and_content_before_name(tmp_path):
    path = encode(tmp_path / "song.m4a", "alac", "s16p", music(n_channels=1))
    renamed = path.rename(tmp_path / "http: an odd name %20é.mp3")
    y = read_audio(renamed, sampling_rate=RATE, duration=60.0)
    np.testing.assert_allclose(y, music(n_channels=1)[0], atol=1e-6)


@pytest.mark.parametrize("name", STORE_LENGTH)
def test_truncated_file(files, tmp_path, name):
    content = files[name].read_bytes()
    path = tmp_path / name
    for share in (0.3, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        for function in (probe_audio, lambda p: read_audio(p, sampling_rate=RATE, duration=0.1)):
            with pytest.raises(ValueError, match=r"is truncated or damaged: .*promises"):
                function(path)


@pytest.mark.parametrize("name", ["aac.m4a", "alac.m4a", "song.aac", "song.webm", "song.mka"])
def test_damage_in_the_middle(files, tmp_path, name, capfd):
    content = bytearray(files[name].read_bytes())
    start, stop = int(len(content) * 0.3), int(len(content) * 0.7)
    content[start:stop] = np.random.default_rng(0).bytes(stop - start)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is truncated or damaged"):
        read_audio(path, sampling_rate=RATE, duration=60.0)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["aac.m4a", "song.aac", "song.wma", "song.webm"])
def test_file_that_is_no_audio(files, tmp_path, name):
    path = tmp_path / name
    for content in (files[name].read_bytes()[:16] + bytes(5000), b"Dear listener, " * 500):
        path.write_bytes(content)
        for function in (probe_audio, lambda p: read_audio(p, sampling_rate=RATE, duration=1.0)):
            with pytest.raises(ValueError, match=r"(is not an audio file|is truncated) .*; co"):
                function(path)


def test_eight_channels(tmp_path):
    x = np.linspace(-0.4, 0.4, 8 * 4800, dtype=np.float32).reshape(8, -1)
    path = encode(tmp_path / "song.mka", "pcm_f32le", "flt", x)
    y = read_audio(path, sampling_rate=RATE, duration=60.0)
    np.testing.assert_allclose(y, x.mean(axis=0), atol=1e-6)
    path = encode(tmp_path / "opus.mka", "libopus", "flt", x)
    assert len(read_audio(path, sampling_rate=RATE, duration=60.0)) >= 4800


def test_video_without_sound(tmp_path):
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        frame = av.VideoFrame(32, 32, "yuv420p")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(ValueError, match=r"silent\.mp4 is not .*it has no audio stream"):
        probe_audio(path)


def test_file_without_samples(tmp_path):
    path = tmp_path / "empty.wma"
    encode(path, "wmav2", "fltp", np.zeros((2, 0), np.float32))
    for function in (probe_audio, lambda p: read_audio(p, sampling_rate=RATE, duration=1.0)):
        with pytest.raises(ValueError, match=r"empty\.wma has no samples"):
            function(path)


def test_samples_that_are_not_finite(tmp_path):
    x = np.zeros((1, RATE), np.float32)
    x[0, 100] = np.nan
    path = encode(tmp_path / "song.mka", "pcm_f32le", "flt", x)
    with pytest.raises(ValueError, match=r"song\.mka contains NaN or infinity"):
        read_audio(path, sampling_rate=RATE, duration=1.0)


def test_long_file_takes_little_memory(tmp_path):
    path = encode(tmp_path / "song.m4a", "alac", "s16p", np.zeros((2, 60 * RATE), np.float32))
    tracemalloc.start()
    try:
        read_audio(path, sampling_rate=RATE, duration=0.5, position="center")
        assert tracemalloc.get_traced_memory()[1] < 3_000_000  # the whole would be 21 MB
    finally:
        tracemalloc.stop()


def opus_with_irregular_positions(path):
    """Opus whose pages end a little earlier than their packets, as FFmpeg writes some."""
    x = music(n_channels=1)[0]
    soundfile.write(path, np.tile(x, 3)[::1], 48000, "OPUS", format="OGG")
    content = bytearray(path.read_bytes())
    pages, at = [], 0
    while at < len(content):
        table = content[at + 27 : at + 27 + content[at + 26]]
        pages.append(slice(at, at + 27 + len(table) + sum(table)))
        at = pages[-1].stop
    page = pages[len(pages) // 2]
    position = int.from_bytes(content[page.start + 6 : page.start + 14], "little")
    content[page.start + 6 : page.start + 14] = (position - 300).to_bytes(8, "little")
    content[page.start + 22 : page.start + 26] = bytes(4)
    content[page.start + 22 : page.start + 26] = crc(content[page]).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def crc(page):
    """Checksum of an Ogg page."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x104C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register


def test_opus_that_libsndfile_takes_for_damaged(tmp_path):
    path = opus_with_irregular_positions(tmp_path / "song.opus")
    with pytest.raises(soundfile.LibsndfileError):  # else this test shows nothing
        soundfile.read(path)
    expected, rate = decode(path)
    y = read_audio(path, sampling_rate=rate, duration=60.0)
    np.testing.assert_allclose(y, expected, atol=1e-6)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255  # the page with it is lost
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is truncated or damaged"):
        read_audio(path, sampling_rate=rate, duration=60.0)


def test_without_pyav_the_error_names_the_extra(files, tmp_path, monkeypatch):
    opus = opus_with_irregular_positions(tmp_path / "song.opus")
    monkeypatch.setitem(sys.modules, "av", None)
    for name in ("aac.m4a", "song.aac", "song.wma", "song.webm"):
        for error in (ImportError, ValueError):
            with pytest.raises(error, match=rf'{name}.*pip install "skgenre\[formats\]"'):
                probe_audio(files[name])
        with pytest.raises(ImportError, match=r'pip install "skgenre\[formats\]"'):
            AudioLoader().transform([files[name]])
    for path in (files["flac.oga"], opus):
        with pytest.raises(ValueError, match=r'PyAV reads .*pip install "skgenre\[formats\]"'):
            read_audio(path, sampling_rate=RATE, duration=60.0)


@pytest.fixture
def folder(files, tmp_path):
    for genre in ("dub", "swing"):
        (tmp_path / "music" / genre).mkdir(parents=True)
        for name in ("aac.m4a", "song.wma", "song.webm", "flac.oga"):
            (tmp_path / "music" / genre / name).write_bytes(files[name].read_bytes())
    return tmp_path / "music"


def test_folder_and_cache(folder, tmp_path):
    tracks = load_genre_folder(folder).data
    assert len(tracks) == 8
    loader = AudioLoader(sampling_rate=8000, duration=1.0, position="center")
    expected = loader.transform(tracks)
    for _ in range(2):
        cached = PerTrack(loader, memory=str(tmp_path / "cache"), n_jobs=2)
        np.testing.assert_array_equal(cached.fit_transform(tracks), expected)


def test_folder_without_pyav(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match=r"(?s)8 of 8 files .*aac\.m4a: MP4 files need PyAV"):
        load_genre_folder(folder)


def test_command_line_names_the_formats(capsys):
    assert main(["predict", "--help"]) == 0
    assert 'pip install "skgenre[formats]"' in capsys.readouterr().out


def test_endings_of_a_folder():
    assert {"opus", "oga", "aifc", "caf", "w64", "m4a", "mp4", "aac", "wma", "webm", "mka"} < set(
        AUDIO_EXTENSIONS
    )
