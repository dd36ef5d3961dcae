"""The inputs of benchmarks.fuzz: each is made from a seed and a number alone."""

from __future__ import annotations

import io
import pickle
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.random import Generator

RATE = 22050
# Row of a table of results -> libsndfile's names of container and encoding.
FORMATS = {
    "WAV PCM 16": ("WAV", "PCM_16"),
    "WAV PCM 24": ("WAV", "PCM_24"),
    "WAV float": ("WAV", "FLOAT"),
    "WAV MS ADPCM": ("WAV", "MS_ADPCM"),
    "WAV IMA ADPCM": ("WAV", "IMA_ADPCM"),
    "RF64": ("RF64", "PCM_16"),
    "W64": ("W64", "PCM_16"),
    "AIFF": ("AIFF", "PCM_16"),
    "AU": ("AU", "PCM_16"),
    "CAF": ("CAF", "PCM_16"),
    "FLAC": ("FLAC", "PCM_16"),
    "OGG Vorbis": ("OGG", "VORBIS"),
    "OGG Opus": ("OGG", "OPUS"),
    "MP3": ("MP3", "MPEG_LAYER_III"),
}
# The others that libsndfile can write into memory. MAT5 stores the date; DWVW_12 is not complete.
_OTHERS = [
    (container, subtype)
    for container in sorted(soundfile.available_formats())
    for subtype in sorted(soundfile.available_subtypes(container))
    if (container, subtype) not in FORMATS.values()
    and container not in ("RAW", "MAT5", "SD2")
    and not subtype.startswith(("MPEG", "DWVW_12"))
]
KINDS = (*FORMATS, "other formats", "array in a list", "array alone", "table", "model file")


def sound(rng: Generator, n_samples: int, n_channels: int = 1) -> np.ndarray:
    """Return a chord and noise: (n_samples, n_channels)."""
    time = np.arange(n_samples)[:, np.newaxis] / RATE
    phases = 2 * np.pi * rng.uniform(100, 2000, size=(3, 1, n_channels)) * time
    return 0.2 * np.sin(phases).sum(axis=0) + 0.05 * rng.normal(size=(n_samples, n_channels))


def audio_file(rng: Generator, kind: str) -> tuple[bytes, str, str]:
    """Return the bytes of a file, its ending, and what was done to it."""
    container, subtype = FORMATS.get(kind) or _OTHERS[rng.integers(len(_OTHERS))]
    data = _encode(rng, container, subtype)
    done = []
    for _ in range(rng.integers(4)):
        change = _CHANGES[rng.integers(len(_CHANGES))]
        data = change(rng, data)
        done.append(change.__name__.strip("_"))
    return data, container.lower(), f"{container} {subtype}: " + (", ".join(done) or "intact")


def _encode(rng: Generator, container: str, subtype: str) -> bytes:
    """Encode a short sound; the same random state gives the same bytes."""
    rates = [8000, 16000, 48000] if subtype in ("OPUS", "VORBIS") else [8000, 11025, 22050, 44100]
    wanted = int(rng.choice(rates)), int(rng.choice([1, 1, 2, 2, 6]))
    seconds = rng.choice([0.01, 0.1, 0.5, 1.5])
    for rate, n_channels in (wanted, (8000, 1), (44100, 1)):  # some take one rate only
        stream = io.BytesIO()
        try:
            samples = sound(rng, int(rate * seconds), n_channels)
            soundfile.write(stream, samples, rate, format=container, subtype=subtype)
            break
        except soundfile.LibsndfileError:
            continue
    data = bytearray(stream.getvalue())
    if (peak := data.find(b"PEAK")) >= 0:  # libsndfile stores the time
        data[peak + 12 : peak + 16] = bytes(4)
    return _renumbered(bytes(data)) if container == "OGG" else bytes(data)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _renumbered(data: bytes) -> bytes:
    """Set the random serial number of Ogg pages to 0, and their checksums to match."""
    pages = []
    for body in data.split(b"OggS")[1:]:
        page = b"OggS" + body[:10] + bytes(4) + body[14:18] + bytes(4) + body[22:]
        # The checksum of Ogg is that of zlib with the bits in the opposite order.
        crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        pages.append(page[:22] + crc.to_bytes(4, "big").translate(_REVERSED) + page[26:])
    return b"".join(pages)


def _flip_bits(rng: Generator, data: bytes) -> bytes:
    """Flip 1, 10 or 100 bits, of the header or anywhere."""
    out = bytearray(data)
    end = min(len(out), int(rng.choice([64, 512, 2**31 - 1])))
    for place in rng.integers(end, size=rng.choice([1, 10, 100])) if end else ():
        out[place] ^= 1 << rng.integers(8)
    return bytes(out)


def _cut(rng: Generator, data: bytes) -> bytes:
    """Keep the start or the end, or take a part out."""
    first, last = np.sort(rng.integers(len(data) + 1, size=2))
    return (data[:last], data[first:], data[:first] + data[last:])[rng.integers(3)]


def _lie(rng: Generator, data: bytes) -> bytes:
    """Overwrite a number in the header: a size, a rate, a number of channels."""
    width = int(rng.choice([1, 2, 3, 4, 8]))
    top = 256**width
    values = [0, 1, 2, 255, top // 2 - 1, top // 2, top - 1, int(rng.integers(2**31))]
    number = (values[rng.integers(len(values))] % top).to_bytes(
        width, "little" if rng.integers(2) else "big"
    )
    place = 4 + int(rng.integers(100))
    return data[:place] + number + data[place + width :]


def _reorder(rng: Generator, data: bytes) -> bytes:
    """Swap, duplicate or remove a chunk."""
    pieces = _pieces(rng, data)
    first, second = rng.integers(len(pieces), size=2)
    change = rng.integers(3)
    if change == 0:
        pieces[first], pieces[second] = pieces[second], pieces[first]
    elif change == 1:
        pieces.insert(second, pieces[first])
    else:
        del pieces[first]
    return b"".join(pieces)


def _pieces(rng: Generator, data: bytes) -> list[bytes]:
    """Divide a file into its header and chunks, or at random places."""
    if data[:4] in (b"RIFF", b"RF64", b"FORM"):
        order = "big" if data[:4] == b"FORM" else "little"
        start, places = 12, []
        while start < len(data) and len(places) < 100:
            places.append(start)
            size = int.from_bytes(data[start + 4 : start + 8], order)  # type: ignore[arg-type]  # a str
            start += 8 + size + size % 2
    elif data[:4] == b"OggS":
        places = [i for i in range(4, len(data)) if data.startswith(b"OggS", i)]
    else:
        places = sorted(int(place) for place in rng.integers(len(data) + 1, size=4))
    bounds = [0, *places, len(data)]
    return [data[a:b] for a, b in pairwise(bounds)]


def _add_junk(rng: Generator, data: bytes) -> bytes:
    """Append or prepend noise, zeros, a tag, or the file itself."""
    n = int(rng.choice([1, 7, 128, 5000]))
    tag = b"ID3\4\0\0" + bytes(rng.integers(128, size=4, dtype=np.uint8))
    junk = [rng.bytes(n), bytes(n), data, tag + bytes(100), b"TAG" + bytes(125)][rng.integers(5)]
    return junk + data if rng.integers(4) == 0 else data + junk


def _zero(rng: Generator, data: bytes) -> bytes:
    """Fill a part with zeros, as a hole after a broken download."""
    first, last = np.sort(rng.integers(len(data) + 1, size=2))
    return data[:first] + bytes(int(last - first)) + data[last:]


Change = Callable[[Generator, bytes], bytes]
_CHANGES: list[Change] = [_flip_bits, _cut, _lie, _lie, _reorder, _add_junk, _zero]


def hostile_array(rng: Generator, lengths: Sequence[int]) -> tuple[Any, str]:
    """Return something given as a waveform of one of some lengths, and its description."""
    n = int(rng.choice(lengths))
    x = sound(rng, n)[:, 0].astype(np.float32)
    pick, place = rng.integers, int(rng.integers(n))

    def with_value(value: float, dtype: str = "f4") -> np.ndarray:
        out = x.astype(dtype)
        out[place] = value
        return out

    def of(dtype: str) -> np.ndarray:
        with np.errstate(all="ignore"):
            return (1000 * x).astype(dtype)

    top = float(np.finfo(np.float32).max)
    dtypes = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f8", "g", "c8", "c16", "?"]
    dtypes += [">f4", ">f8", ">i2", ">i4", "S4", "U4", "O", "M8[s]", "m8[s]", "f4,f4"]
    values = [np.nan, np.inf, -np.inf, top, -top, 1e19, 1e-45]
    shapes = [(), (0,), (2, 0), (0, 2), (n, 1), (1, n), (2, n), (n, 2), (1, 1, n), (2, 2, 2, 2)]
    rates = [0, -1, np.nan, np.inf, 1e-300, 1e-3, 1e9, 1e300, True, "22050", None, 1j, 10**400]
    rates += [np.float32(8000), np.int64(8000), np.array(8000), np.array([8000]), RATE, x]
    objects = [None, 0, 1.5, np.nan, "", "no such file", b"x", b"no.wav", Path("no.wav"), {}, set()]
    objects += [{"x": x}, range(n), iter(x), memoryview(x), deque(x), object(), type, [], (), [[]]]
    objects += [[None], ["a", 1.0], [[1.0], [1.0, 2.0]], [x, x[: n // 2]], "\0", "a" * 5000, "."]
    dtype, shape, rate = (some[pick(len(some))] for some in (dtypes, shapes, rates))
    item = objects[pick(len(objects))]
    choices: list[tuple[str, Callable[[], Any]]] = [
        ("a value", lambda: with_value(values[pick(len(values))])),
        ("values", lambda: np.full(n, values[pick(len(values))], dtype="f4")),
        ("two huge channels", lambda: np.full((2, n), top, dtype="f4")),
        ("a float64", lambda: with_value(1e300, "f8")),
        (f"dtype {dtype}", lambda: of(dtype)),
        (f"dtype {dtype}, stereo", lambda: np.stack([of(dtype)] * 2)),
        ("objects", lambda: np.array([*x[:-1], None], dtype=object)),
        ("masked", lambda: np.ma.masked_greater(with_value(np.nan), 0.1)),
        (f"shape {shape}", lambda: np.resize(x, shape)),
        (f"shape {shape}", lambda: np.resize(x, shape)),
        ("strided", lambda: x[::2]),
        ("backwards", lambda: x[::-1]),
        ("broadcast", lambda: np.broadcast_to(np.float32(0.1), (n,))),
        ("Fortran order", lambda: np.asfortranarray(np.stack([x, x]))),
        ("a matrix", lambda: np.asmatrix(x)),
        ("a list", lambda: x.tolist()),
        ("nested lists", lambda: [x.tolist(), x.tolist()]),
        (f"a pair, rate {_short(rate)}", lambda: (x, rate)),
        (f"a pair, rate {_short(rate)}", lambda: (np.stack([x, x]), rate)),
        (f"a pair reversed, rate {_short(rate)}", lambda: (rate, x)),
        (f"a pair as a list, rate {_short(rate)}", lambda: [x, rate]),
        ("a triple", lambda: (x, RATE, RATE)),
        (f"the object {_short(item)}", lambda: item),
        (f"the object {_short(item)}", lambda: item),
    ]
    name, make = choices[pick(len(choices))]
    return make(), f"{name}, {n} samples"


def _short(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.20}"


def artists_table(rng: Generator, files: list[str]) -> tuple[bytes, str]:
    """Return the bytes of a table of some files, and what is wrong with it."""
    rows = [["file", "artist", "title", "genre"]]
    rows += [[file, f"Bj\u00f6rk {i}", f'a "{i}"', ""] for i, file in enumerate(files)]
    wrong = ["", "\0", "x" * 200_000, '"', "\r", "\n", ",", "../" * 500, "/", "\ud800", "nan", "-"]
    wrong += [
        files[0],
        files[-1].upper(),
        "Artist",
        "a\0b.wav",
        "caf\u0065\u0301",
        " " * 50,
        "a" * 300,
    ]
    done = []
    for _ in range(rng.integers(3)):
        row, column = int(rng.integers(len(rows))), int(rng.integers(4))
        value = wrong[rng.integers(len(wrong))]
        rows[row][column] = value
        done.append(f"row {row} column {column} = {value!r:.20}")
    if rng.integers(4) == 0:
        del rows[int(rng.integers(len(rows)))][int(rng.integers(4))]
        done.append("a cell missing")
    if rng.integers(4) == 0:
        rows.append(list(rows[rng.integers(len(rows))]))
        done.append("a row twice")
    separator, end = [(",", "\n"), (",", "\r\n"), (",", "\r"), (";", "\n"), ("\t", "\n")][
        rng.choice(5, p=[0.6, 0.1, 0.1, 0.1, 0.1])
    ]
    encodings = ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-32"]
    encoding = encodings[rng.choice(6, p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])]
    text = end.join(separator.join(row) for row in rows)
    data = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
    for _ in range(rng.choice(3, p=[0.6, 0.2, 0.2])):
        change = [_flip_bits, _cut, _add_junk, _zero][rng.integers(4)]
        data = change(rng, data)
        done.append(change.__name__.strip("_"))
    return data, ", ".join([encoding, repr(separator + end), *done])


def model_file(rng: Generator, good: bytes) -> tuple[bytes, str]:
    """Return the bytes of a file given as a model, and what they are."""
    values = [None, {}, [1], "text", np.zeros(3), print, Path("x"), GeneratorExit(), 10**30]
    value = values[rng.integers(len(values))]
    choices: list[tuple[str, Callable[[], bytes]]] = [
        ("noise", lambda: rng.bytes(int(rng.choice([1, 10, 1000])))),
        ("empty", lambda: b""),
        ("text", lambda: b"a model\n" * 10),
        ("audio", lambda: _encode(rng, "WAV", "PCM_16")),
        (f"a pickle of {value!r:.20}", lambda: pickle.dumps(value)),
        ("a model cut off", lambda: good[: rng.integers(len(good))]),
        ("a model, junk behind it", lambda: good + rng.bytes(100)),
        ("a model, junk before it", lambda: rng.bytes(10) + good),
        ("a model, a hole in it", lambda: _zero(rng, good)),
        ("a model, bits flipped", lambda: _flip_bits(rng, good)),
        ("a model, bits flipped, checksum right", lambda: _sign(_flip_bits(rng, good))),
    ]
    name, make = choices[rng.integers(len(choices))]
    return make(), name


def _sign(archive: bytes) -> bytes:
    """Put the checksum of all bytes before into the last 64, as an attacker would."""
    return archive[:-64] + sha256(archive[:-64]).hexdigest().encode()
