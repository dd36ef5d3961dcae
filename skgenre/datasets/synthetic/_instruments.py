"""Synthesis for :func:`make_genres`: tones, drums and effects, each a function of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, oaconvolve

from skgenre.datasets.synthetic._styles import Kit, Voice

Wave = NDArray[np.float32]

_TABLE = 2048  # points in one period of a tone


def tone(
    voice: Voice, frequency: float, duration: float, sampling_rate: int, rng: np.random.Generator
) -> Wave:
    """Play one note.

    Parameters
    ----------
    voice : Voice
        The instrument.
    frequency : float
        Fundamental frequency in Hz.
    duration : float
        Seconds until the note is released; it rings on for ``voice.release``.
    sampling_rate : int
        Samples a second.
    rng : numpy.random.Generator
        Source of the breath noise and of the phase.

    Returns
    -------
    wave : ndarray of shape (n_samples,), float32
        The note; its peak is about 1.
    """
    n_samples = max(2, round((duration + voice.release) * sampling_rate))
    time = np.arange(n_samples, dtype=np.float32) / np.float32(sampling_rate)
    fundamental, overtones = _one_period(voice, frequency, sampling_rate)
    ratios = [1.0] if voice.detune == 0 else [1.0, 2.0 ** (voice.detune / 1200)]
    fading = np.exp(-(voice.dulling / voice.decay) * time)
    wave = np.zeros(n_samples, dtype=np.float32)
    for ratio in ratios:
        steps = np.arange(n_samples) * (frequency * ratio / sampling_rate * _TABLE)
        index = (steps + rng.uniform(0, _TABLE)).astype(np.int32) & (_TABLE - 1)
        wave += fundamental[index]
        wave += overtones[index] * fading
    wave /= len(ratios)
    if voice.breath > 0:
        wave += np.float32(voice.breath) * rng.standard_normal(n_samples, dtype=np.float32)
    wave *= voice.sustain + (1 - voice.sustain) * np.exp(-time / voice.decay)
    n_attack = min(n_samples, max(1, round(voice.attack * sampling_rate)))
    wave[:n_attack] *= np.linspace(0, 1, n_attack, dtype=np.float32)
    n_release = min(n_samples, max(1, round(voice.release * sampling_rate)))
    wave[-n_release:] *= np.linspace(1, 0, n_release, dtype=np.float32)
    return wave


def _one_period(voice: Voice, frequency: float, sampling_rate: int) -> tuple[Wave, Wave]:
    """Return one period of the lowest partial, and of the partials above it, below Nyquist."""
    n_partials = int(min(_TABLE // 4, max(1, 0.47 * sampling_rate / frequency)))
    number = np.arange(1, n_partials + 1)
    amplitude = number**-voice.rolloff
    amplitude[1::2] *= voice.even
    amplitude /= np.sqrt(1 + (number * frequency / voice.cutoff) ** 4)
    # Scattered phases keep the peak low; they are fixed, so that a voice always sounds the same.
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=np.complex64)
    spectrum[1 : n_partials + 1] = amplitude * np.exp(-0.5j * np.pi * number * (number + 1) / 3)
    whole = np.fft.irfft(spectrum)
    scale = 1.0 / np.abs(whole).max()
    spectrum[2:] = 0
    lowest = np.fft.irfft(spectrum) * scale
    return lowest.astype(np.float32), (whole * scale - lowest).astype(np.float32)


def kick(kit: Kit, sampling_rate: int, rng: np.random.Generator) -> Wave:
    """Play a bass drum: a tone that falls to ``kick_pitch``, and a click."""
    time = np.arange(int(5 * kit.kick_decay * sampling_rate) + 1) / sampling_rate
    phase = 2 * np.pi * kit.kick_pitch * (time - 0.06 * np.expm1(-time / 0.02))
    wave = np.sin(phase) * np.exp(-time / kit.kick_decay)
    wave += 0.3 * rng.standard_normal(time.size) * np.exp(-time / 0.003)
    return wave.astype(np.float32)


def snare(kit: Kit, sampling_rate: int, rng: np.random.Generator) -> Wave:
    """Play a snare drum: a short tone and noise."""
    time = np.arange(int(5 * kit.snare_decay * sampling_rate) + 1) / sampling_rate
    hiss = _noise(time.size, kit.hold, sampling_rate, rng)
    hiss[1:] -= 0.6 * hiss[:-1]  # fewer low frequencies, which the skin provides
    skin = np.sin(2 * np.pi * kit.snare_pitch * time) * np.exp(-time / 0.05)
    wave = 0.5 * kit.snare_noise * hiss * np.exp(-time / kit.snare_decay)
    return (wave + (1 - kit.snare_noise) * skin).astype(np.float32)


def hat(kit: Kit, sampling_rate: int, rng: np.random.Generator) -> Wave:
    """Play a cymbal: high noise, short for a closed hi-hat, long for a ride."""
    time = np.arange(int(5 * kit.hat_decay * sampling_rate) + 1) / sampling_rate
    hiss = _noise(time.size + 2, kit.hold, sampling_rate, rng)
    return (0.18 * np.diff(hiss, n=2) * np.exp(-time / kit.hat_decay)).astype(np.float32)


def _noise(
    n_samples: int, hold: float, sampling_rate: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return white noise, each sample of it repeated ``hold`` times (at 22 050 Hz)."""
    times = max(1, round(hold * sampling_rate / 22050))
    return np.repeat(rng.standard_normal(-(-n_samples // times)), times)[:n_samples]


def distort(wave: Wave, drive: float) -> Wave:
    """Distort like an overdriven amplifier; the level is kept."""
    if drive <= 0:
        return wave
    level = _rms(wave)
    if level == 0:
        return wave
    bent = np.tanh(wave * np.float32(drive / (4 * level)))
    return bent * np.float32(level / _rms(bent))


def echo(wave: Wave, level: float, delay: float, sampling_rate: int) -> Wave:
    """Add three echoes, each ``delay`` seconds after the one before, and weaker."""
    lag = round(delay * sampling_rate)
    if level <= 0 or lag < 1:
        return wave
    out = wave.copy()
    for number in range(1, 4):
        if number * lag < wave.size:
            out[number * lag :] += np.float32(level * 0.6 ** (number - 1)) * wave[: -number * lag]
    return out


def reverberate(wave: Wave, level: float, sampling_rate: int, rng: np.random.Generator) -> Wave:
    """Add the reverberation of a room: a convolution with decaying noise."""
    if level <= 0:
        return wave
    duration = 0.25 + 0.5 * min(level, 1.0)
    time = np.arange(int(duration * sampling_rate) + 1, dtype=np.float32) / np.float32(
        sampling_rate
    )
    response = rng.standard_normal(time.size, dtype=np.float32)
    response *= np.exp(-6.0 / np.float32(duration) * time)
    response /= np.sqrt(np.sum(response**2))
    response[0] += np.float32(1 / level)  # the direct sound
    out: Wave = oaconvolve(wave, np.float32(level) * response)[: wave.size]
    return out


def equalise(wave: Wave, tilt: float, sampling_rate: int) -> Wave:
    """Raise the frequencies above 1 kHz by half of ``tilt`` dB and lower those below as much.

    The filter also removes frequencies below 20 Hz, including a constant offset.
    """
    # A first-order shelf (s g + w) / (s + g w), by the bilinear transform, whose frequency scale
    # is made exact at 1 kHz.
    g = 10.0 ** (tilt / 20)
    w = np.tan(np.pi * min(1000.0, sampling_rate / 8) / sampling_rate)
    root = np.sqrt(g)
    shelf = _first_order(root, w, 1.0, root * w)
    rumble = _first_order(1.0, 0.0, 1.0, np.tan(np.pi * 20.0 / sampling_rate))
    b, a = np.convolve(shelf[0], rumble[0]), np.convolve(shelf[1], rumble[1])
    # In double precision, because the poles are close to 1.
    out = lfilter(b, a, wave.astype(np.float64))
    return out.astype(np.float32)


def _first_order(s1: float, s0: float, d1: float, d0: float) -> tuple[Any, Any]:
    """Return the bilinear transform of (s1 s + s0) / (d1 s + d0)."""
    return (
        np.array([s1 + s0, s0 - s1]) / (d1 + d0),
        np.array([1.0, (d0 - d1) / (d1 + d0)]),
    )


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(wave), dtype=np.float64)))


def master(wave: Wave, level: float, noise_floor: float, rng: np.random.Generator) -> Wave:
    """Scale music to a level, add the noise of the recording, and avoid clipping.

    Parameters
    ----------
    wave : ndarray of shape (n_samples,), float32
        The music.
    level, noise_floor : float
        Root mean square of the music and of the noise, in dB below full scale.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    wave : ndarray of shape (n_samples,), float32
        The recording; no sample exceeds 0.95.
    """
    rms = _rms(wave)
    if rms > 0:
        wave = wave * np.float32(10.0 ** (level / 20) / rms)
    noise = rng.standard_normal(wave.size, dtype=np.float32)
    wave = wave + np.float32(10.0 ** (noise_floor / 20)) * noise
    # A soft knee above 0.6, as in a limiter: scaling the whole track down for one stroke of a
    # drum would change its level.
    over = np.abs(wave) > 0.6
    wave[over] = np.sign(wave[over]) * (0.6 + 0.35 * np.tanh((np.abs(wave[over]) - 0.6) / 0.35))
    return wave
