"""The spectral kernel and the median filter against librosa and NumPy, with numba and without.

Without numba, everything runs in a second process with ``NUMBA_DISABLE_JIT``, as coverage tools
set it: this file, run as a script, writes the results of that process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import librosa
import numpy as np
import pytest

from skgenre import ClipFeatures, MelSpectrogramExtractor, MFCCExtractor, SummaryExtractor
from skgenre.features._medians import median_along_columns

RATE = 22050
KINDS = ("power", "decibels", "mfcc")
SETTINGS = [
    {},
    {"center": False},
    {"n_fft": 512, "hop_length": 100, "n_mels": 20},
    {"n_fft": 512, "hop_length": 1000, "n_mels": 128, "center": False},  # gaps, empty bands
    {"n_fft": 1024, "hop_length": 333, "win_length": 800, "window": "hamming"},
    {"n_fft": 4096, "hop_length": 1024, "n_mels": 40, "htk": True},
    {"n_fft": 4096, "hop_length": 34, "n_mels": 13, "fmin": 300.0, "fmax": 8000.0},  # 265 frames
    {"n_fft": 1023, "hop_length": 256, "n_mels": 64},  # odd
    {"n_fft": 1001, "hop_length": 500, "n_mels": 1, "center": False},
    {"n_fft": 1200, "hop_length": 300, "n_mels": 40},  # even, no power of two
]
SHORT = [(n, {}) for n in (1, 2, 100, 2047, 2048, 2049)]
SHORT += [(n, {"n_fft": 512, "hop_length": 64, "n_mels": 16}) for n, _ in SHORT]
ROWS = [(1, 1), (3, 2), (2, 15), (5, 16), (4, 31), (7, 200), (70, 40)]  # shapes of arrays to filter

# librosa transforms in float64, the kernel in float32. Bands that hold little but the rounding
# of a loud tone far away differ by more, within the 80 dB that are kept.
TOLERANCE = {"chirp": 5e-6, "constant": 2e-5, "tone": 2e-6}

pytestmark = [
    pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning"),
    pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning"),
]


def sounds(n=9000):
    rng = np.random.default_rng(0)
    t = np.arange(n) / RATE
    noise = rng.normal(scale=0.3, size=n)
    clicks = np.zeros(n)
    clicks[::3000] = 1
    kinds = {
        "noise": noise,
        "tone": np.sin(2 * np.pi * 440 * t),
        "chirp": np.sin(2 * np.pi * (100 * t + 5000 * t**2)),
        "quiet beside loud": np.where(t < t[n // 2], 1e-4, 1.0) * noise,
        "quiet": 1e-5 * noise,
        "clipped": np.clip(5 * noise, -1, 1),
        "clicks": clicks,
        "silence": np.zeros(n),
        "constant": np.ones(n),
    }
    return {name: x.astype(np.float32) for name, x in kinds.items()}


def arrays(shape):
    """Return arrays whose rows are to be filtered, with ties and in both orders."""
    rng = np.random.default_rng(0)
    ramp = np.arange(np.prod(shape)).reshape(shape)
    drawn = (rng.normal(size=shape), rng.integers(0, 3, size=shape))
    return [x.astype(np.float32) for x in (*drawn, np.zeros(shape), ramp, -ramp)]


def compute():
    """Return everything that the tests compare, by name."""
    found = {}
    X = np.stack(list(sounds().values()))[np.newaxis]  # (1, n_segments, n_samples)
    for i, params in enumerate(SETTINGS):
        params = {"n_mels": 128, **params}
        found[f"power{i}"] = MelSpectrogramExtractor(scale="power", **params).transform(X)[0]
        found[f"decibels{i}"] = MelSpectrogramExtractor(**params).transform(X)[0]
        n_mfcc = min(13, params["n_mels"])
        found[f"mfcc{i}"] = MFCCExtractor(n_mfcc=n_mfcc, **params).transform(X)[0]
    for i, (n_samples, params) in enumerate(SHORT):
        short = X[:, :1, :n_samples]
        found[f"short{i}"] = MelSpectrogramExtractor(scale="power", **params).transform(short)
    for shape in ROWS:
        found[f"medians{shape}"] = np.array([median_along_columns(x.T).T for x in arrays(shape)])
    tracks = X[0, [0, 3, 5]]  # those of noise: rounding decides about correlations of clicks
    found["clip"] = ClipFeatures().transform(tracks)
    found["summary"] = SummaryExtractor().transform(tracks)
    found["compiled"] = np.array("skgenre.features._compiled" in sys.modules)
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.savez(sys.argv[1], **compute())


@pytest.fixture(scope="module")
def with_numba():
    return compute()


@pytest.fixture(scope="module")
def without_numba(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "results.npz"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, __file__, str(path)], env=environment, check=True)
    with np.load(path) as results:
        return dict(results)


@pytest.fixture(params=["with_numba", "without_numba"])
def found(request):
    return request.getfixturevalue(request.param)


@cache
def by_librosa(i):
    """Return power, decibels and MFCC of each sound by librosa, bands first."""
    found = {}
    for name, x in sounds().items():
        power = librosa.feature.melspectrogram(y=x, sr=RATE, **{"n_mels": 128, **SETTINGS[i]})
        decibels = librosa.power_to_db(power)
        found[name] = power, decibels, librosa.feature.mfcc(S=decibels, n_mfcc=13)
    return found


def test_each_process_takes_its_own_path(with_numba, without_numba):
    pytest.importorskip("numba")
    assert with_numba["compiled"]
    assert not without_numba["compiled"]


@pytest.mark.parametrize("i", range(len(SETTINGS)))
def test_mel_and_mfcc_equal_librosa(found, i):
    for k, (name, theirs) in enumerate(by_librosa(i).items()):
        tolerances = (
            4e-6 * theirs[0].max() + 1e-30,
            0.005,
            TOLERANCE.get(name, 1e-6) * np.abs(theirs[2]).max(),
        )
        for what, expected, atol in zip(KINDS, theirs, tolerances, strict=True):
            ours = found[f"{what}{i}"][k].T
            np.testing.assert_allclose(ours, expected, rtol=0, atol=atol, err_msg=f"{name} {what}")


@pytest.mark.parametrize("i", range(len(SHORT)))
def test_very_short_segments_equal_librosa(found, i):
    n_samples, params = SHORT[i]
    x, params = sounds()["noise"][:n_samples], {"n_mels": 96, **params}
    theirs = librosa.feature.melspectrogram(y=x, sr=RATE, **params)
    ours = found[f"short{i}"][0, 0].T
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6 * theirs.max())


@pytest.mark.parametrize("shape", ROWS)
def test_medians_are_those_of_the_mirrored_row(found, shape):
    for array, medians in zip(arrays(shape), found[f"medians{shape}"], strict=True):
        around = np.pad(array, ((0, 0), (15, 15)), mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(around, 31, axis=1)
        np.testing.assert_array_equal(medians, np.median(windows, axis=2))
        assert medians.dtype == np.float32


def test_medians_of_nan_end():
    array = np.full((2, 50), np.nan, dtype=np.float32)
    array[1, ::3] = 1
    assert median_along_columns(array.T).shape == (50, 2)


@pytest.mark.parametrize("table", ["clip", "summary"])
def test_tables_agree_with_and_without_numba(with_numba, without_numba, table):
    np.testing.assert_allclose(without_numba[table], with_numba[table], rtol=1e-3, atol=2e-3)


def test_threads_share_a_kernel():
    x = sounds(40000)["noise"]
    tracks = [x[:n] for n in (40000, 700, 20000, 1, 39999, 5000)] * 3
    features = ClipFeatures(feature_groups=("mfcc", "spec"))
    one_by_one = features.transform(tracks)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda track: features.transform([track])[0], tracks))
    np.testing.assert_array_equal(together, one_by_one)
