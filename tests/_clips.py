"""Clips of known sound, and their columns of ClipFeatures by name."""

from __future__ import annotations

import librosa
import numpy as np
import pandas as pd

from skgenre import ClipFeatures

RATE = 22050
FRAME = 512 / RATE  # seconds from one frame to the next
N_COLUMNS = {
    "mfcc": 60,
    "delta_covariance": 210,
    "melstat": 160,
    "block_levels": 632,
    "modulation": 352,
    "scatter": 352,
    "tempo": 48,
    "chroma": 66,
    "tonal": 117,
    "recurrence": 152,
    "harmonic_percussive": 64,
    "spec": 24,
    "contrast": 143,
}
GROUPS = tuple(N_COLUMNS)
WIDTH = 2380


def music(seconds=3.0, seed=0):
    """Return a changing chord with drums on each beat."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(RATE * seconds)) / RATE
    beat = (t * 2.1).astype(int)
    root = rng.choice([220.0, 261.6, 293.7, 329.6], size=beat.max() + 1)[beat]
    phase = 2 * np.pi * np.cumsum(root) / RATE
    chord = sum(np.sin(ratio * phase) / ratio for ratio in (1, 1.5, 2, 3))
    drums = rng.normal(size=t.size) * np.exp(-np.mod(t, 1 / 2.1) / 0.03)
    return (0.1 * (chord + drums) + 0.003 * rng.normal(size=t.size)).astype(np.float32)


def clicks(period, seconds=10.0):
    """Return short bursts of noise, one in each period of that many seconds."""
    t = np.arange(int(RATE * seconds)) / RATE
    noise = np.random.default_rng(0).normal(size=t.size)
    return (0.3 * noise * np.exp(-np.mod(t, period) / 0.01)).astype(np.float32)


def impulses(tempo, seconds=15.0, every_other=1.0):
    """Return a click on each beat, the second ones of height every_other, and their times."""
    times = np.arange(0.0, seconds - 0.1, 60 / tempo)
    samples = np.zeros(int(seconds * RATE), dtype=np.float32)
    places = (times * RATE).astype(int)
    samples[places] = 1.0
    samples[places[1::2]] = every_other
    return samples, times


def chord(semitones, seconds=2.0):
    """Return notes that sound together, given in semitones from A at 440 Hz."""
    t = np.arange(int(RATE * seconds)) / RATE
    notes = 440.0 * 2 ** (np.asarray(semitones) / 12)
    return 0.1 * np.sin(2 * np.pi * notes[:, np.newaxis] * t).sum(axis=0).astype(np.float32)


def chords(sequence, n_samples):
    """Return chords one after the other, each for ``n_samples``."""
    seconds = (n_samples + 0.5) / RATE
    return np.concatenate([chord(semitones, seconds) for semitones in sequence])


def noise(seconds, level=0.1, seed=0):
    """Return white noise of some standard deviation."""
    rng = np.random.default_rng(seed)
    return (level * rng.normal(size=int(RATE * seconds))).astype(np.float32)


def describe(samples, *groups, **params):
    """Return the columns of one track by name; the prefix of a single group is left out."""
    features = ClipFeatures(feature_groups=groups or GROUPS, **params)
    names = features.get_feature_names_out()
    if len(groups) == 1:
        names = [name.removeprefix(f"{groups[0]}__") for name in names]
    return pd.Series(features.transform([samples])[0].astype(float), index=names)


def mel_decibels(samples, n_fft=2048):
    """Return the decibels of the mel bands by librosa: (128, n_frames)."""
    mel = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=n_fft, pad_mode="constant")
    return librosa.power_to_db(mel, amin=1e-10, top_db=80)


def in_bands(decibels, n_bands):
    """Return the mean of neighbouring mel bands: (n_bands, n_frames)."""
    return np.array([band.mean(axis=0) for band in np.split(decibels, n_bands)])


def spectrum(samples):
    """Return the power of the bins of the Fourier transform by librosa: (1025, n_frames)."""
    return np.abs(librosa.stft(samples, n_fft=2048, hop_length=512, pad_mode="constant")) ** 2
