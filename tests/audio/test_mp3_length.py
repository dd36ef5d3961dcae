"""MP3 files whose length is stored nowhere, or wrongly, and what lies around their frames."""

import struct
from io import BytesIO

import numpy as np
import pytest
import soundfile

from skgenre.audio import AudioLoader, probe_audio

# Samples are compared here, also those of recordings without sound or shorter than 0.1 s.
pytestmark = pytest.mark.filterwarnings("ignore::skgenre.NoSoundWarning")

RATE = 22050
ENCODER_DELAY = 1105  # samples that LAME and the decoder add at the start, in soundfile's MP3
FRAME = 576  # samples in a frame at 22050 Hz
BIT_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # kbit/s


def encode(seconds=3.0, rate=RATE, n_channels=1, seed=0, loud_start=True, **kwargs):
    """Encode noise next to silence: its bit rate varies, so that an estimate goes wrong."""
    x = np.random.default_rng(seed).standard_normal((int(seconds * rate), n_channels)) * 0.2
    quiet = x[x.shape[0] // 3 :] if loud_start else x[: x.shape[0] // 3]
    quiet *= 1e-3
    file = BytesIO()
    soundfile.write(file, x, rate, format="MP3", **{"bitrate_mode": "VARIABLE", **kwargs})
    return file.getvalue()


def decode(content):
    """Decode a file that stores its right length."""
    return soundfile.read(BytesIO(content), dtype="float32", always_2d=True)[0].mean(axis=1)


def frame_starts(content):
    """Walk a mono file at 22050 Hz: MPEG 2, layer III."""
    starts = [0]
    while starts[-1] < len(content):
        third = content[starts[-1] + 2]
        starts.append(starts[-1] + 72000 * BIT_RATES[third >> 4] // RATE + (third >> 1 & 1))
    return starts


def without_header(content):
    """Drop the first frame, which holds the Xing header: an encoder that writes to a pipe."""
    return content[content.index(content[:2], 2) :]


def patch(content, offset, value):
    """Overwrite four bytes of the Xing header."""
    at = content.index(b"Xing") + offset
    return content[:at] + struct.pack(">I", value) + content[at + 4 :]


@pytest.fixture
def load(tmp_path):
    def load(content, rate=RATE, name="song.mp3", **kwargs):
        path = tmp_path / name
        path.write_bytes(content)
        loader = AudioLoader(**{"sampling_rate": rate, "duration": 60.0, "short": "keep", **kwargs})
        x = np.asarray(loader.fit_transform([path])[0])
        if kwargs.get("position") != "center":
            assert probe_audio(path).frames == x.size
            middle = load(content, rate, duration=0.5, position="center")
            start = (x.size - middle.size) // 2
            np.testing.assert_allclose(middle, x[start : start + middle.size], atol=1e-6)
        return x

    return load


def id3(n_bytes, has_footer=False):
    size = bytes(n_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    body = np.random.default_rng(0).bytes(n_bytes)
    flags = b"\x04\0\x10" if has_footer else b"\x04\0\0"
    return b"ID3" + flags + size + body + (b"3DI" + flags + size if has_footer else b"")


def ape(n_bytes):
    def ends(flags):
        return b"APETAGEX" + struct.pack("<4I", 2000, n_bytes + 32, 1, flags) + bytes(8)

    return ends(0xA0000000) + np.random.default_rng(1).bytes(n_bytes) + ends(0x80000000)


ID3V1 = b"TAG" + bytes(125)
LYRICS = b"LYRICSBEGIN" + b"la" * 2000 + b"004011LYRICS200"


@pytest.mark.parametrize("loud_start", [True, False])
@pytest.mark.parametrize(("rate", "n_channels"), [(44100, 2), (22050, 1), (8000, 1)])
def test_without_a_header_every_frame_is_read(load, rate, n_channels, loud_start):
    content = encode(3.0, rate, n_channels, loud_start=loud_start)
    x, expected = load(without_header(content), rate), decode(content)
    assert x.size % FRAME == 0
    assert expected.size <= x.size - ENCODER_DELAY < expected.size + 3 * FRAME
    found = x[ENCODER_DELAY:][: expected.size]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("container", ["MP3", "WAV"])
@pytest.mark.parametrize(("rate", "seconds"), [(44100, 8.0), (16000, 12.0)])
def test_centre_is_exact_where_frames_use_bytes_of_many_before(tmp_path, container, rate, seconds):
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, time.size) * (time < seconds / 4)
    path = tmp_path / f"song.{container.lower()}"
    x = noise + 0.3 * np.sin(440 * time * (1 + time))
    soundfile.write(path, x, rate, format="MP3", bitrate_mode="VARIABLE")
    if container == "WAV":
        content = without_header(path.read_bytes())
        form = struct.pack("<2H2I3H12x", 0x55, 1, rate, 8000, 1, 0, 12)
        chunks = struct.pack("<4sI30s4sI", b"fmt ", 30, form, b"data", len(content)) + content
        path.write_bytes(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks)
    loader = AudioLoader(sampling_rate=rate, duration=60.0, short="keep")
    (whole,) = loader.fit_transform([path])
    for duration in (0.1, 1.0, 1.7, 3.3):
        loader.set_params(duration=duration, position="center")
        (middle,) = loader.fit_transform([path])
        start = (whole.size - middle.size) // 2
        np.testing.assert_allclose(middle, whole[start : start + middle.size], atol=1e-6)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: patch(content, 8, 0),  # no frames
        lambda content: patch(patch(content, 8, 0), 12, 0),  # nor bytes
        lambda content: patch(content, 12, 0),
        lambda content: patch(content, 12, 10**8),
        lambda content: patch(content, 8, 40),  # too few frames
        lambda content: patch(content, 8, 4000),  # too many, but all bytes are there
    ],
)
def test_a_header_that_does_not_fit_the_file(load, spoil):
    content = encode()
    np.testing.assert_allclose(load(spoil(content)), decode(content), atol=1e-6)


def test_a_header_without_the_number_of_frames(load):
    content = encode()
    at, second = content.index(b"Xing"), content.index(content[:2], 2)
    fields = content[at + 12 : second - 4] + bytes(4)
    shorter = content[: at + 4] + struct.pack(">I", 0b1110) + fields
    shorter = shorter[:second].ljust(second, b"\0") + content[second:]
    np.testing.assert_allclose(load(shorter), decode(content), atol=1e-6)


def test_vbri_header_counts_its_frames(load):
    content = encode()
    starts = frame_starts(content)
    counts = struct.pack(">2I", len(content), len(starts) - 2)
    vbri = (content[:36].replace(b"Xing", bytes(4)) + b"VBRI" + bytes(6) + counts)[: starts[1]]
    audio = content[starts[1] :]
    np.testing.assert_array_equal(load(vbri.ljust(starts[1], b"\0") + audio), load(audio))
    with pytest.raises(ValueError, match=r"song\.mp3 is truncated .* header promises \d+ frames"):
        load(vbri.ljust(starts[1], b"\0") + audio[: len(audio) // 2])


@pytest.mark.parametrize("between", [b"", ID3V1, id3(30_000), ape(4000) + ID3V1 + id3(100)])
def test_joined_files_are_read_one_after_the_other(load, between):
    first, second = encode(2.0, seed=1), encode(1.0, seed=2, loud_start=False)
    expected = np.concatenate([decode(first), decode(second), decode(first)])
    x = load(first + between + second + between + first + between)
    np.testing.assert_allclose(x, expected, atol=1e-6)


def test_a_short_file_that_was_joined_is_read(load):
    first, second = encode(2.0, 8000), encode(0.1, 8000)
    assert len(second) < 1441
    expected = np.concatenate([decode(first), decode(second)])
    np.testing.assert_allclose(load(first + second, 8000), expected, atol=1e-6)
    np.testing.assert_allclose(load(first + ID3V1 + second, 8000), expected, atol=1e-6)


def test_joined_files_with_one_header(load):
    first, second = encode(2.0, seed=1), without_header(encode(1.0, seed=2))
    for pair in ((first, second), (second, first)):
        expected = np.concatenate([load(content) for content in pair])
        np.testing.assert_allclose(load(b"".join(pair)), expected, atol=1e-6)


def test_joined_files_without_a_header_have_the_frames_of_both(load):
    content = without_header(encode())
    assert load(content + content).size == 2 * load(content).size
    assert load(content[:-20] + id3(5000) + content).size == 2 * load(content).size - FRAME


@pytest.mark.parametrize("cut_header", [False, True])
@pytest.mark.parametrize(("rate", "n_channels"), [(16000, 1), (RATE, 2)])
def test_joined_files_of_different_formats_are_refused(load, rate, n_channels, cut_header):
    second = encode(1.0, rate, n_channels)
    content = encode() + (without_header(second) if cut_header else second)
    with pytest.raises(ValueError, match=rf"song\.mp3 joins .* {rate} Hz with {n_channels} chann"):
        load(content)


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize(
    "tail",
    [ID3V1, ape(5000), ape(5000) + ID3V1, LYRICS + ID3V1, id3(4000), bytes(5000), b"x" * 5000],
)
def test_what_follows_the_last_frame_is_left_out(load, tail, has_header):
    content = encode() if has_header else without_header(encode())
    np.testing.assert_array_equal(load(content + tail), load(content))


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize(
    "tags",
    [
        id3(3_000_000),
        id3(1000) + id3(20_000) + id3(10),
        id3(1000, has_footer=True) + id3(200),
        id3(100) + bytes(3000),
    ],
)
def test_tags_before_the_first_frame(load, tags, has_header):
    content = encode() if has_header else without_header(encode())
    np.testing.assert_allclose(load(tags + content), load(content), atol=1e-6)


def test_a_stream_that_begins_inside_a_frame(load):
    content = without_header(encode())
    assert load(content[100:]).size == load(content).size - FRAME


def test_a_last_frame_that_is_cut_short_is_left_out(load):
    content = without_header(encode())
    x = load(content)
    for tail in (b"", ID3V1):
        np.testing.assert_array_equal(load(content[:-10] + tail), x[:-FRAME])


def test_a_header_that_promises_more_frames_than_are_there(load):
    content = encode()
    n_frames = len(frame_starts(content)) - 2
    for broken, there in (
        (patch(patch(content, 8, 2 * n_frames), 12, 10**6), n_frames),
        (content + content[: len(content) // 2], r"\d+"),
        (content[: len(content) // 2] + content, r"\d+"),
    ):
        with pytest.raises(ValueError, match=rf"truncated or damaged: .* frames of .* {there} are"):
            load(broken)


def test_junk_in_the_middle(load):
    content = without_header(encode())
    middle = frame_starts(content)[40]
    before, after = content[:middle], content[middle:]
    np.testing.assert_array_equal(load(before + b"x" * 500 + after), load(content))
    with pytest.raises(ValueError, match=rf"damaged: 5000 bytes before byte {middle + 5000} are"):
        load(before + b"x" * 5000 + after)


@pytest.mark.parametrize(
    ("headers", "rate", "n_samples"),
    [
        (["fffda400", "fffd5400"], 48000, 1152),  # layer II of MPEG 1, two bit rates
        (["fff58400"], 24000, 1152),  # layer II of MPEG 2
        (["ffffa400", "ffff5400"], 48000, 384),  # layer I of MPEG 1
        (["fff78400"], 24000, 384),
    ],
)
def test_layers_one_and_two(load, headers, rate, n_samples):
    lengths = {"fffda400": 576, "fffd5400": 240, "fff58400": 384}
    lengths |= {"ffffa400": 320, "ffff5400": 160, "fff78400": 256}
    frames = [bytes.fromhex(header).ljust(lengths[header], b"\0") for header in headers]
    silence = load(b"".join(frame * 30 for frame in frames), rate)
    assert silence.shape == (30 * len(frames) * n_samples,)
    assert not silence.any()


def test_free_format_is_read_as_its_frames_are(load):
    content = encode(2.0, 48000, bitrate_mode="CONSTANT", compression_level=0.5)
    content = without_header(content) if b"Info" in content else content
    length = content.index(content[:3], 3)
    expected = load(content, 48000)
    free = bytearray(content)
    for start in range(0, len(free), length):
        assert free[start] == 0xFF
        free[start + 2] &= 0x0F  # no bit rate
    np.testing.assert_array_equal(load(bytes(free), 48000), expected)
    np.testing.assert_array_equal(load(bytes(free) + ID3V1, 48000), expected)
    assert load(bytes(free) * 2, 48000).size == 2 * expected.size


def test_text_in_a_file_named_mp3_is_refused(load):
    with pytest.raises(ValueError, match=r"song\.mp3 is not an audio file"):
        load(id3(2000) + b"no frames here " * 500)
