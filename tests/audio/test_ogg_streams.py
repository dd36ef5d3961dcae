"""OGG files of several streams: one after the other, and side by side."""

import struct
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from skgenre.audio import AudioLoader, probe_audio

RATE = 16000


def encode(seconds=2.0, rate=RATE, n_channels=1, seed=0, subtype="VORBIS"):
    x = np.random.default_rng(seed).standard_normal((int(seconds * rate), n_channels)) * 0.2
    file = BytesIO()
    soundfile.write(file, x, rate, format="OGG", subtype=subtype)
    return file.getvalue()


def decode(content):
    return soundfile.read(BytesIO(content), dtype="float32", always_2d=True)[0].mean(axis=1)


def pages(content):
    starts = [0]
    while starts[-1] < len(content):
        at = starts[-1]
        table = content[at + 27 : at + 27 + content[at + 26]]
        starts.append(at + 27 + len(table) + sum(table))
    return [content[start:stop] for start, stop in pairwise(starts)]


def checksum(page):
    register = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x104C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register


def delayed(content, n_samples):
    """Let a stream begin at a later time, as copies of a stretch of another do."""
    headers, audio = pages(content)[:2], pages(content)[2:]
    for page in audio:
        later = struct.unpack_from("<q", page, 6)[0] + n_samples
        page = page[:6] + struct.pack("<q", later) + page[14:]
        headers.append(page[:22] + struct.pack("<I", checksum(page)) + page[26:])
    return b"".join(headers)


def other_pages(magic, n_pages=5):
    """Pages of a stream that is not audio."""
    flags = [2, *[0] * (n_pages - 2), 4]
    return [
        struct.pack("<4sBBqIIIB", b"OggS", 0, flag, 0, 77, number, 0, 1) + b"\x20" + magic.ljust(32)
        for number, flag in enumerate(flags)
    ]


def side_by_side(*streams):
    """Put the first pages first, then the others in turns, as the format demands."""
    turns = [stream[n] for n in range(max(map(len, streams))) for stream in streams if stream[n:]]
    return b"".join(turns)


@pytest.fixture
def load(tmp_path):
    def load(content, **kwargs):
        path = tmp_path / "song.ogg"
        path.write_bytes(content)
        loader = AudioLoader(**{"sampling_rate": RATE, "duration": 60.0, "short": "keep", **kwargs})
        return np.asarray(loader.fit_transform([path])[0])

    load.frames = lambda: probe_audio(tmp_path / "song.ogg").frames
    return load


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_chained_streams_are_read_one_after_the_other(load, subtype):
    first = encode(2.0, seed=1, subtype=subtype)
    second = encode(1.0, seed=2, subtype=subtype)
    chain = first + second + first  # the first serial number comes twice
    expected = np.concatenate([decode(first), decode(second), decode(first)])
    np.testing.assert_allclose(load(chain), expected, atol=1e-6)
    assert load.frames() == expected.size
    middle = load(chain, duration=2.0, position="center")  # all of the second and more
    start = (expected.size - middle.size) // 2
    np.testing.assert_allclose(middle, expected[start:][: middle.size], atol=1e-6)


@pytest.mark.parametrize(("rate", "n_channels"), [(RATE, 2), (8000, 1)])
def test_chained_streams_of_different_formats_are_refused(load, rate, n_channels):
    with pytest.raises(ValueError, match=rf"song\.ogg joins .* {rate} Hz with {n_channels} chann"):
        load(encode() + encode(1.0, rate, n_channels))


@pytest.mark.parametrize("seconds", [3.0, 3.5, 4.3])
def test_centre_in_the_last_page_of_a_stream(load, seconds):
    chain = encode(seconds) + encode(seconds - 0.5, seed=1)
    whole = load(chain)
    for duration in (0.1, 0.5, 0.8):
        middle = load(chain, duration=duration, position="center")
        start = (whole.size - middle.size) // 2
        np.testing.assert_allclose(middle, whole[start : start + middle.size], atol=1e-6)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_centre_of_opus_at_a_low_bit_rate(load, rate):
    time = np.arange(12 * rate) / rate
    x = 0.3 * np.sin(900 * time * (1 + 0.1 * time)) * np.sin(5 * time)
    x += np.random.default_rng(0).uniform(-0.3, 0.3, time.size) * (np.sin(2 * time) > 0.3)
    file = BytesIO()
    soundfile.write(file, x, rate, "OPUS", format="OGG", compression_level=1.0)
    whole = load(file.getvalue(), sampling_rate=rate)
    for duration in (0.5, 1.1, 2.3, 3.7):
        middle = load(file.getvalue(), sampling_rate=rate, duration=duration, position="center")
        start = (whole.size - middle.size) // 2
        np.testing.assert_allclose(middle, whole[start : start + middle.size], atol=1e-6)


@pytest.mark.parametrize("n_samples", [312, 960, 48000])
def test_opus_stream_that_begins_late(load, n_samples):
    content = encode(3.0, 48000, subtype="OPUS")
    expected = decode(content)
    late = delayed(content, n_samples)
    np.testing.assert_allclose(load(late, sampling_rate=48000), expected, atol=1e-6)
    middle = load(late, sampling_rate=48000, duration=1.0, position="center")
    np.testing.assert_allclose(middle, expected[48000:96000], atol=1e-6)


def test_chain_with_a_codec_that_libsndfile_lacks_is_refused(load):
    speex = b"".join(other_pages(b"Speex   "))
    for chain in (encode() + speex, speex + encode(), speex + speex):
        with pytest.raises(
            ValueError, match=r"song\.ogg joins 2 recordings, of which one cannot be"
        ):
            load(chain)


@pytest.mark.parametrize("magic", [b"fishead\0", b"\x80theora", b"unknown"])
@pytest.mark.parametrize("audio_first", [True, False])
def test_streams_beside_the_audio_are_left_out(load, magic, audio_first):
    content = encode()
    streams = [pages(content), other_pages(magic)]
    mixed = side_by_side(*streams) if audio_first else side_by_side(*streams[::-1])
    np.testing.assert_allclose(load(mixed), decode(content), atol=1e-6)
    np.testing.assert_allclose(load(mixed + content), np.tile(decode(content), 2), atol=1e-6)


def test_two_audio_streams_side_by_side_are_refused(load):
    content = side_by_side(pages(encode(seed=1)), pages(encode(seed=2)))
    with pytest.raises(ValueError, match=r"song\.ogg holds 2 audio streams side by side; extract"):
        load(content)


def test_truncated_streams_of_a_chain(load):
    content = encode()
    parts = pages(content)
    for broken in (
        content + content[:-2],
        content + content[: len(parts[0]) + 5],
        content[:-20] + content,  # inside the last page of the first stream
    ):
        with pytest.raises(ValueError, match=r"song\.ogg is truncated or damaged: .* again"):
            load(broken, duration=0.1)


def test_recordings_of_broadcasts_end_without_a_last_page(load):
    parts = pages(encode(8.0))
    whole = decode(encode(8.0))
    recorded = b"".join(parts[:-1])
    for content in (recorded, recorded + encode(1.0)):
        with pytest.warns(UserWarning, match=r"without a page .*song\.ogg\. It was"):
            x = load(content)
        n_read = min(len(x), 4 * RATE)
        np.testing.assert_allclose(x[:n_read], whole[:n_read], atol=1e-6)


def test_lost_page_of_a_chain(load):
    content = encode(20.0)
    parts = pages(content)
    with pytest.raises(ValueError, match=r"song\.ogg is truncated or damaged"):
        load(content + b"".join(parts[:5] + parts[7:]))


def test_bytes_after_and_between_streams_are_left_out(load):
    content = encode()
    junk = b"TAG" + bytes(125)
    np.testing.assert_allclose(load(content + junk), decode(content), atol=1e-6)
    expected = np.tile(decode(content), 2)
    np.testing.assert_allclose(load(content + junk + content + junk), expected, atol=1e-6)


def test_a_stream_whose_encoder_counts_more_samples_than_it_writes(load):
    """As FFmpeg's encoders do; a lost or changed page is still found."""
    parts = pages(encode(8.0))
    last = parts[-1]
    last = last[:6] + struct.pack("<q", 8 * RATE + 448) + last[14:]
    parts[-1] = last[:22] + struct.pack("<I", checksum(last)) + last[26:]
    whole = b"".join(parts)
    x = load(whole)
    assert len(x) < load.frames() == 8 * RATE + 448
    np.testing.assert_array_equal(x[: 8 * RATE], decode(encode(8.0))[: len(x)])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    lost = b"".join(parts[:4] + parts[5:])
    for broken in (bytes(changed), lost, whole + b"junk"):
        with pytest.raises(ValueError, match=r"song\.ogg is truncated or damaged: its header prom"):
            load(broken)
