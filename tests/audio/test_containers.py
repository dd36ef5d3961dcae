"""Containers: every codec that libsndfile writes, and headers that are unusual or incomplete."""

import struct
import tracemalloc

import numpy as np
import pytest
import soundfile

from skgenre.audio import probe_audio
from skgenre.audio._decode import read_audio

# Samples are compared here, also those of recordings without sound or shorter than 0.1 s.
pytestmark = pytest.mark.filterwarnings("ignore::skgenre.NoSoundWarning")

RATE = 8000
LIST = b"LIST" + struct.pack("<I", 18) + b"INFOINAM" + struct.pack("<I", 6) + b"hello\0"
OPEN_SIZES = [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def noise(n=4001, n_channels=1):
    return np.random.default_rng(0).uniform(-0.5, 0.5, (n, n_channels))


def read(path, **kwargs):
    return read_audio(path, **{"sampling_rate": RATE, "duration": 60.0, **kwargs})


def check(path, expected):
    """Whole, start and center equal the samples that are expected."""
    assert probe_audio(path).frames == len(expected)
    np.testing.assert_allclose(read(path), expected, atol=1e-6)
    for n in (1000, 1001):
        duration = n / RATE
        np.testing.assert_allclose(read(path, duration=duration), expected[:n], atol=1e-6)
        start = (len(expected) - n) // 2
        middle = read(path, duration=duration, position="center")
        np.testing.assert_allclose(middle, expected[start : start + n], atol=1e-6)


def pcm(x, n_bytes=2, order="<"):
    """Samples of 16 or 24 bits, and what a decoder makes of them."""
    whole = np.round(x * 2 ** (8 * n_bytes - 1)).astype(order + "i4")
    columns = slice(n_bytes) if order == "<" else slice(4 - n_bytes, 4)
    content = whole.reshape(-1, 1).view("u1")[:, columns].tobytes()
    return content, (whole / 2 ** (8 * n_bytes - 1)).mean(axis=1)


def fmt(n_channels=1, n_bytes=2, order="<"):
    block = n_channels * n_bytes
    values = (1, n_channels, RATE, RATE * block, block, 8 * n_bytes)
    return b"fmt " + struct.pack(order + "IHHIIHH", 16, *values)


def chunk(name, content, size=None, order="<", padded=True):
    size = len(content) if size is None else size
    return name + struct.pack(order + "I", size) + content + bytes(padded and len(content) % 2)


def riff(*chunks, magic=b"RIFF", size=None, order="<"):
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack(order + "I", len(body) if size is None else size) + body


def comm(n, n_channels=1, n_bytes=2, codec=b""):
    rate = struct.pack(">HQ", 16383 + 12, RATE << 51)  # 80-bit floating point
    return chunk(b"COMM", struct.pack(">HIH", n_channels, n, 8 * n_bytes) + rate + codec, order=">")


def form(*chunks, kind=b"AIFF", size=None):
    body = kind + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body) if size is None else size) + body


def ssnd(content, size=None, padded=True):
    size = len(content) + 8 if size is None else size
    return chunk(b"SSND", bytes(8) + content, size, ">", padded)


@pytest.fixture
def save(tmp_path):
    def write(content, ext="wav"):
        path = tmp_path / f"song.{ext}"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("container", sorted(set(soundfile.available_formats()) - {"RAW"}))
def test_every_codec_gives_the_samples_of_soundfile(tmp_path, container):
    n_files = 0
    for subtype in soundfile.available_subtypes(container):
        for n_channels in (1, 2):
            path = tmp_path / f"{subtype}{n_channels}.{container.lower()}"
            try:
                soundfile.write(path, noise(8001, n_channels), RATE, subtype, format=container)
                x, rate = soundfile.read(path, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:  # cannot be written so, or soundfile cannot read it
                continue
            if (np.abs(x) > 1e-4).mean() < 0.5:  # libsndfile loses most of ALAC of 20 bits
                continue
            n_files += 1
            expected = x.mean(axis=1)
            for position in ("start", "center"):
                for n in (len(x), 1000):
                    y = read(path, sampling_rate=rate, duration=n / rate, position=position)
                    start = (len(x) - n) // 2 if position == "center" else 0
                    np.testing.assert_allclose(
                        y, expected[start : start + n], atol=1e-5, err_msg=f"{subtype} {position}"
                    )
    assert n_files


@pytest.mark.parametrize("subtype", ["DWVW_16", "DWVW_24"])
def test_codec_in_which_soundfile_fails_to_seek(tmp_path, subtype):
    path = tmp_path / "song.aiff"
    x = noise()[:, 0]
    soundfile.write(path, x, RATE, subtype)
    assert probe_audio(path).frames == len(x)
    np.testing.assert_allclose(read(path), x, atol=2**-14)
    np.testing.assert_allclose(
        read(path, duration=1000 / RATE, position="center"), x[1500:2500], atol=2**-14
    )


@pytest.mark.parametrize("n_bytes", [0, 10, 3000, 70000])
@pytest.mark.parametrize(("ext", "rate"), [("flac", 44100), ("wav", RATE), ("aiff", RATE)])
def test_id3_tag_in_front(tmp_path, n_bytes, ext, rate):
    path = tmp_path / f"song.{ext}"
    soundfile.write(path, noise(30000), rate)
    expected = soundfile.read(path, dtype="float32")[0]
    length = bytes([n_bytes >> 14 & 127, n_bytes >> 7 & 127, n_bytes & 127])
    path.write_bytes(b"ID3\x04\0\0\0" + length + bytes(n_bytes) + path.read_bytes())
    assert probe_audio(path).frames == 30000
    y = read(path, sampling_rate=rate, duration=0.1, position="center")
    start = (30000 - y.size) // 2
    np.testing.assert_allclose(y, expected[start : start + y.size], atol=1e-6)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        LIST,
        LIST + b"TAG" + bytes(125),
        chunk(b"bext", bytes(603)),
        chunk(b"user", b"any name will do"),
        chunk(b"odd1", b"abc"),
        chunk(b"odd2", b"abc", padded=False),
        chunk(b"odd2", b"abc", padded=False) + LIST + bytes(3),
    ],
)
def test_metadata_after_an_empty_data_chunk_is_no_music(save, tail):
    path = save(riff(fmt(), chunk(b"data", b""), tail))
    for function in (probe_audio, read):
        with pytest.raises(ValueError, match=r"song\.wav has no samples"):
            function(path)


@pytest.mark.parametrize("magic", [b"RF64", b"RIFX"])
def test_metadata_after_other_empty_data_chunks_is_no_music(save, magic):
    order = ">" if magic == b"RIFX" else "<"
    size = 0xFFFFFFFF if magic == b"RF64" else 0
    ds64 = chunk(b"ds64", struct.pack("<3QI", 80, 0, 0, 0)) if magic == b"RF64" else b""
    tail = chunk(b"LIST", b"INFO", order=order)
    chunks = (ds64, fmt(order=order), chunk(b"data", b"", size, order), tail)
    with pytest.raises(ValueError, match="has no samples"):
        read(save(riff(*chunks, magic=magic, order=order)))


@pytest.mark.parametrize("tail", [b"", chunk(b"NAME", b"song", order=">")])
@pytest.mark.parametrize("sound", [ssnd(b""), chunk(b"SSND", b"")])
def test_metadata_after_empty_aiff_is_no_music(save, tail, sound):
    with pytest.raises(ValueError, match="has no samples"):
        read(save(form(comm(0), sound, tail), "aiff"))


@pytest.mark.parametrize("size", OPEN_SIZES)
@pytest.mark.parametrize("whole", [0, 36, None, 0xFFFFFFFF])
@pytest.mark.parametrize("n_bytes", [2, 3])
def test_wav_stream(save, size, whole, n_bytes):
    content, expected = pcm(noise(4001, 2), n_bytes)
    data = chunk(b"data", content + b"\1", size)  # a part of a frame at the end is dropped
    check(save(riff(fmt(2, n_bytes), LIST, data, size=whole)), expected)


def test_rifx_stream(save):
    content, expected = pcm(noise(), order=">")
    data = chunk(b"data", content, 0)
    check(save(riff(fmt(order=">"), data, magic=b"RIFX", order=">")), expected)


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
@pytest.mark.parametrize("size", [0, 8002, 2**64 - 1])
@pytest.mark.parametrize("size_32", [0, 8002, 0xFFFFFFFF])
def test_rf64(save, magic, size, size_32):
    content, expected = pcm(noise())
    ds64 = chunk(b"ds64", struct.pack("<3QI", size, size, 0, 0))
    data = chunk(b"data", content, size_32)
    check(save(riff(ds64, fmt(), data, magic=magic, size=0xFFFFFFFF)), expected)


def test_truncated_rf64(save):
    ds64 = chunk(b"ds64", struct.pack("<3QI", 9000, 9000, 0, 0))
    data = chunk(b"data", pcm(noise())[0], 0xFFFFFFFF)
    with pytest.raises(ValueError, match="truncated"):
        probe_audio(save(riff(ds64, fmt(), data, magic=b"RF64", size=0xFFFFFFFF)))


@pytest.mark.parametrize("size", [0, 8, 0x7F000008, 0xFFFFFFFF])
@pytest.mark.parametrize("n", [0, 4001, 0x3F800000])
def test_aiff_stream(save, size, n):
    content, expected = pcm(noise(), order=">")
    check(save(form(comm(n), ssnd(content, size), size=0), "aiff"), expected)


def test_aifc_stream(save):
    content, expected = pcm(noise())
    header = comm(0, codec=b"sowt\0\0")
    check(save(form(header, ssnd(content, 0), kind=b"AIFC", size=0), "aifc"), expected)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
@pytest.mark.parametrize(("magic", "order"), [(b".snd", ">"), (b"dns.", "<")])
def test_au_stream(save, size, magic, order):
    content, expected = pcm(noise(), order=order)
    head = magic + struct.pack(order + "5I", 28, size, 3, RATE, 1) + b"note"
    check(save(head + content, "au"), expected)


@pytest.mark.parametrize("ext", ["w64", "caf"])
def test_stream_with_sizes_of_64_bits(tmp_path, ext):
    path = tmp_path / f"song.{ext}"
    soundfile.write(path, noise(), RATE)
    expected = soundfile.read(path, dtype="float32")[0]
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + (16 if ext == "w64" else 4)
    content[at : at + 8] = struct.pack("<Q", 2**63 - 1) if ext == "w64" else b"\xff" * 8
    path.write_bytes(content)
    check(path, expected)


@pytest.mark.parametrize("n", [4001, 4004])
def test_chunks_after_the_samples_of_w64_are_no_music(tmp_path, n):
    path = tmp_path / "song.w64"
    soundfile.write(path, noise(n), RATE)
    expected = soundfile.read(path, dtype="float32")[0]
    name = b"bext" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
    tail = name + struct.pack("<Q", 24 + 600) + b"note" * 150
    content = path.read_bytes()
    for more in (bytes(6), b"12345678", tail, bytes(-len(content) % 8) + tail + tail):
        path.write_bytes(content + more)
        check(path, expected)


@pytest.mark.parametrize("ext", ["w64", "caf"])
def test_truncated_file_with_sizes_of_64_bits(tmp_path, ext):
    path = tmp_path / f"song.{ext}"
    soundfile.write(path, noise(), RATE)
    path.write_bytes(path.read_bytes()[:-80])
    with pytest.raises(ValueError, match="truncated"):
        probe_audio(path)


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("name", [b"LIST", b"bext", b"PAD ", b"user"])
@pytest.mark.parametrize("n", [4001, 4000, 3952])
def test_odd_chunks_of_wav(save, padded, name, n):
    odd = chunk(name, b"INFOabc", padded=padded)
    content, expected = pcm(noise(n), 3)
    data = chunk(b"data", content, padded=padded)
    for chunks in ((odd, fmt(1, 3), data), (fmt(1, 3), odd, odd, data, odd, LIST)):
        check(save(riff(*chunks)), expected)
    stream = riff(fmt(1, 3), odd, chunk(b"data", content, 0))
    check(save(stream), expected)


@pytest.mark.parametrize("padded", [True, False])
def test_odd_chunks_of_aiff(save, padded):
    odd = chunk(b"NAME", b"abc", order=">", padded=padded)
    content, expected = pcm(noise(), 3, ">")
    for chunks in ((odd, comm(4001, 1, 3)), (comm(4001, 1, 3), odd, odd)):
        check(save(form(*chunks, ssnd(content, padded=padded), odd), "aiff"), expected)


@pytest.mark.parametrize(("n_channels", "n_bytes"), [(1, 2), (2, 2), (2, 3)])
def test_a_few_bytes_may_be_missing(save, n_channels, n_bytes):
    x = noise(4000, n_channels)
    for missing in (1, 2, 3, 4, 8, 12, 44, 64, 65):
        content, expected = pcm(x, n_bytes)
        wav = riff(fmt(n_channels, n_bytes), chunk(b"data", content, len(content) + missing))
        content, _ = pcm(x, n_bytes, ">")
        header = comm(4000, n_channels, n_bytes)
        aiff = form(header, ssnd(content, len(content) + 8 + missing))
        for path in (save(wav), save(aiff, "aiff")):
            if missing <= 64:
                check(path, expected)
            else:
                with pytest.raises(ValueError, match="truncated"):
                    probe_audio(path)


def n_bytes_allocated(function):
    """Return the result of a function and the most memory it took at a time."""
    tracemalloc.start()
    try:
        return function(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [600_000_000, 4_400_000_000])
@pytest.mark.parametrize("data_size", [0, 0xFFFFFFFF])
def test_long_stream_takes_little_memory(tmp_path, size, data_size):
    path = tmp_path / "song.wav"
    head = riff(fmt(2), chunk(b"data", b"", data_size), size=data_size)
    with open(path, "wb") as stream:
        stream.write(head)
        stream.seek(len(head) + (size - len(head)) // 8 * 4)
        stream.write(struct.pack("<4h", *[2**14] * 2, *[-(2**14)] * 2) * 1000)
        stream.truncate(size)
    if getattr(path.stat(), "st_blocks", 2**20) > 2**15:
        pytest.skip("the file system stores the zeros")
    info, n_bytes = n_bytes_allocated(lambda: probe_audio(path))
    assert info.frames == (size - len(head)) // 4
    assert n_bytes < 500_000
    x, n_bytes = n_bytes_allocated(lambda: read(path, duration=1.0, position="center"))
    np.testing.assert_array_equal(np.abs(x), np.repeat([0.0, 0.5, 0.0], [4000, 2000, 2000]))
    assert n_bytes < 500_000


def test_flac_stream_of_unknown_length_takes_little_memory(tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, np.zeros(4_000_000), RATE)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    x, n_bytes = n_bytes_allocated(lambda: read(path, duration=1.0, position="center"))
    assert x.size == RATE
    assert n_bytes < 2_000_000
