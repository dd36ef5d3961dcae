"""The kernel against librosa, called on each segment by itself."""

from __future__ import annotations

import os
import subprocess
import sys

import librosa
import numpy as np
import pytest

from skgenre.features import _spectral
from skgenre.features._mfcc import _cosine_transform
from skgenre.features._spectral import MelKernel, MelSettings

RATE = 22050


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


def settings(**changes):
    defaults = {
        "sampling_rate": RATE,
        "n_fft": 2048,
        "hop_length": 512,
        "win_length": changes.get("n_fft", 2048),
        "window": "hann",
        "center": True,
        "n_mels": 128,
        "fmin": 0.0,
        "fmax": RATE / 2,
        "htk": False,
    }
    return MelSettings(**{**defaults, **changes})


def by_librosa(x, chosen):
    return librosa.feature.melspectrogram(
        y=x,
        sr=RATE,
        n_fft=chosen.n_fft,
        hop_length=chosen.hop_length,
        win_length=chosen.win_length,
        window=chosen.window,
        center=chosen.center,
        n_mels=chosen.n_mels,
        fmin=chosen.fmin,
        fmax=chosen.fmax,
        htk=chosen.htk,
    )


MANY = [
    settings(),
    settings(center=False),
    settings(n_fft=512, hop_length=100, n_mels=20),
    settings(n_fft=512, hop_length=1000, n_mels=128, center=False),  # with gaps, empty bands
    settings(n_fft=1024, hop_length=333, win_length=800, window="hamming", n_mels=96),
    settings(n_fft=4096, hop_length=1024, n_mels=40, htk=True),
    settings(n_fft=4096, hop_length=17, n_mels=13, fmin=300.0, fmax=8000.0),
    settings(n_fft=1023, hop_length=256, n_mels=64),  # odd
    settings(n_fft=1001, hop_length=500, n_mels=1, center=False),
]


# librosa transforms in float64, the kernel in float32. Bands that hold little but the rounding
# of a loud tone far away differ by more, within the 80 dB that are kept.
TOLERANCE = {"chirp": 5e-6, "constant": 2e-5}
TOLERANCE_NUMPY = {**TOLERANCE, "tone": 2e-6}


# A narrow filterbank has bands without a bin, of which librosa warns.
@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")
@pytest.mark.parametrize("chosen", MANY, ids=lambda s: f"{s.n_fft}-{s.hop_length}-{s.center}")
@pytest.mark.parametrize("compiled", [True, False], ids=["numba", "numpy"])
def test_equals_librosa(chosen, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(_spectral, "compiled_stage", lambda: None)
    kernel = MelKernel(chosen)
    cosines = _cosine_transform(min(13, chosen.n_mels), chosen.n_mels, 0)
    for name, x in sounds().items():
        theirs = by_librosa(x, chosen)
        power = kernel.power(x)
        assert power.dtype == np.float32
        np.testing.assert_allclose(
            power, theirs, rtol=0, atol=4e-6 * theirs.max() + 1e-30, err_msg=name
        )
        decibels = librosa.power_to_db(theirs)
        np.testing.assert_allclose(kernel.decibels(x), decibels, rtol=0, atol=0.005, err_msg=name)
        mfcc = librosa.feature.mfcc(S=decibels, n_mfcc=13)
        tolerances = TOLERANCE if compiled else TOLERANCE_NUMPY
        tolerance = tolerances.get(name, 1e-6) * np.abs(mfcc).max()
        ours = cosines @ kernel.decibels(x)
        np.testing.assert_allclose(ours, mfcc, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal:UserWarning")
@pytest.mark.parametrize("n_samples", [1, 2, 100, 2047, 2048, 2049])
def test_very_short_segments(n_samples):
    x = sounds()["noise"][:n_samples]
    for chosen in (settings(), settings(n_fft=512, hop_length=64, n_mels=16)):
        theirs = by_librosa(x, chosen)
        np.testing.assert_allclose(
            MelKernel(chosen).power(x), theirs, rtol=0, atol=2e-6 * theirs.max()
        )


def test_decibels_without_a_top():
    x = sounds()["quiet beside loud"]
    kernel = MelKernel(settings())
    assert np.ptp(kernel.decibels(x)) <= 80.001
    assert np.ptp(kernel.decibels(x, None)) > 81
    assert kernel.decibels(sounds()["silence"]).max() == pytest.approx(-100)


def test_long_segments_are_cut_into_blocks():
    x = np.random.default_rng(1).normal(size=40 * 512).astype(np.float32)
    whole = MelKernel(settings(hop_length=64)).power(x)  # 321 frames: several blocks
    assert whole.shape[1] > 2 * _spectral.FRAMES_TOGETHER
    np.testing.assert_allclose(
        whole, by_librosa(x, settings(hop_length=64)), rtol=0, atol=2e-6 * whole.max()
    )


def test_kernels_are_built_once():
    assert _spectral.mel_kernel(settings()) is _spectral.mel_kernel(settings())
    assert _spectral.mel_kernel(settings()) is not _spectral.mel_kernel(settings(n_mels=40))


def test_without_just_in_time_compilation():
    """NUMBA_DISABLE_JIT, as coverage tools set it, takes the NumPy path."""
    script = (
        "import numpy as np; from skgenre import MelSpectrogramExtractor as M;"
        "from skgenre.features import _spectral;"
        "x = np.random.default_rng(0).normal(size=(1, 8000)).astype('float32');"
        "print(M().transform(x).shape, _spectral.compiled_stage())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[0] == "(1, 1, 16, 96) None"
