"""The fingerprint of a track: 32 bits every 46 ms that survive lossy encoding.

A bit says whether the slope of the spectrum between two neighbouring bands has risen or fallen
since 0.19 s ago, after J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System",
ISMIR 2002.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgenre.audio import AudioLoader, probe_audio
from skgenre.utils._validation import is_path
from skgenre.utils._waveforms import has_sound, is_pair

Array = NDArray[Any]

RATE = 11025
_N_FFT = 4096
_HOP = 512
_LAG = 4  # frames
_BAND_EDGES = np.geomspace(250, 2500, 34)  # Hz; what encoders keep at any bitrate
_FRAMES_AT_ONCE = 1024
# Frames so far below the loudest are noise of the encoder.
_SILENCE = 1e-6
# Bands so far below the loudest frame hold little but noise of the encoder.
_FLOOR = 1e-4


class Fingerprint(NamedTuple):
    """What is kept of a track."""

    digest: bytes | None  # of the decoded sound; None without sound
    codes: Array  # (n_frames,) of uint32
    is_active: Array  # (n_frames,) of bool, False where there is no sound


def n_frames_in(seconds: float) -> int:
    """Return how many codes a stretch of sound has."""
    return max(0, (int(seconds * RATE) - _N_FFT) // _HOP + 1 - _LAG)


def seconds_of(n_frames: int) -> float:
    """Return the time from one code to the one ``n_frames`` later."""
    return n_frames * _HOP / RATE


def fingerprint(track: Any, name: str, *, duration: float, waveform_rate: float) -> Fingerprint:
    """Decode a track once, and compute the digest and the codes of its first seconds."""
    rate = _rate_of(track, waveform_rate)
    own = AudioLoader(sampling_rate=rate, duration=duration, short="keep")
    sound = own.transform_track(track, name)
    if not has_sound(np.asarray(sound), rate):
        nothing = np.zeros(0, dtype=np.uint32)
        return Fingerprint(None, nothing, nothing.astype(bool))
    digest = hashlib.blake2b(f"{rate:g} ".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(sound).tobytes())
    common = AudioLoader(sampling_rate=RATE, duration=duration, short="keep")
    codes, is_active = _codes(np.asarray(common.transform_track(sound, name)))
    return Fingerprint(digest.digest(), codes, is_active)


def _rate_of(track: Any, waveform_rate: float) -> float:
    if is_path(track):
        return float(probe_audio(track).sampling_rate)
    if is_pair(track):
        return float(track[1])
    return float(getattr(track, "sampling_rate", None) or waveform_rate)


def _codes(x: NDArray[np.float32]) -> tuple[Array, Array]:
    """Return the code of each frame, and whether it has sound."""
    if n_frames_in(len(x) / RATE) < 1:
        return np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=bool)
    energy = _band_energies(x)
    total = energy.sum(axis=1)
    slope = -np.diff(np.log(energy + _FLOOR * total.max()), axis=1)  # (n_frames, 32)
    bits = slope[_LAG:] > slope[:-_LAG]
    codes = np.packbits(bits, axis=1).view(np.uint32)[:, 0]
    is_loud = total > _SILENCE * total.max()
    return codes, is_loud[_LAG:] & is_loud[:-_LAG] & (codes != 0)


def _band_energies(x: NDArray[np.float32]) -> Array:
    """Return the energy of each band in each frame: (n_frames + lag, 33)."""
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(x, _N_FFT)[::_HOP]
    window = np.hanning(_N_FFT).astype(np.float32)
    edges = np.searchsorted(np.arange(_N_FFT // 2 + 1) * RATE / _N_FFT, _BAND_EDGES)
    energies = []
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        spectrum = rfft(frames[start : start + _FRAMES_AT_ONCE] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        energies.append(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))
    return np.concatenate(energies).astype(np.float64)
